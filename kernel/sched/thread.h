/* SPDX-License-Identifier: MIT */
/* Kernel threads of control, their states and the scheduler's policy slot. */
#pragma once
#include "arch/context.h"
#include "kernel/lib/list.h"
#include "kernel/sync/spinlock.h"
#include "mm/kstack.h"

#define THREAD_MAX_LOCKS	8	/* sleeping locks one thread may hold */
#define AFFINITY_ALL		(~0ull)

struct memcg;
struct space;

/* Key: [I] immutable, [a] atomic, [own] the thread itself (or its maker before the start),
 * else the lock of that rank; [RANK_RUNQ] that of thread->cpu. */
enum thread_state {
	THREAD_READY,			/* on a run queue, on its way to one, or running */
	THREAD_SLEEPING,		/* waits; a wake-up makes it ready */
	THREAD_DEAD,			/* has left for good; the next thread frees its stack */
};

struct wait_entry {			/* a place in a wait queue */
	struct list link;		/* [waitq] */
	struct thread *thread;		/* [I] whom to wake */
	bool *woken;			/* [I] set by the wake-up; NULL: the thread's own entry */
};

enum sleep_kind {			/* what may end a sleep beside its wake-up */
	SLEEP_DEEP,			/* nothing */
	SLEEP_KILLABLE,			/* thread_kill() */
	SLEEP_SIGNALS,			/* that, and thread_signal() */
};

struct thread {
	struct context context;
	struct kstack stack;		/* [I] */
	enum thread_state state;	/* [RANK_RUNQ] */
	bool on_queue;			/* [RANK_RUNQ] */
	enum sleep_kind sleep;		/* [RANK_RUNQ] while it sleeps */
	bool killed;			/* [a] SIGKILL pending: waits end with -EINTR */
	bool signalled;			/* [a] has to look for signals on its way to user mode */
	bool need_resched;		/* [a] its slice is over, or it shall die or move */
	bool fresh;			/* [RANK_RUNQ] woke with most of its last slice unused */
	bool pulled;			/* [RANK_RUNQ] changed CPU and has not run there yet */
	bool lock_exclusive;		/* [waitq] of an rwlock: it waits to write */
	bool lock_granted;		/* [waitq] of an rwlock: handed over by the last holder */
	unsigned cpu;			/* [RANK_RUNQ] of the old one: whose run queue it belongs to */
	u64 base;			/* [RANK_RUNQ] virtual time is cpu_ns and this */
	u64 slice;			/* [RANK_RUNQ] ns of CPU time, as it was given */
	u64 slice_start, slice_end;	/* [RANK_RUNQ] cpu_ns then; an end sooner: it gave some away */
	unsigned nr_locks;		/* [own] sleeping locks held (debug images) */
	u8 held_ranks[THREAD_MAX_LOCKS]; /* [own] their ranks, in the order taken */
	u64 affinity;			/* [RANK_RUNQ] bit per CPU where it may run */
	u64 cpu_ns;			/* [RANK_RUNQ] time run, up to switched_in */
	u64 switched_in;		/* [RANK_RUNQ] clock_ns() when it was last counted */
	u64 user_ticks, kernel_ticks;	/* [RANK_RUNQ] samples of where cpu_ns was spent */
	struct list queue_link;		/* [RANK_RUNQ] */
	struct wait_entry wait;		/* [waitq] for the one queue where it sleeps itself */
	struct list timer_link;		/* [RANK_TIMER] */
	u64 wake_at;			/* [RANK_TIMER] clock_ns() to wake at */
	struct memcg *memcg;		/* [RANK_RUNQ] who pays for what it allocates; NULL: root */
	struct space *space;		/* [own] its address space, NULL: borrows whichever */
	void *fpu;			/* user threads: FXSAVE image, else NULL */
	uaddr_t tls;			/* user threads: FS base */
	void (*start_fn)(void *);	/* [I] what it runs */
	void *start_arg;		/* [I] */
	void *owner;			/* [I] opaque: struct proc */
	void (*release)(struct thread *); /* frees what holds the thread, on another stack; the
					   * stack is gone already. Must not sleep. */
	char name[16];
};

void sched_init(void);			/* the boot stack becomes the idle thread of CPU 0 */
void sched_init_ap(void);		/* the same for another CPU */
noreturn void sched_idle_loop(void);
struct thread *thread_current(void);
int thread_init(struct thread *t, const char *name, void (*fn)(void *), void *arg) must_check;
void thread_fini(struct thread *t);	/* one that never started */
void thread_start(struct thread *t);
noreturn void thread_exit(void);
void thread_kill(struct thread *t);	/* set killed, wake from a killable wait, hurry */
void thread_signal(struct thread *t);	/* set signalled, wake from an interruptible wait */
int thread_interrupted(void);		/* 0; -EINTR: killed; -ERESTARTSYS: a signal waits */
void thread_set_memcg(struct thread *t, struct memcg *memcg);
void thread_set_space(struct thread *t, struct space *space);	/* NULL: the kernel's tables */
int thread_set_affinity(struct thread *t, u64 mask) must_check;
u64 thread_affinity(const struct thread *t);	/* online CPUs where it may run */
u64 thread_cpu_ns(const struct thread *t);	/* time run; another CPU's: to its last tick */
/* Is the caller to break off what it waits for, to be killed or for a signal? */
static inline bool thread_signalled(void)
{
	const struct thread *t = thread_current();

	return READ_ONCE(t->killed) || READ_ONCE(t->signalled);
}

void thread_account(void);	/* count the caller's time up to now */
int thread_spawn_kernel(const char *name, void (*fn)(void *), void *arg) must_check;
int thread_nr_kernel(void);		/* kernel threads, until their memory is given back */

void schedule(void);
void sched_yield(void);
void cond_resched(void);		/* a safe point: give up the CPU if the slice is over */
bool sched_return_wanted(void);		/* must sched_return_to_user() be called? */
void sched_return_to_user(void);	/* as cond_resched(), last thing before user mode */
void sched_wake(struct thread *t);	/* any context */

/* For waitq.c, rwlock.c and timer.c: the two ends of a sleep. */
void sched_prepare_sleep(enum sleep_kind kind);	/* asleep at the next schedule() unless woken */
void sched_cancel_sleep(void);			/* awake after all */

/* The policy slot (fair.c): called under the run queue lock of t->cpu; of this CPU where no
 * thread is named. */
void policy_init(void);
void policy_share(struct thread *t, struct thread *maker);	/* level and slice of a new one */
void policy_refill(struct thread *t, bool woken);	/* the same of one that was in use */
bool policy_queue(struct thread *t, const struct thread *running);	/* true: that one gives way */
void policy_dequeue(struct thread *t);
void policy_yield(struct thread *current);
struct thread *policy_pick(void);	/* dequeue the next, or NULL */
struct thread *policy_steal(unsigned from, unsigned to, bool any);	/* dequeue one, or NULL */
bool policy_tick(struct thread *current);	/* true: its slice is over */
