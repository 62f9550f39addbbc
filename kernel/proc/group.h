/* SPDX-License-Identifier: MIT */
/* Thread groups: what the threads of one process share, and the signals sent to it. */
#pragma once
#include "kernel/cgroup/cgroup.h"
#include "kernel/proc/itimer.h"
#include "kernel/proc/limits.h"
#include "kernel/proc/signal.h"
#include "kernel/sync/refcount.h"

struct proc;

struct tgroup {
	refcount refs;			/* [a] the tasks together have one, each cgroup lookup one */
	int pid;			/* [I] the process's; 0 before proc_publish() */
	struct proc *leader;		/* [proc lock] whose tid that is; it may have ended */
	struct list tasks;		/* [proc lock] by group_link, until off their stacks */
	unsigned nr_tasks;		/* [proc lock] of them */
	unsigned nr_paying;		/* [proc lock, changed under the cgroup lock] not yet LEFT */
	bool ending;			/* [proc lock] all tasks are to die; status stays */
	int status;			/* [proc lock] as wait4 reports it: of the last to exit */
	int stop_report;		/* [proc lock] stopped by that, no wait has told; 0: none */
	bool cont_report;		/* [proc lock] continued, no wait has told */
	struct proc *exec_task;		/* [proc lock] the one that the others die for, or NULL */
	u64 ended_ns;			/* [proc lock] time run by tasks that are gone */
	u64 children_ns;		/* [proc lock] by children waited for, and theirs */
	u64 ended_user_ns, children_user_ns;	/* [proc lock] those of them in user mode */
	unsigned long max_pages;	/* [proc lock] most memory had at once, before exec or the end */
	unsigned long children_max_pages; /* [proc lock] the same of children waited for */
	struct sighand *sighand;	/* [proc lock; own tasks to read] referenced */
	struct sigpending pending;	/* [proc lock] sent to the process */
	unsigned nr_queued;		/* [proc lock] siginfos that wait, its tasks' too */
	struct sigqueue *reserve;	/* [proc lock] for one when memory is short, or NULL */
	int stop_sig;			/* [proc lock] tasks are to stop for that; 0: none */
	bool stopped;			/* [proc lock] all have */
	struct itimer itimers[NR_ITIMERS];	/* [proc lock] */
	struct rlimit rlim[NR_RLIMITS];	/* [proc lock to write] */
	bool dumpable;			/* [proc lock] its user may look into it (taskinfo.c) */
	bool subreaper;			/* [proc lock] orphans below it become its children */
	struct memcg *memcg;		/* [proc lock, changed under the cgroup lock] of all tasks */
	struct cgroup_member member;
};

/* group.c */
void group_init(void);			/* the cache */
struct tgroup *group_create(struct proc *leader) must_check;
void group_put(struct tgroup *g);
void group_add_locked(struct tgroup *g, struct proc *p);
void group_remove_locked(struct tgroup *g, struct proc *p);
void group_end_locked(struct tgroup *g, int status);	/* all tasks are to die */
int group_take_over(struct proc *p) must_check;		/* exec: the only task, and leader */
bool group_leave(struct proc *p);	/* p ends and works for the root from now on */
u64 group_cpu_ns_locked(const struct tgroup *g);
u64 group_user_ns_locked(const struct tgroup *g);
struct mm;
void group_note_memory(struct tgroup *g, const struct mm *mm);	/* it goes: count it */
extern const struct cgroup_hooks group_hooks;
