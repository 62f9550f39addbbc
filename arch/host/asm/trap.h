/* SPDX-License-Identifier: MIT */
/* The host's half of arch/trap.h: registers as plain data, filled by tests. */
#pragma once
#include "kernel/lib/types.h"

struct regs {
	uintptr_t ip, sp;
	long ret;
	unsigned long nr;
	unsigned long args[6];
	bool user;
};

static inline uintptr_t regs_ip(const struct regs *r) { return r->ip; }
static inline uintptr_t regs_sp(const struct regs *r) { return r->sp; }
static inline void regs_set_ip(struct regs *r, uintptr_t ip) { r->ip = ip; }
static inline void regs_set_sp(struct regs *r, uintptr_t sp) { r->sp = sp; }
static inline long regs_ret(const struct regs *r) { return r->ret; }
static inline void regs_set_ret(struct regs *r, long ret) { r->ret = ret; }
static inline unsigned long regs_syscall_nr(const struct regs *r) { return r->nr; }
static inline unsigned long regs_arg(const struct regs *r, unsigned i) { return r->args[i]; }
static inline bool regs_from_user(const struct regs *r) { return r->user; }

static inline bool regs_in_syscall(const struct regs *r) { return r->user; }
static inline void regs_again(struct regs *r, unsigned long nr) { r->nr = nr; }

static inline void regs_init_user(struct regs *r, uaddr_t ip, uaddr_t sp)
{
	*r = (struct regs){ .ip = ip, .sp = sp, .user = true };
}
