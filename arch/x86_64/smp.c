/* SPDX-License-Identifier: MIT */
/*
 * The other CPUs: found in the MADT, started one after the other, interrupted, stopped.
 *
 * Start. INIT puts a CPU into a state where it waits for a startup interrupt, which names the
 * page it begins at. That page holds ap_start.asm and, behind it, struct start_params:
 *
 *	this CPU    params; claim = OFFERED; startup IPI ... claimed? no: once more ... online?
 *	the other                                   claim: OFFERED -> CLAIMED; 64 bit; online
 *
 * One that does not come is sent INIT again, so that it cannot come later and take what was
 * offered to the next.
 *
 * Kernel translations. flush_wanted counts the wishes for a flush; each CPU notes how many it
 * had seen when it flushed. A wish is fulfilled when all others have noted its number.
 *
 * References: Intel SDM volume 3, sections 9.4 (start) and 11.6 (interrupt command register).
 */
#include "arch/smp.h"
#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/machine.h"
#include "arch/mmu.h"
#include "arch/upcall.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/ksym.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

#define LOW_END		0xa0000u	/* of RAM that real mode code runs in */
#define INIT_NS		10000000ull
#define STARTUP_NS	1000000ull	/* until a second startup IPI */
#define CLAIM_NS	2000000000ull	/* until a CPU counts as dead: many share the host's */
#define ONLINE_NS	10000000000ull
#define HALT_NS		2000000000ull

enum { START_NOTHING, START_OFFERED, START_CLAIMED };

/* Known to ap_start.asm by offset. */
struct start_params {
	u64 stack_top, local, entry;
	u32 root, efer;
	u32 claim;
	u32 jump_offset;
	u16 jump_selector;
	u16 gdt_limit;
	u32 gdt_base;
	u64 gdt[2];
};

_Static_assert(offsetof(struct start_params, claim) == 32, "known to ap_start.asm");
_Static_assert(offsetof(struct start_params, gdt_limit) == 42, "as above");
_Static_assert(sizeof(struct start_params) == 64, "as above");

extern const char ap_start[], ap_start_long[], ap_start_params[], ap_start_end[];

/* Where ap_start.asm goes on. */
noreturn void smp_ap_main(void);

static unsigned nr_cpus = 1;			/* [I] after smp_discover() */
static u32 apic_ids[NR_CPUS];			/* [I] by CPU */
static paddr_t start_page;			/* [I] */
static atomic_u64 online = ATOMIC_INIT(1);	/* bit per CPU */

static atomic_u64 flush_wanted;
static struct flush_cpu {
	atomic_u64 seen;		/* [c] to write: of flush_wanted, before the last flush */
} cacheline_aligned flush_cpus[NR_CPUS];

static atomic_int halter;			/* 0, or the CPU + 1 that stops all others */
static atomic_u64 halted;			/* bit per CPU that has stopped */
static uintptr_t halted_at[NR_CPUS];

/* CPUs of this machine that we use, online or not. Context: any. */
unsigned cpu_count(void)
{
	return nr_cpus;
}

/* Has cpu called upcall_ap()? Context: any. */
bool smp_online(unsigned cpu)
{
	return atomic_load(&online) >> cpu & 1;
}

/* Bit per CPU that is online. Context: any. */
u64 smp_online_mask(void)
{
	return atomic_load(&online);
}

static bool overlaps(paddr_t page, paddr_t start, u64 bytes)
{
	return start < page + PAGE_SIZE && page < start + bytes;
}

/* Is page inside usable RAM, and nothing else in it? */
static bool page_is_free(const struct bootinfo *bi, paddr_t page)
{
	bool usable = false;

	for (unsigned i = 0; i < bi->nr_ranges; i++) {
		const struct boot_range *r = &bi->ranges[i];

		if (!r->usable && overlaps(page, r->start, r->bytes))
			return false;
		usable |= r->usable && page >= r->start &&
			  page + PAGE_SIZE <= r->start + r->bytes;
	}
	for (unsigned i = 0; i < bi->nr_modules; i++) {
		if (overlaps(page, bi->modules[i].start, bi->modules[i].bytes))
			return false;
	}
	return usable;
}

/* The page where other CPUs start, 0: none. The same at each call. Context: boot. */
paddr_t smp_start_page(const struct bootinfo *bi)
{
	for (paddr_t page = LOW_END - PAGE_SIZE; page > 0; page -= PAGE_SIZE) {
		if (page_is_free(bi, page))
			return page;
	}
	return 0;
}

static unsigned max_cpus(const struct bootinfo *bi)
{
	const char *text = boot_option(bi, "maxcpus="), *end;
	u64 max;

	if (!text)
		return NR_CPUS;
	if (str_to_u64(text, &end, &max) || (*end && *end != ' ')) {
		log_info("smp: maxcpus= wants a number, ignored");
		return NR_CPUS;
	}
	return (unsigned)MIN(MAX(max, 1ull), (u64)NR_CPUS);
}

/* Count the CPUs; the one we run on is 0, the others follow as the firmware lists them.
 * Context: boot, after mmu_init(), before kmem_init(). */
void smp_discover(const struct bootinfo *bi)
{
	const struct acpi_routes *found = apic_discover(bi);
	unsigned max = max_cpus(bi);
	u32 self = apic_own_id();

	apic_ids[0] = self;
	start_page = smp_start_page(bi);
	if (found->nr_cpus_left_out)
		log_info("smp: %u CPUs are out of reach", found->nr_cpus_left_out);
	if (!start_page && found->nr_cpus > 1) {
		log_info("smp: no page below 1 MiB to start other CPUs in");
		return;
	}
	for (unsigned i = 0; i < found->nr_cpus && nr_cpus < max; i++) {
		if (found->cpu[i] != self)
			apic_ids[nr_cpus++] = found->cpu[i];
	}
}

/* This CPU, from ap_start.asm: 64-bit mode, interrupts off, GS base and stack its own. */
void smp_ap_main(void)
{
	mmu_switch(mmu_kernel_root());
	cpu_init_tables();
	cpu_init_features();
	apic_init_cpu();
	atomic_or(&online, 1ull << cpu_id());
	upcall_ap();
}

static struct start_params *start_params(void)
{
	return phys_to_virt(start_page + (paddr_t)(ap_start_params - ap_start));
}

static void fill_start_page(void)
{
	struct start_params *p = start_params();

	memcpy(phys_to_virt(start_page), ap_start, (size_t)(ap_start_end - ap_start));
	p->entry = (u64)smp_ap_main;
	p->root = (u32)mmu_start_root();
	p->efer = EFER_LME | (mmu_nx ? EFER_NXE : 0);
	p->jump_offset = (u32)(start_page + (paddr_t)(ap_start_long - ap_start));
	p->jump_selector = KERNEL_CS;
	p->gdt[1] = 0x00af9b000000ffff;
	p->gdt_limit = sizeof(p->gdt) - 1;
	p->gdt_base = (u32)virt_to_phys(p->gdt);
}

static void wait_ns(u64 ns)
{
	u64 start = clock_ns();

	while (clock_ns() - start < ns)
		cpu_relax();
}

static bool wait_claimed(const struct start_params *p, u64 ns)
{
	u64 start = clock_ns();

	while (load_acquire(&p->claim) != START_CLAIMED) {
		if (clock_ns() - start >= ns)
			return false;
		cpu_relax();
	}
	return true;
}

static bool wait_online(unsigned cpu)
{
	u64 start = clock_ns();

	while (!smp_online(cpu)) {
		if (clock_ns() - start >= ONLINE_NS)
			return false;
		cpu_relax();
	}
	return true;
}

/* Start cpu, which INIT has readied. False when it does not come; its memory is lost then, as
 * it may have been in the middle of using it. */
static bool start_cpu(unsigned cpu, const struct smp_memory *memory)
{
	struct start_params *p = start_params();
	u32 startup = ICR_STARTUP | (u32)(start_page >> PAGE_SHIFT);

	cpu_locals[cpu].id = cpu;
	cpu_set_trap_stacks(cpu, memory->trap_stacks);
	p->stack_top = (u64)memory->stack_top;
	p->local = (u64)&cpu_locals[cpu];
	store_release(&p->claim, START_OFFERED);
	apic_send(apic_ids[cpu], startup);
	if (!wait_claimed(p, STARTUP_NS)) {
		apic_send(apic_ids[cpu], startup);
		(void)wait_claimed(p, CLAIM_NS);
	}
	if (__atomic_exchange_n(&p->claim, START_NOTHING, __ATOMIC_SEQ_CST) == START_CLAIMED &&
	    wait_online(cpu))
		return true;
	apic_send(apic_ids[cpu], ICR_INIT);
	wait_ns(INIT_NS);
	return false;
}

static void flush_irq(struct regs *r)
{
	(void)r;
	upcall_flush();
}

static void flush_kernel_irq(struct regs *r)
{
	u64 wanted = atomic_load_acquire(&flush_wanted);

	(void)r;
	mmu_flush_kernel();
	atomic_store_release(&flush_cpus[cpu_id()].seen, wanted);
}

/* Start the others, as arch/smp.h says. VECTOR_RESCHEDULE has no handler: to come is all it
 * does. Context: boot, after clock_init(). */
void smp_start(bool (*give)(unsigned cpu, struct smp_memory *memory))
{
	struct smp_memory memory;

	irq_set_handler(VECTOR_FLUSH, flush_irq);
	irq_set_handler(VECTOR_FLUSH_KERNEL, flush_kernel_irq);
	if (nr_cpus > 1) {
		fill_start_page();
		for (unsigned i = 1; i < nr_cpus; i++)
			apic_send(apic_ids[i], ICR_INIT);
		wait_ns(INIT_NS);
	}
	for (unsigned i = 1; i < nr_cpus; i++) {
		if (!give(i, &memory))
			log_info("smp: no memory for CPU %u, it stays offline", i);
		else if (!start_cpu(i, &memory))
			log_info("smp: CPU %u (APIC %u) does not answer, it stays offline", i,
				 apic_ids[i]);
	}
	log_info("smp: %u of %u CPUs online", bits_count(smp_online_mask()), nr_cpus);
}

/* Interrupt cpu. Does not wait. Context: any. */
void smp_send(unsigned cpu, enum ipi ipi)
{
	static const u8 vectors[NR_IPIS] = {
		[IPI_RESCHEDULE] = VECTOR_RESCHEDULE, [IPI_FLUSH] = VECTOR_FLUSH,
	};

	ASSERT(cpu != cpu_id() && smp_online(cpu));
	apic_send(apic_ids[cpu], ICR_FIXED | vectors[ipi]);
}

/* Every online CPU forgets all kernel translations. Returns when they have.
 * Context: thread, interrupts on, no spinlock held. */
void smp_flush_kernel(void)
{
	u64 wish = atomic_add_return(&flush_wanted, 1);
	u64 others = smp_online_mask() & ~(1ull << cpu_id());

	ASSERT(irq_enabled() || !others);
	for (unsigned i = 0; i < nr_cpus; i++) {
		if (others >> i & 1)
			apic_send(apic_ids[i], ICR_FIXED | VECTOR_FLUSH_KERNEL);
	}
	mmu_flush_kernel();
	for (unsigned i = 0; i < nr_cpus; i++) {
		while ((others >> i & 1) && atomic_load_acquire(&flush_cpus[i].seen) < wish)
			cpu_relax();
	}
}

/* Stop the others for good and wait, not for ever, until they have stopped. A second CPU that
 * wants to stop the others stops itself. Context: any, interrupts off. */
void smp_halt_others(void)
{
	u64 others = smp_online_mask() & ~(1ull << cpu_id()), start = clock_ns();
	int self = (int)cpu_id() + 1, nobody = 0;

	if (!atomic_try_cmpxchg(&halter, &nobody, self)) {
		if (nobody == self)
			return;
		atomic_or(&halted, 1ull << cpu_id());
		machine_halt();
	}
	for (unsigned i = 0; i < nr_cpus; i++) {
		if (others >> i & 1)
			apic_send(apic_ids[i], ICR_NMI);
	}
	while ((atomic_load(&halted) & others) != others && clock_ns() - start < HALT_NS)
		cpu_relax();
}

/* An NMI has come: if it means that another CPU has the machine, this one stops here.
 * Context: NMI. */
void smp_nmi(const struct regs *r)
{
	int by = atomic_load_acquire(&halter);

	if (!by || by == (int)cpu_id() + 1)
		return;
	halted_at[cpu_id()] = regs_ip(r);
	atomic_or(&halted, 1ull << cpu_id());
	machine_halt();
}

/* For the report of a panic: where each of the others stopped. */
void smp_print_halted(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		char where[96] = "in a panic of its own";

		if (i == cpu_id() || !smp_online(i))
			continue;
		if (!(atomic_load(&halted) >> i & 1)) {
			log_info("CPU %u does not answer", i);
			continue;
		}
		if (halted_at[i])
			ksym_format(where, sizeof(where), halted_at[i]);
		log_info("CPU %u stopped: %s", i, where);
	}
}
