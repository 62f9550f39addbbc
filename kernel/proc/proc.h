/* SPDX-License-Identifier: MIT */
/* A process: an address space, files, a group, a thread, and a place in the family. */
#pragma once
#include "kernel/fs/vfs.h"
#include "kernel/proc/group.h"
#include "kernel/sched/thread.h"
#include "kernel/vm/vm.h"

#define PID_MAX	(1 << 22)

enum proc_state {
	PROC_NEW,			/* being made: in no table, may not be signalled */
	PROC_ALIVE,
	PROC_EXITING,			/* gives back what it has */
	PROC_LEFT,			/* out of its cgroup; runs until it is off its stack */
	PROC_ZOMBIE,			/* only the task object is left, until wait4 */
};

/* How a system call that returned -ERESTART_BLOCK goes on, its own deadline kept. */
struct restart {
	long (*fn)(struct proc *p);	/* NULL: it does not */
	u64 deadline;
	u64 arg[4];
};

/* A task: one thread of user code. The first of a process is its leader and stands for it in
 * the family, also when it has ended before the others (it stays LEFT then). */
struct proc {
	struct thread thread;		/* first: thread->owner points back here */
	refcount refs;			/* [a] the table, its own thread, lookups under way */
	int pid;			/* [proc lock; own to read] tid; exec may change it */
	enum proc_state state;		/* [proc lock] */
	struct tgroup *group;		/* [proc lock; own to read] NULL: all of it has ended */
	struct list group_link;		/* [proc lock] */
	struct list hash_link;		/* [proc lock] by pid */
	/* Of a leader: */
	struct proc *parent;		/* [proc lock] a leader */
	struct list children, sibling;	/* [proc lock] */
	struct list all_link;		/* [proc lock] */
	struct waitq child_exit;	/* wait4, vfork and exec of any task sleep here */
	int pgid, sid;			/* [proc lock] process group, session; a zombie keeps them */
	bool has_tty;			/* [proc lock] the console is its controlling terminal */
	bool has_execed;		/* [proc lock] its parent may not move it any more */
	int exit_status;		/* [proc lock] as wait4 reports it */
	int exit_signal;		/* [proc lock] SIGCHLD, or what clone() was told */
	u64 total_ns;			/* [proc lock] a zombie's time and its children's */
	unsigned long max_pages;	/* [proc lock] a zombie's, or the most of its children */
	u64 total_user_ns;		/* [proc lock] that of it in user mode */
	/* Of each task: */
	u64 start_ns;			/* [proc lock] clock_ns() of its birth */
	struct mm *mm;			/* [proc lock; own to read] NULL once it has ended */
	struct fs_context *fs;		/* [proc lock; own to read] */
	struct files *files;		/* [proc lock; own to read] */
	struct cred *cred;		/* [proc lock; own to read] referenced */
	u64 blocked;			/* [proc lock; own to read] rt_sigprocmask */
	u64 saved_blocked;		/* [own] to come back to, if blocked_saved */
	bool blocked_saved;		/* [own] by signal_swap_blocked() */
	bool stopped;			/* [proc lock] waits for SIGCONT on its way to user mode */
	u64 awaited;			/* [proc lock] signals that sigtimedwait() takes */
	struct sigpending pending;	/* [proc lock] sent to this task */
	struct siginfo forced;		/* [own] for its own mistake; signo 0: none */
	struct altstack altstack;	/* [own] sigaltstack */
	struct restart restart;		/* [own] for restart_syscall */
	bool is_sibling;		/* [I] CLONE_PARENT: its maker's parent is its own */
	struct waitq *vfork_wait;	/* [proc lock] where its maker sleeps until it has its own
					 * memory, or none; NULL: nobody does */
	uaddr_t set_tid;		/* [own] CLONE_CHILD_SETTID: written at its start */
	uaddr_t clear_tid;		/* [own] set_tid_address */
	uaddr_t robust_list;		/* [own] futexes to release when it dies */
	int death_signal;		/* [proc lock] PR_SET_PDEATHSIG; 0: none */
	bool no_new_privs;		/* [own] exec gives no rights */
	signed char nice;		/* [proc lock] setpriority() */
	char comm[16];			/* [own] program name */
};

extern struct spinlock proc_lock;	/* RANK_PROC: the family tree and the pid table */

/* pid.c */
void proc_init(void);			/* caches, hooks into cgroup and vfs */
struct proc *proc_current(void);	/* NULL: a kernel thread */
struct proc *proc_find(int pid);	/* a task by its tid, referenced, or NULL */
struct proc *proc_find_locked(int pid);	/* not referenced */
void proc_put(struct proc *p);
unsigned long proc_count(void);		/* tasks */
int proc_last_pid(void);
int proc_publish(struct proc *p, struct proc *creator) must_check;
void proc_unlink_locked(struct proc *p);
void proc_replace_leader_locked(struct proc *old, struct proc *p);
extern struct proc *proc_init_process;	/* [proc lock] the leader of pid 1 */
extern struct list proc_all;		/* [proc lock] the leaders in the pid table */
extern unsigned long proc_nr_made;	/* [proc lock] tasks since the boot */

/* fork.c. flags: CLONE_*; stack 0: the caller's. Returns the child's pid. */
#define CLONE_VM	0x00000100u
#define CLONE_FS	0x00000200u
#define CLONE_FILES	0x00000400u
#define CLONE_SIGHAND	0x00000800u
#define CLONE_PTRACE	0x00002000u
#define CLONE_VFORK	0x00004000u
#define CLONE_PARENT	0x00008000u
#define CLONE_THREAD	0x00010000u
#define CLONE_SYSVSEM	0x00040000u
#define CLONE_SETTLS	0x00080000u
#define CLONE_PARENT_SETTID 0x00100000u
#define CLONE_CHILD_CLEARTID 0x00200000u
#define CLONE_DETACHED	0x00400000u
#define CLONE_UNTRACED	0x00800000u
#define CLONE_CHILD_SETTID 0x01000000u
#define CLONE_NEW_ANY	0x7e020080u	/* namespaces */
#define CLONE_IO	0x80000000u

struct clone_args {
	unsigned flags;
	int exit_signal;
	uaddr_t stack, parent_tid, child_tid, tls;
};

long proc_clone(const struct clone_args *args, const struct regs *regs) must_check;
struct proc *proc_create(const char *name, void (*fn)(void *), struct tgroup *g) must_check;
void proc_destroy(struct proc *p);	/* one that never started and has no files, mm, cgroup */
void proc_vfork_release(struct proc *p);
void fork_init(void);			/* the caches */
void proc_free(struct proc *p);		/* the last reference went */
void proc_release_fpu(struct proc *p);

/* exec.c (the rest of it: exec.h) */
int proc_start_init(const char *path, const char *const argv[]) must_check; /* pid 1 */

/* exit.c */
/* status as wait4 reports it: code << 8, or a signal */
noreturn void proc_exit(int status);		/* the calling task */
noreturn void proc_exit_group(int status);	/* its process */
void proc_released(struct proc *p);	/* its thread is off its stack */

/* group.c */
struct proc_times {
	u64 task_ns, group_ns, children_ns;
	u64 task_user_ns, group_user_ns, children_user_ns;	/* that of it in user mode */
	unsigned long max_pages, children_max_pages;	/* most user memory at once */
};

void proc_times(struct proc_times *out);	/* of the caller, up to now */
