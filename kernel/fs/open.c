/* SPDX-License-Identifier: MIT */
/*
 * Opening by name. The file object is allocated before the walk, so that an open which creates
 * cannot run out of memory when the name is already there. Rights are asked for once, here: an
 * open file is used by whoever has it. What is just being created is open to its maker whatever
 * its mode.
 */
#include "kernel/fs/file_impl.h"
#include "kernel/fs/walk_impl.h"
#include "kernel/lib/errno.h"

struct opening {
	unsigned flags, mode;		/* O_*; type and permissions of what O_CREAT makes */
	unsigned may;			/* MAY_*: what the caller wants to do */
	bool created;
};

static const struct file_ops path_only_ops;	/* O_PATH: a place, nothing to read or write */

static int create_locked(struct walk *w, struct opening *o, struct dentry *child)
{
	struct inode *dir = dentry_inode(w->at.dentry);
	int err = may_create(&w->at);

	if (!err)
		err = dir->ops->create ? dir->ops->create(dir, child, o->mode, 0) : -EACCES;
	o->created = !err;
	return err;
}

static int find_or_create(struct walk *w, struct opening *o, struct dentry **child)
{
	struct inode *dir = dentry_inode(w->at.dentry);
	int err;

	mutex_lock(&dir->lock);
	err = lookup_locked(w->at.dentry, &w->last, child);
	if (err)
		goto unlock;
	if (!dentry_inode(*child))
		err = create_locked(w, o, *child);
	else if (o->flags & O_EXCL)
		err = -EEXIST;
	if (err)
		dentry_put(*child);
unlock:
	mutex_unlock(&dir->lock);
	return err;
}

/* Look the last component up, or create it, and enter it. Returns 0: there; 1: it was a link
 * whose target is to be opened instead; -errno. */
static int create_last(struct walk *w, struct opening *o)
{
	struct dentry *child = o->flags & O_EXCL ? NULL : walk_find(w);
	bool is_link;
	int err = child ? 0 : find_or_create(w, o, &child);

	if (err)
		return err;
	is_link = S_ISLNK(dentry_inode(child)->mode) && !(o->flags & O_NOFOLLOW);
	w->jumped = false;
	err = walk_enter(w, child, is_link ? FOLLOW_LAST : NO_FOLLOW);
	return err ? err : is_link && !w->jumped;
}

static int walk_create(struct walk *w, struct opening *o)
{
	int err;

	do {
		err = walk_to_last(w);
		if (err)
			return err;
		if (last_kind(&w->last))
			return o->flags & O_EXCL ? -EEXIST : -EISDIR;
		if (w->last.slash)
			return -EISDIR;
		err = create_last(w, o);
	} while (err > 0);
	return err;
}

static int check_type(const struct path *at, const struct opening *o)
{
	const struct inode *inode = dentry_inode(at->dentry);
	u32 mode = inode->mode;
	bool device = S_ISCHR(mode) || S_ISBLK(mode);

	if (S_ISDIR(mode) && (o->flags & O_CREAT))
		return -EISDIR;
	if ((o->flags & O_DIRECTORY) && !S_ISDIR(mode))
		return -ENOTDIR;
	if (o->flags & O_PATH)
		return 0;
	if (S_ISLNK(mode))
		return -ELOOP;
	if (S_ISDIR(mode) && (o->may & MAY_WRITE))
		return -EISDIR;
	if ((o->may & MAY_EXEC) && (!S_ISREG(mode) || (at->mount->flags & MS_NOEXEC)))
		return -EACCES;
	return device && (at->mount->flags & MS_NODEV) ? -EACCES : 0;
}

static int check_rights(const struct path *at, const struct opening *o)
{
	const struct inode *inode = dentry_inode(at->dentry);
	int err = 0;

	if (o->created || (o->flags & O_PATH))
		return 0;
	if ((o->may & MAY_WRITE) && S_ISREG(inode->mode))
		err = mount_may_write(at->mount);
	return err ? err : inode_permission(inode, o->may);
}

static int open_at(struct file *file, const struct path *at, const struct opening *o)
{
	struct inode *inode = dentry_inode(at->dentry);
	int err = check_type(at, o);

	if (!err)
		err = check_rights(at, o);
	if (!err && !inode->fops && !(o->flags & O_PATH))
		err = -ENXIO;
	if (!err)
		err = inode_begin_use(inode, file->flags);
	if (err)
		return err;
	file->inode = inode_get(inode);
	file->path = path_get(at);
	file->ops = o->flags & O_PATH ? &path_only_ops : inode->fops;
	err = file->ops->open ? file->ops->open(file) : 0;
	if (err) {
		inode_end_use(inode, file->flags);
		inode_put(file->inode);
		path_put(&file->path);
	}
	return err;
}

/* Empty the file that was opened with O_TRUNC; what has no length takes no notice. */
static int cut(struct file *file, const struct opening *o)
{
	struct inode *inode = file->inode;
	int err;

	if (!(o->flags & O_TRUNC) || o->created || !S_ISREG(inode->mode) || !inode->ops->truncate)
		return 0;
	err = inode_get_write(inode);		/* also when it is open to read only */
	if (err)
		return err;
	err = vfs_truncate(inode, 0);
	inode_put_write(inode);
	return err;
}

static int open_file(struct fs_context *fs, const char *name, struct opening *o,
		     struct file **out)
{
	struct file *file = file_new(o->flags);
	struct walk w;
	int err;

	if (!file)
		return -ENOMEM;
	err = walk_begin(&w, fs, name);
	if (err)
		goto discard;
	if (o->flags & O_CREAT)
		err = walk_create(&w, o);
	else
		err = walk_finish(&w, o->flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW);
	if (!err)
		err = open_at(file, &w.at, o);
	walk_end(&w);
	if (err)
		goto discard;
	err = cut(file, o);
	if (err)
		file_put(file);
	else
		*out = file;
	return err;
discard:
	file_discard(file);
	return err;
}

/*
 * Open the file that name names. flags: O_*; mode: permissions of a file that O_CREAT makes,
 * before the umask. Access mode 3 asks for both rights and gives neither, for ioctl() alone.
 * Returns 0 with the file in *out, one reference, or -errno. Context: thread, may sleep.
 */
int file_open(struct fs_context *fs, const char *name, unsigned flags, unsigned mode,
	      struct file **out)
{
	static const unsigned may[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
					MAY_READ | MAY_WRITE };
	struct opening o = { .flags = (flags & ~O_EXECUTE) | O_LARGEFILE };

	if (flags & O_PATH) {
		o.flags = flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return open_file(fs, name, &o, out);
	}
	if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
		return -EINVAL;
	o.mode = S_IFREG | (mode & S_IALLPERM & ~fs_umask(fs));
	o.may = may[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
	return open_file(fs, name, &o, out);
}

/* Open a program to run it: the caller must be allowed to execute it, not to read it. Returns
 * and context as file_open(); -EACCES also for what is no regular file. */
int file_open_exec(struct fs_context *fs, const char *name, struct file **out)
{
	struct opening o = { .flags = O_RDONLY | O_LARGEFILE | O_EXECUTE, .may = MAY_EXEC };

	return open_file(fs, name, &o, out);
}

/* The same for a program that is open already, in whichever way. */
int file_reopen_exec(const struct file *from, struct file **out)
{
	struct opening o = { .flags = O_RDONLY | O_LARGEFILE | O_EXECUTE, .may = MAY_EXEC };
	struct file *file;
	int err;

	if (!from->path.dentry)
		return -EACCES;
	file = file_new(o.flags);
	if (!file)
		return -ENOMEM;
	err = open_at(file, &from->path, &o);
	if (err)
		file_discard(file);
	else
		*out = file;
	return err;
}
