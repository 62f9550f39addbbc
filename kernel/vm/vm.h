/* SPDX-License-Identifier: MIT */
/* User address spaces: areas, demand zero, copy-on-write. */
#pragma once
#include "arch/mmu.h"
#include "kernel/lib/list.h"
#include "kernel/sched/tlb.h"
#include "kernel/sched/wait.h"
#include "kernel/sync/refcount.h"
#include "mm/page.h"

#define VMA_READ	0x1u
#define VMA_WRITE	0x2u
#define VMA_EXEC	0x4u
#define VMA_PROT	0x7u		/* mask of these; none set: no access at all */
#define VMA_GROWSDOWN	0x8u		/* the stack */
#define VMA_SHARED	0x10u		/* MAP_SHARED|MAP_ANONYMOUS: fork shares the pages */

#define VM_MAX_AREAS	65530
#define STACK_MAX_BYTES	(8ul << 20)	/* default RLIMIT_STACK */
#define STACK_GUARD_BYTES (1ul << 20)	/* kept free below a stack that grows */

/* Below the stack: mappings without an address of their own are placed downwards from here. */
#define VM_MMAP_BASE	((USER_MAX & PAGE_MASK) - STACK_MAX_BYTES - 4 * STACK_GUARD_BYTES)

struct vma {
	uaddr_t start, end;		/* [mm lock] page aligned, start < end */
	unsigned flags;			/* [mm lock] VMA_* */
	struct list link;		/* [mm lock] in mm->areas, by address, disjoint */
};

struct mm {
	struct rwlock lock;		/* RANK_MM */
	refcount users;			/* [a] threads (vfork, CLONE_VM) and processes */
	struct list areas;		/* [mm lock] */
	unsigned nr_areas;		/* [mm lock] */
	struct vma *last_found;		/* [mm lock] where vma_find() looks first, or NULL */
	pte_t *root;			/* [I] the top table, a charged PAGE_TABLE page */
	struct space space;		/* [a] which CPUs use the tables */
	uaddr_t brk_start, brk_end;	/* [mm lock] heap */
	unsigned long nr_pages;		/* [mm lock] user pages mapped */
	unsigned long nr_tables;	/* [mm lock] page-table pages, the root included */
};

void vm_init(void);			/* the mm and vma caches */
int mm_create(struct mm **out) must_check;
struct mm *mm_get(struct mm *mm);
void mm_put(struct mm *mm);		/* the last one unmaps and frees */
int mm_copy(struct mm *from, struct mm **out) must_check;	/* fork: cow, tables eager */

/* A fault at addr. 0; -EFAULT: no such memory (SIGSEGV); -ENOMEM: no page or refused at K. */
int vm_fault(struct mm *mm, uaddr_t addr, unsigned access) must_check;

/* The page behind addr if other processes may share it (VMA_SHARED): *page; 0: addr lies in
 * memory of mm alone. -EFAULT: no such memory, or no page there yet. */
int vm_shared_page(struct mm *mm, uaddr_t addr, paddr_t *page) must_check;

/* System call cores; addr and len already in bytes as the user gave them. */
enum vm_place {
	VM_ANYWHERE,			/* at the hint if it is free, else where there is room */
	VM_FIXED,			/* exactly there, in place of what is mapped */
	VM_FIXED_NOREPLACE,		/* exactly there, -EEXIST when something is mapped */
};

int vm_map(struct mm *mm, uaddr_t *addr, size_t bytes, unsigned vma_flags,
	   enum vm_place place) must_check;
int vm_unmap(struct mm *mm, uaddr_t start, size_t bytes) must_check;
int vm_protect(struct mm *mm, uaddr_t start, size_t bytes, unsigned prot) must_check;
uaddr_t vm_brk(struct mm *mm, uaddr_t new_end);	/* the end in force afterwards */

/* Put bytes at addr of an mm that is not running (exec): pages are made as needed. */
int vm_write(struct mm *mm, uaddr_t addr, const void *data, size_t bytes) must_check;

/* 0, or the number of the first broken invariant (vma.c, pgtable.c). [mm lock] held, or nobody
 * else uses mm. */
int vm_check(struct mm *mm);
