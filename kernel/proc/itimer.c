/* SPDX-License-Identifier: MIT */
/*
 * Interval timers: SIGALRM after some time, SIGVTALRM and SIGPROF after some time of the
 * process's own.
 *
 * Interrupt handlers cannot send signals, so the tick knows nothing of these timers: a kernel
 * thread sleeps until the first of them may be over, and sends. A timer in CPU time is looked
 * at when it may be over at the earliest, with all its tasks running; the rest of its time is
 * slept through again. The kernel does not tell user from system time, so both CPU timers
 * count both.
 *
 *	armed: [at 10.01 s REAL of 7]<->[at 10.30 s PROF of 12]<->...   by look_at
 *
 * A timer that repeats counts from when it was due, not from when it was sent; what could not
 * be sent in time is left out. None is looked at more often than once a tick.
 *
 * Locking: proc lock for the list and the timers in it; the thread holds it for one round.
 */
#include "arch/clock.h"
#include "kernel/lib/panic.h"
#include "kernel/proc/proc.h"
#include "kernel/sched/wait.h"

static struct list armed = LIST_INIT(armed);	/* [proc lock] by look_at */
static struct thread *clock_thread;	/* [I] once it runs, for ever */
static bool changed;			/* [proc lock to write] the first of the list is another */

/* All timers of g are off. Context: g is new. */
void itimer_init(struct tgroup *g)
{
	for (enum itimer_kind i = 0; i < NR_ITIMERS; i++) {
		g->itimers[i] = (struct itimer){ .group = g, .kind = i };
		list_init(&g->itimers[i].link);
	}
}

/* What the timer's clock shows. */
static u64 clock_of_locked(const struct itimer *t)
{
	return t->kind == ITIMER_REAL ? clock_ns() : group_cpu_ns_locked(t->group);
}

/* Queue t, whose clock shows now, to be looked at when it may be over. */
static void arm_locked(struct itimer *t, u64 now)
{
	u64 left = t->expires > now ? t->expires - now : 0;
	struct itimer *other;
	struct list *before = &armed;

	assert_held(&proc_lock);
	if (t->kind != ITIMER_REAL)
		left = MAX(left / MAX(t->group->nr_tasks, 1u), TICK_NS);
	t->look_at = clock_ns() + left;
	list_for_each(other, &armed, link) {
		if (other->look_at > t->look_at) {
			before = &other->link;
			break;
		}
	}
	list_insert(&t->link, before->prev, before);
}

static void expire_locked(struct itimer *t, u64 now)
{
	static const int signals[NR_ITIMERS] = { SIGALRM, SIGVTALRM, SIGPROF };
	struct siginfo info = { .signo = signals[t->kind], .code = SI_KERNEL };

	(void)proc_signal_locked(t->group, &info);
	if (!t->interval) {
		t->expires = 0;
		return;
	}
	t->expires += ((now - t->expires) / t->interval + 1) * t->interval;
	t->expires = MAX(t->expires, now + TICK_NS);
	arm_locked(t, now);
}

/* Send what is due. Returns when to look again. */
static u64 look_locked(void)
{
	struct itimer *t;
	u64 now;

	while (!list_empty(&armed)) {
		t = list_first(&armed, struct itimer, link);
		if (t->look_at > clock_ns())
			return t->look_at;
		list_remove(&t->link);
		now = clock_of_locked(t);
		if (now < t->expires)
			arm_locked(t, now);
		else
			expire_locked(t, now);
	}
	return SLEEP_FOREVER;
}

static noreturn void clock_main(void *unused)
{
	u64 next;

	(void)unused;
	clock_thread = thread_current();
	for (;;) {
		spin_lock(&proc_lock);
		WRITE_ONCE(changed, false);
		next = look_locked();
		spin_unlock(&proc_lock);
		(void)sleep_until_set(&changed, next);
	}
}

/* Start the thread that looks at all timers. Context: boot. */
void itimer_start_thread(void)
{
	if (thread_spawn_kernel("itimer", clock_main, NULL))
		panic("no memory for the thread of the interval timers");
}

/* All timers of g, which ends, are off. Locks: proc lock held. */
void itimer_end_locked(struct tgroup *g)
{
	assert_held(&proc_lock);
	for (unsigned i = 0; i < NR_ITIMERS; i++)
		list_remove(&g->itimers[i].link);
}

/* Set a timer of the caller's process (value NULL: leave it) after storing in *old how it was.
 * Locks: proc lock. Context: a process. */
void itimer_set(enum itimer_kind kind, const struct itimer_value *value,
		struct itimer_value *old)
{
	struct itimer *t = &proc_current()->group->itimers[kind];
	u64 now;

	thread_account();
	spin_lock(&proc_lock);
	now = clock_of_locked(t);
	old->interval = t->interval;
	old->left = t->expires > now ? t->expires - now : t->expires ? 1 : 0;
	if (value) {
		list_remove(&t->link);
		t->interval = value->interval;
		t->expires = value->left ? now + value->left : 0;
		if (value->left)
			arm_locked(t, now);
		if (armed.next == &t->link)
			WRITE_ONCE(changed, true);
	}
	spin_unlock(&proc_lock);
	if (READ_ONCE(changed) && READ_ONCE(clock_thread))
		sched_wake(clock_thread);
}
