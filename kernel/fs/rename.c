/* SPDX-License-Identifier: MIT */
/*
 * Rename: the one operation on two directories.
 *
 * Locking: all renames go one after the other under rename_lock (RANK_RENAME), so that no
 * directory moves while we ask who lies above whom. Then both directories (RANK_DIR): the
 * upper one first, as every walk from a directory to one inside it locks; two of which neither
 * lies above the other by address. Last the inode that is replaced, which lies in the second.
 */
#include "kernel/fs/walk_impl.h"
#include "kernel/lib/errno.h"

static struct mutex rename_lock;

struct rename_end {
	struct path dir;		/* referenced */
	struct last_name last;
	struct dentry *dentry;		/* referenced while the directories are locked */
};

/* Make the rename lock. Context: boot, once. */
void rename_init(void)
{
	mutex_init(&rename_lock, RANK_RENAME, "rename");
}

static struct inode *dir_of(const struct rename_end *end)
{
	return dentry_inode(end->dir.dentry);
}

static void lock_dirs(struct rename_end *from, struct rename_end *to)
{
	struct dentry *first = from->dir.dentry, *second = to->dir.dentry;
	bool swap;

	mutex_lock(&rename_lock);
	swap = first != second && !dentry_is_ancestor(first, second) &&
	       (dentry_is_ancestor(second, first) || (uintptr_t)second < (uintptr_t)first);
	if (swap) {
		first = to->dir.dentry;
		second = from->dir.dentry;
	}
	mutex_lock(&dentry_inode(first)->lock);
	if (first != second)
		mutex_lock_nested(&dentry_inode(second)->lock);
}

static void unlock_dirs(struct rename_end *from, struct rename_end *to)
{
	mutex_unlock(&dir_of(from)->lock);
	if (dir_of(to) != dir_of(from))
		mutex_unlock(&dir_of(to)->lock);
	mutex_unlock(&rename_lock);
}

/* What can be told without asking who the caller is. The directories are locked, nothing else. */
static int check_names(const struct rename_end *from, const struct rename_end *to, unsigned flags)
{
	struct inode *old = dentry_inode(from->dentry), *new = dentry_inode(to->dentry);
	bool exchange = flags & RENAME_EXCHANGE;

	if (!old || (exchange && !new))
		return -ENOENT;
	if (new && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (exchange && !S_ISDIR(new->mode) && to->last.slash)
		return -ENOTDIR;
	if (!S_ISDIR(old->mode) && (from->last.slash || (!exchange && to->last.slash)))
		return -ENOTDIR;
	if (dentry_is_ancestor(from->dentry, to->dir.dentry))
		return -EINVAL;
	if (dentry_is_ancestor(to->dentry, from->dir.dentry))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

/* May the caller? A directory that moves to another has its ".." changed: that is a write. */
static int check_rights(const struct rename_end *from, const struct rename_end *to, unsigned flags)
{
	struct inode *old = dentry_inode(from->dentry), *new = dentry_inode(to->dentry);
	bool moves = dir_of(from) != dir_of(to), exchange = flags & RENAME_EXCHANGE;
	int err = may_delete(dir_of(from), old, S_ISDIR(old->mode));

	if (!err && !new)
		err = may_create(&to->dir);
	else if (!err)
		err = may_delete(dir_of(to), new, S_ISDIR(exchange ? new->mode : old->mode));
	if (!err && !dir_of(to)->ops->rename)
		err = -EPERM;
	if (!err && moves && S_ISDIR(old->mode))
		err = inode_permission(old, MAY_WRITE);
	if (!err && moves && exchange && S_ISDIR(new->mode))
		err = inode_permission(new, MAY_WRITE);
	if (!err && (dentry_is_mounted(from->dentry) || dentry_is_mounted(to->dentry)))
		err = -EBUSY;
	return err;
}

static int replace(struct rename_end *from, struct rename_end *to)
{
	struct inode *new = dentry_inode(to->dentry);
	int err;

	if (new && S_ISDIR(new->mode))
		mutex_lock_nested(&new->lock);
	else if (new)
		mutex_lock(&new->lock);
	if (dentry_is_mounted(to->dentry))
		err = -EBUSY;			/* since we asked without its lock */
	else if (new && S_ISDIR(new->mode) && dentry_has_positive_child(to->dentry))
		err = -ENOTEMPTY;
	else
		err = dir_of(from)->ops->rename(dir_of(from), from->dentry, dir_of(to),
						to->dentry);
	if (new)
		mutex_unlock(&new->lock);
	if (!err)
		dentry_move(from->dentry, to->dir.dentry, to->dentry);
	return err;
}

static int exchange(struct rename_end *from, struct rename_end *to)
{
	int err = -EINVAL;

	if (dir_of(from)->ops->exchange)
		err = dir_of(from)->ops->exchange(dir_of(from), from->dentry, dir_of(to),
						  to->dentry);
	if (!err)
		dentry_exchange(from->dentry, to->dentry);
	return err;
}

static int rename_locked(struct rename_end *from, struct rename_end *to, unsigned flags)
{
	int err = lookup_locked(from->dir.dentry, &from->last, &from->dentry);

	if (err)
		return err;
	err = lookup_locked(to->dir.dentry, &to->last, &to->dentry);
	if (err)
		goto put_from;
	err = check_names(from, to, flags);
	/* Two names of one file: nothing is done, as POSIX wants. */
	if (err || dentry_inode(from->dentry) == dentry_inode(to->dentry))
		goto put_to;
	err = check_rights(from, to, flags);
	if (!err)
		err = flags & RENAME_EXCHANGE ? exchange(from, to) : replace(from, to);
put_to:
	dentry_put(to->dentry);
put_from:
	dentry_put(from->dentry);
	return err;
}

static int rename_ends(struct rename_end *from, struct rename_end *to, unsigned flags)
{
	int err;

	if (from->dir.mount != to->dir.mount)
		return -EXDEV;
	if (last_kind(&from->last))
		return -EBUSY;
	if (last_kind(&to->last))
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	err = mount_may_write(from->dir.mount);
	if (err)
		return err;
	lock_dirs(from, to);
	err = rename_locked(from, to, flags);
	unlock_dirs(from, to);
	return err;
}

/* Move a name, replacing a file by a file or an empty directory by a directory. flags:
 * RENAME_NOREPLACE: -EEXIST instead of replacing; RENAME_EXCHANGE: each takes the other's name.
 * Returns 0 or -errno; nothing has changed then. Context: thread, may sleep. */
int vfs_rename(struct fs_context *from_fs, const char *from_name, struct fs_context *to_fs,
	       const char *to_name, unsigned flags)
{
	struct rename_end from, to;
	int err = path_parent(from_fs, from_name, &from.dir, &from.last);

	if (err)
		return err;
	err = path_parent(to_fs, to_name, &to.dir, &to.last);
	if (!err) {
		err = rename_ends(&from, &to, flags);
		path_put(&to.dir);
	}
	path_put(&from.dir);
	return err;
}
