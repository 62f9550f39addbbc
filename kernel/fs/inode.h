/* SPDX-License-Identifier: MIT */
/* Inodes: what names name, and what a file system does with them. */
#pragma once
#include "kernel/fs/modes.h"
#include "kernel/fs/pagetree.h"
#include "kernel/sched/wait.h"
#include "kernel/sync/refcount.h"

struct dentry;
struct dir_context;
struct path;
struct file_ops;
struct inode;

struct kstat {
	u64 dev, ino, nlink, rdev, size, blocks;
	u32 mode, uid, gid, blksize;
	u64 atime_ns, mtime_ns, ctime_ns;
};

/*
 * Directory operations run with the directory's lock held (rename: both directories', and
 * the rename lock). What is NULL is refused with -EPERM.
 *
 * create() makes any inode but a symlink, by the type in mode. unlink(), rmdir() and rename()
 * change the file system's own records and link counts; the caller then unhashes or moves
 * the dentry, which drops the pin that dentry_attach() took. The caller has checked names, types, emptiness and mount points.
 */
struct inode_ops {
	int (*lookup)(struct inode *dir, struct dentry *dentry); /* attach inode or not */
	int (*create)(struct inode *dir, struct dentry *dentry, unsigned mode, u64 rdev);
	int (*symlink)(struct inode *dir, struct dentry *dentry, const char *target);
	int (*link)(struct inode *dir, struct dentry *dentry, struct inode *inode);
	int (*unlink)(struct inode *dir, struct dentry *dentry);
	int (*rmdir)(struct inode *dir, struct dentry *dentry);
	int (*rename)(struct inode *from, struct dentry *old, struct inode *to,
		      struct dentry *new);
	int (*exchange)(struct inode *from, struct dentry *old, struct inode *to,
			struct dentry *new);	/* rename() of both at once */
	const char *(*readlink)(struct inode *inode);
	/* Of a link whose text is made anew each time: its length, cut to size. */
	long (*link_text)(struct inode *inode, char *buf, size_t size);
	/* Of a link that stands for a place, whatever its text says: *to is referenced. */
	int (*follow)(struct inode *inode, struct path *to);
	bool (*stale)(struct inode *inode);	/* what it stood for is gone: look up again */
	int (*changed)(struct inode *inode);	/* mode or owner was, inode locked; -errno: undo */
	int (*truncate)(struct inode *inode, u64 size);	/* data_lock held to write */
	void (*evict)(struct inode *inode);	/* the last reference is gone */
};

/*
 * A file system. Those that mount() makes go with their last inode: each inode and each mount
 * has a reference (super.c).
 */
struct super {
	const char *fs_name;		/* [I] */
	struct dentry *root;		/* [I] referenced */
	atomic_long next_ino;		/* [a] last inode number given */
	atomic_long refs;		/* [a] inodes, mounts, and one of who keeps it for ever */
	atomic_long nr_inodes;		/* [a] */
	atomic_long nr_blocks;		/* [a] pages of file data */
	u64 dev;			/* [I] */
	u32 magic;			/* [I] f_type of statfs() */
	bool transient;			/* [I] names are made by lookup() and last while used */
	bool in_memory;			/* [I] figures of statfs() are those of memory */
	bool made;			/* [I] kmalloced: freed with the last reference */
	u64 max_blocks, max_inodes;	/* [a] 0: no limit */
	unsigned nr_mounts;		/* [mount lock] */
};

/*
 * Key: [I] immutable; [lock] the lock of that name to write, and to read unless a figure that
 * was true a moment ago will do (inode_stat()); [a] written whole, the last writer wins.
 * Nobody holds lock and data_lock of inodes that are not directories at once.
 */
struct inode {
	refcount refs;			/* dentries and open files */
	struct mutex lock;		/* RANK_DIR for directories, RANK_FILE else */
	struct rwlock data_lock;	/* RANK_FILE: regular files; readers beside each other */
	struct super *super;		/* [I] */
	const struct inode_ops *ops;	/* [I] */
	const struct file_ops *fops;	/* [I] NULL: cannot be opened */
	u64 ino;			/* [I] */
	u32 mode;			/* [lock] type ([I]) and permissions */
	u32 nlink;			/* [lock] 0 for a directory: it is removed */
	u32 uid, gid;			/* [lock] */
	u64 rdev;			/* [I] */
	u64 size;			/* [data_lock]; of symbolic links [I] */
	u64 atime_ns, mtime_ns, ctime_ns; /* [a] */
	void *data;			/* [I] the file system's own */
	struct pagetree pages;		/* [data_lock], its own lock inside */
	atomic_int writers;		/* [a] mapping.c: who writes, or (negative) runs it */
};

/* --- super.c */
struct super *super_alloc(const char *fs_name, u32 magic) must_check;
void super_get(struct super *super);
void super_put(struct super *super);
void super_kill(struct super *super);	/* not mounted any more: forget every name */
int super_take_inode(struct super *super) must_check;	/* -ENOSPC: max_inodes are there */
void super_give_inode(struct super *super);
int super_take_block(struct super *super) must_check;	/* -ENOSPC: max_blocks are there */
void super_give_block(struct super *super);

/* --- inode.c */
void inode_init_cache(void);
struct inode *inode_alloc(struct super *super, unsigned mode) must_check;
struct inode *inode_get(struct inode *inode);
void inode_put(struct inode *inode);
void inode_stat(const struct inode *inode, struct kstat *st);
void inode_touch(struct inode *inode);	/* modified now */
u64 vfs_now(void);			/* nanoseconds since 1970 */

/* --- mapping.c */
void mapping_init(void);
int inode_get_write(struct inode *inode) must_check;	/* -ETXTBSY: a program runs from it */
void inode_put_write(struct inode *inode);
int inode_begin_use(struct inode *inode, unsigned flags) must_check;
void inode_end_use(struct inode *inode, unsigned flags);
