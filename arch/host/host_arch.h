/* SPDX-License-Identifier: MIT */
/* What tests may do to the host's machine, beyond the contract of arch/. Tests only. */
#pragma once
#include "kernel/lib/compiler.h"

/* Make RAM of bytes (all zero) and an empty stack area. Once in a process. */
void host_ram_create(u64 bytes);

/* Give this process its own copy of RAM and stack area, at the same addresses: after a
 * fork(), so that parent and child stop sharing them. */
void host_ram_unshare(void);

u64 host_ram_bytes(void);

/* CPUs this machine has, 1 .. NR_CPUS. */
void host_set_cpu_count(unsigned cpus);
