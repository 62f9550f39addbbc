/* SPDX-License-Identifier: MIT */
/* What a PVH loader (qemu -kernel) hands over: Xen's struct hvm_start_info, version 1
 * (xen/include/public/arch-x86/hvm/start_info.h). */
#include "boot/bootinfo.h"
#include "arch/memmap.h"
#include "kernel/lib/string.h"

#define START_INFO_MAGIC 0x336ec578u
#define MEMMAP_RAM	1

struct start_info {
	u32 magic, version, flags, nr_modules;
	u64 modlist, cmdline, rsdp;
	u64 memmap;			/* from version 1 on */
	u32 nr_memmap, reserved;
};

struct pvh_module {
	u64 start, bytes, cmdline, reserved;
};

struct pvh_range {
	u64 start, bytes;
	u32 type, reserved;
};

/* Fill bi from the start info at physical address info. */
void pvh_parse(struct bootinfo *bi, paddr_t info)
{
	const struct start_info *si = phys_to_virt(info);
	const struct pvh_module *mods = phys_to_virt(si->modlist);
	const struct pvh_range *map = phys_to_virt(si->memmap);

	bi->loader = "pvh";
	if (si->magic != START_INFO_MAGIC || si->version < 1)
		return;
	for (u32 i = 0; i < si->nr_memmap; i++)
		bootinfo_add_range(bi, map[i].start, map[i].bytes, map[i].type == MEMMAP_RAM);
	for (u32 i = 0; i < si->nr_modules; i++)
		bootinfo_add_module(bi, mods[i].start, mods[i].bytes);
	if (si->cmdline)
		bootinfo_add_cmdline(bi, phys_to_virt(si->cmdline), BOOT_CMDLINE_MAX);
	bi->rsdp = si->rsdp;
}
