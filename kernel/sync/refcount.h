/* SPDX-License-Identifier: MIT */
/* Reference counts that notice misuse: raising from 0 and dropping below 0 are bugs. */
#pragma once
#include "kernel/lib/atomic.h"
#include "kernel/lib/panic.h"

typedef struct { atomic_int n; } refcount;

#define REFCOUNT_INIT(x)	{ ATOMIC_INIT(x) }

static inline void refcount_set(refcount *r, int n)
{
	atomic_store(&r->n, n);
}

static inline int refcount_read(const refcount *r)
{
	return atomic_load(&r->n);
}

static inline void refcount_get(refcount *r)
{
	int now = atomic_add_return(&r->n, 1);

	BUG_ON(now <= 1);
}

/* True when this was the last reference: the caller frees. */
static inline bool must_check refcount_put(refcount *r)
{
	int now = atomic_sub_return(&r->n, 1);

	BUG_ON(now < 0);
	return now == 0;
}

/* Drop a reference if it is not the last: then false, and nothing is done. */
static inline bool must_check refcount_put_unless_last(refcount *r)
{
	int old = refcount_read(r);

	while (old > 1) {
		if (atomic_try_cmpxchg(&r->n, &old, old - 1))
			return true;
	}
	return false;
}
