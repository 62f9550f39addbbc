/* SPDX-License-Identifier: MIT */
/* GRUB's account of the machine: a list of tags, each 8-byte aligned (Multiboot2
 * specification 2.0, section 3.6). */
#include "boot/bootinfo.h"
#include "arch/memmap.h"
#include "kernel/lib/string.h"

enum {
	TAG_END = 0, TAG_CMDLINE = 1, TAG_MODULE = 3, TAG_MMAP = 6, TAG_FRAMEBUFFER = 8,
	TAG_ACPI_OLD = 14, TAG_ACPI_NEW = 15,
};

#define MMAP_AVAILABLE	1
#define FRAMEBUFFER_RGB	1

struct mb2_tag {
	u32 type, bytes;
};

struct mb2_module {
	struct mb2_tag tag;
	u32 start, end;
};

struct mb2_mmap_entry {
	u64 start, bytes;
	u32 type, reserved;
};

struct mb2_mmap {
	struct mb2_tag tag;
	u32 entry_bytes, version;
};

struct mb2_framebuffer {
	struct mb2_tag tag;
	u64 base;
	u32 pitch, width, height;
	u8 bits_per_pixel, type;
};

static void parse_mmap(struct bootinfo *bi, const struct mb2_mmap *map)
{
	const char *at = (const char *)(map + 1), *end = (const char *)map + map->tag.bytes;

	if (map->entry_bytes < sizeof(struct mb2_mmap_entry))
		return;
	for (; at + map->entry_bytes <= end; at += map->entry_bytes) {
		const struct mb2_mmap_entry *e = (const void *)at;

		bootinfo_add_range(bi, e->start, e->bytes, e->type == MMAP_AVAILABLE);
	}
}

static void parse_framebuffer(struct bootinfo *bi, const struct mb2_framebuffer *fb)
{
	if (fb->type != FRAMEBUFFER_RGB)
		return;
	bi->fb = (struct boot_framebuffer){
		.base = fb->base, .pitch = fb->pitch, .width = fb->width,
		.height = fb->height, .bits_per_pixel = fb->bits_per_pixel,
	};
}

static void parse_tag(struct bootinfo *bi, const struct mb2_tag *tag)
{
	const struct mb2_module *module = (const void *)tag;
	const char *body = (const char *)(tag + 1);
	size_t body_bytes = tag->bytes - sizeof(*tag);

	switch (tag->type) {
	case TAG_CMDLINE:
		bootinfo_add_cmdline(bi, body, body_bytes);
		break;
	case TAG_MODULE:
		if (module->end > module->start)
			bootinfo_add_module(bi, module->start, module->end - module->start);
		break;
	case TAG_MMAP:
		parse_mmap(bi, (const void *)tag);
		break;
	case TAG_FRAMEBUFFER:
		parse_framebuffer(bi, (const void *)tag);
		break;
	case TAG_ACPI_OLD:
		if (!bi->rsdp)
			bootinfo_set_rsdp(bi, body, body_bytes);
		break;
	case TAG_ACPI_NEW:
		bootinfo_set_rsdp(bi, body, body_bytes);
		break;
	}
}

/* Fill bi from the tag list at physical address info. */
void multiboot2_parse(struct bootinfo *bi, paddr_t info)
{
	const char *start = phys_to_virt(info);
	u32 total = *(const u32 *)start, at = 8;

	bi->loader = "multiboot2";
	while (at + sizeof(struct mb2_tag) <= total) {
		const struct mb2_tag *tag = (const void *)(start + at);

		if (tag->type == TAG_END || tag->bytes < sizeof(*tag))
			break;
		parse_tag(bi, tag);
		at += ALIGN_UP(tag->bytes, 8u);
	}
}
