/* SPDX-License-Identifier: MIT */
/* x86_64 half of arch/static_key.h: the place is a 5-byte NOP, recorded in .static_sites. */
#pragma once
#include "kernel/lib/compiler.h"

struct static_key;

/* One place: where the NOP is, where the jump goes, whose it is. */
struct static_site {
	u64 code, target, key;
};

static inline __attribute__((always_inline)) bool static_key_on(struct static_key *key)
{
	__asm__ goto("1:\t.byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t"
		     ".pushsection .static_sites, \"a\"\n\t"
		     ".balign 8\n\t"
		     ".quad 1b, %l[on], %c0\n\t"
		     ".popsection"
		     :: "i"(key) :: on);
	return false;
on:
	return true;
}
