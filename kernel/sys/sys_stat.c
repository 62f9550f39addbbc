/* SPDX-License-Identifier: MIT */
/* System calls that look at names and inodes. */
#include "kernel/lib/string.h"
#include "kernel/sys/abi_file.h"
#include "kernel/sys/calls.h"

#define ACCESS_ALL	7u		/* R_OK, W_OK, X_OK are MAY_READ, MAY_WRITE, MAY_EXEC */
#define NS_PER_SEC	1000000000ull

static struct linux_timespec to_timespec(u64 ns)
{
	return (struct linux_timespec){ (s64)(ns / NS_PER_SEC), (s64)(ns % NS_PER_SEC) };
}

static long put_stat(uaddr_t user, const struct kstat *st)
{
	struct linux_stat out = {
		.dev = st->dev, .ino = st->ino, .nlink = st->nlink, .mode = st->mode,
		.uid = st->uid, .gid = st->gid, .rdev = st->rdev,
		.size = (s64)st->size, .blksize = st->blksize, .blocks = (s64)st->blocks,
		.atime = to_timespec(st->atime_ns), .mtime = to_timespec(st->mtime_ns),
		.ctime = to_timespec(st->ctime_ns),
	};

	return user_put(user, &out, sizeof(out));
}

/* AT_* flags as LOOKUP_* flags. */
static unsigned lookup_flags(unsigned at_flags)
{
	return (at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
	       (at_flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
}

static long kstat_at(int dirfd, uaddr_t user, unsigned at_flags, struct kstat *st)
{
	struct target t;
	long ret = target_get(dirfd, user, lookup_flags(at_flags), &t);

	if (ret)
		return ret;
	inode_stat(t.inode, st);
	target_put(&t);
	return 0;
}

static long stat_at(int dirfd, uaddr_t user, uaddr_t buf, unsigned at_flags)
{
	struct kstat st;
	long ret = kstat_at(dirfd, user, at_flags, &st);

	return ret ? ret : put_stat(buf, &st);
}

/* stat(path, buf). */
long sys_stat(struct syscall *c)
{
	return stat_at(AT_FDCWD, c->arg[0], c->arg[1], 0);
}

/* lstat(path, buf): of a symlink itself. */
long sys_lstat(struct syscall *c)
{
	return stat_at(AT_FDCWD, c->arg[0], c->arg[1], AT_SYMLINK_NOFOLLOW);
}

/* fstat(fd, buf). */
long sys_fstat(struct syscall *c)
{
	struct file *file = user_file_any((int)c->arg[0]);
	struct kstat st;

	if (!file)
		return -EBADF;
	inode_stat(file->inode, &st);
	file_put(file);
	return put_stat(c->arg[1], &st);
}

/* newfstatat(dirfd, path, buf, flags): all of these; AT_EMPTY_PATH with "" is fstat(). */
long sys_newfstatat(struct syscall *c)
{
	unsigned flags = (unsigned)c->arg[3];

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	return stat_at((int)c->arg[0], c->arg[1], c->arg[2], flags);
}

static struct linux_statx_time to_statx_time(u64 ns)
{
	return (struct linux_statx_time){ (s64)(ns / NS_PER_SEC), (u32)(ns % NS_PER_SEC), 0 };
}

/* statx(dirfd, path, flags, mask, buf): what stat() tells; the mask in the answer says so. */
long sys_statx(struct syscall *c)
{
	unsigned flags = (unsigned)c->arg[2], mask = (unsigned)c->arg[3];
	struct linux_statx out = { .mask = STATX_BASIC_STATS };
	struct kstat st;
	long ret;

	if ((mask & STATX_RESERVED) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
	    (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH |
		       AT_STATX_SYNC_TYPE)))
		return -EINVAL;
	ret = kstat_at((int)c->arg[0], c->arg[1], flags, &st);
	if (ret)
		return ret;
	out.blksize = st.blksize;
	out.nlink = (u32)st.nlink;
	out.uid = st.uid;
	out.gid = st.gid;
	out.mode = (u16)st.mode;
	out.ino = st.ino;
	out.size = st.size;
	out.blocks = st.blocks;
	out.atime = to_statx_time(st.atime_ns);
	out.mtime = to_statx_time(st.mtime_ns);
	out.ctime = to_statx_time(st.ctime_ns);
	out.rdev_major = MAJOR(st.rdev);
	out.rdev_minor = MINOR(st.rdev);
	out.dev_major = MAJOR(st.dev);
	out.dev_minor = MINOR(st.dev);
	return user_put(c->arg[4], &out, sizeof(out));
}

/* Asks with the real ids, as a set-user-id program wants to know it of its user, along the whole
 * path; with AT_EACCESS with those that open() goes by. */
static long check_access(int dirfd, uaddr_t user, unsigned mode, unsigned at_flags)
{
	unsigned real = at_flags & AT_EACCESS ? 0 : MAY_REAL_IDS, lookup = lookup_flags(at_flags);
	struct target t;
	long ret;

	if ((mode & ~ACCESS_ALL) ||
	    (at_flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	ret = target_get(dirfd, user, lookup | (real ? LOOKUP_REAL_IDS : 0), &t);
	if (ret)
		return ret;
	ret = inode_permission(t.inode, mode | real);
	if (!ret && (mode & MAY_WRITE) && (S_ISREG(t.inode->mode) || S_ISDIR(t.inode->mode)))
		ret = target_may_write(&t);
	target_put(&t);
	return ret;
}

/* access(path, mode): 0: may be used so. */
long sys_access(struct syscall *c)
{
	return check_access(AT_FDCWD, c->arg[0], (unsigned)c->arg[1], 0);
}

/* faccessat(dirfd, path, mode). */
long sys_faccessat(struct syscall *c)
{
	return check_access((int)c->arg[0], c->arg[1], (unsigned)c->arg[2], 0);
}

/* faccessat2(dirfd, path, mode, flags): AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
long sys_faccessat2(struct syscall *c)
{
	return check_access((int)c->arg[0], c->arg[1], (unsigned)c->arg[2], (unsigned)c->arg[3]);
}

static long read_link(struct inode *inode, uaddr_t user, size_t size)
{
	char *text = kmalloc(PATH_MAX, GFP_KERNEL);
	long len;

	if (!text)
		return -ENOMEM;
	len = vfs_readlink(inode, text, MIN(size, (size_t)PATH_MAX));
	if (len > 0 && user_put(user, text, (size_t)len))
		len = -EFAULT;
	kfree(text);
	return len;
}

static long readlink_at(int dirfd, uaddr_t user, uaddr_t buf, int size)
{
	struct target t;
	long ret;

	if (size <= 0)
		return -EINVAL;
	ret = target_get(dirfd, user, LOOKUP_EMPTY, &t);
	if (ret)
		return ret;
	ret = read_link(t.inode, buf, (size_t)size);
	if (ret == -EINVAL && t.by_fd)
		ret = -ENOENT;
	target_put(&t);
	return ret;
}

/* readlink(path, buf, size): bytes of the target, without NUL, cut to size. */
long sys_readlink(struct syscall *c)
{
	return readlink_at(AT_FDCWD, c->arg[0], c->arg[1], (int)c->arg[2]);
}

/* readlinkat(dirfd, path, buf, size): an empty path is a link that dirfd was opened on. */
long sys_readlinkat(struct syscall *c)
{
	return readlink_at((int)c->arg[0], c->arg[1], c->arg[2], (int)c->arg[3]);
}
