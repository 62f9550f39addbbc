/* SPDX-License-Identifier: MIT */
/* What an inode says of itself, and who may change it. */
#pragma once
#include "kernel/fs/inode.h"

#define KEEP_ID		(~0u)		/* vfs_chown(): leave this one */

struct new_times {
	u64 atime_ns, mtime_ns;
	bool keep_atime, keep_mtime;
	bool touch;			/* both are now: who may write may */
};

void inode_init_owner(struct inode *inode, const struct inode *dir);
void inode_distrust(struct inode *inode);
void inode_accessed(struct inode *inode);
int vfs_chmod(struct inode *inode, unsigned mode) must_check;
int vfs_chown(struct inode *inode, u32 uid, u32 gid) must_check;
int vfs_utimes(struct inode *inode, const struct new_times *to) must_check;
int vfs_truncate(struct inode *inode, u64 size) must_check;
long file_write_limit(u64 pos, size_t bytes) must_check;
