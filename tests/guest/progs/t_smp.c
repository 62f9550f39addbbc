/* SPDX-License-Identifier: MIT */
/*
 * Many CPUs: threads and processes that run at once, move, die and share memory. Every test
 * holds on one CPU as well; what it can find out, it finds out on several.
 */
#include "t.h"
#include <pthread.h>
#include <sys/resource.h>

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define MAX_CPUS 64

static int cpus(void)
{
	cpu_set_t set;

	WORKS(sched_getaffinity(0, sizeof(set), &set));
	return CPU_COUNT(&set);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	WORKS(sched_setaffinity(0, sizeof(set), &set));
}

static void start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	int err = pthread_create(thread, NULL, fn, arg);

	CHECK(err == 0, "%s", t_errno(err));
}

static void *map(unsigned long pages, int flags)
{
	void *p = mmap(NULL, pages * PAGE, RW, flags | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED, "%s", t_errno(errno));
	return p;
}

static void storm(int children)
{
	for (int i = 0; i < children; i++) {
		int pid = (int)WORKS(fork());

		if (pid == 0)
			_exit(i & 63);
		CHECK(WEXITSTATUS(t_wait(pid)) == (i & 63));
	}
}

TEST(fork_storm)
{
	int pids[8];

	for (int i = 0; i < 8; i++) {
		pids[i] = (int)WORKS(fork());
		if (pids[i] == 0) {
			storm(40);
			_exit(0);
		}
	}
	for (int i = 0; i < 8; i++)
		CHECK(t_wait(pids[i]) == 0);
}

/* A token goes around a ring of processes; each wake-up must arrive. */
TEST(pipe_ring)
{
	enum { NR = 6, ROUNDS = 300 };
	int ends[NR][2], pids[NR];
	unsigned token = 0;

	for (int i = 0; i < NR; i++)
		WORKS(pipe(ends[i]));
	for (int i = 1; i < NR; i++) {
		pids[i] = (int)WORKS(fork());
		if (pids[i])
			continue;
		for (int r = 0; r < ROUNDS; r++) {
			CHECK(read(ends[i - 1][0], &token, sizeof(token)) == sizeof(token));
			token++;
			CHECK(write(ends[i][1], &token, sizeof(token)) == sizeof(token));
		}
		_exit(0);
	}
	for (int r = 0; r < ROUNDS; r++) {
		CHECK(write(ends[0][1], &token, sizeof(token)) == sizeof(token));
		CHECK(read(ends[NR - 1][0], &token, sizeof(token)) == sizeof(token));
	}
	CHECK(token == (NR - 1) * ROUNDS, "%u", token);
	for (int i = 1; i < NR; i++)
		CHECK(t_wait(pids[i]) == 0);
}

TEST(affinity_is_obeyed)
{
	cpu_set_t set;
	int nr = cpus();

	for (int round = 0; round < 20; round++) {
		for (int cpu = 0; cpu < nr; cpu++) {
			pin(cpu);
			CHECK(sched_getcpu() == cpu);
			sched_yield();
			CHECK(sched_getcpu() == cpu);
			sleep_ms(1);
			CHECK(sched_getcpu() == cpu);
		}
	}
	WORKS(sched_getaffinity(0, sizeof(set), &set));
	CHECK(CPU_COUNT(&set) == 1 && CPU_ISSET(nr - 1, &set));
	CPU_ZERO(&set);
	FAILS(EINVAL, sched_setaffinity(0, sizeof(set), &set));
	if (nr < MAX_CPUS) {
		CPU_SET(nr, &set);
		FAILS(EINVAL, sched_setaffinity(0, sizeof(set), &set));
	}
}

/* Another's affinity: a spinning child goes where it is told. */
TEST(affinity_moves_a_running_child)
{
	int nr = cpus(), pid;
	volatile int *where = map(1, MAP_SHARED);

	pid = (int)WORKS(fork());
	while (pid == 0)
		*where = sched_getcpu();
	for (int round = 0; round < 3 * nr; round++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(round % nr, &set);
		WORKS(sched_setaffinity(pid, sizeof(set), &set));
		for (int i = 0; i < 1000 && *where != round % nr; i++)
			sleep_ms(1);
		CHECK(*where == round % nr, "is on %d", *where);
	}
	WORKS(kill(pid, SIGKILL));
	t_wait(pid);
}

static long cpu_us(const struct rusage *u)
{
	return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000L + u->ru_utime.tv_usec +
	       u->ru_stime.tv_usec;
}

/* Shares of n spinning processes over some time, in thousandths of the mean: least and most. */
static void spin_shares(int n, long ms, long *least, long *most)
{
	volatile int *stop = map(1, MAP_SHARED);
	long us[64], sum = 0;
	int pids[64], status;
	struct rusage usage;

	*stop = 0;
	for (int i = 0; i < n; i++) {
		pids[i] = (int)WORKS(fork());
		while (pids[i] == 0) {
			if (*stop)
				_exit(0);
		}
	}
	sleep_ms(ms);
	*stop = 1;
	for (int i = 0; i < n; i++) {
		WORKS(wait4(pids[i], &status, 0, &usage));
		us[i] = cpu_us(&usage);
		sum += us[i];
	}
	*least = *most = us[0] * 1000 * n / sum;
	for (int i = 0; i < n; i++) {
		*least = us[i] * 1000 * n / sum < *least ? us[i] * 1000 * n / sum : *least;
		*most = us[i] * 1000 * n / sum > *most ? us[i] * 1000 * n / sum : *most;
	}
	out("# %d spinning on %d CPUs: shares from %ld to %ld per mille of the mean\n", n, cpus(),
	    *least, *most);
}

/* Nobody starves. A host that stops virtual CPUs at will allows no closer bound; the figures of
 * a machine of its own are measured where time is counted in instructions (p_smp.c). */
TEST(spinning_processes_share)
{
	long least, most;

	spin_shares(4 * cpus() > 32 ? 32 : 4 * cpus(), 3000, &least, &most);
	CHECK(least > 200, "%ld to %ld", least, most);
}

TEST(one_more_than_cpus_takes_turns)
{
	long least, most;

	spin_shares(cpus() + 1, 3000, &least, &most);
	CHECK(least > 200, "%ld to %ld", least, most);
}

static void *count_up(void *arg)
{
	volatile unsigned long *word = arg;

	for (;;)
		++*word;
	return NULL;
}

/* Fork while another thread writes: the child's copy stands still, or that thread's CPU did not
 * forget that it may write to the page. */
TEST(fork_freezes_the_copy)
{
	volatile unsigned long *word = map(1, MAP_PRIVATE);
	pthread_t thread;

	start(&thread, count_up, (void *)word);
	for (int i = 0; i < 60; i++) {
		unsigned long before = *word;
		int pid = (int)WORKS(fork());

		if (pid == 0) {
			unsigned long seen = *word;

			for (int k = 0; k < 20000; k++)
				CHECK(*word == seen, "%lu, then %lu", seen, *word);
			_exit(0);
		}
		CHECK(t_wait(pid) == 0);
		for (int k = 0; k < 1000 && *word == before; k++)
			sleep_ms(1);
		CHECK(*word != before, "the writer stands still");
	}
}

static volatile unsigned long *shown;
static volatile unsigned generation, seen_by[2], wrong;

static void *look(void *arg)
{
	long self = (long)arg;

	for (;;) {
		unsigned before = generation;

		if (before == ~0u)
			return NULL;
		if (before && before % 2 == 0 && *shown != before && generation == before)
			wrong++;
		seen_by[self] = before;
	}
}

/* Map a new page over one that other threads read all the time: they see the new one. */
TEST(remap_is_seen_everywhere)
{
	pthread_t threads[2];

	shown = map(1, MAP_PRIVATE);
	for (long i = 0; i < 2; i++)
		start(&threads[i], look, (void *)i);
	for (unsigned g = 2; g < t_rounds(600); g += 2) {
		generation = g - 1;		/* odd: it changes */
		CHECK(mmap((void *)shown, PAGE, RW, ANON | MAP_FIXED, -1, 0) == shown);
		*shown = g;
		generation = g;
		for (int k = 0; k < 100000 && seen_by[0] < g; k++)
			sched_yield();
	}
	generation = ~0u;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK(wrong == 0, "%u stale reads", wrong);
}

/* A group of pages written through by parent and children at once, each sees its own. */
TEST(copies_are_private)
{
	enum { PAGES = 40, CHILDREN = 6, ROUNDS = 4 };
	volatile int *p = map(PAGES, MAP_PRIVATE);
	int pids[CHILDREN], step = PAGE / sizeof(int);

	for (int i = 0; i < PAGES; i++)
		p[i * step] = -1;
	for (int c = 0; c < CHILDREN; c++) {
		pids[c] = (int)WORKS(fork());
		if (pids[c])
			continue;
		for (int r = 0; r < ROUNDS; r++) {
			for (int i = 0; i < PAGES; i++)
				p[i * step] = c * 100 + r;
			if (fork() == 0)
				_exit(p[step] == c * 100 + r ? 0 : 1);
			for (int i = 0; i < PAGES; i++)
				CHECK(p[i * step] == c * 100 + r);
			CHECK(t_wait(-1) == 0);
		}
		_exit(0);
	}
	for (int i = 0; i < PAGES; i++)
		CHECK(p[i * step] == -1);
	for (int c = 0; c < CHILDREN; c++)
		CHECK(t_wait(pids[c]) == 0);
	for (int i = 0; i < PAGES; i++)
		CHECK(p[i * step] == -1);
}

static void *fault_in(void *arg)
{
	char *area = arg;

	for (unsigned long i = 0; i < 256; i++)
		__atomic_add_fetch((int *)(area + i * PAGE), 1, __ATOMIC_RELAXED);
	return NULL;
}

/* Threads fault at the same addresses at once, map and unmap beside each other. */
TEST(threads_fault_together)
{
	pthread_t threads[6];

	for (int round = 0; round < 8; round++) {
		char *area = map(256, MAP_PRIVATE);

		for (int i = 0; i < 6; i++)
			start(&threads[i], fault_in, area);
		for (int i = 0; i < 6; i++)
			pthread_join(threads[i], NULL);
		for (int i = 0; i < 256; i++)
			CHECK(*(int *)(area + i * PAGE) == 6);
		WORKS(munmap(area, 256 * PAGE));
	}
}

/* Processes that spin, wait in a pipe and sleep are killed; each is gone at once. */
TEST(kill_reaches_every_cpu)
{
	for (int round = 0; round < 10; round++) {
		int pids[12], ends[2];
		long began;

		WORKS(pipe(ends));
		for (int i = 0; i < 12; i++) {
			char byte;

			pids[i] = (int)WORKS(fork());
			if (pids[i])
				continue;
			if (i % 3 == 1)
				(void)!read(ends[0], &byte, 1);
			if (i % 3 == 2)
				sleep_ms(100000);
			for (;;)
				;
		}
		sleep_ms(20);
		began = clock_ms();
		for (int i = 0; i < 12; i++)
			WORKS(kill(pids[i], SIGKILL));
		for (int i = 0; i < 12; i++)
			CHECK(WTERMSIG(t_wait(pids[i])) == SIGKILL);
		CHECK(clock_ms() - began < 2000, "%ld ms", clock_ms() - began);
		WORKS(close(ends[0]));
		WORKS(close(ends[1]));
	}
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
