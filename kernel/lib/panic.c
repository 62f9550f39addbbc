/* SPDX-License-Identifier: MIT */
/* panic(): stop the other CPUs, say why in words, then hand over to the machine's hook, which prints registers
 * and backtrace and never returns. */
#include "kernel/lib/panic.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/log.h"

static void (*panic_begin)(void);
static void (*panic_hook)(const char *reason);

/* Register what comes before the message: it lets one CPU through. Context: boot, once. */
void panic_set_begin(void (*begin)(void))
{
	panic_begin = begin;
}

/* Register what follows the message: it must not return. Context: boot, once. */
void panic_set_hook(void (*hook)(const char *reason))
{
	panic_hook = hook;
}

/* Stop the machine. fmt says what went wrong, in words a student can act on.
 * Context: any; takes no lock; a panic within a panic goes straight to the hook. */
void panic(const char *fmt, ...)
{
	static char reason[512];
	static bool panicking;
	va_list args;

	if (panic_begin)
		panic_begin();
	if (!panicking) {
		panicking = true;
		va_start(args, fmt);
		fmt_vprint(reason, sizeof(reason), fmt, args);
		va_end(args);
		log_info("PANIC: %s", reason);
	}
	if (panic_hook)
		panic_hook(reason);
	for (;;)
		__builtin_trap();
}
