/* SPDX-License-Identifier: MIT */
/*
 * The harness of the host tests. Include this first: it brings libc, cmocka and the kernel's
 * headers in the one order that works.
 *
 *	HOST_TEST(name)
 *	{
 *		host_machine(64, 2);
 *		...
 *	}
 *
 *	int main(void)
 *	{
 *		const struct CMUnitTest tests[] = { cmocka_unit_test(name), };
 *
 *		return cmocka_run_group_tests(tests, NULL, NULL);
 *	}
 *
 * Each HOST_TEST runs in a process of its own, so every test starts from the kernel's
 * pristine statics; what it asserts, panics about or breaks under a sanitizer fails it alone.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "arch/cpu.h"
#include "arch/memmap.h"
#include "arch/host/host_arch.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"

#define HOST_TEST(name) \
	static void name##_body(void); \
	static void name(void **state) \
	{ \
		(void)state; \
		host_run(#name, name##_body); \
	} \
	static void name##_body(void)

/* Run fn in a child process; fail the test that calls this when the child fails. */
void host_run(const char *name, void (*fn)(void));

/* A fresh machine of mib MiB and cpus CPUs on which page, kmem and memcg have been started;
 * once in a test. _bare stops after the log and panic hook: RAM, but no allocator. */
void host_machine(unsigned mib, unsigned cpus);
void host_machine_bare(unsigned mib, unsigned cpus);
void host_early(unsigned mib);		/* early_init() with a PC's usual ranges */

/* What follows runs on CPU n. */
void host_cpu(unsigned n);

/* The n-th page allocation from now fails, once (1: the next one). 0: none. */
void host_fail_after(long n);

/* Run fn in a child, on a copy of this machine. It must panic, and its log must hold needle.
 * Returns the child's log (static storage), the panic's reason included. */
const char *host_expect_panic(void (*fn)(void), const char *needle);

/* Fail with the whole text unless it holds needle. */
void host_assert_has(const char *text, const char *needle);

/* The whole kernel log of this machine so far (static storage). */
const char *host_log(void);

/* A small generator, the same stream for the same seed. */
static inline u32 host_random(u64 *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(*seed >> 33);
}
