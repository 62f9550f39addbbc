/* SPDX-License-Identifier: MIT */
/*
 * The tree of groups and who is in them.
 *
 * One sleeping reader-writer lock, the cgroup lock, covers the whole tree. Whatever looks at
 * the tree as a whole or changes it (create, remove, attach, kill, control files) holds it
 * alone: these are rare, and "no members, no children" must stay true while a group is being
 * removed. Forks and exits, which are not rare, hold it together: they concern two groups at
 * most, which cannot go or change hands meanwhile; the group's own spinlock guards its list.
 *
 *	CPU 0   fork:   [ shared: parent's group -> g | g.lock: append ]
 *	CPU 1   exit:   [ shared:               g.lock: remove | pays for the root from here ]
 *	CPU 2   kill:                                            [ alone: every list stands still ]
 *
 * Killing a subtree must not miss a process that is being forked meanwhile. A member that was
 * killed stays marked, and a child reads its parent's mark and joins in one go under the
 * shared lock: either it is a member when the kill walks by, or its parent was marked before
 * and it is killed on joining. One walk is enough, and nobody waits for anybody to die.
 *
 * A leaving member works for the root from then on: its group may be removed, and freed, the
 * moment the lock is let go, and its thread still runs to its end.
 *
 * Locking: the cgroup lock (RANK_CGROUP), a group's lock inside it, which nests with nothing.
 * Removing a group and moving a running task stop the other CPUs: no spinlock is held then,
 * and who waits for the cgroup lock sleeps, so they can.
 */
#include "kernel/cgroup/cgroup_impl.h"
#include "kernel/lib/string.h"

struct cgroup root_cgroup = {
	.memcg = &root_memcg,
	.children = LIST_INIT(root_cgroup.children),
	.sibling = LIST_INIT(root_cgroup.sibling),
	.lock = SPINLOCK_INIT(RANK_PROC, "members"),
	.members = LIST_INIT(root_cgroup.members),
	.name = "/",
	.refs = REFCOUNT_INIT(1),
	.id = 1,
};

struct rwlock cgroup_lock;
static struct kmem_cache *cgroup_cache;	/* [I] */
static unsigned nr_groups = 1;		/* [cgroup lock] */

static void cgroup_init_attrs(struct cgroup *group, unsigned mode);
const struct cgroup_hooks *cgroup_hooks;	/* [I] from before the first process */

/* Make the cache and the lock. Context: boot, after memcg_init(). */
void cgroup_init(void)
{
	rwlock_init(&cgroup_lock, RANK_CGROUP, "cgroup");
	cgroup_cache = kmem_cache_create("cgroup", sizeof(struct cgroup), 0, 0, NULL);
	if (!cgroup_cache)
		panic("no memory for the cache of cgroups");
	cgroup_init_attrs(&root_cgroup, 0755);
}

/* Say how to reach processes. Context: boot, before the first process. */
void cgroup_set_hooks(const struct cgroup_hooks *proc_hooks)
{
	cgroup_hooks = proc_hooks;
}

/* --- paths */

static bool char_ok(char c)
{
	return (unsigned char)c >= ' ' && c != 0x7f;
}

/* Take the next name off *path. Its length; 0 at the end; -EINVAL, -ENAMETOOLONG. */
static int next_name(const char **path, const char **name)
{
	const char *p = *path;
	int len = 0;

	while (*p == '/')
		p++;
	*name = p;
	for (; *p && *p != '/'; p++, len++) {
		if (!char_ok(*p))
			return -EINVAL;
	}
	*path = p;
	if (len > CGROUP_NAME_MAX)
		return -ENAMETOOLONG;
	if ((len == 1 && (*name)[0] == '.') || (len == 2 && !str_ncmp(*name, "..", 2)))
		return -EINVAL;
	return len;
}

static int check_path(const char *path)
{
	size_t len = 0;

	while (len < CGROUP_PATH_MAX && path[len])
		len++;
	if (len == CGROUP_PATH_MAX)
		return -ENAMETOOLONG;
	if (len == 0)
		return -ENOENT;
	return path[0] == '/' ? 0 : -EINVAL;
}

/* The child of that name, or NULL. Locks: the cgroup lock held. */
struct cgroup *cgroup_child_named(struct cgroup *group, const char *name, int len)
{
	struct cgroup *child;

	list_for_each(child, &group->children, sibling) {
		if (!str_ncmp(child->name, name, (size_t)len) && !child->name[len])
			return child;
	}
	return NULL;
}

/* Walk path as far as there are groups: *group is the last, *name (of the returned length)
 * the first component that is missing; 0: none is missing. */
static int walk(const char **path, struct cgroup **group, const char **name)
{
	int len = check_path(*path);

	*group = &root_cgroup;
	if (len < 0)
		return len;
	while ((len = next_name(path, name)) > 0) {
		struct cgroup *child = cgroup_child_named(*group, *name, len);

		if (!child)
			break;
		*group = child;
	}
	return len;
}

/* The group that path names. 0; -ENOENT, -EINVAL, -ENAMETOOLONG. Locks: the cgroup lock held. */
int cgroup_find_path(const char *path, struct cgroup **group)
{
	const char *name;
	int len = walk(&path, group, &name);

	return len > 0 ? -ENOENT : len;
}

/* --- making and removing groups */

/* Is it a name that a group may have? Its length, -EINVAL or -ENAMETOOLONG. Context: any. */
int cgroup_check_name(const char *name)
{
	const char *first;

	return next_name(&name, &first);
}

static void init_attr(struct cgroup_attr *attr, u32 mode)
{
	*attr = (struct cgroup_attr){ .mode = mode };
	if (cgroup_hooks && cgroup_hooks->owner)
		cgroup_hooks->owner(attr);
}

/* A new group and its controls are the caller's. */
static void cgroup_init_attrs(struct cgroup *group, unsigned mode)
{
	const struct control *c;

	init_attr(&group->attrs[CGROUP_DIR], mode);
	for (unsigned i = 0; (c = control_at(i)); i++)
		init_attr(&group->attrs[CGROUP_CONTROL(i)],
			  (c->read ? 0444 : 0) | (c->write ? 0200 : 0));
}

/* Make a group below parent. 0, -ENOMEM, or -EEXIST: a control has that name.
 * Locks: the cgroup lock held alone. */
int cgroup_create_child(struct cgroup *parent, const char *name, int len, unsigned mode)
{
	struct memcg *before = memcg_remote_begin(parent->memcg);
	struct cgroup *group = kmem_cache_alloc(cgroup_cache, GFP_KERNEL | GFP_ZERO);
	bool taken;

	memcg_remote_end(before);
	if (!group)
		return -ENOMEM;
	memcpy(group->name, name, (size_t)len);
	taken = control_find(group->name) >= 0;
	if (!taken)
		group->memcg = memcg_create(parent->memcg, group->name);
	if (!group->memcg) {
		kmem_cache_free(cgroup_cache, group);
		return taken ? -EEXIST : -ENOMEM;
	}
	group->parent = parent;
	group->id = group->memcg->id;
	refcount_set(&group->refs, 1);
	cgroup_init_attrs(group, mode);
	nr_groups++;
	list_init(&group->children);
	spin_init(&group->lock, RANK_PROC, "members");
	list_init(&group->members);
	list_append(&parent->children, &group->sibling);
	return 0;
}

/* Make the group that path names, below an existing one. Its memory is the parent's charge.
 * 0; -EEXIST; -ENOENT: no such parent; -EINVAL: not absolute, or a bad name; -ENAMETOOLONG;
 * -EACCES: the parent is not the caller's to write; -ENOMEM.
 * Locks: the cgroup lock. Context: may sleep. */
int cgroup_create(const char *path, unsigned mode)
{
	struct cgroup *parent;
	const char *name, *last;
	int err, len;

	write_lock(&cgroup_lock);
	err = len = walk(&path, &parent, &name);
	if (len == 0)
		err = -EEXIST;
	if (len > 0) {
		err = next_name(&path, &last);
		if (err > 0)
			err = -ENOENT;
	}
	if (err == 0 && !cgroup_may(&parent->attrs[CGROUP_DIR], CGROUP_WRITE))
		err = -EACCES;
	if (err == 0)
		err = cgroup_create_child(parent, name, len, mode);
	write_unlock(&cgroup_lock);
	return err;
}

/* Remove the group. 0 or -EBUSY. Locks: the cgroup lock held alone. */
int cgroup_remove_group(struct cgroup *group)
{
	ASSERT(rwlock_is_write_held(&cgroup_lock));
	if (group == &root_cgroup || group->nr_members || !list_empty(&group->children))
		return -EBUSY;
	list_remove(&group->sibling);
	memcg_destroy(group->memcg);
	group->memcg = NULL;		/* who still refers to it finds it removed */
	nr_groups--;
	cgroup_put(group);
	return 0;
}

/* Remove the group. What is still charged to it becomes its parent's. 0; -EBUSY: it has
 * members or children, or is the root; -ENOENT, -EINVAL, -ENAMETOOLONG.
 * Locks: the cgroup lock. Context: may sleep. */
int cgroup_remove(const char *path)
{
	struct cgroup *group;
	int err;

	write_lock(&cgroup_lock);
	err = cgroup_find_path(path, &group);
	if (!err && group->parent && !cgroup_may(&group->parent->attrs[CGROUP_DIR], CGROUP_WRITE))
		err = -EACCES;
	if (!err)
		err = cgroup_remove_group(group);
	write_unlock(&cgroup_lock);
	return err;
}

/* --- members */

static void enter(struct cgroup *group, struct cgroup_member *m)
{
	spin_lock(&group->lock);
	list_append(&group->members, &m->link);
	group->nr_members++;
	spin_unlock(&group->lock);
	m->group = group;
	if (cgroup_hooks)
		cgroup_hooks->moved(m, group->memcg);
}

static void leave(struct cgroup_member *m)
{
	struct cgroup *group = m->group;

	spin_lock(&group->lock);
	list_remove(&m->link);
	group->nr_members--;
	spin_unlock(&group->lock);
	m->group = NULL;
}

/* child joins its parent's group (parent NULL: the root), and is killed if the parent was by
 * cgroup_kill(). It must be ready for the hooks `moved` and `kill`.
 * Locks: the cgroup lock, shared. Context: may sleep. */
void cgroup_fork(struct cgroup_member *child, struct cgroup_member *parent)
{
	cgroup_members_lock();
	child->killed = parent && parent->killed;
	enter(parent && parent->group ? parent->group : &root_cgroup, child);
	if (child->killed && cgroup_hooks)
		cgroup_hooks->kill(child);
	cgroup_members_unlock();
}

/* m leaves its group for good and works for the root from now on. Does nothing when it is in
 * none. Locks: the cgroup lock held, shared will do. Context: may sleep. */
void cgroup_exit_locked(struct cgroup_member *m)
{
	if (!m->group)
		return;
	leave(m);
	if (cgroup_hooks)
		cgroup_hooks->moved(m, &root_memcg);
}

/* The same. Locks: the cgroup lock, shared. Context: may sleep. */
void cgroup_exit(struct cgroup_member *m)
{
	cgroup_members_lock();
	cgroup_exit_locked(m);
	cgroup_members_unlock();
}

/* Nobody else moves a member, and no group goes, until cgroup_members_unlock(); other members
 * may be born or leave. Locks: the cgroup lock, shared. Context: may sleep. */
void cgroup_members_lock(void)
{
	read_lock(&cgroup_lock);
}

/* The end of cgroup_members_lock(). Locks: the cgroup lock held, shared. */
void cgroup_members_unlock(void)
{
	read_unlock(&cgroup_lock);
}

/* Move the process (0: the caller) into group. -ESRCH: no such process, or it is exiting;
 * -EACCES: another user's, and the caller is not root. Locks: the cgroup lock held. */
int cgroup_attach_locked(struct cgroup *group, int pid)
{
	struct cgroup_member *m;
	int err = -ESRCH;

	ASSERT(rwlock_is_write_held(&cgroup_lock));
	if (!cgroup_hooks || pid < 0)
		return -ESRCH;
	m = pid ? cgroup_hooks->find(pid) : cgroup_hooks->current();
	if (m && m->group && cgroup_hooks->may_move && !cgroup_hooks->may_move(m)) {
		err = -EACCES;
	} else if (m && m->group) {
		leave(m);
		enter(group, m);
		err = 0;
	}
	if (m && pid)
		cgroup_hooks->put(m);
	return err;
}

/* Move a process (pid 0: the caller) into the group; what it was charged for stays where it
 * is. 0; -ESRCH: no such process; -ENOENT, -EINVAL, -ENAMETOOLONG: the path.
 * Locks: the cgroup lock. Context: may sleep. */
int cgroup_attach(const char *path, int pid)
{
	struct cgroup *group;
	int err;

	write_lock(&cgroup_lock);
	err = cgroup_find_path(path, &group);
	if (!err && !cgroup_may(&group->attrs[CGROUP_CONTROL(CONTROL_TASKS)], CGROUP_WRITE))
		err = -EACCES;
	if (!err)
		err = cgroup_attach_locked(group, pid);
	write_unlock(&cgroup_lock);
	return err;
}

/* The group's members, one pid a line, in the order they came. Locks: the cgroup lock held. */
void cgroup_print_pids_locked(struct cgroup *group, struct textbuf *text)
{
	struct cgroup_member *m;

	ASSERT(rwlock_is_write_held(&cgroup_lock));
	list_for_each(m, &group->members, link) {
		int pid = cgroup_hooks ? cgroup_hooks->pid(m) : 0;

		if (pid > 0)
			text_print(text, "%d\n", pid);
	}
}

static void kill_members(struct cgroup *group)
{
	struct cgroup_member *m;

	list_for_each(m, &group->members, link) {
		m->killed = true;
		if (cgroup_hooks)
			cgroup_hooks->kill(m);
		cond_resched();
	}
}

/* The group after pos in the subtree of top, parents first; NULL after the last. */
static struct cgroup *next_group(struct cgroup *pos, const struct cgroup *top)
{
	if (!list_empty(&pos->children))
		return list_first(&pos->children, struct cgroup, sibling);
	while (pos != top && pos->sibling.next == &pos->parent->children)
		pos = pos->parent;
	return pos == top ? NULL : list_first(&pos->sibling, struct cgroup, sibling);
}

/* SIGKILL to every process of the group and of all below it, those being forked included.
 * Returns without waiting for them to die. 0; -ENOENT, -EINVAL, -ENAMETOOLONG: the path.
 * Locks: the cgroup lock. Context: may sleep. */
int cgroup_kill(const char *path)
{
	struct cgroup *top;
	int err;

	write_lock(&cgroup_lock);
	err = cgroup_find_path(path, &top);
	if (!err && !cgroup_may(&top->attrs[CGROUP_CONTROL(CONTROL_TASKS)], CGROUP_WRITE))
		err = -EACCES;
	for (struct cgroup *g = err ? NULL : top; g; g = next_group(g, top))
		kill_members(g);
	write_unlock(&cgroup_lock);
	return err;
}

/* --- looking at groups */

/* One more reference; the caller has one, or the cgroup lock. */
struct cgroup *cgroup_get(struct cgroup *group)
{
	refcount_get(&group->refs);
	return group;
}

/* Drop a reference; the last one of a removed group frees it. Locks: no spinlock held. */
void cgroup_put(struct cgroup *group)
{
	if (refcount_put(&group->refs))
		kmem_cache_free(cgroup_cache, group);
}

/* How many groups there are. Context: any; may be stale. */
unsigned cgroup_count(void)
{
	return READ_ONCE(nr_groups);
}

/* Names of the group's children into buf, one a line, oldest first; no NUL. Their length;
 * -ERANGE: more than size bytes; -ENOENT, -EINVAL, -ENAMETOOLONG: the path.
 * Locks: the cgroup lock. Context: may sleep. */
long cgroup_list(const char *path, char *buf, size_t size)
{
	struct textbuf text = { buf, size, 0 };
	struct cgroup *group, *child;
	int err;

	write_lock(&cgroup_lock);
	err = cgroup_find_path(path, &group);
	if (!err) {
		list_for_each(child, &group->children, sibling)
			text_print(&text, "%s\n", child->name);
	}
	write_unlock(&cgroup_lock);
	return err ? err : cgroup_fits((long)text.len, size);
}
