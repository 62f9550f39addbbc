/* SPDX-License-Identifier: MIT */
/* The tree of groups, membership, and the control files. */
#include "tests/host/host.h"
#include "kernel/cgroup/cgroup.h"
#include "tests/host/groups.h"

#define USAGE	"memory.kmem.usage_in_bytes"
#define LIMIT	"memory.kmem.limit_in_bytes"
#define MAX_USAGE "memory.kmem.max_usage_in_bytes"
#define FAILCNT	"memory.kmem.failcnt"

/* Processes as cgroup sees them. */
struct fake {
	struct cgroup_member member;
	struct memcg *memcg;
	int pid, refs, kills;
};

static struct fake procs[8];
static struct fake *caller;

static struct fake *fake_of(struct cgroup_member *m)
{
	return container_of(m, struct fake, member);
}

static struct cgroup_member *fake_find(int pid)
{
	for (size_t i = 0; i < ARRAY_SIZE(procs); i++) {
		if (procs[i].pid == pid) {
			procs[i].refs++;
			return &procs[i].member;
		}
	}
	return NULL;
}

static void fake_put(struct cgroup_member *m)
{
	fake_of(m)->refs--;
}

/* The real one stops the other CPUs, which it may not do with a spinlock held. */
static void fake_moved(struct cgroup_member *m, struct memcg *memcg)
{
	spin_assert_none_held("the hook `moved`");
	fake_of(m)->memcg = memcg;
	if (fake_of(m) == caller)
		memcg_set_current(memcg);
}

static void fake_kill(struct cgroup_member *m)
{
	fake_of(m)->kills++;
}

static int fake_pid(struct cgroup_member *m)
{
	return fake_of(m)->pid;
}

static struct cgroup_member *fake_current(void)
{
	return caller ? &caller->member : NULL;
}

static const struct cgroup_hooks fake_hooks = {
	fake_find, fake_put, fake_moved, fake_kill, fake_pid, fake_current,
};

static void machine(void)
{
	host_machine(64, 1);
	kstack_init(4);
	cgroup_init();
	cgroup_set_hooks(&fake_hooks);
}

static struct fake *fork_proc(int pid, struct fake *parent)
{
	struct fake *p = &procs[pid % 8];

	*p = (struct fake){ .pid = pid };
	cgroup_fork(&p->member, parent ? &parent->member : NULL);
	return p;
}

static const char *get(const char *path, const char *control)
{
	static char buf[4096];
	long len = cgroup_read(path, control, buf, sizeof(buf) - 1);

	assert_true(len >= 0);
	buf[len] = '\0';
	return buf;
}

static struct memcg *memcg_of(const char *name)
{
	struct memcg *m;

	list_for_each(m, &root_memcg.children, sibling) {
		if (!strcmp(m->name, name))
			return m;
	}
	fail_msg("no group %s", name);
	return NULL;
}

static void create(const char *path)
{
	assert_int_equal(cgroup_create(path, 0755), 0);
}

/* --- paths */

HOST_TEST(groups_are_made_and_listed)
{
	char buf[64];
	long len;

	machine();
	create("/a");
	create("/b");
	create("/a/x");
	len = cgroup_list("/", buf, sizeof(buf));
	assert_int_equal(len, 4);
	assert_memory_equal(buf, "a\nb\n", 4);
	assert_int_equal(cgroup_list("/a", buf, sizeof(buf)), 2);
	assert_int_equal(cgroup_list("/b", buf, sizeof(buf)), 0);
	assert_int_equal(cgroup_list("/", buf, 3), -ERANGE);
	assert_int_equal(cgroup_list("/", buf, 4), 4);
	assert_int_equal(cgroup_list("/none", buf, sizeof(buf)), -ENOENT);
	assert_audit();
}

HOST_TEST(paths_may_have_extra_slashes)
{
	machine();
	create("//a/");
	create("/a//b");
	assert_int_equal(cgroup_create("/a/b/", 0), -EEXIST);
	assert_int_equal(cgroup_remove("///a///b///"), 0);
}

HOST_TEST(bad_paths_get_their_errno)
{
	static char path[1200];

	machine();
	assert_int_equal(cgroup_create("", 0), -ENOENT);
	assert_int_equal(cgroup_create("a", 0), -EINVAL);
	assert_int_equal(cgroup_create("/", 0), -EEXIST);
	assert_int_equal(cgroup_create("/a/b", 0), -ENOENT);
	assert_int_equal(cgroup_create("/.", 0), -EINVAL);
	assert_int_equal(cgroup_create("/..", 0), -EINVAL);
	assert_int_equal(cgroup_create("/a\nb", 0), -EINVAL);
	assert_int_equal(cgroup_create("/a\x7f", 0), -EINVAL);
	assert_int_equal(cgroup_create("/...", 0), 0);
	create("/a");
	assert_int_equal(cgroup_create("/a", 0), -EEXIST);
	assert_int_equal(cgroup_create("/a/memory.stat", 0), -EEXIST);
	assert_int_equal(cgroup_create("/a/../b", 0), -EINVAL);
	assert_int_equal(cgroup_remove("/b"), -ENOENT);
	assert_int_equal(cgroup_remove("/a/b"), -ENOENT);
	memset(path, 'n', sizeof(path) - 1);
	path[0] = '/';
	assert_int_equal(cgroup_create(path, 0), -ENAMETOOLONG);
	path[65] = '\0';
	assert_int_equal(cgroup_create(path, 0), -ENAMETOOLONG);
	path[64] = '\0';
	assert_int_equal(cgroup_create(path, 0), 0);
	assert_int_equal(cgroup_remove(path), 0);
	assert_audit();
}

HOST_TEST(a_name_that_begins_another_is_another)
{
	machine();
	create("/ab");
	assert_int_equal(cgroup_remove("/a"), -ENOENT);
	create("/a");
	assert_int_equal(cgroup_remove("/ab"), 0);
	assert_int_equal(cgroup_remove("/a"), 0);
}

HOST_TEST(removal_wants_no_children_and_no_members)
{
	struct fake *p;

	machine();
	create("/a");
	create("/a/b");
	assert_int_equal(cgroup_remove("/"), -EBUSY);
	assert_int_equal(cgroup_remove("/a"), -EBUSY);
	p = fork_proc(1, NULL);
	assert_int_equal(cgroup_attach("/a/b", 1), 0);
	assert_int_equal(cgroup_remove("/a/b"), -EBUSY);
	cgroup_exit(&p->member);
	assert_int_equal(cgroup_remove("/a/b"), 0);
	assert_int_equal(cgroup_remove("/a"), 0);
	run_work();
	assert_audit();
}

HOST_TEST(a_charged_group_is_removed_at_once)
{
	struct memcg *m;
	void *obj;

	machine();
	create("/a");
	assert_int_equal(cgroup_write("/a", LIMIT, "1M"), 0);
	m = memcg_of("a");
	memcg_set_current(m);
	obj = kmalloc(64, GFP_KERNEL);
	memcg_set_current(NULL);
	assert_int_equal(cgroup_remove("/a"), 0);
	assert_true(usage(&root_memcg) > 0);
	kfree(obj);
	run_work();
	assert_string_equal(get("/", USAGE), "0\n");
	assert_audit();
}

HOST_TEST(a_groups_own_memory_is_its_parents_charge)
{
	char path[16];
	int err = 0;

	machine();
	create("/p");
	assert_int_equal(cgroup_write("/p", LIMIT, "64K"), 0);
	for (int i = 0; i < 1000 && !err; i++) {
		fmt_print(path, sizeof(path), "/p/%d", i);
		err = cgroup_create(path, 0);
		assert_true(usage(memcg_of("p")) <= 16);
	}
	assert_int_equal(err, -ENOMEM);
	assert_true(failcnt(memcg_of("p")) >= 1);
	assert_audit();
}

HOST_TEST(who_makes_a_group_for_another_does_not_pay)
{
	struct memcg *x;

	machine();
	create("/p");
	create("/x");
	assert_int_equal(cgroup_write("/p", LIMIT, "1M"), 0);
	assert_int_equal(cgroup_write("/x", LIMIT, "1M"), 0);
	x = memcg_of("x");
	memcg_set_current(x);
	create("/p/a");
	memcg_set_current(NULL);
	assert_int_equal(usage(x), 0);
	assert_non_null(cache_named("cgroup(2:p)"));
	assert_non_null(cache_named("memcg(2:p)"));
	assert_non_null(cache_named("owner(2:p)"));
	assert_audit();
}

HOST_TEST(every_failure_while_a_group_is_made_is_undone)
{
	int n = 0, err;

	machine();
	create("/p");
	assert_int_equal(cgroup_write("/p", LIMIT, "4M"), 0);
	do {
		host_fail_after(++n);
		err = cgroup_create("/p/a", 0);
		host_fail_after(0);
		assert_true(err == 0 || err == -ENOMEM);
		assert_audit();
		memcg_shrink(&root_memcg);
	} while (err && n < 100);
	assert_int_equal(err, 0);
	assert_true(n > 1);
	assert_int_equal(cgroup_remove("/p/a"), 0);
	assert_int_equal(cgroup_remove("/p"), 0);
	run_work();
	assert_string_equal(get("/", USAGE), "0\n");
	assert_audit();
}

/* --- members */

HOST_TEST(a_child_joins_its_parents_group)
{
	struct fake *init, *child;

	machine();
	init = fork_proc(1, NULL);
	assert_ptr_equal(init->member.group, &root_cgroup);
	assert_ptr_equal(init->memcg, &root_memcg);
	create("/a");
	assert_int_equal(cgroup_attach("/a", 1), 0);
	child = fork_proc(2, init);
	assert_ptr_equal(child->memcg, memcg_of("a"));
	assert_string_equal(get("/a", "tasks"), "1\n2\n");
	assert_string_equal(get("/", "cgroup.procs"), "");
}

HOST_TEST(attach_finds_its_process_or_says_esrch)
{
	struct fake *p;

	machine();
	create("/a");
	p = fork_proc(3, NULL);
	assert_int_equal(cgroup_attach("/a", 5), -ESRCH);
	assert_int_equal(cgroup_attach("/a", -3), -ESRCH);
	assert_int_equal(cgroup_attach("/a", 0), -ESRCH);
	assert_int_equal(cgroup_attach("/none", 3), -ENOENT);
	caller = p;
	assert_int_equal(cgroup_attach("/a", 0), 0);
	assert_ptr_equal(memcg_current(), memcg_of("a"));
	assert_int_equal(cgroup_attach("/", 3), 0);
	assert_ptr_equal(memcg_current(), &root_memcg);
	assert_int_equal(p->refs, 0);
	cgroup_exit(&p->member);
	assert_int_equal(cgroup_attach("/a", 3), -ESRCH);
	assert_int_equal(p->refs, 0);
}

HOST_TEST(what_a_task_was_charged_stays_when_it_moves)
{
	struct page *page;

	machine();
	create("/a");
	create("/b");
	assert_int_equal(cgroup_write("/a", LIMIT, "1M"), 0);
	assert_int_equal(cgroup_write("/b", LIMIT, "1M"), 0);
	caller = fork_proc(1, NULL);
	assert_int_equal(cgroup_attach("/a", 0), 0);
	page = page_alloc_charged(PAGE_KERNEL, 1, GFP_KERNEL);
	assert_int_equal(cgroup_attach("/b", 0), 0);
	assert_string_equal(get("/a", USAGE), "8192\n");
	assert_string_equal(get("/b", USAGE), "0\n");
	page_free(page);
	assert_string_equal(get("/a", USAGE), "0\n");
	assert_audit();
}

HOST_TEST(who_leaves_works_for_the_root)
{
	struct fake *p;

	machine();
	create("/a");
	p = fork_proc(1, NULL);
	assert_int_equal(cgroup_attach("/a", 1), 0);
	cgroup_exit(&p->member);
	assert_ptr_equal(p->memcg, &root_memcg);
	assert_null(p->member.group);
	cgroup_exit(&p->member);
	assert_int_equal(cgroup_remove("/a"), 0);
}

HOST_TEST(a_kill_reaches_the_whole_subtree_and_nobody_else)
{
	machine();
	create("/a");
	create("/a/b");
	create("/a/b/c");
	create("/d");
	for (int pid = 1; pid <= 5; pid++)
		fork_proc(pid, NULL);
	assert_int_equal(cgroup_attach("/a", 1), 0);
	assert_int_equal(cgroup_attach("/a/b/c", 2), 0);
	assert_int_equal(cgroup_attach("/a/b/c", 3), 0);
	assert_int_equal(cgroup_attach("/d", 4), 0);
	assert_int_equal(cgroup_kill("/a"), 0);
	assert_int_equal(procs[1].kills, 1);
	assert_int_equal(procs[2].kills, 1);
	assert_int_equal(procs[3].kills, 1);
	assert_int_equal(procs[4].kills, 0);
	assert_int_equal(procs[5].kills, 0);
	assert_int_equal(cgroup_kill("/none"), -ENOENT);
}

HOST_TEST(a_child_forked_while_its_group_is_killed_does_not_escape)
{
	struct fake *p, *child, *grandchild;

	machine();
	create("/a");
	p = fork_proc(1, NULL);
	assert_int_equal(cgroup_attach("/a", 1), 0);
	assert_int_equal(cgroup_kill("/a"), 0);
	child = fork_proc(2, p);
	assert_int_equal(child->kills, 1);
	grandchild = fork_proc(3, child);
	assert_int_equal(grandchild->kills, 1);
	fork_proc(4, NULL);
	assert_int_equal(cgroup_attach("/a", 4), 0);
	assert_int_equal(fork_proc(5, &procs[4])->kills, 0);
}

HOST_TEST(a_killed_member_that_moves_still_dooms_its_children)
{
	struct fake *p;

	machine();
	create("/a");
	create("/b");
	p = fork_proc(1, NULL);
	assert_int_equal(cgroup_attach("/a", 1), 0);
	assert_int_equal(cgroup_kill("/a"), 0);
	assert_int_equal(cgroup_attach("/b", 1), 0);
	assert_int_equal(fork_proc(2, p)->kills, 1);
}

HOST_TEST(a_deep_tree_is_killed_and_removed_without_recursion)
{
	static char path[1024];
	size_t len = 0;

	machine();
	while (len + 3 < CGROUP_PATH_MAX) {
		strcpy(path + len, "/n");
		len += 2;
		create(path);
	}
	fork_proc(1, NULL);
	assert_int_equal(cgroup_attach(path, 1), 0);
	assert_int_equal(cgroup_kill("/n"), 0);
	assert_int_equal(procs[1].kills, 1);
	cgroup_exit(&procs[1].member);
	for (; len; path[len -= 2] = '\0')
		assert_int_equal(cgroup_remove(path), 0);
	assert_audit();
}

HOST_TEST(pids_are_read_and_written)
{
	machine();
	create("/a");
	fork_proc(1, NULL);
	fork_proc(2, NULL);
	assert_int_equal(cgroup_write("/a", "tasks", "1\n"), 0);
	assert_int_equal(cgroup_write("/a", "cgroup.procs", " 2 "), 0);
	assert_string_equal(get("/a", "cgroup.procs"), "1\n2\n");
	assert_int_equal(cgroup_write("/a", "tasks", "x"), -EINVAL);
	assert_int_equal(cgroup_write("/a", "tasks", "1 2"), -EINVAL);
	assert_int_equal(cgroup_write("/a", "tasks", "99999999999"), -EINVAL);
	assert_int_equal(cgroup_write("/a", "tasks", "77"), -ESRCH);
	procs[2].pid = 0;
	assert_string_equal(get("/a", "tasks"), "1\n");
}

/* --- controls */

HOST_TEST(limits_are_parsed_like_memparse)
{
	static const struct { const char *in, *out; } good[] = {
		{ "4096", "4096\n" }, { "1", "4096\n" }, { "4097", "8192\n" },
		{ "16k", "16384\n" }, { "16K\n", "16384\n" }, { " 2m ", "2097152\n" },
		{ "1G", "1073741824\n" }, { "0x2000", "8192\n" }, { "1g\r\n", "1073741824\n" },
		{ "0", "0\n" }, { "-1", "9223372036854771712\n" },
		{ "-1\n", "9223372036854771712\n" },
		{ "9223372036854771712", "9223372036854771712\n" },
		{ "18446744073709551615", "9223372036854771712\n" },
	};
	static const char *const bad[] = {
		"", "-2", "x", "K", "1KK", "1 K", "12q", "-1K", "+1", "1.5M", "--1", "1T",
		"18446744073709551616", "99999999999G", "4096 junk",
	};

	machine();
	create("/a");
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(cgroup_write("/a", LIMIT, good[i].in), 0);
		assert_string_equal(get("/a", LIMIT), good[i].out);
	}
	assert_int_equal(cgroup_write("/a", LIMIT, "8K"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (cgroup_write("/a", LIMIT, bad[i]) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
	assert_string_equal(get("/a", LIMIT), "8192\n");
}

HOST_TEST(the_root_takes_no_limit)
{
	machine();
	assert_int_equal(cgroup_write("/", LIMIT, "1M"), -EINVAL);
	assert_int_equal(cgroup_write("/", LIMIT, "-1"), -EINVAL);
	assert_string_equal(get("/", LIMIT), "9223372036854771712\n");
}

HOST_TEST(unknown_and_one_way_controls)
{
	char buf[64];

	machine();
	create("/a");
	assert_int_equal(cgroup_read("/a", "memory.memsw.usage_in_bytes", buf, 64), -ENOENT);
	assert_int_equal(cgroup_write("/a", "nonsense", "1"), -ENOENT);
	assert_int_equal(cgroup_write("/none", LIMIT, "1"), -ENOENT);
	assert_int_equal(cgroup_write("/a", USAGE, "1"), -EINVAL);
	assert_int_equal(cgroup_write("/a", "memory.stat", "1"), -EINVAL);
	assert_int_equal(cgroup_read("/a", "memory.force_empty", buf, 64), -EINVAL);
	assert_int_equal(cgroup_read("/a", LIMIT, buf, 4), -ERANGE);
	assert_int_equal(cgroup_read("/a", USAGE, buf, 2), 2);
}

HOST_TEST(every_control_can_be_found_by_its_listed_name)
{
	static char names[1024];
	size_t len;
	char *name;
	int n = 0;

	machine();
	len = control_names(names, sizeof(names) - 1);
	assert_true(len < sizeof(names));
	assert_int_equal(control_names(NULL, 0), len);
	for (name = strtok(names, "\n"); name; name = strtok(NULL, "\n"), n++)
		assert_true(control_find(name) >= 0);
	assert_int_equal(n, 9);
}

HOST_TEST(a_limit_below_usage_is_busy)
{
	machine();
	create("/a");
	assert_int_equal(cgroup_write("/a", LIMIT, "64K"), 0);
	memcg_set_current(memcg_of("a"));
	assert_non_null(page_alloc_charged(PAGE_KERNEL, 2, GFP_KERNEL));
	memcg_set_current(NULL);
	assert_int_equal(cgroup_write("/a", LIMIT, "12K"), -EBUSY);
	assert_string_equal(get("/a", LIMIT), "65536\n");
	assert_int_equal(cgroup_write("/a", LIMIT, "16K"), 0);
	assert_audit();
}

HOST_TEST(any_write_resets_max_usage_and_failcnt)
{
	struct page *page;

	machine();
	create("/a");
	assert_int_equal(cgroup_write("/a", LIMIT, "16K"), 0);
	memcg_set_current(memcg_of("a"));
	page = page_alloc_charged(PAGE_KERNEL, 2, GFP_KERNEL);
	assert_null(page_alloc_charged(PAGE_KERNEL, 0, GFP_KERNEL));
	memcg_set_current(NULL);
	page_free(page);
	assert_string_equal(get("/a", MAX_USAGE), "16384\n");
	assert_string_equal(get("/a", FAILCNT), "1\n");
	assert_int_equal(cgroup_write("/a", MAX_USAGE, ""), 0);
	assert_int_equal(cgroup_write("/a", FAILCNT, "anything"), 0);
	assert_string_equal(get("/a", MAX_USAGE), "0\n");
	assert_string_equal(get("/a", FAILCNT), "0\n");
	assert_audit();
}

HOST_TEST(slabinfo_is_the_groups_own_under_base_names)
{
	char buf[64];
	void *obj;

	machine();
	create("/a");
	assert_int_equal(cgroup_read("/a", "memory.kmem.slabinfo", buf, 64), -EIO);
	assert_int_equal(cgroup_write("/a", LIMIT, "1M"), 0);
	assert_null(strstr(get("/a", "memory.kmem.slabinfo"), "kmalloc"));
	memcg_set_current(memcg_of("a"));
	obj = kmalloc(64, GFP_KERNEL);
	memcg_set_current(NULL);
	host_assert_has(get("/a", "memory.kmem.slabinfo"), "\nkmalloc-64 ");
	assert_null(strstr(get("/a", "memory.kmem.slabinfo"), "(2:a)"));
	assert_null(strstr(get("/a", "memory.kmem.slabinfo"), "kmalloc-128"));
	kfree(obj);
}

HOST_TEST(the_roots_slabinfo_has_every_cache)
{
	static char text[16384];
	long len;

	machine();
	create("/a");
	assert_int_equal(cgroup_write("/a", LIMIT, "1M"), 0);
	memcg_set_current(memcg_of("a"));
	assert_non_null(kmalloc(64, GFP_KERNEL));
	memcg_set_current(NULL);
	len = cgroup_read("/", "memory.kmem.slabinfo", text, sizeof(text) - 1);
	assert_true(len > 0);
	text[len] = '\0';
	host_assert_has(text, "slabinfo - version: 2.1\n");
	host_assert_has(text, "kmalloc-64(2:a)");
	host_assert_has(text, "\ncgroup ");
	host_assert_has(text, "\nmemcg ");
	host_assert_has(text, "\nowner ");
}

static unsigned long stat_of(const char *path, const char *key)
{
	char pattern[64];
	const char *at;

	fmt_print(pattern, sizeof(pattern), "\n%s ", key);
	at = strstr(get(path, "memory.stat"), pattern);
	if (!at)
		at = get(path, "memory.stat") - 1;
	return strtoul(at + strlen(pattern), NULL, 10);
}

HOST_TEST(the_statistics_add_up_to_the_usage)
{
	struct kstack stack;

	machine();
	create("/a");
	create("/a/b");
	assert_int_equal(cgroup_write("/a", LIMIT, "1M"), 0);
	memcg_set_current(memcg_of("a"));
	assert_int_equal(kstack_alloc(&stack), 0);
	assert_non_null(kmalloc(64, GFP_KERNEL));
	assert_non_null(kmalloc(20000, GFP_KERNEL));
	assert_non_null(page_alloc_charged(PAGE_TABLE, 0, GFP_KERNEL));
	memcg_set_current(list_first(&memcg_of("a")->children, struct memcg, sibling));
	assert_non_null(page_alloc_charged(PAGE_TABLE, 0, GFP_KERNEL | GFP_NOFAIL));
	memcg_set_current(NULL);
	assert_int_equal(stat_of("/a", "kernel_stack"), 16384);
	assert_int_equal(stat_of("/a", "pagetables"), 4096);
	assert_int_equal(stat_of("/a", "total_pagetables"), 8192);
	assert_int_equal(stat_of("/a", "kernel_other"), 32768);
	assert_int_equal(stat_of("/a", "kmem_forced"), 0);
	assert_int_equal(stat_of("/a", "total_kernel_stack") + stat_of("/a", "total_pagetables") +
			 stat_of("/a", "total_slab_unreclaimable") +
			 stat_of("/a", "total_kernel_other"),
			 usage(memcg_of("a")) * PAGE_SIZE);
	assert_audit();
}

HOST_TEST(force_empty_gives_back_what_is_unused)
{
	machine();
	create("/a");
	assert_int_equal(cgroup_write("/a", LIMIT, "1M"), 0);
	memcg_set_current(memcg_of("a"));
	kfree(kmalloc(64, GFP_KERNEL));
	memcg_set_current(NULL);
	assert_true(usage(memcg_of("a")) > 0);
	assert_int_equal(cgroup_write("/a", "memory.force_empty", ""), 0);
	assert_string_equal(get("/a", USAGE), "0\n");
	assert_audit();
}

/* A group of P 256K, A and B of 192K: the example of mm/README.md, through the controls. */
HOST_TEST(a_hierarchy_is_limited_at_every_level)
{
	struct memcg *b;

	machine();
	create("/p");
	create("/p/a");
	create("/p/b");
	assert_int_equal(cgroup_write("/p", LIMIT, "256K"), 0);
	assert_int_equal(cgroup_write("/p/a", LIMIT, "192K"), 0);
	assert_int_equal(cgroup_write("/p/b", LIMIT, "192K"), 0);
	memcg_set_current(list_first(&memcg_of("p")->children, struct memcg, sibling));
	for (int i = 0; i < 12; i++)
		assert_non_null(page_alloc_charged(PAGE_KERNEL, 2, GFP_KERNEL));
	assert_null(page_alloc_charged(PAGE_KERNEL, 2, GFP_KERNEL));
	b = list_last(&memcg_of("p")->children, struct memcg, sibling);
	memcg_set_current(b);
	for (int i = 0; i < 4; i++)
		assert_non_null(page_alloc_charged(PAGE_KERNEL, 2, GFP_KERNEL));
	assert_null(page_alloc_charged(PAGE_KERNEL, 2, GFP_KERNEL));
	memcg_set_current(NULL);
	assert_string_equal(get("/p/a", FAILCNT), "1\n");
	assert_string_equal(get("/p/b", FAILCNT), "0\n");
	assert_string_equal(get("/p", FAILCNT), "1\n");
	assert_string_equal(get("/p/b", USAGE), "65536\n");
	assert_string_equal(get("/p", USAGE), "262144\n");
	assert_audit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_made_and_listed),
		cmocka_unit_test(paths_may_have_extra_slashes),
		cmocka_unit_test(bad_paths_get_their_errno),
		cmocka_unit_test(a_name_that_begins_another_is_another),
		cmocka_unit_test(removal_wants_no_children_and_no_members),
		cmocka_unit_test(a_charged_group_is_removed_at_once),
		cmocka_unit_test(a_groups_own_memory_is_its_parents_charge),
		cmocka_unit_test(who_makes_a_group_for_another_does_not_pay),
		cmocka_unit_test(every_failure_while_a_group_is_made_is_undone),
		cmocka_unit_test(a_child_joins_its_parents_group),
		cmocka_unit_test(attach_finds_its_process_or_says_esrch),
		cmocka_unit_test(what_a_task_was_charged_stays_when_it_moves),
		cmocka_unit_test(who_leaves_works_for_the_root),
		cmocka_unit_test(a_kill_reaches_the_whole_subtree_and_nobody_else),
		cmocka_unit_test(a_child_forked_while_its_group_is_killed_does_not_escape),
		cmocka_unit_test(a_killed_member_that_moves_still_dooms_its_children),
		cmocka_unit_test(a_deep_tree_is_killed_and_removed_without_recursion),
		cmocka_unit_test(pids_are_read_and_written),
		cmocka_unit_test(limits_are_parsed_like_memparse),
		cmocka_unit_test(the_root_takes_no_limit),
		cmocka_unit_test(unknown_and_one_way_controls),
		cmocka_unit_test(every_control_can_be_found_by_its_listed_name),
		cmocka_unit_test(a_limit_below_usage_is_busy),
		cmocka_unit_test(any_write_resets_max_usage_and_failcnt),
		cmocka_unit_test(slabinfo_is_the_groups_own_under_base_names),
		cmocka_unit_test(the_roots_slabinfo_has_every_cache),
		cmocka_unit_test(the_statistics_add_up_to_the_usage),
		cmocka_unit_test(force_empty_gives_back_what_is_unused),
		cmocka_unit_test(a_hierarchy_is_limited_at_every_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
