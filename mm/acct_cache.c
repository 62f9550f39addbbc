/* SPDX-License-Identifier: MIT */
/*
 * The accounting model of per-group caches.
 *
 * Theory. A slab holds many objects but is charged as pages, to one group; so objects of
 * different groups must not share a slab. Each accounted group gets its own copy of each
 * cache it uses, made at the first allocation. From then on a copy is a cache like any other:
 * its slabs are charged when they are made and uncharged when they go, and allocating or
 * freeing an object touches no counter at all.
 *
 *	                    root cache "dentry"         root cache "inode"
 *	                        |  copies                   |  copies
 *	group 2 "a": caches --- dentry(2:a) --------------- inode(2:a)
 *	group 3 "b": caches --- dentry(3:b)
 *	  "c" is gone:  dead -- dentry(4:c)dead
 *
 * The price is memory: each copy keeps its own part-filled slabs and per-CPU stores. What
 * those hold unused is taken back by acct_drain() before a charge is refused.
 *
 * A copy's own memory (the cache object, per-CPU parts) is the charge of the parent of the
 * group it serves. The parent may need copies of its own for that, its parent too, and so on
 * up the tree: a recursion as deep as the tree, on a stack of a few pages. So creation does
 * not nest: what is missing further up is written down, creation fails, and the loop in
 * create_copy() makes the missing one, topmost group first, before it tries again.
 *
 * States of a copy: live (in its group's copies[]); dead (its group is gone; no allocation
 * finds it, objects may live); doomed (dead, no page left, no drain under way: queued); the
 * worker then destroys it. The free path only ever moves a copy to the doomed list: it still
 * stands on the cache's code when the last page goes.
 *
 * Invariants, checked by acct_check_locked():
 *  I1  a live copy is on its group's list, in its copies[root->id], and names its record
 *  I2  copies[] holds live copies only
 *  I3  a dead copy is dead, serves no group, and is on the list of the group its record names
 *  I4  a doomed copy is dead, without pages and not pinned
 *  I5  copies on a root's list = copies on groups' lists and the doomed list
 *
 * Locking: memcg_lock covers every list here, names at death too (with kmem_caches_lock, for
 * listings). A drain runs without it and pins the copies it works on. SMP: the fast path
 * reads copies[] with acquire; a copy found there lives while the group has a running task.
 *
 * References: Suleiman Souhlal's and Glauber Costa's slab series of 2012; Linux 3.8
 * mm/memcontrol.c (memcg_create_cache_work_func, and what became of it).
 */
#include "kernel/lib/errno.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/sync/percpu.h"
#include "mm/kmem_impl.h"
#include "mm/memcg.h"
#include "mm/work.h"

#define DRAIN_BATCH	8
#define DEAD_SUFFIX	"dead"

/* A copy that should exist: of root, for memcg. */
struct wanted {
	struct memcg *memcg;
	struct kmem_cache *root;
};

struct acct_cpu {
	bool creating;			/* [c] a copy is being made on this CPU */
	struct wanted missing;		/* [c] what that lacked, further up the tree */
} cacheline_aligned;

enum drain_scope {
	DRAIN_MARKED,			/* where something was left unused since the last */
	DRAIN_ALL,
	DRAIN_OWN_DEAD,			/* marked ones among the group's own dead copies */
};

static struct acct_cpu acct_cpus[NR_CPUS];
static struct list doomed = LIST_INIT(doomed);	/* [memcg_lock] */
static u64 last_drain;				/* [memcg_lock] */
static void destroy_doomed(struct work *work);
static struct work destroyer = { LIST_INIT(destroyer.link), destroy_doomed, false };

static struct kmem_cache *create_copy(struct memcg *memcg, struct kmem_cache *root);

/* The cache to allocate from: root itself when nobody is to be charged, else the current
 * group's copy, made now if need be. NULL: it could not be made, so the allocation fails.
 * Context: not in interrupts. Locks: none; making a copy: up to RANK_ZONE. */
struct kmem_cache *acct_cache_for(struct kmem_cache *root, gfp_t gfp)
{
	struct kmem_cache *copy;
	struct memcg *memcg;

	if ((root->flags & KMEM_NOACCOUNT) || !memcg_owner(gfp))
		return root;
	memcg = memcg_current();
	copy = load_acquire(&memcg->copies[root->id]);
	return likely(copy) ? copy : create_copy(memcg, root);
}

/* --- creation */

static void copy_name(char *name, const struct kmem_cache *root, const struct memcg *memcg)
{
	char id[24];
	int room = KMEM_NAME_MAX - (int)sizeof(DEAD_SUFFIX);

	room -= fmt_print(id, sizeof(id), "%lu", (unsigned long)memcg->id);
	room -= (int)str_len("(:)");
	fmt_print(name, KMEM_NAME_MAX, "%.*s(%s:%.*s)", MAX(room, 0), root->name, id,
		  MAX(room - (int)str_len(root->name), 0), memcg->name);
}

/* Make copy the one of its group, or say that another CPU was faster. */
static bool publish(struct kmem_cache *copy, struct memcg *memcg)
{
	struct kmem_cache **place = &memcg->copies[copy->root->id];
	bool first;

	spin_lock(&memcg_lock);
	first = !*place;
	if (first) {
		list_append(&copy->root->copies, &copy->copies);
		list_append(&memcg->caches, &copy->memcg_link);
		copy->owner->nr_caches++;
		store_release(place, copy);
	}
	spin_unlock(&memcg_lock);
	return first;
}

/* One attempt. NULL with *missing.root set: the parent lacks that copy first. */
static struct kmem_cache *try_create(struct wanted want, struct wanted *missing)
{
	struct acct_cpu *cpu = this_cpu(acct_cpus);
	struct memcg *payer = want.memcg->parent, *before;
	struct kmem_cache *copy;
	char name[KMEM_NAME_MAX];

	copy_name(name, want.root, want.memcg);
	cpu->creating = true;
	cpu->missing = (struct wanted){ 0 };
	before = memcg_remote_begin(payer);
	if (!payer)
		memcg_kmem_skip_begin();
	copy = kmem_cache_create_copy(want.root, want.memcg, want.memcg->owner, name);
	if (!payer)
		memcg_kmem_skip_end();
	memcg_remote_end(before);
	cpu->creating = false;
	*missing = cpu->missing;
	if (copy && !publish(copy, want.memcg)) {
		kmem_cache_free_empty(copy);
		copy = load_acquire(&want.memcg->copies[want.root->id]);
	}
	return copy;
}

/* The highest accounted group, from want's upward, that lacks the copy want names. */
static struct wanted highest_missing(struct wanted want)
{
	struct wanted top = want;

	for (struct memcg *m = want.memcg; m; m = m->parent) {
		if (READ_ONCE(m->accounted) && !load_acquire(&m->copies[want.root->id]))
			top.memcg = m;
	}
	return top;
}

/* The copy of root for memcg, and before it whatever copies its making takes in the groups
 * above. NULL: no memory, or a group above at its limit. */
static noinline struct kmem_cache *create_copy(struct memcg *memcg, struct kmem_cache *root)
{
	struct acct_cpu *cpu = this_cpu(acct_cpus);
	struct wanted want = { memcg, root }, missing;
	struct kmem_cache *copy;

	if (cpu->creating) {
		cpu->missing = want;
		return NULL;
	}
	for (;;) {
		copy = try_create(want, &missing);
		if (copy && want.memcg == memcg && want.root == root)
			return copy;
		if (!copy && !missing.root)
			return NULL;
		want = copy ? (struct wanted){ memcg, root } : highest_missing(missing);
	}
}

/* --- draining */

static bool wants_drain(const struct kmem_cache *cache, u64 seq, enum drain_scope scope)
{
	return cache->drain_seq != seq && (scope == DRAIN_ALL || READ_ONCE(cache->unused));
}

static unsigned collect_list(struct list *list, u64 seq, enum drain_scope scope,
			     struct kmem_cache **batch, unsigned nr)
{
	struct kmem_cache *cache;

	list_for_each(cache, list, memcg_link) {
		if (nr == DRAIN_BATCH)
			break;
		if (!wants_drain(cache, seq, scope))
			continue;
		cache->drain_seq = seq;
		WRITE_ONCE(cache->unused, false);
		cache->pins++;
		batch[nr++] = cache;
	}
	return nr;
}

/* Pin the next few copies in the subtree of group id that this drain has not seen. The group
 * is looked up each time: it may be removed while the lock is dropped. */
static unsigned collect_locked(u64 id, u64 seq, enum drain_scope scope,
			       struct kmem_cache **batch)
{
	struct memcg *top = memcg_find_locked(id), *m = top;
	unsigned nr = 0;

	if (top && scope == DRAIN_OWN_DEAD)
		return collect_list(&top->dead_caches, seq, scope, batch, 0);
	while (m && nr < DRAIN_BATCH) {
		nr = collect_list(&m->caches, seq, scope, batch, nr);
		nr = collect_list(&m->dead_caches, seq, scope, batch, nr);
		m = memcg_next_locked(m, top);
	}
	return nr;
}

/* If copy is dead and holds nothing, hand it to the worker. */
static void doom_if_empty_locked(struct kmem_cache *copy)
{
	if (!copy->dead || copy->doomed || copy->pins || atomic_load(&copy->nr_pages))
		return;
	copy->doomed = true;
	list_remove(&copy->memcg_link);
	list_append(&doomed, &copy->memcg_link);
	work_queue(&destroyer);
}

static unsigned long drain(u64 id, enum drain_scope scope)
{
	struct kmem_cache *batch[DRAIN_BATCH];
	unsigned long freed = 0;
	unsigned nr;
	u64 seq;

	spin_lock(&memcg_lock);
	seq = ++last_drain;
	while ((nr = collect_locked(id, seq, scope, batch)) > 0) {
		spin_unlock(&memcg_lock);
		for (unsigned i = 0; i < nr; i++)
			freed += (unsigned long)backend_drain(batch[i]);
		spin_lock(&memcg_lock);
		for (unsigned i = 0; i < nr; i++) {
			batch[i]->pins--;
			doom_if_empty_locked(batch[i]);
		}
	}
	spin_unlock(&memcg_lock);
	return freed;
}

/* Give back the pages that copies in the subtree of that group hold unused: all copies, or
 * only those that something was left in since they were last drained. Returns pages freed;
 * 0 also when the group is gone. Locks: up to RANK_ZONE. Context: not in interrupts. */
unsigned long acct_drain(u64 memcg_id, bool all)
{
	return drain(memcg_id, all ? DRAIN_ALL : DRAIN_MARKED);
}

/* --- death */

/* The group is being removed: its copies become dead, and with those it inherited pass to its
 * parent. Locks: memcg_lock held; RANK_CACHES. */
void acct_memcg_offline_locked(struct memcg *memcg)
{
	struct kmem_cache *copy;

	assert_held(&memcg_lock);
	spin_lock(&kmem_caches_lock);
	list_for_each(copy, &memcg->caches, memcg_link) {
		size_t len = str_len(copy->name);

		store_release(&memcg->copies[copy->root->id], NULL);
		str_copy(copy->name + len, DEAD_SUFFIX, KMEM_NAME_MAX - len);
		copy->memcg = NULL;
		WRITE_ONCE(copy->dead, true);
		WRITE_ONCE(copy->unused, true);
	}
	spin_unlock(&kmem_caches_lock);
	list_splice(&memcg->parent->dead_caches, &memcg->caches);
	list_splice(&memcg->parent->dead_caches, &memcg->dead_caches);
}

/* The second half, without the lock: shrink what the parent just inherited, so that empty
 * copies go at once. Locks: up to RANK_ZONE. */
void acct_memcg_offlined(struct memcg *parent)
{
	drain(parent->id, DRAIN_OWN_DEAD);
}

/* The last page of copy went; if its group is gone, the copy follows, by the worker. The
 * caller does not touch copy afterwards. Locks: RANK_MEMCG, RANK_WORK. */
void acct_cache_emptied(struct kmem_cache *copy)
{
	spin_lock(&memcg_lock);
	doom_if_empty_locked(copy);
	spin_unlock(&memcg_lock);
}

/* Take copy out of every list. It must have no page and no pin. */
static void unlink_locked(struct kmem_cache *copy)
{
	assert_held(&memcg_lock);
	list_remove(&copy->copies);
	list_remove(&copy->memcg_link);
	if (copy->memcg)
		store_release(&copy->memcg->copies[copy->root->id], NULL);
	memcg_owner_put_locked(copy->owner);
}

/* The worker's half. */
static void destroy_doomed(struct work *work)
{
	struct kmem_cache *copy;

	(void)work;
	spin_lock(&memcg_lock);
	while (!list_empty(&doomed)) {
		copy = list_first(&doomed, struct kmem_cache, memcg_link);
		unlink_locked(copy);
		spin_unlock(&memcg_lock);
		kmem_cache_free_empty(copy);
		spin_lock(&memcg_lock);
	}
	spin_unlock(&memcg_lock);
}

/* Pin the next copy of root that the pass seq has not seen; NULL: none is left. */
static struct kmem_cache *pin_next_copy(struct kmem_cache *root, u64 seq)
{
	struct kmem_cache *copy, *found = NULL;

	spin_lock(&memcg_lock);
	list_for_each(copy, &root->copies, copies) {
		if (copy->doomed || copy->drain_seq == seq)
			continue;
		copy->drain_seq = seq;
		copy->pins++;
		found = copy;
		break;
	}
	spin_unlock(&memcg_lock);
	return found;
}

/* Does a copy of root hold live objects? Drains them all to know. Locks: up to RANK_ZONE. */
bool acct_copies_busy(struct kmem_cache *root)
{
	struct kmem_cache *copy;
	bool busy = false;
	u64 seq;

	spin_lock(&memcg_lock);
	seq = ++last_drain;
	spin_unlock(&memcg_lock);
	while (!busy && (copy = pin_next_copy(root, seq)) != NULL) {
		backend_drain(copy);
		spin_lock(&memcg_lock);
		copy->pins--;
		busy = atomic_load(&copy->nr_pages) != 0;
		doom_if_empty_locked(copy);
		spin_unlock(&memcg_lock);
	}
	return busy;
}

/* Destroy every copy of root, which is about to be destroyed itself. -EBUSY, with those that
 * are in use or pinned by a drain left, unless all are gone. Locks: up to RANK_ZONE. */
int acct_destroy_copies(struct kmem_cache *root)
{
	struct kmem_cache *copy;

	if (acct_copies_busy(root))
		return -EBUSY;
	spin_lock(&memcg_lock);
	while (!list_empty(&root->copies)) {
		copy = list_first(&root->copies, struct kmem_cache, copies);
		if (copy->pins || atomic_load(&copy->nr_pages)) {
			spin_unlock(&memcg_lock);
			return -EBUSY;
		}
		unlink_locked(copy);
		spin_unlock(&memcg_lock);
		kmem_cache_free_empty(copy);
		spin_lock(&memcg_lock);
	}
	spin_unlock(&memcg_lock);
	return 0;
}

/* --- check */

static int check_live(const struct memcg *m, unsigned *nr)
{
	const struct kmem_cache *copy;
	unsigned here = 0;

	list_for_each(copy, &m->caches, memcg_link) {
		if (copy->memcg != m || copy->dead || copy->owner != m->owner ||
		    m->copies[copy->root->id] != copy)
			return 1;
		here++;
	}
	*nr += here;
	for (unsigned i = 0; i < KMEM_MAX_CACHES; i++)
		here -= m->copies[i] != NULL;
	return here == 0 ? 0 : 2;
}

static int check_dead(const struct memcg *m, unsigned *nr)
{
	const struct kmem_cache *copy;

	list_for_each(copy, &m->dead_caches, memcg_link) {
		if (!copy->dead || copy->memcg || copy->doomed || copy->owner->memcg != m)
			return 3;
		(*nr)++;
	}
	return 0;
}

static unsigned count_copies(void)
{
	const struct kmem_cache *root, *copy;
	unsigned nr = 0;

	spin_lock(&kmem_caches_lock);
	list_for_each(root, &kmem_caches, link) {
		if (root->root != root)
			continue;
		list_for_each(copy, &root->copies, copies)
			nr++;
	}
	spin_unlock(&kmem_caches_lock);
	return nr;
}

/* 0, or the number of the broken invariant. Locks: memcg_lock held; RANK_CACHES. */
int acct_check_locked(void)
{
	const struct kmem_cache *copy;
	unsigned nr = 0;
	int broken;

	for (struct memcg *m = &root_memcg; m; m = memcg_next_locked(m, &root_memcg)) {
		broken = check_live(m, &nr);
		if (!broken)
			broken = check_dead(m, &nr);
		if (broken)
			return broken;
	}
	list_for_each(copy, &doomed, memcg_link) {
		if (!copy->dead || !copy->doomed || copy->pins || atomic_load(&copy->nr_pages))
			return 4;
		nr++;
	}
	return nr == count_copies() ? 0 : 5;
}
