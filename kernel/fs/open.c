/* SPDX-License-Identifier: MIT */
/*
 * Opening by name. The file object is allocated before the walk, so that an open which creates
 * cannot run out of memory when the name is already there.
 */
#include "kernel/fs/file_impl.h"
#include "kernel/fs/walk_impl.h"
#include "kernel/lib/errno.h"

static int find_or_create(struct walk *w, unsigned flags, unsigned mode, struct dentry **child)
{
	struct inode *dir = dentry_inode(w->at.dentry);
	int err;

	mutex_lock(&dir->lock);
	err = lookup_locked(w->at.dentry, &w->last, child);
	if (err)
		goto unlock;
	if (!dentry_inode(*child))
		err = dir->ops->create ? dir->ops->create(dir, *child, mode, 0) : -EPERM;
	else if (flags & O_EXCL)
		err = -EEXIST;
	if (err)
		dentry_put(*child);
unlock:
	mutex_unlock(&dir->lock);
	return err;
}

/* Look the last component up, or create it, and enter it. Returns 0: there; 1: it was a link
 * whose target is to be opened instead; -errno. */
static int create_last(struct walk *w, unsigned flags, unsigned mode)
{
	struct dentry *child = flags & O_EXCL ? NULL : walk_find(w);
	bool is_link;
	int err = child ? 0 : find_or_create(w, flags, mode, &child);

	if (err)
		return err;
	is_link = S_ISLNK(dentry_inode(child)->mode) && !(flags & O_NOFOLLOW);
	err = walk_enter(w, child, is_link);
	return err ? err : is_link;
}

static int walk_create(struct walk *w, unsigned flags, unsigned mode)
{
	int err;

	do {
		err = walk_to_last(w);
		if (err)
			return err;
		if (last_kind(&w->last) || w->last.slash)
			return flags & O_EXCL && !w->last.slash ? -EEXIST : -EISDIR;
		err = create_last(w, flags, mode);
	} while (err > 0);
	return err;
}

static int check_type(const struct inode *inode, unsigned flags)
{
	if (S_ISLNK(inode->mode))
		return -ELOOP;
	if (S_ISDIR(inode->mode))
		return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) ? -EISDIR : 0;
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	return inode->fops ? 0 : -ENXIO;
}

static int open_at(struct file *file, const struct path *at, unsigned flags)
{
	struct inode *inode = dentry_inode(at->dentry);
	int err = check_type(inode, flags);

	if (!err && (flags & O_TRUNC) && S_ISREG(inode->mode))
		err = vfs_truncate(inode, 0);
	if (err)
		return err;
	file->inode = inode_get(inode);
	file->path = path_get(at);
	file->ops = inode->fops;
	err = file->ops->open ? file->ops->open(file) : 0;
	if (err) {
		inode_put(file->inode);
		path_put(&file->path);
	}
	return err;
}

/*
 * Open the file that name names. flags: O_*; mode: permissions of a file that O_CREAT makes,
 * before the umask. Returns 0 with the file in *out, one reference, or -errno.
 * Context: thread, may sleep.
 */
int file_open(struct fs_context *fs, const char *name, unsigned flags, unsigned mode,
	      struct file **out)
{
	struct file *file;
	struct walk w;
	int err;

	if ((flags & O_ACCMODE) == O_ACCMODE || (flags & (O_CREAT | O_DIRECTORY)) ==
	    (O_CREAT | O_DIRECTORY))
		return -EINVAL;
	file = file_new(flags);
	if (!file)
		return -ENOMEM;
	mode = S_IFREG | (mode & S_IALLPERM & ~fs_umask(fs));
	err = walk_begin(&w, fs, name);
	if (err)
		goto discard;
	if (flags & O_CREAT)
		err = walk_create(&w, flags, mode);
	else
		err = walk_finish(&w, flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW);
	if (!err)
		err = open_at(file, &w.at, flags);
	walk_end(&w);
	if (err)
		goto discard;
	*out = file;
	return 0;
discard:
	file_discard(file);
	return err;
}
