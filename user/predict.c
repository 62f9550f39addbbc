/* SPDX-License-Identifier: MIT */
#include "predict.h"
#include "common.h"
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

void listing_parse(struct listing *l, const char *text)
{
	memset(l, 0, sizeof(*l));
	while (*text && l->nr < MAX_CACHES) {
		struct cache_line *c = &l->cache[l->nr];
		const char *eol = strchr(text, '\n');
		long objects, size, active_slabs;

		if (*text != '#' && sscanf(text, "%63s %ld %ld %ld %ld %ld : tunables %*d %*d %*d"
					   " : slabdata %ld %ld", c->name, &c->active, &objects, &size,
					   &c->per_slab, &c->pages, &active_slabs, &c->slabs) == 8)
			l->nr++;
		if (!eol)
			break;
		text = eol + 1;
	}
}

const struct cache_line *listing_find(const struct listing *l, const char *name)
{
	for (int i = 0; i < l->nr; i++)
		if (!strcmp(l->cache[i].name, name))
			return &l->cache[i];
	return NULL;
}

void step_measure(struct step *s, const struct listing *before, const struct listing *after,
		  long nr_steps)
{
	s->nr = 0;
	s->transient_pages = 0;
	s->geometry = *after;
	for (int i = 0; i < after->nr; i++) {
		const struct cache_line *c = &after->cache[i];
		const struct cache_line *old = listing_find(before, c->name);
		long more = c->active - (old ? old->active : 0);

		if (more > 0) {
			strcpy(s->per[s->nr].name, c->name);
			s->per[s->nr++].objects = (double)more / (double)nr_steps;
		} else if (c->slabs > (old ? old->slabs : 0)) {
			s->transient_pages += (c->slabs - (old ? old->slabs : 0)) * c->pages;
		}
	}
}

long pages_after(const struct step *s, const struct listing *start, long usage_pages, long n)
{
	long pages = usage_pages + n * (s->stack_pages + s->table_pages);

	for (int i = 0; i < s->nr; i++) {
		const struct cache_line *have = listing_find(start, s->per[i].name);
		const struct cache_line *shape = listing_find(&s->geometry, s->per[i].name);
		double objects = (have ? (double)have->active : 0) + (double)n * s->per[i].objects;
		long slabs = ((long)objects + shape->per_slab - 1) / shape->per_slab;
		long old = have ? have->slabs : 0;

		if (slabs > old)
			pages += (slabs - old) * shape->pages;
	}
	return pages;
}

long predict_steps(const struct step *s, const struct listing *start, long usage_pages,
		   long limit_pages)
{
	long low = 0, high = 1;

	limit_pages -= s->transient_pages;
	if (s->nr == 0 && s->stack_pages + s->table_pages == 0)
		return -1;
	while (pages_after(s, start, usage_pages, high) <= limit_pages)
		high *= 2;
	while (high - low > 1) {
		long middle = (low + high) / 2;

		if (pages_after(s, start, usage_pages, middle) <= limit_pages)
			low = middle;
		else
			high = middle;
	}
	return low;
}

#define MAX_REGIONS 1024

static int region_cmp(unsigned long a, const unsigned long *set, int nr)
{
	for (int i = 0; i < nr; i++)
		if (set[i] == a)
			return 1;
	return 0;
}

/* Distinct regions of 1 << shift bytes that the ranges touch. */
static long count_regions(const unsigned long (*range)[2], int nr, int shift)
{
	static unsigned long set[MAX_REGIONS];
	int found = 0;

	for (int i = 0; i < nr; i++)
		for (unsigned long r = range[i][0] >> shift;
		     r <= (range[i][1] - 1) >> shift && found < MAX_REGIONS; r++)
			if (!region_cmp(r, set, found))
				set[found++] = r;
	return found;
}

long elf_table_pages(const char *path)
{
	static char head[PAGE_BYTES] __attribute__((aligned(16)));
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)head;
	unsigned long range[18][2], here = (unsigned long)__builtin_frame_address(0);
	int fd = open(path, O_RDONLY), nr = 0;
	ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof(head));

	close(fd);
	if (n < (ssize_t)sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) ||
	    eh->e_phoff + eh->e_phnum * sizeof(Elf64_Phdr) > (unsigned long)n)
		return -1;
	for (int i = 0; i < eh->e_phnum && nr < 16; i++) {
		const Elf64_Phdr *ph = (const Elf64_Phdr *)(head + eh->e_phoff) + i;

		if (ph->p_type != PT_LOAD)
			continue;
		range[nr][0] = ph->p_vaddr;
		range[nr++][1] = ph->p_vaddr + ph->p_memsz;
	}
	range[nr][0] = here & ~(PAGE_BYTES - 1ul);	/* all programs' stacks end alike */
	range[nr][1] = range[nr][0] + PAGE_BYTES;
	nr++;
	return 1 + count_regions(range, nr, 39) + count_regions(range, nr, 30) +
	       count_regions(range, nr, 21);
}
