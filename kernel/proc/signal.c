/* SPDX-License-Identifier: MIT */
/*
 * Signals as far as they go without handlers: each is ignored, or ends the process. A fatal
 * one marks every task of it as killed (group_end_locked()): their killable waits end with
 * -EINTR, and each dies on its way back to user mode (upcall_user_return()), where it holds no
 * lock. A signal to the process waits while all its tasks block it, one to a task while that
 * task does. There is no job control: the stopping signals do nothing. Every process is a
 * process group of its own.
 */
#include "arch/irq.h"
#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"

#define SIGNAL_BIT(sig)	(1ull << ((sig) - 1))
#define DEFAULT_IGNORED	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGSTOP) | \
			 SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU) | \
			 SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))
#define UNSTOPPABLE	(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

static bool blocked_by_all_locked(const struct tgroup *g, u64 bit)
{
	struct proc *p;

	list_for_each(p, &g->tasks, group_link) {
		if (!(p->blocked & bit))
			return false;
	}
	return true;
}

static bool matters_locked(const struct tgroup *g, int sig)
{
	assert_held(&proc_lock);
	if (!g || !g->nr_paying || g->leader == proc_init_process)
		return false;
	return !(SIGNAL_BIT(sig) & (g->ignored | DEFAULT_IGNORED));
}

/*
 * Send sig (1..NR_SIGNALS) to the process g (NULL: one that has ended). Pid 1 takes none: it
 * has no handlers, and Linux delivers to it only what it handles.
 * Locks: proc lock held. Context: a thread.
 */
void proc_signal_locked(struct tgroup *g, int sig)
{
	if (!matters_locked(g, sig))
		return;
	if (blocked_by_all_locked(g, SIGNAL_BIT(sig)))
		g->pending |= SIGNAL_BIT(sig);
	else
		group_end_locked(g, sig);
}

static void signal_task_locked(struct proc *p, int sig)
{
	if (!matters_locked(p->group, sig) || p->state > PROC_ALIVE)
		return;
	if (p->blocked & SIGNAL_BIT(sig))
		p->pending |= SIGNAL_BIT(sig);
	else
		group_end_locked(p->group, sig);
}

/* The signal of a fault of the caller p: the program cannot go on, so it is neither ignored
 * nor blocked, and pid 1 gets it too. Locks: proc lock. Context: a process. */
void proc_signal_forced(struct proc *p, int sig)
{
	spin_lock(&proc_lock);
	group_end_locked(p->group, sig);
	spin_unlock(&proc_lock);
}

/* kernel/fs signals the caller of a system call (SIGPIPE). Not from an interrupt: who runs
 * then is not who is meant. Locks: proc lock. */
void proc_signal_current(int sig)
{
	struct proc *p;

	if (irq_in_handler())
		return;
	p = proc_current();
	if (!p)
		return;
	spin_lock(&proc_lock);
	signal_task_locked(p, sig);
	spin_unlock(&proc_lock);
}

/* Must the caller end, by a signal, another task's exit_group() or exec? Context: any thread. */
bool proc_dying(void)
{
	return READ_ONCE(thread_current()->killed);
}

/* Block exactly these signals in the caller (never SIGKILL and SIGSTOP); one that is pending
 * and no longer blocked takes effect. Returns the old set. Locks: proc lock. */
u64 proc_set_blocked(u64 blocked)
{
	struct proc *p = proc_current();
	struct tgroup *g = p->group;
	u64 old, due;

	spin_lock(&proc_lock);
	old = p->blocked;
	p->blocked = blocked & ~UNSTOPPABLE;
	due = (p->pending | g->pending) & ~p->blocked & ~g->ignored;
	p->pending &= p->blocked;
	g->pending &= ~due;
	if (due)
		group_end_locked(g, __builtin_ctzll(due) + 1);
	spin_unlock(&proc_lock);
	return old;
}

static void forget_pending_locked(struct tgroup *g, u64 bit)
{
	struct proc *p;

	g->pending &= ~bit;
	list_for_each(p, &g->tasks, group_link)
		p->pending &= ~bit;
}

/* Let the caller's process ignore sig, or take its default action again. Returns whether it ignored it
 * before; -EINVAL: no such signal, or one that cannot be ignored. Locks: proc lock. */
int proc_set_ignored(int sig, bool ignored)
{
	struct tgroup *g = proc_current()->group;
	bool old;

	if (sig < 1 || sig > NR_SIGNALS || (SIGNAL_BIT(sig) & UNSTOPPABLE))
		return -EINVAL;
	spin_lock(&proc_lock);
	old = g->ignored & SIGNAL_BIT(sig);
	if (ignored) {
		g->ignored |= SIGNAL_BIT(sig);
		forget_pending_locked(g, SIGNAL_BIT(sig));
	} else {
		g->ignored &= ~SIGNAL_BIT(sig);
	}
	spin_unlock(&proc_lock);
	return old;
}

/* Does the caller's process ignore sig? -EINVAL: no such signal. Locks: proc lock. */
int proc_get_ignored(int sig)
{
	u64 ignored;

	if (sig < 1 || sig > NR_SIGNALS)
		return -EINVAL;
	spin_lock(&proc_lock);
	ignored = proc_current()->group->ignored;
	spin_unlock(&proc_lock);
	return (ignored & SIGNAL_BIT(sig)) != 0;
}

static int kill_all(int sig)
{
	struct proc *p, *self = proc_current()->group->leader;
	bool any = false;

	spin_lock(&proc_lock);
	list_for_each(p, &proc_all, all_link) {
		if (p == self || p == proc_init_process)
			continue;
		any = true;
		if (sig)
			proc_signal_locked(p->group, sig);
	}
	spin_unlock(&proc_lock);
	return any ? 0 : -ESRCH;
}

/*
 * kill(2). pid > 0: the process of that task, 0: the caller's, -1: all but pid 1 and the
 * caller's; sig 0 only asks whether it is there. Returns 0; -ESRCH: nobody (a zombie is
 * somebody); -EINVAL: no such signal, or a process group below -1.
 * Locks: proc lock. Context: a process.
 */
int proc_kill(int pid, int sig)
{
	struct proc *p;

	if (sig < 0 || sig > NR_SIGNALS || pid < -1)
		return -EINVAL;
	if (pid == -1)
		return kill_all(sig);
	spin_lock(&proc_lock);
	p = pid ? proc_find_locked(pid) : proc_current();
	if (p && sig)
		proc_signal_locked(p->group, sig);
	spin_unlock(&proc_lock);
	return p ? 0 : -ESRCH;
}

/* Send sig to the task tid, if it is one of process pid (0: of any). Returns as proc_kill().
 * Locks: proc lock. Context: a process. */
int proc_kill_task(int pid, int tid, int sig)
{
	struct proc *p;

	if (sig < 0 || sig > NR_SIGNALS)
		return -EINVAL;
	spin_lock(&proc_lock);
	p = proc_find_locked(tid);
	if (p && pid && pid != (p->group ? p->group->pid : p->pid))
		p = NULL;
	if (p && sig)
		signal_task_locked(p, sig);
	spin_unlock(&proc_lock);
	return p ? 0 : -ESRCH;
}
