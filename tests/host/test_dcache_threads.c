/* SPDX-License-Identifier: MIT */
/*
 * The dentry cache on several CPUs, each a thread: names are looked for, made, removed and
 * moved at once, and found without any lock of their directory. Afterwards every name and
 * every reference is accounted for. Meant for ThreadSanitizer (make tsan), and useful without.
 */
#include "tests/host/host.h"
#define sched_yield libc_sched_yield	/* the kernel has one of that name */
#include <pthread.h>
#undef sched_yield
#include <unistd.h>
#include "kernel/fs/dcache.h"
#include "kernel/fs/namei.h"
#include "kernel/sync/safepoint.h"
#include "mm/audit.h"

#define NR_THREADS	4
#define NR_DIRS		2
#define NR_NAMES	4
#define NR_ROUNDS	40000		/* operations of each thread */
#define SEED		20130413

enum op { FIND, LOOKUP, CREATE, UNLINK, RENAME, PARENT, PATH, LIST, NR_OPS };

static const char *const op_names[] = {
	"find", "lookup", "create", "unlink", "rename", "parent", "path", "list",
};

static struct super super = { .fs_name = "testfs" };
static struct inode inode = { .nlink = 1 };	/* stands for every inode */
static struct dentry *root, *dirs[NR_DIRS];
static pthread_mutex_t dir_locks[NR_DIRS], rename_lock;

struct worker {
	pthread_t thread;
	unsigned cpu;
	u64 seed;
	long nr_names;			/* made less removed */
	long done[NR_OPS][2];		/* [0] found nothing to do, [1] did it */
};

struct inode *inode_get(struct inode *i)
{
	refcount_get(&i->refs);
	return i;
}

void inode_put(struct inode *i)
{
	assert_false(refcount_put(&i->refs));
}

/* A sleeping lock: who waits for it is at a safe point. */
static void lock(pthread_mutex_t *m)
{
	while (pthread_mutex_trylock(m)) {
		safepoint_poll();
		usleep(1);
	}
}

static void unlock(pthread_mutex_t *m)
{
	pthread_mutex_unlock(m);
}

/* Some are too long to lie in the dentry. */
static size_t pick_name(struct worker *w, char *name)
{
	unsigned n = host_random(&w->seed) % NR_NAMES;

	return (size_t)snprintf(name, NAME_MAX, n % 2 ? "name%u" : "a-name-of-more-than-%034u", n);
}

static unsigned pick_dir(struct worker *w)
{
	return host_random(&w->seed) % NR_DIRS;
}

/* Now and then let the others run on while this one holds what it has. */
static void dawdle(struct worker *w)
{
	if (host_random(&w->seed) % 8 == 0)
		usleep(1);
}

static struct dentry *find_some(struct worker *w)
{
	char name[NAME_MAX + 1];
	size_t len = pick_name(w, name);
	struct dentry *d = dentry_find(dirs[pick_dir(w)], name, len);

	dawdle(w);
	return d;
}

static bool find(struct worker *w)
{
	struct dentry *d = find_some(w);
	bool positive = d && dentry_inode(d);

	if (d)
		dentry_put(d);
	return positive;
}

static bool parent(struct worker *w)
{
	struct dentry *d = find_some(w), *up;
	bool is_dir = false;

	if (!d)
		return false;
	up = dentry_get_parent(d);
	for (unsigned i = 0; i < NR_DIRS; i++)
		is_dir |= up == dirs[i];
	assert_true(is_dir);
	dentry_put(up);
	dentry_put(d);
	return true;
}

/* Whatever is moved meanwhile: a path that was true at one moment. */
static bool path(struct worker *w)
{
	struct dentry *d = find_some(w);
	struct mount mount = { .super = &super, .root = root };
	struct path at = { &mount, d }, top = { &mount, root };
	char buf[PATH_MAX];
	long len;

	if (!d)
		return false;
	len = dentry_path(&at, &top, buf, sizeof(buf));
	if (len > 0) {
		assert_memory_equal(buf, "/dir", 4);
		assert_true(strstr(buf, "name") != NULL);
		assert_int_equal(strlen(buf) + 1, len);
	} else {
		assert_int_equal(len, -ENOENT);
	}
	dentry_put(d);
	return len > 0;
}

/* One name under its directory's lock, its last reference dropped after it. */
static bool on_name(struct worker *w, enum op op)
{
	char name[NAME_MAX + 1];
	size_t len = pick_name(w, name);
	unsigned dir = pick_dir(w);
	struct dentry *d;
	bool positive, did = true;

	lock(&dir_locks[dir]);
	assert_int_equal(dentry_lookup(dirs[dir], name, len, &d), 0);
	positive = dentry_inode(d) != NULL;
	if (op == LOOKUP) {
		did = positive;
	} else if (op == CREATE && !positive) {
		dentry_attach(d, inode_get(&inode));
		w->nr_names++;
	} else if (op == UNLINK && positive) {
		dentry_unhash(d);
		w->nr_names--;
	} else {
		did = false;
	}
	unlock(&dir_locks[dir]);
	dawdle(w);
	dentry_put(d);
	return did;
}

static bool move_locked(struct worker *w, unsigned from_dir, unsigned to_dir)
{
	char name[NAME_MAX + 1];
	struct dentry *from, *to;
	size_t len = pick_name(w, name);
	bool did;

	assert_int_equal(dentry_lookup(dirs[from_dir], name, len, &from), 0);
	len = pick_name(w, name);
	assert_int_equal(dentry_lookup(dirs[to_dir], name, len, &to), 0);
	did = dentry_inode(from) && from != to;
	if (did) {
		w->nr_names -= dentry_inode(to) != NULL;
		dentry_move(from, dirs[to_dir], to);
	}
	dentry_put(from);
	dentry_put(to);
	return did;
}

static bool rename_some(struct worker *w)
{
	unsigned from = pick_dir(w), to = pick_dir(w);
	bool did;

	lock(&rename_lock);
	lock(&dir_locks[MIN(from, to)]);
	if (from != to)
		lock(&dir_locks[MAX(from, to)]);
	did = move_locked(w, from, to);
	if (from != to)
		unlock(&dir_locks[to]);
	unlock(&dir_locks[from]);
	unlock(&rename_lock);
	return did;
}

static bool list(struct worker *w)
{
	unsigned dir = pick_dir(w);
	struct dentry *d, *next;
	u64 pos = 0;

	lock(&dir_locks[dir]);
	for (d = dentry_next_child(dirs[dir], NULL, 0); d; d = next) {
		assert_true(d->dir_pos >= pos);
		pos = d->dir_pos + 1;
		next = dentry_next_child(dirs[dir], d, pos);
		dentry_put(d);
	}
	assert_true(dentry_has_positive_child(dirs[dir]) == (pos > 0));
	unlock(&dir_locks[dir]);
	return pos > 0;
}

static bool step(struct worker *w, enum op op)
{
	switch (op) {
	case FIND:
		return find(w);
	case RENAME:
		return rename_some(w);
	case PARENT:
		return parent(w);
	case PATH:
		return path(w);
	case LIST:
		return list(w);
	default:
		return on_name(w, op);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;

	host_attach(w->cpu);
	for (unsigned i = 0; i < NR_ROUNDS; i++) {
		enum op op = host_random(&w->seed) % NR_OPS;

		w->done[op][step(w, op)]++;
		safepoint_poll();
	}
	host_detach();
	return NULL;
}

static void start(void)
{
	host_machine(128, NR_THREADS);
	dcache_init();
	refcount_set(&inode.refs, 1);
	root = dentry_alloc_root(&super, inode_get(&inode));
	assert_non_null(root);
	super.root = root;
	pthread_mutex_init(&rename_lock, NULL);
	for (unsigned i = 0; i < NR_DIRS; i++) {
		char name[8];

		snprintf(name, sizeof(name), "dir%u", i);
		assert_int_equal(dentry_lookup(root, name, strlen(name), &dirs[i]), 0);
		dentry_attach(dirs[i], inode_get(&inode));
		pthread_mutex_init(&dir_locks[i], NULL);
	}
}

static void run(struct worker *workers)
{
	for (unsigned i = 0; i < NR_THREADS; i++) {
		workers[i].cpu = i;
		workers[i].seed = SEED + i;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
	host_cpu(0);
}

/* Every kind of operation must often have found something to do, and nothing. */
static void check_counts(const struct worker *workers)
{
	for (unsigned op = 0; op < NR_OPS; op++) {
		long nothing = 0, did = 0;

		for (unsigned i = 0; i < NR_THREADS; i++) {
			nothing += workers[i].done[op][0];
			did += workers[i].done[op][1];
		}
		printf("%-7s did %6ld, nothing to do %6ld\n", op_names[op], did, nothing);
		assert_true(did >= 20 && nothing >= 20);
	}
}

static unsigned remove_names(struct dentry *dir)
{
	struct dentry *d;
	unsigned nr = 0;

	while ((d = dentry_next_child(dir, NULL, 0))) {
		dentry_unhash(d);
		dentry_put(d);
		nr++;
	}
	return nr;
}

HOST_TEST(names_come_go_and_move_on_all_cpus)
{
	static struct worker workers[NR_THREADS];
	struct audit_result result;
	unsigned nr = 0;
	long made = 0;

	start();
	run(workers);
	check_counts(workers);
	assert_int_equal(dcache_check(), 0);
	for (unsigned i = 0; i < NR_DIRS; i++)
		nr += remove_names(dirs[i]);
	for (unsigned i = 0; i < NR_THREADS; i++)
		made += workers[i].nr_names;
	assert_int_equal(nr, made);
	for (unsigned i = 0; i < NR_DIRS; i++) {
		assert_int_equal(refcount_read(&dirs[i]->refs), 2);
		dentry_unhash(dirs[i]);
		dentry_put(dirs[i]);
	}
	assert_int_equal(dcache_check(), 0);
	assert_int_equal(dcache_count(), 1);
	assert_int_equal(refcount_read(&root->refs), 1);
	assert_int_equal(refcount_read(&inode.refs), 2);
	assert_true(mm_audit(&result, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_go_and_move_on_all_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
