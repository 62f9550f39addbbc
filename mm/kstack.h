/* SPDX-License-Identifier: MIT */
/* Kernel stacks: pages mapped below an unmapped guard page, charged to the caller's group. */
#pragma once
#include "kernel/lib/compiler.h"

#define KSTACK_SLOT_BYTES	65536ul	/* virtual space of one stack, guard included */

struct page;

struct kstack {
	void *top;			/* first address above the stack, 16-byte aligned */
	unsigned slot;			/* in the stack area */
	struct page *pages;		/* its pages, a ring by page->link */
};

void kstack_init(unsigned nr_pages);	/* pages of each stack, guard excluded: kstack= */
unsigned kstack_pages(void);
int kstack_alloc(struct kstack *stack) must_check;
void kstack_free(struct kstack *stack);
bool kstack_is_guard(uintptr_t addr);	/* for the double fault report */
unsigned kstack_nr_used(void);		/* stacks that exist */
int kstack_check(unsigned long nr_found);	/* for the audit: 0 or a broken invariant */
