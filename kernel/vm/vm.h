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
#define VMA_SHARED	0x10u		/* MAP_SHARED: fork, or the file, shares the pages */
#define VMA_NEVER_WRITE	0x20u		/* shared with a file that is not open for writing */

#define VM_MAX_AREAS	65530
#define STACK_ROOM_BYTES (128ul << 20)	/* kept for the stack, whatever its limit */
#define STACK_GUARD_BYTES (1ul << 20)	/* kept free below a stack that grows */

/* Below the stack: mappings without an address of their own are placed downwards from here. */
#define VM_MMAP_BASE	((USER_MAX & PAGE_MASK) - STACK_ROOM_BYTES)

struct file;				/* of floor 6: see struct vm_file_hooks */

struct vma {
	uaddr_t start, end;		/* [mm lock] page aligned, start < end */
	unsigned flags;			/* [mm lock] VMA_* */
	struct file *file;		/* [I] referenced; NULL: anonymous memory */
	u64 index;			/* [mm lock] the page of the file at start */
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
	struct file *exe;		/* [I] since exec: the program, referenced; or NULL */
	uaddr_t args_start, args_end, env_end; /* [I] since exec: argv's strings, then envp's */
	unsigned long max_pages;	/* [mm lock] the most that nr_pages has been */
	unsigned long nr_pages;		/* [mm lock] user pages mapped */
	unsigned long nr_tables;	/* [mm lock] page-table pages, the root included */
};

void vm_init(void);			/* the mm and vma caches */

/* What the floor that knows files does for this one. */
struct vm_file_hooks {
	void (*get)(struct file *file);
	void (*put)(struct file *file);
	/* Up to nr pages from index on, referenced (page_put()), NULL for a hole, but with
	 * `make` the first is made when it is one. Returns how many: 0 behind the file's end,
	 * or when its file system is full; or -ENOMEM. */
	long (*pages)(struct file *file, u64 index, struct page **pages, unsigned nr, bool make);
};

void vm_set_file_hooks(const struct vm_file_hooks *hooks);

/* The current process's limits, in bytes; ~0: none. */
enum vm_limit {
	VM_LIMIT_DATA, VM_LIMIT_STACK, VM_LIMIT_SPACE,
};

void vm_set_limit_hook(u64 (*hook)(enum vm_limit which));

int mm_create(struct mm **out) must_check;
struct mm *mm_get(struct mm *mm);
void mm_put(struct mm *mm);		/* the last one unmaps and frees */
int mm_copy(struct mm *from, struct mm **out) must_check;	/* fork: cow, tables eager */

/* A fault at addr. 0; -EFAULT: no such memory, -EACCES: not for this access (SIGSEGV); -EIO:
 * the mapped file has no page there (SIGBUS); -ENOMEM: no page or refused at K. */
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

struct vm_what {
	unsigned flags;			/* VMA_* */
	enum vm_place place;
	struct file *file;		/* NULL: anonymous */
	u64 index;			/* the page of the file that comes first */
};

int vm_map(struct mm *mm, uaddr_t *addr, size_t bytes, unsigned vma_flags,
	   enum vm_place place) must_check;	/* anonymous memory */
int vm_map_area(struct mm *mm, uaddr_t *addr, size_t bytes, const struct vm_what *what)
	must_check;
int vm_populate_range(struct mm *mm, uaddr_t start, uaddr_t end) must_check;
int vm_unmap(struct mm *mm, uaddr_t start, size_t bytes) must_check;
int vm_protect(struct mm *mm, uaddr_t start, size_t bytes, unsigned prot) must_check;
uaddr_t vm_brk(struct mm *mm, uaddr_t new_end);	/* the end in force afterwards */
int vm_check_mapped(struct mm *mm, uaddr_t start, uaddr_t end) must_check;
unsigned long vm_nr_mapped(struct mm *mm);	/* pages of all areas */

/* peek.c: from outside */
size_t vm_peek(struct mm *mm, uaddr_t addr, char *buf, size_t bytes);
void vm_for_each_area(struct mm *mm, void (*see)(const struct vma *v, void *arg), void *arg);

/* remap.c */
#define VM_REMAP_MAYMOVE	1u
#define VM_REMAP_FIXED		2u

struct vm_remap {
	uaddr_t from;
	size_t old_bytes, bytes;
	uaddr_t to;			/* VM_REMAP_FIXED: the new place; afterwards, where it is */
	unsigned flags;
};

int vm_remap(struct mm *mm, struct vm_remap *r) must_check;
int vm_discard(struct mm *mm, uaddr_t start, uaddr_t end) must_check;
int vm_residency(struct mm *mm, uaddr_t start, size_t nr, u8 *present) must_check;

/* Put bytes at addr of an mm that is not running (exec): pages are made as needed. */
int vm_write(struct mm *mm, uaddr_t addr, const void *data, size_t bytes) must_check;

/* 0, or the number of the first broken invariant (vma.c, pgtable.c). [mm lock] held, or nobody
 * else uses mm. */
int vm_check(struct mm *mm);
