/* SPDX-License-Identifier: MIT */
/*
 * The allocators and the accounting, tortured from all CPUs at once, without a process in
 * sight: threads allocate from shared caches and pass half of what they get to others, who
 * free it; they change groups and work for others' groups, make and remove groups and caches,
 * set limits that refuse, and have allocations fail. Between rounds all stand still and mm is
 * audited. Seeded by seed= on the command line; torture=N makes the test N rounds long.
 *
 * Groups are made, limited and removed under one sleeping lock, as kernel/cgroup does it; a
 * group that somebody works for is not removed. All the rest runs without one.
 */
#include "arch/smp.h"
#include "kernel/cmdline.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/sched/wait.h"
#include "mm/audit.h"
#include "mm/kmem.h"
#include "mm/memcg.h"
#include "mm/page.h"
#include "tests/kernel/selftest.h"

#define MAX_THREADS	32
#define MIN_THREADS	4
#define SHORT_ROUNDS	3
#define OPS_A_ROUND	10000u
#define ENOUGH		20
#define NR_CACHES	4
#define NR_GROUPS	12
#define NR_KEPT		24		/* objects a thread keeps */
#define OWN_CACHES	24		/* of a thread: all together more than there may be */
#define RING		8		/* objects on their way from one thread to another */

enum kind {
	ALLOC, KMALLOC, PAGES, PASS, RECEIVE, ENTER, REMOTE, CREATE, REMOVE, LIMIT, SHRINK,
	CACHE_CREATE, CACHE_ALLOC, CACHE_DESTROY, FAIL_NTH, YIELD, NR_KINDS,
};

static const struct {
	const char *name;
	unsigned weight;
	bool fails;			/* it must be seen to fail, too */
} kinds[NR_KINDS] = {
	[ALLOC] = { "alloc", 34, true }, [KMALLOC] = { "kmalloc", 20, true },
	[PAGES] = { "pages", 8, true }, [PASS] = { "pass", 24, true },
	[RECEIVE] = { "receive", 34, true }, [ENTER] = { "enter", 8, true },
	[REMOTE] = { "remote", 6, true }, [CREATE] = { "create group", 4, true },
	[REMOVE] = { "remove group", 4, true }, [LIMIT] = { "limit", 6, true },
	[SHRINK] = { "shrink", 2, false }, [CACHE_CREATE] = { "create cache", 4, true },
	[CACHE_ALLOC] = { "own cache", 6, true }, [CACHE_DESTROY] = { "destroy cache", 2, true },
	[FAIL_NTH] = { "fail nth", 2, false }, [YIELD] = { "yield", 4, false },
};

struct object {
	void *addr;
	unsigned bytes;
	u8 what;			/* ALLOC, KMALLOC, PAGES, CACHE_ALLOC */
	u8 cache;
	u8 mark;
};

/* One thread puts, one takes: full and empty are told apart by the two counts. */
struct ring {
	struct object at[RING];
	u64 put, taken;
};

struct group {
	struct memcg *memcg;		/* [groups_lock] NULL: none */
	unsigned parent;		/* [groups_lock] index + 1, 0: root */
	unsigned users;			/* [groups_lock] threads and children */
};

struct own_cache {
	struct kmem_cache *cache;
	void *object;			/* one of it, or NULL */
};

struct worker {
	u64 random;
	unsigned nr;
	unsigned in_group;		/* index + 1, 0: root */
	unsigned kept;
	struct object objects[NR_KEPT];
	struct own_cache own[OWN_CACHES]; /* nobody else knows them */
	unsigned nr_own;
	u8 next_mark;
	unsigned long ok[NR_KINDS], failed[NR_KINDS];
};

static const unsigned cache_sizes[NR_CACHES] = { 40, 168, 520, 2000 };

static struct kmem_cache *caches[NR_CACHES];
static struct group groups[NR_GROUPS];
static struct mutex groups_lock;
static struct worker workers[MAX_THREADS];
static struct ring rings[MAX_THREADS][MAX_THREADS];	/* [from][to] */
static unsigned nr_workers, nr_ops;	/* threads; operations of each in a round */
static atomic_int nr_busy;
static unsigned round_nr, rounds;	/* round_nr == rounds + 1: put all away and end */
static struct waitq go = WAITQ_INIT(go), finished = WAITQ_INIT(finished);
static const char *wrong;		/* the first thing that was */

static u64 any(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random >> 11;
}

static unsigned below(struct worker *w, unsigned n)
{
	return (unsigned)(any(w) % n);
}

static bool outcome(struct worker *w, enum kind kind, bool ok)
{
	if (ok)
		w->ok[kind]++;
	else
		w->failed[kind]++;
	return ok;
}

/* --- objects */

static void mark(struct worker *w, struct object *o)
{
	o->mark = w->next_mark++;
	memset(o->addr, o->mark, o->bytes);
}

static void release(struct object *o)
{
	const u8 *p = o->addr;

	for (unsigned i = 0; i < o->bytes; i++) {
		if (p[i] != o->mark)
			WRITE_ONCE(wrong, "a live object was overwritten");
	}
	if (o->what == ALLOC)
		kmem_cache_free(caches[o->cache], o->addr);
	else if (o->what == KMALLOC)
		kfree(o->addr);
	else
		page_free(page_of(o->addr));
	o->addr = NULL;
}

static void make_object(struct worker *w, enum kind kind)
{
	struct object o = { .what = (u8)kind };
	unsigned order = below(w, 3);
	struct page *page;

	if (w->kept == NR_KEPT)
		release(&w->objects[--w->kept]);
	if (kind == ALLOC) {
		o.cache = (u8)below(w, NR_CACHES);
		o.bytes = cache_sizes[o.cache];
		o.addr = kmem_cache_alloc(caches[o.cache], GFP_KERNEL);
	} else if (kind == KMALLOC) {
		o.bytes = 1 + below(w, below(w, 4) ? 500 : 9000);
		o.addr = kmalloc(o.bytes, GFP_KERNEL);
	} else {
		page = page_alloc_charged(PAGE_KERNEL, order, GFP_KERNEL);
		o.bytes = (unsigned)PAGE_SIZE << order;
		o.addr = page ? page_to_virt(page) : NULL;
	}
	if (!outcome(w, kind, o.addr != NULL))
		return;
	mark(w, &o);
	w->objects[w->kept++] = o;
}

static void pass(struct worker *w)
{
	struct ring *r = &rings[w->nr][below(w, nr_workers)];

	if (!w->kept)
		return;
	if (!outcome(w, PASS, r->put - load_acquire(&r->taken) < RING))
		return;
	r->at[r->put % RING] = w->objects[--w->kept];
	store_release(&r->put, r->put + 1);
}

static bool receive_from(struct worker *w, unsigned from)
{
	struct ring *r = &rings[from][w->nr];

	if (load_acquire(&r->put) == r->taken)
		return false;
	release(&r->at[r->taken % RING]);
	store_release(&r->taken, r->taken + 1);
	return true;
}

/* --- groups */

/* The group at index, for as long as groups_put(); NULL: there is none. index 0: root. */
static struct memcg *group_get(unsigned index)
{
	struct memcg *memcg = &root_memcg;

	if (!index)
		return memcg;
	mutex_lock(&groups_lock);
	memcg = groups[index - 1].memcg;
	if (memcg)
		groups[index - 1].users++;
	mutex_unlock(&groups_lock);
	return memcg;
}

static void group_put(unsigned index)
{
	if (!index)
		return;
	mutex_lock(&groups_lock);
	groups[index - 1].users--;
	mutex_unlock(&groups_lock);
}

static void enter(struct worker *w, unsigned index)
{
	struct memcg *memcg = group_get(index);

	if (!outcome(w, ENTER, memcg != NULL))
		return;
	thread_set_memcg(thread_current(), memcg);
	group_put(w->in_group);
	w->in_group = index;
}

/* A few objects on another group's behalf; nothing in between sleeps. */
static void work_for(struct worker *w, unsigned index)
{
	struct memcg *memcg = group_get(index), *before;

	if (!outcome(w, REMOTE, memcg != NULL))
		return;
	before = memcg_remote_begin(memcg);
	for (int i = 0; i < 3; i++)
		make_object(w, i & 1 ? KMALLOC : ALLOC);
	memcg_remote_end(before);
	group_put(index);
}

static void create_group(struct worker *w)
{
	unsigned parent = below(w, 3) ? 0 : 1 + below(w, NR_GROUPS);
	struct group *g = &groups[below(w, NR_GROUPS)];
	struct memcg *up = group_get(parent);

	if (!up)
		return;
	mutex_lock(&groups_lock);
	if (below(w, 2))
		page_fail_after(1 + below(w, 2));
	if (!g->memcg && g != &groups[parent ? parent - 1 : NR_GROUPS - 1]) {
		g->memcg = memcg_create(up, "torture");
		if (outcome(w, CREATE, g->memcg != NULL)) {
			g->parent = parent;
			if (memcg_set_kmem_limit(g->memcg, 1ul << 20))
				WRITE_ONCE(wrong, "a new group refuses a limit");
			parent = 0;		/* the child keeps it */
		}
	}
	mutex_unlock(&groups_lock);
	group_put(parent);
}

static bool remove_group(unsigned index)
{
	struct group *g = &groups[index - 1];
	bool removed = false;

	mutex_lock(&groups_lock);
	if (g->memcg && !g->users) {
		memcg_destroy(g->memcg);
		g->memcg = NULL;
		if (g->parent)
			groups[g->parent - 1].users--;
		removed = true;
	}
	mutex_unlock(&groups_lock);
	return removed;
}

/* Mostly room, often little, sometimes less than is in use. */
static void set_limit(struct worker *w)
{
	struct group *g = &groups[below(w, NR_GROUPS)];
	unsigned long pages = below(w, below(w, 2) ? 120 : 4);
	int err;

	if (below(w, 3))
		pages = 2000 + below(w, 10000);
	mutex_lock(&groups_lock);
	if (g->memcg) {
		err = memcg_set_kmem_limit(g->memcg, pages);
		if (err && err != -EBUSY)
			WRITE_ONCE(wrong, "a limit is refused with another error than EBUSY");
		outcome(w, LIMIT, err == 0);
	}
	mutex_unlock(&groups_lock);
}

/* --- caches of one's own */

/* There are KMEM_MAX_CACHES in all: when the threads have made those, more fail. */
static void create_cache(struct worker *w)
{
	struct own_cache *own = &w->own[w->nr_own];

	if (w->nr_own == OWN_CACHES)
		return;
	own->cache = kmem_cache_create("torture-own", 48 + 8 * below(w, 60), 0, 0, NULL);
	if (outcome(w, CACHE_CREATE, own->cache != NULL))
		w->nr_own++;
}

static void use_cache(struct worker *w, struct own_cache *own)
{
	if (own->object) {
		kmem_cache_free(own->cache, own->object);
		own->object = NULL;
		return;
	}
	own->object = kmem_cache_alloc(own->cache, GFP_KERNEL);
	outcome(w, CACHE_ALLOC, own->object != NULL);
}

static void destroy_cache(struct worker *w)
{
	struct own_cache *own = &w->own[w->nr_own - 1];
	int err;

	if (own->object && below(w, 2))
		use_cache(w, own);
	err = kmem_cache_destroy(own->cache);
	if ((err == 0) == (own->object != NULL))
		WRITE_ONCE(wrong, err ? "an empty cache cannot be destroyed" :
					"a cache with a live object was destroyed");
	if (outcome(w, CACHE_DESTROY, err == 0))
		w->nr_own--;
}

/* --- a thread */

static void step(struct worker *w, enum kind kind)
{
	switch (kind) {
	case ALLOC: case KMALLOC: case PAGES:
		make_object(w, kind);
		break;
	case PASS:
		pass(w);
		break;
	case RECEIVE:
		outcome(w, RECEIVE, receive_from(w, below(w, nr_workers)));
		break;
	case ENTER:
		enter(w, below(w, 4) ? 1 + below(w, NR_GROUPS) : 0);
		break;
	case REMOTE:
		work_for(w, below(w, NR_GROUPS + 1));
		break;
	case CREATE:
		create_group(w);
		break;
	case REMOVE:
		outcome(w, REMOVE, remove_group(1 + below(w, NR_GROUPS)));
		break;
	case LIMIT:
		set_limit(w);
		break;
	case SHRINK:
		kmem_cache_shrink(caches[below(w, NR_CACHES)]);
		outcome(w, SHRINK, true);
		break;
	case CACHE_CREATE:
		create_cache(w);
		break;
	case CACHE_ALLOC:
		if (w->nr_own)
			use_cache(w, &w->own[below(w, w->nr_own)]);
		break;
	case CACHE_DESTROY:
		if (w->nr_own)
			destroy_cache(w);
		break;
	case FAIL_NTH:
		page_fail_after(1 + below(w, 8));
		outcome(w, FAIL_NTH, true);
		break;
	default:
		sched_yield();
		outcome(w, YIELD, true);
	}
}

static enum kind choose(struct worker *w)
{
	unsigned total = 0, at, k;

	for (k = 0; k < NR_KINDS; k++)
		total += kinds[k].weight;
	at = below(w, total);
	for (k = 0; at >= kinds[k].weight; k++)
		at -= kinds[k].weight;
	return (enum kind)k;
}

/* Nothing of this thread's is left. What is on its way to it comes first. */
static void put_all_away(struct worker *w)
{
	for (unsigned from = 0; from < nr_workers; from++) {
		while (receive_from(w, from))
			;
	}
	while (w->kept)
		release(&w->objects[--w->kept]);
	while (w->nr_own)
		destroy_cache(w);
}

/* The group is left at the end of each round: what memory it costs stays. */
static void do_round(struct worker *w)
{
	for (unsigned i = 0; i < nr_ops && !READ_ONCE(wrong); i++) {
		step(w, choose(w));
		cond_resched();
	}
	enter(w, 0);
}

static void worker_main(void *arg)
{
	struct worker *w = arg;

	if (thread_set_affinity(thread_current(), 1ull << (w->nr % cpu_count())))
		WRITE_ONCE(wrong, "a thread cannot be moved to its CPU");
	for (unsigned done = 0; done <= rounds; done++) {
		(void)waitq_wait(&go, READ_ONCE(round_nr) > done);
		if (READ_ONCE(round_nr) > rounds)
			put_all_away(w);
		else
			do_round(w);
		if (atomic_sub_return(&nr_busy, 1) == 0)
			waitq_wake_all(&finished);
	}
	thread_exit();
}

/* --- the test */

static bool make_caches(void)
{
	static const char *const names[NR_CACHES] = { "torture-a", "torture-b", "torture-c",
						      "torture-d" };

	for (unsigned i = 0; i < NR_CACHES; i++) {
		caches[i] = kmem_cache_create(names[i], cache_sizes[i], 0, 0, NULL);
		if (!caches[i])
			return false;
	}
	return true;
}

static bool start_workers(u64 seed)
{
	for (unsigned i = 0; i < nr_workers; i++) {
		struct worker *w = &workers[i];

		*w = (struct worker){ .nr = i };
		w->random = (seed + 1) * 0x9e3779b97f4a7c15ull ^ (i + 1) * 0xbf58476d1ce4e5b9ull;
		if (thread_spawn_kernel("torture", worker_main, w))
			return false;
	}
	return true;
}

/* Let all threads do one round; nobody works when this returns. */
static void run_round(void)
{
	atomic_store(&nr_busy, (int)nr_workers);
	WRITE_ONCE(round_nr, round_nr + 1);
	waitq_wake_all(&go);
	(void)waitq_wait(&finished, atomic_load(&nr_busy) == 0);
}

static void remove_groups(void)
{
	for (unsigned pass_nr = 0; pass_nr < NR_GROUPS; pass_nr++) {
		for (unsigned i = 1; i <= NR_GROUPS; i++)
			(void)remove_group(i);
	}
}

/* Each kind succeeded and failed often enough, or NULL's opposite: the words that say which. */
static const char *count_kinds(void)
{
	const char *few = NULL;

	for (unsigned k = 0; k < NR_KINDS; k++) {
		unsigned long ok = 0, failed = 0;

		for (unsigned i = 0; i < nr_workers; i++) {
			ok += workers[i].ok[k];
			failed += workers[i].failed[k];
		}
		log_info("torture: %-14s %8lu succeeded %8lu failed", kinds[k].name, ok, failed);
		if (ok < ENOUGH || (kinds[k].fails && failed < ENOUGH))
			few = "an operation succeeded or failed too rarely";
	}
	return few;
}

static const char *run_rounds(void)
{
	struct audit_result audit;

	for (unsigned i = 0; i < rounds; i++) {
		run_round();
		if (wrong)
			return wrong;
		page_fail_after(0);
		if (!mm_audit(&audit, NULL))
			return "the audit is not clean after a round";
		log_info("torture: round %u of %u, audit clean, %lu pages charged", i + 1, rounds,
			 audit.nr_charged);
	}
	return NULL;
}

static const char *test_torture(void)
{
	u64 seed = cmdline_number(selftest_cmdline, "seed", 1);
	const char *why;

	rounds = (unsigned)cmdline_number(selftest_cmdline, "torture", SHORT_ROUNDS);
	nr_workers = MIN(MAX(cpu_count(), (unsigned)MIN_THREADS), (unsigned)MAX_THREADS);
	nr_ops = MAX(OPS_A_ROUND * cpu_count() / nr_workers, OPS_A_ROUND / 2);
	round_nr = 0;
	wrong = NULL;
	log_info("torture: seed %lu, %u threads, %u CPUs, %u rounds of %u operations each", seed,
		 nr_workers, cpu_count(), rounds, nr_ops);
	mutex_init(&groups_lock, RANK_CGROUP, "torture groups");
	EXPECT(make_caches());
	EXPECT(start_workers(seed));
	why = run_rounds();
	page_fail_after(0);
	round_nr = rounds;
	run_round();
	EXPECT(!wrong && !why);
	remove_groups();
	for (unsigned i = 0; i < NR_CACHES; i++)
		EXPECT(kmem_cache_destroy(caches[i]) == 0);
	return count_kinds();
}

const struct selftest selftests_torture[] = {
	{ "torture: objects, groups, limits and caches on all CPUs", test_torture },
	{ NULL, NULL },
};
