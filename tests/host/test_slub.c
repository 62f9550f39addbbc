/* SPDX-License-Identifier: MIT */
/* What is SLUB's own: the frozen cpu slab, the free list in the objects, partial lists. */
#include "tests/host/host.h"
#include "mm/kmem_impl.h"

#define MAX_OBJS 4096

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

static unsigned long nr_slabs(void)
{
	return backend_count_pages(cache) >> cache->order;
}

HOST_TEST(cpu_slab_is_frozen_until_exhausted)
{
	struct page *slab;

	start(1, 64);
	fill(1);
	slab = page_of(objs[0]);
	assert_true(slab->frozen);
	assert_int_equal(slab->inuse, slab->objects);	/* the rest is the CPU's */
	assert_null(slab->freelist);
	fill(cache->objs_per_slab);			/* takes the rest and one of the next */
	assert_false(slab->frozen);
	assert_true(page_of(objs[cache->objs_per_slab - 1])->frozen);
	assert_int_equal(nr_slabs(), 2);
	assert_int_equal(kmem_check(), 0);
}

HOST_TEST(objects_of_a_slab_come_in_address_order)
{
	start(1, 64);
	fill(cache->objs_per_slab);
	for (unsigned i = 1; i < cache->objs_per_slab; i++)
		assert_ptr_equal((char *)objs[i], (char *)objs[i - 1] + cache->size);
}

HOST_TEST(last_freed_is_first_allocated)
{
	start(1, 64);
	fill(3);
	kmem_cache_free(cache, objs[1]);
	kmem_cache_free(cache, objs[0]);
	assert_ptr_equal(kmem_cache_alloc(cache, GFP_KERNEL), objs[0]);
	assert_ptr_equal(kmem_cache_alloc(cache, GFP_KERNEL), objs[1]);
}

HOST_TEST(remote_free_goes_to_the_slab_and_is_found_later)
{
	struct page *slab;
	unsigned n;

	start(2, 64);
	n = cache->objs_per_slab;
	fill(n);
	slab = page_of(objs[0]);
	host_cpu(1);
	kmem_cache_free(cache, objs[5]);
	assert_int_equal(slab->inuse, n - 1);
	assert_non_null(slab->freelist);
	assert_int_equal(kmem_check(), 0);
	host_cpu(0);					/* its own list is empty */
	assert_ptr_equal(kmem_cache_alloc(cache, GFP_KERNEL), objs[5]);
	assert_int_equal(nr_slabs(), 1);
	assert_int_equal(kmem_check(), 0);
}

HOST_TEST(each_cpu_has_its_own_slab)
{
	void *a, *b;

	start(2, 64);
	a = kmem_cache_alloc(cache, GFP_KERNEL);
	host_cpu(1);
	b = kmem_cache_alloc(cache, GFP_KERNEL);
	assert_ptr_not_equal(page_of(a), page_of(b));
	assert_int_equal(nr_slabs(), 2);
	assert_int_equal(kmem_check(), 0);
}

HOST_TEST(full_slab_joins_the_reserve_of_who_frees)
{
	struct page *slab;
	unsigned n;

	start(2, 64);
	n = cache->objs_per_slab;
	fill(n + 1);
	slab = page_of(objs[0]);
	assert_false(slab->frozen);
	host_cpu(1);
	kmem_cache_free(cache, objs[0]);
	assert_true(slab->frozen);			/* CPU 1's now */
	assert_int_equal(kmem_check(), 0);
	assert_ptr_equal(kmem_cache_alloc(cache, GFP_KERNEL), objs[0]);
	assert_int_equal(nr_slabs(), 2);
}

HOST_TEST(reserve_overflows_to_the_partial_list)
{
	unsigned n, thawed = 0;

	start(1, 64);
	n = cache->objs_per_slab;
	fill(40 * n);
	for (unsigned i = 0; i < 35; i++)		/* one object from each of 35 full slabs */
		kmem_cache_free(cache, objs[i * n]);
	for (unsigned i = 0; i < 35; i++)
		thawed += !page_of(objs[i * n + 1])->frozen;
	assert_int_equal(thawed, 30);			/* cpu_partial of small objects */
	assert_int_equal(kmem_check(), 0);
	for (unsigned i = 0; i < 35; i++)		/* all of them are used again first */
		assert_non_null(kmem_cache_alloc(cache, GFP_KERNEL));
	assert_int_equal(nr_slabs(), 40);
	assert_int_equal(kmem_check(), 0);
}

HOST_TEST(few_empty_slabs_are_kept)
{
	unsigned n;

	start(1, 512);
	n = cache->objs_per_slab;
	fill(60 * n);
	for (unsigned i = 0; i < 60 * n; i++)
		kmem_cache_free(cache, objs[i]);
	assert_in_range(nr_slabs(), 5, 5 + 13 + 1);	/* MIN_PARTIAL, reserve, cpu slab */
	assert_int_equal(kmem_check(), 0);
	kmem_cache_shrink(cache);
	assert_int_equal(nr_slabs(), 0);
}

HOST_TEST(orders_waste_at_most_a_sixteenth_if_they_can)
{
	host_machine(32, 1);
	for (size_t size = 8; size <= 1024; size += 24) {
		struct kmem_cache *c = kmem_cache_create("sized", size, 0, 0, NULL);
		size_t slab = PAGE_SIZE << c->order;

		assert_in_range(c->order, 0, 3);
		assert_int_equal(c->objs_per_slab, slab / c->size);
		assert_true(c->objs_per_slab >= 8);
		assert_true(slab - c->objs_per_slab * c->size <= slab / 16);
		kmem_cache_destroy(c);
	}
}

HOST_TEST(dead_cache_keeps_nothing)
{
	unsigned n;

	start(1, 64);
	n = cache->objs_per_slab;
	fill(3 * n);
	cache->dead = true;
	cache->doomed = true;				/* accounting must not destroy a root */
	kmem_cache_shrink(cache);
	for (unsigned i = 0; i < 3 * n; i++) {
		kmem_cache_free(cache, objs[i]);
		assert_int_equal(kmem_check(), 0);
	}
	assert_int_equal(nr_slabs(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_slab_is_frozen_until_exhausted),
		cmocka_unit_test(objects_of_a_slab_come_in_address_order),
		cmocka_unit_test(last_freed_is_first_allocated),
		cmocka_unit_test(remote_free_goes_to_the_slab_and_is_found_later),
		cmocka_unit_test(each_cpu_has_its_own_slab),
		cmocka_unit_test(full_slab_joins_the_reserve_of_who_frees),
		cmocka_unit_test(reserve_overflows_to_the_partial_list),
		cmocka_unit_test(few_empty_slabs_are_kept),
		cmocka_unit_test(orders_waste_at_most_a_sixteenth_if_they_can),
		cmocka_unit_test(dead_cache_keeps_nothing),
	};

	return cmocka_run_group_tests_name("slub", tests, NULL, NULL);
}
