/* SPDX-License-Identifier: MIT */
/*
 * Pipes, with names (FIFOs) or without: a ring of 16 pages between readers and writers. A pipe
 * is there while somebody has an end of it open; a name alone is only an inode.
 *
 *	byte n written lies in page n / 4096 % 16;  tail <= n < head are unread
 *
 * A page is allocated and charged to the writer when the first byte goes into it, and freed
 * when the last unread one has left it. A write of at most PIPE_BUF bytes waits until it fits
 * whole and gets its pages before it moves a byte, so it is never split.
 *
 * Locking: the pipe's inode lock (RANK_FILE) over each transfer, which may fault on user memory;
 * free while waiting. The conditions of the waits read head, tail and the counts without it and
 * are asked again under it. Who changes one of these wakes afterwards, and a waiter is queued
 * before it asks: so it either sees the change or is woken; one that mistook two figures of
 * different moments for room or bytes looks again under the lock.
 */
#include "kernel/fs/poll.h"
#include "kernel/fs/statfs.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "mm/kmem.h"
#include "mm/page.h"

#define PIPE_PAGES	16u
#define PIPE_BYTES	(PIPE_PAGES * PAGE_SIZE)
#define FIONREAD	0x541b

struct pipe {
	struct inode *inode;		/* [I] not referenced: it owns us */
	u64 head, tail;			/* [inode lock] bytes ever written, read */
	unsigned readers, writers;	/* [inode lock] open ends */
	unsigned readers_ever, writers_ever;	/* [inode lock] ends ever opened */
	struct page *pages[PIPE_PAGES];	/* [inode lock] */
	struct waitq read_wait, write_wait;
};

static struct kmem_cache *pipe_cache;	/* [I] */
static struct super pipe_super = { .fs_name = "pipefs", .magic = PIPEFS_MAGIC };

/* Context: boot, once; panics when there is no memory. */
void pipe_init(void)
{
	pipe_cache = kmem_cache_create("pipe", sizeof(struct pipe), 0, 0, NULL);
	if (!pipe_cache)
		panic("pipe: no memory for the pipe cache");
}

static u64 nr_unread(const struct pipe *pipe)
{
	return READ_ONCE(pipe->head) - READ_ONCE(pipe->tail);
}

static u64 nr_free(const struct pipe *pipe)
{
	return PIPE_BYTES - nr_unread(pipe);
}

static struct page **page_slot(struct pipe *pipe, u64 pos)
{
	return &pipe->pages[pos / PAGE_SIZE % PIPE_PAGES];
}

static void free_slot(struct page **slot)
{
	if (*slot)
		page_free(*slot);
	*slot = NULL;
}

/* Free every page in which no unread byte lies. */
static void trim(struct pipe *pipe)
{
	u64 first = pipe->tail / PAGE_SIZE, after = DIV_ROUND_UP(pipe->head, PAGE_SIZE);

	if (pipe->tail == pipe->head)
		after = first;
	for (; after < first + PIPE_PAGES; after++)
		free_slot(&pipe->pages[after % PIPE_PAGES]);
}

/* Pages for the bytes from head on. Returns 0 or -ENOMEM, with no page more than before. */
static int get_pages(struct pipe *pipe, size_t bytes)
{
	u64 end = pipe->head + bytes;

	for (u64 pos = pipe->head; pos < end; pos = ALIGN_DOWN(pos, PAGE_SIZE) + PAGE_SIZE) {
		struct page **slot = page_slot(pipe, pos);

		if (!*slot)
			*slot = page_alloc_charged(PAGE_PIPE, 0, GFP_KERNEL);
		if (!*slot) {
			trim(pipe);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Move at most bytes, which fit and whose pages are there. Returns bytes moved. */
static size_t push(struct pipe *pipe, struct iobuf *io, size_t bytes)
{
	size_t done = 0, moved, want;

	do {
		size_t in_page = pipe->head % PAGE_SIZE;
		char *at = page_to_virt(*page_slot(pipe, pipe->head));

		want = MIN(bytes - done, PAGE_SIZE - in_page);
		moved = iobuf_get(io, at + in_page, want);
		WRITE_ONCE(pipe->head, pipe->head + moved);
		done += moved;
	} while (moved == want && done < bytes);
	if (moved < want)
		trim(pipe);
	return done;
}

static size_t pull(struct pipe *pipe, struct iobuf *io)
{
	size_t done = 0, moved, want;

	do {
		size_t in_page = pipe->tail % PAGE_SIZE;
		char *at = page_to_virt(*page_slot(pipe, pipe->tail));

		want = MIN(MIN(io->left, nr_unread(pipe)), PAGE_SIZE - in_page);
		moved = iobuf_put(io, at + in_page, want);
		WRITE_ONCE(pipe->tail, pipe->tail + moved);
		done += moved;
	} while (moved == want && io->left && nr_unread(pipe));
	trim(pipe);
	return done;
}

/* Returns bytes moved, 0: nothing there yet (or the end: no writers), -errno. */
static long read_some(struct pipe *pipe, struct iobuf *io, bool *at_end)
{
	long done = 0;

	mutex_lock(&pipe->inode->lock);
	*at_end = !nr_unread(pipe) && !pipe->writers;
	if (nr_unread(pipe)) {
		done = (long)pull(pipe, io);
		done = done ? done : -EFAULT;
	}
	mutex_unlock(&pipe->inode->lock);
	if (done > 0)
		waitq_wake_all(&pipe->write_wait);
	return done;
}

static long pipe_read(struct file *file, struct iobuf *io, u64 *pos)
{
	struct pipe *pipe = file->data;
	bool at_end;
	long ret;

	(void)pos;
	if (!io->left)
		return 0;
	for (;;) {
		ret = read_some(pipe, io, &at_end);
		if (ret || at_end)
			return ret;
		if (READ_ONCE(file->flags) & O_NONBLOCK)
			return -EAGAIN;
		ret = waitq_wait(&pipe->read_wait,
				 nr_unread(pipe) || !READ_ONCE(pipe->writers));
		if (ret)
			return ret;
	}
}

/* Returns bytes moved, 0: no room, -errno. A step is at most a page's worth, so that memory is
 * asked for page by page and what was moved counts when there is no more. */
static long write_some(struct pipe *pipe, struct iobuf *io, size_t room)
{
	long done = 0;
	int err;

	mutex_lock(&pipe->inode->lock);
	if (!pipe->readers) {
		done = -EPIPE;
	} else if (nr_free(pipe) >= room) {
		size_t step = MIN(MIN(io->left, nr_free(pipe)), (u64)PIPE_BUF);

		err = get_pages(pipe, step);
		done = err ? err : (long)push(pipe, io, step);
		if (!done)
			done = -EFAULT;
	}
	mutex_unlock(&pipe->inode->lock);
	if (done > 0)
		waitq_wake_all(&pipe->read_wait);
	return done;
}

static long pipe_write(struct file *file, struct iobuf *io, u64 *pos)
{
	struct pipe *pipe = file->data;
	size_t room = io->left <= PIPE_BUF ? io->left : 1;
	long done = 0, ret = 0;

	(void)pos;
	while (io->left && ret >= 0) {
		room = MIN(room, io->left);
		ret = write_some(pipe, io, room);
		if (ret > 0)
			done += ret;
		else if (ret == 0 && (READ_ONCE(file->flags) & O_NONBLOCK))
			ret = -EAGAIN;
		else if (ret == 0)
			ret = waitq_wait(&pipe->write_wait, nr_free(pipe) >= room ||
					 !READ_ONCE(pipe->readers));
	}
	if (ret == -EPIPE)
		vfs_signal(VFS_SIGPIPE);
	return done ? done : ret;
}

static long pipe_ioctl(struct file *file, unsigned cmd, uaddr_t arg)
{
	struct pipe *pipe = file->data;
	struct iobuf io = { .user = arg, .left = sizeof(int) };
	int unread;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&pipe->inode->lock);
	unread = (int)nr_unread(pipe);
	mutex_unlock(&pipe->inode->lock);
	return iobuf_put(&io, &unread, sizeof(unread)) == sizeof(unread) ? 0 : -EFAULT;
}

static unsigned pipe_poll(struct file *file, struct poll_table *table)
{
	struct pipe *pipe = file->data;
	unsigned ready = 0;

	if (file_readable(file)) {
		poll_wait(table, &pipe->read_wait);
		ready |= nr_unread(pipe) ? POLLIN | POLLRDNORM : 0;
		if (!READ_ONCE(pipe->writers) && READ_ONCE(pipe->writers_ever) != file->pos)
			ready |= POLLHUP;
	}
	/* Ready when a write that must not be split would not wait. */
	if (file_writable(file)) {
		poll_wait(table, &pipe->write_wait);
		ready |= nr_free(pipe) >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0;
		ready |= READ_ONCE(pipe->readers) ? 0 : POLLERR;
	}
	return ready;
}

/* A pipe that nobody has open yet; NULL: no memory. */
static struct pipe *pipe_alloc(struct inode *inode)
{
	struct pipe *pipe = kmem_cache_alloc(pipe_cache, GFP_KERNEL);

	if (!pipe)
		return NULL;
	*pipe = (struct pipe){ .inode = inode };
	waitq_init(&pipe->read_wait);
	waitq_init(&pipe->write_wait);
	return pipe;
}

static void join_locked(struct pipe *pipe, struct file *file)
{
	bool reads = file_readable(file), writes = file_writable(file);

	ASSERT(mutex_is_held(&pipe->inode->lock));
	WRITE_ONCE(pipe->readers, pipe->readers + reads);
	WRITE_ONCE(pipe->readers_ever, pipe->readers_ever + reads);
	WRITE_ONCE(pipe->writers, pipe->writers + writes);
	WRITE_ONCE(pipe->writers_ever, pipe->writers_ever + writes);
	pipe->inode->data = file->data = pipe;
	waitq_wake_all(&pipe->read_wait);
	waitq_wake_all(&pipe->write_wait);
}

/* Wakes with the lock held: who takes it next may be the last, and free the pipe. */
static void pipe_release(struct file *file)
{
	struct pipe *pipe = file->data;
	struct inode *inode = file->inode;
	bool last;

	mutex_lock(&inode->lock);
	WRITE_ONCE(pipe->readers, pipe->readers - file_readable(file));
	WRITE_ONCE(pipe->writers, pipe->writers - file_writable(file));
	waitq_wake_all(&pipe->read_wait);
	waitq_wake_all(&pipe->write_wait);
	last = !pipe->readers && !pipe->writers;
	if (last)
		inode->data = NULL;
	mutex_unlock(&inode->lock);
	if (!last)
		return;
	for (unsigned i = 0; i < PIPE_PAGES; i++)
		free_slot(&pipe->pages[i]);
	kmem_cache_free(pipe_cache, pipe);
}

/* Take part in the inode's pipe, made for the first. A writer that does not want to wait needs a
 * reader. *met: the number of other ends ever opened, at which nobody has been met: one less
 * than it is when one is there now. */
static int fifo_join(struct file *file, bool alone, bool wait, unsigned *met)
{
	struct inode *inode = file->inode;
	struct pipe *pipe;
	int err = 0;

	mutex_lock(&inode->lock);
	pipe = inode->data;
	if (alone && !wait && file_writable(file) && (!pipe || !pipe->readers))
		err = -ENXIO;
	else if (!pipe && !(pipe = pipe_alloc(inode)))
		err = -ENOMEM;
	if (!err) {
		*met = file_readable(file) ? pipe->writers_ever - (pipe->writers > 0) :
					     pipe->readers_ever - (pipe->readers > 0);
		join_locked(pipe, file);
	}
	mutex_unlock(&inode->lock);
	return err;
}

/* Open a named pipe: who reads waits for one who writes and the other way round, also for one
 * that has closed again by then; O_NONBLOCK: a reader goes on, a writer fails. A pipe() that is
 * opened again by a link in /proc waits for nobody. */
static int fifo_open(struct file *file)
{
	bool reads = file_readable(file), writes = file_writable(file);
	bool named = file->inode->super != &pipe_super;
	bool alone = named && reads != writes, wait = !(file->flags & O_NONBLOCK);
	unsigned met = 0;
	struct pipe *pipe;
	int err = reads || writes ? fifo_join(file, alone, wait, &met) : -EINVAL;

	if (err || !alone)
		return err;
	pipe = file->data;
	if (reads && !wait)
		file->pos = met;	/* no POLLHUP before there was a writer */
	else if (reads)
		err = waitq_wait(&pipe->read_wait, READ_ONCE(pipe->writers_ever) != met);
	else
		err = waitq_wait(&pipe->write_wait, READ_ONCE(pipe->readers_ever) != met);
	if (err)
		pipe_release(file);
	return err;
}

static const struct file_ops pipe_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.ioctl = pipe_ioctl,
	.poll = pipe_poll,
	.release = pipe_release,
};

const struct file_ops fifo_ops = {
	.open = fifo_open,
	.read = pipe_read,
	.write = pipe_write,
	.ioctl = pipe_ioctl,
	.poll = pipe_poll,
	.release = pipe_release,
};

static const struct inode_ops pipe_inode_ops;

/* An end of the pipe of inode; NULL: no memory. */
static struct file *end_alloc(struct inode *inode, struct pipe *pipe, unsigned flags)
{
	struct file *file = file_alloc(inode, &pipe_ops, flags);

	if (!file)
		return NULL;
	inode_get(inode);
	mutex_lock(&inode->lock);
	join_locked(pipe, file);
	mutex_unlock(&inode->lock);
	return file;
}

/* A pipe and its two ends. flags: O_NONBLOCK or 0, for both. Returns 0 or -ENOMEM. */
int pipe_create(struct file **read_end, struct file **write_end, unsigned flags)
{
	struct inode *inode = inode_alloc(&pipe_super, S_IFIFO | 0600);
	struct pipe *pipe;
	struct file *reader, *writer = NULL;

	if (!inode)
		return -ENOMEM;
	inode_init_owner(inode, NULL);
	inode->ops = &pipe_inode_ops;
	inode->fops = &fifo_ops;	/* by a link in /proc */
	pipe = pipe_alloc(inode);
	reader = pipe ? end_alloc(inode, pipe, O_RDONLY | flags) : NULL;
	if (reader)
		writer = end_alloc(inode, pipe, O_WRONLY | flags);
	else if (pipe)
		kmem_cache_free(pipe_cache, pipe);
	inode_put(inode);
	if (!writer) {
		file_put(reader);
		return -ENOMEM;
	}
	*read_end = reader;
	*write_end = writer;
	return 0;
}
