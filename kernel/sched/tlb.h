/* SPDX-License-Identifier: MIT */
/* Which CPU runs on which page tables, and how they are told of changes. See tlb.c. */
#pragma once
#include "arch/memmap.h"
#include "kernel/lib/atomic.h"

/* What an address space (struct mm) embeds. */
struct space {
	paddr_t root;			/* [I] the root table */
	atomic_u64 gen;			/* [a] raised by every flush */
	atomic_u64 loaded;		/* [a] bit per CPU whose MMU holds these tables, lazily or not */
};

void space_init(struct space *s, paddr_t root);

/* Every CPU forgets what it knows of [start, end) of s; returns when they have. Lazy CPUs are
 * left alone: they catch up when they come back to s.
 * Context: thread, interrupts on, no spinlock held. */
void space_flush(struct space *s, uaddr_t start, uaddr_t end);

/* The same after a table on the way to addr was unlinked; lazy CPUs leave s, so that nobody
 * walks through that table any more: it may be freed. */
void space_flush_tables(struct space *s, uaddr_t addr);

/* Only this CPU forgets addr: enough when the entry gained a right. */
void space_flush_here(const struct space *s, uaddr_t addr);

/* No CPU runs on s any more when this returns: its tables may be freed. */
void space_forget(struct space *s);

/* For the scheduler, interrupts off: the next thread is one of s, or (NULL) needs no space and
 * borrows the one that is loaded; go to the kernel's own tables. */
void space_switch(struct space *s);
void space_leave(void);
