/* SPDX-License-Identifier: MIT */
/*
 * What the machine reports of user mode: faults, exceptions, and each return to it. A fault
 * that memory cannot serve (a page-table page refused at the group's limit, or no page left)
 * kills the task that faulted and nobody else.
 */
#include "arch/irq.h"
#include "arch/upcall.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/proc/proc.h"

static const char *access_name(unsigned access)
{
	return access & FAULT_EXEC ? "execute" : access & FAULT_WRITE ? "write" : "read";
}

/*
 * A fault at a user address, by a program or in a user copy. Returns 0: mapped, try again;
 * else -errno, and the program (not a copy, which reports -EFAULT) has its signal.
 * Locks: none held but sleeping ones below RANK_MM. Context: a process, interrupts on.
 */
int upcall_fault(struct regs *r, uaddr_t addr, unsigned access)
{
	struct proc *p = proc_current();
	int err = p && p->mm ? vm_fault(p->mm, addr, access) : -EFAULT;

	if (!err || !(access & FAULT_USER))
		return err;
	if (err == -ENOMEM) {
		log_info("%s[%d]: killed: no page for address 0x%lx: kernel memory limit of its group "
			 "or machine out of pages", p->comm, p->pid, addr);
		proc_signal_forced(p, SIGKILL);
	} else {
		log_info("%s[%d]: SIGSEGV: %s at 0x%lx, ip 0x%lx", p->comm, p->pid,
			 access_name(access), addr, (unsigned long)regs_ip(r));
		proc_signal_forced(p, SIGSEGV);
	}
	return err;
}

static const struct {
	int sig;
	const char *what;
} exceptions[] = {
	[TRAP_DIVIDE] = { SIGFPE, "SIGFPE: division error" },
	[TRAP_OPCODE] = { SIGILL, "SIGILL: invalid instruction" },
	[TRAP_BREAKPOINT] = { SIGTRAP, "SIGTRAP: breakpoint" },
	[TRAP_PROTECTION] = { SIGSEGV, "SIGSEGV: protection violation" },
	[TRAP_ALIGNMENT] = { SIGBUS, "SIGBUS: misaligned access" },
	[TRAP_FPU] = { SIGFPE, "SIGFPE: floating point error" },
};

/* An exception in user mode: the program dies of the signal that Linux gives it.
 * Context: a process, interrupts on. */
void upcall_exception(struct regs *r, enum trap_kind kind)
{
	struct proc *p = proc_current();

	log_info("%s[%d]: %s, ip 0x%lx", p->comm, p->pid, exceptions[kind].what,
		 (unsigned long)regs_ip(r));
	proc_signal_forced(p, exceptions[kind].sig);
}

/*
 * The last C code before user mode, on every way there, and a safe point: a task whose slice is
 * over gives up the CPU here, and one that was killed (also while it waited for the CPU) ends
 * here, where it holds nothing. Returns with interrupts off since nothing was pending: what
 * comes later interrupts user mode, and the way back leads through here again.
 * Context: a process, no lock held, interrupts off.
 */
void upcall_user_return(struct regs *r)
{
	(void)r;
	while (unlikely(proc_dying() || sched_return_wanted())) {
		irq_enable();
		if (proc_dying())
			proc_exit(0);
		sched_return_to_user();
		irq_disable();
	}
}
