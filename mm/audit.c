/* SPDX-License-Identifier: MIT */
/*
 * The audit.
 *
 * Theory. A counter is a claim; the pages are the truth. Each page says whom it is charged
 * to, so every counter can be computed again from the pages alone:
 *
 *	mem_map   [p A][p -][slab A][tail][p B][free] ...      records        counters
 *	             |          | 2            |                A -> g2         g2: own 3
 *	             +----------+--------------+--------------> B -> g3         g3: own 1
 *	                                                        total up the tree, compare
 *
 * No counter is read to compute a recount. A charge without its uncharge, an uncharge from
 * the wrong group, a page whose owner was forgotten: each leaves a difference, and the line
 * for the group says by how much. The same walk shows what the counters cannot: that slabs
 * are charged as their cache is, that free pages are nobody's, and it ends with every check
 * function of mm.
 *
 * It drains nothing (what caches hold unused is charged, and counted), allocates nothing,
 * and repairs nothing.
 *
 * Broken invariants are reported as "audit: broken: ...", with the module's own number where
 * it has one. Of the audit itself:
 *  I1  a page's owner is a record on some group's list; tails have none
 *  I2  a record's nr_pages is the number of pages that name it
 *  I3  a slab page's cache is on the list of caches and has the same owner
 *  I4  a cache's nr_pages = the PAGE_SLAB pages that name it
 *  I5  pages of kind PAGE_STACK = pages that kernel stacks have mapped
 *
 * Locking: the other CPUs are stopped for the whole run (stop.c). A CPU that stands still inside
 * an allocation holds no page between its charge and page->owner, so the accounts are
 * complete; memcg_lock, which is then free, is taken for the functions that want it.
 */
#include "mm/audit.h"
#include "kernel/sync/spinlock.h"
#include "mm/kmem_impl.h"
#include "mm/kstack.h"
#include "mm/memcg.h"
#include "mm/stop.h"

#define MAX_PAGE_REPORTS 16

struct audit {
	u64 seq;			/* marks what this run has listed */
	struct textbuf *text;
	struct audit_result result;
	unsigned long nr_stack_pages;
};

static u64 last_seq;			/* [memcg_lock] */

static void list_records_and_caches(struct audit *a)
{
	struct kmem_cache *cache;
	struct owner *owner;

	for (struct memcg *m = &root_memcg; m; m = memcg_next_locked(m, &root_memcg)) {
		m->audit_own = m->audit_total = 0;
		list_for_each(owner, &m->owners, link) {
			owner->audit_pages = 0;
			owner->audit_seq = a->seq;
		}
	}
	spin_lock(&kmem_caches_lock);
	list_for_each(cache, &kmem_caches, link) {
		cache->audit_pages = 0;
		cache->audit_seq = a->seq;
	}
	spin_unlock(&kmem_caches_lock);
}

static void report_page(struct audit *a, const struct page *page, const char *what)
{
	if (a->result.nr_broken++ < MAX_PAGE_REPORTS)
		text_print(a->text, "audit: broken: page %lu (%s): %s\n", page_to_pfn(page),
			   page_kind_name(page->kind), what);
}

static void count_slab(struct audit *a, struct page *page)
{
	struct kmem_cache *cache = page->cache;

	if (!cache || cache->audit_seq != a->seq) {
		report_page(a, page, "its cache is not on the list of caches");
		return;
	}
	cache->audit_pages += 1ul << page->order;
	if (cache->owner != page->owner)
		report_page(a, page, "its owner is not its cache's");
}

static void count_block(struct audit *a, struct page *page)
{
	unsigned long nr = 1ul << page->order;
	struct owner *owner = page->owner;

	if (page->kind == PAGE_SLAB)
		count_slab(a, page);
	if (page->kind == PAGE_STACK)
		a->nr_stack_pages += nr;
	for (unsigned long i = 1; i < nr; i++) {
		if (page[i].owner)
			report_page(a, &page[i], "it is inside a block and has an owner");
	}
	if (!owner)
		return;
	if (owner->audit_seq != a->seq) {
		report_page(a, page, "its owner belongs to no group");
		return;
	}
	owner->audit_pages += nr;
	owner->memcg->audit_own += nr;
	a->result.nr_charged += nr;
}

/* The head after page, or the next frame when page heads nothing. */
static pfn_t next_block(pfn_t pfn)
{
	const struct page *page = pfn_to_page(pfn);
	bool head = page->kind != PAGE_RESERVED && page->kind != PAGE_TAIL;

	if (!head || page->order > MAX_ORDER || pfn + (1ul << page->order) > nr_frames)
		return pfn + 1;
	return pfn + (1ul << page->order);
}

static void compare_groups(struct audit *a)
{
	struct memcg *m, *up;

	for (m = &root_memcg; m; m = memcg_next_locked(m, &root_memcg)) {
		for (up = m; up; up = up->parent)
			up->audit_total += m->audit_own;
	}
	for (m = &root_memcg; m; m = memcg_next_locked(m, &root_memcg)) {
		bool same = page_counter_read(&m->kmem) == m->audit_total;

		a->result.nr_differences += !same;
		text_print(a->text, "audit: group %lu (%s): counter %ld recount %lu stock 0%s\n",
			   (unsigned long)m->id, m->name, atomic_load(&m->kmem.usage),
			   m->audit_total, same ? "" : ": differs");
	}
}

static void compare_records(struct audit *a)
{
	struct owner *owner;

	for (struct memcg *m = &root_memcg; m; m = memcg_next_locked(m, &root_memcg)) {
		list_for_each(owner, &m->owners, link) {
			long nr = atomic_load(&owner->nr_pages);

			if (nr == (long)owner->audit_pages)
				continue;
			a->result.nr_broken++;
			text_print(a->text, "audit: broken: record %p of group %lu (%s): "
				   "nr_pages %ld recount %lu\n", (void *)owner,
				   (unsigned long)m->id, m->name, nr, owner->audit_pages);
		}
	}
}

static void compare_caches(struct audit *a)
{
	struct kmem_cache *cache;

	spin_lock(&kmem_caches_lock);
	list_for_each(cache, &kmem_caches, link) {
		long nr = atomic_load(&cache->nr_pages);

		if (nr == (long)cache->audit_pages)
			continue;
		a->result.nr_broken++;
		text_print(a->text, "audit: broken: cache %s: nr_pages %ld recount %lu\n",
			   cache->name, nr, cache->audit_pages);
	}
	spin_unlock(&kmem_caches_lock);
}

static void report_check(struct audit *a, const char *module, int broken)
{
	if (!broken)
		return;
	a->result.nr_broken++;
	text_print(a->text, "audit: broken: %s: invariant I%d\n", module, broken);
}

static void check_modules(struct audit *a)
{
	report_check(a, "page", page_check());
	report_check(a, "buddy", buddy_check());
	report_check(a, "pcp", pcp_check());
	report_check(a, "kmem", kmem_check());
	report_check(a, "memcg", memcg_check_locked());
	report_check(a, "acct", acct_check_locked());
	report_check(a, "kstack", kstack_check(a->nr_stack_pages));
}

/* Recount everything and compare. Fills in result and appends the report to text (either may
 * be NULL). True: no difference and no broken invariant. Changes and allocates nothing.
 * Stops the machine. Locks: RANK_MEMCG and below. Context: task, no spinlock held. */
bool mm_audit(struct audit_result *result, struct textbuf *text)
{
	struct textbuf nowhere = { NULL, 0, 0 };
	struct audit a = { .text = text ? text : &nowhere };
	bool clean;

	mm_stop();
	spin_lock(&memcg_lock);
	a.seq = ++last_seq;
	list_records_and_caches(&a);
	for (pfn_t i = 0; i < nr_frames; i = next_block(i)) {
		if (pfn_to_page(i)->kind != PAGE_RESERVED)
			count_block(&a, pfn_to_page(i));
	}
	compare_groups(&a);
	compare_records(&a);
	compare_caches(&a);
	check_modules(&a);
	spin_unlock(&memcg_lock);
	mm_resume();

	clean = !a.result.nr_differences && !a.result.nr_broken;
	if (clean)
		text_print(a.text, "audit: clean, %lu pages charged\n", a.result.nr_charged);
	else
		text_print(a.text, "audit: %u differences, %u broken invariants\n",
			   a.result.nr_differences, a.result.nr_broken);
	if (result)
		*result = a.result;
	return clean;
}

static bool counts_for(const struct memcg *payer, const struct memcg *memcg, bool subtree)
{
	while (subtree && payer && payer != memcg)
		payer = payer->parent;
	return payer == memcg;
}

/* Count the pages charged to memcg (with subtree: to any group in its subtree; NULL: all there
 * are, charged or not), by kind.
 * Stops the machine, for a time by the size of RAM. Context: task, no spinlock held. */
void mm_count_kinds(const struct memcg *memcg, bool subtree, unsigned long nr[PAGE_NR_KINDS])
{
	const struct page *page;

	for (unsigned i = 0; i < PAGE_NR_KINDS; i++)
		nr[i] = 0;
	mm_stop();
	for (pfn_t i = 0; i < nr_frames; i = next_block(i)) {
		page = pfn_to_page(i);
		if (page->kind < PAGE_NR_KINDS &&
		    (!memcg || (page->owner && counts_for(page->owner->memcg, memcg, subtree))))
			nr[page->kind] += 1ul << page->order;
	}
	mm_resume();
}

/* Who pays for the block that this frame is in, stopped: 0 for nobody. */
static u64 payer_of(pfn_t pfn)
{
	for (unsigned k = 0; k <= MAX_ORDER; k++) {
		const struct page *head = pfn_to_page(pfn & ~((1ul << k) - 1));

		if (head->kind != PAGE_TAIL && head->kind != PAGE_RESERVED && head->order >= k)
			return head->owner ? head->owner->memcg->id : 0;
	}
	return 0;
}

/* The ids of the groups that pay for nr frames from first on, 0 for nobody. Returns how many:
 * fewer at the end of RAM. Stops the machine. Context: task, no spinlock held. */
size_t mm_frame_payers(pfn_t first, u64 *ids, size_t nr)
{
	size_t done = 0;

	mm_stop();
	for (; done < nr && first + done < nr_frames; done++)
		ids[done] = payer_of(first + done);
	mm_resume();
	return done;
}
