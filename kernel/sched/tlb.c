/* SPDX-License-Identifier: MIT */
/*
 * Translations of user addresses, kept by many CPUs.
 *
 * Theory. A CPU remembers translations, and parts of the walk that led to them, and does not
 * notice when the tables change. Who takes a right or a page away asks every CPU that may
 * remember it to forget, and waits for the answers before the page gets a new use.
 *
 *	CPU 0  entry = 0; gen: 7 -> 8; asks ......waits.....| frees the page
 *	CPU 1  runs on the space:      interrupt, INVLPG, answers
 *	CPU 2  lazy on the space:      not asked; has seen 7; comes back: 8? flushes everything
 *
 * A kernel thread and the idle thread touch no user memory and borrow whatever tables are
 * loaded: the CPU is then lazy. It is not interrupted for the sake of pages, as it cannot
 * use them, but compares generations when it returns. It does have to go, to the kernel's
 * own tables, before a table is freed: CPUs walk ahead of what they execute, and a walk
 * through a reused page may even write there (the accessed bit).
 *
 * The two sides meet as follows, each step a full barrier:
 *
 *	flush:   change the tables;  gen++;           who is loaded and not lazy?
 *	load:    loaded |= me, lazy = 0;  read gen;   load the tables (a full flush)
 *	return:  lazy = 0;                read gen;   flush if it has moved
 *
 * Either the flusher sees the CPU and asks it, or the CPU sees the new generation or the new
 * tables.
 *
 * States of a CPU: on the kernel's tables (space NULL); on a space; lazy on a space.
 * Invariants: I1 a CPU whose MMU holds a space's tables has its bit in space->loaded;
 * I2 a CPU's gen is at most what its TLB is free of; I3 a request changes only while nobody
 * owes it an answer (asserted); I4 nobody is loaded after space_forget() (asserted).
 *
 * Locking: none. A CPU's own words are used with interrupts off; a request is its maker's,
 * one at a time, as the kernel is not preemptible and the maker waits.
 * Reference: Intel SDM volume 3, 4.10.4 and 4.10.5 (INVLPG drops all cached parts of walks).
 */
#include "kernel/sched/tlb.h"
#include "arch/irq.h"
#include "arch/mmu.h"
#include "arch/smp.h"
#include "arch/upcall.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/spinlock.h"

#define FLUSH_PAGES_MAX	32		/* beyond, one flush of everything is cheaper */

struct flush_request {
	struct space *space;
	uaddr_t start, end;
	u64 gen;			/* what a CPU has seen that has done this one */
	bool tables;			/* lazy CPUs leave the space */
	atomic_u64 waiting;		/* [a] bit per CPU that owes an answer */
};

struct tlb_cpu {
	struct space *space;		/* [c] whose tables the MMU holds, NULL: the kernel's own */
	u64 gen;			/* [c] of space, as far as the TLB has followed */
	atomic_int lazy;		/* [c] to write: space is only borrowed */
	atomic_u64 asked;		/* [a] bit per CPU whose request waits here */
	struct flush_request request;	/* [c] to write: what this CPU asks of others */
} cacheline_aligned;

static struct tlb_cpu tlbs[NR_CPUS];

/* Make s a space that no CPU has loaded. Context: any. */
void space_init(struct space *s, paddr_t root)
{
	*s = (struct space){ .root = root };
}

static void load(struct tlb_cpu *cpu, struct space *s)
{
	struct space *old = cpu->space;
	u64 self = 1ull << cpu_id();

	atomic_exchange(&cpu->lazy, 0);
	if (s) {
		atomic_or(&s->loaded, self);
		cpu->gen = atomic_load(&s->gen);
	}
	cpu->space = s;
	mmu_switch(s ? s->root : mmu_kernel_root());
	if (old)
		atomic_and(&old->loaded, ~self);
}

/* Flush everything if somebody asked for a flush that this CPU has not done. */
static void catch_up(struct tlb_cpu *cpu)
{
	u64 gen = atomic_load_acquire(&cpu->space->gen);

	if (gen == cpu->gen)
		return;
	cpu->gen = gen;
	mmu_flush_user();
}

/* The next thread of this CPU runs on s; NULL: it has no space and borrows what is loaded.
 * Context: interrupts off, as part of a thread switch. */
void space_switch(struct space *s)
{
	struct tlb_cpu *cpu = this_cpu(tlbs);

	if (!s) {
		if (cpu->space)
			atomic_store_release(&cpu->lazy, 1);
	} else if (s != cpu->space) {
		load(cpu, s);
	} else if (atomic_load(&cpu->lazy)) {
		atomic_exchange(&cpu->lazy, 0);
		catch_up(cpu);
	}
}

/* Run on the kernel's own tables. Context: interrupts off. */
void space_leave(void)
{
	struct tlb_cpu *cpu = this_cpu(tlbs);

	if (cpu->space)
		load(cpu, NULL);
}

/* Do what r asks on this CPU. Interrupts are off. */
static void obey(struct tlb_cpu *cpu, const struct flush_request *r)
{
	if (cpu->space != r->space)
		return;
	if (atomic_load(&cpu->lazy)) {
		if (r->tables)
			load(cpu, NULL);
		return;
	}
	if (cpu->gen >= r->gen)
		return;
	/* With a request missed in between, a range would not do. */
	if (cpu->gen + 1 != r->gen || (r->end - r->start) / PAGE_SIZE > FLUSH_PAGES_MAX) {
		catch_up(cpu);
		return;
	}
	for (uaddr_t addr = r->start; addr < r->end; addr += PAGE_SIZE)
		mmu_flush_page(addr);
	cpu->gen = r->gen;
}

/* The CPUs beside this one that r must wait for. */
static u64 whom_to_ask(const struct flush_request *r)
{
	u64 targets = atomic_load(&r->space->loaded) & ~(1ull << cpu_id());

	for (u64 left = r->tables ? 0 : targets; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctzll(left);

		if (atomic_load_acquire(&tlbs[i].lazy))
			targets &= ~(1ull << i);
	}
	return targets;
}

static void ask(struct flush_request *r, u64 targets)
{
	u64 self = 1ull << cpu_id();

	atomic_store(&r->waiting, targets);
	for (; targets; targets &= targets - 1) {
		unsigned i = (unsigned)__builtin_ctzll(targets);

		/* Asked already by another CPU: its interrupt, on the way, answers both. */
		if (atomic_or(&tlbs[i].asked, self) == 0)
			smp_send(i, IPI_FLUSH);
	}
}

static void flush(struct space *s, uaddr_t start, uaddr_t end, bool tables)
{
	struct tlb_cpu *cpu = this_cpu(tlbs);
	struct flush_request *r = &cpu->request;
	unsigned long flags;

	spin_assert_none_held("space_flush()");
	ASSERT(!irq_in_handler());
	BUG_ON(atomic_load(&r->waiting));
	r->space = s;
	r->start = start;
	r->end = end;
	r->tables = tables;
	r->gen = atomic_add_return(&s->gen, 1);
	if (!atomic_load(&s->loaded))
		return;
	ask(r, whom_to_ask(r));
	flags = irq_save();
	obey(cpu, r);
	irq_restore(flags);
	ASSERT(irq_enabled() || !atomic_load(&r->waiting));
	while (atomic_load_acquire(&r->waiting))
		cpu_relax();
}

/* Have every CPU forget [start, end) of s, lazy ones when they come back to it.
 * Context: thread, interrupts on, no spinlock held. */
void space_flush(struct space *s, uaddr_t start, uaddr_t end)
{
	flush(s, start, end, false);
}

/* Have every CPU forget how it walked to addr: a table there was unlinked and is to be freed.
 * One address is enough for all of s: INVLPG drops every cached part of a walk.
 * Context: thread, interrupts on, no spinlock held. */
void space_flush_tables(struct space *s, uaddr_t addr)
{
	flush(s, addr, addr + PAGE_SIZE, true);
}

/* Forget addr on this CPU, if it runs on s. Context: thread. */
void space_flush_here(const struct space *s, uaddr_t addr)
{
	unsigned long flags = irq_save();

	if (this_cpu(tlbs)->space == s)
		mmu_flush_page(addr);
	irq_restore(flags);
}

/* Get every CPU off s, of which no thread is left. Only lazy CPUs can still be there, and
 * this one. Context: thread, interrupts on, no spinlock held. */
void space_forget(struct space *s)
{
	unsigned long flags = irq_save();

	if (this_cpu(tlbs)->space == s)
		space_leave();
	irq_restore(flags);
	flush(s, 0, PAGE_SIZE, true);
	BUG_ON(atomic_load(&s->loaded));
}

/* Another CPU wants translations forgotten. Context: interrupt handler. */
void upcall_flush(void)
{
	struct tlb_cpu *cpu = this_cpu(tlbs);
	u64 asked = atomic_exchange(&cpu->asked, 0), self = 1ull << cpu_id();

	for (; asked; asked &= asked - 1) {
		struct flush_request *r = &tlbs[__builtin_ctzll(asked)].request;

		obey(cpu, r);
		atomic_and(&r->waiting, ~self);
	}
}
