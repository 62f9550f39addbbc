/* SPDX-License-Identifier: MIT */
/*
 * Static keys: when the text may be changed.
 *
 * Theory. A condition that is false on nearly every machine, such as "some group has a limit",
 * should cost nothing where it is asked for millions of times. So the places that ask for it
 * are not a load and a test but five bytes of NOP, and switching the key on overwrites them
 * with a jump to the other branch:
 *
 *	key off                         key on
 *	  mov  ...                        mov  ...
 *	  nop5            <- the place    jmp  charged
 *	  call backend_alloc              call backend_alloc
 *
 * A CPU that fetches five bytes while they are being written may execute a mixture. So they
 * are written while every other CPU stands at a safe point, which is never one of these
 * places, and each executes a serialising instruction before it goes on.
 *
 * A key counts its reasons: the first switches it on, the last one less switches it off.
 *
 * States of a key: off (users 0, NOPs), on (users > 0, jumps).
 * Invariants: I1 every place of a key says what users says, whenever a CPU can see it; checked
 * by the patching itself, which panics at a place that is not as it was left.
 *
 * Locking: the stop; users is written only while stopped.
 * Reference: Linux, kernel/jump_label.c (patches under traffic, by way of a breakpoint).
 */
#include "arch/static_key.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/safepoint.h"

/* One reason more for key to be on. Context: interrupts on, no spinlock held. */
void static_key_inc(struct static_key *key)
{
	safepoint_stop();
	if (atomic_add_return(&key->users, 1) == 1)
		static_key_patch(key, true);
	safepoint_resume();
}

/* One reason less. Context: interrupts on, no spinlock held. */
void static_key_dec(struct static_key *key)
{
	int users;

	safepoint_stop();
	users = atomic_sub_return(&key->users, 1);
	BUG_ON(users < 0);
	if (users == 0)
		static_key_patch(key, false);
	safepoint_resume();
}
