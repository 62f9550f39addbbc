/* SPDX-License-Identifier: MIT */
/* Object caches as seen from outside: figures, /proc/slabinfo, and the check of them all.
 * The invariants are numbered in kmem.c. */
#include "kernel/lib/fmt.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/kmem_impl.h"
#include "mm/memcg.h"
#include "mm/stop.h"

/* The figures, while the machine is stopped. */
static void read_stats(struct kmem_cache *cache, struct kmem_stats *out)
{
	memset(out, 0, sizeof(*out));
	str_copy(out->name, cache->name, sizeof(out->name));
	out->object_size = cache->size;
	out->objs_per_slab = cache->objs_per_slab;
	out->pages_per_slab = 1u << cache->order;
	backend_stats(cache, out);
}

/* One cache's figures, exact at one moment: the machine is stopped for it.
 * Context: task, no spinlock held. Locks: takes cache->lock. */
void kmem_cache_stats(struct kmem_cache *cache, struct kmem_stats *out)
{
	mm_stop();
	read_stats(cache, out);
	mm_resume();
}

static void print_line(struct textbuf *t, const char *name, const struct kmem_stats *s)
{
	text_print(t, "%-17s %6lu %6lu %6lu %4u %4u", name, s->active_objs, s->nr_objs,
		   s->object_size, s->objs_per_slab, s->pages_per_slab);
	text_print(t, " : tunables %4u %4u %4u", s->limit, s->batchcount, s->shared);
	text_print(t, " : slabdata %6lu %6lu %6lu\n", s->active_slabs, s->nr_slabs,
		   s->shared_avail);
}

/* Text in the format of Linux's /proc/slabinfo 2.1: every cache (memcg NULL), or one group's
 * copies under the names of their root caches. Stores at most size bytes, no NUL counted;
 * returns the whole length. The lines are of one moment: the machine is stopped for them.
 * Context: task, no spinlock held. Locks: takes RANK_MEMCG, RANK_CACHES, RANK_SLAB. */
size_t kmem_slabinfo(const struct memcg *memcg, char *buf, size_t size)
{
	struct textbuf t = { buf, size, 0 };
	struct kmem_cache *cache;
	struct kmem_stats stats;

	text_print(&t, "slabinfo - version: 2.1\n"
		   "# name            <active_objs> <num_objs> <objsize> <objperslab> "
		   "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata "
		   "<active_slabs> <num_slabs> <sharedavail>\n");
	mm_stop();
	spin_lock(&memcg_lock);
	spin_lock(&kmem_caches_lock);
	list_for_each(cache, &kmem_caches, link) {
		if (memcg && cache->memcg != memcg)
			continue;
		read_stats(cache, &stats);
		print_line(&t, memcg ? cache->root->name : stats.name, &stats);
	}
	spin_unlock(&kmem_caches_lock);
	spin_unlock(&memcg_lock);
	mm_resume();
	return t.len;
}

static int check_cache(struct kmem_cache *cache)
{
	struct kmem_cache *root = cache->root;
	struct kmem_stats stats;

	if (root->root != root || cache->id != root->id || cache->size != root->size ||
	    cache->order != root->order || cache->objs_per_slab != root->objs_per_slab)
		return 1;
	if (backend_count_pages(cache) != (unsigned long)atomic_load(&cache->nr_pages))
		return 2;
	read_stats(cache, &stats);
	if (stats.active_objs > stats.nr_objs ||
	    stats.nr_objs != stats.nr_slabs * cache->objs_per_slab ||
	    stats.active_slabs > stats.nr_slabs)
		return 3;
	return backend_check(cache);
}

/* Check every cache. Returns 0, or the number of the broken invariant (of kmem.c, or of the
 * backend). Locks: takes RANK_CACHES, RANK_SLAB. Context: the machine stopped. */
int kmem_check(void)
{
	struct kmem_cache *cache;
	int broken = 0;

	spin_lock(&kmem_caches_lock);
	list_for_each(cache, &kmem_caches, link) {
		broken = check_cache(cache);
		if (broken)
			break;
	}
	spin_unlock(&kmem_caches_lock);
	return broken;
}
