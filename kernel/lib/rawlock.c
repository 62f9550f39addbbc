/* SPDX-License-Identifier: MIT */
/* The raw lock. Masking interrupts is the machine's business, so floor 1 registers it. */
#include "kernel/lib/rawlock.h"
#include "kernel/lib/compiler.h"

#define RAWLOCK_MAX_SPINS 100000000L

static unsigned long (*irq_save_op)(void);
static void (*irq_restore_op)(unsigned long);
static bool nobody_else;		/* a holder will never let go */

/* Mask and restore interrupts with these from here on. Context: boot, once. */
void rawlock_set_irq_ops(unsigned long (*save)(void), void (*restore)(unsigned long))
{
	irq_save_op = save;
	irq_restore_op = restore;
}

/* All other CPUs have stopped for good, some perhaps with locks held: from here on nobody waits
 * for one. Context: panic. */
void rawlock_break_all(void)
{
	WRITE_ONCE(nobody_else, true);
}

/* Take lock with interrupts off. Returns the interrupt state for rawlock_release().
 * Context: any. */
unsigned long rawlock_acquire(rawlock *lock)
{
	unsigned long flags = irq_save_op ? irq_save_op() : 0;

	for (long spins = 0; READ_ONCE(lock->held) ||
	     __atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE); spins++) {
		if (spins > RAWLOCK_MAX_SPINS || READ_ONCE(nobody_else))
			break;
		__builtin_ia32_pause();
	}
	return flags;
}

/* Let go of lock and restore the interrupt state. */
void rawlock_release(rawlock *lock, unsigned long flags)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
	if (irq_restore_op)
		irq_restore_op(flags);
}
