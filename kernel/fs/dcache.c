/* SPDX-License-Identifier: MIT */
/*
 * The dentry cache: (parent, name) -> dentry. A slot.
 *
 * Theory: one hash table, sized at boot, under one lock. A dentry is referenced by its
 * holders, by its children, and by a pin while its file system keeps it (ramfs). At the last
 * put it is freed at once, whether positive or negative, and its reference to the parent is
 * dropped next, in a loop: a chain of any depth goes without recursion. The last reference is
 * only ever dropped under the lock, so whoever finds a dentry under the lock may raise it.
 *
 *	hash -> [/]<-----[a]<-----[b]      <- is `parent`, and a reference
 *	          children   children
 *
 * Invariants, checked by dcache_check():
 *  I1 a hashed dentry lies in the bucket that its hash, made of parent and name, names
 *  I2 a hashed dentry is in the children of its parent, which is positive; no name twice
 *  I3 a dentry has at least one reference, and at least one for each child in its list
 *  I4 the positive children of a directory stand by rising dir_pos, all below next_pos
 *  I5 no more dentries are hashed than there are
 *
 * Locking: dcache_lock (RANK_FS) guards what dcache.h marks; nothing is allocated under it.
 */
#include "kernel/fs/dcache.h"
#include "kernel/fs/namei.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/kmem.h"
#include "mm/page.h"

static struct spinlock dcache_lock = SPINLOCK_INIT(RANK_FS, "dcache");
static struct kmem_cache *dentry_cache;		/* [I] */
static struct list *buckets;			/* [dcache lock] */
static unsigned nr_buckets;			/* [I] a power of two */
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

static bool has_name(const struct dentry *d, const char *name, size_t len)
{
	return d->name_len == len && memcmp(d->name, name, len) == 0;
}

static struct dentry *find_locked(struct dentry *parent, const char *name, size_t len, u32 hash)
{
	struct list *bucket = bucket_of(hash);
	struct dentry *d;

	assert_held(&dcache_lock);
	list_for_each(d, bucket, hash_link) {
		if (d->hash == hash && d->parent == parent && has_name(d, name, len))
			return d;
	}
	return NULL;
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

/* The dentry of that name if it is cached (positive or negative), referenced; else NULL. */
struct dentry *dentry_find(struct dentry *parent, const char *name, size_t len)
{
	u32 hash = hash_name(parent, name, len);
	struct dentry *d;

	spin_lock(&dcache_lock);
	d = find_locked(parent, name, len, hash);
	if (d)
		refcount_get(&d->refs);
	spin_unlock(&dcache_lock);
	return d;
}

/* Find the name, or make it: negative and hashed. *out is referenced. Returns 0 or -ENOMEM.
 * Locks: the directory's, held by the caller. */
int dentry_lookup(struct dentry *parent, const char *name, size_t len, struct dentry **out)
{
	u32 hash = hash_name(parent, name, len);
	struct dentry *fresh;

	*out = dentry_find(parent, name, len);
	if (*out)
		return 0;
	fresh = dentry_new(name, len);
	if (!fresh)
		return -ENOMEM;
	fresh->super = parent->super;
	fresh->hash = hash;
	fresh->parent = dentry_get(parent);
	spin_lock(&dcache_lock);
	list_push(bucket_of(hash), &fresh->hash_link);
	list_push(&parent->children, &fresh->child_link);
	spin_unlock(&dcache_lock);
	*out = fresh;
	return 0;
}

/* One more reference; the caller has one. */
struct dentry *dentry_get(struct dentry *dentry)
{
	refcount_get(&dentry->refs);
	return dentry;
}

/* The parent, referenced (a root's is itself). */
struct dentry *dentry_get_parent(struct dentry *dentry)
{
	struct dentry *parent;

	spin_lock(&dcache_lock);
	parent = dentry_get(dentry->parent);
	spin_unlock(&dcache_lock);
	return parent;
}

static bool put_unless_last(refcount *r)
{
	int old = refcount_read(r);

	while (old > 1) {
		if (atomic_try_cmpxchg(&r->n, &old, old - 1))
			return true;
	}
	return false;
}

/* Drop a reference. The last one frees the dentry and drops its parent's, and so on upward.
 * Locks: takes the dcache lock. Context: no spinlocks, no lock of the dentry's inode held. */
void dentry_put(struct dentry *dentry)
{
	while (dentry && !put_unless_last(&dentry->refs)) {
		struct dentry *parent;
		bool last;

		spin_lock(&dcache_lock);
		last = refcount_put(&dentry->refs);
		if (last) {
			list_remove(&dentry->hash_link);
			list_remove(&dentry->child_link);
		}
		spin_unlock(&dcache_lock);
		if (!last)
			return;
		parent = dentry->parent != dentry ? dentry->parent : NULL;
		dentry_free(dentry);
		dentry = parent;
	}
}

static void append_child_locked(struct dentry *dir, struct dentry *child)
{
	assert_held(&dcache_lock);
	list_remove(&child->child_link);
	child->dir_pos = dir->next_pos++;
	list_append(&dir->children, &child->child_link);
}

/* Make a negative dentry positive: it takes the caller's reference to inode and the next
 * position of its directory. Locks: the directory's, held by the caller. */
void dentry_attach(struct dentry *dentry, struct inode *inode)
{
	BUG_ON(dentry->inode);
	spin_lock(&dcache_lock);
	append_child_locked(dentry->parent, dentry);
	store_release(&dentry->inode, inode);
	spin_unlock(&dcache_lock);
}

static void unhash_locked(struct dentry *dentry)
{
	assert_held(&dcache_lock);
	list_remove(&dentry->hash_link);
	list_remove(&dentry->child_link);
}

/* The name is gone (unlink, rmdir): nobody finds it any more, holders keep inode and parent.
 * Locks: the directory's, held by the caller. */
void dentry_unhash(struct dentry *dentry)
{
	spin_lock(&dcache_lock);
	unhash_locked(dentry);
	spin_unlock(&dcache_lock);
}

/* Has the name been removed? (Roots have none to remove.) */
bool dentry_is_unhashed(const struct dentry *dentry)
{
	return dentry->parent != dentry && list_empty(&dentry->hash_link);
}

static void swap_names(struct dentry *a, struct dentry *b)
{
	char text[DNAME_INLINE];
	const char *name = a->name == a->inline_name ? NULL : a->name;
	u16 len = a->name_len;

	a->name = b->name == b->inline_name ? a->inline_name : b->name;
	b->name = name ? name : b->inline_name;
	a->name_len = b->name_len;
	b->name_len = len;
	memcpy(text, a->inline_name, sizeof(text));
	memcpy(a->inline_name, b->inline_name, sizeof(text));
	memcpy(b->inline_name, text, sizeof(text));
}

/*
 * Rename: dentry takes target's name and place in new_parent; target, negative or replaced, is
 * unhashed and left with the old name. Needs no memory, so a rename cannot fail half way.
 * Locks: both directories', held by the caller, and the rename lock.
 */
void dentry_move(struct dentry *dentry, struct dentry *new_parent, struct dentry *target)
{
	struct dentry *old_parent;

	spin_lock(&dcache_lock);
	BUG_ON(target->parent != new_parent);
	unhash_locked(dentry);
	dentry->hash = target->hash;
	unhash_locked(target);
	swap_names(dentry, target);
	old_parent = dentry->parent;
	dentry->parent = dentry_get(new_parent);
	list_push(bucket_of(dentry->hash), &dentry->hash_link);
	append_child_locked(new_parent, dentry);
	spin_unlock(&dcache_lock);
	dentry_put(old_parent);
}

/* A mount now covers the dentry. */
void dentry_set_mounted(struct dentry *dentry)
{
	spin_lock(&dcache_lock);
	dentry->mounted = true;
	spin_unlock(&dcache_lock);
}

/* Is ancestor the dentry itself or above it? Locks: the rename lock, held by the caller: so
 * the parents stand still, and a deep chain is not walked under a spinlock. */
bool dentry_is_ancestor(struct dentry *ancestor, struct dentry *dentry)
{
	while (dentry != ancestor && dentry->parent != dentry)
		dentry = dentry->parent;
	return dentry == ancestor;
}

/* Does the directory hold a name? Locks: the directory's, held by the caller. */
bool dentry_has_positive_child(struct dentry *dir)
{
	struct dentry *child = NULL;
	bool found = false;

	spin_lock(&dcache_lock);
	list_for_each(child, &dir->children, child_link) {
		found = child->inode != NULL;
		if (found)
			break;
	}
	spin_unlock(&dcache_lock);
	return found;
}

/*
 * For readers of a directory: its first positive child at position pos or later, referenced,
 * or NULL. prev, the child last returned, if any, saves the search from the start.
 * Locks: the directory's, held by the caller: so prev, positive, is still in its place.
 */
struct dentry *dentry_next_child(struct dentry *dir, struct dentry *prev, u64 pos)
{
	struct list *at;

	spin_lock(&dcache_lock);
	at = prev ? prev->child_link.next : dir->children.next;
	for (; at != &dir->children; at = at->next) {
		struct dentry *child = list_entry(at, struct dentry, child_link);

		if (child->inode && child->dir_pos >= pos) {
			dentry_get(child);
			spin_unlock(&dcache_lock);
			return child;
		}
	}
	spin_unlock(&dcache_lock);
	return NULL;
}

/* Put "/name" before what is there; false when that makes the path longer than PATH_MAX. What does not
 * fit in buf is counted and dropped. */
static bool prepend(char *buf, size_t size, size_t *len, const struct dentry *d)
{
	size_t bytes = (size_t)d->name_len + 1;

	*len += bytes;
	if (*len > PATH_MAX)
		return false;
	if (*len > size)
		return true;
	buf[size - *len] = '/';
	memcpy(buf + size - *len + 1, d->name, d->name_len);
	return true;
}

static long path_text_locked(struct path at, const struct path *root, char *buf, size_t size)
{
	size_t len = 1;			/* the NUL */

	assert_held(&dcache_lock);
	if (size)
		buf[size - 1] = '\0';
	while (at.dentry != root->dentry || at.mount != root->mount) {
		if (at.dentry != at.mount->super->root) {
			if (!prepend(buf, size, &len, at.dentry))
				return -ENAMETOOLONG;
			at.dentry = at.dentry->parent;
		} else if (at.mount->parent) {
			at = (struct path){ at.mount->parent, at.mount->point };
		} else {
			break;
		}
	}
	if (len == 1) {
		len = 2;
		if (len <= size)
			buf[size - len] = '/';
	}
	return len <= size ? (long)len : -ERANGE;
}

/*
 * The name of path as seen from root, into buf. Returns its length, NUL included; -ENOENT: the
 * name was removed; -ENAMETOOLONG: longer than PATH_MAX; -ERANGE: longer than size. At most
 * PATH_MAX bytes of names are looked at, however deep path lies.
 */
long dentry_path(const struct path *path, const struct path *root, char *buf, size_t size)
{
	long len = -ENOENT;

	spin_lock(&dcache_lock);
	if (!dentry_is_unhashed(path->dentry))
		len = path_text_locked(*path, root, buf, size);
	spin_unlock(&dcache_lock);
	if (len > 0)
		memmove(buf, buf + size - len, (size_t)len);
	return len;
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
		if (child->parent != dir || list_empty(&child->hash_link))
			return 2;
		if (child->inode && (child->dir_pos <= pos || child->dir_pos >= dir->next_pos))
			return 4;
		if (child->inode)
			pos = child->dir_pos;
	}
	return refcount_read(&dir->refs) < MAX(nr, 1) ? 3 : 0;
}

static int check_dentry(struct dentry *d, unsigned bucket)
{
	if (d->hash != hash_name(d->parent, d->name, d->name_len) ||
	    bucket_of(d->hash) != &buckets[bucket])
		return 1;
	if (list_empty(&d->child_link) || !d->parent->inode ||
	    find_locked(d->parent, d->name, d->name_len, d->hash) != d)
		return 2;
	return check_children(d);
}

/* Check every hashed dentry. Returns 0, or the number of the broken invariant. */
int dcache_check(void)
{
	struct dentry *d = NULL;
	long nr = 0;
	int broken = 0;

	spin_lock(&dcache_lock);
	for (unsigned i = 0; i < nr_buckets && !broken; i++) {
		list_for_each(d, &buckets[i], hash_link) {
			nr++;
			broken = check_dentry(d, i);
			if (broken)
				break;
		}
	}
	if (!broken && nr > atomic_load(&nr_dentries))
		broken = 5;
	spin_unlock(&dcache_lock);
	if (broken)
		log_info("dcache: invariant I%d does not hold", broken);
	return broken;
}
