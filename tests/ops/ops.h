/* SPDX-License-Identifier: MIT */
/*
 * One interpreter of memory operations with a model beside it. The same byte stream drives
 * unit tests and the fuzzer on the host and the stress at boot; SLAB and SLUB are compared
 * on equal streams by their digests.
 */
#pragma once
#include "kernel/lib/types.h"

enum op {
	OP_CACHE_ALLOC, OP_CACHE_FREE, OP_KMALLOC, OP_KFREE, OP_PAGE_ALLOC, OP_PAGE_FREE,
	OP_GROUP_CREATE, OP_GROUP_REMOVE, OP_GROUP_ENTER, OP_SET_LIMIT, OP_SHRINK, OP_CPU,
	OP_FAIL_NTH, OP_AUDIT, OP_NR,
};

struct ops_result {
	unsigned long ok[OP_NR], failed[OP_NR];	/* outcomes by kind */
	u64 digest;			/* of every outcome a caller can see */
	const char *error;		/* NULL, or what the model saw go wrong */
	size_t at;			/* byte of the stream where it did */
};

#define OPS_NO_FAILURES	1u		/* leave out limits and injected failures */

extern const char *const op_names[OP_NR];

/* Run the stream; everything it made is freed again and the audit run before returning.
 * set_cpu may be NULL: operations stay on this CPU. */
void ops_run(const u8 *stream, size_t bytes, unsigned flags, void (*set_cpu)(unsigned),
	     struct ops_result *result);

/* Fill a stream from a seed. */
void ops_random_stream(u8 *stream, size_t bytes, u64 seed);
