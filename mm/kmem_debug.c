/* SPDX-License-Identifier: MIT */
/*
 * Debug images: what each object went through, and whether somebody wrote where he should not.
 *
 * Theory. Every slot gets room around the object, whose content is known, so that a write
 * outside shows; a free object is filled with a known byte, so that a write after the free
 * shows; and a record says who allocated and who freed the object last:
 *
 *	slot                object_offset              + object_size
 *	 | red zone bb bb bb | object ................. | red zone bb bb bb | kmem_track |
 *	                       new   5a 5a 5a ... (handed out, not yet written)
 *	                       free  6b 6b 6b ... (unless the cache has a constructor)
 *
 * The right red zone is at least RED_ZONE bytes and ends where the track begins.
 *
 * States of an object: KMEM_DEAD (in a fresh slab, or freed), KMEM_LIVE (handed out). The
 * backend's per-CPU caches hold dead objects: for this file they are free.
 *
 * Invariants of a slot, checked at each alloc and free and by kmem_debug_check_slab():
 *  I1  both red zones hold KMEM_REDZONE
 *  I2  track->live is KMEM_LIVE or KMEM_DEAD
 *  I3  a dead object without constructor holds KMEM_POISON_FREE
 *
 * A violation is a panic that says what was found, at which offset, the call sites of the
 * last allocation and the last free, and shows the bytes.
 *
 * Locking: none. A slot is with its allocator, its user or the backend, one at a time.
 */
#include "kernel/lib/fmt.h"
#include "kernel/lib/ksym.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/kmem_impl.h"

#define RED_ZONE	8u
#define DUMP_BYTES	16u

/* Offset of the record in a slot: where the right red zone ends. */
static size_t track_offset(const struct kmem_cache *cache)
{
	size_t end = cache->object_offset + cache->object_size + RED_ZONE;

	return ALIGN_UP(end, _Alignof(struct kmem_track));
}

static struct kmem_track *track_of(const struct kmem_cache *cache, void *slot)
{
	return (void *)((char *)slot + track_offset(cache));
}

/* Make room for red zones and track in cache's slots; the bytes of free objects belong to the
 * poison. */
void kmem_debug_layout(struct kmem_cache *cache)
{
	cache->object_offset = ALIGN_UP(RED_ZONE, (unsigned)cache->align);
	cache->size = ALIGN_UP(track_offset(cache) + sizeof(struct kmem_track), cache->align);
	cache->keep_object = true;
}

static const char *site(char *buf, size_t size, uintptr_t addr)
{
	if (addr)
		ksym_format(buf, size, addr);
	else
		str_copy(buf, "never", size);
	return buf;
}

static void dump(const struct kmem_cache *cache, void *slot, size_t at)
{
	size_t end = track_offset(cache);
	size_t from = ALIGN_DOWN(at, DUMP_BYTES);
	char line[8 + 3 * DUMP_BYTES];
	struct textbuf t = { line, sizeof(line), 0 };

	for (size_t i = from; i < MIN(from + DUMP_BYTES, end); i++)
		text_print(&t, " %02x", ((u8 *)slot)[i]);
	log_info("  slot %p, bytes from offset %zu:%s", slot, from, line);
}

static noreturn void report(const struct kmem_cache *cache, void *slot, const char *what,
			    size_t at, uintptr_t caller)
{
	struct kmem_track *track = track_of(cache, slot);
	char alloc[64], freed[64], now[64];

	dump(cache, slot, at);
	panic("%s: object %p of cache %s, found at %s; allocated at %s; freed at %s", what,
	      slot_to_object(cache, slot), cache->name, site(now, sizeof(now), caller),
	      site(alloc, sizeof(alloc), track->alloc_caller),
	      site(freed, sizeof(freed), track->free_caller));
}

/* Offset of the first byte of [from, to) that is not byte, or to. */
static size_t first_other(const void *slot, size_t from, size_t to, u8 byte)
{
	const u8 *bytes = slot;
	u64 eight = byte * 0x0101010101010101ul;

	while (from < to) {
		if (from % 8 == 0 && from + 8 <= to && *(const u64 *)(bytes + from) == eight)
			from += 8;
		else if (bytes[from] == byte)
			from++;
		else
			break;
	}
	return from;
}

/* The number of the broken invariant and where, or 0. */
static int find_damage(const struct kmem_cache *cache, void *slot, size_t *at)
{
	struct kmem_track *track = track_of(cache, slot);
	size_t start = cache->object_offset, end = start + cache->object_size;
	size_t right = track_offset(cache);

	*at = first_other(slot, 0, start, KMEM_REDZONE);
	if (*at < start)
		return 1;
	*at = first_other(slot, end, right, KMEM_REDZONE);
	if (*at < right)
		return 1;
	*at = end;
	if (track->live != KMEM_LIVE && track->live != KMEM_DEAD)
		return 2;
	if (track->live == KMEM_LIVE || cache->ctor)
		return 0;
	*at = first_other(slot, start, end, KMEM_POISON_FREE);
	return *at < end ? 3 : 0;
}

static void verify(const struct kmem_cache *cache, void *slot, uintptr_t caller)
{
	static const char *const what[] = {
		"", "write outside an object (red zone overwritten)",
		"write outside an object (its record overwritten)",
		"use after free (poison overwritten)",
	};
	size_t at;
	int broken = find_damage(cache, slot, &at);

	if (unlikely(broken))
		report(cache, slot, what[broken], at, caller);
}

/* Mark a slot of a fresh slab, before the constructor runs. */
void kmem_debug_init_slot(struct kmem_cache *cache, void *slot)
{
	struct kmem_track *track = track_of(cache, slot);

	memset(slot, KMEM_REDZONE, track_offset(cache));
	if (!cache->ctor)
		memset(slot_to_object(cache, slot), KMEM_POISON_FREE, cache->object_size);
	*track = (struct kmem_track){ .live = KMEM_DEAD };
}

/* The backend hands slot out, on behalf of caller: it must be as it was left. */
void kmem_debug_alloc(struct kmem_cache *cache, void *slot, uintptr_t caller)
{
	struct kmem_track *track = track_of(cache, slot);

	verify(cache, slot, caller);
	if (track->live == KMEM_LIVE)
		report(cache, slot, "object handed out twice", 0, caller);
	track->live = KMEM_LIVE;
	track->alloc_caller = caller;
	if (!cache->ctor)
		memset(slot_to_object(cache, slot), KMEM_POISON_NEW, cache->object_size);
}

/* slot (of that slab, if the caller is right) comes back. Panics with both call sites when it
 * is no slot, or free already, or its surroundings were written to. */
void kmem_debug_free(struct kmem_cache *cache, struct page *slab, void *slot, uintptr_t caller)
{
	struct kmem_track *track = track_of(cache, slot);
	void *obj = slot_to_object(cache, slot);
	char where[64];

	if (backend_slot_of(cache, slab, slot) != slot) {
		ksym_format(where, sizeof(where), caller);
		panic("free of %p at %s: not the start of an object of cache %s", obj, where,
		      cache->name);
	}
	if (track->live == KMEM_DEAD)
		report(cache, slot, "double free", cache->object_offset, caller);
	verify(cache, slot, caller);
	track->live = KMEM_DEAD;
	track->free_caller = caller;
	if (!cache->ctor)
		memset(obj, KMEM_POISON_FREE, cache->object_size);
}

/* Look at nr slots from first on, and add those in callers' hands to *nr_live. Returns 0, or
 * the number of a broken invariant. Debug images only. */
int kmem_debug_check_slab(struct kmem_cache *cache, void *first, unsigned nr,
			  unsigned long *nr_live)
{
	char *slot = first;
	int broken = 0;
	size_t at;

	for (; nr && !broken; nr--, slot += cache->size) {
		broken = find_damage(cache, slot, &at);
		*nr_live += track_of(cache, slot)->live == KMEM_LIVE;
	}
	return broken;
}

/* obj was freed to cache, but its page is no slab or a slab of another cache: name both
 * caches and the call sites. In every image. */
noreturn void kmem_report_wrong(struct kmem_cache *cache, struct page *slab, void *obj,
				uintptr_t caller)
{
	char where[64], alloc[64] = "unknown";
	void *slot;

	ksym_format(where, sizeof(where), caller);
	if (slab->kind != PAGE_SLAB)
		panic("free of %p to cache %s at %s: it is in a %s page, no slab", obj,
		      cache->name, where, page_kind_name(slab->kind));
	slot = backend_slot_of(slab->cache, slab, object_to_slot(slab->cache, obj));
	if (TALLY_DEBUG && slot)
		ksym_format(alloc, sizeof(alloc), track_of(slab->cache, slot)->alloc_caller);
	panic("wrong cache: free of %p to cache %s at %s, but it belongs to cache %s; allocated at %s",
	      obj, cache->name, where, slab->cache->name, alloc);
}
