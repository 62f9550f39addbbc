/* SPDX-License-Identifier: MIT */
/* Patching the places of static keys. The text is mapped read-only, so the five bytes are
 * written through the direct map, one byte after the other: nobody executes them meanwhile.
 * Reference: Intel SDM volume 3, "Handling Self- and Cross-Modifying Code". */
#include "arch/static_key.h"
#include "arch/memmap.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

#define SITE_BYTES	5
#define JUMP_OPCODE	0xe9

static const u8 nop[SITE_BYTES] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };

extern const struct static_site static_sites_start[], static_sites_end[];

static void make_jump(u8 bytes[SITE_BYTES], const struct static_site *site)
{
	s32 distance = (s32)(site->target - (site->code + SITE_BYTES));

	bytes[0] = JUMP_OPCODE;
	memcpy(bytes + 1, &distance, sizeof(distance));
}

/* As arch/static_key.h says. A place that holds neither what it should nor what it shall is a
 * bug: somebody wrote into the text. */
void static_key_patch(struct static_key *key, bool on)
{
	for (const struct static_site *site = static_sites_start; site < static_sites_end; site++) {
		u8 jump[SITE_BYTES];
		u8 *place = phys_to_virt(virt_to_phys((void *)site->code));

		if (site->key != (u64)key)
			continue;
		make_jump(jump, site);
		if (memcmp(place, on ? nop : jump, SITE_BYTES))
			panic("the place of a static key at %p is not as it was left",
			      (void *)site->code);
		memcpy(place, on ? jump : nop, SITE_BYTES);
	}
	cpu_sync_code();
}

/* CPUID is serialising on every x86. Context: any. */
void cpu_sync_code(void)
{
	u32 eax = 0, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx) :: "memory");
}
