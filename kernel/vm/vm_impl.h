/* SPDX-License-Identifier: MIT */
/* Private to kernel/vm/: the parts that the files of this folder share. All of it is called
 * with mm->lock held for writing, or on an mm that nobody else can reach. */
#pragma once
#include "arch/memmap.h"
#include "kernel/lib/compiler.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/vm/vm.h"

/* --- vma.c: the list of areas */
struct vma *vma_alloc(uaddr_t start, uaddr_t end, const struct vma *like) must_check;
void vma_free(struct vma *v);
struct vma *vma_find(struct mm *mm, uaddr_t addr);	/* first that ends above addr, or NULL */
struct vma *vma_prev(struct mm *mm, struct vma *v);	/* v NULL: the last one; or NULL */
struct vma *vma_next(struct mm *mm, struct vma *v);
bool vma_range_free(struct mm *mm, uaddr_t start, uaddr_t end);
void vma_insert(struct mm *mm, struct vma *v);		/* into a free range; not merged yet */
void vma_remove(struct mm *mm, struct vma *v);		/* unlink and free */
int vma_split(struct mm *mm, uaddr_t at) must_check;	/* an area begins at `at` if one spans it */
void vma_merge(struct mm *mm, uaddr_t start, uaddr_t end);	/* equal neighbours in there */
int vma_copy_list(struct mm *from, struct mm *to) must_check;
int vma_check(struct mm *mm);

/* --- pgtable.c: entries and tables */
pte_t *pgtable_walk(struct mm *mm, uaddr_t addr, bool create);	/* NULL: absent or no memory */
pte_t *pgtable_next(struct mm *mm, uaddr_t *addr, uaddr_t end, uaddr_t *stop);
void pgtable_free_range(struct mm *mm, uaddr_t start, uaddr_t end);
int pgtable_move(struct mm *mm, uaddr_t from, uaddr_t to, size_t bytes) must_check;
pte_t pgtable_leaf(unsigned vma_flags, struct page *page);
int pgtable_check(struct mm *mm);

/* The page behind an occupied entry (one that is not 0). */
static inline struct page *pte_page(pte_t pte)
{
	return phys_to_page(mmu_addr(pte));
}

/* The page of v's file that belongs at addr. */
static inline u64 vma_index(const struct vma *v, uaddr_t addr)
{
	return v->index + (addr - v->start) / PAGE_SIZE;
}

extern const struct vm_file_hooks *vm_files;		/* [I] since boot */
bool vm_within_limits(struct mm *mm, unsigned flags, unsigned long more);
u64 vm_limit(enum vm_limit which);
void vma_cut_front(struct vma *v, uaddr_t start);	/* v begins there from now on */

/* --- fault.c: a page behind addr (inside v), present in *pte afterwards */
int vm_populate(struct mm *mm, const struct vma *v, uaddr_t addr, pte_t **pte) must_check;
struct vma *vm_area_at(struct mm *mm, uaddr_t addr);	/* grows a stack down to addr; or NULL */

/* --- mmap.c */
int vm_unmap_locked(struct mm *mm, uaddr_t start, uaddr_t end) must_check;
uaddr_t vm_find_gap(struct mm *mm, size_t bytes);	/* 0: none */
bool vm_range_valid(uaddr_t start, size_t bytes, uaddr_t *end);
bool vm_fully_mapped(struct mm *mm, uaddr_t start, uaddr_t end);

/* --- cow.c: the slot */
int cow_copy(struct mm *from, struct mm *to) must_check;	/* pages and tables of every area */
int cow_break(struct mm *mm, const struct vma *v, uaddr_t addr, pte_t *pte) must_check;
