/* SPDX-License-Identifier: MIT */
/* x86_64 half of arch/trap.h: what entry.asm pushes, lowest address first. */
#pragma once
#include "kernel/lib/compiler.h"

#define KERNEL_CS	0x08u		/* selectors: see the GDT in cpu.c */
#define KERNEL_SS	0x10u
#define USER_SS		0x23u
#define USER_CS		0x2bu

#define VECTOR_SYSCALL	256u		/* in regs.vector only: no interrupt at all */

struct regs {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector;
	u64 error;			/* error code; the number of a system call */
	u64 rip, cs, rflags, rsp, ss;	/* pushed by the CPU */
};

_Static_assert(sizeof(struct regs) == 176, "known to entry.asm");

static inline uintptr_t regs_ip(const struct regs *r)
{
	return r->rip;
}

static inline uintptr_t regs_sp(const struct regs *r)
{
	return r->rsp;
}

static inline void regs_set_ip(struct regs *r, uintptr_t ip)
{
	r->rip = ip;
}

static inline void regs_set_sp(struct regs *r, uintptr_t sp)
{
	r->rsp = sp;
}

static inline long regs_ret(const struct regs *r)
{
	return (long)r->rax;
}

static inline void regs_set_ret(struct regs *r, long ret)
{
	r->rax = (u64)ret;
}

static inline unsigned long regs_syscall_nr(const struct regs *r)
{
	return r->error;
}

/* Argument i of a system call: Linux's registers. */
static inline unsigned long regs_arg(const struct regs *r, unsigned i)
{
	switch (i) {
	case 0: return r->rdi;
	case 1: return r->rsi;
	case 2: return r->rdx;
	case 3: return r->r10;
	case 4: return r->r8;
	default: return r->r9;
	}
}

static inline bool regs_in_syscall(const struct regs *r)
{
	return r->vector == VECTOR_SYSCALL;
}

static inline void regs_again(struct regs *r, unsigned long nr)
{
	r->rip -= 2;			/* SYSCALL is two bytes */
	r->rax = nr;
}

static inline bool regs_from_user(const struct regs *r)
{
	return (r->cs & 3) != 0;
}

static inline void regs_init_user(struct regs *r, uaddr_t ip, uaddr_t sp)
{
	*r = (struct regs){
		.rip = ip, .rsp = sp, .cs = USER_CS, .ss = USER_SS,
		.rflags = 0x202,	/* interrupts on; bit 1 is always set */
	};
}
