/* SPDX-License-Identifier: MIT */
/* In-kernel tests: run on the real machine in debug images, reported as KTAP on the host
 * port. A test returns NULL, or says in words what it saw. */
#pragma once

struct selftest {
	const char *name;
	const char *(*run)(void);
};

#define EXPECT(cond) do { \
	if (!(cond)) \
		return "line " SELFTEST_STR(__LINE__) ": " #cond; \
} while (0)
#define SELFTEST_STR(x)		SELFTEST_STR2(x)
#define SELFTEST_STR2(x)	#x

extern const struct selftest selftests_mm[];	/* each ends with a NULL name */
extern const struct selftest selftests_sched[];
extern const struct selftest selftests_machine[];
extern const struct selftest selftests_sync[];
extern const struct selftest selftests_torture[];

extern const char *selftest_cmdline;	/* the boot's words: seed=, torture= */
