/* SPDX-License-Identifier: MIT */
/* Kinds of file systems: what mount() can make, and what statfs() says of them. */
#pragma once
#include "kernel/lib/fmt.h"
#include "kernel/fs/namei.h"

#define RAMFS_MAGIC	0x858458f6u
#define TMPFS_MAGIC	0x01021994u
#define PROC_MAGIC	0x9fa0u
#define SYSFS_MAGIC	0x62656572u
#define CGROUP_MAGIC	0x27e0ebu
#define PIPEFS_MAGIC	0x50495045u

struct kstatfs {
	u64 magic, dev;
	u64 blocks, free_blocks;	/* of PAGE_SIZE */
	u64 files, free_files;
};

void super_statfs(const struct super *super, struct kstatfs *out);	/* super.c */

/* options: the text after mount's -o without the flags, "" when there is none. */
struct fs_type {
	const char *name;
	int (*get)(const char *options, struct super **out);	/* *out is referenced */
	int (*remount)(struct super *super, const char *options);	/* NULL: none taken */
	void (*show)(const struct super *super, struct textbuf *text);	/* ",key=value"... */
};

/* --- fstypes.c */
const struct fs_type *fs_type_find(const char *name);
const struct fs_type *fs_type_at(unsigned nr);		/* NULL: no more */
bool option_next(const char **at, const char *name, const char **value, size_t *len);

/* --- tmpfs.c, procfs.c, cgroupfs.c, devfs.c, sysfs.c */
extern const struct fs_type tmpfs_type, ramfs_type, proc_type, cgroup_type, devtmpfs_type,
	sysfs_type;

/* --- mount.c: what the calls do. Paths as path_lookup() takes them. */
struct mount_request {
	const char *source, *type, *options;	/* never NULL */
	unsigned flags;				/* as the user gave them */
};

#define MS_REMOUNT	32u
#define MS_BIND		4096u
#define MS_MOVE		8192u
#define MS_REC		16384u
#define MS_PROPAGATION	0x1e0000u	/* UNBINDABLE, PRIVATE, SLAVE, SHARED */

#define MNT_FORCE	1u
#define MNT_DETACH	2u
#define MNT_EXPIRE	4u
#define UMOUNT_NOFOLLOW	8u

int vfs_mount(struct fs_context *fs, const char *target, const struct mount_request *rq)
	must_check;
int vfs_umount(struct fs_context *fs, const char *target, unsigned flags) must_check;
int vfs_chroot(struct fs_context *fs, const char *name) must_check;
