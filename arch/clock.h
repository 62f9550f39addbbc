/* SPDX-License-Identifier: MIT */
/* Contract: time and the tick. */
#pragma once
#include "kernel/lib/compiler.h"

#define TICK_HZ		100
#define TICK_NS		(1000000000ull / TICK_HZ)

/* Nanoseconds since boot, monotonic (calibrated TSC). Context: any. */
u64 clock_ns(void);

/* Seconds since 1970 at boot, from the RTC. */
u64 clock_boot_seconds(void);

/* Find the TSC and timer frequency; start the periodic tick (upcall_tick) on this CPU. */
void clock_init(void);
void clock_start_tick(void);

/* No more ticks on this CPU until clock_start_tick(); not for CPU 0, which keeps the time.
 * One may still be on its way. Context: interrupts off. */
void clock_stop_tick(void);
