/* SPDX-License-Identifier: MIT */
/* Sleeping: wait queues, timeouts, mutexes and reader-writer locks. */
#pragma once
#include "kernel/lib/errno.h"
#include "kernel/lib/list.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/spinlock.h"

struct waitq {
	struct spinlock lock;		/* RANK_WAITQ */
	struct list waiters;		/* [lock] wait_entries, longest waiting first */
};

#define WAITQ_INIT(wq)	{ SPINLOCK_INIT(RANK_WAITQ, #wq), LIST_INIT((wq).waiters) }

void waitq_init(struct waitq *wq);
void waitq_prepare(struct waitq *wq, enum sleep_kind kind);	/* on the queue, state sleeping */
void waitq_finish(struct waitq *wq);			/* off the queue, state ready */
void waitq_wake_one(struct waitq *wq);
void waitq_wake_all(struct waitq *wq);

/* For who waits at several queues at once: an entry on each, all with one flag, then
 * sleep_until_set(the flag). A wake-up takes its entry off the queue. */
void waitq_add(struct waitq *wq, struct wait_entry *e, bool *woken);
void waitq_remove(struct waitq *wq, struct wait_entry *e);

/* The common form: `unlock` and `relock` are statements around the sleep. */
#define WAITQ_LOOP(wq, kind, interrupted, cond, unlock, relock) ({ \
	int ret_ = 0; \
	for (;;) { \
		waitq_prepare((wq), (kind)); \
		if (cond) \
			break; \
		ret_ = (interrupted); \
		if (ret_) \
			break; \
		unlock; \
		schedule(); \
		relock; \
	} \
	waitq_finish(wq); \
	ret_; \
})

#define THREAD_KILLED()	(READ_ONCE(thread_current()->killed) ? -EINTR : 0)

/* Sleep until cond holds: 0. A signal ends the wait with -ERESTARTSYS, a kill with -EINTR; the
 * system call returns it. cond is evaluated without locks; the _locked forms are called, and
 * return, with `lock` held, and evaluate cond under it. */
#define waitq_wait(wq, cond) \
	WAITQ_LOOP(wq, SLEEP_SIGNALS, thread_interrupted(), cond, , )
#define waitq_wait_locked(wq, lock, cond) \
	WAITQ_LOOP(wq, SLEEP_SIGNALS, thread_interrupted(), cond, spin_unlock(lock), \
		   spin_lock(lock))

/* The same for waits that only a kill ends: -EINTR. */
#define waitq_wait_killable(wq, cond) \
	WAITQ_LOOP(wq, SLEEP_KILLABLE, THREAD_KILLED(), cond, , )
#define waitq_wait_killable_locked(wq, lock, cond) \
	WAITQ_LOOP(wq, SLEEP_KILLABLE, THREAD_KILLED(), cond, spin_unlock(lock), \
		   spin_lock(lock))

/* Sleep until clock_ns() >= deadline. 0, -ERESTARTSYS or -EINTR as waitq_wait(). */
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
