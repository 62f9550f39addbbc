/* SPDX-License-Identifier: MIT */
/* libFuzzer drives the operation interpreter; the input is the stream, its first byte the
 * flags. The machine is made once: every run gives back all it took, which ops_run() checks. */
#include "tests/host/host.h"
#include "tests/ops/ops.h"

static void switch_cpu(unsigned n)
{
	host_cpu(n % 4);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	host_machine(32, 4);
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct ops_result result;

	if (bytes == 0)
		return 0;
	ops_run(data + 1, bytes - 1, data[0] & 1 ? OPS_NO_FAILURES : 0, switch_cpu, &result);
	if (result.error) {
		fprintf(stderr, "byte %zu: %s\n", result.at + 1, result.error);
		abort();
	}
	return 0;
}
