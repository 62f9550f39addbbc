/* SPDX-License-Identifier: MIT */
/* Safe points and static keys, with threads of the kernel on every CPU. */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/static_key.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/lockstat.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/safepoint.h"
#include "tests/kernel/selftest.h"

#define SWITCHES 200

static struct static_key key = STATIC_KEY_INIT;
static atomic_int expected;		/* what the key says, written while the others stand */
static atomic_int wrong, moving, stop;
static int nr_before;			/* kernel threads before the askers */
static atomic_long nr_seen_on, nr_seen_off;

static noinline bool ask(void)
{
	if (static_key_on(&key))
		return true;
	return false;
}

/* Between two safe points the answer cannot change, nor can what the others write. */
static void asker(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		bool want = atomic_load(&expected), is = ask();

		if (want != is)
			atomic_store(&wrong, 1);
		atomic_add_return(is ? &nr_seen_on : &nr_seen_off, 1);
		if (atomic_add_return(&moving, 1) % 1024 == 0)
			sched_yield();
		cond_resched();
	}
}

static const char *start_askers(void)
{
	unsigned nr = 2 * cpu_count();

	atomic_store(&stop, 0);
	nr_before = thread_nr_kernel();
	for (unsigned i = 0; i < nr; i++)
		EXPECT(thread_spawn_kernel("asker", asker, NULL) == 0);
	return NULL;
}

static void end_askers(void)
{
	atomic_store(&stop, 1);
	while (thread_nr_kernel() != nr_before)
		sched_yield();
}

static void switch_key(bool on)
{
	safepoint_stop();
	atomic_store(&expected, on);
	if (on)
		static_key_inc(&key);
	else
		static_key_dec(&key);
	safepoint_resume();
}

static const char *test_static_key(void)
{
	const char *why = start_askers();

	for (int i = 0; i < SWITCHES && !why; i++) {
		switch_key(i % 2 == 0);
		sched_yield();
	}
	end_askers();
	EXPECT(!atomic_load(&wrong));
	EXPECT(atomic_load(&nr_seen_on) > 0 && atomic_load(&nr_seen_off) > 0);
	EXPECT(!ask());
	static_key_inc(&key);
	static_key_inc(&key);
	static_key_dec(&key);
	EXPECT(ask());
	static_key_dec(&key);
	EXPECT(!ask());
	return why;
}

/* While the others stand, nobody moves. */
static const char *test_stop_stops_everyone(void)
{
	const char *why = start_askers();
	bool moved = false;

	for (int i = 0; i < 50 && !why; i++) {
		int before;

		safepoint_stop();
		before = atomic_load(&moving);
		for (u64 until = clock_ns() + 100000; clock_ns() < until;)
			cpu_relax();
		moved |= atomic_load(&moving) != before;
		safepoint_resume();
		sched_yield();
	}
	end_askers();
	EXPECT(!moved);
	return why;
}

/* --- lock statistics, with a rank that nobody uses while no process lives */

static struct spinlock counted = SPINLOCK_INIT(RANK_FUTEX, "counted");
static atomic_int about_to_wait;

static void hold(u64 cycles)
{
	for (u64 start = cpu_cycles(); cpu_cycles() - start < cycles;)
		cpu_relax();
}

static void waiter(void *arg)
{
	(void)arg;
	atomic_store(&about_to_wait, 1);
	spin_lock(&counted);
	spin_unlock(&counted);
}

/* Hold the lock while another CPU comes for it. That one may be late, where it is not running. */
static const char *let_one_wait(void)
{
	int before = thread_nr_kernel();

	atomic_store(&about_to_wait, 0);
	EXPECT(thread_spawn_kernel("waiter", waiter, NULL) == 0);
	spin_lock(&counted);
	for (int spins = 0; !atomic_load(&about_to_wait) && spins < 100000; spins++)
		cpu_relax();
	hold(20000);
	spin_unlock(&counted);
	while (thread_nr_kernel() != before)
		sched_yield();
	return NULL;
}

static const char *test_lockstat(void)
{
	struct lock_stats before, after;
	const char *why = NULL;

	lockstat_read(RANK_FUTEX, &before);
	for (int i = 0; i < 10; i++) {
		spin_lock(&counted);
		hold(1000);
		spin_unlock(&counted);
	}
	lockstat_read(RANK_FUTEX, &after);
	EXPECT(after.name == counted.name);
	EXPECT(after.nr_taken == before.nr_taken + 10);
	EXPECT(after.nr_waited == before.nr_waited);
	EXPECT(after.hold_cycles >= before.hold_cycles + 10000);
	EXPECT(after.longest_hold >= 1000);
	if (cpu_count() == 1)
		return NULL;
	for (int i = 0; i < 1000 && !why && after.nr_waited == before.nr_waited; i++) {
		why = let_one_wait();
		lockstat_read(RANK_FUTEX, &after);
	}
	EXPECT(after.nr_waited > before.nr_waited);
	EXPECT(after.wait_cycles > before.wait_cycles && after.longest_wait > 0);
	return why;
}

const struct selftest selftests_sync[] = {
	{ "sync: a stop holds every other CPU", test_stop_stops_everyone },
	{ "sync: a static key is switched under threads that ask for it", test_static_key },
	{ "sync: locks tell how long they were held and waited for", test_lockstat },
	{ NULL, NULL },
};
