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
 * States of a slot: free; used (its bit is set from before the first page is mapped until
 * after the last is unmapped, so nobody else can map there).
 *
 * Invariants: I1 pages of kind PAGE_STACK = slots used x pages of a stack (the audit).
 *
 * Locking: stack_lock (RANK_STACK) covers the bitmap alone. The pages of a stack belong to
 * whoever allocated it.
 */
#include "mm/kstack.h"
#include "arch/mmu.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/spinlock.h"
#include "mm/page.h"

#define SLOT_PAGES	(KSTACK_SLOT_BYTES / PAGE_SIZE)
#define MAX_SLOTS	((unsigned)PAGE_SIZE * 8)	/* what one page of bitmap can say */

static struct spinlock stack_lock = SPINLOCK_INIT(RANK_STACK, "kstack");
static u64 *used;			/* [stack_lock] one bit for each slot */
static unsigned nr_used;		/* [stack_lock] */
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

/* Stacks shall have nr_pages pages, cut to 1 .. 15. Context: boot, after page_init(). */
void kstack_init(unsigned nr_pages)
{
	struct page *page = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL | GFP_ZERO);

	if (!page)
		panic("no page for the map of kernel stacks");
	used = page_to_virt(page);
	nr_slots = (unsigned)MIN(KSTACK_AREA_BYTES / KSTACK_SLOT_BYTES, (u64)MAX_SLOTS);
	stack_pages = MAX(nr_pages, 1u);
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

static int slot_take(unsigned *slot)
{
	spin_lock(&stack_lock);
	*slot = bitmap_first_clear(used, nr_slots);
	if (*slot < nr_slots) {
		bitmap_set(used, *slot);
		nr_used++;
	}
	spin_unlock(&stack_lock);
	return *slot < nr_slots ? 0 : -EAGAIN;
}

static void slot_give(unsigned slot)
{
	spin_lock(&stack_lock);
	BUG_ON(!bitmap_test(used, slot));
	bitmap_clear(used, slot);
	nr_used--;
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
	err = mmu_map_kernel(page_address(stack->slot, i), page_to_phys(page),
			     PTE_READ | PTE_WRITE);
	if (err) {
		page_free(page);
		return err;
	}
	ring_add(stack, page);
	return 0;
}

/* Unmap the first n pages of the stack, free them and the slot. */
static void release(struct kstack *stack, unsigned n)
{
	struct page *page;

	for (unsigned i = 0; i < n; i++)
		mmu_unmap_kernel(page_address(stack->slot, i));
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
 * Locks: up to RANK_STACK. Context: not in interrupts. */
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

/* Undo kstack_alloc(). Never on the stack in question. Locks: up to RANK_STACK. */
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
