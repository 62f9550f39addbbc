/* SPDX-License-Identifier: MIT */
/* Thread groups: what the threads of one process share, and the signals sent to it. */
#pragma once
#include "kernel/cgroup/cgroup.h"
#include "kernel/sync/refcount.h"

#define SIGHUP	1
#define SIGINT	2
#define SIGILL	4
#define SIGTRAP	5
#define SIGABRT	6
#define SIGBUS	7
#define SIGFPE	8
#define SIGKILL	9
#define SIGSEGV	11
#define SIGPIPE	13
#define SIGTERM	15
#define SIGCHLD	17
#define SIGCONT	18
#define SIGSTOP	19
#define SIGTSTP	20
#define SIGTTIN	21
#define SIGTTOU	22
#define SIGURG	23
#define SIGWINCH 28
#define NR_SIGNALS 64

struct proc;

/* Signals are known as far as default and ignored go: there are no handlers. Bit sig - 1 of a
 * set stands for signal sig. */
struct tgroup {
	refcount refs;			/* [a] the tasks together have one, each cgroup lookup one */
	int pid;			/* [I] the process's; 0 before proc_publish() */
	struct proc *leader;		/* [proc lock] whose tid that is; it may have ended */
	struct list tasks;		/* [proc lock] by group_link, until off their stacks */
	unsigned nr_tasks;		/* [proc lock] of them */
	unsigned nr_paying;		/* [proc lock, changed under the cgroup lock] not yet LEFT */
	bool ending;			/* [proc lock] all tasks are to die; status stays */
	int status;			/* [proc lock] as wait4 reports it: of the last to exit */
	struct proc *exec_task;		/* [proc lock] the one that the others die for, or NULL */
	u64 ended_ns;			/* [proc lock] time run by tasks that are gone */
	u64 children_ns;		/* [proc lock] by children waited for, and theirs */
	u64 ignored;			/* [proc lock] SIG_IGN */
	u64 pending;			/* [proc lock] sent to the process, blocked by all tasks */
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
extern const struct cgroup_hooks group_hooks;

/* signal.c */
int proc_kill(int pid, int sig) must_check;
int proc_kill_task(int pid, int tid, int sig) must_check;
void proc_signal_locked(struct tgroup *g, int sig);
void proc_signal_forced(struct proc *p, int sig);	/* a fault: neither ignored nor blocked */
void proc_signal_current(int sig);		/* the hook of kernel/fs */
bool proc_dying(void);				/* must the caller end? */
u64 proc_set_blocked(u64 blocked);		/* returns the old set */
int proc_set_ignored(int sig, bool ignored) must_check;	/* returns the old answer */
int proc_get_ignored(int sig) must_check;
