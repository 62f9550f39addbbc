/* SPDX-License-Identifier: MIT */
/* Debug images: how often spinlocks were taken, waited for, and for how long. */
#pragma once
#include "kernel/sync/spinlock.h"

/* Of all locks of one rank. Cycles are the TSC's. */
struct lock_stats {
	const char *name;		/* of one of them; NULL: none was ever taken */
	u64 nr_taken, nr_waited;
	u64 hold_cycles, longest_hold;
	u64 wait_cycles, longest_wait;
};

void lockstat_waited(const struct spinlock *lock, u64 cycles);
void lockstat_held(const struct spinlock *lock, u64 cycles);
void lockstat_read(enum lock_rank rank, struct lock_stats *out);
void lockstat_print(void);
