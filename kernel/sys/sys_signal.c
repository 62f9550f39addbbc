/* SPDX-License-Identifier: MIT */
/* System calls on signals: sending, ignoring, blocking, and waiting for one. */
#include "kernel/sys/calls.h"

#define SIGSET_BYTES	8
#define SIG_DFL		0
#define SIG_IGN		1
#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2

/* kill(pid, sig): see proc_kill(). */
long sys_kill(struct syscall *c)
{
	return proc_kill((int)c->arg[0], (int)c->arg[1]);
}

/* tkill(tid, sig): see proc_kill_task(). */
long sys_tkill(struct syscall *c)
{
	int tid = (int)c->arg[0];

	return tid <= 0 ? -EINVAL : proc_kill_task(0, tid, (int)c->arg[1]);
}

/* tgkill(pid, tid, sig): -ESRCH when the two do not belong together. */
long sys_tgkill(struct syscall *c)
{
	int pid = (int)c->arg[0], tid = (int)c->arg[1];

	if (pid <= 0 || tid <= 0)
		return -EINVAL;
	return proc_kill_task(pid, tid, (int)c->arg[2]);
}

static long put_action(uaddr_t user, bool ignored)
{
	struct linux_sigaction old = { .handler = ignored ? SIG_IGN : SIG_DFL };

	return user ? user_put(user, &old, sizeof(old)) : 0;
}

/* rt_sigaction(sig, new, old, set_bytes): default or ignore. -ENOSYS for a handler, since none
 * could be called; -EINVAL for SIGKILL and SIGSTOP. */
long sys_rt_sigaction(struct syscall *c)
{
	struct linux_sigaction action;
	int sig = (int)c->arg[0], old;

	if (c->arg[3] != SIGSET_BYTES)
		return -EINVAL;
	if (!c->arg[1]) {
		old = proc_get_ignored(sig);
		return old < 0 ? old : put_action(c->arg[2], old);
	}
	if (user_get(&action, c->arg[1], sizeof(action)))
		return -EFAULT;
	if (action.handler > SIG_IGN)
		return -ENOSYS;
	old = proc_set_ignored(sig, action.handler == SIG_IGN);
	return old < 0 ? old : put_action(c->arg[2], old);
}

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
			proc_set_blocked(old | set);
		else if (how == SIG_UNBLOCK)
			proc_set_blocked(old & ~set);
		else if (how == SIG_SETMASK)
			proc_set_blocked(set);
		else
			return -EINVAL;
	}
	return c->arg[2] ? user_put(c->arg[2], &old, sizeof(old)) : 0;
}

/* pause(): sleeps until the task is to end. */
long sys_pause(struct syscall *c)
{
	struct waitq nobody_wakes;

	(void)c;
	waitq_init(&nobody_wakes);
	return waitq_wait(&nobody_wakes, false);
}
