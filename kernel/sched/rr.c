/* SPDX-License-Identifier: MIT */
/*
 * The policy slot: preemptive round robin on two levels.
 *
 * A thread that wakes after using less than half of its last slice is fresh: it probably
 * waits for people or pipes and will soon wait again, so it runs before those that used
 * theirs up (spent). A spent thread gives way to a fresh one at the next tick. Spent threads
 * cannot starve: after FRESH_RUN fresh picks in a row one spent thread runs, for a tick at
 * least.
 *
 * Locking: all under the run queue lock of the CPU.
 */
#include "arch/cpu.h"
#include "kernel/lib/panic.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/percpu.h"

#define SLICE_TICKS	5
#define FRESH_RUN	8

struct rr_queue {
	struct list fresh, spent;	/* threads by queue_link, in the order they came */
	unsigned fresh_run;		/* fresh picks since the last spent one */
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

/* Queue t, which is ready: woken from a wait, or (not woken) new, preempted or yielding.
 * Locks: the run queue of t->cpu. */
void policy_enqueue(struct thread *t, bool woken)
{
	struct rr_queue *q = &rr_queues[t->cpu];

	t->fresh = woken && t->ticks_left * 2 > SLICE_TICKS;
	if (woken || t->ticks_left == 0)
		t->ticks_left = SLICE_TICKS;
	list_append(t->fresh ? &q->fresh : &q->spent, &t->queue_link);
}

/* Take the thread that shall run next on this CPU off its queue; NULL when none is ready.
 * Locks: the run queue of this CPU. */
struct thread *policy_pick(void)
{
	struct rr_queue *q = this_cpu(rr_queues);
	bool spent_waits = !list_empty(&q->spent);
	struct thread *t;

	if (!list_empty(&q->fresh) && !(spent_waits && q->fresh_run >= FRESH_RUN)) {
		t = list_first(&q->fresh, struct thread, queue_link);
		q->fresh_run = spent_waits ? q->fresh_run + 1 : 0;
	} else if (spent_waits) {
		t = list_first(&q->spent, struct thread, queue_link);
		q->fresh_run = 0;
	} else {
		return NULL;
	}
	list_remove(&t->queue_link);
	return t;
}

/* current has run for one more tick: true when it must give way.
 * Locks: the run queue of this CPU. Context: interrupt handler. */
bool policy_tick(struct thread *current)
{
	struct rr_queue *q = this_cpu(rr_queues);

	if (current->ticks_left > 0)
		current->ticks_left--;
	return current->ticks_left == 0 || (!current->fresh && !list_empty(&q->fresh));
}
