/* SPDX-License-Identifier: MIT */
/* Jobs: process groups, sessions, orphans, and what a parent hears by wait4, waitid and SIGCHLD. */
#include "t.h"
#include <sys/resource.h>
#include <sys/syscall.h>

static volatile sig_atomic_t nr_chld, last_code, last_status, last_pid, got_hup, got_cont;

static void on_chld(int sig, siginfo_t *info, void *unused)
{
	(void)sig;
	(void)unused;
	nr_chld++;
	last_code = info->si_code;
	last_status = info->si_status;
	last_pid = info->si_pid;
}

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		got_hup = 1;
	if (sig == SIGCONT)
		got_cont = 1;
}

static void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	WORKS(sigaction(sig, &sa, NULL));
}

static void handle_chld(int flags)
{
	struct sigaction sa = { .sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_RESTART | flags };

	nr_chld = 0;
	WORKS(sigaction(SIGCHLD, &sa, NULL));
}

/* Until the condition holds, at most 5 s. */
#define SOON(cond) \
	do { \
		for (int i_ = 0; i_ < 500 && !(cond); i_++) \
			sleep_ms(10); \
		CHECK(cond); \
	} while (0)

/* A child that only waits for signals, in a process group of its own if own. */
static int idler(int own)
{
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		for (;;)
			pause();
	}
	if (own)
		WORKS(setpgid(pid, pid));
	return pid;
}

static void end(int pid)
{
	WORKS(kill(pid, SIGKILL));
	CHECK(t_wait(pid) == SIGKILL);
}

TEST(inherits)
{
	int pid = (int)WORKS(fork());

	if (pid == 0)
		_exit(getpgrp() != getpgid(getppid()) || getsid(0) != getsid(getppid()));
	CHECK(t_wait(pid) == 0);
	CHECK(getpgrp() == getpgid(0) && getpgid(0) == getpgid(getpid()));
	CHECK(getsid(0) == getsid(getpid()));
}

TEST(setpgid_rules)
{
	int child = idler(0), other;

	FAILS(EINVAL, setpgid(0, -1));
	FAILS(ESRCH, setpgid(99999999, 0));
	FAILS(ESRCH, setpgid(getppid(), 0));
	FAILS(ESRCH, getpgid(99999999));
	FAILS(ESRCH, getsid(99999999));
	FAILS(EPERM, setpgid(child, 99999999));
	WORKS(setpgid(child, 0));
	CHECK(getpgid(child) == child);
	WORKS(setpgid(child, child));
	other = idler(0);
	WORKS(setpgid(other, child));
	CHECK(getpgid(other) == child);
	WORKS(setpgid(other, getpgrp()));
	CHECK(getpgid(other) == getpgrp());
	WORKS(setpgid(other, child));
	end(child);
	CHECK(getpgid(other) == child, "a group lives on without its founder");
	WORKS(setpgid(0, child));
	CHECK(getpgrp() == child);
	end(other);
}

TEST(setpgid_leader)
{
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		if (setsid() != getpid() || getpgrp() != getpid() || getsid(0) != getpid())
			_exit(1);
		if (setsid() != -1 || errno != EPERM)
			_exit(2);
		if (setpgid(0, 0) != -1 || errno != EPERM)
			_exit(3);
		for (;;)
			pause();
	}
	SOON(getsid(pid) == pid);
	sleep_ms(50);
	FAILS(EPERM, setpgid(pid, pid));
	FAILS(EPERM, setpgid(pid, getpgrp()));
	FAILS(EPERM, setpgid(0, pid));
	end(pid);
}

TEST(setsid_in_group)
{
	/* The leader of a process group cannot leave it, a member can. */
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		setpgid(0, 0);
		if (setsid() != -1 || errno != EPERM)
			_exit(1);
		pid = fork();
		if (pid == 0)
			_exit(setsid() != getpid());
		_exit(t_wait(pid) != 0);
	}
	CHECK(t_wait(pid) == 0);
}

TEST(setpgid_after_exec)
{
	char c;
	int fds[2], pid;

	WORKS(pipe2(fds, O_CLOEXEC));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		execl(t_self, t_self, "sleeper", NULL);
		_exit(1);
	}
	close(fds[1]);
	CHECK(read(fds[0], &c, 1) == 0);
	FAILS(EACCES, setpgid(pid, pid));
	end(pid);
}

TEST(wait_by_group)
{
	int a = idler(1), b = idler(1), c = idler(0), status;

	FAILS(ECHILD, waitpid(99999, NULL, 0));
	FAILS(ECHILD, waitpid(-99999, NULL, 0));
	FAILS(ESRCH, waitpid(-0x7fffffff - 1, NULL, 0));
	FAILS(EINVAL, waitpid(-1, NULL, 0x100));
	CHECK(waitpid(-a, NULL, WNOHANG) == 0);
	CHECK(waitpid(0, NULL, WNOHANG) == 0);
	WORKS(kill(b, SIGTERM));
	CHECK(waitpid(-b, &status, 0) == b && status == SIGTERM);
	FAILS(ECHILD, waitpid(-b, NULL, WNOHANG));
	WORKS(kill(-a, SIGINT));
	CHECK(waitpid(-a, &status, 0) == a && status == SIGINT);
	WORKS(kill(c, SIGHUP));
	CHECK(waitpid(0, &status, 0) == c && status == SIGHUP);
	FAILS(ECHILD, waitpid(-1, NULL, 0));
}

TEST(kill_group)
{
	int a = idler(1), b = idler(0), status;

	WORKS(setpgid(b, a));
	WORKS(kill(-a, 0));
	WORKS(kill(-a, SIGUSR1));
	CHECK(t_wait(a) == SIGUSR1 && t_wait(b) == SIGUSR1);
	FAILS(ESRCH, kill(-a, 0));
	FAILS(ESRCH, kill(-a, SIGUSR1));
	a = idler(1);
	WORKS(kill(a, SIGKILL));
	sleep_ms(50);
	WORKS(kill(-a, 0));		/* a zombie is a member */
	CHECK(waitpid(a, &status, 0) == a);
	FAILS(ESRCH, kill(-a, 0));
}

TEST(kill_own_group)
{
	int pid = (int)WORKS(fork()), child;

	if (pid == 0) {
		WORKS(setpgid(0, 0));
		child = idler(0);
		signal(SIGUSR2, SIG_IGN);
		WORKS(kill(0, SIGUSR2));
		_exit(t_wait(child) != SIGUSR2);
	}
	CHECK(t_wait(pid) == 0);
}

TEST(stop_and_continue)
{
	int pid = idler(0), status;

	WORKS(kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK(waitpid(pid, &status, WUNTRACED | WNOHANG) == 0, "told once");
	WORKS(kill(pid, SIGCONT));
	CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	CHECK(status == 0xffff);
	CHECK(waitpid(pid, &status, WCONTINUED | WUNTRACED | WNOHANG) == 0);
	WORKS(kill(pid, SIGCONT));
	sleep_ms(30);
	CHECK(waitpid(pid, &status, WCONTINUED | WNOHANG) == 0, "it was not stopped");
	WORKS(kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	WORKS(kill(pid, SIGTERM));
	sleep_ms(30);
	CHECK(waitpid(pid, &status, WNOHANG) == 0, "a stopped process does not die of SIGTERM yet");
	WORKS(kill(pid, SIGCONT));
	CHECK(t_wait(pid) == SIGTERM);
}

TEST(kill_stopped)
{
	int pid = idler(0), status;

	WORKS(kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	end(pid);
}

TEST(terminal_stops)
{
	static const int sigs[] = { SIGTSTP, SIGTTIN, SIGTTOU };
	int pid = idler(1), status;

	/* We are in the same session and another group: its group is not orphaned. */
	for (int i = 0; i < 3; i++) {
		WORKS(kill(pid, sigs[i]));
		CHECK(waitpid(pid, &status, WUNTRACED) == pid);
		CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == sigs[i]);
		WORKS(kill(pid, SIGCONT));
		CHECK(waitpid(pid, &status, WCONTINUED) == pid);
	}
	end(pid);
}

TEST(orphaned_ignores_tstp)
{
	int pid = (int)WORKS(fork()), status;

	if (pid == 0) {
		setsid();
		kill(getpid(), SIGTSTP);
		kill(getpid(), SIGTTIN);
		_exit(7);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	CHECK(status == 7 << 8);
}

/* A stopped grandchild whose group loses its last connection: HUP and CONT. */
TEST(orphan_hup)
{
	int fds[2], pid, middle;
	char c = 0;

	WORKS(pipe(fds));
	middle = (int)WORKS(fork());
	if (middle == 0) {
		setsid();
		pid = idler(1);
		WORKS(kill(pid, SIGKILL));
		t_wait(pid);
		pid = fork();
		if (pid == 0) {
			handle(SIGHUP, on_signal, 0);
			handle(SIGCONT, on_signal, 0);
			setpgid(0, 0);
			raise(SIGSTOP);
			while (!got_hup || !got_cont)
				pause();
			if (write(fds[1], "y", 1) != 1)
				_exit(1);
			_exit(0);
		}
		waitpid(pid, NULL, WUNTRACED);
		_exit(0);
	}
	close(fds[1]);
	CHECK(t_wait(middle) == 0);
	CHECK(read(fds[0], &c, 1) == 1 && c == 'y');
}

TEST(waitid_kinds)
{
	siginfo_t info;
	int pid = idler(1);

	FAILS(EINVAL, waitid(P_ALL, 0, &info, 0));
	FAILS(EINVAL, waitid(P_ALL, 0, &info, WEXITED | 0x100));
	FAILS(EINVAL, waitid(P_PID, 0, &info, WEXITED));
	FAILS(EINVAL, waitid(77, 0, &info, WEXITED));
	FAILS(ECHILD, waitid(P_PID, 99999, &info, WEXITED));
	FAILS(ECHILD, waitid(P_PGID, 99999, &info, WEXITED));
	memset(&info, 0x55, sizeof(info));
	WORKS(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
	CHECK(info.si_signo == 0 && info.si_pid == 0);
	WORKS(kill(pid, SIGSTOP));
	WORKS(waitid(P_PGID, pid, &info, WSTOPPED | WNOWAIT));
	CHECK(info.si_signo == SIGCHLD && info.si_code == CLD_STOPPED);
	CHECK(info.si_pid == pid && info.si_status == SIGSTOP && info.si_uid == getuid());
	memset(&info, 0, sizeof(info));
	WORKS(waitid(P_PID, pid, &info, WSTOPPED));
	CHECK(info.si_code == CLD_STOPPED);
	WORKS(waitid(P_PID, pid, &info, WSTOPPED | WNOHANG));
	CHECK(info.si_pid == 0);
	WORKS(kill(pid, SIGCONT));
	WORKS(waitid(P_ALL, 0, &info, WCONTINUED));
	CHECK(info.si_code == CLD_CONTINUED && info.si_status == SIGCONT);
	WORKS(kill(pid, SIGKILL));
	WORKS(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	CHECK(info.si_code == CLD_KILLED && info.si_status == SIGKILL);
	FAILS(ECHILD, waitid(P_PID, pid, &info, WSTOPPED));
	WORKS(waitid(P_PID, pid, &info, WEXITED));
	CHECK(info.si_code == CLD_KILLED && info.si_pid == pid);
	FAILS(ECHILD, waitid(P_PID, pid, &info, WEXITED));
	pid = (int)WORKS(fork());
	if (pid == 0)
		_exit(42);
	WORKS(waitid(P_PGID, 0, &info, WEXITED));
	CHECK(info.si_code == CLD_EXITED && info.si_status == 42 && info.si_pid == pid);
}

TEST(wait_bad_address)
{
	int pid = (int)WORKS(fork());

	if (pid == 0)
		_exit(0);
	FAILS(EFAULT, syscall(SYS_wait4, pid, (void *)8, 0, NULL));
	FAILS(ECHILD, waitpid(pid, NULL, 0));	/* reaped all the same */
}

TEST(wait_rusage)
{
	struct rusage usage;
	int pid = (int)WORKS(fork()), status;

	if (pid == 0) {
		long end_ms = clock_ms() + 120;

		while (clock_ms() < end_ms)
			;
		_exit(0);
	}
	CHECK(wait4(pid, &status, 0, &usage) == pid);
	CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
	      usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec >= 10000);
}

TEST(wait_clone_children)
{
	int pid = (int)WORKS(syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L));

	if (pid == 0)
		_exit(3);
	FAILS(ECHILD, waitpid(pid, NULL, 0));		/* it tells nothing when it ends */
	CHECK(waitpid(pid, NULL, (int)__WCLONE) == pid);
	pid = (int)WORKS(syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L));
	if (pid == 0)
		_exit(3);
	CHECK(waitpid(pid, NULL, __WALL) == pid);
}

TEST(sigchld_info)
{
	int pid, status;

	handle_chld(0);
	pid = (int)WORKS(fork());
	if (pid == 0)
		_exit(9);
	SOON(nr_chld == 1);
	CHECK(last_code == CLD_EXITED && last_status == 9 && last_pid == pid);
	CHECK(t_wait(pid) == 9 << 8);
	pid = idler(0);
	WORKS(kill(pid, SIGSTOP));
	SOON(nr_chld == 2);
	CHECK(last_code == CLD_STOPPED && last_status == SIGSTOP);
	WORKS(kill(pid, SIGCONT));
	SOON(nr_chld == 3);
	CHECK(last_code == CLD_CONTINUED && last_status == SIGCONT);
	WORKS(kill(pid, SIGTERM));
	SOON(nr_chld == 4);
	CHECK(last_code == CLD_KILLED && last_status == SIGTERM);
	CHECK(waitpid(pid, &status, 0) == pid);
}

TEST(sigchld_nocldstop)
{
	int pid, status;

	handle_chld(SA_NOCLDSTOP);
	pid = idler(0);
	WORKS(kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	WORKS(kill(pid, SIGCONT));
	CHECK(waitpid(pid, &status, WCONTINUED) == pid);
	CHECK(nr_chld == 0);
	WORKS(kill(pid, SIGKILL));
	SOON(nr_chld == 1);
	CHECK(t_wait(pid) == SIGKILL);
}

TEST(sigchld_nocldwait)
{
	int pid;

	handle_chld(SA_NOCLDWAIT);
	pid = (int)WORKS(fork());
	if (pid == 0)
		_exit(0);
	FAILS(ECHILD, waitpid(pid, NULL, 0));
	SOON(nr_chld == 1);
	handle(SIGCHLD, SIG_IGN, 0);
	pid = (int)WORKS(fork());
	if (pid == 0)
		_exit(0);
	FAILS(ECHILD, waitpid(-1, NULL, 0));
	FAILS(ESRCH, kill(pid, 0));
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(wait_interrupted)
{
	int pid = idler(0), sender, status;

	handle(SIGUSR1, nothing, 0);
	sender = (int)WORKS(fork());
	if (sender == 0) {
		sleep_ms(60);
		kill(getppid(), SIGUSR1);
		for (;;)
			pause();
	}
	FAILS(EINTR, waitpid(pid, &status, 0));
	end(sender);
	handle(SIGUSR1, nothing, SA_RESTART);
	sender = (int)WORKS(fork());
	if (sender == 0) {
		sleep_ms(60);
		kill(getppid(), SIGUSR1);
		sleep_ms(60);
		kill(pid, SIGTERM);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == SIGTERM);
	CHECK(t_wait(sender) == 0);
}

/* Orphans go to pid 1 (or a subreaper): the grandchild sees another parent. */
TEST(reparented)
{
	int fds[2], middle, now = 0;

	WORKS(pipe(fds));
	middle = (int)WORKS(fork());
	if (middle == 0) {
		int self = getpid();

		if (fork() == 0) {
			while ((now = getppid()) == self)
				sleep_ms(5);
			_exit(write(fds[1], &now, sizeof(now)) != sizeof(now));
		}
		_exit(0);
	}
	CHECK(t_wait(middle) == 0);
	CHECK(read(fds[0], &now, sizeof(now)) == sizeof(now) && now != middle && now > 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "sleeper"))
		for (;;)
			pause();
	return t_main(argc, argv);
}
