/* SPDX-License-Identifier: MIT */
/* System calls that set what stat() shows: mode, owner, times. */
#include "kernel/sys/abi_file.h"
#include "kernel/sys/calls.h"

#define NS_PER_SEC	1000000000ll
#define SECONDS_MAX	(1ll << 34)	/* times are unsigned nanoseconds since 1970 */

typedef int (*attr_op)(struct inode *inode, const void *to);

static long change(struct target *t, attr_op op, const void *to)
{
	long ret = target_may_write(t);

	if (!ret)
		ret = op(t->inode, to);
	target_put(t);
	return ret;
}

static long change_at(int dirfd, uaddr_t user, unsigned lookup, attr_op op, const void *to)
{
	struct target t;
	long ret = target_get(dirfd, user, lookup, &t);

	return ret ? ret : change(&t, op, to);
}

static long change_fd(int fd, attr_op op, const void *to)
{
	struct target t;
	long ret = target_of(user_file(fd), &t);

	return ret ? ret : change(&t, op, to);
}

static int op_chmod(struct inode *inode, const void *to)
{
	return S_ISLNK(inode->mode) ? -EOPNOTSUPP : vfs_chmod(inode, *(const unsigned *)to);
}

/* chmod(path, mode). */
long sys_chmod(struct syscall *c)
{
	unsigned mode = (unsigned)c->arg[1];

	return change_at(AT_FDCWD, c->arg[0], LOOKUP_FOLLOW, op_chmod, &mode);
}

/* fchmodat(dirfd, path, mode). */
long sys_fchmodat(struct syscall *c)
{
	unsigned mode = (unsigned)c->arg[2];

	return change_at((int)c->arg[0], c->arg[1], LOOKUP_FOLLOW, op_chmod, &mode);
}

/* fchmod(fd, mode). */
long sys_fchmod(struct syscall *c)
{
	unsigned mode = (unsigned)c->arg[1];

	return change_fd((int)c->arg[0], op_chmod, &mode);
}

static int op_chown(struct inode *inode, const void *to)
{
	const u32 *ids = to;

	return vfs_chown(inode, ids[0], ids[1]);
}

static long chown_at(int dirfd, uaddr_t user, const u64 *arg, unsigned lookup)
{
	u32 ids[2] = { (u32)arg[0], (u32)arg[1] };

	return change_at(dirfd, user, lookup, op_chown, ids);
}

/* chown(path, uid, gid): -1 leaves one as it is. */
long sys_chown(struct syscall *c)
{
	return chown_at(AT_FDCWD, c->arg[0], &c->arg[1], LOOKUP_FOLLOW);
}

/* lchown(path, uid, gid): of a symlink itself. */
long sys_lchown(struct syscall *c)
{
	return chown_at(AT_FDCWD, c->arg[0], &c->arg[1], 0);
}

/* fchownat(dirfd, path, uid, gid, flags). */
long sys_fchownat(struct syscall *c)
{
	unsigned flags = (unsigned)c->arg[4];

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return chown_at((int)c->arg[0], c->arg[1], &c->arg[2],
			(flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
			(flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0));
}

/* fchown(fd, uid, gid). */
long sys_fchown(struct syscall *c)
{
	u32 ids[2] = { (u32)c->arg[1], (u32)c->arg[2] };

	return change_fd((int)c->arg[0], op_chown, ids);
}

/* One of the two times: what it is to be, and whether it is to stay. Times that our clock does
 * not reach become the nearest one that it does. */
static int parse_time(const struct linux_timespec *ts, u64 *ns, bool *keep)
{
	s64 sec = MIN(MAX(ts->sec, 0ll), SECONDS_MAX);

	*keep = ts->nsec == UTIME_OMIT;
	*ns = vfs_now();
	if (*keep || ts->nsec == UTIME_NOW)
		return 0;
	if (ts->nsec < 0 || ts->nsec >= NS_PER_SEC)
		return -EINVAL;
	*ns = (u64)sec * NS_PER_SEC + (u64)(sec == ts->sec ? ts->nsec : 0);
	return 0;
}

/* ts NULL: both are now. */
static int parse_times(const struct linux_timespec *ts, struct new_times *to)
{
	int err;

	*to = (struct new_times){ .touch = true };
	to->atime_ns = to->mtime_ns = vfs_now();
	if (!ts || (ts[0].nsec == UTIME_NOW && ts[1].nsec == UTIME_NOW))
		return 0;
	to->touch = false;
	err = parse_time(&ts[0], &to->atime_ns, &to->keep_atime);
	return err ? err : parse_time(&ts[1], &to->mtime_ns, &to->keep_mtime);
}

static int op_utimes(struct inode *inode, const void *to)
{
	return vfs_utimes(inode, to);
}

/* user 0 and a descriptor: the descriptor's file itself. */
static long set_times(int dirfd, uaddr_t user, const struct linux_timespec *ts, unsigned flags)
{
	struct new_times to;
	long ret;

	ret = parse_times(ts, &to);
	if (ret)
		return ret;
	if (to.keep_atime && to.keep_mtime)
		return 0;
	if (!user && dirfd != AT_FDCWD)
		return flags ? -EINVAL : change_fd(dirfd, op_utimes, &to);
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return change_at(dirfd, user,
			 (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
			 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0), op_utimes, &to);
}

/* utimensat(dirfd, path, times[2], flags): no times: now; no path: dirfd itself. */
long sys_utimensat(struct syscall *c)
{
	struct linux_timespec ts[2];

	if (c->arg[2] && user_get(ts, c->arg[2], sizeof(ts)))
		return -EFAULT;
	return set_times((int)c->arg[0], c->arg[1], c->arg[2] ? ts : NULL, (unsigned)c->arg[3]);
}

static long set_timevals(int dirfd, uaddr_t user, uaddr_t times)
{
	struct linux_timeval tv[2];
	struct linux_timespec ts[2];

	if (!times)
		return set_times(dirfd, user, NULL, 0);
	if (user_get(tv, times, sizeof(tv)))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (tv[i].usec < 0 || tv[i].usec >= 1000000)
			return -EINVAL;
		ts[i] = (struct linux_timespec){ tv[i].sec, tv[i].usec * 1000 };
	}
	return set_times(dirfd, user, ts, 0);
}

/* utimes(path, times[2]): in microseconds. */
long sys_utimes(struct syscall *c)
{
	return set_timevals(AT_FDCWD, c->arg[0], c->arg[1]);
}

/* futimesat(dirfd, path, times[2]): the same from dirfd; no path: dirfd itself. */
long sys_futimesat(struct syscall *c)
{
	return set_timevals((int)c->arg[0], c->arg[1], c->arg[2]);
}

/* utime(path, times): in seconds. */
long sys_utime(struct syscall *c)
{
	struct linux_utimbuf times;
	struct linux_timespec ts[2] = { { 0 } };

	if (!c->arg[1])
		return set_times(AT_FDCWD, c->arg[0], NULL, 0);
	if (user_get(&times, c->arg[1], sizeof(times)))
		return -EFAULT;
	ts[0].sec = times.actime;
	ts[1].sec = times.modtime;
	return set_times(AT_FDCWD, c->arg[0], ts, 0);
}
