/* SPDX-License-Identifier: MIT */
/*
 * Page counters.
 *
 * Theory. A counter is a number of pages with a limit, and counters form a tree: a charge
 * must fit at its own level and at every level above it. It goes upward level by level; the
 * first level without room refuses, and what was charged below it is taken back exactly.
 *
 *	              P  60/64     charge 4 to B:   B  0 -> 4   fits
 *	             /  \                           P 64 > 64?  60 + 4 fits
 *	      A 48/48    B 0/48    charge 4 again:  B  4 -> 8   fits
 *	                                            P 64 + 4    refused: B back to 4
 *
 * A level is charged by compare-and-swap: the sum is checked before it is stored, so no CPU
 * ever sees usage above the limit. Adding first and subtracting when it was too much would be
 * simpler, but between the two another CPU reads a usage that nobody has, and is refused for
 * nothing. The same can still happen one level further up: a charge that P will refuse sits
 * in B for a moment. A refusal here is therefore not final: memcg_charge() stops the other
 * CPUs and tries once more before it reports one.
 *
 * Lowering a limit races with a charge that has read the old one. Both sides write first and
 * look second, each with a full barrier in between:
 *
 *	set_limit:  limit = new;  usage > new?   put the old limit back, -EBUSY
 *	charge:     usage += n;   usage > limit? take n back, refuse
 *
 * At least one of the two sees the other, so a limit that was set holds for every charge
 * that was admitted. When both do, both give way, and both then try again with the other CPUs
 * stopped (charge.c, memcg.c).
 *
 * Forced charges ignore limits; each level adds them up, so that the check below still
 * bounds the usage. Watermarks rise only once the whole charge stands: a refused charge was
 * never a usage. A charge on another CPU between the two may hide a peak from the watermark,
 * by at most what that CPU took back meanwhile.
 *
 * States: none. Invariants, checked by page_counter_check() while nothing is in motion:
 *  I1  usage >= 0 (each uncharge checks it too, in every image)
 *  I2  usage <= limit + forced (debug images check it at each level of each charge, too, by
 *      what that charge's own compare-and-swap made of the usage: stable without a lock)
 *  I3  watermark >= usage
 *  I4  0 <= limit <= COUNTER_MAX
 *  I5  usage <= the parent's usage
 *
 * Locking: none; every word is atomic. Writers of one counter's limit exclude each other.
 * Reference: Linux, mm/page_counter.c (adds first; its limits may be overshot for a moment).
 */
#include "mm/counter.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"

static int charge_level(struct page_counter *c, long nr);
static void uncharge_level(struct page_counter *c, long nr);
static void raise_watermark(struct page_counter *c);

/* An unlimited, empty counter below parent (NULL: a root). Context: any. */
void page_counter_init(struct page_counter *c, struct page_counter *parent)
{
	*c = (struct page_counter){ .limit = ATOMIC_INIT(COUNTER_MAX), .parent = parent };
}

/* Charge nr_pages to c and all levels above. 0; or -ENOMEM with nothing charged and *refused
 * (may be NULL) the level that has no room. Raises no failcnt: the caller knows whether the
 * refusal is final. Context: any. */
int page_counter_try_charge(struct page_counter *c, unsigned long nr_pages,
			    struct page_counter **refused)
{
	long nr = (long)nr_pages;
	struct page_counter *at, *undo;

	BUG_ON(nr_pages > COUNTER_MAX);
	for (at = c; at; at = at->parent) {
		if (charge_level(at, nr) < 0)
			goto undo;
	}
	for (at = c; at; at = at->parent)
		raise_watermark(at);
	return 0;

undo:
	for (undo = c; undo != at; undo = undo->parent)
		uncharge_level(undo, nr);
	if (refused)
		*refused = at;
	return -ENOMEM;
}

/* Charge nr_pages to c and all levels above, whatever their limits. Context: any. */
void page_counter_charge_forced(struct page_counter *c, unsigned long nr_pages)
{
	for (; c; c = c->parent) {
		atomic_add_return(&c->forced, (long)nr_pages);
		atomic_add_return(&c->usage, (long)nr_pages);
		raise_watermark(c);
	}
}

/* Take nr_pages back from c and all levels above. More than was charged is a bug: panic.
 * Context: any. */
void page_counter_uncharge(struct page_counter *c, unsigned long nr_pages)
{
	for (; c; c = c->parent)
		uncharge_level(c, (long)nr_pages);
}

/* Let c hold at most nr_pages (COUNTER_MAX and more: unlimited). 0, or -EBUSY with the old
 * limit in force: more is in use. Locks: the caller excludes other writers of c's limit. */
int page_counter_set_limit(struct page_counter *c, unsigned long nr_pages)
{
	long new = (long)MIN(nr_pages, COUNTER_MAX);
	long old = atomic_exchange(&c->limit, new);

	if (atomic_add_return(&c->usage, 0) <= new)
		return 0;
	atomic_exchange(&c->limit, old);
	return -EBUSY;
}

/* The highest usage is from now on the highest since now. Context: any. */
void page_counter_reset_watermark(struct page_counter *c)
{
	atomic_store(&c->watermark, atomic_load(&c->usage));
}

static int charge_level(struct page_counter *c, long nr)
{
	long usage = atomic_load(&c->usage), limit;

	do {
		if (usage > atomic_load(&c->limit) - nr)
			return -ENOMEM;
	} while (!atomic_try_cmpxchg(&c->usage, &usage, usage + nr));
	usage += nr;
	limit = atomic_load(&c->limit);
	if (unlikely(usage > limit)) {
		uncharge_level(c, nr);
		return -ENOMEM;
	}
	ASSERT(usage <= limit + atomic_load(&c->forced));
	return 0;
}

static void uncharge_level(struct page_counter *c, long nr)
{
	long usage = atomic_sub_return(&c->usage, nr);

	if (unlikely(usage < 0))
		panic("page counter %p: uncharge of %ld pages, but only %ld were charged: "
		      "a page was uncharged twice, or from a group that never paid for it",
		      (void *)c, nr, usage + nr);
}

static void raise_watermark(struct page_counter *c)
{
	long now = atomic_load(&c->usage);
	long high = atomic_load(&c->watermark);

	while (now > high && !atomic_try_cmpxchg(&c->watermark, &high, now))
		;
}

/* 0, or the number of the broken invariant. Context: no charge under way elsewhere. */
int page_counter_check(const struct page_counter *c)
{
	long usage = atomic_load(&c->usage), limit = atomic_load(&c->limit);

	if (usage < 0)
		return 1;
	if (usage > limit + atomic_load(&c->forced))
		return 2;
	if (atomic_load(&c->watermark) < usage)
		return 3;
	if (limit < 0 || limit > (long)COUNTER_MAX)
		return 4;
	if (c->parent && usage > atomic_load(&c->parent->usage))
		return 5;
	return 0;
}
