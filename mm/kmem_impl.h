/* SPDX-License-Identifier: MIT */
/* Private to mm/: the cache as the front (kmem.c), the backends and accounting see it. */
#pragma once
#include "kernel/sync/spinlock.h"
#include "mm/kmem.h"
#include "mm/page.h"

/*
 * Layout of one slot of `size` bytes in a slab, laid out by the front (kmem_debug.c):
 *   debug images:  | red zone | object | red zone | struct kmem_track |
 *   release:       | object |
 * The backend sees only size, align and ctor; where it keeps its own free pointer inside a
 * free slot it must stay out of the object when keep_object is set (constructor or poison).
 */
struct kmem_cache {
	char name[KMEM_NAME_MAX];	/* [RANK_CACHES] once listed */
	size_t object_size;		/* [I] what the caller asked for */
	size_t size;			/* [I] slot stride, multiple of align */
	size_t align;			/* [I] */
	unsigned object_offset;		/* [I] object inside its slot */
	unsigned flags;			/* [I] KMEM_* */
	bool keep_object;		/* [I] a free object's bytes belong to ctor or poison */
	unsigned order;			/* [I] pages per slab = 1 << order (backend sets) */
	unsigned objs_per_slab;		/* [I] (backend sets) */
	unsigned id;			/* [I] root caches: index into memcg->copies */
	void (*ctor)(void *);		/* [I] run once for each object of a new slab */
	struct spinlock lock;		/* RANK_SLAB: the backend's slab lists */
	struct list link;		/* [RANK_CACHES] all caches */

	/* memcg_params of the seeds (mm/acct_cache.c) */
	struct kmem_cache *root;	/* [I] the root cache, itself for a root cache */
	struct memcg *memcg;		/* [RANK_MEMCG] copies: the group served; NULL when dead */
	struct owner *owner;		/* [I] copies: charged for the slab pages; roots: NULL */
	struct list copies;		/* [RANK_MEMCG] root: its copies; copy: link in that list */
	struct list memcg_link;		/* [RANK_MEMCG] copy: in memcg->caches or the dead list */
	bool dead;			/* [stopped to write] the group is gone: destroy when the
					 * last page goes */
	bool doomed;			/* [RANK_MEMCG] dead and empty: queued for destruction */
	bool unused;			/* [a] may hold something nobody uses: set by the front
					 * before each free into it and by kmem_slab_alloc(),
					 * cleared by the drain, while stopped */
	unsigned long nr_drains;	/* [stopped] times accounting drained it */
	unsigned long audit_pages;	/* scratch of the audit */
	u64 audit_seq;
	atomic_long nr_pages;		/* [a] pages in slabs */
};

/* --- the backend slot: slab.c or slub.c. struct kmem_cache is the first member of the
 * backend's own struct of kmem_backend_size() bytes. */
extern const char kmem_backend[];
size_t kmem_backend_size(void);		/* depends on cpu_count() */
int backend_init(void) must_check;	/* caches of its own; the cache of caches exists */
int backend_init_cache(struct kmem_cache *cache, gfp_t gfp) must_check;	/* geometry, per-CPU */
void backend_fini_cache(struct kmem_cache *cache);	/* no slab left; frees per-CPU parts */
void *backend_alloc(struct kmem_cache *cache, gfp_t gfp) must_check;	/* a slot, or NULL */
void backend_free(struct kmem_cache *cache, struct page *slab, void *slot);
void *backend_slot_of(struct kmem_cache *cache, struct page *slab, const void *addr);
int backend_drain(struct kmem_cache *cache);	/* stopped: all CPUs' caches and empty slabs;
						 * pages freed */
void backend_stats(struct kmem_cache *cache, struct kmem_stats *out);	/* stopped */
int backend_check(struct kmem_cache *cache);	/* 0 or broken invariant; counts slab pages */
unsigned long backend_count_pages(struct kmem_cache *cache);

/* --- kmem.c, for the backends: slab pages, charged to the cache's owner. */
struct page *kmem_slab_alloc(struct kmem_cache *cache, gfp_t gfp) must_check;
void kmem_slab_free(struct kmem_cache *cache, struct page *slab);
int kmem_slabs_free(struct kmem_cache *cache, struct list *empty);	/* pages freed */

/* kmem_cache_alloc() and kmem_cache_free() on behalf of caller (kmalloc's callers). */
void *kmem_alloc_at(struct kmem_cache *cache, gfp_t gfp, uintptr_t caller) must_check;
void kmem_free_at(struct kmem_cache *cache, struct page *slab, void *obj, uintptr_t caller);
void kmalloc_init(void);

/* cache holds something unused from here on. Called before it does, with no safe point in
 * between; a shared line that is written only when it changes. */
static inline void kmem_mark_unused(struct kmem_cache *cache)
{
	if (!READ_ONCE(cache->unused))
		WRITE_ONCE(cache->unused, true);
}

/* Constructor and poison for a slot of a fresh slab. */
void kmem_slot_init(struct kmem_cache *cache, void *slot);

/* --- kmem.c: caches as such, for acct_cache.c and the audit */
extern struct list kmem_caches;			/* all caches, [RANK_CACHES] */
extern struct spinlock kmem_caches_lock;
struct kmem_cache *kmem_cache_create_copy(struct kmem_cache *root, struct memcg *memcg,
					  struct owner *owner, const char *name) must_check;
void kmem_cache_free_empty(struct kmem_cache *cache);	/* backend fini, unlink, free */

/* --- kmem_debug.c */
#define KMEM_POISON_FREE	0x6b	/* free (never used, or freed), as in Linux */
#define KMEM_POISON_NEW		0x5a	/* handed out, not yet written to */
#define KMEM_REDZONE		0xbb

struct kmem_track {
	uintptr_t alloc_caller, free_caller;
	u32 live;			/* KMEM_LIVE handed out, KMEM_DEAD free */
};

#define KMEM_LIVE		0x11fe11fe
#define KMEM_DEAD		0xdeaddead

void kmem_debug_layout(struct kmem_cache *cache);
void kmem_debug_init_slot(struct kmem_cache *cache, void *slot);
void kmem_debug_alloc(struct kmem_cache *cache, void *slot, uintptr_t caller);
void kmem_debug_free(struct kmem_cache *cache, struct page *slab, void *slot, uintptr_t caller);
int kmem_debug_check_slab(struct kmem_cache *cache, void *first, unsigned nr,
			  unsigned long *nr_live);
noreturn void kmem_report_wrong(struct kmem_cache *cache, struct page *slab, void *obj,
				uintptr_t caller);

static inline void *slot_to_object(const struct kmem_cache *c, void *slot)
{
	return (char *)slot + c->object_offset;
}

static inline void *object_to_slot(const struct kmem_cache *c, void *obj)
{
	return (char *)obj - c->object_offset;
}
