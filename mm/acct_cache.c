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
 * finds it, objects may live); doomed (dead and no page left: queued); the worker then
 * destroys it. The free path only ever moves a copy to the doomed list: it still stands on
 * the cache's code when the last page goes.
 *
 * Invariants, checked by acct_check_locked():
 *  I1  a live copy is on its group's list, in its copies[root->id], and names its record
 *  I2  copies[] holds live copies only
 *  I3  a dead copy is dead, serves no group, and is on the list of the group its record names
 *  I4  a doomed copy is dead and without pages
 *  I5  copies on a root's list = copies on groups' lists and the doomed list
 *
 * Locking: memcg_lock covers every list here, names at death too (with kmem_caches_lock, for
 * listings). The fast path reads copies[] with acquire. A copy found there stays live until
 * that allocation ends: it dies with its group, which the running task is a member of.
 *
 * Two CPUs may make the same copy at once; publish() lets the first win, under the lock. While
 * a CPU makes one, its allocations may stop the machine, so other CPUs may stand, drain or
 * remove groups in between; but not this group or those above it, and those are all that
 * `want` and `missing` ever name.
 *
 * A drain reaches into what other CPUs hold, so it runs while they are stopped; nothing is
 * then made, freed or destroyed beside it, and it walks the lists without the lock (the frees
 * it does may take it). `unused` is set before an object or slab is left in a cache and
 * cleared by the drain. Both the setting and the leaving lie between two safe points, so a
 * drain sees both or neither. Death is the same: a copy is called dead and gives up what all
 * CPUs hold of it in one stop, and after that no CPU keeps any part of it privately.
 *
 * The last page of a dead copy goes once, and whoever frees it dooms the copy: nr_pages never
 * rises again, one CPU alone takes it to 0, and no drain runs between that and the lock.
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
#include "mm/stop.h"
#include "mm/work.h"

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

static struct acct_cpu acct_cpus[NR_CPUS];
static struct list doomed = LIST_INIT(doomed);	/* [memcg_lock] */
static void destroy_doomed(struct work *work);
static struct work destroyer = { LIST_INIT(destroyer.link), destroy_doomed, false };

static struct kmem_cache *create_copy(struct memcg *memcg, struct kmem_cache *root);

/* The cache to allocate from: root itself when nobody is to be charged, else the current
 * group's copy, made now if need be and the caller may wait. NULL: it could not be made, so the
 * allocation fails. Context: not in interrupts. Locks: none; making a copy: up to RANK_ZONE. */
struct kmem_cache *acct_cache_for(struct kmem_cache *root, gfp_t gfp)
{
	struct kmem_cache *copy;
	struct memcg *memcg;

	if ((root->flags & KMEM_NOACCOUNT) || !memcg_owner(gfp))
		return root;
	memcg = memcg_current();
	copy = load_acquire(&memcg->copies[root->id]);
	if (unlikely(!copy) && !(gfp & GFP_WAIT))
		return NULL;
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

static struct kmem_cache *existing(struct wanted want)
{
	return load_acquire(&want.memcg->copies[want.root->id]);
}

/* One attempt. NULL with *missing.root set: the parent lacks that copy first. */
static struct kmem_cache *try_create(struct wanted want, struct wanted *missing)
{
	struct acct_cpu *cpu = this_cpu(acct_cpus);
	struct memcg *payer = want.memcg->parent, *before;
	struct kmem_cache *copy = existing(want);
	char name[KMEM_NAME_MAX];

	*missing = (struct wanted){ 0 };
	if (copy)			/* another CPU made it while this one stood still */
		return copy;
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
		copy = existing(want);
	}
	return copy;
}

/* The highest accounted group, from want's upward, that lacks the copy want names. */
static struct wanted highest_missing(struct wanted want)
{
	struct wanted top = want;

	for (struct memcg *m = want.memcg; m; m = m->parent) {
		if (READ_ONCE(m->accounted) && !existing((struct wanted){ m, want.root }))
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

/* If copy is dead and holds nothing, hand it to the worker. */
static void doom_if_empty(struct kmem_cache *copy)
{
	spin_lock(&memcg_lock);
	if (copy->dead && !copy->doomed && !atomic_load(&copy->nr_pages)) {
		copy->doomed = true;
		list_remove(&copy->memcg_link);
		list_append(&doomed, &copy->memcg_link);
		work_queue(&destroyer);
	}
	spin_unlock(&memcg_lock);
}

/* Draining may doom a copy, which takes it, but no other, off the list. */
static unsigned long drain_list(struct list *list, bool all)
{
	struct kmem_cache *copy, *next;
	unsigned long freed = 0;

	ASSERT(mm_alone());
	list_for_each_safe(copy, next, list, memcg_link) {
		if (!all && !copy->unused)
			continue;
		copy->unused = false;
		copy->nr_drains++;
		freed += (unsigned long)backend_drain(copy);
		doom_if_empty(copy);
	}
	return freed;
}

/* Give back the pages that copies in top's subtree hold unused: all copies, or only those
 * that something was left in since they were last drained. Returns pages freed.
 * Locks: up to RANK_ZONE. Context: the machine stopped. */
unsigned long acct_drain(struct memcg *top, bool all)
{
	unsigned long freed = 0;

	for (struct memcg *m = top; m; m = memcg_next_locked(m, top))
		freed += drain_list(&m->caches, all) + drain_list(&m->dead_caches, all);
	return freed;
}

/* --- death */

/* The group is being removed: its copies become dead, and with those it inherited pass to its
 * parent. Locks: memcg_lock held; RANK_CACHES. Context: the machine stopped, and not let go
 * before acct_memcg_offlined(). */
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
 * copies go at once and the others keep nothing on any CPU. Locks: up to RANK_ZONE.
 * Context: the machine stopped. */
void acct_memcg_offlined(struct memcg *parent)
{
	drain_list(&parent->dead_caches, false);
}

/* The last page of copy went; if its group is gone, the copy follows, by the worker. The
 * caller does not touch copy afterwards. Locks: RANK_MEMCG, RANK_WORK. */
void acct_cache_emptied(struct kmem_cache *copy)
{
	doom_if_empty(copy);
}

/* Take copy out of every list. It must have no page. */
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

/* Does a copy of root hold live objects? Drains them all to know. Locks: up to RANK_ZONE.
 * Context: the machine stopped. */
bool acct_copies_busy(struct kmem_cache *root)
{
	struct kmem_cache *copy;

	ASSERT(mm_alone());
	list_for_each(copy, &root->copies, copies) {
		backend_drain(copy);
		if (atomic_load(&copy->nr_pages))
			return true;
	}
	return false;
}

/* Destroy every copy of root, which is about to be destroyed itself and not busy.
 * Locks: up to RANK_ZONE. Context: the machine stopped. */
void acct_destroy_copies(struct kmem_cache *root)
{
	struct kmem_cache *copy;

	ASSERT(mm_alone());
	while (!list_empty(&root->copies)) {
		copy = list_first(&root->copies, struct kmem_cache, copies);
		spin_lock(&memcg_lock);
		unlink_locked(copy);
		spin_unlock(&memcg_lock);
		kmem_cache_free_empty(copy);
	}
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
		if (!copy->dead || !copy->doomed || atomic_load(&copy->nr_pages))
			return 4;
		nr++;
	}
	return nr == count_copies() ? 0 : 5;
}
