/* SPDX-License-Identifier: MIT */
/*
 * Wait queues. A waiter first queues and marks itself asleep, then tests its condition, then
 * calls schedule(); a waker first makes the condition true, then wakes. Whichever comes
 * first, the waiter sees the condition or is marked ready again: no wake-up is lost.
 *
 * Locking: waitq.lock (RANK_WAITQ, interrupts off), the run queue lock inside it. Interrupt
 * handlers may wake.
 */
#include "kernel/sched/wait.h"

/* Make wq empty. */
void waitq_init(struct waitq *wq)
{
	spin_init(&wq->lock, RANK_WAITQ, "waitq");
	list_init(&wq->waiters);
}

/* Queue the current thread on wq and mark it asleep. A second call keeps its place. kind: what
 * else may end the wait. Context: thread; spinlocks may be held until schedule(). */
void waitq_prepare(struct waitq *wq, enum sleep_kind kind)
{
	struct thread *t = thread_current();
	unsigned long flags = spin_lock_irq(&wq->lock);

	if (list_empty(&t->wait.link))
		list_append(&wq->waiters, &t->wait.link);
	sched_prepare_sleep(kind);
	spin_unlock_irq(&wq->lock, flags);
}

/* Take the current thread off wq; it is awake. Context: thread. */
void waitq_finish(struct waitq *wq)
{
	unsigned long flags = spin_lock_irq(&wq->lock);

	list_remove(&thread_current()->wait.link);
	sched_cancel_sleep();
	spin_unlock_irq(&wq->lock, flags);
}

/* Put e, an entry of the current thread's, on wq. The next wake-up that reaches it takes it off,
 * sets *woken and wakes the thread. Context: thread. */
void waitq_add(struct waitq *wq, struct wait_entry *e, bool *woken)
{
	unsigned long flags = spin_lock_irq(&wq->lock);

	e->thread = thread_current();
	e->woken = woken;
	list_append(&wq->waiters, &e->link);
	spin_unlock_irq(&wq->lock, flags);
}

/* Take e off wq, if no wake-up has; none looks at e after this. Context: thread. */
void waitq_remove(struct waitq *wq, struct wait_entry *e)
{
	unsigned long flags = spin_lock_irq(&wq->lock);

	list_remove(&e->link);
	spin_unlock_irq(&wq->lock, flags);
}

/* Returns whether that was a thread that waits for this queue alone. */
static bool wake_first_locked(struct waitq *wq)
{
	struct wait_entry *e = list_first(&wq->waiters, struct wait_entry, link);
	bool *woken = e->woken;

	assert_held(&wq->lock);
	/* Off the queue here, not by the sleeper: the next wake-up must reach another one. */
	list_remove(&e->link);
	if (woken)
		store_release(woken, true);
	sched_wake(e->thread);
	return !woken;
}

/* Wake the thread that has waited longest, if any, and on the way to it those that only watch
 * this queue among others. Context: any. */
void waitq_wake_one(struct waitq *wq)
{
	unsigned long flags = spin_lock_irq(&wq->lock);

	while (!list_empty(&wq->waiters) && !wake_first_locked(wq))
		;
	spin_unlock_irq(&wq->lock, flags);
}

/* Wake every waiter. Context: any. */
void waitq_wake_all(struct waitq *wq)
{
	unsigned long flags = spin_lock_irq(&wq->lock);

	while (!list_empty(&wq->waiters))
		(void)wake_first_locked(wq);
	spin_unlock_irq(&wq->lock, flags);
}
