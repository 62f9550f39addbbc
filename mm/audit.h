/* SPDX-License-Identifier: MIT */
/* The audit: recount every charge from page, slab and owner data, compare with counters. */
#pragma once
#include "kernel/lib/fmt.h"
#include "mm/page.h"

struct memcg;

struct audit_result {
	unsigned nr_differences;	/* groups whose counter is not its recount */
	unsigned nr_broken;		/* invariants that do not hold */
	unsigned long nr_charged;	/* pages charged in all */
};

/* Run it; report lines into text (may be NULL). Allocates nothing. Returns true when clean. */
bool mm_audit(struct audit_result *result, struct textbuf *text);

size_t mm_frame_payers(pfn_t first, u64 *ids, size_t nr);

/* Pages charged to the group (NULL: all pages), or to its whole subtree, by kind. */
void mm_count_kinds(const struct memcg *memcg, bool subtree, unsigned long nr[PAGE_NR_KINDS]);
