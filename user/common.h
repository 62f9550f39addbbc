/* SPDX-License-Identifier: MIT */
/* What Tally's programs share. Output goes through write(2) alone: no stdio buffers, no heap,
 * so that a program behaves the same when the machine has no page left. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <tally/cgroup.h>

#define PAGE_BYTES 4096L

extern const char *program;		/* set by main: the name in front of messages */

__attribute__((format(printf, 1, 2))) void out(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void warn(const char *fmt, ...);
__attribute__((format(printf, 2, 3), noreturn)) void die(int status, const char *fmt, ...);
int write_all(int fd, const char *data, size_t bytes);

const char *errno_name(int error);	/* "ENOMEM", or "errno 99" */
int parse_size(const char *text, long *out);	/* 8M, 4096, 2G; 0 or -1 */
int parse_count(const char *text, long *out);
long clock_ms(void);
void sleep_ms(long ms);

/* A report that its reader may look at while it is being kept: one line at the start of
 * fd 1, rewritten in place where fd 1 is a file. */
int rewrite(int fd, const char *line, size_t bytes);

/* Controls: 0 or more, or -errno. The text is always NUL-terminated. */
long control_text(const char *group, const char *control, char *buf, size_t size);
long control_number(const char *group, const char *control, long *out);
long control_set(const char *group, const char *control, const char *text);

/* The value of "key N" in a control's text such as memory.stat, or -1. */
long text_field(const char *text, const char *key);

/* Remove everything below dir, and dir itself, whatever its depth: no recursion, no heap.
 * Returns the number of directories removed, or -errno. Changes the working directory to "/". */
long remove_tree(const char *dir);
