/* SPDX-License-Identifier: MIT */
/* Private to kernel/sched/: the run queues, shared by thread.c, sched.c and balance.c. */
#pragma once
#include "arch/cpu.h"
#include "kernel/lib/atomic.h"
#include "kernel/sched/thread.h"

struct runq {
	struct spinlock lock;		/* RANK_RUNQ */
	struct thread *current;		/* [c] the one that runs; changes under the lock */
	struct thread *idle;		/* [I] runs when nobody else can */
	struct thread *left;		/* [lock] left at the last switch: dead, or off to another CPU */
	unsigned nr_ready;		/* [lock] threads in the policy's queues */
	unsigned load;			/* [lock to write] the same and the one that runs */
	unsigned look_in;		/* [c] ticks until this CPU looks at others' queues */
	bool uneven;			/* [c] another was more loaded at the last look */
	unsigned dice;			/* [c] state of a small random number generator */
	bool ticking;			/* [c] its timer runs (CPU 0's always does) */
	u64 busy_ns;			/* [lock to write] time run by others than idle */
	u64 user_ticks, kernel_ticks;	/* [lock to write] samples of where it was spent */
	u64 nr_switches;		/* [c] */
} cacheline_aligned;

extern struct runq runqs[NR_CPUS];
extern atomic_u64 idle_cpus;		/* [a] bit per CPU that halts, and that nobody claimed */

static inline u64 cpu_bit(unsigned cpu)
{
	return 1ull << cpu;
}

/* Let other CPUs see rq's load: once nr_ready and current are what they will be. */
static inline void runq_publish_locked(struct runq *rq)
{
	WRITE_ONCE(rq->load, rq->nr_ready + (rq->current != rq->idle));
}

/* --- sched.c */
struct runq *runq_lock_of(const struct thread *t, unsigned long *flags) must_check;
void runq_take_off_locked(struct runq *rq, struct thread *t);
bool runq_enqueue_locked(struct runq *rq, struct thread *t);	/* true: interrupt that CPU */
noreturn void sched_thread_entry(void *thread);	/* where a new thread starts */
bool sched_wake_locked(struct runq *rq, struct thread *t) must_check;
void sched_account_locked(struct thread *t);

/* --- balance.c */
unsigned balance_choose(const struct thread *t, bool start);	/* the CPU for a thread to be queued */
void balance_place(struct thread *t);	/* queue t, which is on no queue, at t->cpu */
bool balance_steal(void);		/* an idle CPU: get a thread from another one */
void balance_tick(struct runq *rq);
