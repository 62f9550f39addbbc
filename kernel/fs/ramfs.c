/* SPDX-License-Identifier: MIT */
/*
 * ramfs: the tree is the dcache itself. A name that exists is a positive dentry, which the
 * dcache pins until the name goes. So there is no lookup: what is not in the dcache does not
 * exist. File data are pages in inode->pages, charged to whoever wrote them first; bytes of
 * the last page beyond the size are zero.
 *
 * Locking: the VFS holds the locks that struct inode_ops promises; data and size under
 * data_lock, which readers of a file (32 CPUs that start one program) hold together.
 */
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/kmem.h"
#include "mm/page.h"

#define MAX_BYTES	(PAGETREE_MAX_PAGES * PAGE_SIZE)

static const struct inode_ops ramfs_inode_ops;
static const struct file_ops ramfs_file_ops, ramfs_dir_ops;

static const struct file_ops *ops_for(unsigned mode, u64 rdev)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return &ramfs_file_ops;
	case S_IFDIR:
		return &ramfs_dir_ops;
	case S_IFCHR:
		return device_ops(rdev);
	case S_IFIFO:
		return &fifo_ops;
	default:
		return NULL;
	}
}

/* A node without a name. Returns 0, -ENOMEM, or -ENOSPC: there are nr_inodes=. */
static int node_new(struct super *super, unsigned mode, u64 rdev, struct inode **out)
{
	struct inode *inode;
	int err = super_take_inode(super);

	if (err)
		return err;
	*out = inode = inode_alloc(super, mode);
	if (!inode) {
		super_give_inode(super);
		return -ENOMEM;
	}
	inode->ops = &ramfs_inode_ops;
	inode->fops = ops_for(mode, rdev);
	inode->rdev = rdev;
	if (S_ISDIR(mode))
		inode->nlink = 2;
	return 0;
}

/* The name now exists: the dentry takes the inode's reference. */
static void enter(struct inode *dir, struct dentry *dentry, struct inode *inode)
{
	dentry_attach(dentry, inode);
	if (S_ISDIR(inode->mode))
		dir->nlink++;
	inode_touch(dir);
}

static int ramfs_create_node(struct inode *dir, struct dentry *dentry, unsigned mode, u64 rdev)
{
	struct inode *inode;
	int err = node_new(dir->super, mode, rdev, &inode);

	if (err)
		return err;
	inode_init_owner(inode, dir);
	enter(dir, dentry, inode);
	return 0;
}

static int ramfs_symlink(struct inode *dir, struct dentry *dentry, const char *target)
{
	size_t bytes = str_len(target) + 1;
	struct inode *inode;
	int err = node_new(dir->super, S_IFLNK | 0777, 0, &inode);

	if (err)
		return err;
	inode->data = kmalloc(bytes, GFP_KERNEL);
	if (!inode->data) {
		inode_put(inode);
		return -ENOMEM;
	}
	memcpy(inode->data, target, bytes);
	inode->size = bytes - 1;
	inode_init_owner(inode, dir);
	enter(dir, dentry, inode);
	return 0;
}

static const char *ramfs_readlink(struct inode *inode)
{
	return inode->data;
}

static int ramfs_link(struct inode *dir, struct dentry *dentry, struct inode *inode)
{
	inode->nlink++;
	WRITE_ONCE(inode->ctime_ns, vfs_now());
	enter(dir, dentry, inode_get(inode));
	return 0;
}

/* The name goes: one link less, none at all for a directory. */
static void leave(struct inode *dir, struct inode *inode)
{
	if (S_ISDIR(inode->mode)) {
		inode->nlink = 0;
		dir->nlink--;
	} else {
		inode->nlink--;
	}
	WRITE_ONCE(inode->ctime_ns, vfs_now());
	inode_touch(dir);
}

static int ramfs_remove(struct inode *dir, struct dentry *dentry)
{
	leave(dir, dentry_inode(dentry));
	return 0;
}

static int ramfs_rename(struct inode *from, struct dentry *old, struct inode *to,
			struct dentry *new)
{
	struct inode *inode = dentry_inode(old);

	if (dentry_inode(new))
		leave(to, dentry_inode(new));
	if (S_ISDIR(inode->mode)) {
		from->nlink--;
		to->nlink++;
	}
	inode_touch(from);
	inode_touch(to);
	WRITE_ONCE(inode->ctime_ns, vfs_now());
	return 0;
}

static int ramfs_exchange(struct inode *from, struct dentry *old, struct inode *to,
			  struct dentry *new)
{
	struct inode *a = dentry_inode(old), *b = dentry_inode(new);
	bool up = S_ISDIR(a->mode), down = S_ISDIR(b->mode);

	from->nlink += (u32)down - (u32)up;
	to->nlink += (u32)up - (u32)down;
	inode_touch(from);
	inode_touch(to);
	WRITE_ONCE(a->ctime_ns, vfs_now());
	WRITE_ONCE(b->ctime_ns, vfs_now());
	return 0;
}

static void drop_page(struct inode *inode, u64 index)
{
	page_put(pagetree_remove(&inode->pages, index));
	super_give_block(inode->super);
}

static void free_pages_from(struct inode *inode, u64 index)
{
	while (pagetree_next(&inode->pages, &index)) {
		drop_page(inode, index);
		cond_resched();
	}
}

static void ramfs_evict(struct inode *inode)
{
	free_pages_from(inode, 0);
	kfree(inode->data);
	super_give_inode(inode->super);
}

static int ramfs_truncate(struct inode *inode, u64 size)
{
	size_t keep = size % PAGE_SIZE;
	struct page *last;
	bool shrinks;

	ASSERT(rwlock_is_write_held(&inode->data_lock));
	if (size > MAX_BYTES)
		return (s64)size < 0 ? -EINVAL : -EFBIG;
	shrinks = size < inode->size;
	WRITE_ONCE(inode->size, size);		/* first: no fault makes a page behind it */
	if (shrinks) {
		free_pages_from(inode, DIV_ROUND_UP(size, PAGE_SIZE));
		last = keep ? pagetree_find(&inode->pages, size / PAGE_SIZE) : NULL;
		if (last)
			memset((char *)page_to_virt(last) + keep, 0, PAGE_SIZE - keep);
	}
	inode_touch(inode);
	return 0;
}

static const struct inode_ops ramfs_inode_ops = {
	.create = ramfs_create_node,
	.symlink = ramfs_symlink,
	.link = ramfs_link,
	.unlink = ramfs_remove,
	.rmdir = ramfs_remove,
	.rename = ramfs_rename,
	.exchange = ramfs_exchange,
	.readlink = ramfs_readlink,
	.truncate = ramfs_truncate,
	.evict = ramfs_evict,
};

/* Between two pages of a long transfer: other threads' turn; true when ours was killed. */
static bool interrupted(void)
{
	cond_resched();
	return thread_current()->killed;
}

static long ramfs_read(struct file *file, struct iobuf *io, u64 *pos)
{
	struct inode *inode = file->inode;
	size_t moved, want;
	long done = 0;

	read_lock(&inode->data_lock);
	while (io->left && *pos < inode->size) {
		struct page *page = pagetree_find(&inode->pages, *pos / PAGE_SIZE);
		size_t in_page = *pos % PAGE_SIZE;

		want = MIN(PAGE_SIZE - in_page, MIN(io->left, inode->size - *pos));
		if (page)
			moved = iobuf_put(io, (char *)page_to_virt(page) + in_page, want);
		else
			moved = iobuf_zero(io, want);
		*pos += moved;
		done += (long)moved;
		if (moved < want) {
			done = done ? done : -EFAULT;
			break;
		}
		if (interrupted())
			break;
	}
	read_unlock(&inode->data_lock);
	inode_accessed(inode);
	return done;
}

/* Make the page at index, with size as pagetree_insert() takes it. Returns 0, -EEXIST: a fault
 * was faster, or its other errors, -ENOMEM, or -ENOSPC: there are size= of them. */
static int make_page(struct inode *inode, u64 index, const u64 *size)
{
	struct page *page;
	int err = super_take_block(inode->super);

	if (err)
		return err;
	page = page_alloc_charged(PAGE_FILE, 0, GFP_KERNEL | GFP_ZERO);
	err = -ENOMEM;
	if (page) {
		atomic_store(&page->refs, 1);
		err = pagetree_insert(&inode->pages, index, page, size);
		if (err)
			page_put(page);
	}
	if (err)
		super_give_block(inode->super);
	return err;
}

/* Pages for a mapping of the file: struct vm_file_hooks says how. */
static long ramfs_map_pages(struct file *file, u64 index, struct page **pages, unsigned nr,
			    bool make)
{
	struct inode *inode = file->inode;
	u64 size = READ_ONCE(inode->size), end = DIV_ROUND_UP(size, PAGE_SIZE);
	int err;

	if (index >= end)
		return 0;
	nr = (unsigned)MIN(nr, end - index);
	while (!pagetree_get_range(&inode->pages, index, pages, nr) && make) {
		err = make_page(inode, index, &inode->size);
		if (err == -EIO || err == -ENOSPC)
			return 0;
		if (err && err != -EEXIST)
			return err;
	}
	return nr;
}

/* Write into one page, made if it is not there. Returns bytes moved or -errno. A page made for
 * nothing goes again, unless it fills a hole: there somebody may have mapped it by now. */
static long write_page(struct inode *inode, struct iobuf *io, u64 pos)
{
	u64 index = pos / PAGE_SIZE;
	size_t in_page = pos % PAGE_SIZE, moved;
	struct page *page;
	bool fresh = false;
	int err;

	while (!(page = pagetree_find(&inode->pages, index))) {
		err = make_page(inode, index, NULL);
		if (err && err != -EEXIST)
			return err;
		fresh = !err;
	}
	moved = iobuf_get(io, (char *)page_to_virt(page) + in_page, PAGE_SIZE - in_page);
	if (!moved && fresh && index * PAGE_SIZE >= inode->size)
		drop_page(inode, index);
	if (!moved)
		return -EFAULT;
	if (pos + moved > inode->size)
		WRITE_ONCE(inode->size, pos + moved);
	return (long)moved;
}

static long write_locked(struct inode *inode, struct iobuf *io, u64 *pos)
{
	long done = 0, moved = 0;

	ASSERT(rwlock_is_write_held(&inode->data_lock));
	while (io->left) {
		size_t want = MIN(io->left, PAGE_SIZE - *pos % PAGE_SIZE);

		moved = *pos < MAX_BYTES ? write_page(inode, io, *pos) : -EFBIG;
		if (moved < 0)
			break;
		*pos += (u64)moved;
		done += moved;
		if ((size_t)moved < want || interrupted())
			break;
	}
	if (done)
		inode_touch(inode);
	return done ? done : moved;
}

static long ramfs_write(struct file *file, struct iobuf *io, u64 *pos)
{
	struct inode *inode = file->inode;
	long done;

	inode_distrust(inode);
	write_lock(&inode->data_lock);
	if (READ_ONCE(file->flags) & O_APPEND)
		*pos = inode->size;
	done = file_write_limit(*pos, io->left);
	if (done > 0) {
		io->left = (size_t)done;
		done = write_locked(inode, io, pos);
	}
	write_unlock(&inode->data_lock);
	return done;
}

static bool emit(struct dir_context *ctx, const char *name, size_t len,
		 const struct inode *inode, u64 next_pos)
{
	struct dir_entry entry = {
		.name = name,
		.len = len,
		.ino = inode->ino,
		.next_pos = next_pos,
		.type = (inode->mode & S_IFMT) >> 12,
	};

	if (!ctx->emit(ctx, &entry))
		return false;
	ctx->pos = next_pos;
	return true;
}

static bool emit_dots(struct file *file, struct dir_context *ctx)
{
	struct dentry *parent;
	bool room = true;

	if (ctx->pos == 0)
		room = emit(ctx, ".", 1, file->inode, 1);
	if (ctx->pos == 1 && room) {
		parent = dentry_get_parent(file->path.dentry);
		room = emit(ctx, "..", 2, dentry_inode(parent), DIR_POS_FIRST);
		dentry_put(parent);
	}
	return room;
}

static void emit_children(struct dentry *dir, struct dir_context *ctx)
{
	struct dentry *child = dentry_next_child(dir, NULL, ctx->pos), *next;

	while (child) {
		u64 after = child->dir_pos + 1;

		next = NULL;
		if (emit(ctx, child->name, child->name_len, dentry_inode(child), after) &&
		    !interrupted())
			next = dentry_next_child(dir, child, after);
		dentry_put(child);
		child = next;
	}
}

static int ramfs_readdir(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file->inode;
	int err = 0;

	mutex_lock(&dir->lock);
	if (dir->nlink == 0)
		err = -ENOENT;
	else if (emit_dots(file, ctx))
		emit_children(file->path.dentry, ctx);
	mutex_unlock(&dir->lock);
	inode_accessed(dir);
	return err;
}

static const struct file_ops ramfs_file_ops = {
	.read = ramfs_read,
	.write = ramfs_write,
	.map_pages = ramfs_map_pages,
	.seekable = true,
};

static const struct file_ops ramfs_dir_ops = {
	.readdir = ramfs_readdir,
	.seekable = true,
};

/* Write kernel memory to a ramfs file. Returns 0 or -errno; what went before stays. */
int ramfs_write_kernel(struct inode *inode, const void *data, size_t bytes, u64 pos)
{
	struct iobuf io = { .kernel = (char *)data, .left = bytes };
	long done = 0;

	write_lock(&inode->data_lock);
	while (io.left && done >= 0)
		done = write_locked(inode, &io, &pos);
	write_unlock(&inode->data_lock);
	return done < 0 ? (int)done : 0;
}

/* A new, empty file system whose files are in memory, with one reference. Returns 0 or
 * -ENOMEM. */
int ramfs_create(const char *fs_name, u32 magic, struct super **out)
{
	struct super *super = super_alloc(fs_name, magic);
	struct inode *inode;

	if (!super)
		return -ENOMEM;
	super->in_memory = true;
	if (node_new(super, S_IFDIR | 0755, 0, &inode))
		goto put_super;
	super->root = dentry_alloc_root(super, inode);
	if (!super->root)
		goto put_inode;
	*out = super;
	return 0;
put_inode:
	inode_put(inode);
put_super:
	super_put(super);
	return -ENOMEM;
}

/* Make a node in a directory, for a file system that makes its own names. Returns 0 or
 * -ENOMEM. Locks: takes the directory's. */
int ramfs_add_node(struct dentry *parent, const char *name, unsigned mode, u64 rdev)
{
	struct inode *dir = dentry_inode(parent);
	struct dentry *dentry;
	int err;

	mutex_lock(&dir->lock);
	err = dentry_lookup(parent, name, str_len(name), &dentry);
	if (!err) {
		err = ramfs_create_node(dir, dentry, mode, rdev);
		dentry_put(dentry);
	}
	mutex_unlock(&dir->lock);
	return err;
}
