/* SPDX-License-Identifier: MIT */
/*
 * Arguments that point into user memory: strings, structs, descriptors, base directories.
 * Nothing here trusts a pointer or a length; copies go through arch/uaccess.h alone.
 */
#include "kernel/lib/string.h"
#include "kernel/sys/calls.h"

/* Copy a user string of at most size bytes, NUL included, into *out (kfree() it). Returns 0,
 * -EFAULT, -ENAMETOOLONG or -ENOMEM. Context: may sleep. */
int user_string(uaddr_t user, size_t size, gfp_t gfp, char **out)
{
	char *s = kmalloc(size, gfp);
	long len;

	if (!s)
		return -ENOMEM;
	len = copy_string_from_user(s, user, size);
	if (len < 0) {
		kfree(s);
		return (int)len;
	}
	*out = s;
	return 0;
}

/* A path name: user_string() that is not empty (-ENOENT), charged to the caller until freed. */
int user_path(uaddr_t user, char **out)
{
	int err = user_string(user, PATH_MAX, GFP_KERNEL, out);

	if (!err && **out == '\0') {
		kfree(*out);
		err = -ENOENT;
	}
	return err;
}

/* Copy to the user: 0 or -EFAULT. */
int user_put(uaddr_t user, const void *data, size_t bytes)
{
	return copy_to_user(user, data, bytes) ? -EFAULT : 0;
}

/* Copy from the user: 0 or -EFAULT. */
int user_get(void *data, uaddr_t user, size_t bytes)
{
	return copy_from_user(data, user, bytes) ? -EFAULT : 0;
}

/* The caller's open file, referenced; NULL: no such descriptor (-EBADF). */
struct file *user_file(int fd)
{
	return files_lookup(proc_current()->files, fd);
}

/* The same for one way of use: -EBADF also when it was opened with access mode not_this. */
int user_file_mode(int fd, unsigned not_this, struct file **out)
{
	struct file *file = user_file(fd);

	if (!file)
		return -EBADF;
	if ((file->flags & O_PATH) || (file->flags & O_ACCMODE) == not_this) {
		file_put(file);
		return -EBADF;
	}
	*out = file;
	return 0;
}

/*
 * Prepare the base of an *at() call: the caller's own context for AT_FDCWD and absolute paths,
 * else a stand-in on the stack that nobody else sees. at_end() in any case after success.
 * Returns 0; -EBADF; -ENOTDIR: the descriptor is no directory.
 */
int at_begin(struct at_base *base, int dirfd, const char *path)
{
	struct fs_context *fs = proc_current()->fs;
	struct file *file;

	base->fs = fs;
	if (dirfd == AT_FDCWD || path[0] == '/')
		return 0;
	file = user_file(dirfd);
	if (!file)
		return -EBADF;
	if (!file->path.dentry || !S_ISDIR(file->inode->mode)) {
		file_put(file);
		return -ENOTDIR;
	}
	base->fs = &base->own;
	refcount_set(&base->own.refs, 1);
	spin_init(&base->own.lock, RANK_FS, "fs context of a descriptor");
	base->own.cwd = path_get(&file->path);
	base->own.root = fs_get_root(fs);
	atomic_store(&base->own.umask, (int)fs_umask(fs));
	file_put(file);
	return 0;
}

/* Let go of what at_begin() took. */
void at_end(struct at_base *base)
{
	if (base->fs != &base->own)
		return;
	path_put(&base->own.cwd);
	path_put(&base->own.root);
}
