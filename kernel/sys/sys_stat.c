/* SPDX-License-Identifier: MIT */
/* System calls that look at names and inodes, and those that set what stat() shows. */
#include "kernel/lib/string.h"
#include "kernel/sys/calls.h"

#define ACCESS_EXEC	1u
#define ACCESS_ALL	7u
#define KEEP_ID		(~0u)		/* chown: leave this one */
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

static long inode_of_path(int dirfd, const char *path, unsigned lookup, struct inode **out)
{
	struct at_base base;
	struct path at;
	long ret = at_begin(&base, dirfd, path);

	if (ret)
		return ret;
	ret = path_lookup(base.fs, path, lookup, &at);
	at_end(&base);
	if (ret)
		return ret;
	*out = inode_get(dentry_inode(at.dentry));
	path_put(&at);
	return 0;
}

static long inode_of_fd(int fd, struct inode **out)
{
	struct file *file = user_file(fd);

	if (!file)
		return -EBADF;
	*out = inode_get(file->inode);
	file_put(file);
	return 0;
}

/* An inode by name, or (no name and AT_EMPTY_PATH) by the descriptor itself. */
static long find_inode(int dirfd, uaddr_t user, unsigned at_flags, struct inode **out)
{
	unsigned lookup = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	char *path;
	long ret = user_string(user, PATH_MAX, GFP_KERNEL, &path);

	if (ret)
		return ret;
	if (*path)
		ret = inode_of_path(dirfd, path, lookup, out);
	else if (!(at_flags & AT_EMPTY_PATH))
		ret = -ENOENT;
	else if (dirfd == AT_FDCWD)
		ret = inode_of_path(AT_FDCWD, ".", lookup, out);
	else
		ret = inode_of_fd(dirfd, out);
	kfree(path);
	return ret;
}

static long stat_at(int dirfd, uaddr_t user, uaddr_t buf, unsigned at_flags)
{
	struct inode *inode;
	struct kstat st;
	long ret = find_inode(dirfd, user, at_flags, &inode);

	if (ret)
		return ret;
	inode_stat(inode, &st);
	inode_put(inode);
	return put_stat(buf, &st);
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
	struct file *file = user_file((int)c->arg[0]);
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

/* All run as root, who may do anything but execute what nobody may. */
static long check_access(int dirfd, uaddr_t user, unsigned mode)
{
	struct inode *inode;
	long ret;

	if (mode & ~ACCESS_ALL)
		return -EINVAL;
	ret = find_inode(dirfd, user, 0, &inode);
	if (ret)
		return ret;
	if ((mode & ACCESS_EXEC) && !S_ISDIR(inode->mode) && !(inode->mode & 0111))
		ret = -EACCES;
	inode_put(inode);
	return ret;
}

/* access(path, mode): 0: may be used so. */
long sys_access(struct syscall *c)
{
	return check_access(AT_FDCWD, c->arg[0], (unsigned)c->arg[1]);
}

/* faccessat(dirfd, path, mode). */
long sys_faccessat(struct syscall *c)
{
	return check_access((int)c->arg[0], c->arg[1], (unsigned)c->arg[2]);
}

static void set_mode(struct inode *inode, unsigned mode)
{
	mutex_lock(&inode->lock);
	WRITE_ONCE(inode->mode, (inode->mode & S_IFMT) | (mode & S_IALLPERM));
	WRITE_ONCE(inode->ctime_ns, vfs_now());
	mutex_unlock(&inode->lock);
}

static void set_owner(struct inode *inode, u32 uid, u32 gid)
{
	mutex_lock(&inode->lock);
	if (uid != KEEP_ID)
		inode->uid = uid;
	if (gid != KEEP_ID)
		inode->gid = gid;
	WRITE_ONCE(inode->ctime_ns, vfs_now());
	mutex_unlock(&inode->lock);
}

static long chmod_at(int dirfd, uaddr_t user, unsigned mode)
{
	struct inode *inode;
	long ret = find_inode(dirfd, user, 0, &inode);

	if (ret)
		return ret;
	set_mode(inode, mode);
	inode_put(inode);
	return 0;
}

/* chmod(path, mode). */
long sys_chmod(struct syscall *c)
{
	return chmod_at(AT_FDCWD, c->arg[0], (unsigned)c->arg[1]);
}

/* fchmodat(dirfd, path, mode). */
long sys_fchmodat(struct syscall *c)
{
	return chmod_at((int)c->arg[0], c->arg[1], (unsigned)c->arg[2]);
}

/* fchmod(fd, mode). */
long sys_fchmod(struct syscall *c)
{
	struct file *file = user_file((int)c->arg[0]);

	if (!file)
		return -EBADF;
	set_mode(file->inode, (unsigned)c->arg[1]);
	file_put(file);
	return 0;
}

static long chown_at(int dirfd, uaddr_t user, const u64 *ids, unsigned at_flags)
{
	struct inode *inode;
	long ret = find_inode(dirfd, user, at_flags, &inode);

	if (ret)
		return ret;
	set_owner(inode, (u32)ids[0], (u32)ids[1]);
	inode_put(inode);
	return 0;
}

/* chown(path, uid, gid): recorded and shown; nothing is decided by it. */
long sys_chown(struct syscall *c)
{
	return chown_at(AT_FDCWD, c->arg[0], &c->arg[1], 0);
}

/* lchown(path, uid, gid): of a symlink itself. */
long sys_lchown(struct syscall *c)
{
	return chown_at(AT_FDCWD, c->arg[0], &c->arg[1], AT_SYMLINK_NOFOLLOW);
}

/* fchownat(dirfd, path, uid, gid, flags). */
long sys_fchownat(struct syscall *c)
{
	unsigned flags = (unsigned)c->arg[4];

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return chown_at((int)c->arg[0], c->arg[1], &c->arg[2], flags);
}

/* fchown(fd, uid, gid). */
long sys_fchown(struct syscall *c)
{
	struct file *file = user_file((int)c->arg[0]);

	if (!file)
		return -EBADF;
	set_owner(file->inode, (u32)c->arg[1], (u32)c->arg[2]);
	file_put(file);
	return 0;
}

static long read_link(struct fs_context *fs, const char *path, uaddr_t user, size_t size)
{
	char *text = kmalloc(PATH_MAX, GFP_KERNEL);
	long len;

	if (!text)
		return -ENOMEM;
	len = vfs_readlink(fs, path, text, MIN(size, (size_t)PATH_MAX));
	if (len > 0 && user_put(user, text, (size_t)len))
		len = -EFAULT;
	kfree(text);
	return len;
}

static long readlink_at(int dirfd, uaddr_t user, uaddr_t buf, int size)
{
	struct at_base base;
	char *path;
	long ret;

	if (size <= 0)
		return -EINVAL;
	ret = user_path(user, &path);
	if (ret)
		return ret;
	ret = at_begin(&base, dirfd, path);
	if (!ret) {
		ret = read_link(base.fs, path, buf, (size_t)size);
		at_end(&base);
	}
	kfree(path);
	return ret;
}

/* readlink(path, buf, size): bytes of the target, without NUL, cut to size. */
long sys_readlink(struct syscall *c)
{
	return readlink_at(AT_FDCWD, c->arg[0], c->arg[1], (int)c->arg[2]);
}

/* readlinkat(dirfd, path, buf, size). */
long sys_readlinkat(struct syscall *c)
{
	return readlink_at((int)c->arg[0], c->arg[1], c->arg[2], (int)c->arg[3]);
}
