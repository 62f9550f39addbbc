/* SPDX-License-Identifier: MIT */
/*
 * Inodes. There is no inode table: an inode is reached from its dentries and open files alone,
 * which count their references, and goes with the last of them.
 */
#include "arch/memmap.h"
#include "kernel/fs/inode.h"
#include "kernel/lib/panic.h"
#include "kernel/sched/wall.h"
#include "mm/kmem.h"

static struct kmem_cache *inode_cache;	/* [I] */

/* Context: boot, once; panics when there is no memory. */
void inode_init_cache(void)
{
	inode_cache = kmem_cache_create("inode", sizeof(struct inode), 0, 0, NULL);
	if (!inode_cache)
		panic("inode: no memory for the inode cache");
}

/* Nanoseconds since 1970. Context: any. */
u64 vfs_now(void)
{
	return wall_now();
}

/* A fresh inode with one reference and one link, charged to the current group; the file system
 * fills in the rest. NULL: no memory. */
struct inode *inode_alloc(struct super *super, unsigned mode)
{
	struct inode *inode = kmem_cache_alloc(inode_cache, GFP_KERNEL);

	if (!inode)
		return NULL;
	*inode = (struct inode){ .super = super, .mode = mode, .nlink = 1 };
	inode->ino = (u64)atomic_add_return(&super->next_ino, 1);
	inode->atime_ns = inode->mtime_ns = inode->ctime_ns = vfs_now();
	super_get(super);
	refcount_set(&inode->refs, 1);
	if (S_ISDIR(mode))
		mutex_init(&inode->lock, RANK_DIR, "directory");
	else
		mutex_init(&inode->lock, RANK_FILE, "inode");
	rwlock_init(&inode->data_lock, RANK_FILE, "file data");
	return inode;
}

/* One more reference; the caller has one. */
struct inode *inode_get(struct inode *inode)
{
	refcount_get(&inode->refs);
	return inode;
}

/* Drop a reference; the last one frees the inode with all its data.
 * Context: no spinlocks, the inode's own lock not held. */
void inode_put(struct inode *inode)
{
	struct super *super = inode->super;

	if (!refcount_put(&inode->refs))
		return;
	if (inode->ops && inode->ops->evict)
		inode->ops->evict(inode);
	kmem_cache_free(inode_cache, inode);
	super_put(super);
}

/* Contents or entries have changed. Context: any. */
void inode_touch(struct inode *inode)
{
	u64 now = vfs_now();

	WRITE_ONCE(inode->mtime_ns, now);
	WRITE_ONCE(inode->ctime_ns, now);
}

/* What stat() tells. Takes no lock: each figure is one that was true a moment ago, and a long
 * write must not hold up who asks for the size. */
void inode_stat(const struct inode *inode, struct kstat *st)
{
	*st = (struct kstat){
		.dev = inode->super->dev,
		.ino = inode->ino,
		.nlink = READ_ONCE(inode->nlink),
		.rdev = inode->rdev,
		.size = READ_ONCE(inode->size),
		.blocks = READ_ONCE(inode->pages.nr_pages) * (PAGE_SIZE / 512),
		.mode = READ_ONCE(inode->mode),
		.uid = READ_ONCE(inode->uid),
		.gid = READ_ONCE(inode->gid),
		.blksize = PAGE_SIZE,
		.atime_ns = READ_ONCE(inode->atime_ns),
		.mtime_ns = READ_ONCE(inode->mtime_ns),
		.ctime_ns = READ_ONCE(inode->ctime_ns),
	};
}
