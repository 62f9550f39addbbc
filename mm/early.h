/* SPDX-License-Identifier: MIT */
/* Boot-time range allocator: RAM as sorted ranges, until the buddy allocator takes over. */
#pragma once
#include "arch/bootinfo.h"
#include "kernel/lib/compiler.h"

#define EARLY_MAX_RANGES 128

void early_init(const struct bootinfo *bi, paddr_t image_start, paddr_t image_end);
int early_reserve(paddr_t start, u64 bytes) must_check;
paddr_t early_alloc(u64 bytes, u64 align) must_check;
paddr_t early_ram_end(void);
void early_hand_over(void (*give)(paddr_t start, paddr_t end));
int early_check(void);			/* 0, or the number of the broken invariant */
