/* SPDX-License-Identifier: MIT */
/*
 * Mounts: which tree covers which directory of which tree. A handful, in a list.
 *
 * Every path holds a reference to its mount, and a walk takes and drops several, on all CPUs
 * at once and mostly to the same mount. So the references are counted in one word for each
 * CPU: taking or dropping one adds to this CPU's word, and the words mean something only as a
 * sum, when nobody adds. Who unmounts stops the other CPUs at safe points and then adds up:
 *
 *	CPU 0:  +3   CPU 1:  -1   CPU 2:  0     sum 2: in use      (one was taken on CPU 0 and
 *	                                                            dropped on CPU 1)
 *
 * A safe point lies nowhere between finding a mount and taking a reference to it, so a mount
 * whose sum is zero while the others stand can be taken off the list for good.
 *
 * A busy mount that is detached (MNT_DETACH) leaves its place at once; it is freed by a later
 * umount call that finds it unused. One in which others are mounted is busy even then. Mounts
 * do not move (MS_MOVE), and all are private to themselves: there is one tree for everybody.
 *
 * Locking: mount_lock (RANK_MOUNT) for who changes or prints the list. Who walks takes none: a
 * mount is complete before the list names it, and leaves it while the walkers stand still.
 */
#include "kernel/fs/cred.h"
#include "kernel/fs/file.h"
#include "kernel/fs/statfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/safepoint.h"
#include "mm/kmem.h"

struct mount_refs {
	long nr;			/* [c] may be negative: only the sum counts */
} cacheline_aligned;

struct mount *root_mount;

static struct mutex mount_lock;
static struct mount *mounts;		/* in the order they were made; see Locking */
static struct mount *detached;		/* [mount lock] in no place, but in use */
static struct mount *nameless;		/* [I] of pipes, in no place and of no file system */

/* One more reference; the caller has one, or found the mount since its last safe point. */
struct mount *mount_get(struct mount *mount)
{
	struct mount_refs *mine = this_cpu(mount->refs);

	WRITE_ONCE(mine->nr, mine->nr + 1);
	return mount;
}

/* Drop a reference. Context: not in interrupts. */
void mount_put(struct mount *mount)
{
	struct mount_refs *mine = this_cpu(mount->refs);

	WRITE_ONCE(mine->nr, mine->nr - 1);
}

/* A copy of p with references of its own; the caller keeps p alive meanwhile. */
struct path path_get(const struct path *p)
{
	mount_get(p->mount);
	dentry_get(p->dentry);
	return *p;
}

/* Drop the path's references. Context: thread, no spinlocks. */
void path_put(struct path *p)
{
	dentry_put(p->dentry);
	mount_put(p->mount);
	*p = (struct path){ NULL, NULL };
}

/* 0, or -EROFS when nothing may be changed by way of this mount. Context: any. */
int mount_may_write(const struct mount *mount)
{
	return READ_ONCE(mount->flags) & MS_RDONLY ? -EROFS : 0;
}

/* What covers point, a directory in mount; NULL: nothing. The caller takes a reference before
 * its next safe point. Context: any. */
struct mount *mount_covering(struct mount *mount, struct dentry *point)
{
	struct mount *m = load_acquire(&mounts);

	while (m && (m->parent != mount || m->point != point))
		m = load_acquire(&m->next);
	return m;
}

/* --- making */

static void mount_free(struct mount *m)
{
	kfree(m->source);
	kfree(m->refs);
	kfree(m);
}

static struct mount *mount_new(const char *source)
{
	struct mount *m = kzalloc(sizeof(*m), GFP_KERNEL);
	size_t bytes = str_len(source) + 1;

	if (!m)
		return NULL;
	m->source = kmalloc(bytes, GFP_KERNEL);
	m->refs = kzalloc(cpu_count() * sizeof(*m->refs), GFP_KERNEL);
	if (!m->source || !m->refs) {
		mount_free(m);
		return NULL;
	}
	memcpy(m->source, source, bytes);
	return m;
}

/* Take the references of m, which is complete but for its place, and put it there. */
static void place_locked(struct mount *m, const struct path *point)
{
	struct mount **last = &mounts;

	ASSERT(mutex_is_held(&mount_lock));
	super_get(m->super);
	m->super->nr_mounts++;
	dentry_get(m->root);
	if (point) {
		struct path held = path_get(point);

		m->parent = held.mount;
		m->point = held.dentry;
		dentry_set_mounted(m->point, true);
	}
	while (*last)
		last = &(*last)->next;
	store_release(last, m);
}

/* The place must be a directory that still has its name; it keeps it from now on. */
static int place_on(struct mount *m, const struct path *point)
{
	struct inode *dir = dentry_inode(point->dentry);
	int err = 0;

	mutex_lock(&mount_lock);
	if (point->dentry == point->mount->root && point->mount->super == m->super &&
	    point->dentry == m->root)
		err = -EBUSY;
	mutex_lock(&dir->lock);
	if (!err && dir->nlink == 0)
		err = -ENOENT;
	if (!err)
		place_locked(m, point);
	mutex_unlock(&dir->lock);
	mutex_unlock(&mount_lock);
	return err;
}

/* Mount super, which has a root, over point, which nothing covers yet (NULL: it is a root of
 * its own). Takes references of its own. Returns 0 or -ENOMEM. Context: boot. */
int mount_add(struct super *super, const struct path *point, struct mount **out)
{
	struct mount *m = mount_new(super->fs_name);

	if (!m)
		return -ENOMEM;
	m->super = super;
	m->root = super->root;
	mutex_lock(&mount_lock);
	place_locked(m, point);
	mutex_unlock(&mount_lock);
	*out = m;
	return 0;
}

/* Make the lock and the place of what has none. Context: boot, once; panics when there is no
 * memory. */
void mount_init(void)
{
	mutex_init(&mount_lock, RANK_MOUNT, "mounts");
	nameless = mount_new("none");
	if (!nameless)
		panic("mount: no memory for the first mount");
}

/* A place that is nowhere in the tree for an inode without a name. Returns 0 with a referenced
 * place, or -ENOMEM. */
int mount_nameless(struct inode *inode, struct path *out)
{
	struct dentry *dentry = dentry_alloc_root(inode->super, inode_get(inode));

	if (!dentry) {
		inode_put(inode);
		return -ENOMEM;
	}
	*out = (struct path){ mount_get(nameless), dentry };
	return 0;
}

/* Is it such a place, or none at all? Context: any. */
bool mount_is_nameless(const struct path *path)
{
	return !path->dentry || path->mount == nameless;
}

static int mount_fresh(const struct path *point, const struct mount_request *rq)
{
	const struct fs_type *type = fs_type_find(rq->type);
	struct super *super;
	struct mount *m;
	int err;

	if (!type)
		return -ENODEV;
	if (!S_ISDIR(dentry_inode(point->dentry)->mode))
		return -ENOTDIR;
	err = type->get(rq->options, &super);
	if (err)
		return err;
	m = mount_new(rq->source[0] ? rq->source : "none");
	err = m ? 0 : -ENOMEM;
	if (m) {
		m->super = super;
		m->root = super->root;
		m->flags = rq->flags & MS_KEPT;
		err = place_on(m, point);
	}
	if (err && super->made)
		super_kill(super);
	super_put(super);
	if (err && m)
		mount_free(m);
	return err;
}

/* Show a directory in a second place; single files are not shown so. */
static int mount_bind(struct fs_context *fs, const struct path *point, const char *source)
{
	struct path from;
	struct mount *m;
	int err = path_lookup(fs, source, LOOKUP_FOLLOW, &from);

	if (err)
		return err;
	err = -EINVAL;
	if (!S_ISDIR(dentry_inode(from.dentry)->mode) ||
	    !S_ISDIR(dentry_inode(point->dentry)->mode))
		goto put_from;
	m = mount_new(from.mount->source);
	err = m ? 0 : -ENOMEM;
	if (m) {
		m->super = from.mount->super;
		m->root = from.dentry;
		m->flags = from.mount->flags;
		err = place_on(m, point);
	}
	if (err && m)
		mount_free(m);
put_from:
	path_put(&from);
	return err;
}

static int remount(const struct path *at, const struct mount_request *rq)
{
	struct super *super = at->mount->super;		/* NULL: the nameless place */
	const struct fs_type *type = super ? fs_type_find(super->fs_name) : NULL;
	int err = 0;

	if (at->dentry != at->mount->root)
		return -EINVAL;
	if (!(rq->flags & MS_BIND) && type && type->remount)
		err = type->remount(super, rq->options);
	if (!err)
		WRITE_ONCE(at->mount->flags, rq->flags & MS_KEPT);
	return err;
}

/* --- taking away */

/* Context: the other CPUs are stopped. */
static long nr_refs(const struct mount *m)
{
	long sum = 0;

	for_each_cpu(i)
		sum += m->refs[i].nr;
	return sum;
}

static void unlink_from(struct mount **list, struct mount *m)
{
	while (*list != m)
		list = &(*list)->next;
	*list = m->next;
	m->next = NULL;
}

static bool covers_another(const struct dentry *point)
{
	const struct mount *m = mounts;

	while (m && m->point != point)
		m = m->next;
	return m != NULL;
}

/* Nothing refers to m, or will: free it, and its file system with its last mount. */
static void mount_end_locked(struct mount *m)
{
	struct super *super = m->super;

	ASSERT(mutex_is_held(&mount_lock));
	dentry_put(m->root);
	if (--super->nr_mounts == 0 && super->made)
		super_kill(super);
	super_put(super);
	mount_free(m);
}

/* Free what was detached while it was in use and is not any more. */
static void reap_locked(void)
{
	struct mount **at = &detached, *unused = NULL, *m;

	safepoint_stop();
	while ((m = *at)) {
		if (nr_refs(m) == 0) {
			*at = m->next;
			m->next = unused;
			unused = m;
		} else {
			at = &m->next;
		}
	}
	safepoint_resume();
	while ((m = unused)) {
		unused = m->next;
		mount_end_locked(m);
	}
}

/* m goes from its place to the detached ones, if only `held` references to it exist, or lazy:
 * anyway. *point gets what it covered. Returns 0 or -EBUSY. */
static int detach_locked(struct mount *m, long held, bool lazy, struct path *point)
{
	struct mount *child;
	int err = 0;

	ASSERT(mutex_is_held(&mount_lock));
	for (child = mounts; child; child = child->next) {
		if (child->parent == m)
			return -EBUSY;
	}
	safepoint_stop();
	if (nr_refs(m) > held && !lazy)
		err = -EBUSY;
	if (!err) {
		unlink_from(&mounts, m);
		*point = (struct path){ m->parent, m->point };
		m->parent = NULL;
		m->point = NULL;
		if (!covers_another(point->dentry))
			dentry_set_mounted(point->dentry, false);
		m->next = detached;
		detached = m;
	}
	safepoint_resume();
	return err;
}

static int umount(struct path *at, unsigned flags)
{
	struct path point = { NULL, NULL };
	struct mount *m = at->mount;
	int err = -EINVAL;

	mutex_lock(&mount_lock);
	if (at->dentry == m->root && !m->parent)
		err = m == root_mount ? -EBUSY : -EINVAL;
	else if (at->dentry == m->root)
		err = detach_locked(m, 1, flags & MNT_DETACH, &point);
	path_put(at);
	if (!err) {
		path_put(&point);
		reap_locked();
	}
	mutex_unlock(&mount_lock);
	return err;
}

/* --- the calls */

/*
 * Mount, or change what is mounted. Returns 0; -EPERM: not root; -ENODEV: no such type;
 * -ENOTDIR; -EBUSY: the same is there already; -EINVAL: options, or moving a mount, which
 * there is not; -ENOMEM; what the walks say. Context: thread, may sleep.
 */
int vfs_mount(struct fs_context *fs, const char *target, const struct mount_request *rq)
{
	struct path at;
	int err = path_lookup(fs, target, LOOKUP_FOLLOW, &at);

	if (err)
		return err;
	if (!cred_is_root())
		err = -EPERM;
	else if (rq->flags & MS_REMOUNT)
		err = remount(&at, rq);
	else if (rq->flags & MS_BIND)
		err = mount_bind(fs, &at, rq->source);
	else if (rq->flags & MS_PROPAGATION)
		err = at.dentry == at.mount->root ? 0 : -EINVAL;
	else
		err = rq->flags & MS_MOVE ? -EINVAL : mount_fresh(&at, rq);
	path_put(&at);
	return err;
}

/*
 * Unmount what is mounted on target. Returns 0; -EPERM: not root; -EINVAL: not a mount point;
 * -EBUSY: somebody is in it, or something is mounted in it (also with MNT_DETACH), or it is
 * the root. Context: thread, may sleep; stops the other CPUs for a moment.
 */
int vfs_umount(struct fs_context *fs, const char *target, unsigned flags)
{
	struct path at;
	int err;

	if (flags & ~(MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW))
		return -EINVAL;
	err = path_lookup(fs, target, flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &at);
	if (err)
		return err;
	if (cred_is_root())
		return umount(&at, flags);
	path_put(&at);
	return -EPERM;
}

/* --- /proc/mounts */

/* A name as getmntent() reads it: blanks and backslashes as octal digits. */
static void print_escaped(struct textbuf *text, const char *s)
{
	for (; *s; s++) {
		if (str_chr(" \t\n\\", *s))
			text_print(text, "\\%03o", (unsigned)*s);
		else
			text_print(text, "%c", *s);
	}
}

static void print_flags(struct textbuf *text, unsigned flags)
{
	text_print(text, flags & MS_RDONLY ? "ro" : "rw");
	if (flags & MS_NOSUID)
		text_print(text, ",nosuid");
	if (flags & MS_NODEV)
		text_print(text, ",nodev");
	if (flags & MS_NOEXEC)
		text_print(text, ",noexec");
	text_print(text, ",relatime");
}

static void print_mount(const struct mount *m, const char *where, struct textbuf *text)
{
	const struct fs_type *type = fs_type_find(m->super->fs_name);

	print_escaped(text, m->source);
	text_print(text, " ");
	print_escaped(text, where);
	text_print(text, " %s ", m->super->fs_name);
	print_flags(text, m->flags);
	if (type && type->show)
		type->show(m->super, text);
	text_print(text, " 0 0\n");
}

/* All mounts, one a line as in /proc/mounts, in the order they were made, with the names that
 * they have from the root of fs. Returns 0 or -ENOMEM. Context: thread, may sleep. */
int mount_print_all(struct fs_context *fs, struct textbuf *text)
{
	struct path root = fs_get_root(fs);
	char *where = kmalloc(PATH_MAX, GFP_KERNEL);

	mutex_lock(&mount_lock);
	for (struct mount *m = where ? mounts : NULL; m; m = m->next) {
		struct path at = { m, m->root };

		if (dentry_path(&at, &root, where, PATH_MAX) > 0)
			print_mount(m, where, text);
	}
	mutex_unlock(&mount_lock);
	path_put(&root);
	kfree(where);
	return where ? 0 : -ENOMEM;
}
