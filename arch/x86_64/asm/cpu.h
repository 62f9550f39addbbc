/* SPDX-License-Identifier: MIT */
/* x86_64 half of arch/cpu.h. GS points to this CPU's struct cpu_local while in the kernel. */
#pragma once
#include "kernel/lib/compiler.h"

/* The first words are known by offset to entry.asm and to the inlines below. */
struct cpu_local {
	uintptr_t kernel_sp;		/* stack for entries from user mode */
	uintptr_t user_sp;		/* scratch of the syscall entry */
	u32 id;
	u32 irq_depth;			/* interrupt handlers running */
} cacheline_aligned;

#define CPU_LOCAL_ID		16
#define CPU_LOCAL_IRQ_DEPTH	20

_Static_assert(offsetof(struct cpu_local, id) == CPU_LOCAL_ID, "known to the inlines");
_Static_assert(offsetof(struct cpu_local, irq_depth) == CPU_LOCAL_IRQ_DEPTH, "as above");

static inline unsigned cpu_id(void)
{
	u32 id;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(id) : "i"(CPU_LOCAL_ID));
	return id;
}

static inline void cpu_relax(void)
{
	__builtin_ia32_pause();
}

/* STI takes effect after the next instruction, so no wake-up slips in before HLT. */
static inline void cpu_idle(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

static inline u64 cpu_cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/* CPUID leaf 1, EDX: what Linux calls AT_HWCAP. */
static inline u64 cpu_hwcap(void)
{
	u32 eax = 1, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return edx;
}
