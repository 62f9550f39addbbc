/* SPDX-License-Identifier: MIT */
/* System calls that wait for several descriptors. */
#include "arch/clock.h"
#include "kernel/fs/poll.h"
#include "kernel/lib/string.h"
#include "kernel/sys/calls.h"

#define NS_PER_SEC	1000000000ull
#define NS_PER_MS	1000000ull
#define FEW		4		/* items on the stack: no memory is asked for */
#define SIGSET_BYTES	8
#define SET_WORDS	(FILES_MAX / 64)

#define SELECT_IN	(POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR)
#define SELECT_OUT	(POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR)
#define SELECT_EXCEPT	POLLPRI

struct linux_pollfd {
	s32 fd;
	u16 events, revents;
};

static struct poll_item *items_alloc(struct poll_item *few, unsigned count)
{
	struct poll_item *items = few;

	if (count > FEW)
		items = kmalloc(count * sizeof(*items), GFP_KERNEL);
	if (items)
		memset(items, 0, count * sizeof(*items));
	return items;
}

static void items_free(struct poll_item *few, struct poll_item *items, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		file_put(items[i].file);
	if (items != few)
		kfree(items);
}

static u64 deadline_after(u64 ns)
{
	u64 now = clock_ns();

	return !ns ? 0 : ns > SLEEP_FOREVER - now ? SLEEP_FOREVER : now + ns;
}

/* --- poll, ppoll */

static int get_items(struct poll_item *items, uaddr_t fds, unsigned count)
{
	struct linux_pollfd fd;

	for (unsigned i = 0; i < count; i++) {
		if (user_get(&fd, fds + i * sizeof(fd), sizeof(fd)))
			return -EFAULT;
		items[i].events = fd.events | POLLERR | POLLHUP;
		if (fd.fd < 0)
			continue;
		items[i].file = user_file(fd.fd);
		if (!items[i].file)
			items[i].revents = POLLNVAL;
	}
	return 0;
}

static int put_items(const struct poll_item *items, uaddr_t fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uaddr_t at = fds + i * sizeof(struct linux_pollfd);
		u16 revents = (u16)items[i].revents;

		if (user_put(at + offsetof(struct linux_pollfd, revents), &revents, sizeof(revents)))
			return -EFAULT;
	}
	return 0;
}

static long poll_user(uaddr_t fds, unsigned count, u64 deadline)
{
	struct poll_item few[FEW], *items;
	long ret;

	if (count > vfs_nofile_limit())
		return -EINVAL;
	items = items_alloc(few, count);
	if (!items)
		return -ENOMEM;
	ret = get_items(items, fds, count);
	if (!ret) {
		ret = poll_items(items, count, deadline);
		if (put_items(items, fds, count))
			ret = -EFAULT;
	}
	items_free(few, items, count);
	return ret;
}

/* After a signal without a handler: go on, to the same deadline. */
static long poll_restart(struct proc *p)
{
	long ret = poll_user(p->restart.arg[0], (unsigned)p->restart.arg[1], p->restart.deadline);

	return ret == -ERESTARTNOHAND ? -ERESTART_BLOCK : ret;
}

/* poll(fds, count, milliseconds): how many are ready; 0: none in that time (below 0: any). */
long sys_poll(struct syscall *c)
{
	struct restart *restart = &proc_current()->restart;
	int ms = (int)c->arg[2];
	u64 deadline = ms < 0 ? SLEEP_FOREVER : deadline_after((u64)ms * NS_PER_MS);
	long ret = poll_user(c->arg[0], (unsigned)c->arg[1], deadline);

	if (ret != -ERESTARTNOHAND)
		return ret;
	*restart = (struct restart){
		.fn = poll_restart, .deadline = deadline, .arg = { c->arg[0], c->arg[1] },
	};
	return -ERESTART_BLOCK;
}

/* A deadline from a user's timespec; none at 0. Returns 0, -EFAULT or -EINVAL. */
static int get_deadline(uaddr_t user, u64 *deadline)
{
	u64 ns;
	int err;

	*deadline = SLEEP_FOREVER;
	if (!user)
		return 0;
	err = user_timespec(user, &ns);
	if (!err)
		*deadline = deadline_after(ns);
	return err;
}

/* Have only these signals blocked while the call waits; none given at 0. */
static int swap_signals(uaddr_t user, u64 bytes)
{
	u64 set;

	if (!user)
		return 0;
	if (bytes != SIGSET_BYTES)
		return -EINVAL;
	if (user_get(&set, user, sizeof(set)))
		return -EFAULT;
	signal_swap_blocked(set);
	return 0;
}

static u64 time_left(u64 deadline)
{
	u64 now = clock_ns();

	return deadline > now ? deadline - now : 0;
}

/* The end of ppoll and pselect: the signals blocked before, unless a handler is to run first;
 * the time that is left, into the user's timespec, which a call that begins again reads. One
 * that cannot be written would begin anew with the whole time: such a call is over. */
static long put_left(uaddr_t user, u64 deadline, long ret)
{
	u64 left = time_left(deadline);
	struct linux_timespec ts = { (s64)(left / NS_PER_SEC), (s64)(left % NS_PER_SEC) };

	if (ret != -ERESTARTNOHAND)
		signal_unswap_blocked();
	if (user && user_put(user, &ts, sizeof(ts)) && ret == -ERESTARTNOHAND)
		return -EINTR;
	return ret;
}

/* ppoll(fds, count, time, signals, bytes): poll() with a timespec, other signals blocked while it
 * waits. */
long sys_ppoll(struct syscall *c)
{
	u64 deadline;
	long ret = get_deadline(c->arg[2], &deadline);

	if (!ret)
		ret = swap_signals(c->arg[3], c->arg[4]);
	if (ret)
		return ret;
	ret = poll_user(c->arg[0], (unsigned)c->arg[1], deadline);
	return put_left(c->arg[2], deadline, ret);
}

/* --- select, pselect6 */

enum { IN, OUT, EXCEPT, NR_SETS };

struct select {
	unsigned nr_fds;
	uaddr_t user[NR_SETS];
	u64 sets[NR_SETS][SET_WORDS];
};

static const unsigned set_events[NR_SETS] = { SELECT_IN, SELECT_OUT, SELECT_EXCEPT };

static size_t set_bytes(const struct select *s)
{
	return DIV_ROUND_UP(s->nr_fds, 64u) * 8;
}

/* Forget bits of descriptors from nr_fds on. */
static int get_sets(struct select *s, const u64 *user)
{
	u64 last = s->nr_fds % 64 ? (1ull << s->nr_fds % 64) - 1 : ~0ull;

	memset(s->sets, 0, sizeof(s->sets));
	for (unsigned k = 0; k < NR_SETS; k++) {
		s->user[k] = user[k];
		if (!user[k] || !s->nr_fds)
			continue;
		if (user_get(s->sets[k], user[k], set_bytes(s)))
			return -EFAULT;
		s->sets[k][(s->nr_fds - 1) / 64] &= last;
	}
	return 0;
}

static unsigned events_of(const struct select *s, unsigned fd)
{
	unsigned events = 0;

	for (unsigned k = 0; k < NR_SETS; k++)
		events |= s->sets[k][fd / 64] >> fd % 64 & 1 ? set_events[k] : 0;
	return events;
}

/* An item for each descriptor in a set, in their order. Returns how many, or -EBADF. */
static int fill_items(const struct select *s, struct poll_item *items)
{
	int count = 0;

	for (unsigned fd = 0; fd < s->nr_fds; fd++) {
		unsigned events = events_of(s, fd);

		if (!events)
			continue;
		items[count].events = events;
		items[count].file = user_file((int)fd);
		if (!items[count++].file)
			return -EBADF;
	}
	return count;
}

static long put_sets(struct select *s, const struct poll_item *items)
{
	unsigned n = 0;
	long ready = 0;

	for (unsigned fd = 0; fd < s->nr_fds; fd++) {
		unsigned found = events_of(s, fd) ? items[n++].revents : 0;

		for (unsigned k = 0; k < NR_SETS; k++) {
			u64 bit = 1ull << fd % 64, *word = &s->sets[k][fd / 64];

			if ((*word & bit) && (found & set_events[k]))
				ready++;
			else
				*word &= ~bit;
		}
	}
	for (unsigned k = 0; k < NR_SETS; k++) {
		if (s->user[k] && user_put(s->user[k], s->sets[k], set_bytes(s)))
			return -EFAULT;
	}
	return ready;
}

static unsigned count_fds(const struct select *s)
{
	unsigned count = 0;

	for (unsigned fd = 0; fd < s->nr_fds; fd++)
		count += events_of(s, fd) != 0;
	return count;
}

/* arg: how many descriptors, and the three sets. As on Linux a number beyond the largest possible
 * descriptor is as good as that. */
static long select_user(const u64 *arg, u64 deadline)
{
	struct select s = { .nr_fds = MIN((unsigned)arg[0], (unsigned)FILES_MAX) };
	struct poll_item few[FEW], *items;
	unsigned count;
	long ret;

	if ((int)arg[0] < 0)
		return -EINVAL;
	ret = get_sets(&s, arg + 1);
	if (ret)
		return ret;
	count = count_fds(&s);
	items = items_alloc(few, count);
	if (!items)
		return -ENOMEM;
	ret = fill_items(&s, items);
	if (ret >= 0)
		ret = poll_items(items, count, deadline);
	if (ret >= 0)
		ret = put_sets(&s, items);
	items_free(few, items, count);
	return ret;
}

/* select(count, in, out, except, time): how many bits are set in the three sets, which tell
 * what is ready; the time that is left in `time`. */
long sys_select(struct syscall *c)
{
	u64 deadline = SLEEP_FOREVER, left;
	struct linux_timeval tv;
	long ret;

	if (c->arg[4]) {
		if (user_get(&tv, c->arg[4], sizeof(tv)))
			return -EFAULT;
		if (tv.sec < 0 || tv.usec < 0)
			return -EINVAL;
		left = (u64)MIN(tv.sec, 1ll << 32) * NS_PER_SEC +
		       (u64)MIN(tv.usec, 1ll << 50) * 1000;
		deadline = deadline_after(left);
	}
	ret = select_user(c->arg, deadline);
	left = time_left(deadline);
	tv = (struct linux_timeval){ (s64)(left / NS_PER_SEC), (s64)(left % NS_PER_SEC / 1000) };
	if (c->arg[4] && user_put(c->arg[4], &tv, sizeof(tv)) && ret == -ERESTARTNOHAND)
		return -EINTR;
	return ret;
}

/* pselect6(count, in, out, except, time, {signals, bytes}): select() with a timespec, other
 * signals blocked while it waits. */
long sys_pselect6(struct syscall *c)
{
	u64 signals[2] = { 0, 0 }, deadline;
	long ret;

	if (c->arg[5] && user_get(signals, c->arg[5], sizeof(signals)))
		return -EFAULT;
	ret = get_deadline(c->arg[4], &deadline);
	if (!ret)
		ret = swap_signals(signals[0], signals[1]);
	if (ret)
		return ret;
	ret = select_user(c->arg, deadline);
	return put_left(c->arg[4], deadline, ret);
}
