/* SPDX-License-Identifier: MIT */
/*
 * Symbols by address. tools/ksym.py writes the table of text symbols of the linked image, in
 * ascending order, as offsets from the image's base. The table is weak: the image of the
 * first link pass, and the host's programs, have none.
 */
#include "kernel/lib/ksym.h"
#include "kernel/lib/compiler.h"
#include "kernel/lib/fmt.h"

#define KSYM_BASE	0xffffffff80000000ul
#define KSYM_MAX_OFFSET	0x1000u		/* no function is longer */

extern const u32 ksym_count __attribute__((weak));
extern const u32 ksym_offsets[] __attribute__((weak));
extern const u32 ksym_name_offs[] __attribute__((weak));
extern const char ksym_names[] __attribute__((weak));

/* Name of the function that holds addr, or NULL. *offset: how far into it. Context: any. */
const char *ksym_lookup(uintptr_t addr, size_t *offset)
{
	u32 low = 0, high = &ksym_count ? ksym_count : 0;
	uintptr_t from_base = addr - KSYM_BASE;

	if (addr < KSYM_BASE)
		return NULL;
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (ksym_offsets[mid] <= from_base)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0 || from_base - ksym_offsets[low - 1] >= KSYM_MAX_OFFSET)
		return NULL;
	*offset = from_base - ksym_offsets[low - 1];
	return ksym_names + ksym_name_offs[low - 1];
}

/* Write "name+0x12", or the bare address without a symbol, into buf. Context: any. */
void ksym_format(char *buf, size_t size, uintptr_t addr)
{
	size_t offset;
	const char *name = ksym_lookup(addr, &offset);

	if (name)
		fmt_print(buf, size, "%s+0x%zx", name, offset);
	else
		fmt_print(buf, size, "0x%lx", addr);
}
