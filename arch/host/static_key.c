/* SPDX-License-Identifier: MIT */
/* Static keys on the host: the key is read where it is asked for, so there is no place to
 * patch and nothing to fetch again. */
#include "arch/static_key.h"

/* The users count alone decides. */
void static_key_patch(struct static_key *key, bool on)
{
	(void)key;
	(void)on;
}

/* Nothing. */
void cpu_sync_code(void)
{
}
