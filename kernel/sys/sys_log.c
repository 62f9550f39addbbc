/* SPDX-License-Identifier: MIT */
/* syslog(2): the kernel log for dmesg. */
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/sys/calls.h"

enum action {
	LOG_CLOSE, LOG_OPEN, LOG_READ, LOG_READ_ALL, LOG_READ_CLEAR, LOG_CLEAR, LOG_CONSOLE_OFF,
	LOG_CONSOLE_ON, LOG_CONSOLE_LEVEL, LOG_SIZE_UNREAD, LOG_SIZE_BUFFER,
};

#define PREFIX		"<6>"		/* what every line of ours is: for information */
#define PREFIX_BYTES	3u

static atomic_u64 cleared;		/* [a] place in the log before which nothing is shown */
static atomic_u64 consumed;		/* [a] place where LOG_READ goes on */

/* How long the first line of text is, newline included. */
static size_t line_bytes(const char *text, size_t bytes)
{
	size_t n = 0;

	while (n < bytes && text[n++] != '\n')
		;
	return n;
}

/* Leave out the oldest lines until the rest, with prefixes, fits in room. */
static const char *last_that_fit(const char *text, const char *end, size_t room)
{
	size_t wanted = 0;
	const char *s;

	for (s = text; s < end; s += line_bytes(s, (size_t)(end - s)))
		wanted += line_bytes(s, (size_t)(end - s)) + PREFIX_BYTES;
	for (; wanted > room; text = s) {
		s = text + line_bytes(text, (size_t)(end - text));
		wanted -= (size_t)(s - text) + PREFIX_BYTES;
	}
	return text;
}

static long put_lines(const char *text, const char *end, uaddr_t user)
{
	long done = 0;
	size_t n;

	for (; text < end; text += n) {
		n = line_bytes(text, (size_t)(end - text));
		if (user_put(user + (u64)done, PREFIX, PREFIX_BYTES) ||
		    user_put(user + (u64)done + PREFIX_BYTES, text, n))
			return -EFAULT;
		done += (long)(n + PREFIX_BYTES);
	}
	return done;
}

/* The lines from *pos on that fit; *pos is at the end of the log afterwards. */
static long read_log(u64 *pos, uaddr_t user, size_t room)
{
	char *text = kmalloc(LOG_RING_BYTES, GFP_KERNEL | GFP_NOACCOUNT);
	size_t got;
	long ret;

	if (!text)
		return -ENOMEM;
	got = log_read(text, LOG_RING_BYTES, pos);
	ret = put_lines(last_that_fit(text, text + got, room), text + got, user);
	kfree(text);
	return ret;
}

static long read_from(atomic_u64 *place, bool advance, uaddr_t user, int bytes)
{
	u64 pos = atomic_load(place);
	long ret;

	if (!user || bytes < 0)
		return -EINVAL;
	ret = bytes ? read_log(&pos, user, (size_t)bytes) : 0;
	if (ret >= 0 && bytes && advance)
		atomic_store(place, pos);
	return ret;
}

static long log_size(u64 from)
{
	char piece[256];
	size_t n, sum = 0;

	while ((n = log_read(piece, sizeof(piece), &from)) > 0)
		sum += n;
	return (long)sum;
}

static long clear(void)
{
	u64 pos = atomic_load(&cleared);
	char piece[256];

	while (log_read(piece, sizeof(piece), &pos) > 0)
		;
	atomic_store(&cleared, pos);
	return 0;
}

/* syslog(action, buf, bytes). Everybody may read; only root clears. Reading does not wait. */
long sys_syslog(struct syscall *c)
{
	int action = (int)c->arg[0], bytes = (int)c->arg[2];

	if (action != LOG_READ_ALL && action != LOG_SIZE_BUFFER && !cred_is_root())
		return -EPERM;
	switch (action) {
	case LOG_READ:
		return read_from(&consumed, true, c->arg[1], bytes);
	case LOG_READ_ALL:
		return read_from(&cleared, false, c->arg[1], bytes);
	case LOG_READ_CLEAR:
		return read_from(&cleared, true, c->arg[1], bytes);
	case LOG_CLEAR:
		return clear();
	case LOG_SIZE_UNREAD:
		return log_size(atomic_load(&consumed));
	case LOG_SIZE_BUFFER:
		return LOG_RING_BYTES;
	case LOG_CONSOLE_LEVEL:
		return bytes < 1 || bytes > 8 ? -EINVAL : 0;
	case LOG_CLOSE:
	case LOG_OPEN:
	case LOG_CONSOLE_OFF:
	case LOG_CONSOLE_ON:
		return 0;
	default:
		return -EINVAL;
	}
}
