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

/* May the one take the other's name? The directories are locked, nothing else. */
static int check(const struct rename_end *from, const struct rename_end *to)
{
	struct inode *old = dentry_inode(from->dentry), *new = dentry_inode(to->dentry);

	if (!old)
		return -ENOENT;
	if (!S_ISDIR(old->mode) && (from->last.slash || to->last.slash))
		return -ENOTDIR;
	if (dentry_is_ancestor(from->dentry, to->dir.dentry))
		return -EINVAL;
	if (dentry_is_ancestor(to->dentry, from->dir.dentry))
		return -ENOTEMPTY;
	if (dentry_is_mounted(from->dentry) || dentry_is_mounted(to->dentry))
		return -EBUSY;
	if (new && new != old && S_ISDIR(old->mode) && !S_ISDIR(new->mode))
		return -ENOTDIR;
	if (new && new != old && !S_ISDIR(old->mode) && S_ISDIR(new->mode))
		return -EISDIR;
	return dir_of(to)->ops->rename ? 0 : -EPERM;
}

static int replace(struct rename_end *from, struct rename_end *to)
{
	struct inode *new = dentry_inode(to->dentry);
	int err;

	if (new && S_ISDIR(new->mode))
		mutex_lock_nested(&new->lock);
	else if (new)
		mutex_lock(&new->lock);
	if (new && S_ISDIR(new->mode) && dentry_has_positive_child(to->dentry))
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

static int rename_locked(struct rename_end *from, struct rename_end *to)
{
	int err = lookup_locked(from->dir.dentry, &from->last, &from->dentry);

	if (err)
		return err;
	err = lookup_locked(to->dir.dentry, &to->last, &to->dentry);
	if (err)
		goto put_from;
	err = check(from, to);
	/* Two names of one file: nothing is done, as POSIX wants. */
	if (!err && dentry_inode(from->dentry) != dentry_inode(to->dentry))
		err = replace(from, to);
	dentry_put(to->dentry);
put_from:
	dentry_put(from->dentry);
	return err;
}

static int get_end(struct fs_context *fs, const char *name, struct rename_end *end)
{
	return path_parent(fs, name, &end->dir, &end->last);
}

/* Move a name, replacing a file by a file or an empty directory by a directory. Returns 0 or
 * -errno; nothing has changed then. Context: thread, may sleep. */
int vfs_rename(struct fs_context *fs, const char *from_name, const char *to_name)
{
	struct rename_end from, to;
	int err = get_end(fs, from_name, &from);

	if (err)
		return err;
	err = get_end(fs, to_name, &to);
	if (err)
		goto put_from;
	if (from.dir.mount != to.dir.mount) {
		err = -EXDEV;
	} else if (last_kind(&from.last) || last_kind(&to.last)) {
		err = -EBUSY;
	} else {
		lock_dirs(&from, &to);
		err = rename_locked(&from, &to);
		unlock_dirs(&from, &to);
	}
	path_put(&to.dir);
put_from:
	path_put(&from.dir);
	return err;
}
