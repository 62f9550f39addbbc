/* SPDX-License-Identifier: MIT */
/* The files of /proc that know processes and the machine. */
#pragma once
#include "kernel/fs/procfs.h"
#include "kernel/proc/proc.h"

/* uts.c: the names that uname() tells */
#define UTS_SYSNAME	"Linux"		/* whose calls these are: programs compare it */
#define UTS_RELEASE	"6.1.0-tally"
#define UTS_VERSION	"#1 SMP Tally"
#define UTS_NAME_MAX	64

enum uts_name { UTS_HOST, UTS_DOMAIN, NR_UTS_NAMES };

void uts_get(enum uts_name which, char out[UTS_NAME_MAX + 1]);
int uts_set(enum uts_name which, const char *name) must_check;

/* machinefiles.c: of the machine; cmdline stays */
void machinefiles_init(const char *cmdline);

/* taskfiles.c: directories of tasks */
void taskfiles_init(void);

/* taskinfo.c: a task as a reader sees it, from one moment */
struct task_info {
	int tid, pid, ppid, pgid, sid;
	bool has_tty;
	char state;			/* R, S, D, T, Z */
	char comm[16];
	unsigned nr_tasks, cpu;
	int nice, exit_signal, exit_status;
	u64 user_ns, kernel_ns, children_user_ns, children_kernel_ns, start_ns;
	u64 pending, shared_pending, blocked, ignored, caught;
	unsigned long max_pages;
};

/* Each returns 0 or -ESRCH; what comes in *out is referenced. -ENOENT: it has none any more.
 * whole: the process's time, not the task's. Locks: proc lock taken. */
int task_info(const struct procfs_key *key, bool whole, struct task_info *out) must_check;
int task_mm(const struct procfs_key *key, struct mm **out) must_check;
int task_files(const struct procfs_key *key, struct files **out) must_check;
int task_fs(const struct procfs_key *key, struct fs_context **out) must_check;
int task_cred(const struct procfs_key *key, struct cred **out) must_check;
int task_group(const struct procfs_key *key, struct tgroup **out) must_check;
bool task_alive(const struct procfs_key *key);
bool task_may_look(const struct procfs_key *key);

/* tasktext.c: texts of what a task has */
int show_stat(const struct procfs_key *key, struct textbuf *t, bool whole);
int show_status(const struct procfs_key *key, struct textbuf *t);
int show_statm(const struct procfs_key *key, struct textbuf *t);
int show_maps(const struct procfs_key *key, struct textbuf *t);
int show_limits(const struct procfs_key *key, struct textbuf *t);
