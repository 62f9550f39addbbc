/* SPDX-License-Identifier: MIT */
/*
 * Pages: the front of the page allocator, and mem_map.
 *
 * Theory. mem_map holds a struct page for every frame up to the end of RAM, so that frame
 * number, physical address, kernel address and struct page are each a shift away from the
 * others. An allocation of one page goes to this CPU's list, a larger one to the buddy
 * allocator:
 *
 *	page_alloc_charged()  charge the current group, then
 *	page_alloc()          order 0 -> pcp_alloc() -> refill by buddy_alloc(0)
 *	                      order n -> buddy_alloc(n)
 *	mem_map   ... [KERNEL o=0][SLAB o=2][TAIL][TAIL][TAIL][FREE o=1][TAIL] ...
 *	                             ^  head    |     |     |
 *	                             +----------+-----+-----+  tail->freelist
 *
 * A page remembers who pays for it (page->owner, or NULL), and the uncharge goes there:
 * page_free() is the only uncharge of pages, so a charge cannot be forgotten by whoever frees.
 *
 * States, by kind: RESERVED (no RAM of ours); FREE, PCP (free); TAIL (see the head: of a
 * block in use, or of a free one); all others: in use, head of 1 << order pages.
 * In debug images a free page's bytes are PAGE_POISON if page->frozen says so (pages that
 * were never in use are not poisoned), and the fill is verified when the page is given out.
 *
 * Invariants, checked by page_check():
 *  I1  the tails of a block in use are PAGE_TAIL and point to its head
 *  I2  frames in use + frames free = frames ever given to the allocator
 *  I3  a free page has no owner
 *
 * Locking: none here; a page in use belongs to whoever allocated it, and a free one to the
 * list it is on. Another CPU may read its kind and order in passing, and learns only whether it
 * is the head of a free block.
 *
 * With no page left, or no block of that order, an allocation that may wait stops the other
 * CPUs, takes the pages from all their lists and tries again, alone. For the wait it gives its
 * charge back: a CPU that stands still holds nothing that an audit would miss.
 */
#include "arch/irq.h"
#include "arch/upcall.h"
#include "kernel/lib/ksym.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/early.h"
#include "mm/memcg.h"
#include "mm/page.h"
#include "mm/stop.h"

#define PAGE_POISON 0x6b

struct page *mem_map;
pfn_t nr_frames;

static unsigned long nr_total;		/* [I] pages ever given to the buddy allocator */
static atomic_long fail_countdown;	/* debug: page_fail_after(), for the whole machine */

static struct page *alloc_pages(struct owner *owner, enum page_kind kind, unsigned order,
				gfp_t gfp, uintptr_t caller);
static void free_pages(struct page *page, uintptr_t caller);

/* A block of 1 << order pages of that kind, charged to nobody; NULL when there is none. With
 * GFP_WAIT all CPUs' page lists are given back first, if that may help.
 * Context: not in interrupts; with GFP_WAIT no spinlock held. Locks: up to RANK_ZONE. */
struct page *page_alloc(enum page_kind kind, unsigned order, gfp_t gfp)
{
	return alloc_pages(NULL, kind, order, gfp, CALLER());
}

/* As page_alloc(), charged to the group that gfp and the CPU's current group say. NULL also
 * when that group (or one above it) is at its limit.
 * Context, Locks: as page_alloc(); a refused charge drains caches. */
struct page *page_alloc_charged(enum page_kind kind, unsigned order, gfp_t gfp)
{
	return alloc_pages(memcg_owner(gfp), kind, order, gfp, CALLER());
}

/* As page_alloc_charged(), charged to owner's group, to nobody when owner is NULL. */
struct page *page_alloc_for(struct owner *owner, enum page_kind kind, unsigned order, gfp_t gfp)
{
	return alloc_pages(owner, kind, order, gfp, CALLER());
}

/* Free a block, whole, and uncharge its owner. A page that is not the head of a block in use
 * is a bug of the caller: panic with both call sites.
 * Context: not in interrupts. Locks: up to RANK_ZONE. */
void page_free(struct page *page)
{
	free_pages(page, CALLER());
}

static bool fail_now(void)
{
	return atomic_load(&fail_countdown) > 0 && atomic_sub_return(&fail_countdown, 1) == 0;
}

static struct page *take(unsigned order)
{
	return order == 0 ? pcp_alloc() : buddy_alloc(order);
}

static void poison_check(struct page *page, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		const u64 *words = page_to_virt(&page[i]);
		u64 want = 0x0101010101010101ull * PAGE_POISON;
		char who[64];
		unsigned w = 0;

		if (!page[i].frozen)
			continue;
		while (w < PAGE_SIZE / 8 && words[w] == want)
			w++;
		if (w == PAGE_SIZE / 8)
			continue;
		ksym_format(who, sizeof(who), page[i].caller);
		panic("use after free: page %p freed by %s was written at offset %u: 0x%016lx",
		      (void *)words, who, w * 8, (unsigned long)words[w]);
	}
}

static void set_in_use(struct page *page, enum page_kind kind, unsigned order)
{
	for (unsigned long i = 0; i < 1ul << order; i++) {
		WRITE_ONCE(page[i].order, i ? 0 : (u8)order);
		WRITE_ONCE(page[i].kind, i ? PAGE_TAIL : kind);
		page[i].frozen = 0;
		page[i].colour = 0;
		page[i].owner = NULL;
		page[i].cache = NULL;
		page[i].freelist = i ? page : NULL;
		page[i].inuse = 0;
		page[i].objects = 0;
		atomic_store(&page[i].refs, 0);
		list_init(&page[i].link);
	}
}

/* Charge again and take a block while the other CPUs stand still, their lists emptied. The
 * charge may be refused by now. */
static noinline struct page *take_stopped(struct owner *owner, unsigned order, gfp_t gfp)
{
	struct page *page = NULL;

	if (!(gfp & GFP_WAIT) || pcp_nr_free() == 0)
		return NULL;
	mm_stop_in_alloc();
	pcp_drain_all();
	if (memcg_charge(owner, 1ul << order, gfp) == 0) {
		page = take(order);
		if (!page)
			memcg_uncharge(owner, 1ul << order);
	}
	mm_resume();
	return page;
}

static struct page *alloc_pages(struct owner *owner, enum page_kind kind, unsigned order,
				gfp_t gfp, uintptr_t caller)
{
	struct page *page;
	bool fail;

	ASSERT(!irq_in_handler());
	if (TALLY_DEBUG && (gfp & GFP_WAIT))
		spin_assert_none_held("an allocation that may wait");
	BUG_ON(kind < PAGE_KERNEL || kind >= PAGE_NR_KINDS);
	if (order > MAX_ORDER || memcg_charge(owner, 1ul << order, gfp) < 0)
		return NULL;
	fail = TALLY_DEBUG && fail_now();
	page = fail ? NULL : take(order);
	if (unlikely(!page)) {
		memcg_uncharge(owner, 1ul << order);
		page = fail ? NULL : take_stopped(owner, order, gfp);
	}
	if (unlikely(!page))
		return NULL;
	if (TALLY_DEBUG)
		poison_check(page, 1ul << order);
	set_in_use(page, kind, order);
	page->owner = owner;
	page->caller = caller;
	if (gfp & GFP_ZERO)
		memset(page_to_virt(page), 0, PAGE_SIZE << order);
	return page;
}

/* One more reference to a page of user memory or of a file; the caller has one, or the lock of
 * something that has. Context: any. */
void page_get(struct page *page)
{
	BUG_ON(page->kind != PAGE_USER && page->kind != PAGE_FILE);
	BUG_ON(atomic_add_return(&page->refs, 1) <= 1);
}

/* Drop a reference; the last one frees the page. Context: as page_free(). */
void page_put(struct page *page)
{
	int left;

	/* Before: afterwards it may be somebody else's. */
	BUG_ON(page->kind != PAGE_USER && page->kind != PAGE_FILE);
	left = atomic_sub_return(&page->refs, 1);
	BUG_ON(left < 0);
	if (left == 0)
		page_free(page);
}

/* The free block that holds page, or NULL. Reads without the zone lock, so the answer is sure
 * only for a page that stays in use meanwhile: no head that is read here, old or new, was ever
 * given an order that covers it, as the order is written before the kind. */
static struct page *free_block_of(struct page *page)
{
	pfn_t pfn = page_to_pfn(page);

	if (READ_ONCE(page->kind) == PAGE_PCP)
		return page;
	for (unsigned k = 0; k <= MAX_ORDER; k++) {
		struct page *head = pfn_to_page(pfn & ~((1ul << k) - 1));

		if (READ_ONCE(head->kind) == PAGE_FREE && READ_ONCE(head->order) >= k)
			return head;
	}
	return NULL;
}

static noreturn void bad_page(struct page *page, const char *what, uintptr_t caller)
{
	char now[64], before[64];

	ksym_format(now, sizeof(now), caller);
	ksym_format(before, sizeof(before), page->caller);
	if (free_block_of(page))
		panic("%s at %s: page %p is free already; it was freed at %s",
		      what, now, page_to_virt(page), before);
	panic("%s at %s: page %p is %s, not the head of a block in use; last call site %s",
	      what, now, page_to_virt(page), page_kind_name(page->kind), before);
}

static void free_pages(struct page *page, uintptr_t caller)
{
	unsigned order = page->order;
	struct owner *owner = page->owner;

	ASSERT(!irq_in_handler());
	if (unlikely(page->kind < PAGE_KERNEL))
		bad_page(page, "page_free", caller);
	page->owner = NULL;
	if (owner)
		memcg_uncharge(owner, 1ul << order);
	if (TALLY_DEBUG) {
		memset(page_to_virt(page), PAGE_POISON, PAGE_SIZE << order);
		for (unsigned long i = 0; i < 1ul << order; i++) {
			page[i].frozen = 1;
			page[i].caller = caller;
		}
	}
	page->caller = caller;
	if (order == 0)
		pcp_free(page);
	else
		buddy_free(page, order);
}

/* The head of the block in use that holds addr (an address in the direct map). An address
 * that no allocation gave out is a bug of the caller: panic. Context: any. */
struct page *page_of(const void *addr)
{
	pfn_t pfn = virt_to_phys(addr) >> PAGE_SHIFT;
	struct page *page;

	if (unlikely(pfn >= nr_frames))
		panic("address %p is outside RAM", addr);
	page = pfn_to_page(pfn);
	if (page->kind == PAGE_TAIL && page->freelist && !(TALLY_DEBUG && free_block_of(page)))
		page = page->freelist;
	if (unlikely(page->kind < PAGE_KERNEL))
		bad_page(page, "use of an address", CALLER());
	return page;
}

static void give(paddr_t start, paddr_t end)
{
	nr_total += (end - start) >> PAGE_SHIFT;
	buddy_give(start, end);
}

/* Make mem_map, hand all free RAM to the buddy allocator. Context: boot, once, after
 * early_init() and mmu_init(). */
void page_init(void)
{
	paddr_t at;

	nr_frames = early_ram_end() >> PAGE_SHIFT;
	at = early_alloc(nr_frames * sizeof(struct page), PAGE_SIZE);
	if (!at)
		panic("no room for mem_map: %lu KiB for %lu MiB of RAM",
		      nr_frames * sizeof(struct page) >> 10, nr_frames >> 8);
	mem_map = phys_to_virt(at);
	memset(mem_map, 0, nr_frames * sizeof(struct page));
	buddy_init();
	early_hand_over(give);
}

/* A zeroed page for the kernel's own page tables: from early before page_init(), charged to
 * nobody. Returns its physical address, 0 for none. */
paddr_t upcall_table_page(void)
{
	struct page *page;
	paddr_t at;

	if (mem_map) {
		page = page_alloc(PAGE_KERNEL, 0, GFP_ATOMIC | GFP_ZERO);
		return page ? page_to_phys(page) : 0;
	}
	at = early_alloc(PAGE_SIZE, PAGE_SIZE);
	if (at)
		memset(phys_to_virt(at), 0, PAGE_SIZE);
	return at;
}

/* Free pages, per-CPU lists included. */
unsigned long page_nr_free(void)
{
	return buddy_nr_free() + pcp_nr_free();
}

/* Pages that the allocator manages, free or not. */
unsigned long page_nr_total(void)
{
	return nr_total;
}

/* Debug images: let the n-th allocation from now fail, once (1: the next; 0: none). */
void page_fail_after(long n)
{
	atomic_store(&fail_countdown, n);
}

/* The kind as a word, for listings. */
const char *page_kind_name(enum page_kind kind)
{
	static const char *const names[PAGE_NR_KINDS] = {
		"reserved", "free", "pcp", "tail", "kernel", "slab", "large", "stack",
		"table", "pipe", "file", "user",
	};

	return kind < PAGE_NR_KINDS ? names[kind] : "unknown";
}

/* 0, or the broken invariant; *span: frames that page and its tails take. */
static int check_block(const struct page *page, unsigned long *span)
{
	*span = 1;
	if (page->kind == PAGE_RESERVED)
		return 0;
	if (page->kind == PAGE_TAIL)
		return 1;		/* a tail without the head before it */
	*span = 1ul << page->order;
	if (page->kind == PAGE_FREE || page->kind == PAGE_PCP)
		return page->owner ? 3 : 0;
	for (unsigned long i = 1; i < *span; i++) {
		if (page[i].kind != PAGE_TAIL || page[i].freelist != page)
			return 1;
	}
	return 0;
}

/* Returns 0, or the number of the broken invariant. Context: the machine stopped. */
int page_check(void)
{
	unsigned long nr_frames_ours = 0, nr_free = 0, span;

	for (pfn_t i = 0; i < nr_frames; i += span) {
		const struct page *page = pfn_to_page(i);
		int broken = check_block(page, &span);

		if (broken)
			return broken;
		if (page->kind != PAGE_RESERVED)
			nr_frames_ours += span;
		if (page->kind == PAGE_FREE || page->kind == PAGE_PCP)
			nr_free += span;
	}
	return nr_frames_ours == nr_total && nr_free == page_nr_free() ? 0 : 2;
}
