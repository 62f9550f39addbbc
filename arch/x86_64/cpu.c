/* SPDX-License-Identifier: MIT */
/* Each CPU's tables (GDT, TSS, and the IDT that all share), the protections it offers, and
 * random bytes. */
#include "arch/cpu.h"
#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/mmu.h"
#include "arch/smp.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/rawlock.h"
#include "kernel/lib/string.h"

#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_SFMASK		0xc0000084
#define EFER_SCE		(1u << 0)
#define SYSCALL_MASKED		0x47700u	/* AC NT IOPL DF IF TF: see entry.asm */

#define CR0_MP			(1ul << 1)
#define CR0_EM			(1ul << 2)
#define CR0_TS			(1ul << 3)
#define CR0_NE			(1ul << 5)
#define CR0_WP			(1ul << 16)
#define CR0_AM			(1ul << 18)
#define CR4_OSFXSR		(1ul << 9)
#define CR4_OSXMMEXCPT		(1ul << 10)
#define CR4_UMIP		(1ul << 11)
#define CR4_SMEP		(1ul << 20)
#define CR4_SMAP		(1ul << 21)

enum { IST_NONE, IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK, NR_IST };
#define IST_STACK_BYTES		(SMP_TRAP_STACK_BYTES / (NR_IST - 1))
_Static_assert(IST_STACK_BYTES % 16 == 0, "stacks begin aligned");

struct packed tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iomap_base;
} cacheline_aligned;

struct idt_entry {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_mid;
	u32 offset_high, reserved;
};

struct packed table_pointer {
	u16 limit;
	u64 base;
};

enum { GDT_NULL, GDT_KERNEL_CODE, GDT_KERNEL_DATA, GDT_SYSRET, GDT_USER_DATA, GDT_USER_CODE,
	GDT_TSS, GDT_TSS_HIGH, GDT_ENTRIES };

extern char entry_stubs[], entry_syscall[];

struct cpu_local cpu_locals[NR_CPUS];	/* before C by entry code: GS base of CPU 0 */
u8 cpu_smap;
u8 cpu_use_x2apic;
u64 mmu_nx;

static struct tss tss[NR_CPUS];
static u64 gdt[NR_CPUS][GDT_ENTRIES];
static struct idt_entry idt[256] aligned(16);
static char boot_trap_stacks[SMP_TRAP_STACK_BYTES] aligned(16);

static struct {
	rawlock lock;			/* state */
	u64 state[2];
	bool seeded;			/* by seed=: never ask RDRAND */
	bool have_rdrand;
} rng;

/* CPUID, all zero for a leaf beyond the CPU's last. Context: any. */
struct cpuid cpuid_get(u32 leaf, u32 subleaf)
{
	struct cpuid c;

	__asm__ volatile("cpuid" : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx)
			 : "a"(leaf & 0xffff0000), "c"(0));
	if (c.eax < leaf || (c.eax & 0xffff0000) != (leaf & 0xffff0000))
		return (struct cpuid){ 0 };
	__asm__ volatile("cpuid" : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx)
			 : "a"(leaf), "c"(subleaf));
	return c;
}

static void init_gdt(unsigned cpu)
{
	u64 base = (u64)&tss[cpu], limit = sizeof(struct tss) - 1;
	struct table_pointer gdtr = { sizeof(gdt[cpu]) - 1, (u64)gdt[cpu] };

	gdt[cpu][GDT_KERNEL_CODE] = 0x00af9b000000ffff;
	gdt[cpu][GDT_KERNEL_DATA] = 0x00cf93000000ffff;
	gdt[cpu][GDT_USER_DATA] = 0x00cff3000000ffff;
	gdt[cpu][GDT_USER_CODE] = 0x00affb000000ffff;
	gdt[cpu][GDT_TSS] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 |
			    (base >> 24 & 0xff) << 56;
	gdt[cpu][GDT_TSS_HIGH] = base >> 32;
	tss[cpu].iomap_base = sizeof(struct tss);
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovl %2, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "ltr %w3"
			 :: "m"(gdtr), "i"(KERNEL_CS), "i"(KERNEL_SS), "r"(GDT_TSS * 8)
			 : "rax", "memory");
}

static void set_gate(unsigned vector, unsigned ist, unsigned dpl)
{
	u64 stub = (u64)entry_stubs + 16 * vector;

	idt[vector] = (struct idt_entry){
		.offset_low = (u16)stub, .offset_mid = (u16)(stub >> 16),
		.offset_high = (u32)(stub >> 32), .selector = KERNEL_CS,
		.ist = (u8)ist, .type = (u8)(0x8e | dpl << 5),
	};
}

static void fill_idt(void)
{
	for (unsigned v = 0; v < 256; v++)
		set_gate(v, IST_NONE, v == 3 || v == 4 ? 3 : 0);
	set_gate(2, IST_NMI, 0);
	set_gate(8, IST_DOUBLE_FAULT, 0);
	set_gate(18, IST_MACHINE_CHECK, 0);
}

/* NMI, double fault and machine check of that CPU run on stacks in this memory of
 * SMP_TRAP_STACK_BYTES. Context: boot, before that CPU's cpu_init_tables(). */
void cpu_set_trap_stacks(unsigned cpu, void *stacks)
{
	for (unsigned i = 1; i < NR_IST; i++)
		tss[cpu].ist[i - 1] = (u64)stacks + i * IST_STACK_BYTES;
}

/* GDT, TSS and IDT of this CPU, whose GS base is set. Context: boot, or a CPU that starts;
 * interrupts off. */
void cpu_init_tables(void)
{
	struct table_pointer idtr = { sizeof(idt) - 1, (u64)idt };

	if (cpu_id() == 0) {
		cpu_set_trap_stacks(0, boot_trap_stacks);
		fill_idt();
	}
	init_gdt(cpu_id());
	__asm__ volatile("lidt %0" :: "m"(idtr));
}

/* Protections the CPU has, SYSCALL, SSE; never XSAVE: user state is the FXSAVE image.
 * All CPUs are taken to have what the first has.
 * Context: boot, or a CPU that starts, after cpu_init_tables(). */
void cpu_init_features(void)
{
	struct cpuid basic = cpuid_get(1, 0), more = cpuid_get(7, 0);
	unsigned long cr0, cr4;
	u64 efer = rdmsr(MSR_EFER) | EFER_SCE;

	if (cpuid_get(0x80000001, 0).edx & 1u << 20) {
		efer |= EFER_NXE;
		mmu_nx = X86_PTE_NX;
	}
	wrmsr(MSR_EFER, efer);
	wrmsr(MSR_STAR, (u64)KERNEL_CS << 32 | (u64)(GDT_SYSRET * 8 | 3) << 48);
	wrmsr(MSR_LSTAR, (u64)entry_syscall);
	wrmsr(MSR_SFMASK, SYSCALL_MASKED);

	__asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
	cr0 = (cr0 & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP | CR0_AM;
	__asm__ volatile("movq %0, %%cr0" :: "r"(cr0) : "memory");

	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
	cr4 |= (basic.edx & 1u << 13) ? CR4_PGE : 0;
	cr4 |= (more.ebx & 1u << 7) ? CR4_SMEP : 0;
	cr4 |= (more.ecx & 1u << 2) ? CR4_UMIP : 0;
	if (more.ebx & 1u << 20) {
		cr4 |= CR4_SMAP;
		cpu_smap = 1;
	}
	__asm__ volatile("movq %0, %%cr4" :: "r"(cr4) : "memory");
	cpu_use_x2apic = (basic.ecx & 1u << 21) != 0;
	rng.have_rdrand = (basic.ecx & 1u << 30) != 0;
}

/* Both ways in from user mode start at sp: interrupts by the TSS, SYSCALL by the local. */
void cpu_set_entry_stack(uintptr_t sp)
{
	unsigned cpu = cpu_id();

	tss[cpu].rsp[0] = sp;
	cpu_locals[cpu].kernel_sp = sp;
}

/* The value of key ("seed=") on the boot command line, or NULL. It ends at a space. */
const char *boot_option(const struct bootinfo *bi, const char *key)
{
	size_t len = str_len(key);
	const char *found = NULL;

	for (const char *at = bi->cmdline; *at; at++) {
		bool word = at == bi->cmdline || at[-1] == ' ';

		if (word && str_ncmp(at, key, len) == 0)
			found = at + len;	/* the last one counts */
	}
	return found;
}

static u64 splitmix(u64 *x)
{
	u64 z = *x += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Seed the generator. With seed= a run repeats exactly, so RDRAND is left alone then.
 * Context: boot. */
void cpu_random_init(const struct bootinfo *bi)
{
	const char *text = boot_option(bi, "seed="), *end;
	u64 seed;

	rng.seeded = text && str_to_u64(text, &end, &seed) == 0;
	if (!rng.seeded)
		seed = cpu_cycles() ^ clock_boot_seconds() << 32;
	rng.state[0] = splitmix(&seed);
	rng.state[1] = splitmix(&seed);
}

static bool rdrand(u64 *value)
{
	bool ok = false;

	for (int tries = 0; tries < 10 && !ok; tries++)
		__asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(ok) :: "cc");
	return ok;
}

/* xoroshiro128+ (Blackman and Vigna), or the CPU's own generator. Locks: rng.lock. */
static u64 random_word(void)
{
	u64 a = rng.state[0], b = rng.state[1], sum = a + b, value;

	if (!rng.seeded && rng.have_rdrand && rdrand(&value))
		return value;
	b ^= a;
	rng.state[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
	rng.state[1] = b << 37 | b >> 27;
	return sum;
}

/* Fill buf with random bytes. Context: any. */
void cpu_random(void *buf, size_t bytes)
{
	unsigned long flags = rawlock_acquire(&rng.lock);
	char *at = buf;

	while (bytes) {
		u64 word = random_word();
		size_t n = MIN(bytes, sizeof(word));

		memcpy(at, &word, n);
		at += n;
		bytes -= n;
	}
	rawlock_release(&rng.lock, flags);
}
