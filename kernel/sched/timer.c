/* SPDX-License-Identifier: MIT */
/*
 * Sleeping until a time: one list of sleepers, earliest first, looked at in each tick. A
 * sleep ends at the first tick at or after its deadline, or when a signal comes.
 *
 * Locking: timer_lock (RANK_TIMER, interrupts off), the run queue lock inside it.
 */
#include "arch/clock.h"
#include "kernel/sched/wait.h"

#define NEVER	(~0ull)

static struct spinlock timer_lock = SPINLOCK_INIT(RANK_TIMER, "timer");
static struct list sleepers = LIST_INIT(sleepers);	/* [timer_lock] by wake_at */
static u64 next_deadline = NEVER;	/* [timer_lock to write] the first sleeper's */

/* Late deadlines are the newest ones mostly, so the place is sought from the end. */
static void insert_locked(struct thread *t)
{
	struct list *after;

	assert_held(&timer_lock);
	for (after = sleepers.prev; after != &sleepers; after = after->prev) {
		if (list_entry(after, struct thread, timer_link)->wake_at <= t->wake_at)
			break;
	}
	list_insert(&t->timer_link, after, after->next);
}

static void note_next_locked(void)
{
	assert_held(&timer_lock);
	WRITE_ONCE(next_deadline, list_empty(&sleepers) ? NEVER :
		   list_first(&sleepers, struct thread, timer_link)->wake_at);
}

/* Have t, the current thread, woken at the first tick at or after deadline_ns. */
static void arm(struct thread *t, u64 deadline_ns)
{
	unsigned long flags = spin_lock_irq(&timer_lock);

	t->wake_at = deadline_ns;
	insert_locked(t);
	note_next_locked();
	spin_unlock_irq(&timer_lock, flags);
}

static void disarm(struct thread *t)
{
	unsigned long flags = spin_lock_irq(&timer_lock);

	list_remove(&t->timer_link);
	note_next_locked();
	spin_unlock_irq(&timer_lock, flags);
}

/* Is it time? If t is off the list the tick has said so, on a CPU whose clock may be ahead of
 * ours by a little: nobody would wake t again. */
static bool expired(const struct thread *t)
{
	return READ_ONCE(t->timer_link.next) == &t->timer_link || clock_ns() >= t->wake_at;
}

/* Sleep until *flag is set, by somebody who calls sched_wake() afterwards, or the clock
 * reaches the deadline (SLEEP_FOREVER: never). Returns 0: the flag is set; -ETIMEDOUT; -EINTR:
 * killed; -ERESTARTSYS: a signal waits. Context: thread, no spinlock held. */
int sleep_until_set(const bool *flag, u64 deadline_ns)
{
	struct thread *t = thread_current();
	bool limited = deadline_ns != SLEEP_FOREVER;
	int ret = 0;

	if (limited)
		arm(t, deadline_ns);
	for (;;) {
		sched_prepare_sleep(SLEEP_SIGNALS);
		if (load_acquire(flag))
			break;
		ret = limited && expired(t) ? -ETIMEDOUT : thread_interrupted();
		if (ret)
			break;
		schedule();
	}
	sched_cancel_sleep();
	if (limited)
		disarm(t);
	return ret;
}

/* Sleep until clock_ns() >= deadline_ns. Returns 0, or -EINTR, -ERESTARTSYS as above.
 * Context: thread, no spinlock held. */
int sleep_until(u64 deadline_ns)
{
	static const bool never;
	int ret = sleep_until_set(&never, deadline_ns);

	return ret == -ETIMEDOUT ? 0 : ret;
}

/* Wake every sleeper whose time has come. Nothing is locked while nobody's has: CPU 0 at least
 * looks again at the next tick. Context: the tick, interrupts off. */
void timer_tick(u64 now_ns)
{
	unsigned long flags;

	if (now_ns < READ_ONCE(next_deadline))
		return;
	flags = spin_lock_irq(&timer_lock);
	while (!list_empty(&sleepers)) {
		struct thread *t = list_first(&sleepers, struct thread, timer_link);

		if (t->wake_at > now_ns)
			break;
		list_remove(&t->timer_link);
		sched_wake(t);
	}
	note_next_locked();
	spin_unlock_irq(&timer_lock, flags);
}
