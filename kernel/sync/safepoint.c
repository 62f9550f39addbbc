/* SPDX-License-Identifier: MIT */
/*
 * Safe points: how one CPU gets the others out of its way.
 *
 * Theory. The fast paths of mm own their CPU's part of a cache without a lock and without an
 * atomic instruction. Now and then somebody must reach into all parts: to drain them before a
 * charge is refused, to recount everything, to point a removed group's records at its parent.
 * An interrupt could arrive in the middle of any fast path, so it may not do that work. It
 * asks, and the CPU answers where nothing is half done: on its way to user mode, in
 * cond_resched(), in the idle loop, and while it waits to become the stopper itself.
 *
 *	CPU 0   stop() ....asks.....[ drains everyone's caches ] resume()
 *	CPU 1   ==== system call ====> poll() | stands still   |-----> user mode
 *	CPU 2   idle, in HLT: counts as standing; it is not even woken
 *	CPU 3   ==== charge refused: stop() waits, standing still ====> its turn
 *
 * Whoever stops the others has the machine: nobody else charges, frees or looks at a per-CPU
 * cache, and, as nobody stands still with a spinlock held, every spinlock is free. So what is
 * done in between needs no second thought about other CPUs. It shall be short.
 *
 * The answer is a handshake of two words, each written before the other is read, with a full
 * barrier in between:
 *
 *	stopper:   stopper = me;         state[n] == RUNNING?  then interrupt n and wait
 *	CPU n:     state[n] = RUNNING;   stopper != nobody?    then stand still again
 *
 * At least one sees the other; so a CPU that leaves the idle loop, or that was just let go,
 * cannot slip past a stopper that took it for standing.
 *
 * A CPU that stands for longer than a moment halts: where virtual CPUs share few real ones, those
 * that spin keep the real CPU from the stopper that they wait for. It says so first, then looks
 * at the stopper once more with interrupts masked; resume() writes first and looks second, too,
 * and wakes those that it finds halted.
 *
 * States of a CPU: RUNNING; STANDING (here, or idle); HALTED (standing, wants to be woken by
 * resume()). tests/model/safepoint.pml checks the handshake. Invariants, asserted where they arise:
 *  I1  a CPU that stands holds no spinlock, and a stopper holds none when it begins
 *  I2  only the stopper resumes, as often as it stopped
 *  I3  a CPU that stood forgets what it fetched ahead: the stopper may have patched code. (An
 *      idle CPU does by the interrupt that wakes it.)
 *
 * Locking: none. Interrupts stay on while a CPU stands, so it answers TLB flushes and ticks;
 * interrupt handlers touch neither mm nor what a stopper looks at.
 * Reference: Linux, kernel/stop_machine.c (by threads that own each CPU; we have no need to).
 */
#include "kernel/sync/safepoint.h"
#include "arch/irq.h"
#include "arch/smp.h"
#include "arch/static_key.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/spinlock.h"

#define SPINS		200		/* looks at the stopper before a standing CPU halts */

enum cpu_state { RUNNING, STANDING, HALTED };

struct safepoint_cpu {
	atomic_int state;		/* [c] to write */
} cacheline_aligned;

static struct safepoint_cpu cpus[NR_CPUS];
static atomic_int stopper;		/* 0: nobody, else a CPU + 1 */
static unsigned depth;			/* [stopper] stops not resumed yet */

/* Did this CPU stop the others? Context: any. */
bool safepoint_stopped(void)
{
	return atomic_load(&stopper) == (int)cpu_id() + 1;
}

/* Does another CPU wait for this one to stand still? Context: any. */
bool safepoint_wanted(void)
{
	return unlikely(atomic_load(&stopper)) && !safepoint_stopped();
}

/* Wait for the stopper to be done, halted after a while: the real CPU under a virtual one has
 * better things to do. Any interrupt wakes it, safepoint_resume()'s for one. */
static void wait_for_resume(struct safepoint_cpu *cpu)
{
	unsigned spins = 0;

	while (atomic_load_acquire(&stopper) && spins++ < SPINS)
		cpu_relax();
	irq_disable();
	atomic_exchange(&cpu->state, HALTED);
	while (atomic_load_acquire(&stopper))
		cpu_idle();
	irq_enable();
}

/* Stand still for as long as somebody else is the stopper. */
static void stand(struct safepoint_cpu *cpu)
{
	ASSERT(irq_enabled());		/* the stopper may wait for one who waits for a TLB flush */
	do {
		atomic_exchange(&cpu->state, STANDING);
		wait_for_resume(cpu);
		atomic_exchange(&cpu->state, RUNNING);
	} while (atomic_load_acquire(&stopper));
	cpu_sync_code();
}

/* A safe point: stand still while another CPU wants it.
 * Context: thread, interrupts on, no spinlock held. */
void safepoint_poll(void)
{
	spin_assert_none_held("safepoint_poll()");
	if (safepoint_wanted())
		stand(this_cpu(cpus));
}

static void wait_for_all(void)
{
	unsigned self = cpu_id();

	for_each_cpu(i) {
		if (i == self || !smp_online(i) || atomic_load_acquire(&cpus[i].state) != RUNNING)
			continue;
		smp_send(i, IPI_RESCHEDULE);
	}
	for_each_cpu(i) {
		if (i == self || !smp_online(i))
			continue;
		while (atomic_load_acquire(&cpus[i].state) == RUNNING)
			cpu_relax();
	}
}

/* Bring every other CPU to a safe point; nests. Waits its turn when another CPU is doing the
 * same, and stands still meanwhile: the caller must bear that everything of mm is drained,
 * and groups are removed, before it returns.
 * Context: thread or boot, interrupts on (one CPU: any), no spinlock held. */
void safepoint_stop(void)
{
	int nobody = 0;

	spin_assert_none_held("safepoint_stop()");
	ASSERT(!irq_in_handler());
	if (safepoint_stopped()) {
		depth++;
		return;
	}
	while (!atomic_try_cmpxchg(&stopper, &nobody, (int)cpu_id() + 1)) {
		safepoint_poll();
		nobody = 0;
	}
	wait_for_all();
	depth = 1;
}

/* Undo one safepoint_stop(); the outermost lets the others go. */
void safepoint_resume(void)
{
	BUG_ON(!safepoint_stopped() || depth == 0);
	if (--depth)
		return;
	atomic_exchange(&stopper, 0);
	for_each_cpu(i) {
		if (atomic_load(&cpus[i].state) == HALTED)
			smp_send(i, IPI_RESCHEDULE);
	}
}

/* This CPU is about to wait for an interrupt: it counts as standing until
 * safepoint_idle_exit(). Context: the idle loop, interrupts off. */
void safepoint_idle_enter(void)
{
	atomic_exchange(&this_cpu(cpus)->state, STANDING);
}

/* The wait is over. If somebody stopped the others meanwhile, stand on, with interrupts on.
 * Context: the idle loop, interrupts off. */
void safepoint_idle_exit(void)
{
	struct safepoint_cpu *cpu = this_cpu(cpus);

	atomic_exchange(&cpu->state, RUNNING);
	if (atomic_load_acquire(&stopper)) {
		irq_enable();
		stand(cpu);
		irq_disable();
	}
}
