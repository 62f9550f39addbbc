/* SPDX-License-Identifier: MIT */
/*
 * The lock order, outermost first. A CPU (or, for sleeping locks, a thread) may take a lock
 * only when its rank is greater than that of every lock it holds. Every lock has a rank;
 * debug images panic on a violation and name both locks.
 */
#pragma once

enum lock_rank {
	/* Sleeping locks: held by a thread, may be held across allocation. */
	RANK_POS,		/* an open file's position: held over the file's own locks */
	RANK_TEXT,		/* the text of an open file of procfs, while it is made */
	RANK_MOUNT,		/* the list of mounts */
	RANK_RENAME,		/* one rename across directories at a time */
	RANK_DIR,		/* a directory's entries; parent before child (see namei.c) */
	RANK_FILE,		/* a file's data, a pipe, a device */
	RANK_CGROUP,		/* the tree of groups: create, remove, attach, controls */
	RANK_MM,		/* an address space: its areas and page tables */
	/* Spinlocks: never slept under. */
	RANK_PROC,		/* process tree, pids, signals; the members of one group */
	RANK_FUTEX,		/* one bucket of futex waiters; a second one by trylock */
	RANK_FS,		/* descriptor tables, mounts, file locks, one dcache bucket or its tree */
	RANK_PIPE,		/* pipe and input buffers */
	RANK_MEMCG,		/* list of groups, owner records, per-group caches */
	RANK_CACHES,		/* list of all caches, cache creation */
	RANK_SLAB,		/* one cache's slab lists */
	RANK_STACK,		/* the kernel stack area: its slots and translations */
	RANK_ZONE,		/* buddy free areas */
	RANK_WORK,		/* queued work */
	RANK_WAITQ,		/* one wait queue; may be taken in interrupts */
	RANK_TIMER,		/* sleepers by time; taken in interrupts */
	RANK_RUNQ,		/* run queues; taken in interrupts */
	RANK_LAST,
};
