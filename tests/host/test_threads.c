/* SPDX-License-Identifier: MIT */
/*
 * mm with threads as CPUs: each allocates, frees what others allocated, charges, joins, makes,
 * limits, removes and moves between groups, drains and audits, all at once. What must hold is
 * what the audit says, here also in the middle; `make tsan` builds this under ThreadSanitizer.
 * THREADS_SEED and THREADS_OPS choose another run.
 */
#include "tests/host/host.h"
#include <pthread.h>
#include "arch/irq.h"
#include "kernel/sync/safepoint.h"
#include "mm/stop.h"
#include "tests/host/groups.h"

#define MAX_THREADS	8
#define MAX_GROUPS	12
#define NR_BOXES	64

enum kind { OBJECT, PAGE, STACK };

struct parcel {				/* something that any CPU may free */
	enum kind kind;
	void *what;
	u8 fill;
	size_t bytes;
	struct kstack stack;
};

static struct {
	atomic_int tree_lock;		/* stands for the sleeping lock of the tree of groups */
	struct memcg *groups[MAX_GROUPS];	/* [tree_lock] 0 is the root */
	unsigned parent[MAX_GROUPS];	/* [tree_lock] */
	unsigned member_of[MAX_THREADS];	/* [tree_lock] by CPU */
	struct parcel *boxes[NR_BOXES];	/* exchanged atomically */
	atomic_int finished;
	unsigned nr_threads;
	long nr_ops;
	u64 seed;
} w;

enum op { ALLOC_OK, ALLOC_NO, MADE, REMOVED, MOVED, MOVE_BUSY, LIMIT_OK, LIMIT_NO, AUDITS, NR_OPS };

static const char *const op_names[NR_OPS] = {
	"allocated", "refused", "groups made", "removed", "moved", "mover waited", "limits set",
	"limits refused", "audits",
};

static atomic_long count[NR_OPS];
static struct kmem_cache *ctor_cache;
static _Thread_local u64 seed;

static u32 dice(u32 n)
{
	return host_random(&seed) % n;
}

static void tally(enum op op)
{
	atomic_add_return(&count[op], 1);
}

/* A sleeping lock: whoever waits stands at safe points. */
static void tree_lock(void)
{
	int is_free = 0;

	while (!atomic_try_cmpxchg(&w.tree_lock, &is_free, 1)) {
		safepoint_poll();
		cpu_relax();
		is_free = 0;
	}
}

static void tree_unlock(void)
{
	atomic_store_release(&w.tree_lock, 0);
}

static void check(bool ok, const char *what)
{
	if (!ok)
		panic("%s", what);
}

static bool has_members(unsigned g)
{
	for (unsigned cpu = 0; cpu < w.nr_threads; cpu++) {
		if (w.member_of[cpu] == g)
			return true;
	}
	for (unsigned i = 1; i < MAX_GROUPS; i++) {
		if (w.groups[i] && w.parent[i] == g)
			return true;
	}
	return false;
}

static void constructed(void *obj)
{
	memset(obj, 0x77, 300);
}

/* --- parcels */

static void fill_parcel(struct parcel *p)
{
	if (p->bytes)
		memset(p->what, p->fill, p->bytes);
}

static void check_parcel(const struct parcel *p)
{
	const u8 *at = p->what;

	for (size_t i = 0; i < p->bytes; i++)
		check(at[i] == p->fill, "an object changed in its user's hands");
}

static bool take(struct parcel *p, gfp_t gfp)
{
	static const size_t sizes[] = { 8, 64, 100, 300, 1000, 4000, 9000 };
	struct page *page;

	p->kind = dice(8) ? OBJECT : dice(3) ? PAGE : STACK;
	p->what = NULL;
	p->bytes = 0;
	if (p->kind == STACK)
		return kstack_alloc(&p->stack) == 0;
	if (p->kind == PAGE) {
		page = page_alloc_charged(PAGE_KERNEL, dice(4), gfp);
		p->what = page ? page_to_virt(page) : NULL;
		p->bytes = PAGE_SIZE;
	} else if (dice(4) == 0) {
		p->what = kmem_cache_alloc(ctor_cache, gfp);
		p->bytes = p->what ? 300 : 0;
		for (size_t i = 0; i < p->bytes; i++)
			check(((u8 *)p->what)[i] == 0x77, "a constructed object is not");
	} else {
		p->bytes = sizes[dice(ARRAY_SIZE(sizes))];
		p->what = kmalloc(p->bytes, gfp);
	}
	return p->what != NULL;
}

static void give(struct parcel *p)
{
	check_parcel(p);
	if (p->kind == STACK)
		kstack_free(&p->stack);
	else if (p->kind == PAGE)
		page_free(page_of(p->what));
	else if (page_of(p->what)->kind == PAGE_SLAB &&
		 page_of(p->what)->cache->root == ctor_cache)
		kmem_cache_free(ctor_cache, memset(p->what, 0x77, p->bytes));
	else
		kfree(p->what);
	free(p);
}

/* Put a new parcel into a box, free what was there: often another CPU's. */
static void exchange(void)
{
	gfp_t gfp = dice(4) ? GFP_KERNEL : dice(8) ? GFP_ATOMIC : GFP_KERNEL | GFP_NOFAIL;
	struct parcel *p = dice(3) ? malloc(sizeof(*p)) : NULL;

	if (p && !take(p, gfp)) {
		tally(ALLOC_NO);
		free(p);
		p = NULL;
	} else if (p) {
		p->fill = (u8)dice(256);
		fill_parcel(p);
		tally(ALLOC_OK);
	}
	p = __atomic_exchange_n(&w.boxes[dice(NR_BOXES)], p, __ATOMIC_ACQ_REL);
	if (p)
		give(p);
}

/* --- groups */

static void make_group(void)
{
	unsigned g = 1 + dice(MAX_GROUPS - 1), up = dice(MAX_GROUPS);

	tree_lock();
	if (!w.groups[g] && w.groups[up] && up != g) {
		w.parent[g] = up;
		w.groups[g] = memcg_create(w.groups[up], "g");
		if (w.groups[g])
			tally(MADE);
		if (w.groups[g] && memcg_set_kmem_limit(w.groups[g], 10 + dice(60)) == 0)
			tally(LIMIT_OK);
	}
	tree_unlock();
}

static void remove_group(void)
{
	unsigned g = 1 + dice(MAX_GROUPS - 1);

	tree_lock();
	if (w.groups[g] && !has_members(g)) {
		memcg_destroy(w.groups[g]);
		w.groups[g] = NULL;
		tally(REMOVED);
	}
	tree_unlock();
}

static void limit_group(void)
{
	unsigned g = 1 + dice(MAX_GROUPS - 1);

	tree_lock();
	if (w.groups[g])
		tally(memcg_set_kmem_limit(w.groups[g], dice(80)) ? LIMIT_NO : LIMIT_OK);
	tree_unlock();
}

/* Move the task that "runs" on cpu, which may be inside anything. */
static void move_task(void)
{
	unsigned g = dice(MAX_GROUPS), cpu = dice(w.nr_threads);
	bool busy;

	tree_lock();
	if (w.groups[g]) {
		mm_stop();
		busy = memcg_cpu_busy(cpu);
		if (!busy) {
			memcg_set_current_on(cpu, w.groups[g]);
			w.member_of[cpu] = g;
		}
		mm_resume();
		tally(busy ? MOVE_BUSY : MOVED);
	}
	tree_unlock();
}

static void audit(void)
{
	static char buf[1 << 16];		/* the stopper's */
	struct textbuf text = { buf, sizeof(buf) - 1, 0 };

	mm_stop();
	if (!mm_audit(NULL, &text)) {
		buf[MIN(text.len, sizeof(buf) - 1)] = '\0';
		fputs(buf, stderr);
		panic("the audit is not clean");
	}
	mm_resume();
	tally(AUDITS);
}

static void rarely(void)
{
	static char list[1 << 16];		/* [tree_lock] */
	unsigned long nr[PAGE_NR_KINDS];
	unsigned g = dice(MAX_GROUPS);

	tree_lock();
	switch (dice(5)) {
	case 0:
		kmem_cache_shrink(ctor_cache);
		break;
	case 1:
		if (w.groups[g])
			memcg_shrink(w.groups[g]);
		break;
	case 2:
		kmem_slabinfo(w.groups[g], list, sizeof(list));
		break;
	case 3:
		if (w.groups[g])
			mm_count_kinds(w.groups[g], true, nr);
		break;
	default:
		audit();
	}
	tree_unlock();
}

static void idle(void)
{
	irq_disable();
	safepoint_idle_enter();
	for (unsigned i = dice(20); i > 0; i--)
		cpu_relax();
	safepoint_idle_exit();
	irq_enable();
}

static void step(void)
{
	u32 n = dice(1000);

	if (n < 900)
		exchange();
	else if (n < 930)
		move_task();
	else if (n < 950)
		make_group();
	else if (n < 962)
		remove_group();
	else if (n < 983)
		limit_group();
	else if (n < 988)
		rarely();
	else
		idle();
	if (cpu_id() == 0 && n % 8 == 0)
		work_run_one();
	safepoint_poll();
}

static void *thread_main(void *arg)
{
	seed = w.seed + (uintptr_t)arg;
	host_attach((unsigned)(uintptr_t)arg);
	irq_disable();
	safepoint_idle_exit();			/* somebody may have the machine stopped */
	irq_enable();
	for (long i = 0; i < w.nr_ops; i++)
		step();
	atomic_add_return(&w.finished, 1);
	while (atomic_load_acquire(&w.finished) < (int)w.nr_threads) {
		safepoint_poll();
		cpu_relax();
	}
	memcg_set_current(NULL);
	irq_disable();
	safepoint_idle_enter();
	host_detach();
	return NULL;
}

/* --- the run */

static long from_environment(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? atol(text) : otherwise;
}

static void start(unsigned nr_threads)
{
	w.nr_threads = nr_threads;
	w.nr_ops = from_environment("THREADS_OPS", 32000) / nr_threads;
	w.seed = (u64)from_environment("THREADS_SEED", 1) * 1000003;
	w.groups[0] = &root_memcg;
	host_machine(96, nr_threads);
	kstack_init(2);
	ctor_cache = kmem_cache_create("constructed", 300, 0, 0, constructed);
	assert_non_null(ctor_cache);
}

static void run_threads(void)
{
	pthread_t threads[MAX_THREADS];

	for (unsigned i = 0; i < w.nr_threads; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, thread_main,
						(void *)(uintptr_t)i), 0);
	for (unsigned i = 0; i < w.nr_threads; i++)
		pthread_join(threads[i], NULL);
}

static void clean_up(void)
{
	struct kmem_stats owners;

	for (unsigned i = 0; i < NR_BOXES; i++) {
		if (w.boxes[i])
			give(w.boxes[i]);
	}
	assert_audit();
	for (bool found = true; found;) {
		found = false;
		memset(w.member_of, 0, sizeof(w.member_of));
		for (unsigned g = 1; g < MAX_GROUPS; g++) {
			if (!w.groups[g] || has_members(g))
				continue;
			memcg_destroy(w.groups[g]);
			w.groups[g] = NULL;
			found = true;
		}
	}
	run_work();
	assert_audit();
	assert_int_equal(usage(&root_memcg), 0);
	kmem_cache_stats(cache_named("owner"), &owners);
	assert_int_equal(owners.active_objs, 0);
	assert_int_equal(kmem_cache_destroy(ctor_cache), 0);
	assert_int_equal(kstack_nr_used(), 0);
	assert_audit();
}

static void report(void)
{
	printf("%u CPUs, seed %lu: %lu stops", w.nr_threads, (unsigned long)(w.seed / 1000003),
	       mm_nr_stops());
	for (unsigned i = 0; i < NR_OPS; i++)
		printf(", %s %ld", op_names[i], atomic_load(&count[i]));
	printf("\n");
}

static void torture(unsigned nr_threads)
{
	start(nr_threads);
	run_threads();
	report();
	for (unsigned i = 0; i < NR_OPS; i++) {
		if (i != MOVE_BUSY)
			assert_true(atomic_load(&count[i]) >= 10);
	}
	clean_up();
}

HOST_TEST(two_cpus)
{
	torture(2);
}

HOST_TEST(four_cpus)
{
	torture(4);
}

HOST_TEST(eight_cpus)
{
	torture(8);
}

/* --- one counter, as fast as two threads can */

#define HAMMER 200000

static struct page_counter top, below;

static void *hammer(void *arg)
{
	for (unsigned i = 0; i < HAMMER; i++) {
		if (page_counter_try_charge(&below, 2, NULL) == 0) {
			check(page_counter_read(&top) <= 3, "usage above the limit");
			page_counter_uncharge(&below, 2);
		}
	}
	return arg;
}

HOST_TEST(a_counter_is_exact)
{
	pthread_t threads[2];

	page_counter_init(&top, NULL);
	page_counter_init(&below, &top);
	assert_int_equal(page_counter_set_limit(&top, 3), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, NULL), 0);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(page_counter_read(&below), 0);
	assert_int_equal(page_counter_read(&top), 0);
	assert_int_equal(page_counter_check(&top), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_is_exact),
		cmocka_unit_test(two_cpus),
		cmocka_unit_test(four_cpus),
		cmocka_unit_test(eight_cpus),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
