/* SPDX-License-Identifier: MIT */
/* Work handed to a thread: the only way mm reaches task context (hook set by main). */
#pragma once
#include "kernel/lib/list.h"

struct work {
	struct list link;
	void (*fn)(struct work *work);
	bool queued;
};

void work_init(struct work *work, void (*fn)(struct work *work));
void work_queue(struct work *work);	/* any context but interrupts; no-op when queued */
bool work_run_one(void);		/* called by the worker thread; false: nothing to do */
bool work_idle(void);		/* nothing is queued, nothing is being done */
void work_set_wake(void (*wake)(void));
