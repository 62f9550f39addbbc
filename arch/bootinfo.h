/* SPDX-License-Identifier: MIT */
/* What the boot loader told us, in one form for multiboot2 and PVH. Filled by boot/bootinfo.c
 * before upcall_boot(); physical addresses. */
#pragma once
#include "kernel/lib/types.h"

#define BOOT_MAX_RANGES		64
#define BOOT_MAX_MODULES	8
#define BOOT_CMDLINE_MAX	2048

struct boot_range {
	paddr_t start;
	u64 bytes;
	bool usable;			/* RAM we may hand out, else reserved */
};

struct boot_module {
	paddr_t start;
	u64 bytes;
};

struct boot_framebuffer {
	paddr_t base;			/* 0: none, use VGA text */
	u32 pitch, width, height;
	u8 bits_per_pixel;
};

struct bootinfo {
	unsigned nr_ranges;
	struct boot_range ranges[BOOT_MAX_RANGES];
	unsigned nr_modules;		/* the initrd(s), laid over each other in order */
	struct boot_module modules[BOOT_MAX_MODULES];
	struct boot_framebuffer fb;
	paddr_t rsdp;			/* ACPI root pointer, 0 if not told */
	const char *loader;		/* "multiboot2" or "pvh" */
	char cmdline[BOOT_CMDLINE_MAX];
};
