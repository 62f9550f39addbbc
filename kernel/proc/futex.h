/* SPDX-License-Identifier: MIT */
/* Sleeping on a word of user memory. See futex.c. */
#pragma once
#include "kernel/proc/proc.h"

#define FUTEX_FOREVER	SLEEP_FOREVER
#define FUTEX_ANY	0xffffffffu	/* the bitset that meets every other */

struct futex {
	uaddr_t word;
	bool private;			/* known to lie in memory that other processes do not share */
};

void futex_init(void);
int futex_wait(struct futex f, u32 value, u32 bits, u64 deadline_ns) must_check;
int futex_wake(struct futex f, int nr, u32 bits) must_check;

struct futex_move {
	int nr_wake, nr_move;
	bool compare;			/* only while the first word is `value` */
	u32 value;
};

int futex_requeue(struct futex from, struct futex to, const struct futex_move *move) must_check;
/* What FUTEX_WAKE_OP does to its second word. */
struct futex_op {
	unsigned op, compare;		/* FUTEX_OP_*, FUTEX_OP_CMP_* */
	u32 operand;
	s32 against;
};

int futex_wake_op(struct futex f, struct futex second, int nr, int nr_second,
		  const struct futex_op *op) must_check;
void futex_task_end(struct proc *p);	/* its robust list and its clear_tid word */
