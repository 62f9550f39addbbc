/* SPDX-License-Identifier: MIT */
/*
 * Page tables of user address spaces: which table pages exist and what the entries say.
 *
 * A leaf is empty (0), accessible, or hidden: it keeps its page, but with no right at all,
 * because the area allows no access. A table exists only while it holds an entry, so
 * munmap gives table pages back to the group at once, and a child's tables are its parent's.
 *
 * Invariants, checked by pgtable_check():
 *   I11 every occupied leaf lies in an area and names a page that is referenced: PAGE_USER, or
 *       (in an area with a file) PAGE_FILE;
 *   I12 a leaf is hidden exactly when its area allows no access, and writable only when its
 *       area is, and is shared or is the page's only user;
 *   I13 no table but the root is empty, each is a PAGE_TABLE page, and none is shared;
 *   I14 mm->nr_pages and mm->nr_tables are what a recount finds.
 *
 * Taking pages away, several tables at a time so that one flush serves many pages:
 *
 *   hide the entries -> flush: no CPU reaches the pages -> free them, unlink empty tables
 *                    -> flush: no CPU walks the tables  -> free those
 *
 * Locking: mm->lock for writing, or an mm that nobody else can reach. CPUs that run on the
 * tables read them at any time, and set accessed and dirty bits, which nobody looks at.
 */
#include "kernel/lib/string.h"
#include "kernel/vm/vm_impl.h"

#define BATCH_PAGES	256		/* freed after one flush; rounded up to whole tables */
#define ROOT_LEVEL	(MMU_LEVELS - 1)

/* An entry that keeps its page and lets nobody reach it. */
static pte_t hidden_leaf(paddr_t page)
{
	return mmu_pte(page, PTE_USER);
}

/* The entry for a page in an area with these flags. A private page that others map as well
 * stays read-only: the write fault copies it. (That others go meanwhile only costs a fault;
 * that more come is impossible: see cow.c.) Locks: mm->lock. */
pte_t pgtable_leaf(unsigned vma_flags, struct page *page)
{
	unsigned prot = PTE_USER | PTE_READ;

	if (!(vma_flags & VMA_PROT))
		return hidden_leaf(page_to_phys(page));
	if (vma_flags & VMA_EXEC)
		prot |= PTE_EXEC;
	if ((vma_flags & VMA_WRITE) &&
	    ((vma_flags & VMA_SHARED) || atomic_load_acquire(&page->refs) == 1))
		prot |= PTE_WRITE;
	return mmu_pte(page_to_phys(page), prot);
}

static pte_t *table_of(pte_t entry)
{
	return phys_to_virt(mmu_addr(entry));
}

static bool table_is_empty(const pte_t *table)
{
	for (unsigned i = 0; i < MMU_ENTRIES; i++) {
		if (table[i])
			return false;
	}
	return true;
}

/* Unlink the tables on the way to addr that hold nothing, from the lowest up, to the end of
 * tables. CPUs may still walk through them. */
static void prune(struct mm *mm, uaddr_t addr, struct list *tables)
{
	pte_t *slots[MMU_LEVELS];	/* slots[n]: the entry, at level n, that leads to addr */
	pte_t *table = mm->root;
	unsigned level = ROOT_LEVEL;

	for (;;) {
		slots[level] = &table[mmu_index(addr, level)];
		if (level == 0 || !mmu_present(*slots[level]))
			break;
		table = table_of(*slots[level]);
		level--;
	}
	for (; level < ROOT_LEVEL && table_is_empty(table); level++) {
		list_append(tables, &phys_to_page(mmu_addr(*slots[level + 1]))->link);
		WRITE_ONCE(*slots[level + 1], 0);
		mm->nr_tables--;
		table = slots[level + 1] - mmu_index(addr, level + 1);
	}
}

/* Free unlinked tables once no CPU can walk through them. */
static void free_tables(struct mm *mm, uaddr_t addr, struct list *tables)
{
	struct page *page;

	if (list_empty(tables))
		return;
	space_flush_tables(&mm->space, addr);
	while (!list_empty(tables)) {
		page = list_first(tables, struct page, link);
		list_remove(&page->link);
		page_free(page);
	}
}

/* Point the empty slot to a new table. */
static bool make_table(struct mm *mm, pte_t *slot)
{
	struct page *page = page_alloc_charged(PAGE_TABLE, 0, GFP_KERNEL | GFP_ZERO);

	if (!page)
		return false;
	WRITE_ONCE(*slot, mmu_table_pte(page_to_phys(page)));
	mm->nr_tables++;
	return true;
}

/* The leaf entry of addr. create: make missing tables, charged to the current group. NULL: no
 * table there, or (create) no memory for one, and then nothing has changed. */
pte_t *pgtable_walk(struct mm *mm, uaddr_t addr, bool create)
{
	struct list unused = LIST_INIT(unused);
	pte_t *table = mm->root, *slot;

	for (unsigned level = ROOT_LEVEL; level > 0; level--) {
		slot = &table[mmu_index(addr, level)];
		if (!mmu_present(*slot) && !(create && make_table(mm, slot)))
			goto none;
		table = table_of(*slot);
	}
	return &table[mmu_index(addr, 0)];

none:
	if (create) {
		prune(mm, addr, &unused);
		free_tables(mm, addr, &unused);
	}
	return NULL;
}

/* Go through [*addr, end) a table at a time: the leaf entry of the first address from *addr on
 * that has a table, with *addr moved there and *stop set behind the last entry of that table
 * (at most end). NULL: no table any more. Start the next round with *addr = *stop. */
pte_t *pgtable_next(struct mm *mm, uaddr_t *addr, uaddr_t end, uaddr_t *stop)
{
	unsigned level;
	pte_t *table;

	while (*addr < end) {
		table = mm->root;
		for (level = ROOT_LEVEL; level > 0; level--) {
			pte_t entry = table[mmu_index(*addr, level)];

			if (!mmu_present(entry))
				break;
			table = table_of(entry);
		}
		*stop = MIN(ALIGN_DOWN(*addr, mmu_span(level ? level : 1)) +
			    mmu_span(level ? level : 1), end);
		if (level == 0)
			return &table[mmu_index(*addr, 0)];
		*addr = *stop;
	}
	return NULL;
}

struct batch {
	uaddr_t start, stop;		/* the addresses gone through */
	uaddr_t first, last;		/* the first and the last that has a page */
	unsigned long nr_pages;
};

static void hide_leaves(struct batch *batch, pte_t *leaf, uaddr_t start, uaddr_t stop)
{
	for (uaddr_t addr = start; addr < stop; addr += PAGE_SIZE, leaf++) {
		if (!*leaf)
			continue;
		WRITE_ONCE(*leaf, hidden_leaf(mmu_addr(*leaf)));
		if (!batch->nr_pages++)
			batch->first = addr;
		batch->last = addr;
	}
}

/* Hide the pages of whole tables from start on, until they are enough or end is reached. */
static struct batch hide_batch(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct batch batch = { .start = start, .stop = start };
	uaddr_t stop;
	pte_t *leaf;

	while (batch.nr_pages < BATCH_PAGES) {
		leaf = pgtable_next(mm, &batch.stop, end, &stop);
		if (!leaf)
			break;
		hide_leaves(&batch, leaf, batch.stop, stop);
		batch.stop = stop;
	}
	return batch;
}

/* Free the hidden pages of one table. */
static void free_leaves(struct mm *mm, pte_t *leaf, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		if (!leaf[i])
			continue;
		page_put(pte_page(leaf[i]));
		WRITE_ONCE(leaf[i], 0);
		mm->nr_pages--;
	}
}

static void free_batch(struct mm *mm, const struct batch *batch)
{
	struct list unused = LIST_INIT(unused);
	uaddr_t addr = batch->start, stop;
	pte_t *leaf;

	if (batch->nr_pages)
		space_flush(&mm->space, batch->first, batch->last + PAGE_SIZE);
	for (; (leaf = pgtable_next(mm, &addr, batch->stop, &stop)) != NULL; addr = stop) {
		free_leaves(mm, leaf, (stop - addr) / PAGE_SIZE);
		prune(mm, addr, &unused);
	}
	free_tables(mm, batch->start, &unused);
}

/* Unmap [start, end) and free the pages, and the tables that become empty.
 * Context: thread, interrupts on, no spinlock held. */
void pgtable_free_range(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct batch batch;

	while (start < end) {
		batch = hide_batch(mm, start, end);
		free_batch(mm, &batch);
		start = batch.stop;
		cond_resched();
	}
}

/* Make the tables for the pages that [from, to) has, at the same distance from `to`. */
static int make_tables(struct mm *mm, uaddr_t from, uaddr_t to, size_t bytes)
{
	uaddr_t addr = from, stop;
	pte_t *leaf;

	for (; (leaf = pgtable_next(mm, &addr, from + bytes, &stop)) != NULL; addr = stop) {
		for (uaddr_t at = addr; at < stop; at += PAGE_SIZE, leaf++) {
			if (*leaf && !pgtable_walk(mm, to + (at - from), true))
				return -ENOMEM;
		}
		cond_resched();
	}
	return 0;
}

/*
 * The pages of `bytes` from `from` on go to `to`, where there is nothing. Returns 0, or -ENOMEM
 * (no page tables) with nothing changed. A CPU may use the old place until the flush: that is
 * as if it had done so before. Locks: mm->lock for writing. Context: thread.
 */
int pgtable_move(struct mm *mm, uaddr_t from, uaddr_t to, size_t bytes)
{
	uaddr_t addr = from, stop;
	int err = make_tables(mm, from, to, bytes);
	pte_t *leaf;

	if (err) {
		pgtable_free_range(mm, to, to + bytes);
		return err;
	}
	for (; (leaf = pgtable_next(mm, &addr, from + bytes, &stop)) != NULL; addr = stop) {
		for (uaddr_t at = addr; at < stop; at += PAGE_SIZE, leaf++) {
			if (!*leaf)
				continue;
			WRITE_ONCE(*pgtable_walk(mm, to + (at - from), false), *leaf);
			WRITE_ONCE(*leaf, 0);
		}
		cond_resched();
	}
	space_flush(&mm->space, from, from + bytes);
	pgtable_free_range(mm, from, from + bytes);
	return 0;
}

/* --- checks */

struct recount {
	unsigned long nr_pages, nr_tables;
	struct vma *area;		/* the first that ends above the last leaf seen */
};

static int check_leaf(struct mm *mm, struct recount *count, uaddr_t addr, pte_t pte)
{
	struct page *page = pte_page(pte);
	struct vma *v = count->area;

	count->nr_pages++;
	while (v && v->end <= addr)
		v = vma_next(mm, v);
	count->area = v;
	if (!v || v->start > addr || !mmu_present(pte))
		return 11;
	if (page->kind != PAGE_USER && !(page->kind == PAGE_FILE && v->file))
		return 11;
	if (atomic_load(&page->refs) < 1)
		return 11;
	if (((mmu_prot(pte) & PTE_READ) != 0) != ((v->flags & VMA_PROT) != 0))
		return 12;
	if (!(mmu_prot(pte) & PTE_WRITE))
		return 0;
	if (!(mmu_prot(pgtable_leaf(v->flags, page)) & PTE_WRITE))
		return 12;
	return 0;
}

static int check_leaf_table(struct mm *mm, struct recount *count, const pte_t *table,
			    uaddr_t base)
{
	int broken;

	for (unsigned i = 0; i < MMU_ENTRIES; i++) {
		if (!table[i])
			continue;
		broken = check_leaf(mm, count, base + i * PAGE_SIZE, table[i]);
		if (broken)
			return broken;
	}
	return 0;
}

/* Check one table below the root, reached by entry, that maps from base on. */
static int check_table(struct mm *mm, struct recount *count, pte_t entry, uaddr_t base,
		       unsigned level)
{
	const struct page *page = phys_to_page(mmu_addr(entry));
	const pte_t *table;

	if (!mmu_present(entry) || page->kind != PAGE_TABLE)
		return 13;
	count->nr_tables++;
	table = table_of(entry);
	if (table_is_empty(table))
		return 13;
	return level == 0 ? check_leaf_table(mm, count, table, base) : 0;
}

/* Check I11 to I14. Returns 0 or the number of the first that is broken. */
int pgtable_check(struct mm *mm)
{
	struct recount count = { .nr_tables = 1, .area = vma_find(mm, 0) };
	const pte_t *tables[MMU_LEVELS] = { [ROOT_LEVEL] = mm->root };
	unsigned level = ROOT_LEVEL;
	uaddr_t addr = 0;

	while (addr < USER_MAX) {
		pte_t entry = tables[level][mmu_index(addr, level)];
		int broken = entry ? check_table(mm, &count, entry, addr, level - 1) : 0;

		if (broken)
			return broken;
		if (entry && level > 1) {
			tables[--level] = table_of(entry);
			continue;
		}
		addr += mmu_span(level);
		while (level < ROOT_LEVEL && IS_ALIGNED(addr, mmu_span(level + 1)))
			level++;
	}
	return count.nr_pages == mm->nr_pages && count.nr_tables == mm->nr_tables ? 0 : 14;
}
