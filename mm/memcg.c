/* SPDX-License-Identifier: MIT */
/*
 * Memory groups.
 *
 * Theory. A charged page names an owner record, and the record names the group that pays.
 * The step in between is what makes removal cheap: when a group goes, its records are
 * pointed to its parent, and with them every page and object it ever paid for, unseen.
 *
 *	pages, slabs, stacks            owner records              groups
 *	[p] [p] [p] [p] ----------------> (rec A) --+           root  K 9
 *	[p] [p] ------------------------> (rec B) --|--> B  K 2   |
 *	[p] [p] [p] --------------------> (rec C)   +--> A  K 4   |
 *	                                    |   C was removed:    |
 *	                                    +------ A's child ----+ (now the root's)
 *
 * No counter moves at a removal. Counters count their whole subtree, so the parent's already
 * includes what the child's said.
 *
 * Who pays, and how, is charge.c's. Here groups come, take limits, and go.
 *
 * States of a group: not accounted (new; its pages have no owner), accounted (from the first
 * limit on it or above it, for good), gone. Of a record: see charge.c.
 *
 * Invariants, checked by memcg_check_locked():
 *  I1  a child names its parent; a group below the root has a parent with a smaller id
 *  I2  a record on a group's list names that group
 *  I3  a group's own record is on its list and no orphan; the others there are orphans
 *  I4  an orphan is named by a page or a copy
 *  I5  each counter's own invariants (mm/counter.c), its parent the parent group's
 *
 * Locking: memcg_lock covers the tree, the lists of records and copies, and writers of a
 * limit. Charges do not take it: what they read without it (a record's target, whether it is
 * an orphan) is changed only while the other CPUs stand at safe points, which is how a removal
 * runs from its first step to its last. A group and its record are freed after that, when no
 * CPU can have a pointer to either: no task is in the group, no safe point lies inside a
 * charge, and whoever names a group in a remote scope keeps it alive.
 *
 * A pointer from memcg_current() or memcg_owner() is good for as long as the allocation it was
 * taken for: the task is a member of its group, a group with members is not removed, and a
 * task that stands inside an allocation is not moved (stop.c).
 *
 * References: history.md's sources; Linux mm/memcontrol.c, obj_cgroup reparenting (5.9).
 */
#include "mm/memcg.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "mm/stop.h"
#include "mm/work.h"

static struct owner root_owner = {
	.memcg = &root_memcg,
	.link = { &root_memcg.owners, &root_memcg.owners },
};

struct memcg root_memcg = {
	.id = 1,
	.name = "/",
	.children = LIST_INIT(root_memcg.children),
	.sibling = LIST_INIT(root_memcg.sibling),
	.kmem = { .limit = ATOMIC_INIT(COUNTER_MAX) },
	.owner = &root_owner,
	.owners = { &root_owner.link, &root_owner.link },
	.caches = LIST_INIT(root_memcg.caches),
	.dead_caches = LIST_INIT(root_memcg.dead_caches),
};

struct spinlock memcg_lock = SPINLOCK_INIT(RANK_MEMCG, "memcg");

static struct kmem_cache *memcg_cache, *owner_cache;	/* [I] */
static u64 last_id = 1;					/* [memcg_lock] */
static struct list unnamed = LIST_INIT(unnamed);	/* [memcg_lock] records to free */
static struct work free_owners;

/* --- records */

/* Queue owner for the worker if its group is gone and nothing names it any more.
 * Locks: memcg_lock held; RANK_WORK. */
void memcg_owner_unnamed_locked(struct owner *owner)
{
	assert_held(&memcg_lock);
	if (!owner->orphan || atomic_load(&owner->nr_pages) || owner->nr_caches)
		return;
	list_remove(&owner->link);
	list_append(&unnamed, &owner->link);
	work_queue(&free_owners);
}

/* A copy that named owner is gone. Locks: memcg_lock held; RANK_WORK. */
void memcg_owner_put_locked(struct owner *owner)
{
	assert_held(&memcg_lock);
	BUG_ON(owner->nr_caches == 0);
	owner->nr_caches--;
	memcg_owner_unnamed_locked(owner);
}

/* The worker's half: free the records that nothing names. */
static void free_unnamed(struct work *work)
{
	struct owner *owner;

	(void)work;
	spin_lock(&memcg_lock);
	while (!list_empty(&unnamed)) {
		owner = list_first(&unnamed, struct owner, link);
		list_remove(&owner->link);
		spin_unlock(&memcg_lock);
		kmem_cache_free(owner_cache, owner);
		spin_lock(&memcg_lock);
	}
	spin_unlock(&memcg_lock);
}

/* --- groups come and go */

/* Make the caches of groups and records. Context: boot, after kmem_init(). */
void memcg_init(void)
{
	work_init(&free_owners, free_unnamed);
	memcg_cache = kmem_cache_create("memcg", sizeof(struct memcg), 0, 0, NULL);
	owner_cache = kmem_cache_create("owner", sizeof(struct owner), 0, 0, NULL);
	if (!memcg_cache || !owner_cache)
		panic("no memory for the caches of groups");
}

/* Charge what the root group's own tasks, kernel threads and the boot allocate from now on
 * to the root's counter, or stop doing so. The root is never refused. Context: boot. */
void memcg_set_account_root(bool on)
{
	WRITE_ONCE(root_memcg.accounted, on);
}

static void init_group(struct memcg *m, struct owner *owner, struct memcg *parent,
		       const char *name)
{
	*m = (struct memcg){ .parent = parent, .owner = owner };
	*owner = (struct owner){ .memcg = m };
	str_copy(m->name, name, sizeof(m->name));
	list_init(&m->children);
	list_init(&m->sibling);
	list_init(&m->owners);
	list_init(&m->caches);
	list_init(&m->dead_caches);
	list_append(&m->owners, &owner->link);
	page_counter_init(&m->kmem, &parent->kmem);
}

/* A new group below parent, called name (cut at 63 characters), accounted if the parent is;
 * the root's switch is not inherited. Its own memory is the parent's charge. NULL: none.
 * Locks: up to RANK_ZONE. Context: not in interrupts; the caller keeps parent alive. */
struct memcg *memcg_create(struct memcg *parent, const char *name)
{
	struct memcg *before = memcg_remote_begin(parent);
	struct memcg *memcg = kmem_cache_alloc(memcg_cache, GFP_KERNEL);
	struct owner *owner = kmem_cache_alloc(owner_cache, GFP_KERNEL);

	memcg_remote_end(before);
	if (!memcg || !owner)
		goto no_memory;
	init_group(memcg, owner, parent, name);
	spin_lock(&memcg_lock);
	memcg->id = ++last_id;
	memcg->accounted = parent != &root_memcg && parent->accounted;
	list_append(&parent->children, &memcg->sibling);
	spin_unlock(&memcg_lock);
	return memcg;

no_memory:
	if (memcg)
		kmem_cache_free(memcg_cache, memcg);
	if (owner)
		kmem_cache_free(owner_cache, owner);
	return NULL;
}

/* Remove a group that has neither tasks nor children, however much it is charged: its records
 * and copies become the parent's, and it is freed at once. Takes time by their number, not by
 * pages or objects; the machine is stopped for it.
 * Locks: up to RANK_ZONE. Context: task, no spinlock held. */
void memcg_destroy(struct memcg *memcg)
{
	struct memcg *parent = memcg->parent;
	struct owner *owner;

	BUG_ON(memcg == &root_memcg);
	mm_stop();
	spin_lock(&memcg_lock);
	BUG_ON(!list_empty(&memcg->children));
	list_remove(&memcg->sibling);
	acct_memcg_offline_locked(memcg);
	list_for_each(owner, &memcg->owners, link)
		owner->memcg = parent;
	list_splice(&parent->owners, &memcg->owners);
	memcg->owner->orphan = true;
	memcg_owner_unnamed_locked(memcg->owner);
	spin_unlock(&memcg_lock);
	acct_memcg_offlined(parent);
	mm_resume();
	kmem_cache_free(memcg_cache, memcg);
}

static int set_limit_once(struct memcg *memcg, unsigned long nr_pages)
{
	int err;

	spin_lock(&memcg_lock);
	err = page_counter_set_limit(&memcg->kmem, nr_pages);
	if (!err && nr_pages < COUNTER_MAX) {
		for (struct memcg *m = memcg; m; m = memcg_next_locked(m, memcg))
			WRITE_ONCE(m->accounted, true);
	}
	spin_unlock(&memcg_lock);
	return err;
}

/* Let the group and all below it hold at most nr_pages of kernel memory; COUNTER_MAX and more
 * is unlimited. The first real limit starts the accounting of the whole subtree: what exists
 * already stays nobody's. -EINVAL for the root; -EBUSY with the old limit in force when more
 * is in use even after a drain, which stops the machine.
 * Locks: up to RANK_ZONE. Context: task, no spinlock held; the caller keeps memcg alive. */
int memcg_set_kmem_limit(struct memcg *memcg, unsigned long nr_pages)
{
	int err;

	if (memcg == &root_memcg)
		return -EINVAL;
	err = set_limit_once(memcg, nr_pages);
	if (err != -EBUSY)
		return err;
	mm_stop();
	do {
		err = set_limit_once(memcg, nr_pages);
	} while (err == -EBUSY && acct_drain(memcg, false) > 0);
	mm_resume();
	return err;
}

/* Give back what the caches of the group and of all below it hold unused. Returns pages
 * freed. Stops the machine. Locks: up to RANK_ZONE.
 * Context: task, no spinlock held; the caller keeps memcg alive. */
int memcg_shrink(struct memcg *memcg)
{
	unsigned long freed;

	mm_stop();
	freed = acct_drain(memcg, true);
	mm_resume();
	return (int)freed;
}

/* --- the tree */

/* The group after pos, walking top's subtree parents first; NULL after the last.
 * Locks: memcg_lock held, or the machine stopped. */
struct memcg *memcg_next_locked(struct memcg *pos, const struct memcg *top)
{
	ASSERT(spin_is_held(&memcg_lock) || mm_alone());
	if (!list_empty(&pos->children))
		return list_first(&pos->children, struct memcg, sibling);
	while (pos != top && pos->sibling.next == &pos->parent->children)
		pos = pos->parent;
	return pos == top ? NULL : list_first(&pos->sibling, struct memcg, sibling);
}

static int check_owners(const struct memcg *m)
{
	const struct owner *o;
	bool own = false;

	list_for_each(o, &m->owners, link) {
		if (o->memcg != m)
			return 2;
		if (o->orphan == (o == m->owner))
			return 3;
		if (o->orphan && !atomic_load(&o->nr_pages) && !o->nr_caches)
			return 4;
		own |= o == m->owner;
	}
	return own ? 0 : 3;
}

/* 0, or the number of the broken invariant. Locks: memcg_lock held. */
int memcg_check_locked(void)
{
	const struct memcg *child;
	int broken;

	for (struct memcg *m = &root_memcg; m; m = memcg_next_locked(m, &root_memcg)) {
		list_for_each(child, &m->children, sibling) {
			if (child->parent != m || child->id <= m->id)
				return 1;
		}
		broken = check_owners(m);
		if (broken)
			return broken;
		if (page_counter_check(&m->kmem) ||
		    m->kmem.parent != (m->parent ? &m->parent->kmem : NULL))
			return 5;
	}
	return 0;
}
