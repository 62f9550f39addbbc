/* SPDX-License-Identifier: MIT */
/*
 * Contract: the other CPUs. cpu_count() (arch/cpu.h) is how many there are, known before the
 * first object cache is made; a CPU is online from the moment it calls upcall_ap().
 *
 * Interrupts between CPUs carry no data: the receiver looks at what the sender wrote before.
 */
#pragma once
#include "arch/cpu.h"

enum ipi {
	IPI_RESCHEDULE,			/* look at the run queue, or stop at a safe point */
	IPI_FLUSH,			/* look at the TLB flush requests: upcall_flush() */
	NR_IPIS,
};

/* Count the CPUs (ACPI MADT, cut by maxcpus= and NR_CPUS). Context: boot, after mmu_init(),
 * before kmem_init(). */
struct bootinfo;
void smp_discover(const struct bootinfo *bi);

/* The page below 1 MiB where other CPUs start: to be reserved before any page is handed out.
 * 0: there is none, and smp_discover() will know of one CPU. Context: boot, first. */
paddr_t smp_start_page(const struct bootinfo *bi);

/* What a CPU gets for ever before it starts. */
#define SMP_TRAP_STACK_BYTES	15360
struct smp_memory {
	void *stack_top;		/* of a kernel stack with a guard page */
	void *trap_stacks;		/* SMP_TRAP_STACK_BYTES, for traps that need their own */
};

/* Start every other CPU, one after the other; each runs upcall_ap() on the stack that give()
 * found for it, interrupts off. One without memory, or that does not answer, is named in the
 * log and stays offline. Context: boot, after sched_init(), clock_init(). */
void smp_start(bool (*give)(unsigned cpu, struct smp_memory *memory));

bool smp_online(unsigned cpu);
u64 smp_online_mask(void);		/* bit per CPU */

/* Interrupt cpu (not this one, and online). Does not wait. Context: any. */
void smp_send(unsigned cpu, enum ipi ipi);

/* Have every online CPU, this one included, forget all kernel translations; returns when they
 * have. Several CPUs may do so at once. Context: interrupts on, no spinlock held. */
void smp_flush_kernel(void);

/* Stop the others where they are, for good (NMI): the first thing of a panic. Does not return
 * on a CPU that comes second. */
void smp_halt_others(void);
