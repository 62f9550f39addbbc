/* SPDX-License-Identifier: MIT */
/* The machine floor, tested on the machine: user copies, time, maps, logs. */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/memmap.h"
#include "arch/mmu.h"
#include "arch/uaccess.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/ksym.h"
#include "kernel/lib/string.h"
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

const struct selftest selftests_machine[] = {
	{ "machine: user copies of unmapped memory fail whole", test_copy_unmapped },
	{ "machine: user copies never reach kernel memory", test_copy_kernel_address },
	{ "machine: the clock advances", test_clock_advances },
	{ "machine: direct map and back", test_direct_map },
	{ "machine: symbols are found by address", test_symbols },
	{ "machine: interrupt mask nests", test_irq_mask },
	{ "machine: random words differ", test_random_differs },
	{ NULL, NULL },
};
