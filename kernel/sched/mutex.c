/* SPDX-License-Identifier: MIT */
/*
 * Mutexes, and the rank check that they share with reader-writer locks.
 *
 * A released mutex is free for whoever comes first, also for a running thread that overtakes
 * the waiter just woken: that saves a switch. A waiter that was overtaken says so, and the
 * next unlock hands the mutex straight to the first in the queue; so nobody starves.
 *
 * Ranks: a thread takes sleeping locks in strictly rising rank (kernel/sync/rank.h), and none
 * while its CPU holds a spinlock. Locks may be released in any order.
 *
 * Locking: the waitq lock inside each mutex.
 */
#include "arch/irq.h"
#include "kernel/sched/wait.h"

/* Panic (debug) if the current thread may not take a sleeping lock of that rank now. nested:
 * the deepest rank held may be repeated. */
void sleeplock_check(enum lock_rank rank, const char *name, bool nested)
{
	const struct thread *t = thread_current();

	if (!TALLY_DEBUG)
		return;
	spin_assert_none_held("taking a sleeping lock");
	BUG_ON(irq_in_handler());
	for (unsigned i = 0; i < t->nr_locks; i++) {
		if (t->held_ranks[i] > rank || (t->held_ranks[i] == rank && !nested))
			panic("lock order: thread \"%s\" wants \"%s\" (rank %d) while it holds a lock of rank %d",
			      t->name, name, (int)rank, t->held_ranks[i]);
	}
}

/* Note (debug) that the current thread holds one more. */
void sleeplock_taken(enum lock_rank rank, const char *name)
{
	struct thread *t = thread_current();

	if (!TALLY_DEBUG)
		return;
	if (t->nr_locks == THREAD_MAX_LOCKS)
		panic("thread \"%s\" holds %u sleeping locks and takes \"%s\"", t->name,
		      t->nr_locks, name);
	t->held_ranks[t->nr_locks++] = (u8)rank;
}

/* Forget (debug) the last lock of that rank, wherever it is in the order taken. */
void sleeplock_released(enum lock_rank rank, const char *name)
{
	struct thread *t = thread_current();
	unsigned i = t->nr_locks;

	if (!TALLY_DEBUG)
		return;
	while (i > 0 && t->held_ranks[i - 1] != rank)
		i--;
	if (i == 0)
		panic("thread \"%s\" releases \"%s\", which it does not hold", t->name, name);
	for (; i < t->nr_locks; i++)
		t->held_ranks[i - 1] = t->held_ranks[i];
	t->nr_locks--;
}

/* Make m free, of that rank, called name in reports. */
void mutex_init(struct mutex *m, enum lock_rank rank, const char *name)
{
	*m = (struct mutex){ .rank = rank, .name = name };
	waitq_init(&m->waiters);
}

/* Take m if it is free or was handed to us. overtaken: we were woken for it. */
static bool mutex_take(struct mutex *m, bool overtaken)
{
	struct thread *t = thread_current();
	unsigned long flags = spin_lock_irq(&m->waiters.lock);
	bool ours = !m->holder || m->holder == t;

	if (ours)
		m->holder = t;
	else if (overtaken)
		m->hand_over = true;
	spin_unlock_irq(&m->waiters.lock, flags);
	return ours;
}

static void mutex_lock_slow(struct mutex *m)
{
	bool woken = false;

	for (;;) {
		waitq_prepare(&m->waiters, SLEEP_DEEP);
		if (mutex_take(m, woken))
			break;
		schedule();
		woken = true;
	}
	waitq_finish(&m->waiters);
}

static void mutex_lock_checked(struct mutex *m, bool nested)
{
	sleeplock_check(m->rank, m->name, nested);
	if (mutex_is_held(m))
		panic("thread \"%s\" locks \"%s\" twice", thread_current()->name, m->name);
	if (!mutex_take(m, false))
		mutex_lock_slow(m);
	sleeplock_taken(m->rank, m->name);
}

/* Take m, sleeping until it is free; SIGKILL does not end the wait.
 * Context: thread, no spinlock held. */
void mutex_lock(struct mutex *m)
{
	mutex_lock_checked(m, false);
}

/* The same for a second mutex of the deepest rank held (two directories of a rename). The
 * caller has an order of its own among them that excludes a cycle. */
void mutex_lock_nested(struct mutex *m)
{
	mutex_lock_checked(m, true);
}

/* Take m if it is free now. No rank is checked: not waiting cannot deadlock. */
bool mutex_trylock(struct mutex *m)
{
	if (mutex_is_held(m) || !mutex_take(m, false))
		return false;
	sleeplock_taken(m->rank, m->name);
	return true;
}

/* Release m, which the current thread holds, and wake the first waiter. */
void mutex_unlock(struct mutex *m)
{
	struct thread *first;
	unsigned long flags;

	BUG_ON(!mutex_is_held(m));
	sleeplock_released(m->rank, m->name);
	flags = spin_lock_irq(&m->waiters.lock);
	m->holder = NULL;
	if (!list_empty(&m->waiters.waiters)) {
		first = list_first(&m->waiters.waiters, struct thread, wait.link);
		list_remove(&first->wait.link);
		if (m->hand_over)
			m->holder = first;
		m->hand_over = false;
		sched_wake(first);
	}
	spin_unlock_irq(&m->waiters.lock, flags);
}

/* Does the current thread hold m? */
bool mutex_is_held(const struct mutex *m)
{
	return READ_ONCE(m->holder) == thread_current();
}
