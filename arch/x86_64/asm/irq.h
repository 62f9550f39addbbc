/* SPDX-License-Identifier: MIT */
/* x86_64 half of arch/irq.h: RFLAGS.IF. */
#pragma once
#include "asm/cpu.h"

#define RFLAGS_IF	0x200ul

static inline void irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline unsigned long irq_flags(void)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags) :: "memory");
	return flags;
}

static inline bool irq_enabled(void)
{
	return (irq_flags() & RFLAGS_IF) != 0;
}

static inline unsigned long irq_save(void)
{
	unsigned long flags = irq_flags();

	irq_disable();
	return flags;
}

static inline void irq_restore(unsigned long flags)
{
	if (flags & RFLAGS_IF)
		irq_enable();
	else
		irq_disable();
}

static inline bool irq_in_handler(void)
{
	u32 depth;

	__asm__ volatile("movl %%gs:%c1, %0" : "=r"(depth) : "i"(CPU_LOCAL_IRQ_DEPTH));
	return depth != 0;
}
