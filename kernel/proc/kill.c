/* SPDX-License-Identifier: MIT */
/*
 * Who may send which signal to whom: kill(2) and its relatives.
 *
 * A process may signal those whose real or saved user id is its own real or effective one, root
 * everybody; SIGCONT goes to anybody in the same session, so that a shell can continue its jobs.
 *
 * Locking: proc lock over each call, so a signal to many reaches all that are there at one
 * moment. A fork under way then is not: its maker is told before the child can be published,
 * and begins again after it has handled the signal (proc_publish()).
 */
#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"

static struct siginfo info_from_caller(int sig, int code)
{
	const struct proc *self = proc_current();

	return (struct siginfo){
		.signo = sig, .code = code, .pid = self->group->pid, .uid = self->cred->uid,
	};
}

static bool may_signal_locked(const struct proc *p, int sig)
{
	const struct proc *self = proc_current();
	const struct cred *me = self->cred, *other = p->cred;

	if (p->group == self->group || me->euid == 0)
		return true;
	if (me->euid == other->suid || me->euid == other->uid || me->uid == other->suid ||
	    me->uid == other->uid)
		return true;
	return sig == SIGCONT && p->group &&
	       p->group->leader->sid == self->group->leader->sid;
}

/* One process, by its leader. signo 0 only asks. A zombie takes everything. */
static int send_checked_locked(struct proc *leader, const struct siginfo *info)
{
	assert_held(&proc_lock);
	if (info->signo < 0 || info->signo > NR_SIGNALS)
		return -EINVAL;
	if (!may_signal_locked(leader, info->signo))
		return -EPERM;
	return info->signo ? proc_signal_locked(leader->group, info) : 0;
}

static int send_to_pid(int pid, const struct siginfo *info)
{
	struct proc *p;
	int err = -ESRCH;

	spin_lock(&proc_lock);
	p = proc_find_locked(pid);
	if (p)
		err = send_checked_locked(p->group ? p->group->leader : p, info);
	spin_unlock(&proc_lock);
	return err;
}

static int send_to_pgrp(int pgid, const struct siginfo *info)
{
	int err, last = -ESRCH;
	bool success = false;
	struct proc *p;

	spin_lock(&proc_lock);
	list_for_each(p, &proc_all, all_link) {
		if (p->pgid != pgid)
			continue;
		err = send_checked_locked(p, info);
		success |= !err;
		last = err;
	}
	spin_unlock(&proc_lock);
	return success ? 0 : last;
}

/* All but pid 1 and the caller. As on Linux those that may not be signalled do not count. */
static int send_to_all(const struct siginfo *info)
{
	const struct proc *self = proc_current()->group->leader;
	int err, ret = -ESRCH;
	struct proc *p;

	spin_lock(&proc_lock);
	list_for_each(p, &proc_all, all_link) {
		if (p == self || p == proc_init_process)
			continue;
		err = send_checked_locked(p, info);
		if (err != -EPERM)
			ret = err;
		else if (ret == -ESRCH)
			ret = 0;
	}
	spin_unlock(&proc_lock);
	return ret;
}

/*
 * kill(2). pid > 0: the process of that task; 0: the caller's process group; -1: all but pid 1
 * and the caller; less: the process group -pid. sig 0 only asks whether it could be sent.
 * Returns 0; -ESRCH: nobody (a zombie is somebody); -EPERM: nobody that the caller may signal;
 * -EINVAL: no such signal. Locks: proc lock. Context: a process.
 */
int proc_kill(int pid, int sig)
{
	struct siginfo info = info_from_caller(sig, SI_USER);

	if (pid > 0)
		return send_to_pid(pid, &info);
	if (pid == -1)
		return send_to_all(&info);
	if (pid < -PID_MAX)
		return -ESRCH;		/* and the smallest number has no opposite */
	return send_to_pgrp(pid ? -pid : proc_current()->group->leader->pgid, &info);
}

/* Send a signal to the task tid, if it is one of process pid (0: of any). Returns as
 * proc_kill(), or -EAGAIN: no room to queue a real-time signal.
 * Locks: proc lock. Context: a process. */
int proc_kill_task(int pid, int tid, const struct siginfo *info)
{
	struct proc *p;
	int err = -ESRCH;

	spin_lock(&proc_lock);
	p = proc_find_locked(tid);
	if (!p || (pid && pid != (p->group ? p->group->pid : p->pid)))
		goto unlock;
	err = -EINVAL;
	if (info->signo < 0 || info->signo > NR_SIGNALS)
		goto unlock;
	err = may_signal_locked(p, info->signo) ? 0 : -EPERM;
	if (!err && info->signo)
		err = proc_signal_task_locked(p, info);
unlock:
	spin_unlock(&proc_lock);
	return err;
}

/* Send a signal with a siginfo of the caller's making to the process pid. Returns as
 * proc_kill(), or -EAGAIN: no room to queue a real-time signal. Locks: proc lock. */
int proc_sigqueue(int pid, const struct siginfo *info)
{
	return pid > 0 ? send_to_pid(pid, info) : -ESRCH;
}

/* Send a signal of the kernel's own to every process of a process group. Returns 0, or -ESRCH:
 * there is none. Locks: proc lock held. */
int proc_signal_pgrp_locked(int pgid, const struct siginfo *info)
{
	struct proc *p;
	int ret = -ESRCH;

	assert_held(&proc_lock);
	list_for_each(p, &proc_all, all_link) {
		if (p->pgid != pgid)
			continue;
		(void)proc_signal_locked(p->group, info);
		ret = 0;
	}
	return ret;
}

/* The same. Locks: proc lock. Context: a thread. */
int proc_signal_pgrp(int pgid, const struct siginfo *info)
{
	int ret;

	spin_lock(&proc_lock);
	ret = proc_signal_pgrp_locked(pgid, info);
	spin_unlock(&proc_lock);
	return ret;
}
