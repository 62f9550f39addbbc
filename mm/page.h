/* SPDX-License-Identifier: MIT */
/* Physical pages: one struct page for each frame, allocation by power of two. */
#pragma once
#include "arch/memmap.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/list.h"
#include "mm/gfp.h"

#define MAX_ORDER	10		/* largest block: 4 MiB */

enum page_kind {
	PAGE_RESERVED,			/* not ours: firmware, kernel image, mem_map */
	PAGE_FREE,			/* head of a free block in the buddy allocator */
	PAGE_PCP,			/* free, on a per-CPU list */
	PAGE_TAIL,			/* inside a block; see its head */
	PAGE_KERNEL,			/* a kernel page of no special kind */
	PAGE_SLAB,			/* object caches */
	PAGE_LARGE,			/* a kmalloc too big for the caches */
	PAGE_STACK,			/* kernel stack of a thread */
	PAGE_TABLE,			/* page table of a user address space */
	PAGE_PIPE,			/* pipe buffer */
	PAGE_FILE,			/* ramfs file data */
	PAGE_USER,			/* user memory; refs counts the address spaces */
	PAGE_NR_KINDS,
};

struct owner;
struct kmem_cache;

/* 64 bytes. Fields below the union's comment belong to the kind named there. */
struct page {
	struct list link;		/* [z] free lists; [slab lock] slab lists; else the user's */
	struct owner *owner;		/* who is charged, or NULL: nobody */
	u8 kind;			/* enum page_kind */
	u8 order;			/* of the block this page heads */
	u8 frozen;			/* slab: some CPU's cpu slab or on its partial list;
					 * free: its bytes are poison (debug) */
	u8 colour;			/* slab: SLAB's colour index */
	atomic_int refs;		/* PAGE_USER: mappings; PAGE_FILE: the same and the file */
	struct kmem_cache *cache;	/* slab: its cache; free block: unused */
	void *freelist;			/* slab: SLUB first free object; SLAB management;
					 * tail of a block in use: its head */
	u16 inuse;			/* slab: objects handed out of the slab */
	u16 objects;			/* slab: objects in it */
	u32 audit;			/* scratch of the audit */
	uintptr_t caller;		/* debug: who allocated or freed it last */
};
_Static_assert(sizeof(struct page) == 64, "one cache line for each frame");

extern struct page *mem_map;		/* [I] indexed by frame number */
extern pfn_t nr_frames;			/* [I] length of mem_map */

static inline struct page *pfn_to_page(pfn_t pfn) { return &mem_map[pfn]; }
static inline pfn_t page_to_pfn(const struct page *page) { return (pfn_t)(page - mem_map); }
static inline paddr_t page_to_phys(const struct page *page)
{
	return (paddr_t)page_to_pfn(page) << PAGE_SHIFT;
}
static inline struct page *phys_to_page(paddr_t pa) { return pfn_to_page(pa >> PAGE_SHIFT); }
static inline void *page_to_virt(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}

/* mm/page.c: the front */
void page_init(void);			/* mem_map from early, all free RAM to the buddy */
struct page *page_alloc(enum page_kind kind, unsigned order, gfp_t gfp) must_check;
void page_free(struct page *page);
void page_get(struct page *page);	/* PAGE_USER, PAGE_FILE: one more reference */
void page_put(struct page *page);	/* the last one frees */
struct page *page_of(const void *addr);	/* head of the block that holds addr, checked */
unsigned long page_nr_free(void);	/* pages, per-CPU lists included */
unsigned long page_nr_total(void);	/* pages ever given to the allocator */
void page_fail_after(long n);		/* debug: the n-th allocation from now fails, once */
const char *page_kind_name(enum page_kind kind);
int page_check(void);			/* 0, or the number of the broken invariant */

/* Charged variant: to the current group unless GFP_NOACCOUNT. mm/page.c over mm/memcg.c */
struct page *page_alloc_charged(enum page_kind kind, unsigned order, gfp_t gfp) must_check;
struct page *page_alloc_for(struct owner *owner, enum page_kind kind, unsigned order,
			    gfp_t gfp) must_check;	/* charged to owner; NULL: nobody */

/* mm/pcp.c: per-CPU lists of order-0 pages */
struct page *pcp_alloc(void) must_check;
void pcp_free(struct page *page);
void pcp_drain_all(void);		/* stopped: every CPU's list to the buddy allocator */
unsigned long pcp_nr_free(void);

/* mm/buddy.c: the slot. struct buddy_stats: free blocks by order. */
void buddy_init(void);
void buddy_give(paddr_t start, paddr_t end);	/* boot: this RAM is free */
struct page *buddy_alloc(unsigned order) must_check;
void buddy_free(struct page *page, unsigned order);
unsigned long buddy_nr_free(void);
void buddy_count_free(unsigned long nr_blocks[MAX_ORDER + 1]);
int buddy_check(void);			/* 0, or the number of the broken invariant */
int pcp_check(void);
