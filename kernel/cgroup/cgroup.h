/* SPDX-License-Identifier: MIT */
/* The tree of groups, who is in them, and the table of controls. */
#pragma once
#include "kernel/lib/fmt.h"
#include "kernel/lib/list.h"
#include "kernel/sync/refcount.h"
#include "mm/memcg.h"

#define CGROUP_NAME_MAX	63
#define CGROUP_PATH_MAX	1024

#define CGROUP_CONTROLS_MAX 31		/* rows of the table of controls, at most */
#define CGROUP_DIR	0		/* index into attrs: the group itself, */
#define CGROUP_CONTROL(i) ((i) + 1)	/* and the i-th row of the table */

/* Whose a group, or one control of it, is; mode: permission bits, as of a file. */
struct cgroup_attr {
	u32 uid, gid, mode;
};

#define CGROUP_WRITE	2u		/* as MAY_WRITE and MAY_READ of files */
#define CGROUP_READ	4u

/* Key: [I] immutable; [cgroup lock]: alone to write, shared to read; [lock] or the cgroup lock
 * alone; [own] the member itself, or the cgroup lock alone. */
struct cgroup {
	refcount refs;			/* [a] the tree has one, each open file of it one */
	u64 id;				/* [I] never given again */
	struct memcg *memcg;		/* [cgroup lock] NULL: the group was removed */
	struct cgroup *parent;		/* [I] */
	struct list children, sibling;	/* [cgroup lock] */
	struct spinlock lock;		/* RANK_PROC */
	struct list members;		/* [lock] struct cgroup_member */
	unsigned nr_members;		/* [lock] */
	struct cgroup_attr attrs[CGROUP_CONTROLS_MAX + 1];	/* [cgroup lock] */
	char name[CGROUP_NAME_MAX + 1];	/* [I] */
};

/* One process's place in the tree: embedded in struct proc, zeroed before cgroup_fork(). */
struct cgroup_member {
	struct cgroup *group;		/* [own, cgroup lock] NULL: in none (not yet, or left) */
	struct list link;		/* [lock of the group] */
	bool killed;			/* [own, cgroup lock] by cgroup_kill(); its children, too */
};

/* What proc registers: cgroup knows members, not processes. All are called with the cgroup
 * lock held (shared from cgroup_fork() and cgroup_exit(), which concern their own member) and
 * no spinlock; they may take spinlocks and stop the other CPUs, and must not sleep on anything
 * cgroup might hold. */
struct cgroup_hooks {
	struct cgroup_member *(*find)(int pid);		/* referenced, or NULL */
	void (*put)(struct cgroup_member *m);		/* drop that reference */
	void (*moved)(struct cgroup_member *m, struct memcg *memcg);
	void (*kill)(struct cgroup_member *m);		/* SIGKILL */
	int (*pid)(struct cgroup_member *m);		/* 0: it has none yet */
	struct cgroup_member *(*current)(void);		/* not referenced, or NULL */
	/* Who the caller is; NULL: root. may_move: m is his, or he is root. */
	bool (*may_move)(struct cgroup_member *m);
	bool (*may)(const struct cgroup_attr *attr, unsigned may);
	void (*owner)(struct cgroup_attr *attr);	/* fill in his ids */
};

extern struct cgroup root_cgroup;

void cgroup_init(void);
void cgroup_set_hooks(const struct cgroup_hooks *hooks);

/* Membership of processes; take the cgroup lock (may sleep). */
void cgroup_fork(struct cgroup_member *child, struct cgroup_member *parent);
void cgroup_exit(struct cgroup_member *m);
void cgroup_exit_locked(struct cgroup_member *m);

/* The cgroup lock, shared: nobody else moves a member, no group goes in between. May sleep. */
void cgroup_members_lock(void);
void cgroup_members_unlock(void);

/* The system calls' cores. Paths are absolute in the tree, NUL-terminated kernel strings. */
int cgroup_create(const char *path, unsigned mode) must_check;
int cgroup_remove(const char *path) must_check;
int cgroup_attach(const char *path, int pid) must_check;	/* pid 0: the caller */
int cgroup_kill(const char *path) must_check;			/* the whole subtree */
long cgroup_list(const char *path, char *buf, size_t size) must_check;
long cgroup_read(const char *path, const char *control, char *buf, size_t size) must_check;
int cgroup_write(const char *path, const char *control, const char *text) must_check;

/* access.c: the same by reference, for a file system whose own modes were asked already. All
 * take the cgroup lock (may sleep). -ENODEV: the group was removed. */
struct cgroup *cgroup_get(struct cgroup *group);
void cgroup_put(struct cgroup *group);
bool cgroup_is_removed(const struct cgroup *group);
int cgroup_find_child(struct cgroup *dir, const char *name, struct cgroup **out) must_check;
int cgroup_make_child(struct cgroup *dir, const char *name, unsigned mode) must_check;
int cgroup_remove_child(struct cgroup *dir, const char *name) must_check;
bool cgroup_next_child(struct cgroup *dir, u64 *id, char name[CGROUP_NAME_MAX + 1]);
long cgroup_control_read(struct cgroup *g, unsigned control, char *buf, size_t size) must_check;
int cgroup_control_write(struct cgroup *g, unsigned control, const char *text) must_check;
struct cgroup_attr cgroup_get_attr(struct cgroup *g, unsigned index);
int cgroup_set_attr(struct cgroup *g, unsigned index, const struct cgroup_attr *to) must_check;
void cgroup_print_path(struct cgroup_member *m, struct textbuf *text);	/* NULL: "/" */
unsigned cgroup_count(void);

/* For controls.c, under the cgroup lock. */
int cgroup_attach_locked(struct cgroup *group, int pid) must_check;
void cgroup_print_pids_locked(struct cgroup *group, struct textbuf *text);

/* controls.c: called under the cgroup lock */
struct control {
	const char *name;
	long (*read)(struct cgroup *g, char *buf, size_t size);	/* whole length, or -errno */
	int (*write)(struct cgroup *g, const char *text);	/* NULL: -EINVAL */
};

#define CONTROL_TASKS	0		/* the first row: who may write it may move tasks here */

const struct control *control_at(unsigned i);	/* the i-th row, or NULL */
int control_find(const char *name);		/* its number; -ENOENT */
size_t control_names(char *buf, size_t size);
