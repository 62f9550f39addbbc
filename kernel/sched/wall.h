/* SPDX-License-Identifier: MIT */
/* The time of day. */
#pragma once
#include "kernel/lib/types.h"

u64 wall_now(void);			/* nanoseconds since 1970 */
void wall_set(u64 ns);
u64 wall_to_clock(u64 ns);
