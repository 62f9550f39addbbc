/* SPDX-License-Identifier: MIT */
/* Time used by CPUs and threads, and the load averages. See load.c. */
#pragma once
#include "kernel/sched/thread.h"

#define LOAD_SHIFT	11

struct cpu_times {
	u64 user_ns, kernel_ns, idle_ns;
	u64 nr_switches;
};

struct runq;

void load_tick_locked(struct runq *rq, bool user);
void load_tick_machine(void);
void load_averages(u64 out[3]);
void load_cpu_times(unsigned cpu, struct cpu_times *out);
unsigned sched_nr_running(void);
u64 thread_user_ns(const struct thread *t);
