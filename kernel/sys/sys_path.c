/* SPDX-License-Identifier: MIT */
/*
 * System calls on names that change the tree or where one stands in it. Each pair (mkdir,
 * mkdirat) shares one operation: on_path() copies the name, finds the base, and calls it with
 * the arguments after the name.
 */
#include "kernel/lib/string.h"
#include "kernel/sys/calls.h"

typedef long (*path_op)(struct fs_context *fs, const char *path, const u64 *arg);

static long on_path(int dirfd, uaddr_t user, path_op op, const u64 *arg)
{
	struct at_base base;
	char *path;
	long ret = user_path(user, &path);

	if (ret)
		return ret;
	ret = at_begin(&base, dirfd, path);
	if (!ret) {
		ret = op(base.fs, path, arg);
		at_end(&base);
	}
	kfree(path);
	return ret;
}

static long op_open(struct fs_context *fs, const char *path, const u64 *arg)
{
	unsigned flags = (unsigned)arg[0], mode = (unsigned)arg[1] & S_IALLPERM;
	struct file *file;
	long ret = file_open(fs, path, flags, mode, &file);

	if (ret)
		return ret;
	ret = files_install(proc_current()->files, file, 0, flags & O_CLOEXEC);
	if (ret < 0)
		file_put(file);
	return ret;
}

/* open(path, flags, mode): a descriptor or -errno. */
long sys_open(struct syscall *c)
{
	return on_path(AT_FDCWD, c->arg[0], op_open, &c->arg[1]);
}

/* openat(dirfd, path, flags, mode): the same, a relative path from dirfd. */
long sys_openat(struct syscall *c)
{
	return on_path((int)c->arg[0], c->arg[1], op_open, &c->arg[2]);
}

/* creat(path, mode): open() to write a new or emptied file. */
long sys_creat(struct syscall *c)
{
	u64 arg[2] = { O_CREAT | O_WRONLY | O_TRUNC, c->arg[1] };

	return on_path(AT_FDCWD, c->arg[0], op_open, arg);
}

static long op_mkdir(struct fs_context *fs, const char *path, const u64 *arg)
{
	return vfs_mkdir(fs, path, (unsigned)arg[0] & S_IALLPERM);
}

/* mkdir(path, mode): 0 or -errno; -ENOMEM when refused at the group's limit. */
long sys_mkdir(struct syscall *c)
{
	return on_path(AT_FDCWD, c->arg[0], op_mkdir, &c->arg[1]);
}

/* mkdirat(dirfd, path, mode). */
long sys_mkdirat(struct syscall *c)
{
	return on_path((int)c->arg[0], c->arg[1], op_mkdir, &c->arg[2]);
}

static long op_mknod(struct fs_context *fs, const char *path, const u64 *arg)
{
	unsigned mode = (unsigned)arg[0] & (S_IFMT | S_IALLPERM);

	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		fallthrough;
	case S_IFREG:
		return vfs_mknod(fs, path, mode, 0);
	case S_IFCHR:
	case S_IFBLK:
		return vfs_mknod(fs, path, mode, (u32)arg[1]);
	case S_IFIFO:
	case S_IFSOCK:
		return vfs_mknod(fs, path, mode, 0);
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

/* mknod(path, mode, dev): a file, a device or a fifo; -EPERM for a directory. */
long sys_mknod(struct syscall *c)
{
	return on_path(AT_FDCWD, c->arg[0], op_mknod, &c->arg[1]);
}

/* mknodat(dirfd, path, mode, dev). */
long sys_mknodat(struct syscall *c)
{
	return on_path((int)c->arg[0], c->arg[1], op_mknod, &c->arg[2]);
}

static long op_rmdir(struct fs_context *fs, const char *path, const u64 *arg)
{
	(void)arg;
	return vfs_rmdir(fs, path);
}

static long op_unlink(struct fs_context *fs, const char *path, const u64 *arg)
{
	(void)arg;
	return vfs_unlink(fs, path);
}

/* rmdir(path): an empty directory's name goes. */
long sys_rmdir(struct syscall *c)
{
	return on_path(AT_FDCWD, c->arg[0], op_rmdir, NULL);
}

/* unlink(path): a name goes, and the file with its last name and last user. */
long sys_unlink(struct syscall *c)
{
	return on_path(AT_FDCWD, c->arg[0], op_unlink, NULL);
}

/* unlinkat(dirfd, path, flags): unlink(), or rmdir() with AT_REMOVEDIR. */
long sys_unlinkat(struct syscall *c)
{
	if (c->arg[2] & ~(u64)AT_REMOVEDIR)
		return -EINVAL;
	return on_path((int)c->arg[0], c->arg[1],
		       c->arg[2] & AT_REMOVEDIR ? op_rmdir : op_unlink, NULL);
}

struct two_names {
	int dirfd[2];
	uaddr_t user[2];
};

static long rename_based(const struct two_names *names, char *const path[2], unsigned flags)
{
	struct at_base from, to;
	long ret = at_begin(&from, names->dirfd[0], path[0]);

	if (ret)
		return ret;
	ret = at_begin(&to, names->dirfd[1], path[1]);
	if (!ret) {
		ret = vfs_rename(from.fs, path[0], to.fs, path[1], flags);
		at_end(&to);
	}
	at_end(&from);
	return ret;
}

static long rename_names(const struct two_names *names, unsigned flags)
{
	char *path[2];
	long ret;

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	ret = user_path(names->user[0], &path[0]);
	if (ret)
		return ret;
	ret = user_path(names->user[1], &path[1]);
	if (!ret) {
		ret = rename_based(names, path, flags);
		kfree(path[1]);
	}
	kfree(path[0]);
	return ret;
}

/* rename(from, to). */
long sys_rename(struct syscall *c)
{
	struct two_names names = { { AT_FDCWD, AT_FDCWD }, { c->arg[0], c->arg[1] } };

	return rename_names(&names, 0);
}

/* renameat(from_dirfd, from, to_dirfd, to). */
long sys_renameat(struct syscall *c)
{
	struct two_names names = { { (int)c->arg[0], (int)c->arg[2] }, { c->arg[1], c->arg[3] } };

	return rename_names(&names, 0);
}

/* renameat2(from_dirfd, from, to_dirfd, to, flags): RENAME_NOREPLACE or RENAME_EXCHANGE. */
long sys_renameat2(struct syscall *c)
{
	struct two_names names = { { (int)c->arg[0], (int)c->arg[2] }, { c->arg[1], c->arg[3] } };

	return rename_names(&names, (unsigned)c->arg[4]);
}

static long op_link(struct fs_context *fs, const char *path, const u64 *arg)
{
	const struct target *old = (const struct target *)(uintptr_t)arg[0];

	return old->path.dentry ? vfs_link(&old->path, fs, path) : -EXDEV;
}

static long link_names(const struct two_names *names, unsigned flags)
{
	unsigned lookup = flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0;
	struct target old;
	u64 arg;
	long ret;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	/* A descriptor got from somebody else gives no right to name the file. */
	if (flags & AT_EMPTY_PATH && !cred_is_root())
		return -ENOENT;
	lookup |= flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0;
	ret = target_get(names->dirfd[0], names->user[0], lookup, &old);
	if (ret)
		return ret;
	arg = (uintptr_t)&old;
	ret = on_path(names->dirfd[1], names->user[1], op_link, &arg);
	target_put(&old);
	return ret;
}

/* link(from, to): one more name for a file. */
long sys_link(struct syscall *c)
{
	struct two_names names = { { AT_FDCWD, AT_FDCWD }, { c->arg[0], c->arg[1] } };

	return link_names(&names, 0);
}

/* linkat(from_dirfd, from, to_dirfd, to, flags): AT_SYMLINK_FOLLOW; AT_EMPTY_PATH for root. */
long sys_linkat(struct syscall *c)
{
	struct two_names names = { { (int)c->arg[0], (int)c->arg[2] }, { c->arg[1], c->arg[3] } };

	return link_names(&names, (unsigned)c->arg[4]);
}

static long op_symlink(struct fs_context *fs, const char *path, const u64 *arg)
{
	char *target;
	long ret = user_path(arg[0], &target);

	if (ret)
		return ret;
	ret = vfs_symlink(fs, target, path);
	kfree(target);
	return ret;
}

/* symlink(target, path). */
long sys_symlink(struct syscall *c)
{
	return on_path(AT_FDCWD, c->arg[1], op_symlink, &c->arg[0]);
}

/* symlinkat(target, dirfd, path). */
long sys_symlinkat(struct syscall *c)
{
	return on_path((int)c->arg[1], c->arg[2], op_symlink, &c->arg[0]);
}

static long op_chdir(struct fs_context *fs, const char *path, const u64 *arg)
{
	(void)arg;
	return vfs_chdir(fs, path);
}

/* chdir(path). */
long sys_chdir(struct syscall *c)
{
	return on_path(AT_FDCWD, c->arg[0], op_chdir, NULL);
}

/* fchdir(fd): -ENOTDIR unless it is a directory, -EACCES unless it may be searched. */
long sys_fchdir(struct syscall *c)
{
	struct file *file = user_file_any((int)c->arg[0]);
	long ret = -ENOTDIR;

	if (!file)
		return -EBADF;
	if (file->path.dentry && S_ISDIR(file->inode->mode)) {
		ret = inode_permission(file->inode, MAY_EXEC);
		if (!ret)
			fs_set_cwd(proc_current()->fs, &file->path);
	}
	file_put(file);
	return ret;
}

/* umask(mask): the old one. */
long sys_umask(struct syscall *c)
{
	return atomic_exchange(&proc_current()->fs->umask, (int)c->arg[0] & 0777);
}
