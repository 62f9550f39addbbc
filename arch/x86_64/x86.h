/* SPDX-License-Identifier: MIT */
/* Private to arch/x86_64: instructions without a C name, and what its files share. */
#pragma once
#include "arch/bootinfo.h"
#include "arch/cpu.h"
#include "arch/memmap.h"
#include "arch/trap.h"

static inline void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" :: "a"(value), "Nd"(port) : "memory");
}

static inline u8 inb(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void outw(u16 port, u16 value)
{
	__asm__ volatile("outw %0, %1" :: "a"(value), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" :: "a"(value), "Nd"(port) : "memory");
}

static inline u32 inl(u16 port)
{
	u32 value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" :: "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

/* All zero when the CPU has no such leaf. */
struct cpuid cpuid_get(u32 leaf, u32 subleaf);

/* cpu.c */
extern struct cpu_local cpu_locals[NR_CPUS];
extern u8 cpu_smap;			/* read by entry.asm and uaccess.asm */
extern u8 cpu_use_x2apic;
#define CR4_PGE		(1ul << 7)
#define MSR_EFER	0xc0000080
#define EFER_LME	(1u << 8)
#define EFER_NXE	(1u << 11)
void cpu_set_trap_stacks(unsigned cpu, void *stacks);
void cpu_init_tables(void);
void cpu_init_features(void);
void cpu_set_entry_stack(uintptr_t sp);
void cpu_random_init(const struct bootinfo *bi);
const char *boot_option(const struct bootinfo *bi, const char *key);

/* smp.c: called with an NMI before anything else; returns if this CPU shall go on */
void smp_nmi(const struct regs *r);
void smp_print_halted(void);

/* mmu.c */
paddr_t mmu_start_root(void);
void mmu_flush_kernel(void);
bool mmu_kernel_mapped(uintptr_t va);
const void *mmu_map_firmware(paddr_t base, size_t bytes);

/* irq.c. Vectors 0x20-0x2f are left to the masked 8259s. */
enum { VECTOR_PIC = 0x20, VECTOR_IRQ = 0x30, VECTOR_TIMER = 0x40,
	VECTOR_RESCHEDULE = 0x50, VECTOR_FLUSH, VECTOR_FLUSH_KERNEL, VECTOR_SPURIOUS = 0xff };
enum { ISA_KEYBOARD = 1, ISA_COM2 = 3, ISA_COM1 = 4 };
void irq_set_handler(unsigned vector, void (*handler)(struct regs *r));
void irq_dispatch(struct regs *r);

/* apic.c, acpi.c */
struct acpi_routes {
	paddr_t lapic;
	unsigned nr_ioapics;
	struct { paddr_t base; u32 first_gsi; } ioapic[8];
	struct { u32 gsi; bool active_low, level; } isa[16];
	unsigned nr_cpus;		/* that may be used, in the firmware's order */
	u32 cpu[NR_CPUS];		/* their local APICs' numbers */
	unsigned nr_cpus_left_out;	/* beyond NR_CPUS, or out of reach without x2APIC */
};
void acpi_find_routes(const struct bootinfo *bi, struct acpi_routes *routes);
enum { ICR_FIXED = 0x4000, ICR_NMI = 0x4400, ICR_INIT = 0x4500, ICR_STARTUP = 0x4600 };
const struct acpi_routes *apic_discover(const struct bootinfo *bi);
void apic_init(void);
void apic_init_cpu(void);
u32 apic_own_id(void);
void apic_send(u32 apic_id, u32 what);
void apic_eoi(void);
bool apic_in_service(unsigned vector);
void apic_route_isa(unsigned isa_irq, void (*handler)(struct regs *r));
void apic_timer_set(u32 count, bool periodic);
u32 apic_timer_left(void);

/* uart.c */
enum { COM1 = 0x3f8, COM2 = 0x2f8 };
bool uart_init(u16 port, unsigned rx_trigger);
bool uart_has_room(u16 port);
bool uart_put(u16 port, u8 byte, bool may_drop);
int uart_get(u16 port);
void uart_rx_irq(u16 port, bool on);

/* console.c */
void console_init_early(void);
void console_init(const struct bootinfo *bi);
void console_put(u8 byte);

/* hostport.c */
void hostport_init_early(void);
void hostport_init(void);
void hostport_beat(void);
void hostport_end(void);

/* keyboard.c */
void keyboard_init(void);

/* trap.c, dump.c */
bool trap_is_guard(uintptr_t addr);
void trap_panic_begin(void);
noreturn void trap_panic_hook(const char *reason);
void trap_panic_from(const struct regs *r);	/* a panic on this CPU dumps r */
