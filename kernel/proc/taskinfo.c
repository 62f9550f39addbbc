/* SPDX-License-Identifier: MIT */
/*
 * What readers of /proc get to know of a task. A key names it by tid and time of birth, so a
 * tid that was given again is another task. All is copied, or referenced, under proc lock; the
 * texts are made of it afterwards.
 */
#include "arch/clock.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/procfiles.h"
#include "kernel/sched/load.h"

static struct proc *find_locked(const struct procfs_key *key)
{
	struct proc *p = proc_find_locked((int)key->nr);

	return p && p->start_ns == key->birth ? p : NULL;
}

/* Is the task still in the table? Locks: proc lock taken. */
bool task_alive(const struct procfs_key *key)
{
	bool alive;

	spin_lock(&proc_lock);
	alive = find_locked(key) != NULL;
	spin_unlock(&proc_lock);
	return alive;
}

static char state_of(const struct proc *p)
{
	if (p->state == PROC_ZOMBIE || p->state == PROC_LEFT)
		return 'Z';
	if (p->stopped)
		return 'T';
	if (READ_ONCE(p->thread.state) == THREAD_READY)
		return 'R';
	return p->thread.sleep == SLEEP_SIGNALS ? 'S' : 'D';
}

static void note_times_locked(const struct proc *p, bool whole, struct task_info *out)
{
	const struct tgroup *g = p->group;
	u64 total = thread_cpu_ns(&p->thread);

	out->user_ns = thread_user_ns(&p->thread);
	if (whole && g) {
		total = group_cpu_ns_locked(g);
		out->user_ns = group_user_ns_locked(g);
		out->children_user_ns = g->children_user_ns;
		out->children_kernel_ns = g->children_ns - MIN(g->children_ns, g->children_user_ns);
	} else if (whole) {
		total = p->total_ns;
		out->user_ns = p->total_user_ns;
	}
	out->kernel_ns = total - MIN(total, out->user_ns);
}

static void note_signals_locked(const struct proc *p, struct task_info *out)
{
	const struct tgroup *g = p->group;

	out->pending = p->pending.set;
	out->blocked = p->blocked;
	if (!g)
		return;
	out->shared_pending = g->pending.set;
	for (int sig = 1; sig <= NR_SIGNALS; sig++) {
		uaddr_t handler = g->sighand->action[sig - 1].handler;

		if (handler == SIG_IGN)
			out->ignored |= SIGNAL_BIT(sig);
		else if (handler != SIG_DFL)
			out->caught |= SIGNAL_BIT(sig);
	}
}

static void note_locked(const struct proc *p, bool whole, struct task_info *out)
{
	const struct tgroup *g = p->group;
	const struct proc *leader = g ? g->leader : p;

	*out = (struct task_info){
		.tid = p->pid, .pid = g ? g->pid : p->pid,
		.ppid = leader->parent ? leader->parent->pid : 0,
		.pgid = leader->pgid, .sid = leader->sid, .has_tty = leader->has_tty,
		.state = state_of(p), .nr_tasks = g ? g->nr_tasks : 1,
		.cpu = READ_ONCE(p->thread.cpu), .nice = p->nice,
		.exit_signal = p->exit_signal, .exit_status = p->exit_status,
		.start_ns = p->start_ns,
	};
	memcpy(out->comm, p->comm, sizeof(out->comm));
	note_times_locked(p, whole, out);
	note_signals_locked(p, out);
}

/* See procfiles.h. */
int task_info(const struct procfs_key *key, bool whole, struct task_info *out)
{
	struct proc *p;

	spin_lock(&proc_lock);
	p = find_locked(key);
	if (p)
		note_locked(p, whole, out);
	spin_unlock(&proc_lock);
	return p ? 0 : -ESRCH;
}

/* Its address space. */
int task_mm(const struct procfs_key *key, struct mm **out)
{
	struct proc *p;

	spin_lock(&proc_lock);
	p = find_locked(key);
	*out = p && p->mm ? mm_get(p->mm) : NULL;
	spin_unlock(&proc_lock);
	return *out ? 0 : p ? -ENOENT : -ESRCH;
}

/* Its descriptors. */
int task_files(const struct procfs_key *key, struct files **out)
{
	struct proc *p;

	spin_lock(&proc_lock);
	p = find_locked(key);
	*out = p && p->files ? files_get(p->files) : NULL;
	spin_unlock(&proc_lock);
	return *out ? 0 : p ? -ENOENT : -ESRCH;
}

/* Its place in the tree. */
int task_fs(const struct procfs_key *key, struct fs_context **out)
{
	struct proc *p;

	spin_lock(&proc_lock);
	p = find_locked(key);
	*out = p && p->fs ? fs_get(p->fs) : NULL;
	spin_unlock(&proc_lock);
	return *out ? 0 : p ? -ENOENT : -ESRCH;
}

/* Who it is. */
int task_cred(const struct procfs_key *key, struct cred **out)
{
	struct proc *p;

	spin_lock(&proc_lock);
	p = find_locked(key);
	*out = p ? cred_get(p->cred) : NULL;
	spin_unlock(&proc_lock);
	return *out ? 0 : -ESRCH;
}

/* What it shares with the other tasks of its process. */
int task_group(const struct procfs_key *key, struct tgroup **out)
{
	struct proc *p;

	spin_lock(&proc_lock);
	p = find_locked(key);
	*out = p ? p->group : NULL;
	if (*out)
		refcount_get(&(*out)->refs);
	spin_unlock(&proc_lock);
	return *out ? 0 : p ? -ENOENT : -ESRCH;
}

static bool may_look_locked(const struct proc *p)
{
	const struct cred *me = cred_current(), *it = p->cred;
	const struct proc *self = proc_current();

	if (me->fsuid == 0 || (self && self->group == p->group))
		return true;
	return me->fsuid == it->uid && me->fsuid == it->euid && me->fsuid == it->suid &&
	       me->fsgid == it->gid && me->fsgid == it->egid && me->fsgid == it->sgid &&
	       p->group && p->group->dumpable;
}

/* May the caller look into the task: read its memory map, follow its descriptors? Root may, and
 * who is the same user in every respect, unless it was another one (or asked not to be looked
 * into); a task may look into its own process. */
bool task_may_look(const struct procfs_key *key)
{
	struct proc *p;
	bool may;

	spin_lock(&proc_lock);
	p = find_locked(key);
	may = p ? may_look_locked(p) : cred_current()->fsuid == 0;
	spin_unlock(&proc_lock);
	return may;
}
