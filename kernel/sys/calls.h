/* SPDX-License-Identifier: MIT */
/* The calls as C functions, and what they share: each checks its arguments, then calls a core
 * of a lower floor. */
#pragma once
#include "arch/trap.h"
#include "arch/uaccess.h"
#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"
#include "kernel/sys/abi.h"

struct syscall {
	u64 arg[6];			/* as the user gave them: an int is the low half */
	struct regs *regs;
};

#define DECLARE_CALL(nr, name) long sys_##name(struct syscall *c);
LINUX_CALLS(DECLARE_CALL)
TALLY_CALLS(DECLARE_CALL)
#undef DECLARE_CALL

/* user.c */
int user_path(uaddr_t user, char **out) must_check;	/* freed by kfree() */
int user_string(uaddr_t user, size_t size, gfp_t gfp, char **out) must_check;
int user_put(uaddr_t user, const void *data, size_t bytes) must_check;
int user_get(void *data, uaddr_t user, size_t bytes) must_check;
struct file *user_file(int fd) must_check;		/* the caller's, referenced, or NULL */
struct file *user_file_any(int fd) must_check;		/* O_PATH too */
int user_file_for(int fd, unsigned may, struct file **out) must_check;	/* MAY_READ, _WRITE */

/* sys_proc.c */
long user_put_rusage(uaddr_t user, u64 cpu_ns, u64 user_ns, unsigned long max_pages)
	must_check;

/* sys_time.c */
int user_timespec(uaddr_t user, u64 *ns) must_check;
u64 time_from_realtime(u64 ns);

/* Where the relative paths of an *at() call start. */
struct at_base {
	struct fs_context *fs;		/* what to hand to the vfs */
	struct fs_context own;		/* a stand-in whose cwd is the descriptor's directory */
};

int at_begin(struct at_base *base, int dirfd, const char *path) must_check;
void at_end(struct at_base *base);

/* What a path or a descriptor of the user's stands for. */
struct target {
	struct inode *inode;		/* referenced */
	struct path path;		/* referenced; all NULL for what has no name */
	bool by_fd;			/* the path was empty */
};

#define LOOKUP_EMPTY	0x100u		/* AT_EMPTY_PATH; target_get() alone knows it */

int target_get(int dirfd, uaddr_t user, unsigned lookup, struct target *t) must_check;
int target_of(struct file *file, struct target *t) must_check;
void target_put(struct target *t);
int target_may_write(const struct target *t) must_check;

/* table.c: how often a number that is not there was asked for */
unsigned long sys_unknown_count(unsigned nr);
void sys_init(void);			/* /proc/sys/kernel/enosys */
