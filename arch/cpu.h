/* SPDX-License-Identifier: MIT */
/* Contract: which CPU this is, and how it waits. */
#pragma once
#include "kernel/lib/compiler.h"

#define NR_CPUS		64

/* unsigned cpu_id(void): this CPU, 0 .. cpu_count()-1. Stable only while the caller cannot
 * be moved: always true in the kernel, which is not preemptible.
 * void cpu_relax(void): one step of a spin (PAUSE).
 * void cpu_idle(void): wait for an interrupt; called with interrupts off, atomically enables
 * them, returns with them off.
 * u64 cpu_cycles(void): the TSC.
 * u64 cpu_hwcap(void): the feature word a program finds as AT_HWCAP. */
#include "asm/cpu.h"

unsigned cpu_count(void);

/* Fill buf with random bytes: a generator started from seed= of the boot command line, so that
 * a run repeats; without seed=, RDRAND where there is, else the generator started from the
 * clock. Not for secrets. Context: any. */
void cpu_random(void *buf, size_t bytes);
