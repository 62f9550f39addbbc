/* SPDX-License-Identifier: MIT */
/*
 * Contract: calling a signal handler. The kernel leaves on the program's stack all that the
 * program was about (registers, FPU, blocked signals), in the layout that programs know, and
 * lets the handler begin; the handler returns into code that asks for all of it back.
 */
#pragma once
#include "arch/trap.h"

#define SIGINFO_BYTES	128		/* siginfo_t */

struct sigframe {
	int sig;
	uaddr_t handler, restorer;	/* restorer: where the handler returns to */
	uaddr_t stack;			/* top of another stack to use, 0: the program's own */
	uaddr_t stack_floor;		/* the frame must not go below */
	uaddr_t fault_addr;		/* if the signal is for a fault */
	u64 blocked;			/* signals to block again afterwards */
	uaddr_t alt_sp;			/* sigaltstack() as it is, to be put back */
	size_t alt_bytes;
	u32 alt_flags;
	const void *info;		/* the first bytes of a siginfo_t; NULL: not asked for */
	size_t info_bytes;
	void *fpu;			/* room for an FPU image, at the thread's disposal */
};

/* Put the frame on the stack and make r the handler's start, with a fresh FPU. Returns 0, or
 * -EFAULT: no such stack, or no restorer; the program cannot go on. Context: may sleep. */
int sigframe_push(struct regs *r, const struct sigframe *f) must_check;

/* Take back what the stack pointer of r points behind: r, the FPU, and in *f blocked and alt_*.
 * Nothing of it is trusted. Returns 0 or -EFAULT. Context: may sleep. */
int sigframe_pop(struct regs *r, struct sigframe *f) must_check;
