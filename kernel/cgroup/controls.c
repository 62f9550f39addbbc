/* SPDX-License-Identifier: MIT */
/*
 * The control files of a group: one table of names, each with what reading and writing do.
 * Whatever offers controls to users (system calls, a file system) serves this table, so two
 * ways in can never disagree. Sizes are bytes outside and pages inside.
 */
#include "arch/memmap.h"
#include "kernel/cgroup/cgroup.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/audit.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static const char *skip_spaces(const char *s)
{
	while (is_space(*s))
		s++;
	return s;
}

/* A size as users write it, in whole pages, rounded up: 4096, 4K, 1m, 2G; -1: unlimited. */
static int parse_pages(const char *text, unsigned long *nr_pages)
{
	const char *s = skip_spaces(text);
	u64 bytes;

	if (s[0] == '-' && s[1] == '1' && !*skip_spaces(s + 2)) {
		*nr_pages = COUNTER_MAX;
		return 0;
	}
	if (str_to_size(s, &s, &bytes) || *skip_spaces(s))
		return -EINVAL;
	*nr_pages = MIN(bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0), COUNTER_MAX);
	return 0;
}

static long print_number(char *buf, size_t size, unsigned long n)
{
	struct textbuf text = { buf, size, 0 };

	text_print(&text, "%lu\n", n);
	return (long)text.len;
}

static long usage_read(struct cgroup *g, char *buf, size_t size)
{
	return print_number(buf, size, page_counter_read(&g->memcg->kmem) * PAGE_SIZE);
}

static long limit_read(struct cgroup *g, char *buf, size_t size)
{
	unsigned long limit = (unsigned long)atomic_load(&g->memcg->kmem.limit);

	return print_number(buf, size, limit * PAGE_SIZE);
}

static int limit_write(struct cgroup *g, const char *text)
{
	unsigned long nr_pages;
	int err = parse_pages(text, &nr_pages);

	return err ? err : memcg_set_kmem_limit(g->memcg, nr_pages);
}

static long max_usage_read(struct cgroup *g, char *buf, size_t size)
{
	unsigned long high = (unsigned long)atomic_load(&g->memcg->kmem.watermark);

	return print_number(buf, size, high * PAGE_SIZE);
}

static int max_usage_write(struct cgroup *g, const char *text)
{
	(void)text;
	page_counter_reset_watermark(&g->memcg->kmem);
	return 0;
}

static long failcnt_read(struct cgroup *g, char *buf, size_t size)
{
	return print_number(buf, size, (unsigned long)atomic_load(&g->memcg->kmem.failcnt));
}

static int failcnt_write(struct cgroup *g, const char *text)
{
	(void)text;
	atomic_store(&g->memcg->kmem.failcnt, 0);
	return 0;
}

static long slabinfo_read(struct cgroup *g, char *buf, size_t size)
{
	if (g == &root_cgroup)
		return (long)kmem_slabinfo(NULL, buf, size);
	if (!g->memcg->accounted)
		return -EIO;
	return (long)kmem_slabinfo(g->memcg, buf, size);
}

static void print_stat(struct textbuf *text, const char *prefix, struct memcg *m, bool subtree)
{
	unsigned long nr[PAGE_NR_KINDS], other;

	mm_count_kinds(m, subtree, nr);
	other = nr[PAGE_KERNEL] + nr[PAGE_LARGE] + nr[PAGE_PIPE] + nr[PAGE_FILE];
	text_print(text, "%skernel_stack %lu\n", prefix, nr[PAGE_STACK] * PAGE_SIZE);
	text_print(text, "%spagetables %lu\n", prefix, nr[PAGE_TABLE] * PAGE_SIZE);
	text_print(text, "%sslab_unreclaimable %lu\n", prefix, nr[PAGE_SLAB] * PAGE_SIZE);
	text_print(text, "%skernel_other %lu\n", prefix, other * PAGE_SIZE);
}

static long stat_read(struct cgroup *g, char *buf, size_t size)
{
	struct textbuf text = { buf, size, 0 };

	print_stat(&text, "", g->memcg, false);
	text_print(&text, "kmem_forced %lu\n",
		   (unsigned long)atomic_load(&g->memcg->nr_forced) * PAGE_SIZE);
	print_stat(&text, "total_", g->memcg, true);
	text_print(&text, "total_kmem_forced %lu\n",
		   (unsigned long)atomic_load(&g->memcg->kmem.forced) * PAGE_SIZE);
	return (long)text.len;
}

static int force_empty_write(struct cgroup *g, const char *text)
{
	(void)text;
	memcg_shrink(g->memcg);
	return 0;
}

static long tasks_read(struct cgroup *g, char *buf, size_t size)
{
	struct textbuf text = { buf, size, 0 };

	cgroup_print_pids_locked(g, &text);
	return (long)text.len;
}

static int tasks_write(struct cgroup *g, const char *text)
{
	const char *s = skip_spaces(text);
	u64 pid;

	if (str_to_u64(s, &s, &pid) || *skip_spaces(s) || pid > INT32_MAX)
		return -EINVAL;
	return cgroup_attach_locked(g, (int)pid);
}

static const struct control controls[] = {
	{ "tasks", tasks_read, tasks_write },
	{ "cgroup.procs", tasks_read, tasks_write },
	{ "memory.kmem.usage_in_bytes", usage_read, NULL },
	{ "memory.kmem.limit_in_bytes", limit_read, limit_write },
	{ "memory.kmem.max_usage_in_bytes", max_usage_read, max_usage_write },
	{ "memory.kmem.failcnt", failcnt_read, failcnt_write },
	{ "memory.kmem.slabinfo", slabinfo_read, NULL },
	{ "memory.stat", stat_read, NULL },
	{ "memory.force_empty", NULL, force_empty_write },
};

_Static_assert(ARRAY_SIZE(controls) <= CGROUP_CONTROLS_MAX, "a group has owners for all");

/* The i-th control, or NULL: there are no more. Context: any. */
const struct control *control_at(unsigned i)
{
	return i < ARRAY_SIZE(controls) ? &controls[i] : NULL;
}

/* The number of the control of that name, or -ENOENT. Context: any. */
int control_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
		if (str_eq(controls[i].name, name))
			return (int)i;
	}
	return -ENOENT;
}

/* All names into buf, one a line, no NUL. Returns the whole length; stores at most size
 * bytes. Context: any. */
size_t control_names(char *buf, size_t size)
{
	struct textbuf text = { buf, size, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(controls); i++)
		text_print(&text, "%s\n", controls[i].name);
	return text.len;
}
