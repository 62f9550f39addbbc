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
#include "kernel/cgroup/cgroup.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/sched/wait.h"

struct cgroup root_cgroup = {
	.memcg = &root_memcg,
	.children = LIST_INIT(root_cgroup.children),
	.sibling = LIST_INIT(root_cgroup.sibling),
	.lock = SPINLOCK_INIT(RANK_PROC, "members"),
	.members = LIST_INIT(root_cgroup.members),
	.name = "/",
};

static struct rwlock cgroup_lock;
static struct kmem_cache *cgroup_cache;	/* [I] */
static const struct cgroup_hooks *hooks;	/* [I] from before the first process */

/* Make the cache and the lock. Context: boot, after memcg_init(). */
void cgroup_init(void)
{
	rwlock_init(&cgroup_lock, RANK_CGROUP, "cgroup");
	cgroup_cache = kmem_cache_create("cgroup", sizeof(struct cgroup), 0, 0, NULL);
	if (!cgroup_cache)
		panic("no memory for the cache of cgroups");
}

/* Say how to reach processes. Context: boot, before the first process. */
void cgroup_set_hooks(const struct cgroup_hooks *proc_hooks)
{
	hooks = proc_hooks;
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

static struct cgroup *child_named(struct cgroup *group, const char *name, int len)
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
		struct cgroup *child = child_named(*group, *name, len);

		if (!child)
			break;
		*group = child;
	}
	return len;
}

static int find(const char *path, struct cgroup **group)
{
	const char *name;
	int len = walk(&path, group, &name);

	return len > 0 ? -ENOENT : len;
}

/* --- making and removing groups */

static int create_child(struct cgroup *parent, const char *name, int len)
{
	struct memcg *before = memcg_remote_begin(parent->memcg);
	struct cgroup *group = kmem_cache_alloc(cgroup_cache, GFP_KERNEL | GFP_ZERO);

	memcg_remote_end(before);
	if (!group)
		return -ENOMEM;
	memcpy(group->name, name, (size_t)len);
	group->memcg = memcg_create(parent->memcg, group->name);
	if (!group->memcg) {
		kmem_cache_free(cgroup_cache, group);
		return -ENOMEM;
	}
	group->parent = parent;
	list_init(&group->children);
	spin_init(&group->lock, RANK_PROC, "members");
	list_init(&group->members);
	list_append(&parent->children, &group->sibling);
	return 0;
}

/* Make the group that path names, below an existing one. Its memory is the parent's charge.
 * 0; -EEXIST; -ENOENT: no such parent; -EINVAL: not absolute, or a bad name; -ENAMETOOLONG;
 * -ENOMEM. Locks: the cgroup lock. Context: may sleep. */
int cgroup_create(const char *path, unsigned mode)
{
	struct cgroup *parent;
	const char *name, *last;
	int err, len;

	(void)mode;			/* all runs as root */
	write_lock(&cgroup_lock);
	err = len = walk(&path, &parent, &name);
	if (len == 0)
		err = -EEXIST;
	if (len > 0) {
		err = next_name(&path, &last);
		if (err > 0)
			err = -ENOENT;
	}
	if (err == 0)
		err = create_child(parent, name, len);
	write_unlock(&cgroup_lock);
	return err;
}

static int remove_group(struct cgroup *group)
{
	ASSERT(rwlock_is_write_held(&cgroup_lock));
	if (group == &root_cgroup || group->nr_members || !list_empty(&group->children))
		return -EBUSY;
	list_remove(&group->sibling);
	memcg_destroy(group->memcg);
	kmem_cache_free(cgroup_cache, group);
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
	err = find(path, &group);
	if (!err)
		err = remove_group(group);
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
	if (hooks)
		hooks->moved(m, group->memcg);
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
	if (child->killed && hooks)
		hooks->kill(child);
	cgroup_members_unlock();
}

/* m leaves its group for good and works for the root from now on. Does nothing when it is in
 * none. Locks: the cgroup lock held, shared will do. Context: may sleep. */
void cgroup_exit_locked(struct cgroup_member *m)
{
	if (!m->group)
		return;
	leave(m);
	if (hooks)
		hooks->moved(m, &root_memcg);
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

/* Move the process (0: the caller) into group. -ESRCH: no such process, or it is exiting.
 * Locks: the cgroup lock held. */
int cgroup_attach_locked(struct cgroup *group, int pid)
{
	struct cgroup_member *m;
	int err = -ESRCH;

	ASSERT(rwlock_is_write_held(&cgroup_lock));
	if (!hooks || pid < 0)
		return -ESRCH;
	m = pid ? hooks->find(pid) : hooks->current();
	if (m && m->group) {
		leave(m);
		enter(group, m);
		err = 0;
	}
	if (m && pid)
		hooks->put(m);
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
	err = find(path, &group);
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
		int pid = hooks ? hooks->pid(m) : 0;

		if (pid > 0)
			text_print(text, "%d\n", pid);
	}
}

static void kill_members(struct cgroup *group)
{
	struct cgroup_member *m;

	list_for_each(m, &group->members, link) {
		m->killed = true;
		if (hooks)
			hooks->kill(m);
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
	err = find(path, &top);
	for (struct cgroup *g = err ? NULL : top; g; g = next_group(g, top))
		kill_members(g);
	write_unlock(&cgroup_lock);
	return err;
}

/* --- looking at groups */

static long fits(long len, size_t size)
{
	return len > 0 && (size_t)len > size ? -ERANGE : len;
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
	err = find(path, &group);
	if (!err) {
		list_for_each(child, &group->children, sibling)
			text_print(&text, "%s\n", child->name);
	}
	write_unlock(&cgroup_lock);
	return err ? err : fits((long)text.len, size);
}

/* Find group and control. */
static int find_control(const char *path, const char *name, struct cgroup **group,
			const struct control **control)
{
	int err = find(path, group);

	if (err)
		return err;
	*control = control_find(name);
	return *control ? 0 : -ENOENT;
}

/* The text of a control file into buf, no NUL. Its length; -ERANGE: more than size bytes;
 * -EINVAL: not readable; -ENOENT: no such group or control; what else the control says.
 * Locks: the cgroup lock. Context: may sleep. */
long cgroup_read(const char *path, const char *control, char *buf, size_t size)
{
	const struct control *c = NULL;
	struct cgroup *group;
	long ret;

	write_lock(&cgroup_lock);
	ret = find_control(path, control, &group, &c);
	if (!ret)
		ret = c->read ? c->read(group, buf, size) : -EINVAL;
	write_unlock(&cgroup_lock);
	return fits(ret, size);
}

/* Write text to a control file. 0; -EINVAL: not writable, or not what it takes; -ENOENT: no
 * such group or control; what else the control says.
 * Locks: the cgroup lock. Context: may sleep. */
int cgroup_write(const char *path, const char *control, const char *text)
{
	const struct control *c = NULL;
	struct cgroup *group;
	int err;

	write_lock(&cgroup_lock);
	err = find_control(path, control, &group, &c);
	if (!err)
		err = c->write ? c->write(group, text) : -EINVAL;
	write_unlock(&cgroup_lock);
	return err;
}
