/* SPDX-License-Identifier: MIT */
/*
 * Contract: page-table entries and tables, mechanism only. Policy (who allocates, what is
 * charged, when to copy) is kernel/vm/pgtable.c.
 *
 * A table is one page of MMU_ENTRIES entries; level MMU_LEVELS-1 is the root, level 0 holds
 * the entries of 4 KiB pages.
 */
#pragma once
#include "arch/memmap.h"

#define MMU_LEVELS	4
#define MMU_ENTRIES	512

typedef u64 pte_t;

#define PTE_READ	1u		/* what mmu_pte() takes and mmu_pte_prot() gives */
#define PTE_WRITE	2u
#define PTE_EXEC	4u
#define PTE_USER	8u

/* pte_t mmu_pte(paddr_t page, unsigned prot): a leaf entry.
 * pte_t mmu_table_pte(paddr_t table): an entry that points to the next lower table (user).
 * bool mmu_present(pte_t), paddr_t mmu_addr(pte_t), unsigned mmu_prot(pte_t).
 * unsigned mmu_index(uintptr_t va, unsigned level); u64 mmu_span(unsigned level): bytes that
 * one entry of that level maps. */
#include "asm/mmu.h"

/* Build the kernel's own tables: image by section (RX, R, RW), direct map of ram_bytes of
 * physical memory plus holes up to it, stack area. Takes its pages by upcall_table_page().
 * Context: boot, once, on the boot tables (which map the first 4 GiB). */
void mmu_init(paddr_t ram_end);

/* Copy the kernel half of the root into a new, zeroed root table. */
void mmu_init_root(pte_t *root);

/* Run on these tables (physical address of the root); flushes this CPU's user TLB. */
void mmu_switch(paddr_t root);

/* The kernel's own root: what a kernel thread may run on. */
paddr_t mmu_kernel_root(void);

/* Map or unmap one kernel page at va (stack area, device memory). mmu_map_kernel() returns
 * -ENOMEM when no table page is to be had. Unmap flushes this CPU's TLB entry. */
int mmu_map_kernel(uintptr_t va, paddr_t page, unsigned prot) must_check;
void mmu_unmap_kernel(uintptr_t va);

/* A device's registers, uncached. NULL when the window for devices is full. */
void *mmu_map_device(paddr_t base, size_t bytes);

/* Flush this CPU's TLB: one page, or all user entries. */
void mmu_flush_page(uintptr_t va);
void mmu_flush_user(void);
