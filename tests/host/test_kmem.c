/* SPDX-License-Identifier: MIT */
/* Object caches and kmalloc as callers see them, the same for both backends. */
#include "tests/host/host.h"
#include "mm/kmem_impl.h"

static void checks(void)
{
	assert_int_equal(kmem_check(), 0);
	assert_int_equal(buddy_check(), 0);
	assert_int_equal(page_check(), 0);
}

static struct kmem_stats stats_of(struct kmem_cache *cache)
{
	struct kmem_stats stats;

	kmem_cache_stats(cache, &stats);
	return stats;
}

static struct kmem_cache *make(const char *name, size_t size)
{
	struct kmem_cache *cache = kmem_cache_create(name, size, 0, 0, NULL);

	assert_non_null(cache);
	return cache;
}

HOST_TEST(kmem_starts_clean)
{
	host_machine(16, 1);
	checks();
	assert_true(strcmp(kmem_backend_name(), "slub") == 0 ||
		    strcmp(kmem_backend_name(), "slab") == 0);
}

HOST_TEST(kmem_starts_with_64_cpus)
{
	host_machine(64, 64);
	host_cpu(63);
	kfree(kmalloc(100, GFP_KERNEL));
	checks();
}

HOST_TEST(kmem_objects_are_apart_and_aligned)
{
	static void *objs[3000];
	struct kmem_cache *cache;

	host_machine(32, 1);
	cache = kmem_cache_create("wide", 100, 64, 0, NULL);
	for (int i = 0; i < 3000; i++) {
		objs[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		assert_non_null(objs[i]);
		assert_true(IS_ALIGNED((uintptr_t)objs[i], 64));
		memset(objs[i], i, 100);
	}
	checks();
	assert_int_equal(stats_of(cache).active_objs, 3000);
	for (int i = 0; i < 3000; i++) {
		u8 *bytes = objs[i];

		assert_true(bytes[0] == (u8)i && bytes[99] == (u8)i);
		kmem_cache_free(cache, objs[i]);
	}
	assert_int_equal(stats_of(cache).active_objs, 0);
	checks();
}

HOST_TEST(kmem_shrink_returns_every_page)
{
	static void *objs[1000];
	struct kmem_cache *cache;
	unsigned long before;

	host_machine(32, 2);
	cache = make("shrunk", 200);
	before = page_nr_free();
	for (int i = 0; i < 1000; i++)
		objs[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	for (int i = 0; i < 1000; i++) {
		host_cpu(i % 2);
		kmem_cache_free(cache, objs[i]);
	}
	assert_true(kmem_cache_shrink(cache) > 0);
	assert_int_equal(page_nr_free(), before);
	assert_int_equal(stats_of(cache).nr_slabs, 0);
	assert_int_equal(kmem_cache_shrink(cache), 0);
	checks();
}

HOST_TEST(kmem_shrink_keeps_used_slabs)
{
	struct kmem_cache *cache;
	void *obj;

	host_machine(16, 1);
	cache = make("used", 64);
	obj = kmem_cache_alloc(cache, GFP_KERNEL);
	memset(obj, 0x77, 64);
	kmem_cache_shrink(cache);
	assert_int_equal(stats_of(cache).nr_slabs, 1);
	assert_int_equal(stats_of(cache).active_objs, 1);
	assert_int_equal(((u8 *)obj)[63], 0x77);
	kmem_cache_free(cache, obj);
	checks();
}

static int nr_constructed;

static void construct(void *obj)
{
	memset(obj, 0xc0, 48);
	nr_constructed++;
}

HOST_TEST(kmem_constructor_runs_once_for_each_object)
{
	struct kmem_cache *cache;
	struct kmem_stats stats;
	u8 *obj;

	host_machine(16, 1);
	cache = kmem_cache_create("built", 48, 0, 0, construct);
	for (int round = 0; round < 500; round++) {
		obj = kmem_cache_alloc(cache, GFP_KERNEL);
		for (int i = 0; i < 48; i++)
			assert_int_equal(obj[i], 0xc0);
		kmem_cache_free(cache, obj);
	}
	stats = stats_of(cache);
	assert_int_equal(nr_constructed, stats.nr_objs);
	kmem_cache_shrink(cache);
	checks();
}

HOST_TEST(kmem_zeroed_objects)
{
	struct kmem_cache *cache;

	host_machine(16, 1);
	cache = make("zeroed", 72);
	for (int round = 0; round < 200; round++) {
		u8 *obj = kmem_cache_alloc(cache, GFP_KERNEL | GFP_ZERO);

		for (int i = 0; i < 72; i++)
			assert_int_equal(obj[i], 0);
		memset(obj, 0xff, 72);
		kmem_cache_free(cache, obj);
	}
}

HOST_TEST(kmem_create_refuses_nonsense)
{
	host_machine(16, 1);
	assert_null(kmem_cache_create("none", 0, 0, 0, NULL));
	assert_null(kmem_cache_create("odd", 8, 24, 0, NULL));
	assert_null(kmem_cache_create("huge", 1 << 20, 0, 0, NULL));
	assert_null(kmem_cache_create("align", 8, 8192, 0, NULL));
	checks();
}

HOST_TEST(kmem_ids_run_out_and_come_back)
{
	struct kmem_cache *caches[KMEM_MAX_CACHES];
	unsigned n = 0;

	host_machine(64, 1);
	while ((caches[n] = kmem_cache_create("many", 32, 0, 0, NULL)) != NULL)
		n++;
	assert_in_range(n, KMEM_MAX_CACHES - 20, KMEM_MAX_CACHES - 1);
	assert_int_equal(kmem_cache_destroy(caches[7]), 0);
	caches[7] = kmem_cache_create("again", 32, 0, 0, NULL);
	assert_non_null(caches[7]);
	checks();
	while (n > 0)
		assert_int_equal(kmem_cache_destroy(caches[--n]), 0);
	checks();
}

HOST_TEST(kmem_destroy_gives_all_back)
{
	struct kmem_cache *cache, *meta;
	unsigned long before;

	host_machine(16, 2);
	cache = make("gone", 64);
	meta = page_of(cache)->cache;
	kmem_cache_destroy(cache);
	kmem_cache_shrink(meta);
	before = page_nr_free();
	cache = make("gone", 64);
	kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
	assert_int_equal(kmem_cache_destroy(cache), 0);
	kmem_cache_shrink(meta);
	assert_int_equal(page_nr_free(), before);
	checks();
}

HOST_TEST(kmem_destroy_refuses_while_used)
{
	struct kmem_cache *cache;
	void *obj;

	host_machine(16, 1);
	cache = make("busy", 64);
	obj = kmem_cache_alloc(cache, GFP_KERNEL);
	assert_int_equal(kmem_cache_destroy(cache), -EBUSY);
	host_assert_has(host_log(), "cache busy is still in use: 1 objects");
	kmem_cache_free(cache, obj);
	assert_int_equal(kmem_cache_destroy(cache), 0);
	checks();
}

HOST_TEST(kmem_failed_slab_leaves_no_trace)
{
	struct kmem_cache *cache;
	unsigned long before;
	void *obj;

	host_machine(16, 1);
	cache = make("failing", 500);
	before = page_nr_free();
	host_fail_after(1);
	assert_null(kmem_cache_alloc(cache, GFP_KERNEL));
	assert_int_equal(page_nr_free(), before);
	assert_int_equal(atomic_load(&cache->nr_pages), 0);
	checks();
	obj = kmem_cache_alloc(cache, GFP_KERNEL);
	assert_non_null(obj);
	kmem_cache_free(cache, obj);
}

HOST_TEST(kmem_create_fails_cleanly_at_every_page)
{
	unsigned long before, failures = 0;
	struct kmem_cache *cache = NULL;

	host_machine(64, 64);
	for (int i = 0; i < 20; i++)		/* use up what slabs of caches have free */
		assert_non_null(kmem_cache_create("filler", 32, 0, 0, NULL));
	for (long n = 1; !cache && n < 100; n++) {
		before = page_nr_free();
		host_fail_after(n);
		cache = kmem_cache_create("victim", 32, 0, 0, NULL);
		failures += !cache;
		assert_int_equal(kmem_check(), 0);
	}
	host_fail_after(0);
	(void)before;
	assert_non_null(cache);
	checks();
}

HOST_TEST(kmem_machine_exhausted)
{
	struct kmem_cache *cache;
	void *obj, *all = NULL;
	unsigned long before, n = 0;

	host_machine(16, 1);
	cache = make("glutton", 1000);
	before = page_nr_free();
	while ((obj = kmem_cache_alloc(cache, GFP_KERNEL)) != NULL) {
		*(void **)obj = all;
		all = obj;
		n++;
	}
	assert_true(n > 8000);
	checks();
	while ((obj = all) != NULL) {
		all = *(void **)obj;
		kmem_cache_free(cache, obj);
	}
	kmem_cache_shrink(cache);
	assert_int_equal(page_nr_free(), before);
	checks();
}

struct mix {
	struct kmem_cache *caches[4];
	void *objs[4][200];
	u64 seed;
};

static void mix_step(struct mix *m)
{
	unsigned c = host_random(&m->seed) % 4, i = host_random(&m->seed) % 200;

	host_cpu(host_random(&m->seed) % 4);
	if (m->objs[c][i]) {
		kmem_cache_free(m->caches[c], m->objs[c][i]);
		m->objs[c][i] = NULL;
		return;
	}
	if (host_random(&m->seed) % 16 == 0)
		host_fail_after(1);
	m->objs[c][i] = kmem_cache_alloc(m->caches[c], GFP_KERNEL);
	host_fail_after(0);
	if (m->objs[c][i])
		memset(m->objs[c][i], (int)i, m->caches[c]->object_size);
}

HOST_TEST(kmem_random_operations_on_four_cpus)
{
	static const size_t sizes[] = { 8, 72, 600, 5000 };
	static struct mix m = { .seed = 42 };
	unsigned long live;

	host_machine(64, 4);
	for (int c = 0; c < 4; c++)
		m.caches[c] = kmem_cache_create("mixed", sizes[c], 0, 0, c == 1 ? construct : NULL);
	for (int step = 0; step < 20000; step++) {
		mix_step(&m);
		if (step % 1000 == 0)
			checks();
		if (step % 3000 == 0)
			kmem_cache_shrink(m.caches[step % 4]);
	}
	for (int c = 0; c < 4; c++) {
		live = 0;
		for (int i = 0; i < 200; i++)
			live += m.objs[c][i] != NULL;
		assert_int_equal(stats_of(m.caches[c]).active_objs, live);
	}
}

HOST_TEST(slabinfo_format)
{
	static char text[16384];
	struct kmem_cache *cache;
	unsigned long active, total, size, per_slab, pages, slabs;
	char *line;
	size_t len;

	host_machine(16, 1);
	cache = make("listed", 40);
	if (!kmem_cache_alloc(cache, GFP_KERNEL))
		fail();
	len = kmem_slabinfo(NULL, text, sizeof(text) - 1);
	assert_true(len < sizeof(text));
	assert_memory_equal(text, "slabinfo - version: 2.1\n# name            <active_objs> ", 56);
	host_assert_has(text, "<active_slabs> <num_slabs> <sharedavail>\nkmem_cache  ");
	line = strstr(text, "\nlisted ");
	assert_non_null(line);
	assert_int_equal(sscanf(line, " listed %lu %lu %lu %lu %lu : tunables %*u %*u %*u : "
				"slabdata %*u %lu 0", &active, &total, &size, &per_slab, &pages,
				&slabs), 6);
	assert_int_equal(active, 1);
	assert_int_equal(total, per_slab);
	assert_int_equal(slabs, 1);
	assert_true(per_slab * size <= pages * PAGE_SIZE);
	assert_int_equal(kmem_slabinfo(NULL, NULL, 0), len);
}

HOST_TEST(kmalloc_sizes)
{
	static const size_t sizes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096,
					8192 };

	host_machine(32, 1);
	for (size_t n = 0; n <= KMALLOC_MAX_CACHED; n += n < 300 ? 1 : 97) {
		void *p = kmalloc(n, GFP_KERNEL);
		unsigned i = 0;

		assert_non_null(p);
		while (sizes[i] < n)
			i++;
		assert_int_equal(ksize(p), sizes[i]);
		memset(p, 1, ksize(p));
		kfree(p);
	}
	kfree(NULL);
	checks();
}

HOST_TEST(kmalloc_large)
{
	unsigned long before;
	void *p;

	host_machine(32, 1);
	before = page_nr_free();
	p = kmalloc(KMALLOC_MAX_CACHED + 1, GFP_KERNEL);
	assert_int_equal(ksize(p), 16384);
	assert_int_equal(page_of(p)->kind, PAGE_LARGE);
	memset(p, 1, ksize(p));
	kfree(p);
	p = kzalloc(KMALLOC_MAX, GFP_KERNEL);
	assert_non_null(p);
	assert_int_equal(((u8 *)p)[KMALLOC_MAX - 1], 0);
	kfree(p);
	assert_null(kmalloc(KMALLOC_MAX + 1, GFP_KERNEL));
	assert_null(kmalloc(~0ul, GFP_KERNEL));
	host_fail_after(1);
	assert_null(kmalloc(100000, GFP_KERNEL));
	assert_int_equal(page_nr_free(), before);
	checks();
}

HOST_TEST(kmalloc_alignment)
{
	host_machine(16, 1);
	for (size_t n = 8; n <= KMALLOC_MAX_CACHED; n *= 2) {
		void *p = kmalloc(n, GFP_KERNEL);

		assert_true(IS_ALIGNED((uintptr_t)p, MIN(n, (size_t)64)));
		kfree(p);
	}
}

static struct kmem_cache *apples, *pears;

static void free_twice(void)
{
	void *obj = kmem_cache_alloc(apples, GFP_KERNEL);

	kmem_cache_free(apples, obj);
	kmem_cache_free(apples, obj);
}

static void free_to_wrong_cache(void)
{
	kmem_cache_free(pears, kmem_cache_alloc(apples, GFP_KERNEL));
}

static void free_inside(void)
{
	kmem_cache_free(apples, (char *)kmem_cache_alloc(apples, GFP_KERNEL) + 8);
}

static void free_a_page(void)
{
	kmem_cache_free(apples, page_to_virt(page_alloc(PAGE_PIPE, 0, GFP_KERNEL)));
}

static void write_after(void)
{
	char *obj = kmem_cache_alloc(apples, GFP_KERNEL);

	obj[100] = 1;
	kmem_cache_free(apples, obj);
}

static void write_before(void)
{
	char *obj = kmem_cache_alloc(apples, GFP_KERNEL);

	obj[-1] = 1;
	kmem_cache_free(apples, obj);
}

static void write_freed(void)
{
	char *obj = kmem_cache_alloc(apples, GFP_KERNEL);

	kmem_cache_free(apples, obj);
	obj[17] = 1;
	for (int i = 0; i < 1000; i++)
		obj = kmem_cache_alloc(apples, GFP_KERNEL);
}

static void kfree_foreign(void)
{
	kfree(kmem_cache_alloc(apples, GFP_KERNEL));
}

static void kfree_twice_large(void)
{
	void *p = kmalloc(20000, GFP_KERNEL);

	kfree(p);
	kfree(p);
}

static void kfree_inside_large(void)
{
	kfree((char *)kmalloc(20000, GFP_KERNEL) + PAGE_SIZE);
}

HOST_TEST(misuse_is_reported)
{
	const char *text;

	host_machine(16, 1);
	apples = make("apples", 100);
	pears = make("pears", 100);
	text = host_expect_panic(free_twice, "double free");
	host_assert_has(text, "of cache apples");
	host_assert_has(text, "allocated at 0x");
	host_assert_has(text, "freed at 0x");
	text = host_expect_panic(free_to_wrong_cache, "wrong cache");
	host_assert_has(text, "to cache pears at 0x");
	host_assert_has(text, "belongs to cache apples; allocated at 0x");
	host_expect_panic(free_inside, "not the start of an object of cache apples");
	host_expect_panic(free_a_page, "it is in a pipe page, no slab");
	text = host_expect_panic(write_after, "red zone overwritten");
	host_assert_has(text, "bytes from offset");
	host_assert_has(text, " 01 bb bb");
	host_expect_panic(write_before, "red zone overwritten");
	text = host_expect_panic(write_freed, "use after free (poison overwritten)");
	host_assert_has(text, " 6b 01 6b");
	host_expect_panic(kfree_foreign, "not from kmalloc: it is in a slab page of cache apples");
	host_expect_panic(kfree_twice_large, "is free already");
	host_expect_panic(kfree_inside_large, "not from kmalloc");
	checks();
}

static void corrupt_and_check(void)
{
	char *obj = kmem_cache_alloc(apples, GFP_KERNEL);

	obj[101] = 3;
	if (kmem_check() == 15)
		panic("check found it");
}

HOST_TEST(check_finds_damage_before_the_free)
{
	host_machine(16, 1);
	apples = make("apples", 100);
	host_expect_panic(corrupt_and_check, "check found it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kmem_starts_clean),
		cmocka_unit_test(kmem_starts_with_64_cpus),
		cmocka_unit_test(kmem_objects_are_apart_and_aligned),
		cmocka_unit_test(kmem_shrink_returns_every_page),
		cmocka_unit_test(kmem_shrink_keeps_used_slabs),
		cmocka_unit_test(kmem_constructor_runs_once_for_each_object),
		cmocka_unit_test(kmem_zeroed_objects),
		cmocka_unit_test(kmem_create_refuses_nonsense),
		cmocka_unit_test(kmem_ids_run_out_and_come_back),
		cmocka_unit_test(kmem_destroy_gives_all_back),
		cmocka_unit_test(kmem_destroy_refuses_while_used),
		cmocka_unit_test(kmem_failed_slab_leaves_no_trace),
		cmocka_unit_test(kmem_create_fails_cleanly_at_every_page),
		cmocka_unit_test(kmem_machine_exhausted),
		cmocka_unit_test(kmem_random_operations_on_four_cpus),
		cmocka_unit_test(slabinfo_format),
		cmocka_unit_test(kmalloc_sizes),
		cmocka_unit_test(kmalloc_large),
		cmocka_unit_test(kmalloc_alignment),
		cmocka_unit_test(misuse_is_reported),
		cmocka_unit_test(check_finds_damage_before_the_free),
	};

	return cmocka_run_group_tests_name("kmem", tests, NULL, NULL);
}
