/* SPDX-License-Identifier: MIT */
/*
 * Charging: who pays for an allocation, and the payment.
 *
 * Theory. An allocation decides once who pays: memcg_owner() names the record of the group
 * that this CPU works for, which is the running task's, or the one a remote scope names.
 * memcg_charge() charges the group that the record names now; memcg_uncharge() asks the
 * record again, perhaps much later, on another CPU, after the group has gone.
 *
 *	CPU 0   owner->memcg --> m     counters of m .. root: compare and swap
 *	CPU 1   owner->memcg --> m     counters of m .. root          no lock in either
 *	CPU 2   removal of m: [ stop ] owner->memcg = parent [ resume ] free m
 *
 * Neither takes a lock, because a record is re-pointed only while the other CPUs stand at safe
 * points, and there is no safe point between reading owner->memcg and the last counter. So
 * nobody holds a group that is gone.
 *
 * A refusal may be somebody else's fault: pages that lie unused in caches, on any CPU, and
 * charges that another CPU is about to take back. So a charge that may wait stops the others
 * and tries again alone; drains what the refusing level's subtree holds unused, if anything
 * was left since the last drain; tries again, as long as draining frees pages. Only then is
 * the refusal final: failcnt rises, once, at the level that refuses, before anybody else runs.
 * A charge that may not wait has one more try under memcg_lock, which keeps a limit that is
 * being tried out by another CPU from refusing it, and then fails.
 *
 * States of a record: owned (its group lives), orphan (its group is gone, pages or copies
 * still name it), unnamed (queued for the worker, which frees it; not the free path, which may
 * be inside the very cache that records come from).
 *
 * When may a record go? Only an orphan can, and it is charged no more. Its nr_pages goes to 0
 * under memcg_lock alone, as nr_caches does, so exactly one CPU finds it unnamed; and a CPU
 * that took off less than the last page touches the record no more, so nobody stands on it.
 *
 * Invariants: those of memcg.c; of the charge itself:
 *  I10 usage <= limit for each level a charge goes through, as its own compare-and-swap saw
 *      them (counter.c, debug images); for all levels of a refusal, while stopped
 *
 * Locking: [c] fields are their CPU's; `current` is set for another CPU while that one stands
 * still outside every allocation. owner->memcg and owner->orphan change only while stopped.
 *
 * References: Linux, mm/memcontrol.c, try_charge() (whose stocks and retries are bounds, not
 * guarantees).
 */
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/sync/percpu.h"
#include "mm/memcg.h"
#include "mm/stop.h"

struct memcg_cpu {
	struct memcg *current;		/* [c] the running task's group; NULL: root */
	struct memcg *remote;		/* [c] of the innermost remote scope; NULL: in none */
	unsigned skip;			/* [c] skip regions entered */
} cacheline_aligned;

static struct memcg_cpu memcg_cpus[NR_CPUS];

static int charge_slow(struct owner *owner, unsigned long nr, gfp_t gfp);

/* The record to charge an allocation with gfp to, decided now for good; NULL: nobody.
 * Context: not in interrupts. */
struct owner *memcg_owner(gfp_t gfp)
{
	struct memcg *memcg = memcg_current();

	if (!READ_ONCE(memcg->accounted) || (gfp & GFP_NOACCOUNT) || memcg_kmem_skipped())
		return NULL;
	return memcg->owner;
}

/* One attempt. On refusal *refused is the level without room. */
static int try_charge(struct owner *owner, unsigned long nr, struct memcg **refused)
{
	struct page_counter *at;

	if (unlikely(page_counter_try_charge(&owner->memcg->kmem, nr, &at) < 0)) {
		*refused = container_of(at, struct memcg, kmem);
		return -ENOMEM;
	}
	atomic_add_return(&owner->nr_pages, (long)nr);
	return 0;
}

/* Charge nr_pages to the group owner names and to all above it. 0; -ENOMEM when a level has
 * no room even after its subtree's caches were drained (with GFP_WAIT), nothing charged and
 * that level's failcnt one higher. GFP_NOFAIL is charged over the limit instead.
 * Locks: none when there is room; RANK_MEMCG without GFP_WAIT; with it the machine is stopped,
 * and up to RANK_ZONE. Context: not in interrupts; with GFP_WAIT no spinlock held. */
int memcg_charge(struct owner *owner, unsigned long nr_pages, gfp_t gfp)
{
	struct memcg *refused;

	if (!owner || likely(try_charge(owner, nr_pages, &refused) == 0))
		return 0;
	return charge_slow(owner, nr_pages, gfp);
}

/* The end of a refusal: over the limit, or failed. */
static int refuse(struct owner *owner, unsigned long nr, gfp_t gfp, struct memcg *refused)
{
	if (!(gfp & GFP_NOFAIL)) {
		atomic_add_return(&refused->kmem.failcnt, 1);
		return -ENOMEM;
	}
	page_counter_charge_forced(&owner->memcg->kmem, nr);
	atomic_add_return(&owner->memcg->nr_forced, (long)nr);
	atomic_add_return(&owner->nr_pages, (long)nr);
	return 0;
}

static int charge_without_waiting(struct owner *owner, unsigned long nr, gfp_t gfp)
{
	struct memcg *refused;
	int err;

	spin_lock(&memcg_lock);
	err = try_charge(owner, nr, &refused);
	if (err)
		err = refuse(owner, nr, gfp, refused);
	spin_unlock(&memcg_lock);
	return err;
}

static noinline int charge_slow(struct owner *owner, unsigned long nr, gfp_t gfp)
{
	struct memcg *refused;
	int err;

	if (!(gfp & GFP_WAIT))
		return charge_without_waiting(owner, nr, gfp);
	mm_stop_in_alloc();
	do {
		err = try_charge(owner, nr, &refused);
	} while (err && acct_drain(refused, false) > 0);
	for (struct memcg *m = owner->memcg; TALLY_DEBUG && m; m = m->parent)
		ASSERT(page_counter_check(&m->kmem) == 0);
	if (err)
		err = refuse(owner, nr, gfp, refused);
	mm_resume();
	return err;
}

/* Take nr pages off an orphan's count; the last of them under memcg_lock. */
static noinline void drop_orphan_pages(struct owner *owner, long nr)
{
	long now = atomic_load(&owner->nr_pages);

	while (now > nr) {
		if (atomic_try_cmpxchg(&owner->nr_pages, &now, now - nr))
			return;
	}
	spin_lock(&memcg_lock);
	BUG_ON(atomic_sub_return(&owner->nr_pages, nr) < 0);
	memcg_owner_unnamed_locked(owner);
	spin_unlock(&memcg_lock);
}

/* Undo memcg_charge() for nr_pages of what was charged to owner, from the group that owner
 * names now. Locks: none while owner's group lives; else RANK_MEMCG, RANK_WORK.
 * Context: not in interrupts. */
void memcg_uncharge(struct owner *owner, unsigned long nr_pages)
{
	if (!owner)
		return;
	page_counter_uncharge(&owner->memcg->kmem, nr_pages);
	if (unlikely(owner->orphan))
		drop_orphan_pages(owner, (long)nr_pages);
	else
		BUG_ON(atomic_sub_return(&owner->nr_pages, (long)nr_pages) < 0);
}

/* --- who is current */

/* From now on this CPU works for memcg (NULL: root). Context: sched, at each switch. */
void memcg_set_current(struct memcg *memcg)
{
	struct memcg_cpu *cpu = this_cpu(memcg_cpus);

	ASSERT(cpu->skip == 0 && !cpu->remote);
	cpu->current = memcg;
}

/* The task that runs on cpu is memcg's (NULL: root) from now on, whatever scope it is in.
 * Context: the machine stopped, and memcg_cpu_busy(cpu) false. */
void memcg_set_current_on(unsigned cpu, struct memcg *memcg)
{
	ASSERT(mm_alone() && !memcg_cpu_busy(cpu));
	memcg_cpus[cpu].current = memcg;
}

/* Does cpu stand inside an allocation for its task? Then the task must stay in its group:
 * the allocation has decided who pays. Resume, poll, and try again.
 * Context: the machine stopped. */
bool memcg_cpu_busy(unsigned cpu)
{
	return mm_stopped_in_alloc(cpu);
}

/* The group this CPU works for, never NULL. Context: not in interrupts. */
struct memcg *memcg_current(void)
{
	const struct memcg_cpu *cpu = this_cpu(memcg_cpus);

	if (cpu->remote)
		return cpu->remote;
	return cpu->current ? cpu->current : &root_memcg;
}

/* Work for memcg (NULL: root) until memcg_remote_end(). Returns what that wants. The code in
 * between does not sleep, and keeps memcg alive. */
struct memcg *memcg_remote_begin(struct memcg *memcg)
{
	struct memcg_cpu *cpu = this_cpu(memcg_cpus);
	struct memcg *before = cpu->remote;

	cpu->remote = memcg ? memcg : &root_memcg;
	return before;
}

/* End the innermost remote scope; before is what its begin returned. */
void memcg_remote_end(struct memcg *before)
{
	struct memcg_cpu *cpu = this_cpu(memcg_cpus);

	BUG_ON(!cpu->remote);
	cpu->remote = before;
}

/* Charge nobody until memcg_kmem_skip_end(). Nests. Must not sleep before. */
void memcg_kmem_skip_begin(void)
{
	this_cpu(memcg_cpus)->skip++;
}

/* End the innermost skip region. */
void memcg_kmem_skip_end(void)
{
	BUG_ON(this_cpu(memcg_cpus)->skip == 0);
	this_cpu(memcg_cpus)->skip--;
}

/* Is this CPU in a skip region? */
bool memcg_kmem_skipped(void)
{
	return this_cpu(memcg_cpus)->skip > 0;
}
