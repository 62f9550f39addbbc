/* SPDX-License-Identifier: MIT */
/* Structs and constants of Linux's signals and interval timers. */
#pragma once
#include "kernel/lib/types.h"

#define SIGSET_BYTES	8
#define SIGINFO_BYTES	128

#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2

struct linux_sigaction {
	u64 handler, flags, restorer, mask;
};
_Static_assert(sizeof(struct linux_sigaction) == 32, "struct kernel_sigaction");

struct linux_stack {
	u64 sp;
	u32 flags, pad;
	u64 bytes;
};
_Static_assert(sizeof(struct linux_stack) == 24, "stack_t");
