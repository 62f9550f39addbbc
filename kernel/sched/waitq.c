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

/* Queue the current thread on wq and mark it asleep. A second call keeps its place. killable:
 * thread_kill() may end the wait. Context: thread; spinlocks may be held until schedule(). */
void waitq_prepare(struct waitq *wq, bool killable)
{
	struct thread *t = thread_current();
	unsigned long flags = spin_lock_irq(&wq->lock);

	if (list_empty(&t->wait_link))
		list_append(&wq->waiters, &t->wait_link);
	sched_prepare_sleep(killable);
	spin_unlock_irq(&wq->lock, flags);
}

/* Take the current thread off wq; it is awake. Context: thread. */
void waitq_finish(struct waitq *wq)
{
	unsigned long flags = spin_lock_irq(&wq->lock);

	list_remove(&thread_current()->wait_link);
	sched_cancel_sleep();
	spin_unlock_irq(&wq->lock, flags);
}

static void wake_first_locked(struct waitq *wq)
{
	struct thread *t = list_first(&wq->waiters, struct thread, wait_link);

	assert_held(&wq->lock);
	/* Off the queue here, not by the sleeper: the next wake-up must reach another one. */
	list_remove(&t->wait_link);
	sched_wake(t);
}

/* Wake the thread that has waited longest, if any. Context: any. */
void waitq_wake_one(struct waitq *wq)
{
	unsigned long flags = spin_lock_irq(&wq->lock);

	if (!list_empty(&wq->waiters))
		wake_first_locked(wq);
	spin_unlock_irq(&wq->lock, flags);
}

/* Wake every waiter. Context: any. */
void waitq_wake_all(struct waitq *wq)
{
	unsigned long flags = spin_lock_irq(&wq->lock);

	while (!list_empty(&wq->waiters))
		wake_first_locked(wq);
	spin_unlock_irq(&wq->lock, flags);
}
