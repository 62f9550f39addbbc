/* SPDX-License-Identifier: MIT */
/* The host's half of arch/memmap.h: RAM is one mapping, physical address 0 its first byte. */
#pragma once
#include "kernel/lib/types.h"

extern char *host_ram;			/* made by host_ram_create() */
extern char *host_kstack_area;		/* inaccessible until mmu_map_kernel() maps a page */

#define USER_MIN		0x1000ul
#define USER_MAX		0x800000000000ul
#define KSTACK_AREA		((uintptr_t)host_kstack_area)
#define KSTACK_AREA_BYTES	(64ul << 20)

static inline void *phys_to_virt(paddr_t pa)
{
	return host_ram + pa;
}

static inline paddr_t virt_to_phys(const void *va)
{
	return (paddr_t)((const char *)va - host_ram);
}
