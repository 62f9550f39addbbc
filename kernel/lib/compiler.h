/* SPDX-License-Identifier: MIT */
/* What we ask of the compiler beyond C11, under one name each. */
#pragma once
#include "kernel/lib/types.h"

#ifndef TALLY_DEBUG
#define TALLY_DEBUG 0			/* debug image: checks, poison, red zones */
#endif

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define must_check	__attribute__((warn_unused_result))
#define noinline	__attribute__((noinline))
#define noreturn	__attribute__((noreturn))
#define packed		__attribute__((packed))
#define aligned(n)	__attribute__((aligned(n)))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define fallthrough	__attribute__((fallthrough))

#define CACHELINE	64
#define cacheline_aligned aligned(CACHELINE)

#define barrier()	__asm__ volatile("" ::: "memory")
/* One plain load or store of a word that other CPUs may touch meanwhile; orders nothing. */
#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define ALIGN_UP(x, a)	(((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))

/* Each argument is evaluated once; the numbered names let calls nest without shadowing. */
#define MIN(a, b) MIN_NUMBERED(a, b, __COUNTER__)
#define MAX(a, b) MAX_NUMBERED(a, b, __COUNTER__)
#define MIN_NUMBERED(a, b, n) PICK(a, b, <, JOIN(a_, n), JOIN(b_, n))
#define MAX_NUMBERED(a, b, n) PICK(a, b, >, JOIN(a_, n), JOIN(b_, n))
#define PICK(a, b, op, x, y) \
	({ __typeof__(a) x = (a); __typeof__(b) y = (b); x op y ? x : y; })
#define JOIN(a, b)	JOIN_EXPANDED(a, b)
#define JOIN_EXPANDED(a, b) a##b

/* The address the current function returns to: the "call site" in reports. */
#define CALLER()	((uintptr_t)__builtin_return_address(0))
