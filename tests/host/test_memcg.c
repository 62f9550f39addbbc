/* SPDX-License-Identifier: MIT */
/* Groups: who is charged, what a limit does, what becomes of charges when a group goes. */
#include "tests/host/host.h"
#include "tests/host/groups.h"

#define K 1024

static void machine(void)
{
	host_machine(64, 2);
	kstack_init(4);
}

static void *alloc_in(struct memcg *m, size_t bytes, gfp_t gfp)
{
	struct memcg *before = memcg_remote_begin(m);
	void *p = kmalloc(bytes, gfp);

	memcg_remote_end(before);
	return p;
}

static struct page *page_in(struct memcg *m, unsigned order, gfp_t gfp)
{
	struct memcg *before = memcg_remote_begin(m);
	struct page *page = page_alloc_charged(PAGE_KERNEL, order, gfp);

	memcg_remote_end(before);
	return page;
}

static int stack_in(struct memcg *m, struct kstack *stack)
{
	struct memcg *before = memcg_remote_begin(m);
	int err = kstack_alloc(stack);

	memcg_remote_end(before);
	return err;
}

/* --- groups and limits */

HOST_TEST(the_root_is_group_1_without_limit)
{
	machine();
	assert_int_equal(root_memcg.id, 1);
	assert_ptr_equal(memcg_current(), &root_memcg);
	assert_int_equal(memcg_set_kmem_limit(&root_memcg, 100), -EINVAL);
	assert_int_equal(atomic_load(&root_memcg.kmem.limit), COUNTER_MAX);
	assert_audit();
}

HOST_TEST(ids_are_never_reused)
{
	struct memcg *a, *b;

	machine();
	a = group(&root_memcg, "a", 0);
	assert_int_equal(a->id, 2);
	memcg_destroy(a);
	b = group(&root_memcg, "a", 0);
	assert_int_equal(b->id, 3);
	memcg_destroy(b);
	assert_audit();
}

/* history.md 1G: P of 64 pages, A and B of 48 below it, stacks of 4 pages. */
HOST_TEST(the_worked_hierarchy_example)
{
	struct kstack a_stacks[13], b_stacks[5];
	struct memcg *p, *a, *b;

	machine();
	p = group(&root_memcg, "p", 64);
	a = group(p, "a", 48);
	b = group(p, "b", 48);
	for (int i = 0; i < 12; i++)
		assert_int_equal(stack_in(a, &a_stacks[i]), 0);
	assert_int_equal(stack_in(a, &a_stacks[12]), -ENOMEM);
	assert_int_equal(failcnt(a), 1);
	assert_int_equal(failcnt(p), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(stack_in(b, &b_stacks[i]), 0);
	assert_int_equal(usage(p), 64);
	assert_int_equal(stack_in(b, &b_stacks[4]), -ENOMEM);
	assert_int_equal(failcnt(b), 0);
	assert_int_equal(failcnt(p), 1);
	assert_int_equal(usage(b), 16);
	memcg_destroy(a);
	assert_int_equal(usage(p), 64);
	for (int i = 0; i < 12; i++)
		kstack_free(&a_stacks[i]);
	assert_int_equal(usage(p), 16);
	assert_audit();
}

HOST_TEST(a_refusal_by_the_parent_leaves_the_child_as_it_was)
{
	struct memcg *p, *a;

	machine();
	p = group(&root_memcg, "p", 8);
	a = group(p, "a", 100);
	assert_non_null(page_in(a, 2, GFP_KERNEL));
	assert_null(page_in(a, 3, GFP_KERNEL));
	assert_int_equal(usage(a), 4);
	assert_int_equal(usage(p), 4);
	assert_int_equal(atomic_load(&a->owner->nr_pages), 4);
	assert_audit();
}

HOST_TEST(failcnt_rises_once_for_each_refused_call)
{
	struct memcg *a;

	machine();
	a = group(&root_memcg, "a", 2);
	for (unsigned i = 1; i <= 5; i++) {
		assert_null(page_in(a, 2, i & 1 ? GFP_KERNEL : GFP_ATOMIC));
		assert_int_equal(failcnt(a), i);
	}
	assert_int_equal(failcnt(&root_memcg), 0);
}

HOST_TEST(a_group_without_limit_is_not_charged)
{
	struct memcg *a;
	struct page *page;

	machine();
	a = group(&root_memcg, "a", 0);
	page = page_in(a, 0, GFP_KERNEL);
	assert_null(page->owner);
	assert_int_equal(usage(a), 0);
	page_free(page);
	assert_audit();
}

HOST_TEST(minus_one_as_first_limit_starts_nothing)
{
	struct memcg *a;

	machine();
	a = group(&root_memcg, "a", 0);
	assert_int_equal(memcg_set_kmem_limit(a, COUNTER_MAX), 0);
	assert_false(a->accounted);
	assert_int_equal(memcg_set_kmem_limit(a, 10), 0);
	assert_int_equal(memcg_set_kmem_limit(a, COUNTER_MAX), 0);
	assert_true(a->accounted);
	assert_non_null(page_in(a, 0, GFP_KERNEL));
	assert_int_equal(usage(a), 1);
}

HOST_TEST(the_first_limit_starts_the_whole_subtree)
{
	struct memcg *p, *a, *other, *late;
	struct page *before, *after;

	machine();
	p = group(&root_memcg, "p", 0);
	a = group(p, "a", 0);
	other = group(&root_memcg, "other", 0);
	before = page_in(a, 0, GFP_KERNEL);
	assert_int_equal(memcg_set_kmem_limit(p, 100), 0);
	late = group(a, "late", 0);
	assert_true(a->accounted && late->accounted);
	assert_false(other->accounted);
	after = page_in(a, 0, GFP_KERNEL);
	assert_ptr_equal(after->owner, a->owner);
	assert_int_equal(usage(a), 1);
	page_free(before);
	assert_int_equal(usage(a), 1);
	page_free(after);
	assert_int_equal(usage(p), 0);
	assert_audit();
}

HOST_TEST(a_page_from_before_is_never_uncharged)
{
	struct memcg *a;
	struct page *before, *after;

	machine();
	a = group(&root_memcg, "a", 0);
	before = page_in(a, 2, GFP_KERNEL);
	assert_int_equal(memcg_set_kmem_limit(a, 100), 0);
	after = page_in(a, 0, GFP_KERNEL);
	page_free(before);
	assert_int_equal(usage(a), 1);
	page_free(after);
	assert_int_equal(usage(a), 0);
	assert_audit();
}

HOST_TEST(a_limit_below_usage_is_busy)
{
	struct memcg *a;

	machine();
	a = group(&root_memcg, "a", 10);
	assert_non_null(page_in(a, 3, GFP_KERNEL));
	assert_int_equal(memcg_set_kmem_limit(a, 7), -EBUSY);
	assert_int_equal(atomic_load(&a->kmem.limit), 10);
	assert_int_equal(memcg_set_kmem_limit(a, 8), 0);
	assert_null(page_in(a, 0, GFP_KERNEL));
}

HOST_TEST(a_limit_below_what_caches_hold_unused_drains_them)
{
	struct memcg *a;

	machine();
	a = group(&root_memcg, "a", 100);
	kfree(alloc_in(a, 100, GFP_KERNEL));
	assert_true(usage(a) > 0);
	assert_int_equal(memcg_set_kmem_limit(a, 0), 0);
	assert_int_equal(usage(a), 0);
	assert_audit();
}

HOST_TEST(the_root_counts_what_is_charged_below_it)
{
	struct memcg *a;

	machine();
	a = group(&root_memcg, "a", 100);
	assert_non_null(page_in(a, 2, GFP_KERNEL));
	assert_int_equal(usage(&root_memcg), 4);
	assert_non_null(page_in(&root_memcg, 2, GFP_KERNEL));
	assert_int_equal(usage(&root_memcg), 4);
	assert_audit();
}

HOST_TEST(the_root_can_be_charged_for_its_own)
{
	struct page *page;
	struct memcg *a;
	void *obj;

	machine();
	memcg_set_account_root(true);
	page = page_in(&root_memcg, 1, GFP_KERNEL);
	assert_int_equal(usage(&root_memcg), 2);
	obj = kmalloc(64, GFP_KERNEL);
	assert_ptr_equal(page_of(obj)->owner, root_memcg.owner);
	assert_non_null(cache_named("kmalloc-64(1:/)"));
	a = group(&root_memcg, "a", 0);
	assert_false(a->accounted);
	assert_audit();
	memcg_set_account_root(false);
	assert_null(page_in(&root_memcg, 0, GFP_KERNEL)->owner);
	page_free(page);
	kfree(obj);
	assert_audit();
}

/* --- who pays */

HOST_TEST(a_skip_region_charges_nobody)
{
	struct memcg *a;
	struct page *page;
	void *obj;

	machine();
	a = group(&root_memcg, "a", 100);
	memcg_kmem_skip_begin();
	memcg_kmem_skip_begin();
	memcg_kmem_skip_end();
	assert_true(memcg_kmem_skipped());
	page = page_in(a, 0, GFP_KERNEL);
	obj = alloc_in(a, 64, GFP_KERNEL);
	memcg_kmem_skip_end();
	assert_null(page->owner);
	assert_ptr_equal(page_of(obj)->cache, cache_named("kmalloc-64"));
	assert_int_equal(usage(a), 0);
	kfree(obj);
	page_free(page);
	assert_audit();
}

HOST_TEST(noaccount_charges_nobody)
{
	struct memcg *a;

	machine();
	a = group(&root_memcg, "a", 1);
	assert_null(page_in(a, 4, GFP_KERNEL | GFP_NOACCOUNT)->owner);
	assert_null(page_of(alloc_in(a, 64, GFP_KERNEL | GFP_NOACCOUNT))->owner);
	assert_int_equal(usage(a), 0);
	assert_int_equal(failcnt(a), 0);
	assert_audit();
}

HOST_TEST(nofail_goes_over_the_limit_and_is_counted)
{
	struct memcg *p, *a;
	struct page *page;

	machine();
	p = group(&root_memcg, "p", 3);
	a = group(p, "a", 2);
	page = page_in(a, 2, GFP_KERNEL | GFP_NOFAIL);
	assert_non_null(page);
	assert_int_equal(usage(a), 4);
	assert_int_equal(atomic_load(&a->nr_forced), 4);
	assert_int_equal(failcnt(a), 0);
	assert_null(page_in(a, 0, GFP_KERNEL));
	assert_audit();
	page_free(page);
	assert_int_equal(usage(p), 0);
	assert_non_null(page_in(a, 0, GFP_KERNEL));
	assert_audit();
}

HOST_TEST(a_page_is_uncharged_from_whom_it_was_charged_to)
{
	struct memcg *a, *b;
	struct page *page;

	machine();
	a = group(&root_memcg, "a", 10);
	b = group(&root_memcg, "b", 10);
	page = page_in(a, 0, GFP_KERNEL);
	memcg_set_current(b);
	host_cpu(1);
	page_free(page);
	host_cpu(0);
	assert_int_equal(usage(a), 0);
	assert_int_equal(usage(b), 0);
	memcg_set_current(NULL);
	assert_audit();
}

HOST_TEST(the_first_object_of_a_kind_is_charged)
{
	struct memcg *a;
	void *obj;

	machine();
	a = group(&root_memcg, "a", 100);
	obj = alloc_in(a, 64, GFP_KERNEL);
	assert_ptr_equal(page_of(obj)->owner, a->owner);
	assert_int_equal(usage(a), 1ul << page_of(obj)->order);
	assert_ptr_equal(page_of(obj)->cache, cache_named("kmalloc-64(2:a)"));
	assert_audit();
}

HOST_TEST(objects_of_two_groups_share_no_slab)
{
	struct memcg *a, *b;
	void *x, *y, *z;

	machine();
	a = group(&root_memcg, "a", 100);
	b = group(&root_memcg, "b", 100);
	x = alloc_in(a, 64, GFP_KERNEL);
	y = alloc_in(b, 64, GFP_KERNEL);
	z = alloc_in(a, 64, GFP_KERNEL);
	assert_ptr_not_equal(page_of(x), page_of(y));
	assert_ptr_equal(page_of(x), page_of(z));
	kfree(x);
	kfree(y);
	kfree(z);
	assert_audit();
}

HOST_TEST(a_large_kmalloc_is_charged_by_the_page)
{
	struct memcg *a;
	void *obj;

	machine();
	a = group(&root_memcg, "a", 16);
	obj = alloc_in(a, 40 * K, GFP_KERNEL);
	assert_int_equal(usage(a), 16);
	assert_null(alloc_in(a, 9 * K, GFP_KERNEL));
	kfree(obj);
	assert_int_equal(usage(a), 0);
	assert_audit();
}

static void switch_inside_scope(void)
{
	struct memcg *before = memcg_remote_begin(&root_memcg);

	memcg_set_current(NULL);
	memcg_remote_end(before);
}

HOST_TEST(a_scope_names_the_payer_and_must_not_sleep)
{
	struct memcg *a, *b, *before, *inner;

	machine();
	a = group(&root_memcg, "a", 10);
	b = group(&root_memcg, "b", 10);
	memcg_set_current(a);
	before = memcg_remote_begin(b);
	inner = memcg_remote_begin(&root_memcg);
	assert_ptr_equal(memcg_current(), &root_memcg);
	memcg_remote_end(inner);
	assert_ptr_equal(memcg_current(), b);
	memcg_remote_end(before);
	assert_ptr_equal(memcg_current(), a);
	host_expect_panic(switch_inside_scope, "!cpu->remote");
}

HOST_TEST(each_cpu_has_its_own_current_group)
{
	struct memcg *a;

	machine();
	a = group(&root_memcg, "a", 10);
	memcg_set_current(a);
	host_cpu(1);
	assert_ptr_equal(memcg_current(), &root_memcg);
	host_cpu(0);
	assert_ptr_equal(memcg_current(), a);
}

static struct memcg *panic_group;

static void uncharge_twice(void)
{
	memcg_uncharge(panic_group->owner, 1);
}

HOST_TEST(an_uncharge_without_a_charge_panics)
{
	machine();
	panic_group = group(&root_memcg, "a", 10);
	host_expect_panic(uncharge_twice, "only 0 were charged");
}

/* --- drains */

HOST_TEST(what_caches_hold_unused_is_drained_before_a_refusal)
{
	struct memcg *a;
	void *objs[64];

	machine();
	a = group(&root_memcg, "a", 64);
	for (int i = 0; i < 64; i++)
		objs[i] = alloc_in(a, 2048, GFP_KERNEL);
	for (int i = 0; i < 64; i++)
		kfree(objs[i]);
	assert_true(usage(a) > 0);
	assert_non_null(page_in(a, 6, GFP_KERNEL));
	assert_int_equal(usage(a), 64);
	assert_int_equal(failcnt(a), 0);
	assert_audit();
}

HOST_TEST(a_drain_empties_the_other_cpus_too)
{
	struct memcg *a;
	void *obj;

	machine();
	a = group(&root_memcg, "a", 64);
	host_cpu(1);
	obj = alloc_in(a, 64, GFP_KERNEL);
	kfree(obj);
	host_cpu(0);
	assert_true(usage(a) > 0);
	assert_non_null(page_in(a, 6, GFP_KERNEL));
	assert_int_equal(failcnt(a), 0);
	assert_audit();
}

HOST_TEST(an_atomic_charge_does_not_drain)
{
	struct memcg *a;

	machine();
	a = group(&root_memcg, "a", 16);
	kfree(alloc_in(a, 64, GFP_KERNEL));
	assert_null(page_in(a, 4, GFP_ATOMIC));
	assert_int_equal(failcnt(a), 1);
	assert_non_null(page_in(a, 4, GFP_KERNEL));
}

HOST_TEST(a_drain_stays_below_the_refusing_level)
{
	struct memcg *p, *a, *b;
	unsigned long held;

	machine();
	p = group(&root_memcg, "p", 400);
	a = group(p, "a", 4);
	b = group(p, "b", 400);
	kfree(alloc_in(b, 64, GFP_KERNEL));
	held = usage(b);
	assert_true(held > 0);
	assert_null(page_in(a, 3, GFP_KERNEL));
	assert_int_equal(usage(b), held);
	assert_true(cache_named("kmalloc-64(4:b)")->unused);
	assert_audit();
}

HOST_TEST(a_parents_refusal_drains_a_siblings_caches)
{
	struct memcg *p, *a, *b;

	machine();
	p = group(&root_memcg, "p", 1000);
	a = group(p, "a", 64);
	b = group(p, "b", 64);
	kfree(alloc_in(b, 64, GFP_KERNEL));
	assert_true(usage(b) > 0);
	assert_int_equal(memcg_set_kmem_limit(p, usage(p)), 0);
	assert_non_null(page_in(a, 0, GFP_KERNEL));
	assert_int_equal(usage(b), 0);
	assert_int_equal(failcnt(p), 0);
	assert_audit();
}

HOST_TEST(nothing_is_drained_when_nothing_was_left_unused)
{
	struct kmem_cache *copy;
	struct memcg *a;
	void *obj;
	unsigned long seen;

	machine();
	a = group(&root_memcg, "a", 16);
	obj = alloc_in(a, 64, GFP_KERNEL);
	copy = page_of(obj)->cache;
	assert_null(page_in(a, 5, GFP_KERNEL));
	seen = copy->nr_drains;
	assert_null(page_in(a, 5, GFP_KERNEL));
	assert_int_equal(copy->nr_drains, seen);
	kfree(obj);
	assert_null(page_in(a, 5, GFP_KERNEL));
	assert_true(copy->nr_drains > seen);
}

HOST_TEST(shrinking_a_group_frees_all_it_holds_unused)
{
	struct memcg *p, *a;

	machine();
	p = group(&root_memcg, "p", 1000);
	a = group(p, "a", 1000);
	for (size_t bytes = 8; bytes <= 8192; bytes *= 2)
		kfree(alloc_in(a, bytes, GFP_KERNEL));
	assert_true(usage(a) > 0);
	assert_true(memcg_shrink(p) > 0);
	assert_int_equal(usage(a), 0);
	assert_audit();
}

/* --- copies */

HOST_TEST(a_long_name_is_cut_and_still_closed)
{
	char name[64];
	struct memcg *a;
	const char *copy;
	void *obj;

	machine();
	memset(name, 'n', 63);
	name[63] = '\0';
	a = group(&root_memcg, name, 100);
	obj = alloc_in(a, 8192, GFP_KERNEL);
	copy = page_of(obj)->cache->name;
	assert_int_equal(strlen(copy), 59);
	assert_int_equal(copy[58], ')');
	assert_int_equal(strncmp(copy, "kmalloc-8192(2:nnn", 18), 0);
	memcg_destroy(a);
	assert_string_equal(copy + 58, ")dead");
	kfree(obj);
	run_work();
	assert_audit();
}

HOST_TEST(a_copys_own_memory_is_the_parents_charge)
{
	struct memcg *p, *a;
	unsigned long before;

	machine();
	p = group(&root_memcg, "p", 1000);
	a = group(p, "a", 1000);
	before = usage(p);
	assert_non_null(alloc_in(a, 64, GFP_KERNEL));
	assert_true(usage(p) - before > usage(a));
	assert_non_null(cache_named("kmem_cache(2:p)"));
	assert_null(cache_named("kmem_cache(3:a)"));
	assert_audit();
}

HOST_TEST(copies_deep_in_the_tree_need_no_deep_stack)
{
	struct memcg *m = &root_memcg;
	void *obj;

	machine();
	m = group(m, "top", 0);
	assert_int_equal(memcg_set_kmem_limit(m, 100000), 0);
	for (int i = 0; i < 200; i++)
		m = group(m, "deep", 0);
	obj = alloc_in(m, 64, GFP_KERNEL);
	assert_non_null(obj);
	assert_ptr_equal(page_of(obj)->owner, m->owner);
	assert_audit();
	kfree(obj);
	while (m != &root_memcg) {
		struct memcg *parent = m->parent;

		memcg_destroy(m);
		m = parent;
	}
	run_work();
	assert_int_equal(usage(&root_memcg), 0);
	assert_audit();
}

HOST_TEST(a_copy_the_parent_cannot_pay_for_refuses_the_allocation)
{
	struct memcg *p, *a;

	machine();
	p = group(&root_memcg, "p", 0);
	a = group(p, "a", 0);
	assert_int_equal(memcg_set_kmem_limit(p, 0), 0);
	assert_null(alloc_in(a, 64, GFP_KERNEL));
	assert_int_equal(failcnt(p), 1);
	assert_int_equal(usage(p), 0);
	assert_audit();
}

HOST_TEST(every_failure_while_a_copy_is_made_is_undone)
{
	struct memcg *p, *a;
	void *obj = NULL;
	int n = 0;

	machine();
	p = group(&root_memcg, "p", 1000);
	a = group(p, "a", 1000);
	assert_null(alloc_in(a, 64, GFP_ATOMIC));	/* making one may wait */
	while (!obj && n++ < 100) {
		host_fail_after(n);
		obj = alloc_in(a, 64, GFP_KERNEL);
		host_fail_after(0);
		assert_audit();
		memcg_shrink(p);
	}
	assert_non_null(obj);
	assert_true(n > 1);
	kfree(obj);
	memcg_destroy(a);
	memcg_destroy(p);
	run_work();
	assert_int_equal(usage(&root_memcg), 0);
	assert_audit();
}

HOST_TEST(every_failure_while_a_group_is_made_is_undone)
{
	struct memcg *p, *a = NULL;
	int n = 0;

	machine();
	p = group(&root_memcg, "p", 1000);
	while (!a && n++ < 100) {
		host_fail_after(n);
		a = memcg_create(p, "a");
		host_fail_after(0);
		assert_audit();
		memcg_shrink(p);
	}
	assert_non_null(a);
	assert_true(n > 1);
	memcg_destroy(a);
	memcg_destroy(p);
	run_work();
	assert_int_equal(usage(&root_memcg), 0);
	assert_audit();
}

HOST_TEST(destroying_a_cache_destroys_its_copies)
{
	struct kmem_cache *root;
	struct memcg *a, *before;
	void *obj;

	machine();
	a = group(&root_memcg, "a", 100);
	root = kmem_cache_create("thing", 100, 0, 0, NULL);
	before = memcg_remote_begin(a);
	obj = kmem_cache_alloc(root, GFP_KERNEL);
	memcg_remote_end(before);
	assert_non_null(cache_named("thing(2:a)"));
	assert_int_equal(kmem_cache_destroy(root), -EBUSY);
	assert_audit();
	kmem_cache_free(root, obj);
	assert_int_equal(kmem_cache_destroy(root), 0);
	assert_null(cache_named("thing(2:a)"));
	assert_null(cache_named("thing"));
	assert_int_equal(usage(a), 0);
	run_work();
	assert_audit();
}

HOST_TEST(destroying_a_cache_destroys_its_dead_copies_too)
{
	struct kmem_cache *root;
	struct memcg *a, *before;
	void *obj;

	machine();
	a = group(&root_memcg, "a", 100);
	root = kmem_cache_create("thing", 100, 0, 0, NULL);
	before = memcg_remote_begin(a);
	obj = kmem_cache_alloc(root, GFP_KERNEL);
	memcg_remote_end(before);
	memcg_destroy(a);
	assert_int_equal(kmem_cache_destroy(root), -EBUSY);
	kmem_cache_free(root, obj);
	assert_int_equal(kmem_cache_destroy(root), 0);
	assert_null(cache_named("thing(2:a)dead"));
	run_work();
	assert_audit();
}

HOST_TEST(a_new_cache_in_a_freed_place_gets_copies_of_its_own)
{
	struct kmem_cache *one, *two;
	struct memcg *a;
	void *obj;

	machine();
	a = group(&root_memcg, "a", 100);
	one = kmem_cache_create("one", 100, 0, 0, NULL);
	memcg_set_current(a);
	kmem_cache_free(one, kmem_cache_alloc(one, GFP_KERNEL));
	memcg_set_current(NULL);
	assert_int_equal(kmem_cache_destroy(one), 0);
	two = kmem_cache_create("two", 300, 0, 0, NULL);
	memcg_set_current(a);
	obj = kmem_cache_alloc(two, GFP_KERNEL);
	memcg_set_current(NULL);
	assert_string_equal(page_of(obj)->cache->name, "two(2:a)");
	kmem_cache_free(two, obj);
	assert_audit();
}

/* --- removal */

HOST_TEST(removal_hands_the_charges_to_the_parent)
{
	struct memcg *p, *a;
	struct page *page;
	unsigned long before;

	machine();
	p = group(&root_memcg, "p", 1000);
	a = group(p, "a", 100);
	page = page_in(a, 2, GFP_KERNEL);
	before = usage(p);
	memcg_destroy(a);
	run_work();
	assert_int_equal(usage(p), before);
	assert_ptr_equal(page->owner->memcg, p);
	assert_audit();
	page_free(page);
	memcg_shrink(p);
	run_work();
	memcg_shrink(p);
	assert_int_equal(usage(p), 0);
	assert_audit();
}

HOST_TEST(records_pass_from_parent_to_parent)
{
	struct memcg *p, *a, *b;
	struct page *pages[3];

	machine();
	p = group(&root_memcg, "p", 1000);
	a = group(p, "a", 100);
	b = group(a, "b", 100);
	pages[0] = page_in(p, 0, GFP_KERNEL);
	pages[1] = page_in(a, 1, GFP_KERNEL);
	pages[2] = page_in(b, 2, GFP_KERNEL);
	memcg_destroy(b);
	assert_audit();
	memcg_destroy(a);
	assert_audit();
	assert_ptr_equal(pages[2]->owner->memcg, p);
	memcg_destroy(p);
	assert_audit();
	assert_true(usage(&root_memcg) >= 7);
	for (int i = 0; i < 3; i++)
		page_free(pages[i]);
	run_work();
	assert_int_equal(usage(&root_memcg), 0);
	assert_audit();
}

HOST_TEST(an_orphan_record_is_freed_by_the_worker_with_its_last_page)
{
	struct kmem_stats before, stats;
	struct memcg *a;
	struct page *page;

	machine();
	kmem_cache_stats(cache_named("owner"), &before);
	a = group(&root_memcg, "a", 10);
	page = page_in(a, 0, GFP_KERNEL);
	memcg_destroy(a);
	run_work();
	page_free(page);
	kmem_cache_stats(cache_named("owner"), &stats);
	assert_int_equal(stats.active_objs, before.active_objs + 1);
	assert_audit();
	run_work();
	kmem_cache_stats(cache_named("owner"), &stats);
	assert_int_equal(stats.active_objs, before.active_objs);
	assert_audit();
}

HOST_TEST(copies_of_a_removed_group_are_dead_until_their_last_object_goes)
{
	struct memcg *a;
	void *obj;

	machine();
	a = group(&root_memcg, "a", 100);
	obj = alloc_in(a, 64, GFP_KERNEL);
	memcg_destroy(a);
	assert_null(cache_named("kmalloc-64(2:a)"));
	assert_non_null(cache_named("kmalloc-64(2:a)dead"));
	run_work();
	assert_non_null(cache_named("kmalloc-64(2:a)dead"));
	assert_audit();
	kfree(obj);
	assert_int_equal(usage(&root_memcg), 0);
	assert_non_null(cache_named("kmalloc-64(2:a)dead"));
	assert_audit();
	run_work();
	assert_null(cache_named("kmalloc-64(2:a)dead"));
	assert_audit();
}

HOST_TEST(empty_copies_of_a_removed_group_go_at_once)
{
	struct memcg *a;

	machine();
	a = group(&root_memcg, "a", 100);
	for (int i = 0; i < 10; i++)
		kfree(alloc_in(a, 64, GFP_KERNEL));
	memcg_destroy(a);
	assert_int_equal(usage(&root_memcg), 0);
	run_work();
	assert_null(cache_named("kmalloc-64(2:a)dead"));
	assert_audit();
}

HOST_TEST(dead_copies_with_many_objects_give_their_pages_back_as_they_empty)
{
	static void *objs[500];
	struct memcg *a;

	machine();
	a = group(&root_memcg, "a", 1000);
	for (int i = 0; i < 500; i++) {
		host_cpu((unsigned)i & 1);
		objs[i] = alloc_in(a, 200, GFP_KERNEL);
	}
	memcg_destroy(a);
	for (int i = 0; i < 500; i++) {
		host_cpu((unsigned)(i >> 2) & 1);
		kfree(objs[i]);
		if (i % 50 == 0)
			assert_audit();
	}
	assert_int_equal(usage(&root_memcg), 0);
	run_work();
	assert_null(cache_named("kmalloc-256(2:a)dead"));
	assert_audit();
}

HOST_TEST(a_parent_at_its_limit_drains_dead_copies)
{
	struct memcg *p, *a;
	void *objs[40];

	machine();
	p = group(&root_memcg, "p", 128);
	a = group(p, "a", 128);
	for (int i = 0; i < 40; i++)
		objs[i] = alloc_in(a, 1024, GFP_KERNEL);
	memcg_destroy(a);
	for (int i = 0; i < 40; i++)
		kfree(objs[i]);
	run_work();
	assert_non_null(page_in(p, 6, GFP_KERNEL));
	assert_int_equal(failcnt(p), 0);
	assert_audit();
}

HOST_TEST(a_parents_dead_copies_pass_on_when_it_goes)
{
	struct memcg *p, *a;
	void *obj;

	machine();
	p = group(&root_memcg, "p", 1000);
	a = group(p, "a", 1000);
	obj = alloc_in(a, 64, GFP_KERNEL);
	memcg_destroy(a);
	memcg_destroy(p);
	run_work();
	assert_audit();
	assert_false(list_empty(&root_memcg.dead_caches));
	kfree(obj);
	run_work();
	assert_true(list_empty(&root_memcg.dead_caches));
	assert_int_equal(usage(&root_memcg), 0);
	assert_audit();
}

HOST_TEST(a_group_of_the_same_name_gets_fresh_copies)
{
	struct memcg *a;
	void *old, *new;

	machine();
	a = group(&root_memcg, "a", 100);
	old = alloc_in(a, 64, GFP_KERNEL);
	memcg_destroy(a);
	a = group(&root_memcg, "a", 100);
	new = alloc_in(a, 64, GFP_KERNEL);
	assert_string_equal(page_of(old)->cache->name, "kmalloc-64(2:a)dead");
	assert_string_equal(page_of(new)->cache->name, "kmalloc-64(3:a)");
	kfree(old);
	assert_true(usage(a) > 0);
	kfree(new);
	run_work();
	assert_audit();
}

HOST_TEST(a_hundred_groups_leave_nothing_behind)
{
	unsigned long free_before, caches = 0, caches_after = 0;
	struct kmem_cache *cache;

	machine();
	memcg_destroy(group(&root_memcg, "warm", 10));
	run_work();
	free_before = page_nr_free();
	list_for_each(cache, &kmem_caches, link)
		caches++;
	for (int i = 0; i < 100; i++) {
		struct memcg *a = group(&root_memcg, "a", 100);
		void *obj = alloc_in(a, 64, GFP_KERNEL);

		memcg_destroy(a);
		kfree(obj);
		run_work();
	}
	list_for_each(cache, &kmem_caches, link)
		caches_after++;
	assert_int_equal(caches, caches_after);
	assert_int_equal(usage(&root_memcg), 0);
	assert_true(page_nr_free() + 16 > free_before);
	assert_audit();
}

/* --- everything at once */

struct churn {
	u64 seed;
	struct memcg *groups[8];
	void *objs[200];
	struct page *pages[50];
};

static void churn_groups(struct churn *c, unsigned i)
{
	struct memcg *parent = c->groups[i / 2];

	if (c->groups[i] && list_empty(&c->groups[i]->children)) {
		memcg_destroy(c->groups[i]);
		c->groups[i] = NULL;
	} else if (!c->groups[i]) {
		parent = i > 1 && parent ? parent : &root_memcg;
		c->groups[i] = memcg_create(parent, "churn");
		if (c->groups[i] && host_random(&c->seed) % 2)
			(void)!memcg_set_kmem_limit(c->groups[i], host_random(&c->seed) % 200);
	}
}

static void churn_objects(struct churn *c, struct memcg *m)
{
	unsigned i = host_random(&c->seed) % 200;
	static const size_t sizes[] = { 8, 64, 100, 600, 2000, 8000, 20000 };

	if (c->objs[i]) {
		kfree(c->objs[i]);
		c->objs[i] = NULL;
	} else {
		c->objs[i] = alloc_in(m, sizes[host_random(&c->seed) % 7],
				      host_random(&c->seed) % 2 ? GFP_KERNEL : GFP_ATOMIC);
	}
}

static void churn_pages(struct churn *c, struct memcg *m)
{
	unsigned i = host_random(&c->seed) % 50;

	if (c->pages[i]) {
		page_free(c->pages[i]);
		c->pages[i] = NULL;
	} else {
		c->pages[i] = page_in(m, host_random(&c->seed) % 4, GFP_KERNEL);
	}
}

static void churn_step(struct churn *c)
{
	struct memcg *m = c->groups[host_random(&c->seed) % 8];
	unsigned what = host_random(&c->seed) % 100;

	host_cpu(host_random(&c->seed) % 2);
	m = m ? m : &root_memcg;
	if (what < 5)
		churn_groups(c, 1 + host_random(&c->seed) % 7);
	else if (what < 75)
		churn_objects(c, m);
	else if (what < 90)
		churn_pages(c, m);
	else if (what < 95)
		work_run_one();
	else if (what < 98)
		memcg_shrink(m);
	else
		host_fail_after(1 + host_random(&c->seed) % 8);
}

static void churn_end(struct churn *c)
{
	for (int i = 7; i > 0; i--) {
		if (c->groups[i])
			memcg_destroy(c->groups[i]);
	}
	for (int i = 0; i < 200; i++)
		kfree(c->objs[i]);
	for (int i = 0; i < 50; i++) {
		if (c->pages[i])
			page_free(c->pages[i]);
	}
	run_work();
}

HOST_TEST(random_groups_objects_and_failures_audit_clean)
{
	static struct churn c = { .seed = 7 };

	machine();
	for (int i = 0; i < 6000; i++) {
		churn_step(&c);
		if (i % 100 == 0)
			assert_audit();
	}
	host_fail_after(0);
	churn_end(&c);
	assert_int_equal(usage(&root_memcg), 0);
	assert_audit();
}

/* --- deferred work */

static char work_trace[16];
static struct work work_a, work_b;
static int wakes, requeues;

static void work_fn_a(struct work *work)
{
	strcat(work_trace, "a");
	if (requeues-- > 0)
		work_queue(work);
}

static void work_fn_b(struct work *work)
{
	(void)work;
	strcat(work_trace, "b");
}

static void count_wake(void)
{
	wakes++;
}

HOST_TEST(work_runs_in_order_and_once)
{
	machine();
	work_init(&work_a, work_fn_a);
	work_init(&work_b, work_fn_b);
	assert_false(work_run_one());
	work_queue(&work_b);
	work_queue(&work_a);
	work_queue(&work_b);
	run_work();
	assert_string_equal(work_trace, "ba");
}

HOST_TEST(work_may_queue_itself_and_wakes_the_worker)
{
	machine();
	work_init(&work_a, work_fn_a);
	requeues = 2;
	work_queue(&work_a);
	work_set_wake(count_wake);
	assert_int_equal(wakes, 1);
	run_work();
	assert_string_equal(work_trace, "aaa");
	assert_int_equal(wakes, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_root_is_group_1_without_limit),
		cmocka_unit_test(ids_are_never_reused),
		cmocka_unit_test(the_worked_hierarchy_example),
		cmocka_unit_test(a_refusal_by_the_parent_leaves_the_child_as_it_was),
		cmocka_unit_test(failcnt_rises_once_for_each_refused_call),
		cmocka_unit_test(a_group_without_limit_is_not_charged),
		cmocka_unit_test(minus_one_as_first_limit_starts_nothing),
		cmocka_unit_test(the_first_limit_starts_the_whole_subtree),
		cmocka_unit_test(a_page_from_before_is_never_uncharged),
		cmocka_unit_test(a_limit_below_usage_is_busy),
		cmocka_unit_test(a_limit_below_what_caches_hold_unused_drains_them),
		cmocka_unit_test(the_root_counts_what_is_charged_below_it),
		cmocka_unit_test(the_root_can_be_charged_for_its_own),
		cmocka_unit_test(a_skip_region_charges_nobody),
		cmocka_unit_test(noaccount_charges_nobody),
		cmocka_unit_test(nofail_goes_over_the_limit_and_is_counted),
		cmocka_unit_test(a_page_is_uncharged_from_whom_it_was_charged_to),
		cmocka_unit_test(the_first_object_of_a_kind_is_charged),
		cmocka_unit_test(objects_of_two_groups_share_no_slab),
		cmocka_unit_test(a_large_kmalloc_is_charged_by_the_page),
		cmocka_unit_test(a_scope_names_the_payer_and_must_not_sleep),
		cmocka_unit_test(each_cpu_has_its_own_current_group),
		cmocka_unit_test(an_uncharge_without_a_charge_panics),
		cmocka_unit_test(what_caches_hold_unused_is_drained_before_a_refusal),
		cmocka_unit_test(a_drain_empties_the_other_cpus_too),
		cmocka_unit_test(an_atomic_charge_does_not_drain),
		cmocka_unit_test(a_drain_stays_below_the_refusing_level),
		cmocka_unit_test(a_parents_refusal_drains_a_siblings_caches),
		cmocka_unit_test(nothing_is_drained_when_nothing_was_left_unused),
		cmocka_unit_test(shrinking_a_group_frees_all_it_holds_unused),
		cmocka_unit_test(a_long_name_is_cut_and_still_closed),
		cmocka_unit_test(a_copys_own_memory_is_the_parents_charge),
		cmocka_unit_test(copies_deep_in_the_tree_need_no_deep_stack),
		cmocka_unit_test(a_copy_the_parent_cannot_pay_for_refuses_the_allocation),
		cmocka_unit_test(every_failure_while_a_copy_is_made_is_undone),
		cmocka_unit_test(every_failure_while_a_group_is_made_is_undone),
		cmocka_unit_test(destroying_a_cache_destroys_its_copies),
		cmocka_unit_test(destroying_a_cache_destroys_its_dead_copies_too),
		cmocka_unit_test(a_new_cache_in_a_freed_place_gets_copies_of_its_own),
		cmocka_unit_test(removal_hands_the_charges_to_the_parent),
		cmocka_unit_test(records_pass_from_parent_to_parent),
		cmocka_unit_test(an_orphan_record_is_freed_by_the_worker_with_its_last_page),
		cmocka_unit_test(copies_of_a_removed_group_are_dead_until_their_last_object_goes),
		cmocka_unit_test(empty_copies_of_a_removed_group_go_at_once),
		cmocka_unit_test(dead_copies_with_many_objects_give_their_pages_back_as_they_empty),
		cmocka_unit_test(a_parent_at_its_limit_drains_dead_copies),
		cmocka_unit_test(a_parents_dead_copies_pass_on_when_it_goes),
		cmocka_unit_test(a_group_of_the_same_name_gets_fresh_copies),
		cmocka_unit_test(a_hundred_groups_leave_nothing_behind),
		cmocka_unit_test(random_groups_objects_and_failures_audit_clean),
		cmocka_unit_test(work_runs_in_order_and_once),
		cmocka_unit_test(work_may_queue_itself_and_wakes_the_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
