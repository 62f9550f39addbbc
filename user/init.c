/* SPDX-License-Identifier: MIT */
/*
 * Process 1. Three ways to live:
 *   /etc/run exists    batch: it holds the NUL-separated words of a command. Run it on the
 *                      host port, reap all, hand its wait status to /dev/hoststatus.
 *   an argument        demo=WHAT of the kernel command line: run that demo, then the menu.
 *   else               a menu on the console.
 */
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>

#define MAX_WORDS 256

static char *const environment[] = { "PATH=/bin", "HOME=/", "TERM=linux", NULL };
static char words[64 * 1024];
static char *argv_run[MAX_WORDS + 1];

static void open_as(const char *path, int flags, int fd)
{
	int got = open(path, flags);

	if (got < 0 || got == fd)
		return;
	dup2(got, fd);
	close(got);
}

static void open_console(void)
{
	for (int fd = 0; fd < 3; fd++)
		open_as("/dev/console", O_RDWR, fd);
}

/* In the child: the command, searched for in /bin when its name has no slash. */
static _Noreturn void run_words(void)
{
	char path[4200] = "/bin/";
	const char *name = argv_run[0];
	int error;

	if (strchr(name, '/')) {
		execve(name, argv_run, environment);
		error = errno;
	} else if (strlen(name) >= 256) {
		error = ENAMETOOLONG;
	} else {
		strcat(path, name);
		execve(path, argv_run, environment);
		error = errno;
	}
	if (error == ENOENT)
		die(127, "%.200s: not found\n", name);
	die(126, "%.200s: %s\n", name, strerror(error));
}

/* Wait for pid, reaping whatever else ends meanwhile. */
static int wait_reaping(int pid)
{
	int status = 0;

	for (;;) {
		int got = wait4(-1, &status, 0, NULL);

		if (got == pid)
			return status;
		if (got < 0 && errno != EINTR)
			return 126 << 8;
	}
}

static _Noreturn void power_off(int status)
{
	int fd = open("/dev/hoststatus", O_WRONLY);

	if (fd >= 0 && write(fd, &status, sizeof(status)) < 0)
		warn("hoststatus: %s\n", strerror(errno));
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static _Noreturn void batch(int fd)
{
	size_t got = 0;
	int argc = 0, status, pid;
	ssize_t n;

	while (got < sizeof(words) - 1 && (n = read(fd, words + got, sizeof(words) - 1 - got)) > 0)
		got += (size_t)n;
	close(fd);
	for (size_t at = 0; at < got && argc < MAX_WORDS; at += strlen(words + at) + 1)
		argv_run[argc++] = words + at;
	if (!argc) {
		warn("/etc/run is empty\n");
		power_off(126 << 8);
	}
	pid = fork();
	if (pid == 0) {
		open_as("/dev/hostin", O_RDONLY, 0);
		open_as("/dev/hostout", O_WRONLY, 1);
		open_as("/dev/hosterr", O_WRONLY, 2);
		run_words();
	}
	if (pid < 0) {
		warn("fork: %s\n", strerror(errno));
		power_off(126 << 8);
	}
	status = wait_reaping(pid);
	while (wait4(-1, NULL, WNOHANG, NULL) > 0)
		;
	power_off(status);
}

/* Run argv_run on the console and say how it ended, if not well. */
static void run_console(void)
{
	int pid = fork(), status;

	if (pid == 0)
		run_words();
	if (pid < 0) {
		warn("fork: %s\n", strerror(errno));
		return;
	}
	status = wait_reaping(pid);
	if (WIFSIGNALED(status))
		out("[%s ended by signal %d]\n", argv_run[0], WTERMSIG(status));
	else if (WEXITSTATUS(status))
		out("[%s: status %d]\n", argv_run[0], WEXITSTATUS(status));
}

static void run_line(char *line)
{
	int argc = 0;

	for (char *w = strtok(line, " \t\r\n"); w && argc < MAX_WORDS; w = strtok(NULL, " \t\r\n"))
		argv_run[argc++] = w;
	argv_run[argc] = NULL;
	if (!argc)
		return;
	if (strcmp(argv_run[0], "cd")) {
		run_console();
		return;
	}
	if (chdir(argc > 1 ? argv_run[1] : "/") < 0)
		warn("cd: %s\n", strerror(errno));
}

static void run_text(const char *line)
{
	static char copy[256];

	strncpy(copy, line, sizeof(copy) - 1);
	run_line(copy);
}

/* One line from the console without its end; -1 at end of file. */
static int read_line(char *line, size_t size)
{
	size_t n = 0;

	for (;;) {
		char c;
		ssize_t got = read(0, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		if (c == '\n' || c == '\r')
			break;
		if (n + 1 < size)
			line[n++] = c;
	}
	line[n] = 0;
	return (int)n;
}

static void command_lines(char *line, size_t size)
{
	out("Commands: cd, and the programs of /bin; an empty line goes back.\n");
	for (;;) {
		out("tally# ");
		if (read_line(line, size) <= 0)
			return;
		run_line(line);
	}
}

static _Noreturn void menu(void)
{
	static const char *const choices[] = {
		"demo forkbomb", "demo mkdirloop", "demo all", "cg show -r /", "cg slabinfo",
		"cg audit",
	};
	static char line[1024];

	for (;;) {
		out("\nTally: 1) demo forkbomb  2) demo mkdirloop  3) demo all  4) show groups\n"
		    "       5) slabinfo  6) audit  7) run a command line  q) power off\n> ");
		if (read_line(line, sizeof(line)) < 0 || line[0] == 'q')
			power_off(0);
		if (line[0] >= '1' && line[0] <= '6' && !line[1])
			run_text(choices[line[0] - '1']);
		else if (line[0] == '7' && !line[1])
			command_lines(line, sizeof(line));
		else if (line[0])
			run_line(line);
	}
}

int main(int argc, char **argv)
{
	static char command[256];
	int fd;

	program = "init";
	open_console();
	fd = open("/etc/run", O_RDONLY);
	if (fd >= 0)
		batch(fd);
	if (argc > 1) {
		strcpy(command, "demo ");
		strncat(command, argv[1], sizeof(command) - 6);
		run_line(command);
	}
	menu();
}
