/* SPDX-License-Identifier: MIT */
/*
 * Mounts: which tree covers which directory of which tree. A handful, in a list, never
 * removed: so a struct mount needs no reference count, and a path is a pair of pointers of
 * which only the dentry is counted.
 *
 * Locking: mounts_lock (RANK_FS) for who adds; it nests with no other lock of its rank. Who
 * looks takes none: a mount is complete before the list's head names it.
 */
#include "kernel/fs/namei.h"
#include "kernel/lib/errno.h"
#include "mm/kmem.h"

struct mount *root_mount;

static struct spinlock mounts_lock = SPINLOCK_INIT(RANK_FS, "mounts");
static struct mount *mounts;		/* [mounts lock to write, acquire to read] */

/* Mount super over point (NULL: it is a root of its own). Takes references of its own.
 * Returns 0 or -ENOMEM. */
int mount_add(struct super *super, struct path *point, struct mount **out)
{
	struct mount *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return -ENOMEM;
	m->super = super;
	if (point) {
		m->parent = point->mount;
		m->point = dentry_get(point->dentry);
	}
	spin_lock(&mounts_lock);
	m->next = mounts;
	store_release(&mounts, m);
	spin_unlock(&mounts_lock);
	if (point)
		dentry_set_mounted(m->point);
	*out = m;
	return 0;
}

/* What covers point, a directory in mount; NULL: nothing. Context: any. */
struct mount *mount_covering(struct mount *mount, struct dentry *point)
{
	struct mount *m = load_acquire(&mounts);

	while (m && (m->parent != mount || m->point != point))
		m = m->next;
	return m;
}

/* A copy of p with a reference of its own; the caller keeps p alive meanwhile. */
struct path path_get(const struct path *p)
{
	dentry_get(p->dentry);
	return *p;
}

/* Drop the path's reference. Context: thread, no spinlocks. */
void path_put(struct path *p)
{
	dentry_put(p->dentry);
	*p = (struct path){ NULL, NULL };
}
