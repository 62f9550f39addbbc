/* SPDX-License-Identifier: MIT */
/*
 * The terminal as seen by processes: which session it belongs to, which process group is in the
 * foreground. kernel/fs asks through struct tty_hooks before a read or a change, and hands ^C on.
 *
 * A session leader without a terminal takes the free console by opening it or by TIOCSCTTY; its
 * children inherit it (has_tty). It is free again when the leader ends or gives it up: the
 * foreground group hears of that by SIGHUP.
 *
 * Locking: proc lock.
 */
#include "arch/uaccess.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/errno.h"
#include "kernel/proc/job.h"

static int session, foreground;		/* [proc lock] sid and pgid; 0: none */

static void signal_pgrp_locked(int pgid, int sig)
{
	struct siginfo info = { .signo = sig, .code = SI_KERNEL };

	(void)proc_signal_pgrp_locked(pgid, &info);
}

static void signal_foreground(int sig)
{
	spin_lock(&proc_lock);
	if (foreground)
		signal_pgrp_locked(foreground, sig);
	spin_unlock(&proc_lock);
}

/* The process group in the foreground; 0: none. Context: any; may be stale. */
int ctty_foreground(void)
{
	return READ_ONCE(foreground);
}

static struct proc *current_leader(void)
{
	struct proc *p = proc_current();

	return p ? p->group->leader : NULL;
}

static bool controls(void)
{
	struct proc *leader = current_leader();

	return leader && READ_ONCE(leader->has_tty);
}

static int check_locked(const struct proc *p, const struct proc *leader, int sig)
{
	bool ignored = (p->blocked & SIGNAL_BIT(sig)) ||
		       p->group->sighand->action[sig - 1].handler == SIG_IGN;

	if (!leader->has_tty || !foreground || leader->pgid == foreground)
		return 0;
	if (ignored)
		return sig == SIGTTIN ? -EIO : 0;
	if (job_is_orphaned_locked(leader->pgid, NULL))
		return -EIO;
	signal_pgrp_locked(leader->pgid, sig);
	return -ERESTARTSYS;
}

static int check(int sig)
{
	struct proc *p = proc_current();
	int err;

	if (!p)
		return 0;
	spin_lock(&proc_lock);
	err = check_locked(p, p->group->leader, sig);
	spin_unlock(&proc_lock);
	return err;
}

static void take_locked(struct proc *leader)
{
	leader->has_tty = true;
	session = leader->sid;
	WRITE_ONCE(foreground, leader->pgid);
}

static void opened(void)
{
	struct proc *leader = current_leader();

	if (!leader)
		return;
	spin_lock(&proc_lock);
	if (leader->pid == leader->sid && !leader->has_tty && !session)
		take_locked(leader);
	spin_unlock(&proc_lock);
}

static void free_locked(void)
{
	struct proc *p;

	list_for_each(p, &proc_all, all_link) {
		if (p->sid == session)
			p->has_tty = false;
	}
	session = 0;
	WRITE_ONCE(foreground, 0);
}

/* The process of leader gives its terminal up, because it ends or asks to: if it leads the
 * session, so does everybody in it. Locks: proc lock held. */
void ctty_leave_locked(struct proc *leader, bool ends)
{
	assert_held(&proc_lock);
	if (leader->has_tty && leader->pid == leader->sid) {
		if (foreground)
			signal_pgrp_locked(foreground, SIGHUP);
		if (foreground && !ends)
			signal_pgrp_locked(foreground, SIGCONT);
		free_locked();
		if (ends)
			tty_hangup();
	}
	leader->has_tty = false;
}

/* TIOCSCTTY. steal: take it from another session, if the caller is root. */
static long acquire_locked(struct proc *leader, const struct file *file, bool steal)
{
	bool root = proc_current()->cred->euid == 0;

	if (leader->pid == leader->sid && session == leader->sid)
		return 0;
	if (leader->pid != leader->sid || leader->has_tty)
		return -EPERM;
	if (session && !(steal && root))
		return -EPERM;
	if ((file->flags & O_ACCMODE) == O_WRONLY && !root)
		return -EPERM;
	if (session)
		free_locked();
	take_locked(leader);
	return 0;
}

static long set_foreground_locked(const struct proc *leader, int pgid)
{
	struct proc *p;

	if (pgid < 0)
		return -EINVAL;
	list_for_each(p, &proc_all, all_link) {
		if (p->pgid != pgid)
			continue;
		if (p->sid != leader->sid)
			return -EPERM;
		WRITE_ONCE(foreground, pgid);
		return 0;
	}
	return -ESRCH;
}

/* Those that hand a number to the user, or take one from there. */
static long number_ioctl(const struct proc *leader, unsigned cmd, uaddr_t arg)
{
	int number = cmd == TIOCGSID ? session : foreground;
	long err = cmd == TIOCSPGRP ? check(SIGTTOU) : 0;

	if (err)
		return err == -EIO ? -ENOTTY : err;
	if (!leader->has_tty)
		return -ENOTTY;
	if (cmd != TIOCSPGRP)
		return copy_to_user(arg, &number, sizeof(number)) ? -EFAULT : 0;
	if (copy_from_user(&number, arg, sizeof(number)))
		return -EFAULT;
	spin_lock(&proc_lock);
	err = leader->has_tty ? set_foreground_locked(leader, number) : -ENOTTY;
	spin_unlock(&proc_lock);
	return err;
}

static long job_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
	struct proc *leader = current_leader();
	long err = 0;

	if (cmd != TIOCSCTTY && cmd != TIOCNOTTY)
		return number_ioctl(leader, cmd, arg);
	spin_lock(&proc_lock);
	if (cmd == TIOCSCTTY)
		err = acquire_locked(leader, file, arg == 1);
	else if (leader->has_tty)
		ctty_leave_locked(leader, false);
	else
		err = -ENOTTY;
	spin_unlock(&proc_lock);
	return err;
}

static const struct tty_hooks hooks = {
	.check = check,
	.signal = signal_foreground,
	.controls = controls,
	.opened = opened,
	.ioctl = job_ioctl,
};

/* Tell the terminal whom to ask. Context: boot. */
void ctty_init(void)
{
	tty_set_hooks(&hooks);
}
