/* SPDX-License-Identifier: MIT */
/* Dentries: names in directories, found by (parent, name). The implementation is a slot. */
#pragma once
#include "kernel/fs/inode.h"

#define DNAME_INLINE	32		/* longer names are kmalloced */

struct path;

/*
 * A name in a directory. A child holds a reference to its parent; the hash finds
 * (parent, name). dentry_attach() makes a name positive: it is listed in its directory, which
 * holds one reference (the pin) until the name is unhashed, by unlink, rmdir or a rename over it.
 *
 * inode goes from NULL to its inode at most once: an unlinked dentry keeps it and is
 * unhashed instead. So a holder of a reference reads it without a lock (dentry_inode()).
 *
 * In a transient file system (procfs, cgroupfs) no name is pinned: lookup() makes it, it goes
 * with its last reference, and the directory is read from what the names stand for.
 *
 * Key: [I] immutable; [dir] the lock of the directory it lies in, held by the caller; [b] the
 * lock of its bucket; [t] the tree lock; [m] changed by renames alone, under both directories'
 * locks and the tree lock and out of the hash: any of these locks, the rename lock, or that of
 * the bucket it is in will do to read it.
 */
struct dentry {
	refcount refs;			/* while hashed, the last drop happens under [b] */
	struct dentry *parent;		/* [m] referenced; itself at a root */
	struct inode *inode;		/* [set once, dir] referenced, or NULL: negative */
	struct super *super;		/* [I] */
	struct list hash_link;		/* [b] empty: not in the hash */
	struct list child_link;		/* [dir] in parent->children while positive and hashed */
	struct list children;		/* [this directory's lock] by rising dir_pos, each pinned */
	u64 dir_pos;			/* [dir] stable position for getdents */
	u64 next_pos;			/* [this directory's lock] of the next positive child */
	u32 hash;			/* [m, and b to write] names the bucket */
	u16 name_len;			/* [m] */
	bool mounted;			/* [a] a mount covers it */
	bool unhashed;			/* [set once, t] the name was removed */
	const char *name;		/* [m] inline_name or kmalloced */
	char inline_name[DNAME_INLINE];	/* [m] */
};

#define DIR_POS_FIRST	2		/* 0 and 1 are "." and ".." */

static inline struct inode *dentry_inode(const struct dentry *dentry)
{
	return load_acquire(&dentry->inode);
}

static inline bool dentry_is_mounted(const struct dentry *dentry)
{
	return load_acquire(&dentry->mounted);
}

/* A mount that can be found covers it, or none does. Locks: the mount lock; to set it also the
 * lock of its inode, under which a directory is removed only if nothing is mounted on it. */
static inline void dentry_set_mounted(struct dentry *dentry, bool mounted)
{
	store_release(&dentry->mounted, mounted);
}

void dcache_init(void);
struct dentry *dentry_alloc_root(struct super *super, struct inode *inode) must_check;
int dentry_lookup(struct dentry *parent, const char *name, size_t len, struct dentry **out)
	must_check;
struct dentry *dentry_find(struct dentry *parent, const char *name, size_t len);
struct dentry *dentry_get(struct dentry *dentry);
struct dentry *dentry_get_parent(struct dentry *dentry);
void dentry_put(struct dentry *dentry);
void dentry_attach(struct dentry *dentry, struct inode *inode);
void dentry_unhash(struct dentry *dentry);
void dentry_move(struct dentry *dentry, struct dentry *new_parent, struct dentry *target);
void dentry_exchange(struct dentry *a, struct dentry *b);
bool dentry_is_ancestor(struct dentry *ancestor, struct dentry *dentry);
bool dentry_has_positive_child(struct dentry *dir);
struct dentry *dentry_next_child(struct dentry *dir, struct dentry *prev, u64 pos);
long dentry_path(const struct path *path, const struct path *root, char *buf, size_t size);
long dentry_path_shown(const struct path *path, const struct path *root, char *buf, size_t size);
unsigned long dcache_count(void);
int dcache_check(void);
