/* SPDX-License-Identifier: MIT */
/*
 * A process's place in the tree: root, working directory, umask. Threads share one.
 *
 * Locking: fs->lock (RANK_FS) for the working directory: who reads it takes a reference under
 * the lock, who changes it drops the old one's after it. So with the root.
 */
#include "kernel/fs/cred.h"
#include "kernel/fs/file.h"
#include "kernel/fs/statfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "mm/kmem.h"

#define UMASK_DEFAULT	022

static struct kmem_cache *fs_cache;	/* [I] */

/* Context: boot, once; panics when there is no memory. */
void fs_init_cache(void)
{
	fs_cache = kmem_cache_create("fs", sizeof(struct fs_context), 0, 0, NULL);
	if (!fs_cache)
		panic("fs: no memory for the fs cache");
}

/* Takes over both references on success. */
static struct fs_context *fs_new(struct path root, struct path cwd, u32 umask)
{
	struct fs_context *fs = kmem_cache_alloc(fs_cache, GFP_KERNEL);

	if (!fs)
		return NULL;
	*fs = (struct fs_context){ .cwd = cwd, .root = root, .umask = { (int)umask } };
	refcount_set(&fs->refs, 1);
	spin_init(&fs->lock, RANK_FS, "fs");
	return fs;
}

/* A context at the root of the root mount, with one reference. NULL: no memory. */
struct fs_context *fs_create(void)
{
	struct path top = { root_mount, root_mount->super->root };
	struct fs_context *fs = fs_new(top, top, UMASK_DEFAULT);

	if (!fs)
		return NULL;
	path_get(&top);
	path_get(&top);
	return fs;
}

/* A copy with one reference (fork). NULL: no memory. */
struct fs_context *fs_copy(struct fs_context *from)
{
	struct path root = fs_get_root(from), cwd = fs_get_cwd(from);
	struct fs_context *fs = fs_new(root, cwd, fs_umask(from));

	if (!fs) {
		path_put(&cwd);
		path_put(&root);
	}
	return fs;
}

/* One more reference; the caller has one. */
struct fs_context *fs_get(struct fs_context *fs)
{
	refcount_get(&fs->refs);
	return fs;
}

/* Drop a reference (NULL is fine). Context: thread, no spinlocks. */
void fs_put(struct fs_context *fs)
{
	if (!fs || !refcount_put(&fs->refs))
		return;
	path_put(&fs->cwd);
	path_put(&fs->root);
	kmem_cache_free(fs_cache, fs);
}

/* The working directory, referenced. */
struct path fs_get_cwd(struct fs_context *fs)
{
	struct path p;

	spin_lock(&fs->lock);
	p = path_get(&fs->cwd);
	spin_unlock(&fs->lock);
	return p;
}

/* The root, referenced. */
struct path fs_get_root(struct fs_context *fs)
{
	struct path p;

	spin_lock(&fs->lock);
	p = path_get(&fs->root);
	spin_unlock(&fs->lock);
	return p;
}

static void replace(struct fs_context *fs, struct path *what, const struct path *to)
{
	struct path fresh = path_get(to), old;

	spin_lock(&fs->lock);
	old = *what;
	*what = fresh;
	spin_unlock(&fs->lock);
	path_put(&old);
}

/* Work in `to` from now on; takes a reference of its own. */
void fs_set_cwd(struct fs_context *fs, const struct path *to)
{
	replace(fs, &fs->cwd, to);
}

/* Make a directory the root of all names; the working directory stays, also outside. Returns
 * 0; -EACCES: may not be searched; -EPERM: not root; or what the walk says. */
int vfs_chroot(struct fs_context *fs, const char *name)
{
	struct path p;
	int err = path_lookup(fs, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (err)
		return err;
	err = inode_permission(dentry_inode(p.dentry), MAY_EXEC);
	if (!err && !cred_is_root())
		err = -EPERM;
	if (!err)
		replace(fs, &fs->root, &p);
	path_put(&p);
	return err;
}

/* The permission bits that new files do not get. */
u32 fs_umask(struct fs_context *fs)
{
	return (u32)atomic_load(&fs->umask);
}
