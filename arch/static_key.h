/* SPDX-License-Identifier: MIT */
/*
 * Contract: branches that cost a NOP. A static key is a rarely changed condition; each place
 * that asks for it is a 5-byte NOP in the text while the key is off, and a jump while it is on.
 * Switching patches the places; kernel/sync/static_key.c says when that is safe.
 */
#pragma once
#include "kernel/lib/atomic.h"
#include "kernel/lib/compiler.h"

struct static_key {
	atomic_int users;		/* [a] reasons for it to be on */
};

#define STATIC_KEY_INIT	{ ATOMIC_INIT(0) }

/* bool static_key_on(struct static_key *key): is it on? key must be the address of a static
 * object, known at link time. */
#include "asm/static_key.h"

/* Make every place that asks for key say on. The caller keeps every other CPU at a safe
 * point; each of those executes cpu_sync_code() before it runs on. */
void static_key_patch(struct static_key *key, bool on);

/* Forget instructions fetched ahead (a serialising instruction). */
void cpu_sync_code(void);

/* kernel/sync/static_key.c: one reason more, one less. Context: interrupts on, no spinlock
 * held. */
void static_key_inc(struct static_key *key);
void static_key_dec(struct static_key *key);
