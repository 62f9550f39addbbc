/* SPDX-License-Identifier: MIT */
/*
 * The console as a file. Input is cooked: lines with echo, backspace, ^U kills the line, ^D
 * ends it without a newline (on an empty line: end of file), CR becomes NL.
 *
 * The machine keeps what was typed until it is asked for. Readers ask: the interrupt only
 * counts and wakes them, so the line is edited in a thread, under a sleeping lock, and no
 * handler touches it. A reader that saw the count before it asked cannot miss a key, whichever
 * CPU the interrupt comes to.
 *
 * Locking: tty.lock (RANK_FILE), free while waiting.
 */
#include "arch/machine.h"
#include "arch/upcall.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"

#define LINE_MAX	1024
#define WRITE_CHUNK	256

#define TCGETS		0x5401
#define TIOCGWINSZ	0x5413

#define CTRL(c)		((c) & 0x1f)
#define DEL		0x7f

static struct {
	struct mutex lock;
	char line[LINE_MAX];		/* [lock] */
	size_t len;			/* [lock] bytes typed */
	size_t taken;			/* [lock] bytes of a finished line already read */
	bool finished;			/* [lock] by NL or ^D */
	atomic_int events;		/* [a] times input came; raised by the interrupt */
	struct waitq readers;
} tty = { .readers = WAITQ_INIT(tty.readers) };

/* Context: boot, once. */
void tty_init(void)
{
	mutex_init(&tty.lock, RANK_FILE, "tty");
}

/* Console input waits: wake who reads. Context: any. */
void tty_input(void)
{
	atomic_add_return(&tty.events, 1);
	waitq_wake_all(&tty.readers);
}

/* Input waits somewhere. Context: interrupt. */
void upcall_input(void)
{
	tty_input();
	hostdev_input();
}

static void erase_last(void)
{
	if (tty.len == 0)
		return;
	tty.len--;
	console_write("\b \b", 3);
}

static void add_char(char c)
{
	if (tty.len == LINE_MAX - 1 && c != '\n')
		return;
	tty.line[tty.len++] = c;
	console_write(&c, 1);
}

static void type_char(char c)
{
	switch (c) {
	case '\r':
	case '\n':
		add_char('\n');
		tty.finished = true;
		break;
	case '\b':
	case DEL:
		erase_last();
		break;
	case CTRL('U'):
		while (tty.len > 0)
			erase_last();
		break;
	case CTRL('D'):
		tty.finished = true;
		break;
	default:
		if ((u8)c >= ' ' || c == '\t')
			add_char(c);
	}
}

/* Take the machine's input up to the end of a line, if no finished one is left. */
static bool have_line_locked(void)
{
	int c;

	ASSERT(mutex_is_held(&tty.lock));
	while (!tty.finished && (c = console_getc()) >= 0)
		type_char((char)c);
	return tty.finished;
}

/* Move of the finished line what fits. Returns bytes, 0: end of file, or -EFAULT. */
static long take_line_locked(struct iobuf *io)
{
	size_t want = MIN(io->left, tty.len - tty.taken), moved;

	ASSERT(mutex_is_held(&tty.lock));
	moved = iobuf_put(io, tty.line + tty.taken, want);
	tty.taken += moved;
	if (tty.taken == tty.len) {
		tty.taken = tty.len = 0;
		tty.finished = false;
	}
	return moved || !want ? (long)moved : -EFAULT;
}

static long tty_read(struct file *file, struct iobuf *io, u64 *pos)
{
	(void)pos;
	if (!io->left)
		return 0;
	for (;;) {
		int seen = atomic_load(&tty.events);
		bool have;
		long ret = 0;

		mutex_lock(&tty.lock);
		have = have_line_locked();
		if (have)
			ret = take_line_locked(io);
		mutex_unlock(&tty.lock);
		if (have)
			return ret;
		if (READ_ONCE(file->flags) & O_NONBLOCK)
			return -EAGAIN;
		ret = waitq_wait(&tty.readers, atomic_load(&tty.events) != seen);
		if (ret)
			return ret;
	}
}

static long tty_write(struct file *file, struct iobuf *io, u64 *pos)
{
	char chunk[WRITE_CHUNK];
	long done = 0;

	(void)file;
	(void)pos;
	while (io->left && !(done && thread_current()->killed)) {
		size_t want = MIN(io->left, sizeof(chunk));
		size_t moved = iobuf_get(io, chunk, want);

		console_write(chunk, moved);
		done += (long)moved;
		if (moved < want)
			return done ? done : -EFAULT;
		cond_resched();
	}
	return done;
}

/* struct termios of the kernel's ABI. */
struct termios {
	u32 iflag, oflag, cflag, lflag;
	u8 line;
	u8 cc[19];
};

static const struct termios cooked = {
	.iflag = 0x0100,			/* ICRNL */
	.oflag = 0x0005,			/* OPOST | ONLCR */
	.cflag = 0x00bf,			/* CS8 | CREAD | B38400 */
	.lflag = 0x003a,			/* ICANON | ECHO | ECHOE | ECHOK */
	.cc = { [2] = DEL, [3] = CTRL('U'), [4] = CTRL('D'), [6] = 1 },
};

static const u16 window[4] = { 25, 80, 0, 0 };	/* rows, columns, pixels */

static long answer(uaddr_t arg, const void *data, size_t bytes)
{
	struct iobuf io = { .user = arg, .left = bytes };

	return iobuf_put(&io, data, bytes) == bytes ? 0 : -EFAULT;
}

static long tty_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
	(void)file;
	switch (cmd) {
	case TCGETS:
		return answer(arg, &cooked, sizeof(cooked));
	case TIOCGWINSZ:
		return answer(arg, window, sizeof(window));
	default:
		return -ENOTTY;
	}
}

const struct file_ops tty_ops = {
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
};
