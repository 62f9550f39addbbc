/* SPDX-License-Identifier: MIT */
/*
 * Page index -> page: a radix tree of 64-way nodes (512 bytes, kmalloced, so charged to whoever
 * made the file grow). A tree of height h reaches indices below 64^h; a file of one page is the
 * root pointer alone. Holes cost nothing. Every walk is a loop of at most
 * PAGETREE_MAX_HEIGHT steps.
 *
 * Locking: a tree lock guards the nodes (trees share NR_LOCKS of them), as a fault in a mapped
 * file finds and makes pages without the inode's data_lock. Pages are taken out only with that
 * one held to write: who holds it may use a page that it found, others need a reference.
 */
#include "kernel/fs/pagetree.h"
#include "kernel/lib/errno.h"
#include "kernel/sync/spinlock.h"
#include "mm/kmem.h"
#include "mm/page.h"

#define NR_LOCKS	64u

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

static struct tree_lock {
	struct spinlock lock;
} cacheline_aligned tree_locks[NR_LOCKS];

/* Context: boot. */
void pagetree_init(void)
{
	for (unsigned i = 0; i < NR_LOCKS; i++)
		spin_init(&tree_locks[i].lock, RANK_FS, "pages of a file");
}

static struct spinlock *lock_of(const struct pagetree *tree)
{
	return &tree_locks[(uintptr_t)tree * 0x9e3779b97f4a7c15ull >> 58 & (NR_LOCKS - 1)].lock;
}

static struct page *find_locked(const struct pagetree *tree, u64 index)
{
	void *at = tree->root;

	if (index >= span_of(tree->height))
		return NULL;
	for (unsigned h = tree->height; at && h > 0; h--)
		at = ((struct node *)at)->slots[slot_of(index, h)];
	return at;
}

/* The page at index, or NULL. Locks: the caller keeps it from being taken out; a tree lock. */
struct page *pagetree_find(const struct pagetree *tree, u64 index)
{
	struct spinlock *lock = lock_of(tree);
	struct page *page;

	spin_lock(lock);
	page = find_locked(tree, index);
	spin_unlock(lock);
	return page;
}

/* The nr pages from index on, referenced; NULL for each that is not there. Returns how many are.
 * Locks: a tree lock. */
unsigned pagetree_get_range(const struct pagetree *tree, u64 index, struct page **pages,
			    unsigned nr)
{
	struct spinlock *lock = lock_of(tree);
	unsigned found = 0;

	spin_lock(lock);
	for (unsigned i = 0; i < nr; i++) {
		pages[i] = find_locked(tree, index + i);
		if (!pages[i])
			continue;
		page_get(pages[i]);
		found++;
	}
	spin_unlock(lock);
	return found;
}

static struct page *next_locked(const struct pagetree *tree, u64 *index)
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

/* The first page at *index or later, its index in *index; NULL when there is none.
 * Locks: the data_lock, to write: no page goes; a tree lock. */
struct page *pagetree_next(const struct pagetree *tree, u64 *index)
{
	struct spinlock *lock = lock_of(tree);
	struct page *page;

	spin_lock(lock);
	page = next_locked(tree, index);
	spin_unlock(lock);
	return page;
}

/* The empty link where a node is missing on the way to index; NULL: none is. The tree is too low
 * for the index: the root is such a link (below it goes the old one). Locks: the tree lock. */
static void **missing_link(struct pagetree *tree, u64 index)
{
	void **link = &tree->root;

	for (unsigned h = tree->height; h > 0; h--) {
		if (!*link)
			return link;
		link = &((struct node *)*link)->slots[slot_of(index, h)];
	}
	return NULL;
}

/* Make the tree higher, with a node above the root if there is something below. Did it take the
 * node? */
static bool grow(struct pagetree *tree, struct node *node)
{
	bool used = tree->root != NULL;

	if (used) {
		node->slots[0] = tree->root;
		tree->root = node;
	}
	tree->height++;
	return used;
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

/* Put the page there if no node is missing on the way, else the spare node where one is missing.
 * Returns 0: done; 1: another node is needed; -EEXIST: there is a page. Locks: the tree lock. */
static int insert_step(struct pagetree *tree, u64 index, struct page *page, struct node **spare)
{
	void **link;

	while (index >= span_of(tree->height)) {
		if (tree->root && !*spare)
			return 1;
		if (grow(tree, *spare))
			*spare = NULL;
	}
	while ((link = missing_link(tree, index)) != NULL) {
		if (!*spare)
			return 1;
		*link = *spare;
		*spare = NULL;
	}
	if (find_locked(tree, index))
		return -EEXIST;
	link = &tree->root;
	for (unsigned h = tree->height; h > 0; h--)
		link = &((struct node *)*link)->slots[slot_of(index, h)];
	*link = page;
	WRITE_ONCE(tree->nr_pages, tree->nr_pages + 1);
	return 0;
}

static void prune_path(struct pagetree *tree, u64 index)
{
	struct spinlock *lock = lock_of(tree);

	spin_lock(lock);
	prune(tree, index);
	spin_unlock(lock);
}

/* Put page, whose reference the tree takes, at index. size, unless NULL: where the file ends,
 * which a truncate lowers before it looks for pages. Returns 0; -EEXIST: there is one, -EIO: that
 * lies behind the end, -EFBIG (index too high), -ENOMEM, with the tree as it was.
 * Locks: a tree lock, not while it allocates. Context: thread. */
int pagetree_insert(struct pagetree *tree, u64 index, struct page *page, const u64 *size)
{
	struct spinlock *lock = lock_of(tree);
	struct node *spare = NULL;
	int err;

	if (index >= PAGETREE_MAX_PAGES)
		return -EFBIG;
	for (;;) {
		spin_lock(lock);
		if (size && index * PAGE_SIZE >= READ_ONCE(*size))
			err = -EIO;
		else
			err = insert_step(tree, index, page, &spare);
		spin_unlock(lock);
		if (err <= 0)
			break;
		spare = kzalloc(sizeof(*spare), GFP_KERNEL);
		err = -ENOMEM;
		if (!spare)
			break;
	}
	if (err)
		prune_path(tree, index);
	kfree(spare);
	return err;
}

/* Take the page at index out and return it with its reference; NULL when there is none. Empty
 * nodes go. Locks: the data_lock, to write; a tree lock. */
struct page *pagetree_remove(struct pagetree *tree, u64 index)
{
	struct spinlock *lock = lock_of(tree);
	void **link = &tree->root;
	struct page *page;

	spin_lock(lock);
	page = find_locked(tree, index);
	if (page) {
		for (unsigned h = tree->height; h > 0; h--)
			link = &((struct node *)*link)->slots[slot_of(index, h)];
		*link = NULL;
		WRITE_ONCE(tree->nr_pages, tree->nr_pages - 1);
		prune(tree, index);
	}
	spin_unlock(lock);
	return page;
}
