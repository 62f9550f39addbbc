/* SPDX-License-Identifier: MIT */
/* The kinds of file systems that mount() knows, and the text of their options. */
#include "kernel/fs/statfs.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"

static const struct fs_type *const types[] = {
	&sysfs_type, &tmpfs_type, &proc_type, &cgroup_type, &devtmpfs_type, &ramfs_type,
};

/* The type of that name, or NULL. Context: any. */
const struct fs_type *fs_type_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (str_eq(types[i]->name, name))
			return types[i];
	}
	return NULL;
}

/* The nr-th type, or NULL: there are no more. Context: any. */
const struct fs_type *fs_type_at(unsigned nr)
{
	return nr < ARRAY_SIZE(types) ? types[nr] : NULL;
}

/*
 * Is the option at *at, of a text like "size=1m,ro", the one of this name (NULL: any)? Then
 * *value and *len say what follows its '=', and *at goes on to the next option. A name without
 * '=' has an empty value. Context: any.
 */
bool option_next(const char **at, const char *name, const char **value, size_t *len)
{
	const char *s = *at, *end = s;
	size_t name_len = 0;

	while (*end && *end != ',')
		end++;
	while (s + name_len < end && s[name_len] != '=')
		name_len++;
	if (name && (str_len(name) != name_len || str_ncmp(name, s, name_len)))
		return false;
	*value = s + name_len < end ? s + name_len + 1 : end;
	*len = (size_t)(end - *value);
	*at = *end ? end + 1 : end;
	return true;
}

/* --- sysfs: the tree in which programs look for the mount points of other file systems */

static struct super *sysfs;		/* [I] since boot */

/* Make sysfs. Returns 0 or -ENOMEM. Context: boot, once. */
int sysfs_init(void)
{
	static const char *const dirs[] = { "block", "bus", "class", "devices", "kernel", "module" };
	int err = ramfs_create("sysfs", SYSFS_MAGIC, &sysfs);
	struct dentry *fs = NULL, *cgroup = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(dirs) && !err; i++)
		err = ramfs_add_node(sysfs->root, dirs[i], S_IFDIR | 0755, 0);
	if (!err)
		err = ramfs_add_node(sysfs->root, "fs", S_IFDIR | 0755, 0);
	if (!err) {
		fs = dentry_find(sysfs->root, "fs", 2);
		err = ramfs_add_node(fs, "cgroup", S_IFDIR | 0755, 0);
	}
	if (!err) {
		cgroup = dentry_find(fs, "cgroup", 6);
		err = ramfs_add_node(cgroup, "memory", S_IFDIR | 0755, 0);
	}
	dentry_put(cgroup);
	dentry_put(fs);
	if (!err) {
		sysfs->made = false;
		sysfs->in_memory = false;
	}
	return err;
}

static int sysfs_get(const char *options, struct super **out)
{
	(void)options;
	super_get(sysfs);
	*out = sysfs;
	return 0;
}

const struct fs_type sysfs_type = { .name = "sysfs", .get = sysfs_get };
