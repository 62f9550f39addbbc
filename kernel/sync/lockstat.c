/* SPDX-License-Identifier: MIT */
/*
 * Lock statistics of debug images, by rank: all locks of one rank do the same job, so one line
 * for them tells where CPUs wait. Each CPU counts what it does itself, without a lock or an
 * atomic instruction; a reader adds the CPUs up, and may miss what they count meanwhile.
 *
 * A lock of ranks that interrupt handlers take is held with interrupts off, so a handler never
 * counts in the middle of the counting of the same rank.
 *
 * Where virtual CPUs share few real ones, the longest times are those of a CPU that was not
 * running; the totals say more.
 */
#include "kernel/sync/lockstat.h"
#include "kernel/lib/log.h"
#include "kernel/sync/percpu.h"

struct cpu_lock_stats {
	struct lock_stats of[RANK_LAST];	/* [c] by rank */
} cacheline_aligned;

static struct cpu_lock_stats stats[NR_CPUS];

/* This CPU spun so long before it got lock. Context: it has just taken it. */
void lockstat_waited(const struct spinlock *lock, u64 cycles)
{
	struct lock_stats *s = &this_cpu(stats)->of[lock->rank];

	s->nr_waited++;
	s->wait_cycles += cycles;
	s->longest_wait = MAX(s->longest_wait, cycles);
}

/* This CPU held lock so long. Context: it is about to release it. */
void lockstat_held(const struct spinlock *lock, u64 cycles)
{
	struct lock_stats *s = &this_cpu(stats)->of[lock->rank];

	s->name = lock->name;
	s->nr_taken++;
	s->hold_cycles += cycles;
	s->longest_hold = MAX(s->longest_hold, cycles);
}

/* The sum over all CPUs for locks of rank that were released. Context: any. */
void lockstat_read(enum lock_rank rank, struct lock_stats *out)
{
	*out = (struct lock_stats){ 0 };
	for_each_cpu(i) {
		const struct lock_stats *s = &stats[i].of[rank];

		out->name = s->name ? s->name : out->name;
		out->nr_taken += s->nr_taken;
		out->nr_waited += s->nr_waited;
		out->hold_cycles += s->hold_cycles;
		out->longest_hold = MAX(out->longest_hold, s->longest_hold);
		out->wait_cycles += s->wait_cycles;
		out->longest_wait = MAX(out->longest_wait, s->longest_wait);
	}
}

/* A line in the log for each rank that was used. Context: any but under a log lock. */
void lockstat_print(void)
{
	log_info("locks: rank, one of them: taken, waited; cycles held (longest), waited (longest)");
	for (int rank = 0; rank < RANK_LAST; rank++) {
		struct lock_stats s;

		lockstat_read((enum lock_rank)rank, &s);
		if (s.name)
			log_info("locks: %2d %-14s %9lu %7lu  %12lu (%lu) %12lu (%lu)", rank, s.name,
				 s.nr_taken, s.nr_waited, s.hold_cycles, s.longest_hold,
				 s.wait_cycles, s.longest_wait);
	}
}
