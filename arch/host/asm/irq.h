/* SPDX-License-Identifier: MIT */
/* The host's half of arch/irq.h: the mask is a flag and nothing interrupts. */
#pragma once
#include "kernel/lib/types.h"

extern _Thread_local bool host_irq_on;
extern _Thread_local bool host_irq_handler;	/* a test pretends to be a handler */

static inline bool irq_enabled(void)
{
	return host_irq_on;
}

static inline void irq_enable(void)
{
	host_irq_on = true;
}

static inline void irq_disable(void)
{
	host_irq_on = false;
}

static inline unsigned long irq_save(void)
{
	unsigned long flags = host_irq_on;

	host_irq_on = false;
	return flags;
}

static inline void irq_restore(unsigned long flags)
{
	host_irq_on = flags != 0;
}

static inline bool irq_in_handler(void)
{
	return host_irq_handler;
}
