/* SPDX-License-Identifier: MIT */
/*
 * SLUB: object caches with the free list inside the objects. (A slot; the other is slab.c.)
 *
 * Theory (Lameter 2007). A free object is storage nobody uses, so the list of a slab's free
 * objects is threaded through the objects themselves, and a slab needs no management memory.
 * Each CPU works in one slab, its cpu slab, whose free list it holds privately: allocating is
 * "take the first", freeing into the same slab is "put first", no lock, no atomic.
 *
 *	CPU 0   freelist ---------> [o]->[o]->[o]      cpu slab: frozen, its own freelist empty
 *	        slab -------------> [######o##o#o]     unless another CPU freed into it
 *	        partial ----------> [#o##]-[o#o#]      frozen too: this CPU's reserve
 *	cache   partial ----------> [##o#]-[oooo]-[#o##]          under cache->lock
 *	        (full) ................ [####] [####]  on no list in release images
 *
 * The free pointer is the first word of a free slot, or lies behind an object whose bytes must
 * keep (constructor, poison).
 * alloc: the CPU's freelist; else what others freed into the cpu slab; else a slab of the
 * CPU's reserve; else of the cache's partial list; else a new one. free: into the cpu slab, or
 * into the object's slab under cache->lock. A full slab that gets its first object back joins
 * the reserve of the CPU that freed; a reserve of cpu_partial free objects moves to the
 * cache's list. A slab that is empty there is freed if MIN_PARTIAL others are there.
 *
 * States of a slab:
 *	            frozen  list                    page->freelist      page->inuse
 *	cpu slab      1     none                    freed by others     objects - freelist
 *	cpu partial   1     cpu->partial            all its free        objects - freelist
 *	partial       0     cache->partial          all its free, >= 1  objects - freelist
 *	full          0     none (debug: full)      empty               objects
 * So objects on a CPU's private freelist (cpu->nr_free) count as in use in page->inuse.
 *
 * Invariants, checked by backend_check():
 *  I10 partial: not frozen, inuse < objects; nr_partial is the length of the list
 *  I11 page->freelist has objects - inuse slots, each a slot of this slab
 *  I12 cpu slab and cpu partial are frozen; nr_free is the length of cpu->freelist
 *  I13 full (debug): not frozen, no free object
 *  I14 all slabs seen = nr_slabs (debug)
 *  I15 each slot's debug marks hold, and as many are live as the figures say (debug)
 *  I16 a slab belongs to this cache and is PAGE_SLAB
 *
 * Locking: cache->lock (RANK_SLAB) covers partial, full and every slab's freelist, inuse and
 * frozen; a free on another CPU goes there. [c] fields are their CPU's; others reach for them
 * while it is stopped. No lock is held over kmem_slab_alloc() (which may stop) and _free().
 */
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/percpu.h"
#include "mm/kmem_impl.h"
#include "mm/stop.h"

#define MAX_SLAB_ORDER	3u
#define MIN_PARTIAL	5u

struct slub_cpu {
	void *freelist;			/* [c] free slots of slab, private */
	struct page *slab;		/* [c] the cpu slab, or NULL */
	unsigned nr_free;		/* [c] length of freelist */
	unsigned partial_free;		/* [c] free objects on partial, when they were put there */
	struct list partial;		/* [c] this CPU's reserve, by page->link */
} cacheline_aligned;

struct slub_cache {
	struct kmem_cache base;		/* must be first */
	unsigned free_offset;		/* [I] of the free pointer in a free slot */
	unsigned cpu_partial;		/* [I] free objects a CPU's reserve may hold */
	struct list partial;		/* [slab lock] by page->link */
	struct list full;		/* [slab lock] debug images only */
	unsigned long nr_partial;	/* [slab lock] */
	unsigned long nr_slabs;		/* [slab lock] all of them */
	struct slub_cpu cpu[];		/* cpu_count() of them */
};

const char kmem_backend[] = "slub";

static void *alloc_slow(struct slub_cache *c, gfp_t gfp);
static void free_slow(struct slub_cache *c, struct page *slab, void *slot);

static struct slub_cache *slub_of(struct kmem_cache *cache) { return (void *)cache; }

static void *get_next(const struct slub_cache *c, const void *slot)
{
	return *(void *const *)((const char *)slot + c->free_offset);
}

static void set_next(const struct slub_cache *c, void *slot, void *next)
{
	*(void **)((char *)slot + c->free_offset) = next;
}

/* A free slot of cache, or NULL. Context: not in interrupts.
 * Locks: none, or cache->lock and what kmem_slab_alloc() takes. */
void *backend_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	struct slub_cache *c = slub_of(cache);
	struct slub_cpu *cpu = this_cpu(c->cpu);
	void *slot = cpu->freelist;

	if (unlikely(!slot))
		return alloc_slow(c, gfp);
	cpu->freelist = get_next(c, slot);
	cpu->nr_free--;
	return slot;
}

/* Take back a slot of slab. cache may be gone when this returns (see kmem_slab_free()).
 * Context: not in interrupts. Locks: none, or cache->lock and what kmem_slab_free() takes. */
void backend_free(struct kmem_cache *cache, struct page *slab, void *slot)
{
	struct slub_cache *c = slub_of(cache);
	struct slub_cpu *cpu = this_cpu(c->cpu);

	if (unlikely(slab != cpu->slab))
		return free_slow(c, slab, slot);
	set_next(c, slot, cpu->freelist);
	cpu->freelist = slot;
	cpu->nr_free++;
}

static void remove_partial(struct slub_cache *c, struct page *slab)
{
	list_remove(&slab->link);
	c->nr_partial--;
}

/* An empty slab, on no list, is to be freed when the lock is released. */
static void doom(struct slub_cache *c, struct page *slab, struct list *empty)
{
	list_append(empty, &slab->link);
	c->nr_slabs--;
}

static int free_objects(const struct page *slab) { return slab->objects - slab->inuse; }

/* Whether an empty slab beside nr_partial others may go. */
static bool too_many(const struct slub_cache *c, unsigned long nr_partial)
{
	return c->base.dead || nr_partial >= MIN_PARTIAL;
}

/* slab is no CPU's any more: to the list for what it is. An empty slab too many goes to
 * `empty` instead, for kmem_slabs_free() when the lock is released. */
static void thaw(struct slub_cache *c, struct page *slab, struct list *empty)
{
	assert_held(&c->base.lock);
	slab->frozen = 0;
	if (slab->inuse == 0 && too_many(c, c->nr_partial)) {
		doom(c, slab, empty);
	} else if (slab->freelist) {
		list_append(&c->partial, &slab->link);
		c->nr_partial++;
	} else if (TALLY_DEBUG) {
		list_append(&c->full, &slab->link);
	}
}

/* Put the private freelist back into the cpu slab and let go of it. */
static void flush_slab(struct slub_cache *c, struct slub_cpu *cpu, struct list *empty)
{
	struct page *slab = cpu->slab;
	void *slot;

	assert_held(&c->base.lock);
	if (!slab)
		return;
	while ((slot = cpu->freelist) != NULL) {
		cpu->freelist = get_next(c, slot);
		set_next(c, slot, slab->freelist);
		slab->freelist = slot;
		slab->inuse--;
	}
	cpu->nr_free = 0;
	cpu->slab = NULL;
	thaw(c, slab, empty);
}

static void flush_partial(struct slub_cache *c, struct slub_cpu *cpu, struct list *empty)
{
	struct page *slab, *next;

	assert_held(&c->base.lock);
	cpu->partial_free = 0;
	list_for_each_safe(slab, next, &cpu->partial, link) {
		list_remove(&slab->link);
		thaw(c, slab, empty);
	}
}

/* Make slab, which is on no list, the cpu slab: its free objects become private. */
static void adopt(struct slub_cpu *cpu, struct page *slab)
{
	slab->frozen = 1;
	cpu->slab = slab;
	cpu->freelist = slab->freelist;
	cpu->nr_free = (unsigned)free_objects(slab);
	slab->freelist = NULL;
	slab->inuse = slab->objects;
}

/* Find the CPU a slab with free objects without a new one. False: there is none. */
static bool find_slab(struct slub_cache *c, struct slub_cpu *cpu)
{
	struct page *slab = cpu->slab;

	assert_held(&c->base.lock);
	if (slab && !slab->freelist) {		/* exhausted: it is full now */
		thaw(c, slab, NULL);
		slab = cpu->slab = NULL;
	}
	if (!slab && !list_empty(&cpu->partial)) {
		slab = list_first(&cpu->partial, struct page, link);
		list_remove(&slab->link);
		cpu->partial_free -= MIN(cpu->partial_free, (unsigned)free_objects(slab));
	} else if (!slab && !list_empty(&c->partial)) {
		slab = list_first(&c->partial, struct page, link);
		remove_partial(c, slab);
	}
	if (slab)
		adopt(cpu, slab);
	return slab != NULL;
}

/* A fresh slab with every slot initialised and free, on no list and not yet counted. */
static struct page *new_slab(struct slub_cache *c, gfp_t gfp)
{
	struct page *slab = kmem_slab_alloc(&c->base, gfp);
	char *slot;

	if (!slab)
		return NULL;
	slab->objects = (u16)c->base.objs_per_slab;
	slot = (char *)page_to_virt(slab) + c->base.size * slab->objects;
	for (unsigned i = 0; i < slab->objects; i++) {
		slot -= c->base.size;
		kmem_slot_init(&c->base, slot);
		set_next(c, slot, slab->freelist);
		slab->freelist = slot;
	}
	return slab;
}

static void *alloc_slow(struct slub_cache *c, gfp_t gfp)
{
	struct list empty = LIST_INIT(empty);
	struct slub_cpu *cpu = this_cpu(c->cpu);
	struct page *slab;
	bool found;

	spin_lock(&c->base.lock);
	found = find_slab(c, cpu);
	spin_unlock(&c->base.lock);
	if (found)
		return backend_alloc(&c->base, gfp);

	slab = new_slab(c, gfp);
	spin_lock(&c->base.lock);
	if (slab) {
		flush_slab(c, cpu, &empty);	/* another may have come while we waited */
		c->nr_slabs++;
		adopt(cpu, slab);
	} else {
		found = find_slab(c, cpu);	/* a refused charge drains other CPUs */
	}
	spin_unlock(&c->base.lock);
	kmem_slabs_free(&c->base, &empty);
	return slab || found ? backend_alloc(&c->base, gfp) : NULL;
}

/* A slab that was full has a free object again: to this CPU's reserve, which may overflow.
 * A dead cache allocates no more, so no CPU wants a reserve of it. */
static void put_refreshed(struct slub_cache *c, struct page *slab, struct list *empty)
{
	struct slub_cpu *cpu = this_cpu(c->cpu);

	if (TALLY_DEBUG)
		list_remove(&slab->link);	/* from full */
	if (c->base.dead)
		return thaw(c, slab, empty);
	if (cpu->partial_free >= c->cpu_partial)
		flush_partial(c, cpu, empty);
	slab->frozen = 1;
	cpu->partial_free += (unsigned)free_objects(slab);
	list_append(&cpu->partial, &slab->link);
}

static void free_slow(struct slub_cache *c, struct page *slab, void *slot)
{
	struct list empty = LIST_INIT(empty);
	bool was_full;

	spin_lock(&c->base.lock);
	was_full = !slab->freelist;
	set_next(c, slot, slab->freelist);
	slab->freelist = slot;
	slab->inuse--;
	if (was_full && !slab->frozen) {
		put_refreshed(c, slab, &empty);
	} else if (!slab->frozen && slab->inuse == 0 && too_many(c, c->nr_partial - 1)) {
		remove_partial(c, slab);
		doom(c, slab, &empty);
	}
	spin_unlock(&c->base.lock);
	kmem_slabs_free(&c->base, &empty);
}

/* Flush the private slabs of all CPUs and free every empty slab. Returns pages freed. c may
 * be gone afterwards. Context: the machine stopped. Locks: takes cache->lock. */
int backend_drain(struct kmem_cache *cache)
{
	struct slub_cache *c = slub_of(cache);
	struct list empty = LIST_INIT(empty);
	struct page *slab, *next;

	ASSERT(mm_alone());
	spin_lock(&cache->lock);
	for_each_cpu(i) {
		flush_slab(c, &c->cpu[i], &empty);
		flush_partial(c, &c->cpu[i], &empty);
	}
	list_for_each_safe(slab, next, &c->partial, link) {
		if (slab->inuse == 0) {
			remove_partial(c, slab);
			doom(c, slab, &empty);
		}
	}
	spin_unlock(&cache->lock);
	return kmem_slabs_free(&c->base, &empty);
}

/* Ask for 8 objects in a slab and at most 1/16 of it wasted first, then for less and less. */
static unsigned choose_order(size_t size)
{
	for (unsigned try = 0; try < 12; try++) {
		size_t min_objs = 8u >> try / 3, fraction = 16u >> try % 3;

		for (unsigned order = 0; order <= MAX_SLAB_ORDER; order++) {
			size_t slab = PAGE_SIZE << order;

			if (slab >= size * min_objs && slab % size <= slab / fraction)
				return order;
		}
	}
	return MAX_SLAB_ORDER;
}

static unsigned choose_cpu_partial(size_t size)
{
	return size >= PAGE_SIZE ? 2 : size >= 1024 ? 6 : size >= 256 ? 13 : 30;
}

/* SLUB has no caches of its own. */
int backend_init(void) { return 0; }

/* Bytes of this backend's cache structure. */
size_t kmem_backend_size(void)
{
	return sizeof(struct slub_cache) + cpu_count() * sizeof(struct slub_cpu);
}

/* Choose the geometry of a cache whose size, align and keep_object are set. Returns 0, or
 * -EINVAL when no slab can hold one object. */
int backend_init_cache(struct kmem_cache *cache, gfp_t gfp)
{
	struct slub_cache *c = slub_of(cache);

	(void)gfp;
	if (cache->keep_object) {
		c->free_offset = (unsigned)ALIGN_UP(cache->size, sizeof(void *));
		cache->size = c->free_offset + sizeof(void *);
	}
	cache->size = ALIGN_UP(MAX(cache->size, sizeof(void *)), cache->align);
	cache->order = choose_order(cache->size);
	cache->objs_per_slab = (unsigned)((PAGE_SIZE << cache->order) / cache->size);
	c->cpu_partial = choose_cpu_partial(cache->size);
	list_init(&c->partial);
	list_init(&c->full);
	for_each_cpu(i)
		list_init(&c->cpu[i].partial);
	return cache->objs_per_slab ? 0 : -EINVAL;
}

/* No slab is left; nothing beside the structure itself was allocated. */
void backend_fini_cache(struct kmem_cache *cache)
{
	BUG_ON(slub_of(cache)->nr_slabs != 0);
}

/* The slot of slab that holds addr, or NULL when addr is in none. */
void *backend_slot_of(struct kmem_cache *cache, struct page *slab, const void *addr)
{
	size_t offset = (size_t)((const char *)addr - (const char *)page_to_virt(slab));
	size_t nr = offset / cache->size;	/* huge when addr lies before the slab */

	return nr < slab->objects ? (char *)page_to_virt(slab) + nr * cache->size : NULL;
}

struct tally {				/* what one walk over all slabs finds */
	unsigned long slabs, free, empty, live;
	bool deep;			/* look at every slot, too */
	int broken;
};

/* Length of a free list whose slots must all be slab's; -1 if it is not such a list. */
static long list_length(struct slub_cache *c, struct page *slab, void *slot)
{
	long n = 0;

	for (; slot; slot = get_next(c, slot)) {
		if (backend_slot_of(&c->base, slab, slot) != slot || ++n > slab->objects)
			return -1;
	}
	return n;
}

/* Count slab, of which a CPU holds the slots of list `own`. Returns its free slots. */
static long tally_slab(struct slub_cache *c, struct page *slab, void *own, struct tally *t)
{
	long nr_free = list_length(c, slab, slab->freelist), nr_own = list_length(c, slab, own);

	if (slab->kind != PAGE_SLAB || slab->cache != &c->base)
		t->broken = 16;
	else if (nr_own < 0 || nr_free != free_objects(slab))
		t->broken = 11;
	else if (t->deep &&
		 kmem_debug_check_slab(&c->base, page_to_virt(slab), slab->objects, &t->live))
		t->broken = 15;
	t->slabs++;
	t->free += (unsigned long)(nr_free + nr_own);
	t->empty += nr_free + nr_own == slab->objects;
	return nr_free;
}

static void tally_list(struct slub_cache *c, struct list *head, bool frozen, struct tally *t)
{
	struct page *slab;

	list_for_each(slab, head, link) {
		bool full = tally_slab(c, slab, NULL, t) == 0;

		if (full != (head == &c->full))
			t->broken = full ? 10 : 13;
		if (slab->frozen != frozen)
			t->broken = frozen ? 12 : 10;
		if (t->broken)
			break;
	}
}

static struct tally tally_all(struct slub_cache *c, bool deep)
{
	struct tally t = { .deep = deep };

	spin_lock(&c->base.lock);
	tally_list(c, &c->partial, false, &t);
	if (t.slabs != c->nr_partial)
		t.broken = 10;
	tally_list(c, &c->full, false, &t);
	for_each_cpu(i) {
		struct slub_cpu *cpu = &c->cpu[i];

		tally_list(c, &cpu->partial, true, &t);
		if (cpu->slab)
			tally_slab(c, cpu->slab, cpu->freelist, &t);
		if (cpu->slab ? !cpu->slab->frozen || list_length(c, cpu->slab, cpu->freelist) !=
				(long)cpu->nr_free : cpu->freelist || cpu->nr_free)
			t.broken = 12;
	}
	if (TALLY_DEBUG && !t.broken && t.slabs != c->nr_slabs)
		t.broken = 14;
	spin_unlock(&c->base.lock);
	return t;
}

/* Fill in the figures of /proc/slabinfo; a slab is active when a caller holds an object of
 * it. Locks: takes cache->lock. Context: the machine stopped. */
void backend_stats(struct kmem_cache *cache, struct kmem_stats *out)
{
	struct tally t = tally_all(slub_of(cache), false);

	out->nr_slabs = slub_of(cache)->nr_slabs;
	out->nr_objs = out->nr_slabs * cache->objs_per_slab;
	out->active_objs = out->nr_objs - t.free;
	out->active_slabs = out->nr_slabs - t.empty;
}

/* Returns 0, or the number of the broken invariant. Locks: takes cache->lock.
 * Context: the machine stopped. */
int backend_check(struct kmem_cache *cache)
{
	struct tally t = tally_all(slub_of(cache), TALLY_DEBUG);

	if (TALLY_DEBUG && !t.broken && t.live + t.free != t.slabs * cache->objs_per_slab)
		return 15;
	return t.broken;
}

/* Pages in slabs: a count kept, as full slabs may be on no list; I14 ties it to the lists. */
unsigned long backend_count_pages(struct kmem_cache *cache)
{
	return slub_of(cache)->nr_slabs << cache->order;
}
