/* SPDX-License-Identifier: MIT */
/* System calls about mounts and whole file systems. */
#include "kernel/fs/statfs.h"
#include "kernel/lib/string.h"
#include "kernel/sys/calls.h"

#define MS_MAGIC	0xc0ed0000u	/* what old programs put into the upper half */
#define MS_MAGIC_MASK	0xffff0000u
#define ST_VALID	0x20u
#define ST_RELATIME	0x1000u

struct linux_statfs {
	s64 type, bsize;
	u64 blocks, bfree, bavail, files, ffree;
	s32 fsid[2];
	s64 namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs");

/* A string that may be missing: then "". */
static int get_optional(uaddr_t user, size_t size, char **out)
{
	if (user)
		return user_string(user, size, GFP_KERNEL, out);
	*out = kzalloc(1, GFP_KERNEL);
	return *out ? 0 : -ENOMEM;
}

/* Options are a page at most, and one without an end is cut, as on Linux. */
static int get_options(uaddr_t user, char **out)
{
	int err = get_optional(user, PAGE_SIZE, out);

	return err == -ENAMETOOLONG ? -EINVAL : err;
}

static long mount_at(struct syscall *c, const char *target)
{
	unsigned flags = (unsigned)c->arg[3];
	struct mount_request rq = { .flags = flags };
	char *source, *type, *options;
	long ret = get_optional(c->arg[2], PAGE_SIZE, &type);

	if (ret)
		return ret == -ENAMETOOLONG ? -EINVAL : ret;
	ret = get_optional(c->arg[0], PATH_MAX, &source);
	if (ret)
		goto free_type;
	ret = get_options(c->arg[4], &options);
	if (ret)
		goto free_source;
	if ((flags & MS_MAGIC_MASK) == MS_MAGIC)
		rq.flags &= ~MS_MAGIC_MASK;
	rq.source = source;
	rq.type = type;
	rq.options = options;
	ret = vfs_mount(proc_current()->fs, target, &rq);
	kfree(options);
free_source:
	kfree(source);
free_type:
	kfree(type);
	return ret;
}

/* mount(source, target, type, flags, options). */
long sys_mount(struct syscall *c)
{
	char *target;
	long ret = user_path(c->arg[1], &target);

	if (ret)
		return ret;
	ret = mount_at(c, target);
	kfree(target);
	return ret;
}

/* umount2(target, flags). */
long sys_umount2(struct syscall *c)
{
	char *target;
	long ret = user_path(c->arg[0], &target);

	if (ret)
		return ret;
	ret = vfs_umount(proc_current()->fs, target, (unsigned)c->arg[1]);
	kfree(target);
	return ret;
}

/* chroot(path). */
long sys_chroot(struct syscall *c)
{
	char *path;
	long ret = user_path(c->arg[0], &path);

	if (ret)
		return ret;
	ret = vfs_chroot(proc_current()->fs, path);
	kfree(path);
	return ret;
}

static long put_statfs(uaddr_t user, const struct super *super, const struct mount *mount)
{
	struct kstatfs st;
	struct linux_statfs out = { .namelen = NAME_MAX, .bsize = PAGE_SIZE, .frsize = PAGE_SIZE };

	super_statfs(super, &st);
	out.type = (s64)st.magic;
	out.blocks = st.blocks;
	out.bfree = out.bavail = st.free_blocks;
	out.files = st.files;
	out.ffree = st.free_files;
	out.fsid[0] = (s32)st.dev;
	out.flags = ST_VALID | ST_RELATIME | (mount ? (READ_ONCE(mount->flags) & MS_KEPT) : 0);
	return user_put(user, &out, sizeof(out));
}

/* statfs(path, buf). */
long sys_statfs(struct syscall *c)
{
	struct target t;
	long ret = target_get(AT_FDCWD, c->arg[0], LOOKUP_FOLLOW, &t);

	if (ret)
		return ret;
	ret = put_statfs(c->arg[1], t.inode->super, t.path.mount);
	target_put(&t);
	return ret;
}

/* fstatfs(fd, buf). */
long sys_fstatfs(struct syscall *c)
{
	struct file *file = user_file_any((int)c->arg[0]);
	long ret;

	if (!file)
		return -EBADF;
	ret = put_statfs(c->arg[1], file->inode->super, file->path.mount);
	file_put(file);
	return ret;
}
