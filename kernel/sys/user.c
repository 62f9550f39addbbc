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

/* The caller's open file, referenced, O_PATH or not; NULL: no such descriptor (-EBADF). */
struct file *user_file_any(int fd)
{
	return files_lookup(proc_current()->files, fd);
}

/* The same, but not one that is open with O_PATH: that is only a place. */
struct file *user_file(int fd)
{
	struct file *file = user_file_any(fd);

	if (!file || !(file->flags & O_PATH))
		return file;
	file_put(file);
	return NULL;
}

/* The same for one way of use: -EBADF also when it was not opened to read (MAY_READ), or to
 * write (MAY_WRITE); may 0: any way. */
int user_file_for(int fd, unsigned may, struct file **out)
{
	struct file *file = user_file(fd);

	if (!file)
		return -EBADF;
	if ((may & MAY_READ && !file_readable(file)) || (may & MAY_WRITE && !file_writable(file))) {
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
	file = user_file_any(dirfd);
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

static int target_by_name(int dirfd, const char *path, unsigned lookup, struct target *t)
{
	struct at_base base;
	int err = at_begin(&base, dirfd, path);

	if (err)
		return err;
	err = path_lookup(base.fs, path, lookup & ~LOOKUP_EMPTY, &t->path);
	at_end(&base);
	t->inode = err ? NULL : inode_get(dentry_inode(t->path.dentry));
	return err;
}

/* What an open file, whose reference is taken over, is open on; a pipe has no path. Returns 0,
 * or -EBADF when there is none. */
int target_of(struct file *file, struct target *t)
{
	*t = (struct target){ .by_fd = true };
	if (!file)
		return -EBADF;
	t->inode = inode_get(file->inode);
	if (file->path.dentry)
		t->path = path_get(&file->path);
	file_put(file);
	return 0;
}

/* What user's path names, from dirfd on. lookup: LOOKUP_*, and LOOKUP_EMPTY: an empty path is
 * dirfd itself. target_put() after success. Returns 0 or -errno of the walk. */
int target_get(int dirfd, uaddr_t user, unsigned lookup, struct target *t)
{
	char *path = NULL;
	int err = user_string(user, PATH_MAX, GFP_KERNEL, &path);

	*t = (struct target){ .inode = NULL };
	if (err)
		return err;
	if (*path)
		err = target_by_name(dirfd, path, lookup, t);
	else if (!(lookup & LOOKUP_EMPTY))
		err = -ENOENT;
	else if (dirfd == AT_FDCWD)
		err = target_by_name(AT_FDCWD, ".", lookup, t);
	else
		err = target_of(user_file_any(dirfd), t);
	kfree(path);
	return err;
}

/* Let go of what target_get() or target_of() took. */
void target_put(struct target *t)
{
	inode_put(t->inode);
	if (t->path.dentry)
		path_put(&t->path);
}

/* May it be changed by way of where it was found? 0 or -EROFS. */
int target_may_write(const struct target *t)
{
	return t->path.mount ? mount_may_write(t->path.mount) : 0;
}
