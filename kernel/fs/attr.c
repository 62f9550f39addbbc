/* SPDX-License-Identifier: MIT */
/*
 * What an inode says of itself: owner, mode, times, size; who may change it, and what a change
 * takes away. A file that is written to, or gets another owner, is no longer the program that
 * was trusted to run as its owner: its set-id bits go.
 *
 * Locking: mode and owner under the inode's lock, the size under its data_lock; never both.
 */
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"

#define NS_PER_DAY	(24 * 3600 * 1000000000ull)
#define SETGID_PROGRAM	(S_ISGID | S_IXGRP)

/* May the caller give files of that group the set-group-id bit? */
static bool may_set_gid(u32 gid)
{
	return cred_is_root() || cred_in_group(cred_current(), gid);
}

/* The owner of a new inode: the caller; its group that of the directory (NULL: none) if that
 * says so by its set-group-id bit, which a new directory passes on. Context: the inode is the
 * caller's alone. */
void inode_init_owner(struct inode *inode, const struct inode *dir)
{
	const struct cred *cred = cred_current();

	inode->uid = cred->fsuid;
	inode->gid = cred->fsgid;
	if (!dir || !(READ_ONCE(dir->mode) & S_ISGID))
		return;
	inode->gid = READ_ONCE(dir->gid);
	if (S_ISDIR(inode->mode))
		inode->mode |= S_ISGID;
	else if ((inode->mode & SETGID_PROGRAM) == SETGID_PROGRAM && !may_set_gid(inode->gid))
		inode->mode &= ~S_ISGID;
}

/* Tell the file system what has changed under the lock; it may refuse. */
static int changed_locked(struct inode *inode, u32 mode, u32 uid, u32 gid)
{
	u32 old_mode = inode->mode, old_uid = inode->uid, old_gid = inode->gid;
	int err;

	ASSERT(mutex_is_held(&inode->lock));
	WRITE_ONCE(inode->mode, mode);
	WRITE_ONCE(inode->uid, uid);
	WRITE_ONCE(inode->gid, gid);
	err = inode->ops->changed ? inode->ops->changed(inode) : 0;
	if (err) {
		WRITE_ONCE(inode->mode, old_mode);
		WRITE_ONCE(inode->uid, old_uid);
		WRITE_ONCE(inode->gid, old_gid);
		return err;
	}
	WRITE_ONCE(inode->ctime_ns, vfs_now());
	return 0;
}

/* Set the permission bits. Its owner may, and root; who is not in the file's group cannot set
 * the set-group-id bit. Returns 0 or -EPERM. Locks: takes the inode's. */
int vfs_chmod(struct inode *inode, unsigned mode)
{
	int err = -EPERM;

	mode = (inode->mode & S_IFMT) | (mode & S_IALLPERM);
	mutex_lock(&inode->lock);
	if (!may_set_gid(inode->gid))
		mode &= ~S_ISGID;
	if (cred_owns(inode))
		err = changed_locked(inode, mode, inode->uid, inode->gid);
	mutex_unlock(&inode->lock);
	return err;
}

/* The mode without the set-id bits of a program that is not to be trusted any more. Without the
 * right to execute, set-group-id is no program's: who could set it keeps it. */
static u32 untrusted(const struct inode *inode)
{
	u32 mode = READ_ONCE(inode->mode);

	if (S_ISDIR(mode))
		return mode;
	if ((mode & SETGID_PROGRAM) == SETGID_PROGRAM || !may_set_gid(READ_ONCE(inode->gid)))
		mode &= ~S_ISGID;
	return mode & ~S_ISUID;
}

static bool may_chown_locked(const struct inode *inode, u32 uid, u32 gid)
{
	const struct cred *cred = cred_current();
	bool owner = cred->fsuid == inode->uid;

	ASSERT(mutex_is_held(&inode->lock));
	if (cred_is_root())
		return true;
	if (uid != KEEP_ID && !(owner && uid == inode->uid))
		return false;
	return gid == KEEP_ID || (owner && (gid == inode->gid || cred_in_group(cred, gid)));
}

/* Give the file to another owner (root alone may) or group (its owner may, to one of his own);
 * KEEP_ID: as it is. Returns 0 or -EPERM. Locks: takes the inode's. */
int vfs_chown(struct inode *inode, u32 uid, u32 gid)
{
	int err = -EPERM;
	u32 mode;

	mutex_lock(&inode->lock);
	mode = untrusted(inode);
	if (may_chown_locked(inode, uid, gid) && (mode == inode->mode || cred_owns(inode)))
		err = changed_locked(inode, mode, uid == KEEP_ID ? inode->uid : uid,
				     gid == KEEP_ID ? inode->gid : gid);
	mutex_unlock(&inode->lock);
	return err;
}

/* The file's data change by the caller's hand: unless it is root, set-id bits go.
 * Locks: takes the inode's when there are any. */
void inode_distrust(struct inode *inode)
{
	u32 mode = READ_ONCE(inode->mode);

	if (likely(!(mode & (S_ISUID | S_ISGID))) || !S_ISREG(mode) || cred_is_root())
		return;
	mutex_lock(&inode->lock);
	WRITE_ONCE(inode->mode, untrusted(inode));
	mutex_unlock(&inode->lock);
}

/* Set access and modification time. The owner may, and root; "now" for both may also be said by
 * who may write. Returns 0, -EPERM or (now) -EACCES. Context: thread. */
int vfs_utimes(struct inode *inode, const struct new_times *to)
{
	int err;

	if (!cred_owns(inode)) {
		err = to->touch ? inode_permission(inode, MAY_WRITE) : -EPERM;
		if (err)
			return err;
	}
	if (!to->keep_atime)
		WRITE_ONCE(inode->atime_ns, to->atime_ns);
	if (!to->keep_mtime)
		WRITE_ONCE(inode->mtime_ns, to->mtime_ns);
	WRITE_ONCE(inode->ctime_ns, vfs_now());
	return 0;
}

/* The file's data were read. As Linux's "relatime" has it, that is noted once after each change,
 * and once a day: so readers beside each other share the inode's line. Context: any. */
void inode_accessed(struct inode *inode)
{
	u64 atime = READ_ONCE(inode->atime_ns), now;

	if (likely(atime > READ_ONCE(inode->mtime_ns) && atime > READ_ONCE(inode->ctime_ns))) {
		now = vfs_now();
		if (now - atime < NS_PER_DAY)
			return;
	}
	WRITE_ONCE(inode->atime_ns, vfs_now());
}

/* May a file of the caller's be as long as size? 0; -EFBIG and SIGXFSZ beyond RLIMIT_FSIZE. */
static int check_size(u64 size)
{
	if (likely(size <= vfs_fsize_limit()))
		return 0;
	vfs_signal(VFS_SIGXFSZ);
	return -EFBIG;
}

/* How many of bytes may be written at pos, for RLIMIT_FSIZE: none is -EFBIG and SIGXFSZ. */
long file_write_limit(u64 pos, size_t bytes)
{
	u64 limit = vfs_fsize_limit();

	if (likely(limit == ~0ull) || !bytes)
		return (long)bytes;
	if (pos >= limit)
		return check_size(pos + 1);
	return (long)MIN((u64)bytes, limit - pos);
}

/* Cut or lengthen (with a hole) a regular file; whether the caller may was asked before.
 * Returns 0; -EISDIR, -EINVAL: no regular file; -EFBIG. Locks: takes the inode's data_lock. */
int vfs_truncate(struct inode *inode, u64 size)
{
	int err = 0;

	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (!S_ISREG(inode->mode) || !inode->ops->truncate)
		return -EINVAL;
	inode_distrust(inode);
	write_lock(&inode->data_lock);
	if (size > inode->size)
		err = check_size(size);
	if (!err)
		err = inode->ops->truncate(inode, size);
	write_unlock(&inode->data_lock);
	return err;
}
