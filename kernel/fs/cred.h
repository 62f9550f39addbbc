/* SPDX-License-Identifier: MIT */
/* Credentials: who acts, and what they may do to an inode. */
#pragma once
#include "kernel/lib/compiler.h"
#include "kernel/sync/refcount.h"

struct inode;

#define NR_GROUPS_MAX	32		/* supplementary groups; setgroups() refuses more */

/*
 * Immutable once a task has it: a change is a cred_copy() that takes the old one's place. So
 * tasks share one, and a reader needs a reference and no lock. The real ids say who a task is,
 * the effective ones what it may do, the saved ones where it may go back to; files are judged
 * by fsuid and fsgid, which follow the effective ones. Id 0 is root, who may do anything:
 * there are no capabilities beside it.
 */
struct cred {
	refcount refs;
	u32 uid, euid, suid, fsuid;	/* [I] */
	u32 gid, egid, sgid, fsgid;	/* [I] */
	unsigned nr_groups;		/* [I] */
	u32 groups[NR_GROUPS_MAX];	/* [I] */
};

/* --- cred.c */
void cred_init_cache(void);
extern struct cred cred_root;		/* all ids 0, no groups; never freed */
struct cred *cred_copy(const struct cred *from) must_check;	/* to change; NULL: no memory */
struct cred *cred_get(const struct cred *cred);
void cred_put(struct cred *cred);
bool cred_in_group(const struct cred *cred, u32 gid);	/* fsgid, or a supplementary one */
bool cred_is_root(void);		/* the caller, as far as files go: fsuid 0 */
bool cred_owns(const struct inode *inode);		/* the caller is its owner, or root */

#define MAY_EXEC	1u		/* of a directory: search it */
#define MAY_WRITE	2u
#define MAY_READ	4u
#define MAY_REAL_IDS	8u		/* ask for the real ids (access()), not the fs ones */

int inode_permission(const struct inode *inode, unsigned may) must_check;
int mode_permission(u32 mode, u32 uid, u32 gid, unsigned may) must_check;

/* --- vfs.c */
const struct cred *cred_current(void);	/* the caller's, while it does not change it */
