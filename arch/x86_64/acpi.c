/* SPDX-License-Identifier: MIT */
/* As much ACPI as CPUs and interrupts need: RSDP, root table, MADT (ACPI 6.4, section 5.2).
 * Each table is checked by its sum; anything missing or damaged leaves the PC's traditional
 * values. */
#include "arch/x86_64/x86.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define LAPIC_DEFAULT	0xfee00000
#define IOAPIC_DEFAULT	0xfec00000
#define MAX_TABLE_BYTES	0x100000u

#define XAPIC_MAX_ID	254u		/* 255 means all of them */

enum { MADT_CPU = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_ADDRESS = 5,
	MADT_CPU_X2APIC = 9 };
enum { CPU_ENABLED = 1, CPU_ONLINE_CAPABLE = 2 };

struct packed rsdp {
	char signature[8];
	u8 sum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	u32 bytes;			/* from revision 2 on */
	u64 xsdt;
	u8 sum2, reserved[3];
};

struct packed acpi_table {
	char signature[4];
	u32 bytes;
	u8 revision, sum;
	char oem[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
};

struct packed madt {
	struct acpi_table head;
	u32 lapic, flags;
};

struct packed madt_entry {
	u8 type, bytes;
	union {
		struct packed { u8 uid, apic_id; u32 flags; } cpu;
		struct packed { u16 reserved; u32 apic_id, flags, uid; } cpu_x2apic;
		struct packed { u8 id, reserved; u32 base, first_gsi; } ioapic;
		struct packed { u8 bus, irq; u32 gsi; u16 flags; } override;
		struct packed { u16 reserved; u64 base; } lapic;
	};
};

static bool sum_is_zero(const void *data, size_t bytes)
{
	const u8 *at = data;
	u8 sum = 0;

	while (bytes--)
		sum = (u8)(sum + *at++);
	return sum == 0;
}

static const struct rsdp *rsdp_at(const void *at)
{
	return memcmp(at, "RSD PTR ", 8) == 0 && sum_is_zero(at, 20) ? at : NULL;
}

/* The loader's word, else the places where a BIOS puts it. */
static const struct rsdp *find_rsdp(const struct bootinfo *bi)
{
	const struct rsdp *found;
	paddr_t ebda = (paddr_t)*(const u16 *)phys_to_virt(0x40e) << 4;

	if (bi->rsdp) {
		const void *at = mmu_map_firmware(bi->rsdp, sizeof(struct rsdp));

		found = at ? rsdp_at(at) : NULL;
		if (found)
			return found;
	}
	for (paddr_t pa = ebda; ebda >= 0x80000 && pa < ebda + 1024 && pa < 0xa0000; pa += 16) {
		found = rsdp_at(phys_to_virt(pa));
		if (found)
			return found;
	}
	for (paddr_t pa = 0xe0000; pa < 0x100000; pa += 16) {
		found = rsdp_at(phys_to_virt(pa));
		if (found)
			return found;
	}
	return NULL;
}

static const struct acpi_table *map_table(paddr_t pa)
{
	const struct acpi_table *table = mmu_map_firmware(pa, sizeof(*table));
	u32 bytes = table ? table->bytes : 0;

	if (bytes < sizeof(*table) || bytes > MAX_TABLE_BYTES)
		return NULL;
	table = mmu_map_firmware(pa, bytes);
	return table && sum_is_zero(table, bytes) ? table : NULL;
}

static const struct acpi_table *find_table(const struct rsdp *rsdp, const char *signature)
{
	bool wide = rsdp->revision >= 2 && rsdp->xsdt;
	const struct acpi_table *root = map_table(wide ? rsdp->xsdt : rsdp->rsdt), *table;
	size_t width = wide ? 8 : 4;
	u32 nr = root ? (u32)((root->bytes - sizeof(*root)) / width) : 0;

	for (u32 i = 0; i < nr; i++) {
		paddr_t pa = 0;

		memcpy(&pa, (const char *)(root + 1) + i * width, width);
		table = map_table(pa);
		if (table && memcmp(table->signature, signature, 4) == 0)
			return table;
	}
	return NULL;
}

static void take_override(struct acpi_routes *routes, const struct madt_entry *e)
{
	if (e->override.irq >= ARRAY_SIZE(routes->isa))
		return;
	routes->isa[e->override.irq].gsi = e->override.gsi;
	routes->isa[e->override.irq].active_low = (e->override.flags & 3) == 3;
	routes->isa[e->override.irq].level = (e->override.flags >> 2 & 3) == 3;
}

/* Firmware may list a CPU by both types of entry. */
static void take_cpu(struct acpi_routes *routes, u32 apic_id, u32 flags)
{
	if (!(flags & (CPU_ENABLED | CPU_ONLINE_CAPABLE)))
		return;
	for (unsigned i = 0; i < routes->nr_cpus; i++) {
		if (routes->cpu[i] == apic_id)
			return;
	}
	if (routes->nr_cpus == NR_CPUS || (apic_id > XAPIC_MAX_ID && !cpu_use_x2apic))
		routes->nr_cpus_left_out++;
	else
		routes->cpu[routes->nr_cpus++] = apic_id;
}

/* Bytes that an entry of this type has at least; 0: we do not read it. */
static u8 entry_bytes(u8 type)
{
	switch (type) {
	case MADT_CPU:
		return 8;
	case MADT_IOAPIC:
	case MADT_LAPIC_ADDRESS:
		return 12;
	case MADT_OVERRIDE:
		return 10;
	case MADT_CPU_X2APIC:
		return 16;
	default:
		return 0;
	}
}

static void take_entry(struct acpi_routes *routes, const struct madt_entry *e)
{
	if (e->type == MADT_CPU) {
		take_cpu(routes, e->cpu.apic_id, e->cpu.flags);
	} else if (e->type == MADT_CPU_X2APIC) {
		take_cpu(routes, e->cpu_x2apic.apic_id, e->cpu_x2apic.flags);
	} else if (e->type == MADT_IOAPIC && routes->nr_ioapics < ARRAY_SIZE(routes->ioapic)) {
		routes->ioapic[routes->nr_ioapics].base = e->ioapic.base;
		routes->ioapic[routes->nr_ioapics++].first_gsi = e->ioapic.first_gsi;
	} else if (e->type == MADT_OVERRIDE) {
		take_override(routes, e);
	} else if (e->type == MADT_LAPIC_ADDRESS) {
		routes->lapic = e->lapic.base;
	}
}

static void read_madt(struct acpi_routes *routes, const struct madt *madt)
{
	const char *at = (const char *)(madt + 1), *end = (const char *)madt + madt->head.bytes;

	routes->lapic = madt->lapic;
	while (at + 2 <= end) {
		const struct madt_entry *e = (const void *)at;

		if (e->bytes < 2 || at + e->bytes > end)
			break;
		if (entry_bytes(e->type) && e->bytes >= entry_bytes(e->type))
			take_entry(routes, e);
		at += e->bytes;
	}
}

/* Which CPUs there are, where the interrupt controllers are and how ISA interrupts reach them.
 * Context: boot, after mmu_init(). */
void acpi_find_routes(const struct bootinfo *bi, struct acpi_routes *routes)
{
	const struct rsdp *rsdp = find_rsdp(bi);
	const struct acpi_table *madt = rsdp ? find_table(rsdp, "APIC") : NULL;

	*routes = (struct acpi_routes){ .lapic = LAPIC_DEFAULT };
	for (u32 i = 0; i < ARRAY_SIZE(routes->isa); i++)
		routes->isa[i].gsi = i;
	if (madt && madt->bytes >= sizeof(struct madt))
		read_madt(routes, (const struct madt *)madt);
	else
		log_info("acpi: no MADT, using the traditional interrupt routes");
	if (!routes->nr_ioapics)
		routes->ioapic[routes->nr_ioapics++].base = IOAPIC_DEFAULT;
}
