/* SPDX-License-Identifier: MIT */
/* Resource limits of a process, and the credentials that they and everything else depend on. */
#pragma once
#include "kernel/lib/compiler.h"

enum rlimit_kind {
	RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS,
	RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS,
	RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME,
	NR_RLIMITS,
};

#define RLIM_INFINITY	(~0ull)

/* As user mode has it. */
struct rlimit {
	u64 current, max;
};
_Static_assert(sizeof(struct rlimit) == 16, "struct rlimit64");

struct cred;
struct proc;
struct tgroup;

/* limits.c */
void limits_init(void);				/* the hook of kernel/vm */
void limits_set_defaults(struct tgroup *g);	/* of pid 1 */
u64 limit_current(enum rlimit_kind kind);	/* of the caller; a kernel thread: none */
int limit_change(struct tgroup *g, enum rlimit_kind kind, const struct rlimit *to,
		 struct rlimit *old) must_check;
u64 limit_fsize(void);				/* for the hooks of kernel/fs */
unsigned limit_nofile(void);

/* creds.c: who a task is, and how many tasks a user has */
int cred_commit(struct cred *cred) must_check;	/* the caller's from now on; takes it over */
bool cred_commit_exec(struct proc *p, struct cred *cred);	/* the same; true: other rights */
int user_prepare(unsigned uid) must_check;	/* before the first task of a user */
void user_count_locked(const struct proc *p, int by);
int user_check_nproc(const struct proc *parent) must_check;	/* may it have one more task? */
