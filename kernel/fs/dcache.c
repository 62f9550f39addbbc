/* SPDX-License-Identifier: MIT */
/*
 * The dentry cache: (parent, name) -> dentry. A slot.
 *
 * Theory: one hash table, sized at boot; a dentry is referenced by its holders, by its
 * children, and, while its name exists, by the list of its directory. At the last put it is
 * freed at once, and its reference to the parent is dropped next, in a loop: a chain of any
 * depth goes without recursion.
 *
 *	hash -> [/]<-----[a]<-----[b]      <- is `parent`, and a reference
 *	          children   children
 *
 * Walks on different CPUs meet in a bucket at most: each bucket has a lock (shared with other
 * buckets), held for one short chain. While a dentry is hashed, a finder raises its count
 * under the bucket's lock and the last reference is dropped under it: so nobody finds a dentry
 * that is being freed. A rename changes the bucket; as the hash value is changed before the
 * old bucket's lock is let go, who then takes that lock to drop a reference sees it and
 * takes the other one.
 *
 * A miss proves nothing: a rename takes the dentry out of one bucket before it puts it into
 * another. Only with the directory's lock held, which excludes renames, is a miss an answer.
 *
 * Invariants, checked by dcache_check():
 *  I1 a hashed dentry lies in the bucket that its hash, made of parent and name, names
 *  I2 a hashed dentry's parent is positive and lists it if it is positive; no name twice
 *  I3 a hashed dentry has a reference, and one for each child in its list
 *  I4 the children of a directory stand by rising dir_pos, all below next_pos
 *  I5 no more dentries are hashed than there are
 *
 * Locking: directories' locks (the caller's) guard children lists and exclude two makers of one
 * name. Under them, never two at a time, never across an allocation: the bucket locks, and the
 * tree lock for who looks upward without a directory's lock ("..", getcwd). Both RANK_FS.
 */
#include "kernel/fs/dcache_impl.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/kmem.h"
#include "mm/page.h"

#define NR_BUCKET_LOCKS	256u			/* four for each CPU */

static struct bucket_lock {
	struct spinlock lock;
} cacheline_aligned bucket_locks[NR_BUCKET_LOCKS];

struct spinlock dcache_tree_lock = SPINLOCK_INIT(RANK_FS, "dcache tree");
static struct kmem_cache *dentry_cache;		/* [I] */
static struct list *buckets;			/* [their locks] */
static unsigned nr_buckets;			/* [I] a power of two, >= NR_BUCKET_LOCKS */
static atomic_long nr_dentries;			/* [a] */

/* Make the cache and the table, one bucket for every second page of RAM.
 * Context: boot, once; panics when there is no memory. */
void dcache_init(void)
{
	u64 bytes = MAX(page_nr_total() / 2, PAGE_SIZE / sizeof(*buckets)) * sizeof(*buckets);
	unsigned order = MIN(bits_log2(bytes) - PAGE_SHIFT, (unsigned)MAX_ORDER);
	struct page *page;

	while (!(page = page_alloc(PAGE_KERNEL, order, GFP_KERNEL)) && order > 0)
		order--;
	dentry_cache = kmem_cache_create("dentry", sizeof(struct dentry), 0, 0, NULL);
	if (!page || !dentry_cache)
		panic("dcache: no memory for the dentry cache");
	buckets = page_to_virt(page);
	nr_buckets = (unsigned)((PAGE_SIZE << order) / sizeof(*buckets));
	for (unsigned i = 0; i < nr_buckets; i++)
		list_init(&buckets[i]);
	for (unsigned i = 0; i < NR_BUCKET_LOCKS; i++)
		spin_init(&bucket_locks[i].lock, RANK_FS, "dcache bucket");
}

/* FNV-1a over the name, begun with the parent's address. */
static u32 hash_name(const struct dentry *parent, const char *name, size_t len)
{
	u64 hash = 0xcbf29ce484222325ull ^ ((uintptr_t)parent >> 4);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (u8)name[i]) * 0x100000001b3ull;
	return (u32)(hash ^ hash >> 32);
}

static struct list *bucket_of(u32 hash)
{
	return &buckets[hash & (nr_buckets - 1)];
}

/* A bucket has one lock, as there are at least as many buckets as locks. */
static struct spinlock *lock_of(u32 hash)
{
	return &bucket_locks[hash & (NR_BUCKET_LOCKS - 1)].lock;
}

/* Lock the bucket that dentry is in, also when a rename moves it meanwhile. */
static struct spinlock *lock_bucket(const struct dentry *dentry)
{
	for (;;) {
		u32 hash = load_acquire(&dentry->hash);
		struct spinlock *lock = lock_of(hash);

		spin_lock(lock);
		if (load_acquire(&dentry->hash) == hash)
			return lock;
		spin_unlock(lock);
	}
}

static bool has_name(const struct dentry *d, const char *name, size_t len)
{
	return d->name_len == len && memcmp(d->name, name, len) == 0;
}

static struct dentry *find_locked(struct dentry *parent, const char *name, size_t len, u32 hash)
{
	struct list *bucket = bucket_of(hash);
	struct dentry *d;

	assert_held(lock_of(hash));
	list_for_each(d, bucket, hash_link) {
		if (d->hash == hash && d->parent == parent && has_name(d, name, len))
			return d;
	}
	return NULL;
}

/* Put dentry into the bucket that its hash names. */
static void hash_insert(struct dentry *dentry)
{
	struct spinlock *lock = lock_of(dentry->hash);

	spin_lock(lock);
	list_push(bucket_of(dentry->hash), &dentry->hash_link);
	spin_unlock(lock);
}

/* Take dentry out of its bucket; it will be found, if ever again, under new_hash. */
static void hash_remove(struct dentry *dentry, u32 new_hash)
{
	struct spinlock *lock = lock_bucket(dentry);

	list_remove(&dentry->hash_link);
	store_release(&dentry->hash, new_hash);
	spin_unlock(lock);
}

/* A negative, unhashed dentry with one reference and no parent, or NULL. */
static struct dentry *dentry_new(const char *name, size_t len)
{
	struct dentry *d = kmem_cache_alloc(dentry_cache, GFP_KERNEL);
	char *text;

	if (!d)
		return NULL;
	*d = (struct dentry){ .name_len = (u16)len, .next_pos = DIR_POS_FIRST };
	text = d->inline_name;
	if (len >= DNAME_INLINE) {
		text = kmalloc(len + 1, GFP_KERNEL);
		if (!text) {
			kmem_cache_free(dentry_cache, d);
			return NULL;
		}
	}
	memcpy(text, name, len);
	text[len] = '\0';
	d->name = text;
	refcount_set(&d->refs, 1);
	list_init(&d->hash_link);
	list_init(&d->child_link);
	list_init(&d->children);
	atomic_add_return(&nr_dentries, 1);
	return d;
}

static void dentry_free(struct dentry *d)
{
	if (d->inode)
		inode_put(d->inode);
	if (d->name != d->inline_name)
		kfree((void *)d->name);
	atomic_sub_return(&nr_dentries, 1);
	kmem_cache_free(dentry_cache, d);
}

/* The nameless top of a file system. Takes the inode's reference on success; NULL: no memory. */
struct dentry *dentry_alloc_root(struct super *super, struct inode *inode)
{
	struct dentry *d = dentry_new("", 0);

	if (!d)
		return NULL;
	d->parent = d;
	d->super = super;
	d->inode = inode;
	return d;
}

/* The dentry of that name if it is cached (positive or negative), referenced; else NULL, which
 * means something only to who holds the directory's lock. Locks: takes the bucket's. */
struct dentry *dentry_find(struct dentry *parent, const char *name, size_t len)
{
	u32 hash = hash_name(parent, name, len);
	struct spinlock *lock = lock_of(hash);
	struct dentry *d;

	spin_lock(lock);
	d = find_locked(parent, name, len, hash);
	if (d)
		refcount_get(&d->refs);
	spin_unlock(lock);
	return d;
}

/* Find the name, or make it: negative and hashed. *out is referenced. Returns 0 or -ENOMEM.
 * Locks: the directory's, held by the caller. */
int dentry_lookup(struct dentry *parent, const char *name, size_t len, struct dentry **out)
{
	struct dentry *fresh;

	*out = dentry_find(parent, name, len);
	if (*out)
		return 0;
	fresh = dentry_new(name, len);
	if (!fresh)
		return -ENOMEM;
	fresh->super = parent->super;
	fresh->hash = hash_name(parent, name, len);
	fresh->parent = dentry_get(parent);
	hash_insert(fresh);
	*out = fresh;
	return 0;
}

/* One more reference; the caller has one. */
struct dentry *dentry_get(struct dentry *dentry)
{
	refcount_get(&dentry->refs);
	return dentry;
}

/* The parent, referenced (a root's is itself). Locks: takes the tree lock. */
struct dentry *dentry_get_parent(struct dentry *dentry)
{
	struct dentry *parent;

	spin_lock(&dcache_tree_lock);
	parent = dentry_get(dentry->parent);
	spin_unlock(&dcache_tree_lock);
	return parent;
}

/* Drop a reference. The last one frees the dentry and drops its parent's, and so on upward.
 * Locks: takes the bucket's. Context: thread, no spinlocks, no lock of the dentry's inode. */
void dentry_put(struct dentry *dentry)
{
	while (dentry && !refcount_put_unless_last(&dentry->refs)) {
		struct spinlock *lock = lock_bucket(dentry);
		struct dentry *parent;
		bool last = refcount_put(&dentry->refs);

		if (last)
			list_remove(&dentry->hash_link);
		spin_unlock(lock);
		if (!last)
			return;
		BUG_ON(!list_empty(&dentry->child_link));
		parent = dentry->parent != dentry ? dentry->parent : NULL;
		dentry_free(dentry);
		dentry = parent;
		cond_resched();
	}
}

static void append_child(struct dentry *dir, struct dentry *child)
{
	child->dir_pos = dir->next_pos++;
	list_append(&dir->children, &child->child_link);
}

/* Make a negative dentry positive: it takes the caller's reference to inode and the next
 * position of its directory, which pins it. Locks: the directory's, held by the caller. */
void dentry_attach(struct dentry *dentry, struct inode *inode)
{
	BUG_ON(dentry->inode);
	if (!dentry->super->transient)
		append_child(dentry->parent, dentry_get(dentry));
	store_release(&dentry->inode, inode);
}

/* The name is gone (unlink, rmdir), and with it the pin: nobody finds it any more, holders, of
 * which the caller is one, keep inode and parent. Locks: the directory's, held by the caller. */
void dentry_unhash(struct dentry *dentry)
{
	bool pinned = !list_empty(&dentry->child_link);

	hash_remove(dentry, dentry->hash);
	list_remove(&dentry->child_link);
	spin_lock(&dcache_tree_lock);
	dentry->unhashed = true;
	spin_unlock(&dcache_tree_lock);
	if (pinned)
		dentry_put(dentry);
}

static void swap_names(struct dentry *a, struct dentry *b)
{
	struct dentry old = { .name_len = a->name_len, .name = a->name };

	memcpy(old.inline_name, a->inline_name, DNAME_INLINE);
	memcpy(a->inline_name, b->inline_name, DNAME_INLINE);
	memcpy(b->inline_name, old.inline_name, DNAME_INLINE);
	a->name = b->name == b->inline_name ? a->inline_name : b->name;
	b->name = old.name == a->inline_name ? b->inline_name : old.name;
	a->name_len = b->name_len;
	b->name_len = old.name_len;
}

/*
 * Rename: dentry takes target's name and place in new_parent; target, negative or replaced, is
 * unhashed and left with the old name. Needs no memory, so a rename cannot fail half way. For a
 * moment neither name is in the hash: who misses one asks again under the directory's lock.
 * The caller has references to all three.
 * Locks: both directories', held by the caller, and the rename lock.
 */
void dentry_move(struct dentry *dentry, struct dentry *new_parent, struct dentry *target)
{
	struct dentry *old_parent = dentry->parent;

	BUG_ON(target->parent != new_parent);
	hash_remove(dentry, target->hash);
	list_remove(&dentry->child_link);
	dentry_unhash(target);
	dentry_get(new_parent);
	spin_lock(&dcache_tree_lock);
	swap_names(dentry, target);
	dentry->parent = new_parent;
	spin_unlock(&dcache_tree_lock);
	append_child(new_parent, dentry);
	hash_insert(dentry);
	dentry_put(old_parent);
}

/*
 * Each of two positive dentries takes the other's name and place. For a moment neither name is in
 * the hash, as in dentry_move(). The caller has references to both.
 * Locks: both directories', held by the caller, and the rename lock.
 */
void dentry_exchange(struct dentry *a, struct dentry *b)
{
	struct dentry *parent = a->parent;
	u32 hash = a->hash;

	hash_remove(a, b->hash);
	hash_remove(b, hash);
	list_remove(&a->child_link);
	list_remove(&b->child_link);
	spin_lock(&dcache_tree_lock);
	swap_names(a, b);
	a->parent = b->parent;
	b->parent = parent;
	spin_unlock(&dcache_tree_lock);
	append_child(a->parent, a);
	append_child(b->parent, b);
	hash_insert(a);
	hash_insert(b);
}

/* Is ancestor the dentry itself or above it? Locks: the rename lock, held by the caller: so
 * the parents stand still, and a deep chain is not walked under a spinlock. */
bool dentry_is_ancestor(struct dentry *ancestor, struct dentry *dentry)
{
	while (dentry != ancestor && dentry->parent != dentry) {
		dentry = dentry->parent;
		cond_resched();
	}
	return dentry == ancestor;
}

/* Does the directory hold a name? Locks: the directory's, held by the caller. */
bool dentry_has_positive_child(struct dentry *dir)
{
	return !list_empty(&dir->children);
}

/*
 * For readers of a directory: its first positive child at position pos or later, referenced,
 * or NULL. prev, the child last returned, if any, saves the search from the start.
 * Locks: the directory's, held by the caller: so all positive names are pinned in their places.
 */
struct dentry *dentry_next_child(struct dentry *dir, struct dentry *prev, u64 pos)
{
	struct list *at = prev ? prev->child_link.next : dir->children.next;

	for (; at != &dir->children; at = at->next) {
		struct dentry *child = list_entry(at, struct dentry, child_link);

		if (child->dir_pos >= pos)
			return dentry_get(child);
	}
	return NULL;
}

/* How many dentries there are, unhashed ones included. */
unsigned long dcache_count(void)
{
	return (unsigned long)atomic_load(&nr_dentries);
}

static int check_children(const struct dentry *dir)
{
	const struct dentry *child;
	int nr = 0;
	u64 pos = 0;

	list_for_each(child, &dir->children, child_link) {
		nr++;
		if (child->parent != dir || !child->inode || list_empty(&child->hash_link))
			return 2;
		if (child->dir_pos <= pos || child->dir_pos >= dir->next_pos)
			return 4;
		pos = child->dir_pos;
	}
	return refcount_read(&dir->refs) < MAX(nr, 1) ? 3 : 0;
}

static int check_dentry(struct dentry *d, unsigned bucket)
{
	if (d->hash != hash_name(d->parent, d->name, d->name_len) ||
	    bucket_of(d->hash) != &buckets[bucket])
		return 1;
	if (list_empty(&d->child_link) != (!d->inode || d->super->transient) ||
	    !d->parent->inode || d->unhashed ||
	    find_locked(d->parent, d->name, d->name_len, d->hash) != d)
		return 2;
	return check_children(d);
}

/* Check every hashed dentry. Returns 0, or the number of the broken invariant.
 * Context: nobody else uses the dcache: boot, tests, or the other CPUs are stopped. */
int dcache_check(void)
{
	struct dentry *d = NULL;
	long nr = 0;
	int broken = 0;

	for (unsigned i = 0; i < nr_buckets && !broken; i++) {
		spin_lock(lock_of(i));
		list_for_each(d, &buckets[i], hash_link) {
			nr++;
			broken = check_dentry(d, i);
			if (broken)
				break;
		}
		spin_unlock(lock_of(i));
	}
	if (!broken && nr > atomic_load(&nr_dentries))
		broken = 5;
	if (broken)
		log_info("dcache: invariant I%d does not hold", broken);
	return broken;
}
