/* SPDX-License-Identifier: MIT */
/* System calls that tell the time or let some of it pass. */
#include "arch/clock.h"
#include "kernel/sched/wall.h"
#include "kernel/sys/calls.h"

#define NS_PER_SEC	1000000000ull
#define NS_PER_TICK	10000000ull
#define SLEEP_MAX_SEC	(1ll << 32)	/* longer is for ever: no overflow in nanoseconds */
#define TIMER_ABSTIME	1

enum clock_id {
	CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME, CLOCK_THREAD_CPUTIME,
	CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
};

/* Nanoseconds by that clock, or -EINVAL. */
static int read_clock(u64 id, u64 *ns)
{
	struct proc_times times;

	switch ((int)id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns = wall_now();
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

static long set_wall(s64 sec, s64 ns)
{
	if (sec < 0 || ns < 0 || ns >= (s64)NS_PER_SEC || sec > SLEEP_MAX_SEC)
		return -EINVAL;
	if (proc_current()->cred->euid != 0)
		return -EPERM;
	wall_set((u64)sec * NS_PER_SEC + (u64)ns);
	return 0;
}

/* clock_settime(clock, time): root turns the wall's clock. */
long sys_clock_settime(struct syscall *c)
{
	struct linux_timespec ts;

	if ((int)c->arg[0] != CLOCK_REALTIME)
		return -EINVAL;
	if (user_get(&ts, c->arg[1], sizeof(ts)))
		return -EFAULT;
	return set_wall(ts.sec, ts.nsec);
}

/* settimeofday(time, zone): the same; the zone stays UTC. */
long sys_settimeofday(struct syscall *c)
{
	struct linux_timeval tv;

	if (!c->arg[0])
		return proc_current()->cred->euid ? -EPERM : 0;
	if (user_get(&tv, c->arg[0], sizeof(tv)))
		return -EFAULT;
	if (tv.usec < 0 || tv.usec >= 1000000)
		return -EINVAL;
	return set_wall(tv.sec, tv.usec * 1000);
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
	u64 ns = wall_now(), zone = 0;
	struct linux_timeval tv = { (s64)(ns / NS_PER_SEC), (s64)(ns % NS_PER_SEC / 1000) };

	if (c->arg[0] && user_put(c->arg[0], &tv, sizeof(tv)))
		return -EFAULT;
	return c->arg[1] ? user_put(c->arg[1], &zone, sizeof(zone)) : 0;
}

/* time(where): seconds since 1970. */
long sys_time(struct syscall *c)
{
	s64 now = (s64)(wall_now() / NS_PER_SEC);

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
	return wall_to_clock(ns);
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

/* Sleep until then. Interrupted by a signal, say how much was left (left 0: nowhere); the sleep
 * goes on, to the same end, when no handler runs. */
static long sleep_to(struct proc *p, u64 deadline, uaddr_t left);

static long sleep_on(struct proc *p)
{
	return sleep_to(p, p->restart.deadline, p->restart.arg[0]);
}

static long sleep_to(struct proc *p, u64 deadline, uaddr_t left)
{
	int err = sleep_until(deadline);
	u64 now = clock_ns();

	if (!err || now >= deadline)
		return 0;
	if (left && put_timespec(left, deadline - now))
		return -EFAULT;
	p->restart = (struct restart){ .fn = sleep_on, .deadline = deadline, .arg = { left } };
	return -ERESTART_BLOCK;
}

/* nanosleep(time, left): 0, or -EINTR with what is left. */
long sys_nanosleep(struct syscall *c)
{
	u64 ns;
	long err = user_timespec(c->arg[0], &ns);

	return err ? err : sleep_to(proc_current(), clock_ns() + ns, c->arg[1]);
}

/* clock_nanosleep(clock, flags, time, left): the same by a clock, to a point in its time with
 * TIMER_ABSTIME (then nothing is left). -EINVAL for clocks that do not run while one sleeps. */
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
		return sleep_to(proc_current(), deadline + ns, c->arg[3]);
	if (ns > now)
		deadline += ns - now;
	return sleep_until(deadline) ? -ERESTARTNOHAND : 0;
}

/* --- interval timers */

static int get_timeval(const struct linux_timeval *tv, u64 *ns)
{
	if (tv->sec < 0 || tv->usec < 0 || tv->usec >= 1000000)
		return -EINVAL;
	*ns = (u64)MIN(tv->sec, SLEEP_MAX_SEC) * NS_PER_SEC + (u64)tv->usec * 1000;
	return 0;
}

static struct linux_timeval to_timeval(u64 ns)
{
	return (struct linux_timeval){ (s64)(ns / NS_PER_SEC), (s64)(ns % NS_PER_SEC / 1000) };
}

static long put_itimer(uaddr_t user, const struct itimer_value *value)
{
	/* A timer that runs has something left to the microsecond that programs see. */
	u64 left = value->left ? MAX(value->left, 1000ul) : 0;
	struct linux_timeval both[2] = { to_timeval(value->interval), to_timeval(left) };

	return user_put(user, both, sizeof(both));
}

/* getitimer(which, value): how much of an interval timer is left. */
long sys_getitimer(struct syscall *c)
{
	struct itimer_value value;

	if ((unsigned)c->arg[0] >= NR_ITIMERS)
		return -EINVAL;
	itimer_set((enum itimer_kind)c->arg[0], NULL, &value);
	return put_itimer(c->arg[1], &value);
}

/* setitimer(which, new, old): a signal after some time, and again after each interval; no new
 * one turns it off, as on Linux. */
long sys_setitimer(struct syscall *c)
{
	struct linux_timeval both[2] = { { 0 } };
	struct itimer_value value, old;

	if (c->arg[1] && user_get(both, c->arg[1], sizeof(both)))
		return -EFAULT;
	if (get_timeval(&both[0], &value.interval) || get_timeval(&both[1], &value.left) ||
	    (unsigned)c->arg[0] >= NR_ITIMERS)
		return -EINVAL;
	itimer_set((enum itimer_kind)c->arg[0], &value, &old);
	return c->arg[2] ? put_itimer(c->arg[2], &old) : 0;
}

/* alarm(seconds): SIGALRM then; the seconds that were left of the last one, at least 1. */
long sys_alarm(struct syscall *c)
{
	struct itimer_value value = { .left = (u32)c->arg[0] * NS_PER_SEC }, old;
	u64 seconds;

	itimer_set(ITIMER_REAL, &value, &old);
	seconds = (old.left + NS_PER_SEC / 2) / NS_PER_SEC;
	return old.left && !seconds ? 1 : (long)seconds;
}
