/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU lists of single pages.
 *
 * Theory. Most allocations are of one page, and most freed pages are wanted again soon, by
 * the same CPU, whose cache still holds them. Each CPU keeps a short list of free pages that
 * it takes from and gives to without a lock; only when the list is empty or too long do
 * PCP_BATCH pages move between it and the buddy allocator.
 *
 *	           pcp_alloc <-- first                     last --> oldest PCP_BATCH
 *	CPU 0      pcp_free  --> [p]-[p]-[p]-[p]-[p]-[p]-[p]-[p]    when count > PCP_HIGH
 *	                              ^                       |
 *	           PCP_BATCH when empty                       v
 *	zone       ================== buddy allocator ==================
 *
 * The list is a stack at its front (the page freed last is the warmest) and is trimmed at
 * its end (the coldest).
 *
 * States: a page here is PAGE_PCP, order 0. For the buddy allocator it is in use, so its
 * buddy cannot be merged with it: pcp_drain_all() undoes that.
 *
 * Invariants, checked by pcp_check():
 *  I1  pages on a list are PAGE_PCP, order 0, owned by nobody
 *  I2  count is the length of the list
 *  I3  count <= PCP_HIGH
 *
 * Locking: each list belongs to its CPU, no lock. The kernel is not preemptible and interrupt
 * handlers neither allocate nor free, so nothing comes between. pcp_drain_all() and pcp_check()
 * reach into the lists of other CPUs and want them stopped. pcp_nr_free() only reads counts:
 * the sum may be off by what other CPUs do at the moment, PCP_HIGH + 1 pages for each.
 */
#include "arch/irq.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/percpu.h"
#include "mm/page.h"
#include "mm/stop.h"

#define PCP_BATCH	16u
#define PCP_HIGH	64u

struct pcp {
	struct list pages;		/* [c] by page->link, warmest first */
	unsigned count;			/* [c]; others may read it */
} cacheline_aligned;

static struct pcp pcps[NR_CPUS];

/* A list is set up by its CPU's first use. */
static struct pcp *this_pcp(void)
{
	struct pcp *pcp = this_cpu(pcps);

	if (unlikely(!pcp->pages.next))
		list_init(&pcp->pages);
	return pcp;
}

static void push(struct pcp *pcp, struct page *page)
{
	WRITE_ONCE(page->order, 0);
	WRITE_ONCE(page->kind, PAGE_PCP);
	list_push(&pcp->pages, &page->link);
	WRITE_ONCE(pcp->count, pcp->count + 1);
}

static void refill(struct pcp *pcp)
{
	struct page *page;

	while (pcp->count < PCP_BATCH && (page = buddy_alloc(0)) != NULL)
		push(pcp, page);
}

static void trim(struct pcp *pcp, unsigned keep)
{
	while (pcp->count > keep) {
		struct page *page = list_last(&pcp->pages, struct page, link);

		list_remove(&page->link);
		WRITE_ONCE(pcp->count, pcp->count - 1);
		buddy_free(page, 0);
	}
}

/* A free page of this CPU's, or NULL when the buddy allocator has none either. The caller
 * sets its kind. Context: not in interrupts. Locks: zone.lock when the list is empty. */
struct page *pcp_alloc(void)
{
	struct pcp *pcp = this_pcp();
	struct page *page;

	ASSERT(!irq_in_handler());
	if (unlikely(pcp->count == 0))
		refill(pcp);
	if (unlikely(pcp->count == 0))
		return NULL;
	page = list_first(&pcp->pages, struct page, link);
	list_remove(&page->link);
	WRITE_ONCE(pcp->count, pcp->count - 1);
	WRITE_ONCE(page->kind, PAGE_TAIL);	/* in no list, of no kind yet */
	return page;
}

/* Give page (order 0) to this CPU's list.
 * Context: not in interrupts. Locks: zone.lock when the list is full. */
void pcp_free(struct page *page)
{
	struct pcp *pcp = this_pcp();

	ASSERT(!irq_in_handler());
	push(pcp, page);
	if (unlikely(pcp->count > PCP_HIGH))
		trim(pcp, PCP_HIGH - PCP_BATCH);
}

/* Give the lists of all CPUs back, so that their pages can be had here, and merge.
 * Context: the machine stopped. Locks: zone.lock. */
void pcp_drain_all(void)
{
	ASSERT(mm_alone());
	for_each_cpu(i)
		trim(&pcps[i], 0);
}

/* Pages on all CPUs' lists. */
unsigned long pcp_nr_free(void)
{
	unsigned long n = 0;

	for_each_cpu(i)
		n += READ_ONCE(pcps[i].count);
	return n;
}

static int check_one(const struct pcp *pcp)
{
	const struct page *page;
	unsigned n = 0;

	if (!pcp->pages.next)
		return pcp->count ? 2 : 0;
	list_for_each(page, &pcp->pages, link) {
		if (page->kind != PAGE_PCP || page->order || page->owner)
			return 1;
		if (++n > pcp->count)
			return 2;
	}
	if (n != pcp->count)
		return 2;
	return n > PCP_HIGH ? 3 : 0;
}

/* Returns 0, or the number of the broken invariant. Context: the machine stopped. */
int pcp_check(void)
{
	for_each_cpu(i) {
		int broken = check_one(&pcps[i]);

		if (broken)
			return broken;
	}
	return 0;
}
