/* SPDX-License-Identifier: MIT */
/* Kernel symbols by address. The table is made from the linked image by tools/ksym.py and
 * linked in by a second pass; before that pass it is empty. */
#pragma once
#include "kernel/lib/types.h"

const char *ksym_lookup(uintptr_t addr, size_t *offset);
void ksym_format(char *buf, size_t size, uintptr_t addr);
