/* SPDX-License-Identifier: MIT */
/* Private to kernel/cgroup/: what cgroup.c and access.c share. */
#pragma once
#include "kernel/cgroup/cgroup.h"
#include "kernel/lib/errno.h"
#include "kernel/sched/wait.h"

extern struct rwlock cgroup_lock;		/* RANK_CGROUP: the tree and its members */
extern const struct cgroup_hooks *cgroup_hooks;	/* [I] from before the first process */

/* All under the cgroup lock. */
int cgroup_find_path(const char *path, struct cgroup **group) must_check;
struct cgroup *cgroup_child_named(struct cgroup *group, const char *name, int len);
int cgroup_check_name(const char *name) must_check;	/* its length, or -errno */
int cgroup_create_child(struct cgroup *parent, const char *name, int len, unsigned mode)
	must_check;
int cgroup_remove_group(struct cgroup *group) must_check;

static inline long cgroup_fits(long len, size_t size)
{
	return len > 0 && (size_t)len > size ? -ERANGE : len;
}

/* May the caller do that (CGROUP_READ, CGROUP_WRITE)? */
static inline bool cgroup_may(const struct cgroup_attr *attr, unsigned may)
{
	return !cgroup_hooks || !cgroup_hooks->may || cgroup_hooks->may(attr, may);
}
