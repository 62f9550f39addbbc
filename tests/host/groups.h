/* SPDX-License-Identifier: MIT */
/* For tests of accounting: include after tests/host/host.h. */
#pragma once
#include "mm/audit.h"
#include "mm/kmem_impl.h"
#include "mm/kstack.h"
#include "mm/memcg.h"
#include "mm/work.h"

static inline char *audit_text(bool *clean)
{
	static char buf[65536];
	struct textbuf text = { buf, sizeof(buf) - 1, 0 };

	*clean = mm_audit(NULL, &text);
	buf[MIN(text.len, sizeof(buf) - 1)] = '\0';
	return buf;
}

/* The audit must be clean. */
static inline void assert_audit(void)
{
	bool clean;
	char *text = audit_text(&clean);

	if (!clean)
		fail_msg("%s", text);
}

/* The audit must not be clean, and say this. */
static inline void assert_audit_says(const char *needle)
{
	bool clean;
	char *text = audit_text(&clean);

	assert_false(clean);
	host_assert_has(text, needle);
}

static inline void run_work(void)
{
	while (work_run_one())
		;
}

static inline unsigned long usage(const struct memcg *m)
{
	return page_counter_read(&m->kmem);
}

static inline unsigned long failcnt(const struct memcg *m)
{
	return (unsigned long)atomic_load(&m->kmem.failcnt);
}

/* A group below parent, of at most nr_pages; 0: no limit was ever written. Its own memory is
 * charged to nobody, so that tests can count pages. */
static inline struct memcg *group(struct memcg *parent, const char *name, unsigned long nr_pages)
{
	struct memcg *m;

	memcg_kmem_skip_begin();
	m = memcg_create(parent, name);
	memcg_kmem_skip_end();
	assert_non_null(m);
	if (nr_pages)
		assert_int_equal(memcg_set_kmem_limit(m, nr_pages), 0);
	return m;
}

/* A cache on the list of all caches, or NULL. */
static inline struct kmem_cache *cache_named(const char *name)
{
	struct kmem_cache *cache;

	list_for_each(cache, &kmem_caches, link) {
		if (!strcmp(cache->name, name))
			return cache;
	}
	return NULL;
}
