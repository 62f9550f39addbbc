/* SPDX-License-Identifier: MIT */
/* Jobs: process groups, sessions, the terminal they share, and what a parent hears of them. */
#pragma once
#include "kernel/proc/proc.h"

/* job.c. A process group or a session is the processes whose leaders carry its number (the
 * pgid and sid of struct proc), zombies included. */
long job_setpgid(int pid, int pgid) must_check;
long job_getpgid(int pid) must_check;		/* 0: the caller's */
long job_getsid(int pid) must_check;
long job_setsid(void) must_check;
bool job_number_used_locked(int nr);		/* some process group or session has it */
bool job_is_orphaned_locked(int pgid, const struct proc *except);
void job_reparented_locked(struct proc *child, const struct proc *old_parent);
void job_ended_locked(struct proc *leader);	/* it is about to become a zombie */

/* ctty.c: the controlling terminal */
void ctty_init(void);				/* hooks into the tty */
void ctty_leave_locked(struct proc *leader, bool ends);	/* or only gives it up */
int ctty_foreground(void);			/* the pgid; 0: none */

/* wait.c. Told by whoever stops and continues a process: all its tasks are stopped by sig, or go
 * on after that. */
void proc_report_stop_locked(struct tgroup *g, int sig);
void proc_report_cont_locked(struct tgroup *g);
bool proc_report_end_locked(struct proc *leader);	/* true: nobody wants to wait for it */

#define P_ALL		0
#define P_PID		1
#define P_PGID		2

#define WNOHANG		1u
#define WUNTRACED	2u		/* waitid: WSTOPPED */
#define WEXITED		4u
#define WCONTINUED	8u
#define WNOWAIT		0x01000000u
#define WNOTHREAD	0x20000000u
#define WALL		0x40000000u
#define WCLONE		0x80000000u

struct wait_for {			/* which children, and what of them */
	int which;			/* P_* */
	int id;
	unsigned options;
};

struct wait_result {
	int pid;
	int status;			/* as wait4 reports it */
	int code;			/* CLD_* */
	u32 uid;
	u64 cpu_ns, user_ns;		/* its own and its children's; that of it in user mode */
	unsigned long max_pages;	/* most user memory at once */
};

int wait_result_status(const struct wait_result *r);	/* for siginfo */
long proc_wait(const struct wait_for *what, struct wait_result *out) must_check;
