/* SPDX-License-Identifier: MIT */
/*
 * A program as anybody writes it for Linux: threads, mutexes, conditions, thread-local storage,
 * signals to threads, timers, pipes, memory. It knows nothing of Tally, is linked statically with
 * glibc and with musl, and prints the same lines everywhere.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS	8
#define ROUNDS	2000

#define MUST(cond) \
	do { \
		if (!(cond)) { \
			printf("line %d: %s: %s\n", __LINE__, #cond, strerror(errno)); \
			exit(1); \
		} \
	} while (0)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static __thread long own;
static long sum;
static int turn;
static pthread_key_t key;
static int destroyed;

static void destroy(void *value)
{
	(void)value;
	__atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
}

static void *worker(void *arg)
{
	long me = (long)arg;

	pthread_setspecific(key, arg);
	own = me;
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		sum += own;
		pthread_mutex_unlock(&lock);
	}
	pthread_mutex_lock(&lock);
	while (turn != me)
		pthread_cond_wait(&changed, &lock);
	turn++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return (void *)(own * 2);
}

static void threads(void)
{
	pthread_t t[THREADS];
	void *ret;
	long back = 0;

	pthread_key_create(&key, destroy);
	pthread_barrier_init(&barrier, NULL, THREADS);
	turn = 1;
	for (long i = 0; i < THREADS; i++)
		MUST(pthread_create(&t[i], NULL, worker, (void *)(i + 1)) == 0);
	for (int i = 0; i < THREADS; i++) {
		MUST(pthread_join(t[i], &ret) == 0);
		back += (long)ret;
	}
	printf("threads: sum %ld, returned %ld, turn %d, destroyed %d\n", sum, back, turn, destroyed);
}

static void *late(void *arg)
{
	struct timespec until;
	int err;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 20000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&lock);
	do
		err = pthread_cond_timedwait(&changed, &lock, &until);
	while (err == 0);
	pthread_mutex_unlock(&lock);
	return (void *)(long)err;
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void waits(void)
{
	pthread_t t;
	sem_t sem;
	void *ret;

	pthread_create(&t, NULL, late, NULL);
	pthread_join(t, &ret);
	printf("timed wait: %s\n", (long)ret == ETIMEDOUT ? "timed out" : "?");
	pthread_create(&t, NULL, sleeper, NULL);
	pthread_cancel(t);
	pthread_join(t, &ret);
	printf("cancel: %s\n", ret == PTHREAD_CANCELED ? "canceled" : "?");
	sem_init(&sem, 0, 1);
	sem_wait(&sem);
	printf("semaphore: %d\n", sem_trywait(&sem) == -1 && errno == EAGAIN);
}

static volatile sig_atomic_t got, code, sent;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got += sig;
	code = info->si_code;
	sent = info->si_value.sival_int;
}

static void signals(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct itimerval soon = { { 0, 0 }, { 0, 20000 } };
	union sigval value = { .sival_int = 42 };
	sigset_t set, old;

	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGRTMIN, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	raise(SIGUSR1);
	printf("raise: %d\n", got == SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, &old);
	sigqueue(getpid(), SIGRTMIN, value);
	got = 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	printf("queue: %d %d %d\n", got == SIGRTMIN, code == SI_QUEUE, (int)sent);
	got = 0;
	setitimer(ITIMER_REAL, &soon, NULL);
	while (got == 0)
		pause();
	printf("timer: %d\n", got == SIGALRM);
}

static char *volatile fault_address;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (sig == SIGSEGV && (char *)info->si_addr == fault_address)
		mprotect(fault_address, 4096, PROT_READ | PROT_WRITE);
	else
		_exit(3);
}

static void faults(void)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };

	sigaltstack(&stack, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	fault_address = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*fault_address = 9;
	printf("fault: handled %d\n", *fault_address);
	signal(SIGSEGV, SIG_DFL);
}

extern char **environ;

static void processes(char *self)
{
	char *argv[] = { self, "child", NULL };
	int fds[2], status;
	struct pollfd p;
	pid_t pid;
	char buf[64];
	long n;

	fflush(stdout);
	MUST(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		dprintf(fds[1], "from %s", "the child");
		_exit(7);
	}
	close(fds[1]);
	p = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	MUST(poll(&p, 1, 5000) == 1);
	n = read(fds[0], buf, sizeof(buf));
	MUST(waitpid(pid, &status, 0) == pid);
	printf("fork: %.*s, %d\n", (int)n, buf, WEXITSTATUS(status));
	fflush(stdout);
	MUST(posix_spawn(&pid, self, NULL, NULL, argv, environ) == 0);
	MUST(waitpid(pid, &status, 0) == pid);
	printf("spawn: %d\n", WEXITSTATUS(status));
}

static void memory(void)
{
	char *blocks[64], *big;
	int ok = 1;

	for (int i = 0; i < 64; i++) {
		blocks[i] = malloc((size_t)(i + 1) * 3000);
		memset(blocks[i], i, (size_t)(i + 1) * 3000);
	}
	for (int i = 0; i < 64; i++) {
		ok &= blocks[i][(i + 1) * 3000 - 1] == i;
		free(blocks[i]);
	}
	big = malloc(1 << 20);
	memset(big, 5, 1 << 20);
	big = realloc(big, 8 << 20);
	ok &= big[(1 << 20) - 1] == 5;
	free(big);
	printf("memory: %d\n", ok);
}

static void numbers(void)
{
	double x = 2;

	for (int i = 0; i < 5; i++)
		x = x / 2 + 1 / x;
	printf("numbers: %.12f %g %s\n", x, 1e300 * 1e10, strcmp("a", "b") < 0 ? "less" : "more");
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		printf("spawned: %s\n", argv[1]);
		return 5;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	threads();
	waits();
	signals();
	faults();
	memory();
	numbers();
	processes(argv[0]);
	puts("end");
	return 0;
}
