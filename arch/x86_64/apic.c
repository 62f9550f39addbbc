/* SPDX-License-Identifier: MIT */
/* Interrupt controllers: the 8259s silenced, the local APIC (by MSR where the CPU has x2APIC,
 * else by memory), the I/O APICs for the ISA interrupts we use. */
#include "arch/irq.h"
#include "arch/mmu.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/panic.h"

#define MSR_APIC_BASE	0x1b
#define APIC_BASE_ENABLE (1u << 11)
#define APIC_BASE_X2APIC (1u << 10)
#define MSR_X2APIC	0x800

enum {
	APIC_ID = 0x20, APIC_TPR = 0x80, APIC_EOI = 0xb0, APIC_SPURIOUS = 0xf0,
	APIC_ISR = 0x100, APIC_ICR = 0x300, APIC_ICR_HIGH = 0x310, APIC_LVT_TIMER = 0x320, APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360, APIC_LVT_ERROR = 0x370, APIC_TIMER_INIT = 0x380,
	APIC_TIMER_NOW = 0x390, APIC_TIMER_DIVIDE = 0x3e0,
};

#define LVT_MASKED	(1u << 16)
#define LVT_NMI		(4u << 8)
#define LVT_PERIODIC	(1u << 17)
#define SPURIOUS_ENABLE	(1u << 8)
#define DIVIDE_BY_16	3
#define ICR_PENDING	(1u << 12)
#define MAX_ICR_WAITS	1000000

#define IOAPIC_VERSION	1
#define IOAPIC_ROUTE	0x10
#define ROUTE_LOW	(1u << 13)
#define ROUTE_LEVEL	(1u << 15)
#define ROUTE_MASKED	(1u << 16)

static volatile u32 *lapic;
static struct acpi_routes routes;
static volatile u32 *ioapics[ARRAY_SIZE(routes.ioapic)];

static u32 lapic_read(unsigned reg)
{
	if (cpu_use_x2apic)
		return (u32)rdmsr(MSR_X2APIC + reg / 16);
	return lapic[reg / 4];
}

static void lapic_write(unsigned reg, u32 value)
{
	if (cpu_use_x2apic)
		wrmsr(MSR_X2APIC + reg / 16, value);
	else
		lapic[reg / 4] = value;
}

static u32 ioapic_read(unsigned which, u32 reg)
{
	ioapics[which][0] = reg;
	return ioapics[which][4];
}

static void ioapic_write(unsigned which, u32 reg, u32 value)
{
	ioapics[which][0] = reg;
	ioapics[which][4] = value;
}

static unsigned ioapic_inputs(unsigned which)
{
	return (ioapic_read(which, IOAPIC_VERSION) >> 16 & 0xff) + 1;
}

/* Move the 8259s' vectors out of the exceptions, then mask all: a spurious IRQ 7 or 15 may
 * still come. */
static void silence_pic(void)
{
	outb(0x20, 0x11);
	outb(0xa0, 0x11);
	outb(0x21, VECTOR_PIC);
	outb(0xa1, VECTOR_PIC + 8);
	outb(0x21, 4);
	outb(0xa1, 2);
	outb(0x21, 1);
	outb(0xa1, 1);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

/* Find the CPUs and interrupt controllers. Returns what was found, which stays.
 * Context: boot, after mmu_init(). */
const struct acpi_routes *apic_discover(const struct bootinfo *bi)
{
	acpi_find_routes(bi, &routes);
	return &routes;
}

/* The number of this CPU's local APIC, in the words of CPUID: the APIC need not be on yet. */
u32 apic_own_id(void)
{
	return cpu_use_x2apic ? cpuid_get(0xb, 0).edx : cpuid_get(1, 0).ebx >> 24;
}

/* Turn this CPU's local APIC on, its timer off. Context: boot, or a CPU that starts, once on
 * each; interrupts off. */
void apic_init_cpu(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	wrmsr(MSR_APIC_BASE, base);
	if (cpu_use_x2apic)
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	lapic_write(APIC_TPR, 0);
	lapic_write(APIC_LVT_TIMER, LVT_MASKED);
	lapic_write(APIC_LVT_LINT0, LVT_MASKED);
	lapic_write(APIC_LVT_LINT1, LVT_NMI);
	lapic_write(APIC_LVT_ERROR, LVT_MASKED);
	lapic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
	lapic_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
}

/* Take over interrupt delivery; every I/O APIC input starts masked.
 * Context: boot, after apic_discover(), interrupts off. */
void apic_init(void)
{
	silence_pic();
	if (!cpu_use_x2apic)
		lapic = mmu_map_device(routes.lapic, PAGE_SIZE);
	if (!cpu_use_x2apic && !lapic)
		panic("cannot map the local APIC");
	apic_init_cpu();
	for (unsigned i = 0; i < routes.nr_ioapics; i++) {
		ioapics[i] = mmu_map_device(routes.ioapic[i].base, 0x20);
		if (!ioapics[i])
			panic("cannot map an I/O APIC");
		for (unsigned pin = 0; pin < ioapic_inputs(i); pin++)
			ioapic_write(i, IOAPIC_ROUTE + 2 * pin, ROUTE_MASKED);
	}
}

/* Send an interrupt to another CPU: what is one of ICR_*, with the vector of a fixed or startup
 * interrupt. What this CPU wrote before is there to be seen when it arrives: a write to memory
 * (xAPIC) orders that by itself, one to an MSR does not. Context: any. */
void apic_send(u32 apic_id, u32 what)
{
	unsigned long flags = irq_save();

	if (cpu_use_x2apic) {
		__asm__ volatile("mfence; lfence" ::: "memory");
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (u64)apic_id << 32 | what);
	} else {
		for (int i = 0; i < MAX_ICR_WAITS && (lapic_read(APIC_ICR) & ICR_PENDING); i++)
			cpu_relax();
		lapic_write(APIC_ICR_HIGH, apic_id << 24);
		lapic_write(APIC_ICR, what);
	}
	irq_restore(flags);
}

/* End of interrupt. Context: interrupt. */
void apic_eoi(void)
{
	lapic_write(APIC_EOI, 0);
}

/* Is vector being served? A spurious one is not, and must not be acknowledged. */
bool apic_in_service(unsigned vector)
{
	return lapic_read(APIC_ISR + vector / 32 * 16) >> vector % 32 & 1;
}

/* Deliver an ISA interrupt to handler on this CPU. Context: boot. */
void apic_route_isa(unsigned isa_irq, void (*handler)(struct regs *r))
{
	u32 gsi = routes.isa[isa_irq].gsi, low = VECTOR_IRQ + isa_irq;
	u32 id = lapic_read(APIC_ID);

	low |= routes.isa[isa_irq].active_low ? ROUTE_LOW : 0;
	low |= routes.isa[isa_irq].level ? ROUTE_LEVEL : 0;
	irq_set_handler(VECTOR_IRQ + isa_irq, handler);
	for (unsigned i = 0; i < routes.nr_ioapics; i++) {
		u32 pin = gsi - routes.ioapic[i].first_gsi;

		if (gsi < routes.ioapic[i].first_gsi || pin >= ioapic_inputs(i))
			continue;
		ioapic_write(i, IOAPIC_ROUTE + 2 * pin + 1, cpu_use_x2apic ? id << 24 : id);
		ioapic_write(i, IOAPIC_ROUTE + 2 * pin, low);
	}
}

/* Count down from count at a sixteenth of the bus clock; periodic: interrupt at VECTOR_TIMER
 * and start over, else just count. 0: stop. */
void apic_timer_set(u32 count, bool periodic)
{
	lapic_write(APIC_LVT_TIMER, VECTOR_TIMER | (periodic ? LVT_PERIODIC : LVT_MASKED));
	lapic_write(APIC_TIMER_INIT, count);
}

/* What is left of the count. */
u32 apic_timer_left(void)
{
	return lapic_read(APIC_TIMER_NOW);
}
