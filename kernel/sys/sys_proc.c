/* SPDX-License-Identifier: MIT */
/* System calls on processes: birth, end, family. */
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"
#include "kernel/sys/calls.h"

#define CLONE_SIGNAL_MASK 0xffu

#define ARCH_SET_FS	0x1002
#define ARCH_GET_FS	0x1003

/* What clone3() takes, as far as it is known here. */
struct linux_clone_args {
	u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_bytes, tls;
	u64 set_tid, set_tid_size, cgroup;
};
#define CLONE_ARGS_MIN	64		/* the first version: up to tls */

/* clone(flags, stack, parent_tid, child_tid, tls): see proc_clone(). */
long sys_clone(struct syscall *c)
{
	struct clone_args args = {
		.flags = (unsigned)c->arg[0] & ~CLONE_SIGNAL_MASK,
		.exit_signal = (int)(c->arg[0] & CLONE_SIGNAL_MASK),
		.stack = c->arg[1], .parent_tid = c->arg[2], .child_tid = c->arg[3],
		.tls = c->arg[4],
	};

	return c->arg[0] >> 32 ? -EINVAL : proc_clone(&args, c->regs);
}

/* A struct whose size says how new it is: what it has beyond ours must be 0 (-E2BIG). */
static int get_clone_args(struct linux_clone_args *out, uaddr_t user, size_t bytes)
{
	u8 more;

	*out = (struct linux_clone_args){ 0 };
	if (bytes > PAGE_SIZE)
		return -E2BIG;
	if (bytes < CLONE_ARGS_MIN)
		return -EINVAL;
	for (size_t at = sizeof(*out); at < bytes; at++) {
		if (user_get(&more, user + at, 1))
			return -EFAULT;
		if (more)
			return -E2BIG;
	}
	return user_get(out, user, MIN(bytes, sizeof(*out)));
}

/* clone3(args, bytes): clone() with room for more. */
long sys_clone3(struct syscall *c)
{
	struct linux_clone_args in;
	struct clone_args args;
	int err = get_clone_args(&in, c->arg[0], c->arg[1]);

	if (err)
		return err;
	if (in.flags >> 32 || (in.flags & (CLONE_DETACHED | CLONE_SIGNAL_MASK)) ||
	    in.exit_signal > NR_SIGNALS || in.set_tid || in.set_tid_size)
		return -EINVAL;
	if ((in.flags & (CLONE_THREAD | CLONE_PARENT)) && in.exit_signal)
		return -EINVAL;
	if (!in.stack != !in.stack_bytes || in.stack > USER_MAX ||
	    in.stack_bytes > USER_MAX - in.stack)
		return -EINVAL;
	args = (struct clone_args){
		.flags = (unsigned)in.flags, .exit_signal = (int)in.exit_signal,
		.stack = in.stack + in.stack_bytes, .parent_tid = in.parent_tid,
		.child_tid = in.child_tid, .tls = in.tls,
	};
	return proc_clone(&args, c->regs);
}

/* fork(): 0 in the child, its pid in the caller. */
long sys_fork(struct syscall *c)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	return proc_clone(&args, c->regs);
}

/* vfork(): a child on the caller's memory; the caller sleeps until its exec or exit. */
long sys_vfork(struct syscall *c)
{
	struct clone_args args = { .flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD };

	return proc_clone(&args, c->regs);
}

/* exit(code): ends the calling thread, with the last one the process. */
long sys_exit(struct syscall *c)
{
	proc_exit((int)(c->arg[0] & 0xff) << 8);
}

/* exit_group(code): ends all threads of the process. */
long sys_exit_group(struct syscall *c)
{
	proc_exit_group((int)(c->arg[0] & 0xff) << 8);
}

/* getpid(): of the process, whichever thread asks. */
long sys_getpid(struct syscall *c)
{
	(void)c;
	return proc_current()->group->pid;
}

/* getppid(): 0 for pid 1. */
long sys_getppid(struct syscall *c)
{
	const struct proc *parent;
	long pid;

	(void)c;
	spin_lock(&proc_lock);
	parent = proc_current()->group->leader->parent;
	pid = parent ? parent->pid : 0;
	spin_unlock(&proc_lock);
	return pid;
}

/* arch_prctl(ARCH_SET_FS, base), (ARCH_GET_FS, where): thread-local storage. -EPERM for a base
 * outside user space; -EINVAL for GS, which belongs to the kernel. */
long sys_arch_prctl(struct syscall *c)
{
	struct thread *t = thread_current();

	switch ((int)c->arg[0]) {
	case ARCH_SET_FS:
		if (c->arg[1] >= USER_MAX)
			return -EPERM;
		t->tls = c->arg[1];
		context_set_tls(t->tls);
		return 0;
	case ARCH_GET_FS:
		return user_put(c->arg[1], &t->tls, sizeof(t->tls));
	default:
		return -EINVAL;
	}
}
