/* SPDX-License-Identifier: MIT */
/* The wall's clock: what the machine's clock said at boot, the time since, and what root has
 * turned it by. No sleep depends on it. */
#include "arch/clock.h"
#include "kernel/lib/atomic.h"
#include "kernel/sched/wall.h"

static atomic_u64 turned;		/* [a] modulo 2^64 */

static u64 wall_at_boot(void)
{
	return clock_boot_seconds() * 1000000000ull + atomic_load(&turned);
}

/* Nanoseconds since 1970. Context: any. */
u64 wall_now(void)
{
	return wall_at_boot() + clock_ns();
}

/* From now on it is so many nanoseconds since 1970. Context: any. */
void wall_set(u64 ns)
{
	atomic_store(&turned, ns - clock_ns() - clock_boot_seconds() * 1000000000ull);
}

/* The point of clock_ns() at which the wall's clock says ns, as it goes now. Context: any. */
u64 wall_to_clock(u64 ns)
{
	u64 boot = wall_at_boot();

	return ns > boot ? ns - boot : 0;
}
