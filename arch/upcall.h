/* SPDX-License-Identifier: MIT */
/* The few calls the machine makes upstairs. Implemented by the floors named on the right. */
#pragma once
#include "arch/bootinfo.h"
#include "arch/trap.h"

#define FAULT_WRITE	1u
#define FAULT_EXEC	2u
#define FAULT_USER	4u		/* raised in user mode, not in a user copy */
#define FAULT_PRESENT	8u		/* a protection fault, not a missing page */

enum trap_kind {			/* user-mode exceptions, by what they mean */
	TRAP_DIVIDE,			/* SIGFPE */
	TRAP_OPCODE,			/* SIGILL */
	TRAP_BREAKPOINT,		/* SIGTRAP */
	TRAP_STEP,			/* SIGTRAP */
	TRAP_PROTECTION,		/* SIGSEGV */
	TRAP_ALIGNMENT,			/* SIGBUS */
	TRAP_FPU,			/* SIGFPE */
};

noreturn void upcall_boot(struct bootinfo *bi);			/* kernel/main.c */
noreturn void upcall_ap(void);	/* this CPU is up, its stack is its idle thread's. main.c */
paddr_t upcall_table_page(void);	/* a zeroed page for kernel tables, 0: none. mm */

/* A fault at a user address. 0: resolved, retry. Else -errno: in a user copy the copy fails;
 * in user mode the handler has already arranged a signal. Interrupts on. kernel/proc */
int upcall_fault(struct regs *r, uaddr_t addr, unsigned access);
void upcall_exception(struct regs *r, enum trap_kind kind);	/* kernel/proc */
void upcall_syscall(struct regs *r);	/* result into r. kernel/sys */
void upcall_user_return(struct regs *r);	/* reschedule, signals. kernel/proc */
void upcall_tick(bool from_user);	/* each TICK_NS, interrupts off. kernel/sched */
void upcall_irq_exit(struct regs *r);	/* end of an interrupt, before return. kernel/sched */
void upcall_flush(void);	/* IPI_FLUSH came; in an interrupt. kernel/sched */
void upcall_input(void);		/* console or host input waits; in an interrupt. fs */
