/* SPDX-License-Identifier: MIT */
/*
 * Throughput: so many processes at once, each on a CPU of its own, each repeating one kind of
 * operation on things of its own for a while. One line for each kind: operations of all
 * processes in a second.
 *   bench [--procs P] [--ms T] [fork|pipe|mkdir|open|mmap]...
 */
#define _GNU_SOURCE
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define WORK	"/tmp/bench"
#define BATCH	16			/* operations between two looks at the clock */

static char mine[64];			/* this process's directory */

static void need(long ret, const char *what)
{
	if (ret < 0)
		die(1, "%s: %s\n", what, errno_name(errno));
}

static void do_fork(void)
{
	long pid = fork();

	need(pid, "fork");
	if (pid == 0)
		_exit(0);
	need(waitpid((int)pid, NULL, 0), "wait");
}

static void do_pipe(void)
{
	int p[2];

	need(pipe(p), "pipe");
	close(p[0]);
	close(p[1]);
}

static void do_mkdir(void)
{
	char name[80];

	snprintf(name, sizeof(name), "%s/d", mine);
	need(mkdir(name, 0755), "mkdir");
	need(rmdir(name), "rmdir");
}

static void do_open(void)
{
	char name[80];
	int fd;

	snprintf(name, sizeof(name), "%s/f", mine);
	fd = open(name, O_RDWR | O_CREAT, 0644);
	need(fd, "open");
	close(fd);
}

static void do_mmap(void)
{
	char *p = mmap(NULL, 16 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	need(p == MAP_FAILED ? -1 : 0, "mmap");
	for (int i = 0; i < 16; i++)
		p[i * PAGE_BYTES] = 1;
	need(munmap(p, 16 * PAGE_BYTES), "munmap");
}

static const struct { const char *name; void (*run)(void); } kinds[] = {
	{ "fork", do_fork }, { "pipe", do_pipe }, { "mkdir", do_mkdir }, { "open", do_open },
	{ "mmap", do_mmap },
};

static void process(int nr, void (*run)(void), int go, int result, long ms)
{
	long ops = 0, until;
	cpu_set_t set;
	char word;

	CPU_ZERO(&set);
	CPU_SET((unsigned)nr, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0 && errno != ENOSYS)
		die(1, "process %d cannot be pinned: %s\n", nr, errno_name(errno));
	snprintf(mine, sizeof(mine), WORK "/%d", nr);
	if (mkdir(mine, 0755) < 0 && errno != EEXIST)
		need(-1, mine);
	for (int i = 0; i < BATCH; i++)
		run();			/* warm */
	need(read(go, &word, 1), "go");
	for (until = clock_ms() + ms; clock_ms() < until; ops += BATCH)
		for (int i = 0; i < BATCH; i++)
			run();
	need(write(result, &ops, sizeof(ops)), "result");
	_exit(0);
}

static long bench(void (*run)(void), long procs, long ms)
{
	int go[2], result[2], status;
	long ops, total = 0;

	need(pipe(go), "pipe");
	need(pipe(result), "pipe");
	for (int i = 0; i < procs; i++) {
		int pid = fork();

		need(pid, "fork");
		if (pid == 0)
			process(i, run, go[0], result[1], ms);
	}
	sleep_ms(100);			/* all are warm */
	for (int i = 0; i < procs; i++)
		need(write(go[1], "g", 1), "go");
	for (int i = 0; i < procs; i++)
		if (wait(&status) < 0 || status)
			die(1, "a process failed: wait status %#x\n", status);
	for (int i = 0; i < procs; i++) {
		if (read(result[0], &ops, sizeof(ops)) != sizeof(ops))
			die(1, "a result is missing\n");
		total += ops;
	}
	close(go[0]);
	close(go[1]);
	close(result[0]);
	close(result[1]);
	return total * 1000 / ms;
}

int main(int argc, char **argv)
{
	size_t nr_kinds = sizeof(kinds) / sizeof(kinds[0]);
	long procs = 1, ms = 1000;
	unsigned wanted = 0;

	program = "bench";
	for (int i = 1; i < argc; i++) {
		size_t k = 0;

		while (k < nr_kinds && strcmp(argv[i], kinds[k].name))
			k++;
		if (k < nr_kinds)
			wanted |= 1u << k;
		else if (!strcmp(argv[i], "--procs") && i + 1 < argc && !parse_count(argv[i + 1], &procs))
			i++;
		else if (!strcmp(argv[i], "--ms") && i + 1 < argc && !parse_count(argv[i + 1], &ms))
			i++;
		else
			die(2, "usage: bench [--procs P] [--ms T] [fork|pipe|mkdir|open|mmap]...\n");
	}
	if (procs < 1 || ms < 1)
		die(2, "--procs and --ms: at least 1\n");
	mkdir("/tmp", 0777);
	mkdir(WORK, 0755);
	for (size_t k = 0; k < nr_kinds; k++)
		if (!wanted || wanted & 1u << k)
			out("%s %ld\n", kinds[k].name, bench(kinds[k].run, procs, ms));
	return remove_tree(WORK) < 0;
}
