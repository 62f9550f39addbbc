/* SPDX-License-Identifier: MIT */
/*
 * Which CPU a thread runs on.
 *
 * A thread that wakes goes where it ran last if that CPU is idle, else to an idle one, else it
 * queues where it ran last unless that CPU is clearly more loaded than another. A new one goes
 * to an idle CPU, else to the least loaded. Load is the number of ready threads. Whoever
 * chooses an idle CPU claims it (clears its bit in idle_cpus), so that the next one to choose
 * finds another. A CPU that becomes idle steals from a queue. For what is left over, each CPU
 * pulls now and then from one that is more loaded, also when the difference is a single
 * thread: five spinning threads on four CPUs thus take turns at being two on one. One that was
 * pulled keeps its turn, the first in its new queue, and is not pulled again before it has run,
 * or it would wait for ever. The time between two looks varies: in step with the slices, the
 * same threads would always be the ones to share.
 *
 * The mask and the loads are read without locks: a choice may be a moment out of date, never
 * wrong. What falls through (a thread queued just after an idle CPU looked) is mended by the
 * tick of the CPU where it waits, which calls an idle one.
 *
 * Locking: one run queue at a time; see sched.c for how a thread moves.
 */
#include "arch/smp.h"
#include "kernel/lib/panic.h"
#include "kernel/sched/runq.h"
#include "kernel/sync/percpu.h"

#define PULL_TICKS	6		/* a CPU looks around after so many, up to twice as many */

static unsigned load_of(unsigned cpu)
{
	return READ_ONCE(runqs[cpu].load);
}

/* Is cpu idle, and nobody's choice but ours? */
static bool claim(unsigned cpu)
{
	u64 bit = cpu_bit(cpu);

	return (atomic_load(&idle_cpus) & bit) && (atomic_and(&idle_cpus, ~bit) & bit);
}

static unsigned least_loaded(u64 allowed, unsigned first)
{
	unsigned best = first, least = allowed & cpu_bit(first) ? load_of(first) : ~0u;

	for (; allowed; allowed &= allowed - 1) {
		unsigned cpu = (unsigned)__builtin_ctzll(allowed), load = load_of(cpu);

		if (load < least) {
			least = load;
			best = cpu;
		}
	}
	return best;
}

/* The CPU for t, which is ready and about to be queued; start: for the first time. An idle one
 * is claimed. Locks: the run queue of t->cpu. */
unsigned balance_choose(const struct thread *t, bool start)
{
	u64 allowed = t->affinity & smp_online_mask(), idle;
	unsigned best;

	if (!allowed)
		return t->cpu;
	if ((allowed & cpu_bit(t->cpu)) && claim(t->cpu))
		return t->cpu;
	for (idle = atomic_load(&idle_cpus) & allowed; idle; idle &= idle - 1) {
		if (claim((unsigned)__builtin_ctzll(idle)))
			return (unsigned)__builtin_ctzll(idle);
	}
	best = least_loaded(allowed, t->cpu);
	if (!start && (allowed & cpu_bit(t->cpu)) && load_of(t->cpu) <= load_of(best) + 1)
		return t->cpu;
	return best;
}

/* Queue t, which is ready and on no queue, at t->cpu, or elsewhere if that was forbidden in the
 * meantime. The caller owns t until then. Locks: run queues. Context: any. */
void balance_place(struct thread *t)
{
	struct runq *rq;
	unsigned long flags;
	unsigned cpu;
	bool interrupt;

	for (;;) {
		cpu = t->cpu;
		rq = &runqs[cpu];
		flags = spin_lock_irq(&rq->lock);
		if ((t->affinity & cpu_bit(cpu)) || !(t->affinity & smp_online_mask()))
			break;
		t->cpu = balance_choose(t, false);
		if (rq->current == rq->idle)
			atomic_or(&idle_cpus, cpu_bit(cpu));	/* claimed for nothing */
		spin_unlock_irq(&rq->lock, flags);
	}
	interrupt = runq_enqueue_locked(rq, t) && cpu != cpu_id();
	runq_publish_locked(rq);
	spin_unlock_irq(&rq->lock, flags);
	if (interrupt)
		smp_send(cpu, IPI_RESCHEDULE);
}

/* Move one waiting thread from a CPU's queue to this one's; any: also one that was only just
 * pulled there. */
static bool take_from(unsigned from, bool any)
{
	struct runq *rq = &runqs[from];
	unsigned long flags = spin_lock_irq(&rq->lock);
	struct thread *t = policy_steal(from, cpu_id(), any);

	if (t) {
		runq_take_off_locked(rq, t);
		t->cpu = cpu_id();
		t->pulled = true;
		runq_publish_locked(rq);
	}
	spin_unlock_irq(&rq->lock, flags);
	if (t)
		balance_place(t);
	return t != NULL;
}

/* This CPU has nothing to run: get it a thread that waits at another. Each begins with its
 * neighbour, so that they do not all rob the same one. Context: the idle loop. */
bool balance_steal(void)
{
	unsigned nr = cpu_count(), self = cpu_id();

	for (unsigned i = 1; i < nr; i++) {
		unsigned from = (self + i) % nr;

		if (READ_ONCE(runqs[from].nr_ready) && take_from(from, true))
			return true;
	}
	return false;
}

/* Is any CPU more loaded than this one? */
static bool is_uneven(void)
{
	for_each_cpu(i) {
		if (load_of(i) > load_of(cpu_id()))
			return true;
	}
	return false;
}

/* Pull from CPUs with a load greater than ours by at least gap, until ours is `most`. */
static bool pull(unsigned gap, unsigned most)
{
	unsigned nr = cpu_count(), self = cpu_id();
	bool pulled = false;

	for (unsigned i = 1; i < nr; i++) {
		unsigned from = (self + i) % nr;

		while (load_of(self) < most && load_of(from) >= load_of(self) + gap &&
		       take_from(from, false))
			pulled = true;
	}
	return pulled;
}

/* What each CPU would have if all had the same, rounded up. */
static unsigned fair_load(void)
{
	unsigned sum = 0, nr = 0;

	for_each_cpu(i) {
		sum += load_of(i);
		nr += smp_online(i);
	}
	return DIV_ROUND_UP(sum, MAX(nr, 1u));
}

/* The part of the tick that looks at other CPUs. A difference of a single thread must last until
 * the next tick, so that one that only wakes for a moment sets nothing in motion.
 * Context: interrupt handler. */
void balance_tick(struct runq *rq)
{
	u64 idle = atomic_load(&idle_cpus) & ~cpu_bit(cpu_id());

	if (rq->current == rq->idle)
		return;
	if (READ_ONCE(rq->nr_ready) && idle)
		smp_send((unsigned)__builtin_ctzll(idle), IPI_RESCHEDULE);
	if (rq->look_in > 0) {
		rq->look_in--;
		return;
	}
	if (!pull(2, fair_load()) && is_uneven() && !rq->uneven) {
		rq->uneven = true;
		return;
	}
	if (rq->uneven)
		(void)pull(1, load_of(cpu_id()) + 1);
	rq->uneven = false;
	rq->dice = rq->dice * 1103515245u + 12345u;
	rq->look_in = PULL_TICKS + (rq->dice >> 16) % PULL_TICKS;
}
