/* SPDX-License-Identifier: MIT */
/*
 * kmalloc: memory of any size, from a set of caches.
 *
 * Theory. A request is rounded up to the next of thirteen sizes, each an object cache; powers
 * of two waste at most half, and 96 and 192 lie where kernels ask most. Larger requests are
 * whole blocks of pages, charged like any page.
 *
 *	bytes   1-8 -16 -32 -64 -96 -128 -192 -256 -512 -1K -2K -4K -8K | -4M
 *	from    kmalloc-8 ...                             kmalloc-8192  | PAGE_LARGE
 *
 * kfree() and ksize() find out from the page which it was: the caller does not say.
 *
 * Objects are aligned to the largest power of two that divides their size, up to a cache
 * line; blocks of pages to a page.
 *
 * States: none of its own. Invariants: those of the caches and of the pages. Locking: none.
 */
#include "kernel/lib/bits.h"
#include "kernel/lib/ksym.h"
#include "kernel/lib/panic.h"
#include "mm/kmem_impl.h"

static const struct {
	u16 bytes;
	const char *name;
} sizes[] = {
	{ 8, "kmalloc-8" }, { 16, "kmalloc-16" }, { 32, "kmalloc-32" }, { 64, "kmalloc-64" },
	{ 96, "kmalloc-96" }, { 128, "kmalloc-128" }, { 192, "kmalloc-192" },
	{ 256, "kmalloc-256" }, { 512, "kmalloc-512" }, { 1024, "kmalloc-1024" },
	{ 2048, "kmalloc-2048" }, { 4096, "kmalloc-4096" }, { 8192, "kmalloc-8192" },
};

static struct kmem_cache *caches[ARRAY_SIZE(sizes)];	/* [I] after kmalloc_init() */

static unsigned index_of(size_t bytes)
{
	unsigned log = bits_log2_up(MAX(bytes, (size_t)8));

	if (bytes > 64 && bytes <= 96)
		return 4;
	if (bytes > 128 && bytes <= 192)
		return 6;
	return log <= 6 ? log - 3 : log == 7 ? 5 : log - 1;
}

static void *alloc(size_t bytes, gfp_t gfp, uintptr_t caller)
{
	struct page *page;

	if (likely(bytes <= KMALLOC_MAX_CACHED))
		return kmem_alloc_at(caches[index_of(bytes)], gfp, caller);
	if (bytes > KMALLOC_MAX)
		return NULL;
	page = page_alloc_charged(PAGE_LARGE, bits_log2_up(DIV_ROUND_UP(bytes, PAGE_SIZE)), gfp);
	if (!page)
		return NULL;
	page->caller = caller;
	return page_to_virt(page);
}

/* At least bytes bytes (0 gives the smallest object), or NULL: no memory, the group at its
 * limit, or more than KMALLOC_MAX. Free with kfree().
 * Context: not in interrupts. Locks: takes up to RANK_ZONE. */
void *kmalloc(size_t bytes, gfp_t gfp)
{
	return alloc(bytes, gfp, CALLER());
}

/* kmalloc(), cleared. */
void *kzalloc(size_t bytes, gfp_t gfp)
{
	return alloc(bytes, gfp | GFP_ZERO, CALLER());
}

static noreturn void bad_pointer(const char *what, const void *obj, const struct page *page,
				 uintptr_t caller)
{
	char where[64];

	ksym_format(where, sizeof(where), caller);
	panic("%s(%p) at %s: not from kmalloc: it is in a %s page%s%s", what, obj, where,
	      page_kind_name(page->kind), page->kind == PAGE_SLAB ? " of cache " : "",
	      page->kind == PAGE_SLAB ? page->cache->name : "");
}

static bool is_cached(const struct page *page)
{
	return page->kind == PAGE_SLAB && (page->cache->flags & KMEM_KMALLOC);
}

/* Free what kmalloc() gave; NULL does nothing. Any other address is a bug: panic.
 * Context: not in interrupts. Locks: takes up to RANK_ZONE. */
void kfree(void *obj)
{
	struct page *page;

	if (!obj)
		return;
	page = page_of(obj);
	if (likely(is_cached(page)))
		kmem_free_at(page->cache, page, obj, CALLER());
	else if (page->kind == PAGE_LARGE && obj == page_to_virt(page))
		page_free(page);
	else
		bad_pointer("kfree", obj, page, CALLER());
}

/* Bytes that may be used at obj, at least what kmalloc() was asked for. */
size_t ksize(const void *obj)
{
	const struct page *page = page_of(obj);

	if (is_cached(page))
		return page->cache->object_size;
	if (page->kind != PAGE_LARGE)
		bad_pointer("ksize", obj, page, CALLER());
	return PAGE_SIZE << page->order;
}

/* Make the caches. Context: boot, from kmem_init(). */
void kmalloc_init(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t align = sizes[i].bytes & -sizes[i].bytes;

		caches[i] = kmem_cache_create(sizes[i].name, sizes[i].bytes,
					      MIN(align, (size_t)CACHELINE), KMEM_KMALLOC, NULL);
		if (!caches[i])
			panic("no memory for cache %s", sizes[i].name);
	}
}
