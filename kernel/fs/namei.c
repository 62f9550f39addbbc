/* SPDX-License-Identifier: MIT */
/*
 * Making, removing and asking after names. Each operation walks to the directory of its last
 * component, locks it, looks the name up under the lock, asks the file system and then tells
 * the dcache. A failed operation leaves no dentry: the negative one made by its lookup goes at
 * its last put. Names that are found, or not, without the directory's lock are hints (walk.c).
 *
 * Locking: directories are RANK_DIR, parent before child (rmdir locks the directory that it
 * removes, so that nothing is made in it meanwhile); rename.c says what renames do.
 */
#include "kernel/fs/walk_impl.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"

/* A name under its directory's lock. */
struct place {
	struct path dir;		/* referenced, its inode locked */
	struct dentry *dentry;		/* referenced */
	struct last_name last;
};

static void place_put(struct place *p)
{
	mutex_unlock(&dentry_inode(p->dir.dentry)->lock);
	dentry_put(p->dentry);
	path_put(&p->dir);
}

/* by_kind: the error for each enum last_kind but LAST_NORMAL. */
static int place_get(struct fs_context *fs, const char *name, const int by_kind[4],
		     struct place *p)
{
	struct inode *dir;
	int err = path_parent(fs, name, &p->dir, &p->last);

	if (err)
		return err;
	dir = dentry_inode(p->dir.dentry);
	err = by_kind[last_kind(&p->last)];
	if (err)
		goto put_dir;
	mutex_lock(&dir->lock);
	err = lookup_locked(p->dir.dentry, &p->last, &p->dentry);
	if (!err)
		return 0;
	mutex_unlock(&dir->lock);
put_dir:
	path_put(&p->dir);
	return err;
}

/* A place where nothing is yet. */
static int place_get_free(struct fs_context *fs, const char *name, bool for_dir, struct place *p)
{
	static const int errors[] = { 0, -EEXIST, -EEXIST, -EEXIST };
	int err = place_get(fs, name, errors, p);

	if (err)
		return err;
	if (dentry_inode(p->dentry))
		err = -EEXIST;
	else if (p->last.slash && !for_dir)
		err = -ENOENT;
	if (err)
		place_put(p);
	return err;
}

static int make_node(struct fs_context *fs, const char *name, unsigned mode, u64 rdev)
{
	struct place p;
	struct inode *dir;
	int err = place_get_free(fs, name, S_ISDIR(mode), &p);

	if (err)
		return err;
	dir = dentry_inode(p.dir.dentry);
	mode &= ~(fs_umask(fs) & 0777);
	err = dir->ops->create ? dir->ops->create(dir, p.dentry, mode, rdev) : -EPERM;
	place_put(&p);
	return err;
}

/* Make a directory. Returns 0 or -errno; -ENOMEM is also a group's refusal. */
int vfs_mkdir(struct fs_context *fs, const char *name, unsigned mode)
{
	return make_node(fs, name, S_IFDIR | (mode & 01777), 0);
}

/* Make a regular file, device, FIFO or socket node. Only the first and the character devices
 * that are ours can be opened. */
int vfs_mknod(struct fs_context *fs, const char *name, unsigned mode, u64 rdev)
{
	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	return make_node(fs, name, mode & (S_IFMT | S_IALLPERM), rdev);
}

/* Make a symbolic link. */
int vfs_symlink(struct fs_context *fs, const char *target, const char *name)
{
	struct place p;
	struct inode *dir;
	int err;

	if (!target[0])
		return -ENOENT;
	if (str_len(target) >= PATH_MAX)
		return -ENAMETOOLONG;
	err = place_get_free(fs, name, false, &p);
	if (err)
		return err;
	dir = dentry_inode(p.dir.dentry);
	err = dir->ops->symlink ? dir->ops->symlink(dir, p.dentry, target) : -EPERM;
	place_put(&p);
	return err;
}

static int link_at(struct place *p, const struct path *old)
{
	struct inode *dir = dentry_inode(p->dir.dentry), *inode = dentry_inode(old->dentry);
	int err;

	if (p->dir.mount != old->mount)
		return -EXDEV;
	if (S_ISDIR(inode->mode) || !dir->ops->link)
		return -EPERM;
	mutex_lock(&inode->lock);
	err = inode->nlink ? dir->ops->link(dir, p->dentry, inode) : -ENOENT;
	mutex_unlock(&inode->lock);
	return err;
}

/* Give the file a second name; a symbolic link gets one itself. */
int vfs_link(struct fs_context *fs, const char *from, const char *to)
{
	struct path old;
	struct place p;
	int err = path_lookup(fs, from, 0, &old);

	if (err)
		return err;
	err = place_get_free(fs, to, false, &p);
	if (!err) {
		err = link_at(&p, &old);
		place_put(&p);
	}
	path_put(&old);
	return err;
}

static int unlink_at(struct place *p)
{
	struct inode *dir = dentry_inode(p->dir.dentry), *inode = dentry_inode(p->dentry);
	int err;

	if (!inode)
		return -ENOENT;
	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (p->last.slash)
		return -ENOTDIR;
	if (!dir->ops->unlink)
		return -EPERM;
	mutex_lock(&inode->lock);
	err = dir->ops->unlink(dir, p->dentry);
	mutex_unlock(&inode->lock);
	if (!err)
		dentry_unhash(p->dentry);
	return err;
}

/* Remove a name that is not a directory's. Who has the file open keeps it. */
int vfs_unlink(struct fs_context *fs, const char *name)
{
	static const int errors[] = { 0, -EISDIR, -EISDIR, -EISDIR };
	struct place p;
	int err = place_get(fs, name, errors, &p);

	if (err)
		return err;
	err = unlink_at(&p);
	place_put(&p);
	return err;
}

static int rmdir_at(struct place *p)
{
	struct inode *dir = dentry_inode(p->dir.dentry), *inode = dentry_inode(p->dentry);
	int err;

	if (!inode)
		return -ENOENT;
	if (!S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (dentry_is_mounted(p->dentry))
		return -EBUSY;
	if (!dir->ops->rmdir)
		return -EPERM;
	mutex_lock_nested(&inode->lock);
	err = dentry_has_positive_child(p->dentry) ? -ENOTEMPTY : dir->ops->rmdir(dir, p->dentry);
	mutex_unlock(&inode->lock);
	if (!err)
		dentry_unhash(p->dentry);
	return err;
}

/* Remove an empty directory. Who works in it stays there, but can make nothing. */
int vfs_rmdir(struct fs_context *fs, const char *name)
{
	static const int errors[] = { 0, -EBUSY, -EINVAL, -ENOTEMPTY };
	struct place p;
	int err = place_get(fs, name, errors, &p);

	if (err)
		return err;
	err = rmdir_at(&p);
	place_put(&p);
	return err;
}

/* The target of a symbolic link, cut to size, without NUL. Returns its length. */
long vfs_readlink(struct fs_context *fs, const char *name, char *buf, size_t size)
{
	struct path p;
	struct inode *inode;
	long err = path_lookup(fs, name, 0, &p);

	if (err)
		return err;
	inode = dentry_inode(p.dentry);
	err = -EINVAL;
	if (S_ISLNK(inode->mode)) {
		const char *target = inode->ops->readlink(inode);
		size_t len = MIN(str_len(target), size);

		memcpy(buf, target, len);
		err = (long)len;
	}
	path_put(&p);
	return err;
}

/* Ask about a file. flags: LOOKUP_*. */
int vfs_stat(struct fs_context *fs, const char *name, unsigned flags, struct kstat *st)
{
	struct path p;
	int err = path_lookup(fs, name, flags, &p);

	if (err)
		return err;
	inode_stat(dentry_inode(p.dentry), st);
	path_put(&p);
	return 0;
}

/* Make a directory the working directory. */
int vfs_chdir(struct fs_context *fs, const char *name)
{
	struct path p;
	int err = path_lookup(fs, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (err)
		return err;
	fs_set_cwd(fs, &p);
	path_put(&p);
	return 0;
}

/* The working directory's name. Returns its length, NUL included; errors as dentry_path(). */
long vfs_getcwd(struct fs_context *fs, char *buf, size_t size)
{
	struct path cwd = fs_get_cwd(fs), root = fs_get_root(fs);
	long len = dentry_path(&cwd, &root, buf, size);

	path_put(&cwd);
	path_put(&root);
	return len;
}

/* Cut or lengthen (with a hole) a regular file. Locks: takes the inode's data_lock. */
int vfs_truncate(struct inode *inode, u64 size)
{
	int err;

	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (!S_ISREG(inode->mode) || !inode->ops->truncate)
		return -EINVAL;
	write_lock(&inode->data_lock);
	err = inode->ops->truncate(inode, size);
	write_unlock(&inode->data_lock);
	return err;
}
