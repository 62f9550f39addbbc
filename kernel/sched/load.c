/* SPDX-License-Identifier: MIT */
/*
 * How busy the machine is: the time of each CPU and each thread, split into user and kernel
 * mode, and the load averages.
 *
 * How long a thread ran is measured at each switch. In which mode is sampled: each tick counts
 * for the mode that it finds, and the measured time is split as the samples are. So the sum is
 * exact, and the split as good as a hundred samples a second make it.
 *
 * A load average is the number of threads that run or want to, averaged with the weight of a
 * moment falling by e each 1, 5 or 15 minutes: every 5 seconds a = a * w + n * (1 - w), with
 * w = e^(-5 s / period), in fixed point of LOAD_SHIFT bits.
 */
#include "arch/clock.h"
#include "kernel/sched/load.h"
#include "kernel/sched/runq.h"
#include "kernel/sync/percpu.h"

#define LOAD_NS		5000000000ull
#define LOAD_ONE	(1u << LOAD_SHIFT)

static const u64 weights[3] = { 1884, 2014, 2037 };	/* LOAD_ONE * e^(-1/12, -1/60, -1/180) */
static u64 averages[3];			/* [CPU 0's tick to write] */
static u64 next_ns = LOAD_NS;		/* [CPU 0's tick] clock_ns() of the next moment */

static void note_load(void)
{
	u64 now = (u64)sched_nr_running() * LOAD_ONE;

	for (unsigned i = 0; i < ARRAY_SIZE(averages); i++)
		WRITE_ONCE(averages[i], (averages[i] * weights[i] +
					 now * (LOAD_ONE - weights[i])) >> LOAD_SHIFT);
}

/* A tick found the current thread in user mode or in the kernel.
 * Locks: rq's, this CPU's. Context: the tick. */
void load_tick_locked(struct runq *rq, bool user)
{
	struct thread *t = rq->current;

	assert_held(&rq->lock);
	if (t == rq->idle)
		return;
	if (user) {
		rq->user_ticks++;
		t->user_ticks++;
	} else {
		rq->kernel_ticks++;
		t->kernel_ticks++;
	}
}

/* See whether it is time for the averages, by the clock: a virtual machine loses ticks.
 * Context: CPU 0's tick, no lock held. */
void load_tick_machine(void)
{
	if (clock_ns() < next_ns)
		return;
	next_ns += LOAD_NS;
	note_load();
}

/* The averages over 1, 5 and 15 minutes, times 2^LOAD_SHIFT. Context: any. */
void load_averages(u64 out[3])
{
	for (unsigned i = 0; i < ARRAY_SIZE(averages); i++)
		out[i] = READ_ONCE(averages[i]);
}

/* Threads that run or want to. Context: any; a moment's figure. */
unsigned sched_nr_running(void)
{
	unsigned nr = 0;

	for_each_cpu(i)
		nr += READ_ONCE(runqs[i].load);
	return nr;
}

/* The part of ns that was user mode's, by the samples; all of it when there are none. */
static u64 user_part(u64 ns, u64 user, u64 kernel)
{
	if (user + kernel == 0)
		return ns;
	/* Milliseconds, so that the product stays below 2^64 for centuries. */
	return MIN(ns, ns / 1000000 * user / (user + kernel) * 1000000);
}

/* How much of the time that t ran was in user mode. Context: any. */
u64 thread_user_ns(const struct thread *t)
{
	return user_part(thread_cpu_ns(t), READ_ONCE(t->user_ticks), READ_ONCE(t->kernel_ticks));
}

/* What cpu did since the boot. Context: any; up to its last switch or tick. */
void load_cpu_times(unsigned cpu, struct cpu_times *out)
{
	const struct runq *rq = &runqs[cpu];
	u64 busy = READ_ONCE(rq->busy_ns), now = clock_ns();

	out->user_ns = user_part(busy, READ_ONCE(rq->user_ticks), READ_ONCE(rq->kernel_ticks));
	out->kernel_ns = busy - out->user_ns;
	out->idle_ns = now > busy ? now - busy : 0;
	out->nr_switches = READ_ONCE(rq->nr_switches);
}
