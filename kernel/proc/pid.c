/* SPDX-License-Identifier: MIT */
/*
 * The pid table, the family tree and what other floors learn of processes.
 *
 * A process is in the table, in the list of all and in its parent's list of children from
 * proc_publish() until it is reaped (proc_unlink_locked()); the family holds one reference for
 * all three. Pids rise and wrap at PID_MAX; a pid in use, a zombie's too, is never given again.
 */
#include "arch/clock.h"
#include "arch/irq.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"

#define PID_BUCKETS	1024u

struct spinlock proc_lock = SPINLOCK_INIT(RANK_PROC, "proc");
struct list proc_all = LIST_INIT(proc_all);
struct proc *proc_init_process;

static struct list pid_hash[PID_BUCKETS];
static int last_pid;			/* [proc lock] */
static unsigned long nr_procs;		/* [proc lock] zombies included */

static struct list *pid_bucket(int pid)
{
	return &pid_hash[(unsigned)pid % PID_BUCKETS];
}

static struct proc *find_locked(int pid)
{
	struct proc *p;

	list_for_each(p, pid_bucket(pid), hash_link) {
		if (p->pid == pid)
			return p;
	}
	return NULL;
}

/*
 * The process with this pid, referenced; a zombie too. NULL: there is none.
 * Locks: proc lock. Context: a thread.
 */
struct proc *proc_find(int pid)
{
	struct proc *p;

	if (pid <= 0)
		return NULL;
	spin_lock(&proc_lock);
	p = find_locked(pid);
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

/* The process that runs on this CPU; NULL in a kernel thread. Context: any. */
struct proc *proc_current(void)
{
	return thread_current()->owner;
}

/* How many processes the table holds, zombies included. Context: any; may be stale. */
unsigned long proc_count(void)
{
	return READ_ONCE(nr_procs);
}

/* Nanoseconds p has run, up to now for the caller itself. Context: any; may be stale. */
u64 proc_cpu_ns(const struct proc *p)
{
	u64 ns = p->thread.cpu_ns;

	return &p->thread == thread_current() ? ns + clock_ns() - p->thread.switched_in : ns;
}

static int pid_alloc_locked(void)
{
	assert_held(&proc_lock);
	if (nr_procs >= PID_MAX - 1)
		return -EAGAIN;
	do {
		last_pid = last_pid + 1 < PID_MAX ? last_pid + 1 : 1;
	} while (find_locked(last_pid));
	return last_pid;
}

/*
 * Give p a pid and make it known as a child of parent (NULL: pid 1, which has none). Returns
 * the pid; -EAGAIN: no pid is free; -EINTR: the parent is being killed, and a child that the
 * killer could not see would outrun it.
 * Locks: proc lock. The family's reference is the one that p was made with.
 */
int proc_publish(struct proc *p, struct proc *parent)
{
	int pid;

	spin_lock(&proc_lock);
	pid = parent && parent->signal->fatal ? -EINTR : pid_alloc_locked();
	if (pid > 0) {
		p->pid = pid;
		p->parent = parent;
		p->state = PROC_ALIVE;
		list_append(pid_bucket(pid), &p->hash_link);
		list_append(&proc_all, &p->all_link);
		if (parent)
			list_append(&parent->children, &p->sibling);
		else
			proc_init_process = p;
		nr_procs++;
	}
	spin_unlock(&proc_lock);
	return pid;
}

/* Take p out of table and family. The caller drops the family's reference afterwards.
 * Locks: proc lock held. */
void proc_unlink_locked(struct proc *p)
{
	assert_held(&proc_lock);
	ASSERT(p->state == PROC_ZOMBIE && list_empty(&p->children));
	list_remove(&p->hash_link);
	list_remove(&p->all_link);
	list_remove(&p->sibling);
	nr_procs--;
}

/* --- what kernel/cgroup asks: a member is one process */

static struct proc *member_proc(struct cgroup_member *m)
{
	return container_of(m, struct proc, member);
}

static struct cgroup_member *member_find(int pid)
{
	struct proc *p = proc_find(pid);

	if (p && READ_ONCE(p->state) != PROC_ALIVE) {
		proc_put(p);
		return NULL;
	}
	return p ? &p->member : NULL;
}

static void member_put(struct cgroup_member *m)
{
	proc_put(member_proc(m));
}

static void member_moved(struct cgroup_member *m, struct memcg *memcg)
{
	thread_set_memcg(&member_proc(m)->thread, memcg);
}

/* Pid 1 survives a kill of its group, and so must what it starts afterwards. */
static void member_kill(struct cgroup_member *m)
{
	struct proc *p = member_proc(m);

	if (p == proc_init_process)
		m->killed = false;
	proc_signal(p, SIGKILL);
}

static int member_pid(struct cgroup_member *m)
{
	return member_proc(m)->pid;
}

static struct cgroup_member *member_current(void)
{
	struct proc *p = proc_current();

	return p ? &p->member : NULL;
}

static const struct cgroup_hooks member_hooks = {
	.find = member_find,
	.put = member_put,
	.moved = member_moved,
	.kill = member_kill,
	.pid = member_pid,
	.current = member_current,
};

/* Make the caches and tell the lower floors how to reach processes.
 * Context: boot, after cgroup_init() and vfs_init(), before the first process. */
void proc_init(void)
{
	for (unsigned i = 0; i < PID_BUCKETS; i++)
		list_init(&pid_hash[i]);
	fork_init();
	cgroup_set_hooks(&member_hooks);
	vfs_set_signal_hook(proc_signal_current);
}
