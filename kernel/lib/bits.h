/* SPDX-License-Identifier: MIT */
/* Bit arithmetic. */
#pragma once
#include "kernel/lib/types.h"

/* Index of the highest set bit. x must not be 0. */
static inline unsigned bits_log2(u64 x)
{
	return 63 - (unsigned)__builtin_clzll(x);
}

/* Smallest n with (1 << n) >= x. x must not be 0. */
static inline unsigned bits_log2_up(u64 x)
{
	return x <= 1 ? 0 : bits_log2(x - 1) + 1;
}

/* How many bits are set. (The compiler's own would call a library that we do not link.) */
static inline unsigned bits_count(u64 x)
{
	unsigned n = 0;

	for (; x; x &= x - 1)
		n++;
	return n;
}

static inline bool bits_is_pow2(u64 x)
{
	return x && !(x & (x - 1));
}

static inline bool bitmap_test(const u64 *map, unsigned bit)
{
	return map[bit / 64] >> (bit % 64) & 1;
}

static inline void bitmap_set(u64 *map, unsigned bit)
{
	map[bit / 64] |= 1ull << (bit % 64);
}

static inline void bitmap_clear(u64 *map, unsigned bit)
{
	map[bit / 64] &= ~(1ull << (bit % 64));
}

/* Index of the first clear bit among nr, or nr when all are set. */
static inline unsigned bitmap_first_clear(const u64 *map, unsigned nr)
{
	for (unsigned i = 0; i < nr; i += 64) {
		if (~map[i / 64] != 0) {
			unsigned bit = i + (unsigned)__builtin_ctzll(~map[i / 64]);

			return bit < nr ? bit : nr;
		}
	}
	return nr;
}
