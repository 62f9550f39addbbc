/* SPDX-License-Identifier: MIT */
/*
 * A fork bomb and a mkdir loop, each run twice beside a victim: without a limit, where the
 * machine itself runs out and the victim fails, and inside a group with a limit on kernel
 * memory, where only the group is refused. What the limit allows is computed and printed
 * before the bomb starts. Exit status 0: contained, as predicted, nothing left charged.
 * On one CPU the fork bomb reaches exactly what was predicted. On several, children may leave
 * part-filled slabs behind on each: it reaches no more than predicted, less only by what such
 * slabs can hold, and its end is justified by what is there then: the pages that are left are
 * fewer than one more child needs, free objects of the group's slabs taken into account.
 *   demo [all|forkbomb|mkdirloop] [--limit 8M] [--span MS] [--room MIB] [--tries N] [--limited]
 *        [--verbose]
 * --span: how long the victim is measured: before, beside, and after the bomb.  --room: memory left
 * to the run without a limit (the rest is taken by files first; 0: take nothing).
 * --tries: how often the run with a limit is made when the host seems to disturb the victim.
 * --limited: only the run with a limit.  --verbose: the listings the prediction was made from.
 *
 * The supervisor must outlive a machine without one free page: it allocates nothing, has all
 * its pages before it starts, and reads reports from files that exist.
 */
#include "common.h"
#include "predict.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#define WORK		"/tmp/demo"
#define STUDENT		1000		/* user and group */
#define BOMB_REPORT	WORK "/bomb"
#define VICTIM_REPORT	WORK "/victim"
#define CHAIN		WORK "/chain"
#define BALLAST		WORK "/ballast"
#define BALLAST_FILE	(8l << 20)
#define FIXED_COUNT	200000		/* forks or directories, should the victim never fail */
#define FIXED_MS	120000
#define ENOUGH_PERCENT	80
#define WINDOWS		10		/* of a span: the median of them is the victim's rate */
#define LISTING		(16l << 10)	/* room for a control's text: the kernel needs as much */

enum kind { FORKBOMB, MKDIRLOOP };

static const char *const kind_name[] = { "forkbomb", "mkdirloop" };
static const char *const kind_path[] = { "/bin/forkbomb", "/bin/mkdirloop" };
static const char *const kind_unit[] = { "children", "directories" };

static struct {
	long limit, span_ms, room_mib, tries;
	int verbose, limited_only;
} opt = { 8l << 20, 1000, -1, 6, 0, 0 };

/* One column of the table. */
struct result {
	long predicted, reached;
	char call[8];
	int error, killed;		/* of the bomb: errno, or the signal it died of */
	long usage, limit, failcnt;	/* pages, pages, count */
	long slack;			/* pages in the largest slab that a step may need */
	long one_more;			/* pages that one more step needed at the end */
	long shortfall, most_short;	/* predicted and not reached; the most that is right */
	long ops, failures;		/* of the victim, beside the bomb */
	long rate, base_rate;		/* operations in a median window: beside, and without */
	char victim_call[8];
	int victim_error;		/* errno, 1000 + signal of its child, 2000 + its own */
	const char *ended_by;
	int audit_clean, back;
	long usage_after;
};

struct bomb {
	char group[32];
	int pid, go;			/* go: a byte written here starts it */
	int report;			/* its line */
};

static int nr_cpus;
static char text[256 * 1024];
static struct listing list_a, list_b;
static struct step step;

/* --- small parts */

static void touch_stack(void)
{
	volatile char room[96 * 1024];

	for (size_t i = 0; i < sizeof(room); i += 1024)
		room[i] = 1;
}

static int make_file(const char *path)
{
	static const char blank[96] = { [0 ... 94] = ' ', [95] = '\n' };
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write_all(fd, blank, sizeof(blank)))
		die(1, "%s: %s\n", path, strerror(errno));
	return fd;
}

static const char *read_line_of(int fd)
{
	static char line[128];
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);

	line[n > 0 ? n : 0] = 0;
	return line;
}

static long field(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

static void field_word(const char *line, const char *key, char *word, size_t size)
{
	const char *at = strstr(line, key);
	size_t n = at ? strcspn(at + strlen(key), " \n") : 0;

	if (n >= size)
		n = size - 1;
	if (n)
		memcpy(word, at + strlen(key), n);
	word[n] = 0;
}

/* From here on an ordinary user, whom nothing holds back but the group. */
static void become_student(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_NPROC, &unlimited) < 0 || setgroups(0, NULL) < 0 ||
	    setgid(STUDENT) < 0 || setuid(STUDENT) < 0)
		die(1, "becoming user %d: %s\n", STUDENT, strerror(errno));
}

/* Start a program as the student, with standard input and output as given, inside a group. */
static int start(const char *group, int in, int to, char *const argv[])
{
	static char *const env[] = { "PATH=/bin", NULL };
	int pid = fork();

	if (pid < 0)
		die(1, "fork: %s\n", strerror(errno));
	if (pid)
		return pid;
	if (group && cgroup_attach(group, 0) < 0)
		die(1, "attach %s: %s\n", group, strerror(errno));
	if (in >= 0)
		dup2(in, 0);
	dup2(to, 1);
	become_student();
	execve(argv[0], argv, env);
	die(1, "%s: %s\n", argv[0], strerror(errno));
}

/* A bomb that waits at its start line, in a new group. Without a limit (NULL) it does not stop
 * at a refusal. */
static void bomb_start(struct bomb *b, enum kind kind, const char *group, const char *limit,
		       long max)
{
	char *again = limit ? NULL : "--again";
	char count[24];
	char *fork_argv[] = { (char *)kind_path[kind], "--wait", "--keep", count, again, NULL };
	char *dir_argv[] = { (char *)kind_path[kind], "--wait", CHAIN, count, again, NULL };
	int pipe_fd[2];
	long r;

	snprintf(b->group, sizeof(b->group), "%s", group);
	snprintf(count, sizeof(count), "%ld", max);
	if (cgroup_create(group, 0755) < 0)
		die(1, "create %s: %s\n", group, strerror(errno));
	r = control_set(group, "memory.kmem.limit_in_bytes", limit ? limit : "1024G");
	if (r < 0)
		die(1, "limit %s: %s\n", limit ? limit : "none", strerror((int)-r));
	if (!limit)			/* counted from now on, and bounded by the machine alone */
		control_set(group, "memory.kmem.limit_in_bytes", "-1");
	if (kind == MKDIRLOOP && (mkdir(CHAIN, 0755) < 0 || chown(CHAIN, STUDENT, STUDENT) < 0))
		die(1, "%s: %s\n", CHAIN, strerror(errno));
	b->report = make_file(BOMB_REPORT);
	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		die(1, "pipe: %s\n", strerror(errno));
	b->pid = start(group, pipe_fd[0], b->report, kind == FORKBOMB ? fork_argv : dir_argv);
	close(pipe_fd[0]);
	b->go = pipe_fd[1];
	for (long until = clock_ms() + 10000; field(read_line_of(b->report), "done=") < 0;) {
		if (clock_ms() > until || waitpid(b->pid, NULL, WNOHANG) == b->pid)
			die(1, "%s does not start\n", kind_name[kind]);
		sleep_ms(10);
	}
	sleep_ms(20);			/* from its line to its read() */
}

static void bomb_go(struct bomb *b)
{
	if (write(b->go, "g", 1) != 1)
		die(1, "go: %s\n", strerror(errno));
}

static long group_pages(const char *group, const char *control)
{
	long bytes;
	long r = control_number(group, control, &bytes);

	return r < 0 ? r : bytes / PAGE_BYTES;
}

/* Wait until the bomb has said its last line, or has taken nothing more for so long. 0, or the
 * signal that ended it. */
static int bomb_wait(struct bomb *b, long ms)
{
	long until = clock_ms() + ms, usage, before = -1;
	int status;

	for (; clock_ms() < until; sleep_ms(10)) {
		if (field(read_line_of(b->report), "done=") == 1)
			return 0;
		if (b->pid && waitpid(b->pid, &status, WNOHANG) == b->pid) {
			b->pid = 0;
			return WIFSIGNALED(status) ? WTERMSIG(status) : 255;
		}
		usage = group_pages(b->group, "memory.kmem.max_usage_in_bytes");
		if (usage > before) {
			before = usage;
			until = clock_ms() + ms;
		}
	}
	return 0;
}

static void show_listing(const char *title)
{
	if (!opt.verbose)
		return;
	out("listing %s\n", title);
	write_all(1, text, strlen(text));	/* longer than out() can hold */
	out("end\n");
}

static long group_listing(const char *group, struct listing *l, const char *title)
{
	long n = control_text(group, "memory.kmem.slabinfo", text, LISTING);

	if (n < 0)
		die(1, "slabinfo of %s: %s\n", group, strerror((int)-n));
	listing_parse(l, text);
	show_listing(title);
	return n;
}

/* Kill all in the group, remove its tree, shrink its caches, remove it. The pages it still
 * had before removal: 0 when all came back. */
static long bomb_end(struct bomb *b, enum kind kind)
{
	long left = -1, until = clock_ms() + 60000, removed;

	while (cgroup_kill(b->group) < 0 && clock_ms() < until)
		sleep_ms(10);		/* its path may need a page that is just being freed */
	if (b->pid)
		while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
			;
	close(b->go);
	close(b->report);
	while (control_text(b->group, "cgroup.procs", text, 8) != 0 && clock_ms() < until)
		sleep_ms(10);
	if (kind == MKDIRLOOP) {
		removed = remove_tree(CHAIN);
		if (removed < 0)
			warn("remove %s: %s\n", CHAIN, strerror((int)-removed));
	}
	for (; clock_ms() < until; sleep_ms(10)) {
		control_set(b->group, "memory.force_empty", "1");
		left = group_pages(b->group, "memory.kmem.usage_in_bytes");
		if (left == 0)
			break;
		if (until > clock_ms() + 5000 && left > 0 && kind == MKDIRLOOP)
			until = clock_ms() + 5000;
	}
	if (cgroup_remove(b->group) < 0)
		warn("remove %s: %s\n", b->group, strerror(errno));
	return left;
}

static int audit_clean(void)
{
	long n = mm_audit(text, LISTING);

	if (n >= 0)
		return 1;
	warn("audit: %s\n%.800s", strerror(errno), errno == EIO ? text : "\n");
	return 0;
}

/* --- the prediction */

/* A few steps in a group of their own tell what one step takes of each cache. */
static void calibrate(enum kind kind)
{
	long steps = kind == FORKBOMB ? 8 : 64, stack;
	struct bomb b;

	bomb_start(&b, kind, "/demo-trial", "1G", steps);
	control_set(b.group, "memory.force_empty", "1");
	group_listing(b.group, &list_a, "trial, before");
	bomb_go(&b);
	bomb_wait(&b, 10000);
	sleep_ms(20);
	group_listing(b.group, &list_b, kind == FORKBOMB ? "trial, after 8" : "trial, after 64");
	step_measure(&step, &list_a, &list_b, steps);
	step.stack_pages = step.table_pages = 0;
	if (kind == FORKBOMB) {
		control_text(b.group, "memory.stat", text, LISTING);
		stack = text_field(text, "kernel_stack");
		step.stack_pages = stack < 0 ? 0 : stack / PAGE_BYTES / steps;
		step.table_pages = elf_table_pages(kind_path[kind]);
		step.transient_pages = 0;	/* fork keeps nothing it does not need later */
	}
	bomb_end(&b, kind);
}

static void print_step(enum kind kind)
{
	int column = 0;

	out("one %s takes:", kind == FORKBOMB ? "child" : "directory");
	for (int i = 0; i < step.nr; i++) {
		long objects = (long)step.per[i].objects;

		if (column++ % 4 == 0)
			out("\n   ");
		if ((double)objects == step.per[i].objects)
			out(" %s %ld", step.per[i].name, objects);
		else
			out(" %s %ld/100", step.per[i].name, (long)(step.per[i].objects * 100));
	}
	if (kind == FORKBOMB)
		out("\n    stack pages %ld, page tables %ld", step.stack_pages, step.table_pages);
	else if (step.transient_pages)
		out("\n    and %ld pages while a call runs", step.transient_pages);
	out("\n");
}

static void predict(struct result *r, struct bomb *b, enum kind kind)
{
	long usage;

	control_set(b->group, "memory.force_empty", "1");
	group_listing(b->group, &list_a, "start");
	usage = group_pages(b->group, "memory.kmem.usage_in_bytes");
	r->limit = group_pages(b->group, "memory.kmem.limit_in_bytes");
	r->predicted = predict_steps(&step, &list_a, usage, r->limit);
	r->slack = 1;
	for (int i = 0; i < step.nr; i++) {
		const struct cache_line *c = listing_find(&step.geometry, step.per[i].name);

		if (c->pages > r->slack)
			r->slack = c->pages;
	}
	print_step(kind);
	out("at the start %ld of %ld pages; predicted: %ld %s\n", usage, r->limit, r->predicted,
	    kind_unit[kind]);
}

/* What the end is judged by on several CPUs: the group as it stands when the bomb has been
 * refused. A shortfall comes from slabs that each CPU had begun of each cache. */
static void justify(struct result *r, struct bomb *b)
{
	long slab_pages = 0, one;

	group_listing(b->group, &list_b, "end");
	r->usage = group_pages(b->group, "memory.kmem.usage_in_bytes");
	r->one_more = pages_after(&step, &list_b, r->usage, 1) - r->usage + step.transient_pages;
	for (int i = 0; i < step.nr; i++)
		slab_pages += listing_find(&step.geometry, step.per[i].name)->pages;
	one = step.stack_pages + step.table_pages;
	r->shortfall = r->predicted - r->reached;
	r->most_short = one ? (nr_cpus * slab_pages + one - 1) / one : 0;
}

/* --- the victim */

static int victim_start(int *report, int stop)
{
	char *argv[] = { "/bin/victim", WORK, stop ? "--stop" : NULL, NULL };

	*report = make_file(VICTIM_REPORT);
	return start(NULL, -1, *report, argv);
}

static void victim_read(struct result *r, int report)
{
	const char *line = read_line_of(report);

	r->ops = field(line, "ops=");
	r->failures = field(line, "failures=");
	field_word(line, "call=", r->victim_call, sizeof(r->victim_call));
	r->victim_error = (int)field(line, "errno=");
}

/* Watch the victim for a span, a window at a time; the windows' counts go to window[].
 * Returns their sum. */
static long victim_watch(struct result *r, int report, long window[WINDOWS])
{
	long first, last;

	victim_read(r, report);
	first = last = r->ops;
	for (int i = 0; i < WINDOWS; i++) {
		sleep_ms(opt.span_ms / WINDOWS);
		victim_read(r, report);
		window[i] = r->ops - last;
		last = r->ops;
	}
	return last - first;
}

/* The median: what else the host does for a moment, or while one phase lasts, moves it little. */
static long median(long *window, int nr)
{
	for (int i = 1; i < nr; i++) {
		for (int k = i; k > 0 && window[k - 1] > window[k]; k--) {
			long w = window[k];

			window[k] = window[k - 1];
			window[k - 1] = w;
		}
	}
	return (window[(nr - 1) / 2] + window[nr / 2]) / 2;
}

static void victim_end(int pid, int report)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(report);
	rmdir(WORK "/victim.d");
}

static void bomb_result(struct result *r, struct bomb *b, enum kind kind)
{
	const char *line = read_line_of(b->report);
	long now;

	r->reached = field(line, kind == FORKBOMB ? "forks=" : "depth=");
	r->error = (int)field(line, "errno=");
	strcpy(r->call, "fork");
	if (kind == MKDIRLOOP)
		field_word(line, "call=", r->call, sizeof(r->call));
	now = group_pages(b->group, "memory.kmem.usage_in_bytes");
	if (now >= 0)
		r->usage = now;
	control_number(b->group, "memory.kmem.failcnt", &r->failcnt);
}

/* --- the two runs */

/* Take the machine's memory, all but room_mib of it, with files. Returns the files made. */
static int ballast_fill(long room_mib)
{
	int nr = 0, full = 0, keep;
	char name[64];

	if (room_mib == 0)
		return 0;
	mkdir(BALLAST, 0755);
	while (!full && nr < 9999) {
		int fd;

		snprintf(name, sizeof(name), BALLAST "/%04d", nr);
		fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (fd < 0)
			break;
		nr++;
		for (long n = 0; n < BALLAST_FILE && !full; n += (long)sizeof(text))
			full = write(fd, text, sizeof(text)) != (ssize_t)sizeof(text);
		close(fd);
	}
	keep = nr - (int)(room_mib / (BALLAST_FILE >> 20)) - 1;
	for (int i = nr - 1; i >= 0 && i >= keep; i--) {
		snprintf(name, sizeof(name), BALLAST "/%04d", i);
		unlink(name);
	}
	return keep > 0 ? keep : 0;
}

static void ballast_drop(void)
{
	if (access(BALLAST, F_OK) == 0 || errno == ENOSYS)
		remove_tree(BALLAST);
}

/* Until the victim fails, or the bomb has made its fixed count, or time is up. */
static void watch_free_run(struct result *r, struct bomb *b, int *victim, int report)
{
	long until = clock_ms() + FIXED_MS;
	int status;

	r->ended_by = "time";
	for (; clock_ms() < until; sleep_ms(5)) {
		const char *line;

		victim_read(r, report);
		if (r->failures > 0) {
			r->ended_by = "victim failed";
			break;
		}
		if (waitpid(*victim, &status, WNOHANG) == *victim) {
			*victim = 0;
			r->failures = 1;
			strcpy(r->victim_call, "run");
			r->victim_error = 2000 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
			r->ended_by = "victim killed";
			break;
		}
		line = read_line_of(b->report);
		if (field(line, "done=") == 1 && field(line, "errno=") == 0) {
			r->ended_by = "fixed count";
			return;
		}
	}
	r->killed = bomb_wait(b, 5000);
}

static void run_free(struct result *r, enum kind kind)
{
	long room = opt.room_mib >= 0 ? opt.room_mib : kind == FORKBOMB ? 64 : 16;
	int report, victim, taken;
	struct bomb b;

	memset(r, 0, sizeof(*r));
	r->predicted = r->limit = -1;
	taken = ballast_fill(room);
	if (taken)
		out("%ld MiB taken by files, about %ld MiB left to use up\n",
		    taken * (BALLAST_FILE >> 20), room);
	bomb_start(&b, kind, "/demo-free", NULL, FIXED_COUNT * (kind == MKDIRLOOP ? 10l : 1l));
	victim = victim_start(&report, 1);
	sleep_ms(100);
	bomb_go(&b);
	watch_free_run(r, &b, &victim, report);
	bomb_result(r, &b, kind);
	if (victim)
		victim_end(victim, report);
	else
		close(report);
	if (!r->usage)
		r->usage = group_pages(b.group, "memory.kmem.max_usage_in_bytes");
	control_number(b.group, "memory.kmem.failcnt", &r->failcnt);
	r->usage_after = bomb_end(&b, kind);
	r->back = r->usage_after == 0;
	ballast_drop();
	r->audit_clean = audit_clean();
}

static void run_limited(struct result *r, enum kind kind)
{
	struct bomb b;
	int report, victim;
	char limit[24];
	long idle[2 * WINDOWS], beside[WINDOWS], ops;

	memset(r, 0, sizeof(*r));
	snprintf(limit, sizeof(limit), "%ld", opt.limit);
	calibrate(kind);
	bomb_start(&b, kind, "/demo-limit", limit, ~0ul >> 1);
	predict(r, &b, kind);
	victim = victim_start(&report, 0);
	sleep_ms(100);
	victim_watch(r, report, idle);		/* beside the bomb that does not run yet */
	bomb_go(&b);
	ops = victim_watch(r, report, beside);
	r->killed = bomb_wait(&b, 20000);
	victim_watch(r, report, idle + WINDOWS);	/* beside the bomb that was refused */
	r->ops = ops;
	r->rate = median(beside, WINDOWS);
	r->base_rate = median(idle, 2 * WINDOWS);
	r->ended_by = "limit";
	bomb_result(r, &b, kind);
	if (kind == FORKBOMB && nr_cpus > 1)
		justify(r, &b);
	r->audit_clean = audit_clean();
	victim_end(victim, report);
	r->usage_after = bomb_end(&b, kind);
	r->back = r->usage_after == 0;
	r->audit_clean &= audit_clean();
}

/* --- the table */

static void cell_number(char *cell, long value, const char *none)
{
	if (value < 0)
		snprintf(cell, 32, "%s", none);
	else
		snprintf(cell, 32, "%ld", value);
}

static void row(const char *label, const char *a, const char *b)
{
	if (opt.limited_only)
		a = "-";
	out("  %-30s %20s %20s\n", label, a, b);
}

static void cell_victim(char *cell, const struct result *r)
{
	if (r->failures == 0)
		snprintf(cell, 32, "0");
	else if (r->victim_error >= 1000)
		snprintf(cell, 32, "%ld (%s: killed)", r->failures, r->victim_call);
	else
		snprintf(cell, 32, "%ld (%s: %s)", r->failures, r->victim_call,
			 errno_name(r->victim_error));
}

static void cell_error(char *cell, const struct result *r)
{
	if (r->killed)
		snprintf(cell, 32, "killed by signal %d", r->killed);
	else if (r->error)
		snprintf(cell, 32, "%s: %s", r->call, errno_name(r->error));
	else
		snprintf(cell, 32, "none");
}

static long percent(const struct result *r)
{
	return r->base_rate > 0 ? r->rate * 100 / r->base_rate : 0;
}

static void table(enum kind kind, const struct result *r)
{
	char a[32], b[32];
	const char *unit = kind == FORKBOMB ? "processes" : "depth";
	char label[40];

	out("\n  %-30s %20s %20s\n", kind_name[kind], "without a limit", "with a limit");
	snprintf(label, sizeof(label), "%s predicted", unit);
	cell_number(a, -1, "no bound");
	cell_number(b, r[1].predicted, "?");
	row(label, a, b);
	snprintf(label, sizeof(label), "%s reached", unit);
	cell_number(a, r[0].reached, "?");
	cell_number(b, r[1].reached, "?");
	row(label, a, b);
	if (kind == FORKBOMB && nr_cpus > 1) {
		snprintf(b, sizeof(b), "%ld of at most %ld", r[1].shortfall, r[1].most_short);
		row("short of predicted", "-", b);
		snprintf(b, sizeof(b), "%ld, needs %ld", r[1].limit - r[1].usage, r[1].one_more);
		row("pages left, for one more", "-", b);
	}
	cell_error(a, &r[0]);
	cell_error(b, &r[1]);
	row("refused", a, b);
	cell_number(a, r[0].usage, "?");
	snprintf(b, sizeof(b), "%ld of %ld", r[1].usage, r[1].limit);
	row("K usage, pages", a, b);
	cell_number(a, r[0].failcnt, "?");
	cell_number(b, r[1].failcnt, "?");
	row("K failcnt", a, b);
	cell_number(a, r[0].ops, "?");
	snprintf(b, sizeof(b), "%ld (%ld %%)", r[1].ops, percent(&r[1]));
	row("victim's operations", a, b);
	cell_victim(a, &r[0]);
	cell_victim(b, &r[1]);
	row("victim's failures", a, b);
	row("ended by", r[0].ended_by, r[1].ended_by);
	row("audit", r[0].audit_clean ? "clean" : "NOT clean", r[1].audit_clean ? "clean" : "NOT clean");
	snprintf(a, sizeof(a), r[0].back ? "yes" : "NO, %ld pages left", r[0].usage_after);
	snprintf(b, sizeof(b), r[1].back ? "yes" : "NO, %ld pages left", r[1].usage_after);
	row("all given back", a, b);
	out("\n");
}

/* Why the pair of runs does not show containment, or NULL. */
static const char *verdict(enum kind kind, const struct result *r)
{
	const struct result *l = &r[1];

	if (l->killed || l->error != ENOMEM)
		return "the limit did not end it with ENOMEM";
	if (kind == MKDIRLOOP && strcmp(l->call, "mkdir"))
		return "not refused by mkdir itself";
	if (kind == FORKBOMB && nr_cpus == 1 && l->reached != l->predicted)
		return "reached is not predicted";
	if (kind == FORKBOMB && l->reached > l->predicted)
		return "more reached than predicted";
	if (kind == FORKBOMB && nr_cpus > 1 && l->limit - l->usage >= l->one_more)
		return "refused although one more fits";
	if (kind == FORKBOMB && nr_cpus > 1 && l->shortfall > l->most_short)
		return "further from predicted than part-filled slabs explain";
	if (l->usage > l->limit)
		return "K usage above the limit";
	if (kind == MKDIRLOOP && l->limit - l->usage >= l->slack + step.transient_pages)
		return "refused more than a slab below the limit";
	if (l->failcnt < 1)
		return "failcnt did not rise";
	if (l->failures)
		return "the victim failed beside a limited group";
	if (percent(l) < ENOUGH_PERCENT)
		return "the victim was slowed down";
	if (!opt.limited_only && !r[0].failures && strcmp(r[0].ended_by, "fixed count"))
		return "without a limit the victim did not fail";
	if (!l->audit_clean || (!opt.limited_only && !r[0].audit_clean))
		return "the audit is not clean";
	if (!l->back || (!opt.limited_only && !r[0].back))
		return "usage did not return to the start";
	return NULL;
}

static const char *run_pair(enum kind kind)
{
	static struct result r[2];
	const char *why = NULL;

	memset(r, 0, sizeof(r));
	r[0].ended_by = "-";
	out("demo %s\n", kind_name[kind]);
	if (!opt.limited_only)
		run_free(&r[0], kind);
	for (int try = 1;; try++) {
		run_limited(&r[1], kind);
		why = verdict(kind, r);
		if (!why || percent(&r[1]) >= ENOUGH_PERCENT || r[1].failures || try >= opt.tries)
			break;
		out("victim at %ld %%: a busy host can do that; measured again\n",
		    percent(&r[1]));
	}
	table(kind, r);
	return why;
}

static void parse_args(int argc, char **argv, int run[2])
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(a, "all"))
			run[0] = run[1] = 1;
		else if (!strcmp(a, kind_name[0]))
			run[0] = 1;
		else if (!strcmp(a, kind_name[1]))
			run[1] = 1;
		else if (!strcmp(a, "--limit") && !parse_size(value, &opt.limit))
			i++;
		else if (!strcmp(a, "--span") && !parse_count(value, &opt.span_ms))
			i++;
		else if (!strcmp(a, "--room") && !parse_count(value, &opt.room_mib))
			i++;
		else if (!strcmp(a, "--tries") && !parse_count(value, &opt.tries))
			i++;
		else if (!strcmp(a, "--limited"))
			opt.limited_only = 1;
		else if (!strcmp(a, "--verbose"))
			opt.verbose = 1;
		else
			die(2, "usage: demo [all|forkbomb|mkdirloop] [--limit 8M] [--span MS]\n"
			       "            [--room MIB] [--tries N] [--limited] [--verbose]\n");
	}
	if (!run[0] && !run[1])
		run[0] = run[1] = 1;
}

int main(int argc, char **argv)
{
	const char *why = NULL, *bad_kind = "";
	int run[2] = { 0, 0 };

	program = "demo";
	parse_args(argc, argv, run);
	nr_cpus = get_nprocs();
	memset(text, 1, sizeof(text));
	memset(&list_a, 1, sizeof(list_a));
	memset(&list_b, 1, sizeof(list_b));
	memset(&step, 1, sizeof(step));
	touch_stack();
	if (cgroup_create("/demo-check", 0755) < 0)
		die(1, "no groups here: %s\n", strerror(errno));
	if (cgroup_remove("/demo-check") < 0)
		die(1, "remove /demo-check: %s\n", strerror(errno));
	mkdir("/tmp", 0777);
	mkdir(WORK, 0755);
	if (chown(WORK, STUDENT, STUDENT) < 0)
		die(1, WORK ": %s\n", strerror(errno));
	for (int kind = FORKBOMB; kind <= MKDIRLOOP; kind++) {
		const char *bad = run[kind] ? run_pair((enum kind)kind) : NULL;

		if (bad && !why) {
			why = bad;
			bad_kind = kind_name[kind];
		}
	}
	remove_tree(WORK);
	if (why)
		out("demo: NOT contained: %s: %s\n", bad_kind, why);
	else
		out("demo: contained\n");
	return why != NULL;
}
