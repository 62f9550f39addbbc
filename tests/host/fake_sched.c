/* SPDX-License-Identifier: MIT */
/* Sleeping locks for host tests, where nothing sleeps: a lock that is taken twice, or
 * released by nobody, panics as the real one would (a reader-writer lock also when it is taken
 * for reading twice). */
#include "kernel/lib/panic.h"
#include "kernel/sched/wait.h"

static struct thread *const the_thread = (struct thread *)16;

void mutex_init(struct mutex *m, enum lock_rank rank, const char *name)
{
	*m = (struct mutex){ .rank = rank, .name = name };
}

void mutex_lock(struct mutex *m)
{
	spin_assert_none_held("mutex_lock");
	if (m->holder)
		panic("mutex \"%s\" is taken twice", m->name);
	m->holder = the_thread;
}

bool mutex_trylock(struct mutex *m)
{
	if (m->holder)
		return false;
	m->holder = the_thread;
	return true;
}

void mutex_unlock(struct mutex *m)
{
	if (!m->holder)
		panic("mutex \"%s\" is released by who does not hold it", m->name);
	m->holder = NULL;
}

bool mutex_is_held(const struct mutex *m)
{
	return m->holder != NULL;
}

void rwlock_init(struct rwlock *l, enum lock_rank rank, const char *name)
{
	*l = (struct rwlock){ .rank = rank, .name = name };
}

static void rwlock_take(struct rwlock *l, int readers)
{
	spin_assert_none_held("rwlock");
	if (l->readers)
		panic("rwlock \"%s\" is taken twice", l->name);
	l->readers = readers;
}

static void rwlock_release(struct rwlock *l, int readers)
{
	if (l->readers != readers)
		panic("rwlock \"%s\" is released by who does not hold it", l->name);
	l->readers = 0;
}

void read_lock(struct rwlock *l)
{
	rwlock_take(l, 1);
}

void read_unlock(struct rwlock *l)
{
	rwlock_release(l, 1);
}

void write_lock(struct rwlock *l)
{
	rwlock_take(l, -1);
}

void write_unlock(struct rwlock *l)
{
	rwlock_release(l, -1);
}

bool rwlock_is_held(const struct rwlock *l)
{
	return l->readers != 0;
}

bool rwlock_is_write_held(const struct rwlock *l)
{
	return l->readers == -1;
}

/* Nobody else wants the CPU. */
void cond_resched(void)
{
}
