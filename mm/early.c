/* SPDX-License-Identifier: MIT */
/*
 * Boot-time range allocator.
 *
 * Theory. The loader describes RAM as ranges that may overlap, come in any order and end in
 * the middle of a page, and marks some of them reserved. What may be handed out is a set of
 * pages, kept here as a sorted array of disjoint ranges. There are two operations on the set,
 * add and remove, and all else is made of them:
 *
 *	loader says    usable:   |-------------|      |------------------|
 *	               reserved:        |--|
 *	init           free:     |-----|    |--|      |------------------|
 *	reserve kernel free:     |-----|    |--|      |--|      |--------|
 *	alloc          free:     |-----|    |--|      |--|        |------|
 *
 * Reserved wins over usable: usable ranges are shrunk to whole pages, reserved ones grown to
 * whole pages, and the reserved ones are removed last.
 *
 * States. Open (between early_init() and early_hand_over()), then closed: what was still free
 * belongs to the buddy allocator and any further call is a bug.
 *
 * Allocation is first fit from 1 MiB to 4 GiB, where the boot page tables reach; then below
 * 1 MiB (which other CPUs will want for their start-up code), then above 4 GiB. Frame 0 is
 * never free, so that address 0 can mean "none".
 *
 * Invariants, checked by early_check():
 *  I1  ranges are not empty and page-aligned
 *  I2  ranges ascend, and do not touch (else they would be one)
 *  I3  none ends above early_ram_end()
 *
 * Locking: none. One CPU runs, interrupts are off.
 */
#include "mm/early.h"
#include "arch/memmap.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"

#define MIB_1	(1ull << 20)
#define GIB_4	(1ull << 32)
#define TOP	(1ull << 52)		/* no x86 machine has a physical address above */

struct range {
	paddr_t start, end;
};

static struct {
	unsigned nr;
	struct range free[EARLY_MAX_RANGES];
	paddr_t ram_end;
	bool open;
} early;

static void delete_at(unsigned i)
{
	early.nr--;
	for (; i < early.nr; i++)
		early.free[i] = early.free[i + 1];
}

static int insert_at(unsigned i, struct range r)
{
	if (early.nr == EARLY_MAX_RANGES)
		return -ENOMEM;
	for (unsigned j = early.nr++; j > i; j--)
		early.free[j] = early.free[j - 1];
	early.free[i] = r;
	return 0;
}

/* Add r, swallowing every range that it overlaps or touches. */
static int range_add(struct range r)
{
	unsigned i = 0;

	while (i < early.nr && early.free[i].end < r.start)
		i++;
	while (i < early.nr && early.free[i].start <= r.end) {
		r.start = MIN(r.start, early.free[i].start);
		r.end = MAX(r.end, early.free[i].end);
		delete_at(i);
	}
	return insert_at(i, r);
}

/* Take r out; a range around it becomes two. */
static int range_remove(struct range r)
{
	for (unsigned i = 0; i < early.nr; i++) {
		struct range *f = &early.free[i];

		if (f->end <= r.start || f->start >= r.end)
			continue;
		if (f->start < r.start && f->end > r.end) {
			struct range upper = { r.end, f->end };
			int err = insert_at(i + 1, upper);

			if (err == 0)
				early.free[i].end = r.start;
			return err;
		}
		if (f->start < r.start)
			f->end = r.start;
		else if (f->end > r.end)
			f->start = r.end;
		else
			delete_at(i--);
	}
	return 0;
}

/* The last byte plus one; a range that runs past the top of physical memory ends there. */
static paddr_t range_end(paddr_t start, u64 bytes)
{
	if (start >= TOP)
		return TOP;
	return bytes > TOP - start ? TOP : start + bytes;
}

/* Take the loader's ranges and keep the kernel image [image_start, image_end) out.
 * Panics when no RAM is left. Context: boot, first of all of mm. */
void early_init(const struct bootinfo *bi, paddr_t image_start, paddr_t image_end)
{
	unsigned nr = MIN(bi->nr_ranges, (unsigned)BOOT_MAX_RANGES);

	BUG_ON(early.open);
	early.open = true;
	for (unsigned i = 0; i < nr; i++) {
		const struct boot_range *b = &bi->ranges[i];
		struct range r = { ALIGN_UP(b->start, PAGE_SIZE),
				   ALIGN_DOWN(range_end(b->start, b->bytes), PAGE_SIZE) };

		if (b->usable && r.start < r.end)
			BUG_ON(range_add(r) != 0);
	}
	for (unsigned i = 0; i < nr; i++) {
		if (!bi->ranges[i].usable)
			BUG_ON(early_reserve(bi->ranges[i].start, bi->ranges[i].bytes) != 0);
	}
	BUG_ON(range_remove((struct range){ 0, PAGE_SIZE }) != 0);
	BUG_ON(early_reserve(image_start, image_end - image_start) != 0);
	if (early.nr == 0)
		panic("the boot loader reports no usable RAM");
	early.ram_end = early.free[early.nr - 1].end;
}

/* Keep every page that [start, start+bytes) touches from being handed out. No harm when it
 * is no RAM or reserved already. Returns 0 or -ENOMEM (too many separate ranges).
 * Context: boot. */
int early_reserve(paddr_t start, u64 bytes)
{
	struct range r = { ALIGN_DOWN(MIN(start, TOP), PAGE_SIZE),
			   ALIGN_UP(range_end(start, bytes), PAGE_SIZE) };

	BUG_ON(!early.open);
	return bytes ? range_remove(r) : 0;
}

/* First fit within [low, high). Returns 0 for none. */
static paddr_t find_between(u64 bytes, u64 align, struct range window)
{
	for (unsigned i = 0; i < early.nr; i++) {
		paddr_t at = ALIGN_UP(MAX(early.free[i].start, window.start), align);
		paddr_t end = MIN(early.free[i].end, window.end);

		if (at < end && bytes <= end - at)
			return at;
	}
	return 0;
}

/* Allocate bytes (rounded up to pages) at a multiple of align (a power of two, at least a
 * page). Never given back. Returns the physical address, 0 when there is no such room.
 * Context: boot, before early_hand_over(). The memory is not cleared. */
paddr_t early_alloc(u64 bytes, u64 align)
{
	static const struct range windows[] = {
		{ MIB_1, GIB_4 }, { 0, MIB_1 }, { GIB_4, TOP },
	};
	u64 rounded = ALIGN_UP(bytes, PAGE_SIZE);
	u64 step = MAX(align, (u64)PAGE_SIZE);

	BUG_ON(!early.open);
	if (bytes == 0 || bytes > TOP)
		return 0;
	for (unsigned w = 0; w < ARRAY_SIZE(windows); w++) {
		paddr_t at = find_between(rounded, step, windows[w]);

		if (at)
			return range_remove((struct range){ at, at + rounded }) ? 0 : at;
	}
	return 0;
}

/* End of the highest usable range: where mem_map may end. */
paddr_t early_ram_end(void)
{
	return early.ram_end;
}

/* Pass all that is still free to give(), lowest first, and close. Context: boot, once. */
void early_hand_over(void (*give)(paddr_t start, paddr_t end))
{
	BUG_ON(!early.open);
	early.open = false;
	for (unsigned i = 0; i < early.nr; i++)
		give(early.free[i].start, early.free[i].end);
	early.nr = 0;
}

/* Returns 0, or the number of the broken invariant. */
int early_check(void)
{
	for (unsigned i = 0; i < early.nr; i++) {
		const struct range *r = &early.free[i];

		if (r->start >= r->end || (r->start | r->end) % PAGE_SIZE)
			return 1;
		if (i && early.free[i - 1].end >= r->start)
			return 2;
		if (early.ram_end && r->end > early.ram_end)
			return 3;
	}
	return 0;
}
