/* SPDX-License-Identifier: MIT */
/* Threads, sleeping locks, wait queues and timers on the real machine. */
#include "arch/clock.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/errno.h"
#include "kernel/sched/wait.h"
#include "tests/kernel/selftest.h"

static struct waitq done = WAITQ_INIT(done);
static atomic_int running, nr_order;
static int order[8];
static struct mutex lock;
static struct rwlock rw;
static int inside;
static atomic_int readers_inside, readers_met;
static bool overlap;

static void finish(void)
{
	atomic_sub_return(&running, 1);
	waitq_wake_all(&done);
	thread_exit();
}

static const char *spawn_and_wait(int n, void (*fn)(void *))
{
	int before = thread_nr_kernel();

	atomic_store(&running, n);
	atomic_store(&nr_order, 0);
	for (long i = 0; i < n; i++)
		EXPECT(thread_spawn_kernel("test", fn, (void *)i) == 0);
	EXPECT(waitq_wait(&done, atomic_load(&running) == 0) == 0);
	while (thread_nr_kernel() != before)	/* stacks are freed by who runs next */
		sched_yield();
	return NULL;
}

static void mutex_user(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		mutex_lock(&lock);
		overlap |= inside++ != 0;
		sched_yield();
		inside--;
		mutex_unlock(&lock);
	}
	finish();
}

static const char *test_mutex_excludes(void)
{
	const char *why;

	mutex_init(&lock, RANK_FILE, "test");
	overlap = false;
	why = spawn_and_wait(4, mutex_user);
	EXPECT(!overlap);
	EXPECT(mutex_trylock(&lock));
	EXPECT(mutex_is_held(&lock));
	mutex_unlock(&lock);
	return why;
}

/* A reader stays until there were two at once, which the lock must allow. */
static void rw_read(void)
{
	u64 until;

	read_lock(&rw);
	until = clock_ns() + 100 * TICK_NS;
	if (atomic_add_return(&readers_inside, 1) >= 2)
		atomic_store(&readers_met, 1);
	while (!atomic_load(&readers_met) && clock_ns() < until)
		sched_yield();
	atomic_sub_return(&readers_inside, 1);
	read_unlock(&rw);
	finish();
}

static void rw_user(void *arg)
{
	if ((long)arg != 2)
		rw_read();
	write_lock(&rw);
	overlap |= atomic_load(&readers_inside) != 0;
	sched_yield();
	overlap |= atomic_load(&readers_inside) != 0;
	write_unlock(&rw);
	finish();
}

static const char *test_rwlock_shares_and_excludes(void)
{
	const char *why;

	rwlock_init(&rw, RANK_MM, "test");
	overlap = false;
	atomic_store(&readers_met, 0);
	why = spawn_and_wait(5, rw_user);
	EXPECT(!overlap);
	EXPECT(atomic_load(&readers_met));
	return why;
}

static void sleeper(void *arg)
{
	(void)sleep_until(clock_ns() + (u64)(3 - (long)arg) * 2 * TICK_NS);
	order[atomic_add_return(&nr_order, 1) - 1] = (int)(long)arg;
	finish();
}

static const char *test_sleepers_wake_in_time_order(void)
{
	u64 start = clock_ns();
	const char *why = spawn_and_wait(3, sleeper);

	EXPECT(order[0] == 2 && order[1] == 1 && order[2] == 0);
	EXPECT(clock_ns() - start >= 6 * TICK_NS);
	return why;
}

static struct thread *victim;

static void killed_waiter(void *arg)
{
	(void)arg;
	victim = thread_current();
	overlap = sleep_until(clock_ns() + 1000 * TICK_NS) == -EINTR;
	finish();
}

static void killer(void *arg)
{
	(void)arg;
	while (!victim)
		sched_yield();
	thread_kill(victim);
	finish();
}

static void pair(void *arg)
{
	if ((long)arg == 0)
		killed_waiter(arg);
	killer(arg);
}

static const char *test_kill_ends_a_sleep(void)
{
	u64 start = clock_ns();
	const char *why;

	victim = NULL;
	overlap = false;
	why = spawn_and_wait(2, pair);
	EXPECT(overlap);
	EXPECT(clock_ns() - start < 500 * TICK_NS);
	return why;
}

static void spinner(void *arg)
{
	u64 start = thread_current()->cpu_ns;

	(void)arg;
	while (thread_current()->cpu_ns - start < 5 * TICK_NS)
		cond_resched();
	finish();
}

static const char *test_round_robin_shares(void)
{
	return spawn_and_wait(3, spinner);
}

const struct selftest selftests_sched[] = {
	{ "sched: a mutex excludes", test_mutex_excludes },
	{ "sched: a reader-writer lock shares and excludes", test_rwlock_shares_and_excludes },
	{ "sched: sleepers wake in time order", test_sleepers_wake_in_time_order },
	{ "sched: a kill ends a sleep", test_kill_ends_a_sleep },
	{ "sched: spinning threads share the CPU", test_round_robin_shares },
	{ NULL, NULL },
};
