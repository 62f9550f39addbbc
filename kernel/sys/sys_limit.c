/* SPDX-License-Identifier: MIT */
/* System calls on what processes may use and have used: limits, usage, priorities, policies; and
 * prctl. */
#include "kernel/lib/string.h"
#include "kernel/sys/calls.h"

#define NS_PER_SEC	1000000000ull

#define RUSAGE_SELF	0
#define RUSAGE_CHILDREN	(-1)
#define RUSAGE_THREAD	1

/* May the caller look at or change what belongs to p? Locks: proc lock held. */
static bool may_touch_locked(const struct proc *p)
{
	const struct cred *own = proc_current()->cred, *c = p->cred;

	assert_held(&proc_lock);
	return p->group == proc_current()->group || own->euid == 0 ||
	       (own->uid == c->uid && own->uid == c->euid && own->uid == c->suid &&
		own->gid == c->gid && own->gid == c->egid && own->gid == c->sgid);
}

static long change(int pid, unsigned kind, const struct rlimit *to, struct rlimit *old)
{
	struct proc *p;
	long err = -ESRCH;

	if (kind >= NR_RLIMITS)
		return -EINVAL;
	spin_lock(&proc_lock);
	p = pid ? proc_find_locked(pid) : proc_current();
	if (p && p->group)
		err = may_touch_locked(p) ? limit_change(p->group, kind, to, old) : -EPERM;
	spin_unlock(&proc_lock);
	return err;
}

/* prlimit64(pid, resource, new, old). */
long sys_prlimit64(struct syscall *c)
{
	struct rlimit to, old;
	long err;

	if (c->arg[2] && user_get(&to, c->arg[2], sizeof(to)))
		return -EFAULT;
	err = change((int)c->arg[0], (unsigned)c->arg[1], c->arg[2] ? &to : NULL, &old);
	return err || !c->arg[3] ? err : user_put(c->arg[3], &old, sizeof(old));
}

/* getrlimit(resource, limit). */
long sys_getrlimit(struct syscall *c)
{
	struct rlimit old;
	long err = change(0, (unsigned)c->arg[0], NULL, &old);

	return err ? err : user_put(c->arg[1], &old, sizeof(old));
}

/* setrlimit(resource, limit). */
long sys_setrlimit(struct syscall *c)
{
	struct rlimit to;

	if (user_get(&to, c->arg[1], sizeof(to)))
		return -EFAULT;
	return change(0, (unsigned)c->arg[0], &to, NULL);
}

static struct linux_timeval to_timeval(u64 ns)
{
	return (struct linux_timeval){ (s64)(ns / NS_PER_SEC), (s64)(ns % NS_PER_SEC / 1000) };
}

/* A struct rusage for the user: 0 or -EFAULT. */
long user_put_rusage(uaddr_t user, u64 cpu_ns, u64 user_ns, unsigned long max_pages)
{
	struct linux_rusage usage = {
		.user = to_timeval(user_ns), .system = to_timeval(cpu_ns - MIN(user_ns, cpu_ns)),
		.max_rss_kib = (s64)(max_pages * (PAGE_SIZE / 1024)),
	};

	return user_put(user, &usage, sizeof(usage));
}

/* getrusage(who, usage): of the process, of the children it has waited for, or of the calling
 * thread. */
long sys_getrusage(struct syscall *c)
{
	struct proc_times t;

	proc_times(&t);
	switch ((int)c->arg[0]) {
	case RUSAGE_SELF:
		return user_put_rusage(c->arg[1], t.group_ns, t.group_user_ns, t.max_pages);
	case RUSAGE_CHILDREN:
		return user_put_rusage(c->arg[1], t.children_ns, t.children_user_ns,
				       t.children_max_pages);
	case RUSAGE_THREAD:
		return user_put_rusage(c->arg[1], t.task_ns, t.task_user_ns, t.max_pages);
	default:
		return -EINVAL;
	}
}

/* --- priorities: kept and told, but every task gets the same share */

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };
#define NICE_MIN	(-20)
#define NICE_MAX	19

struct prio_call {
	int which, who;
	bool set;
	int nice;			/* set: the new one; else the least found */
	long ret;			/* set: the last answer */
	bool any;
};

static void touch_nice_locked(struct prio_call *call, struct proc *p)
{
	const struct cred *own = proc_current()->cred;

	call->any = true;
	if (!call->set) {
		call->nice = MIN(call->nice, p->nice);
		return;
	}
	if (own->euid != 0 && own->euid != p->cred->uid && own->euid != p->cred->euid)
		call->ret = -EPERM;
	else if (call->nice < p->nice && own->euid != 0 &&
		 20 - call->nice > (int)MIN(limit_current(RLIMIT_NICE), 40ull))
		call->ret = -EACCES;
	else
		p->nice = (signed char)call->nice;
}

static bool prio_means_locked(const struct prio_call *call, const struct proc *p)
{
	const struct proc *self = proc_current();

	if (call->which == PRIO_PGRP)
		return p->pgid == (call->who ? call->who : self->group->leader->pgid);
	return p->cred->uid == (call->who ? (u32)call->who : self->cred->uid);
}

static long prio(struct prio_call *call)
{
	struct proc *leader, *p;

	if (call->which < PRIO_PROCESS || call->which > PRIO_USER)
		return -EINVAL;
	spin_lock(&proc_lock);
	if (call->which == PRIO_PROCESS) {
		p = call->who ? proc_find_locked(call->who) : proc_current();
		if (p)
			touch_nice_locked(call, p);
	} else {
		list_for_each(leader, &proc_all, all_link) {
			if (!leader->group || !prio_means_locked(call, leader))
				continue;
			list_for_each(p, &leader->group->tasks, group_link)
				touch_nice_locked(call, p);
		}
	}
	spin_unlock(&proc_lock);
	return call->any ? call->ret : -ESRCH;
}

/* getpriority(which, who): 20 minus the lowest nice value, so that it is no error. */
long sys_getpriority(struct syscall *c)
{
	struct prio_call call = {
		.which = (int)c->arg[0], .who = (int)c->arg[1], .nice = NICE_MAX,
	};
	long err = prio(&call);

	return err ? err : 20 - call.nice;
}

/* setpriority(which, who, nice). */
long sys_setpriority(struct syscall *c)
{
	struct prio_call call = {
		.which = (int)c->arg[0], .who = (int)c->arg[1], .set = true,
		.nice = MAX(MIN((int)c->arg[2], NICE_MAX), NICE_MIN),
	};

	return prio(&call);
}

/* --- policies: there is SCHED_OTHER */

#define SCHED_OTHER	0
#define SCHED_RR	2
#define SCHED_BATCH	3
#define SCHED_IDLE	5
#define SCHED_DEADLINE	6
#define SCHED_RESET_ON_FORK 0x40000000

static long task_exists(int pid)
{
	struct proc *p;

	if (pid < 0)
		return -EINVAL;
	p = pid ? proc_find(pid) : NULL;
	if (p)
		proc_put(p);
	return p || pid == 0 ? 0 : -ESRCH;
}

/* sched_getscheduler(pid). */
long sys_sched_getscheduler(struct syscall *c)
{
	long err = task_exists((int)c->arg[0]);

	return err ? err : SCHED_OTHER;
}

/* sched_setscheduler(pid, policy, param): -EPERM for a policy that is not there. */
long sys_sched_setscheduler(struct syscall *c)
{
	int policy = (int)c->arg[1] & ~SCHED_RESET_ON_FORK;
	s32 priority;
	long err;

	if (!c->arg[2] || (int)c->arg[0] < 0 || (int)c->arg[1] < 0)
		return -EINVAL;
	if (user_get(&priority, c->arg[2], sizeof(priority)))
		return -EFAULT;
	err = task_exists((int)c->arg[0]);
	if (err)
		return err;
	if (policy > SCHED_DEADLINE || policy == 4 ||
	    (priority != 0) != (policy == SCHED_RR || policy == 1))
		return -EINVAL;
	return policy == SCHED_OTHER ? 0 : -EPERM;
}

/* sched_getparam(pid, param). */
long sys_sched_getparam(struct syscall *c)
{
	s32 priority = 0;
	long err;

	if (!c->arg[1])
		return -EINVAL;
	err = task_exists((int)c->arg[0]);
	return err ? err : user_put(c->arg[1], &priority, sizeof(priority));
}

/* sched_setparam(pid, param). */
long sys_sched_setparam(struct syscall *c)
{
	s32 priority;
	long err;

	if (!c->arg[1] || (int)c->arg[0] < 0)
		return -EINVAL;
	if (user_get(&priority, c->arg[1], sizeof(priority)))
		return -EFAULT;
	err = task_exists((int)c->arg[0]);
	return err || priority == 0 ? err : -EINVAL;
}

static long priority_bound(int policy, long real_time)
{
	switch (policy) {
	case 1: case SCHED_RR:
		return real_time;
	case SCHED_OTHER: case SCHED_BATCH: case SCHED_IDLE: case SCHED_DEADLINE:
		return 0;
	default:
		return -EINVAL;
	}
}

/* sched_get_priority_max(policy). */
long sys_sched_get_priority_max(struct syscall *c)
{
	return priority_bound((int)c->arg[0], 99);
}

/* sched_get_priority_min(policy). */
long sys_sched_get_priority_min(struct syscall *c)
{
	return priority_bound((int)c->arg[0], 1);
}

/* --- prctl */

enum {
	PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE,
	PR_SET_NAME = 15, PR_GET_NAME, PR_CAPBSET_READ = 23, PR_SET_CHILD_SUBREAPER = 36,
	PR_GET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS,
};

/* Up to 15 bytes; a longer name is cut. */
static long set_own_name(struct proc *p, uaddr_t user)
{
	char name[sizeof(p->comm)] = { 0 };
	long len = copy_string_from_user(name, user, sizeof(name) - 1);

	if (len < 0 && len != -ENAMETOOLONG)
		return len;
	memcpy(p->comm, name, sizeof(name));
	memcpy(p->thread.name, name, sizeof(name));
	return 0;
}

static long set_no_new_privs(struct proc *p, const u64 arg[])
{
	if (arg[1] != 1 || arg[2] || arg[3] || arg[4])
		return -EINVAL;
	p->no_new_privs = true;
	return 0;
}

/* prctl(option, ...): -EINVAL for what is not there. */
long sys_prctl(struct syscall *c)
{
	struct proc *p = proc_current();
	const u64 *arg = c->arg;
	u32 word;

	switch ((int)arg[0]) {
	case PR_SET_PDEATHSIG:
		if (arg[1] > NR_SIGNALS)
			return -EINVAL;
		p->death_signal = (int)arg[1];
		return 0;
	case PR_GET_PDEATHSIG:
		word = (u32)p->death_signal;
		return user_put(arg[1], &word, sizeof(word));
	case PR_GET_DUMPABLE:
		return p->group->dumpable;
	case PR_SET_DUMPABLE:
		if (arg[1] > 1)
			return -EINVAL;
		p->group->dumpable = arg[1];
		return 0;
	case PR_SET_NAME:
		return set_own_name(p, arg[1]);
	case PR_GET_NAME:
		return user_put(arg[1], p->comm, sizeof(p->comm));
	case PR_CAPBSET_READ:
		return arg[1] <= 40 ? 1 : -EINVAL;
	case PR_SET_CHILD_SUBREAPER:
		p->group->subreaper = arg[1];
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		word = p->group->subreaper;
		return user_put(arg[1], &word, sizeof(word));
	case PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(p, arg);
	case PR_GET_NO_NEW_PRIVS:
		return arg[1] || arg[2] || arg[3] || arg[4] ? -EINVAL : p->no_new_privs;
	default:
		return -EINVAL;
	}
}

/* personality(which): Linux's own is the only one. */
long sys_personality(struct syscall *c)
{
	u32 which = (u32)c->arg[0];

	return which == 0 || which == 0xffffffffu ? 0 : -EINVAL;
}
