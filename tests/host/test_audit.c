/* SPDX-License-Identifier: MIT */
/* The audit finds each difference that is planted, and names it. */
#include "tests/host/host.h"
#include "tests/host/groups.h"

static struct memcg *a, *b;
static struct page *page;
static void *obj;

/* Groups a and b below it; b is charged one page and one slab. */
static void machine(void)
{
	host_machine(64, 1);
	kstack_init(4);
	a = group(&root_memcg, "a", 100);
	b = group(a, "b", 50);
	memcg_set_current(b);
	page = page_alloc_charged(PAGE_KERNEL, 0, GFP_KERNEL);
	obj = kmalloc(64, GFP_KERNEL);
	memcg_set_current(NULL);
	assert_audit();
}

HOST_TEST(a_clean_report_has_a_line_for_each_group)
{
	char want[80];
	bool clean;
	char *text;

	machine();
	text = audit_text(&clean);
	assert_true(clean);
	host_assert_has(text, "audit: group 1 (/): counter ");
	host_assert_has(text, "audit: group 2 (a): counter ");
	fmt_print(want, sizeof(want), "audit: group 3 (b): counter %lu recount %lu stock 0\n",
		  usage(b), usage(b));
	host_assert_has(text, want);
	fmt_print(want, sizeof(want), "audit: clean, %lu pages charged\n", usage(&root_memcg));
	host_assert_has(text, want);
}

HOST_TEST(the_result_and_the_text_are_optional)
{
	struct audit_result result;

	machine();
	assert_true(mm_audit(NULL, NULL));
	assert_true(mm_audit(&result, NULL));
	assert_int_equal(result.nr_charged, usage(&root_memcg));
	assert_int_equal(result.nr_differences, 0);
	assert_int_equal(result.nr_broken, 0);
}

HOST_TEST(a_report_that_does_not_fit_is_measured)
{
	char small[10];
	struct textbuf text = { small, sizeof(small), 0 };

	machine();
	assert_true(mm_audit(NULL, &text));
	assert_true(text.len > 100);
}

HOST_TEST(a_counter_that_was_tampered_with)
{
	struct audit_result result;

	machine();
	atomic_add_return(&a->kmem.usage, 1);
	assert_audit_says("audit: group 2 (a): counter ");
	assert_audit_says(": differs\n");
	assert_false(mm_audit(&result, NULL));
	assert_int_equal(result.nr_differences, 1);
}

HOST_TEST(a_charge_that_was_left_out)
{
	struct audit_result result;

	machine();
	page_counter_uncharge(&b->kmem, 1);
	assert_false(mm_audit(&result, NULL));
	assert_int_equal(result.nr_differences, 3);
}

HOST_TEST(an_uncharge_that_was_left_out)
{
	struct audit_result result;

	machine();
	page->owner = NULL;
	page_free(page);
	assert_audit_says("audit: broken: record ");
	assert_false(mm_audit(&result, NULL));
	assert_int_equal(result.nr_differences, 3);
}

HOST_TEST(a_page_that_names_the_wrong_group)
{
	machine();
	page->owner = a->owner;
	assert_audit_says("audit: group 3 (b): counter ");
	assert_audit_says("audit: broken: record ");
}

HOST_TEST(a_page_whose_owner_is_forgotten)
{
	machine();
	page->owner = NULL;
	assert_audit_says(": differs\n");
}

HOST_TEST(a_page_whose_record_is_on_no_list)
{
	static struct owner stray;

	machine();
	page->owner = &stray;
	assert_audit_says("its owner belongs to no group");
}

HOST_TEST(a_slab_charged_to_another_than_its_cache)
{
	machine();
	page_of(obj)->owner = a->owner;
	assert_audit_says("its owner is not its cache's");
}

HOST_TEST(a_slab_of_no_listed_cache)
{
	machine();
	page_of(obj)->cache = NULL;
	assert_audit_says("its cache is not on the list of caches");
}

HOST_TEST(a_cache_that_miscounts_its_pages)
{
	machine();
	atomic_add_return(&page_of(obj)->cache->nr_pages, 1);
	assert_audit_says("audit: broken: cache kmalloc-64(3:b): nr_pages ");
	assert_audit_says("audit: broken: kmem: invariant I2");
}

HOST_TEST(a_record_that_miscounts_its_pages)
{
	machine();
	atomic_add_return(&b->owner->nr_pages, 1);
	assert_audit_says("audit: broken: record ");
}

HOST_TEST(an_owner_inside_a_block)
{
	struct page *block;

	machine();
	block = page_alloc(PAGE_KERNEL, 2, GFP_KERNEL);
	block[3].owner = b->owner;
	assert_audit_says("it is inside a block and has an owner");
}

HOST_TEST(a_free_page_with_an_owner)
{
	machine();
	page_free(page);
	assert_audit();
	page->owner = b->owner;
	assert_audit_says("audit: broken: page: invariant I3");
}

HOST_TEST(a_copy_its_group_lost)
{
	machine();
	b->copies[page_of(obj)->cache->id] = NULL;
	assert_audit_says("audit: broken: acct: invariant I1");
}

HOST_TEST(a_copy_in_the_wrong_place)
{
	machine();
	a->copies[page_of(obj)->cache->id] = page_of(obj)->cache;
	assert_audit_says("audit: broken: acct: invariant I2");
}

HOST_TEST(a_copy_its_root_lost)
{
	machine();
	list_remove(&page_of(obj)->cache->copies);
	assert_audit_says("audit: broken: acct: invariant I5");
}

HOST_TEST(a_dead_copy_that_lives)
{
	struct kmem_cache *copy;

	machine();
	copy = page_of(obj)->cache;
	memcg_destroy(b);
	assert_audit();
	copy->dead = false;
	assert_audit_says("audit: broken: acct: invariant I3");
}

HOST_TEST(a_record_that_names_another_group)
{
	machine();
	b->owner->memcg = a;
	assert_audit_says("audit: broken: memcg: invariant I2");
}

HOST_TEST(an_own_record_called_orphan)
{
	machine();
	b->owner->orphan = true;
	assert_audit_says("audit: broken: memcg: invariant I3");
}

HOST_TEST(a_group_that_is_not_younger_than_its_parent)
{
	machine();
	b->id = a->id;
	assert_audit_says("audit: broken: memcg: invariant I1");
}

HOST_TEST(a_usage_above_the_limit)
{
	machine();
	atomic_store(&b->kmem.limit, 1);
	assert_audit_says("audit: broken: memcg: invariant I5");
}

HOST_TEST(a_stack_page_without_a_stack)
{
	machine();
	assert_non_null(page_alloc(PAGE_STACK, 0, GFP_KERNEL));
	assert_audit_says("audit: broken: kstack: invariant I1");
}

HOST_TEST(pages_are_counted_by_kind)
{
	unsigned long nr[PAGE_NR_KINDS];

	machine();
	mm_count_kinds(b, false, nr);
	assert_int_equal(nr[PAGE_KERNEL], 1);
	assert_int_equal(nr[PAGE_SLAB], usage(b) - 1);
	mm_count_kinds(a, true, nr);
	assert_int_equal(nr[PAGE_KERNEL], 1);
	assert_int_equal(nr[PAGE_KERNEL] + nr[PAGE_SLAB], usage(a));
	mm_count_kinds(a, false, nr);
	assert_int_equal(nr[PAGE_KERNEL], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_report_has_a_line_for_each_group),
		cmocka_unit_test(the_result_and_the_text_are_optional),
		cmocka_unit_test(a_report_that_does_not_fit_is_measured),
		cmocka_unit_test(a_counter_that_was_tampered_with),
		cmocka_unit_test(a_charge_that_was_left_out),
		cmocka_unit_test(an_uncharge_that_was_left_out),
		cmocka_unit_test(a_page_that_names_the_wrong_group),
		cmocka_unit_test(a_page_whose_owner_is_forgotten),
		cmocka_unit_test(a_page_whose_record_is_on_no_list),
		cmocka_unit_test(a_slab_charged_to_another_than_its_cache),
		cmocka_unit_test(a_slab_of_no_listed_cache),
		cmocka_unit_test(a_cache_that_miscounts_its_pages),
		cmocka_unit_test(a_record_that_miscounts_its_pages),
		cmocka_unit_test(an_owner_inside_a_block),
		cmocka_unit_test(a_free_page_with_an_owner),
		cmocka_unit_test(a_copy_its_group_lost),
		cmocka_unit_test(a_copy_in_the_wrong_place),
		cmocka_unit_test(a_copy_its_root_lost),
		cmocka_unit_test(a_dead_copy_that_lives),
		cmocka_unit_test(a_record_that_names_another_group),
		cmocka_unit_test(an_own_record_called_orphan),
		cmocka_unit_test(a_group_that_is_not_younger_than_its_parent),
		cmocka_unit_test(a_usage_above_the_limit),
		cmocka_unit_test(a_stack_page_without_a_stack),
		cmocka_unit_test(pages_are_counted_by_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
