/* SPDX-License-Identifier: MIT */
/*
 * What a parent hears of its children: SIGCHLD when one ends, stops or goes on, and wait4() and
 * waitid(), which ask.
 *
 * An end is told by the zombie itself, once; reaping it is what makes it go. A stop and a
 * continuation are marks in the child (stop_report, cont_report) that the first wait to tell of
 * them wipes out, unless it says WNOWAIT.
 *
 * Locking: proc lock. Who changes a child's state wakes its parent's child_exit.
 */
#include "kernel/lib/errno.h"
#include "kernel/proc/job.h"

#define NS_PER_TICK	10000000ull

static void fill_end(const struct proc *child, struct wait_result *out)
{
	int status = child->exit_status;

	*out = (struct wait_result){
		.pid = child->pid, .status = status, .uid = child->cred->uid,
		.code = !(status & 0x7f) ? CLD_EXITED : status & 0x80 ? CLD_DUMPED : CLD_KILLED,
		.cpu_ns = child->total_ns, .user_ns = child->total_user_ns,
		.max_pages = child->max_pages,
	};
}

static void fill_change(const struct tgroup *g, int code, struct wait_result *out)
{
	*out = (struct wait_result){
		.pid = g->pid, .uid = g->leader->cred->uid, .code = code,
		.status = code == CLD_CONTINUED ? 0xffff : g->stop_report << 8 | 0x7f,
		.cpu_ns = g->ended_ns + g->children_ns + thread_cpu_ns(&g->leader->thread),
	};
}

/* What siginfo calls the status: an exit code or a signal. */
int wait_result_status(const struct wait_result *r)
{
	switch (r->code) {
	case CLD_CONTINUED:
		return SIGCONT;
	case CLD_EXITED:
	case CLD_STOPPED:
		return r->status >> 8 & 0xff;
	default:
		return r->status & 0x7f;
	}
}

static void signal_parent_locked(struct proc *parent, int sig, const struct wait_result *r)
{
	struct siginfo info = {
		.signo = sig, .code = r->code, .pid = r->pid, .uid = r->uid,
		.status = wait_result_status(r), .utime = (s64)(r->cpu_ns / NS_PER_TICK),
	};

	(void)proc_signal_locked(parent->group, &info);
}

/* Does that process ignore SIGCHLD (SIG_IGN), or has it set that flag for it? */
static bool parent_has_locked(const struct proc *parent, u32 flag)
{
	const struct sighand *sighand = parent->group ? parent->group->sighand : NULL;

	assert_held(&proc_lock);
	return sighand && (sighand->action[SIGCHLD - 1].handler == SIG_IGN ||
			   (sighand->flags[SIGCHLD - 1] & flag));
}

/* The process of leader has become a zombie: tell its parent. Returns true when that one does not
 * want to wait for it. Locks: proc lock held. Context: a thread; does not sleep. */
bool proc_report_end_locked(struct proc *leader)
{
	struct proc *parent = leader->parent;
	bool unwanted = leader->exit_signal == SIGCHLD &&
			parent_has_locked(parent, SA_NOCLDWAIT);
	struct wait_result r;

	fill_end(leader, &r);
	if (leader->exit_signal)
		signal_parent_locked(parent, leader->exit_signal, &r);
	waitq_wake_all(&parent->child_exit);
	return unwanted;
}

static void report_change_locked(struct tgroup *g, int code)
{
	struct proc *parent = g->leader->parent;
	struct wait_result r;

	if (!parent)
		return;
	fill_change(g, code, &r);
	if (!parent_has_locked(parent, SA_NOCLDSTOP))
		signal_parent_locked(parent, SIGCHLD, &r);
	waitq_wake_all(&parent->child_exit);
}

/* All tasks of g are stopped, by sig: tell its parent. Locks: proc lock held. */
void proc_report_stop_locked(struct tgroup *g, int sig)
{
	assert_held(&proc_lock);
	g->stop_report = sig;
	g->cont_report = false;
	report_change_locked(g, CLD_STOPPED);
}

/* g was stopped and goes on: tell its parent. Locks: proc lock held. */
void proc_report_cont_locked(struct tgroup *g)
{
	assert_held(&proc_lock);
	g->stop_report = 0;
	g->cont_report = true;
	report_change_locked(g, CLD_CONTINUED);
}

/* --- asking */

struct search {
	const struct wait_for *what;
	int pgid;			/* of the caller, for id 0 */
	struct wait_result *out;
	bool any;			/* there is a child that may have something to tell */
	bool found;			/* and this one has: out is filled */
	struct proc *zombie;		/* it has ended and is to be reaped */
};

static bool is_meant(const struct search *s, const struct proc *child)
{
	const struct wait_for *what = s->what;

	if (what->which == P_PID && child->pid != what->id)
		return false;
	if (what->which == P_PGID && child->pgid != (what->id ? what->id : s->pgid))
		return false;
	if (what->options & WALL)
		return true;
	return (child->exit_signal != SIGCHLD) == ((what->options & WCLONE) != 0);
}

static void ask_zombie(struct search *s, struct proc *child)
{
	if (!(s->what->options & WEXITED))
		return;
	fill_end(child, s->out);
	s->any = s->found = true;
	if (!(s->what->options & WNOWAIT))
		s->zombie = child;
}

static void ask_living(struct search *s, struct tgroup *g)
{
	bool keep = s->what->options & WNOWAIT;

	s->any = true;
	if (!g || g->ending)
		return;
	if (g->stop_report && (s->what->options & WUNTRACED)) {
		fill_change(g, CLD_STOPPED, s->out);
		g->stop_report = keep ? g->stop_report : 0;
		s->found = true;
	} else if (g->cont_report && (s->what->options & WCONTINUED)) {
		fill_change(g, CLD_CONTINUED, s->out);
		g->cont_report = keep;
		s->found = true;
	}
}

static bool search_locked(struct proc *parent, struct search *s)
{
	struct proc *child;

	assert_held(&proc_lock);
	s->any = s->found = false;
	list_for_each(child, &parent->children, sibling) {
		if (!is_meant(s, child))
			continue;
		if (child->state == PROC_ZOMBIE)
			ask_zombie(s, child);
		else
			ask_living(s, child->group);
		if (s->found)
			return true;
	}
	return false;
}

/*
 * Wait until a child of the caller's process that is meant ends (WEXITED), stops (WUNTRACED) or
 * goes on (WCONTINUED); one that has ended is reaped, unless WNOWAIT. Returns its pid with *out
 * filled; 0: WNOHANG and nothing to tell; -ECHILD: no such child; -ERESTARTSYS or -EINTR.
 * Locks: proc lock. Context: may sleep.
 */
long proc_wait(const struct wait_for *what, struct wait_result *out)
{
	struct tgroup *g = proc_current()->group;
	struct proc *leader = g->leader;	/* both stay while this task runs */
	struct search s = { .what = what, .out = out };
	long ret;

	spin_lock(&proc_lock);
	s.pgid = leader->pgid;
	ret = waitq_wait_locked(&leader->child_exit, &proc_lock,
				search_locked(leader, &s) || !s.any || (what->options & WNOHANG));
	if (s.zombie) {
		proc_unlink_locked(s.zombie);
		g->children_ns += s.zombie->total_ns;
		g->children_user_ns += s.zombie->total_user_ns;
		g->children_max_pages = MAX(g->children_max_pages, s.zombie->max_pages);
	}
	spin_unlock(&proc_lock);
	if (s.zombie)
		proc_put(s.zombie);
	if (s.found)
		return out->pid;
	return ret ? ret : s.any ? 0 : -ECHILD;
}
