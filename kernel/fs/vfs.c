/* SPDX-License-Identifier: MIT */
/* The start of the file system: caches, the root, /dev and /tmp; and the way to ask the floor
 * that knows processes about the current one. */
#include "kernel/fs/statfs.h"
#include "kernel/fs/vfs.h"
#include "kernel/fs/walk_impl.h"
#include "kernel/lib/panic.h"

static const struct vfs_hooks no_hooks;
static const struct vfs_hooks *hooks = &no_hooks;	/* [I] since boot */

/* Who knows the current process. Context: boot. */
void vfs_set_hooks(const struct vfs_hooks *of_proc)
{
	hooks = of_proc;
}

/* Signal the current task. */
void vfs_signal(int sig)
{
	if (hooks->signal)
		hooks->signal(sig);
}

/* Who acts: the current task's credentials, which stay while it does not change them itself; a
 * kernel thread is root. Context: any. */
const struct cred *cred_current(void)
{
	const struct cred *cred = hooks->cred ? hooks->cred() : NULL;

	return cred ? cred : &cred_root;
}

/* How long a file the current process may make. Context: any. */
u64 vfs_fsize_limit(void)
{
	return hooks->fsize_limit ? hooks->fsize_limit() : ~0ull;
}

/* How many descriptors the current process may have. Context: any. */
unsigned vfs_nofile_limit(void)
{
	return hooks->nofile_limit ? hooks->nofile_limit() : FILES_MAX;
}

/* The current process's pid; 0: a kernel thread. Context: any. */
int vfs_pid(void)
{
	return hooks->pid ? hooks->pid() : 0;
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

static int make_links(struct fs_context *fs)
{
	int err = vfs_symlink(fs, "/proc/self/fd", "/dev/fd");

	if (!err)
		err = vfs_symlink(fs, "/proc/self/fd/0", "/dev/stdin");
	if (!err)
		err = vfs_symlink(fs, "/proc/self/fd/1", "/dev/stdout");
	if (!err)
		err = vfs_symlink(fs, "/proc/self/fd/2", "/dev/stderr");
	return err;
}

static int make_tree(void)
{
	struct super *rootfs, *devfs;
	struct fs_context *fs;
	int err = ramfs_create("rootfs", RAMFS_MAGIC, &rootfs);

	if (!err)
		err = mount_add(rootfs, NULL, &root_mount);
	if (!err)
		err = devfs_create(&devfs);
	if (!err)
		err = sysfs_init();
	if (!err)
		err = procfs_init();
	if (!err)
		err = cgroupfs_init();
	fs = err ? NULL : fs_create();
	if (!fs)
		return -1;
	err = vfs_mkdir(fs, "/dev", 0755);
	if (!err)
		err = mount_on(fs, "/dev", devfs);
	if (!err)
		err = make_links(fs);
	if (!err)
		err = vfs_mkdir(fs, "/tmp", 01777);
	fs_put(fs);
	return err;
}

/* Make the caches and an almost empty tree. Context: boot, once, after sched_init(); panics when
 * there is no memory. */
void vfs_init(void)
{
	cred_init_cache();
	inode_init_cache();
	dcache_init();
	file_init_cache();
	files_init_cache();
	fs_init_cache();
	mapping_init();
	mount_init();
	rename_init();
	pipe_init();
	tty_init();
	hostdev_init();
	if (make_tree())
		panic("vfs: no memory for the root file system");
}
