/* SPDX-License-Identifier: MIT */
/* System calls that tell the time or let some of it pass. */
#include "arch/clock.h"
#include "kernel/sys/calls.h"

#define NS_PER_SEC	1000000000ull
#define NS_PER_TICK	10000000ull
#define SLEEP_MAX_SEC	(1ll << 32)	/* longer is for ever: no overflow in nanoseconds */
#define TIMER_ABSTIME	1

enum clock_id {
	CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME, CLOCK_THREAD_CPUTIME,
	CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
};

static u64 boot_time_ns(void)
{
	return clock_boot_seconds() * NS_PER_SEC;
}

/* Nanoseconds by that clock, or -EINVAL. */
static int read_clock(u64 id, u64 *ns)
{
	struct proc_times times;

	switch ((int)id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns = boot_time_ns() + clock_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = clock_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME:
		proc_times(&times);
		*ns = times.group_ns;
		return 0;
	case CLOCK_THREAD_CPUTIME:
		proc_times(&times);
		*ns = times.task_ns;
		return 0;
	default:
		return -EINVAL;
	}
}

static long put_timespec(uaddr_t user, u64 ns)
{
	struct linux_timespec ts = { (s64)(ns / NS_PER_SEC), (s64)(ns % NS_PER_SEC) };

	return user_put(user, &ts, sizeof(ts));
}

/* clock_gettime(clock, where). */
long sys_clock_gettime(struct syscall *c)
{
	u64 ns;
	long err = read_clock(c->arg[0], &ns);

	return err ? err : put_timespec(c->arg[1], ns);
}

/* clock_getres(clock, where): a nanosecond. */
long sys_clock_getres(struct syscall *c)
{
	u64 ns;
	long err = read_clock(c->arg[0], &ns);

	return err || !c->arg[1] ? err : put_timespec(c->arg[1], 1);
}

/* gettimeofday(where, zone): the zone is UTC. */
long sys_gettimeofday(struct syscall *c)
{
	u64 ns = boot_time_ns() + clock_ns(), zone = 0;
	struct linux_timeval tv = { (s64)(ns / NS_PER_SEC), (s64)(ns % NS_PER_SEC / 1000) };

	if (c->arg[0] && user_put(c->arg[0], &tv, sizeof(tv)))
		return -EFAULT;
	return c->arg[1] ? user_put(c->arg[1], &zone, sizeof(zone)) : 0;
}

/* time(where): seconds since 1970. */
long sys_time(struct syscall *c)
{
	s64 now = (s64)((boot_time_ns() + clock_ns()) / NS_PER_SEC);

	if (c->arg[0] && user_put(c->arg[0], &now, sizeof(now)))
		return -EFAULT;
	return now;
}

/* A length of time or a point in it, from the user: 0, -EFAULT or -EINVAL. */
int user_timespec(uaddr_t user, u64 *ns)
{
	struct linux_timespec ts;

	if (user_get(&ts, user, sizeof(ts)))
		return -EFAULT;
	if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= (s64)NS_PER_SEC)
		return -EINVAL;
	*ns = (u64)MIN(ts.sec, SLEEP_MAX_SEC) * NS_PER_SEC + (u64)ts.nsec;
	return 0;
}

/* The point on the clock of the sleeps that is ns on the wall's. */
u64 time_from_realtime(u64 ns)
{
	return ns > boot_time_ns() ? ns - boot_time_ns() : 0;
}

/* times(buf): what the process and the children it has waited for have run, in ticks of a
 * hundredth of a second; returns such ticks since the boot. */
long sys_times(struct syscall *c)
{
	struct proc_times times;
	s64 ticks[4] = { 0 };		/* user, system, children's user, children's system */

	proc_times(&times);
	ticks[0] = (s64)(times.group_ns / NS_PER_TICK);
	ticks[2] = (s64)(times.children_ns / NS_PER_TICK);
	if (c->arg[0] && user_put(c->arg[0], ticks, sizeof(ticks)))
		return -EFAULT;
	return (long)(clock_ns() / NS_PER_TICK);
}

/* nanosleep(time, left): 0; a sleep only ends early with the process, so nothing is left. */
long sys_nanosleep(struct syscall *c)
{
	u64 ns;
	long err = user_timespec(c->arg[0], &ns);

	return err ? err : sleep_until(clock_ns() + ns);
}

/* clock_nanosleep(clock, flags, time, left): the same by a clock, to a point in its time with
 * TIMER_ABSTIME. -EINVAL for clocks that do not run while one sleeps. */
long sys_clock_nanosleep(struct syscall *c)
{
	u64 now, ns, deadline = clock_ns();
	long err = read_clock(c->arg[0], &now);

	if (!err && ((int)c->arg[0] == CLOCK_PROCESS_CPUTIME ||
		     (int)c->arg[0] == CLOCK_THREAD_CPUTIME))
		err = -EINVAL;
	if (!err)
		err = user_timespec(c->arg[2], &ns);
	if (err)
		return err;
	if (!(c->arg[1] & TIMER_ABSTIME))
		deadline += ns;
	else if (ns > now)
		deadline += ns - now;
	return sleep_until(deadline);
}
