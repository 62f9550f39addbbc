/* SPDX-License-Identifier: MIT */
/*
 * Ranked spinlocks (kernel/sync/rank.h). Test-and-set with PAUSE, not FIFO: a strictly fair
 * lock collapses when many virtual CPUs share few real ones. The plain form does not mask
 * interrupts: only locks that handlers take (RANK_WAITQ and deeper) use the _irq form.
 */
#pragma once
#include "kernel/lib/atomic.h"
#include "kernel/lib/compiler.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/rank.h"

struct spinlock {
	atomic_int locked;		/* 0 free, else holder's CPU + 1 */
	enum lock_rank rank;		/* [I] */
	const char *name;		/* [I] for reports */
	uintptr_t taken_at;		/* call site of the holder (debug) */
};

#define SPINLOCK_INIT(r, n)	{ .rank = (r), .name = (n) }

void spin_init(struct spinlock *lock, enum lock_rank rank, const char *name);
void spin_lock(struct spinlock *lock);
bool spin_trylock(struct spinlock *lock) must_check;
void spin_unlock(struct spinlock *lock);
unsigned long spin_lock_irq(struct spinlock *lock) must_check;
void spin_unlock_irq(struct spinlock *lock, unsigned long flags);
bool spin_is_held(const struct spinlock *lock);

#define assert_held(lock)	ASSERT(spin_is_held(lock))

/* Panic (debug) if this CPU holds any spinlock: first line of everything that may sleep. */
void spin_assert_none_held(const char *what);
