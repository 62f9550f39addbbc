/* SPDX-License-Identifier: MIT */
/* Waiting until one of several files is ready. */
#pragma once
#include "kernel/fs/file.h"

#define POLLIN		0x001u
#define POLLPRI		0x002u
#define POLLOUT		0x004u
#define POLLERR		0x008u
#define POLLHUP		0x010u
#define POLLNVAL	0x020u
#define POLLRDNORM	0x040u
#define POLLRDBAND	0x080u
#define POLLWRNORM	0x100u
#define POLLWRBAND	0x200u

#define POLL_QUEUES	2		/* wait queues that one file may name */

struct poll_item {
	struct file *file;		/* referenced; NULL: see revents */
	unsigned events, revents;	/* that count, with POLLERR and POLLHUP; that were found */
	unsigned nr_waits;
	struct {
		struct wait_entry entry;
		struct waitq *wq;
	} waits[POLL_QUEUES];
};

struct poll_table {			/* handed to file_ops.poll */
	struct poll_item *item;		/* the one asked about */
	bool queue;			/* its wait queues are wanted */
	bool woken;			/* one of those queued was woken */
};

/* Files without a poll of their own never make one wait. */
#define POLL_ALWAYS	(POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

void poll_wait(struct poll_table *table, struct waitq *wq);
int poll_items(struct poll_item *items, unsigned count, u64 deadline_ns) must_check;
