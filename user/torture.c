/* SPDX-License-Identifier: MIT */
/*
 * Everything at once, on every CPU: one worker for each CPU makes and removes groups, moves
 * tasks, sets limits, forks, waits, works on files, pipes and memory, at random, most of it on
 * groups and names that all workers share. After each round the workers stand still and the
 * kernel is audited; at the end all memory must be back.
 *   torture [--seed N] [--rounds R] [--cpus C] [--ops K] [--seconds S] [--verbose]
 * --cpus: workers (default: the CPUs there are).  --ops: operations of a worker in a round.
 * --seconds: rounds until S seconds are over, instead of R.
 * The same seed gives each worker the same sequence; what the others do meanwhile is its own.
 *
 * Each kind of operation must have succeeded and failed at least ENOUGH times, and only with
 * the errors it may fail with. Exit status 0 only then, with clean audits and nothing lost.
 *
 * Workers may stand in any group but the k ones (which are killed) and the tight ones: a page
 * fault that its group's limit refuses is a SIGKILL. Their page tables are complete before the
 * first round, so that no fault of theirs needs a page of kernel memory.
 */
#define _GNU_SOURCE
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#define MAX_CPUS	64
#define ENOUGH		20
#define TOP		"/torture"
#define WORK		"/tmp/torture"
#define NR_CHILDREN	6
#define NR_PIPES	4
#define NR_NAMES	20
#define ARENA_BYTES	(2l << 20)	/* what one page table maps */
#define SPARSE		0x100000000000ul /* children touch pages far apart from here on */
#define CHILD_OK	7
#define END_SECONDS	60
#define TABLE_PAGES	16		/* that map kernel stacks: made once, kept for ever */

enum kind {
	GROUP_CREATE, GROUP_REMOVE, GROUP_KILL, MOVE_SELF, MOVE_OTHER, SET_LIMIT, DRAIN, LOOK,
	FORK, EXIT, WAIT, FAULT, MKDIR, RMDIR, CREATE, WRITE, UNLINK, RENAME, PIPE, PIPE_IO, MMAP,
	MUNMAP, NR_KINDS,
};

static void group_create(void);
static void group_remove(void);
static void group_kill(void);
static void move_self(void);
static void move_other(void);
static void set_limit(void);
static void drain(void);
static void look(void);
static void make_child(void);
static void end_child(void);
static void wait_nobody(void);
static void make_dir(void);
static void remove_dir(void);
static void make_file(void);
static void write_file(void);
static void remove_file(void);
static void rename_any(void);
static void make_pipe(void);
static void use_pipe(void);
static void map(void);
static void unmap(void);

/* Name, weight, what does it, the errors it may fail with. EXIT and FAULT are the two ways of
 * looking at a child's end, counted where it is waited for. */
static const struct {
	const char *name;
	unsigned weight;
	void (*run)(void);
	int errors[10];
} kinds[NR_KINDS] = {
	[GROUP_CREATE] = { "create group", 10, group_create, { EEXIST, ENOENT, ENOMEM } },
	[GROUP_REMOVE] = { "remove group", 9, group_remove, { EBUSY, ENOENT } },
	[GROUP_KILL] = { "kill group", 3, group_kill, { ENOENT } },
	[MOVE_SELF] = { "move itself", 10, move_self, { ENOENT } },
	[MOVE_OTHER] = { "move another", 10, move_other, { ENOENT, ESRCH } },
	[SET_LIMIT] = { "set limit", 10, set_limit, { EBUSY, ENOENT } },
	[DRAIN] = { "drain", 3, drain, { ENOENT } },
	[LOOK] = { "read control", 4, look, { ENOENT, EIO } },
	[FORK] = { "fork", 14, make_child, { ENOMEM, EAGAIN } },
	[EXIT] = { "exit", 0, NULL, { 0 } },
	[WAIT] = { "wait", 10, end_child, { ECHILD } },
	[FAULT] = { "touch far apart", 0, NULL, { 0 } },
	[MKDIR] = { "mkdir", 12, make_dir, { EEXIST, ENOENT, ENOTDIR, ENOMEM } },
	[RMDIR] = { "rmdir", 10, remove_dir, { ENOENT, ENOTDIR, ENOTEMPTY, ENOMEM } },
	[CREATE] = { "create file", 10, make_file,
		     { EEXIST, ENOENT, ENOTDIR, EISDIR, ENOMEM } },
	[WRITE] = { "write file", 8, write_file, { ENOENT, ENOTDIR, EISDIR, ENOMEM } },
	[UNLINK] = { "unlink", 8, remove_file, { ENOENT, ENOTDIR, EISDIR, EPERM, ENOMEM } },
	[RENAME] = { "rename", 6, rename_any, { ENOENT, ENOTDIR, EISDIR, EEXIST, ENOTEMPTY,
						EINVAL, EBUSY, ENOMEM } },
	[PIPE] = { "pipe", 8, make_pipe, { EFAULT, ENOMEM } },
	[PIPE_IO] = { "pipe read/write", 8, use_pipe, { EAGAIN, ENOMEM } },
	[MMAP] = { "mmap", 8, map, { ENOMEM } },
	[MUNMAP] = { "munmap", 7, unmap, { EINVAL, ENOMEM } },
};

/* A worker's account of one round, as it goes through a pipe. */
struct account {
	uint32_t ok[NR_KINDS], failed[NR_KINDS], no_memory[NR_KINDS];
};

struct child {
	int pid;
	int faults;			/* it touches pages far apart */
	int pauses;			/* it ends when killed */
};

static struct {
	long seed, rounds, cpus, ops, seconds;
	int verbose;
} opt = { -1, 3, 0, 10000, 0, 0 };

static struct {
	int pid, go, account;		/* the parent's ends */
} workers[MAX_CPUS];

/* A worker's own. */
static struct {
	int nr;				/* which worker */
	long round, op;
	uint64_t random;
	struct account count;
	struct child children[NR_CHILDREN];
	int pipes[NR_PIPES][2];		/* 0, 0: none */
	int pids[MAX_CPUS];		/* of all workers */
	char *arena;
} me;

static struct account total;		/* the parent's */
static char text[64 * 1024];
static char block[64 * 1024];

/* --- chance */

static uint64_t any(void)
{
	me.random ^= me.random << 13;
	me.random ^= me.random >> 7;
	me.random ^= me.random << 17;
	return me.random >> 11;
}

static unsigned below(unsigned n)
{
	return (unsigned)(any() % n);
}

static int chance(unsigned percent)
{
	return below(100) < percent;
}

static void start_random(uint64_t a, uint64_t b)
{
	me.random = (a + 1) * 0x9e3779b97f4a7c15ull ^ (b + 1) * 0xbf58476d1ce4e5b9ull;
	for (int i = 0; i < 8; i++)
		any();
}

/* --- outcomes */

static void unexpected(enum kind kind, const char *what)
{
	warn("FAILED: worker %d, round %ld, operation %ld (seed %ld): %s: %s\n", me.nr, me.round,
	     me.op, opt.seed, kinds[kind].name, what);
	_exit(1);
}

static void outcome(enum kind kind, long ret)
{
	int error = errno;

	if (ret >= 0) {
		me.count.ok[kind]++;
		return;
	}
	me.count.failed[kind]++;
	me.count.no_memory[kind] += error == ENOMEM;
	for (int i = 0; i < 10; i++)
		if (kinds[kind].errors[i] == error)
			return;
	unexpected(kind, errno_name(error));
}

/* --- groups */

/* A shared group, one of those below it, or one nobody makes. */
static const char *some_group(void)
{
	static char path[48];
	unsigned which = below(16);

	if (which == 0)
		return TOP "/none/x";
	if (which < 10)
		snprintf(path, sizeof(path), TOP "/s%u", below(6));
	else
		snprintf(path, sizeof(path), TOP "/s%u/n%u", below(6), below(2));
	return path;
}

static const char *kill_group(void)
{
	static char path[48];

	snprintf(path, sizeof(path), TOP "/k%u", below(4));
	return path;
}

static const char *tight_group(void)
{
	return chance(50) ? TOP "/tight0" : TOP "/tight1";
}

static const char *any_group(void)
{
	unsigned which = below(8);

	return which == 0 ? tight_group() : which < 3 ? kill_group() : some_group();
}

static void group_create(void)
{
	outcome(GROUP_CREATE, cgroup_create(any_group(), 0755));
}

static void group_remove(void)
{
	outcome(GROUP_REMOVE, cgroup_remove(any_group()));
}

static void group_kill(void)
{
	outcome(GROUP_KILL, cgroup_kill(chance(10) ? TOP "/none/x" : kill_group()));
}

static void move_self(void)
{
	outcome(MOVE_SELF, cgroup_attach(chance(20) ? TOP : some_group(), 0));
}

/* Another worker, which most likely runs, or a child; sometimes one that is gone. */
static void move_other(void)
{
	struct child *child = &me.children[below(NR_CHILDREN)];

	if (chance(50))
		outcome(MOVE_OTHER, cgroup_attach(some_group(), me.pids[below((unsigned)opt.cpus)]));
	else
		outcome(MOVE_OTHER, cgroup_attach(any_group(), child->pid ? child->pid : 1 << 22));
}

static void set_limit(void)
{
	static const char *const roomy[] = { "-1", "256M", "64M", "8M", "4M", "2M" };
	int tight = chance(15);
	char value[16];

	if (tight)
		snprintf(value, sizeof(value), "%u", 4096 * (4 + below(40)));
	else if (chance(50))
		strcpy(value, roomy[below(6)]);
	else
		snprintf(value, sizeof(value), "%u", 4096 * below(120));
	outcome(SET_LIMIT, cgroup_write(tight ? tight_group() : chance(10) ? kill_group() : some_group(),
					"memory.kmem.limit_in_bytes", value, strlen(value)));
}

static void drain(void)
{
	outcome(DRAIN, cgroup_write(some_group(), "memory.force_empty", "1", 1));
}

static void look(void)
{
	static const char *const names[] = { "memory.kmem.slabinfo", "memory.kmem.usage_in_bytes",
					     "cgroup.procs", "memory.kmem.max_usage_in_bytes" };

	outcome(LOOK, cgroup_read(any_group(), names[below(4)], text, sizeof(text)));
}

/* --- children */

static void touch_far_apart(unsigned regions)
{
	for (unsigned i = 0; i < regions; i++) {
		char *p = mmap((void *)(SPARSE + ((unsigned long)i << 30)), 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		if (p == MAP_FAILED)
			_exit(errno == ENOMEM ? CHILD_OK : 1);
		*p = 1;
	}
}

static void child_main(const struct child *child, unsigned what)
{
	char name[64];
	int pid;

	if (child->faults) {
		(void)!cgroup_attach(chance(65) ? tight_group() : some_group(), 0);
		touch_far_apart(4 + below(24));
		_exit(CHILD_OK);
	}
	if (chance(60))
		(void)!cgroup_attach(chance(50) ? kill_group() : some_group(), 0);
	if (child->pauses)
		for (;;)
			pause();
	switch (what) {
	case 0:				/* leaves an orphan behind */
		pid = fork();
		if (pid == 0)
			sched_yield();
		break;
	case 1:				/* writes to shared pages */
		for (size_t i = 0; i < sizeof(block); i += 4096)
			block[i]++;
		break;
	case 2:
		snprintf(name, sizeof(name), WORK "/own%d-%d", me.nr, getpid());
		if (mkdir(name, 0755) == 0 && rmdir(name) < 0 && errno != ENOMEM)
			_exit(2);
		break;
	default:
		break;
	}
	_exit(CHILD_OK);
}

static void make_child(void)
{
	struct child *child = &me.children[below(NR_CHILDREN)];
	unsigned what = below(5);

	if (child->pid) {
		end_child();
		return;
	}
	child->faults = chance(35);
	child->pauses = !child->faults && chance(50);
	child->pid = fork();
	if (child->pid == 0)
		child_main(child, what);
	outcome(FORK, child->pid);
	if (child->pid < 0)
		child->pid = 0;
}

static void reap(struct child *child)
{
	int status;
	long pid;

	if (child->pauses && kill(child->pid, SIGKILL) < 0)
		unexpected(WAIT, "a child that was not waited for cannot be killed");
	pid = waitpid(child->pid, &status, 0);
	outcome(WAIT, pid);
	if (pid != child->pid)
		unexpected(WAIT, "another child than the one asked for");
	child->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) != CHILD_OK)
		unexpected(EXIT, "a child found something wrong");
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		unexpected(EXIT, "a child was ended by another signal than SIGKILL");
	if (WIFSIGNALED(status)) {
		me.count.failed[EXIT]++;
		me.count.failed[FAULT] += (unsigned)child->faults;
	} else {
		me.count.ok[EXIT]++;
		me.count.ok[FAULT] += (unsigned)child->faults;
	}
}

static void end_child(void)
{
	struct child *child = &me.children[below(NR_CHILDREN)];

	if (child->pid)
		reap(child);
	else
		wait_nobody();
}

static void wait_nobody(void)
{
	outcome(WAIT, waitpid(1 << 22, NULL, 0));
}

/* --- files */

static const char *some_name(char *path)
{
	char at[24] = "shared";

	if (chance(40))
		snprintf(at, sizeof(at), "w%d", me.nr);
	if (chance(70))
		snprintf(path, 64, WORK "/%s/n%u", at, below(NR_NAMES));
	else
		snprintf(path, 64, WORK "/%s/n%u/m%u", at, below(NR_NAMES), below(4));
	return path;
}

static void make_dir(void)
{
	char path[64];

	outcome(MKDIR, mkdir(some_name(path), 0755));
}

static void remove_dir(void)
{
	char path[64];

	outcome(RMDIR, rmdir(some_name(path)));
}

static void make_file(void)
{
	char path[64];
	int fd = open(some_name(path), O_WRONLY | O_CREAT | (chance(50) ? O_EXCL : 0), 0644);

	outcome(CREATE, fd);
	if (fd >= 0)
		close(fd);
}

/* A short write is what fitted: the refusal of the rest counts. */
static void write_file(void)
{
	char path[64];
	int fd = open(some_name(path), O_WRONLY | (chance(30) ? O_TRUNC : 0));
	size_t bytes = 1 + below(40000);
	ssize_t n;

	if (fd < 0) {
		outcome(WRITE, fd);
		return;
	}
	n = write(fd, block, bytes);
	if (n >= 0 && (size_t)n < bytes) {
		errno = ENOMEM;
		n = -1;
	}
	outcome(WRITE, n);
	close(fd);
}

static void remove_file(void)
{
	char path[64];

	outcome(UNLINK, unlink(some_name(path)));
}

static void rename_any(void)
{
	char from[64], to[64];

	some_name(from);
	outcome(RENAME, rename(from, some_name(to)));
}

/* --- pipes and memory */

static void make_pipe(void)
{
	int *p = me.pipes[below(NR_PIPES)];
	long ret;

	if (p[0]) {
		close(p[0]);
		close(p[1]);
		p[0] = p[1] = 0;
	}
	if (chance(5)) {
		outcome(PIPE, syscall(SYS_pipe2, 1l, O_NONBLOCK));
		return;
	}
	ret = pipe2(p, O_NONBLOCK);
	outcome(PIPE, ret);
	if (ret < 0)
		p[0] = p[1] = 0;
}

static void use_pipe(void)
{
	int *p = me.pipes[below(NR_PIPES)];

	if (!p[0]) {
		make_pipe();
		return;
	}
	if (chance(50))
		outcome(PIPE_IO, write(p[1], block, 1 + below(sizeof(block))));
	else
		outcome(PIPE_IO, read(p[0], text, 1 + below(sizeof(text))));
}

/* Inside the arena, whose one page table stays: its first page is always there. */
static void map(void)
{
	long at = 4096 * (1 + (long)below(ARENA_BYTES / 4096 - 17));
	size_t bytes = 4096 * (1 + below(16));
	char *p;

	if (chance(10))
		bytes = 1ul << 60;
	p = mmap(bytes >> 60 ? NULL : me.arena + at, bytes,
		 chance(70) ? PROT_READ | PROT_WRITE : PROT_READ,
		 MAP_PRIVATE | MAP_ANONYMOUS | (bytes >> 60 ? 0 : MAP_FIXED), -1, 0);
	outcome(MMAP, p == MAP_FAILED ? -1 : 0);
	if (p == MAP_FAILED)
		return;
	for (size_t i = 0; i < bytes; i += 4096)
		if (((volatile char *)p)[i] != 0)
			unexpected(MMAP, "fresh memory is not zero");
}

static void unmap(void)
{
	long at = 4096 * (1 + (long)below(ARENA_BYTES / 4096 - 17));

	outcome(MUNMAP, munmap(me.arena + at + (chance(10) ? 1 : 0), 4096 * (1 + below(16))));
}

/* --- a worker */

static enum kind choose(void)
{
	static unsigned total;
	unsigned at;

	if (!total)
		for (int k = 0; k < NR_KINDS; k++)
			total += kinds[k].weight;
	at = below(total);
	for (int k = 0; k < NR_KINDS; k++) {
		if (at < kinds[k].weight)
			return (enum kind)k;
		at -= kinds[k].weight;
	}
	return WAIT;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu % (unsigned)get_nprocs(), &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0 && errno != ENOSYS)
		die(1, "FAILED: worker %d cannot be pinned: %s\n", cpu, errno_name(errno));
}

static void touch_all(void)
{
	volatile char stack[128 * 1024];

	for (size_t i = 0; i < sizeof(stack); i += 1024)
		stack[i] = 1;
	memset(text, 1, sizeof(text));
	memset(block, 1, sizeof(block));
	memset(workers, 0, sizeof(workers));
	memset(&total, 0, sizeof(total));
	memset(&me, 0, sizeof(me));
}

static void arena_make(void)
{
	char *p = mmap(NULL, 2 * ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED)
		die(1, "FAILED: no memory for the arena\n");
	me.arena = (char *)(((uintptr_t)p + ARENA_BYTES - 1) & ~(uintptr_t)(ARENA_BYTES - 1));
	me.arena[0] = 1;
}

static void worker_round(void)
{
	memset(&me.count, 0, sizeof(me.count));
	start_random((uint64_t)opt.seed * MAX_CPUS + (unsigned)me.nr, (uint64_t)me.round);
	for (me.op = 0; me.op < opt.ops; me.op++)
		kinds[choose()].run();
	if (cgroup_attach("/", 0) < 0)
		unexpected(MOVE_SELF, "the root group cannot be entered");
}

/* Rounds as long as the parent says so: 'g' one more, 'q' let go of everything and end. */
static void worker_main(int nr, int go, int account)
{
	char word;

	touch_all();
	me.nr = nr;
	arena_make();
	pin(nr);
	if (read(go, me.pids, sizeof(me.pids)) != sizeof(me.pids))
		_exit(1);
	while (read(go, &word, 1) == 1 && word == 'g') {
		worker_round();
		me.round++;
		if (write(account, &me.count, sizeof(me.count)) != sizeof(me.count))
			_exit(1);
	}
	for (int i = 0; i < NR_CHILDREN; i++)
		if (me.children[i].pid)
			reap(&me.children[i]);
	_exit(0);
}

/* --- the parent */

static void worker_start(int nr)
{
	int go[2], account[2];

	if (pipe2(go, 0) < 0 || pipe2(account, O_NONBLOCK) < 0)
		die(1, "FAILED: pipe: %s\n", errno_name(errno));
	workers[nr].pid = fork();
	if (workers[nr].pid < 0)
		die(1, "FAILED: fork: %s\n", errno_name(errno));
	if (workers[nr].pid == 0)
		worker_main(nr, go[0], account[1]);
	close(go[0]);
	close(account[1]);
	workers[nr].go = go[1];
	workers[nr].account = account[0];
}

static void tell_all(const void *data, size_t bytes)
{
	for (int i = 0; i < opt.cpus; i++)
		if (write(workers[i].go, data, bytes) != (ssize_t)bytes)
			die(1, "FAILED: worker %d does not listen\n", i);
}

/* All accounts of this round. A worker that ended has said why. */
static void hear_all(void)
{
	struct account a;
	int status = 0;

	for (int i = 0; i < opt.cpus; i++) {
		while (read(workers[i].account, &a, sizeof(a)) != sizeof(a)) {
			for (int k = 0; k < opt.cpus; k++)
				if (waitpid(workers[k].pid, &status, WNOHANG) == workers[k].pid)
					die(1, "FAILED: worker %d (process %d) ended with wait status "
					    "%#x (seed %ld)\n", k, workers[k].pid, status, opt.seed);
			sleep_ms(5);
		}
		for (int k = 0; k < NR_KINDS; k++) {
			total.ok[k] += a.ok[k];
			total.failed[k] += a.failed[k];
			total.no_memory[k] += a.no_memory[k];
		}
	}
}

static int audit_clean(long *pages)
{
	const char *at;

	memset(text, 0, sizeof(text));
	if (mm_audit(text, sizeof(text) - 1) < 0) {
		warn("audit: %s\n%.900s\n", errno_name(errno), text);
		return 0;
	}
	at = strstr(text, "clean, ");
	*pages = at ? strtol(at + 7, NULL, 10) : -1;
	return at != NULL;
}

/* Pages that are free or in slabs of the machine's caches: what is not is somebody's. */
static long spare_pages(void)
{
	struct sysinfo info;
	long pages, objects, size, per_slab, slab_pages, active, slabs;

	if (sysinfo(&info) < 0 || control_text("/", "memory.kmem.slabinfo", text, sizeof(text)) < 0)
		return -1;
	pages = (long)(info.freeram * info.mem_unit / PAGE_BYTES);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%*s %ld %ld %ld %ld %ld : tunables %*d %*d %*d : slabdata %ld %ld",
			   &active, &objects, &size, &per_slab, &slab_pages, &active, &slabs) == 7)
			pages += slabs * slab_pages;
	}
	return pages;
}

static void remove_below(const char *path)
{
	char names[1024], child[64];
	long n = cgroup_list(path, names, sizeof(names) - 1);

	names[n > 0 ? n : 0] = 0;
	for (char *name = strtok(names, "\n"); name; name = strtok(NULL, "\n")) {
		snprintf(child, sizeof(child), "%s/%s", path, name);
		for (int i = 0; i < 2; i++) {
			char below_it[80];

			snprintf(below_it, sizeof(below_it), "%s/n%d", child, i);
			cgroup_remove(below_it);
		}
		if (cgroup_remove(child) < 0 && errno != EBUSY)
			warn("remove %s: %s\n", child, errno_name(errno));
	}
}

/* End all tasks, remove files and groups. What is still charged then, in pages. */
static long let_go(void)
{
	long bytes = -1, until = clock_ms() + END_SECONDS * 1000, r;

	tell_all("q", 1);
	for (int i = 0; i < opt.cpus; i++) {
		int status = -1;

		if (waitpid(workers[i].pid, &status, 0) != workers[i].pid || status)
			die(1, "FAILED: worker %d ended with wait status %#x\n", i, status);
		close(workers[i].go);
		close(workers[i].account);
	}
	cgroup_kill(TOP);
	r = remove_tree(WORK);
	if (r < 0)
		warn("remove %s: %s\n", WORK, errno_name((int)-r));
	for (; clock_ms() < until && bytes; sleep_ms(10)) {
		remove_below(TOP);
		control_set(TOP, "memory.force_empty", "1");
		if (cgroup_list(TOP, text, sizeof(text)) == 0)
			control_number(TOP, "memory.kmem.usage_in_bytes", &bytes);
	}
	if (bytes > 0 && opt.verbose && control_text(TOP, "memory.kmem.slabinfo", text, sizeof(text)) > 0)
		warn("left:\n%.900s\n", text);
	return cgroup_remove(TOP) < 0 ? -errno : bytes / PAGE_BYTES;
}

static int table(void)
{
	int enough = 1;

	out("%-18s %9s %9s %9s\n", "operation", "succeeded", "failed", "no memory");
	for (int k = 0; k < NR_KINDS; k++) {
		int few = total.ok[k] < ENOUGH || total.failed[k] < ENOUGH ||
			  ((k == FORK || k == MKDIR) && total.no_memory[k] < ENOUGH);

		out("%-18s %9u %9u %9u%s\n", kinds[k].name, total.ok[k], total.failed[k],
		    total.no_memory[k], few ? "   too few" : "");
		enough &= !few;
	}
	return enough;
}

static void parse_args(int argc, char **argv)
{
	static const struct { const char *name; long *value, least; } words[] = {
		{ "--seed", &opt.seed, 0 }, { "--rounds", &opt.rounds, 1 },
		{ "--cpus", &opt.cpus, 1 }, { "--ops", &opt.ops, 1 }, { "--seconds", &opt.seconds, 1 },
	};

	for (int i = 1; i < argc; i++) {
		size_t k = 0;

		if (!strcmp(argv[i], "--verbose")) {
			opt.verbose = 1;
			continue;
		}
		while (k < 5 && strcmp(argv[i], words[k].name))
			k++;
		if (k == 5 || i + 1 == argc || parse_count(argv[i + 1], words[k].value) ||
		    *words[k].value < words[k].least)
			die(2, "usage: torture [--seed N] [--rounds R] [--cpus C] [--ops K]\n"
			       "               [--seconds S] [--verbose]\n");
		i++;
	}
	if (!opt.cpus)
		opt.cpus = get_nprocs();
	if (opt.cpus > MAX_CPUS)
		die(2, "--cpus: at most %d\n", MAX_CPUS);
	while (opt.seed < 0)
		if (getrandom(&opt.seed, 4, 0) != 4 || (opt.seed &= 0x7fffffff) < 0)
			die(1, "no random numbers\n");
}

static void prepare(void)
{
	char dir[64];

	mkdir("/tmp", 0777);
	if (cgroup_create(TOP, 0755) < 0 || control_set(TOP, "memory.kmem.limit_in_bytes", "1024G") ||
	    control_set(TOP, "memory.kmem.limit_in_bytes", "-1"))
		die(1, "FAILED: %s cannot be made: %s\n", TOP, errno_name(errno));
	mkdir(WORK, 0755);
	mkdir(WORK "/shared", 0755);
	for (int i = 0; i < opt.cpus; i++) {
		snprintf(dir, sizeof(dir), WORK "/w%d", i);
		if (mkdir(dir, 0755) < 0)
			die(1, "FAILED: %s: %s\n", dir, errno_name(errno));
	}
	for (int i = 0; i < opt.cpus; i++)
		worker_start(i);
	memset(me.pids, 0, sizeof(me.pids));
	for (int i = 0; i < opt.cpus; i++)
		me.pids[i] = workers[i].pid;
	tell_all(me.pids, sizeof(me.pids));
}

/* The rounds. Returns how many audits were not clean. */
static int run_rounds(void)
{
	long start = clock_ms(), pages = 0;
	int unclean = 0;

	for (long r = 0; opt.seconds ? clock_ms() - start < opt.seconds * 1000 : r < opt.rounds; r++) {
		long began = clock_ms();
		int clean;

		tell_all("g", 1);
		hear_all();
		clean = audit_clean(&pages);
		unclean += !clean;
		out("round %ld: %ld operations on %ld workers, audit %s, %ld pages charged, %ld ms\n",
		    r + 1, opt.ops * opt.cpus, opt.cpus, clean ? "clean" : "NOT clean", pages,
		    clock_ms() - began);
	}
	return unclean;
}

/* The whole run but for the count of pages. Exit status 0: passed. */
static int run(void)
{
	const char *why = NULL;
	long left, pages;
	int unclean;

	touch_all();
	prepare();
	unclean = run_rounds();
	left = let_go();
	unclean += !audit_clean(&pages);
	if (!table())
		why = "a kind of operation succeeded or failed too rarely";
	out("charged at the end: %ld pages\n", left);
	if (left)
		why = "not all was given back by the groups";
	if (unclean)
		why = "an audit is not clean";
	if (why)
		out("torture: FAILED: %s (seed %ld)\n", why, opt.seed);
	return why != NULL;
}

/* The run is a child's, so that its own pages are no part of the count. */
int main(int argc, char **argv)
{
	long before, after, until;
	int pid, status = -1;

	program = "torture";
	parse_args(argc, argv);
	out("torture: seed %ld, %ld workers, %d CPUs, %ld operations each in a round\n", opt.seed,
	    opt.cpus, get_nprocs(), opt.ops);
	spare_pages();			/* its own pages are there before they count */
	before = spare_pages();
	pid = fork();
	if (pid == 0)
		_exit(run());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		out("torture: FAILED: wait status %#x (seed %ld)\n", status, opt.seed);
		return 1;
	}
	after = spare_pages();
	for (until = clock_ms() + 2000; after < before - TABLE_PAGES && clock_ms() < until; sleep_ms(10))
		after = spare_pages();	/* what the kernel's worker destroys comes a little later */
	out("free or in slabs: %ld pages before, %ld after; at most %d may be tables of the stack "
	    "area\n", before, after, TABLE_PAGES);
	if (before < 0 || after < before - TABLE_PAGES) {
		out("torture: FAILED: pages were lost (seed %ld)\n", opt.seed);
		return 1;
	}
	out("torture: passed\n");
	return 0;
}
