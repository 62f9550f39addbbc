/* SPDX-License-Identifier: MIT */
/*
 * The slot: what fork does with pages. This one copies on write.
 *
 * Fork gives the child the parent's pages and makes private ones read-only on both sides; the
 * first write to such a page copies it, unless everyone else has let go of it by then. Tables
 * are copied at once, so that the child's later faults need none.
 *
 *      before          after fork           after the parent wrote
 *   parent -> A(w)   parent -> A(r) <- child   parent -> B(w)   A(r) <- child
 *
 * A failed copy leaves entries of the parent read-only though the pages are its own again:
 * the next write finds itself the only user and just makes the entry writable.
 *
 * Several address spaces may break the sharing of one page at once, each under its own lock
 * only. The page's count of mappings decides:
 *   C1 it rises only by fork, in an address space that maps the page, under that one's lock,
 *      or by a fault while the file that the page belongs to has a reference as well;
 *   C2 it falls only after the copy is made and no CPU reaches the page by the old entry.
 * So who holds its lock, maps the page and reads 1 is the only user and stays it (C1), and
 * everybody's reading of the page is over (C2): it may write. Two that both read 2 both copy,
 * and the last to let go frees the original.
 *
 * A thread of the parent that runs on another CPU while it forks may write to a shared page
 * until the flush: that is as if it had written before. The flush comes before the parent's
 * lock is released, also when the copy failed: else another thread could make a copy while
 * the first still writes to the original.
 *
 * Locking: the parent's mm->lock for writing; the child is not reachable yet.
 */
#include "kernel/lib/string.h"
#include "kernel/vm/vm_impl.h"

/* A page of a shared area without a file must exist before fork: one made later would be one
 * side's own. */
static int populate_shared(struct mm *mm, const struct vma *v)
{
	pte_t *pte;
	int err;

	if ((v->end - v->start) / PAGE_SIZE > mm->nr_pages + page_nr_free())
		return -ENOMEM;
	for (uaddr_t addr = v->start; addr < v->end; addr += PAGE_SIZE) {
		err = vm_populate(mm, v, addr, &pte);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/* Entries of the parent that changed: [first, last], none while first > last. */
struct changes {
	uaddr_t first, last;
};

/* Share the pages of one table of the parent, from leaf on, with the child. */
static void share_leaves(struct mm *to, const struct vma *v, pte_t *leaf, pte_t *copy,
			 unsigned long nr)
{
	struct page *page;

	for (unsigned long i = 0; i < nr; i++) {
		if (!leaf[i])
			continue;
		page = pte_page(leaf[i]);
		page_get(page);
		copy[i] = pgtable_leaf(v->flags, page);
		to->nr_pages++;
	}
}

/* Give the parent's entries what rights their copies have. */
static void take_rights(struct changes *changes, pte_t *leaf, const pte_t *copy, uaddr_t addr,
			unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++, addr += PAGE_SIZE) {
		if (mmu_prot(leaf[i]) == mmu_prot(copy[i]))
			continue;
		WRITE_ONCE(leaf[i], copy[i]);
		changes->first = MIN(changes->first, addr);
		changes->last = MAX(changes->last, addr);
	}
}

/* Does any of nr entries hold a page? */
static bool any_leaf(const pte_t *leaf, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		if (leaf[i])
			return true;
	}
	return false;
}

static int copy_area(struct mm *from, struct mm *to, const struct vma *v,
		     struct changes *changes)
{
	uaddr_t addr = v->start, stop;
	pte_t *leaf, *copy;
	unsigned long nr;

	for (; (leaf = pgtable_next(from, &addr, v->end, &stop)) != NULL; addr = stop) {
		nr = (stop - addr) / PAGE_SIZE;
		/* The table may hold pages of a neighbouring area only. */
		if (!any_leaf(leaf, nr))
			continue;
		copy = pgtable_walk(to, addr, true);
		if (!copy)
			return -ENOMEM;
		share_leaves(to, v, leaf, copy, nr);
		take_rights(changes, leaf, copy, addr, nr);
		cond_resched();
	}
	return 0;
}

/* Give `to`, which has the areas of `from` and no page yet, its pages, and as many tables.
 * Returns 0 or -ENOMEM; then the caller drops `to`, and `from` has lost nothing.
 * Locks: from->lock for writing. Context: thread. */
int cow_copy(struct mm *from, struct mm *to)
{
	struct changes changes = { .first = ~0ul };
	struct vma *v;
	int err = 0;

	list_for_each(v, &from->areas, link) {
		if ((v->flags & VMA_SHARED) && !v->file)
			err = populate_shared(from, v);
		if (!err)
			err = copy_area(from, to, v, &changes);
		if (err)
			break;
	}
	if (changes.first <= changes.last)
		space_flush(&from->space, changes.first, changes.last + PAGE_SIZE);
	BUG_ON(!err && (to->nr_pages != from->nr_pages || to->nr_tables != from->nr_tables));
	return err;
}

/* A write to a page at addr, which lies in v and is present in *pte: make it this address
 * space's own (a shared area's page stays everyone's) and the entry as v says. Returns 0 or
 * -ENOMEM with nothing changed. Locks: mm->lock for writing. */
int cow_break(struct mm *mm, const struct vma *v, uaddr_t addr, pte_t *pte)
{
	uaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	struct page *old = pte_page(*pte), *copy;

	if ((v->flags & VMA_SHARED) || atomic_load_acquire(&old->refs) == 1) {
		WRITE_ONCE(*pte, pgtable_leaf(v->flags, old));
		space_flush_here(&mm->space, addr);
		return 0;
	}
	copy = page_alloc(PAGE_USER, 0, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	atomic_store(&copy->refs, 1);
	memcpy(page_to_virt(copy), page_to_virt(old), PAGE_SIZE);
	WRITE_ONCE(*pte, pgtable_leaf(v->flags, copy));
	space_flush(&mm->space, start, start + PAGE_SIZE);
	page_put(old);
	return 0;
}
