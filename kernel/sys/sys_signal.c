/* SPDX-License-Identifier: MIT */
/* System calls on signals: sending, handling, blocking, and waiting for one. */
#include "arch/clock.h"
#include "kernel/lib/string.h"
#include "kernel/sys/abi_signal.h"
#include "kernel/sys/calls.h"

/* --- sending */

/* kill(pid, sig): see proc_kill(). */
long sys_kill(struct syscall *c)
{
	return proc_kill((int)c->arg[0], (int)c->arg[1]);
}

static long send_to_task(int pid, int tid, int sig)
{
	struct proc *self = proc_current();
	struct siginfo info = {
		.signo = sig, .code = SI_TKILL, .pid = self->group->pid, .uid = self->cred->uid,
	};

	return proc_kill_task(pid, tid, &info);
}

/* tkill(tid, sig): see proc_kill_task(). */
long sys_tkill(struct syscall *c)
{
	int tid = (int)c->arg[0];

	return tid <= 0 ? -EINVAL : send_to_task(0, tid, (int)c->arg[1]);
}

/* tgkill(pid, tid, sig): -ESRCH when the two do not belong together. */
long sys_tgkill(struct syscall *c)
{
	int pid = (int)c->arg[0], tid = (int)c->arg[1];

	return pid <= 0 || tid <= 0 ? -EINVAL : send_to_task(pid, tid, (int)c->arg[2]);
}

/* A siginfo of the user's making. What is behind the part that is known must be zero (-E2BIG)
 * where the code does not tell what is in it. */
static int get_info(uaddr_t user, int sig, struct siginfo *info)
{
	u8 raw[SIGINFO_BYTES];

	if (user_get(raw, user, sizeof(raw)))
		return -EFAULT;
	memcpy(info, raw, sizeof(*info));
	info->signo = sig;
	for (size_t i = sizeof(*info); info->code < SI_DETHREAD && i < sizeof(raw); i++) {
		if (raw[i])
			return -E2BIG;
	}
	return 0;
}

/* One that claims to be the kernel's or kill()'s may only go to oneself. */
static bool may_claim(const struct siginfo *info, int pid)
{
	return (info->code < 0 && info->code != SI_TKILL) || proc_current()->pid == pid;
}

/* rt_sigqueueinfo(pid, sig, info): see proc_sigqueue(). */
long sys_rt_sigqueueinfo(struct syscall *c)
{
	struct siginfo info;
	int pid = (int)c->arg[0], err = get_info(c->arg[2], (int)c->arg[1], &info);

	if (err)
		return err;
	return may_claim(&info, pid) ? proc_sigqueue(pid, &info) : -EPERM;
}

/* rt_tgsigqueueinfo(pid, tid, sig, info): the same to a task. */
long sys_rt_tgsigqueueinfo(struct syscall *c)
{
	struct siginfo info;
	int pid = (int)c->arg[0], tid = (int)c->arg[1];
	int err = get_info(c->arg[3], (int)c->arg[2], &info);

	if (err)
		return err;
	if (pid <= 0 || tid <= 0)
		return -EINVAL;
	return may_claim(&info, tid) ? proc_kill_task(pid, tid, &info) : -EPERM;
}

/* --- handling */

/* rt_sigaction(sig, new, old, set_bytes): see signal_action(). */
long sys_rt_sigaction(struct syscall *c)
{
	struct linux_sigaction given, was;
	struct sigaction act, old;
	u32 old_flags;
	int err;

	if (c->arg[3] != SIGSET_BYTES)
		return -EINVAL;
	if (c->arg[1] && user_get(&given, c->arg[1], sizeof(given)))
		return -EFAULT;
	if (c->arg[1])
		act = (struct sigaction){ given.handler, given.restorer, given.mask };
	err = signal_action((int)c->arg[0], c->arg[1] ? &act : NULL,
			    c->arg[1] ? (u32)given.flags : 0, &old, &old_flags);
	if (err || !c->arg[2])
		return err;
	was = (struct linux_sigaction){ old.handler, old_flags, old.restorer, old.mask };
	return user_put(c->arg[2], &was, sizeof(was));
}

/* rt_sigreturn(): the end of a handler. All registers are the frame's, the result's too. */
long sys_rt_sigreturn(struct syscall *c)
{
	signal_return(c->regs);
	return regs_ret(c->regs);
}

/* restart_syscall(): the rest of a call that was interrupted; programs do not call it. */
long sys_restart_syscall(struct syscall *c)
{
	struct proc *p = proc_current();

	(void)c;
	return p->restart.fn ? p->restart.fn(p) : -EINTR;
}

/* sigaltstack(new, old): another stack for handlers with SA_ONSTACK. */
long sys_sigaltstack(struct syscall *c)
{
	struct proc *p = proc_current();
	const struct altstack now = p->altstack;
	struct linux_stack user, old = { .sp = now.sp, .bytes = now.bytes };
	struct altstack given;
	int err;

	old.flags = (now.flags & SS_AUTODISARM) | (!now.bytes ? SS_DISABLE :
						   signal_on_altstack(p, c->regs) ? SS_ONSTACK : 0);
	if (c->arg[0]) {
		if (user_get(&user, c->arg[0], sizeof(user)))
			return -EFAULT;
		given = (struct altstack){ user.sp, user.flags, user.bytes };
		err = signal_set_altstack(&given, c->regs);
		if (err)
			return err;
	}
	return c->arg[1] ? user_put(c->arg[1], &old, sizeof(old)) : 0;
}

/* --- blocking */

/* rt_sigprocmask(how, new, old, set_bytes): which signals wait until they are unblocked. */
long sys_rt_sigprocmask(struct syscall *c)
{
	u64 set, old = proc_current()->blocked;
	int how = (int)c->arg[0];

	if (c->arg[3] != SIGSET_BYTES)
		return -EINVAL;
	if (c->arg[1]) {
		if (user_get(&set, c->arg[1], sizeof(set)))
			return -EFAULT;
		if (how == SIG_BLOCK)
			signal_set_blocked(old | set);
		else if (how == SIG_UNBLOCK)
			signal_set_blocked(old & ~set);
		else if (how == SIG_SETMASK)
			signal_set_blocked(set);
		else
			return -EINVAL;
	}
	return c->arg[2] ? user_put(c->arg[2], &old, sizeof(old)) : 0;
}

/* rt_sigpending(set, set_bytes): which blocked signals wait. */
long sys_rt_sigpending(struct syscall *c)
{
	struct proc *p = proc_current();
	u64 set;

	if (c->arg[1] > SIGSET_BYTES)
		return -EINVAL;
	spin_lock(&proc_lock);
	set = (p->pending.set | p->group->pending.set) & p->blocked;
	spin_unlock(&proc_lock);
	return user_put(c->arg[0], &set, c->arg[1]);
}

/* --- waiting */

static long sleep_for_signal(void)
{
	while (!thread_signalled()) {
		sched_prepare_sleep(SLEEP_SIGNALS);
		if (!thread_signalled())
			schedule();
		sched_cancel_sleep();
	}
	return -ERESTARTNOHAND;
}

/* pause(): until a handler has run. */
long sys_pause(struct syscall *c)
{
	(void)c;
	return sleep_for_signal();
}

/* rt_sigsuspend(set, set_bytes): the same with these signals blocked. */
long sys_rt_sigsuspend(struct syscall *c)
{
	u64 set;

	if (c->arg[1] != SIGSET_BYTES)
		return -EINVAL;
	if (user_get(&set, c->arg[0], sizeof(set)))
		return -EFAULT;
	signal_swap_blocked(set);
	return sleep_for_signal();
}

/* Take one of those signals, or sleep until one comes. As long as it sleeps here, one that the
 * task blocks is told to it all the same, and does not end the process. */
static int take_or_wait(struct proc *p, u64 wanted, u64 deadline, struct siginfo *info)
{
	bool taken;
	int err = 0;

	spin_lock(&proc_lock);
	taken = signal_take_locked(p, wanted, info);
	if (!taken && deadline) {
		p->awaited = wanted;
		signal_recalc_locked(p);
		spin_unlock(&proc_lock);
		err = sleep_until(deadline);
		spin_lock(&proc_lock);
		p->awaited = 0;
		taken = signal_take_locked(p, wanted, info);
	}
	signal_recalc_locked(p);
	spin_unlock(&proc_lock);
	return taken ? 0 : err ? -EINTR : -EAGAIN;
}

/* rt_sigtimedwait(set, info, timeout, set_bytes): the number of a signal of the set, taken without
 * a handler. -EAGAIN: none came in time; -EINTR: another one did. */
long sys_rt_sigtimedwait(struct syscall *c)
{
	u8 out[SIGINFO_BYTES] = { 0 };
	u64 wanted, ns, deadline = SLEEP_FOREVER;
	struct siginfo info;
	int err;

	if (c->arg[3] != SIGSET_BYTES)
		return -EINVAL;
	if (user_get(&wanted, c->arg[0], sizeof(wanted)))
		return -EFAULT;
	if (c->arg[2]) {
		err = user_timespec(c->arg[2], &ns);
		if (err)
			return err;
		deadline = ns ? clock_ns() + ns : 0;
	}
	err = take_or_wait(proc_current(), wanted & ~SIGNALS_UNBLOCKABLE, deadline, &info);
	if (err)
		return err;
	memcpy(out, &info, sizeof(info));
	return c->arg[1] && user_put(c->arg[1], out, sizeof(out)) ? -EFAULT : info.signo;
}
