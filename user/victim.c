/* SPDX-License-Identifier: MIT */
/*
 * The bystander: forks and waits, makes and removes a directory, over and over, and keeps one
 * line at the start of the file that is standard output: operations done, failures, and the
 * first failure's call and errno.
 *   victim [--idle] [--stop] [--count N] DIR
 * --idle: do nothing at all (the sibling of a baseline run).  --stop: pause at the first
 * failure.  --count N: end after N operations and exit 1 if any failed.
 * The child writes to some pages, as a program that does work would. With --stop each writes to
 * one more than the last, up to MOST_PAGES, then to one again: a bomb that takes what is free at
 * the low end makes it fail at the high one.
 */
#include "common.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define WORK_PAGES	8
#define MOST_PAGES	64

static volatile char work[MOST_PAGES * PAGE_BYTES];

static struct {
	long ops, failures;
	const char *call;
	int error;			/* errno, or 1000 + the signal that ended the child */
} done = { .call = "none" };

static void failed(const char *call, int error)
{
	if (!done.failures++) {
		done.call = call;
		done.error = error;
	}
}

static void keep_report(void)
{
	char line[96];
	int n = snprintf(line, sizeof(line), "ops=%010ld failures=%010ld call=%-5s errno=%04d\n",
			 done.ops, done.failures, done.call, done.error);

	rewrite(1, line, (size_t)n);
}

static void fork_once(long nr_pages)
{
	int status = 0;
	long pid = syscall(SYS_fork);

	if (pid < 0) {
		failed("fork", errno);
		return;
	}
	if (pid == 0) {
		for (long i = 0; i < nr_pages; i++)
			work[i * PAGE_BYTES]++;
		_exit(0);
	}
	if (waitpid((int)pid, &status, 0) < 0)
		failed("wait", errno);
	else if (status)
		failed("child", 1000 + (status & 0x7f));
	else
		done.ops++;
}

static void mkdir_once(const char *name)
{
	if (mkdir(name, 0755) < 0)
		failed("mkdir", errno);
	else if (rmdir(name) < 0)
		failed("rmdir", errno);
	else
		done.ops++;
}

int main(int argc, char **argv)
{
	const char *dir = NULL;
	char name[256];
	int idle = 0, stop = 0;
	long count = ~0ul >> 1;

	program = "victim";
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--idle"))
			idle = 1;
		else if (!strcmp(argv[i], "--stop"))
			stop = 1;
		else if (!strcmp(argv[i], "--count") && i + 1 < argc && !parse_count(argv[i + 1], &count))
			i++;
		else
			dir = argv[i];
	}
	if (idle)
		for (;;)
			pause();
	if (!dir)
		die(2, "usage: victim [--idle] [--stop] [--count N] DIR\n");
	snprintf(name, sizeof(name), "%s/victim.d", dir);
	for (long i = 0; i < MOST_PAGES; i++)
		work[i * PAGE_BYTES] = 1;
	while (done.ops + done.failures < count) {
		fork_once(stop ? 1 + done.ops % MOST_PAGES : WORK_PAGES);
		mkdir_once(name);
		keep_report();
		if (done.failures && stop)
			for (;;)
				pause();
	}
	return done.failures != 0;
}
