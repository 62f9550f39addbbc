/* SPDX-License-Identifier: MIT */
/* The host's half of arch/cpu.h: a CPU is a number that the test sets. */
#pragma once
#include "kernel/lib/types.h"

extern _Thread_local unsigned host_cpu_now;	/* set by host_cpu() */

static inline unsigned cpu_id(void)
{
	return host_cpu_now;
}

void host_yield(void);			/* libc's sched_yield(): the kernel has one, too */

/* The CPU that is waited for is a thread, and may want this core. */
static inline void cpu_relax(void)
{
	host_yield();
}

/* No interrupt ever comes: idling returns at once. */
static inline void cpu_idle(void)
{
	cpu_relax();
}

static inline u64 cpu_cycles(void)
{
	return __builtin_ia32_rdtsc();
}
