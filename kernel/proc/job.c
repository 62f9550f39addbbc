/* SPDX-License-Identifier: MIT */
/*
 * Process groups and sessions: how a shell handles several processes as one job.
 *
 *	session (sid)  ── process group (pgid): the shell
 *	               ── process group: sort | uniq
 *	               ── process group: a job that is stopped
 *
 * Neither is an object: a process group is the leaders in the table that carry its number. The
 * number is the pid of the process that founded it and is given to nobody else while a member
 * is left (pid.c). Walks over all processes are rare: jobs are made, stopped and orphaned at
 * the pace of a person.
 *
 * A process group is orphaned when no parent of a member is in the same session but another
 * group: nobody is left who would continue it when it stops. One that becomes so with a stopped
 * member gets SIGHUP and SIGCONT.
 *
 * Locking: proc lock.
 */
#include "kernel/lib/errno.h"
#include "kernel/proc/job.h"

/* Is some process in process group or session nr? Locks: proc lock held. */
bool job_number_used_locked(int nr)
{
	struct proc *p;

	assert_held(&proc_lock);
	list_for_each(p, &proc_all, all_link) {
		if (p->pgid == nr || p->sid == nr)
			return true;
	}
	return false;
}

static struct proc *find_member_locked(int pgid)
{
	struct proc *p;

	list_for_each(p, &proc_all, all_link) {
		if (p->pgid == pgid)
			return p;
	}
	return NULL;
}

/* Is process group pgid orphaned, or will it be without the member except?
 * Locks: proc lock held. */
bool job_is_orphaned_locked(int pgid, const struct proc *except)
{
	struct proc *p;

	assert_held(&proc_lock);
	list_for_each(p, &proc_all, all_link) {
		const struct proc *parent = p->parent;

		if (p->pgid != pgid || p == except || !p->group || !parent ||
		    parent == proc_init_process)
			continue;
		if (parent->pgid != pgid && parent->sid == p->sid)
			return false;
	}
	return true;
}

static bool has_stopped_locked(int pgid)
{
	struct proc *p;

	list_for_each(p, &proc_all, all_link) {
		if (p->pgid == pgid && p->group && p->group->stopped)
			return true;
	}
	return false;
}

/* p was a connection of its process group to the outside through parent, and is none any more:
 * has that orphaned it? */
static void check_orphaned_locked(const struct proc *p, const struct proc *parent,
				  const struct proc *except)
{
	const struct siginfo hup = { .signo = SIGHUP, .code = SI_KERNEL };
	const struct siginfo cont = { .signo = SIGCONT, .code = SI_KERNEL };

	if (!parent || parent->pgid == p->pgid || parent->sid != p->sid)
		return;
	if (!job_is_orphaned_locked(p->pgid, except) || !has_stopped_locked(p->pgid))
		return;
	(void)proc_signal_pgrp_locked(p->pgid, &hup);
	(void)proc_signal_pgrp_locked(p->pgid, &cont);
}

/* old_parent has ended and child has another parent. Locks: proc lock held. */
void job_reparented_locked(struct proc *child, const struct proc *old_parent)
{
	check_orphaned_locked(child, old_parent, NULL);
}

/* The process of leader has ended, its children have other parents; it is no zombie yet.
 * Locks: proc lock held. */
void job_ended_locked(struct proc *leader)
{
	ctty_leave_locked(leader, true);
	check_orphaned_locked(leader, leader->parent, leader);
}

/* May the caller's process self move p to another process group? */
static int may_move_locked(const struct proc *self, const struct proc *p)
{
	if (p->parent == self) {
		if (p->sid != self->sid)
			return -EPERM;
		if (p->has_execed)
			return -EACCES;
	} else if (p != self) {
		return -ESRCH;
	}
	return p->sid == p->pid ? -EPERM : 0;
}

static int setpgid_locked(const struct proc *self, int pid, int pgid)
{
	struct proc *p = proc_find_locked(pid), *member;
	int err;

	if (!p)
		return -ESRCH;
	if (p->group && p->group->leader != p)
		return -EINVAL;
	err = may_move_locked(self, p);
	if (err)
		return err;
	if (pgid != pid) {
		member = find_member_locked(pgid);
		if (!member || member->sid != self->sid)
			return -EPERM;
	}
	p->pgid = pgid;
	return 0;
}

/*
 * setpgid(2): move a process, the caller's (pid 0) or a child, to process group pgid (0: one of
 * its own). Returns 0; -EINVAL: pgid below 0, or pid is a thread; -ESRCH: no such child; -EACCES:
 * the child has called exec; -EPERM: another session, a session leader, or no such group.
 * Locks: proc lock. Context: a process.
 */
long job_setpgid(int pid, int pgid)
{
	struct tgroup *g = proc_current()->group;
	int err;

	pid = pid ? pid : g->pid;
	pgid = pgid ? pgid : pid;
	if (pgid < 0)
		return -EINVAL;
	spin_lock(&proc_lock);
	err = setpgid_locked(g->leader, pid, pgid);
	spin_unlock(&proc_lock);
	return err;
}

/* The process group, or the session, of the process that task pid belongs to. */
static long number_of(int pid, bool session)
{
	struct proc *p;
	long ret = -ESRCH;

	spin_lock(&proc_lock);
	p = pid ? proc_find_locked(pid) : proc_current();
	if (p && p->group)
		p = p->group->leader;
	if (p)
		ret = session ? p->sid : p->pgid;
	spin_unlock(&proc_lock);
	return ret;
}

/* getpgid(2): the process group of a process (0: the caller's), or -ESRCH. Locks: proc lock. */
long job_getpgid(int pid)
{
	return number_of(pid, false);
}

/* getsid(2): the session of a process (0: the caller's), or -ESRCH. Locks: proc lock. */
long job_getsid(int pid)
{
	return number_of(pid, true);
}

/* setsid(2): the caller's process leads a session and a process group of its own, without a
 * terminal. Returns their number; -EPERM: it leads a process group already, or another process
 * is in the group with its number. Locks: proc lock. Context: a process. */
long job_setsid(void)
{
	struct tgroup *g = proc_current()->group;
	struct proc *p = g->leader;
	long ret = -EPERM;

	spin_lock(&proc_lock);
	if (p->sid != p->pid && !find_member_locked(p->pid)) {
		p->sid = p->pgid = p->pid;
		p->has_tty = false;
		ret = p->pid;
	}
	spin_unlock(&proc_lock);
	return ret;
}
