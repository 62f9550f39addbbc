/* SPDX-License-Identifier: MIT */
/*
 * procfs: the kernel's figures as files. This file knows names, links, directories and texts;
 * what the texts say is known upstairs, by providers that add tables of entries at boot.
 *
 * Nothing is stored: a name is looked up in its directory's tables (or is a number that the
 * directory's provider finds), and dentry and inode last only while somebody uses them. A file
 * about a task names it by tid and time of birth, and holds no reference: when the task ends
 * its files stay open and say -ESRCH, and their names are stale.
 *
 *	/proc  tables: meminfo, stat, ...   numbered: PID -> tables: stat, cmdline, ...
 *	                                                     fd -> numbered: N -> a link
 */
#include "kernel/fs/cred.h"
#include "kernel/fs/procfs.h"
#include "kernel/fs/statfs.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/kmem.h"

#define POS_NUMBERED	1024u		/* position in a directory of number 0 */

struct node {
	const struct procfs_entry *entry;	/* [I] */
	struct procfs_key key;			/* [I] */
};

static const struct inode_ops dir_ops, file_inode_ops, link_ops, jump_ops;
static const struct file_ops text_ops, dir_file_ops;
static const struct procfs_tasks *tasks;	/* [I] since boot */
static struct super *procfs;			/* [I] since boot; every mount shows this one */

static const struct procfs_entry root_entry = {
	.name = "/", .mode = S_IFDIR | 0555, .dir = &procfs_root,
};

struct procfs_dir procfs_root, procfs_kernel;

/* Make one more table's names appear in dir. Context: boot. */
void procfs_add(struct procfs_dir *dir, const struct procfs_entry *table)
{
	unsigned i = 0;

	while (i < PROCFS_TABLES && dir->tables[i])
		i++;
	BUG_ON(i == PROCFS_TABLES);
	dir->tables[i] = table;
}

/* Who knows tasks. Context: boot. */
void procfs_set_tasks(const struct procfs_tasks *of_proc)
{
	tasks = of_proc;
}

static struct node *node_of(struct inode *inode)
{
	return inode->data;
}

/* The same number for the same file each time. */
static u64 number_of(const struct procfs_entry *entry, const struct procfs_key *key)
{
	return ((key->nr << 24) ^ (key->sub << 48) ^ ((uintptr_t)entry >> 3 & 0xffffff)) + 1;
}

static bool is_gone(const struct procfs_key *key)
{
	return key->nr && !tasks->alive(key);
}

/* May the caller not look into it? Asked before and after: meanwhile the task may have become
 * another program, with rights that the caller has not. */
static bool is_closed(const struct node *node)
{
	return node->entry->guarded && node->key.nr && !tasks->may_look(&node->key);
}

static const struct inode_ops *ops_of(const struct procfs_entry *entry)
{
	if (S_ISDIR(entry->mode))
		return &dir_ops;
	if (!S_ISLNK(entry->mode))
		return &file_inode_ops;
	return entry->follow ? &jump_ops : &link_ops;
}

static struct inode *inode_make(const struct procfs_entry *entry, const struct procfs_key *key)
{
	struct node *node = kmalloc(sizeof(*node), GFP_KERNEL);
	struct inode *inode = node ? inode_alloc(procfs, entry->mode) : NULL;

	if (!inode) {
		kfree(node);
		return NULL;
	}
	*node = (struct node){ entry, *key };
	inode->data = node;
	inode->ops = ops_of(entry);
	inode->fops = entry->fops ? entry->fops : &text_ops;
	inode->ino = number_of(entry, key);
	if (S_ISDIR(entry->mode)) {
		inode->fops = &dir_file_ops;
		inode->nlink = 2;
	}
	if (key->nr)
		tasks->owner(key, &inode->uid, &inode->gid);
	return inode;
}

static void node_evict(struct inode *inode)
{
	kfree(inode->data);
}

/* A task's files change hands with it, so an unused name is looked up anew. */
static bool node_stale(struct inode *inode)
{
	const struct node *node = node_of(inode);
	u32 uid, gid;

	if (!node->key.nr)
		return false;
	if (is_gone(&node->key))
		return true;
	tasks->owner(&node->key, &uid, &gid);
	WRITE_ONCE(inode->uid, uid);
	WRITE_ONCE(inode->gid, gid);
	return false;
}

static int node_changed(struct inode *inode)
{
	(void)inode;
	return -EPERM;
}

/* --- directories */

/* The i-th of all tables' entries, or NULL. */
static const struct procfs_entry *entry_at(const struct procfs_dir *dir, u64 i)
{
	for (unsigned t = 0; t < PROCFS_TABLES && dir->tables[t]; t++) {
		for (const struct procfs_entry *e = dir->tables[t]; e->name; e++) {
			if (i-- == 0)
				return e;
		}
	}
	return NULL;
}

static const struct procfs_entry *entry_named(const struct procfs_dir *dir, const char *name)
{
	const struct procfs_entry *e;

	for (u64 i = 0; (e = entry_at(dir, i)); i++) {
		if (str_eq(e->name, name))
			return e;
	}
	return NULL;
}

/* A number as the directory prints it: digits, no leading zero. */
static bool parse_number(const char *name, u64 *nr)
{
	const char *end;

	return name[0] >= '0' && name[0] <= '9' && (name[0] != '0' || !name[1]) &&
	       !str_to_u64(name, &end, nr) && !*end;
}

static int dir_lookup(struct inode *inode, struct dentry *dentry)
{
	const struct node *node = node_of(inode);
	const struct procfs_dir *dir = node->entry->dir;
	const struct procfs_entry *entry = entry_named(dir, dentry->name);
	struct procfs_key key = node->key;
	struct inode *child;
	u64 nr;

	if (is_gone(&node->key))
		return 0;
	if (!entry && dir->numbered && parse_number(dentry->name, &nr) &&
	    !dir->find(&node->key, nr, &key))
		entry = dir->numbered;
	if (!entry)
		return 0;
	child = inode_make(entry, &key);
	if (!child)
		return -ENOMEM;
	dentry_attach(dentry, child);
	return 0;
}

static bool emit_entry(struct dir_context *ctx, const struct procfs_entry *entry,
		       const struct procfs_key *key, const char *name)
{
	struct dir_entry out = {
		.name = name, .len = str_len(name), .ino = number_of(entry, key),
		.next_pos = ctx->pos + 1, .type = (entry->mode & S_IFMT) >> 12,
	};

	return dir_emit(ctx, &out);
}

static bool emit_tables(const struct node *node, struct dir_context *ctx)
{
	const struct procfs_entry *e;

	while (ctx->pos < POS_NUMBERED &&
	       (e = entry_at(node->entry->dir, ctx->pos - DIR_POS_FIRST))) {
		if (!emit_entry(ctx, e, &node->key, e->name))
			return false;
	}
	return true;
}

/* Numbers that appear meanwhile may be missed or not; those that stay come once. */
static void emit_numbers(const struct node *node, struct dir_context *ctx)
{
	const struct procfs_dir *dir = node->entry->dir;
	struct procfs_key key;
	char name[24];
	u64 nr;

	ctx->pos = MAX(ctx->pos, (u64)POS_NUMBERED);
	for (;;) {
		nr = ctx->pos - POS_NUMBERED;
		if (!dir->next(&node->key, &nr))
			return;
		ctx->pos = nr + POS_NUMBERED;
		fmt_print(name, sizeof(name), "%lu", nr);
		if (dir->find(&node->key, nr, &key))
			ctx->pos++;
		else if (!emit_entry(ctx, dir->numbered, &key, name))
			return;
		cond_resched();
	}
}

static int dir_read(struct file *file, struct dir_context *ctx)
{
	const struct node *node = node_of(file->inode);

	if (is_gone(&node->key))
		return -ENOENT;
	if (dir_emit_dots(file, ctx) && emit_tables(node, ctx) && node->entry->dir->numbered)
		emit_numbers(node, ctx);
	return 0;
}

static int dir_open(struct file *file)
{
	return is_closed(node_of(file->inode)) ? -EACCES : 0;
}

static const struct inode_ops dir_ops = {
	.lookup = dir_lookup, .evict = node_evict, .stale = node_stale, .changed = node_changed,
};

static const struct file_ops dir_file_ops = {
	.open = dir_open, .readdir = dir_read, .seekable = true,
};

/* --- links */

static long link_text(struct inode *inode, char *buf, size_t size)
{
	const struct node *node = node_of(inode);
	long len;

	if (is_closed(node))
		return -EACCES;
	len = node->entry->link(&node->key, buf, size);
	return is_closed(node) ? -EACCES : len;
}

static int link_follow(struct inode *inode, struct path *to)
{
	const struct node *node = node_of(inode);
	int err = is_closed(node) ? -EACCES : node->entry->follow(&node->key, to);

	if (!err && is_closed(node)) {
		path_put(to);
		err = -EACCES;
	}
	return err;
}

static const struct inode_ops link_ops = {
	.link_text = link_text, .evict = node_evict, .stale = node_stale, .changed = node_changed,
};

static const struct inode_ops jump_ops = {
	.link_text = link_text, .follow = link_follow, .evict = node_evict,
	.stale = node_stale, .changed = node_changed,
};

/* --- texts */

static int text_make(struct file *file, struct textbuf *text)
{
	const struct node *node = node_of(file->inode);
	int err;

	if (is_closed(node))
		return -EACCES;
	err = node->entry->show ? node->entry->show(&node->key, text) : -EINVAL;
	return is_closed(node) ? -EACCES : err;
}

static int text_take(struct file *file, const char *text)
{
	const struct node *node = node_of(file->inode);

	return node->entry->write ? node->entry->write(&node->key, text) : -EINVAL;
}

static const struct text_maker maker = { text_make, text_take };

static int text_file_open(struct file *file)
{
	return is_closed(node_of(file->inode)) ? -EACCES : text_open(file, &maker);
}

static int truncate_nothing(struct inode *inode, u64 size)
{
	(void)inode;
	(void)size;
	return 0;
}

static const struct inode_ops file_inode_ops = {
	.truncate = truncate_nothing, .evict = node_evict, .stale = node_stale,
	.changed = node_changed,
};

static const struct file_ops text_ops = {
	.open = text_file_open, .release = text_release, .read = text_read,
	.write = text_write, .seekable = true,
};

/* --- the file system */

static struct procfs_dir sys_dir;

static const struct procfs_entry sys_table[] = {
	{ .name = "kernel", .mode = S_IFDIR | 0555, .dir = &procfs_kernel },
	{ .name = NULL },
};

static const struct procfs_entry root_table[] = {
	{ .name = "sys", .mode = S_IFDIR | 0555, .dir = &sys_dir },
	{ .name = NULL },
};

/* Make procfs, still without providers. Returns 0 or -ENOMEM. Context: boot, once. */
int procfs_init(void)
{
	static const struct procfs_key no_key;
	struct inode *root;

	procfs = super_alloc("proc", PROC_MAGIC);
	if (!procfs)
		return -ENOMEM;
	procfs->transient = true;
	procfs->made = false;
	root = inode_make(&root_entry, &no_key);
	procfs->root = root ? dentry_alloc_root(procfs, root) : NULL;
	procfs_add(&procfs_root, root_table);
	procfs_add(&sys_dir, sys_table);
	return procfs->root ? 0 : -ENOMEM;
}

static int procfs_get(const char *options, struct super **out)
{
	(void)options;
	super_get(procfs);
	*out = procfs;
	return 0;
}

const struct fs_type proc_type = { .name = "proc", .get = procfs_get };
