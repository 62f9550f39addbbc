/* SPDX-License-Identifier: MIT */
/* The allocators and the accounting on the real machine: the operation stream of tests/ops,
 * the stack's guard page, the page tables under it. */
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/sched/thread.h"
#include "mm/kmem.h"
#include "mm/kstack.h"
#include "mm/memcg.h"
#include "mm/page.h"
#include "mm/work.h"
#include "tests/kernel/selftest.h"
#include "tests/ops/ops.h"

#define STREAM_BYTES 60000

static u8 stream[STREAM_BYTES];

static const char *run_stream(u64 seed, unsigned flags)
{
	struct ops_result result;

	ops_random_stream(stream, sizeof(stream), seed);
	ops_run(stream, sizeof(stream), flags, NULL, &result);
	log_info("selftest: seed %lu, digest %lx", seed, result.digest);
	if (result.error)
		return result.error;
	EXPECT(result.ok[OP_CACHE_ALLOC] > 1000);
	EXPECT(result.ok[OP_GROUP_CREATE] > 20);
	EXPECT((flags & OPS_NO_FAILURES) || result.failed[OP_CACHE_ALLOC] > 20);
	return NULL;
}

static const char *test_stream_plain(void)
{
	return run_stream(1, OPS_NO_FAILURES);
}

static const char *test_stream_failures(void)
{
	return run_stream(2, 0);
}

static const char *test_stream_failures_again(void)
{
	return run_stream(3, 0);
}

/* The streams' groups and caches may still be on their way out, by the worker. */
static const char *test_all_memory(void)
{
	unsigned long before, taken = 0;
	struct page *page, *first = NULL;
	void *large;

	while (!work_idle())
		sched_yield();
	before = page_nr_free();
	while ((page = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL))) {
		*(struct page **)page_to_virt(page) = first;
		first = page;
		taken++;
	}
	large = kmalloc(KMALLOC_MAX, GFP_KERNEL);
	while (first) {
		page = first;
		first = *(struct page **)page_to_virt(page);
		page_free(page);
	}
	EXPECT(!large);
	EXPECT(taken == before);
	EXPECT(page_nr_free() == before);
	return NULL;
}

static const char *test_stack_guard(void)
{
	struct kstack stack;

	EXPECT(kstack_alloc(&stack) == 0);
	memset((char *)stack.top - kstack_pages() * PAGE_SIZE, 1, kstack_pages() * PAGE_SIZE);
	EXPECT(kstack_is_guard((uintptr_t)stack.top - kstack_pages() * PAGE_SIZE - 8));
	EXPECT(!kstack_is_guard((uintptr_t)stack.top - 8));
	kstack_free(&stack);
	return NULL;
}

static const char *test_stack_charge(void)
{
	struct memcg *g = memcg_create(&root_memcg, "stacks");
	struct kstack a, b;

	EXPECT(g && memcg_set_kmem_limit(g, kstack_pages() + 1) == 0);
	memcg_set_current(g);
	EXPECT(kstack_alloc(&a) == 0);
	EXPECT(page_counter_read(&g->kmem) == kstack_pages());
	EXPECT(kstack_alloc(&b) == -ENOMEM);
	EXPECT(page_counter_read(&g->kmem) == kstack_pages());
	memcg_set_current(NULL);
	kstack_free(&a);
	EXPECT(page_counter_read(&g->kmem) == 0);
	memcg_destroy(g);
	return NULL;
}

const struct selftest selftests_mm[] = {
	{ "mm: operation stream, no failures", test_stream_plain },
	{ "mm: operation stream, limits and injected failures", test_stream_failures },
	{ "mm: another such stream", test_stream_failures_again },
	{ "mm: every page can be had and given back", test_all_memory },
	{ "mm: a stack has a guard page", test_stack_guard },
	{ "mm: a stack is charged whole or not at all", test_stack_charge },
	{ NULL, NULL },
};
