/* SPDX-License-Identifier: MIT */
/* A process: an address space, files, a group, a thread, and a place in the family. */
#pragma once
#include "kernel/cgroup/cgroup.h"
#include "kernel/fs/vfs.h"
#include "kernel/sched/thread.h"
#include "kernel/vm/vm.h"

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

#define PID_MAX	(1 << 22)

enum proc_state {
	PROC_NEW,			/* being made: in no table, may not be signalled */
	PROC_ALIVE,
	PROC_EXITING,			/* gives back what it has; joins no group any more */
	PROC_ZOMBIE,			/* only the task object is left, until wait4 */
};

/* Signals as far as this kernel knows them: default or ignored, no handlers. Bit sig - 1 of
 * a set stands for signal sig. */
struct signal_state {
	int fatal;			/* [a] 0, or the signal to die of; set under proc lock */
	u64 ignored;			/* [proc lock] SIG_IGN */
	u64 blocked;			/* [proc lock] rt_sigprocmask */
	u64 pending;			/* [proc lock] fatal ones that are blocked */
};

struct proc {
	struct thread thread;		/* first: thread->owner points back here */
	refcount refs;			/* the family, its own thread, lookups under way */
	int pid;			/* [I] */
	enum proc_state state;		/* [proc lock] */
	struct proc *parent;		/* [proc lock] */
	struct list children, sibling;	/* [proc lock] */
	struct list all_link;		/* [proc lock] */
	struct list hash_link;		/* [proc lock] by pid */
	struct waitq child_exit;	/* wait4 and vfork sleep here for the children */
	int exit_status;		/* [proc lock] as wait4 reports it */
	int exit_signal;		/* [I] SIGCHLD, or what clone() was told */
	struct mm *mm;			/* [own] NULL for a zombie */
	struct fs_context *fs;		/* [own] */
	struct files *files;		/* [own] */
	struct signal_state *signal;	/* [proc lock] NULL for a zombie */
	struct cgroup_member member;
	bool vfork_released;		/* [proc lock] has its own memory, or none */
	uaddr_t set_tid;		/* [own] CLONE_CHILD_SETTID: written at its start */
	uaddr_t clear_tid;		/* [own] set_tid_address */
	char comm[16];			/* [own] program name */
};

extern struct spinlock proc_lock;	/* RANK_PROC: the family tree and the pid table */

/* pid.c */
void proc_init(void);			/* caches, hooks into cgroup and vfs */
struct proc *proc_current(void);	/* NULL: a kernel thread */
struct proc *proc_find(int pid);	/* referenced, or NULL */
void proc_put(struct proc *p);
unsigned long proc_count(void);
int proc_publish(struct proc *p, struct proc *parent) must_check;
void proc_unlink_locked(struct proc *p);
extern struct proc *proc_init_process;	/* [proc lock] pid 1 */
extern struct list proc_all;		/* [proc lock] everyone in the pid table */
u64 proc_cpu_ns(const struct proc *p);

/* fork.c. flags: CLONE_*; child_stack 0: the parent's. Returns the child's pid. */
#define CLONE_VM	0x00000100u
#define CLONE_FS	0x00000200u
#define CLONE_FILES	0x00000400u
#define CLONE_SIGHAND	0x00000800u
#define CLONE_VFORK	0x00004000u
#define CLONE_PARENT_SETTID 0x00100000u
#define CLONE_CHILD_CLEARTID 0x00200000u
#define CLONE_CHILD_SETTID 0x01000000u
#define CLONE_SETTLS	0x00080000u

struct clone_args {
	unsigned flags;
	int exit_signal;
	uaddr_t stack, parent_tid, child_tid, tls;
};

long proc_clone(const struct clone_args *args, const struct regs *regs) must_check;
struct proc *proc_create(const char *name, void (*fn)(void *)) must_check;
void proc_destroy(struct proc *p);	/* one that never started and has no files, mm, group */
void proc_vfork_release(struct proc *p);
void fork_init(void);			/* the caches */
void proc_free(struct proc *p);		/* the last reference went */
void proc_release_state(struct proc *p);	/* at its end: signals, FPU image */

/* exec.c (the rest of it: exec.h) */
int proc_start_init(const char *path, const char *const argv[]) must_check; /* pid 1 */

/* exit.c */
struct wait_result {
	int status;
	u64 cpu_ns;
};

#define WNOHANG		1u
#define WUNTRACED	2u
#define WCONTINUED	8u
#define WNOTHREAD	0x20000000u
#define WALL		0x40000000u
#define WCLONE		0x80000000u

noreturn void proc_exit(int status);	/* status as wait4 reports it: code << 8, or a signal */
long proc_wait(int pid, unsigned options, struct wait_result *out) must_check;

/* signal.c */
int proc_kill(int pid, int sig) must_check;
void proc_signal(struct proc *p, int sig);	/* ends it: default actions only */
void proc_signal_forced(struct proc *p, int sig);	/* a fault: neither ignored nor blocked */
void proc_signal_current(int sig);		/* the hook of kernel/fs */
int proc_fatal_signal(void);			/* the caller's, or 0 */
u64 proc_set_blocked(u64 blocked);		/* returns the old set */
int proc_set_ignored(int sig, bool ignored) must_check;	/* returns the old answer */
int proc_get_ignored(int sig) must_check;
