/* SPDX-License-Identifier: MIT */
/*
 * First C code of the kernel: runs on the boot page tables (first 4 GiB) and fills the one
 * struct bootinfo from what the loader left in memory. All of it is copied out here, so that
 * the loader's memory is ordinary RAM afterwards; only the modules stay where they are.
 */
#include "boot/bootinfo.h"
#include "arch/machine.h"
#include "arch/memmap.h"
#include "arch/upcall.h"
#include "kernel/lib/string.h"

#define PVH_LOADED	0x336ec578u
#define CMDLINE_FILE	"opt/tally/cmdline"

/* Named by entry.asm. */
noreturn void boot_main(u32 magic, u32 info);

static struct bootinfo boot_info;
static u8 rsdp_copy[64] aligned(16);

/* Add a range of the memory map; ranges beyond the table are not used. */
void bootinfo_add_range(struct bootinfo *bi, paddr_t start, u64 bytes, bool usable)
{
	if (!bytes || start + bytes < start || bi->nr_ranges == BOOT_MAX_RANGES)
		return;
	bi->ranges[bi->nr_ranges++] = (struct boot_range){ start, bytes, usable };
}

/* Add a module. One that the boot tables do not reach is not usable and left out. */
void bootinfo_add_module(struct bootinfo *bi, paddr_t start, u64 bytes)
{
	if (!bytes || start + bytes > 1ull << 32 || bi->nr_modules == BOOT_MAX_MODULES)
		return;
	bi->modules[bi->nr_modules++] = (struct boot_module){ start, bytes };
}

/* Keep a copy of the ACPI root pointer that lies in the loader's memory. */
void bootinfo_set_rsdp(struct bootinfo *bi, const void *rsdp, size_t bytes)
{
	memcpy(rsdp_copy, rsdp, MIN(bytes, sizeof(rsdp_copy)));
	bi->rsdp = virt_to_phys(rsdp_copy);
}

/* Append text (at most max bytes, up to a NUL) to the command line, after a space. What does
 * not fit is cut. */
void bootinfo_add_cmdline(struct bootinfo *bi, const char *text, size_t max)
{
	size_t len = str_len(bi->cmdline);

	if (len && len < BOOT_CMDLINE_MAX - 1)
		bi->cmdline[len++] = ' ';
	for (size_t i = 0; i < max && text[i] && len < BOOT_CMDLINE_MAX - 1; i++) {
		bool blank = text[i] == '\n' || text[i] == '\r' || text[i] == '\t';

		bi->cmdline[len++] = blank ? ' ' : text[i];
	}
	bi->cmdline[len] = '\0';
}

static void add_host_cmdline(struct bootinfo *bi)
{
	static char text[BOOT_CMDLINE_MAX];
	size_t bytes = fwcfg_read(CMDLINE_FILE, text, sizeof(text));

	if (bytes)
		bootinfo_add_cmdline(bi, text, bytes);
}

/* From entry.asm: which loader (checked there), where it put its information. */
void boot_main(u32 magic, u32 info)
{
	if (magic == PVH_LOADED)
		pvh_parse(&boot_info, info);
	else
		multiboot2_parse(&boot_info, info);
	add_host_cmdline(&boot_info);
	upcall_boot(&boot_info);
}
