/* SPDX-License-Identifier: MIT */
/* Hardware interrupts by vector. A vector nobody asked for is answered and forgotten: a
 * spurious one from the 8259s or the APIC must harm nothing. */
#include "arch/irq.h"
#include "arch/upcall.h"
#include "arch/x86_64/x86.h"

static void (*handlers[256])(struct regs *r);

/* Let handler run for vector, with interrupts off and irq_in_handler() true. Context: boot. */
void irq_set_handler(unsigned vector, void (*handler)(struct regs *r))
{
	handlers[vector] = handler;
}

/* Run the handler of r->vector, acknowledge, and tell the scheduler. */
void irq_dispatch(struct regs *r)
{
	struct cpu_local *cpu = &cpu_locals[cpu_id()];
	unsigned vector = (unsigned)r->vector;

	cpu->irq_depth++;
	if (handlers[vector])
		handlers[vector](r);
	if (vector >= VECTOR_IRQ && apic_in_service(vector))
		apic_eoi();
	cpu->irq_depth--;
	upcall_irq_exit(r);
}
