/* SPDX-License-Identifier: MIT */
/* System calls on descriptors: reading, writing, duplicating, pipes. */
#include "kernel/sys/calls.h"

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_DUPFD_CLOEXEC	1030
#define FD_CLOEXEC	1u

#define SETFL_FLAGS	(O_APPEND | O_NONBLOCK)
#define GETFL_FLAGS	(O_ACCMODE | SETFL_FLAGS | O_DIRECTORY | O_NOFOLLOW | O_PATH)

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

static long read_or_write(struct syscall *c, unsigned not_this, transfer_fn fn)
{
	struct file *file;
	long ret = user_file_mode((int)c->arg[0], not_this, &file);

	if (ret)
		return ret;
	ret = transfer(file, fn, c->arg[1], c->arg[2], NULL);
	file_put(file);
	return ret;
}

/* read(fd, buf, bytes): bytes read, 0 at the end, or -errno. */
long sys_read(struct syscall *c)
{
	return read_or_write(c, O_WRONLY, file_read);
}

/* write(fd, buf, bytes): bytes written or -errno. */
long sys_write(struct syscall *c)
{
	return read_or_write(c, O_RDONLY, file_write);
}

static long at_position(struct syscall *c, unsigned not_this, transfer_fn fn)
{
	u64 pos = c->arg[3];
	struct file *file;
	long ret;

	if ((s64)pos < 0)
		return -EINVAL;
	ret = user_file_mode((int)c->arg[0], not_this, &file);
	if (ret)
		return ret;
	ret = file->ops->seekable ? transfer(file, fn, c->arg[1], c->arg[2], &pos) : -ESPIPE;
	file_put(file);
	return ret;
}

/* pread64(fd, buf, bytes, pos): read() there, the file's own position stays. */
long sys_pread64(struct syscall *c)
{
	return at_position(c, O_WRONLY, file_read);
}

/* pwrite64(fd, buf, bytes, pos): write() there, the file's own position stays. */
long sys_pwrite64(struct syscall *c)
{
	return at_position(c, O_RDONLY, file_write);
}

/* Each vector in turn until one comes short; what was moved before an error counts. */
static long transfer_vectors(struct file *file, transfer_fn fn, uaddr_t vectors, unsigned count)
{
	size_t total = 0;
	long n;

	for (unsigned i = 0; i < count; i++) {
		struct linux_iovec v;

		if (user_get(&v, vectors + i * sizeof(v), sizeof(v)))
			return total ? (long)total : -EFAULT;
		if ((s64)v.bytes < 0)
			return total ? (long)total : -EINVAL;
		v.bytes = MIN(v.bytes, IO_MAX_BYTES - total);
		n = v.bytes ? transfer(file, fn, v.base, v.bytes, NULL) : 0;
		if (n < 0)
			return total ? (long)total : n;
		total += (size_t)n;
		if ((size_t)n < v.bytes)
			break;
	}
	return (long)total;
}

static long read_or_write_vectors(struct syscall *c, unsigned not_this, transfer_fn fn)
{
	struct file *file;
	long ret;

	if (c->arg[2] > IOV_MAX)
		return -EINVAL;
	ret = user_file_mode((int)c->arg[0], not_this, &file);
	if (ret)
		return ret;
	ret = transfer_vectors(file, fn, c->arg[1], (unsigned)c->arg[2]);
	file_put(file);
	return ret;
}

/* readv(fd, vectors, count): as read() into several buffers; -EINVAL over IOV_MAX. */
long sys_readv(struct syscall *c)
{
	return read_or_write_vectors(c, O_WRONLY, file_read);
}

/* writev(fd, vectors, count): as write() from several buffers; -EINVAL over IOV_MAX. */
long sys_writev(struct syscall *c)
{
	return read_or_write_vectors(c, O_RDONLY, file_write);
}

/* close(fd): 0 or -EBADF. */
long sys_close(struct syscall *c)
{
	return files_close(proc_current()->files, (int)c->arg[0]);
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
	long ret = user_file_mode((int)c->arg[0], ~0u, &file);

	if (ret)
		return ret;
	ret = file->ops->ioctl ? file->ops->ioctl(file, (unsigned)c->arg[1], c->arg[2]) : -ENOTTY;
	file_put(file);
	return ret;
}

static long duplicate(int fd, int min_fd, bool cloexec)
{
	struct file *file = user_file(fd);
	long ret;

	if (!file)
		return -EBADF;
	ret = files_install(proc_current()->files, file, min_fd, cloexec);
	if (ret < 0)
		file_put(file);
	return ret;
}

/* dup(fd): the lowest free descriptor, for the same open file. */
long sys_dup(struct syscall *c)
{
	return duplicate((int)c->arg[0], 0, false);
}

static long duplicate_to(int fd, int new_fd, bool cloexec)
{
	struct file *file;
	int err;

	if (new_fd < 0 || new_fd >= FILES_MAX)
		return -EBADF;
	file = user_file(fd);
	if (!file)
		return -EBADF;
	err = files_replace(proc_current()->files, new_fd, file, cloexec);
	if (err < 0)
		file_put(file);
	return err < 0 ? err : new_fd;
}

/* dup2(fd, new_fd): new_fd, whatever it was before; nothing happens when both are the same. */
long sys_dup2(struct syscall *c)
{
	int fd = (int)c->arg[0];
	struct file *file;

	if (fd != (int)c->arg[1])
		return duplicate_to(fd, (int)c->arg[1], false);
	file = user_file(fd);
	if (!file)
		return -EBADF;
	file_put(file);
	return fd;
}

/* dup3(fd, new_fd, flags): dup2() with O_CLOEXEC; -EINVAL when both are the same. */
long sys_dup3(struct syscall *c)
{
	unsigned flags = (unsigned)c->arg[2];

	if ((flags & ~O_CLOEXEC) || (int)c->arg[0] == (int)c->arg[1])
		return -EINVAL;
	return duplicate_to((int)c->arg[0], (int)c->arg[1], flags & O_CLOEXEC);
}

static long fcntl_flags(struct file *file, int cmd, unsigned arg)
{
	if (cmd == F_GETFL)
		return READ_ONCE(file->flags) & GETFL_FLAGS;
	WRITE_ONCE(file->flags, (file->flags & ~SETFL_FLAGS) | (arg & SETFL_FLAGS));
	return 0;
}

/* fcntl(fd, command, arg) for descriptors: duplicate, close-on-exec, status flags. -EINVAL for
 * other commands (locks, leases, owners). */
long sys_fcntl(struct syscall *c)
{
	struct files *files = proc_current()->files;
	int fd = (int)c->arg[0], cmd = (int)c->arg[1];
	struct file *file = user_file(fd);
	long ret;

	if (!file)
		return -EBADF;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		ret = c->arg[2] >= FILES_MAX ? -EINVAL :
					       duplicate(fd, (int)c->arg[2], cmd != F_DUPFD);
		break;
	case F_GETFD:
		ret = files_get_cloexec(files, fd);
		break;
	case F_SETFD:
		ret = files_set_cloexec(files, fd, c->arg[2] & FD_CLOEXEC);
		break;
	case F_GETFL:
	case F_SETFL:
		ret = fcntl_flags(file, cmd, (unsigned)c->arg[2]);
		break;
	default:
		ret = -EINVAL;
	}
	file_put(file);
	return ret;
}

/* Both ends in the table, which has references of its own then, or neither. */
static long install_pair(struct files *files, struct file *ends[2], int fds[2], bool cloexec)
{
	for (int i = 0; i < 2; i++) {
		fds[i] = files_install(files, file_get(ends[i]), 0, cloexec);
		if (fds[i] >= 0)
			continue;
		file_put(ends[i]);
		if (i > 0)
			files_uninstall(files, fds[0], ends[0]);
		return fds[i];
	}
	return 0;
}

static long make_pipe(uaddr_t user, unsigned flags)
{
	struct files *files = proc_current()->files;
	struct file *ends[2];
	int fds[2];
	long err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create(&ends[0], &ends[1], flags & O_NONBLOCK);
	if (err)
		return err;
	err = install_pair(files, ends, fds, flags & O_CLOEXEC);
	if (!err) {
		err = user_put(user, fds, sizeof(fds));
		for (int i = 0; err && i < 2; i++)
			files_uninstall(files, fds[i], ends[i]);
	}
	file_put(ends[0]);
	file_put(ends[1]);
	return err;
}

/* pipe(fds): fds[0] reads what fds[1] writes. */
long sys_pipe(struct syscall *c)
{
	return make_pipe(c->arg[0], 0);
}

/* pipe2(fds, flags): pipe() with O_CLOEXEC and O_NONBLOCK. */
long sys_pipe2(struct syscall *c)
{
	return make_pipe(c->arg[0], (unsigned)c->arg[1]);
}

static long truncate_inode(struct inode *inode, s64 size)
{
	return size < 0 ? -EINVAL : vfs_truncate(inode, (u64)size);
}

/* truncate(path, size): cut a file, or let it grow by a hole. */
long sys_truncate(struct syscall *c)
{
	struct path at;
	char *path;
	long ret = user_path(c->arg[0], &path);

	if (ret)
		return ret;
	ret = path_lookup(proc_current()->fs, path, LOOKUP_FOLLOW, &at);
	kfree(path);
	if (ret)
		return ret;
	ret = truncate_inode(dentry_inode(at.dentry), (s64)c->arg[1]);
	path_put(&at);
	return ret;
}

/* ftruncate(fd, size): the same by descriptor; -EINVAL unless it is open for writing. */
long sys_ftruncate(struct syscall *c)
{
	struct file *file = user_file((int)c->arg[0]);
	long ret = -EINVAL;

	if (!file)
		return -EBADF;
	if ((file->flags & O_ACCMODE) != O_RDONLY)
		ret = truncate_inode(file->inode, (s64)c->arg[1]);
	file_put(file);
	return ret;
}

/* fsync(fd): 0 or -EBADF; memory is all there is to sync to. */
long sys_fsync(struct syscall *c)
{
	struct file *file = user_file((int)c->arg[0]);

	if (!file)
		return -EBADF;
	file_put(file);
	return 0;
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
