/* SPDX-License-Identifier: MIT */
/* Page counters: hierarchical, exact, in pages (kmem.md section 2). */
#pragma once
#include "kernel/lib/atomic.h"
#include "kernel/lib/compiler.h"

#define COUNTER_MAX	(~0ul >> 13)	/* "unlimited", in pages */

struct page_counter {
	atomic_long usage;		/* [a] pages */
	atomic_long limit;		/* [a] pages; usage <= limit but for forced charges */
	atomic_long forced;		/* [a] pages ever charged without asking the limit */
	atomic_long watermark;		/* [a] highest usage since reset */
	atomic_long failcnt;		/* [a] final refusals at this level */
	struct page_counter *parent;	/* [I] next level up, or NULL */
};

void page_counter_init(struct page_counter *c, struct page_counter *parent);
int page_counter_try_charge(struct page_counter *c, unsigned long nr_pages,
			    struct page_counter **refused) must_check;
void page_counter_charge_forced(struct page_counter *c, unsigned long nr_pages);
void page_counter_uncharge(struct page_counter *c, unsigned long nr_pages);
int page_counter_set_limit(struct page_counter *c, unsigned long nr_pages) must_check;
void page_counter_reset_watermark(struct page_counter *c);
int page_counter_check(const struct page_counter *c);

static inline unsigned long page_counter_read(const struct page_counter *c)
{
	return (unsigned long)atomic_load(&c->usage);
}
