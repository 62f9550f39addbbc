/* SPDX-License-Identifier: MIT */
/*
 * What a terminal does to a program, shown line by line for test_tty.py, which types: on Tally's
 * console and on a Linux terminal, with the same answers.
 *
 *	p_tty read SIZE		each read of SIZE bytes in the terminal's mode, until "quit"
 *	p_tty raw MIN TIME	the same in raw mode, until 'q'
 *	p_tty flags -FLAG...	then as read 100 with these local flags off (on without the -)
 *	p_tty signals		which signals come; nobody reads; ends at SIGQUIT
 *	p_tty job		job control, checks itself
 *	p_tty ioctls		modes and sizes, checks itself
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "../../../user/common.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			out("FAILED line %d: %s (errno %s)\n", __LINE__, #cond, errno_name(errno)); \
			exit(1); \
		} \
	} while (0)

static struct termios at_start;

static void restore(void)
{
	signal(SIGTTOU, SIG_IGN);
	tcsetattr(0, TCSADRAIN, &at_start);
}

static void show(long n, const char *buf)
{
	char line[256];
	int len = 0;

	for (long i = 0; i < n && len < (int)sizeof(line) - 8; i++) {
		unsigned char c = (unsigned char)buf[i];

		if (c == '\n')
			len += sprintf(line + len, "\\n");
		else
			len += sprintf(line + len, c >= ' ' && c < 0x7f ? "%c" : "\\x%02x", c);
	}
	line[len] = 0;
	out("<%ld:%s>\n", n, line);
}

static int read_mode(size_t size)
{
	static char buf[8192];

	out("go\n");
	for (;;) {
		ssize_t n = read(0, buf, size);

		if (n < 0) {
			out("<error %s>\n", errno_name(errno));
			return 1;
		}
		show(n, buf);
		if (n >= 4 && !memcmp(buf, "quit", 4))
			return 0;
	}
}

static int raw_mode(int min, int time)
{
	struct termios t = at_start;
	char buf[64];

	cfmakeraw(&t);
	t.c_oflag = at_start.c_oflag;
	t.c_cc[VMIN] = (cc_t)min;
	t.c_cc[VTIME] = (cc_t)time;
	CHECK(tcsetattr(0, TCSAFLUSH, &t) == 0);
	out("go\n");
	for (;;) {
		ssize_t n = read(0, buf, sizeof(buf));

		CHECK(n >= 0);
		show(n, buf);
		if (n && memchr(buf, 'q', (size_t)n))
			return 0;
		if (n == 0)
			sleep_ms(100);
	}
}

static const struct {
	const char *name;
	tcflag_t flag;
} flags[] = {
	{ "echo", ECHO }, { "echoe", ECHOE }, { "echok", ECHOK }, { "echoke", ECHOKE },
	{ "echonl", ECHONL }, { "echoctl", ECHOCTL }, { "isig", ISIG }, { "iexten", IEXTEN },
};

static int flags_mode(char **names)
{
	struct termios t = at_start;

	for (; *names; names++) {
		for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
			if (!strcmp(*names, flags[i].name))
				t.c_lflag |= flags[i].flag;
			if (**names == '-' && !strcmp(*names + 1, flags[i].name))
				t.c_lflag &= ~flags[i].flag;
		}
	}
	CHECK(tcsetattr(0, TCSANOW, &t) == 0);
	return read_mode(100);
}

static volatile sig_atomic_t came;

static void on_signal(int sig)
{
	came = sig;
}

static int signals_mode(void)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTSTP, SIGWINCH, SIGHUP };
	struct winsize size;
	sigset_t all, none;

	sigfillset(&all);
	sigemptyset(&none);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (int i = 0; i < 5; i++)
		signal(signals[i], on_signal);
	out("go\n");
	while (came != SIGQUIT) {
		sigsuspend(&none);
		out("<%s>\n", came == SIGINT ? "INT" : came == SIGQUIT ? "QUIT" :
		    came == SIGTSTP ? "TSTP" : came == SIGWINCH ? "WINCH" : "other");
		if (came != SIGTSTP)
			continue;
		CHECK(ioctl(0, TIOCGWINSZ, &size) == 0);
		size.ws_row++;
		CHECK(ioctl(0, TIOCSWINSZ, &size) == 0);
	}
	return 0;
}

/* --- job control */

/* A child in a process group of its own that does fn; its pid. */
static int job(void (*fn)(void))
{
	int pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		setpgid(0, 0);
		fn();
		_exit(0);
	}
	setpgid(pid, pid);
	return pid;
}

static int wait_for(int pid, int options)
{
	int status = -1;

	CHECK(waitpid(pid, &status, options) == pid);
	return status;
}

static void end(int pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	wait_for(pid, 0);
}

static void read_line(void)
{
	char buf[100];
	ssize_t n = read(0, buf, sizeof(buf));

	_exit(n == 5 && !memcmp(buf, "line\n", 5) ? 0 : 1);
}

static void read_ignoring(void)
{
	char c;

	signal(SIGTTIN, SIG_IGN);
	_exit(read(0, &c, 1) < 0 && errno == EIO ? 0 : 1);
}

static void write_text(void)
{
	_exit(write(1, "written\n", 8) == 8 ? 0 : 1);
}

static void set_modes(void)
{
	_exit(tcsetattr(0, TCSANOW, &at_start) ? 1 : 0);
}

static void set_modes_blocked(void)
{
	sigset_t ttou;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, NULL);
	_exit(tcsetattr(0, TCSANOW, &at_start) ? 1 : 0);
}

/* In a session without a terminal. */
static void outside(void)
{
	int pid = fork(), pgrp;

	if (pid == 0) {
		CHECK(setsid() == getpid());
		CHECK(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO);
		CHECK(ioctl(0, TIOCGPGRP, &pgrp) < 0 && errno == ENOTTY);
		CHECK(ioctl(0, TIOCGSID, &pgrp) < 0 && errno == ENOTTY);
		CHECK(ioctl(0, TIOCNOTTY) < 0 && errno == ENOTTY);
		CHECK(ioctl(0, TIOCSCTTY, 0) < 0 && errno == EPERM);
		_exit(0);
	}
	_exit(wait_for(pid, 0) ? 1 : 0);
}

static void orphan(void)
{
	int fds[2], pid;
	char c, answer;

	CHECK(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		pid = fork();
		if (pid)
			_exit(0);
		setpgid(0, 0);
		while (getppid() != 1 && getppid() == getpgid(getppid()))
			sleep_ms(5);
		sleep_ms(50);
		answer = read(0, &c, 1) < 0 && errno == EIO ? 'y' : 'n';
		_exit(write(fds[1], &answer, 1) != 1);
	}
	close(fds[1]);
	wait_for(pid, 0);
	_exit(read(fds[0], &answer, 1) == 1 && answer == 'y' ? 0 : 1);
}

/* From the background too. */
static int set_foreground(int pgid)
{
	int ret;

	signal(SIGTTOU, SIG_IGN);
	ret = tcsetpgrp(0, pgid);
	signal(SIGTTOU, SIG_DFL);
	return ret;
}

static void check_background(void)
{
	struct termios t = at_start;
	int pid = job(read_line), status;

	status = wait_for(pid, WUNTRACED);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
	CHECK(set_foreground(pid) == 0 && tcgetpgrp(0) == pid);
	CHECK(kill(-pid, SIGCONT) == 0);
	out("type line\n");
	CHECK(wait_for(pid, 0) == 0);
	CHECK(set_foreground(getpgrp()) == 0);
	CHECK(wait_for(job(read_ignoring), 0) == 0);
	CHECK(wait_for(job(write_text), 0) == 0);
	t.c_lflag |= TOSTOP;
	CHECK(tcsetattr(0, TCSANOW, &t) == 0);
	pid = job(write_text);
	status = wait_for(pid, WUNTRACED);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	CHECK(tcsetattr(0, TCSANOW, &at_start) == 0);
	CHECK(kill(pid, SIGCONT) == 0);
	CHECK(wait_for(pid, 0) == 0);
	pid = job(set_modes);
	status = wait_for(pid, WUNTRACED);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	end(pid);
	CHECK(wait_for(job(set_modes_blocked), 0) == 0);
}

static int job_mode(void)
{
	int sid = 0, bad = -1;

	CHECK(setpgid(0, 0) == 0 || getsid(0) == getpid());
	CHECK(set_foreground(getpgrp()) == 0);
	CHECK(ioctl(0, TIOCGSID, &sid) == 0 && sid == getsid(0));
	CHECK(open("/dev/tty", O_RDWR) >= 0);
	CHECK(ioctl(0, TIOCSPGRP, &bad) < 0 && errno == EINVAL);
	CHECK(tcsetpgrp(0, 99999999) < 0 && errno == ESRCH);
	check_background();
	CHECK(wait_for(job(outside), 0) == 0);
	CHECK(wait_for(job(orphan), 0) == 0);
	out("job control ok\n");
	return 0;
}

static int ioctls_mode(void)
{
	struct winsize size, back;
	struct termios t = at_start, got;
	struct pollfd p = { .fd = 0, .events = POLLIN | POLLOUT };
	int count = -1;

	CHECK(at_start.c_cc[VINTR] == 3 && at_start.c_cc[VEOF] == 4 && at_start.c_cc[VMIN] == 1);
	CHECK((at_start.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG));
	t.c_cc[VINTR] = 7;
	t.c_lflag &= ~(tcflag_t)ECHO;
	CHECK(tcsetattr(0, TCSADRAIN, &t) == 0 && tcgetattr(0, &got) == 0);
	CHECK(got.c_cc[VINTR] == 7 && !(got.c_lflag & ECHO));
	CHECK(ioctl(0, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col);
	size = (struct winsize){ .ws_row = 33, .ws_col = 77 };
	CHECK(ioctl(0, TIOCSWINSZ, &size) == 0 && ioctl(0, TIOCGWINSZ, &back) == 0);
	CHECK(back.ws_row == 33 && back.ws_col == 77);
	CHECK(ioctl(0, FIONREAD, &count) == 0 && count == 0);
	CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT);
	out("type a line\n");
	p.events = POLLIN;
	CHECK(poll(&p, 1, 10000) == 1 && p.revents == POLLIN);
	CHECK(ioctl(0, FIONREAD, &count) == 0 && count == 4);
	CHECK(tcflush(0, TCIFLUSH) == 0);
	CHECK(ioctl(0, FIONREAD, &count) == 0 && count == 0);
	CHECK(poll(&p, 1, 0) == 0);
	CHECK(tcflush(0, 99) < 0 && errno == EINVAL);
	CHECK(tcdrain(0) == 0);
	CHECK(ioctl(0, TCGETS, (void *)8) < 0 && errno == EFAULT);
	CHECK(ioctl(0, 0x54ff, 0) < 0 && errno == ENOTTY);
	CHECK(lseek(0, 0, SEEK_CUR) < 0 && errno == ESPIPE);
	out("ioctls ok\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	program = "p_tty";
	if (tcgetattr(0, &at_start))
		die(1, "not a terminal\n");
	atexit(restore);
	tcflush(0, TCIFLUSH);		/* the screen's answer to the shell may have come late */
	if (!strcmp(mode, "read") && argc > 2)
		return read_mode((size_t)atoi(argv[2]));
	if (!strcmp(mode, "raw") && argc > 3)
		return raw_mode(atoi(argv[2]), atoi(argv[3]));
	if (!strcmp(mode, "flags"))
		return flags_mode(argv + 2);
	if (!strcmp(mode, "signals"))
		return signals_mode();
	if (!strcmp(mode, "job"))
		return job_mode();
	if (!strcmp(mode, "ioctls"))
		return ioctls_mode();
	die(1, "which mode?\n");
}
