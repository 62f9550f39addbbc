/* SPDX-License-Identifier: MIT */
/* Signals: their numbers, what is told about one, what waits for a process, what it does then. */
#pragma once
#include "arch/trap.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/list.h"
#include "kernel/sync/refcount.h"

enum {
	SIGHUP = 1, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1,
	SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGCHLD, SIGCONT, SIGSTOP,
	SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO,
	SIGPWR, SIGSYS, SIGRTMIN, NR_SIGNALS = 64,
};

/* Bit sig - 1 of a set stands for signal sig. */
#define SIGNAL_BIT(sig)	(1ull << ((sig) - 1))
#define SIGNALS_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
#define SIGNALS_STOPPING (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | \
			  SIGNAL_BIT(SIGTTOU))

/* Where one comes from: below 0 a program, from 1 on the kernel, with a meaning per signal. */
enum siginfo_code {
	SI_DETHREAD = -7, SI_TKILL = -6, SI_QUEUE = -1, SI_USER = 0, SI_KERNEL = 0x80,
	CLD_EXITED = 1, CLD_KILLED, CLD_DUMPED, CLD_TRAPPED, CLD_STOPPED, CLD_CONTINUED,
	SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRALN = 1, BUS_ADRERR = 2, ILL_ILLOPN = 2,
	TRAP_TRACE = 2,
	FPE_INTDIV = 1, FPE_FLTDIV = 3, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES, FPE_FLTINV,
};

/* The start of Linux's siginfo_t; the rest of its 128 bytes is zero. */
struct siginfo {
	s32 signo, error, code, pad;
	union {
		struct {		/* from a process, or of a child */
			s32 pid;
			u32 uid;
			union {
				u64 value;	/* sigqueue()'s */
				s32 status;	/* a child's */
			};
			s64 utime, stime;
		};
		uaddr_t addr;		/* of a fault */
	};
};
_Static_assert(sizeof(struct siginfo) == 48, "what is used of siginfo_t");

#define SIG_DFL		0ul
#define SIG_IGN		1ul
#define SA_NOCLDSTOP	0x00000001u
#define SA_NOCLDWAIT	0x00000002u
#define SA_SIGINFO	0x00000004u
#define SA_RESTORER	0x04000000u
#define SA_ONSTACK	0x08000000u
#define SA_RESTART	0x10000000u
#define SA_NODEFER	0x40000000u
#define SA_RESETHAND	0x80000000u
#define SA_FLAGS	0xdc000007u	/* all of these */

struct sigaction {
	uaddr_t handler;		/* SIG_DFL, SIG_IGN or a function */
	uaddr_t restorer;		/* where it returns to */
	u64 mask;			/* blocked beside the signal itself while it runs */
};

/* What a process, or several that share it (CLONE_SIGHAND), does with each signal. */
struct sighand {
	struct sigaction action[NR_SIGNALS];	/* [proc lock] by sig - 1 */
	u32 flags[NR_SIGNALS];		/* [proc lock] SA_* */
	refcount refs;
};

/* Sent, and not handled yet. A signal below SIGRTMIN is pending once, the others as often as
 * they were sent. One whose siginfo found no memory is in the set alone. */
struct sigpending {
	u64 set;
	struct list queue;		/* struct sigqueue, oldest first */
};

/* sigaltstack(2) */
#define SS_ONSTACK	1u
#define SS_DISABLE	2u
#define SS_AUTODISARM	0x80000000u
#define MINSIGSTKSZ	2048u

struct altstack {
	uaddr_t sp;
	u32 flags;			/* as given */
	size_t bytes;			/* 0: there is none */
};

/* The results of system calls that signals interrupt. */
static inline bool proc_is_restart(long ret)
{
	return ret <= -ERESTARTSYS && ret >= -ERESTART_BLOCK;
}

#define NR_RESTART	219		/* restart_syscall(2) */

struct proc;
struct tgroup;
struct memcg;

/* signal.c: what is pending, and sending. info->signo is 1..NR_SIGNALS. */
void signal_init(void);			/* the caches */
struct sighand *sighand_create(void) must_check;	/* all default */
struct sighand *sighand_copy(const struct sighand *from) must_check;
struct sighand *sighand_get(struct sighand *sighand);
void sighand_put(struct sighand *sighand);
int proc_signal_locked(struct tgroup *g, const struct siginfo *info);	/* -EAGAIN */
int proc_signal_task_locked(struct proc *p, const struct siginfo *info);	/* -EAGAIN */
void proc_signal(struct tgroup *g, const struct siginfo *info);
void proc_signal_current(int sig);	/* the hook of kernel/fs */
bool signal_ignored_locked(const struct tgroup *g, int sig);
bool signal_take_locked(struct proc *p, u64 wanted, struct siginfo *out);
void signal_forget_locked(struct tgroup *g, u64 signals);
void signal_recalc_locked(struct proc *p);
void signal_retarget_locked(struct tgroup *g, u64 signals);
void signal_reserve(struct tgroup *g, struct memcg *memcg);
void signal_group_fini(struct tgroup *g);
void signal_flush_locked(struct proc *p, bool last);	/* p ends; last: so does its process */

/* kill.c: who may send what to whom */
int proc_kill(int pid, int sig) must_check;
int proc_kill_task(int pid, int tid, const struct siginfo *info) must_check;
int proc_sigqueue(int pid, const struct siginfo *info) must_check;
int proc_signal_pgrp_locked(int pgid, const struct siginfo *info);	/* -ESRCH */
int proc_signal_pgrp(int pgid, const struct siginfo *info);

/* sigstop.c */
bool signal_stop_locked(struct proc *p, int sig);	/* default action of a stopping signal */
void signal_stop_wait_locked(struct proc *p);	/* the caller stops until SIGCONT or SIGKILL */
void signal_continue_locked(struct tgroup *g);
void signal_check_stopped_locked(struct tgroup *g);	/* a task of it ends */

/* sigact.c */
bool proc_dying(void);			/* must the caller end? */
void signal_deliver(struct regs *r);	/* on the way to user mode */
void signal_return(struct regs *r);	/* rt_sigreturn(2) */
void signal_exec(struct proc *p);
bool signal_forced(const struct siginfo *info);	/* the caller made a mistake: no way around */
void signal_fatal(int sig);
u64 signal_set_blocked(u64 blocked);	/* returns the old set */
void signal_swap_blocked(u64 blocked);	/* until the system call returns, or its handlers do */
void signal_unswap_blocked(void);
bool signal_on_altstack(const struct proc *p, const struct regs *r);
int signal_set_altstack(const struct altstack *alt, const struct regs *r);
int signal_action(int sig, const struct sigaction *act, u32 flags, struct sigaction *old,
		  u32 *old_flags) must_check;
