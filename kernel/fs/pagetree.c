/* SPDX-License-Identifier: MIT */
/*
 * Page index -> page: a radix tree of 64-way nodes (512 bytes, kmalloced, so charged to whoever
 * made the file grow). A tree of height h reaches indices below 64^h; a file of one page is the
 * root pointer alone. Holes cost nothing. Every walk is a loop of at most
 * PAGETREE_MAX_HEIGHT steps.
 *
 * Locking: the caller's (the inode's data_lock); nr_pages may be read without.
 */
#include "kernel/fs/pagetree.h"
#include "kernel/lib/errno.h"
#include "mm/kmem.h"

struct node {
	void *slots[PAGETREE_FANOUT];
};

static unsigned slot_of(u64 index, unsigned height)
{
	return (unsigned)(index >> (PAGETREE_BITS * (height - 1))) & (PAGETREE_FANOUT - 1);
}

/* Number of indices a tree of this height reaches. */
static u64 span_of(unsigned height)
{
	return 1ull << (PAGETREE_BITS * height);
}

/* The page at index, or NULL. */
struct page *pagetree_find(const struct pagetree *tree, u64 index)
{
	void *at = tree->root;

	if (index >= span_of(tree->height))
		return NULL;
	for (unsigned h = tree->height; at && h > 0; h--)
		at = ((struct node *)at)->slots[slot_of(index, h)];
	return at;
}

/* The first page at *index or later, its index in *index; NULL when there is none. */
struct page *pagetree_next(const struct pagetree *tree, u64 *index)
{
	while (*index < span_of(tree->height) && tree->root) {
		void *at = tree->root;
		unsigned h = tree->height;

		while (h > 0 && at)
			at = ((struct node *)at)->slots[slot_of(*index, h--)];
		if (at)
			return at;
		*index = (*index | (span_of(h) - 1)) + 1;
	}
	return NULL;
}

/* Put a node above the root, so that the tree reaches 64 times as far. */
static int grow(struct pagetree *tree)
{
	struct node *node;

	if (tree->root) {
		node = kzalloc(sizeof(*node), GFP_KERNEL);
		if (!node)
			return -ENOMEM;
		node->slots[0] = tree->root;
		tree->root = node;
	}
	tree->height++;
	return 0;
}

/* Free the nodes on the way to index that hold nothing, from the lowest up. */
static void prune(struct pagetree *tree, u64 index)
{
	void **way[PAGETREE_MAX_HEIGHT + 1];
	void **link = &tree->root;
	unsigned nr = 0, i;

	for (unsigned h = tree->height; h > 0 && *link; h--) {
		way[nr++] = link;
		link = &((struct node *)*link)->slots[slot_of(index, h)];
	}
	while (nr-- > 0) {
		struct node *node = *way[nr];

		for (i = 0; i < PAGETREE_FANOUT && !node->slots[i]; i++)
			;
		if (i < PAGETREE_FANOUT)
			return;
		kfree(node);
		*way[nr] = NULL;
	}
	tree->height = 0;
}

/* Put page at index, where there is none. Returns 0, -EFBIG (index too high) or -ENOMEM, with
 * the tree as it was. */
int pagetree_insert(struct pagetree *tree, u64 index, struct page *page)
{
	void **link = &tree->root;

	if (index >= PAGETREE_MAX_PAGES)
		return -EFBIG;
	while (index >= span_of(tree->height)) {
		if (grow(tree))
			return -ENOMEM;
	}
	for (unsigned h = tree->height; h > 0; h--) {
		if (!*link)
			*link = kzalloc(sizeof(struct node), GFP_KERNEL);
		if (!*link) {
			prune(tree, index);
			return -ENOMEM;
		}
		link = &((struct node *)*link)->slots[slot_of(index, h)];
	}
	*link = page;
	WRITE_ONCE(tree->nr_pages, tree->nr_pages + 1);
	return 0;
}

/* Take the page at index out and return it; NULL when there is none. Empty nodes go. */
struct page *pagetree_remove(struct pagetree *tree, u64 index)
{
	void **link = &tree->root;
	struct page *page;

	if (index >= span_of(tree->height))
		return NULL;
	for (unsigned h = tree->height; h > 0 && *link; h--)
		link = &((struct node *)*link)->slots[slot_of(index, h)];
	page = *link;
	if (!page)
		return NULL;
	*link = NULL;
	WRITE_ONCE(tree->nr_pages, tree->nr_pages - 1);
	prune(tree, index);
	return page;
}
