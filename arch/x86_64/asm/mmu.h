/* SPDX-License-Identifier: MIT */
/*
 * x86_64 half of arch/mmu.h: hardware page-table entries. The hardware has no entry that is
 * present but not readable; a leaf with no access right at all (PROT_NONE) keeps its address
 * in an entry the hardware takes for not present, marked by X86_PTE_NONE.
 */
#pragma once
#include "kernel/lib/compiler.h"

#define X86_PTE_PRESENT		0x001ull
#define X86_PTE_WRITE		0x002ull
#define X86_PTE_USER		0x004ull
#define X86_PTE_UNCACHED	0x018ull	/* PCD and PWT */
#define X86_PTE_HUGE		0x080ull
#define X86_PTE_GLOBAL		0x100ull
#define X86_PTE_NONE		0x200ull	/* ours: a page without any right */
#define X86_PTE_NX		(1ull << 63)
#define X86_PTE_ADDR		0x000ffffffffff000ull

extern u64 mmu_nx;			/* X86_PTE_NX, or 0 on a CPU without */

static inline u64 mmu_pte(paddr_t page, unsigned prot)
{
	u64 pte = page | ((prot & 8u) ? X86_PTE_USER : X86_PTE_GLOBAL);

	if (!(prot & 7u))
		return pte | X86_PTE_NONE;
	if (prot & 2u)
		pte |= X86_PTE_WRITE;
	if (!(prot & 4u))
		pte |= mmu_nx;
	return pte | X86_PTE_PRESENT;
}

static inline u64 mmu_table_pte(paddr_t table)
{
	return table | X86_PTE_PRESENT | X86_PTE_WRITE | X86_PTE_USER;
}

static inline bool mmu_present(u64 pte)
{
	return (pte & (X86_PTE_PRESENT | X86_PTE_NONE)) != 0;
}

static inline paddr_t mmu_addr(u64 pte)
{
	return pte & X86_PTE_ADDR;
}

/* What mmu_pte() was given, with PTE_READ added to every right that implies it. */
static inline unsigned mmu_prot(u64 pte)
{
	unsigned user = (pte & X86_PTE_USER) ? 8u : 0;

	if (!(pte & X86_PTE_PRESENT))
		return user;
	return user | 1u | ((pte & X86_PTE_WRITE) ? 2u : 0) | ((pte & X86_PTE_NX) ? 0 : 4u);
}

static inline unsigned mmu_index(uintptr_t va, unsigned level)
{
	return (unsigned)(va >> (12 + 9 * level)) & 511;
}

static inline u64 mmu_span(unsigned level)
{
	return 1ull << (12 + 9 * level);
}
