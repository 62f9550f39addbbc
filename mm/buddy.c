/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator: blocks of 1, 2, 4 ... 1024 pages.
 *
 * Theory (Knowlton 1965; Knuth, TAOCP 1, 2.5). Memory is cut into blocks of 2^order pages
 * that start at a multiple of their size. Two blocks of one order that together are a block
 * of the next are buddies: their frame numbers differ in one bit, so the buddy of a block is
 * found by an exclusive or, and whether it can be merged is read in its struct page.
 *
 *	order 2   [ 0  1  2  3 ]                     frame of the buddy of b at order k:
 *	order 1   [ 0  1 ][ 2  3 ]                         b ^ (1 << k)
 *	order 0   [ 0 ][ 1 ][ 2 ][ 3 ]               frame of the merged block:
 *	                                                   b & ~(1 << k)
 *
 * alloc: take a block of the smallest order that has one; while it is too large, split it and
 * free its upper half. free: while the buddy is free and whole, take it off its list and
 * merge. Both cost at most MAX_ORDER steps.
 *
 * States of a frame, as this file sees them:
 *	PAGE_FREE	head of a free block; page->order; on area[order].blocks
 *	PAGE_TAIL	another frame of that block
 *	other		not here: RAM in use, or no RAM
 * The caller sets kinds of what it was given; buddy_free() takes back a block whose tails are
 * still PAGE_TAIL and touches its head alone.
 *
 * Invariants, checked by buddy_check():
 *  I1  a block on area[k] is PAGE_FREE, of order k, aligned to 2^k frames, inside mem_map
 *  I2  its other frames are PAGE_TAIL
 *  I3  its buddy is not a free block of the same order (else they would be merged)
 *  I4  area[k].nr is the length of the list, and nr_free the sum of all pages
 *
 * Locking: zone.lock (RANK_ZONE), the innermost of mm's locks, covers all of it. is_free_block()
 * reads kind and order of a page that may be another CPU's, in use: its kind may change under
 * the reader's eyes, but not from or to PAGE_FREE, which takes zone.lock.
 */
#include "kernel/lib/panic.h"
#include "kernel/sync/spinlock.h"
#include "mm/page.h"

struct free_area {
	struct list blocks;		/* [z] heads, by page->link */
	unsigned long nr;		/* [z] */
};

static struct {
	struct spinlock lock;
	struct free_area area[MAX_ORDER + 1];
	unsigned long nr_free;		/* [z] pages */
} zone;

static struct page *pop_block(unsigned order)
{
	struct page *page = list_first(&zone.area[order].blocks, struct page, link);

	list_remove(&page->link);
	zone.area[order].nr--;
	zone.nr_free -= 1ul << order;
	return page;
}

static void push_block(struct page *page, unsigned order)
{
	WRITE_ONCE(page->order, (u8)order);	/* before the kind: see page.c, free_block_of() */
	WRITE_ONCE(page->kind, PAGE_FREE);
	list_push(&zone.area[order].blocks, &page->link);
	zone.area[order].nr++;
	zone.nr_free += 1ul << order;
}

static struct page *alloc_locked(unsigned order)
{
	struct page *page;
	unsigned have = order;

	assert_held(&zone.lock);
	while (have <= MAX_ORDER && list_empty(&zone.area[have].blocks))
		have++;
	if (have > MAX_ORDER)
		return NULL;
	page = pop_block(have);
	while (have > order) {
		have--;
		push_block(page + (1ul << have), have);
	}
	return page;
}

/* A block of 2^order pages, aligned to its size, or NULL. The struct pages still say free:
 * the caller sets kind and order of the head and leaves the tails PAGE_TAIL.
 * Locks: takes zone.lock. Context: not in interrupts. */
struct page *buddy_alloc(unsigned order)
{
	struct page *page;

	BUG_ON(order > MAX_ORDER);
	spin_lock(&zone.lock);
	page = alloc_locked(order);
	if (page)
		WRITE_ONCE(page->kind, PAGE_TAIL);	/* free no more, whatever it becomes */
	spin_unlock(&zone.lock);
	return page;
}

static bool is_free_block(pfn_t pfn, unsigned order)
{
	const struct page *page;

	if (pfn + (1ul << order) > nr_frames)
		return false;
	page = pfn_to_page(pfn);
	return READ_ONCE(page->kind) == PAGE_FREE && READ_ONCE(page->order) == order;
}

static void free_locked(pfn_t pfn, unsigned order)
{
	assert_held(&zone.lock);
	WRITE_ONCE(pfn_to_page(pfn)->kind, PAGE_TAIL);	/* unless it ends up as the head */
	while (order < MAX_ORDER && is_free_block(pfn ^ (1ul << order), order)) {
		struct page *buddy = pfn_to_page(pfn ^ (1ul << order));

		list_remove(&buddy->link);
		WRITE_ONCE(buddy->kind, PAGE_TAIL);
		zone.area[order].nr--;
		zone.nr_free -= 1ul << order;
		pfn &= ~(1ul << order);
		order++;
	}
	push_block(pfn_to_page(pfn), order);
}

/* Give back a block as buddy_alloc() gave it.
 * Locks: takes zone.lock. Context: not in interrupts. */
void buddy_free(struct page *page, unsigned order)
{
	pfn_t pfn = page_to_pfn(page);

	BUG_ON(order > MAX_ORDER || !IS_ALIGNED(pfn, 1ul << order));
	spin_lock(&zone.lock);
	free_locked(pfn, order);
	spin_unlock(&zone.lock);
}

/* Nothing is free. Context: boot, once. */
void buddy_init(void)
{
	spin_init(&zone.lock, RANK_ZONE, "zone");
	for (unsigned i = 0; i <= MAX_ORDER; i++)
		list_init(&zone.area[i].blocks);
}

/* The RAM [start, end) is free from now on: cut into the largest blocks that fit.
 * Context: boot, each range once. Locks: takes zone.lock. */
void buddy_give(paddr_t start, paddr_t end)
{
	pfn_t pfn = start >> PAGE_SHIFT, stop = end >> PAGE_SHIFT;

	BUG_ON(stop > nr_frames);
	for (pfn_t i = pfn; i < stop; i++)
		pfn_to_page(i)->kind = PAGE_TAIL;
	spin_lock(&zone.lock);
	while (pfn < stop) {
		unsigned order = MAX_ORDER;

		while (!IS_ALIGNED(pfn, 1ul << order) || pfn + (1ul << order) > stop)
			order--;
		free_locked(pfn, order);
		pfn += 1ul << order;
	}
	spin_unlock(&zone.lock);
}

/* Free pages here (those on per-CPU lists not counted). Context: any but interrupts. */
unsigned long buddy_nr_free(void)
{
	unsigned long n;

	spin_lock(&zone.lock);
	n = zone.nr_free;
	spin_unlock(&zone.lock);
	return n;
}

/* Free blocks of each order, as one snapshot. */
void buddy_count_free(unsigned long nr_blocks[MAX_ORDER + 1])
{
	spin_lock(&zone.lock);
	for (unsigned i = 0; i <= MAX_ORDER; i++)
		nr_blocks[i] = zone.area[i].nr;
	spin_unlock(&zone.lock);
}

static int check_block(const struct page *page, unsigned order)
{
	pfn_t pfn = page_to_pfn(page);

	if (page->kind != PAGE_FREE || page->order != order ||
	    !IS_ALIGNED(pfn, 1ul << order) || pfn + (1ul << order) > nr_frames)
		return 1;
	for (pfn_t i = 1; i < 1ul << order; i++) {
		if (page[i].kind != PAGE_TAIL)
			return 2;
	}
	if (order < MAX_ORDER && is_free_block(pfn ^ (1ul << order), order))
		return 3;
	return 0;
}

static int check_locked(void)
{
	unsigned long nr_pages = 0;

	for (unsigned k = 0; k <= MAX_ORDER; k++) {
		unsigned long nr = 0;
		struct page *page;

		list_for_each(page, &zone.area[k].blocks, link) {
			int broken = check_block(page, k);

			if (broken)
				return broken;
			if (++nr > zone.area[k].nr)
				return 4;
		}
		if (nr != zone.area[k].nr)
			return 4;
		nr_pages += nr << k;
	}
	return nr_pages == zone.nr_free ? 0 : 4;
}

/* Returns 0, or the number of the broken invariant. Locks: takes zone.lock. */
int buddy_check(void)
{
	int broken;

	spin_lock(&zone.lock);
	broken = check_locked();
	spin_unlock(&zone.lock);
	return broken;
}
