/* SPDX-License-Identifier: MIT */
/* Where a group's K limit ends a fork bomb or a mkdir loop, computed before it starts. */
#pragma once

#define MAX_CACHES 96

/* One line of memory.kmem.slabinfo. */
struct cache_line {
	char name[64];
	long active, slabs;		/* objects handed out; slabs held */
	long per_slab, pages;		/* objects in a slab; pages of a slab */
};

struct listing {
	struct cache_line cache[MAX_CACHES];
	int nr;
};

/* What one more step (a child, a directory) takes. */
struct step {
	struct { char name[64]; double objects; } per[MAX_CACHES];
	int nr;
	long stack_pages, table_pages;	/* charged page by page */
	long transient_pages;		/* slabs a call needs while it runs */
	struct listing geometry;	/* of caches the group does not have yet */
};

void listing_parse(struct listing *l, const char *text);
const struct cache_line *listing_find(const struct listing *l, const char *name);

/* Objects of one step, from the listings before and after nr_steps of them. */
void step_measure(struct step *s, const struct listing *before, const struct listing *after,
		  long nr_steps);

/* Page tables of a process that runs the ELF file at path and has touched nothing but its
 * image and its stack: a root, and one table for each 512 GiB, 1 GiB and 2 MiB region in use.
 * -1 when the file cannot be read. */
long elf_table_pages(const char *path);

/* Pages of the group after n steps, from its usage and listing at the start. */
long pages_after(const struct step *s, const struct listing *start, long usage_pages, long n);

/* The largest n that fits. */
long predict_steps(const struct step *s, const struct listing *start, long usage_pages,
		   long limit_pages);
