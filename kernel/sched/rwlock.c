/* SPDX-License-Identifier: MIT */
/*
 * Sleeping reader-writer locks, first come first served: a newcomer that finds anyone
 * waiting queues behind, and the last holder hands the lock to the first in the queue (a
 * writer) or to all readers at its front. So neither side starves.
 *
 * Locking: the waitq lock inside. Ranks are checked as for mutexes (mutex.c).
 */
#include "kernel/sched/wait.h"

/* Make l free, of that rank, called name in reports. */
void rwlock_init(struct rwlock *l, enum lock_rank rank, const char *name)
{
	*l = (struct rwlock){ .rank = rank, .name = name };
	waitq_init(&l->waiters);
}

static bool may_enter(const struct rwlock *l, bool exclusive)
{
	return exclusive ? l->readers == 0 : l->readers >= 0;
}

static void enter_locked(struct rwlock *l, bool exclusive)
{
	assert_held(&l->waiters.lock);
	l->readers = exclusive ? -1 : l->readers + 1;
}

/* Hand the lock to as many waiters, from the front, as may hold it together. */
static void grant_locked(struct rwlock *l)
{
	struct list *queue = &l->waiters.waiters;
	struct thread *first;

	assert_held(&l->waiters.lock);
	while (!list_empty(queue)) {
		first = list_first(queue, struct thread, wait.link);
		if (!may_enter(l, first->lock_exclusive))
			break;
		enter_locked(l, first->lock_exclusive);
		list_remove(&first->wait.link);
		store_release(&first->lock_granted, true);
		/* first may run already, and come back to release; it cannot be gone before we let
		 * go of the waitq lock. */
		sched_wake(first);
	}
}

static void wait_for_grant(void)
{
	for (;;) {
		sched_prepare_sleep(SLEEP_DEEP);
		if (load_acquire(&thread_current()->lock_granted))
			break;
		schedule();
	}
	sched_cancel_sleep();
}

static void rwlock_lock(struct rwlock *l, bool exclusive)
{
	struct thread *t = thread_current();
	unsigned long flags;
	bool wait;

	sleeplock_check(l->rank, l->name, false);
	flags = spin_lock_irq(&l->waiters.lock);
	wait = !list_empty(&l->waiters.waiters) || !may_enter(l, exclusive);
	if (wait) {
		t->lock_exclusive = exclusive;
		t->lock_granted = false;
		list_append(&l->waiters.waiters, &t->wait.link);
	} else {
		enter_locked(l, exclusive);
	}
	spin_unlock_irq(&l->waiters.lock, flags);
	if (wait)
		wait_for_grant();
	sleeplock_taken(l->rank, l->name);
}

static void rwlock_unlock(struct rwlock *l, bool exclusive)
{
	unsigned long flags;

	sleeplock_released(l->rank, l->name);
	flags = spin_lock_irq(&l->waiters.lock);
	BUG_ON(exclusive ? l->readers != -1 : l->readers <= 0);
	l->readers = exclusive ? 0 : l->readers - 1;
	grant_locked(l);
	spin_unlock_irq(&l->waiters.lock, flags);
}

/* Take l beside other readers, sleeping until no writer holds or awaits it; SIGKILL does not
 * end the wait. Context: thread, no spinlock held. */
void read_lock(struct rwlock *l)
{
	rwlock_lock(l, false);
}

/* Release l, held for reading by the current thread. */
void read_unlock(struct rwlock *l)
{
	rwlock_unlock(l, false);
}

/* Take l alone; otherwise as read_lock(). */
void write_lock(struct rwlock *l)
{
	rwlock_lock(l, true);
}

/* Release l, held for writing by the current thread. */
void write_unlock(struct rwlock *l)
{
	rwlock_unlock(l, true);
}

/* Does anyone hold l, for reading or writing? For assertions. */
bool rwlock_is_held(const struct rwlock *l)
{
	return READ_ONCE(l->readers) != 0;
}

/* Does anyone hold l for writing? For assertions. */
bool rwlock_is_write_held(const struct rwlock *l)
{
	return READ_ONCE(l->readers) == -1;
}
