/* SPDX-License-Identifier: MIT */
/* Tally's own system calls: control of groups. Linux error convention. The kernel's
 * kernel/sys/abi.h repeats the numbers; a test compares the two. */
#pragma once
#include <stddef.h>
#include <unistd.h>
#include <sys/syscall.h>

#define SYS_cgroup_create	1000
#define SYS_cgroup_remove	1001
#define SYS_cgroup_attach	1002
#define SYS_cgroup_read		1003
#define SYS_cgroup_write	1004
#define SYS_cgroup_list		1005
#define SYS_cgroup_kill		1006
#define SYS_mm_audit		1007

/* Make the group at this absolute path; mode as for a directory. */
static inline long cgroup_create(const char *path, unsigned mode)
{
	return syscall(SYS_cgroup_create, path, mode);
}

/* Remove it: EBUSY while it has tasks or children. Charges move to the parent. */
static inline long cgroup_remove(const char *path)
{
	return syscall(SYS_cgroup_remove, path);
}

/* Move a process (0: the caller) into the group. */
static inline long cgroup_attach(const char *path, int pid)
{
	return syscall(SYS_cgroup_attach, path, pid);
}

/* Read a control file's whole text; returns its length, ERANGE when len is too small. */
static inline long cgroup_read(const char *path, const char *control, char *buf, size_t len)
{
	return syscall(SYS_cgroup_read, path, control, buf, len);
}

/* Write a control. Returns len. */
static inline long cgroup_write(const char *path, const char *control, const char *buf,
				size_t len)
{
	return syscall(SYS_cgroup_write, path, control, buf, len);
}

/* Names of the group's children, one a line. */
static inline long cgroup_list(const char *path, char *buf, size_t len)
{
	return syscall(SYS_cgroup_list, path, buf, len);
}

/* SIGKILL to every process of the group and of all below it. */
static inline long cgroup_kill(const char *path)
{
	return syscall(SYS_cgroup_kill, path);
}

/* Run the audit; its report goes to buf. Returns the report's length; EIO when something
 * differs (the report is still written). */
static inline long mm_audit(char *buf, size_t len)
{
	return syscall(SYS_mm_audit, buf, len);
}
