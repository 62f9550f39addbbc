/* SPDX-License-Identifier: MIT */
/* The dentry cache by itself: names, counts, order, moves, paths, deep chains, no memory, and
 * that its check sees what is broken. Inodes are counters here. */
#include "tests/host/host.h"
#include "kernel/fs/dcache.h"
#include "kernel/fs/namei.h"
#include "mm/audit.h"
#include "mm/kmem.h"
#include "mm/memcg.h"

#define DEEP	100000

static struct super super = { .fs_name = "testfs" };
static struct inode inode = { .nlink = 1 };	/* stands for every inode */
static struct dentry *root;

struct inode *inode_get(struct inode *i)
{
	refcount_get(&i->refs);
	return i;
}

void inode_put(struct inode *i)
{
	assert_false(refcount_put(&i->refs));
}

/* A machine with a dcache that holds a root. */
static void start(void)
{
	host_machine(128, 1);
	dcache_init();
	refcount_set(&inode.refs, 1);
	root = dentry_alloc_root(&super, inode_get(&inode));
	assert_non_null(root);
	super.root = root;
}

/* Only the root is left, with one reference, and the books are right. */
static void finish(void)
{
	struct audit_result result;

	assert_int_equal(dcache_check(), 0);
	assert_int_equal(dcache_count(), 1);
	assert_int_equal(refcount_read(&root->refs), 1);
	assert_int_equal(refcount_read(&inode.refs), 2);
	assert_true(mm_audit(&result, NULL));
}

static struct dentry *lookup(struct dentry *parent, const char *name)
{
	struct dentry *d;

	assert_int_equal(dentry_lookup(parent, name, strlen(name), &d), 0);
	return d;
}

static struct dentry *make(struct dentry *parent, const char *name)
{
	struct dentry *d = lookup(parent, name);

	dentry_attach(d, inode_get(&inode));
	return d;
}

static void drop(struct dentry *d)
{
	dentry_unhash(d);
	dentry_put(d);
}

static char *repeat(char c, size_t len)
{
	static char text[NAME_MAX + 1];

	memset(text, c, len);
	text[len] = '\0';
	return text;
}

HOST_TEST(a_name_is_found_again)
{
	struct dentry *a, *again;

	start();
	a = make(root, "a");
	again = dentry_find(root, "a", 1);
	assert_ptr_equal(again, a);
	assert_ptr_equal(lookup(root, "a"), a);
	assert_null(dentry_find(root, "b", 1));
	assert_null(dentry_find(a, "a", 1));
	assert_int_equal(refcount_read(&a->refs), 4);	/* ours, those found, the pin */
	dentry_put(a);
	dentry_put(a);
	drop(a);
	finish();
}

HOST_TEST(a_name_stays_without_users_until_it_is_unhashed)
{
	struct dentry *a;

	start();
	a = make(root, "a");
	dentry_put(a);
	assert_ptr_equal(dentry_find(root, "a", 1), a);
	assert_int_equal(refcount_read(&a->refs), 2);
	drop(a);
	assert_null(dentry_find(root, "a", 1));
	finish();
}

HOST_TEST(a_negative_dentry_goes_at_its_last_put)
{
	struct dentry *a;

	start();
	a = lookup(root, "a");
	assert_null(dentry_inode(a));
	assert_int_equal(dcache_count(), 2);
	assert_false(dentry_has_positive_child(root));
	assert_int_equal(dcache_check(), 0);
	dentry_put(a);
	assert_null(dentry_find(root, "a", 1));
	finish();
}

HOST_TEST(an_unhashed_dentry_keeps_inode_and_parent)
{
	struct dentry *a, *b, *parent;

	start();
	a = make(root, "a");
	b = make(a, "b");
	dentry_unhash(b);
	drop(a);
	assert_true(b->unhashed);
	assert_true(a->unhashed);
	assert_null(dentry_find(a, "b", 1));
	assert_ptr_equal(dentry_inode(b), &inode);
	parent = dentry_get_parent(b);
	assert_ptr_equal(parent, a);
	dentry_put(parent);
	dentry_put(b);
	finish();
}

/* Names removed from the bottom up, as rm -r does, while somebody works at the bottom. */
static void unhash_up_from(struct dentry *at)
{
	for (; at != root; at = at->parent)
		dentry_unhash(at);
}

HOST_TEST(a_chain_100000_deep_goes_with_its_last_put)
{
	struct dentry *at;

	start();
	at = root;
	for (int i = 0; i < DEEP; i++) {
		struct dentry *child = make(at, "x");

		if (at != root)
			dentry_put(at);		/* its child holds it now */
		at = child;
	}
	assert_int_equal(dcache_count(), DEEP + 1);
	assert_int_equal(dcache_check(), 0);
	assert_true(dentry_is_ancestor(root, at));
	assert_false(dentry_is_ancestor(at, root));
	unhash_up_from(at);
	assert_int_equal(dcache_count(), DEEP + 1);
	dentry_put(at);
	finish();
}

/* Names at, below and above the inline size, and the longest, in a directory of many. */
HOST_TEST(names_of_all_lengths)
{
	struct dentry *d[NAME_MAX + 1];

	start();
	for (size_t len = 1; len <= NAME_MAX; len++)
		d[len] = make(root, repeat('n', len));
	assert_int_equal(dcache_check(), 0);
	for (size_t len = 1; len <= NAME_MAX; len++) {
		struct dentry *found = dentry_find(root, repeat('n', len), len);

		assert_ptr_equal(found, d[len]);
		assert_string_equal(found->name, repeat('n', len));
		dentry_put(found);
		drop(found);
	}
	finish();
}

/* Move a to b's name in another directory, for each pair of inline and long names. */
HOST_TEST(a_move_takes_name_and_place)
{
	static const size_t lens[] = { 1, DNAME_INLINE - 1, DNAME_INLINE, NAME_MAX };

	start();
	for (size_t i = 0; i < 16; i++) {
		size_t from_len = lens[i / 4], to_len = lens[i % 4];
		struct dentry *p = make(root, "p"), *q = make(root, "q");
		struct dentry *a = make(p, repeat('a', from_len));
		struct dentry *b = make(q, repeat('b', to_len));

		dentry_move(a, q, b);
		assert_int_equal(dcache_check(), 0);
		assert_ptr_equal(dentry_find(q, repeat('b', to_len), to_len), a);
		assert_null(dentry_find(p, repeat('a', from_len), from_len));
		assert_string_equal(a->name, repeat('b', to_len));
		assert_true(b->unhashed);
		assert_false(a->unhashed);
		assert_int_equal(refcount_read(&b->refs), 1);	/* ours: the pin is gone */
		assert_false(dentry_has_positive_child(p));
		assert_int_equal(refcount_read(&p->refs), 2);	/* ours and the pin */
		dentry_put(b);
		dentry_put(a);
		drop(a);
		drop(p);
		drop(q);
	}
	finish();
}

HOST_TEST(a_move_within_a_directory_onto_a_free_name)
{
	struct dentry *a, *b;

	start();
	a = make(root, "a");
	b = lookup(root, "b");
	dentry_move(a, root, b);
	dentry_put(b);
	assert_null(dentry_find(root, "a", 1));
	assert_ptr_equal(dentry_find(root, "b", 1), a);
	dentry_put(a);
	drop(a);
	finish();
}

/* Read the directory's names in order, a byte each, from pos on. */
static const char *listing(u64 pos)
{
	static char text[64];
	struct dentry *d = dentry_next_child(root, NULL, pos), *next;
	size_t n = 0;

	while (d) {
		text[n++] = d->name[0];
		next = dentry_next_child(root, d, d->dir_pos + 1);
		dentry_put(d);
		d = next;
	}
	text[n] = '\0';
	return text;
}

HOST_TEST(positions_stay_when_names_come_and_go)
{
	struct dentry *a, *b, *c, *negative;
	u64 after_a;

	start();
	a = make(root, "a");
	b = make(root, "b");
	negative = lookup(root, "n");
	c = make(root, "c");
	assert_string_equal(listing(0), "abc");
	after_a = a->dir_pos + 1;
	drop(a);
	assert_string_equal(listing(after_a), "bc");
	a = make(root, "a");
	assert_string_equal(listing(after_a), "bca");
	dentry_move(b, root, negative);		/* a new name comes last */
	assert_string_equal(listing(after_a), "can");
	dentry_put(negative);
	drop(a);
	drop(b);
	drop(c);
	finish();
}

static long path_of(struct dentry *d, char *buf, size_t size)
{
	struct mount mount = { .super = &super, .root = root };
	struct path path = { &mount, d }, top = { &mount, root };

	return dentry_path(&path, &top, buf, size);
}

HOST_TEST(paths)
{
	struct dentry *a, *b;
	char buf[PATH_MAX];

	start();
	a = make(root, "usr");
	b = make(a, "bin");
	assert_int_equal(path_of(root, buf, sizeof(buf)), 2);
	assert_string_equal(buf, "/");
	assert_int_equal(path_of(b, buf, sizeof(buf)), 9);
	assert_string_equal(buf, "/usr/bin");
	assert_int_equal(path_of(b, buf, 9), 9);
	assert_int_equal(path_of(b, buf, 8), -ERANGE);
	assert_int_equal(path_of(root, buf, 1), -ERANGE);
	assert_int_equal(path_of(root, buf, 0), -ERANGE);
	dentry_unhash(b);
	assert_int_equal(path_of(b, buf, sizeof(buf)), -ENOENT);
	dentry_put(b);
	drop(a);
	finish();
}

HOST_TEST(a_path_of_path_max_fits_and_one_byte_more_does_not)
{
	struct dentry *at, *child;
	char buf[PATH_MAX + 16];

	start();
	at = dentry_get(root);
	for (int i = 0; i < 15; i++) {
		child = make(at, repeat('d', NAME_MAX));
		dentry_put(at);
		at = child;
	}
	child = make(at, repeat('e', 254));		/* 15 * 256 + 255 + NUL */
	assert_int_equal(path_of(child, buf, sizeof(buf)), PATH_MAX);
	assert_int_equal(path_of(child, buf, PATH_MAX - 1), -ERANGE);
	drop(child);
	child = make(at, repeat('e', 255));
	assert_int_equal(path_of(child, buf, sizeof(buf)), -ENAMETOOLONG);
	assert_int_equal(path_of(child, buf, 16), -ENAMETOOLONG);
	drop(child);
	unhash_up_from(at);
	dentry_put(at);
	finish();
}

HOST_TEST(a_path_goes_on_above_a_mount)
{
	struct mount top = { .super = &super }, upper;
	struct super other = { .fs_name = "other" };
	struct dentry *point, *a;
	struct path path, from;
	char buf[32];

	start();
	point = make(root, "mnt");
	other.root = dentry_alloc_root(&other, inode_get(&inode));
	a = make(other.root, "a");
	top.root = root;
	upper = (struct mount){
		.super = &other, .root = other.root, .point = point, .parent = &top,
	};
	path = (struct path){ &upper, a };
	from = (struct path){ &top, root };
	assert_int_equal(dentry_path(&path, &from, buf, sizeof(buf)), 7);
	assert_string_equal(buf, "/mnt/a");
	drop(a);
	dentry_put(other.root);
	drop(point);
	finish();
}

/* Every allocation of a lookup fails in turn; nothing stays. */
HOST_TEST(no_memory_leaves_nothing)
{
	struct dentry *d, *held[2000];
	unsigned nr = 0, refused = 0;
	char name[NAME_MAX + 1];

	start();
	while (nr < 2000) {
		unsigned long before = dcache_count();
		int err;

		snprintf(name, sizeof(name), "%0200u", nr);
		host_fail_after(1);
		err = dentry_lookup(root, name, strlen(name), &d);
		host_fail_after(0);
		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_int_equal(dcache_count(), before);
			refused++;
			d = lookup(root, name);
		}
		held[nr++] = d;
	}
	assert_in_range(refused, 10, 2000);
	while (nr > 0)
		dentry_put(held[--nr]);
	finish();
}

HOST_TEST(dentries_are_charged_to_who_makes_them)
{
	struct memcg *group;
	struct dentry *d, *last = NULL;
	unsigned nr = 0;
	char name[16];

	start();
	group = memcg_create(&root_memcg, "g");
	assert_int_equal(memcg_set_kmem_limit(group, 16), 0);
	memcg_set_current(group);
	for (;; nr++) {
		snprintf(name, sizeof(name), "%u", nr);
		if (dentry_lookup(last ? last : root, name, strlen(name), &d))
			break;
		dentry_attach(d, inode_get(&inode));
		if (last)
			dentry_put(last);
		last = d;
	}
	memcg_set_current(NULL);
	unhash_up_from(last);
	assert_in_range(nr, 16, 16 * PAGE_SIZE / sizeof(struct dentry));
	assert_in_range(page_counter_read(&group->kmem), 1, 16);
	dentry_put(last);
	memcg_shrink(group);
	assert_int_equal(page_counter_read(&group->kmem), 0);
	memcg_destroy(group);
	finish();
}

HOST_TEST(the_check_sees_each_broken_invariant)
{
	struct dentry *a, *b;
	u64 pos;

	start();
	a = make(root, "a");
	b = make(root, "b");
	a->hash++;
	assert_int_equal(dcache_check(), 1);
	a->hash--;
	list_remove(&b->child_link);
	assert_int_equal(dcache_check(), 2);
	list_append(&root->children, &b->child_link);
	refcount_set(&a->refs, 0);
	assert_int_equal(dcache_check(), 3);
	refcount_set(&a->refs, 2);
	assert_int_equal(dcache_check(), 0);
	drop(a);
	drop(b);
	a = make(root, "a");
	b = make(a, "b");
	pos = b->dir_pos;
	b->dir_pos = 0;
	assert_int_equal(dcache_check(), 4);
	b->dir_pos = pos;
	drop(b);
	drop(a);
	finish();
}

static void attach_twice(void)
{
	start();
	dentry_attach(make(root, "a"), &inode);
}

HOST_TEST(attaching_twice_panics)
{
	host_expect_panic(attach_twice, "dentry->inode");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_found_again),
		cmocka_unit_test(a_name_stays_without_users_until_it_is_unhashed),
		cmocka_unit_test(a_negative_dentry_goes_at_its_last_put),
		cmocka_unit_test(an_unhashed_dentry_keeps_inode_and_parent),
		cmocka_unit_test(a_chain_100000_deep_goes_with_its_last_put),
		cmocka_unit_test(names_of_all_lengths),
		cmocka_unit_test(a_move_takes_name_and_place),
		cmocka_unit_test(a_move_within_a_directory_onto_a_free_name),
		cmocka_unit_test(positions_stay_when_names_come_and_go),
		cmocka_unit_test(paths),
		cmocka_unit_test(a_path_of_path_max_fits_and_one_byte_more_does_not),
		cmocka_unit_test(a_path_goes_on_above_a_mount),
		cmocka_unit_test(no_memory_leaves_nothing),
		cmocka_unit_test(dentries_are_charged_to_who_makes_them),
		cmocka_unit_test(the_check_sees_each_broken_invariant),
		cmocka_unit_test(attaching_twice_panics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
