/* SPDX-License-Identifier: MIT */
/*
 * The host port as files, for runs that a harness drives: /dev/hostin is the command's standard
 * input, /dev/hostout and /dev/hosterr its outputs, and the 4 bytes written to /dev/hoststatus
 * its wait status, which ends the machine. Buffers are static: a group that may have no
 * more memory can still say so.
 *
 * Locking: one RANK_FILE lock for each direction, free while waiting. The interrupt only counts
 * and wakes, as in tty.c.
 */
#include "arch/machine.h"
#include "kernel/fs/poll.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"

#define CHUNK	4096

static struct {
	struct mutex lock;
	char buf[CHUNK];		/* [lock] */
	size_t len, taken;		/* [lock] bytes in buf, bytes of them read */
	bool asked;			/* [lock] the host knows that we want input */
	bool eof;			/* [lock] */
	atomic_int events;		/* [a] times input came; raised by the interrupt */
	struct waitq readers;
} in = { .readers = WAITQ_INIT(in.readers) };

static struct {
	struct mutex lock;
	char buf[CHUNK];		/* [lock] */
} out;

/* Context: boot, once. */
void hostdev_init(void)
{
	mutex_init(&in.lock, RANK_FILE, "host input");
	mutex_init(&out.lock, RANK_FILE, "host output");
}

/* Host input waits: wake who reads. Context: any. */
void hostdev_input(void)
{
	atomic_add_return(&in.events, 1);
	waitq_wake_all(&in.readers);
}

static int host_open(struct file *file)
{
	(void)file;
	return host_present() ? 0 : -ENXIO;
}

/* Is there something to take, or the end? */
static bool fill_locked(void)
{
	ASSERT(mutex_is_held(&in.lock));
	if (!in.asked)
		host_send(HOST_READY, NULL, 0);
	in.asked = true;
	if (in.taken < in.len)
		return true;
	in.taken = 0;
	in.len = in.eof ? 0 : host_receive(in.buf, sizeof(in.buf), &in.eof);
	return in.len > 0 || in.eof;
}

static long take_locked(struct iobuf *io)
{
	size_t want = MIN(io->left, in.len - in.taken);
	size_t moved = iobuf_put(io, in.buf + in.taken, want);

	ASSERT(mutex_is_held(&in.lock));
	in.taken += moved;
	return moved || !want ? (long)moved : -EFAULT;
}

static long host_in_read(struct file *file, struct iobuf *io, u64 *pos)
{
	(void)pos;
	if (!io->left)
		return 0;
	for (;;) {
		int seen = atomic_load(&in.events);
		bool have;
		long ret = 0;

		mutex_lock(&in.lock);
		have = fill_locked();
		if (have)
			ret = take_locked(io);
		mutex_unlock(&in.lock);
		if (have)
			return ret;
		if (READ_ONCE(file->flags) & O_NONBLOCK)
			return -EAGAIN;
		ret = waitq_wait(&in.readers, atomic_load(&in.events) != seen);
		if (ret)
			return ret;
	}
}

static unsigned host_in_poll(struct file *file, struct poll_table *table)
{
	bool have;

	(void)file;
	poll_wait(table, &in.readers);
	mutex_lock(&in.lock);
	have = fill_locked();
	mutex_unlock(&in.lock);
	return have ? POLLIN | POLLRDNORM : 0;
}

static long send(enum host_frame type, struct iobuf *io)
{
	long done = 0;

	while (io->left && !(done && thread_signalled())) {
		size_t want = MIN(io->left, sizeof(out.buf)), moved;

		mutex_lock(&out.lock);
		moved = iobuf_get(io, out.buf, want);
		if (moved)
			host_send(type, out.buf, moved);
		mutex_unlock(&out.lock);
		done += (long)moved;
		if (moved < want)
			return done ? done : -EFAULT;
		cond_resched();
	}
	return done;
}

static long host_out_write(struct file *file, struct iobuf *io, u64 *pos)
{
	(void)file;
	(void)pos;
	return send(HOST_STDOUT, io);
}

static long host_err_write(struct file *file, struct iobuf *io, u64 *pos)
{
	(void)file;
	(void)pos;
	return send(HOST_STDERR, io);
}

/* The end of a batch run. Does not return but for a bad write. */
static long host_status_write(struct file *file, struct iobuf *io, u64 *pos)
{
	u32 status;

	(void)file;
	(void)pos;
	if (io->left != sizeof(status))
		return -EINVAL;
	if (iobuf_get(io, &status, sizeof(status)) < sizeof(status))
		return -EFAULT;
	host_send(HOST_STATUS, &status, sizeof(status));
	machine_exit();
}

const struct file_ops host_in_ops = {
	.open = host_open,
	.read = host_in_read,
	.poll = host_in_poll,
};

const struct file_ops host_out_ops = {
	.open = host_open,
	.write = host_out_write,
};

const struct file_ops host_err_ops = {
	.open = host_open,
	.write = host_err_write,
};

const struct file_ops host_status_ops = {
	.open = host_open,
	.write = host_status_write,
};
