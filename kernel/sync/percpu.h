/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU data: an array of one cache-line aligned element per possible CPU, indexed by
 * cpu_id(). The kernel is not preemptible and interrupt handlers keep out of mm, so the
 * owner's access needs no lock and no interrupt masking. Key letter in structs: [c].
 */
#pragma once
#include "arch/cpu.h"
#include "kernel/lib/compiler.h"

#define this_cpu(array)	(&(array)[cpu_id()])
#define for_each_cpu(i)	for (unsigned i = 0; i < cpu_count(); i++)
