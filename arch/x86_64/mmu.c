/* SPDX-License-Identifier: MIT */
/*
 * The kernel's page tables. The kernel half of every root is the same few entries, all made
 * by mmu_init(): direct map, stack area, device window, image. Later mappings only change
 * tables below them, so no other root ever has to be brought up to date.
 *
 * Two CPUs may map at once in different places: an entry belongs to who owns its address, and
 * of two tables made for the same entry one wins; the other is kept for the next need.
 */
#include "arch/mmu.h"
#include "arch/irq.h"
#include "arch/upcall.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/rawlock.h"
#include "kernel/lib/string.h"

#define HUGE_PAGE	(1ul << 21)
#define LEVEL_PAGE	0
#define LEVEL_HUGE	1
#define LEVEL_ROOT	(MMU_LEVELS - 1)

extern char boot_stack_guard[];
extern pte_t boot_pml4[];		/* boot/entry.asm */

static pte_t kernel_root[MMU_ENTRIES] aligned(PAGE_SIZE);
static paddr_t direct_end = 1ull << 32;	/* physical; what the boot tables map, at first */
static rawlock device_lock;
static uintptr_t device_next = DEVICE_AREA;	/* [device_lock] */
static rawlock spare_lock;
static paddr_t spare_tables;		/* [spare_lock] each begins with the address of the next */

/* A zeroed page for a table, 0: none. */
static paddr_t table_take(void)
{
	unsigned long flags = rawlock_acquire(&spare_lock);
	paddr_t page = spare_tables;
	paddr_t *next = page ? phys_to_virt(page) : NULL;

	if (next) {
		spare_tables = *next;
		*next = 0;
	}
	rawlock_release(&spare_lock, flags);
	return page ? page : upcall_table_page();
}

static void table_keep(paddr_t page)
{
	unsigned long flags = rawlock_acquire(&spare_lock);

	*(paddr_t *)phys_to_virt(page) = spare_tables;
	spare_tables = page;
	rawlock_release(&spare_lock, flags);
}

/* Let entry point to a new table, unless another CPU is faster. False: no page. */
static bool make_table(pte_t *entry)
{
	paddr_t page = table_take();
	pte_t none = 0;

	if (!page)
		return false;
	if (!__atomic_compare_exchange_n(entry, &none, page | X86_PTE_PRESENT | X86_PTE_WRITE,
					 false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		table_keep(page);
	return true;
}

/* The entry of va at the given level; missing tables above it are made if make is set.
 * NULL: no entry, or no page for a table. */
static pte_t *walk(uintptr_t va, unsigned level, bool make)
{
	pte_t *table = kernel_root;

	for (unsigned l = LEVEL_ROOT; l > level; l--) {
		pte_t *entry = &table[mmu_index(va, l)];
		pte_t now = READ_ONCE(*entry);

		if (!(now & X86_PTE_PRESENT)) {
			if (!make || !make_table(entry))
				return NULL;
			now = READ_ONCE(*entry);
		}
		if (now & X86_PTE_HUGE)
			return NULL;
		table = phys_to_virt(mmu_addr(now));
	}
	return &table[mmu_index(va, level)];
}

static void must_map(uintptr_t va, unsigned level, pte_t pte)
{
	pte_t *entry = walk(va, level, true);

	if (!entry)
		panic("no memory for the kernel's page tables");
	*entry = pte;
}

static void map_image(void)
{
	for (uintptr_t va = (uintptr_t)kernel_start; va < (uintptr_t)kernel_end; va += PAGE_SIZE) {
		unsigned prot = PTE_READ | PTE_WRITE;

		if (va == (uintptr_t)boot_stack_guard)
			continue;
		if (va >= (uintptr_t)kernel_text_start && va < (uintptr_t)kernel_text_end)
			prot = PTE_READ | PTE_EXEC;
		else if (va < (uintptr_t)kernel_rodata_end)
			prot = PTE_READ;
		must_map(va, LEVEL_PAGE, mmu_pte(virt_to_phys((void *)va), prot));
	}
}

/* Build the kernel's tables and run on them. Panics when memory does not even suffice for
 * them. Context: boot, once, on the boot tables. */
void mmu_init(paddr_t ram_end)
{
	paddr_t end = ALIGN_UP(ram_end, HUGE_PAGE);

	for (paddr_t pa = 0; pa < end; pa += HUGE_PAGE)
		must_map((uintptr_t)phys_to_virt(pa), LEVEL_HUGE,
			 mmu_pte(pa, PTE_READ | PTE_WRITE) | X86_PTE_HUGE);
	map_image();
	if (!walk(KSTACK_AREA, LEVEL_ROOT - 1, true) || !walk(DEVICE_AREA, LEVEL_ROOT - 1, true))
		panic("no memory for the kernel's page tables");
	direct_end = end;
	mmu_switch(virt_to_phys(kernel_root));
}

/* Give root (new, zeroed) the kernel's half. Context: any. */
void mmu_init_root(pte_t *root)
{
	memcpy(root + MMU_ENTRIES / 2, kernel_root + MMU_ENTRIES / 2, PAGE_SIZE / 2);
}

/* Run on the tables of root. Kernel entries are global and stay in the TLB. */
void mmu_switch(paddr_t root)
{
	__asm__ volatile("movq %0, %%cr3" :: "r"(root) : "memory");
}

/* The root without a user half. */
paddr_t mmu_kernel_root(void)
{
	return virt_to_phys(kernel_root);
}

/* The root for a CPU on its way to 64-bit mode: the boot's tables, which map the first 4 GiB at
 * their own addresses, with the kernel's half. It lies below 4 GiB. Context: boot. */
paddr_t mmu_start_root(void)
{
	mmu_init_root(boot_pml4);
	return virt_to_phys(boot_pml4);
}

/* Map one kernel page. 0 or -ENOMEM. Locks: the owner of the area's. Context: thread. */
int mmu_map_kernel(uintptr_t va, paddr_t page, unsigned prot)
{
	pte_t *entry = walk(va, LEVEL_PAGE, true);

	if (!entry)
		return -ENOMEM;
	BUG_ON(mmu_present(*entry));
	*entry = mmu_pte(page, prot & ~PTE_USER);
	return 0;
}

/* Unmap one kernel page and forget it on this CPU. Locks: the owner of the area's. */
void mmu_unmap_kernel(uintptr_t va)
{
	pte_t *entry = walk(va, LEVEL_PAGE, false);

	BUG_ON(!entry || !mmu_present(*entry));
	*entry = 0;
	mmu_flush_page(va);
}

static int map_uncached(uintptr_t va, paddr_t base, size_t bytes)
{
	for (size_t done = 0; done < bytes; done += PAGE_SIZE) {
		pte_t *entry = walk(va + done, LEVEL_PAGE, true);

		if (!entry)
			return -ENOMEM;
		*entry = mmu_pte(base + done, PTE_READ | PTE_WRITE) | X86_PTE_UNCACHED;
	}
	return 0;
}

/* Map a device's registers for ever. NULL when the window or memory is full.
 * Context: boot, after mmu_init(). */
void *mmu_map_device(paddr_t base, size_t bytes)
{
	size_t lead = base % PAGE_SIZE, span = ALIGN_UP(lead + bytes, PAGE_SIZE);
	unsigned long flags = rawlock_acquire(&device_lock);
	uintptr_t va = device_next;
	void *result = NULL;

	if (span <= DEVICE_AREA + DEVICE_AREA_BYTES - va) {
		device_next += span;
		if (map_uncached(va, base - lead, span) == 0)
			result = (void *)(va + lead);
	}
	rawlock_release(&device_lock, flags);
	return result;
}

/* Firmware tables to read: in the direct map when they lie below the end of RAM. NULL when
 * they cannot be mapped. Context: boot, after mmu_init(). */
const void *mmu_map_firmware(paddr_t base, size_t bytes)
{
	if (base + bytes <= direct_end)
		return phys_to_virt(base);
	return mmu_map_device(base, bytes);
}

/* Forget this CPU's translation of va. */
void mmu_flush_page(uintptr_t va)
{
	__asm__ volatile("invlpg (%0)" :: "r"(va) : "memory");
}

/* Forget this CPU's user translations (the kernel's are global). */
void mmu_flush_user(void)
{
	unsigned long root;

	__asm__ volatile("movq %%cr3, %0; movq %0, %%cr3" : "=r"(root) :: "memory");
}

/* Forget all of this CPU's translations, the kernel's too. Context: any. */
void mmu_flush_kernel(void)
{
	unsigned long flags = irq_save(), cr4;

	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	if (cr4 & CR4_PGE) {
		__asm__ volatile("movq %0, %%cr4" :: "r"(cr4 & ~CR4_PGE) : "memory");
		__asm__ volatile("movq %0, %%cr4" :: "r"(cr4) : "memory");
	} else {
		mmu_flush_user();
	}
	irq_restore(flags);
}

/* Can the kernel address va be read? By the tables this CPU runs on. Context: any. */
bool mmu_kernel_mapped(uintptr_t va)
{
	paddr_t pa;

	__asm__ volatile("movq %%cr3, %0" : "=r"(pa));
	for (unsigned level = LEVEL_ROOT + 1; level-- > 0;) {
		const pte_t *table = phys_to_virt(pa & X86_PTE_ADDR);
		pte_t entry = table[mmu_index(va, level)];

		if (!(entry & X86_PTE_PRESENT))
			return false;
		if (entry & X86_PTE_HUGE)
			return true;
		pa = entry;
	}
	return true;
}
