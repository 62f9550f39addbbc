/* SPDX-License-Identifier: MIT */
/*
 * Object caches: the front that both backends share.
 *
 * Theory. A cache hands out objects of one size, cut from slabs of a few pages, and may keep
 * them constructed while they are free (Bonwick 1994). This file knows caches and whose
 * memory they are; how slots of a slab are kept is the backend's (slab.c or slub.c, chosen by
 * the linker), and who pays is the accounting model's (acct_cache.c):
 *
 *	kmem_cache_alloc(dentry)                     kmem_cache_free(dentry, obj)
 *	  |  whose copy?   acct_cache_for()            |  page_of(obj)->cache: the slab's own
 *	  v                                            v  cache, whoever frees
 *	dentry   dentry(2:a)   dentry(3:b)           checks: right root, slot start, not free
 *	  |  a slot        backend_alloc()             |  backend_free()
 *	  |  no slot left: kmem_slab_alloc():          |  slab empty, too many of them:
 *	  v  charge cache->owner, page_alloc()         v  kmem_slab_free(): page_free() uncharges
 *
 * The object's bytes: poison, red zones and call sites are kmem_debug.c's, in debug images.
 *
 * The first cache is the cache of caches, made by hand from whole pages; the backend's own
 * caches and kmalloc's come next.
 *
 * States of a cache: live; dead (a group's copy whose group is gone: no allocations, frees
 * go straight to the slabs, acct_cache_emptied() is told when the last page goes); gone.
 * `dead` is set while the other CPUs are stopped, and in the same stop each of them loses what
 * it holds of the cache, so a dead cache has no private parts on any CPU.
 *
 * Invariants, checked by kmem_check() over all caches:
 *  I1  a root cache is its own root and its id is taken; a copy shares its root's geometry
 *  I2  nr_pages is the number of pages in the cache's slabs
 *  I3  handed out + free = all objects; none are handed out when there are no slabs
 *  and those of the backend, whose numbers start at 10
 *
 * Locking: kmem_caches_lock (RANK_CACHES) for the list of caches and the ids. It is never
 * held over an allocation. Slabs are under cache->lock, in the backend. An object may be freed
 * on any CPU. An allocation that may wait is a safe point where a charge is refused or pages
 * run out, and there it holds nothing (stop.c); every CPU's part of a cache is then
 * another's to drain, so the backends look again afterwards. A free is never one.
 *
 * References: Bonwick, The Slab Allocator, USENIX Summer 1994; Bonwick and Adams, Magazines
 * and Vmem, USENIX 2001.
 */
#include "kernel/lib/bits.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/kmem_impl.h"
#include "mm/memcg.h"
#include "mm/stop.h"

#define MIN_ALIGN 8u

struct list kmem_caches = LIST_INIT(kmem_caches);
struct spinlock kmem_caches_lock = SPINLOCK_INIT(RANK_CACHES, "caches");

static u64 ids[DIV_ROUND_UP(KMEM_MAX_CACHES, 64)];	/* [RANK_CACHES] */
static struct kmem_cache *cache_cache;			/* [I] */

/* An object of cache (its constructed state, zeroed with GFP_ZERO), or NULL: no page left, or
 * the group at its limit. Context: not in interrupts; with GFP_WAIT no spinlock held, and may
 * be a safe point. Locks: takes up to RANK_ZONE; cache->lock on the slow path. */
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmem_alloc_at(cache, gfp, CALLER());
}

/* The same on behalf of caller. */
void *kmem_alloc_at(struct kmem_cache *cache, gfp_t gfp, uintptr_t caller)
{
	void *slot, *obj;

	if (TALLY_DEBUG && (gfp & GFP_WAIT))
		spin_assert_none_held("an allocation that may wait");
	if (!(cache->flags & KMEM_NOACCOUNT) && !(gfp & GFP_NOACCOUNT))
		cache = acct_cache_for(cache, gfp);
	slot = likely(cache) ? backend_alloc(cache, gfp) : NULL;
	if (unlikely(!slot))
		return NULL;
	if (TALLY_DEBUG)
		kmem_debug_alloc(cache, slot, caller);
	obj = slot_to_object(cache, slot);
	if (gfp & GFP_ZERO)
		memset(obj, 0, cache->object_size);
	return obj;
}

/* Give obj back. cache may be the root cache or any copy of it; the object goes to the cache
 * that its slab belongs to. Anything else is a bug of the caller: panic, with the call sites.
 * Context: not in interrupts. Locks: takes up to RANK_ZONE; cache->lock on the slow path. */
void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	struct page *slab = page_of(obj);

	if (unlikely(slab->kind != PAGE_SLAB || slab->cache->root != cache->root))
		kmem_report_wrong(cache, slab, obj, CALLER());
	kmem_free_at(slab->cache, slab, obj, CALLER());
}

/* The same when slab is known to be obj's and of cache. */
void kmem_free_at(struct kmem_cache *cache, struct page *slab, void *obj, uintptr_t caller)
{
	void *slot = object_to_slot(cache, obj);

	if (TALLY_DEBUG)
		kmem_debug_free(cache, slab, slot, caller);
	kmem_mark_unused(cache);	/* before: the last free may end a dead cache */
	backend_free(cache, slab, slot);
}

/* Pages for a slab of cache, charged to the cache's owner, or NULL. Other CPUs, or a refused
 * charge here, may drain this very cache before it returns: the backend looks again.
 * Locks: none held; takes up to RANK_ZONE. */
struct page *kmem_slab_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	struct page *slab = page_alloc_for(cache->owner, PAGE_SLAB, cache->order,
					   gfp & ~GFP_ZERO);

	if (!slab)
		return NULL;
	slab->cache = cache;
	kmem_mark_unused(cache);
	atomic_add_return(&cache->nr_pages, 1l << cache->order);
	return slab;
}

/* Give an empty slab's pages back. The cache may be destroyed by the time this returns, if it
 * is dead and this was its last slab: a caller must not touch it again.
 * Locks: none held; takes up to RANK_ZONE and what acct_cache_emptied() takes. */
void kmem_slab_free(struct kmem_cache *cache, struct page *slab)
{
	long nr = 1l << cache->order;

	slab->cache = NULL;
	page_free(slab);
	if (atomic_sub_return(&cache->nr_pages, nr) == 0 && cache->dead)
		acct_cache_emptied(cache);
}

/* kmem_slab_free() for every slab on the list `empty` (by page->link), collected under
 * cache->lock, which is released by now. Returns pages freed. */
int kmem_slabs_free(struct kmem_cache *cache, struct list *empty)
{
	int nr_pages = 0;

	while (!list_empty(empty)) {
		struct page *slab = list_first(empty, struct page, link);

		list_remove(&slab->link);
		nr_pages += 1 << slab->order;
		kmem_slab_free(cache, slab);
	}
	return nr_pages;
}

/* Make slot ready for its first use: debug marks, then the constructor. */
void kmem_slot_init(struct kmem_cache *cache, void *slot)
{
	if (TALLY_DEBUG)
		kmem_debug_init_slot(cache, slot);
	if (cache->ctor)
		cache->ctor(slot_to_object(cache, slot));
}

static int take_id(struct kmem_cache *cache)
{
	unsigned id;

	spin_lock(&kmem_caches_lock);
	id = bitmap_first_clear(ids, KMEM_MAX_CACHES);
	if (id < KMEM_MAX_CACHES)
		bitmap_set(ids, id);
	spin_unlock(&kmem_caches_lock);
	cache->id = id;
	return id < KMEM_MAX_CACHES ? 0 : -ENOMEM;
}

static void drop_id(struct kmem_cache *cache)
{
	spin_lock(&kmem_caches_lock);
	bitmap_clear(ids, cache->id);
	spin_unlock(&kmem_caches_lock);
}

/* Fill in what the front knows; name, size, align, flags and ctor are set. */
static int setup(struct kmem_cache *cache, struct kmem_cache *root, gfp_t gfp)
{
	int err;

	spin_init(&cache->lock, RANK_SLAB, cache->name);
	list_init(&cache->link);
	list_init(&cache->copies);
	list_init(&cache->memcg_link);
	cache->root = root;
	cache->keep_object = cache->ctor != NULL;
	cache->size = ALIGN_UP(cache->object_size, cache->align);
	if (TALLY_DEBUG)
		kmem_debug_layout(cache);
	err = backend_init_cache(cache, gfp);
	if (err)
		return err;
	spin_lock(&kmem_caches_lock);
	list_append(&kmem_caches, &cache->link);
	spin_unlock(&kmem_caches_lock);
	return 0;
}

/* A cache of objects of size bytes, aligned to align (a power of two; 0: 8 bytes). ctor, if
 * any, runs once for each object of a new slab, and objects are freed in that state. A root
 * cache serves all groups, so its own memory is charged to nobody.
 * Returns NULL for no memory, no id left, or a size or alignment no slab can hold.
 * Context: task. Locks: takes up to RANK_ZONE. */
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     unsigned flags, void (*ctor)(void *))
{
	gfp_t gfp = GFP_KERNEL | GFP_NOACCOUNT;
	struct kmem_cache *cache;

	if (size == 0 || size > KMALLOC_MAX || align > PAGE_SIZE ||
	    (align && !bits_is_pow2(align)))
		return NULL;
	cache = kmem_cache_alloc(cache_cache, gfp | GFP_ZERO);
	if (!cache)
		return NULL;
	str_copy(cache->name, name, sizeof(cache->name));
	cache->object_size = size;
	cache->align = MAX(align, (size_t)MIN_ALIGN);
	cache->flags = flags;
	cache->ctor = ctor;
	if (take_id(cache))
		goto free;
	if (setup(cache, cache, gfp))
		goto id;
	return cache;
id:
	drop_id(cache);
free:
	kmem_cache_free(cache_cache, cache);
	return NULL;
}

/* A copy of root that serves memcg and charges its slab pages to owner. The caller links it
 * into root->copies and the group. Returns NULL for no memory. The copy's own memory is
 * charged to the caller's current group, which accounting sets.
 * Context: task. Locks: takes up to RANK_ZONE. */
struct kmem_cache *kmem_cache_create_copy(struct kmem_cache *root, struct memcg *memcg,
					  struct owner *owner, const char *name)
{
	struct kmem_cache *cache = kmem_cache_alloc(cache_cache, GFP_KERNEL | GFP_ZERO);

	if (!cache)
		return NULL;
	str_copy(cache->name, name, sizeof(cache->name));
	cache->object_size = root->object_size;
	cache->align = root->align;
	cache->flags = root->flags;
	cache->ctor = root->ctor;
	cache->id = root->id;
	cache->memcg = memcg;
	cache->owner = owner;
	if (setup(cache, root, GFP_KERNEL)) {
		kmem_cache_free(cache_cache, cache);
		return NULL;
	}
	return cache;
}

/* Destroy a cache that has no slab. A copy has been unlinked from root and group.
 * Context: task. Locks: takes up to RANK_ZONE. */
void kmem_cache_free_empty(struct kmem_cache *cache)
{
	BUG_ON(atomic_load(&cache->nr_pages) != 0);
	spin_lock(&kmem_caches_lock);
	list_remove(&cache->link);
	spin_unlock(&kmem_caches_lock);
	backend_fini_cache(cache);
	if (cache->root == cache)
		drop_id(cache);
	kmem_cache_free(cache_cache, cache);
}

static bool is_busy(struct kmem_cache *cache)
{
	struct kmem_stats stats;

	backend_drain(cache);
	backend_stats(cache, &stats);
	if (!stats.active_objs && !acct_copies_busy(cache))
		return false;
	log_info("cache %s is still in use: %lu objects in the root cache", cache->name,
		 stats.active_objs);
	return true;
}

/* Destroy a root cache and its copies. Returns -EBUSY, and leaves all of them in use, when
 * objects are still handed out. Stops the machine; nobody allocates from cache any more.
 * Context: task, no spinlock held. Locks: takes up to RANK_ZONE. */
int kmem_cache_destroy(struct kmem_cache *cache)
{
	int err = 0;

	BUG_ON(cache->root != cache || cache == cache_cache);
	mm_stop();
	if (is_busy(cache)) {
		err = -EBUSY;
	} else {
		acct_destroy_copies(cache);
		kmem_cache_free_empty(cache);
	}
	mm_resume();
	return err;
}

/* Free all that cache holds unused: on every CPU, and every empty slab. Returns pages freed.
 * Copies are caches of their own. Stops the machine.
 * Context: task, no spinlock held. Locks: takes up to RANK_ZONE. */
int kmem_cache_shrink(struct kmem_cache *cache)
{
	int freed;

	mm_stop();
	freed = backend_drain(cache);
	mm_resume();
	return freed;
}

/* Make the cache of caches from whole pages: there is no cache yet to take it from. */
static struct kmem_cache *first_cache(void)
{
	unsigned order = bits_log2_up(DIV_ROUND_UP(kmem_backend_size(), PAGE_SIZE));
	struct page *page = page_alloc(PAGE_KERNEL, order, GFP_KERNEL | GFP_ZERO);
	struct kmem_cache *cache;

	if (!page)
		return NULL;
	cache = page_to_virt(page);
	str_copy(cache->name, "kmem_cache", sizeof(cache->name));
	cache->object_size = kmem_backend_size();
	cache->align = CACHELINE;
	return take_id(cache) || setup(cache, cache, GFP_KERNEL | GFP_NOACCOUNT) ? NULL : cache;
}

/* Start the allocator: cache of caches, the backend's own, kmalloc's.
 * Context: boot, after page_init(); cpu_count() is final. */
void kmem_init(void)
{
	cache_cache = first_cache();
	if (!cache_cache || backend_init())
		panic("no memory for the first object caches");
	kmalloc_init();
}

/* "slab" or "slub". */
const char *kmem_backend_name(void)
{
	return kmem_backend;
}
