/* SPDX-License-Identifier: MIT */
/*
 * Sleeping until a time: one list of sleepers, earliest first, looked at in each tick. A
 * sleep ends at the first tick at or after its deadline, or when the thread is killed.
 *
 * Locking: timer_lock (RANK_TIMER, interrupts off), the run queue lock inside it.
 */
#include "arch/clock.h"
#include "kernel/sched/wait.h"

static struct spinlock timer_lock = SPINLOCK_INIT(RANK_TIMER, "timer");
static struct list sleepers = LIST_INIT(sleepers);	/* [timer_lock] by wake_at */

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

static void prepare(struct thread *t)
{
	unsigned long flags = spin_lock_irq(&timer_lock);

	if (list_empty(&t->timer_link))
		insert_locked(t);
	sched_prepare_sleep(true);
	spin_unlock_irq(&timer_lock, flags);
}

static void finish(struct thread *t)
{
	unsigned long flags = spin_lock_irq(&timer_lock);

	list_remove(&t->timer_link);
	sched_cancel_sleep();
	spin_unlock_irq(&timer_lock, flags);
}

/* Sleep until clock_ns() >= deadline_ns. Returns 0, or -EINTR when killed first.
 * Context: thread, no spinlock held. */
int sleep_until(u64 deadline_ns)
{
	struct thread *t = thread_current();
	int ret = 0;

	t->wake_at = deadline_ns;
	for (;;) {
		prepare(t);
		if (clock_ns() >= deadline_ns)
			break;
		if (READ_ONCE(t->killed)) {
			ret = -EINTR;
			break;
		}
		schedule();
	}
	finish(t);
	return ret;
}

/* Wake every sleeper whose time has come. Context: the tick, interrupts off. */
void timer_tick(u64 now_ns)
{
	unsigned long flags = spin_lock_irq(&timer_lock);

	while (!list_empty(&sleepers)) {
		struct thread *t = list_first(&sleepers, struct thread, timer_link);

		if (t->wake_at > now_ns)
			break;
		list_remove(&t->timer_link);
		sched_wake(t);
	}
	spin_unlock_irq(&timer_lock, flags);
}
