/* SPDX-License-Identifier: MIT */
/* Dentries: names in directories, found by (parent, name). The implementation is a slot. */
#pragma once
#include "kernel/fs/inode.h"

#define DNAME_INLINE	32		/* longer names are kmalloced */

struct path;

/*
 * A name in a directory. A child holds a reference to its parent; the hash finds
 * (parent, name). ramfs keeps its tree in the dcache: a positive dentry of a linked file is
 * pinned by one reference of its own, dropped by unlink, rmdir or a rename over it.
 *
 * inode goes from NULL to its inode at most once: an unlinked dentry keeps it and is
 * unhashed instead. So a holder of a reference reads it without a lock (dentry_inode()).
 */
struct dentry {
	refcount refs;			/* the last drop happens under the dcache lock */
	struct dentry *parent;		/* [dcache lock] referenced; itself at a root */
	struct inode *inode;		/* [set once] referenced, or NULL: negative */
	struct super *super;		/* [I] */
	struct list hash_link;		/* [dcache lock] empty: unhashed */
	struct list child_link;		/* [dcache lock] in parent->children; empty: unhashed */
	struct list children;		/* [dcache lock] the positive ones by rising dir_pos */
	u64 dir_pos;			/* [dcache lock] stable position for getdents */
	u64 next_pos;			/* [dcache lock] of the next positive child */
	u32 hash;			/* [I while hashed] */
	u16 name_len;			/* [dcache lock] */
	bool mounted;			/* [dcache lock] a mount covers it */
	const char *name;		/* [dcache lock] inline_name or kmalloced */
	char inline_name[DNAME_INLINE];
};

#define DIR_POS_FIRST	2		/* 0 and 1 are "." and ".." */

static inline struct inode *dentry_inode(const struct dentry *dentry)
{
	return load_acquire(&dentry->inode);
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
bool dentry_is_unhashed(const struct dentry *dentry);
void dentry_move(struct dentry *dentry, struct dentry *new_parent, struct dentry *target);
void dentry_set_mounted(struct dentry *dentry);
bool dentry_is_ancestor(struct dentry *ancestor, struct dentry *dentry);
bool dentry_has_positive_child(struct dentry *dir);
struct dentry *dentry_next_child(struct dentry *dir, struct dentry *prev, u64 pos);
long dentry_path(const struct path *path, const struct path *root, char *buf, size_t size);
unsigned long dcache_count(void);
int dcache_check(void);
