/* SPDX-License-Identifier: MIT */
/*
 * The walk from a path to a place. A loop over components; symbolic links are a stack of
 * texts in struct walk. A component that is cached and positive costs the lock of its hash
 * bucket alone; anything else is looked up under the directory's lock.
 *
 * Locking: none is held from one component to the next, only references: each step was true
 * at some moment, as on Linux. A directory that is moved meanwhile is walked on in its new
 * place, one that is removed has no names any more.
 */
#include "kernel/fs/walk_impl.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"

/* What kind of component it is (len 0: none, the path was all slashes). */
enum last_kind last_kind(const struct last_name *last)
{
	const char *name = last->name;

	if (last->len == 0)
		return LAST_ROOT;
	if (last->len == 1 && name[0] == '.')
		return LAST_DOT;
	if (last->len == 2 && name[0] == '.' && name[1] == '.')
		return LAST_DOTDOT;
	return LAST_NORMAL;
}

/* Start at the root or the working directory of fs. Returns 0, -ENOENT for an empty name,
 * -ENAMETOOLONG; on success walk_end() must follow. */
int walk_begin(struct walk *w, struct fs_context *fs, const char *name)
{
	if (!name[0])
		return -ENOENT;
	if (str_len(name) >= PATH_MAX)
		return -ENAMETOOLONG;
	w->root = fs_get_root(fs);
	w->at = name[0] == '/' ? path_get(&w->root) : fs_get_cwd(fs);
	w->last = (struct last_name){ 0 };
	w->search = MAY_EXEC;
	w->nr_links = 0;
	w->depth = 0;
	w->jumped = false;
	w->text[0] = name;
	w->link[0] = NULL;
	return 0;
}

/* Drop all that the walk holds. */
void walk_end(struct walk *w)
{
	while (w->depth > 0)
		dentry_put(w->link[w->depth--]);
	path_put(&w->at);
	path_put(&w->root);
}

/* Make the next component name/len; false at the end of the path. */
static bool next_component(struct walk *w)
{
	for (;;) {
		const char *s = w->text[w->depth];

		while (*s == '/')
			s++;
		w->last.name = s;
		while (*s && *s != '/')
			s++;
		w->last.len = (size_t)(s - w->last.name);
		w->text[w->depth] = s;
		if (w->last.len > 0)
			return true;
		if (w->depth == 0)
			return false;
		dentry_put(w->link[w->depth--]);
	}
}

/* Do only slashes follow the component at hand, in every text? */
static bool at_last(struct walk *w)
{
	bool slash = false;

	for (unsigned i = w->depth + 1; i-- > 0;) {
		const char *s = w->text[i];

		for (; *s == '/'; s++)
			slash = true;
		if (*s)
			return false;
	}
	w->last.slash = slash;
	return true;
}

/* Takes over the references of `to`. */
static void move_to(struct walk *w, struct path to)
{
	struct path old = w->at;

	w->at = to;
	path_put(&old);
}

/* Onto child of the directory at hand, whose reference is taken over. */
static void move_down(struct walk *w, struct dentry *child)
{
	struct dentry *old = w->at.dentry;

	w->at.dentry = child;
	dentry_put(old);
}

/* Onto the root of whatever is mounted here. */
static void cross_mounts(struct walk *w)
{
	while (dentry_is_mounted(w->at.dentry)) {
		struct mount *m = mount_covering(w->at.mount, w->at.dentry);

		if (!m)
			return;
		move_to(w, path_get(&(struct path){ m, m->root }));
	}
}

/* "..": never above the root, and out of a mount to the parent of what it covers. */
static void walk_up(struct walk *w)
{
	while (w->at.dentry != w->root.dentry || w->at.mount != w->root.mount) {
		struct mount *m = w->at.mount;

		if (w->at.dentry != m->root) {
			move_down(w, dentry_get_parent(w->at.dentry));
			break;
		}
		if (!m->parent)
			break;
		move_to(w, path_get(&(struct path){ m->parent, m->point }));
	}
	cross_mounts(w);
}

static bool is_stale(const struct dentry *dentry)
{
	struct inode *inode = dentry_inode(dentry);

	return inode && inode->ops->stale && inode->ops->stale(inode);
}

/* Find or make the dentry of a name. *out is referenced, and negative when there is no such
 * file. Returns 0, -ENOENT when the directory was removed, -ENAMETOOLONG or -ENOMEM.
 * Locks: the directory's, held by the caller. */
int lookup_locked(struct dentry *parent, const struct last_name *name, struct dentry **out)
{
	struct inode *dir = dentry_inode(parent);
	int err;

	ASSERT(mutex_is_held(&dir->lock));
	if (dir->nlink == 0)
		return -ENOENT;
	if (name->len > NAME_MAX)
		return -ENAMETOOLONG;
	err = dentry_lookup(parent, name->name, name->len, out);
	if (!err && is_stale(*out)) {
		dentry_unhash(*out);
		dentry_put(*out);
		err = dentry_lookup(parent, name->name, name->len, out);
	}
	if (err || dentry_inode(*out) || !dir->ops->lookup)
		return err;
	err = dir->ops->lookup(dir, *out);
	if (err)
		dentry_put(*out);
	return err;
}

/* The component at hand if it is cached and positive, referenced; else NULL, which says
 * nothing: a negative dentry may be one whose file is just being made, one that is missed may
 * be in the middle of a rename. Only the directory's lock tells. */
struct dentry *walk_find(struct walk *w)
{
	struct dentry *found = dentry_find(w->at.dentry, w->last.name, w->last.len);

	if (!found || (dentry_inode(found) && !is_stale(found)))
		return found;
	dentry_put(found);
	return NULL;
}

static int lookup_component(struct walk *w, struct dentry **out)
{
	struct inode *dir = dentry_inode(w->at.dentry);
	int err;

	*out = walk_find(w);
	if (*out)
		return 0;
	mutex_lock(&dir->lock);
	err = lookup_locked(w->at.dentry, &w->last, out);
	mutex_unlock(&dir->lock);
	return err;
}

/* Onto the place that link stands for, which has no text to walk. */
static int jump(struct walk *w, struct dentry *link)
{
	struct inode *inode = dentry_inode(link);
	struct path to;
	int err = inode->ops->follow(inode, &to);

	dentry_put(link);
	if (err)
		return err;
	move_to(w, to);
	w->jumped = true;
	return 0;
}

/* The text of a link; one that is made anew is kept in the walk: it is short, and no more than
 * two are in use at a time, one inside the other ("mounts" is self/mounts, "self" a number). */
static const char *link_target(struct walk *w, struct inode *inode)
{
	char *text = w->own_text[w->depth % 2];
	long len;

	if (inode->ops->readlink)
		return inode->ops->readlink(inode);
	len = inode->ops->link_text(inode, text, sizeof(w->own_text[0]) - 1);
	text[MAX(len, 0l)] = '\0';
	return text;
}

static int push_link(struct walk *w, struct dentry *link)
{
	struct inode *inode = dentry_inode(link);

	if (++w->nr_links > SYMLINK_MAX_FOLLOW) {
		dentry_put(link);
		return -ELOOP;
	}
	if (inode->ops->follow)
		return jump(w, link);
	w->depth++;
	w->link[w->depth] = link;
	w->text[w->depth] = link_target(w, inode);
	if (!w->text[w->depth][0])
		return -ENOENT;
	if (w->text[w->depth][0] == '/')
		move_to(w, path_get(&w->root));
	return 0;
}

/* A link at the end of a path, in a directory where everybody may put one, may be a trap: it is
 * followed for its owner, or if it is the directory's owner's (Linux's protected_symlinks). */
static bool is_trap(const struct inode *dir, const struct inode *link)
{
	u32 mode = READ_ONCE(dir->mode), owner = READ_ONCE(link->uid);

	return (mode & S_ISVTX) && (mode & S_IWOTH) && owner != cred_current()->fsuid &&
	       owner != READ_ONCE(dir->uid);
}

/* Step onto child of the place at hand; takes its reference. A link is followed on request:
 * then its target is what comes next. Returns 0, -ENOENT (negative), -ELOOP or -EACCES. */
int walk_enter(struct walk *w, struct dentry *child, enum walk_follow follow)
{
	struct inode *inode = dentry_inode(child);

	if (!inode) {
		dentry_put(child);
		return -ENOENT;
	}
	if (S_ISLNK(inode->mode) && follow == FOLLOW_LAST &&
	    is_trap(dentry_inode(w->at.dentry), inode)) {
		dentry_put(child);
		return -EACCES;
	}
	if (S_ISLNK(inode->mode) && follow)
		return push_link(w, child);
	move_down(w, child);
	cross_mounts(w);
	return 0;
}

static int walk_step(struct walk *w, enum walk_follow follow)
{
	struct dentry *child;
	int err;

	switch (last_kind(&w->last)) {
	case LAST_ROOT:
	case LAST_DOT:
		return 0;
	case LAST_DOTDOT:
		walk_up(w);
		return 0;
	case LAST_NORMAL:
		break;
	}
	err = lookup_component(w, &child);
	return err ? err : walk_enter(w, child, follow);
}

static bool at_directory(const struct walk *w)
{
	return S_ISDIR(dentry_inode(w->at.dentry)->mode);
}

/* Walk until the last component is at hand, in a directory; len is 0 when none is left.
 * Returns 0 or the error of the step that failed. */
int walk_to_last(struct walk *w)
{
	int err;

	while (next_component(w)) {
		if (!at_directory(w))
			return -ENOTDIR;
		err = inode_permission(dentry_inode(w->at.dentry), w->search);
		if (err || at_last(w))
			return err;
		err = walk_step(w, FOLLOW);
		if (err)
			return err;
	}
	return 0;
}

/* Walk to the end: `at` is the place named. flags: LOOKUP_*; slashes at the end ask for a
 * directory and follow a link, whatever flags say. */
int walk_finish(struct walk *w, unsigned flags)
{
	bool want_dir = flags & LOOKUP_DIRECTORY;
	enum walk_follow follow;
	int err;

	for (;;) {
		err = walk_to_last(w);
		if (err)
			return err;
		if (w->last.len == 0)
			break;
		want_dir |= w->last.slash;
		follow = (flags & LOOKUP_FOLLOW) || w->last.slash ? FOLLOW_LAST : NO_FOLLOW;
		err = walk_step(w, follow);
		if (err)
			return err;
	}
	return want_dir && !at_directory(w) ? -ENOTDIR : 0;
}

/* The place that name names, referenced. flags: LOOKUP_FOLLOW a link at the end,
 * LOOKUP_DIRECTORY: -ENOTDIR for anything else; LOOKUP_REAL_IDS: search with the real ids.
 * Locks: takes directories' locks one at a time. Context: thread, may sleep. */
int path_lookup(struct fs_context *fs, const char *name, unsigned flags, struct path *out)
{
	struct walk w;
	int err = walk_begin(&w, fs, name);

	if (err)
		return err;
	if (flags & LOOKUP_REAL_IDS)
		w.search |= MAY_REAL_IDS;
	err = walk_finish(&w, flags);
	if (!err)
		*out = path_get(&w.at);
	walk_end(&w);
	return err;
}

/* The last component of name and the directory it is in, referenced. Returns 0 or the error of
 * the walk. Locks and context as path_lookup(). */
int path_parent(struct fs_context *fs, const char *name, struct path *dir,
		struct last_name *last)
{
	struct walk w;
	int err = walk_begin(&w, fs, name);

	if (err)
		return err;
	err = walk_to_last(&w);
	if (!err) {
		*dir = path_get(&w.at);
		*last = w.last;
	}
	walk_end(&w);
	return err;
}
