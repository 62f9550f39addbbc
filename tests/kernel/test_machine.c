/* SPDX-License-Identifier: MIT */
/* The machine floor, tested on the machine: user copies, time, maps, logs. */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/memmap.h"
#include "arch/mmu.h"
#include "arch/smp.h"
#include "arch/uaccess.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/ksym.h"
#include "kernel/lib/string.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/percpu.h"
#include "mm/page.h"
#include "tests/kernel/selftest.h"

static const char *test_copy_unmapped(void)
{
	char buf[32];

	EXPECT(copy_from_user(buf, 0x500000, sizeof(buf)) == sizeof(buf));
	EXPECT(copy_to_user(0x500000, buf, sizeof(buf)) == sizeof(buf));
	EXPECT(clear_user(0x500000, 8) == 8);
	return NULL;
}

static const char *test_copy_kernel_address(void)
{
	static char secret[16] = "secret";
	char buf[16] = "";

	EXPECT(copy_from_user(buf, (uaddr_t)secret, sizeof(buf)) == sizeof(buf));
	EXPECT(buf[0] == '\0');
	EXPECT(copy_to_user((uaddr_t)secret, buf, sizeof(buf)) == sizeof(buf));
	EXPECT(str_eq(secret, "secret"));
	EXPECT(copy_from_user(buf, USER_MAX - 8, 16) == 16);
	EXPECT(copy_from_user(buf, ~0ul - 4, 16) == 16);
	EXPECT(copy_string_from_user(buf, (uaddr_t)secret, sizeof(buf)) == -EFAULT);
	return NULL;
}

static const char *test_clock_advances(void)
{
	u64 start = clock_ns();

	for (volatile int i = 0; i < 100000; i++)
		;
	EXPECT(clock_ns() > start);
	EXPECT(clock_boot_seconds() > 1000000000);
	return NULL;
}

static const char *test_direct_map(void)
{
	struct page *page = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL);
	void *addr;

	EXPECT(page);
	addr = page_to_virt(page);
	EXPECT(virt_to_phys(addr) == page_to_phys(page));
	EXPECT(phys_to_virt(page_to_phys(page)) == addr);
	page_free(page);
	return NULL;
}

static const char *test_symbols(void)
{
	size_t offset;
	const char *name = ksym_lookup((uintptr_t)page_alloc + 3, &offset);

	EXPECT(name && str_eq(name, "page_alloc"));
	EXPECT(offset == 3);
	EXPECT(!ksym_lookup(0x1000, &offset));
	return NULL;
}

static const char *test_irq_mask(void)
{
	unsigned long flags = irq_save();

	EXPECT(!irq_enabled());
	irq_restore(flags);
	EXPECT(irq_enabled());
	EXPECT(!irq_in_handler());
	EXPECT(cpu_id() < cpu_count());
	return NULL;
}

static const char *test_random_differs(void)
{
	u64 a, b;

	cpu_random(&a, sizeof(a));
	cpu_random(&b, sizeof(b));
	EXPECT(a != b);
	return NULL;
}

static bool move_to(unsigned cpu)
{
	if (thread_set_affinity(thread_current(), 1ull << cpu))
		return false;
	while (cpu_id() != cpu)
		sched_yield();
	return true;
}

/* Time must not go back for a thread that changes its CPU. */
static const char *test_every_cpu(void)
{
	u64 last = clock_ns(), now;

	EXPECT(smp_online(0));
	for_each_cpu(i) {
		EXPECT(smp_online(i));
		EXPECT(move_to(i));
		now = clock_ns();
		EXPECT(now >= last);
		last = now;
	}
	EXPECT(thread_set_affinity(thread_current(), AFFINITY_ALL) == 0);
	return NULL;
}

/* Let each CPU see page a at va, then map b there: none may still see a. */
static const char *remap_seen_by_all(uintptr_t va, struct page *a, struct page *b)
{
	volatile u64 *seen = (volatile u64 *)va;

	*(u64 *)page_to_virt(a) = 1;
	*(u64 *)page_to_virt(b) = 2;
	EXPECT(mmu_map_kernel(va, page_to_phys(a), PTE_READ) == 0);
	for_each_cpu(i) {
		EXPECT(move_to(i));
		EXPECT(*seen == 1);
	}
	mmu_unmap_kernel(va);
	EXPECT(mmu_map_kernel(va, page_to_phys(b), PTE_READ) == 0);
	smp_flush_kernel();
	for_each_cpu(i) {
		EXPECT(move_to(i));
		EXPECT(*seen == 2);
	}
	mmu_unmap_kernel(va);
	smp_flush_kernel();
	return NULL;
}

static const char *test_kernel_flush(void)
{
	struct page *a = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL);
	struct page *b = page_alloc(PAGE_KERNEL, 0, GFP_KERNEL);
	const char *problem;

	EXPECT(a && b);
	problem = remap_seen_by_all(KSTACK_AREA + KSTACK_AREA_BYTES - PAGE_SIZE, a, b);
	if (problem)
		return problem;
	EXPECT(thread_set_affinity(thread_current(), AFFINITY_ALL) == 0);
	page_free(a);
	page_free(b);
	return NULL;
}

const struct selftest selftests_machine[] = {
	{ "machine: user copies of unmapped memory fail whole", test_copy_unmapped },
	{ "machine: user copies never reach kernel memory", test_copy_kernel_address },
	{ "machine: the clock advances", test_clock_advances },
	{ "machine: direct map and back", test_direct_map },
	{ "machine: symbols are found by address", test_symbols },
	{ "machine: interrupt mask nests", test_irq_mask },
	{ "machine: random words differ", test_random_differs },
	{ "machine: a thread runs on every CPU, and time goes on", test_every_cpu },
	{ "machine: every CPU forgets a kernel translation", test_kernel_flush },
	{ NULL, NULL },
};
