/* SPDX-License-Identifier: MIT */
/*
 * Files as memory and as programs: what kernel/vm asks of a mapped file, and who may write to a
 * file that runs.
 *
 * inode->writers counts those who may write (open for writing, each truncate) upwards, or the
 * programs that run from the file downwards; it never does both.
 */
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "kernel/vm/vm.h"

/* Change the count by `by`, unless it is one of the other kind: -ETXTBSY. */
static int count_user(struct inode *inode, int by)
{
	int old = atomic_load(&inode->writers);

	do {
		if ((by > 0 && old < 0) || (by < 0 && old > 0))
			return -ETXTBSY;
	} while (!atomic_try_cmpxchg(&inode->writers, &old, old + by));
	return 0;
}

/* Does a file that is opened with these flags count? */
static bool counts(const struct inode *inode, unsigned flags)
{
	return S_ISREG(inode->mode) && !(flags & O_PATH) &&
	       ((flags & O_EXECUTE) || (flags & O_ACCMODE) != O_RDONLY);
}

/* The caller is about to write to inode. Returns 0, until inode_put_write(); -ETXTBSY: a program
 * runs from it. Context: any. */
int inode_get_write(struct inode *inode)
{
	return count_user(inode, 1);
}

/* Undo inode_get_write(). Context: any. */
void inode_put_write(struct inode *inode)
{
	BUG_ON(atomic_sub_return(&inode->writers, 1) < 0);
}

/* Somebody opens inode with these flags. Returns 0, until inode_end_use(); -ETXTBSY: they would
 * write to a program that runs, or run a file that somebody writes to. Context: any. */
int inode_begin_use(struct inode *inode, unsigned flags)
{
	if (!counts(inode, flags))
		return 0;
	return count_user(inode, flags & O_EXECUTE ? -1 : 1);
}

/* Undo inode_begin_use(). Context: any. */
void inode_end_use(struct inode *inode, unsigned flags)
{
	if (counts(inode, flags))
		(void)atomic_add_return(&inode->writers, flags & O_EXECUTE ? 1 : -1);
}

static void mapped_get(struct file *file)
{
	(void)file_get(file);
}

static long mapped_pages(struct file *file, u64 index, struct page **pages, unsigned nr,
			 bool make)
{
	return file->ops->map_pages(file, index, pages, nr, make);
}

static const struct vm_file_hooks hooks = {
	.get = mapped_get,
	.put = file_put,
	.pages = mapped_pages,
};

/* Tell kernel/vm how to reach files. Context: boot. */
void mapping_init(void)
{
	pagetree_init();
	vm_set_file_hooks(&hooks);
}
