/* SPDX-License-Identifier: MIT */
/* Object caches and kmalloc. The backend (SLAB or SLUB) is a slot chosen by the linker. */
#pragma once
#include "kernel/lib/list.h"
#include "mm/gfp.h"

#define KMEM_NAME_MAX		64	/* "dentry(2:name)dead" and NUL, cut to fit */
#define KMEM_MAX_CACHES		96	/* root caches; their ids index a group's copies */
#define KMALLOC_MAX_CACHED	8192	/* larger requests are whole pages */
#define KMALLOC_MAX		(1ul << 22)

#define KMEM_NOACCOUNT		0x1u	/* never charged, never copied per group */
#define KMEM_KMALLOC		0x2u	/* one of kmalloc()'s: kfree() takes its objects */

struct kmem_cache;

void kmem_init(void);
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align,
				     unsigned flags, void (*ctor)(void *)) must_check;
int kmem_cache_destroy(struct kmem_cache *cache);	/* -EBUSY: objects live */
int kmem_cache_shrink(struct kmem_cache *cache);	/* pages freed */
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp) must_check;
void kmem_cache_free(struct kmem_cache *cache, void *obj);

void *kmalloc(size_t bytes, gfp_t gfp) must_check;
void *kzalloc(size_t bytes, gfp_t gfp) must_check;
void kfree(void *obj);			/* NULL is fine */
size_t ksize(const void *obj);
int kmem_check(void);			/* every cache: 0, or the number of the broken invariant */

/* One line of /proc/slabinfo. */
struct kmem_stats {
	char name[KMEM_NAME_MAX];
	unsigned long active_objs, nr_objs;	/* handed out to callers; in all slabs */
	unsigned long active_slabs, nr_slabs;
	size_t object_size;			/* bytes from object to object */
	unsigned objs_per_slab, pages_per_slab;
	unsigned limit, batchcount, shared;	/* SLAB; 0 on SLUB */
	unsigned long shared_avail;		/* SLAB: objects on the shared array */
};

const char *kmem_backend_name(void);		/* "slab" or "slub" */
void kmem_cache_stats(struct kmem_cache *cache, struct kmem_stats *out);

/* Text in /proc/slabinfo 2.1 format: every cache (memcg NULL) or one group's copies under
 * their base names. Returns the whole length; stores at most size. */
struct memcg;
size_t kmem_slabinfo(const struct memcg *memcg, char *buf, size_t size);
