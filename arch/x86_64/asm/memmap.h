/* SPDX-License-Identifier: MIT */
/* x86_64 half of arch/memmap.h: the kernel's half of the 48-bit address space. */
#pragma once
#include "kernel/lib/compiler.h"

#define USER_MIN		0x10000ul	/* below: never mapped, so NULL faults */
#define USER_MAX		0x7ffffffff000ul /* the last page would end in no man's land */

#define DIRECT_BASE		0xffff800000000000ul
#define KSTACK_AREA		0xffffc00000000000ul
#define KSTACK_AREA_BYTES	(64ul << 30)
#define DEVICE_AREA		0xffffd00000000000ul
#define DEVICE_AREA_BYTES	(1ul << 30)
#define KERNEL_BASE		0xffffffff80000000ul	/* image: physical 0 is here */

/* linker.ld: the image, page aligned throughout. */
extern char kernel_start[], kernel_text_start[], kernel_text_end[];
extern char kernel_rodata_end[], kernel_end[];

static inline void *phys_to_virt(paddr_t pa)
{
	return (void *)(DIRECT_BASE + pa);
}

static inline paddr_t virt_to_phys(const void *va)
{
	uintptr_t a = (uintptr_t)va;

	return a >= KERNEL_BASE ? a - KERNEL_BASE : a - DIRECT_BASE;
}
