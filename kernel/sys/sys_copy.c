/* SPDX-License-Identifier: MIT */
/* System calls that copy between files inside the kernel. */
#include "arch/memmap.h"
#include "kernel/sys/calls.h"

/* Bytes from one file to another by way of the kernel. in_pos advances by what arrived; out_pos
 * NULL: at the file's own position. */
static long copy_bytes(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, size_t bytes)
{
	char *buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	long done = 0, n = 1;

	if (!buf)
		return -ENOMEM;
	while (bytes && n > 0) {
		struct iobuf io = { .kernel = buf };

		n = file_read_kernel(in, buf, MIN(bytes, PAGE_SIZE), *in_pos);
		if (n <= 0)
			break;
		io.left = (size_t)n;
		n = file_write(out, &io, out_pos);
		if (n <= 0)
			break;
		*in_pos += (u64)n;
		done += n;
		bytes -= (size_t)n;
		cond_resched();
		if (io.left || thread_signalled())
			break;
	}
	kfree(buf);
	return done ? done : n;
}

/* Where a copy stands in a file: at *user, or (0) at the file's own position. */
static long get_offset(struct file *file, uaddr_t user, u64 *pos)
{
	long ret;

	if (user && user_get(pos, user, sizeof(*pos)))
		return -EFAULT;
	if (user)
		return (s64)*pos < 0 ? -EINVAL : 0;
	ret = file_seek(file, 0, SEEK_CUR);
	*pos = (u64)ret;
	return ret < 0 ? ret : 0;
}

static long put_offset(struct file *file, uaddr_t user, u64 pos)
{
	long ret;

	if (user)
		return user_put(user, &pos, sizeof(pos));
	ret = file_seek(file, (s64)pos, SEEK_SET);
	return ret < 0 ? ret : 0;
}

static long send_bytes(struct file *out, struct file *in, uaddr_t offset, size_t bytes)
{
	u64 pos;
	long ret, err;

	if (!S_ISREG(in->inode->mode) || !in->ops->seekable)
		return offset && !in->ops->seekable ? -ESPIPE : -EINVAL;
	if ((READ_ONCE(out->flags) & O_APPEND) || (s64)bytes < 0)
		return -EINVAL;
	ret = get_offset(in, offset, &pos);
	if (ret)
		return ret;
	ret = copy_bytes(in, &pos, out, NULL, MIN(bytes, IO_MAX_BYTES));
	err = ret > 0 ? put_offset(in, offset, pos) : 0;
	return err ? err : ret;
}

/* sendfile(out, in, offset, bytes): bytes copied; in is a regular file, read at *offset, or (no
 * offset) at its own position. */
long sys_sendfile(struct syscall *c)
{
	struct file *in, *out;
	long ret = user_file_for((int)c->arg[1], MAY_READ, &in);

	if (ret)
		return ret;
	ret = user_file_for((int)c->arg[0], MAY_WRITE, &out);
	if (!ret) {
		ret = send_bytes(out, in, c->arg[2], c->arg[3]);
		file_put(out);
	}
	file_put(in);
	return ret;
}

static long check_files(const struct file *in, const struct file *out)
{
	if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
		return -EISDIR;
	if (!S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	return READ_ONCE(out->flags) & O_APPEND ? -EBADF : 0;
}

static long copy_range(struct file *in, struct file *out, const u64 *arg)
{
	size_t bytes = MIN(arg[4], IO_MAX_BYTES);
	u64 from, to;
	long ret = check_files(in, out), err;

	if (!ret)
		ret = get_offset(in, arg[1], &from);
	if (!ret)
		ret = get_offset(out, arg[3], &to);
	if (!ret && in->inode == out->inode && from < to + bytes && to < from + bytes)
		ret = -EINVAL;
	if (ret)
		return ret;
	ret = copy_bytes(in, &from, out, &to, bytes);
	err = ret > 0 ? put_offset(in, arg[1], from) : 0;
	if (!err && ret > 0)
		err = put_offset(out, arg[3], to);
	return err ? err : ret;
}

/* copy_file_range(in, in_offset, out, out_offset, bytes, flags): as sendfile(), between regular
 * files, each with an offset of its own or none. */
long sys_copy_file_range(struct syscall *c)
{
	struct file *in, *out;
	long ret;

	if (c->arg[5])
		return -EINVAL;
	ret = user_file_for((int)c->arg[0], MAY_READ, &in);
	if (ret)
		return ret;
	ret = user_file_for((int)c->arg[2], MAY_WRITE, &out);
	if (!ret) {
		ret = copy_range(in, out, c->arg);
		file_put(out);
	}
	file_put(in);
	return ret;
}

/* fallocate(fd, mode, offset, bytes): -EOPNOTSUPP, on which libc writes zeros itself. */
long sys_fallocate(struct syscall *c)
{
	struct file *file;
	long ret = user_file_for((int)c->arg[0], MAY_WRITE, &file);

	if (ret)
		return ret;
	if ((s64)c->arg[2] < 0 || (s64)c->arg[3] <= 0)
		ret = -EINVAL;
	else if (!file->ops->seekable)
		ret = -ESPIPE;
	else
		ret = S_ISREG(file->inode->mode) ? -EOPNOTSUPP : -ENODEV;
	file_put(file);
	return ret;
}
