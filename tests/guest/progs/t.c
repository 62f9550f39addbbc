/* SPDX-License-Identifier: MIT */
#include "t.h"

#define TEST_SECONDS	90
#define GROUP_LIMIT	"64M"

extern const struct test __start_tests[], __stop_tests[];

const char *t_self;
int t_groups;
char t_group[32];

static const char *running = "?";
static char report[64 * 1024];

const char *t_errno(int error)
{
	return errno_name(error);
}

void t_fail(int line, const char *what, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	out("not ok %s line %d: %s: %s\n", running, line, what, why);
	_exit(1);
}

int t_wait(int pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

int t_child(void (*fn)(void *), void *arg)
{
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		fn(arg);
		_exit(0);
	}
	return t_wait(pid);
}

void t_expect_signal(void (*fn)(void *), void *arg, int sig)
{
	int status = t_child(fn, arg);

	if (!WIFSIGNALED(status) || WTERMSIG(status) != sig)
		t_fail(0, "child", "wait status %#x, not signal %d", status, sig);
}

void t_file(const char *path, const char *contents)
{
	int fd = (int)WORKS(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

	CHECK(write_all(fd, contents, strlen(contents)) == 0);
	WORKS(close(fd));
}

long t_rounds(long many)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? many : many / 10;
}

long t_usage(void)
{
	long bytes = -1;

	if (!t_groups)
		return -1;
	control_set(t_group, "memory.force_empty", "1");
	control_number(t_group, "memory.kmem.usage_in_bytes", &bytes);
	return bytes;
}

static int group_open(int nr)
{
	if (!t_groups)
		return 0;
	snprintf(t_group, sizeof(t_group), "/t%d", nr);
	if (cgroup_create(t_group, 0755) < 0 ||
	    control_set(t_group, "memory.kmem.limit_in_bytes", GROUP_LIMIT) < 0) {
		out("not ok %s cannot make its group: %s\n", running, strerror(errno));
		return -1;
	}
	return 0;
}

/* End what is left of the test, then all it was charged for must come back. */
static int group_close(void)
{
	long bytes = -1;

	if (!t_groups)
		return 0;
	cgroup_kill(t_group);
	for (int i = 0; i < 300; i++) {
		if (control_text(t_group, "cgroup.procs", report, sizeof(report)) == 0) {
			bytes = t_usage();
			if (bytes == 0)
				break;
		}
		sleep_ms(10);
	}
	if (bytes > 0) {
		control_text(t_group, "memory.kmem.slabinfo", report, sizeof(report));
		out("not ok %s leaks %ld bytes of kernel memory\n", running, bytes);
		write_all(2, report, strlen(report));
		control_text(t_group, "memory.stat", report, sizeof(report));
		write_all(2, report, strlen(report));
	}
	if (cgroup_remove(t_group) < 0) {
		out("not ok %s its group cannot be removed: %s\n", running, strerror(errno));
		return -1;
	}
	return bytes == 0 ? 0 : -1;
}

static int audit(void)
{
	long n;

	if (!t_groups)
		return 0;
	n = mm_audit(report, sizeof(report) - 1);
	if (n >= 0)
		return 0;
	out("not ok %s audit: %s\n", running, strerror(errno));
	write_all(2, report, strlen(report));
	return -1;
}

static int watch(int pid)
{
	int dog = fork();

	if (dog == 0) {
		for (int i = 0; i < TEST_SECONDS; i++)
			sleep_ms(1000);
		out("not ok %s still runs after %d s\n", running, TEST_SECONDS);
		kill(pid, SIGKILL);
		_exit(0);
	}
	return dog;
}

static int run_test(const struct test *t, int nr)
{
	int pid, dog, status, bad;

	running = t->name;
	if (group_open(nr))
		return 1;
	remove_tree("/tmp/t");
	mkdir("/tmp/t", 0755);
	pid = fork();
	if (pid == 0) {
		if (t_groups && cgroup_attach(t_group, 0) < 0)
			t_fail(__LINE__, "attach", "%s", strerror(errno));
		if (chdir("/tmp/t") < 0)
			t_fail(__LINE__, "chdir", "%s", strerror(errno));
		t->run();
		_exit(0);
	}
	dog = watch(pid);
	status = t_wait(pid);
	kill(dog, SIGKILL);
	t_wait(dog);
	bad = status != 0;
	if (WIFSIGNALED(status))
		out("not ok %s ended by signal %d\n", running, WTERMSIG(status));
	if (t_groups)
		cgroup_kill(t_group);
	remove_tree("/tmp/t");
	bad |= group_close() != 0;
	bad |= audit() != 0;
	if (!bad)
		out("ok %s\n", running);
	return bad;
}

/* All tests, or those named. Status 1 if one failed. */
int t_main(int argc, char **argv)
{
	int bad = 0, nr = 0;

	program = "t";
	t_self = argv[0];
	mkdir("/tmp", 0777);
	t_groups = cgroup_create("/t-probe", 0755) == 0;
	if (t_groups)
		cgroup_remove("/t-probe");
	for (const struct test *t = __start_tests; t < __stop_tests; t++) {
		int wanted = argc < 2;

		for (int i = 1; i < argc; i++)
			wanted |= !strcmp(argv[i], t->name);
		if (wanted)
			bad |= run_test(t, ++nr);
	}
	out("done %d tests\n", nr);
	return bad;
}
