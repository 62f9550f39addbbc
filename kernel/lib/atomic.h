/* SPDX-License-Identifier: MIT */
/*
 * Atomic words. Every read-modify-write is a full barrier, as Linux's value-returning
 * atomics are; load and store are relaxed unless their name says acquire or release.
 */
#pragma once
#include "kernel/lib/types.h"

typedef struct { long v; } atomic_long;
typedef struct { int v; } atomic_int;
typedef struct { u64 v; } atomic_u64;

#define ATOMIC_INIT(x)		{ (x) }

#define atomic_load(a)		__atomic_load_n(&(a)->v, __ATOMIC_RELAXED)
#define atomic_load_acquire(a)	__atomic_load_n(&(a)->v, __ATOMIC_ACQUIRE)
#define atomic_store(a, x)	__atomic_store_n(&(a)->v, (x), __ATOMIC_RELAXED)
#define atomic_store_release(a, x) __atomic_store_n(&(a)->v, (x), __ATOMIC_RELEASE)
#define atomic_add_return(a, x)	__atomic_add_fetch(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define atomic_sub_return(a, x)	__atomic_sub_fetch(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define atomic_or(a, x)		__atomic_fetch_or(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define atomic_and(a, x)	__atomic_fetch_and(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define atomic_exchange(a, x)	__atomic_exchange_n(&(a)->v, (x), __ATOMIC_SEQ_CST)

/* If *a == *old, store new and return true; else load *a into *old and return false. */
#define atomic_try_cmpxchg(a, old, new) \
	__atomic_compare_exchange_n(&(a)->v, (old), (new), false, \
				    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)

/* Plain pointers and words shared between CPUs. */
#define load_acquire(p)		__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_release(p, x)	__atomic_store_n((p), (x), __ATOMIC_RELEASE)
