/* SPDX-License-Identifier: MIT */
/* Mounts, places, and the walk from a path to a place. */
#pragma once
#include "kernel/fs/dcache.h"

struct file;
struct fs_context;

struct mount {
	struct super *super;		/* [I] */
	struct dentry *point;		/* [I] covered dentry, referenced; NULL at the root */
	struct mount *parent;		/* [I] the mount that point lies in */
	struct mount *next;		/* [I] the one added before */
};

/* A place: which mount, which name. The dentry is referenced; mounts are never removed. */
struct path {
	struct mount *mount;
	struct dentry *dentry;
};

/* --- mount.c */
extern struct mount *root_mount;	/* [I] since vfs_init() */
int mount_add(struct super *super, struct path *point, struct mount **out) must_check;
struct mount *mount_covering(struct mount *mount, struct dentry *point);
struct path path_get(const struct path *p);
void path_put(struct path *p);

/* --- walk.c, namei.c: base is the cwd of fs unless the name is absolute. */
#define LOOKUP_FOLLOW	1u
#define LOOKUP_DIRECTORY 2u

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
int vfs_rename(struct fs_context *fs, const char *from, const char *to) must_check;
int vfs_link(struct fs_context *fs, const char *from, const char *to) must_check;
int vfs_symlink(struct fs_context *fs, const char *target, const char *name) must_check;
long vfs_readlink(struct fs_context *fs, const char *name, char *buf, size_t size) must_check;
int vfs_stat(struct fs_context *fs, const char *name, unsigned flags, struct kstat *st)
	must_check;
int vfs_chdir(struct fs_context *fs, const char *name) must_check;
long vfs_getcwd(struct fs_context *fs, char *buf, size_t size) must_check;
int vfs_truncate(struct inode *inode, u64 size) must_check;
