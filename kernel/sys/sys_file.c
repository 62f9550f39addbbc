/* SPDX-License-Identifier: MIT */
/* System calls that move bytes of open files, and their positions. */
#include "arch/memmap.h"
#include "kernel/sys/calls.h"

_Static_assert(sizeof(struct io_piece) == sizeof(struct linux_iovec) &&
	       offsetof(struct io_piece, bytes) == offsetof(struct linux_iovec, bytes), "iovec");

typedef long (*transfer_fn)(struct file *file, struct iobuf *io, u64 *pos);

/* One transfer at *pos, or at the file's own position (NULL). As on Linux, a length that is
 * negative as the user sees it is refused; a very large one is cut. */
static long transfer(struct file *file, transfer_fn fn, uaddr_t buf, size_t bytes, u64 *pos)
{
	struct iobuf io = { .user = buf, .left = MIN(bytes, IO_MAX_BYTES) };

	if ((s64)bytes < 0)
		return -EINVAL;
	return fn(file, &io, pos);
}

static long read_or_write(struct syscall *c, unsigned may, transfer_fn fn)
{
	struct file *file;
	long ret = user_file_for((int)c->arg[0], may, &file);

	if (ret)
		return ret;
	ret = transfer(file, fn, c->arg[1], c->arg[2], NULL);
	file_put(file);
	return ret;
}

/* read(fd, buf, bytes): bytes read, 0 at the end, or -errno. */
long sys_read(struct syscall *c)
{
	return read_or_write(c, MAY_READ, file_read);
}

/* write(fd, buf, bytes): bytes written or -errno. */
long sys_write(struct syscall *c)
{
	return read_or_write(c, MAY_WRITE, file_write);
}

static long at_position(struct syscall *c, unsigned may, transfer_fn fn)
{
	u64 pos = c->arg[3];
	struct file *file;
	long ret;

	if ((s64)pos < 0)
		return -EINVAL;
	ret = user_file_for((int)c->arg[0], may, &file);
	if (ret)
		return ret;
	ret = file->ops->seekable ? transfer(file, fn, c->arg[1], c->arg[2], &pos) : -ESPIPE;
	file_put(file);
	return ret;
}

/* pread64(fd, buf, bytes, pos): read() there, the file's own position stays. */
long sys_pread64(struct syscall *c)
{
	return at_position(c, MAY_READ, file_read);
}

/* pwrite64(fd, buf, bytes, pos): write() there, the file's own position stays. */
long sys_pwrite64(struct syscall *c)
{
	return at_position(c, MAY_WRITE, file_write);
}

/* The user's vectors, all looked at before a byte moves. *out is kmalloced. Returns the number of
 * bytes, cut as every transfer is, or -errno. */
static long get_vectors(uaddr_t user, unsigned count, struct io_piece **out)
{
	struct io_piece *v = kmalloc(MAX(count, 1u) * sizeof(*v), GFP_KERNEL);
	size_t total = 0;
	long err = -EFAULT;

	if (!v)
		return -ENOMEM;
	if (user_get(v, user, count * sizeof(*v)))
		goto free;
	err = -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		if ((s64)v[i].bytes < 0)
			goto free;
		v[i].bytes = MIN(v[i].bytes, IO_MAX_BYTES - total);
		total += v[i].bytes;
	}
	*out = v;
	return (long)total;
free:
	kfree(v);
	return err;
}

/* Moved as one: nobody's bytes come between those of two vectors. */
static long move_vectors(struct file *file, transfer_fn fn, const u64 *arg, u64 *pos)
{
	struct io_piece *vectors;
	struct iobuf io = { 0 };
	long ret;

	if (arg[1] > IOV_MAX)
		return -EINVAL;
	ret = get_vectors(arg[0], (unsigned)arg[1], &vectors);
	if (ret < 0)
		return ret;
	io.left = (size_t)ret;
	io.next = vectors;
	ret = fn(file, &io, pos);
	kfree(vectors);
	return ret;
}

static long read_or_write_vectors(struct syscall *c, unsigned may, transfer_fn fn)
{
	struct file *file;
	long ret = user_file_for((int)c->arg[0], may, &file);

	if (ret)
		return ret;
	ret = move_vectors(file, fn, &c->arg[1], NULL);
	file_put(file);
	return ret;
}

/* readv(fd, vectors, count): as read() into several buffers; -EINVAL over IOV_MAX. */
long sys_readv(struct syscall *c)
{
	return read_or_write_vectors(c, MAY_READ, file_read);
}

/* writev(fd, vectors, count): as write() from several buffers; -EINVAL over IOV_MAX. */
long sys_writev(struct syscall *c)
{
	return read_or_write_vectors(c, MAY_WRITE, file_write);
}

static long vectors_at_position(struct syscall *c, unsigned may, transfer_fn fn)
{
	u64 pos = c->arg[3];
	struct file *file;
	long ret;

	if ((s64)pos < 0)
		return -EINVAL;
	ret = user_file_for((int)c->arg[0], may, &file);
	if (ret)
		return ret;
	ret = file->ops->seekable ? move_vectors(file, fn, &c->arg[1], &pos) : -ESPIPE;
	file_put(file);
	return ret;
}

/* preadv(fd, vectors, count, pos). */
long sys_preadv(struct syscall *c)
{
	return vectors_at_position(c, MAY_READ, file_read);
}

/* pwritev(fd, vectors, count, pos). */
long sys_pwritev(struct syscall *c)
{
	return vectors_at_position(c, MAY_WRITE, file_write);
}

/* lseek(fd, offset, whence): the new position; -ESPIPE, -EINVAL, -EBADF. */
long sys_lseek(struct syscall *c)
{
	struct file *file = user_file((int)c->arg[0]);
	long ret;

	if (!file)
		return -EBADF;
	ret = file_seek(file, (s64)c->arg[1], (int)c->arg[2]);
	file_put(file);
	return ret;
}

/* ioctl(fd, command, arg): the device's answer; -ENOTTY: it has none. */
long sys_ioctl(struct syscall *c)
{
	struct file *file;
	long ret = user_file_for((int)c->arg[0], 0, &file);

	if (ret)
		return ret;
	ret = file->ops->ioctl ? file->ops->ioctl(file, (unsigned)c->arg[1], c->arg[2]) : -ENOTTY;
	file_put(file);
	return ret;
}

/* truncate(path, size): cut a file, or let it grow by a hole. */
long sys_truncate(struct syscall *c)
{
	char *path;
	long ret;

	if ((s64)c->arg[1] < 0)
		return -EINVAL;
	ret = user_path(c->arg[0], &path);
	if (ret)
		return ret;
	ret = vfs_truncate_path(proc_current()->fs, path, c->arg[1]);
	kfree(path);
	return ret;
}

/* ftruncate(fd, size): the same by descriptor; -EINVAL unless it is a regular file open for
 * writing. */
long sys_ftruncate(struct syscall *c)
{
	struct file *file;
	long ret = -EINVAL;

	if ((s64)c->arg[1] < 0)
		return -EINVAL;
	file = user_file((int)c->arg[0]);
	if (!file)
		return -EBADF;
	if (file_writable(file) && S_ISREG(file->inode->mode))
		ret = vfs_truncate(file->inode, c->arg[1]);
	file_put(file);
	return ret;
}

/* fsync(fd): 0, -EBADF, or -EINVAL for what is neither file nor directory; memory is all there
 * is to sync to. */
long sys_fsync(struct syscall *c)
{
	struct file *file = user_file((int)c->arg[0]);
	bool kept;

	if (!file)
		return -EBADF;
	kept = S_ISREG(file->inode->mode) || S_ISDIR(file->inode->mode);
	file_put(file);
	return kept ? 0 : -EINVAL;
}

/* fdatasync(fd): as fsync(). */
long sys_fdatasync(struct syscall *c)
{
	return sys_fsync(c);
}

/* sync(): nothing is ever behind. */
long sys_sync(struct syscall *c)
{
	(void)c;
	return 0;
}
