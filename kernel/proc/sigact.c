/* SPDX-License-Identifier: MIT */
/*
 * What a task does about its signals, on its way to user mode: handlers, default actions, the
 * signals it blocks; and what becomes of the system call that a signal interrupted.
 *
 *	result of the call	a handler runs			none does
 *	-ERESTARTNOINTR		again				again
 *	-ERESTARTSYS		again with SA_RESTART, -EINTR	again
 *	-ERESTARTNOHAND		-EINTR				again
 *	-ERESTART_BLOCK		-EINTR				restart_syscall()
 *
 * "Again" is done by the program: its registers go back to what they were, the instruction
 * pointer onto the system call. restart_syscall() goes on with what the call left in
 * proc.restart, so that a sleep keeps its end.
 *
 * Locking: proc lock, not held over anything that touches user memory.
 */
#include "arch/sigframe.h"
#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"

struct handler {			/* to run next */
	struct sigaction action;
	u32 flags;
	struct siginfo info;
};

/* Must the caller end, by a signal, another task's exit_group() or exec? Context: any thread. */
bool proc_dying(void)
{
	return READ_ONCE(thread_current()->killed);
}

/* --- blocking */

static void set_blocked_locked(struct proc *p, u64 blocked)
{
	u64 more = blocked & ~p->blocked;

	p->blocked = blocked & ~SIGNALS_UNBLOCKABLE;
	if (more)
		signal_retarget_locked(p->group, more);
	signal_recalc_locked(p);
}

/* Block exactly these signals in the caller (never SIGKILL and SIGSTOP). Returns the old set.
 * Locks: proc lock. */
u64 signal_set_blocked(u64 blocked)
{
	struct proc *p = proc_current();
	u64 old = p->blocked;

	spin_lock(&proc_lock);
	set_blocked_locked(p, blocked);
	spin_unlock(&proc_lock);
	return old;
}

/* Block these until the end of the system call; a handler that runs instead of it finds the
 * old set when it returns. The call ends with -ERESTARTNOHAND, or signal_unswap_blocked()s.
 * Locks: proc lock. */
void signal_swap_blocked(u64 blocked)
{
	struct proc *p = proc_current();

	p->saved_blocked = signal_set_blocked(blocked);
	p->blocked_saved = true;
}

/* Block what was blocked before signal_swap_blocked(), if that was called. Locks: proc lock. */
void signal_unswap_blocked(void)
{
	struct proc *p = proc_current();

	if (!p->blocked_saved)
		return;
	p->blocked_saved = false;
	signal_set_blocked(p->saved_blocked);
}

/* --- actions */

/*
 * Let the caller's process do act, with these flags, about sig (act NULL: as before). *old and
 * *old_flags are what it did. Returns 0; -EINVAL: no such signal, or one that cannot be handled.
 * Locks: proc lock.
 */
int signal_action(int sig, const struct sigaction *act, u32 flags, struct sigaction *old,
		  u32 *old_flags)
{
	struct tgroup *g = proc_current()->group;
	struct sighand *sighand = g->sighand;

	if (sig < 1 || sig > NR_SIGNALS || (act && (SIGNAL_BIT(sig) & SIGNALS_UNBLOCKABLE)))
		return -EINVAL;
	spin_lock(&proc_lock);
	*old = sighand->action[sig - 1];
	*old_flags = sighand->flags[sig - 1];
	if (act) {
		sighand->action[sig - 1] = *act;
		sighand->action[sig - 1].mask &= ~SIGNALS_UNBLOCKABLE;
		sighand->flags[sig - 1] = flags & SA_FLAGS;
		if (signal_ignored_locked(g, sig))
			signal_forget_locked(g, SIGNAL_BIT(sig));
	}
	spin_unlock(&proc_lock);
	return 0;
}

/* exec by the caller, the only task of its process, whose sighand nobody shares: functions of
 * the old program are no handlers, what was ignored stays so. Locks: proc lock. */
void signal_exec(struct proc *p)
{
	struct sighand *sighand = p->group->sighand;

	spin_lock(&proc_lock);
	for (unsigned i = 0; i < NR_SIGNALS; i++) {
		uaddr_t handler = sighand->action[i].handler;

		sighand->action[i] = (struct sigaction){
			.handler = handler == SIG_IGN ? SIG_IGN : SIG_DFL,
		};
		sighand->flags[i] = 0;
	}
	spin_unlock(&proc_lock);
	p->altstack = (struct altstack){ 0 };
	p->restart.fn = NULL;
}

static void default_locked(struct proc *p, int sig)
{
	if (signal_ignored_locked(p->group, sig))
		return;
	if (!(SIGNAL_BIT(sig) & SIGNALS_STOPPING))
		group_end_locked(p->group, sig);
	else
		(void)signal_stop_locked(p, sig);
}

/* True: a handler is to run. */
static bool choose_locked(struct proc *p, struct handler *h)
{
	struct sighand *sighand = p->group->sighand;
	int i = h->info.signo - 1;

	h->action = sighand->action[i];
	h->flags = sighand->flags[i];
	if (h->action.handler == SIG_DFL)
		default_locked(p, h->info.signo);
	if (h->action.handler == SIG_DFL || h->action.handler == SIG_IGN)
		return false;
	if (h->flags & SA_RESETHAND)
		sighand->action[i].handler = SIG_DFL;
	return true;
}

/* The task's own mistake first, then what was sent. */
static bool take_next_locked(struct proc *p, struct siginfo *out)
{
	if (!p->forced.signo)
		return signal_take_locked(p, ~p->blocked, out);
	*out = p->forced;
	p->forced.signo = 0;
	return true;
}

/* Do what needs no handler, until there is one to run: true; or no signal is left. The caller
 * may be killed then. */
static bool next_handler(struct proc *p, struct handler *h)
{
	bool found = false;

	spin_lock(&proc_lock);
	while (!found && !proc_dying()) {
		if (p->group->stop_sig)
			signal_stop_wait_locked(p);
		else if (take_next_locked(p, &h->info))
			found = choose_locked(p, h);
		else
			break;
	}
	signal_recalc_locked(p);
	spin_unlock(&proc_lock);
	return found;
}

/* --- the interrupted system call */

static bool is_restart(const struct regs *r)
{
	return regs_in_syscall(r) && proc_is_restart(regs_ret(r));
}

static void restart_unhandled(struct regs *r)
{
	if (is_restart(r))
		regs_again(r, regs_ret(r) == -ERESTART_BLOCK ? NR_RESTART : regs_syscall_nr(r));
}

static void restart_handled(struct regs *r, u32 flags)
{
	long ret = regs_ret(r);

	if (!is_restart(r))
		return;
	if (ret == -ERESTARTNOINTR || (ret == -ERESTARTSYS && (flags & SA_RESTART)))
		regs_again(r, regs_syscall_nr(r));
	else
		regs_set_ret(r, -EINTR);
}

/* --- handlers */

/* Is the program on its alternate stack? One that it disarms by using it never is. */
bool signal_on_altstack(const struct proc *p, const struct regs *r)
{
	const struct altstack *alt = &p->altstack;

	return !(alt->flags & SS_AUTODISARM) && regs_sp(r) > alt->sp &&
	       regs_sp(r) - alt->sp <= alt->bytes;
}

static int push_frame(struct proc *p, struct regs *r, const struct handler *h)
{
	struct altstack *alt = &p->altstack;
	bool on_alt = signal_on_altstack(p, r);
	bool enter = (h->flags & SA_ONSTACK) && !on_alt && alt->bytes;
	struct sigframe frame = {
		.sig = h->info.signo, .handler = h->action.handler,
		.restorer = h->flags & SA_RESTORER ? h->action.restorer : 0,
		.stack = enter ? alt->sp + alt->bytes : 0,
		.stack_floor = enter || on_alt ? alt->sp : 0,
		.fault_addr = h->info.code > 0 && h->info.code < SI_KERNEL ? h->info.addr : 0,
		.blocked = p->blocked_saved ? p->saved_blocked : p->blocked,
		.alt_sp = alt->sp, .alt_bytes = alt->bytes, .alt_flags = alt->flags,
		.info = h->flags & SA_SIGINFO ? &h->info : NULL, .info_bytes = sizeof(h->info),
		.fpu = p->thread.fpu,
	};
	int err = sigframe_push(r, &frame);

	if (!err && (alt->flags & SS_AUTODISARM))
		*alt = (struct altstack){ .flags = SS_DISABLE };
	return err;
}

static void run_handler(struct proc *p, struct regs *r, const struct handler *h)
{
	static const struct siginfo no_stack = { .signo = SIGSEGV, .code = SI_KERNEL };
	u64 block = h->action.mask;

	restart_handled(r, h->flags);
	if (push_frame(p, r, h)) {
		if (h->info.signo == SIGSEGV)
			signal_fatal(SIGSEGV);
		else
			signal_forced(&no_stack);
		return;
	}
	if (!(h->flags & SA_NODEFER))
		block |= SIGNAL_BIT(h->info.signo);
	p->blocked_saved = false;
	signal_set_blocked(p->blocked | block);
}

/*
 * The caller's way to user mode, when it has to look for signals: stop, be killed (the caller
 * of this sees to that), or let r begin handlers; the last one pushed runs first. Without any,
 * an interrupted system call is made again.
 * Locks: proc lock. Context: a process, no lock held, interrupts on.
 */
void signal_deliver(struct regs *r)
{
	struct proc *p = proc_current();
	struct handler h;

	while (next_handler(p, &h))
		run_handler(p, r, &h);
	if (proc_dying())
		return;
	restart_unhandled(r);
	signal_unswap_blocked();
}

/* Back from a handler: r, the FPU, what is blocked and the alternate stack as they were before,
 * or as the handler changed them. A frame that is none is the program's mistake.
 * Locks: proc lock. Context: a system call. */
void signal_return(struct regs *r)
{
	static const struct siginfo bad_frame = { .signo = SIGSEGV, .code = SI_KERNEL };
	struct proc *p = proc_current();
	struct sigframe frame = { .fpu = p->thread.fpu };
	struct altstack alt;

	p->restart.fn = NULL;
	if (sigframe_pop(r, &frame)) {
		signal_forced(&bad_frame);
		return;
	}
	signal_set_blocked(frame.blocked);
	alt = (struct altstack){ frame.alt_sp, frame.alt_flags, frame.alt_bytes };
	(void)signal_set_altstack(&alt, r);	/* as on Linux: a bad one changes nothing */
}

/*
 * Use another alternate stack. Returns 0; -EPERM: the program is on the old one; -EINVAL: no
 * such flags; -ENOMEM: too small. Context: a system call.
 */
int signal_set_altstack(const struct altstack *alt, const struct regs *r)
{
	struct proc *p = proc_current();
	u32 mode = alt->flags & ~SS_AUTODISARM;

	if (signal_on_altstack(p, r))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE)
		p->altstack = (struct altstack){ .flags = alt->flags };
	else if (alt->bytes < MINSIGSTKSZ)
		return -ENOMEM;
	else
		p->altstack = *alt;
	return 0;
}

/* --- mistakes */

/* End the caller's process by a signal that nothing keeps away. Locks: proc lock. */
void signal_fatal(int sig)
{
	spin_lock(&proc_lock);
	group_end_locked(proc_current()->group, sig);
	spin_unlock(&proc_lock);
}

/* The caller cannot go on without handling this: if it ignores or blocks the signal, or has no
 * handler, its process ends, pid 1 too. Returns whether a handler will run.
 * Locks: proc lock. Context: a process. */
bool signal_forced(const struct siginfo *info)
{
	struct proc *p = proc_current();
	u64 bit = SIGNAL_BIT(info->signo);
	uaddr_t handler;

	spin_lock(&proc_lock);
	handler = p->group->sighand->action[info->signo - 1].handler;
	if (handler == SIG_DFL || handler == SIG_IGN || (p->blocked & bit)) {
		group_end_locked(p->group, info->signo);
		handler = SIG_DFL;
	} else {
		p->forced = *info;
		WRITE_ONCE(p->thread.signalled, true);
	}
	spin_unlock(&proc_lock);
	return handler != SIG_DFL;
}
