/* SPDX-License-Identifier: MIT */
/* Sleeping locks for host tests, where nothing sleeps: a lock that is taken twice, or
 * released by nobody, panics as the real one would. */
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
