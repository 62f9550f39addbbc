/* SPDX-License-Identifier: MIT */
/*
 * Signals as far as they go without handlers: each is ignored, or ends the process. A fatal
 * one is noted in signal->fatal, the thread's killable waits end with -EINTR, and the process
 * dies on its way back to user mode (upcall_user_return()), where it holds no lock.
 * There is no job control: the stopping signals do nothing. Every process is a process group
 * of its own.
 */
#include "arch/irq.h"
#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"

#define SIGNAL_BIT(sig)	(1ull << ((sig) - 1))
#define DEFAULT_IGNORED	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGSTOP) | \
			 SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU) | \
			 SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))
#define UNSTOPPABLE	(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

static void make_fatal_locked(struct proc *p, int sig)
{
	if (!p->signal->fatal)
		WRITE_ONCE(p->signal->fatal, sig);
	thread_kill(&p->thread);
}

static bool can_be_signalled(const struct proc *p)
{
	return p->signal && p->state <= PROC_ALIVE;
}

static void signal_locked(struct proc *p, int sig)
{
	struct signal_state *s = p->signal;
	u64 bit = SIGNAL_BIT(sig);

	assert_held(&proc_lock);
	if (!can_be_signalled(p) || p == proc_init_process)
		return;
	if (bit & (s->ignored | DEFAULT_IGNORED))
		return;
	if (bit & s->blocked)
		s->pending |= bit;
	else
		make_fatal_locked(p, sig);
}

/*
 * Send sig (1..NR_SIGNALS) to p, which may be dead already. Pid 1 takes none: it has no
 * handlers, and Linux delivers to it only what it handles.
 * Locks: proc lock. Context: a thread.
 */
void proc_signal(struct proc *p, int sig)
{
	spin_lock(&proc_lock);
	signal_locked(p, sig);
	spin_unlock(&proc_lock);
}

/* The signal of a fault: the program cannot go on, so it is neither ignored nor blocked, and
 * pid 1 gets it too. Locks: proc lock. Context: a thread. */
void proc_signal_forced(struct proc *p, int sig)
{
	spin_lock(&proc_lock);
	if (can_be_signalled(p))
		make_fatal_locked(p, sig);
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
	if (p)
		proc_signal(p, sig);
}

/* The signal the caller must die of, or 0. Context: any thread. */
int proc_fatal_signal(void)
{
	struct proc *p = proc_current();

	return p && p->signal ? READ_ONCE(p->signal->fatal) : 0;
}

/* Block exactly these signals in the caller (never SIGKILL and SIGSTOP); one that is pending
 * and no longer blocked takes effect. Returns the old set. Locks: proc lock. */
u64 proc_set_blocked(u64 blocked)
{
	struct proc *p = proc_current();
	struct signal_state *s = p->signal;
	u64 old, due;

	spin_lock(&proc_lock);
	old = s->blocked;
	s->blocked = blocked & ~UNSTOPPABLE;
	due = s->pending & ~s->blocked & ~s->ignored;
	s->pending &= s->blocked;
	if (due)
		make_fatal_locked(p, __builtin_ctzll(due) + 1);
	spin_unlock(&proc_lock);
	return old;
}

/* Let the caller ignore sig, or take its default action again. Returns whether it ignored it
 * before; -EINVAL: no such signal, or one that cannot be ignored. Locks: proc lock. */
int proc_set_ignored(int sig, bool ignored)
{
	struct signal_state *s = proc_current()->signal;
	bool old;

	if (sig < 1 || sig > NR_SIGNALS || (SIGNAL_BIT(sig) & UNSTOPPABLE))
		return -EINVAL;
	spin_lock(&proc_lock);
	old = s->ignored & SIGNAL_BIT(sig);
	if (ignored) {
		s->ignored |= SIGNAL_BIT(sig);
		s->pending &= ~SIGNAL_BIT(sig);
	} else {
		s->ignored &= ~SIGNAL_BIT(sig);
	}
	spin_unlock(&proc_lock);
	return old;
}

/* Does the caller ignore sig? -EINVAL: no such signal. Locks: proc lock. */
int proc_get_ignored(int sig)
{
	u64 ignored;

	if (sig < 1 || sig > NR_SIGNALS)
		return -EINVAL;
	spin_lock(&proc_lock);
	ignored = proc_current()->signal->ignored;
	spin_unlock(&proc_lock);
	return (ignored & SIGNAL_BIT(sig)) != 0;
}

static int kill_all(int sig)
{
	struct proc *p, *self = proc_current();
	bool any = false;

	spin_lock(&proc_lock);
	list_for_each(p, &proc_all, all_link) {
		if (p == self || p == proc_init_process)
			continue;
		any = true;
		if (sig)
			signal_locked(p, sig);
	}
	spin_unlock(&proc_lock);
	return any ? 0 : -ESRCH;
}

/*
 * kill(2). pid > 0: that process, 0: the caller, -1: all but pid 1 and the caller; sig 0 only
 * asks whether it is there. Returns 0; -ESRCH: nobody (a zombie is somebody); -EINVAL: no such
 * signal, or a process group below -1.
 * Locks: proc lock. Context: a process.
 */
int proc_kill(int pid, int sig)
{
	struct proc *p;

	if (sig < 0 || sig > NR_SIGNALS || pid < -1)
		return -EINVAL;
	if (pid == -1)
		return kill_all(sig);
	p = proc_find(pid ? pid : proc_current()->pid);
	if (!p)
		return -ESRCH;
	if (sig)
		proc_signal(p, sig);
	proc_put(p);
	return 0;
}
