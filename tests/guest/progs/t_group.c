/* SPDX-License-Identifier: MIT */
/* Groups: limits, charges, refusals, removal. The test's own group is t_group, limit 64M. */
#include "t.h"

#define K_LIMIT "memory.kmem.limit_in_bytes"
#define K_USAGE "memory.kmem.usage_in_bytes"
#define K_PEAK "memory.kmem.max_usage_in_bytes"
#define K_FAIL "memory.kmem.failcnt"

static char text[64 * 1024];

static long number(const char *group, const char *control)
{
	long value = -1, r = control_number(group, control, &value);

	CHECK(r >= 0, "%s %s: %s", group, control, t_errno((int)-r));
	return value;
}

static void set(const char *group, const char *control, const char *value)
{
	long r = control_set(group, control, value);

	CHECK(r >= 0, "%s %s %s: %s", group, control, value, t_errno((int)-r));
}

static const char *sub(const char *name)
{
	static char path[4][128];
	static int next;
	char *p = path[next++ & 3];

	snprintf(p, sizeof(path[0]), "%s/%s", t_group, name);
	return p;
}

static void make(const char *group, const char *limit)
{
	WORKS(cgroup_create(group, 0755));
	if (limit)
		set(group, K_LIMIT, limit);
}

/* Kill what lives in the group and remove it; its usage must be 0 before. */
static void unmake(const char *group)
{
	long left = -1;

	WORKS(cgroup_kill(group));
	for (int i = 0; i < 200; i++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (control_text(group, "cgroup.procs", text, sizeof(text)) == 0) {
			set(group, "memory.force_empty", "1");
			left = number(group, K_USAGE);
			if (left == 0)
				break;
		}
		sleep_ms(10);
	}
	CHECK(left == 0, "%ld bytes left in %s", left, group);
	WORKS(cgroup_remove(group));
}

static void audit(void)
{
	CHECK(mm_audit(text, sizeof(text)) >= 0, "audit: %.300s", text);
}

/* A child inside the group that runs fn; its wait status. */
static int inside(const char *group, void (*fn)(void *), void *arg)
{
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		WORKS(cgroup_attach(group, 0));
		fn(arg);
		_exit(0);
	}
	return t_wait(pid);
}

static void forks(void *arg)
{
	int *pids = arg, nr = 0, pid;

	while (nr < 4000 && (pid = fork()) > 0)
		pids[nr++] = pid;
	if (nr < 4000 && pid == 0)
		for (;;)
			pause();
	if (errno != ENOMEM)
		_exit(1);
	for (int i = 0; i < nr; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	_exit(nr > 3 && nr < 4000 ? 0 : 2);
}

static int pids[4000];

/* A call that fails raises failcnt by one. On several CPUs the page for a slab may be refused, and
 * then an object found after all, which the drain took from another CPU's store: one more. */
static void check_refusals(const char *g, long calls)
{
	long nr = number(g, K_FAIL);

	CHECK(sysconf(_SC_NPROCESSORS_ONLN) > 1 ? nr >= calls : nr == calls,
	      "failcnt %ld, %ld calls failed", nr, calls);
}

TEST(limit_stops_forks)
{
	const char *g = sub("a");

	make(g, "2M");
	CHECK(inside(g, forks, pids) == 0);
	check_refusals(g, 1);
	CHECK(number(g, K_PEAK) <= 2 << 20);
	CHECK(number(g, K_PEAK) > (2 << 20) - 128 * 1024);
	audit();
	unmake(g);
}

TEST(limit_again_and_again)
{
	const char *g = sub("a");

	make(g, "1M");
	for (int i = 0; i < 5; i++) {
		CHECK(inside(g, forks, pids) == 0);
		check_refusals(g, i + 1);
	}
	unmake(g);
}

static void files(void *arg)
{
	static char block[65536];
	int fd = open("big", O_WRONLY | O_CREAT, 0644);
	long total = 0, n;

	(void)arg;
	if (fd < 0)
		_exit(1);
	while ((n = write(fd, block, sizeof(block))) > 0)
		total += n;
	_exit(n == -1 && errno == ENOMEM && total > 512 * 1024 ? 0 : 2);
}

TEST(limit_stops_file_data)
{
	const char *g = sub("a");
	struct stat st;

	make(g, "1M");
	CHECK(inside(g, files, NULL) == 0);
	CHECK(number(g, K_USAGE) <= 1 << 20 && number(g, K_FAIL) >= 1);
	WORKS(stat("big", &st));
	CHECK(st.st_size > 512 * 1024 && st.st_size < 1 << 20);
	audit();
	WORKS(unlink("big"));
	unmake(g);
}

static void pipes(void *arg)
{
	static char block[65536];
	int p[2], nr = 0;

	(void)arg;
	while (pipe2(p, O_NONBLOCK) == 0) {
		if (write(p[1], block, sizeof(block)) <= 0)
			break;
		nr++;
	}
	_exit(errno == ENOMEM && nr > 2 ? 0 : 2);
}

TEST(limit_stops_pipes)
{
	const char *g = sub("a");

	make(g, "1M");
	CHECK(inside(g, pipes, NULL) == 0);
	CHECK(number(g, K_FAIL) >= 1);
	unmake(g);
}

static void dirs(void *arg)
{
	char name[16];
	int nr = 0;

	(void)arg;
	for (;; nr++) {
		snprintf(name, sizeof(name), "d%d", nr);
		if (mkdir(name, 0755) < 0)
			break;
	}
	_exit(errno == ENOMEM && nr > 100 ? 0 : 2);
}

TEST(limit_stops_mkdir)
{
	const char *g = sub("a");

	make(g, "1M");
	WORKS(mkdir("many", 0755));
	WORKS(chdir("many"));
	CHECK(inside(g, dirs, NULL) == 0);
	CHECK(number(g, K_FAIL) >= 1 && number(g, K_USAGE) <= 1 << 20);
	CHECK(number(g, K_USAGE) > (1 << 20) - 256 * 1024, "the directories stay charged");
	audit();
	WORKS(mkdir("outside", 0755));
	WORKS(chdir("/"));
	CHECK(remove_tree("/tmp/t/many") > 100);
	unmake(g);
}

static void maps(void *arg)
{
	unsigned long at = 0x10000000000;

	(void)arg;
	for (;; at += 1ul << 30) {
		char *p = mmap((void *)at, 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		if (p == MAP_FAILED)
			_exit(errno == ENOMEM ? 50 : 51);
		*p = 1;
	}
}

/* A fault refused a page table ends the process with SIGKILL (R4.2). */
TEST(limit_kills_at_a_fault)
{
	const char *g = sub("a");
	int status;

	make(g, "512K");
	status = inside(g, maps, NULL);
	CHECK(status == SIGKILL || status == 50 << 8, "status %#x", status);
	CHECK(number(g, K_FAIL) >= 1);
	unmake(g);
}

static void small(void *arg)
{
	int p[2];

	(void)arg;
	if (pipe(p) < 0 || fork() == 0)
		_exit(0);
	wait(NULL);
}

TEST(siblings_unharmed)
{
	const char *g = sub("a"), *h = sub("b");
	int bomb;

	make(g, "1M");
	make(h, "1M");
	bomb = (int)WORKS(fork());
	if (bomb == 0) {
		WORKS(cgroup_attach(g, 0));
		for (;;) {
			int pid = fork();

			if (pid == 0)
				for (;;)
					pause();
			if (pid < 0)
				sleep_ms(1);
		}
	}
	for (int i = 0; i < 30; i++) {
		CHECK(inside(h, small, NULL) == 0);
		CHECK(inside(t_group, small, NULL) == 0);
	}
	CHECK(number(h, K_FAIL) == 0 && number(t_group, K_FAIL) == 0);
	unmake(g);
	unmake(h);
}

TEST(hierarchy_refuses_above)
{
	const char *g = sub("top"), *h = sub("top/low");

	make(g, "1M");
	make(h, "32M");
	CHECK(inside(h, forks, pids) == 0);
	CHECK(number(g, K_FAIL) == 1 && number(h, K_FAIL) == 0, "%ld above, %ld below",
	      number(g, K_FAIL), number(h, K_FAIL));
	CHECK(number(g, K_PEAK) <= 1 << 20);
	unmake(h);
	unmake(g);
}

TEST(hierarchy_counts_up)
{
	const char *g = sub("top"), *h = sub("top/low");
	long up;

	make(g, "8M");
	WORKS(cgroup_create(h, 0755));
	WORKS(mkdir("d", 0755));
	CHECK(inside(h, small, NULL) == 0);
	up = number(g, K_PEAK);
	CHECK(up > 0 && number(h, K_PEAK) > 0 && number(h, K_PEAK) <= up);
	CHECK(number(g, K_USAGE) >= number(h, K_USAGE), "and the caches of low are top's");
	FAILS(EBUSY, cgroup_remove(g));
	unmake(h);
	unmake(g);
}

static void keep_files(void *arg)
{
	(void)arg;
	t_file("kept", "some data");
	WORKS(mkdir("kept.d", 0755));
}

TEST(removal_reparents)
{
	const char *g = sub("top"), *h = sub("top/low");
	long charged, above;

	make(g, "8M");
	make(h, "8M");
	CHECK(inside(h, keep_files, NULL) == 0);
	set(h, "memory.force_empty", "1");
	charged = number(h, K_USAGE);
	above = number(g, K_USAGE);
	CHECK(charged > 0 && above >= charged);
	WORKS(cgroup_remove(h));
	CHECK(number(g, K_USAGE) >= charged && number(g, K_USAGE) <= above, "%ld, was %ld",
	      number(g, K_USAGE), above);
	audit();
	CHECK(control_text("/", "memory.kmem.slabinfo", text, sizeof(text)) > 0);
	CHECK(strstr(text, ":low)dead"), "dead caches are listed");
	WORKS(unlink("kept"));
	WORKS(rmdir("kept.d"));
	unmake(g);
	audit();
	sleep_ms(50);
	CHECK(control_text("/", "memory.kmem.slabinfo", text, sizeof(text)) > 0);
	CHECK(!strstr(text, ":low)dead"), "dead caches go with their last object");
}

TEST(removal_to_an_unlimited_parent)
{
	const char *h = "/t-orphan";

	make(h, "8M");
	CHECK(inside(h, keep_files, NULL) == 0);
	CHECK(number(h, K_USAGE) > 0);
	WORKS(cgroup_remove(h));
	audit();
	WORKS(unlink("kept"));
	WORKS(rmdir("kept.d"));
	audit();
}

TEST(busy_groups_stay)
{
	const char *g = sub("a");
	int go[2], pid;
	char c;

	make(g, "8M");
	WORKS(pipe(go));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		close(go[1]);
		_exit(read(go[0], &c, 1) != 0);
	}
	WORKS(cgroup_attach(g, pid));
	FAILS(EBUSY, cgroup_remove(g));
	WORKS(control_text(g, "cgroup.procs", text, sizeof(text)));
	CHECK(atoi(text) == pid);
	WORKS(cgroup_attach(t_group, pid));
	CHECK(control_text(g, "cgroup.procs", text, sizeof(text)) == 0);
	WORKS(close(go[1]));
	CHECK(t_wait(pid) == 0);
	unmake(g);
}

TEST(kill_takes_the_subtree)
{
	const char *g = sub("top"), *h = sub("top/low");
	int a, b;

	make(g, "8M");
	make(h, "8M");
	a = (int)WORKS(fork());
	if (a == 0)
		for (;;)
			pause();
	b = (int)WORKS(fork());
	if (b == 0)
		for (;;)
			;
	WORKS(cgroup_attach(g, a));
	WORKS(cgroup_attach(h, b));
	WORKS(cgroup_kill(g));
	CHECK(t_wait(a) == SIGKILL && t_wait(b) == SIGKILL);
	unmake(h);
	unmake(g);
}

TEST(slabinfo_of_a_group)
{
	const char *g = sub("a");

	WORKS(cgroup_create("/t-plain", 0755));
	FAILS(EIO, cgroup_read("/t-plain", "memory.kmem.slabinfo", text, sizeof(text)));
	WORKS(cgroup_remove("/t-plain"));
	make(g, "8M");
	CHECK(inside(g, keep_files, NULL) == 0);
	CHECK(control_text(g, "memory.kmem.slabinfo", text, sizeof(text)) > 0);
	CHECK(!strncmp(text, "slabinfo - version: 2.1\n", 24), "%.60s", text);
	CHECK(strstr(text, "\ndentry ") && strstr(text, "\ninode "), "base names");
	CHECK(control_text("/", "memory.kmem.slabinfo", text, sizeof(text)) > 0);
	CHECK(strstr(text, ":a)"), "dentry(id:a) in the whole listing");
	CHECK(strstr(text, "\ndentry("), "dentry(id:name)");
	WORKS(unlink("kept"));
	WORKS(rmdir("kept.d"));
	unmake(g);
}

TEST(limit_below_usage)
{
	const char *g = sub("a");
	long before;

	make(g, "8M");
	CHECK(inside(g, keep_files, NULL) == 0);
	set(g, "memory.force_empty", "1");
	before = number(g, K_USAGE);
	CHECK(before >= 4096);
	CHECK(control_set(g, K_LIMIT, "0") == -EBUSY);
	CHECK(number(g, K_LIMIT) == 8 << 20 && number(g, K_USAGE) == before);
	WORKS(unlink("kept"));
	WORKS(rmdir("kept.d"));
	set(g, "memory.force_empty", "1");
	set(g, K_LIMIT, "0");
	CHECK(inside(g, small, NULL) != 0 || number(g, K_FAIL) > 0, "nothing fits in 0");
	unmake(g);
}

TEST(unlimited_still_counts)
{
	const char *g = sub("a");

	make(g, "8M");
	set(g, K_LIMIT, "-1");
	CHECK(inside(g, keep_files, NULL) == 0);
	CHECK(number(g, K_USAGE) > 0);
	WORKS(unlink("kept"));
	WORKS(rmdir("kept.d"));
	unmake(g);
}

TEST(accounting_starts_late)
{
	const char *g = "/t-late";
	int go[2], pid;
	char c;

	WORKS(cgroup_create(g, 0755));
	WORKS(pipe(go));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		WORKS(cgroup_attach(g, 0));
		t_file("early", "not charged");
		if (read(go[0], &c, 1) != 1)
			_exit(1);
		WORKS(unlink("early"));
		keep_files(NULL);
		_exit(0);
	}
	sleep_ms(50);
	CHECK(number(g, K_USAGE) == 0, "%ld before the first limit", number(g, K_USAGE));
	set(g, K_LIMIT, "8M");
	CHECK(write(go[1], "x", 1) == 1);
	CHECK(t_wait(pid) == 0);
	CHECK(number(g, K_USAGE) > 0);
	audit();
	WORKS(unlink("kept"));
	WORKS(rmdir("kept.d"));
	unmake(g);
}

TEST(counters_reset)
{
	const char *g = sub("a");

	make(g, "1M");
	CHECK(inside(g, forks, pids) == 0);
	CHECK(number(g, K_FAIL) == 1 && number(g, K_PEAK) > 512 * 1024);
	set(g, K_FAIL, "0");
	set(g, "memory.force_empty", "1");
	set(g, K_PEAK, "0");
	CHECK(number(g, K_FAIL) == 0 && number(g, K_PEAK) == number(g, K_USAGE));
	unmake(g);
}

TEST(stat_adds_up)
{
	const char *g = sub("a");
	long sum;

	make(g, "8M");
	CHECK(inside(g, keep_files, NULL) == 0);
	set(g, "memory.force_empty", "1");
	CHECK(control_text(g, "memory.stat", text, sizeof(text)) > 0);
	sum = text_field(text, "kernel_stack") + text_field(text, "pagetables") +
	      text_field(text, "slab_unreclaimable") + text_field(text, "kernel_other");
	if (text_field(text, "slab_reclaimable") > 0)
		sum += text_field(text, "slab_reclaimable");
	CHECK(sum == number(g, K_USAGE), "%ld, not %ld", sum, number(g, K_USAGE));
	WORKS(unlink("kept"));
	WORKS(rmdir("kept.d"));
	unmake(g);
}

/* A program below 2 MiB that has touched nothing but its image and its stack has a root and,
 * for each of the two, a table on each of three levels. */
TEST(page_tables_are_charged)
{
	char *argv[] = { "/bin/victim", "--idle", NULL };
	const char *g = sub("a");
	long tables = -1;

	make(g, "8M");
	if (WORKS(fork()) == 0) {
		WORKS(cgroup_attach(g, 0));
		WORKS(execve(argv[0], argv, NULL));
	}
	for (int i = 0; i < 300 && tables != 7 * 4096; i++) {
		sleep_ms(10);
		CHECK(control_text(g, "memory.stat", text, sizeof(text)) > 0);
		tables = text_field(text, "pagetables");
	}
	CHECK(tables == 7 * 4096, "%ld bytes of page tables", tables);
	unmake(g);
}

TEST(list_children)
{
	char path[128];

	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "%s/c%d", t_group, i);
		WORKS(cgroup_create(path, 0755));
	}
	text[WORKS(cgroup_list(t_group, text, sizeof(text)))] = 0;
	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "c%d\n", i);
		CHECK(strstr(text, path), "%s missing", path);
	}
	FAILS(ERANGE, cgroup_list(t_group, text, 5));
	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "%s/c%d", t_group, i);
		WORKS(cgroup_remove(path));
	}
	CHECK(cgroup_list(t_group, text, sizeof(text)) == 0);
}

TEST(deep_tree_of_groups)
{
	char path[512];
	int len = snprintf(path, sizeof(path), "%s", t_group);

	for (int i = 0; i < 30; i++) {
		len += snprintf(path + len, sizeof(path) - (size_t)len, "/g");
		WORKS(cgroup_create(path, 0755));
	}
	CHECK(inside(path, small, NULL) == 0);
	audit();
	for (int i = 0; i < 30; i++) {
		set(path, "memory.force_empty", "1");
		WORKS(cgroup_remove(path));
		*strrchr(path, '/') = 0;
	}
}

TEST(groups_come_and_go)
{
	const char *g = sub("a");

	for (int i = 0; i < 40; i++) {
		make(g, "4M");
		CHECK(inside(g, small, NULL) == 0);
		unmake(g);
	}
	audit();
}

/* What a process was charged stays with the old group when it moves. */
TEST(move_leaves_charges)
{
	const char *g = sub("a"), *h = sub("b");
	int go[2], pid;
	char c;

	make(g, "8M");
	make(h, "8M");
	WORKS(pipe(go));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		WORKS(cgroup_attach(g, 0));
		t_file("of.a", "data");
		WORKS(cgroup_attach(h, 0));
		t_file("of.b", "data");
		if (read(go[0], &c, 1) != 1)
			_exit(1);
		_exit(0);
	}
	sleep_ms(50);
	set(g, "memory.force_empty", "1");
	CHECK(number(g, K_USAGE) > 0 && number(h, K_USAGE) > 0);
	CHECK(write(go[1], "x", 1) == 1 && t_wait(pid) == 0);
	WORKS(unlink("of.a"));
	WORKS(unlink("of.b"));
	unmake(g);
	unmake(h);
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
