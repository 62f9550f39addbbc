/* SPDX-License-Identifier: MIT */
/* Words of the boot command line: key=value, separated by blanks; the last one counts. */
#pragma once
#include "kernel/lib/types.h"

u64 cmdline_number(const char *cmdline, const char *key, u64 fallback);
bool cmdline_string(const char *cmdline, const char *key, char *out, size_t size);
