/* SPDX-License-Identifier: MIT */
/*
 * What the CPU reports, sorted: system calls, interrupts, user mistakes (upstairs), faults of
 * user copies (upstairs, then the fixup table) and kernel bugs (panic, in words).
 *
 * The way back to user mode: upcall_user_return() is called last, with interrupts off. It may
 * turn them on (to reschedule, to die) and must come back with them off and nothing pending:
 * from there to IRETQ or SYSRET nothing can slip in.
 */
#include "arch/irq.h"
#include "arch/mmu.h"
#include "arch/upcall.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"

enum {
	X86_DIVIDE = 0, X86_DEBUG = 1, X86_NMI = 2, X86_BREAKPOINT = 3, X86_OPCODE = 6,
	X86_NO_FPU = 7, X86_DOUBLE_FAULT = 8, X86_PAGE_FAULT = 14, X86_FPU = 16,
	X86_ALIGNMENT = 17, X86_MACHINE_CHECK = 18, X86_SIMD = 19, X86_EXCEPTIONS = 32,
};

#define PF_PRESENT	1u
#define PF_WRITE	2u
#define PF_USER		4u
#define PF_EXEC		16u

struct fixup {
	uintptr_t fault, resume;
};

/* Called by entry.asm. */
void trap_dispatch(struct regs *r);
void trap_dispatch_paranoid(struct regs *r);
void trap_syscall(struct regs *r);
void trap_user_return(struct regs *r);

extern const struct fixup ex_table_start[], ex_table_end[];
extern char boot_stack_guard[];

static bool (*guard_check)(uintptr_t addr);

/* Ask is_guard about addresses of later faults. Context: boot. */
void trap_set_guard_check(bool (*is_guard)(uintptr_t addr))
{
	guard_check = is_guard;
}

/* Is addr in a guard page below a kernel stack? Context: any. */
bool trap_is_guard(uintptr_t addr)
{
	if (addr - (uintptr_t)boot_stack_guard < PAGE_SIZE)
		return true;
	return guard_check && guard_check(addr);
}

static const char *exception_name(u64 vector)
{
	static const char *const names[] = {
		"division error", "debug trap", "NMI", "breakpoint", "overflow trap",
		"bound range exceeded", "invalid opcode", "FPU not available", "double fault",
		"coprocessor overrun", "invalid TSS", "segment not present", "stack segment fault",
		"general protection fault (a non-canonical pointer, as a rule)", "page fault",
		"reserved exception 15", "FPU error", "alignment check", "machine check",
		"SIMD error", "virtualization exception", "control protection exception",
	};

	return vector < ARRAY_SIZE(names) ? names[vector] : "reserved exception";
}

static uintptr_t fixup_lookup(uintptr_t ip)
{
	for (const struct fixup *f = ex_table_start; f < ex_table_end; f++) {
		if (f->fault == ip)
			return f->resume;
	}
	return 0;
}

static noreturn void panic_page_fault(struct regs *r, uintptr_t addr)
{
	const char *what = (r->error & PF_EXEC) ? "instruction fetch from" :
			   (r->error & PF_WRITE) ? "write to" : "read of";

	trap_panic_from(r);
	if (trap_is_guard(addr))
		panic("kernel stack overflow: %s the guard page at 0x%lx", what, addr);
	if (addr < PAGE_SIZE)
		panic("kernel %s address 0x%lx: a NULL pointer", what, addr);
	if (addr < USER_MAX)
		panic("kernel %s user address 0x%lx outside a user copy", what, addr);
	if (r->error & PF_PRESENT)
		panic("kernel %s protected address 0x%lx", what, addr);
	panic("kernel %s unmapped address 0x%lx", what, addr);
}

static void kernel_page_fault(struct regs *r, uintptr_t addr, unsigned access)
{
	uintptr_t resume = fixup_lookup(r->rip);

	if (!resume || addr < USER_MIN || addr >= USER_MAX)
		panic_page_fault(r, addr);
	if (!(r->rflags & RFLAGS_IF)) {
		trap_panic_from(r);
		panic("user copy with interrupts off faulted at 0x%lx", addr);
	}
	irq_enable();
	if (upcall_fault(r, addr, access))
		r->rip = resume;
	irq_disable();
}

static void page_fault(struct regs *r)
{
	uintptr_t addr;
	unsigned access;

	__asm__ volatile("movq %%cr2, %0" : "=r"(addr));
	access = ((r->error & PF_WRITE) ? FAULT_WRITE : 0) |
		 ((r->error & PF_EXEC) ? FAULT_EXEC : 0) |
		 ((r->error & PF_PRESENT) ? FAULT_PRESENT : 0);
	if (!regs_from_user(r)) {
		kernel_page_fault(r, addr, access);
		return;
	}
	irq_enable();
	(void)upcall_fault(r, addr, access | FAULT_USER);
	irq_disable();
}

static enum trap_kind user_trap_kind(u64 vector)
{
	switch (vector) {
	case X86_DIVIDE:
		return TRAP_DIVIDE;
	case X86_DEBUG:
		return TRAP_STEP;
	case X86_BREAKPOINT:
		return TRAP_BREAKPOINT;
	case X86_OPCODE:
	case X86_NO_FPU:
		return TRAP_OPCODE;
	case X86_FPU:
	case X86_SIMD:
		return TRAP_FPU;
	case X86_ALIGNMENT:
		return TRAP_ALIGNMENT;
	default:
		return TRAP_PROTECTION;
	}
}

static void exception(struct regs *r)
{
	if (r->vector == X86_PAGE_FAULT) {
		page_fault(r);
		return;
	}
	if (!regs_from_user(r)) {
		trap_panic_from(r);
		panic("kernel bug: %s", exception_name(r->vector));
	}
	irq_enable();
	upcall_exception(r, user_trap_kind(r->vector));
	irq_disable();
}

/* From entry.asm, interrupts off: exceptions and interrupts on the ordinary stack. */
void trap_dispatch(struct regs *r)
{
	if (r->vector < X86_EXCEPTIONS)
		exception(r);
	else
		irq_dispatch(r);
	if (regs_from_user(r))
		trap_user_return(r);
}

/* From entry.asm, on a stack of its own: NMI, double fault, machine check. No lock, no mm:
 * whatever was interrupted may hold them. */
void trap_dispatch_paranoid(struct regs *r)
{
	uintptr_t addr;

	__asm__ volatile("movq %%cr2, %0" : "=r"(addr));
	if (r->vector == X86_NMI) {
		smp_nmi(r);
		log_info("NMI: this is where CPU %u was", cpu_id());
		trap_dump(r);
		return;
	}
	trap_panic_from(r);
	if (r->vector == X86_DOUBLE_FAULT && trap_is_guard(addr))
		panic("kernel stack overflow: the stack ran into its guard page at 0x%lx", addr);
	panic("kernel bug: %s", exception_name(r->vector));
}

/* From entry.asm, interrupts off. */
void trap_syscall(struct regs *r)
{
	irq_enable();
	upcall_syscall(r);
	trap_user_return(r);
}

/* Everything due before user mode runs again. Returns with interrupts off. IRETQ faults in
 * the kernel on an address that is not canonical: such registers are the user's protection
 * fault, and upcall_user_return() lets no thread pass that has not survived its trap. */
void trap_user_return(struct regs *r)
{
	irq_disable();
	upcall_user_return(r);
	irq_disable();
	while (unlikely(r->rip >= USER_MAX + PAGE_SIZE)) {
		irq_enable();
		upcall_exception(r, TRAP_PROTECTION);
		irq_disable();
		upcall_user_return(r);
		irq_disable();
	}
}
