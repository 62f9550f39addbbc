/* SPDX-License-Identifier: MIT */
/*
 * The kernel log. Writers format into a line on their stack, then copy it to the ring and to
 * the sinks under a raw lock (floor 0 is below the ranked locks). A panic on the CPU that
 * holds the lock must still print: after a bounded wait the lock is broken.
 */
#include "kernel/lib/log.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/rawlock.h"
#include "kernel/lib/string.h"

static struct {
	rawlock lock;
	char ring[LOG_RING_BYTES];	/* [lock] */
	u64 end;			/* [lock] bytes ever written; the ring holds the last */
	struct log_sink *sinks;		/* [I] since boot */
	u64 (*now_ns)(void);		/* [I] since boot */
} klog;

/* Send every later line to sink too, after what the ring already holds.
 * Context: boot; sink lives for ever. */
void log_add_sink(struct log_sink *sink)
{
	u64 pos = 0;
	char chunk[128];
	size_t n;

	while ((n = log_read(chunk, sizeof(chunk), &pos)) > 0)
		sink->write(chunk, n);
	sink->next = klog.sinks;
	klog.sinks = sink;
}

/* Stamp lines with now_ns() from here on. Context: boot. */
void log_set_clock(u64 (*now_ns)(void))
{
	klog.now_ns = now_ns;
}

/* Add text as it is. Context: any, interrupts included. */
void log_raw(const char *text, size_t bytes)
{
	unsigned long flags = rawlock_acquire(&klog.lock);

	for (size_t i = 0; i < bytes; i++)
		klog.ring[klog.end++ % LOG_RING_BYTES] = text[i];
	for (struct log_sink *s = klog.sinks; s; s = s->next)
		s->write(text, bytes);
	rawlock_release(&klog.lock, flags);
}

/* Log one line; the time and the newline are added. Cut at 512 bytes. Context: any. */
void log_info(const char *fmt, ...)
{
	char line[512];
	struct textbuf t = { line, sizeof(line) - 1, 0 };
	u64 us = klog.now_ns ? klog.now_ns() / 1000 : 0;
	va_list args;
	size_t stamp;

	text_print(&t, "[%5lu.%06lu] ", us / 1000000, us % 1000000);
	stamp = t.len;
	va_start(args, fmt);
	t.len += (size_t)fmt_vprint(line + stamp, sizeof(line) - 1 - stamp, fmt, args);
	va_end(args);
	t.len = MIN(t.len, sizeof(line) - 2);
	line[t.len++] = '\n';
	log_raw(line, t.len);
}

/* Copy at most size bytes of the ring from *pos (a count of bytes ever written) into buf and
 * advance *pos. Text already overwritten is skipped. Returns bytes copied. Context: any. */
size_t log_read(char *buf, size_t size, u64 *pos)
{
	unsigned long flags = rawlock_acquire(&klog.lock);
	u64 oldest = klog.end > LOG_RING_BYTES ? klog.end - LOG_RING_BYTES : 0;
	size_t n = 0;

	*pos = MAX(*pos, oldest);
	while (n < size && *pos < klog.end)
		buf[n++] = klog.ring[(*pos)++ % LOG_RING_BYTES];
	rawlock_release(&klog.lock, flags);
	return n;
}
