/* SPDX-License-Identifier: MIT */
/* The walk along a path; for walk.c, namei.c, rename.c and open.c only. */
#pragma once
#include "kernel/fs/vfs.h"

/*
 * A walk under way. text[0] is what is left of the path; following a link puts its target on
 * top, so that links nest without recursion and without memory. The component at hand is to be
 * looked up in `at`.
 */
struct walk {
	struct path root, at;		/* referenced */
	struct last_name last;		/* the component at hand; len 0: none is left */
	unsigned search;		/* what each directory must grant: MAY_* */
	bool jumped;			/* `at` is what a link without text stands for */
	char own_text[2][40];		/* of links that are made anew, by depth */
	unsigned nr_links;		/* followed so far */
	unsigned depth;
	const char *text[SYMLINK_MAX_FOLLOW + 1];
	struct dentry *link[SYMLINK_MAX_FOLLOW + 1];	/* referenced; [0] NULL */
};

enum walk_follow { NO_FOLLOW, FOLLOW, FOLLOW_LAST };	/* a link in the middle, at the end */
enum last_kind { LAST_NORMAL, LAST_ROOT, LAST_DOT, LAST_DOTDOT };

enum last_kind last_kind(const struct last_name *last);
void rename_init(void);
int walk_begin(struct walk *w, struct fs_context *fs, const char *name) must_check;
void walk_end(struct walk *w);
int walk_to_last(struct walk *w) must_check;
struct dentry *walk_find(struct walk *w);
int walk_enter(struct walk *w, struct dentry *child, enum walk_follow follow) must_check;
int walk_finish(struct walk *w, unsigned flags) must_check;
int may_create(const struct path *dir) must_check;
int may_delete(const struct inode *dir, const struct inode *victim, bool as_dir) must_check;
int lookup_locked(struct dentry *parent, const struct last_name *name, struct dentry **out)
	must_check;
