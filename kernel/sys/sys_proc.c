/* SPDX-License-Identifier: MIT */
/* System calls on processes: birth, program, end, identity. */
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"
#include "kernel/sys/calls.h"

#define CLONE_SIGNAL_MASK 0xffu

#define ARCH_SET_FS	0x1002
#define ARCH_GET_FS	0x1003

#define RUSAGE_SELF	0
#define RUSAGE_CHILDREN	(-1)
#define RUSAGE_THREAD	1

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

/* Make room for one more string: the buffer doubles, up to what an exec may take at all. */
static int grow(struct exec_strings *s, size_t *room)
{
	size_t bigger = *room ? *room * 2 : PAGE_SIZE;
	char *data;

	if (*room >= EXEC_ARG_MAX)
		return -E2BIG;
	data = kmalloc(bigger, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	if (s->bytes)
		memcpy(data, s->data, s->bytes);
	kfree(s->data);
	s->data = data;
	*room = bigger;
	return 0;
}

static int add_string(struct exec_strings *s, size_t *room, uaddr_t user)
{
	long len = -ENAMETOOLONG;
	int err = 0;

	while (len == -ENAMETOOLONG && !err) {
		if (s->bytes < *room)
			len = copy_string_from_user(s->data + s->bytes, user, *room - s->bytes);
		if (len == -ENAMETOOLONG)
			err = grow(s, room);
	}
	if (err || len < 0)
		return err ? err : (int)len;
	s->bytes += (size_t)len + 1;
	s->count++;
	return s->bytes + 8ul * s->count > EXEC_ARG_MAX ? -E2BIG : 0;
}

/* Copy a user's NULL-terminated array of strings; no array is an empty one. The caller frees
 * data, on failure too. Returns 0, -EFAULT, -E2BIG or -ENOMEM. */
static int copy_strings(uaddr_t array, struct exec_strings *out)
{
	size_t room = 0;
	uaddr_t string;
	int err;

	*out = (struct exec_strings){ 0 };
	if (!array)
		return 0;
	for (;; array += sizeof(string)) {
		err = user_get(&string, array, sizeof(string));
		if (err || !string)
			return err;
		err = add_string(out, &room, string);
		if (err)
			return err;
	}
}

/* A program without argv[0] reads past its arguments: give it an empty one, as Linux does. */
static void use_empty_argv(struct exec_strings *argv, char *empty)
{
	*empty = '\0';
	*argv = (struct exec_strings){ .data = empty, .bytes = 1, .count = 1 };
}

/* execve(path, argv, envp): does not return on success; see proc_exec() for the errors. */
long sys_execve(struct syscall *c)
{
	struct exec_strings argv, envp = { 0 }, given;
	char *path, empty;
	long ret = user_path(c->arg[0], &path);

	if (ret)
		return ret;
	ret = copy_strings(c->arg[1], &argv);
	if (!ret)
		ret = copy_strings(c->arg[2], &envp);
	given = argv;
	if (!ret && argv.count == 0)
		use_empty_argv(&argv, &empty);
	if (!ret)
		ret = proc_exec(path, &argv, &envp, c->regs);
	kfree(given.data);
	kfree(envp.data);
	kfree(path);
	return ret;
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

static long put_rusage(uaddr_t user, u64 cpu_ns)
{
	struct linux_rusage usage = {
		.user = { (s64)(cpu_ns / 1000000000), (s64)(cpu_ns % 1000000000 / 1000) },
	};

	return user_put(user, &usage, sizeof(usage));
}

/* getrusage(who, usage): time of the process, of the children it has waited for, or of the
 * calling thread; all of it is shown as user time. */
long sys_getrusage(struct syscall *c)
{
	struct proc_times times;

	proc_times(&times);
	switch ((int)c->arg[0]) {
	case RUSAGE_SELF:
		return put_rusage(c->arg[1], times.group_ns);
	case RUSAGE_CHILDREN:
		return put_rusage(c->arg[1], times.children_ns);
	case RUSAGE_THREAD:
		return put_rusage(c->arg[1], times.task_ns);
	default:
		return -EINVAL;
	}
}

/* wait4(pid, status, options, rusage): see proc_wait(). As on Linux the child is gone even if
 * the status could not be stored. All of a process's time is shown as user time. */
long sys_wait4(struct syscall *c)
{
	struct wait_result result;
	long pid = proc_wait((int)c->arg[0], (unsigned)c->arg[2], &result), err;

	if (pid <= 0)
		return pid;
	if (c->arg[1] && user_put(c->arg[1], &result.status, sizeof(result.status)))
		return -EFAULT;
	err = c->arg[3] ? put_rusage(c->arg[3], result.cpu_ns) : 0;
	return err ? err : pid;
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

/* getuid(), and the three below: everyone is root. */
long sys_getuid(struct syscall *c)
{
	(void)c;
	return 0;
}

/* geteuid(): root. */
long sys_geteuid(struct syscall *c)
{
	return sys_getuid(c);
}

/* getgid(): root's. */
long sys_getgid(struct syscall *c)
{
	return sys_getuid(c);
}

/* getegid(): root's. */
long sys_getegid(struct syscall *c)
{
	return sys_getuid(c);
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
