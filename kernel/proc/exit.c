/* SPDX-License-Identifier: MIT */
/*
 * The end of a task, and of a process with its last one. What its parent hears of it is in
 * wait.c.
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
#include "kernel/proc/job.h"

/* The thread leaves the tables (for the kernel's own) before their last user frees them. */
static void release_memory(struct proc *p)
{
	struct mm *mm = p->mm;

	spin_lock(&proc_lock);
	p->mm = NULL;
	spin_unlock(&proc_lock);
	if (!mm)
		return;
	thread_set_space(&p->thread, NULL);
	group_note_memory(p->group, mm);
	mm_put(mm);
	proc_vfork_release(p);
}

static void release_files(struct proc *p)
{
	struct files *files = p->files;
	struct fs_context *fs = p->fs;

	spin_lock(&proc_lock);
	p->files = NULL;
	p->fs = NULL;
	spin_unlock(&proc_lock);
	files_put(files);
	fs_put(fs);
}

/* Who reaps the orphans of p: the next above it that offered to (PR_SET_CHILD_SUBREAPER), else
 * pid 1. */
static struct proc *reaper_locked(const struct proc *p)
{
	struct proc *above = p->parent;

	while (above && above != proc_init_process &&
	       !(above->group && above->group->subreaper && above->group->nr_paying))
		above = above->parent;
	return above ? above : proc_init_process;
}

/* The parent of a zombie is told. If it does not want to wait, the zombie goes to `unwanted`: the
 * caller drops the table's reference. */
static void report_zombie_locked(struct proc *p, struct list *unwanted)
{
	if (!proc_report_end_locked(p))
		return;
	proc_unlink_locked(p);
	list_append(unwanted, &p->sibling);
}

/* Orphans, dead or alive, become children of who reaps them, and are told. */
static void give_away_children_locked(struct proc *p, struct list *unwanted)
{
	struct list orphans = LIST_INIT(orphans);
	struct proc *child, *next, *reaper = reaper_locked(p);

	if (list_empty(&p->children))
		return;
	list_splice(&orphans, &p->children);
	list_for_each_safe(child, next, &orphans, sibling) {
		child->parent = reaper;
		child->exit_signal = SIGCHLD;
		if (child->death_signal && child->group)
			(void)proc_signal_locked(child->group, &(struct siginfo){
				.signo = child->death_signal, .code = SI_USER, .pid = p->pid,
				.uid = p->cred->uid });
		if (child->state == PROC_ZOMBIE)
			report_zombie_locked(child, unwanted);
		else
			job_reparented_locked(child, p);
	}
	list_splice(&reaper->children, &orphans);
	waitq_wake_all(&reaper->child_exit);
}

/* The process of leader p has no task left. */
static void become_zombie_locked(struct proc *p, struct list *unwanted)
{
	give_away_children_locked(p, unwanted);
	job_ended_locked(p);
	p->state = PROC_ZOMBIE;
	report_zombie_locked(p, unwanted);
}

/* The last task of g is gone. First nobody finds the group any more, then it is freed, then
 * the parent hears of it: in this order, so that a parent that goes on finds it uncharged. */
static void end_process(struct tgroup *g)
{
	struct proc *leader = g->leader;	/* nobody is left to change it */
	struct list unwanted = LIST_INIT(unwanted);

	spin_lock(&proc_lock);
	leader->group = NULL;
	leader->total_ns = g->ended_ns + g->children_ns;
	leader->total_user_ns = g->ended_user_ns + g->children_user_ns;
	leader->exit_status = g->status;
	leader->max_pages = MAX(g->max_pages, g->children_max_pages);
	spin_unlock(&proc_lock);
	group_put(g);

	spin_lock(&proc_lock);
	become_zombie_locked(leader, &unwanted);
	spin_unlock(&proc_lock);
	while (!list_empty(&unwanted)) {
		leader = list_first(&unwanted, struct proc, sibling);
		list_remove(&leader->sibling);
		proc_put(leader);
	}
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
	signal_retarget_locked(g, ~p->blocked);
	signal_check_stopped_locked(g);
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
