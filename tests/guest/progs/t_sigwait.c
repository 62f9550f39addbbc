/* SPDX-License-Identifier: MIT */
/* Signals and what they interrupt: system calls that end or go on, stopped processes, timers. */
#include "t.h"
#include <poll.h>
#include <pthread.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define FUTEX_WAIT		0
#define FUTEX_WAIT_BITSET	9

static volatile int count;
static volatile siginfo_t seen;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	seen = *info;
	count++;
}

static void handle(int sig, int flags)
{
	struct sigaction act = { .sa_flags = SA_SIGINFO | flags, .sa_sigaction = note };

	sigemptyset(&act.sa_mask);
	WORKS(sigaction(sig, &act, NULL));
}

static void block(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	WORKS(sigprocmask(how, &set, NULL));
}

/* A child that sends sig to the caller after ms, and then, after another ms, does the rest. */
static int later(int ms, int sig, void (*rest)(void *), void *arg)
{
	int target = getpid(), pid = (int)WORKS(fork());

	if (pid)
		return pid;
	sleep_ms(ms);
	WORKS(kill(target, sig));
	sleep_ms(ms);
	if (rest)
		rest(arg);
	_exit(0);
}

static void reap(int pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR, "%s", t_errno(errno));
	CHECK(status == 0, "child's status %#x", status);
}

static void write_byte(void *fd)
{
	WORKS(write(*(int *)fd, "x", 1));
}

static void stop_and_go(int pid, int ms)
{
	int status;

	WORKS(kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	sleep_ms(ms);
	WORKS(kill(pid, SIGCONT));
}

/* --- system calls under handlers */

TEST(read_ends_with_eintr)
{
	int fds[2], pid;
	char c;

	WORKS(pipe(fds));
	handle(SIGUSR1, 0);
	pid = later(30, SIGUSR1, NULL, NULL);
	FAILS(EINTR, read(fds[0], &c, 1));
	CHECK(count == 1);
	reap(pid);
}

TEST(read_is_restarted)
{
	int fds[2], pid;
	char c = 0;

	WORKS(pipe(fds));
	handle(SIGUSR1, SA_RESTART);
	pid = later(30, SIGUSR1, write_byte, &fds[1]);
	CHECK(read(fds[0], &c, 1) == 1 && c == 'x' && count == 1, "errno %s", t_errno(errno));
	reap(pid);
}

TEST(write_says_what_it_has_written)
{
	static char data[200000];
	int fds[2], pid;
	long n;

	WORKS(pipe(fds));
	handle(SIGUSR1, SA_RESTART);
	pid = later(30, SIGUSR1, NULL, NULL);
	n = WORKS(write(fds[1], data, sizeof(data)));
	CHECK(n == 65536 && count == 1, "wrote %ld", n);
	reap(pid);
}

static void sleep_and_exit(void *unused)
{
	(void)unused;
	sleep_ms(50);
}

TEST(wait_ends_or_goes_on)
{
	int child, pid, status;

	handle(SIGUSR1, 0);
	child = (int)WORKS(fork());
	if (child == 0) {
		sleep_ms(150);
		_exit(3);
	}
	pid = later(30, SIGUSR1, NULL, NULL);
	FAILS(EINTR, waitpid(child, &status, 0));
	reap(pid);
	handle(SIGUSR1, SA_RESTART);
	pid = later(10, SIGUSR1, sleep_and_exit, NULL);
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3 && count == 2);
	reap(pid);
}

TEST(sleep_says_what_is_left)
{
	struct timespec long_time = { 5, 0 }, left = { 0, 0 };
	int pid;

	handle(SIGUSR1, SA_RESTART);		/* which does not matter to sleeps */
	pid = later(50, SIGUSR1, NULL, NULL);
	FAILS(EINTR, nanosleep(&long_time, &left));
	CHECK(left.tv_sec == 4 && left.tv_nsec < 999999999, "%ld.%09ld", left.tv_sec,
	      left.tv_nsec);
	reap(pid);
	pid = later(50, SIGUSR1, NULL, NULL);
	CHECK(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &long_time, &left) == -1 &&
	      errno == EINTR && left.tv_sec == 4);
	reap(pid);
	pid = later(50, SIGUSR1, NULL, NULL);
	FAILS(EFAULT, syscall(SYS_nanosleep, &long_time, 8));
	reap(pid);
	WORKS(clock_gettime(CLOCK_MONOTONIC, &long_time));
	long_time.tv_sec += 5;
	left.tv_sec = 77;
	pid = later(50, SIGUSR1, NULL, NULL);
	FAILS(EINTR, syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &long_time,
			     &left));
	CHECK(left.tv_sec == 77);
	reap(pid);
}

TEST(futex_waits)
{
	struct timespec five = { 5, 0 }, end;
	int word = 1, pid;

	handle(SIGUSR1, 0);
	pid = later(30, SIGUSR1, NULL, NULL);
	FAILS(EINTR, syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL));
	reap(pid);
	handle(SIGUSR1, SA_RESTART);
	pid = later(30, SIGUSR1, NULL, NULL);
	FAILS(EINTR, syscall(SYS_futex, &word, FUTEX_WAIT, 1, &five));
	reap(pid);
	WORKS(clock_gettime(CLOCK_MONOTONIC, &end));
	end.tv_sec += 5;
	pid = later(30, SIGUSR1, NULL, NULL);
	FAILS(EINTR, syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 1, &end, NULL, ~0));
	reap(pid);
	CHECK(count == 3);
}

static int shared_word;

static void *wake_word(void *unused)
{
	sleep_ms(60);
	__atomic_store_n(&shared_word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &shared_word, 1, 1);
	return unused;
}

TEST(futex_is_restarted)
{
	pthread_t thread;
	sigset_t set;
	int pid;

	handle(SIGUSR1, SA_RESTART);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(pthread_create(&thread, NULL, wake_word, NULL) == 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	pid = later(20, SIGUSR1, NULL, NULL);
	CHECK(syscall(SYS_futex, &shared_word, FUTEX_WAIT, 0, NULL) == 0 || errno == EAGAIN,
	      "%s", t_errno(errno));
	CHECK(count == 1 && shared_word == 1);
	pthread_join(thread, NULL);
	reap(pid);
}

TEST(poll_and_select)
{
	struct timeval five = { 5, 0 };
	struct pollfd fd;
	int fds[2], pid;
	fd_set set;

	WORKS(pipe(fds));
	handle(SIGUSR1, SA_RESTART);
	fd = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	pid = later(30, SIGUSR1, NULL, NULL);
	FAILS(EINTR, poll(&fd, 1, -1));
	reap(pid);
	pid = later(30, SIGUSR1, NULL, NULL);
	FAILS(EINTR, poll(&fd, 1, 5000));
	reap(pid);
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	pid = later(30, SIGUSR1, NULL, NULL);
	FAILS(EINTR, select(fds[0] + 1, &set, NULL, NULL, &five));
	reap(pid);
	CHECK(count == 3);
}

TEST(ppoll_swaps_the_mask)
{
	struct timespec five = { 5, 0 }, none = { 0, 0 };
	sigset_t open_set, now;
	int pid;

	handle(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	sigemptyset(&open_set);
	CHECK(ppoll(NULL, 0, &none, &open_set) == 0);
	pid = later(30, SIGUSR1, NULL, NULL);
	FAILS(EINTR, ppoll(NULL, 0, &five, &open_set));
	WORKS(sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(count == 1 && sigismember(&now, SIGUSR1));
	reap(pid);
	WORKS(kill(getpid(), SIGUSR1));
	FAILS(EINTR, pselect(0, NULL, NULL, NULL, &five, &open_set));
	WORKS(sigprocmask(SIG_BLOCK, NULL, &now));
	CHECK(count == 2 && sigismember(&now, SIGUSR1));
}

TEST(pause_is_over_after_a_handler)
{
	int pid;

	handle(SIGUSR1, SA_RESTART);
	pid = later(30, SIGUSR1, NULL, NULL);
	FAILS(EINTR, pause());
	reap(pid);
}

/* What is ignored, by whatever way, interrupts nothing. */
TEST(ignored_signals_do_not_interrupt)
{
	struct timespec some = { 0, 150000000 };
	int a, b, c;

	signal(SIGUSR1, SIG_IGN);
	a = later(20, SIGUSR1, NULL, NULL);
	b = later(30, SIGWINCH, NULL, NULL);
	c = later(30, SIGCHLD, NULL, NULL);
	WORKS(nanosleep(&some, NULL));
	reap(a);
	reap(b);
	reap(c);
}

/* --- stopped and continued: system calls go on as if nothing had been */

static void sleeper(void *arg)
{
	struct timespec some = { 0, 300000000 };
	long start = clock_ms(), took;

	(void)arg;
	WORKS(nanosleep(&some, NULL));
	took = clock_ms() - start;
	CHECK(took >= 299 && took < 2000, "%ld ms", took);
}

static int pipe_fds[2];

static void reader(void *arg)
{
	char c;

	(void)arg;
	CHECK(read(pipe_fds[0], &c, 1) == 1 && c == 'x', "%s", t_errno(errno));
}

static void poller(void *arg)
{
	struct pollfd fd = { .fd = pipe_fds[0], .events = POLLIN };
	long start = clock_ms();

	(void)arg;
	CHECK(poll(&fd, 1, 400) == 0, "%s", t_errno(errno));
	CHECK(clock_ms() - start >= 399 && clock_ms() - start < 2000);
}

static void futex_waiter(void *arg)
{
	struct timespec some = { 0, 300000000 };
	long start = clock_ms();
	int word = 0;

	(void)arg;
	FAILS(ETIMEDOUT, syscall(SYS_futex, &word, FUTEX_WAIT, 0, &some));
	CHECK(clock_ms() - start >= 299 && clock_ms() - start < 2000);
}

static int spawn(void (*fn)(void *))
{
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		fn(NULL);
		_exit(0);
	}
	sleep_ms(50);
	return pid;
}

TEST(calls_go_on_after_a_stop)
{
	int pid;

	WORKS(pipe(pipe_fds));
	pid = spawn(sleeper);
	stop_and_go(pid, 30);
	stop_and_go(pid, 30);
	reap(pid);
	pid = spawn(futex_waiter);
	stop_and_go(pid, 30);
	stop_and_go(pid, 30);
	reap(pid);
	pid = spawn(poller);
	stop_and_go(pid, 30);
	reap(pid);
	pid = spawn(reader);
	stop_and_go(pid, 30);
	WORKS(write(pipe_fds[1], "x", 1));
	reap(pid);
}

TEST(sleep_is_over_while_stopped)
{
	int pid = spawn(sleeper);

	stop_and_go(pid, 400);			/* longer than the sleep */
	reap(pid);
}

static void long_sleeper(void *arg)
{
	struct timespec some = { 2, 0 };
	long start = clock_ms(), took;

	(void)arg;
	WORKS(nanosleep(&some, NULL));
	took = clock_ms() - start;
	CHECK(took >= 1999 && took < 3400, "%ld ms", took);
}

TEST(a_sleep_keeps_its_end)
{
	int pid = spawn(long_sleeper);

	sleep_ms(1500);
	stop_and_go(pid, 300);
	reap(pid);
}

static volatile long *steps;

static void count_steps(void *arg)
{
	(void)arg;
	for (;;)
		(*steps)++;
}

static volatile long *share(void)
{
	void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);

	CHECK(page != MAP_FAILED);
	return page;
}

TEST(a_stopped_process_stands_still)
{
	int pid, status;
	long at;

	steps = share();
	pid = spawn(count_steps);
	for (int i = 0; i < 20; i++) {
		WORKS(kill(pid, SIGSTOP));
		CHECK(waitpid(pid, &status, WUNTRACED) == pid && status == (SIGSTOP << 8 | 0x7f));
		at = *steps;
		sleep_ms(15);
		CHECK(*steps == at);
		WORKS(kill(pid, SIGSTOP));	/* once more is nothing new */
		CHECK(waitpid(pid, &status, WUNTRACED | WNOHANG) == 0);
		WORKS(kill(pid, SIGCONT));
		CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
		while (*steps == at)
			sched_yield();
	}
	WORKS(kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	WORKS(kill(pid, SIGTERM));		/* waits */
	CHECK(waitpid(pid, &status, WUNTRACED | WNOHANG) == 0);
	sleep_ms(30);
	WORKS(kill(pid, 0));
	WORKS(kill(pid, SIGCONT));
	CHECK(waitpid(pid, &status, 0) == pid && status == SIGTERM, "status %#x", status);
}

TEST(kill_ends_a_stopped_process)
{
	int pid, status;

	steps = share();
	pid = spawn(count_steps);
	WORKS(kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	WORKS(kill(pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid && status == SIGKILL, "status %#x", status);
}

static void *step_thread(void *counter)
{
	for (;;)
		(*(volatile long *)counter)++;
	return NULL;
}

static void *sleep_thread(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void threads(void *arg)
{
	pthread_t thread;

	(void)arg;
	for (int i = 1; i < 4; i++)
		CHECK(pthread_create(&thread, NULL, step_thread, (void *)(steps + i)) == 0);
	CHECK(pthread_create(&thread, NULL, sleep_thread, NULL) == 0);
	step_thread((void *)steps);
}

TEST(all_threads_stop)
{
	int pid, status;
	long at[4];

	steps = share();
	pid = spawn(threads);
	for (int i = 0; i < 10; i++) {
		while (!steps[3] || !steps[2] || !steps[1] || !steps[0])
			sched_yield();
		WORKS(kill(pid, SIGSTOP));
		CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
		memcpy(at, (void *)steps, sizeof(at));
		sleep_ms(15);
		CHECK(!memcmp(at, (void *)steps, sizeof(at)));
		memset((void *)steps, 0, sizeof(at));
		WORKS(kill(pid, SIGCONT));
	}
	WORKS(kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	WORKS(kill(pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid && status == SIGKILL);
}

static void *vfork_thread(void *unused)
{
	if (vfork() == 0) {
		usleep(400000);
		_exit(0);
	}
	return sleep_thread(unused);
}

static void one_in_vfork(void *arg)
{
	pthread_t thread;

	(void)arg;
	CHECK(pthread_create(&thread, NULL, vfork_thread, NULL) == 0);
	sleep_ms(30);
	step_thread((void *)steps);
}

/* A thread whose child runs on its memory stops only when it has that back. */
TEST(stopped_is_who_has_all_threads_stopped)
{
	int pid, status;
	long at;

	steps = share();
	pid = spawn(one_in_vfork);
	while (!*steps)
		sched_yield();
	WORKS(kill(pid, SIGSTOP));
	sleep_ms(50);
	at = *steps;
	sleep_ms(50);
	CHECK(*steps == at, "the other thread runs");
	CHECK(waitpid(pid, &status, WUNTRACED | WNOHANG) == 0);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	WORKS(kill(pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid && status == SIGKILL);
}

static void handle_stops(void *arg)
{
	(void)arg;
	handle(SIGTSTP, 0);
	handle(SIGCONT, 0);
	WORKS(setpgid(0, 0));
	*steps = 1;
	while (count < 1)
		pause();
	CHECK(seen.si_signo == SIGTSTP);
	signal(SIGTSTP, SIG_DFL);
	WORKS(raise(SIGTSTP));			/* stops here */
	CHECK(count == 2 && seen.si_signo == SIGCONT);
}

TEST(stops_and_continuations_can_be_handled)
{
	int pid, status;

	steps = share();
	pid = spawn(handle_stops);
	while (!*steps)
		sched_yield();
	WORKS(kill(pid, SIGTSTP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) &&
	      WSTOPSIG(status) == SIGTSTP, "status %#x", status);
	WORKS(kill(pid, SIGCONT));
	reap(pid);
}

static void orphan(void *arg)
{
	(void)arg;
	WORKS(setsid());			/* a group of its own that nobody cares for */
	WORKS(raise(SIGTSTP));
	WORKS(raise(SIGTTIN));
	WORKS(raise(SIGTTOU));
}

TEST(an_orphaned_group_is_not_stopped)
{
	int pid = (int)WORKS(fork()), status;

	if (pid == 0) {
		orphan(NULL);
		WORKS(raise(SIGSTOP));		/* but so it is */
		_exit(7);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) &&
	      WSTOPSIG(status) == SIGSTOP, "status %#x", status);
	WORKS(kill(pid, SIGCONT));
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
}

TEST(stop_and_continue_undo_each_other)
{
	sigset_t set;

	handle(SIGCONT, 0);
	block(SIG_BLOCK, SIGTSTP);
	block(SIG_BLOCK, SIGCONT);
	WORKS(kill(getpid(), SIGTSTP));
	WORKS(sigpending(&set));
	CHECK(sigismember(&set, SIGTSTP));
	WORKS(kill(getpid(), SIGCONT));
	WORKS(sigpending(&set));
	CHECK(!sigismember(&set, SIGTSTP) && sigismember(&set, SIGCONT));
	WORKS(kill(getpid(), SIGTSTP));
	WORKS(sigpending(&set));
	CHECK(sigismember(&set, SIGTSTP) && !sigismember(&set, SIGCONT));
	WORKS(kill(getpid(), SIGCONT));
	block(SIG_UNBLOCK, SIGTSTP);
	block(SIG_UNBLOCK, SIGCONT);
	CHECK(count == 1);
}

/* Stopped and continued as fast as can be, by two that do not know of each other. */
TEST(a_storm_of_stops)
{
	int pid, others[2], status;
	long at;

	steps = share();
	pid = spawn(threads);
	for (int i = 0; i < 2; i++) {
		others[i] = (int)WORKS(fork());
		if (others[i])
			continue;
		for (int n = 0; n < 500; n++) {
			kill(pid, n % 2 == i ? SIGSTOP : SIGCONT);
			if (n % 16 == 0)
				sched_yield();
		}
		_exit(0);
	}
	reap(others[0]);
	reap(others[1]);
	WORKS(kill(pid, SIGCONT));
	at = *steps;
	for (int i = 0; i < 500 && *steps == at; i++)
		sleep_ms(10);
	CHECK(*steps != at, "it does not go on");
	WORKS(kill(pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid && status == SIGKILL);
}

static void *leave_soon(void *how)
{
	usleep(1000 + (unsigned)(long)how % 7 * 3000);
	if ((long)how % 2)
		execl(t_self, t_self, "exit-42", NULL);
	syscall(SYS_exit_group, 42);
	return NULL;
}

static void leave_from_a_thread(long how)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&thread, NULL, i ? sleep_thread : step_thread,
				     (void *)steps) == 0);
	CHECK(pthread_create(&thread, NULL, leave_soon, (void *)how) == 0);
	sleep_thread(NULL);
}

/* exec and exit_group by one thread, while all are stopped and continued. */
TEST(exec_and_exit_among_stops)
{
	int pid, status;

	steps = share();
	for (long i = 0; i < 24; i++) {
		pid = (int)WORKS(fork());
		if (pid == 0)
			leave_from_a_thread(i);
		for (int n = 0; n < 12; n++) {
			WORKS(kill(pid, SIGSTOP));
			usleep((unsigned)(i * 131 + n * 17) % 1500);
			WORKS(kill(pid, SIGCONT));
			usleep((unsigned)(i * 37 + n * 71) % 1500);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 42 << 8, "status %#x", status);
	}
}

/* --- what a parent hears */

static void expect_child(int pid, int code, int status)
{
	for (int i = 0; i < 300 && !count; i++)
		sleep_ms(10);
	CHECK(count == 1 && seen.si_signo == SIGCHLD && seen.si_pid == pid, "count %d", count);
	CHECK(seen.si_code == code && seen.si_status == status, "code %d status %d", seen.si_code,
	      seen.si_status);
	count = 0;
}

TEST(sigchld_says_what_happened)
{
	int pid;

	handle(SIGCHLD, SA_RESTART);
	pid = (int)WORKS(fork());
	if (pid == 0)
		_exit(9);
	expect_child(pid, CLD_EXITED, 9);
	CHECK(t_wait(pid) == 9 << 8);
	steps = share();
	pid = (int)WORKS(fork());
	if (pid == 0)
		count_steps(NULL);
	WORKS(kill(pid, SIGSTOP));
	expect_child(pid, CLD_STOPPED, SIGSTOP);
	WORKS(kill(pid, SIGCONT));
	expect_child(pid, CLD_CONTINUED, SIGCONT);
	WORKS(kill(pid, SIGTERM));
	expect_child(pid, CLD_KILLED, SIGTERM);
	CHECK(t_wait(pid) == SIGTERM);
}

TEST(nocldstop)
{
	int pid, status;

	handle(SIGCHLD, SA_RESTART | SA_NOCLDSTOP);
	steps = share();
	pid = (int)WORKS(fork());
	if (pid == 0)
		count_steps(NULL);
	WORKS(kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	WORKS(kill(pid, SIGCONT));
	CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	CHECK(count == 0);
	WORKS(kill(pid, SIGKILL));
	expect_child(pid, CLD_KILLED, SIGKILL);
	CHECK(t_wait(pid) == SIGKILL);
}

TEST(nocldwait_leaves_no_zombies)
{
	int pid;

	handle(SIGCHLD, SA_RESTART | SA_NOCLDWAIT);
	pid = (int)WORKS(fork());
	if (pid == 0)
		_exit(9);
	expect_child(pid, CLD_EXITED, 9);
	FAILS(ECHILD, waitpid(pid, NULL, 0));
	signal(SIGCHLD, SIG_IGN);
	pid = (int)WORKS(fork());
	if (pid == 0)
		_exit(9);
	FAILS(ECHILD, waitpid(pid, NULL, 0));
}

/* --- timers */

TEST(alarm_rings)
{
	long start = clock_ms();

	handle(SIGALRM, 0);
	CHECK(alarm(100) == 0);
	CHECK(alarm(1) == 100);
	FAILS(EINTR, pause());
	CHECK(count == 1 && seen.si_code == SI_KERNEL);
	CHECK(clock_ms() - start >= 999, "after %ld ms", clock_ms() - start);
	CHECK(alarm(0) == 0);
	CHECK(alarm(2) == 0 && alarm(0) == 2);
	sleep_ms(50);
	CHECK(count == 1);
}

TEST(itimer_repeats)
{
	struct itimerval timer = { { 0, 20000 }, { 0, 50000 } }, old;
	long start = clock_ms(), took;

	handle(SIGALRM, SA_RESTART);
	WORKS(setitimer(ITIMER_REAL, &timer, NULL));
	while (count < 10)
		pause();
	took = clock_ms() - start;
	CHECK(took >= 220 && took < 2000, "%ld ms", took);
	timer.it_value.tv_usec = 0;
	timer.it_value.tv_sec = 30;
	WORKS(setitimer(ITIMER_REAL, &timer, &old));
	CHECK(old.it_interval.tv_usec == 20000 && old.it_value.tv_usec <= 20000 &&
	      old.it_value.tv_usec > 0);
	WORKS(getitimer(ITIMER_REAL, &old));
	CHECK(old.it_value.tv_sec == 29 && old.it_interval.tv_usec == 20000);
	memset(&timer, 0, sizeof(timer));
	WORKS(setitimer(ITIMER_REAL, &timer, &old));
	WORKS(getitimer(ITIMER_REAL, &old));
	CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
}

TEST(itimer_arguments)
{
	struct itimerval timer = { { 0, 0 }, { 0, 1000000 } };

	FAILS(EINVAL, setitimer(ITIMER_REAL, &timer, NULL));
	timer.it_value.tv_usec = -1;
	FAILS(EINVAL, setitimer(ITIMER_REAL, &timer, NULL));
	timer.it_value.tv_usec = 0;
	timer.it_value.tv_sec = -1;
	FAILS(EINVAL, setitimer(ITIMER_REAL, &timer, NULL));
	timer.it_value.tv_sec = 0;
	FAILS(EINVAL, syscall(SYS_setitimer, 3, &timer, NULL));
	FAILS(EINVAL, syscall(SYS_getitimer, 3, &timer));
	FAILS(EFAULT, syscall(SYS_setitimer, ITIMER_REAL, 8, NULL));
	FAILS(EFAULT, syscall(SYS_getitimer, ITIMER_REAL, 8));
	FAILS(EFAULT, syscall(SYS_setitimer, ITIMER_REAL, &timer, 8));
}

static void expect_cpu_timer(int which, int sig)
{
	struct itimerval timer = { { 0, 0 }, { 0, 60000 } }, old;
	clock_t start;

	count = 0;
	handle(sig, SA_RESTART);
	WORKS(setitimer(which, &timer, NULL));
	sleep_ms(200);
	CHECK(count == 0, "a sleeping process has used time");
	WORKS(getitimer(which, &old));
	CHECK(old.it_value.tv_usec > 20000 && old.it_value.tv_usec <= 70000, "%ld us left",
	      (long)old.it_value.tv_usec);
	start = clock();
	while (!count)
		CHECK(clock() - start < 2 * CLOCKS_PER_SEC);
	CHECK(seen.si_signo == sig);
	CHECK(clock() - start >= CLOCKS_PER_SEC * 3 / 100, "after %ld us", (long)(clock() - start));
}

TEST(cpu_timers)
{
	expect_cpu_timer(ITIMER_PROF, SIGPROF);
	expect_cpu_timer(ITIMER_VIRTUAL, SIGVTALRM);
}

TEST(many_timers)
{
	int pids[20];

	for (int i = 0; i < 20; i++) {
		pids[i] = (int)WORKS(fork());
		if (pids[i] == 0) {
			struct itimerval timer = { { 0, 0 }, { 0, 20000 + (i * 7) % 20 * 5000 } };

			WORKS(setitimer(ITIMER_REAL, &timer, NULL));
			for (;;)
				pause();
		}
	}
	for (int i = 0; i < 20; i++)
		CHECK(t_wait(pids[i]) == SIGALRM);
}

static void leave_with_timers(void *arg)
{
	struct itimerval timer = { { 0, 20000 }, { 0, 20000 } };

	(void)arg;
	signal(SIGALRM, SIG_IGN);
	WORKS(setitimer(ITIMER_REAL, &timer, NULL));
	WORKS(setitimer(ITIMER_PROF, &timer, NULL));
}

TEST(timers_end_with_their_process)
{
	for (int i = 0; i < 50; i++)
		CHECK(t_child(leave_with_timers, NULL) == 0);
	sleep_ms(60);
	for (int i = 0; i < 50; i++)
		CHECK(t_child(leave_with_timers, NULL) == 0);
}

/* --- vfork */

TEST(a_signal_for_a_parent_in_vfork_waits)
{
	int pid, parent = getpid();

	handle(SIGUSR1, 0);
	pid = (int)WORKS(vfork());
	if (pid == 0) {
		kill(parent, SIGUSR1);
		usleep(50000);
		_exit(count);			/* memory is shared: no handler has run yet */
	}
	CHECK(count == 1);
	CHECK(t_wait(pid) == 0);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "exit-42"))
		return 42;
	return t_main(argc, argv);
}
