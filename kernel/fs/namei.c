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

/* May the caller make a name in that directory? Returns 0, -EROFS or -EACCES. */
int may_create(const struct path *dir)
{
	int err = mount_may_write(dir->mount);

	return err ? err : inode_permission(dentry_inode(dir->dentry), MAY_WRITE | MAY_EXEC);
}

/* May the caller take victim's name out of dir, which is locked? From a sticky directory only
 * the owner of either may. as_dir: by rmdir(). Returns 0, -EACCES, -EPERM, -ENOTDIR or -EISDIR. */
int may_delete(const struct inode *dir, const struct inode *victim, bool as_dir)
{
	int err = inode_permission(dir, MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	if ((dir->mode & S_ISVTX) && !cred_owns(victim) && !cred_owns(dir))
		return -EPERM;
	if (as_dir != S_ISDIR(victim->mode))
		return as_dir ? -ENOTDIR : -EISDIR;
	return 0;
}

static void place_put(struct place *p)
{
	mutex_unlock(&dentry_inode(p->dir.dentry)->lock);
	dentry_put(p->dentry);
	path_put(&p->dir);
}

struct place_rule {
	int by_kind[4];			/* the error for each enum last_kind but LAST_NORMAL */
	bool removes;			/* a read-only mount is told before a missing name */
};

static int place_get(struct fs_context *fs, const char *name, const struct place_rule *rule,
		     struct place *p)
{
	struct inode *dir;
	int err = path_parent(fs, name, &p->dir, &p->last);

	if (err)
		return err;
	dir = dentry_inode(p->dir.dentry);
	err = rule->by_kind[last_kind(&p->last)];
	if (!err && rule->removes)
		err = mount_may_write(p->dir.mount);
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
	static const struct place_rule rule = { { 0, -EEXIST, -EEXIST, -EEXIST }, false };
	int err = place_get(fs, name, &rule, p);

	if (err)
		return err;
	if (dentry_inode(p->dentry))
		err = -EEXIST;
	else if (p->last.slash && !for_dir)
		err = -ENOENT;
	else if (!dentry_inode(p->dir.dentry)->ops->create)
		err = -ENOENT;		/* it has the names it has, as Linux's /proc */
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
	mode &= ~fs_umask(fs);
	err = may_create(&p.dir);
	if (!err && (S_ISCHR(mode) || S_ISBLK(mode)) && !cred_is_root())
		err = -EPERM;
	if (!err)
		err = dir->ops->create ? dir->ops->create(dir, p.dentry, mode, rdev) : -EPERM;
	place_put(&p);
	return err;
}

/* Make a directory. Returns 0 or -errno; -ENOMEM is also a group's refusal. */
int vfs_mkdir(struct fs_context *fs, const char *name, unsigned mode)
{
	return make_node(fs, name, S_IFDIR | (mode & 01777), 0);
}

/* Make a regular file, device (root alone may), FIFO or socket node. Of the devices, the
 * character devices that are ours can be opened. */
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
	err = may_create(&p.dir);
	if (!err)
		err = dir->ops->symlink ? dir->ops->symlink(dir, p.dentry, target) : -EPERM;
	place_put(&p);
	return err;
}

/* A name given to another's file would let who gave it keep the file, set-id bits and all: so
 * only for what one may read and write anyway (Linux's protected_hardlinks). */
static bool may_link(const struct inode *inode)
{
	u32 mode = READ_ONCE(inode->mode);

	if (cred_owns(inode))
		return true;
	return S_ISREG(mode) && !(mode & S_ISUID) &&
	       (mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP) &&
	       inode_permission(inode, MAY_READ | MAY_WRITE) == 0;
}

static int link_at(struct place *p, const struct path *old)
{
	struct inode *dir = dentry_inode(p->dir.dentry), *inode = dentry_inode(old->dentry);
	int err;

	if (p->dir.mount != old->mount)
		return -EXDEV;
	if (!may_link(inode))
		return -EPERM;
	err = may_create(&p->dir);
	if (err)
		return err;
	if (S_ISDIR(inode->mode) || !dir->ops->link)
		return -EPERM;
	mutex_lock(&inode->lock);
	err = inode->nlink ? dir->ops->link(dir, p->dentry, inode) : -ENOENT;
	mutex_unlock(&inode->lock);
	return err;
}

/* Give the file at old a second name. Returns 0 or -errno: -EPERM for directories and for files
 * of others that the caller may not read and write. */
int vfs_link(const struct path *old, struct fs_context *fs, const char *to)
{
	struct place p;
	int err = place_get_free(fs, to, false, &p);

	if (err)
		return err;
	err = link_at(&p, old);
	place_put(&p);
	return err;
}

static int unlink_at(struct place *p)
{
	struct inode *dir = dentry_inode(p->dir.dentry), *inode = dentry_inode(p->dentry);
	int err;

	if (!inode)
		return -ENOENT;
	if (p->last.slash)
		return S_ISDIR(inode->mode) ? -EISDIR : -ENOTDIR;
	err = may_delete(dir, inode, false);
	if (err)
		return err;
	if (dentry_is_mounted(p->dentry))
		return -EBUSY;
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
	static const struct place_rule rule = { { 0, -EISDIR, -EISDIR, -EISDIR }, true };
	struct place p;
	int err = place_get(fs, name, &rule, &p);

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
	err = may_delete(dir, inode, true);
	if (err)
		return err;
	if (!dir->ops->rmdir)
		return -EPERM;
	mutex_lock_nested(&inode->lock);
	if (dentry_is_mounted(p->dentry))
		err = -EBUSY;
	else if (dentry_has_positive_child(p->dentry))
		err = -ENOTEMPTY;
	else
		err = dir->ops->rmdir(dir, p->dentry);
	mutex_unlock(&inode->lock);
	if (!err)
		dentry_unhash(p->dentry);
	return err;
}

/* Remove an empty directory. Who works in it stays there, but can make nothing. */
int vfs_rmdir(struct fs_context *fs, const char *name)
{
	static const struct place_rule rule = { { 0, -EBUSY, -EINVAL, -ENOTEMPTY }, true };
	struct place p;
	int err = place_get(fs, name, &rule, &p);

	if (err)
		return err;
	err = rmdir_at(&p);
	place_put(&p);
	return err;
}

/* The target of a symbolic link, cut to size, without NUL. Returns its length; -EINVAL: it is
 * none. */
long vfs_readlink(struct inode *inode, char *buf, size_t size)
{
	const char *target;
	size_t len;

	if (!S_ISLNK(inode->mode))
		return -EINVAL;
	inode_accessed(inode);
	if (!inode->ops->readlink)
		return inode->ops->link_text(inode, buf, size);
	target = inode->ops->readlink(inode);
	len = MIN(str_len(target), size);
	memcpy(buf, target, len);
	return (long)len;
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
	err = inode_permission(dentry_inode(p.dentry), MAY_EXEC);
	if (!err)
		fs_set_cwd(fs, &p);
	path_put(&p);
	return err;
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

/* Cut or lengthen a regular file by name, if the caller may write to it; errors as
 * vfs_truncate(). */
int vfs_truncate_path(struct fs_context *fs, const char *name, u64 size)
{
	struct path p;
	struct inode *inode;
	int err = path_lookup(fs, name, LOOKUP_FOLLOW, &p);

	if (err)
		return err;
	inode = dentry_inode(p.dentry);
	if (S_ISREG(inode->mode)) {
		err = mount_may_write(p.mount);
		if (!err)
			err = inode_permission(inode, MAY_WRITE);
	}
	if (!err)
		err = inode_get_write(inode);
	if (!err) {
		err = vfs_truncate(inode, size);
		inode_put_write(inode);
	}
	path_put(&p);
	return err;
}
