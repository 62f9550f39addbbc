/* SPDX-License-Identifier: MIT */
/*
 * The lock of floors 0 and 1, below the ranked spinlocks: for the log and the consoles.
 * It masks interrupts while held and gives up waiting after a bounded spin (a panicking
 * CPU must be able to print although the holder will never let go).
 */
#pragma once
#include "kernel/lib/types.h"

typedef struct { int held; } rawlock;

unsigned long rawlock_acquire(rawlock *lock);
void rawlock_release(rawlock *lock, unsigned long flags);
void rawlock_break_all(void);
void rawlock_set_irq_ops(unsigned long (*save)(void), void (*restore)(unsigned long));
