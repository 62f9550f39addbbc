/* SPDX-License-Identifier: MIT */
/*
 * File systems as wholes: how long they live, what they may hold and what statfs() says.
 *
 * A super has a reference for each inode, each mount and whoever keeps it for ever. Its names
 * pin each other and their inodes (dcache.c), so one that mount() made would never go by
 * itself: with the last mount all names are forgotten, and with the last inode, which an open
 * file may hold for longer, the super.
 */
#include "arch/memmap.h"
#include "kernel/fs/namei.h"
#include "kernel/fs/statfs.h"
#include "kernel/lib/errno.h"
#include "mm/kmem.h"
#include "mm/page.h"

static atomic_long last_dev;		/* [a] */

/* A file system without a root yet, with one reference. NULL: no memory. */
struct super *super_alloc(const char *fs_name, u32 magic)
{
	struct super *super = kzalloc(sizeof(*super), GFP_KERNEL);

	if (!super)
		return NULL;
	super->fs_name = fs_name;
	super->magic = magic;
	super->made = true;
	super->dev = (u64)atomic_add_return(&last_dev, 1);
	atomic_store(&super->refs, 1);
	return super;
}

/* One more reference; the caller has one. */
void super_get(struct super *super)
{
	(void)atomic_add_return(&super->refs, 1);
}

/* Drop a reference; the last one frees what super_alloc() made. */
void super_put(struct super *super)
{
	if (atomic_sub_return(&super->refs, 1) == 0 && super->made)
		kfree(super);
}

static struct dentry *first_child(struct dentry *dir)
{
	struct inode *inode = dentry_inode(dir);
	struct dentry *child;

	if (!S_ISDIR(inode->mode))
		return NULL;
	mutex_lock(&inode->lock);
	child = dentry_next_child(dir, NULL, 0);
	mutex_unlock(&inode->lock);
	return child;
}

/* Forget the name of d, which has no names below it; its reference goes. Returns its parent,
 * referenced. */
static struct dentry *forget(struct dentry *d)
{
	struct dentry *parent = dentry_get_parent(d);
	struct inode *dir = dentry_inode(parent);

	mutex_lock(&dir->lock);
	dentry_unhash(d);
	mutex_unlock(&dir->lock);
	dentry_put(d);
	return parent;
}

/* Forget all names, from the leaves up, and the root. Nobody can come in any more; who still
 * holds a file keeps its inode. The caller has a reference to super.
 * Locks: takes directories' locks one at a time. Context: thread, may sleep. */
void super_kill(struct super *super)
{
	struct dentry *d = dentry_get(super->root), *child;

	for (;;) {
		child = first_child(d);
		if (child) {
			dentry_put(d);
			d = child;
		} else if (d != super->root) {
			d = forget(d);
		} else {
			break;
		}
	}
	dentry_put(d);
	dentry_put(super->root);
	super->root = NULL;
}

static int take(atomic_long *count, u64 max)
{
	long n = atomic_load(count);

	do {
		if (max && (u64)n >= max)
			return -ENOSPC;
	} while (!atomic_try_cmpxchg(count, &n, n + 1));
	return 0;
}

/* Count one more file. Returns 0 or -ENOSPC. Context: any. */
int super_take_inode(struct super *super)
{
	return take(&super->nr_inodes, READ_ONCE(super->max_inodes));
}

/* One file less. Context: any. */
void super_give_inode(struct super *super)
{
	(void)atomic_sub_return(&super->nr_inodes, 1);
}

/* Count one more page of data. Returns 0 or -ENOSPC. Context: any. */
int super_take_block(struct super *super)
{
	return take(&super->nr_blocks, READ_ONCE(super->max_blocks));
}

/* One page of data less. Context: any. */
void super_give_block(struct super *super)
{
	(void)atomic_sub_return(&super->nr_blocks, 1);
}

static u64 left(u64 max, u64 used)
{
	return max > used ? max - used : 0;
}

/* What statfs() says of super: the limits it has, else (in_memory) what memory there is, else
 * nothing, as Linux says of file systems that store none. Context: any. */
void super_statfs(const struct super *super, struct kstatfs *out)
{
	u64 blocks = (u64)atomic_load(&super->nr_blocks);
	u64 inodes = (u64)atomic_load(&super->nr_inodes);
	u64 max_blocks = READ_ONCE(super->max_blocks), max_inodes = READ_ONCE(super->max_inodes);

	*out = (struct kstatfs){ .magic = super->magic, .dev = super->dev };
	if (max_blocks) {
		out->blocks = max_blocks;
		out->free_blocks = left(max_blocks, blocks);
	} else if (super->in_memory) {
		out->free_blocks = page_nr_free();
		out->blocks = blocks + out->free_blocks;
	}
	if (max_inodes) {
		out->files = max_inodes;
		out->free_files = left(max_inodes, inodes);
	}
}
