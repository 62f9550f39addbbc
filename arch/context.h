/* SPDX-License-Identifier: MIT */
/* Contract: switching between kernel stacks, and the user state beside the registers. */
#pragma once
#include "arch/trap.h"

/* struct context { void *sp; }: a thread that is not running: its saved kernel stack. */
struct context {
	void *sp;
};

#define FPU_STATE_BYTES	512		/* FXSAVE image, 16-byte aligned */
#define FPU_STATE_ALIGN	64

/* Save callee-saved registers on this stack, switch to next, return there.
 * Context: interrupts off. Returns (later) to the caller in its own thread. */
void context_switch(struct context *prev, struct context *next);

/* Make ctx start fn(arg) on the stack whose top is stack_top (fn never returns). It starts
 * with interrupts off. */
void context_init(struct context *ctx, void *stack_top, void (*fn)(void *), void *arg);

/* The user registers live at the top of a user thread's kernel stack. */
struct regs *context_user_regs(void *stack_top);

/* Leave the kernel with the registers at the top of this thread's stack. Calls
 * upcall_user_return() first, as every way to user mode does. */
noreturn void context_enter_user(void *stack_top);

/* Make stack_top the stack for entries from user mode on this CPU. */
void context_set_kernel_stack(void *stack_top);

/* FPU/SSE registers: fresh image, save, load. */
void fpu_init_state(void *state);
void fpu_save(void *state);
void fpu_load(const void *state);

/* Which exceptions an image says were raised and not masked: bits in the order of IEEE 754's
 * invalid, (denormal,) divide, overflow, underflow, inexact. */
unsigned fpu_raised(const void *state);

/* TLS base (arch_prctl ARCH_SET_FS). */
void context_set_tls(uaddr_t base);
