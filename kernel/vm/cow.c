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
 * Locking: the parent's mm->lock for writing; the child is not reachable yet.
 */
#include "kernel/lib/string.h"
#include "kernel/vm/vm_impl.h"

/* A page of a shared area must exist before fork: one made later would be one side's own. */
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

/* Share the pages of one table of the parent, from leaf on, with the child. Returns whether
 * an entry of the parent changed. */
static bool share_leaves(struct mm *to, const struct vma *v, pte_t *leaf, pte_t *copy,
			 unsigned long nr)
{
	bool changed = false;
	struct page *page;

	for (unsigned long i = 0; i < nr; i++) {
		if (!leaf[i])
			continue;
		page = pte_page(leaf[i]);
		user_page_get(page);
		copy[i] = pgtable_leaf(v->flags, page);
		changed = changed || mmu_prot(leaf[i]) != mmu_prot(copy[i]);
		leaf[i] = copy[i];
		to->nr_pages++;
	}
	return changed;
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

static int copy_area(struct mm *from, struct mm *to, const struct vma *v)
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
		/* No other thread of the parent may run while it could still write. */
		if (share_leaves(to, v, leaf, copy, nr))
			pgtable_flush(from, addr, stop);
		cond_resched();
	}
	return 0;
}

/* Give `to`, which has the areas of `from` and no page yet, its pages, and as many tables.
 * Returns 0 or -ENOMEM; then the caller drops `to`, and `from` has lost nothing.
 * Locks: from->lock for writing. Context: thread. */
int cow_copy(struct mm *from, struct mm *to)
{
	struct vma *v;
	int err = 0;

	list_for_each(v, &from->areas, link) {
		if (v->flags & VMA_SHARED)
			err = populate_shared(from, v);
		if (!err)
			err = copy_area(from, to, v);
		if (err)
			return err;
	}
	BUG_ON(to->nr_pages != from->nr_pages || to->nr_tables != from->nr_tables);
	return 0;
}

/* A write to a page at addr, which lies in v and is present in *pte: make it this address
 * space's own (a shared area's page stays everyone's) and the entry as v says. Returns 0 or
 * -ENOMEM with nothing changed. Locks: mm->lock for writing. */
int cow_break(struct mm *mm, const struct vma *v, uaddr_t addr, pte_t *pte)
{
	uaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE);
	struct page *old = pte_page(*pte), *copy;

	if ((v->flags & VMA_SHARED) || atomic_load(&old->refs) == 1) {
		*pte = pgtable_leaf(v->flags, old);
		pgtable_flush(mm, start, start + PAGE_SIZE);
		return 0;
	}
	copy = page_alloc(PAGE_USER, 0, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	atomic_store(&copy->refs, 1);
	memcpy(page_to_virt(copy), page_to_virt(old), PAGE_SIZE);
	*pte = pgtable_leaf(v->flags, copy);
	pgtable_flush(mm, start, start + PAGE_SIZE);
	user_page_put(old);
	return 0;
}
