/* SPDX-License-Identifier: MIT */
/* early, page, pcp and buddy: from the loader's ranges to pages in use and back. */
#include "tests/host/host.h"
#include "mm/early.h"
#include "mm/page.h"

#define KIB	1024ull
#define MIB	(1024 * KIB)
#define GIB	(1024 * MIB)

static struct bootinfo bi;

static void range(u64 start, u64 bytes, bool usable)
{
	bi.ranges[bi.nr_ranges++] = (struct boot_range){ start, bytes, usable };
}

static struct { paddr_t start, end; } given[EARLY_MAX_RANGES];
static unsigned nr_given;

static void collect(paddr_t start, paddr_t end)
{
	given[nr_given].start = start;
	given[nr_given++].end = end;
}

static void assert_given(unsigned i, paddr_t start, paddr_t end)
{
	assert_true(i < nr_given);
	assert_int_equal(given[i].start, start);
	assert_int_equal(given[i].end, end);
}

static void checks(void)
{
	assert_int_equal(buddy_check(), 0);
	assert_int_equal(pcp_check(), 0);
	assert_int_equal(page_check(), 0);
}

HOST_TEST(early_merges_unsorted_overlapping_ranges)
{
	range(4 * MIB, 4 * MIB, true);
	range(1 * MIB, 2 * MIB, true);
	range(2 * MIB, 3 * MIB, true);
	early_init(&bi, 1 * MIB, 1 * MIB + 64 * KIB);
	assert_int_equal(early_check(), 0);
	early_hand_over(collect);
	assert_int_equal(nr_given, 1);
	assert_given(0, 1 * MIB + 64 * KIB, 8 * MIB);
}

HOST_TEST(early_reserved_wins_and_is_grown_to_pages)
{
	range(3 * MIB + 100, 10, false);
	range(1 * MIB + 1, 7 * MIB, true);
	early_init(&bi, 0, 0);
	early_hand_over(collect);
	assert_int_equal(nr_given, 2);
	assert_given(0, 1 * MIB + 4 * KIB, 3 * MIB);
	assert_given(1, 3 * MIB + 4 * KIB, 8 * MIB);
}

HOST_TEST(early_frame_zero_is_never_free)
{
	range(0, 640 * KIB, true);
	range(1 * MIB, MIB, true);
	early_init(&bi, 1 * MIB, 1 * MIB + 1);
	early_hand_over(collect);
	assert_given(0, 4 * KIB, 640 * KIB);
	assert_given(1, 1 * MIB + 4 * KIB, 2 * MIB);
}

HOST_TEST(early_alloc_prefers_below_4g_above_1m)
{
	range(0, 640 * KIB, true);
	range(1 * MIB, MIB, true);
	range(4 * GIB, MIB, true);
	early_init(&bi, 0, 0);
	assert_int_equal(early_ram_end(), 4 * GIB + MIB);
	assert_int_equal(early_alloc(100, 1), 1 * MIB);
	assert_int_equal(early_alloc(64 * KIB, 64 * KIB), 1 * MIB + 64 * KIB);
	assert_int_equal(early_alloc(896 * KIB, 4096), 1 * MIB + 128 * KIB);
	assert_true(early_alloc(512 * KIB, 4096) < 1 * MIB);
	assert_int_equal(early_alloc(512 * KIB, 4096), 4 * GIB);
	assert_int_equal(early_alloc(2 * MIB, 4096), 0);
	assert_int_equal(early_alloc(0, 4096), 0);
	assert_int_equal(early_check(), 0);
}

HOST_TEST(early_reserve_keeps_modules_out)
{
	range(1 * MIB, 4 * MIB, true);
	early_init(&bi, 1 * MIB, 2 * MIB);
	assert_int_equal(early_reserve(2 * MIB, MIB - 5), 0);
	assert_int_equal(early_reserve(64 * GIB, 100), 0);
	assert_int_equal(early_reserve(0, 0), 0);
	assert_int_equal(early_alloc(4096, 4096), 3 * MIB);
}

HOST_TEST(early_runs_out_of_ranges_with_an_error)
{
	int err = 0;

	range(1 * MIB, 512 * MIB, true);
	early_init(&bi, 0, 0);
	for (unsigned i = 1; i < EARLY_MAX_RANGES; i++)
		assert_int_equal(early_reserve(MIB + i * 64 * KIB, 1), 0);
	err = early_reserve(400 * MIB, 1);
	assert_int_equal(err, -ENOMEM);
	assert_int_equal(early_check(), 0);
}

static void no_ram(void)
{
	range(0, 100, true);
	early_init(&bi, 0, 0);
}

HOST_TEST(early_without_ram_says_so)
{
	host_expect_panic(no_ram, "no usable RAM");
}

HOST_TEST(early_ranges_past_the_top_do_not_wrap)
{
	range(1 * MIB, ~0ull, true);
	range(~0ull - 100, 200, false);
	early_init(&bi, 0, 0);
	assert_int_equal(early_check(), 0);
	assert_int_equal(early_alloc(4096, 4096), MIB);
}

HOST_TEST(machine_of_16_mib_starts)
{
	host_machine(16, 1);
	checks();
	assert_true(page_nr_free() > 3000);
}

HOST_TEST(buddy_splits_and_merges)
{
	unsigned long before[MAX_ORDER + 1], after[MAX_ORDER + 1];
	struct page *page;

	host_machine(32, 1);
	buddy_count_free(before);
	for (unsigned order = 1; order <= MAX_ORDER; order++) {
		page = page_alloc(PAGE_KERNEL, order, GFP_KERNEL);
		assert_non_null(page);
		assert_true(IS_ALIGNED(page_to_pfn(page), 1ul << order));
		assert_int_equal(page->order, order);
		checks();
		page_free(page);
		checks();
	}
	buddy_count_free(after);
	assert_memory_equal(before, after, sizeof(before));
}

HOST_TEST(buddy_gives_every_page_once)
{
	static u8 seen[16384];
	unsigned long n = 0, nr_free;
	struct page *page, *all = NULL;

	host_machine(32, 1);
	nr_free = page_nr_free();
	while ((page = page_alloc(PAGE_KERNEL, 0, GFP_ATOMIC)) != NULL) {
		assert_int_equal(seen[page_to_pfn(page)]++, 0);
		page->cache = (void *)all;
		all = page;
		n++;
	}
	assert_int_equal(n, nr_free);
	assert_int_equal(page_nr_free(), 0);
	checks();
	for (; all; all = page) {
		page = (void *)all->cache;
		page_free(all);
	}
	assert_int_equal(page_nr_free(), nr_free);
	pcp_drain_all();
	checks();
}

HOST_TEST(buddy_random_orders)
{
	struct page *held[256] = { NULL };
	unsigned long nr_free;
	u64 seed = 1;

	host_machine(32, 1);
	nr_free = page_nr_free();
	for (int step = 0; step < 5000; step++) {
		unsigned i = host_random(&seed) % 256;

		if (held[i]) {
			page_free(held[i]);
			held[i] = NULL;
		} else {
			held[i] = page_alloc(PAGE_KERNEL, host_random(&seed) % 6, GFP_ATOMIC);
		}
		if (step % 500 == 0)
			checks();
	}
	for (int i = 0; i < 256; i++) {
		if (held[i])
			page_free(held[i]);
	}
	assert_int_equal(page_nr_free(), nr_free);
	checks();
}

HOST_TEST(buddy_refuses_too_large_orders)
{
	host_machine(16, 1);
	assert_null(page_alloc(PAGE_KERNEL, MAX_ORDER + 1, GFP_KERNEL));
}

HOST_TEST(a_waiting_allocation_drains_the_page_lists)
{
	struct page *page, *all = NULL, *big;

	host_machine(16, 1);
	while ((page = page_alloc(PAGE_KERNEL, 0, GFP_ATOMIC)) != NULL) {
		page->cache = (void *)all;
		all = page;
	}
	for (int i = 0; i < 40; i++) {		/* neighbours, freed to this CPU's list */
		page = (void *)all->cache;
		page_free(all);
		all = page;
	}
	assert_null(page_alloc(PAGE_KERNEL, 2, GFP_ATOMIC));
	big = page_alloc(PAGE_KERNEL, 2, GFP_KERNEL);
	assert_non_null(big);
	page_free(big);
	checks();
}

HOST_TEST(pcp_moves_batches)
{
	struct page *pages[100];

	host_machine(16, 2);
	pcp_drain_all();
	assert_int_equal(pcp_nr_free(), 0);
	pages[0] = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL);
	assert_int_equal(pcp_nr_free(), 15);
	for (int i = 1; i < 100; i++)
		pages[i] = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL);
	host_cpu(1);
	for (int i = 0; i < 100; i++) {
		page_free(pages[i]);
		assert_int_equal(pcp_check(), 0);
	}
	assert_true(pcp_nr_free() >= 48);
	pcp_drain_all();
	host_cpu(0);
	pcp_drain_all();
	assert_int_equal(pcp_nr_free(), 0);
	checks();
}

HOST_TEST(pcp_is_last_in_first_out)
{
	struct page *page;

	host_machine(16, 1);
	page = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL);
	page_free(page);
	assert_ptr_equal(page_alloc(PAGE_USER, 0, GFP_KERNEL), page);
}

HOST_TEST(page_zero_and_tails)
{
	struct page *page;
	char *bytes;

	host_machine(16, 1);
	page = page_alloc(PAGE_LARGE, 3, GFP_KERNEL | GFP_ZERO);
	bytes = page_to_virt(page);
	for (size_t i = 0; i < 8 * PAGE_SIZE; i++)
		assert_int_equal(bytes[i], 0);
	assert_ptr_equal(page_of(bytes), page);
	assert_ptr_equal(page_of(bytes + 5 * PAGE_SIZE + 77), page);
	assert_ptr_equal(phys_to_page(page_to_phys(page)), page);
	page_free(page);
}

HOST_TEST(page_failure_on_request)
{
	struct page *page;

	host_machine(16, 1);
	host_fail_after(2);
	page = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL);
	assert_non_null(page);
	assert_null(page_alloc(PAGE_KERNEL, 0, GFP_KERNEL));
	page_free(page);
	page_free(page_alloc(PAGE_KERNEL, 0, GFP_KERNEL));
}

HOST_TEST(page_without_group_is_charged_to_nobody)
{
	struct page *page;

	host_machine(16, 1);
	page = page_alloc_charged(PAGE_PIPE, 0, GFP_KERNEL);
	assert_non_null(page);
	assert_null(page->owner);
	page_free(page);
	host_fail_after(1);
	assert_null(page_alloc_charged(PAGE_PIPE, 0, GFP_KERNEL));
}

static void double_free_single(void)
{
	struct page *page = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL);

	page_free(page);
	page_free(page);
}

static void double_free_block(void)
{
	struct page *page = page_alloc(PAGE_KERNEL, 3, GFP_KERNEL);

	page_free(page);
	page_free(page);
}

static void free_tail(void)
{
	page_free(page_alloc(PAGE_KERNEL, 1, GFP_KERNEL) + 1);
}

static void free_reserved(void)
{
	page_free(pfn_to_page(0));
}

static void use_freed(void)
{
	struct page *page = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL);

	page_free(page);
	((u64 *)page_to_virt(page))[5] = 0xdead;
	page_free(page_alloc(PAGE_KERNEL, 0, GFP_KERNEL));
}

static void page_of_freed(void)
{
	struct page *page = page_alloc(PAGE_KERNEL, 2, GFP_KERNEL);
	char *addr = page_to_virt(page);

	page_free(page);
	page_of(addr + PAGE_SIZE);
}

static void page_of_nonsense(void)
{
	page_of(host_ram + host_ram_bytes() + 1);
}

HOST_TEST(page_misuse_is_reported)
{
	host_machine(16, 1);
	host_expect_panic(double_free_single, "is free already; it was freed at");
	host_expect_panic(double_free_block, "is free already; it was freed at");
	host_expect_panic(free_tail, "is tail, not the head");
	host_expect_panic(free_reserved, "is reserved, not the head");
	host_expect_panic(use_freed, "was written at offset 40: 0x000000000000dead");
	host_expect_panic(page_of_freed, "is free already");
	host_expect_panic(page_of_nonsense, "outside RAM");
	checks();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(early_merges_unsorted_overlapping_ranges),
		cmocka_unit_test(early_reserved_wins_and_is_grown_to_pages),
		cmocka_unit_test(early_frame_zero_is_never_free),
		cmocka_unit_test(early_alloc_prefers_below_4g_above_1m),
		cmocka_unit_test(early_reserve_keeps_modules_out),
		cmocka_unit_test(early_runs_out_of_ranges_with_an_error),
		cmocka_unit_test(early_without_ram_says_so),
		cmocka_unit_test(early_ranges_past_the_top_do_not_wrap),
		cmocka_unit_test(machine_of_16_mib_starts),
		cmocka_unit_test(buddy_splits_and_merges),
		cmocka_unit_test(buddy_gives_every_page_once),
		cmocka_unit_test(buddy_random_orders),
		cmocka_unit_test(buddy_refuses_too_large_orders),
		cmocka_unit_test(a_waiting_allocation_drains_the_page_lists),
		cmocka_unit_test(pcp_moves_batches),
		cmocka_unit_test(pcp_is_last_in_first_out),
		cmocka_unit_test(page_zero_and_tails),
		cmocka_unit_test(page_failure_on_request),
		cmocka_unit_test(page_without_group_is_charged_to_nobody),
		cmocka_unit_test(page_misuse_is_reported),
	};

	return cmocka_run_group_tests_name("buddy", tests, NULL, NULL);
}
