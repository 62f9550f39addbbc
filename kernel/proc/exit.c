/* SPDX-License-Identifier: MIT */
/*
 * The end of a task, and of a process with its last one; a parent's wait for it.
 *
 *	ALIVE -> EXITING  the task gives back futexes, descriptors, address space, FPU image
 *	      -> LEFT     it works for the root; the last task takes the process out of its cgroup
 *	      -> (off its stack, which the next thread on that CPU frees: proc_released())
 *	      -> ZOMBIE   a leader, when all tasks of the process are off their stacks
 *	      -> reaped   by wait4(), or at once when the parent ignores SIGCHLD
 *
 * The order matters to whoever counts pages: once wait4() can see a zombie, on whatever CPU its
 * tasks ran, only the leader's task object is still charged, and that goes when it is reaped.
 */
#include "arch/uaccess.h"
#include "kernel/lib/errno.h"
#include "kernel/proc/futex.h"

#define WAIT_OPTIONS	(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE)

/* The thread leaves the tables (for the kernel's own) before their last user frees them. */
static void release_memory(struct proc *p)
{
	struct mm *mm = p->mm;

	p->mm = NULL;
	if (!mm)
		return;
	thread_set_space(&p->thread, NULL);
	mm_put(mm);
	proc_vfork_release(p);
}

static void release_files(struct proc *p)
{
	struct files *files = p->files;
	struct fs_context *fs = p->fs;

	p->files = NULL;
	p->fs = NULL;
	files_put(files);
	fs_put(fs);
}

/* Orphans, dead or alive, become children of pid 1, which reaps them. */
static void give_away_children_locked(struct proc *p)
{
	struct proc *child;

	if (list_empty(&p->children))
		return;
	list_for_each(child, &p->children, sibling)
		child->parent = proc_init_process;
	list_splice(&proc_init_process->children, &p->children);
	waitq_wake_all(&proc_init_process->child_exit);
}

static bool ignores_children(const struct proc *parent)
{
	return parent->group && (parent->group->ignored & 1ull << (SIGCHLD - 1));
}

/* The process of leader p has no task left. Returns true when nobody wants to wait for it: the
 * caller drops the table's reference. */
static bool become_zombie_locked(struct proc *p)
{
	bool reaped = ignores_children(p->parent);

	give_away_children_locked(p);
	p->state = PROC_ZOMBIE;
	if (reaped)
		proc_unlink_locked(p);
	waitq_wake_all(&p->parent->child_exit);
	return reaped;
}

/* The last task of g is gone. First nobody finds the group any more, then it is freed, then
 * the parent hears of it: in this order, so that a parent that goes on finds it uncharged. */
static void end_process(struct tgroup *g)
{
	struct proc *leader = g->leader;	/* nobody is left to change it */
	bool reaped;

	spin_lock(&proc_lock);
	leader->group = NULL;
	leader->total_ns = g->ended_ns + g->children_ns;
	leader->exit_status = g->status;
	spin_unlock(&proc_lock);
	group_put(g);

	spin_lock(&proc_lock);
	reaped = become_zombie_locked(leader);
	spin_unlock(&proc_lock);
	if (reaped)
		proc_put(leader);
}

/*
 * The thread of p is off its stack and the stack is freed: the last of its end. Drops the
 * thread's reference, and the table's unless p is a leader.
 * Locks: proc lock taken. Context: the thread that runs next on that CPU; does not sleep.
 */
void proc_released(struct proc *p)
{
	struct tgroup *g = p->group;
	bool leader, last;

	spin_lock(&proc_lock);
	group_remove_locked(g, p);
	last = g->nr_tasks == 0;
	leader = g->leader == p;
	if (!leader) {
		p->group = NULL;
		p->state = PROC_ZOMBIE;
		proc_unlink_locked(p);
	}
	spin_unlock(&proc_lock);
	if (last)
		end_process(g);
	if (!leader)
		proc_put(p);
	proc_put(p);
}

static noreturn void init_ended(int status)
{
	panic("init (pid 1) ended with status 0x%x: nobody is left to run or reap processes",
	      (unsigned)status);
}

static void begin_exit(struct proc *p, int status)
{
	struct tgroup *g = p->group;
	bool init;

	spin_lock(&proc_lock);
	p->state = PROC_EXITING;
	if (!g->ending)
		g->status = status;
	status = g->status;
	init = g->leader == proc_init_process && (g->ending || g->nr_paying == 1);
	spin_unlock(&proc_lock);
	if (init)
		init_ended(status);
}

/*
 * End the calling task; with the last one ends the process, whose status (as wait4() reports
 * it) is that of the last to come here unless all were ended together. Pid 1 has nobody to
 * report to: its end is the machine's.
 * Locks: none held. Context: a process, interrupts on.
 */
noreturn void proc_exit(int status)
{
	struct proc *p = proc_current();

	begin_exit(p, status);
	futex_task_end(p);
	release_files(p);
	release_memory(p);
	proc_release_fpu(p);
	if (group_leave(p) && p->group->leader == proc_init_process)
		init_ended(status);
	thread_exit();
}

/* End all tasks of the caller's process, with this status unless it has one already. While
 * another task executes a program, only the caller ends.
 * Locks: none held. Context: a process, interrupts on. */
noreturn void proc_exit_group(int status)
{
	struct tgroup *g = proc_current()->group;

	spin_lock(&proc_lock);
	if (!g->exec_task)
		group_end_locked(g, status);
	spin_unlock(&proc_lock);
	proc_exit(status);
}

static struct proc *find_zombie_locked(struct proc *parent, int pid, bool *any)
{
	struct proc *child;

	*any = false;
	list_for_each(child, &parent->children, sibling) {
		if (pid > 0 && child->pid != pid)
			continue;
		*any = true;
		if (child->state == PROC_ZOMBIE)
			return child;
	}
	return NULL;
}

/*
 * Wait for a child of the caller's process to end and reap it. pid > 0: that child; 0, -1 and
 * less: any (there are no process groups, so every child is in the caller's). Children made
 * with another exit signal than SIGCHLD count like the rest. Returns its pid with *out filled;
 * 0: WNOHANG and none has ended; -ECHILD: no such child; -EINVAL: unknown option; -EINTR: the
 * caller is being killed.
 * Locks: proc lock. Context: may sleep.
 */
long proc_wait(int pid, unsigned options, struct wait_result *out)
{
	struct tgroup *g = proc_current()->group;
	struct proc *leader = g->leader, *child = NULL;	/* both stay while this task runs */
	bool any = false;
	long ret;

	if (options & ~WAIT_OPTIONS)
		return -EINVAL;
	spin_lock(&proc_lock);
	ret = waitq_wait_locked(&leader->child_exit, &proc_lock,
				(child = find_zombie_locked(leader, pid, &any)) != NULL || !any ||
					(options & WNOHANG));
	if (child) {
		proc_unlink_locked(child);
		g->children_ns += child->total_ns;
	}
	spin_unlock(&proc_lock);

	if (!child)
		return ret ? ret : any ? 0 : -ECHILD;
	ret = child->pid;
	out->status = child->exit_status;
	out->cpu_ns = child->total_ns;
	proc_put(child);
	return ret;
}
