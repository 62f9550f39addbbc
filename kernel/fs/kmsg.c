/* SPDX-License-Identifier: MIT */
/*
 * /dev/kmsg: the kernel log, one record for each read, as "6,number,microseconds,-;text". The
 * number is the line's place in the log, which rises. What is written becomes a line of the
 * log. Each open file reads on from its own place, which is kept in file->data: threads that
 * share the file may get the same line.
 */
#include "arch/clock.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define LINE_MAX	640		/* longer than any the log makes */
#define WRITE_MAX	400
#define LOOK_AGAIN_NS	(50 * 1000000ull)	/* the log wakes nobody: it works in a panic, too */

/* A line "[  seconds.micros] text" as a record. */
static void print_record(struct textbuf *out, const char *line, size_t len, u64 number)
{
	u64 sec = 0, us = 0;
	const char *s = line, *end = line + len;

	while (s < end && (*s == '[' || *s == ' '))
		s++;
	if (s > line && !str_to_u64(s, &s, &sec) && *s == '.' && !str_to_u64(s + 1, &s, &us) &&
	    *s == ']')
		s += s[1] == ' ' ? 2 : 1;
	else
		s = line;
	text_print(out, "6,%lu,%lu,-;%.*s\n", number, sec * 1000000 + us, (int)(end - s), s);
}

/* The line at *pos, without its newline; its length, -EAGAIN: there is none. *pos is behind it
 * and *start where it began, which may be later than *pos was. */
static long next_line(char *line, u64 *pos, u64 *start)
{
	size_t got = log_read(line, LINE_MAX - 1, pos), len = 0;

	if (!got)
		return -EAGAIN;
	line[got] = '\0';
	while (len < got && line[len] != '\n')
		len++;
	*start = *pos - got;
	*pos = *start + MIN(len + 1, got);
	return (long)len;
}

static long kmsg_read(struct file *file, struct iobuf *io, u64 *unused)
{
	char line[LINE_MAX], record[LINE_MAX + 64];
	struct textbuf out = { record, sizeof(record), 0 };
	u64 pos = (uintptr_t)READ_ONCE(file->data), start;
	long len;
	int err;

	(void)unused;
	while ((len = next_line(line, &pos, &start)) < 0) {
		if (READ_ONCE(file->flags) & O_NONBLOCK)
			return len;
		err = sleep_until(clock_ns() + LOOK_AGAIN_NS);
		if (err)
			return err;
	}
	print_record(&out, line, (size_t)len, start);
	if (out.len > io->left)
		return -EINVAL;
	WRITE_ONCE(file->data, (void *)(uintptr_t)pos);
	return iobuf_put(io, record, out.len) == out.len ? (long)out.len : -EFAULT;
}

static long kmsg_write(struct file *file, struct iobuf *io, u64 *unused)
{
	char text[WRITE_MAX + 1];
	const char *s = text;
	size_t bytes = io->left, n = MIN(bytes, (size_t)WRITE_MAX);

	(void)file;
	(void)unused;
	if (iobuf_get(io, text, n) < n)
		return -EFAULT;
	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	if (*s == '<' && str_chr(s, '>'))
		s = str_chr(s, '>') + 1;
	log_info("%s", s);
	return (long)bytes;
}

const struct file_ops kmsg_ops = {
	.read = kmsg_read, .write = kmsg_write,
};
