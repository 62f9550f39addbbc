/* SPDX-License-Identifier: MIT */
/* The machine from power-on to its end: the order in which its parts are brought up. */
#include "arch/machine.h"
#include "arch/irq.h"
#include "arch/smp.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/rawlock.h"

#define DEBUG_EXIT_PORT	0xf4		/* isa-debug-exit; QEMU ends with 2 * code + 1 */
#define DEBUG_EXIT_CODE	0x2a

/* CPU tables and protections, serial port, host port, panic reports. Context: boot, first. */
void machine_init_early(void)
{
	cpu_init_tables();
	cpu_init_features();
	rawlock_set_irq_ops(irq_save, irq_restore);
	console_init_early();
	hostport_init_early();
	panic_set_begin(trap_panic_begin);
	panic_set_hook(trap_panic_hook);
}

/* Interrupt controllers, then all that interrupts; random numbers. Context: boot, after
 * smp_discover() and the allocators, interrupts off. */
void machine_init(const struct bootinfo *bi)
{
	cpu_random_init(bi);
	apic_init();
	console_init(bi);
	hostport_init();
}

/* End the run: under QEMU with isa-debug-exit it exits, else every CPU halts. No CPU's frame
 * to the host is cut off in the middle. */
noreturn void machine_exit(void)
{
	irq_disable();
	hostport_end();
	outl(DEBUG_EXIT_PORT, DEBUG_EXIT_CODE);
	smp_halt_others();
	machine_halt();
}

/* Stop this CPU for ever. */
noreturn void machine_halt(void)
{
	irq_disable();
	for (;;)
		__asm__ volatile("hlt");
}
