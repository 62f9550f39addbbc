/* SPDX-License-Identifier: MIT */
/*
 * Private to mm/slab.c: stacks of pointers to free slots, the warmest last.
 */
#pragma once
#include "kernel/lib/string.h"
#include "mm/kmem_impl.h"

#define MAX_LIMIT	120u
#define MAX_SHARED	8u		/* a shared array holds up to that many batches */

struct array_cache {
	unsigned avail, limit, batchcount;	/* avail <= limit <= MAX_LIMIT */
	void *entry[MAX_LIMIT];			/* free slots */
};

static inline void array_init(struct array_cache *ac, unsigned limit, unsigned batchcount)
{
	ac->avail = 0;
	ac->limit = limit;
	ac->batchcount = batchcount;
}

/* Entries of a CPU's array, by object size: as Linux has them. */
static inline unsigned array_choose_limit(size_t size)
{
	return size > PAGE_SIZE ? 8 : size > 1024 ? 24 : size > 256 ? 54 : MAX_LIMIT;
}

/* Drop the oldest nr entries, which have gone elsewhere. */
static inline void array_drop_oldest(struct array_cache *ac, unsigned nr)
{
	ac->avail -= nr;
	memmove(ac->entry, ac->entry + nr, ac->avail * sizeof(ac->entry[0]));
}

/* Move the warmest of from, up to nr and as fits, onto to. Returns how many. */
static inline unsigned array_move(struct array_cache *to, struct array_cache *from, unsigned nr)
{
	nr = MIN(nr, MIN(from->avail, to->limit - to->avail));
	memcpy(to->entry + to->avail, from->entry + from->avail - nr, nr * sizeof(to->entry[0]));
	to->avail += nr;
	from->avail -= nr;
	return nr;
}

/* The same with the oldest of from. */
static inline unsigned array_move_oldest(struct array_cache *to, struct array_cache *from,
					 unsigned nr)
{
	nr = MIN(nr, MIN(from->avail, to->limit - to->avail));
	memcpy(to->entry + to->avail, from->entry, nr * sizeof(to->entry[0]));
	to->avail += nr;
	array_drop_oldest(from, nr);
	return nr;
}

/* Batches that the shared array of a cache with that batchcount may hold. */
static inline unsigned array_shared_factor(unsigned batchcount)
{
	return MIN(MAX_SHARED, MAX_LIMIT / batchcount);
}

/* Is every entry a slot of a slab of cache, and no more of them than may be? */
static inline bool array_ok(struct kmem_cache *cache, const struct array_cache *ac)
{
	if (ac->avail > ac->limit || ac->limit > MAX_LIMIT)
		return false;
	for (unsigned i = 0; i < ac->avail; i++) {
		struct page *slab = page_of(ac->entry[i]);

		if (slab->cache != cache ||
		    backend_slot_of(cache, slab, ac->entry[i]) != ac->entry[i])
			return false;
	}
	return true;
}
