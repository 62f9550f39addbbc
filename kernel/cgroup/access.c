/* SPDX-License-Identifier: MIT */
/*
 * Ways into a group from outside: by its path (the system calls), where the caller's rights are
 * asked here, and by a reference (cgroupfs), where the file system asks them by the same owners
 * and modes. Both end in one function for reading and one for writing a control.
 *
 * A reference keeps the object, not the group: once removed it says so, and nothing else.
 */
#include "kernel/cgroup/cgroup_impl.h"
#include "kernel/lib/string.h"

static long read_locked(struct cgroup *g, unsigned control, char *buf, size_t size)
{
	const struct control *c = control_at(control);

	ASSERT(rwlock_is_write_held(&cgroup_lock));
	if (!g->memcg)
		return -ENODEV;
	return c->read ? c->read(g, buf, size) : -EINVAL;
}

static int write_locked(struct cgroup *g, unsigned control, const char *text)
{
	const struct control *c = control_at(control);

	ASSERT(rwlock_is_write_held(&cgroup_lock));
	if (!g->memcg)
		return -ENODEV;
	return c->write ? c->write(g, text) : -EINVAL;
}

/* --- by path */

/* Find group and control, which the caller must be allowed to use so. Its number, or -errno. */
static int find_control(const char *path, const char *name, unsigned may, struct cgroup **group)
{
	int err = cgroup_find_path(path, group), nr;

	if (err)
		return err;
	nr = control_find(name);
	if (nr >= 0 && !cgroup_may(&(*group)->attrs[CGROUP_CONTROL(nr)], may))
		return -EACCES;
	return nr;
}

/* The text of a control file into buf, no NUL. Its length; -ERANGE: more than size bytes;
 * -EINVAL: not readable; -ENOENT: no such group or control; -EACCES; what else the control
 * says. Locks: the cgroup lock. Context: may sleep. */
long cgroup_read(const char *path, const char *control, char *buf, size_t size)
{
	struct cgroup *group;
	long ret;

	write_lock(&cgroup_lock);
	ret = find_control(path, control, CGROUP_READ, &group);
	if (ret >= 0)
		ret = read_locked(group, (unsigned)ret, buf, size);
	write_unlock(&cgroup_lock);
	return cgroup_fits(ret, size);
}

/* Write text to a control file. 0; -EINVAL: not writable, or not what it takes; -ENOENT: no
 * such group or control; -EACCES; what else the control says.
 * Locks: the cgroup lock. Context: may sleep. */
int cgroup_write(const char *path, const char *control, const char *text)
{
	struct cgroup *group;
	int ret;

	write_lock(&cgroup_lock);
	ret = find_control(path, control, CGROUP_WRITE, &group);
	if (ret >= 0)
		ret = write_locked(group, (unsigned)ret, text);
	write_unlock(&cgroup_lock);
	return ret;
}

/* --- by reference */

/* Was the group removed? Context: any. */
bool cgroup_is_removed(const struct cgroup *group)
{
	return !READ_ONCE(group->memcg);
}

/* The child of that name, referenced. 0 or -ENOENT. Locks: the cgroup lock, shared. */
int cgroup_find_child(struct cgroup *dir, const char *name, struct cgroup **out)
{
	read_lock(&cgroup_lock);
	*out = cgroup_child_named(dir, name, (int)str_len(name));
	if (*out)
		cgroup_get(*out);
	read_unlock(&cgroup_lock);
	return *out ? 0 : -ENOENT;
}

/* Make a group below dir. 0; -EINVAL, -ENAMETOOLONG: the name; -EEXIST: a group or a control
 * has it; -ENODEV; -ENOMEM. Locks: the cgroup lock. */
int cgroup_make_child(struct cgroup *dir, const char *name, unsigned mode)
{
	int len = cgroup_check_name(name), err = len;

	if (len < 0)
		return err;
	write_lock(&cgroup_lock);
	if (!dir->memcg)
		err = -ENODEV;
	else if (cgroup_child_named(dir, name, len) || control_find(name) >= 0)
		err = -EEXIST;
	else
		err = cgroup_create_child(dir, name, len, mode);
	write_unlock(&cgroup_lock);
	return err;
}

/* Remove the child of that name. 0; -ENOENT; -EBUSY: it has members or children.
 * Locks: the cgroup lock. */
int cgroup_remove_child(struct cgroup *dir, const char *name)
{
	struct cgroup *child;
	int err;

	write_lock(&cgroup_lock);
	child = cgroup_child_named(dir, name, (int)str_len(name));
	err = child ? cgroup_remove_group(child) : -ENOENT;
	write_unlock(&cgroup_lock);
	return err;
}

/* The child with the lowest id that is at least *id: its id and name; false: there is none.
 * Children stand in the order of their ids. Locks: the cgroup lock, shared. */
bool cgroup_next_child(struct cgroup *dir, u64 *id, char name[CGROUP_NAME_MAX + 1])
{
	struct cgroup *child;
	bool found = false;

	read_lock(&cgroup_lock);
	list_for_each(child, &dir->children, sibling) {
		if (child->id < *id)
			continue;
		found = true;
		*id = child->id;
		memcpy(name, child->name, sizeof(child->name));
		break;
	}
	read_unlock(&cgroup_lock);
	return found;
}

/* As cgroup_read(), by row of the table; -ENODEV. The whole length, though it may not fit. */
long cgroup_control_read(struct cgroup *g, unsigned control, char *buf, size_t size)
{
	long ret;

	write_lock(&cgroup_lock);
	ret = read_locked(g, control, buf, size);
	write_unlock(&cgroup_lock);
	return ret;
}

/* As cgroup_write(), by row of the table; -ENODEV. */
int cgroup_control_write(struct cgroup *g, unsigned control, const char *text)
{
	int err;

	write_lock(&cgroup_lock);
	err = write_locked(g, control, text);
	write_unlock(&cgroup_lock);
	return err;
}

/* Whose it is: CGROUP_DIR or CGROUP_CONTROL(i). Locks: the cgroup lock, shared. */
struct cgroup_attr cgroup_get_attr(struct cgroup *g, unsigned index)
{
	struct cgroup_attr attr;

	read_lock(&cgroup_lock);
	attr = g->attrs[index];
	read_unlock(&cgroup_lock);
	return attr;
}

/* Give it to somebody else. 0 or -ENODEV. Locks: the cgroup lock. */
int cgroup_set_attr(struct cgroup *g, unsigned index, const struct cgroup_attr *to)
{
	int err = -ENODEV;

	write_lock(&cgroup_lock);
	if (g->memcg) {
		g->attrs[index] = *to;
		err = 0;
	}
	write_unlock(&cgroup_lock);
	return err;
}

/* The path of m's group (NULL, or one that has left: the root's). Locks: the cgroup lock,
 * shared. */
void cgroup_print_path(struct cgroup_member *m, struct textbuf *text)
{
	const struct cgroup *g, *up;
	unsigned depth = 0;

	read_lock(&cgroup_lock);
	g = m && m->group ? m->group : &root_cgroup;
	for (up = g; up->parent; up = up->parent)
		depth++;
	if (!depth)
		text_print(text, "/");
	while (depth-- > 0) {
		up = g;
		for (unsigned i = 0; i < depth; i++)
			up = up->parent;
		text_print(text, "/%s", up->name);
	}
	read_unlock(&cgroup_lock);
}
