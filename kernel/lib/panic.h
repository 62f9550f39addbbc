/* SPDX-License-Identifier: MIT */
/*
 * The end of the machine, and the checks that lead there.
 * BUG_ON() holds in every image; ASSERT() in debug images only (its argument is always
 * compiled, so it cannot rot, and has no side effects).
 */
#pragma once
#include "kernel/lib/compiler.h"

noreturn void panic(const char *fmt, ...) printf_like(1, 2);
void panic_set_begin(void (*begin)(void));
void panic_set_hook(void (*hook)(const char *reason));

#define BUG_ON(cond) do { \
	if (unlikely(cond)) \
		panic("%s:%d: %s: BUG_ON(%s)", __FILE__, __LINE__, __func__, #cond); \
} while (0)

#define ASSERT(cond) do { \
	if (TALLY_DEBUG && unlikely(!(cond))) \
		panic("%s:%d: %s: ASSERT(%s)", __FILE__, __LINE__, __func__, #cond); \
} while (0)
