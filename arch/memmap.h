/* SPDX-License-Identifier: MIT */
/* Contract: where things are. */
#pragma once
#include "kernel/lib/compiler.h"

#define PAGE_SHIFT	12
#define PAGE_SIZE	4096ul
#define PAGE_MASK	(~(PAGE_SIZE - 1))

/* void *phys_to_virt(paddr_t), paddr_t virt_to_phys(const void *): through the direct map
 * of all RAM (virt_to_phys also takes kernel image addresses).
 * USER_MIN, USER_MAX: user addresses are USER_MIN <= a < USER_MAX.
 * KSTACK_AREA, KSTACK_AREA_BYTES: kernel virtual space for stacks with guard pages. */
#include "asm/memmap.h"
