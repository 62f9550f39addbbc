/* SPDX-License-Identifier: MIT */
/*
 * Mounts: which tree covers which directory of which tree. A handful, in a list, never
 * removed: so a struct mount needs no reference count, and a path is a pair of pointers of
 * which only the dentry is counted.
 *
 * Locking: mounts_lock (RANK_FS) guards the list; it nests with no other lock of its rank.
 */
#include "kernel/fs/namei.h"
#include "kernel/lib/errno.h"
#include "mm/kmem.h"

struct mount *root_mount;

static struct spinlock mounts_lock = SPINLOCK_INIT(RANK_FS, "mounts");
static struct list mounts = LIST_INIT(mounts);

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
		dentry_set_mounted(m->point);
	}
	spin_lock(&mounts_lock);
	list_push(&mounts, &m->link);
	spin_unlock(&mounts_lock);
	*out = m;
	return 0;
}

/* What covers point, a directory in mount; NULL: nothing. */
struct mount *mount_covering(struct mount *mount, struct dentry *point)
{
	struct mount *m = NULL, *found = NULL;

	spin_lock(&mounts_lock);
	list_for_each(m, &mounts, link) {
		if (m->parent == mount && m->point == point) {
			found = m;
			break;
		}
	}
	spin_unlock(&mounts_lock);
	return found;
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
