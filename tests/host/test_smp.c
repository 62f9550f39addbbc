/* SPDX-License-Identifier: MIT */
/* The races of many CPUs, one order at a time. Either one thread plays the CPUs in turn, or a
 * second thread is CPU 1 and runs up to the point where its allocation waits for its turn to
 * stop the machine: the only place where an allocation can be overtaken. */
#include "tests/host/host.h"
#include <pthread.h>
#include <semaphore.h>
#include "kernel/sync/safepoint.h"
#include "mm/stop.h"
#include "tests/host/groups.h"

static struct {
	pthread_t thread;
	sem_t ready, go;
	void (*fn)(void);
	atomic_int finished, quit;
} other;

static void *other_cpu(void *arg)
{
	host_attach(1);
	sem_post(&other.ready);
	sem_wait(&other.go);
	other.fn();
	atomic_store_release(&other.finished, 1);
	while (!atomic_load_acquire(&other.quit))
		safepoint_poll();
	host_detach();
	return arg;
}

static void start_other(unsigned cpu)
{
	if (cpu == 1)
		sem_post(&other.go);
}

/* CPU 1 runs fn until it stands still; CPU 0 has the machine. */
static void stop_inside(void (*fn)(void))
{
	other.fn = fn;
	atomic_store(&other.finished, 0);
	atomic_store(&other.quit, 0);
	sem_init(&other.ready, 0, 0);
	sem_init(&other.go, 0, 0);
	host_attach(0);
	assert_int_equal(pthread_create(&other.thread, NULL, other_cpu, NULL), 0);
	sem_wait(&other.ready);
	host_on_send(start_other);
	mm_stop();
	host_on_send(NULL);
	assert_int_equal(atomic_load(&other.finished), 0);
}

/* Let CPU 1 finish fn. */
static void finish_other(void)
{
	mm_resume();
	while (!atomic_load_acquire(&other.finished))
		safepoint_poll();
}

static void end_other(void)
{
	atomic_store_release(&other.quit, 1);
	pthread_join(other.thread, NULL);
	host_set_online(0);
}

static struct memcg *p, *a, *b;
static void *got;
static struct kstack stack;
static int err;

static void machine(void)
{
	host_machine(64, 2);
	kstack_init(4);
}

/* On CPU 1, for group a. */
static void take_page(void)
{
	memcg_set_current(a);
	got = page_alloc_charged(PAGE_KERNEL, 0, GFP_KERNEL);
}

static void take_object(void)
{
	memcg_set_current(a);
	got = kmalloc(64, GFP_KERNEL);
}

static void take_stack(void)
{
	memcg_set_current(a);
	err = kstack_alloc(&stack);
}

static void fill_pages(struct memcg *m, struct page **pages, unsigned n)
{
	struct memcg *before = memcg_remote_begin(m);

	for (unsigned i = 0; i < n; i++) {
		pages[i] = page_alloc_charged(PAGE_KERNEL, 0, GFP_KERNEL);
		assert_non_null(pages[i]);
	}
	memcg_remote_end(before);
}

static void free_pages(struct page **pages, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		page_free(pages[i]);
}

static unsigned long live_objects(const char *cache)
{
	struct kmem_stats stats;

	kmem_cache_stats(cache_named(cache), &stats);
	return stats.active_objs;
}

/* --- charge against attach */

HOST_TEST(a_task_inside_an_allocation_is_not_moved)
{
	struct page *pages[4];

	machine();
	a = group(&root_memcg, "a", 4);
	b = group(&root_memcg, "b", 4);
	fill_pages(a, pages, 4);
	stop_inside(take_page);
	assert_true(memcg_cpu_busy(1));
	free_pages(pages, 1);
	finish_other();
	assert_non_null(got);			/* room had come, so no refusal */
	assert_int_equal(failcnt(a), 0);
	assert_int_equal(usage(a), 4);

	mm_stop();				/* outside: now it can be */
	assert_false(memcg_cpu_busy(1));
	memcg_set_current_on(1, b);
	mm_resume();
	end_other();
	page_free(got);
	assert_int_equal(usage(a), 3);
	host_cpu(1);
	got = page_alloc_charged(PAGE_KERNEL, 0, GFP_KERNEL);
	assert_int_equal(usage(b), 1);
	memcg_set_current(NULL);
	page_free(got);
	free_pages(pages + 1, 3);
	assert_audit();
}

HOST_TEST(a_move_does_not_end_a_remote_scope)
{
	struct memcg *before;

	machine();
	a = group(&root_memcg, "a", 4);
	b = group(&root_memcg, "b", 4);
	host_cpu(1);
	memcg_set_current(a);
	before = memcg_remote_begin(&root_memcg);
	host_cpu(0);
	safepoint_stop();
	memcg_set_current_on(1, b);
	safepoint_resume();
	host_cpu(1);
	assert_ptr_equal(memcg_current(), &root_memcg);
	memcg_remote_end(before);
	assert_ptr_equal(memcg_current(), b);
	memcg_set_current(NULL);
}

/* --- who refuses whom */

HOST_TEST(a_refusal_is_final_once_and_counted_once)
{
	struct page *pages[4];
	unsigned long stops;

	machine();
	a = group(&root_memcg, "a", 4);
	fill_pages(a, pages, 4);
	stops = mm_nr_stops();
	stop_inside(take_page);
	assert_int_equal(failcnt(a), 0);	/* not yet */
	finish_other();
	end_other();
	assert_null(got);
	assert_int_equal(failcnt(a), 1);
	assert_int_equal(mm_nr_stops(), stops + 2);
	free_pages(pages, 4);
	assert_audit();
}

HOST_TEST(a_charge_with_room_stops_nobody)
{
	struct page *pages[4];
	unsigned long stops;

	machine();
	a = group(&root_memcg, "a", 64);
	stops = mm_nr_stops();
	for (unsigned i = 0; i < 1000; i++) {
		host_cpu(i % 2);
		fill_pages(a, pages, 4);
		free_pages(pages, 4);
	}
	host_cpu(0);
	assert_int_equal(mm_nr_stops(), stops);
	assert_audit();
}

HOST_TEST(an_atomic_charge_stops_nobody)
{
	struct memcg *before;
	struct page *pages[4];
	unsigned long stops;

	machine();
	a = group(&root_memcg, "a", 4);
	fill_pages(a, pages, 4);
	stops = mm_nr_stops();
	before = memcg_remote_begin(a);
	assert_null(page_alloc_charged(PAGE_KERNEL, 0, GFP_ATOMIC));
	memcg_remote_end(before);
	assert_int_equal(failcnt(a), 1);
	assert_int_equal(mm_nr_stops(), stops);
	free_pages(pages, 4);
}

/* --- removal against allocation */

HOST_TEST(a_removal_beside_a_waiting_charge_makes_room_for_it)
{
	struct page *pages[8], *kept;
	void *objs[8];
	struct memcg *before;
	unsigned n = 0;

	machine();
	p = group(&root_memcg, "p", 1000);
	a = group(p, "a", 1000);
	b = group(p, "b", 1000);
	fill_pages(b, &kept, 1);
	before = memcg_remote_begin(b);
	for (unsigned i = 0; i < 8; i++)
		objs[i] = kmalloc(1000, GFP_KERNEL);
	memcg_remote_end(before);
	host_cpu(1);
	for (unsigned i = 0; i < 8; i++)
		kfree(objs[i]);			/* unused now, on CPU 1 */
	host_cpu(0);
	for (; n < 8; n++)
		fill_pages(a, pages + n, 1);
	assert_int_equal(memcg_set_kmem_limit(p, usage(p)), 0);

	stop_inside(take_page);
	memcg_destroy(b);
	assert_true(usage(p) < 1000);
	finish_other();
	end_other();
	assert_non_null(got);
	assert_int_equal(failcnt(p), 0);
	assert_audit();
	page_free(kept);
	page_free(got);
	free_pages(pages, n);
	run_work();
	assert_audit();
}

static void audit_inside(void (*fn)(void))
{
	stop_inside(fn);
	assert_true(memcg_cpu_busy(1));
	assert_audit();
	finish_other();
	end_other();
	assert_audit();
}

HOST_TEST(an_allocation_that_waits_holds_nothing)
{
	struct page *pages[10];

	machine();
	p = group(&root_memcg, "p", 10);
	a = group(p, "a", 1000);
	fill_pages(p, pages, 10);
	audit_inside(take_page);
	assert_null(got);
	audit_inside(take_object);
	assert_null(got);
	page_free(pages[9]);
	page_free(pages[8]);
	audit_inside(take_stack);		/* two of four pages are there */
	assert_int_equal(err, -ENOMEM);
	assert_int_equal(usage(p), 8);
	free_pages(pages, 8);
}

static struct page *take_all_pages(void)
{
	struct page *page, *all = NULL;

	while ((page = page_alloc(PAGE_KERNEL, 0, GFP_ATOMIC)) != NULL) {
		page->cache = (void *)all;
		all = page;
	}
	return all;
}

static void free_all_pages(struct page *all)
{
	while (all) {
		struct page *next = (void *)all->cache;

		page_free(all);
		all = next;
	}
}

HOST_TEST(an_allocation_that_waits_for_pages_holds_no_charge)
{
	struct page *all, *one;

	machine();
	a = group(&root_memcg, "a", 10);
	all = take_all_pages();
	one = all;
	all = (void *)all->cache;
	page_free(one);				/* on CPU 0's list */
	stop_inside(take_page);
	assert_true(memcg_cpu_busy(1));
	assert_int_equal(usage(a), 0);
	assert_audit();
	finish_other();
	end_other();
	assert_non_null(got);
	assert_int_equal(usage(a), 1);
	assert_audit();
	page_free(got);
	free_all_pages(all);
	assert_audit();
}

/* --- free on another CPU */

HOST_TEST(what_other_cpus_hold_unused_is_drained_before_a_refusal)
{
	struct memcg *before;
	struct page *page;
	void *objs[200];

	machine();
	a = group(&root_memcg, "a", 1000);
	before = memcg_remote_begin(a);
	for (unsigned i = 0; i < 200; i++)
		objs[i] = kmalloc(100, GFP_KERNEL);
	memcg_remote_end(before);
	host_cpu(1);
	for (unsigned i = 0; i < 200; i++)
		kfree(objs[i]);
	host_cpu(0);
	assert_audit();
	assert_true(usage(a) > 0);
	assert_int_equal(memcg_set_kmem_limit(a, 1), 0);
	assert_int_equal(usage(a), 0);
	before = memcg_remote_begin(a);
	page = page_alloc_charged(PAGE_KERNEL, 0, GFP_KERNEL);
	memcg_remote_end(before);
	assert_non_null(page);
	page_free(page);
	assert_audit();
}

HOST_TEST(a_free_after_a_drain_is_drained_again)
{
	struct memcg *before;
	void *objs[2];

	machine();
	a = group(&root_memcg, "a", 1000);
	before = memcg_remote_begin(a);
	objs[0] = kmalloc(4000, GFP_KERNEL);
	objs[1] = kmalloc(4000, GFP_KERNEL);
	memcg_remote_end(before);
	for (unsigned i = 0; i < 2; i++) {
		host_cpu(1);
		kfree(objs[i]);
		host_cpu(0);
		mm_stop();
		acct_drain(a, false);
		mm_resume();
	}
	assert_int_equal(usage(a), 0);
	assert_audit();
}

HOST_TEST(pages_on_another_cpus_list_can_be_had)
{
	struct page *all, *page;

	machine();
	all = take_all_pages();
	host_cpu(1);
	page = all;
	all = (void *)all->cache;
	page_free(page);
	host_cpu(0);
	assert_null(page_alloc(PAGE_KERNEL, 0, GFP_ATOMIC));
	page = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL);
	assert_non_null(page);
	page_free(page);
	free_all_pages(all);
	assert_audit();
}

/* --- last free against destroy */

HOST_TEST(removal_takes_back_what_other_cpus_hold_of_the_copies)
{
	struct memcg *before;
	void *obj;

	machine();
	a = group(&root_memcg, "a", 1000);
	before = memcg_remote_begin(a);
	obj = kmalloc(64, GFP_KERNEL);
	memcg_remote_end(before);
	host_cpu(1);
	kfree(obj);				/* the last free: into CPU 1's own part */
	host_cpu(0);
	memcg_destroy(a);			/* then the destroy */
	run_work();
	assert_null(cache_named("kmalloc-64(2:a)dead"));
	assert_int_equal(live_objects("owner"), 0);
	assert_audit();
}

HOST_TEST(a_free_after_removal_destroys_the_copy)
{
	struct memcg *before;
	void *objs[3];

	machine();
	a = group(&root_memcg, "a", 1000);
	before = memcg_remote_begin(a);
	for (unsigned i = 0; i < 3; i++)
		objs[i] = kmalloc(64, GFP_KERNEL);
	memcg_remote_end(before);
	memcg_destroy(a);
	for (unsigned i = 0; i < 3; i++) {
		assert_non_null(cache_named("kmalloc-64(2:a)dead"));
		host_cpu(i % 2);
		kfree(objs[i]);
		host_cpu(0);
		if (i < 2)
			run_work();
	}
	assert_non_null(cache_named("kmalloc-64(2:a)dead"));	/* by the worker, not the free */
	run_work();
	assert_null(cache_named("kmalloc-64(2:a)dead"));
	assert_int_equal(live_objects("owner"), 0);
	assert_audit();
}

HOST_TEST(a_copy_that_was_drained_before_dies_like_the_others)
{
	struct memcg *before;
	void *obj, *gone;

	machine();
	a = group(&root_memcg, "a", 1000);
	before = memcg_remote_begin(a);
	obj = kmalloc(64, GFP_KERNEL);
	gone = kmalloc(100, GFP_KERNEL);
	memcg_remote_end(before);
	kfree(gone);
	memcg_shrink(a);
	memcg_destroy(a);
	host_cpu(1);
	kfree(obj);
	host_cpu(0);
	run_work();
	assert_null(cache_named("kmalloc-64(2:a)dead"));
	assert_null(cache_named("kmalloc-128(2:a)dead"));
	assert_int_equal(live_objects("owner"), 0);
	assert_audit();
}

HOST_TEST(a_record_goes_with_the_last_that_names_it)
{
	struct memcg *before;
	struct page *page;
	void *obj;

	machine();
	for (unsigned order = 0; order < 2; order++) {
		a = group(&root_memcg, "a", 1000);
		fill_pages(a, &page, 1);
		before = memcg_remote_begin(a);
		obj = kmalloc(64, GFP_KERNEL);
		memcg_remote_end(before);
		memcg_destroy(a);
		host_cpu(1);
		if (order == 0)
			page_free(page);
		else
			kfree(obj);
		host_cpu(0);
		run_work();
		assert_int_equal(live_objects("owner"), 1);
		assert_audit();
		if (order == 0)
			kfree(obj);
		else
			page_free(page);
		run_work();
		assert_int_equal(live_objects("owner"), 0);
		assert_audit();
	}
}

/* --- the same copy twice */

HOST_TEST(two_cpus_make_one_copy)
{
	struct page *pages[8];
	void *obj;

	machine();
	p = group(&root_memcg, "p", 8);
	a = group(p, "a", 1000);
	fill_pages(p, pages, 8);
	stop_inside(take_object);		/* the copy's own memory is refused by p */
	assert_int_equal(memcg_set_kmem_limit(p, 1000), 0);
	memcg_set_current(a);
	obj = kmalloc(64, GFP_KERNEL);
	memcg_set_current(NULL);
	assert_non_null(obj);
	finish_other();
	end_other();
	assert_non_null(got);
	assert_ptr_equal(page_of(got)->cache, page_of(obj)->cache);
	assert_audit();
	kfree(obj);
	kfree(got);
	free_pages(pages, 8);
	assert_audit();
}

/* --- kernel stacks */

HOST_TEST(a_slot_is_used_again_only_after_all_cpus_forgot_it)
{
	struct kstack first, many[64];

	machine();
	assert_int_equal(kstack_alloc(&first), 0);
	assert_int_equal(first.slot, 0);
	kstack_free(&first);
	assert_int_equal(kstack_alloc(&first), 0);
	assert_int_equal(first.slot, 1);	/* 0 may be in some TLB */
	for (unsigned i = 0; i < 63; i++)
		assert_int_equal(kstack_alloc(&many[i]), 0);
	assert_int_equal(host_nr_kernel_flushes(), 0);
	for (unsigned i = 0; i < 63; i++)
		kstack_free(&many[i]);
	assert_audit();
	assert_int_equal(kstack_alloc(&many[0]), 0);
	assert_int_equal(host_nr_kernel_flushes(), 1);	/* for 64 of them */
	assert_int_equal(many[0].slot, 0);
	assert_int_equal(kstack_nr_used(), 2);
	assert_audit();
}

HOST_TEST(the_last_slot_is_had_by_a_flush)
{
	static struct kstack stacks[2048];
	struct kstack again;
	unsigned n = 0;
	int last;

	host_machine(64, 2);
	kstack_init(1);
	while ((last = kstack_alloc(&stacks[n])) == 0)
		n++;
	assert_int_equal(last, -EAGAIN);
	assert_int_equal(host_nr_kernel_flushes(), 0);
	kstack_free(&stacks[5]);
	kstack_free(&stacks[3]);
	assert_int_equal(kstack_alloc(&again), 0);
	assert_int_equal(again.slot, 3);
	assert_int_equal(host_nr_kernel_flushes(), 1);
	assert_audit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_task_inside_an_allocation_is_not_moved),
		cmocka_unit_test(a_move_does_not_end_a_remote_scope),
		cmocka_unit_test(a_refusal_is_final_once_and_counted_once),
		cmocka_unit_test(a_charge_with_room_stops_nobody),
		cmocka_unit_test(an_atomic_charge_stops_nobody),
		cmocka_unit_test(a_removal_beside_a_waiting_charge_makes_room_for_it),
		cmocka_unit_test(an_allocation_that_waits_holds_nothing),
		cmocka_unit_test(an_allocation_that_waits_for_pages_holds_no_charge),
		cmocka_unit_test(what_other_cpus_hold_unused_is_drained_before_a_refusal),
		cmocka_unit_test(a_free_after_a_drain_is_drained_again),
		cmocka_unit_test(pages_on_another_cpus_list_can_be_had),
		cmocka_unit_test(removal_takes_back_what_other_cpus_hold_of_the_copies),
		cmocka_unit_test(a_free_after_removal_destroys_the_copy),
		cmocka_unit_test(a_copy_that_was_drained_before_dies_like_the_others),
		cmocka_unit_test(a_record_goes_with_the_last_that_names_it),
		cmocka_unit_test(two_cpus_make_one_copy),
		cmocka_unit_test(a_slot_is_used_again_only_after_all_cpus_forgot_it),
		cmocka_unit_test(the_last_slot_is_had_by_a_flush),
	};

	return cmocka_run_group_tests_name("smp", tests, NULL, NULL);
}
