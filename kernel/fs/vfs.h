/* SPDX-License-Identifier: MIT */
/*
 * The tiny VFS: dentries name inodes, files are open inodes, mounts join trees. Other floors
 * include this; its parts are modes.h, inode.h, dcache.h, namei.h and file.h.
 */
#pragma once
#include "kernel/fs/attr.h"
#include "kernel/fs/cred.h"
#include "kernel/fs/file.h"
#include "mm/gfp.h"

/* --- vfs.c */
void vfs_init(void);			/* caches, an empty ramfs as root, devfs on /dev, /tmp */

/* What the floor that knows processes tells this one. Any may be NULL: nobody is signalled, the
 * caller is root and has no limits. */
struct vfs_hooks {
	void (*signal)(int sig);		/* to the current task */
	const struct cred *(*cred)(void);	/* the current task's; NULL: a kernel thread */
	u64 (*fsize_limit)(void);		/* RLIMIT_FSIZE */
	unsigned (*nofile_limit)(void);		/* RLIMIT_NOFILE */
	int (*pid)(void);			/* the current process's */
};

void vfs_set_hooks(const struct vfs_hooks *hooks);	/* [I] for ever */
void vfs_signal(int sig);
u64 vfs_fsize_limit(void);
unsigned vfs_nofile_limit(void);
int vfs_pid(void);

#define VFS_SIGPIPE	13
#define VFS_SIGXFSZ	25

/* --- the file systems and devices */
int ramfs_create(const char *fs_name, u32 magic, struct super **out) must_check;
int ramfs_add_node(struct dentry *dir, const char *name, unsigned mode, u64 rdev) must_check;
int ramfs_write_kernel(struct inode *inode, const void *data, size_t bytes, u64 pos) must_check;
int devfs_create(struct super **out) must_check;
int sysfs_init(void) must_check;
int procfs_init(void) must_check;
int cgroupfs_init(void) must_check;
extern const struct file_ops kmsg_ops;
const struct file_ops *device_ops(u64 rdev);	/* of a character device; NULL: none such */
int pipe_create(struct file **read_end, struct file **write_end, unsigned flags) must_check;
void pipe_init(void);
void tty_init(void);
void tty_input(void);			/* console input waits. Context: any */
void hostdev_init(void);
void hostdev_input(void);		/* host input waits. Context: any */

extern const struct file_ops fifo_ops;	/* pipe.c: an inode that is a named pipe */
extern const struct file_ops tty_ops;
extern const struct file_ops host_in_ops, host_out_ops, host_err_ops, host_status_ops;

/* --- initrd.c: unpack a cpio newc archive over the root. -EINVAL: damaged (said in the log,
 * with the offset); -ENOMEM. What came before the damage stays. */
int initrd_unpack(const void *archive, size_t bytes) must_check;
