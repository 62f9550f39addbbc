/* SPDX-License-Identifier: MIT */
/* System calls on descriptors: closing, duplicating, flags, locks, pipes. */
#include "kernel/fs/lock.h"
#include "kernel/sys/abi_file.h"
#include "kernel/sys/calls.h"

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_GETLK		5
#define F_SETLK		6
#define F_SETLKW	7
#define F_DUPFD_CLOEXEC	1030
#define FD_CLOEXEC	1u

#define SETFL_FLAGS	(O_APPEND | O_NONBLOCK)
#define GETFL_FLAGS	(O_ACCMODE | SETFL_FLAGS | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_PATH)

/* close(fd): 0 or -EBADF. */
long sys_close(struct syscall *c)
{
	return files_close(proc_current()->files, (int)c->arg[0]);
}

#define CLOSE_RANGE_CLOEXEC 4u

/* close_range(first, last, flags): close all these, or mark them to be closed by exec. */
long sys_close_range(struct syscall *c)
{
	struct files *files = proc_current()->files;
	unsigned first = (unsigned)c->arg[0], last = (unsigned)c->arg[1];
	bool mark = c->arg[2] == CLOSE_RANGE_CLOEXEC;

	if (first > last || (c->arg[2] && !mark))
		return -EINVAL;
	last = MIN(last, READ_ONCE(files->nr_slots) - 1);
	for (unsigned fd = first; fd <= last && fd < FILES_MAX; fd++) {
		/* Not open: nothing to do. */
		int err = mark ? files_set_cloexec(files, (int)fd, true) : files_close(files, (int)fd);

		ASSERT(!err || err == -EBADF);
	}
	return 0;
}

static long duplicate(int fd, int min_fd, bool cloexec)
{
	struct file *file = user_file_any(fd);
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

	if (new_fd < 0 || (unsigned)new_fd >= vfs_nofile_limit())
		return -EBADF;
	file = user_file_any(fd);
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
	file = user_file_any(fd);
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
	if (file->flags & O_PATH)
		return -EBADF;
	WRITE_ONCE(file->flags, (file->flags & ~SETFL_FLAGS) | (arg & SETFL_FLAGS));
	return 0;
}

static long fcntl_lock(int fd, struct file *file, int cmd, uaddr_t user)
{
	struct linux_flock l;
	struct file_range range;
	long ret;

	if (file->flags & O_PATH)
		return -EBADF;
	if (user_get(&l, user, sizeof(l)))
		return -EFAULT;
	range = (struct file_range){ .type = l.type, .whence = l.whence,
				     .start = l.start, .len = l.len };
	if (cmd != F_GETLK)
		return file_lock(proc_current()->files, fd, file, &range, cmd == F_SETLKW);
	ret = file_lock_test(proc_current()->files, file, &range);
	if (ret)
		return ret;
	l.type = (s16)range.type;
	if (l.type != F_UNLCK)
		l = (struct linux_flock){ .type = l.type, .start = range.start,
					  .len = range.len, .pid = range.pid };
	return user_put(user, &l, sizeof(l));
}

/* fcntl(fd, command, arg) for descriptors: duplicate, close-on-exec, status flags, record
 * locks. -EINVAL for other commands (leases, owners). */
long sys_fcntl(struct syscall *c)
{
	struct files *files = proc_current()->files;
	int fd = (int)c->arg[0], cmd = (int)c->arg[1];
	struct file *file = user_file_any(fd);
	long ret;

	if (!file)
		return -EBADF;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		ret = c->arg[2] >= vfs_nofile_limit() ? -EINVAL :
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
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
		ret = fcntl_lock(fd, file, cmd, c->arg[2]);
		break;
	default:
		ret = -EINVAL;
	}
	file_put(file);
	return ret;
}

#define LOCK_SH	1
#define LOCK_EX	2
#define LOCK_NB	4
#define LOCK_UN	8

/* flock(fd, operation): lock the open file, LOCK_SH or LOCK_EX, with LOCK_NB -EWOULDBLOCK
 * instead of waiting; or LOCK_UN. */
long sys_flock(struct syscall *c)
{
	static const int types[] = { [LOCK_SH] = F_RDLCK, [LOCK_EX] = F_WRLCK, [LOCK_UN] = F_UNLCK };
	unsigned op = (unsigned)c->arg[1], type = op & ~(unsigned)LOCK_NB;
	struct file *file;
	long ret;

	if (type != LOCK_SH && type != LOCK_EX && type != LOCK_UN)
		return -EINVAL;
	ret = user_file_for((int)c->arg[0], 0, &file);
	if (ret)
		return ret;
	ret = file_flock(file, types[type], !(op & LOCK_NB));
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
