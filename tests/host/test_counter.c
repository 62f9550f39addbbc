/* SPDX-License-Identifier: MIT */
/* Page counters: exact charges and refusals, at every level, on any number of CPUs. */
#include "tests/host/host.h"
#include <pthread.h>
#include "mm/counter.h"

static struct page_counter top, mid, low;

static void three_levels(long top_limit, long mid_limit, long low_limit)
{
	page_counter_init(&top, NULL);
	page_counter_init(&mid, &top);
	page_counter_init(&low, &mid);
	assert_int_equal(page_counter_set_limit(&top, (unsigned long)top_limit), 0);
	assert_int_equal(page_counter_set_limit(&mid, (unsigned long)mid_limit), 0);
	assert_int_equal(page_counter_set_limit(&low, (unsigned long)low_limit), 0);
}

static void assert_usage(unsigned long t, unsigned long m, unsigned long l)
{
	assert_int_equal(page_counter_read(&top), t);
	assert_int_equal(page_counter_read(&mid), m);
	assert_int_equal(page_counter_read(&low), l);
	assert_int_equal(page_counter_check(&top), 0);
	assert_int_equal(page_counter_check(&mid), 0);
	assert_int_equal(page_counter_check(&low), 0);
}

HOST_TEST(starts_empty_and_unlimited)
{
	page_counter_init(&top, NULL);
	assert_int_equal(page_counter_read(&top), 0);
	assert_int_equal(atomic_load(&top.limit), COUNTER_MAX);
	assert_int_equal(COUNTER_MAX * 4096, 9223372036854771712ul);
}

HOST_TEST(a_charge_counts_at_every_level)
{
	three_levels(100, 100, 100);
	assert_int_equal(page_counter_try_charge(&low, 3, NULL), 0);
	assert_int_equal(page_counter_try_charge(&mid, 2, NULL), 0);
	assert_usage(5, 5, 3);
	page_counter_uncharge(&low, 3);
	page_counter_uncharge(&mid, 2);
	assert_usage(0, 0, 0);
}

HOST_TEST(the_first_level_without_room_refuses)
{
	struct page_counter *refused = NULL;

	three_levels(100, 5, 10);
	assert_int_equal(page_counter_try_charge(&low, 5, &refused), 0);
	assert_int_equal(page_counter_try_charge(&low, 1, &refused), -ENOMEM);
	assert_ptr_equal(refused, &mid);
	assert_int_equal(page_counter_set_limit(&low, 5), 0);
	assert_int_equal(page_counter_try_charge(&low, 1, &refused), -ENOMEM);
	assert_ptr_equal(refused, &low);
}

HOST_TEST(a_refusal_is_undone_exactly)
{
	three_levels(7, 100, 100);
	assert_int_equal(page_counter_try_charge(&low, 4, NULL), 0);
	assert_int_equal(page_counter_try_charge(&low, 4, NULL), -ENOMEM);
	assert_usage(4, 4, 4);
}

HOST_TEST(a_refused_charge_raises_no_watermark_and_no_failcnt)
{
	three_levels(7, 100, 100);
	assert_int_equal(page_counter_try_charge(&low, 8, NULL), -ENOMEM);
	assert_int_equal(atomic_load(&low.watermark), 0);
	assert_int_equal(atomic_load(&mid.watermark), 0);
	assert_int_equal(atomic_load(&top.failcnt), 0);
}

HOST_TEST(a_charge_may_fill_the_limit_to_the_page)
{
	three_levels(16, 16, 16);
	for (int i = 0; i < 4; i++)
		assert_int_equal(page_counter_try_charge(&low, 4, NULL), 0);
	assert_int_equal(page_counter_try_charge(&low, 1, NULL), -ENOMEM);
	assert_usage(16, 16, 16);
}

HOST_TEST(a_large_charge_does_not_fit_where_a_small_one_does)
{
	three_levels(16, 6, 16);
	assert_int_equal(page_counter_try_charge(&low, 4, NULL), 0);
	assert_int_equal(page_counter_try_charge(&low, 4, NULL), -ENOMEM);
	assert_int_equal(page_counter_try_charge(&low, 2, NULL), 0);
	assert_usage(6, 6, 6);
}

HOST_TEST(limit_zero_refuses_everything)
{
	three_levels(0, 10, 10);
	assert_int_equal(page_counter_try_charge(&low, 1, NULL), -ENOMEM);
	assert_usage(0, 0, 0);
}

HOST_TEST(a_limit_below_usage_is_busy_and_the_old_one_stays)
{
	three_levels(100, 100, 10);
	assert_int_equal(page_counter_try_charge(&low, 8, NULL), 0);
	assert_int_equal(page_counter_set_limit(&low, 7), -EBUSY);
	assert_int_equal(atomic_load(&low.limit), 10);
	assert_int_equal(page_counter_set_limit(&low, 8), 0);
	assert_int_equal(page_counter_try_charge(&low, 1, NULL), -ENOMEM);
}

HOST_TEST(a_limit_past_the_largest_is_unlimited)
{
	three_levels(100, 100, 10);
	assert_int_equal(page_counter_set_limit(&low, ~0ul), 0);
	assert_int_equal(atomic_load(&low.limit), COUNTER_MAX);
}

HOST_TEST(forced_charges_pass_every_limit)
{
	three_levels(4, 3, 2);
	page_counter_charge_forced(&low, 9);
	assert_usage(9, 9, 9);
	assert_int_equal(atomic_load(&mid.forced), 9);
	assert_int_equal(page_counter_try_charge(&low, 1, NULL), -ENOMEM);
	page_counter_uncharge(&low, 9);
	assert_usage(0, 0, 0);
	assert_int_equal(page_counter_try_charge(&low, 2, NULL), 0);
}

HOST_TEST(the_watermark_keeps_the_highest_usage_until_reset)
{
	three_levels(100, 100, 100);
	assert_int_equal(page_counter_try_charge(&low, 9, NULL), 0);
	page_counter_uncharge(&low, 6);
	assert_int_equal(atomic_load(&top.watermark), 9);
	page_counter_reset_watermark(&top);
	assert_int_equal(atomic_load(&top.watermark), 3);
	assert_int_equal(atomic_load(&low.watermark), 9);
}

static void uncharge_too_much(void)
{
	page_counter_uncharge(&low, 3);
}

HOST_TEST(an_uncharge_of_more_than_was_charged_panics)
{
	three_levels(100, 100, 100);
	assert_int_equal(page_counter_try_charge(&low, 2, NULL), 0);
	host_expect_panic(uncharge_too_much, "only 2 were charged");
}

HOST_TEST(the_check_names_what_is_broken)
{
	three_levels(10, 10, 10);
	assert_int_equal(page_counter_try_charge(&low, 2, NULL), 0);
	atomic_store(&low.usage, 11);
	assert_int_equal(page_counter_check(&low), 2);
	atomic_store(&low.usage, 3);
	assert_int_equal(page_counter_check(&low), 3);
	atomic_store(&low.watermark, 3);
	assert_int_equal(page_counter_check(&low), 5);
	atomic_store(&low.usage, -1);
	assert_int_equal(page_counter_check(&low), 1);
	atomic_store(&low.usage, 2);
	atomic_store(&low.limit, -5);
	atomic_store(&low.forced, 100);
	assert_int_equal(page_counter_check(&low), 4);
}

#define ROUNDS 20000

static atomic_long admitted;

static void *charge_and_uncharge(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		if (page_counter_try_charge(&low, 3, NULL) < 0)
			continue;
		assert_true(atomic_add_return(&admitted, 3) <= 10);
		atomic_sub_return(&admitted, 3);
		page_counter_uncharge(&low, 3);
	}
	return NULL;
}

HOST_TEST(threads_never_hold_more_than_the_limit)
{
	pthread_t threads[4];

	three_levels(1000, 10, 1000);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, charge_and_uncharge, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_usage(0, 0, 0);
	assert_true(atomic_load(&mid.watermark) <= 10);
}

static atomic_int stop;

static void *be_refused(void *unused)
{
	(void)unused;
	while (!atomic_load(&stop))
		assert_int_equal(page_counter_try_charge(&mid, 3, NULL), -ENOMEM);
	return NULL;
}

/* R2.2: not even for a moment, as another CPU may look. */
HOST_TEST(a_refused_charge_is_never_seen)
{
	pthread_t thread;

	three_levels(1000, 10, 1000);
	assert_int_equal(page_counter_try_charge(&mid, 10, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, be_refused, NULL), 0);
	for (int i = 0; i < 100 * ROUNDS; i++)
		assert_true(page_counter_read(&mid) == 10);
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	assert_usage(10, 10, 0);
}

static void *fill_up(void *unused)
{
	(void)unused;
	while (!atomic_load(&stop)) {
		if (page_counter_try_charge(&low, 1, NULL) == 0)
			page_counter_uncharge(&low, 1);
	}
	return NULL;
}

/* A charge that stands while the limit is lowered is either seen (-EBUSY) or taken back. */
HOST_TEST(a_limit_that_was_set_holds_against_racing_charges)
{
	pthread_t thread;
	int set = 0;

	three_levels(1000, 1000, 1);
	assert_int_equal(pthread_create(&thread, NULL, fill_up, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		if (page_counter_set_limit(&low, 0) < 0)
			continue;
		set++;
		assert_true(page_counter_try_charge(&low, 1, NULL) < 0);
		assert_int_equal(page_counter_set_limit(&low, 1), 0);
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	assert_usage(0, 0, 0);
	(void)set;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_empty_and_unlimited),
		cmocka_unit_test(a_charge_counts_at_every_level),
		cmocka_unit_test(the_first_level_without_room_refuses),
		cmocka_unit_test(a_refusal_is_undone_exactly),
		cmocka_unit_test(a_refused_charge_raises_no_watermark_and_no_failcnt),
		cmocka_unit_test(a_charge_may_fill_the_limit_to_the_page),
		cmocka_unit_test(a_large_charge_does_not_fit_where_a_small_one_does),
		cmocka_unit_test(limit_zero_refuses_everything),
		cmocka_unit_test(a_limit_below_usage_is_busy_and_the_old_one_stays),
		cmocka_unit_test(a_limit_past_the_largest_is_unlimited),
		cmocka_unit_test(forced_charges_pass_every_limit),
		cmocka_unit_test(the_watermark_keeps_the_highest_usage_until_reset),
		cmocka_unit_test(an_uncharge_of_more_than_was_charged_panics),
		cmocka_unit_test(the_check_names_what_is_broken),
		cmocka_unit_test(threads_never_hold_more_than_the_limit),
		cmocka_unit_test(a_refused_charge_is_never_seen),
		cmocka_unit_test(a_limit_that_was_set_holds_against_racing_charges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
