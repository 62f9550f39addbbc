/* SPDX-License-Identifier: MIT */
/*
 * Stopping and continuing a process.
 *
 *	running --stopping signal--> tgroup.stop_sig set, all tasks told
 *	each task, on its way to user mode: proc.stopped, asleep where only SIGCONT and SIGKILL
 *	  reach it
 *	the last one: tgroup.stopped, and the parent hears of it
 *	stop_sig cleared by SIGCONT --> all wake; if it had stopped whole, the parent hears again
 *
 * A task stops where it holds nothing, so a stopped process cannot keep others waiting. One that
 * sleeps in the kernel breaks off (interruptible waits; the system call begins again silently
 * after SIGCONT) or stops when it comes out. SIGKILL and exit_group() end a stopped process by
 * thread_kill(), which wakes it.
 *
 * Locking: proc lock.
 */
#include "kernel/proc/job.h"

/* The default action of a stopping signal that p, the caller, takes. False: its process group
 * is orphaned, where only SIGSTOP works: nobody would continue it. Locks: proc lock held. */
bool signal_stop_locked(struct proc *p, int sig)
{
	struct tgroup *g = p->group;
	struct proc *other;

	assert_held(&proc_lock);
	if (sig != SIGSTOP && job_is_orphaned_locked(g->leader->pgid, NULL))
		return false;
	g->stop_sig = sig;
	list_for_each(other, &g->tasks, group_link)
		thread_signal(&other->thread);
	return true;
}

static bool all_stopped_locked(const struct tgroup *g)
{
	struct proc *p;
	bool any = false;

	list_for_each(p, &g->tasks, group_link) {
		if (p->state != PROC_ALIVE)
			continue;
		if (!p->stopped)
			return false;
		any = true;
	}
	return any;
}

/* A task of g has stopped, or ends: are all that are left stopped?
 * Locks: proc lock held. */
void signal_check_stopped_locked(struct tgroup *g)
{
	assert_held(&proc_lock);
	if (!g->stop_sig || g->stopped || g->ending || !all_stopped_locked(g))
		return;
	g->stopped = true;
	proc_report_stop_locked(g, g->stop_sig);
}

/* p, the caller, on its way to user mode, sleeps until its process goes on or it is killed.
 * Locks: proc lock held, dropped while it sleeps. Context: no other lock held. */
void signal_stop_wait_locked(struct proc *p)
{
	struct tgroup *g = p->group;

	while (g->stop_sig && !proc_dying()) {
		p->stopped = true;
		signal_check_stopped_locked(g);
		sched_prepare_sleep(SLEEP_KILLABLE);
		spin_unlock(&proc_lock);
		schedule();
		spin_lock(&proc_lock);
	}
	p->stopped = false;
}

/* SIGCONT came to g: what is stopped goes on. Locks: proc lock held. */
void signal_continue_locked(struct tgroup *g)
{
	struct proc *p;

	assert_held(&proc_lock);
	if (!g->stop_sig)
		return;
	g->stop_sig = 0;
	list_for_each(p, &g->tasks, group_link) {
		if (p->stopped)
			sched_wake(&p->thread);
		p->stopped = false;
	}
	if (g->stopped)
		proc_report_cont_locked(g);
	g->stopped = false;
}
