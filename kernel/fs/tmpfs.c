/* SPDX-License-Identifier: MIT */
/*
 * tmpfs: a ramfs with limits, which mount's options set and a remount changes: size= in bytes
 * (k, m, g, or % of RAM), nr_blocks= in pages, nr_inodes=, 0 meaning none; and mode=, uid= and
 * gid= of its root. Without options half of RAM may be filled, with as many files as that has
 * pages.
 */
#include "arch/memmap.h"
#include "kernel/fs/statfs.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/page.h"

#define TMPFS_MODE	01777u

struct options {
	u64 max_blocks, max_inodes, mode, uid, gid;
};

static u64 default_limit(void)
{
	return page_nr_total() / 2;
}

/* A number with an optional suffix that ends at `end`; -EINVAL: something else. */
static int parse_scaled(const char *s, const char *end, u64 *out)
{
	return str_to_size(s, &s, out) || s != end ? -EINVAL : 0;
}

static int parse_size(const char *s, const char *end, u64 *nr_pages)
{
	u64 n;

	if (s < end && end[-1] == '%') {
		if (parse_scaled(s, end - 1, &n) || n > 1000)
			return -EINVAL;
		*nr_pages = page_nr_total() * n / 100;
		return 0;
	}
	if (parse_scaled(s, end, &n))
		return -EINVAL;
	*nr_pages = n / PAGE_SIZE + (n % PAGE_SIZE != 0);
	return 0;
}

static int parse_octal(const char *s, const char *end, u64 *out)
{
	if (s == end)
		return -EINVAL;
	for (*out = 0; s < end; s++) {
		if (*s < '0' || *s > '7' || *out > S_IALLPERM)
			return -EINVAL;
		*out = *out * 8 + (u64)(*s - '0');
	}
	*out &= S_IALLPERM;
	return 0;
}

static int parse_option(const char **at, struct options *o)
{
	const char *value;
	size_t len;

	if (option_next(at, "size", &value, &len))
		return parse_size(value, value + len, &o->max_blocks);
	if (option_next(at, "nr_blocks", &value, &len))
		return parse_scaled(value, value + len, &o->max_blocks);
	if (option_next(at, "nr_inodes", &value, &len))
		return parse_scaled(value, value + len, &o->max_inodes);
	if (option_next(at, "mode", &value, &len))
		return parse_octal(value, value + len, &o->mode);
	if (option_next(at, "uid", &value, &len))
		return parse_scaled(value, value + len, &o->uid);
	if (option_next(at, "gid", &value, &len))
		return parse_scaled(value, value + len, &o->gid);
	return -EINVAL;
}

static int parse_options(const char *text, struct options *o)
{
	int err = 0;

	while (*text && !err)
		err = parse_option(&text, o);
	return err || o->uid > ~0u || o->gid > ~0u ? -EINVAL : 0;
}

static int make(const char *name, u32 magic, const struct options *o, struct super **out)
{
	struct inode *root;
	int err = ramfs_create(name, magic, out);

	if (err)
		return err;
	(*out)->max_blocks = o->max_blocks;
	(*out)->max_inodes = o->max_inodes;
	root = dentry_inode((*out)->root);
	root->mode = S_IFDIR | (u32)o->mode;
	root->uid = (u32)o->uid;
	root->gid = (u32)o->gid;
	return 0;
}

static int tmpfs_get(const char *text, struct super **out)
{
	struct options o = { default_limit(), default_limit(), TMPFS_MODE, 0, 0 };
	int err = parse_options(text, &o);

	return err ? err : make("tmpfs", TMPFS_MAGIC, &o, out);
}

/* Limits below what is there, or where there was none, are refused; the root stays. */
static int tmpfs_remount(struct super *super, const char *text)
{
	struct options o = { super->max_blocks, super->max_inodes, 0, 0, 0 };
	int err = parse_options(text, &o);

	if (err)
		return err;
	if (o.max_blocks && (!super->max_blocks ||
			     o.max_blocks < (u64)atomic_load(&super->nr_blocks)))
		return o.max_blocks == super->max_blocks ? 0 : -EINVAL;
	if (o.max_inodes && (!super->max_inodes ||
			     o.max_inodes < (u64)atomic_load(&super->nr_inodes)))
		return -EINVAL;
	WRITE_ONCE(super->max_blocks, o.max_blocks);
	WRITE_ONCE(super->max_inodes, o.max_inodes);
	return 0;
}

/* What differs from the defaults, in Linux's units and order. */
static void tmpfs_show(const struct super *super, struct textbuf *text)
{
	const struct inode *root = dentry_inode(super->root);
	u32 mode = root->mode & S_IALLPERM;

	if (super->max_blocks != default_limit())
		text_print(text, ",size=%luk", super->max_blocks * (PAGE_SIZE / 1024));
	if (super->max_inodes != default_limit())
		text_print(text, ",nr_inodes=%lu", super->max_inodes);
	if (mode != TMPFS_MODE)
		text_print(text, ",mode=%03o", mode);
	if (root->uid)
		text_print(text, ",uid=%u", root->uid);
	if (root->gid)
		text_print(text, ",gid=%u", root->gid);
}

const struct fs_type tmpfs_type = {
	.name = "tmpfs", .get = tmpfs_get, .remount = tmpfs_remount, .show = tmpfs_show,
};

/* As on Linux, ramfs knows no limits and ignores what it does not know. */
static int ramfs_get(const char *text, struct super **out)
{
	struct options o = { .mode = 0755 };
	const char *value;
	size_t len;

	while (*text) {
		if (!option_next(&text, "mode", &value, &len))
			(void)option_next(&text, NULL, &value, &len);
		else if (parse_octal(value, value + len, &o.mode))
			return -EINVAL;
	}
	return make("ramfs", RAMFS_MAGIC, &o, out);
}

const struct fs_type ramfs_type = { .name = "ramfs", .get = ramfs_get };
