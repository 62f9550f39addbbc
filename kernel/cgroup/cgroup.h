/* SPDX-License-Identifier: MIT */
/* The tree of groups, who is in them, and the table of controls. */
#pragma once
#include "kernel/lib/fmt.h"
#include "kernel/lib/list.h"
#include "mm/memcg.h"

#define CGROUP_NAME_MAX	63
#define CGROUP_PATH_MAX	1024

/* Key: [I] immutable; [cgroup lock]: alone to write, shared to read; [lock] or the cgroup lock
 * alone; [own] the member itself, or the cgroup lock alone. */
struct cgroup {
	struct memcg *memcg;		/* [I] */
	struct cgroup *parent;		/* [I] */
	struct list children, sibling;	/* [cgroup lock] */
	struct spinlock lock;		/* RANK_PROC */
	struct list members;		/* [lock] struct cgroup_member */
	unsigned nr_members;		/* [lock] */
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

/* For controls.c, under the cgroup lock. */
int cgroup_attach_locked(struct cgroup *group, int pid) must_check;
void cgroup_print_pids_locked(struct cgroup *group, struct textbuf *text);

/* controls.c: called under the cgroup lock */
struct control {
	const char *name;
	long (*read)(struct cgroup *g, char *buf, size_t size);	/* whole length, or -errno */
	int (*write)(struct cgroup *g, const char *text);	/* NULL: -EINVAL */
};

const struct control *control_find(const char *name);
size_t control_names(char *buf, size_t size);
