/* SPDX-License-Identifier: MIT */
/*
 * Deferred work.
 *
 * Theory. Some things must not be done where they become necessary: a cache whose last
 * object was just freed cannot be destroyed inside that free, because the path back out
 * still touches it. Such work is written on a list, and a thread takes it from there when
 * nothing of mm is on its stack. mm knows no threads: the roof starts one that calls
 * work_run_one() and says by work_set_wake() how to wake it.
 *
 *	free path --> work_queue() --> [ work ]<->[ work ] --> work_run_one(): fn(work)
 *	                    |                                        ^
 *	                    +------------ wake() -------> worker ----+
 *
 * States of a work: idle; queued. It leaves "queued" before its function is called, so a
 * function may queue its own work again, and what arrives while it runs is not lost.
 *
 * Invariants: I1 a work is on the list exactly when it is queued; I2 first in, first out.
 * Both hold by construction, under the one lock; there is no check to run.
 *
 * Locking: work_lock (RANK_WORK), dropped before a function or the wake hook is called.
 */
#include "mm/work.h"
#include "arch/irq.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/spinlock.h"

static struct spinlock work_lock = SPINLOCK_INIT(RANK_WORK, "work");
static struct list queue = LIST_INIT(queue);	/* [work_lock] */
static unsigned nr_running;			/* [work_lock] functions called, not back yet */
static void (*wake_worker)(void);		/* [I] once the worker runs */

/* Make work an idle one that will call fn. */
void work_init(struct work *work, void (*fn)(struct work *work))
{
	*work = (struct work){ .fn = fn };
	list_init(&work->link);
}

/* Have work's function called by the worker, once for any number of calls before it runs.
 * Locks: RANK_WORK, RANK_WAITQ. Context: any but interrupt handlers. */
void work_queue(struct work *work)
{
	void (*wake)(void);
	bool queued;

	ASSERT(!irq_in_handler());
	spin_lock(&work_lock);
	queued = work->queued;
	if (!queued) {
		work->queued = true;
		list_append(&queue, &work->link);
	}
	spin_unlock(&work_lock);
	wake = READ_ONCE(wake_worker);
	if (!queued && wake)
		wake();
}

/* Do the oldest work. False: there was none. Context: a thread that holds no lock. */
bool work_run_one(void)
{
	struct work *work = NULL;

	spin_assert_none_held("work_run_one");
	spin_lock(&work_lock);
	if (!list_empty(&queue)) {
		work = list_first(&queue, struct work, link);
		list_remove(&work->link);
		work->queued = false;
		nr_running++;
	}
	spin_unlock(&work_lock);
	if (!work)
		return false;
	work->fn(work);
	spin_lock(&work_lock);
	nr_running--;
	spin_unlock(&work_lock);
	return true;
}

/* Is all work done that was queued before the call? Context: any but interrupt handlers. */
bool work_idle(void)
{
	bool idle;

	spin_lock(&work_lock);
	idle = list_empty(&queue) && nr_running == 0;
	spin_unlock(&work_lock);
	return idle;
}

/* Call wake after each new piece of work: it must not allocate or sleep. What was queued
 * before is announced at once. Context: boot. */
void work_set_wake(void (*wake)(void))
{
	WRITE_ONCE(wake_worker, wake);
	if (!list_empty(&queue))
		wake();
}
