/* SPDX-License-Identifier: MIT */
/* Private to boot/: filling struct bootinfo from what each loader says. */
#pragma once
#include "arch/bootinfo.h"

void bootinfo_add_range(struct bootinfo *bi, paddr_t start, u64 bytes, bool usable);
void bootinfo_add_module(struct bootinfo *bi, paddr_t start, u64 bytes);
void bootinfo_set_rsdp(struct bootinfo *bi, const void *rsdp, size_t bytes);
void bootinfo_add_cmdline(struct bootinfo *bi, const char *text, size_t max);

void multiboot2_parse(struct bootinfo *bi, paddr_t info);
void pvh_parse(struct bootinfo *bi, paddr_t info);
