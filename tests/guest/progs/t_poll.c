/* SPDX-License-Identifier: MIT */
/* poll, ppoll, select and pselect6: readiness of pipes and devices, time, signals. */
#include "t.h"
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>

static volatile sig_atomic_t nr_usr1;

static void on_usr1(int sig)
{
	(void)sig;
	nr_usr1++;
}

static void handle_usr1(int flags)
{
	struct sigaction sa = { .sa_handler = on_usr1, .sa_flags = flags };

	nr_usr1 = 0;
	WORKS(sigaction(SIGUSR1, &sa, NULL));
}

/* A child that does what fn says after ms. */
static int later(long ms, void (*fn)(int), int arg)
{
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		sleep_ms(ms);
		fn(arg);
		_exit(0);
	}
	return pid;
}

static void write_byte(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(1);
}

static void read_page(int fd)
{
	static char page[8192];

	if (read(fd, page, sizeof(page)) <= 0)
		_exit(1);
}

static void signal_parent(int sig)
{
	kill(getppid(), sig);
}

static short ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events, .revents = 0x7777 };

	WORKS(poll(&p, 1, 0));
	return p.revents;
}

TEST(pipe_ends)
{
	int fds[2];

	WORKS(pipe(fds));
	CHECK(ready(fds[0], POLLIN) == 0);
	CHECK(ready(fds[1], POLLOUT) == POLLOUT);
	CHECK(ready(fds[0], POLLOUT) == 0);
	write_byte(fds[1]);
	CHECK(ready(fds[0], POLLIN | POLLRDNORM) == (POLLIN | POLLRDNORM));
	CHECK(ready(fds[0], 0) == 0);
	close(fds[1]);
	CHECK(ready(fds[0], POLLIN) == (POLLIN | POLLHUP));
	read_page(fds[0]);
	CHECK(ready(fds[0], POLLIN) == POLLHUP);
	CHECK(ready(fds[0], 0) == POLLHUP);
	close(fds[0]);
	WORKS(pipe(fds));
	close(fds[0]);
	CHECK(ready(fds[1], 0) == POLLERR);
	CHECK(ready(fds[1], POLLOUT) == (POLLOUT | POLLERR));
}

TEST(pipe_full)
{
	static char page[4096];
	int fds[2], pid;
	struct pollfd p;

	WORKS(pipe2(fds, O_NONBLOCK));
	while (write(fds[1], page, sizeof(page)) > 0)
		;
	CHECK(ready(fds[1], POLLOUT) == 0);
	pid = later(60, read_page, fds[0]);
	p = (struct pollfd){ .fd = fds[1], .events = POLLOUT };
	CHECK(poll(&p, 1, 5000) == 1 && p.revents == POLLOUT);
	CHECK(t_wait(pid) == 0);
}

TEST(bad_descriptors)
{
	struct pollfd p[3] = { { .fd = 77, .events = POLLIN }, { .fd = -1, .events = POLLIN, .revents = 9 },
			       { .fd = -77 } };
	struct rlimit limit = { 64, 64 };

	CHECK(poll(p, 3, 5000) == 1);
	CHECK(p[0].revents == POLLNVAL && p[1].revents == 0 && p[2].revents == 0);
	FAILS(EFAULT, syscall(SYS_poll, 8L, 1L, 0L));
	CHECK(syscall(SYS_poll, 8L, 0L, 0L) == 0);
	FAILS(EINVAL, syscall(SYS_poll, p, 0xffffffffL, 0L));
	WORKS(setrlimit(RLIMIT_NOFILE, &limit));
	FAILS(EINVAL, syscall(SYS_poll, p, 65L, 0L));
}

TEST(files_always_ready)
{
	int null = (int)WORKS(open("/dev/null", O_RDWR)), file;

	CHECK(ready(null, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
	CHECK(ready(null, POLLPRI) == 0);
	t_file("f", "x");
	file = (int)WORKS(open("f", O_RDONLY));
	CHECK(ready(file, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
}

TEST(timeout)
{
	int fds[2];
	long start;
	struct pollfd p;

	WORKS(pipe(fds));
	p = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	start = clock_ms();
	CHECK(poll(&p, 1, 80) == 0 && p.revents == 0);
	CHECK(clock_ms() - start >= 79);
	start = clock_ms();
	CHECK(poll(NULL, 0, 50) == 0);
	CHECK(clock_ms() - start >= 49);
}

TEST(woken)
{
	int fds[2], more[2], pid;
	struct pollfd p[2];

	WORKS(pipe(fds));
	WORKS(pipe(more));
	pid = later(60, write_byte, more[1]);
	p[0] = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	p[1] = (struct pollfd){ .fd = more[0], .events = POLLIN };
	CHECK(poll(p, 2, -1) == 1);
	CHECK(p[0].revents == 0 && p[1].revents == POLLIN);
	CHECK(t_wait(pid) == 0);
}

TEST(many)
{
	static struct pollfd p[200];
	int fds[2], pid;

	WORKS(pipe(fds));
	for (int i = 0; i < 200; i++)
		p[i] = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	CHECK(poll(p, 200, 0) == 0);
	pid = later(60, write_byte, fds[1]);
	CHECK(poll(p, 200, -1) == 200);
	CHECK(t_wait(pid) == 0);
}

TEST(hangup_wakes)
{
	int fds[2], pid;
	struct pollfd p;

	WORKS(pipe(fds));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		sleep_ms(60);
		_exit(0);
	}
	close(fds[1]);
	p = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	CHECK(poll(&p, 1, 5000) == 1 && p.revents == POLLHUP);
	CHECK(t_wait(pid) == 0);
}

TEST(poll_interrupted)
{
	int pid;

	handle_usr1(SA_RESTART);
	pid = later(60, signal_parent, SIGUSR1);
	FAILS(EINTR, poll(NULL, 0, 5000));	/* SA_RESTART or not */
	CHECK(nr_usr1 == 1);
	CHECK(t_wait(pid) == 0);
}

/* A stop and continuation do not lengthen the wait. */
TEST(poll_stopped)
{
	int pid = (int)WORKS(fork()), status;

	if (pid == 0) {
		long start = clock_ms();
		int ret = poll(NULL, 0, 400);

		_exit(ret != 0 || clock_ms() - start < 399 || clock_ms() - start > 3000);
	}
	sleep_ms(100);
	WORKS(kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	sleep_ms(100);
	WORKS(kill(pid, SIGCONT));
	CHECK(t_wait(pid) == 0);
}

TEST(ppoll_mask)
{
	struct timespec second = { 5, 0 }, bad = { 0, 1000000000 };
	sigset_t block, none;

	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	handle_usr1(0);
	WORKS(sigprocmask(SIG_BLOCK, &block, NULL));
	WORKS(raise(SIGUSR1));
	CHECK(nr_usr1 == 0);
	FAILS(EINTR, ppoll(NULL, 0, &second, &none));
	CHECK(nr_usr1 == 1);
	WORKS(raise(SIGUSR1));
	CHECK(nr_usr1 == 1, "blocked again");
	FAILS(EINVAL, ppoll(NULL, 0, &bad, NULL));
	FAILS(EINVAL, syscall(SYS_ppoll, NULL, 0L, &second, &none, 4L));
	FAILS(EFAULT, syscall(SYS_ppoll, NULL, 0L, 8L, NULL, 8L));
}

TEST(ppoll_time_left)
{
	struct timespec t = { 5, 0 };
	int fds[2];
	struct pollfd p;

	WORKS(pipe(fds));
	write_byte(fds[1]);
	p = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	CHECK(syscall(SYS_ppoll, &p, 1L, &t, NULL, 8L) == 1);
	CHECK(t.tv_sec == 4 && t.tv_nsec > 0);
	p.fd = -1;
	t = (struct timespec){ 0, 20000000 };
	CHECK(syscall(SYS_ppoll, &p, 1L, &t, NULL, 8L) == 0);
	CHECK(t.tv_sec == 0 && t.tv_nsec == 0);
}

TEST(select_sets)
{
	int fds[2];
	fd_set in, out_set;
	struct timeval zero = { 0, 0 };

	WORKS(pipe(fds));
	FD_ZERO(&in);
	FD_ZERO(&out_set);
	FD_SET(fds[0], &in);
	FD_SET(fds[1], &out_set);
	CHECK(select(fds[1] + 1, &in, &out_set, NULL, &zero) == 1);
	CHECK(!FD_ISSET(fds[0], &in) && FD_ISSET(fds[1], &out_set));
	write_byte(fds[1]);
	FD_SET(fds[0], &in);
	CHECK(select(fds[1] + 1, &in, &out_set, NULL, NULL) == 2);
	CHECK(FD_ISSET(fds[0], &in) && FD_ISSET(fds[1], &out_set));
	FD_SET(60, &in);
	FAILS(EBADF, select(61, &in, NULL, NULL, &zero));
	CHECK(select(fds[1] + 1, &in, NULL, NULL, &zero) == 1);
	FAILS(EINVAL, select(-1, NULL, NULL, NULL, &zero));
	FAILS(EFAULT, syscall(SYS_select, 1L, 8L, NULL, NULL, &zero));
	CHECK(select(0, NULL, NULL, NULL, &zero) == 0);
}

TEST(select_hangup)
{
	int fds[2];
	fd_set in, except;

	WORKS(pipe(fds));
	close(fds[1]);
	FD_ZERO(&in);
	FD_ZERO(&except);
	FD_SET(fds[0], &in);
	CHECK(select(fds[0] + 1, &in, NULL, NULL, NULL) == 1);
	FD_SET(fds[0], &except);
	CHECK(select(fds[0] + 1, NULL, NULL, &except, &(struct timeval){ 0, 30000 }) == 0);
	CHECK(!FD_ISSET(fds[0], &except));
}

TEST(select_time)
{
	struct timeval t = { 0, 60000 }, bad = { -1, 0 };
	long start = clock_ms();
	int fds[2], pid;
	fd_set in;

	CHECK(select(0, NULL, NULL, NULL, &t) == 0);
	CHECK(clock_ms() - start >= 59);
	FAILS(EINVAL, select(0, NULL, NULL, NULL, &bad));
	WORKS(pipe(fds));
	pid = later(60, write_byte, fds[1]);
	FD_ZERO(&in);
	FD_SET(fds[0], &in);
	t = (struct timeval){ 9, 0 };
	CHECK(syscall(SYS_select, fds[0] + 1L, &in, NULL, NULL, &t) == 1);
	CHECK(t.tv_sec == 8 || t.tv_sec == 7, "time left");
	CHECK(t_wait(pid) == 0);
}

TEST(pselect_mask)
{
	struct timespec second = { 5, 0 };
	sigset_t block, none;
	int pid;

	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	handle_usr1(SA_RESTART);
	WORKS(sigprocmask(SIG_BLOCK, &block, NULL));
	pid = later(60, signal_parent, SIGUSR1);
	FAILS(EINTR, pselect(0, NULL, NULL, NULL, &second, &none));
	CHECK(nr_usr1 == 1);
	CHECK(t_wait(pid) == 0);
	FAILS(EFAULT, syscall(SYS_pselect6, 0L, NULL, NULL, NULL, &second, 8L));
}

/* Everybody who polls a pipe is woken, and so is a reader beside them. */
TEST(several_waiters)
{
	int fds[2], pids[4];

	WORKS(pipe(fds));
	for (int i = 0; i < 4; i++) {
		pids[i] = (int)WORKS(fork());
		if (pids[i] == 0) {
			struct pollfd p = { .fd = fds[0], .events = POLLIN };

			_exit(poll(&p, 1, 20000) != 1);
		}
	}
	sleep_ms(60);
	write_byte(fds[1]);
	for (int i = 0; i < 4; i++)
		CHECK(t_wait(pids[i]) == 0);
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
