/* SPDX-License-Identifier: MIT */
/*
 * The pid table and the family tree.
 *
 * A task is in the table from proc_publish() until its end; a leader is in the list of all and
 * in its parent's list of children as well, and in all three until it is reaped
 * (proc_unlink_locked()). The table holds one reference. Pids rise and wrap at PID_MAX; a pid
 * in use, a zombie's too, is never given again, nor is one that a process group or session still
 * has.
 *
 * Nothing here is freed under a reader: who walks the table, the list or the family holds proc
 * lock, and who keeps a task beyond that holds a reference.
 */
#include "arch/clock.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/job.h"

#define PID_BUCKETS	1024u

struct spinlock proc_lock = SPINLOCK_INIT(RANK_PROC, "proc");
struct list proc_all = LIST_INIT(proc_all);
struct proc *proc_init_process;
unsigned long proc_nr_made;

static struct list pid_hash[PID_BUCKETS];
static int last_pid;			/* [proc lock] */
static bool wrapped;			/* [proc lock] pids begin again: one may have been used */
static unsigned long nr_procs;		/* [proc lock] tasks, zombies included */

static struct list *pid_bucket(int pid)
{
	return &pid_hash[(unsigned)pid % PID_BUCKETS];
}

/* The task with this tid, a zombie too; NULL: there is none. Locks: proc lock held. */
struct proc *proc_find_locked(int pid)
{
	struct proc *p;

	assert_held(&proc_lock);
	list_for_each(p, pid_bucket(pid), hash_link) {
		if (p->pid == pid)
			return p;
	}
	return NULL;
}

/*
 * The task with this tid, referenced; a zombie too. NULL: there is none.
 * Locks: proc lock. Context: a thread.
 */
struct proc *proc_find(int pid)
{
	struct proc *p;

	if (pid <= 0)
		return NULL;
	spin_lock(&proc_lock);
	p = proc_find_locked(pid);
	if (p)
		refcount_get(&p->refs);
	spin_unlock(&proc_lock);
	return p;
}

/* Drop a reference; the last one frees the task object. Locks: no spinlock held. */
void proc_put(struct proc *p)
{
	if (refcount_put(&p->refs))
		proc_free(p);
}

/* The task that runs on this CPU; NULL in a kernel thread. Context: any. */
struct proc *proc_current(void)
{
	return thread_current()->owner;
}

/* The last pid that was given. Context: any; may be stale. */
int proc_last_pid(void)
{
	return READ_ONCE(last_pid);
}

/* How many tasks the table holds, zombies included. Context: any; may be stale. */
unsigned long proc_count(void)
{
	return READ_ONCE(nr_procs);
}

static int pid_alloc_locked(void)
{
	assert_held(&proc_lock);
	if (nr_procs >= PID_MAX - 1)
		return -EAGAIN;
	do {
		last_pid = last_pid + 1 < PID_MAX ? last_pid + 1 : 1;
		wrapped |= last_pid == 1 && nr_procs;
	} while (proc_find_locked(last_pid) || (wrapped && job_number_used_locked(last_pid)));
	return last_pid;
}

/* The job is that of the maker, also when the parent is another. What that one hears of p's end
 * is then not p's to choose: it may be anybody's process. */
static void enter_family_locked(struct proc *p, const struct proc *creator)
{
	struct proc *maker = creator ? creator->group->leader : NULL;

	p->group->pid = p->pid;
	list_append(&proc_all, &p->all_link);
	if (!maker) {
		p->pgid = p->sid = p->pid;
		proc_init_process = p;
		return;
	}
	p->parent = p->is_sibling ? maker->parent : maker;
	p->exit_signal = p->is_sibling ? maker->exit_signal : p->exit_signal;
	p->pgid = maker->pgid;
	p->sid = maker->sid;
	p->has_tty = maker->has_tty;
	list_append(&p->parent->children, &p->sibling);
}

static int birth_hindered_locked(const struct proc *creator)
{
	assert_held(&proc_lock);
	if (creator->thread.killed)
		return -EINTR;
	return READ_ONCE(creator->thread.signalled) ? -ERESTARTNOINTR : 0;
}

/*
 * Give p a pid and make it known: as one more task of its group, or as the leader of a process
 * that is creator's child (creator NULL: pid 1, which has no parent). Returns the pid; -EAGAIN:
 * no pid is free; -EINTR: creator is being killed, -ERESTARTNOINTR: it has a signal to see to, in
 * either case one that was perhaps sent to all of a process group, where p would be missing.
 * Locks: proc lock. The table's reference is one that p was made with.
 */
int proc_publish(struct proc *p, struct proc *creator)
{
	int pid;

	spin_lock(&proc_lock);
	pid = creator ? birth_hindered_locked(creator) : 0;
	if (!pid)
		pid = pid_alloc_locked();
	if (pid > 0) {
		p->pid = pid;
		p->state = PROC_ALIVE;
		p->start_ns = clock_ns();
		proc_nr_made++;
		list_append(pid_bucket(pid), &p->hash_link);
		if (p->group->leader == p)
			enter_family_locked(p, creator);
		else
			group_add_locked(p->group, p);
		nr_procs++;
		user_count_locked(p, 1);
	}
	spin_unlock(&proc_lock);
	return pid;
}

/* Take p out of table and family. The caller drops the table's reference afterwards.
 * Locks: proc lock held. */
void proc_unlink_locked(struct proc *p)
{
	assert_held(&proc_lock);
	ASSERT(p->state == PROC_ZOMBIE && !p->group && list_empty(&p->children));
	list_remove(&p->hash_link);
	list_remove(&p->all_link);
	list_remove(&p->sibling);
	nr_procs--;
	user_count_locked(p, -1);
}

/* p, the last task of its process, becomes the leader in place of old, which has ended: its
 * tid, its place in the family. The caller drops the table's reference to old afterwards.
 * Locks: proc lock held. */
void proc_replace_leader_locked(struct proc *old, struct proc *p)
{
	struct proc *child;

	assert_held(&proc_lock);
	ASSERT(old->state == PROC_LEFT && p->group->nr_tasks == 1);
	list_remove(&p->hash_link);
	p->pid = old->pid;
	list_append(pid_bucket(p->pid), &p->hash_link);
	list_append(&proc_all, &p->all_link);
	p->parent = old->parent;
	p->pgid = old->pgid;
	p->sid = old->sid;
	p->has_tty = old->has_tty;
	p->start_ns = old->start_ns;
	if (p->parent)
		list_append(&p->parent->children, &p->sibling);
	list_for_each(child, &old->children, sibling)
		child->parent = p;
	list_splice(&p->children, &old->children);
	p->group->leader = p;
	if (proc_init_process == old)
		proc_init_process = p;
	old->group = NULL;
	old->state = PROC_ZOMBIE;
	proc_unlink_locked(old);
}

static const struct cred *current_cred(void)
{
	struct proc *p = proc_current();

	return p ? p->cred : NULL;
}

static int current_pid(void)
{
	struct proc *p = proc_current();

	return p && p->group ? p->group->pid : 0;
}

static const struct vfs_hooks vfs_hooks = {
	.signal = proc_signal_current,
	.cred = current_cred,
	.pid = current_pid,
	.fsize_limit = limit_fsize,
	.nofile_limit = limit_nofile,
};

/* Make the caches and tell the lower floors how to reach processes.
 * Context: boot, after cgroup_init() and vfs_init(), before the first process. */
void proc_init(void)
{
	for (unsigned i = 0; i < PID_BUCKETS; i++)
		list_init(&pid_hash[i]);
	fork_init();
	group_init();
	signal_init();
	futex_init();
	limits_init();
	ctty_init();
	cgroup_set_hooks(&group_hooks);
	vfs_set_hooks(&vfs_hooks);
}
