/* SPDX-License-Identifier: MIT */
/*
 * The operation interpreter. The model knows which objects are live, what was written into
 * each, and which group each was made in; after each operation the real system must agree.
 */
#include "tests/ops/ops.h"
#include "kernel/lib/compiler.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/audit.h"
#include "mm/kmem.h"
#include "mm/memcg.h"
#include "mm/page.h"
#include "mm/work.h"

#define MAX_OBJECTS	384
#define NR_TEST_CACHES	4
#define MAX_GROUPS	6

enum object_kind { OBJ_NONE, OBJ_CACHE, OBJ_KMALLOC, OBJ_PAGE };

struct object {
	enum object_kind kind;
	void *addr;
	size_t bytes;
	unsigned cache;
	u8 mark;
};

static const size_t cache_sizes[NR_TEST_CACHES] = { 24, 120, 320, 1500 };
static const size_t cache_aligns[NR_TEST_CACHES] = { 8, 64, 16, 8 };

static struct {
	struct object objects[MAX_OBJECTS];
	struct kmem_cache *caches[NR_TEST_CACHES];
	struct memcg *groups[MAX_GROUPS];
	unsigned parent[MAX_GROUPS];	/* index + 1, 0: root */
	unsigned current;		/* index + 1, 0: root */
	u8 next_mark;
	const u8 *pos, *end;
	struct ops_result *result;
	unsigned flags;
	void (*set_cpu)(unsigned);
} st;

const char *const op_names[OP_NR] = {
	"cache_alloc", "cache_free", "kmalloc", "kfree", "page_alloc", "page_free",
	"group_create", "group_remove", "group_enter", "set_limit", "shrink", "cpu",
	"fail_nth", "audit",
};

static unsigned next_byte(void)
{
	return st.pos < st.end ? *st.pos++ : 0;
}

static void fail(const char *why)
{
	if (!st.result->error)
		st.result->error = why;
}

static void outcome(enum op op, bool ok)
{
	if (ok)
		st.result->ok[op]++;
	else
		st.result->failed[op]++;
	st.result->digest = (st.result->digest ^ ((u64)op * 2 + ok)) * 0x100000001b3ull;
}

static struct object *object_slot(enum object_kind kind, unsigned hint)
{
	for (unsigned i = 0; i < MAX_OBJECTS; i++) {
		struct object *o = &st.objects[(hint * 7 + i) % MAX_OBJECTS];

		if (o->kind == kind)
			return o;
	}
	return NULL;
}

static void mark_object(struct object *o)
{
	o->mark = st.next_mark++;
	memset(o->addr, o->mark, o->bytes);
}

/* Whatever was written into a live object must still be there: nobody else has its memory. */
static void check_object(const struct object *o)
{
	const u8 *p = o->addr;

	for (size_t i = 0; i < o->bytes; i++) {
		if (p[i] != o->mark) {
			fail("a live object was overwritten");
			return;
		}
	}
}

static void release_object(struct object *o)
{
	check_object(o);
	if (o->kind == OBJ_CACHE)
		kmem_cache_free(st.caches[o->cache], o->addr);
	else if (o->kind == OBJ_KMALLOC)
		kfree(o->addr);
	else
		page_free(page_of(o->addr));
	o->kind = OBJ_NONE;
}

static void keep_object(enum op op, struct object made)
{
	struct object *o = object_slot(OBJ_NONE, 0);

	outcome(op, made.addr != NULL);
	if (!made.addr)
		return;
	*o = made;
	mark_object(o);
}

static void do_alloc(enum op op)
{
	unsigned a = next_byte(), b = next_byte();
	struct object o = { 0 };
	struct page *page;

	if (!object_slot(OBJ_NONE, 0))
		return;
	switch (op) {
	case OP_CACHE_ALLOC:
		o.kind = OBJ_CACHE;
		o.cache = a % NR_TEST_CACHES;
		o.bytes = cache_sizes[o.cache];
		o.addr = kmem_cache_alloc(st.caches[o.cache], GFP_KERNEL);
		break;
	case OP_KMALLOC:
		o.kind = OBJ_KMALLOC;
		o.bytes = 1 + a * (b & 1 ? 130 : 7);
		o.addr = kmalloc(o.bytes, GFP_KERNEL);
		break;
	default:
		page = page_alloc_charged(PAGE_KERNEL, a % 3, GFP_KERNEL);
		o.kind = OBJ_PAGE;
		o.bytes = PAGE_SIZE << (a % 3);
		o.addr = page ? page_to_virt(page) : NULL;
	}
	keep_object(op, o);
}

static void do_free(enum op op)
{
	static const enum object_kind kinds[] = {
		[OP_CACHE_FREE] = OBJ_CACHE, [OP_KFREE] = OBJ_KMALLOC, [OP_PAGE_FREE] = OBJ_PAGE,
	};
	struct object *o = object_slot(kinds[op], next_byte());

	if (!o)
		return;
	release_object(o);
	outcome(op, true);
}

static struct memcg *group_at(unsigned index)
{
	return index ? st.groups[index - 1] : &root_memcg;
}

static void do_group_create(void)
{
	unsigned parent = next_byte() % (MAX_GROUPS + 1), slot = 0;

	while (slot < MAX_GROUPS && st.groups[slot])
		slot++;
	if (slot == MAX_GROUPS || !group_at(parent))
		return;
	st.groups[slot] = memcg_create(group_at(parent), "g");
	st.parent[slot] = parent;
	outcome(OP_GROUP_CREATE, st.groups[slot] != NULL);
	if (st.groups[slot] && !group_at(parent)->accounted &&
	    memcg_set_kmem_limit(st.groups[slot], 1ul << 20))
		fail("a new group refuses a limit");
}

static bool has_child(unsigned index)
{
	for (unsigned i = 0; i < MAX_GROUPS; i++) {
		if (st.groups[i] && st.parent[i] == index)
			return true;
	}
	return false;
}

static void remove_group(unsigned index)
{
	if (!index || !st.groups[index - 1] || has_child(index))
		return;
	if (st.current == index) {
		st.current = 0;
		memcg_set_current(NULL);
	}
	memcg_destroy(st.groups[index - 1]);
	st.groups[index - 1] = NULL;
	outcome(OP_GROUP_REMOVE, true);
}

static void do_set_limit(void)
{
	struct memcg *g = group_at(next_byte() % (MAX_GROUPS + 1));
	unsigned long pages = next_byte();
	int err;

	if (!g || g == &root_memcg || (st.flags & OPS_NO_FAILURES))
		return;
	err = memcg_set_kmem_limit(g, pages);
	if (err && err != -EBUSY)
		fail("a limit is refused with another error than EBUSY");
	outcome(OP_SET_LIMIT, err == 0);
}

static void do_enter(void)
{
	unsigned index = next_byte() % (MAX_GROUPS + 1);

	if (!group_at(index))
		return;
	st.current = index;
	memcg_set_current(group_at(index));
	outcome(OP_GROUP_ENTER, true);
}

/* The one thread of the stream moves: the CPU it leaves runs nothing of a group. */
static void do_switch_cpu(void)
{
	unsigned cpu = next_byte();

	if (!st.set_cpu)
		return;
	memcg_set_current(NULL);
	st.set_cpu(cpu);
	memcg_set_current(group_at(st.current));
}

static void check_limits(void)
{
	for (unsigned i = 0; i < MAX_GROUPS; i++) {
		struct page_counter *c = st.groups[i] ? &st.groups[i]->kmem : NULL;

		if (c && page_counter_read(c) > (unsigned long)atomic_load(&c->limit))
			fail("usage is above the limit");
	}
}

static void do_audit(void)
{
	struct audit_result audit;

	while (work_run_one())
		;
	if (!mm_audit(&audit, NULL))
		fail("the audit is not clean");
	check_limits();
	outcome(OP_AUDIT, true);
}

static void step(enum op op)
{
	switch (op) {
	case OP_CACHE_ALLOC: case OP_KMALLOC: case OP_PAGE_ALLOC:
		do_alloc(op);
		break;
	case OP_CACHE_FREE: case OP_KFREE: case OP_PAGE_FREE:
		do_free(op);
		break;
	case OP_GROUP_CREATE:
		do_group_create();
		break;
	case OP_GROUP_REMOVE:
		remove_group(next_byte() % (MAX_GROUPS + 1));
		break;
	case OP_GROUP_ENTER:
		do_enter();
		break;
	case OP_SET_LIMIT:
		do_set_limit();
		break;
	case OP_SHRINK:
		kmem_cache_shrink(st.caches[next_byte() % NR_TEST_CACHES]);
		outcome(op, true);
		break;
	case OP_CPU:
		do_switch_cpu();
		break;
	case OP_FAIL_NTH:
		if (!(st.flags & OPS_NO_FAILURES))
			page_fail_after(1 + next_byte() % 8);
		break;
	default:
		do_audit();
	}
	check_limits();
}

/* Operations as often as they deserve: allocation a little more often than freeing. */
static enum op choose(unsigned byte)
{
	static const u8 weights[OP_NR] = { 60, 50, 40, 34, 14, 13, 5, 3, 12, 6, 4, 8, 5, 2 };
	unsigned op = 0;

	for (; op < OP_NR - 1 && byte >= weights[op]; op++)
		byte -= weights[op];
	return (enum op)op;
}

static bool make_caches(void)
{
	static const char *const names[NR_TEST_CACHES] = { "ops-a", "ops-b", "ops-c", "ops-d" };

	for (unsigned i = 0; i < NR_TEST_CACHES; i++) {
		st.caches[i] = kmem_cache_create(names[i], cache_sizes[i], cache_aligns[i], 0,
						 NULL);
		if (!st.caches[i])
			return false;
	}
	return true;
}

static void tear_down(void)
{
	page_fail_after(0);
	for (unsigned i = 0; i < MAX_OBJECTS; i++) {
		if (st.objects[i].kind != OBJ_NONE)
			release_object(&st.objects[i]);
	}
	for (unsigned round = 0; round < MAX_GROUPS; round++) {
		for (unsigned i = 1; i <= MAX_GROUPS; i++)
			remove_group(i);
	}
	memcg_set_current(NULL);
	for (unsigned i = 0; i < NR_TEST_CACHES; i++) {
		if (st.caches[i] && kmem_cache_destroy(st.caches[i]))
			fail("an empty cache cannot be destroyed");
	}
	do_audit();
}

void ops_run(const u8 *stream, size_t bytes, unsigned flags, void (*set_cpu)(unsigned),
	     struct ops_result *result)
{
	memset(&st, 0, sizeof(st));
	memset(result, 0, sizeof(*result));
	st.pos = stream;
	st.end = stream + bytes;
	st.result = result;
	st.flags = flags;
	st.set_cpu = set_cpu;
	if (!make_caches())
		fail("no memory for the caches");
	while (st.pos < st.end && !result->error) {
		result->at = (size_t)(st.pos - stream);
		step(choose(next_byte()));
	}
	memcg_set_current(NULL);
	if (set_cpu)
		set_cpu(0);
	tear_down();
}

void ops_random_stream(u8 *stream, size_t bytes, u64 seed)
{
	u64 x = seed * 0x9e3779b97f4a7c15ull + 1;

	for (size_t i = 0; i < bytes; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		stream[i] = (u8)(x >> 32);
	}
}
