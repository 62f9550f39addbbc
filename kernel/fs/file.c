/* SPDX-License-Identifier: MIT */
/*
 * Open files, and the buffers that their reads and writes move.
 *
 * Who uses a file has a reference to it, taken under the lock of the table that it was found
 * in: a thread that closes the descriptor meanwhile takes nothing away from under a read.
 *
 * Locking: a file with a position holds pos_lock over each read, write, seek and readdir, so
 * that threads sharing the file never get the same bytes. A file without one (pipe, terminal)
 * may block for ever and takes no lock here; nor does a device, whose position stays 0: half
 * the processes of a machine may share one /dev/null.
 */
#include "arch/memmap.h"
#include "arch/uaccess.h"
#include "kernel/fs/file.h"
#include "kernel/fs/file_impl.h"
#include "kernel/fs/lock.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/kmem.h"

static struct kmem_cache *file_cache;	/* [I] */

/* Context: boot, once; panics when there is no memory. */
void file_init_cache(void)
{
	file_cache = kmem_cache_create("file", sizeof(struct file), 0, 0, NULL);
	if (!file_cache)
		panic("file: no memory for the file cache");
}

typedef size_t (*move_fn)(struct iobuf *io, char *data, size_t bytes);

/* Move at most bytes, piece by piece, until one comes short. */
static size_t move(struct iobuf *io, char *data, size_t bytes, move_fn fn)
{
	size_t done = 0, want, moved;

	bytes = MIN(bytes, io->left);
	while (done < bytes) {
		while (io->next && !io->in_piece) {
			io->user = io->next->base;
			io->in_piece = io->next++->bytes;
		}
		want = bytes - done;
		if (io->next)
			want = MIN(want, io->in_piece);
		moved = fn(io, data ? data + done : NULL, want);
		if (io->kernel)
			io->kernel += moved;
		else
			io->user += moved;
		io->in_piece -= io->next ? moved : 0;
		io->left -= moved;
		done += moved;
		if (moved < want)
			break;
	}
	return done;
}

static size_t put(struct iobuf *io, char *data, size_t bytes)
{
	if (!io->kernel)
		return bytes - copy_to_user(io->user, data, bytes);
	memcpy(io->kernel, data, bytes);
	return bytes;
}

static size_t get(struct iobuf *io, char *data, size_t bytes)
{
	if (!io->kernel)
		return bytes - copy_from_user(data, io->user, bytes);
	memcpy(data, io->kernel, bytes);
	return bytes;
}

static size_t zero(struct iobuf *io, char *data, size_t bytes)
{
	(void)data;
	if (!io->kernel)
		return bytes - clear_user(io->user, bytes);
	memset(io->kernel, 0, bytes);
	return bytes;
}

/* Move at most bytes of data into the buffer. Returns the number moved, short at the buffer's
 * end or a bad user address. Context: thread, no spinlocks (user memory may fault). */
size_t iobuf_put(struct iobuf *io, const void *data, size_t bytes)
{
	return move(io, (char *)data, bytes, put);
}

/* Move at most bytes out of the buffer into data. Returns and context as iobuf_put(). */
size_t iobuf_get(struct iobuf *io, void *data, size_t bytes)
{
	return move(io, data, bytes, get);
}

/* Put at most bytes zeros into the buffer. Returns and context as iobuf_put(). */
size_t iobuf_zero(struct iobuf *io, size_t bytes)
{
	return move(io, NULL, bytes, zero);
}

/* A file open on nothing yet, with one reference; NULL: no memory. */
struct file *file_new(unsigned flags)
{
	struct file *file = kmem_cache_alloc(file_cache, GFP_KERNEL);

	if (!file)
		return NULL;
	*file = (struct file){
		.flags = flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC),
	};
	refcount_set(&file->refs, 1);
	mutex_init(&file->pos_lock, RANK_POS, "file position");
	return file;
}

/* Free a file that was never opened. */
void file_discard(struct file *file)
{
	kmem_cache_free(file_cache, file);
}

/* A file without a name, open on inode, whose reference it takes on success. NULL: no memory. */
struct file *file_alloc(struct inode *inode, const struct file_ops *ops, unsigned flags)
{
	struct file *file = file_new(flags);

	if (!file)
		return NULL;
	file->inode = inode;
	file->ops = ops;
	return file;
}

/* One more reference; the caller has one, or the lock of a table that has. */
struct file *file_get(struct file *file)
{
	refcount_get(&file->refs);
	return file;
}

/* Drop a reference (NULL is fine); the last one closes. Context: thread, no spinlocks. */
void file_put(struct file *file)
{
	if (!file || !refcount_put(&file->refs))
		return;
	file_locks_release(file, file->inode);
	if (file->ops->release)
		file->ops->release(file);
	inode_end_use(file->inode, file->flags);
	inode_put(file->inode);
	if (file->path.dentry)
		path_put(&file->path);
	kmem_cache_free(file_cache, file);
}

typedef long (*transfer_fn)(struct file *file, struct iobuf *io, u64 *pos);

static long transfer(struct file *file, transfer_fn fn, struct iobuf *io, u64 *pos)
{
	u64 none = 0;
	long done;

	if (!fn)
		return S_ISDIR(file->inode->mode) ? -EISDIR : -EINVAL;
	io->left = MIN(io->left, IO_MAX_BYTES);
	if (!file->ops->seekable)
		return pos ? -ESPIPE : fn(file, io, &none);
	if (pos)
		return (s64)*pos < 0 ? -EINVAL : fn(file, io, pos);
	if (S_ISCHR(file->inode->mode))
		return fn(file, io, &none);
	mutex_lock(&file->pos_lock);
	done = fn(file, io, &file->pos);
	mutex_unlock(&file->pos_lock);
	return done;
}

/* Read from *pos, which advances, or (pos NULL) from the file's own position. Returns bytes,
 * 0 at the end, or -errno; short when the buffer is partly bad. Context: thread, may sleep. */
long file_read(struct file *file, struct iobuf *io, u64 *pos)
{
	if (!file_readable(file))
		return -EBADF;
	return transfer(file, file->ops->read, io, pos);
}

/* Write; position, returns and context as file_read(). O_APPEND goes to the end. */
long file_write(struct file *file, struct iobuf *io, u64 *pos)
{
	if (!file_writable(file))
		return -EBADF;
	return transfer(file, file->ops->write, io, pos);
}

/* Read into kernel memory from pos, whatever the file's own position. */
long file_read_kernel(struct file *file, void *buf, size_t bytes, u64 pos)
{
	struct iobuf io = { .kernel = buf, .left = bytes };

	return file_read(file, &io, &pos);
}

/* The first byte of data, or of a hole, from pos on; the end of a file is a hole. */
static long seek_data(struct inode *inode, s64 pos, bool hole)
{
	u64 size, index = (u64)pos / PAGE_SIZE;
	long ret = -ENXIO;

	if (!S_ISREG(inode->mode))
		return -EINVAL;
	read_lock(&inode->data_lock);
	size = inode->size;
	if (pos >= 0 && (u64)pos < size) {
		if (!hole && !pagetree_next(&inode->pages, &index))
			index = DIV_ROUND_UP(size, PAGE_SIZE);
		while (hole && pagetree_find(&inode->pages, index))
			index++;
		pos = MAX(pos, (s64)(index * PAGE_SIZE));
		if ((u64)pos < size)
			ret = pos;
		else if (hole)
			ret = (long)size;
	}
	read_unlock(&inode->data_lock);
	return ret;
}

static long seek_target(const struct file *file, s64 offset, int whence)
{
	s64 base = 0, to;

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = (s64)file->pos;
		break;
	case SEEK_END:
		base = (s64)READ_ONCE(file->inode->size);
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		return seek_data(file->inode, offset, whence == SEEK_HOLE);
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &to))
		return -EOVERFLOW;
	return to < 0 ? -EINVAL : to;
}

/* Move the position. Returns the new one, -EINVAL (before the start, bad whence), -EOVERFLOW,
 * -ENXIO (no data, or hole, behind offset) or -ESPIPE. */
long file_seek(struct file *file, s64 offset, int whence)
{
	long to;

	if (!file->ops->seekable)
		return -ESPIPE;
	mutex_lock(&file->pos_lock);
	to = seek_target(file, offset, whence);
	if (to >= 0)
		file->pos = (u64)to;
	mutex_unlock(&file->pos_lock);
	return to;
}

/* Hand the entries from the file's position on to ctx->emit() until it has enough. Returns 0,
 * -ENOTDIR, or -ENOENT when the directory was removed. Context: thread, may sleep. */
int file_readdir(struct file *file, struct dir_context *ctx)
{
	int err;

	if (!file->ops->readdir)
		return -ENOTDIR;
	mutex_lock(&file->pos_lock);
	ctx->pos = file->pos;
	err = file->ops->readdir(file, ctx);
	file->pos = ctx->pos;
	mutex_unlock(&file->pos_lock);
	return err;
}
