/* SPDX-License-Identifier: MIT */
/*
 * Stops: when mm wants the machine to itself.
 *
 * Theory. What the fast paths touch is their CPU's own: a slab, an array of free objects, a
 * list of pages. They take no lock and no atomic instruction for it, and so nobody else may
 * reach in while that CPU runs. Whoever must (see the list) stops the others first, at safe
 * points (kernel/sync/safepoint.c), and then has all of it:
 *
 *	who                              what it reaches into
 *	a refused charge                 unused objects of the refusing subtree, on every CPU;
 *	                                 then tries again with nobody else charging
 *	no page left, or no block        every CPU's page list
 *	a limit below usage; shrink      as a refused charge
 *	removal of a group               records, copies: no CPU is between reading a record
 *	                                 and charging the group it names
 *	destroying a cache, slabinfo     that cache's, every cache's parts
 *	the audit                        everything; changes nothing
 *
 * A stop is itself a safe point while it waits: before mm_stop() returns, another CPU may have
 * stopped, drained and removed. So an allocation stops only where it has nothing in its hands:
 * no page that is taken and not charged, or charged and not taken, no count half moved. What
 * an audit sees of a CPU that stands there is as if its allocation had not begun, or had
 * ended, for each page.
 *
 * One thing an allocation does hold: the group it decided to charge. That group cannot go, as
 * the running task is its member; and the task cannot be moved to another group meanwhile, as
 * a mover asks mm_stopped_in_alloc() while it has the machine stopped (memcg_cpu_busy()), and
 * tries again later if so.
 *
 * States: none. Invariants: I1 mm_resume() as often as a stop; safepoint.c asserts it.
 *
 * Locking: none. `in_alloc` is written by its CPU before it stands still and read by a
 * stopper, to whom standing still made it visible. nr_stops belongs to the stopper.
 */
#include "mm/stop.h"
#include "arch/smp.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/safepoint.h"

struct stop_cpu {
	bool in_alloc;			/* [c]; read by a stopper */
} cacheline_aligned;

static struct stop_cpu stop_cpus[NR_CPUS];
static unsigned long nr_stops;		/* [stopper] */

/* Bring the other CPUs to safe points; may let another CPU go first, so all that the caller
 * knows of mm's state is stale when this returns. Nests.
 * Context: thread or boot, interrupts on, no spinlock held. */
void mm_stop(void)
{
	bool nested = safepoint_stopped();

	safepoint_stop();
	if (!nested)
		WRITE_ONCE(nr_stops, nr_stops + 1);
}

/* mm_stop() from inside an allocation for the running task: until it returns, nobody moves
 * that task to another group. */
void mm_stop_in_alloc(void)
{
	struct stop_cpu *cpu = this_cpu(stop_cpus);

	cpu->in_alloc = true;
	mm_stop();
	cpu->in_alloc = false;
}

/* Let the others go on, if this was the outermost stop. */
void mm_resume(void)
{
	safepoint_resume();
}

/* Does cpu, which stands still, wait for its turn inside an allocation?
 * Context: between mm_stop() (or safepoint_stop()) and its resume. */
bool mm_stopped_in_alloc(unsigned cpu)
{
	ASSERT(mm_alone());
	return stop_cpus[cpu].in_alloc;
}

/* Can nobody else touch mm: are the others stopped, or not there? Context: any. */
bool mm_alone(void)
{
	return safepoint_stopped() || !(smp_online_mask() & ~(1ull << cpu_id()));
}

/* Stops so far. Context: any. */
unsigned long mm_nr_stops(void)
{
	return READ_ONCE(nr_stops);
}
