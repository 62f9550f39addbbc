/* SPDX-License-Identifier: MIT */
/*
 * /dev: a ramfs with a node for each device in one table, which also says what opening a
 * character device anywhere means. Numbers are Linux's; the host's own are major 240, which
 * Linux leaves to local use.
 */
#include "arch/cpu.h"
#include "arch/memmap.h"
#include "kernel/fs/statfs.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"

#define CHUNK	256

static long null_read(struct file *file, struct iobuf *io, u64 *pos)
{
	(void)file;
	(void)io;
	(void)pos;
	return 0;
}

static long null_write(struct file *file, struct iobuf *io, u64 *pos)
{
	long bytes = (long)io->left;

	(void)file;
	(void)pos;
	io->left = 0;
	return bytes;
}

static long full_write(struct file *file, struct iobuf *io, u64 *pos)
{
	(void)file;
	(void)pos;
	return io->left ? -ENOSPC : 0;
}

static size_t put_zeros(struct iobuf *io)
{
	return iobuf_zero(io, PAGE_SIZE);
}

static size_t put_random(struct iobuf *io)
{
	u8 chunk[CHUNK];
	size_t want = MIN(io->left, sizeof(chunk));

	cpu_random(chunk, want);
	return iobuf_put(io, chunk, want);
}

/* Fill the buffer, a piece each time, until it is full, bad or the reader is killed. */
static long fill(struct iobuf *io, size_t (*put)(struct iobuf *io))
{
	long done = 0;

	while (io->left) {
		size_t moved = put(io);

		done += (long)moved;
		if (!moved)
			return done ? done : -EFAULT;
		cond_resched();
		if (thread_current()->killed)
			break;
	}
	return done;
}

static long zero_read(struct file *file, struct iobuf *io, u64 *pos)
{
	(void)file;
	(void)pos;
	return fill(io, put_zeros);
}

static long random_read(struct file *file, struct iobuf *io, u64 *pos)
{
	(void)file;
	(void)pos;
	return fill(io, put_random);
}

static const struct file_ops null_ops = {
	.read = null_read, .write = null_write, .seekable = true,
};
static const struct file_ops zero_ops = {
	.read = zero_read, .write = null_write, .seekable = true, .maps_anonymous = true,
};
static const struct file_ops full_ops = {
	.read = zero_read, .write = full_write, .seekable = true,
};
static const struct file_ops random_ops = {
	.read = random_read, .write = null_write, .seekable = true,
};

static const struct device {
	const char *name;
	u64 rdev;
	unsigned perms;
	const struct file_ops *ops;
} devices[] = {
	{ "null", MKDEV(1, 3), 0666, &null_ops },
	{ "zero", MKDEV(1, 5), 0666, &zero_ops },
	{ "full", MKDEV(1, 7), 0666, &full_ops },
	{ "random", MKDEV(1, 8), 0666, &random_ops },
	{ "urandom", MKDEV(1, 9), 0666, &random_ops },
	{ "kmsg", MKDEV(1, 11), 0644, &kmsg_ops },
	{ "tty", MKDEV(5, 0), 0666, &tty_ops },
	{ "console", MKDEV(5, 1), 0600, &tty_ops },
	{ "tty0", MKDEV(4, 0), 0600, &tty_ops },
	{ "tty1", MKDEV(4, 1), 0600, &tty_ops },
	{ "ttyS0", MKDEV(4, 64), 0600, &tty_ops },
	{ "hostin", MKDEV(240, 0), 0400, &host_in_ops },
	{ "hostout", MKDEV(240, 1), 0200, &host_out_ops },
	{ "hosterr", MKDEV(240, 2), 0200, &host_err_ops },
	{ "hoststatus", MKDEV(240, 3), 0200, &host_status_ops },
};

/* What opens a character device of that number; NULL: there is none. */
const struct file_ops *device_ops(u64 rdev)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (devices[i].rdev == rdev)
			return devices[i].ops;
	}
	return NULL;
}

static struct super *devfs;		/* [I] since boot; every mount shows this one */

/* The file system with every device in it. Returns 0 or -ENOMEM. Context: boot, once. */
int devfs_create(struct super **out)
{
	int err = ramfs_create("devtmpfs", TMPFS_MAGIC, &devfs);

	if (err)
		return err;
	devfs->made = false;
	for (size_t i = 0; i < ARRAY_SIZE(devices) && !err; i++)
		err = ramfs_add_node(devfs->root, devices[i].name,
				     S_IFCHR | devices[i].perms, devices[i].rdev);
	*out = devfs;
	return err;
}

static int devtmpfs_get(const char *options, struct super **out)
{
	(void)options;
	super_get(devfs);
	*out = devfs;
	return 0;
}

const struct fs_type devtmpfs_type = { .name = "devtmpfs", .get = devtmpfs_get };
