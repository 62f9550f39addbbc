/* SPDX-License-Identifier: MIT */
/* Contract: the interrupt mask of this CPU. */
#pragma once
#include "kernel/lib/compiler.h"

/* unsigned long irq_save(void): mask, return the old state.
 * void irq_restore(unsigned long flags): back to that state.
 * void irq_enable(void), irq_disable(void); bool irq_enabled(void).
 * bool irq_in_handler(void): true while an interrupt handler runs on this CPU (mm asserts
 * that it is false). */
#include "asm/irq.h"
