/* SPDX-License-Identifier: MIT */
/*
 * The terminal: serial console, screen and keyboard are one device, /dev/console, /dev/tty,
 * /dev/tty0, /dev/tty1 and /dev/ttyS0 are its names.
 *
 *	interrupt: bytes into the machine's ring ──wakes──▶ the terminal's thread
 *	thread: ldisc_type(): lines, echo, signals ──wakes──▶ readers, poll
 *
 * So ^C works while nobody reads, and no interrupt handler touches a line. Which process group
 * is in the foreground is known on the floor of processes (struct tty_hooks).
 *
 * When the session that had the terminal ends, files that it had open other than /dev/console
 * are hung up: they read as ended and take no output. Each file remembers the number of hang-ups
 * before it was opened.
 *
 * Locking: tty.lock (RANK_FILE), free while waiting. Whoever changes what another may wait for
 * raises `changes` and wakes; a waiter looks at `changes` before it looks at the rest.
 */
#include "arch/clock.h"
#include "arch/machine.h"
#include "arch/upcall.h"
#include "kernel/fs/poll.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

#define WRITE_CHUNK	256
#define TENTH_NS	100000000ull

enum { TCGETS = 0x5401, TCSETS = 0x5402, TCSETSW = 0x5403, TCSETSF = 0x5404, TCSBRK = 0x5409,
	TCXONC = 0x540a, TCFLSH = 0x540b, TIOCOUTQ = 0x5411, TIOCGWINSZ = 0x5413,
	TIOCSWINSZ = 0x5414, FIONREAD = 0x541b, TCSBRKP = 0x5425 };
#define TCGETS2		0x802c542au
#define TCSETS2		0x402c542bu
#define TCSETSW2	0x402c542cu
#define TCSETSF2	0x402c542du

static const u64 dev_tty = MKDEV(5, 0), dev_tty0 = MKDEV(4, 0), dev_console = MKDEV(5, 1);

static struct {
	struct mutex lock;
	struct ldisc ldisc;		/* [lock] */
	u16 window[4];			/* [lock] rows, columns, their pixels */
	bool full;			/* [lock] input waits for a reader to make room */
	atomic_int hangups;		/* [a] */
	atomic_int inputs;		/* [a] times the thread was given something to do */
	atomic_int changes;		/* [a] */
	bool reset;			/* [a] to cooked mode, since the session is over */
	struct waitq thread, users;
} tty = { .thread = WAITQ_INIT(tty.thread), .users = WAITQ_INIT(tty.users) };

static const struct tty_hooks no_hooks;
static const struct tty_hooks *hooks = &no_hooks;	/* [I] since boot */

/* Context: boot, once. */
void tty_init(void)
{
	mutex_init(&tty.lock, RANK_FILE, "tty");
	ldisc_init(&tty.ldisc);
	console_size(&tty.window[0], &tty.window[1]);
}

/* Who knows sessions and process groups. Context: boot. */
void tty_set_hooks(const struct tty_hooks *of_proc)
{
	hooks = of_proc;
}

/* Signal the foreground process group. Locks: the proc lock. Context: thread. */
void tty_signal(int sig)
{
	if (hooks->signal)
		hooks->signal(sig);
}

/* Console input waits: wake the thread. Context: any. */
void tty_input(void)
{
	atomic_add_return(&tty.inputs, 1);
	waitq_wake_all(&tty.thread);
}

/* Input waits somewhere. Context: any, interrupts too. */
void upcall_input(void)
{
	tty_input();
	hostdev_input();
}

static void changed(void)
{
	atomic_add_return(&tty.changes, 1);
	waitq_wake_all(&tty.users);
}

/* Whoever comes first after the end of a session sees cooked mode: not even the next session's
 * settings may come before it. */
static void lock_tty(void)
{
	mutex_lock(&tty.lock);
	if (READ_ONCE(tty.reset)) {
		WRITE_ONCE(tty.reset, false);
		ldisc_init(&tty.ldisc);
	}
}

/* The session that had the terminal is over: hang its files up, cooked mode for the next.
 * Context: any. */
void tty_hangup(void)
{
	atomic_add_return(&tty.hangups, 1);
	WRITE_ONCE(tty.reset, true);
	changed();
	tty_input();
}

/* Give the line discipline what the machine has. */
static void take_input(void)
{
	int c = -1;

	lock_tty();
	while (ldisc_has_room(&tty.ldisc) && (c = console_getc()) >= 0)
		ldisc_type(&tty.ldisc, (u8)c);
	tty.full = !ldisc_has_room(&tty.ldisc);
	mutex_unlock(&tty.lock);
	changed();
}

static void tty_main(void *unused)
{
	(void)unused;
	for (;;) {
		int seen = atomic_load(&tty.inputs);

		take_input();
		(void)waitq_wait(&tty.thread, atomic_load(&tty.inputs) != seen);
	}
}

/* Start the terminal's thread. Context: boot; panics when there is no memory. */
void tty_start(void)
{
	if (thread_spawn_kernel("tty", tty_main, NULL))
		panic("tty: no memory for its thread");
}

static bool is_hung_up(const struct file *file)
{
	return file->inode->rdev != dev_console &&
	       (int)(uintptr_t)file->data != atomic_load(&tty.hangups);
}

static int check_job(int sig)
{
	return hooks->check ? hooks->check(sig) : 0;
}

/* /dev/tty is the caller's controlling terminal: -ENXIO without one. */
static int tty_open(struct file *file)
{
	u64 rdev = file->inode->rdev;

	if (rdev == dev_tty && !(hooks->controls && hooks->controls()))
		return -ENXIO;
	file->data = (void *)(uintptr_t)atomic_load(&tty.hangups);
	if (rdev != dev_console && rdev != dev_tty0 && !(file->flags & O_NOCTTY) && hooks->opened)
		hooks->opened();
	return 0;
}

/* Sleep until something changes after `seen`, or the deadline. 0, -ETIMEDOUT, or as
 * waitq_wait(). */
static int wait_change(int seen, u64 deadline)
{
	struct wait_entry entry;
	bool woken = false;
	int err = 0;

	waitq_add(&tty.users, &entry, &woken);
	if (atomic_load(&tty.changes) == seen)
		err = sleep_until_set(&woken, deadline);
	waitq_remove(&tty.users, &entry);
	return err;
}

struct reading {
	long done;			/* bytes, or -errno */
	u64 deadline;
};

/* Read what is there. Returns true when that is all the call is to read: a line, or by VMIN and
 * VTIME; else it waits until r->deadline. */
static bool read_step(struct iobuf *io, struct reading *r)
{
	struct ldisc *l = &tty.ldisc;
	bool raw = !(l->termios.lflag & ICANON), first = r->done == 0;
	unsigned min = l->termios.cc[VMIN], time = l->termios.cc[VTIME];
	long got;

	ASSERT(mutex_is_held(&tty.lock));
	if (!ldisc_available(l, 1)) {
		if (raw && !min && first && r->deadline == SLEEP_FOREVER)
			r->deadline = clock_ns() + time * TENTH_NS;
		return raw && !min && !time;
	}
	got = ldisc_take(l, io);
	if (got < 0 && !first)
		return true;
	r->done += got;
	if (got < 0 || !raw || !io->left || r->done >= (long)min)
		return true;
	if (time)
		r->deadline = clock_ns() + time * TENTH_NS;
	return false;
}

/* read_step(), and the thread goes on that waited for room. */
static bool read_locked(struct iobuf *io, struct reading *r)
{
	bool complete = read_step(io, r);

	if (tty.full && ldisc_has_room(&tty.ldisc)) {
		tty.full = false;
		tty_input();
	}
	return complete;
}

static long tty_read(struct file *file, struct iobuf *io, u64 *pos)
{
	struct reading r = { .deadline = SLEEP_FOREVER };
	int err = is_hung_up(file) ? 0 : check_job(VFS_SIGTTIN);
	bool complete = false;

	(void)pos;
	if (err || !io->left)
		return err;
	while (!is_hung_up(file)) {
		int seen = atomic_load(&tty.changes);

		lock_tty();
		complete = read_locked(io, &r);
		mutex_unlock(&tty.lock);
		if (complete)
			break;
		err = READ_ONCE(file->flags) & O_NONBLOCK ? -EAGAIN : wait_change(seen, r.deadline);
		if (err)
			return r.done ? r.done : err == -ETIMEDOUT ? 0 : err;
	}
	return r.done;
}

/* Wait until ^Q when the output is stopped. */
static int wait_started(struct file *file)
{
	int err = 0;

	while (READ_ONCE(tty.ldisc.stopped) && !err) {
		int seen = atomic_load(&tty.changes);

		if (READ_ONCE(tty.ldisc.stopped))
			err = READ_ONCE(file->flags) & O_NONBLOCK ? -EAGAIN :
				wait_change(seen, SLEEP_FOREVER);
	}
	return err;
}

static long tty_write(struct file *file, struct iobuf *io, u64 *pos)
{
	bool checked = READ_ONCE(tty.ldisc.termios.lflag) & TOSTOP;
	long done = 0;
	int err = checked && !is_hung_up(file) ? check_job(VFS_SIGTTOU) : 0;

	(void)pos;
	while (io->left && !err && !(done && thread_signalled())) {
		char chunk[WRITE_CHUNK];
		size_t want = MIN(io->left, sizeof(chunk)), moved;

		err = is_hung_up(file) ? -EIO : wait_started(file);
		if (err)
			break;
		moved = iobuf_get(io, chunk, want);
		lock_tty();
		ldisc_write(&tty.ldisc, chunk, moved);
		mutex_unlock(&tty.lock);
		done += (long)moved;
		if (moved < want)
			err = -EFAULT;
		cond_resched();
	}
	return done ? done : err;
}

static unsigned tty_poll(struct file *file, struct poll_table *table)
{
	const struct termios *t = &tty.ldisc.termios;
	unsigned ready = 0;
	bool block;

	poll_wait(table, &tty.users);
	if (is_hung_up(file))
		return POLL_ALWAYS | POLLERR | POLLHUP;
	lock_tty();
	block = t->cc[VMIN] && !t->cc[VTIME];
	if (ldisc_available(&tty.ldisc, block ? t->cc[VMIN] : 1))
		ready |= POLLIN | POLLRDNORM;
	if (!tty.ldisc.stopped)
		ready |= POLLOUT | POLLWRNORM;
	mutex_unlock(&tty.lock);
	return ready;
}

/* --- ioctl */

static long answer(uaddr_t arg, const void *data, size_t bytes)
{
	struct iobuf io = { .user = arg, .left = bytes };

	return iobuf_put(&io, data, bytes) == bytes ? 0 : -EFAULT;
}

static int ask(uaddr_t arg, void *data, size_t bytes)
{
	struct iobuf io = { .user = arg, .left = bytes };

	return iobuf_get(&io, data, bytes) == bytes ? 0 : -EFAULT;
}

static long get_termios(uaddr_t arg, size_t bytes)
{
	struct termios t;

	lock_tty();
	t = tty.ldisc.termios;
	mutex_unlock(&tty.lock);
	return answer(arg, &t, bytes);
}

/* The W variants wait for output, and there is never any under way. */
static long set_termios(unsigned cmd, uaddr_t arg, size_t bytes)
{
	struct termios t = { .ispeed = 38400, .ospeed = 38400 };
	long err = check_job(VFS_SIGTTOU);

	if (!err)
		err = ask(arg, &t, bytes);
	if (err)
		return err;
	lock_tty();
	ldisc_set_termios(&tty.ldisc, &t);
	if (cmd == TCSETSF || cmd == TCSETSF2)
		ldisc_flush(&tty.ldisc);
	mutex_unlock(&tty.lock);
	changed();
	tty_input();
	return 0;
}

static long set_window(uaddr_t arg)
{
	u16 window[4];
	bool differs;

	if (ask(arg, window, sizeof(window)))
		return -EFAULT;
	lock_tty();
	differs = memcmp(window, tty.window, sizeof(window)) != 0;
	memcpy(tty.window, window, sizeof(window));
	mutex_unlock(&tty.lock);
	if (differs)
		tty_signal(VFS_SIGWINCH);
	return 0;
}

enum { TCOOFF, TCOON, TCIOFF, TCION };
enum { TCIFLUSH, TCOFLUSH, TCIOFLUSH };

/* TCXONC stops (TCOOFF) and starts (TCOON) our output, or has the other side do so with its
 * own; TCFLSH forgets input. */
static long flow(unsigned cmd, uaddr_t arg)
{
	struct ldisc *l = &tty.ldisc;
	long err = check_job(VFS_SIGTTOU);

	if (err)
		return err;
	if (cmd == TCXONC ? arg > TCION : arg > TCIOFLUSH)
		return -EINVAL;
	lock_tty();
	if (cmd == TCFLSH && arg != TCOFLUSH)
		ldisc_flush(l);
	else if (cmd == TCXONC && arg <= TCOON)
		WRITE_ONCE(l->stopped, arg == TCOOFF);
	else if (cmd == TCXONC)
		console_send((char *)&l->termios.cc[arg == TCIOFF ? VSTOP : VSTART], 1);
	mutex_unlock(&tty.lock);
	changed();
	tty_input();
	return 0;
}

static long get_count(uaddr_t arg, bool input)
{
	unsigned count = 0;

	if (input) {
		lock_tty();
		count = ldisc_count(&tty.ldisc);
		mutex_unlock(&tty.lock);
	}
	return answer(arg, &count, sizeof(count));
}

static long tty_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
	if (is_hung_up(file))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	switch (cmd) {
	case TCGETS:
		return get_termios(arg, TERMIOS_BYTES);
	case TCGETS2:
		return get_termios(arg, sizeof(struct termios));
	case TCSETS: case TCSETSW: case TCSETSF:
		return set_termios(cmd, arg, TERMIOS_BYTES);
	case TCSETS2: case TCSETSW2: case TCSETSF2:
		return set_termios(cmd, arg, sizeof(struct termios));
	case TCSBRK: case TCSBRKP:		/* nothing to wait for, no line to break */
		return check_job(VFS_SIGTTOU);
	case TCXONC: case TCFLSH:
		return flow(cmd, arg);
	case FIONREAD: case TIOCOUTQ:
		return get_count(arg, cmd == FIONREAD);
	case TIOCGWINSZ:
		return answer(arg, tty.window, sizeof(tty.window));
	case TIOCSWINSZ:
		return set_window(arg);
	case TIOCSCTTY: case TIOCNOTTY: case TIOCGPGRP: case TIOCSPGRP: case TIOCGSID:
		return hooks->ioctl ? hooks->ioctl(file, cmd, arg) : -ENOTTY;
	default:
		return -ENOTTY;
	}
}

const struct file_ops tty_ops = {
	.open = tty_open,
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
};
