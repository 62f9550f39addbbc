/* SPDX-License-Identifier: MIT */
/*
 * What many CPUs must do, seen from a program. One word says which:
 *   cpus			CPUs by sched_getaffinity
 *   fair N MS			N spinning processes for MS ms: least, mean, most CPU time, in us
 *   threads RUNS		16 threads, one mutex, two condition variables: sums are right
 *   kill threads|loop|pipe N	ms from SIGKILL to the end of what was killed, N times
 *   move N			a process moves itself over all CPUs N times
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include "../../../user/common.h"

#define NR_THREADS	16
#define ITEMS		200		/* of each producer */
#define SLOTS		4

static int cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		die(1, "sched_getaffinity: %s\n", strerror(errno));
	return CPU_COUNT(&set);
}

static long clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* --- fair: the kernel's own account of CPU time */

/* All begin together: when the other end of the pipe closes. */
static _Noreturn void spin_until(const int gate[2], const volatile long *until)
{
	char byte;

	close(gate[1]);
	if (read(gate[0], &byte, 1) < 0)
		_exit(1);
	while (clock_ms() < *until)
		;
	_exit(0);
}

static int fair(int nr, long ms)
{
	long least = ~0ul >> 1, most = 0, total = 0;
	volatile long *until = mmap(NULL, sizeof(*until), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct rusage usage;
	int status, gate[2];

	if (until == MAP_FAILED || pipe(gate) < 0)
		die(1, "no memory or no pipe: %s\n", strerror(errno));
	for (int i = 0; i < nr; i++) {
		int pid = fork();

		if (pid < 0)
			die(1, "fork: %s\n", strerror(errno));
		if (pid == 0)
			spin_until(gate, until);
	}
	*until = clock_ms() + ms;
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < nr; i++) {
		long us;

		if (wait4(-1, &status, 0, &usage) < 0 || status)
			die(1, "wait4: %s, status %#x\n", strerror(errno), status);
		us = usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
		     usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec;
		least = us < least ? us : least;
		most = us > most ? us : most;
		total += us;
	}
	out("%ld %ld %ld\n", least, total / nr, most);
	return 0;
}

/* --- threads: producers and consumers over a short queue */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t room, filled;
	long slot[SLOTS];
	int nr;
	long made, sum;			/* items ever put in; sum of what was taken out */
} queue;

static void *producer(void *arg)
{
	for (long i = 1; i <= ITEMS; i++) {
		pthread_mutex_lock(&queue.lock);
		while (queue.nr == SLOTS)
			pthread_cond_wait(&queue.room, &queue.lock);
		queue.slot[queue.nr++] = (long)arg * ITEMS + i;
		queue.made++;
		pthread_cond_signal(&queue.filled);
		pthread_mutex_unlock(&queue.lock);
	}
	return arg;
}

static void *consumer(void *arg)
{
	long taken = 0;

	for (int i = 0; i < ITEMS; i++) {
		pthread_mutex_lock(&queue.lock);
		while (queue.nr == 0)
			pthread_cond_wait(&queue.filled, &queue.lock);
		taken += queue.slot[--queue.nr];
		pthread_cond_signal(&queue.room);
		pthread_mutex_unlock(&queue.lock);
	}
	pthread_mutex_lock(&queue.lock);
	queue.sum += taken;
	pthread_mutex_unlock(&queue.lock);
	return arg;
}

static int threads_once(void)
{
	long n = NR_THREADS / 2 * ITEMS;
	pthread_t t[NR_THREADS];

	memset(&queue, 0, sizeof(queue));
	pthread_mutex_init(&queue.lock, NULL);
	pthread_cond_init(&queue.room, NULL);
	pthread_cond_init(&queue.filled, NULL);
	for (long i = 0; i < NR_THREADS; i++) {
		int err = pthread_create(&t[i], NULL, i & 1 ? consumer : producer, (void *)(i / 2));

		if (err)
			die(1, "pthread_create: %s\n", strerror(err));
	}
	for (long i = 0; i < NR_THREADS; i++) {
		void *result;

		if (pthread_join(t[i], &result) || result != (void *)(i / 2))
			die(1, "thread %ld: wrong end\n", i);
	}
	return queue.made == n && queue.nr == 0 && queue.sum == n * (n + 1) / 2;
}

static int threads(int runs)
{
	int right = 0;

	for (int i = 0; i < runs; i++) {
		int status, pid = fork();

		if (pid == 0)
			_exit(threads_once() ? 0 : 3);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			die(1, "run %d: %s\n", i, strerror(errno));
		right += status == 0;
	}
	out("%d of %d right\n", right, runs);
	return right != runs;
}

/* --- kill */

static volatile int *started;

static void *spin(void *arg)
{
	__atomic_add_fetch(started, 1, __ATOMIC_SEQ_CST);
	for (;;)
		__asm__ volatile("");
	return arg;
}

static void victim(const char *what)
{
	pthread_t t;
	int p[2];
	char c;

	if (!strcmp(what, "threads")) {
		for (int i = 1; i < NR_THREADS; i++)
			if (pthread_create(&t, NULL, spin, NULL))
				_exit(1);
		spin(NULL);
	}
	if (!strcmp(what, "pipe")) {
		if (pipe(p) < 0)
			_exit(1);
		*started = 1;
		while (read(p[0], &c, 1) != 1)
			;
	}
	spin(NULL);
}

static int kills(const char *what, int times)
{
	int want = !strcmp(what, "threads") ? NR_THREADS : 1;

	started = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (started == MAP_FAILED)
		die(1, "mmap: %s\n", strerror(errno));
	for (int i = 0; i < times; i++) {
		long until = clock_ms() + 20000, at;
		int pid, status;

		*started = 0;
		pid = fork();
		if (pid == 0)
			victim(what);
		while (*started < want && clock_ms() < until)
			sleep_ms(1);
		if (*started < want)
			die(1, "only %d of %d started\n", *started, want);
		sleep_ms(20);		/* from there into read() */
		at = clock_us();
		if (kill(pid, SIGKILL) < 0 || waitpid(pid, &status, 0) != pid)
			die(1, "kill, wait: %s\n", strerror(errno));
		at = clock_us() - at;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			die(1, "wait status %#x\n", status);
		out("%ld\n", at);
	}
	return 0;
}

/* --- move */

static int move(int times)
{
	int nr = cpus();

	for (int i = 0; i < times; i++) {
		unsigned cpu, node;
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((unsigned)(i % nr), &set);
		if (sched_setaffinity(0, sizeof(set), &set) < 0)
			die(1, "sched_setaffinity %d: %s\n", i % nr, strerror(errno));
		if (syscall(SYS_getcpu, &cpu, &node, NULL) == 0 && cpu != (unsigned)(i % nr))
			die(1, "runs on CPU %u, not %d\n", cpu, i % nr);
	}
	out("moved\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	program = "p_smp";
	if (!strcmp(word, "cpus"))
		out("%d\n", cpus());
	else if (!strcmp(word, "fair") && argc == 4)
		return fair(atoi(argv[2]), atol(argv[3]));
	else if (!strcmp(word, "threads") && argc == 3)
		return threads(atoi(argv[2]));
	else if (!strcmp(word, "kill") && argc == 4)
		return kills(argv[2], atoi(argv[3]));
	else if (!strcmp(word, "move") && argc == 3)
		return move(atoi(argv[2]));
	else
		die(2, "which?\n");
	return 0;
}
