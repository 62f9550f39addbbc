/* SPDX-License-Identifier: MIT */
/* The host's half of arch/mmu.h: x86_64's shape of table, walked by software alone. */
#pragma once
#include "kernel/lib/types.h"

#define HOST_PTE_PRESENT	0x10ull		/* beside the PTE_* bits 0-3 */
#define HOST_PTE_ADDR		0x000ffffffffff000ull

static inline u64 mmu_pte(paddr_t page, unsigned prot)
{
	return page | HOST_PTE_PRESENT | (prot & 0xf);
}

static inline u64 mmu_table_pte(paddr_t table)
{
	return table | HOST_PTE_PRESENT | 0xf;
}

static inline bool mmu_present(u64 pte)
{
	return (pte & HOST_PTE_PRESENT) != 0;
}

static inline paddr_t mmu_addr(u64 pte)
{
	return pte & HOST_PTE_ADDR;
}

static inline unsigned mmu_prot(u64 pte)
{
	return (unsigned)(pte & 0xf);
}

static inline unsigned mmu_index(uintptr_t va, unsigned level)
{
	return (unsigned)(va >> (12 + 9 * level)) & 511;
}

static inline u64 mmu_span(unsigned level)
{
	return 1ull << (12 + 9 * level);
}
