/* SPDX-License-Identifier: MIT */
/* The lock that keeps names and parents still for who looks upward; for dcache.c and dpath.c. */
#pragma once
#include "kernel/fs/dcache.h"
#include "kernel/sync/spinlock.h"

extern struct spinlock dcache_tree_lock;	/* RANK_FS */
