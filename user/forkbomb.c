/* SPDX-License-Identifier: MIT */
/*
 * A fork bomb whose end can be computed: it forks children that only pause until fork fails
 * or MAX are alive, then says how many and why in one line, and pauses with them.
 *   forkbomb [--wait] [--keep] [--again] [--exit] [MAX]
 * --wait: say so, then begin when a byte arrives on standard input.  --keep: keep the line
 * current after each fork, at the start of the file that is standard output (the kernel may
 * kill a bomb that has used up the machine).  --again: report a refusal, and try again for ever
 * (with --keep), a moment later, when others may have given memory back. Such a bomb uses up the
 * machine, and the kernel may kill it when it writes to its stack after a fork and no page is left
 * to copy that to; a stand-in then goes on in its place.
 * --exit: kill the children and end.
 * It uses no heap and no stdio, so its page tables are those of its ELF file and its stack.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_EXIT 16384
#define STAND_INS 8

static int pids[MAX_EXIT];
static const struct timespec rest = { .tv_nsec = 1000000 };

static char *put_number(char *p, unsigned long v, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		p[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return p + width;
}

/* "forks=00000152 errno=012 done=1\n": fixed width, so that a rewrite leaves no rest. */
static void report(unsigned long forks, int error, int done, int keep)
{
	char line[48], *p = line;

	memcpy(p, "forks=", 6);
	p = put_number(p + 6, forks, 8);
	memcpy(p, " errno=", 7);
	p = put_number(p + 7, (unsigned)error, 3);
	memcpy(p, " done=", 6);
	p = put_number(p + 6, (unsigned)done, 1);
	*p++ = '\n';
	if (keep && pwrite(1, line, (size_t)(p - line), 0) > 0)
		return;
	if (write(1, line, (size_t)(p - line)) < 0)
		_exit(1);
}

/* What the last report said. */
static unsigned long reported(void)
{
	char line[16];
	unsigned long n = 0;

	if (pread(1, line, 14, 0) == 14)
		for (const char *p = line + 6; p < line + 14; p++)
			n = n * 10 + (unsigned long)(*p - '0');
	return n;
}

/* Return in a child of a child ..., while each parent waits to see its child die. Then it
 * returns too: 1, to go on. All pages that takes are touched before there are stand-ins. */
static int make_stand_ins(int nr)
{
	reported();
	for (int i = 0; i < nr; i++) {
		int pid = (int)syscall(SYS_fork);

		if (pid > 0) {
			while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
				;
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long max = ~0ul, n = 0;
	int wait_go = 0, keep = 0, again = 0, end = 0, error = 0;
	long pid;
	char go;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--wait")) {
			wait_go = 1;
		} else if (!strcmp(argv[i], "--keep")) {
			keep = 1;
		} else if (!strcmp(argv[i], "--again")) {
			again = 1;
		} else if (!strcmp(argv[i], "--exit")) {
			end = 1;
		} else {
			max = 0;
			for (const char *p = argv[i]; *p >= '0' && *p <= '9'; p++)
				max = max * 10 + (unsigned long)(*p - '0');
		}
	}
	if (end && max > MAX_EXIT)
		max = MAX_EXIT;
	if (wait_go)
		report(0, 0, 0, keep);
	if (again && make_stand_ins(STAND_INS))
		n = reported();
	else if (wait_go && read(0, &go, 1) != 1)
		return 1;
	for (; n < max; n++) {
		pid = syscall(SYS_fork);
		if (pid < 0) {
			error = errno;
			if (!again)
				break;
			report(n--, error, 1, keep);
			syscall(SYS_nanosleep, &rest, NULL);
			continue;
		}
		if (pid == 0)
			for (;;)
				pause();
		if (end)
			pids[n] = (int)pid;
		if (keep)
			report(n + 1, error, error != 0, keep);
	}
	report(n, error, 1, keep);
	if (!end)
		for (;;)
			pause();
	for (unsigned long i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
			;
	}
	return 0;
}
