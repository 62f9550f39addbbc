/* SPDX-License-Identifier: MIT */
/* The self-test thread: runs each table, prints KTAP, ends each test with the audit. */
#include "tests/kernel/selftest.h"
#include "arch/machine.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/sched/thread.h"
#include "kernel/selftest.h"
#include "kernel/sync/lockstat.h"
#include "mm/audit.h"

const char *selftest_cmdline;

static unsigned nr_run, nr_failed;

static void ktap_line(const char *fmt, ...) printf_like(1, 2);

static void ktap_line(const char *fmt, ...)
{
	char line[300];
	va_list args;

	va_start(args, fmt);
	fmt_vprint(line, sizeof(line), fmt, args);
	va_end(args);
	log_info("%s", line);
	if (host_present())
		host_send(HOST_KTAP, line, str_len(line));
}

static void run_table(const struct selftest *table)
{
	struct audit_result audit;

	for (; table->name; table++) {
		const char *why = table->run();

		if (!why && !mm_audit(&audit, NULL))
			why = "the audit is not clean afterwards";
		nr_run++;
		if (why)
			nr_failed++;
		ktap_line("%s %u %s%s%s", why ? "not ok" : "ok", nr_run, table->name,
			  why ? " # " : "", why ? why : "");
	}
}

static void selftest_main(void *unused)
{
	u32 status;

	(void)unused;
	ktap_line("KTAP version 1");
	run_table(selftests_machine);
	run_table(selftests_sync);
	run_table(selftests_mm);
	run_table(selftests_sched);
	run_table(selftests_torture);
	ktap_line("1..%u", nr_run);
	lockstat_print();
	status = nr_failed ? 1u << 8 : 0;
	if (host_present())
		host_send(HOST_STATUS, &status, sizeof(status));
	machine_exit();
}

/* Start the self-tests as a kernel thread; cmdline stays. Context: boot. */
void selftest_start(const char *cmdline)
{
	int err;

	selftest_cmdline = cmdline;
	err = thread_spawn_kernel("selftest", selftest_main, NULL);
	BUG_ON(err);
}
