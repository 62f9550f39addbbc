/* SPDX-License-Identifier: MIT */
/* The start of the file system: caches, the root, /dev and /tmp; and the way to send the
 * current process a signal from below the floor that knows processes. */
#include "kernel/fs/vfs.h"
#include "kernel/fs/walk_impl.h"
#include "kernel/lib/panic.h"

static void (*signal_hook)(int sig);	/* [I] since boot */

/* Who delivers a signal to the current process. Context: boot. */
void vfs_set_signal_hook(void (*hook)(int sig))
{
	signal_hook = hook;
}

/* Signal the current process. */
void vfs_signal(int sig)
{
	if (signal_hook)
		signal_hook(sig);
}

static int mount_on(struct fs_context *fs, const char *name, struct super *super)
{
	struct mount *m;
	struct path point;
	int err = path_lookup(fs, name, LOOKUP_DIRECTORY, &point);

	if (err)
		return err;
	err = mount_add(super, &point, &m);
	path_put(&point);
	return err;
}

static int make_tree(void)
{
	struct super *rootfs, *devfs;
	struct fs_context *fs;
	int err = ramfs_create(&rootfs);

	if (!err)
		err = mount_add(rootfs, NULL, &root_mount);
	if (!err)
		err = devfs_create(&devfs);
	fs = err ? NULL : fs_create();
	if (!fs)
		return -1;
	err = vfs_mkdir(fs, "/dev", 0755);
	if (!err)
		err = mount_on(fs, "/dev", devfs);
	if (!err)
		err = vfs_mkdir(fs, "/tmp", 01777);
	fs_put(fs);
	return err;
}

/* Make the caches and an almost empty tree. Context: boot, once, after sched_init(); panics when
 * there is no memory. */
void vfs_init(void)
{
	inode_init_cache();
	dcache_init();
	file_init_cache();
	files_init_cache();
	fs_init_cache();
	rename_init();
	pipe_init();
	tty_init();
	hostdev_init();
	if (make_tree())
		panic("vfs: no memory for the root file system");
}
