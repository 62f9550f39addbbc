/* SPDX-License-Identifier: MIT */
/*
 * The policy slot: preemptive round robin on two levels.
 *
 * A thread that wakes after using less than half of its last slice is fresh: it probably
 * waits for people, pipes or children and will soon wait again, so it runs before those that
 * used theirs up (spent), and a spent one that runs gives way to it at once. A new thread is
 * what its maker is and gets half of what is left of the maker's slice: the first step of a
 * command does not wait for every busy program, and forking gains no time.
 *
 * Spent threads cannot starve: once fresh ones had FRESH_TICKS while a spent one waited, the
 * spent ones have a turn until the next tick. The turn is one of time, not of one thread: a
 * queue of many that each run for a moment moves on as fast as a single busy one.
 *
 * Locking: all under the run queue lock of the CPU.
 */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "kernel/lib/panic.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/percpu.h"

#define SLICE_TICKS	5
#define FRESH_TICKS	10

struct rr_queue {
	struct list fresh, spent;	/* threads by queue_link, in the order they came */
	unsigned fresh_ticks;		/* ticks of fresh threads while a spent one waits */
	bool spent_turn;		/* until the next tick, spent threads go first */
} cacheline_aligned;

static struct rr_queue rr_queues[NR_CPUS];

/* Make the empty queues. Context: boot, once. */
void policy_init(void)
{
	for (unsigned i = 0; i < NR_CPUS; i++) {
		list_init(&rr_queues[i].fresh);
		list_init(&rr_queues[i].spent);
	}
}

static void refill(struct thread *t)
{
	t->ticks_left = SLICE_TICKS;
	t->ticks_used = 0;
}

/* Set level and slice of t, which maker, the current thread, made and which will run for the
 * first time. When there is nothing left to share it is one of a crowd, and spent.
 * Context: interrupts off. */
void policy_share(struct thread *t, struct thread *maker)
{
	unsigned share = maker->ticks_left / 2;

	refill(t);
	t->fresh = maker->fresh && share > 0;
	if (t->fresh) {
		t->ticks_left = share;
		maker->ticks_left -= share;
	}
}

/* Set level and slice of t, which is ready: woken from a wait, or (not woken) made to give
 * way. Locks: the run queue of t->cpu. */
void policy_refill(struct thread *t, bool woken)
{
	if (woken)
		t->fresh = t->ticks_used * 2 < SLICE_TICKS;
	else if (t->ticks_left == 0)
		t->fresh = false;
	if (woken || t->ticks_left == 0)
		refill(t);
}

/* Queue t by its level, one that was pulled from another CPU's queue first, as it was there;
 * one that shall die goes before all others. Returns whether running, the thread that has
 * that CPU, must give way at once. Locks: the run queue of t->cpu. */
bool policy_queue(struct thread *t, const struct thread *running)
{
	struct rr_queue *q = &rr_queues[t->cpu];

	if (READ_ONCE(t->killed)) {
		list_push(&q->fresh, &t->queue_link);
		q->spent_turn = false;
		return true;
	}
	if (t->pulled)
		list_push(t->fresh ? &q->fresh : &q->spent, &t->queue_link);
	else
		list_append(t->fresh ? &q->fresh : &q->spent, &t->queue_link);
	return t->fresh && !running->fresh && !q->spent_turn;
}

/* Take t, which waits, off its queue. Locks: the run queue of t->cpu. */
void policy_dequeue(struct thread *t)
{
	list_remove(&t->queue_link);
}

/* The current thread gives up the rest of its slice: it queues behind everyone.
 * Locks: the run queue of this CPU. */
void policy_yield(struct thread *current)
{
	current->ticks_left = 0;
}

/* Take the thread that shall run next on this CPU off its queue; NULL when none is ready.
 * Locks: the run queue of this CPU. */
struct thread *policy_pick(void)
{
	struct rr_queue *q = this_cpu(rr_queues);
	struct list *first = q->spent_turn ? &q->spent : &q->fresh;
	struct list *second = q->spent_turn ? &q->fresh : &q->spent;
	struct thread *t;

	if (list_empty(first))
		first = second;
	if (list_empty(first))
		return NULL;
	t = list_first(first, struct thread, queue_link);
	list_remove(&t->queue_link);
	return t;
}

static struct thread *find_movable(struct list *queue, unsigned to, bool any)
{
	struct thread *t;

	list_for_each(t, queue, queue_link) {
		if ((t->affinity >> to & 1) && (any || !t->pulled))
			return t;
	}
	return NULL;
}

/* Take the thread that has waited longest among those that may run on CPU to off the queue of
 * CPU from: spent ones first, as fresh ones are next to run where they are. One that was pulled
 * and has not run since only if any. NULL: none. Locks: the run queue of from. */
struct thread *policy_steal(unsigned from, unsigned to, bool any)
{
	struct thread *t = find_movable(&rr_queues[from].spent, to, any);

	if (!t)
		t = find_movable(&rr_queues[from].fresh, to, any);
	if (t)
		list_remove(&t->queue_link);
	return t;
}

/* A tick has passed: whose turn is it now? */
static void take_turns(struct rr_queue *q, const struct thread *current)
{
	if (q->spent_turn) {
		q->spent_turn = false;
		q->fresh_ticks = 0;
	} else if (current->fresh && !list_empty(&q->spent)) {
		q->spent_turn = ++q->fresh_ticks >= FRESH_TICKS;
	}
}

/* Count the time that t has run in whole ticks. They come late, or not at all, where virtual CPUs
 * share a real one: what goes beyond the slice is taken from t's next one, up to all of it. */
static void count_ticks(struct thread *t)
{
	unsigned ticks = (unsigned)((t->cpu_ns + TICK_NS / 2 - t->counted_ns) / TICK_NS);

	ticks = MIN(ticks, t->ticks_left);
	t->counted_ns = MAX(t->counted_ns + ticks * TICK_NS,
			    t->cpu_ns - MIN(t->cpu_ns, SLICE_TICKS * TICK_NS));
	t->ticks_used += ticks;
	t->ticks_left -= ticks;
}

/* A tick came while current ran: true when it must give way. Its time is accounted up to now.
 * Locks: the run queue of this CPU. Context: interrupt handler. */
bool policy_tick(struct thread *current)
{
	struct rr_queue *q = this_cpu(rr_queues);

	count_ticks(current);
	take_turns(q, current);
	if (current->ticks_left == 0)
		return true;
	return current->fresh ? q->spent_turn : !list_empty(&q->fresh);
}
