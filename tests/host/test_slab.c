/* SPDX-License-Identifier: MIT */
/* What is SLAB's own: colours, batches between arrays and slabs, the three lists. */
#include "tests/host/host.h"
#include "mm/kmem_impl.h"

#define MAX_OBJS 8192

static struct kmem_cache *cache;
static void *objs[MAX_OBJS];

static void start(unsigned cpus, size_t size)
{
	host_machine(32, cpus);
	cache = kmem_cache_create("tested", size, 0, 0, NULL);
	assert_non_null(cache);
}

static void fill(unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		objs[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		assert_non_null(objs[i]);
	}
}

static struct kmem_stats stats(void)
{
	struct kmem_stats s;

	kmem_cache_stats(cache, &s);
	return s;
}

HOST_TEST(limits_follow_the_object_size)
{
	static const struct { size_t size; unsigned limit, batch; } want[] = {
		{ 64, 120, 60 }, { 400, 54, 27 }, { 2000, 24, 12 }, { 6000, 8, 4 },
	};

	host_machine(32, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		cache = kmem_cache_create("sized", want[i].size, 0, 0, NULL);
		assert_int_equal(stats().limit, want[i].limit);
		assert_int_equal(stats().batchcount, want[i].batch);
	}
}

HOST_TEST(slabs_take_turns_in_colour)
{
	unsigned nr_colours = 0, last = 0, n;
	struct page *slab = NULL;

	start(1, 400);
	n = cache->objs_per_slab;
	fill(40 * n);
	for (unsigned i = 0; i < 40 * n; i++) {
		if (page_of(objs[i]) == slab)
			continue;
		if (slab && page_of(objs[i])->colour != last + 1)
			assert_int_equal(page_of(objs[i])->colour, 0);
		slab = page_of(objs[i]);
		last = slab->colour;
		nr_colours = MAX(nr_colours, last + 1);
	}
	assert_true(nr_colours > 1);
	assert_int_equal(kmem_check(), 0);
}

HOST_TEST(a_colour_moves_objects_by_cache_lines)
{
	uintptr_t low[2] = { ~0ul, ~0ul };
	unsigned n;

	start(1, 400);
	n = cache->objs_per_slab;
	fill(2 * n + 60);
	for (unsigned i = 0; i < 2 * n + 60; i++) {
		struct page *slab = page_of(objs[i]);
		uintptr_t at = (uintptr_t)objs[i] - (uintptr_t)page_to_virt(slab);

		if (slab->colour < 2)
			low[slab->colour] = MIN(low[slab->colour], at);
	}
	assert_int_equal(low[1] - low[0], CACHELINE);
}

HOST_TEST(an_empty_array_fetches_a_batch)
{
	struct page *slab;

	start(1, 400);
	fill(1);
	slab = page_of(objs[0]);
	assert_int_equal(stats().batchcount, 27);
	assert_int_equal(slab->inuse, MIN(27u, cache->objs_per_slab));
	assert_int_equal(stats().active_objs, 1);	/* the rest of the batch is not active */
	assert_int_equal(kmem_check(), 0);
}

static unsigned long in_use_of_slabs(void)
{
	struct page *seen = NULL;
	unsigned long n = 0;

	for (pfn_t i = 0; i < nr_frames; i++) {
		struct page *page = pfn_to_page(i);

		if (page->kind == PAGE_SLAB && page->cache == cache && page != seen)
			n += page->inuse;
		seen = page;
	}
	return n;
}

HOST_TEST(a_full_array_sends_home_its_oldest_batch)
{
	unsigned long before;

	start(1, 400);
	fill(270);					/* ten batches: the array is empty */
	before = in_use_of_slabs();
	assert_int_equal(before, 270);
	for (unsigned i = 0; i < 54; i++)
		kmem_cache_free(cache, objs[i]);
	assert_int_equal(in_use_of_slabs(), before);	/* all in the array, no slab touched */
	kmem_cache_free(cache, objs[54]);
	assert_int_equal(in_use_of_slabs(), before - 27);
	assert_int_equal(kmem_check(), 0);
	for (unsigned i = 0; i < 28; i++)		/* the newest come back first */
		assert_ptr_equal(kmem_cache_alloc(cache, GFP_KERNEL), objs[54 - i]);
}

HOST_TEST(arrays_belong_to_cpus)
{
	start(2, 64);
	fill(1);
	kmem_cache_free(cache, objs[0]);
	host_cpu(1);
	assert_ptr_not_equal(kmem_cache_alloc(cache, GFP_KERNEL), objs[0]);
	host_cpu(0);
	assert_ptr_equal(kmem_cache_alloc(cache, GFP_KERNEL), objs[0]);
	assert_int_equal(kmem_check(), 0);
}

HOST_TEST(slabs_move_between_the_three_lists)
{
	struct page *slab;
	unsigned n;

	start(1, 400);
	n = cache->objs_per_slab;
	fill(4 * n);
	kmem_cache_shrink(cache);			/* arrays empty, no free slab */
	slab = page_of(objs[0]);
	assert_int_equal(slab->inuse, n);		/* full */
	assert_int_equal(stats().active_slabs, 4);
	kmem_cache_free(cache, objs[0]);
	kmem_cache_shrink(cache);
	assert_int_equal(slab->inuse, n - 1);		/* partial */
	assert_int_equal(kmem_check(), 0);
	assert_ptr_equal(kmem_cache_alloc(cache, GFP_KERNEL), objs[0]);	/* and used first */
	for (unsigned i = 0; i < 4 * n; i++)
		kmem_cache_free(cache, objs[i]);
	assert_int_equal(kmem_check(), 0);
	assert_int_equal(stats().active_objs, 0);
	assert_true(kmem_cache_shrink(cache) > 0);
	assert_int_equal(stats().nr_slabs, 0);
}

HOST_TEST(free_slabs_are_bounded)
{
	unsigned long limit;

	start(1, 64);
	fill(MAX_OBJS);
	for (unsigned i = 0; i < MAX_OBJS; i++)
		kmem_cache_free(cache, objs[i]);
	limit = 2 * 60 + cache->objs_per_slab;		/* free_limit on one CPU */
	assert_true(stats().nr_objs <= limit + 120 + cache->objs_per_slab);
	assert_true(stats().nr_objs > 0);
	assert_int_equal(kmem_check(), 0);
}

HOST_TEST(management_and_objects_fill_the_slab)
{
	host_machine(32, 1);
	for (size_t size = 8; size <= 8192; size += 200) {
		struct kmem_cache *c = kmem_cache_create("sized", size, 0, 0, NULL);
		size_t used = ALIGN_UP(2 * c->objs_per_slab, c->align) + c->objs_per_slab * c->size;

		assert_in_range(c->order, 0, 3);
		assert_true(used <= PAGE_SIZE << c->order);
		assert_true(c->order == 3 || (PAGE_SIZE << c->order) - used <= PAGE_SIZE << c->order >> 3);
		kmem_cache_destroy(c);
	}
}

HOST_TEST(dead_cache_keeps_nothing)
{
	start(2, 64);
	fill(300);
	cache->dead = true;
	cache->doomed = true;				/* accounting must not destroy a root */
	kmem_cache_shrink(cache);
	for (unsigned i = 0; i < 300; i++) {
		host_cpu(i % 2);
		kmem_cache_free(cache, objs[i]);
		assert_int_equal(kmem_check(), 0);
	}
	assert_int_equal(stats().nr_slabs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_follow_the_object_size),
		cmocka_unit_test(slabs_take_turns_in_colour),
		cmocka_unit_test(a_colour_moves_objects_by_cache_lines),
		cmocka_unit_test(an_empty_array_fetches_a_batch),
		cmocka_unit_test(a_full_array_sends_home_its_oldest_batch),
		cmocka_unit_test(arrays_belong_to_cpus),
		cmocka_unit_test(slabs_move_between_the_three_lists),
		cmocka_unit_test(free_slabs_are_bounded),
		cmocka_unit_test(management_and_objects_fill_the_slab),
		cmocka_unit_test(dead_cache_keeps_nothing),
	};

	return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
