/* SPDX-License-Identifier: MIT */
/*
 * cgroupfs: the tree of groups as directories, and of each group the table of controls as
 * files. It stores nothing: names are looked up in the tree, owners and modes are the group's
 * own, so that the system calls judge by the same, and a write to a file ends in the function
 * that the system call ends in.
 */
#include "kernel/cgroup/cgroup.h"
#include "kernel/fs/procfs.h"
#include "kernel/fs/statfs.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/kmem.h"

#define POS_GROUPS	1024u		/* position in a directory of the group with id 0 */

struct node {
	struct cgroup *group;		/* [I] referenced */
	unsigned index;			/* [I] CGROUP_DIR or CGROUP_CONTROL(i) */
};

static const struct inode_ops dir_ops, control_inode_ops;
static const struct file_ops dir_file_ops, control_ops;
static struct super *cgroupfs;		/* [I] since boot; every mount shows this one */

static struct node *node_of(struct inode *inode)
{
	return inode->data;
}

/* A group's directory has its id, which kpagecgroup tells for pages. */
static u64 number_of(const struct cgroup *group, unsigned index)
{
	return index == CGROUP_DIR ? group->id : group->id << 32 | index;
}

static void copy_attr(struct inode *inode, const struct cgroup_attr *attr)
{
	WRITE_ONCE(inode->mode, (inode->mode & S_IFMT) | attr->mode);
	WRITE_ONCE(inode->uid, attr->uid);
	WRITE_ONCE(inode->gid, attr->gid);
}

/* Takes over the reference to group on success. */
static struct inode *inode_make(struct cgroup *group, unsigned index)
{
	bool dir = index == CGROUP_DIR;
	struct cgroup_attr attr = cgroup_get_attr(group, index);
	struct node *node = kmalloc(sizeof(*node), GFP_KERNEL);
	struct inode *inode = node ? inode_alloc(cgroupfs, dir ? S_IFDIR : S_IFREG) : NULL;

	if (!inode) {
		kfree(node);
		return NULL;
	}
	*node = (struct node){ group, index };
	inode->data = node;
	inode->ops = dir ? &dir_ops : &control_inode_ops;
	inode->fops = dir ? &dir_file_ops : &control_ops;
	inode->ino = number_of(group, index);
	if (dir)
		inode->nlink = 2;
	copy_attr(inode, &attr);
	return inode;
}

static void node_evict(struct inode *inode)
{
	struct node *node = node_of(inode);

	if (node)
		cgroup_put(node->group);
	kfree(node);
}

static bool node_stale(struct inode *inode)
{
	return cgroup_is_removed(node_of(inode)->group);
}

static int node_changed(struct inode *inode)
{
	const struct node *node = node_of(inode);
	struct cgroup_attr attr = { inode->uid, inode->gid, inode->mode & S_IALLPERM };

	return cgroup_set_attr(node->group, node->index, &attr);
}

/* --- directories */

static int attach(struct dentry *dentry, struct cgroup *group, unsigned index)
{
	struct inode *inode = inode_make(group, index);

	if (!inode) {
		cgroup_put(group);
		return -ENOMEM;
	}
	dentry_attach(dentry, inode);
	return 0;
}

static int dir_lookup(struct inode *inode, struct dentry *dentry)
{
	struct cgroup *dir = node_of(inode)->group, *child;
	int nr = control_find(dentry->name);

	if (cgroup_is_removed(dir))
		return 0;
	if (nr >= 0)
		return attach(dentry, cgroup_get(dir), CGROUP_CONTROL((unsigned)nr));
	if (cgroup_find_child(dir, dentry->name, &child))
		return 0;
	return attach(dentry, child, CGROUP_DIR);
}

/* Only groups are made. The dentry stays negative: whoever uses the name next looks it up, and
 * there is nothing to undo for want of an inode. */
static int dir_create(struct inode *inode, struct dentry *dentry, unsigned mode, u64 rdev)
{
	(void)rdev;
	if (!S_ISDIR(mode))
		return -EACCES;
	return cgroup_make_child(node_of(inode)->group, dentry->name, mode & S_IALLPERM);
}

static int dir_rmdir(struct inode *inode, struct dentry *dentry)
{
	int err = cgroup_remove_child(node_of(inode)->group, dentry->name);

	if (!err)
		dentry_inode(dentry)->nlink = 0;
	return err;
}

static bool emit_controls(struct cgroup *group, struct dir_context *ctx)
{
	struct dir_entry entry = { .type = S_IFREG >> 12 };
	const struct control *c;

	while (ctx->pos < POS_GROUPS && (c = control_at((unsigned)ctx->pos - DIR_POS_FIRST))) {
		entry.name = c->name;
		entry.len = str_len(c->name);
		entry.ino = number_of(group, (unsigned)ctx->pos - DIR_POS_FIRST + 1);
		entry.next_pos = ctx->pos + 1;
		if (!dir_emit(ctx, &entry))
			return false;
	}
	return true;
}

static int dir_read(struct file *file, struct dir_context *ctx)
{
	struct cgroup *group = node_of(file->inode)->group;
	struct dir_entry entry = { .type = S_IFDIR >> 12 };
	char name[CGROUP_NAME_MAX + 1];

	if (cgroup_is_removed(group))
		return -ENOENT;
	if (!dir_emit_dots(file, ctx) || !emit_controls(group, ctx))
		return 0;
	ctx->pos = MAX(ctx->pos, (u64)POS_GROUPS);
	for (;;) {
		entry.ino = ctx->pos - POS_GROUPS;
		if (!cgroup_next_child(group, &entry.ino, name))
			return 0;
		entry.name = name;
		entry.len = str_len(name);
		entry.next_pos = entry.ino + 1 + POS_GROUPS;
		if (!dir_emit(ctx, &entry))
			return 0;
		cond_resched();
	}
}

static const struct inode_ops dir_ops = {
	.lookup = dir_lookup, .create = dir_create, .rmdir = dir_rmdir, .evict = node_evict,
	.stale = node_stale, .changed = node_changed,
};

static const struct file_ops dir_file_ops = { .readdir = dir_read, .seekable = true };

/* --- controls */

static int control_make(struct file *file, struct textbuf *text)
{
	const struct node *node = node_of(file->inode);
	long len = cgroup_control_read(node->group, node->index - 1, text->buf, text->size);

	text->len = len < 0 ? 0 : (size_t)len;
	return len < 0 ? (int)len : 0;
}

static int control_take(struct file *file, const char *text)
{
	const struct node *node = node_of(file->inode);

	return cgroup_control_write(node->group, node->index - 1, text);
}

static int control_open(struct file *file)
{
	static const struct text_maker maker = { control_make, control_take };

	return cgroup_is_removed(node_of(file->inode)->group) ? -ENODEV : text_open(file, &maker);
}

/* O_TRUNC changes nothing: a control has no length of its own. */
static int control_truncate(struct inode *inode, u64 size)
{
	(void)inode;
	(void)size;
	return 0;
}

static const struct inode_ops control_inode_ops = {
	.truncate = control_truncate, .evict = node_evict, .stale = node_stale,
	.changed = node_changed,
};

static const struct file_ops control_ops = {
	.open = control_open, .release = text_release, .read = text_read, .write = text_write,
	.seekable = true,
};

/* --- the file system */

/* Make cgroupfs. Returns 0 or -ENOMEM. Context: boot, once, after cgroup_init(). */
int cgroupfs_init(void)
{
	struct inode *root;

	cgroupfs = super_alloc("cgroup", CGROUP_MAGIC);
	if (!cgroupfs)
		return -ENOMEM;
	cgroupfs->transient = true;
	cgroupfs->made = false;
	root = inode_make(cgroup_get(&root_cgroup), CGROUP_DIR);
	cgroupfs->root = root ? dentry_alloc_root(cgroupfs, root) : NULL;
	return cgroupfs->root ? 0 : -ENOMEM;
}

/* The memory controller is the only one there is; others are refused, as they would do
 * nothing. */
static int cgroup_get_super(const char *options, struct super **out)
{
	const char *value;
	size_t len;

	while (*options) {
		if (!option_next(&options, "memory", &value, &len) &&
		    !option_next(&options, "all", &value, &len))
			return -EINVAL;
	}
	super_get(cgroupfs);
	*out = cgroupfs;
	return 0;
}

static void cgroup_show(const struct super *super, struct textbuf *text)
{
	(void)super;
	text_print(text, ",memory");
}

const struct fs_type cgroup_type = {
	.name = "cgroup", .get = cgroup_get_super, .show = cgroup_show,
};
