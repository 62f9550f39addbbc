/* SPDX-License-Identifier: MIT */
/*
 * Thread groups: the tasks of one process, and what they share.
 *
 *	            parent's leader <---- parent ---- leader ----> children
 *	                                     ^  |
 *	                              leader |  | group
 *	   struct tgroup: signals, cgroup ---+  v
 *	       tasks ------------------> leader, task, task ...    each with a tid of its own
 *
 * A task stays in `tasks` until it is off its kernel stack (proc_released()), so whoever sees
 * nr_tasks fall sees its stack given back as well. The family (parents, children, wait4)
 * knows leaders only. A leader that ends before the others stays in the pid table, LEFT, and
 * becomes the zombie when the last task is gone.
 *
 * The process is one member of its cgroup, and all its tasks work for that one. A task that
 * ends works for the root from then on and becomes LEFT in the same step, under the cgroup
 * lock; the last one takes the process out of its cgroup. So a cgroup without members has no
 * task that would still charge it, and a move (member_moved()) finds every task that would.
 *
 * exec by one task: all others are killed and waited for; then it takes the leader's place,
 * tid and family included, if it was not the leader.
 */
#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"
#include "kernel/sched/load.h"
static struct kmem_cache *signal_cache;		/* [I] */

/* Make the cache. Context: boot. */
void group_init(void)
{
	signal_cache = kmem_cache_create("signal", sizeof(struct tgroup), 8, 0, NULL);
	BUG_ON(!signal_cache);
}

/* A group whose only task is leader, in no cgroup. NULL: no memory. Context: may sleep. */
struct tgroup *group_create(struct proc *leader)
{
	struct tgroup *g = kmem_cache_alloc(signal_cache, GFP_KERNEL | GFP_ZERO);

	if (!g)
		return NULL;
	refcount_set(&g->refs, 1);
	list_init(&g->tasks);
	list_init(&g->pending.queue);
	itimer_init(g);
	g->leader = leader;
	list_append(&g->tasks, &leader->group_link);
	g->nr_tasks = g->nr_paying = 1;
	return g;
}

/* Drop a reference; the last one frees. Locks: no spinlock held. */
void group_put(struct tgroup *g)
{
	if (!refcount_put(&g->refs))
		return;
	signal_group_fini(g);
	kmem_cache_free(signal_cache, g);
}

/* p, which has not started, becomes a task of g and works for whom the others work for.
 * Locks: proc lock held. */
void group_add_locked(struct tgroup *g, struct proc *p)
{
	assert_held(&proc_lock);
	p->thread.memcg = g->memcg;
	list_append(&g->tasks, &p->group_link);
	g->nr_tasks++;
	g->nr_paying++;
}

/* p is off its stack: an exec that waits for that goes on. Locks: proc lock held. */
void group_remove_locked(struct tgroup *g, struct proc *p)
{
	assert_held(&proc_lock);
	ASSERT(p->state == PROC_LEFT);
	list_remove(&p->group_link);
	g->nr_tasks--;
	g->ended_ns += p->thread.cpu_ns;
	g->ended_user_ns += thread_user_ns(&p->thread);
	if (g->exec_task && g->nr_tasks == 1)
		waitq_wake_all(&g->leader->child_exit);
}

/* All tasks of g are to end, and the process with this status, unless another was first.
 * Locks: proc lock held. */
void group_end_locked(struct tgroup *g, int status)
{
	struct proc *p;

	assert_held(&proc_lock);
	if (g->ending)
		return;
	g->ending = true;
	g->status = status;
	list_for_each(p, &g->tasks, group_link)
		thread_kill(&p->thread);
}

static void kill_others_locked(struct tgroup *g, const struct proc *self)
{
	struct proc *p;

	list_for_each(p, &g->tasks, group_link) {
		if (p != self)
			thread_kill(&p->thread);
	}
}

/* The new program has not agreed to other signals than SIGCHLD, at its end or its children's; it
 * may have more rights than who chose them. */
static void begin_program_locked(struct proc *p)
{
	struct proc *child;

	p->has_execed = true;
	p->exit_signal = SIGCHLD;
	list_for_each(child, &p->children, sibling)
		child->exit_signal = SIGCHLD;
}

/*
 * The caller p becomes the only task of its process, and its leader. Returns 0; -EINTR: p is
 * being killed, by another task's exec too; the other tasks may be gone then.
 * Locks: proc lock taken. Context: may sleep, until all others are off their stacks.
 */
int group_take_over(struct proc *p)
{
	struct tgroup *g = p->group;
	struct proc *old;
	int err = -EINTR;

	spin_lock(&proc_lock);
	if (!p->thread.killed) {
		g->exec_task = p;
		kill_others_locked(g, p);
		err = waitq_wait_killable_locked(&g->leader->child_exit, &proc_lock,
						 g->nr_tasks == 1);
		g->exec_task = NULL;
	}
	old = err || g->leader == p ? NULL : g->leader;
	if (old)
		proc_replace_leader_locked(old, p);
	if (!err)
		begin_program_locked(p);
	spin_unlock(&proc_lock);
	if (old)
		proc_put(old);
	return err;
}

/*
 * The caller p, which is ending, works for the root from now on. Returns true when it was the
 * last of its process to do so: then the process has left its cgroup.
 * Locks: the cgroup lock, proc lock inside it. Context: may sleep.
 */
bool group_leave(struct proc *p)
{
	struct tgroup *g = p->group;
	bool last;

	cgroup_members_lock();
	thread_set_memcg(&p->thread, &root_memcg);
	spin_lock(&proc_lock);
	p->state = PROC_LEFT;
	last = --g->nr_paying == 0;
	signal_flush_locked(p, last);
	if (last)
		itimer_end_locked(g);
	spin_unlock(&proc_lock);
	if (last)
		cgroup_exit_locked(&g->member);
	cgroup_members_unlock();
	return last;
}

/* Time run by all tasks of g. Locks: proc lock held. */
u64 group_cpu_ns_locked(const struct tgroup *g)
{
	u64 ns = g->ended_ns;
	struct proc *p;

	assert_held(&proc_lock);
	list_for_each(p, &g->tasks, group_link)
		ns += thread_cpu_ns(&p->thread);
	return ns;
}

/* The part of it in user mode. Locks: proc lock held. */
u64 group_user_ns_locked(const struct tgroup *g)
{
	u64 ns = g->ended_user_ns;
	struct proc *p;

	assert_held(&proc_lock);
	list_for_each(p, &g->tasks, group_link)
		ns += thread_user_ns(&p->thread);
	return ns;
}

/* The caller's process g gives up mm. Locks: proc lock taken. */
void group_note_memory(struct tgroup *g, const struct mm *mm)
{
	spin_lock(&proc_lock);
	g->max_pages = MAX(g->max_pages, READ_ONCE(mm->max_pages));
	spin_unlock(&proc_lock);
}

/* Time run by the caller, by its process and by the children that it has waited for. Tasks that
 * run on other CPUs are counted up to their last tick, or to their own last call of this.
 * Locks: proc lock; a run queue's. */
void proc_times(struct proc_times *out)
{
	struct proc *self = proc_current();
	struct tgroup *g = self->group;

	thread_account();
	out->task_ns = thread_cpu_ns(&self->thread);
	out->task_user_ns = thread_user_ns(&self->thread);
	spin_lock(&proc_lock);
	out->group_ns = group_cpu_ns_locked(g);
	out->group_user_ns = group_user_ns_locked(g);
	out->children_ns = g->children_ns;
	out->children_user_ns = g->children_user_ns;
	out->max_pages = MAX(g->max_pages, READ_ONCE(self->mm->max_pages));
	out->children_max_pages = g->children_max_pages;
	spin_unlock(&proc_lock);
}

/* --- what kernel/cgroup asks: a member is one process */

static struct tgroup *member_group(struct cgroup_member *m)
{
	return container_of(m, struct tgroup, member);
}

static struct cgroup_member *member_find(int pid)
{
	struct tgroup *g = NULL;
	struct proc *p;

	spin_lock(&proc_lock);
	p = proc_find_locked(pid);
	if (p && p->group && p->group->nr_paying) {
		g = p->group;
		refcount_get(&g->refs);
	}
	spin_unlock(&proc_lock);
	return g ? &g->member : NULL;
}

static void member_put(struct cgroup_member *m)
{
	group_put(member_group(m));
}

static struct proc *next_to_move_locked(struct tgroup *g)
{
	struct proc *p;

	list_for_each(p, &g->tasks, group_link) {
		if (p->state != PROC_LEFT && p->thread.memcg != g->memcg)
			return p;
	}
	return NULL;
}

/* All tasks work for memcg from now on. None can become LEFT meanwhile, since that takes the
 * cgroup lock; one that is added works for memcg from its start. */
static void member_moved(struct cgroup_member *m, struct memcg *memcg)
{
	struct tgroup *g = member_group(m);
	struct proc *p;

	if (READ_ONCE(g->nr_paying))
		signal_reserve(g, memcg);
	spin_lock(&proc_lock);
	g->memcg = memcg;
	while ((p = next_to_move_locked(g))) {
		spin_unlock(&proc_lock);
		thread_set_memcg(&p->thread, memcg);
		spin_lock(&proc_lock);
	}
	spin_unlock(&proc_lock);
}

/* Pid 1 survives a kill of its cgroup, and so must what it starts afterwards. */
static void member_kill(struct cgroup_member *m)
{
	static const struct siginfo kill = { .signo = SIGKILL, .code = SI_KERNEL };
	struct tgroup *g = member_group(m);

	spin_lock(&proc_lock);
	if (g->leader == proc_init_process)
		m->killed = false;
	(void)proc_signal_locked(g, &kill);
	spin_unlock(&proc_lock);
}

static int member_pid(struct cgroup_member *m)
{
	return READ_ONCE(member_group(m)->pid);
}

static struct cgroup_member *member_current(void)
{
	struct proc *p = proc_current();

	return p ? &p->group->member : NULL;
}

/* As Linux has it: who may write the file of members moves his own processes alone. */
static bool member_may_move(struct cgroup_member *m)
{
	const struct cred *me = cred_current();
	struct tgroup *g = member_group(m);
	const struct cred *it;
	bool may;

	spin_lock(&proc_lock);
	it = g->leader->cred;
	may = me->euid == 0 || me->euid == it->uid || me->euid == it->suid;
	spin_unlock(&proc_lock);
	return may;
}

static bool attr_may(const struct cgroup_attr *attr, unsigned may)
{
	return mode_permission(attr->mode, attr->uid, attr->gid, may) == 0;
}

static void attr_owner(struct cgroup_attr *attr)
{
	attr->uid = cred_current()->fsuid;
	attr->gid = cred_current()->fsgid;
}

const struct cgroup_hooks group_hooks = {
	.find = member_find,
	.put = member_put,
	.moved = member_moved,
	.kill = member_kill,
	.pid = member_pid,
	.current = member_current,
	.may_move = member_may_move,
	.may = attr_may,
	.owner = attr_owner,
};
