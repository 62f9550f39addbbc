/* SPDX-License-Identifier: MIT */
/* Memory groups: who is charged for kernel memory, and how much they may have. */
#pragma once
#include "kernel/lib/list.h"
#include "kernel/sync/spinlock.h"
#include "mm/counter.h"
#include "mm/gfp.h"
#include "mm/kmem.h"

struct page;

/* An owner record: what a charged page points to. The record outlives its group: removal
 * re-points it to the parent in O(1), whatever is still charged (R5.2). */
struct owner {
	struct memcg *memcg;		/* [stopped to write] who pays now */
	struct list link;		/* [RANK_MEMCG] in memcg->owners */
	atomic_long nr_pages;		/* [a] pages that name this record */
	unsigned nr_caches;		/* [RANK_MEMCG] copies that name it */
	bool orphan;			/* [stopped to write] its group is gone; nr_pages then
					 * becomes 0 under RANK_MEMCG, and it goes if unnamed */
	unsigned long audit_pages;	/* scratch of the audit */
	u64 audit_seq;
};

struct memcg {
	u64 id;				/* [I] never reused; root is 1 */
	char name[64];			/* [I] last path component, "/" for root */
	struct memcg *parent;		/* [I] */
	struct list children, sibling;	/* [RANK_MEMCG] */
	struct page_counter kmem;	/* K */
	bool accounted;			/* [a] set by the first limit here or above (R3.5) */
	struct owner *owner;		/* [I] the record of this group's own charges */
	struct list owners;		/* [RANK_MEMCG] own and inherited records */
	struct list caches;		/* [RANK_MEMCG] live copies */
	struct list dead_caches;	/* [RANK_MEMCG] copies inherited from removed groups */
	struct kmem_cache *copies[KMEM_MAX_CACHES]; /* [RANK_MEMCG to write, acquire to read] */
	atomic_long nr_forced;		/* [a] pages ever charged over the limit (kmem_forced) */
	unsigned long audit_own, audit_total;	/* scratch of the audit */
};

extern struct memcg root_memcg;
extern struct spinlock memcg_lock;	/* RANK_MEMCG */

void memcg_init(void);
void memcg_set_account_root(bool on);		/* charge the root's own tasks, too (R2.5) */
struct memcg *memcg_create(struct memcg *parent, const char *name) must_check;
void memcg_destroy(struct memcg *memcg);	/* no children, no tasks: reparent, free */
int memcg_set_kmem_limit(struct memcg *memcg, unsigned long nr_pages) must_check;
int memcg_shrink(struct memcg *memcg);		/* drain the subtree's caches; pages freed */

/* The current group of this CPU: set by sched at each switch. NULL counts as root. */
void memcg_set_current(struct memcg *memcg);
struct memcg *memcg_current(void);		/* never NULL */

/* Moving the task that runs on another CPU: while the machine is stopped, unless that CPU is
 * busy: it stands inside an allocation that has decided who pays. */
bool memcg_cpu_busy(unsigned cpu);
void memcg_set_current_on(unsigned cpu, struct memcg *memcg);

/* Work on a group's behalf: until the end, allocations are the named group's (R1.2), whatever
 * becomes current meanwhile. Nests; the code between does not sleep. */
struct memcg *memcg_remote_begin(struct memcg *memcg) must_check;	/* for the end */
void memcg_remote_end(struct memcg *before);

/* Charging. owner NULL charges nobody. */
struct owner *memcg_owner(gfp_t gfp);		/* record to charge now, or NULL */
int memcg_charge(struct owner *owner, unsigned long nr_pages, gfp_t gfp) must_check;
void memcg_uncharge(struct owner *owner, unsigned long nr_pages);

/* Nesting region in which nothing is charged: cache choice and page charge (R1.7). The code
 * between must not sleep. */
void memcg_kmem_skip_begin(void);
void memcg_kmem_skip_end(void);
bool memcg_kmem_skipped(void);

/* For mm, under memcg_lock: the tree from top in pre-order (start with pos = top, NULL at the
 * end), one copy less that names owner, owner to the worker if nothing names it, 0 or a
 * broken invariant. */
struct memcg *memcg_next_locked(struct memcg *pos, const struct memcg *top);
void memcg_owner_put_locked(struct owner *owner);
void memcg_owner_unnamed_locked(struct owner *owner);
int memcg_check_locked(void);

/* The accounting model (slot: acct_cache.c). */
struct kmem_cache *acct_cache_for(struct kmem_cache *root, gfp_t gfp) must_check;
void acct_cache_emptied(struct kmem_cache *copy);	/* a dead copy's last page went */
void acct_memcg_offline_locked(struct memcg *memcg);	/* copies become dead, the parent's */
void acct_memcg_offlined(struct memcg *parent);		/* shrink them; stopped, no lock held */
void acct_destroy_copies(struct kmem_cache *root);	/* stopped; none is busy */
bool acct_copies_busy(struct kmem_cache *root);		/* stopped; drains them */
unsigned long acct_drain(struct memcg *top, bool all);	/* stopped; pages freed */
int acct_check_locked(void);				/* under memcg_lock */
