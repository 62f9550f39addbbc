/* SPDX-License-Identifier: MIT */
/* Mounts, places, and the walk from a path to a place. */
#pragma once
#include "kernel/fs/dcache.h"

struct file;
struct fs_context;
struct textbuf;

struct mount_refs;

/* Key: [I] immutable; [mount lock] to read, to write with the other CPUs stopped as well. */
struct mount {
	struct super *super;		/* [I] referenced */
	struct dentry *root;		/* [I] referenced: what is seen at point */
	struct dentry *point;		/* [mount lock] covered dentry, referenced; NULL: a root */
	struct mount *parent;		/* [mount lock] the mount that point lies in, referenced */
	struct mount *next;		/* [mount lock] the one added after */
	unsigned flags;			/* [a] MS_* of MS_KEPT */
	struct mount_refs *refs;	/* [c] kmalloced, one for each CPU */
	char *source;			/* [I] kmalloced: what /proc/mounts says it shows */
};

/* A place: which mount, which name. Both are referenced (path_get()). */
struct path {
	struct mount *mount;
	struct dentry *dentry;
};

#define MS_RDONLY	1u
#define MS_NOSUID	2u
#define MS_NODEV	4u
#define MS_NOEXEC	8u
#define MS_KEPT		15u		/* what a mount remembers; the others change nothing */

/* --- mount.c */
extern struct mount *root_mount;	/* [I] since vfs_init() */
void mount_init(void);
int mount_add(struct super *super, const struct path *point, struct mount **out) must_check;
struct mount *mount_covering(struct mount *mount, struct dentry *point);
struct mount *mount_get(struct mount *mount);
void mount_put(struct mount *mount);
struct path path_get(const struct path *p);
void path_put(struct path *p);

/* A place for what has no name, as a link in /proc stands for it. */
int mount_nameless(struct inode *inode, struct path *out) must_check;
bool mount_is_nameless(const struct path *path);

/* 0, or -EROFS: nothing may be changed by way of this mount. */
int mount_may_write(const struct mount *mount) must_check;

int mount_print_all(struct fs_context *fs, struct textbuf *text) must_check;

/* --- walk.c, namei.c: base is the cwd of fs unless the name is absolute. */
#define LOOKUP_FOLLOW	1u
#define LOOKUP_DIRECTORY 2u
#define LOOKUP_REAL_IDS	4u		/* as access() asks */

int path_lookup(struct fs_context *fs, const char *name, unsigned flags, struct path *out)
	must_check;

/* The last component of a path: not looked up, a part of the path's text. */
struct last_name {
	const char *name;
	size_t len;			/* 0: the path is the root */
	bool slash;			/* slashes follow: it must be a directory */
};

int path_parent(struct fs_context *fs, const char *name, struct path *dir,
		struct last_name *last) must_check;

int vfs_mkdir(struct fs_context *fs, const char *name, unsigned mode) must_check;
int vfs_mknod(struct fs_context *fs, const char *name, unsigned mode, u64 rdev) must_check;
int vfs_rmdir(struct fs_context *fs, const char *name) must_check;
int vfs_unlink(struct fs_context *fs, const char *name) must_check;
#define RENAME_NOREPLACE 1u
#define RENAME_EXCHANGE	2u

int vfs_rename(struct fs_context *from_fs, const char *from, struct fs_context *to_fs,
	       const char *to, unsigned flags) must_check;
int vfs_link(const struct path *old, struct fs_context *fs, const char *to) must_check;
int vfs_symlink(struct fs_context *fs, const char *target, const char *name) must_check;
long vfs_readlink(struct inode *inode, char *buf, size_t size) must_check;
int vfs_stat(struct fs_context *fs, const char *name, unsigned flags, struct kstat *st)
	must_check;
int vfs_chdir(struct fs_context *fs, const char *name) must_check;
long vfs_getcwd(struct fs_context *fs, char *buf, size_t size) must_check;
int vfs_truncate_path(struct fs_context *fs, const char *name, u64 size) must_check;
