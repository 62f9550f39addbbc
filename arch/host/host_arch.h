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

/*
 * The CPUs that are online: somebody answers for them at safe points. That is each thread's own
 * CPU and those put online here; none at first, so that one thread that plays several CPUs in
 * turn (host_cpu() of tests/host) never waits for one of them.
 */
void host_set_online(u64 mask);

/* This thread is that CPU from now on, and the CPU is online until host_detach(). It must then
 * poll as CPUs do (safepoint_poll(), or between safepoint_idle_enter() and _exit()). */
void host_attach(unsigned cpu);
void host_detach(void);

/* Have hook(cpu) called when an interrupt is sent to cpu, on the sender's thread; NULL: nobody.
 * At safe points that is where the sender begins to wait for cpu. */
void host_on_send(void (*hook)(unsigned cpu));

/* How often all CPUs forgot their kernel translations. */
unsigned long host_nr_kernel_flushes(void);

/* CPUs this machine has, 1 .. NR_CPUS. */
void host_set_cpu_count(unsigned cpus);
