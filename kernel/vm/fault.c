/* SPDX-License-Identifier: MIT */
/*
 * Page faults: demand zero, files, stack growth, and the write to a page shared by fork; and the
 * kernel's own way to fill the memory of a program that does not run yet.
 *
 * The address space is locked for writing throughout: a fault changes tables and counts. Two
 * threads may fault at one address; the second finds the page there. And a CPU may remember a
 * right that is less than the entry gives: entries that gain a right are flushed on the CPU
 * that asked alone, and others find out by a fault of their own, which changes nothing.
 */
#include "arch/upcall.h"
#include "kernel/lib/string.h"
#include "kernel/vm/vm_impl.h"

#define FILE_BATCH	32

/* May the stack v grow down to the page at start? */
static bool may_grow(struct mm *mm, struct vma *v, uaddr_t start)
{
	const struct vma *below = vma_prev(mm, v);

	if (!(v->flags & VMA_GROWSDOWN) || v->end - start > vm_limit(VM_LIMIT_STACK) ||
	    start < USER_MIN ||
	    !vm_within_limits(mm, v->flags, (v->start - start) / PAGE_SIZE))
		return false;
	return !below || (below->end <= start && start - below->end >= STACK_GUARD_BYTES);
}

/* The area that holds addr, a stack above it grown if it may; else NULL.
 * Locks: mm->lock for writing. */
struct vma *vm_area_at(struct mm *mm, uaddr_t addr)
{
	struct vma *v = vma_find(mm, addr);
	uaddr_t start = ALIGN_DOWN(addr, PAGE_SIZE);

	if (!v || v->start <= addr)
		return v;
	if (!may_grow(mm, v, start))
		return NULL;
	v->start = start;
	return v;
}

static bool access_allowed(const struct vma *v, unsigned access)
{
	if (access & FAULT_WRITE)
		return (v->flags & VMA_WRITE) != 0;
	if (access & FAULT_EXEC)
		return (v->flags & VMA_EXEC) != 0;
	return (v->flags & VMA_PROT) != 0;
}

/* The page of v's file for addr, referenced; NULL: nobody ever wrote there, and v, which is
 * private, may have a page of its own instead. */
static int file_page(const struct vma *v, uaddr_t addr, struct page **page)
{
	bool make = v->flags & VMA_SHARED;
	long nr = vm_files->pages(v->file, vma_index(v, addr), page, 1, make);

	return nr < 0 ? (int)nr : nr == 0 ? -EIO : 0;
}

/* Enter a page, whose reference the entry takes, or drops when there is a page already. Returns
 * 0 or -ENOMEM: no table. */
static int enter_page(struct mm *mm, const struct vma *v, uaddr_t addr, struct page *page)
{
	pte_t *pte = pgtable_walk(mm, addr, true);

	if (!pte || *pte) {
		page_put(page);
		return pte ? 0 : -ENOMEM;
	}
	WRITE_ONCE(*pte, pgtable_leaf(v->flags, page));
	mm->nr_pages++;
	mm->max_pages = MAX(mm->max_pages, mm->nr_pages);
	return 0;
}

/* Put a page, zeroed or the file's, at addr, which lies in v, unless there is one. *pte is its
 * entry. The page is found before the tables are made, so that no table stays empty. Returns 0;
 * -ENOMEM, -EIO (behind the file's end) with nothing changed. Locks: mm->lock for writing. */
int vm_populate(struct mm *mm, const struct vma *v, uaddr_t addr, pte_t **pte)
{
	struct page *page = NULL;
	int err;

	*pte = pgtable_walk(mm, addr, false);
	if (*pte && **pte)
		return 0;
	err = v->file ? file_page(v, addr, &page) : 0;
	if (err)
		return err;
	if (!page) {
		page = page_alloc(PAGE_USER, 0, GFP_KERNEL | GFP_ZERO);
		if (!page)
			return -ENOMEM;
		atomic_store(&page->refs, 1);
	}
	err = enter_page(mm, v, addr, page);
	*pte = pgtable_walk(mm, addr, false);
	return err;
}

/* The pages that the file has for [*addr, end) of v, up to BATCH of them; *addr moves on. */
static int enter_file_pages(struct mm *mm, const struct vma *v, uaddr_t *addr, uaddr_t end)
{
	struct page *pages[FILE_BATCH];
	unsigned want = (unsigned)MIN((end - *addr) / PAGE_SIZE, (u64)FILE_BATCH);
	long nr = vm_files->pages(v->file, vma_index(v, *addr), pages, want, false);
	int err = nr < 0 ? (int)nr : 0;

	for (long i = 0; i < nr; i++) {
		if (!pages[i])
			continue;
		if (err)
			page_put(pages[i]);
		else
			err = enter_page(mm, v, *addr + (u64)i * PAGE_SIZE, pages[i]);
	}
	*addr = nr < (long)want ? end : *addr + want * PAGE_SIZE;
	return err;
}

static int populate_area(struct mm *mm, const struct vma *v, uaddr_t start, uaddr_t end)
{
	pte_t *pte;
	int err = 0;

	while (start < end && !err) {
		if (v->file) {
			err = enter_file_pages(mm, v, &start, end);
		} else {
			err = vm_populate(mm, v, start, &pte);
			start += PAGE_SIZE;
		}
		cond_resched();
		if (!err)
			err = THREAD_KILLED();
	}
	return err;
}

/* Make the pages of the areas in [start, end) present, of files those that are there. Returns 0,
 * -ENOMEM or -EINTR (killed); some are present then. Locks: takes mm->lock. Context: thread. */
int vm_populate_range(struct mm *mm, uaddr_t start, uaddr_t end)
{
	int err = 0;

	write_lock(&mm->lock);
	for (struct vma *v = vma_find(mm, start); v && v->start < end && !err;
	     v = vma_next(mm, v)) {
		if (v->flags & VMA_PROT)
			err = populate_area(mm, v, MAX(start, v->start), MIN(end, v->end));
	}
	write_unlock(&mm->lock);
	return err;
}

static int fault_locked(struct mm *mm, uaddr_t addr, unsigned access)
{
	struct vma *v = vma_find(mm, addr);
	pte_t *pte;
	int err;

	/* Rights first: a stack does not grow for an access that it does not allow. */
	if (!v || (!access_allowed(v, access) && v->start > addr))
		return -EFAULT;
	if (!access_allowed(v, access))
		return -EACCES;
	v = vm_area_at(mm, addr);
	if (!v)
		return -EFAULT;
	err = vm_populate(mm, v, addr, &pte);
	if (err)
		return err;
	if ((access & FAULT_WRITE) && !(mmu_prot(*pte) & PTE_WRITE))
		return cow_break(mm, v, addr, pte);
	/* Present by now, perhaps made so by another thread: drop what this CPU remembers. */
	space_flush_here(&mm->space, addr);
	return 0;
}

/* Resolve a fault at addr; access as in arch/upcall.h. Returns 0: try again; -EFAULT: no such
 * memory; -EACCES: not for this access; -EIO: behind the end of the mapped file; -ENOMEM: no
 * page left, or a page-table page was refused.
 * Locks: takes mm->lock. Context: thread, no spinlock held. */
int vm_fault(struct mm *mm, uaddr_t addr, unsigned access)
{
	int err;

	if (addr < USER_MIN || addr >= USER_MAX)
		return -EFAULT;
	write_lock(&mm->lock);
	err = fault_locked(mm, addr, access);
	write_unlock(&mm->lock);
	return err;
}

/* Find out whether other processes share the memory at addr. Returns 0 with *page the page's
 * address if they may, else 0 in it; -EFAULT: no area there, or no page in it yet (a read of
 * addr makes one). Locks: takes mm->lock. Context: thread, no spinlock held. */
int vm_shared_page(struct mm *mm, uaddr_t addr, paddr_t *page)
{
	struct vma *v;
	pte_t *pte = NULL;
	bool shared;

	write_lock(&mm->lock);
	v = vma_find(mm, addr);
	if (v && v->start > addr)
		v = NULL;
	shared = v && (v->flags & VMA_SHARED);
	if (shared)
		pte = pgtable_walk(mm, addr, false);
	*page = pte && *pte ? mmu_addr(*pte) : 0;
	write_unlock(&mm->lock);
	return !v || (shared && !*page) ? -EFAULT : 0;
}

/* Put bytes within one page at addr, through the direct map. */
static int write_page_locked(struct mm *mm, uaddr_t addr, const void *data, size_t bytes)
{
	struct vma *v = vm_area_at(mm, addr);
	pte_t *pte;
	int err;

	if (!v)
		return -EFAULT;
	err = vm_populate(mm, v, addr, &pte);
	if (!err && !(v->flags & VMA_SHARED) && atomic_load(&pte_page(*pte)->refs) > 1)
		err = cow_break(mm, v, addr, pte);
	if (err)
		return err;
	memcpy((char *)page_to_virt(pte_page(*pte)) + addr % PAGE_SIZE, data, bytes);
	return 0;
}

/* Put bytes at addr of an mm that does not run (exec), whatever the areas' rights; pages are
 * made as needed. Returns 0, -EFAULT (no area there) or -ENOMEM; the first part may be written
 * then. Locks: takes mm->lock. Context: thread. */
int vm_write(struct mm *mm, uaddr_t addr, const void *data, size_t bytes)
{
	size_t part;
	int err = 0;

	if (addr < USER_MIN || addr >= USER_MAX || bytes > USER_MAX - addr)
		return bytes ? -EFAULT : 0;
	write_lock(&mm->lock);
	for (size_t done = 0; done < bytes && !err; done += part) {
		part = MIN(bytes - done, PAGE_SIZE - (addr + done) % PAGE_SIZE);
		err = write_page_locked(mm, addr + done, (const char *)data + done, part);
		cond_resched();
	}
	write_unlock(&mm->lock);
	return err;
}
