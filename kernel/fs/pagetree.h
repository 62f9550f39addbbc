/* SPDX-License-Identifier: MIT */
/* Pages of a file by page index: a radix tree as high as the highest index needs. */
#pragma once
#include "kernel/lib/compiler.h"

#define PAGETREE_BITS		6u
#define PAGETREE_FANOUT		(1u << PAGETREE_BITS)
#define PAGETREE_MAX_HEIGHT	5u
#define PAGETREE_MAX_PAGES	(1ull << (PAGETREE_BITS * PAGETREE_MAX_HEIGHT))

struct page;

/* All zero: empty. Height 0: root is the page of index 0 itself. Each page in the tree is
 * referenced. */
struct pagetree {
	void *root;			/* [tree lock] struct page or node; NULL: empty */
	unsigned height;		/* [tree lock] levels of nodes above the pages */
	u64 nr_pages;			/* [tree lock to write] */
};

void pagetree_init(void);		/* the locks */
struct page *pagetree_find(const struct pagetree *tree, u64 index);
unsigned pagetree_get_range(const struct pagetree *tree, u64 index, struct page **pages,
			    unsigned nr);
struct page *pagetree_next(const struct pagetree *tree, u64 *index);
int pagetree_insert(struct pagetree *tree, u64 index, struct page *page, const u64 *size)
	must_check;
struct page *pagetree_remove(struct pagetree *tree, u64 index);
