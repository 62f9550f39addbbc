/* SPDX-License-Identifier: MIT */
/*
 * Process 1. Mounts what programs look for, then lives in one of two ways:
 *   /etc/run exists    batch: it holds the NUL-separated words of a command. Run it on the
 *                      host port, reap all, hand its wait status to /dev/hoststatus.
 *   else               a shell of root on the console, a new one when it ends. An argument,
 *                      demo=WHAT of the kernel command line: that demo first.
 * poweroff, halt and reboot send it the signals they send to any init.
 */
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>

#define MAX_WORDS	256
#define SHELL		"/bin/sh"
#define GROUPS		"/sys/fs/cgroup/memory"

static char *const search_path[] = { "/bin", "/sbin", "/usr/bin", "/usr/sbin", NULL };
static char *const environment[] = {
	"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/root", "USER=root", "LOGNAME=root",
	"SHELL=" SHELL, "TERM=linux", NULL,
};
static char words[64 * 1024];
static char *argv_run[MAX_WORDS + 1];
static int host_status = -1;

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

/* Each may be there already; a kernel without one of them still gets a shell. */
static void mount_all(void)
{
	mount("proc", "/proc", "proc", 0, NULL);
	mount("none", GROUPS, "cgroup", 0, "memory");
}

/* In the child: the command, searched for where the shell would when its name has no slash. */
static _Noreturn void run_words(void)
{
	char path[4200];
	const char *name = argv_run[0];
	int error = ENOENT;

	if (strchr(name, '/')) {
		execve(name, argv_run, environment);
		error = errno;
	} else if (strlen(name) >= 256) {
		error = ENAMETOOLONG;
	}
	for (int i = 0; error == ENOENT && !strchr(name, '/') && search_path[i]; i++) {
		strcat(strcat(strcpy(path, search_path[i]), "/"), name);
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

/* Tell the host, and end. The machine may have no free page left: the file is open already. */
static _Noreturn void power_off(int status)
{
	if (write(host_status, &status, sizeof(status)) < 0)
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

	host_status = open("/dev/hoststatus", O_WRONLY | O_CLOEXEC);
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
		setsid();
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

static void on_power(int sig)
{
	reboot(sig == SIGTERM ? RB_AUTOBOOT : RB_POWER_OFF);
}

static void catch_power_signals(void)
{
	static const int signals[] = { SIGUSR1, SIGUSR2, SIGTERM };
	struct sigaction sa = { .sa_handler = on_power };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

/* argv_run in a session of its own on the console; its wait status. */
static int run_console(const char *program_path)
{
	int pid = fork();

	if (pid == 0) {
		setsid();
		open_console();
		ioctl(0, TIOCSCTTY, 1);
		chdir("/root");
		execve(program_path, argv_run, environment);
		die(127, "%s: %s\n", program_path, strerror(errno));
	}
	if (pid < 0) {
		warn("fork: %s\n", strerror(errno));
		return 126 << 8;
	}
	return wait_reaping(pid);
}

static void show_file(const char *path)
{
	char buf[512];
	ssize_t n;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		write_all(1, buf, (size_t)n);
	close(fd);
}

static _Noreturn void shells(void)
{
	show_file("/etc/motd");
	argv_run[0] = "-sh";
	argv_run[1] = NULL;
	for (;;) {
		int status = run_console(SHELL);

		if (WIFSIGNALED(status))
			out("[the shell was ended by signal %d]\n", WTERMSIG(status));
		if (WIFEXITED(status) && WEXITSTATUS(status) >= 126)
			sleep_ms(1000);		/* it cannot be started: do not spin */
	}
}

int main(int argc, char **argv)
{
	int fd, status;

	program = "init";
	open_console();
	mount_all();
	fd = open("/etc/run", O_RDONLY);
	if (fd >= 0)
		batch(fd);
	catch_power_signals();
	if (argc > 1) {
		argv_run[0] = "demo";
		argv_run[1] = argv[1];
		status = run_console("/bin/demo");
		out("[demo %s: status %d]\n", argv[1],
		    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
	shells();
}
