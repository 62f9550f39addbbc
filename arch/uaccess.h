/* SPDX-License-Identifier: MIT */
/*
 * Contract: the only way to touch user memory. A bad address (unmapped, kernel, not
 * writable) is an ordinary result: the fault handler finds the copy's instruction in the
 * fixup table when upcall_fault() cannot resolve the fault.
 */
#pragma once
#include "kernel/lib/compiler.h"

/* Copy bytes; return the number NOT copied (0: all). May sleep (demand faults). No spinlock
 * held. A range that reaches outside user space copies nothing. */
size_t copy_from_user(void *dst, uaddr_t src, size_t bytes) must_check;
size_t copy_to_user(uaddr_t dst, const void *src, size_t bytes) must_check;

/* Zero user memory; returns bytes NOT cleared. */
size_t clear_user(uaddr_t dst, size_t bytes) must_check;

/* Copy a NUL-terminated string of at most size bytes including NUL. Returns its length
 * without NUL, -EFAULT, or -ENAMETOOLONG when there is no NUL in size bytes. */
long copy_string_from_user(char *dst, uaddr_t src, size_t size) must_check;

/* Put new into the aligned word if *old is there, in one step for all CPUs. Returns 0, with what
 * was there in *old, or -EFAULT. May sleep. No spinlock held. */
int cmpxchg_user(uaddr_t word, u32 *old, u32 new) must_check;
