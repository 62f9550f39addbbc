/* SPDX-License-Identifier: MIT */
/* The operation interpreter on the host: seeded streams on one CPU and many. With --digest it
 * prints what a caller could see of failure-free streams, to compare the two backends. */
#include "tests/host/host.h"
#include "tests/ops/ops.h"

#define STREAM_BYTES 40000

static u8 stream[STREAM_BYTES];
static unsigned nr_cpus = 1;

static void switch_cpu(unsigned n)
{
	host_cpu(n % nr_cpus);
}

static struct ops_result run_seed(u64 seed, unsigned flags)
{
	struct ops_result result;

	ops_random_stream(stream, sizeof(stream), seed);
	ops_run(stream, sizeof(stream), flags, switch_cpu, &result);
	if (result.error)
		fail_msg("seed %lu, byte %zu: %s", (unsigned long)seed, result.at, result.error);
	return result;
}

static void run_seeds(unsigned cpus, unsigned flags)
{
	host_machine(64, cpus);
	nr_cpus = cpus;
	for (u64 seed = 1; seed <= 6; seed++)
		(void)run_seed(seed, flags);
}

HOST_TEST(streams_on_one_cpu)
{
	run_seeds(1, OPS_NO_FAILURES);
}

HOST_TEST(streams_on_four_cpus)
{
	run_seeds(4, OPS_NO_FAILURES);
}

HOST_TEST(streams_with_limits_and_failures_on_one_cpu)
{
	run_seeds(1, 0);
}

HOST_TEST(streams_with_limits_and_failures_on_four_cpus)
{
	run_seeds(4, 0);
}

HOST_TEST(every_operation_succeeds_and_fails)
{
	unsigned long ok[OP_NR] = { 0 }, failed[OP_NR] = { 0 };

	host_machine(64, 2);
	nr_cpus = 2;
	for (u64 seed = 100; seed < 108; seed++) {
		struct ops_result r = run_seed(seed, 0);

		for (unsigned i = 0; i < OP_NR; i++) {
			ok[i] += r.ok[i];
			failed[i] += r.failed[i];
		}
	}
	for (unsigned i = 0; i < OP_NR; i++)
		printf("%-14s %8lu ok %8lu failed\n", op_names[i], ok[i], failed[i]);
	for (enum op i = OP_CACHE_ALLOC; i <= OP_SET_LIMIT; i++)
		assert_true(ok[i] >= 20);
	assert_true(failed[OP_CACHE_ALLOC] >= 20);
	assert_true(failed[OP_KMALLOC] >= 20);
	assert_true(failed[OP_PAGE_ALLOC] >= 20);
	assert_true(failed[OP_SET_LIMIT] >= 20);
}

static int print_digests(void)
{
	host_machine(64, 4);
	nr_cpus = 4;
	for (u64 seed = 1; seed <= 10; seed++)
		printf("seed %lu digest %016lx\n", (unsigned long)seed,
		       (unsigned long)run_seed(seed, OPS_NO_FAILURES).digest);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_on_one_cpu),
		cmocka_unit_test(streams_on_four_cpus),
		cmocka_unit_test(streams_with_limits_and_failures_on_one_cpu),
		cmocka_unit_test(streams_with_limits_and_failures_on_four_cpus),
		cmocka_unit_test(every_operation_succeeds_and_fails),
	};

	if (argc > 1 && strcmp(argv[1], "--digest") == 0)
		return print_digests();
	return cmocka_run_group_tests_name("ops", tests, NULL, NULL);
}
