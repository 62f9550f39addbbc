/* SPDX-License-Identifier: MIT */
/*
 * SLAB: object caches with arrays of free objects per CPU. (A slot; the other is slub.c.)
 *
 * Theory (Bonwick 1994, 2001; Linux's SLAB). Each CPU has a small stack of pointers to free
 * objects; allocating pops, freeing pushes, no lock. Only when the stack is empty, or full,
 * do batchcount objects move between it and the slabs, whose lock is thus taken once for a
 * batch. The object freed last, which is warm, goes out first; the oldest batch goes home.
 *
 *	CPU 0   [o o o o . . . .]  entry[0 .. avail)        limit 8, batchcount 4
 *	           ^ oldest 4 go when full; 4 fetched when empty; under cache->lock
 *	shared  [o o o o o o . . . . . . . . . .]   batches between CPUs, at two or more of them
 *	cache   partial [#o##]-[o##o]   free [oooo]-[oooo]   full [####]
 *
 * An object goes onto the array of the CPU that frees it. Where one CPU allocates what another
 * frees, the shared array hands the batches back without going through the slabs.
 *
 * A slab starts with its management, then come the objects:
 *
 *	| colour | u16 index[objects] | slot 0 | slot 1 | ... | rest |
 *	                 ^ index[inuse ..) are the numbers of the free slots, a stack
 *
 * Colour: slabs start their slots at different multiples of a cache line, as far as the rest
 * at the end allows, so that the first objects of many slabs do not all compete for the same
 * lines of the CPU's cache. The next slab takes the next colour.
 *
 * The index always lies in the slab: off-slab management would save part of a page for large
 * powers of two, and cost an allocation that can fail, or be charged, inside another one.
 *
 * States of a slab: full (inuse == objects), partial, free (inuse == 0), each on its list; an
 * object on a CPU's array counts as in use of its slab. More than free_limit free objects in
 * slabs: free slabs go. A dead cache keeps none; its arrays have limit 0.
 *
 * Invariants, checked by backend_check():
 *  I10 each slab is on the list that its inuse says
 *  I11 index[inuse ..) names slots of the slab, none twice
 *  I12 an array's avail <= limit, and each entry is a slot of a slab of this cache, in use
 *  I13 colour < nr_colours
 *  I14 all slabs seen = nr_slabs, all free objects in slabs = nr_free
 *  I15 each slot's debug marks hold, and as many are live as the figures say (debug)
 *  I16 a slab belongs to this cache and is PAGE_SLAB
 *
 * Locking: cache->lock (RANK_SLAB) covers lists, counts, the shared array and every slab's
 * index and inuse. An array is its CPU's alone; backend_drain(), backend_stats() and
 * backend_check() reach into others' while those are stopped. No lock is held over
 * kmem_slab_alloc(), where this CPU may stand still and be drained, nor kmem_slab_free().
 */
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/percpu.h"
#include "mm/kmem_impl.h"
#include "mm/slab_array.h"
#include "mm/stop.h"

#define MAX_SLAB_ORDER	3u

enum slab_state { FULL, PARTIAL, FREE, NR_STATES };

struct slab_cache {
	struct kmem_cache base;		/* must be first */
	unsigned first_slot;		/* [I] offset of slot 0 at colour 0 */
	unsigned nr_colours;		/* [I] at least 1 */
	unsigned colour_next;		/* [slab lock] */
	unsigned limit;			/* [I] of the arrays */
	struct list slabs[NR_STATES];	/* [slab lock] by page->link */
	unsigned long nr_slabs;		/* [slab lock] on all lists */
	unsigned long nr_free;		/* [slab lock] free objects in slabs */
	unsigned long free_limit;	/* [I] more than that: free slabs go */
	struct array_cache *shared;	/* [I], contents [slab lock]; NULL: none */
	struct array_cache *cpu[];	/* [I] by CPU, contents [c]; NULL: none, see backend_init */
};

const char kmem_backend[] = "slab";

static struct kmem_cache *array_cache_cache;	/* [I] the arrays' own; has no arrays itself */

static void *alloc_slow(struct slab_cache *c, gfp_t gfp);
static void free_slow(struct slab_cache *c, struct array_cache *ac, void *slot);

static struct slab_cache *slab_cache_of(struct kmem_cache *cache) { return (void *)cache; }

/* A free slot of cache, or NULL. Context: not in interrupts.
 * Locks: none, or cache->lock and what kmem_slab_alloc() takes. */
void *backend_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	struct slab_cache *c = slab_cache_of(cache);
	struct array_cache *ac = *this_cpu(c->cpu);

	if (likely(ac && ac->avail))
		return ac->entry[--ac->avail];
	return alloc_slow(c, gfp);
}

/* Take back a slot of slab. cache may be gone when this returns (see kmem_slab_free()).
 * Context: not in interrupts. Locks: none, or cache->lock and what kmem_slab_free() takes. */
void backend_free(struct kmem_cache *cache, struct page *slab, void *slot)
{
	struct slab_cache *c = slab_cache_of(cache);
	struct array_cache *ac = *this_cpu(c->cpu);

	(void)slab;
	if (likely(ac && ac->avail < ac->limit))
		ac->entry[ac->avail++] = slot;
	else
		free_slow(c, ac, slot);
}

static unsigned colour_bytes(const struct slab_cache *c)
{
	return MAX((unsigned)c->base.align, (unsigned)CACHELINE);
}

static char *first_slot(const struct slab_cache *c, struct page *slab)
{
	return (char *)page_to_virt(slab) + slab->colour * colour_bytes(c) + c->first_slot;
}

static u16 *index_of(struct page *slab) { return slab->freelist; }

static enum slab_state state_of(const struct page *slab)
{
	return slab->inuse == slab->objects ? FULL : slab->inuse ? PARTIAL : FREE;
}

/* Put slab first on the list that its state says. */
static void relist(struct slab_cache *c, struct page *slab)
{
	list_remove(&slab->link);
	list_push(&c->slabs[state_of(slab)], &slab->link);
}

/* Any free slot of any slab, or NULL. */
static void *take_slot(struct slab_cache *c)
{
	struct list *from = &c->slabs[list_empty(&c->slabs[PARTIAL]) ? FREE : PARTIAL];
	struct page *slab;
	void *slot;

	assert_held(&c->base.lock);
	if (list_empty(from))
		return NULL;
	slab = list_first(from, struct page, link);
	slot = first_slot(c, slab) + c->base.size * index_of(slab)[slab->inuse++];
	c->nr_free--;
	relist(c, slab);
	return slot;
}

/* slot back to its slab. An empty slab too many goes to `empty`, for kmem_slabs_free() when the
 * lock is released. */
static void give_slot(struct slab_cache *c, void *slot, struct list *empty)
{
	struct page *slab = page_of(slot);
	size_t offset = (size_t)((char *)slot - first_slot(c, slab));

	assert_held(&c->base.lock);
	index_of(slab)[--slab->inuse] = (u16)(offset / c->base.size);
	c->nr_free++;
	relist(c, slab);
	if (slab->inuse == 0 && (c->base.dead || c->nr_free > c->free_limit)) {
		list_remove(&slab->link);
		list_append(empty, &slab->link);
		c->nr_free -= slab->objects;
		c->nr_slabs--;
	}
}

/* Send the oldest nr entries of ac home. */
static void flush_batch(struct slab_cache *c, struct array_cache *ac, unsigned nr,
			struct list *empty)
{
	assert_held(&c->base.lock);
	for (unsigned i = 0; i < nr; i++)
		give_slot(c, ac->entry[i], empty);
	array_drop_oldest(ac, nr);
}

/* Fetch a batch for this CPU and return one slot of it (or one slot alone, when the CPU has
 * no array); NULL when no slab has a free slot. */
static void *fetch_batch(struct slab_cache *c)
{
	struct array_cache *ac = *this_cpu(c->cpu);
	unsigned want = ac && ac->limit ? ac->batchcount : 0;
	void *first, *slot;

	spin_lock(&c->base.lock);
	if (want && c->shared && array_move(ac, c->shared, want)) {
		spin_unlock(&c->base.lock);
		return ac->entry[--ac->avail];
	}
	first = take_slot(c);
	while (first && want-- > 1 && (slot = take_slot(c)) != NULL)
		ac->entry[ac->avail++] = slot;
	spin_unlock(&c->base.lock);
	return first;
}

/* One more slab, all free, with the next colour. False: no pages. */
static bool grow(struct slab_cache *c, gfp_t gfp)
{
	struct page *slab = kmem_slab_alloc(&c->base, gfp);
	char *slot;

	if (!slab)
		return false;
	spin_lock(&c->base.lock);
	slab->colour = (u8)c->colour_next;
	c->colour_next = (c->colour_next + 1) % c->nr_colours;
	spin_unlock(&c->base.lock);

	slab->objects = (u16)c->base.objs_per_slab;
	slab->freelist = (char *)page_to_virt(slab) + slab->colour * colour_bytes(c);
	slot = first_slot(c, slab);
	for (unsigned i = 0; i < slab->objects; i++, slot += c->base.size) {
		kmem_slot_init(&c->base, slot);
		index_of(slab)[i] = (u16)i;
	}

	spin_lock(&c->base.lock);
	relist(c, slab);
	c->nr_slabs++;
	c->nr_free += slab->objects;
	spin_unlock(&c->base.lock);
	return true;
}

/* A refused charge may have drained other CPUs' arrays into the slabs: so look once more
 * even when grow() fails. */
static void *alloc_slow(struct slab_cache *c, gfp_t gfp)
{
	void *slot = fetch_batch(c);

	while (!slot && grow(c, gfp))
		slot = fetch_batch(c);
	return slot ? slot : fetch_batch(c);
}

static void free_slow(struct slab_cache *c, struct array_cache *ac, void *slot)
{
	struct list empty = LIST_INIT(empty);

	spin_lock(&c->base.lock);
	if (ac && ac->limit) {
		if (!c->shared || !array_move_oldest(c->shared, ac, ac->batchcount))
			flush_batch(c, ac, ac->batchcount, &empty);
		ac->entry[ac->avail++] = slot;
	} else {
		give_slot(c, slot, &empty);
	}
	spin_unlock(&c->base.lock);
	kmem_slabs_free(&c->base, &empty);
}

static void flush_all(struct slab_cache *c, struct array_cache *ac, struct list *empty)
{
	if (!ac)
		return;
	flush_batch(c, ac, ac->avail, empty);
	if (c->base.dead)
		ac->limit = 0;
}

/* Flush the arrays of all CPUs and free every empty slab. A dead cache's arrays stay out of
 * use. Returns pages freed. c may be gone afterwards.
 * Context: the machine stopped. Locks: takes cache->lock. */
int backend_drain(struct kmem_cache *cache)
{
	struct slab_cache *c = slab_cache_of(cache);
	struct list empty = LIST_INIT(empty);
	struct page *slab;

	ASSERT(mm_alone());
	spin_lock(&cache->lock);
	for_each_cpu(i)
		flush_all(c, c->cpu[i], &empty);
	flush_all(c, c->shared, &empty);
	list_for_each(slab, &c->slabs[FREE], link) {
		c->nr_free -= slab->objects;
		c->nr_slabs--;
	}
	list_splice(&empty, &c->slabs[FREE]);
	spin_unlock(&cache->lock);
	return kmem_slabs_free(&c->base, &empty);
}

/* Slots in a slab of that order, with their index; *rest: bytes left over. */
static unsigned slots_in(const struct slab_cache *c, unsigned order, size_t *rest)
{
	size_t slab = PAGE_SIZE << order;
	size_t n = slab / (c->base.size + sizeof(u16));

	while (n && ALIGN_UP(n * sizeof(u16), c->base.align) + n * c->base.size > slab)
		n--;
	*rest = slab - ALIGN_UP(n * sizeof(u16), c->base.align) - n * c->base.size;
	return (unsigned)n;
}

/* The smallest order that wastes at most an eighth, else the largest one. */
static int choose_geometry(struct slab_cache *c)
{
	size_t rest = 0;

	for (unsigned order = 0; order <= MAX_SLAB_ORDER; order++) {
		c->base.order = order;
		c->base.objs_per_slab = slots_in(c, order, &rest);
		if (c->base.objs_per_slab && rest * 8 <= PAGE_SIZE << order)
			break;
	}
	if (!c->base.objs_per_slab)
		return -EINVAL;
	c->first_slot = (unsigned)ALIGN_UP(c->base.objs_per_slab * sizeof(u16), c->base.align);
	c->nr_colours = (unsigned)MIN(rest / colour_bytes(c) + 1, (size_t)256);
	return 0;
}

/* Bytes of this backend's cache structure. */
size_t kmem_backend_size(void)
{
	return sizeof(struct slab_cache) + cpu_count() * sizeof(struct array_cache *);
}

/* Make the cache of arrays. It and the cache of caches were made before there were arrays, so
 * they (and their copies) have none: that ends the recursion. Returns 0 or -ENOMEM. */
int backend_init(void)
{
	array_cache_cache = kmem_cache_create("array_cache", sizeof(struct array_cache), 0, 0, NULL);
	return array_cache_cache ? 0 : -ENOMEM;
}

static void free_arrays(struct slab_cache *c)
{
	for_each_cpu(i) {
		if (c->cpu[i])
			kmem_cache_free(array_cache_cache, c->cpu[i]);
	}
	if (c->shared)
		kmem_cache_free(array_cache_cache, c->shared);
}

static int alloc_array(struct array_cache **ac, unsigned limit, unsigned batchcount, gfp_t gfp)
{
	*ac = kmem_cache_alloc(array_cache_cache, gfp);
	if (*ac)
		array_init(*ac, limit, batchcount);
	return *ac ? 0 : -ENOMEM;
}

static int alloc_arrays(struct slab_cache *c, gfp_t gfp)
{
	unsigned batch = (c->limit + 1) / 2;
	int err = 0;

	for_each_cpu(i)
		err = err ? err : alloc_array(&c->cpu[i], c->limit, batch, gfp);
	if (!err && cpu_count() > 1 && c->base.size <= PAGE_SIZE)
		err = alloc_array(&c->shared, array_shared_factor(batch) * batch, batch, gfp);
	if (err)
		free_arrays(c);
	return err;
}

/* Choose the geometry of a cache whose size and align are set, and make its arrays. Returns 0,
 * -EINVAL when no slab can hold one object, or -ENOMEM. */
int backend_init_cache(struct kmem_cache *cache, gfp_t gfp)
{
	struct slab_cache *c = slab_cache_of(cache);
	int err = choose_geometry(c);

	for (unsigned i = 0; i < NR_STATES; i++)
		list_init(&c->slabs[i]);
	if (err || !array_cache_cache || (cache->root != cache &&
					  !slab_cache_of(cache->root)->limit))
		return err;
	c->limit = array_choose_limit(cache->size);
	c->free_limit = (1 + cpu_count()) * ((c->limit + 1) / 2) + cache->objs_per_slab;
	return alloc_arrays(c, gfp);
}

/* Free the arrays; no slab is left, so they are empty. */
void backend_fini_cache(struct kmem_cache *cache)
{
	BUG_ON(slab_cache_of(cache)->nr_slabs != 0);
	free_arrays(slab_cache_of(cache));
}

/* The slot of slab that holds addr, or NULL when addr is in none. */
void *backend_slot_of(struct kmem_cache *cache, struct page *slab, const void *addr)
{
	char *first = first_slot(slab_cache_of(cache), slab);
	size_t nr;

	if ((const char *)addr < first)
		return NULL;
	nr = (size_t)((const char *)addr - first) / cache->size;
	return nr < slab->objects ? first + nr * cache->size : NULL;
}

struct tally {				/* what one walk over all slabs and arrays finds */
	unsigned long slabs, free, live;
};

static bool index_ok(struct page *slab)
{
	for (unsigned i = slab->inuse; i < slab->objects; i++) {
		for (unsigned j = slab->inuse; j < i; j++) {
			if (index_of(slab)[i] == index_of(slab)[j])
				return false;
		}
		if (index_of(slab)[i] >= slab->objects)
			return false;
	}
	return true;
}

static int check_slab(struct slab_cache *c, struct page *slab, struct tally *t)
{
	if (slab->kind != PAGE_SLAB || slab->cache != &c->base)
		return 16;
	if (slab->colour >= c->nr_colours)
		return 13;
	if (slab->inuse > slab->objects || !index_ok(slab))
		return 11;
	t->slabs++;
	t->free += slab->objects - slab->inuse;
	return TALLY_DEBUG && kmem_debug_check_slab(&c->base, first_slot(c, slab), slab->objects,
						    &t->live) ? 15 : 0;
}

static int check_lists(struct slab_cache *c, struct tally *t)
{
	struct page *slab;

	for (unsigned i = 0; i < NR_STATES; i++) {
		list_for_each(slab, &c->slabs[i], link) {
			int broken = check_slab(c, slab, t);

			if (broken || state_of(slab) != (enum slab_state)i)
				return broken ? broken : 10;
		}
	}
	return t->slabs == c->nr_slabs && t->free == c->nr_free ? 0 : 14;
}

static unsigned long nr_cached(const struct slab_cache *c)
{
	unsigned long n = c->shared ? c->shared->avail : 0;

	for_each_cpu(i)
		n += c->cpu[i] ? c->cpu[i]->avail : 0;
	return n;
}

/* Fill in the figures of /proc/slabinfo. An active slab is a full or partial one: objects on
 * arrays keep their slab active, as in Linux.
 * Context: the machine stopped. Locks: takes cache->lock. */
void backend_stats(struct kmem_cache *cache, struct kmem_stats *out)
{
	struct slab_cache *c = slab_cache_of(cache);
	struct page *slab;

	spin_lock(&cache->lock);
	out->nr_slabs = out->active_slabs = c->nr_slabs;
	out->nr_objs = c->nr_slabs * cache->objs_per_slab;
	out->active_objs = out->nr_objs - c->nr_free - nr_cached(c);
	list_for_each(slab, &c->slabs[FREE], link)
		out->active_slabs--;
	spin_unlock(&cache->lock);
	out->limit = c->limit;
	out->batchcount = (c->limit + 1) / 2;
	out->shared = c->shared ? array_shared_factor(out->batchcount) : 0;
	out->shared_avail = c->shared ? c->shared->avail : 0;
}

/* Returns 0, or the number of the broken invariant. Locks: takes cache->lock.
 * Context: the machine stopped. */
int backend_check(struct kmem_cache *cache)
{
	struct slab_cache *c = slab_cache_of(cache);
	struct tally t = { 0 };
	int broken;

	spin_lock(&cache->lock);
	broken = check_lists(c, &t);
	for_each_cpu(i)
		broken = broken || !c->cpu[i] || array_ok(cache, c->cpu[i]) ? broken : 12;
	broken = broken || !c->shared || array_ok(cache, c->shared) ? broken : 12;
	if (TALLY_DEBUG && !broken &&
	    t.live + t.free + nr_cached(c) != t.slabs * cache->objs_per_slab)
		broken = 15;
	spin_unlock(&cache->lock);
	return broken;
}

/* Pages in slabs; I14 ties the count to the lists. */
unsigned long backend_count_pages(struct kmem_cache *cache)
{
	return slab_cache_of(cache)->nr_slabs << cache->order;
}
