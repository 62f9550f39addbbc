/* SPDX-License-Identifier: MIT */
/*
 * Sub-tests of a guest test program. Each TEST runs in a process of its own, in an empty
 * working directory of its own and, where the kernel has groups, in a group of its own with a
 * kernel-memory limit. Afterwards the group's usage must be 0 again and the audit clean, so
 * every test is a leak test as well. One line each on standard output: "ok NAME" or
 * "not ok NAME why". Without groups (Linux) only what the test itself says counts: the tests
 * of the Linux ABI must pass there too.
 */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include "../../../user/common.h"

#pragma GCC diagnostic ignored "-Wformat-zero-length"	/* CHECK without a text */

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(name) \
	static void test_##name(void); \
	static const struct test entry_##name \
		__attribute__((section("tests"), used, aligned(8))) = { #name, test_##name }; \
	static void test_##name(void)

/* The condition must hold, else the test ends here with the text. */
#define CHECK(cond, ...) \
	do { \
		if (!(cond)) \
			t_fail(__LINE__, #cond, "" __VA_ARGS__); \
	} while (0)

/* The call must fail with this errno. */
#define FAILS(error, call) \
	do { \
		errno = 0; \
		long ret_ = (long)(call); \
		if (ret_ != -1 || errno != (error)) \
			t_fail(__LINE__, #call, "returned %ld, errno %s, not %s", ret_, \
			       t_errno(errno), #error); \
	} while (0)

/* The call must not return -1. */
#define WORKS(call) \
	({ \
		errno = 0; \
		long ret_ = (long)(call); \
		if (ret_ == -1) \
			t_fail(__LINE__, #call, "%s", t_errno(errno)); \
		ret_; \
	})

extern const char *t_self;		/* this program's path */
extern int t_groups;			/* the kernel has groups */
extern char t_group[32];		/* the group of the running test */

__attribute__((format(printf, 3, 4), noreturn))
void t_fail(int line, const char *what, const char *fmt, ...);
const char *t_errno(int error);
int t_main(int argc, char **argv);

/* Run fn(arg) in a child; its wait status. */
int t_child(void (*fn)(void *), void *arg);
int t_wait(int pid);			/* wait status of this child */
void t_expect_signal(void (*fn)(void *), void *arg, int sig);
void t_file(const char *path, const char *contents);
long t_usage(void);			/* K usage of the test's group in bytes, -1: no groups */
long t_rounds(long many);		/* so many on several CPUs, a tenth on one, where whoever
					 * spins holds up the others for whole slices */
