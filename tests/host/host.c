/* SPDX-License-Identifier: MIT */
/* The harness of the host tests: one process for each test, a machine on request, panics as
 * results. */
#include "tests/host/host.h"
#include <sys/wait.h>
#include <unistd.h>
#include "mm/early.h"
#include "mm/kmem.h"
#include "mm/memcg.h"
#include "mm/page.h"

#define EXIT_PANIC	86		/* the child panicked */
#define KERNEL_START	0x100000	/* where the "kernel image" lies in RAM */
#define KERNEL_BYTES	0x80000

static int panic_pipe = -1;		/* in a child of host_expect_panic(): where to report */

const char *host_log(void)
{
	static char text[LOG_RING_BYTES + 1];
	u64 pos = 0;

	text[log_read(text, LOG_RING_BYTES, &pos)] = '\0';
	return text;
}

static void on_panic(const char *reason)
{
	const char *log = host_log();

	(void)reason;
	if (panic_pipe < 0) {
		fputs(log, stderr);
	} else if (write(panic_pipe, log, strlen(log)) < 0) {
		perror("write");
	}
	_exit(EXIT_PANIC);
}

/* In a child a failed assertion prints and aborts, instead of jumping into the copy of
 * cmocka's loop that the fork made. */
static noreturn void run_child(void (*fn)(void))
{
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	panic_set_hook(on_panic);
	fn();
	fflush(NULL);
	_exit(0);
}

static pid_t must_fork(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		fail_msg("fork failed");
	return pid;
}

void host_run(const char *name, void (*fn)(void))
{
	int status = 0;
	pid_t pid = must_fork();

	if (pid == 0)
		run_child(fn);
	if (waitpid(pid, &status, 0) != pid)
		fail_msg("waitpid failed");
	if (WIFSIGNALED(status))
		fail_msg("%s: ended by signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status) == EXIT_PANIC)
		fail_msg("%s: the kernel panicked", name);
	if (WEXITSTATUS(status) != 0)
		fail_msg("%s: exit status %d", name, WEXITSTATUS(status));
}

void host_early(unsigned mib)
{
	static struct bootinfo bi;
	u64 top = (u64)mib << 20;

	bi.nr_ranges = 3;
	bi.ranges[0] = (struct boot_range){ 0, 0x9fc00, true };
	bi.ranges[1] = (struct boot_range){ 0x9fc00, 0x60400, false };
	bi.ranges[2] = (struct boot_range){ 0x100000, top - 0x100000, true };
	early_init(&bi, KERNEL_START, KERNEL_START + KERNEL_BYTES);
}

void host_machine_bare(unsigned mib, unsigned cpus)
{
	panic_set_hook(on_panic);
	host_ram_create((u64)mib << 20);
	host_set_cpu_count(cpus);
	host_cpu(0);
}

void host_machine(unsigned mib, unsigned cpus)
{
	host_machine_bare(mib, cpus);
	host_early(mib);
	page_init();
	kmem_init();
	memcg_init();
}

void host_cpu(unsigned n)
{
	assert_true(n < cpu_count());
	host_cpu_now = n;
}

void host_fail_after(long n)
{
	page_fail_after(n);
}

static noreturn void panicking_child(void (*fn)(void), int pipe_end)
{
	panic_pipe = pipe_end;
	host_ram_unshare();
	run_child(fn);
}

const char *host_expect_panic(void (*fn)(void), const char *needle)
{
	static char text[LOG_RING_BYTES + 1];
	size_t len = 0;
	int ends[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(ends) != 0)
		fail_msg("pipe failed");
	pid = must_fork();
	if (pid == 0)
		panicking_child(fn, ends[1]);
	close(ends[1]);
	while ((n = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	close(ends[0]);
	text[len] = '\0';
	if (waitpid(pid, &status, 0) != pid)
		fail_msg("waitpid failed");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_PANIC)
		fail_msg("no panic (status 0x%x), wanted: %s", status, needle);
	host_assert_has(text, needle);
	return text;
}

void host_assert_has(const char *text, const char *needle)
{
	if (!strstr(text, needle))
		fail_msg("'%s' is not in:\n%s", needle, text);
}
