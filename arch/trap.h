/* SPDX-License-Identifier: MIT */
/* Contract: the saved user (or interrupted) registers. */
#pragma once
#include "kernel/lib/compiler.h"

/* struct regs: what entry code pushes. Accessors, so that upper floors stay portable:
 * regs_ip/sp, regs_set_ip/sp, regs_ret, regs_set_ret (system call result),
 * regs_syscall_nr, regs_arg(r, i) i = 0..5, regs_from_user(r),
 * regs_init_user(r, ip, sp): a fresh program's registers.
 * regs_in_syscall(r): they came by a system call, whose result is in them;
 * regs_again(r, nr): make the program repeat its system call instruction, with that number. */
#include "asm/trap.h"

/* Print registers and a symbolised backtrace to the log. r may be NULL: from here. */
void trap_dump(const struct regs *r);

/* Tell the fault reports which addresses are guard pages below kernel stacks (this floor
 * cannot ask mm). Context: boot, once. */
void trap_set_guard_check(bool (*is_guard)(uintptr_t addr));
