/* SPDX-License-Identifier: MIT */
/* The name of a place, from the place upward to a root: what getcwd() tells. */
#include "kernel/fs/dcache_impl.h"
#include "kernel/fs/namei.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"

/* Put "/name" before what is there; false when that makes the path longer than PATH_MAX. What
 * does not fit in buf is counted and dropped. */
static bool prepend(char *buf, size_t size, size_t *len, const struct dentry *d)
{
	size_t bytes = (size_t)d->name_len + 1;

	*len += bytes;
	if (*len > PATH_MAX)
		return false;
	if (*len > size)
		return true;
	buf[size - *len] = '/';
	memcpy(buf + size - *len + 1, d->name, d->name_len);
	return true;
}

static long path_text_locked(struct path at, const struct path *root, char *buf, size_t size)
{
	size_t len = 1;			/* the NUL */

	assert_held(&dcache_tree_lock);
	if (size)
		buf[size - 1] = '\0';
	while (at.dentry != root->dentry || at.mount != root->mount) {
		if (at.dentry != at.mount->root) {
			if (!prepend(buf, size, &len, at.dentry))
				return -ENAMETOOLONG;
			at.dentry = at.dentry->parent;
		} else if (at.mount->parent) {
			at = (struct path){ at.mount->parent, at.mount->point };
		} else {
			break;
		}
	}
	if (len == 1) {
		len = 2;
		if (len <= size)
			buf[size - len] = '/';
	}
	return len <= size ? (long)len : -ERANGE;
}

static long path_text(const struct path *path, const struct path *root, char *buf, size_t size,
		      bool *removed)
{
	long len;

	spin_lock(&dcache_tree_lock);
	*removed = path->dentry->unhashed;
	len = path_text_locked(*path, root, buf, size);
	spin_unlock(&dcache_tree_lock);
	if (len > 0)
		memmove(buf, buf + size - len, (size_t)len);
	return len;
}

/*
 * The name of path as seen from root, into buf. Returns its length, NUL included; -ENOENT: the
 * name was removed; -ENAMETOOLONG: longer than PATH_MAX; -ERANGE: longer than size. At most
 * PATH_MAX bytes of names are looked at, however deep path lies.
 * Locks: takes the tree lock: the answer is a name that path had at one moment.
 */
long dentry_path(const struct path *path, const struct path *root, char *buf, size_t size)
{
	bool removed;
	long len = path_text(path, root, buf, size, &removed);

	return removed ? -ENOENT : len;
}

/* The same for who only shows it: a name that was removed is the last one, with " (deleted)"
 * behind it. size: PATH_MAX. Locks: takes the tree lock. */
long dentry_path_shown(const struct path *path, const struct path *root, char *buf, size_t size)
{
	static const char mark[] = " (deleted)";
	bool removed;
	long len = path_text(path, root, buf, size - sizeof(mark), &removed);

	if (len < 0 || !removed)
		return len;
	memcpy(buf + len - 1, mark, sizeof(mark));
	return len + (long)sizeof(mark) - 1;
}
