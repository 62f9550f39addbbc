/* SPDX-License-Identifier: MIT */
/* System calls on families of processes: waiting for children, process groups, sessions. */
#include "kernel/lib/string.h"
#include "kernel/proc/job.h"
#include "kernel/sys/calls.h"

#define WAIT_HOW	(WNOHANG | WNOTHREAD | WALL | WCLONE)
#define WAIT_WHAT	(WEXITED | WUNTRACED | WCONTINUED)

/* wait4(pid, status, options, rusage): pid > 0: that child, 0: one of the caller's process group,
 * -1: any, less: one of group -pid; see proc_wait(). As on Linux the child is gone even if the
 * status could not be stored. All of a process's time is shown as user time. */
long sys_wait4(struct syscall *c)
{
	int pid = (int)c->arg[0];
	unsigned options = (unsigned)c->arg[2];
	struct wait_for what = {
		.which = pid == -1 ? P_ALL : pid > 0 ? P_PID : P_PGID,
		.options = options | WEXITED,
	};
	struct wait_result result;
	long ret;

	if (options & ~(WAIT_HOW | WUNTRACED | WCONTINUED))
		return -EINVAL;
	if (pid == -0x7fffffff - 1)
		return -ESRCH;		/* no group is called that */
	what.id = pid < 0 ? -pid : pid;
	ret = proc_wait(&what, &result);
	if (ret <= 0)
		return ret;
	if (c->arg[1] && user_put(c->arg[1], &result.status, sizeof(result.status)))
		return -EFAULT;
	if (c->arg[3] && user_put_rusage(c->arg[3], result.cpu_ns, result.user_ns,
				       result.max_pages))
		return -EFAULT;
	return ret;
}

static int check_waitid(const struct wait_for *what)
{
	if ((what->options & ~(WAIT_HOW | WAIT_WHAT | WNOWAIT)) || !(what->options & WAIT_WHAT))
		return -EINVAL;
	switch (what->which) {
	case P_ALL:
		return 0;
	case P_PID:
		return what->id > 0 ? 0 : -EINVAL;
	case P_PGID:
		return what->id >= 0 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* waitid(which, id, info, options, rusage): 0, and in info what there is to tell (signo 0:
 * nothing, with WNOHANG). As on Linux info is written when the wait fails, too. */
long sys_waitid(struct syscall *c)
{
	struct wait_for what = {
		.which = (int)c->arg[0], .id = (int)c->arg[1], .options = (unsigned)c->arg[3],
	};
	struct wait_result result;
	s32 info[7] = { 0 };		/* signo, errno, code, -, pid, uid, status */
	long ret = check_waitid(&what);

	if (ret)
		return ret;
	ret = proc_wait(&what, &result);
	if (ret > 0) {
		info[0] = SIGCHLD;
		info[2] = result.code;
		info[4] = result.pid;
		info[5] = (s32)result.uid;
		info[6] = wait_result_status(&result);
		if (c->arg[4] && user_put_rusage(c->arg[4], result.cpu_ns, result.user_ns,
					       result.max_pages))
			return -EFAULT;
		ret = 0;
	}
	if (c->arg[2] && user_put(c->arg[2], info, sizeof(info)))
		return -EFAULT;
	return ret;
}

/* setpgid(pid, pgid): see job_setpgid(). */
long sys_setpgid(struct syscall *c)
{
	return job_setpgid((int)c->arg[0], (int)c->arg[1]);
}

/* getpgid(pid): see job_getpgid(). */
long sys_getpgid(struct syscall *c)
{
	return job_getpgid((int)c->arg[0]);
}

/* getpgrp(): the caller's own. */
long sys_getpgrp(struct syscall *c)
{
	(void)c;
	return job_getpgid(0);
}

/* setsid(): see job_setsid(). */
long sys_setsid(struct syscall *c)
{
	(void)c;
	return job_setsid();
}

/* getsid(pid): see job_getsid(). */
long sys_getsid(struct syscall *c)
{
	return job_getsid((int)c->arg[0]);
}
