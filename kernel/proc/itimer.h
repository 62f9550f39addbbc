/* SPDX-License-Identifier: MIT */
/* Interval timers of a process: setitimer(2), alarm(2). */
#pragma once
#include "kernel/lib/list.h"

enum itimer_kind { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF, NR_ITIMERS };

struct tgroup;

struct itimer {
	struct tgroup *group;		/* [I] whose it is */
	enum itimer_kind kind;		/* [I] */
	struct list link;		/* [proc lock] in the list of armed ones */
	u64 look_at;			/* [proc lock] clock_ns() when it may be over */
	u64 expires;			/* [proc lock] by its own clock */
	u64 interval;			/* [proc lock] 0: once */
};

struct itimer_value {
	u64 left, interval;		/* ns; left 0: off */
};

void itimer_start_thread(void);		/* that looks at them. Panics without memory */
void itimer_init(struct tgroup *g);	/* all off */
void itimer_end_locked(struct tgroup *g);	/* all off: the process ends */
void itimer_set(enum itimer_kind kind, const struct itimer_value *value,
		struct itimer_value *old);	/* of the caller's process; value NULL: only look */
