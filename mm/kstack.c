/* SPDX-License-Identifier: MIT */
/*
 * Kernel stacks.
 *
 * Theory. A thread's stack grows downward into whatever lies below it. In the direct map
 * that is another page in use, and an overflow would be found long after and far away. So
 * stacks live in an address range of their own, cut into slots of 64 KiB; a stack's pages
 * are mapped at the top of its slot and the rest stays unmapped: the guard. The first push
 * beyond the stack faults.
 *
 *	slot base                                  base + 64 KiB = the next slot's base
 *	| . . . . . guard, unmapped . . . . | page | page | page | page | . . . guard . .
 *	                                                                ^ top
 *
 * The pages are single ones: a stack of four pages needs no contiguous memory. Each is
 * charged by itself to the caller's group, and each names its owner, so a stack freed by
 * another thread (the next one on the CPU frees an exiting thread's) is uncharged from the
 * group that paid, whoever frees it. Nothing is kept for reuse: a cached stack would stay
 * charged to a group whose thread is gone.
 *
 * A slot that was freed may live on in the TLBs of other CPUs, which ran on that stack; unmapping
 * only makes this CPU forget. Telling them at each free would cost more than the rest of the
 * free together. So the slot is stale, and is not used again before all CPUs have forgotten
 * all kernel translations once, for a whole batch of stale slots (smp_flush_kernel()). Its
 * pages are free at once: nobody has a reason to touch the old address.
 *
 *	free --> used --> stale --> flushing --> free        lowest free slot first: a table page
 *	                    |  a batch of them  ^            once made for the area stays, and
 *	                    +-- smp_flush_kernel()           few of them are
 *
 * States of a slot, as the picture has them. `busy` has a bit for each that is not free; a used
 * one's is set from before its first page is mapped until after its last is unmapped. With one
 * CPU there is nobody to tell, and a freed slot is free.
 *
 * Invariants:
 *  I1  pages of kind PAGE_STACK = nr_pages, at most slots used x pages of a stack (the audit)
 *  I2  used + stale + flushing = bits set in busy; a stale or flushing slot's bit is set
 *
 * Locking: stack_lock (RANK_STACK) covers the bitmaps and the area's translations. It is dropped
 * for the flush, which waits for the other CPUs; whoever finds no slot meanwhile waits for
 * the flush to end. The pages of a stack belong to whoever allocated it. Charging one is a
 * safe point: a stack may stand there half made, and is counted by page.
 */
#include "mm/kstack.h"
#include "arch/mmu.h"
#include "arch/smp.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/sync/safepoint.h"
#include "kernel/sync/spinlock.h"
#include "mm/page.h"

#define SLOT_PAGES	(KSTACK_SLOT_BYTES / PAGE_SIZE)
#define MAX_SLOTS	((unsigned)PAGE_SIZE * 8)	/* what one page of bitmap can say */

#define STALE_BATCH	64u			/* as many stale slots are worth a flush */

static struct spinlock stack_lock = SPINLOCK_INIT(RANK_STACK, "kstack");
static u64 *busy;			/* [stack_lock] one bit for each slot */
static u64 *stale, *flushing;		/* [stack_lock] the same */
static unsigned nr_used, nr_stale, nr_flushing;	/* [stack_lock] */
static unsigned lowest;			/* [stack_lock] no slot below is free */
static atomic_long nr_pages;		/* [a] mapped */
static unsigned nr_slots;		/* [I] */
static unsigned stack_pages;		/* [I] */

static uintptr_t slot_base(unsigned slot)
{
	return KSTACK_AREA + slot * KSTACK_SLOT_BYTES;
}

static uintptr_t page_address(unsigned slot, unsigned i)
{
	return slot_base(slot + 1) - (i + 1) * PAGE_SIZE;
}

static u64 *new_bitmap(void)
{
	struct page *page = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL | GFP_ZERO);

	if (!page)
		panic("no page for the map of kernel stacks");
	return page_to_virt(page);
}

/* Stacks shall have pages pages, cut to 1 .. 15. Context: boot, after page_init(). */
void kstack_init(unsigned pages)
{
	busy = new_bitmap();
	stale = new_bitmap();
	flushing = new_bitmap();
	nr_slots = (unsigned)MIN(KSTACK_AREA_BYTES / KSTACK_SLOT_BYTES, (u64)MAX_SLOTS);
	stack_pages = MAX(pages, 1u);
	stack_pages = MIN(stack_pages, (unsigned)SLOT_PAGES - 1);
}

/* Pages of a stack, guard excluded: what a thread's stack is charged as. */
unsigned kstack_pages(void)
{
	return stack_pages;
}

/* Stacks that exist now. Context: any; may be stale. */
unsigned kstack_nr_used(void)
{
	return READ_ONCE(nr_used);
}

/* Make stale slots free: every CPU forgets its translations once for all of them. Drops the
 * lock for that. */
static void flush_stale_locked(void)
{
	u64 *batch = stale;

	assert_held(&stack_lock);
	stale = flushing;
	flushing = batch;
	nr_flushing = nr_stale;
	nr_stale = 0;
	spin_unlock(&stack_lock);
	smp_flush_kernel();
	spin_lock(&stack_lock);
	for (unsigned i = 0; i < DIV_ROUND_UP(nr_slots, 64); i++) {
		busy[i] &= ~batch[i];
		if (batch[i])
			lowest = MIN(lowest, i * 64);
	}
	memset(batch, 0, PAGE_SIZE);
	nr_flushing = 0;
}

/* The lowest free slot, or nr_slots. */
static unsigned find_slot_locked(void)
{
	unsigned from = ALIGN_DOWN(lowest, 64u);

	assert_held(&stack_lock);
	return from + bitmap_first_clear(busy + from / 64, nr_slots - from);
}

/* No slot is free. True: one may be after a flush, this CPU's or one under way. */
static bool wait_for_slot_locked(void)
{
	if (nr_flushing == 0 && nr_stale == 0)
		return false;
	if (nr_flushing == 0) {
		flush_stale_locked();
		return true;
	}
	spin_unlock(&stack_lock);
	cpu_relax();
	safepoint_poll();
	spin_lock(&stack_lock);
	return true;
}

static int slot_take(unsigned *slot)
{
	spin_lock(&stack_lock);
	if (nr_stale >= STALE_BATCH && nr_flushing == 0)
		flush_stale_locked();
	do {
		*slot = find_slot_locked();
	} while (*slot >= nr_slots && wait_for_slot_locked());
	if (*slot < nr_slots) {
		bitmap_set(busy, *slot);
		lowest = *slot + 1;
		WRITE_ONCE(nr_used, nr_used + 1);
	}
	spin_unlock(&stack_lock);
	return *slot < nr_slots ? 0 : -EAGAIN;
}

static void slot_give(unsigned slot)
{
	spin_lock(&stack_lock);
	BUG_ON(!bitmap_test(busy, slot));
	if (cpu_count() == 1) {
		bitmap_clear(busy, slot);
		lowest = MIN(lowest, slot);
	} else {
		bitmap_set(stale, slot);
		nr_stale++;
	}
	WRITE_ONCE(nr_used, nr_used - 1);
	spin_unlock(&stack_lock);
}

static void ring_add(struct kstack *stack, struct page *page)
{
	if (stack->pages)
		list_append(&stack->pages->link, &page->link);
	else
		stack->pages = page;
}

static int map_page(struct kstack *stack, unsigned i)
{
	struct page *page = page_alloc_charged(PAGE_STACK, 0, GFP_KERNEL);
	int err;

	if (!page)
		return -ENOMEM;
	spin_lock(&stack_lock);
	err = mmu_map_kernel(page_address(stack->slot, i), page_to_phys(page),
			     PTE_READ | PTE_WRITE);
	spin_unlock(&stack_lock);
	if (err) {
		page_free(page);
		return err;
	}
	atomic_add_return(&nr_pages, 1);
	ring_add(stack, page);
	return 0;
}

/* Unmap the first n pages of the stack, free them and the slot. */
static void release(struct kstack *stack, unsigned n)
{
	struct page *page;

	spin_lock(&stack_lock);
	for (unsigned i = 0; i < n; i++)
		mmu_unmap_kernel(page_address(stack->slot, i));
	spin_unlock(&stack_lock);
	atomic_sub_return(&nr_pages, (long)n);
	while ((page = stack->pages) != NULL) {
		struct page *next = list_first(&page->link, struct page, link);

		stack->pages = next == page ? NULL : next;
		list_remove(&page->link);
		page_free(page);
	}
	slot_give(stack->slot);
	*stack = (struct kstack){ 0 };
}

/* Make a stack, charged to the current group, contents undefined. 0; -ENOMEM: refused at the
 * group's limit, or no page left; -EAGAIN: as many stacks as the stack area holds.
 * Locks: up to RANK_STACK. Context: task, interrupts on, no spinlock held: may stop the
 * machine, and may wait for every CPU to flush. */
int kstack_alloc(struct kstack *stack)
{
	int err;

	*stack = (struct kstack){ 0 };
	err = slot_take(&stack->slot);
	if (err)
		return err;
	for (unsigned i = 0; i < stack_pages; i++) {
		err = map_page(stack, i);
		if (err) {
			release(stack, i);
			return err;
		}
	}
	stack->top = (void *)slot_base(stack->slot + 1);
	return 0;
}

/* Undo kstack_alloc(). Never on the stack in question, and no CPU runs on it: one may still
 * have it in its TLB. Locks: up to RANK_STACK. Context: not in interrupts. */
void kstack_free(struct kstack *stack)
{
	BUG_ON(!stack->top);
	release(stack, stack_pages);
}

/* Is addr in the part of a slot that stays unmapped: did a stack overflow? Context: any,
 * the double fault handler included. */
bool kstack_is_guard(uintptr_t addr)
{
	uintptr_t offset = addr - KSTACK_AREA;

	if (addr < KSTACK_AREA || offset >= nr_slots * KSTACK_SLOT_BYTES)
		return false;
	return offset % KSTACK_SLOT_BYTES < (SLOT_PAGES - stack_pages) * PAGE_SIZE;
}

/* 0, or the number of the broken invariant; nr_found: pages of kind PAGE_STACK that there are.
 * Context: the machine stopped. */
int kstack_check(unsigned long nr_found)
{
	unsigned nr_busy = 0;

	if (atomic_load(&nr_pages) != (long)nr_found || nr_found > (u64)nr_used * stack_pages)
		return 1;
	for (unsigned i = 0; busy && i < DIV_ROUND_UP(nr_slots, 64); i++) {
		if ((stale[i] | flushing[i]) & ~busy[i])
			return 2;
		nr_busy += bits_count(busy[i]);
	}
	return nr_busy == nr_used + nr_stale + nr_flushing ? 0 : 2;
}
