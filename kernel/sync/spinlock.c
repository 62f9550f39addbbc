/* SPDX-License-Identifier: MIT */
/*
 * Ranked spinlocks.
 *
 * Theory. A deadlock needs a cycle: CPU 0 holds A and wants B while CPU 1 holds B and wants
 * A. If every lock has a rank and nobody takes a lock of a rank at or below one already
 * held, no cycle can close. The check costs a few instructions and needs no second CPU and
 * no bad luck: the wrong order is reported the first time it is tried.
 *
 *      held on this CPU:   [ RANK_FS "dcache" ] [ RANK_SLAB "dentry" ]
 *      may still take:     RANK_STACK ... RANK_RUNQ, deeper ones only
 *
 * The lock word is test-and-set with a read-only wait and PAUSE. It is not FIFO on purpose:
 * with more virtual CPUs than real ones the next in line is usually not running, and a
 * strictly fair lock then stands still for a whole host time slice at each hand-over.
 *
 * Debug images count, too, how often and how long locks are held and waited for (lockstat.c).
 *
 * States: 0 free; n+1 held by CPU n.
 *
 * Invariants, checked at each operation in debug images:
 *   I1 a CPU takes locks in strictly rising rank (a successful trylock is only recorded);
 *   I2 a lock is released by the CPU that holds it;
 *   I3 locks from RANK_WAITQ on, which interrupt handlers take, are held with interrupts off;
 *   I4 at most MAX_HELD locks at once.
 *
 * Locking: this is where it ends. Reference: Herlihy and Shavit, The Art of Multiprocessor
 * Programming, chapter 7 (test-and-test-and-set).
 */
#include "kernel/sync/spinlock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/lockstat.h"
#include "kernel/sync/percpu.h"

#define MAX_HELD 16

struct held_locks {
	struct spinlock *stack[MAX_HELD];	/* [c] in the order taken */
	u64 since[MAX_HELD];			/* [c] cycles, of each */
	unsigned nr;				/* [c] */
} cacheline_aligned;

static struct held_locks held_locks[NR_CPUS];

static void check_rank(const struct spinlock *lock)
{
	const struct held_locks *held = this_cpu(held_locks);

	for (unsigned i = 0; i < held->nr; i++) {
		const struct spinlock *h = held->stack[i];

		if (h->rank >= lock->rank)
			panic("lock order: CPU %u wants \"%s\" (rank %d) while it holds \"%s\" (rank %d), taken at %p",
			      cpu_id(), lock->name, lock->rank, h->name, h->rank,
			      (void *)h->taken_at);
	}
	if (lock->rank >= RANK_WAITQ && irq_enabled())
		panic("lock \"%s\" is taken by interrupt handlers: use spin_lock_irq()", lock->name);
}

static void record(struct spinlock *lock, uintptr_t caller)
{
	struct held_locks *held = this_cpu(held_locks);

	if (held->nr == MAX_HELD)
		panic("CPU %u holds %u spinlocks and takes \"%s\"", cpu_id(), MAX_HELD, lock->name);
	held->since[held->nr] = cpu_cycles();
	held->stack[held->nr++] = lock;
	lock->taken_at = caller;
}

static void forget(struct spinlock *lock)
{
	struct held_locks *held = this_cpu(held_locks);
	unsigned i = held->nr;

	while (i > 0 && held->stack[i - 1] != lock)
		i--;
	if (i == 0)
		panic("CPU %u releases \"%s\", which it does not hold", cpu_id(), lock->name);
	lockstat_held(lock, cpu_cycles() - held->since[i - 1]);
	for (; i < held->nr; i++) {
		held->stack[i - 1] = held->stack[i];
		held->since[i - 1] = held->since[i];
	}
	held->nr--;
}

/* Make lock free, of that rank, called name in reports (name lives as long as the lock). */
void spin_init(struct spinlock *lock, enum lock_rank rank, const char *name)
{
	*lock = (struct spinlock)SPINLOCK_INIT(rank, name);
}

static bool try_take(struct spinlock *lock)
{
	int expected = 0;

	return atomic_try_cmpxchg(&lock->locked, &expected, (int)cpu_id() + 1);
}

static noinline void wait_and_take(struct spinlock *lock)
{
	u64 start = cpu_cycles();

	do {
		while (atomic_load(&lock->locked))
			cpu_relax();
	} while (!try_take(lock));
	if (TALLY_DEBUG)
		lockstat_waited(lock, cpu_cycles() - start);
}

/* Take lock, spinning until it is free. Context: any for ranks from RANK_WAITQ on, with
 * interrupts off; task context for the others. Never sleeps. */
void spin_lock(struct spinlock *lock)
{
	if (TALLY_DEBUG)
		check_rank(lock);
	if (unlikely(!try_take(lock)))
		wait_and_take(lock);
	if (TALLY_DEBUG)
		record(lock, CALLER());
}

/* Take lock if it is free now. No rank is checked: not waiting cannot deadlock. */
bool spin_trylock(struct spinlock *lock)
{
	if (!try_take(lock))
		return false;
	if (TALLY_DEBUG)
		record(lock, CALLER());
	return true;
}

/* Release lock. The caller holds it. */
void spin_unlock(struct spinlock *lock)
{
	if (TALLY_DEBUG)
		forget(lock);
	atomic_store_release(&lock->locked, 0);
}

/* Mask interrupts and take lock. Returns the interrupt state for spin_unlock_irq(). */
unsigned long spin_lock_irq(struct spinlock *lock)
{
	unsigned long flags = irq_save();

	spin_lock(lock);
	return flags;
}

/* Release lock and restore the interrupt state. */
void spin_unlock_irq(struct spinlock *lock, unsigned long flags)
{
	spin_unlock(lock);
	irq_restore(flags);
}

/* Does this CPU hold lock? For assert_held(). */
bool spin_is_held(const struct spinlock *lock)
{
	return atomic_load(&lock->locked) == (int)cpu_id() + 1;
}

/* Panic (debug) when this CPU holds a spinlock: what says what it was about to do. */
void spin_assert_none_held(const char *what)
{
	const struct held_locks *held = this_cpu(held_locks);

	if (TALLY_DEBUG && held->nr > 0)
		panic("%s while spinlock \"%s\" is held, taken at %p", what,
		      held->stack[held->nr - 1]->name,
		      (void *)held->stack[held->nr - 1]->taken_at);
}
