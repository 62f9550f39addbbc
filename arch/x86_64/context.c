/* SPDX-License-Identifier: MIT */
/* New kernel stacks and the user state beside the registers. The kernel itself uses general
 * registers only, so the FPU's stay the user's until the next thread's are loaded. */
#include "arch/context.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/string.h"

#define MSR_FS_BASE	0xc0000100

extern char context_start[];

/* What context_switch() pops, lowest address first. */
struct switch_frame {
	u64 r15, r14, r13, r12, rbx, rbp;
	u64 rip;
};

/* Make ctx start fn(arg) on this stack, below the place of the user registers.
 * Context: any; the stack is the caller's. */
void context_init(struct context *ctx, void *stack_top, void (*fn)(void *), void *arg)
{
	struct switch_frame *frame = (void *)context_user_regs(stack_top);

	frame--;
	*frame = (struct switch_frame){
		.r12 = (u64)fn, .r13 = (u64)arg, .rip = (u64)context_start,
	};
	ctx->sp = frame;
}

/* The user registers of the thread whose kernel stack ends at stack_top. */
struct regs *context_user_regs(void *stack_top)
{
	return (struct regs *)stack_top - 1;
}

/* Entries from user mode on this CPU start at stack_top from now on.
 * Context: interrupts off, as part of a thread switch. */
void context_set_kernel_stack(void *stack_top)
{
	cpu_set_entry_stack((uintptr_t)stack_top);
}

/* A fresh FXSAVE image: x87 and SSE exceptions masked, all else zero, as Linux starts
 * programs. */
void fpu_init_state(void *state)
{
	memset(state, 0, FPU_STATE_BYTES);
	*(u16 *)state = 0x37f;			/* FCW */
	*(u32 *)((char *)state + 24) = 0x1f80;	/* MXCSR */
}

/* Store this CPU's FPU registers. */
void fpu_save(void *state)
{
	__asm__ volatile("fxsave64 %0" : "=m"(*(char (*)[FPU_STATE_BYTES])state));
}

/* Load this CPU's FPU registers. */
void fpu_load(const void *state)
{
	__asm__ volatile("fxrstor64 %0" :: "m"(*(const char (*)[FPU_STATE_BYTES])state));
}

/* Unmasked exceptions of x87 (control and status word) and SSE (MXCSR), whose bits agree. */
unsigned fpu_raised(const void *state)
{
	const u16 *x87 = state;
	u32 mxcsr = *(const u32 *)((const char *)state + 24);

	return ((x87[1] & ~x87[0]) | (mxcsr & ~(mxcsr >> 7))) & 0x3f;
}

/* Set the FS base. base must be a user address: WRMSR faults on a non-canonical one. */
void context_set_tls(uaddr_t base)
{
	wrmsr(MSR_FS_BASE, base);
}
