/* SPDX-License-Identifier: MIT */
/*
 * What the machine reports of user mode: faults, exceptions, and each return to it. A fault or
 * an exception is a signal to the task that made it, with a siginfo that says what and where. A
 * fault that memory cannot serve (a page-table page refused at the group's limit, or no page
 * left) kills the process that faulted and nobody else.
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

static void signal_fault(struct regs *r, uaddr_t addr, unsigned access, int err)
{
	const struct proc *p = proc_current();
	struct siginfo info = {
		.signo = err == -EIO ? SIGBUS : SIGSEGV,
		.code = err == -EIO ? BUS_ADRERR : err == -EACCES ? SEGV_ACCERR : SEGV_MAPERR,
		.addr = addr,
	};

	if (!signal_forced(&info))
		log_info("%s[%d]: %s: %s at 0x%lx, ip 0x%lx", p->comm, p->pid,
			 err == -EIO ? "SIGBUS" : "SIGSEGV", access_name(access), addr,
			 (unsigned long)regs_ip(r));
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
		signal_fatal(SIGKILL);
	} else {
		signal_fault(r, addr, access, err);
	}
	return err;
}

static const struct {
	int sig, code;
	bool has_addr;			/* of the instruction */
	const char *what;
} exceptions[] = {
	[TRAP_DIVIDE] = { SIGFPE, FPE_INTDIV, true, "SIGFPE: division error" },
	[TRAP_OPCODE] = { SIGILL, ILL_ILLOPN, true, "SIGILL: invalid instruction" },
	[TRAP_BREAKPOINT] = { SIGTRAP, SI_KERNEL, false, "SIGTRAP: breakpoint" },
	[TRAP_STEP] = { SIGTRAP, TRAP_TRACE, true, "SIGTRAP: single step" },
	[TRAP_PROTECTION] = { SIGSEGV, SI_KERNEL, false, "SIGSEGV: protection violation" },
	[TRAP_ALIGNMENT] = { SIGBUS, BUS_ADRALN, false, "SIGBUS: misaligned access" },
	[TRAP_FPU] = { SIGFPE, 0, true, "SIGFPE: floating point error" },
};

/* si_code of a floating point error, from the exceptions that were not masked. */
static int fpu_code(unsigned raised)
{
	static const int codes[] = { FPE_FLTINV, FPE_FLTUND, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND,
				     FPE_FLTRES };

	return raised && __builtin_ctz(raised) < (int)ARRAY_SIZE(codes) ?
	       codes[__builtin_ctz(raised)] : FPE_FLTINV;
}

/* An exception in user mode: a signal. Context: a process, interrupts on. */
void upcall_exception(struct regs *r, enum trap_kind kind)
{
	struct proc *p = proc_current();
	struct siginfo info = { .signo = exceptions[kind].sig, .code = exceptions[kind].code };

	if (exceptions[kind].has_addr)
		info.addr = regs_ip(r);
	if (kind == TRAP_FPU) {
		fpu_save(p->thread.fpu);
		info.code = fpu_code(fpu_raised(p->thread.fpu));
	}
	if (!signal_forced(&info))
		log_info("%s[%d]: %s, ip 0x%lx", p->comm, p->pid, exceptions[kind].what,
			 (unsigned long)regs_ip(r));
}

/*
 * The last C code before user mode, on every way there, and a safe point: a task whose slice is
 * over gives up the CPU here, one that has a signal sees to it, and one that was killed (also
 * while it waited for the CPU) ends here, where it holds nothing. Returns with interrupts off
 * since nothing was pending: what comes later interrupts user mode, and the way back leads
 * through here again.
 * Context: a process, no lock held, interrupts off.
 */
void upcall_user_return(struct regs *r)
{
	while (unlikely(thread_signalled() || sched_return_wanted())) {
		irq_enable();
		if (proc_dying())
			proc_exit(0);
		sched_return_to_user();
		if (thread_signalled())
			signal_deliver(r);
		irq_disable();
	}
}
