/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several files at once.
 *
 *	item 0 ── file ── poll() ──▶ poll_wait(queue a)      entry on queue a ─┐
 *	item 1 ── file ── poll() ──▶ poll_wait(queue b, c)   entries on b, c ──┼─▶ table.woken
 *	  ...                                                                  ┘
 *
 * Each file is asked after our entry is on its queues, so a change between the answer and the
 * sleep sets the flag and the sleep ends at once. poll() of a file may take sleeping locks: the
 * caller is only marked asleep after all were asked (sleep_until_set()).
 */
#include "arch/clock.h"
#include "kernel/fs/poll.h"

/* The file that is being asked may become ready with a wake-up of wq, which lives as long as the
 * file. Context: file_ops.poll; no spinlock of a rank above RANK_WAITQ held. */
void poll_wait(struct poll_table *table, struct waitq *wq)
{
	struct poll_item *item = table->item;
	unsigned n = item->nr_waits;

	if (!table->queue)
		return;
	BUG_ON(n == POLL_QUEUES);
	item->waits[n].wq = wq;
	waitq_add(wq, &item->waits[n].entry, &table->woken);
	item->nr_waits++;
}

static bool ask(struct poll_table *table, struct poll_item *item)
{
	const struct file_ops *ops = item->file ? item->file->ops : NULL;
	unsigned found;

	if (!ops)
		return item->revents != 0;
	table->item = item;
	found = ops->poll ? ops->poll(item->file, table) : POLL_ALWAYS;
	item->revents = found & item->events;
	return item->revents != 0;
}

/* Ask all; once one is ready nobody will sleep, and no more queues are needed. */
static int ask_all(struct poll_table *table, struct poll_item *items, unsigned count)
{
	int ready = 0;

	for (unsigned i = 0; i < count; i++) {
		if (!ask(table, &items[i]))
			continue;
		ready++;
		table->queue = false;
	}
	return ready;
}

static void leave_queues(struct poll_item *items, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned n = 0; n < items[i].nr_waits; n++)
			waitq_remove(items[i].waits[n].wq, &items[i].waits[n].entry);
		items[i].nr_waits = 0;
	}
}

/*
 * Wait until an item is ready, the clock reaches the deadline (0: only look; SLEEP_FOREVER) or a
 * signal comes. An item without a file is ready if the caller has set revents. Returns the
 * number of items ready, their revents set; 0: time is up; -ERESTARTNOHAND.
 * Context: thread, no lock held; the files stay referenced.
 */
int poll_items(struct poll_item *items, unsigned count, u64 deadline_ns)
{
	struct poll_table table;
	int ready, err = 0;

	do {
		table = (struct poll_table){ .queue = deadline_ns != 0 };
		ready = ask_all(&table, items, count);
		if (!ready && deadline_ns)
			err = sleep_until_set(&table.woken, deadline_ns);
		leave_queues(items, count);
	} while (!ready && deadline_ns && !err);
	if (ready || !err || err == -ETIMEDOUT)
		return ready;
	return -ERESTARTNOHAND;
}
