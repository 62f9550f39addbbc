/* SPDX-License-Identifier: MIT */
/* Sleeping: wait queues, timeouts, mutexes and reader-writer locks. */
#pragma once
#include "kernel/lib/errno.h"
#include "kernel/lib/list.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/spinlock.h"

struct waitq {
	struct spinlock lock;		/* RANK_WAITQ */
	struct list waiters;		/* [lock] threads by wait_link, longest waiting first */
};

#define WAITQ_INIT(wq)	{ SPINLOCK_INIT(RANK_WAITQ, #wq), LIST_INIT((wq).waiters) }

void waitq_init(struct waitq *wq);
void waitq_prepare(struct waitq *wq, bool killable);	/* on the queue, state sleeping */
void waitq_finish(struct waitq *wq);			/* off the queue, state ready */
void waitq_wake_one(struct waitq *wq);
void waitq_wake_all(struct waitq *wq);

/* Sleep until cond holds. 0, or -EINTR when the thread is killed first. cond is evaluated
 * without locks; use the _locked form to hold a spinlock around it. */
#define waitq_wait(wq, cond) ({ \
	int ret_ = 0; \
	for (;;) { \
		waitq_prepare((wq), true); \
		if (cond) \
			break; \
		if (READ_ONCE(thread_current()->killed)) { \
			ret_ = -EINTR; \
			break; \
		} \
		schedule(); \
	} \
	waitq_finish(wq); \
	ret_; \
})

/* The same with `lock` held around cond, on entry and on return. */
#define waitq_wait_locked(wq, lock, cond) ({ \
	int ret_ = 0; \
	for (;;) { \
		waitq_prepare((wq), true); \
		if (cond) \
			break; \
		if (READ_ONCE(thread_current()->killed)) { \
			ret_ = -EINTR; \
			break; \
		} \
		spin_unlock(lock); \
		schedule(); \
		spin_lock(lock); \
	} \
	waitq_finish(wq); \
	ret_; \
})

/* Sleep until clock_ns() >= deadline. 0 or -EINTR (killed). */
int sleep_until(u64 deadline_ns);

#define SLEEP_FOREVER	(~0ull)

/* The same, but also until *flag is set: 0 then, -ETIMEDOUT at the deadline. Whoever sets it
 * calls sched_wake() afterwards. */
int sleep_until_set(const bool *flag, u64 deadline_ns);

/* A sleeping lock, ranked like the spinlocks. Uninterruptible. */
struct mutex {
	struct thread *holder;		/* [waitq lock] */
	bool hand_over;			/* [waitq lock] a woken waiter was overtaken */
	enum lock_rank rank;		/* [I] */
	const char *name;		/* [I] */
	struct waitq waiters;
};

void mutex_init(struct mutex *m, enum lock_rank rank, const char *name);
void mutex_lock(struct mutex *m);
void mutex_lock_nested(struct mutex *m);	/* a second one of the deepest rank held */
bool mutex_trylock(struct mutex *m) must_check;
void mutex_unlock(struct mutex *m);
bool mutex_is_held(const struct mutex *m);

/* Many readers or one writer, in the order they came: neither side starves. */
struct rwlock {
	int readers;			/* [waitq lock] -1: a writer holds it */
	enum lock_rank rank;		/* [I] */
	const char *name;		/* [I] */
	struct waitq waiters;
};

void rwlock_init(struct rwlock *l, enum lock_rank rank, const char *name);
void read_lock(struct rwlock *l);
void read_unlock(struct rwlock *l);
void write_lock(struct rwlock *l);
void write_unlock(struct rwlock *l);
bool rwlock_is_held(const struct rwlock *l);	/* by anyone, either way */
bool rwlock_is_write_held(const struct rwlock *l);

/* mutex.c, for both kinds of sleeping lock: the rank check (debug images). */
void sleeplock_check(enum lock_rank rank, const char *name, bool nested);
void sleeplock_taken(enum lock_rank rank, const char *name);
void sleeplock_released(enum lock_rank rank, const char *name);

/* kernel/sched/timer.c: called from the tick */
void timer_tick(u64 now_ns);
