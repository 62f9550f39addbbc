/* SPDX-License-Identifier: MIT */
/*
 * The policy slot: preemptive and fair, on two levels.
 *
 * A thread that wakes after using less than half of its last slice is fresh: it probably
 * waits for people, pipes or children and will soon wait again, so it runs before those that
 * used theirs up (spent), and a spent one that runs gives way to it at once. Fresh ones take
 * turns. A new thread is what its maker is and gets half of what is left of the maker's slice:
 * the first step of a command does not wait for every busy program, and forking gains no time.
 *
 * Among the spent, the one that has had the least of the CPU is next: they queue in the order of
 * their virtual time, which is the CPU time of a thread counted from a base of its own. Ticks come
 * late, or not at all for a while, where virtual CPUs share a real one: who ran too long by that
 * then waits until the others have had as much. Each queue has a floor, the virtual time of the
 * last spent thread that was picked. Nobody queues below it after a sleep, which saves nothing up.
 * One that is pulled from another CPU may have had less there, and may be LAG_NS below the floor:
 * so five threads on four CPUs, too, get equal shares.
 *
 * Spent threads cannot starve: once fresh ones had FRESH_TICKS while a spent one waited, the
 * spent ones have a turn until the next tick of one. The turn is one of time, not of one
 * thread: a queue of many that each run for a moment moves on as fast as a single busy one.
 *
 * Sources: the two levels are a multilevel feedback queue (Corbato et al., 1962), virtual time
 * and its floor are those of start-time fair queueing (Goyal, Vin and Cheng, 1996).
 *
 * Locking: all under the run queue lock of the CPU.
 */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "kernel/lib/panic.h"
#include "kernel/sched/runq.h"
#include "kernel/sync/percpu.h"

#define SLICE_NS	(5 * TICK_NS)	/* a slice, at most */
#define ROUND_NS	(10 * TICK_NS)	/* in which all spent threads shall have a turn */
#define LAG_NS		(20 * TICK_NS)	/* farthest from the floor */
#define FRESH_TICKS	10

struct fair_queue {
	struct list fresh;		/* threads by queue_link, in the order they came */
	struct list spent;		/* the same, by virtual time */
	u64 floor;			/* virtual time of the last spent thread that was picked */
	unsigned fresh_ticks;		/* ticks of fresh threads while a spent one waits */
	bool spent_turn;		/* until one had a tick, spent threads go first */
} cacheline_aligned;

static struct fair_queue fair_queues[NR_CPUS];

/* Make the empty queues. Context: boot, once. */
void policy_init(void)
{
	for (unsigned i = 0; i < NR_CPUS; i++) {
		list_init(&fair_queues[i].fresh);
		list_init(&fair_queues[i].spent);
	}
}

/* --- slices */

/* A new slice by t's level. A crowd of spent ones has short slices, so that shares even out
 * soon. */
static void refill(struct thread *t)
{
	u64 share = ROUND_NS / MAX(READ_ONCE(runqs[t->cpu].load), 1u);

	t->slice = t->fresh ? SLICE_NS : MIN(MAX(share, TICK_NS), SLICE_NS);
	t->slice_start = t->cpu_ns;
	t->slice_end = t->cpu_ns + t->slice;
}

/* Is there less than half a tick left of t's slice? The next tick is the end of it. */
static bool slice_over(const struct thread *t)
{
	return t->cpu_ns + TICK_NS / 2 >= t->slice_end;
}

/* Set level and slice of t, which maker, the current thread, made and which will run for the
 * first time. When there is nothing left to share it is one of a crowd, and spent.
 * Context: interrupts off. */
void policy_share(struct thread *t, struct thread *maker)
{
	u64 left = maker->slice_end - MIN(maker->cpu_ns, maker->slice_end);

	t->base = maker->base + maker->cpu_ns;
	t->fresh = maker->fresh && left >= 2 * TICK_NS;
	refill(t);
	if (t->fresh) {
		t->slice_end = t->cpu_ns + left / 2;
		maker->slice_end -= left / 2;
	}
}

/* Set level and slice of t, which is ready: woken from a wait, or (not woken) made to give
 * way. Locks: the run queue of t->cpu. */
void policy_refill(struct thread *t, bool woken)
{
	if (woken)
		t->fresh = (t->cpu_ns - t->slice_start) * 2 < t->slice;
	else if (slice_over(t))
		t->fresh = false;
	if (woken || slice_over(t))
		refill(t);
}

/* --- queues */

static u64 virtual_time(const struct thread *t)
{
	return t->base + t->cpu_ns;
}

static bool is_before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

/* Keep t's virtual time near the floor, so that nobody starves while it makes up for less. */
static void bound(const struct fair_queue *q, struct thread *t)
{
	u64 least = q->floor - (t->pulled ? LAG_NS : 0), most = q->floor + LAG_NS;

	if (is_before(virtual_time(t), least))
		t->base = least - t->cpu_ns;
	else if (is_before(most, virtual_time(t)))
		t->base = most - t->cpu_ns;
}

/* Into the spent ones by virtual time; most often it belongs at the end. */
static void queue_spent(struct fair_queue *q, struct thread *t)
{
	struct list *at = q->spent.prev;

	while (at != &q->spent &&
	       is_before(virtual_time(t), virtual_time(list_entry(at, struct thread, queue_link))))
		at = at->prev;
	list_push(at, &t->queue_link);
}

/* Queue t by its level; one that shall die goes before all others, a fresh one that was pulled
 * from another CPU's queue is first, as it was there. Returns whether running, the thread that
 * has that CPU, must give way at once. Locks: the run queue of t->cpu. */
bool policy_queue(struct thread *t, const struct thread *running)
{
	struct fair_queue *q = &fair_queues[t->cpu];

	bound(q, t);
	if (READ_ONCE(t->killed)) {
		list_push(&q->fresh, &t->queue_link);
		q->spent_turn = false;
		return true;
	}
	if (!t->fresh)
		queue_spent(q, t);
	else if (t->pulled)
		list_push(&q->fresh, &t->queue_link);
	else
		list_append(&q->fresh, &t->queue_link);
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
	struct fair_queue *q = this_cpu(fair_queues);
	u64 last;

	current->slice_end = current->cpu_ns;
	bound(q, current);
	if (list_empty(&q->spent))
		return;
	last = virtual_time(list_last(&q->spent, struct thread, queue_link));
	if (is_before(virtual_time(current), last))
		current->base = last - current->cpu_ns;
}

/* Take the thread that shall run next on this CPU off its queue; NULL when none is ready.
 * Locks: the run queue of this CPU. */
struct thread *policy_pick(void)
{
	struct fair_queue *q = this_cpu(fair_queues);
	struct list *first = q->spent_turn ? &q->spent : &q->fresh;
	struct list *second = q->spent_turn ? &q->fresh : &q->spent;
	struct thread *t;

	if (list_empty(first))
		first = second;
	if (list_empty(first))
		return NULL;
	t = list_first(first, struct thread, queue_link);
	list_remove(&t->queue_link);
	if (!t->fresh && is_before(q->floor, virtual_time(t)))
		q->floor = virtual_time(t);
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

/* Take the next in turn among the threads that may run on CPU to off the queue of
 * CPU from: spent ones first, as fresh ones are next to run where they are. One that was pulled
 * and has not run since only if any. NULL: none. Locks: the run queue of from. */
struct thread *policy_steal(unsigned from, unsigned to, bool any)
{
	struct thread *t = find_movable(&fair_queues[from].spent, to, any);

	if (!t)
		t = find_movable(&fair_queues[from].fresh, to, any);
	if (t)
		list_remove(&t->queue_link);
	return t;
}

/* A tick has passed: whose turn is it now? That of the spent ones waits for a fresh one that is
 * long in the kernel. */
static void take_turns(struct fair_queue *q, const struct thread *current)
{
	if (q->spent_turn) {
		q->spent_turn = current->fresh && !list_empty(&q->spent);
		q->fresh_ticks = 0;
	} else if (current->fresh && !list_empty(&q->spent)) {
		q->spent_turn = ++q->fresh_ticks >= FRESH_TICKS;
	}
}

/* A tick came while current ran: true when it must give way. Its time is accounted up to now.
 * Locks: the run queue of this CPU. Context: interrupt handler. */
bool policy_tick(struct thread *current)
{
	struct fair_queue *q = this_cpu(fair_queues);

	take_turns(q, current);
	if (slice_over(current))
		return true;
	return current->fresh ? q->spent_turn : !list_empty(&q->fresh);
}
