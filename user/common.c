/* SPDX-License-Identifier: MIT */
#include "common.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

const char *program = "?";

int write_all(int fd, const char *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, data, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		bytes -= (size_t)n;
	}
	return 0;
}

static void vput(int fd, const char *prefix, const char *fmt, va_list ap)
{
	char line[1024];
	size_t n = 0;
	int len;

	if (prefix)
		n = (size_t)snprintf(line, sizeof(line), "%s: ", prefix);
	len = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	n += (size_t)len;
	if (n >= sizeof(line))
		n = sizeof(line) - 1;
	write_all(fd, line, n);
}

void out(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vput(1, NULL, fmt, ap);
	va_end(ap);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vput(2, program, fmt, ap);
	va_end(ap);
}

void die(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vput(2, program, fmt, ap);
	va_end(ap);
	_exit(status);
}

const char *errno_name(int error)
{
	static const struct { int error; const char *name; } names[] = {
		{ 0, "none" }, { EPERM, "EPERM" }, { ENOENT, "ENOENT" }, { EINTR, "EINTR" },
		{ EIO, "EIO" }, { EBADF, "EBADF" }, { ECHILD, "ECHILD" }, { EAGAIN, "EAGAIN" },
		{ ENOMEM, "ENOMEM" }, { EACCES, "EACCES" }, { EFAULT, "EFAULT" },
		{ EBUSY, "EBUSY" }, { EEXIST, "EEXIST" }, { ENOTDIR, "ENOTDIR" },
		{ EINVAL, "EINVAL" }, { EMFILE, "EMFILE" }, { ENOSPC, "ENOSPC" },
		{ ENAMETOOLONG, "ENAMETOOLONG" }, { ENOSYS, "ENOSYS" }, { ELOOP, "ELOOP" },
	};
	static char other[24];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].error == error)
			return names[i].name;
	snprintf(other, sizeof(other), "errno %d", error);
	return other;
}

int parse_count(const char *text, long *value)
{
	char *end;

	errno = 0;
	*value = strtol(text, &end, 10);
	return (errno || end == text || *end || *value < 0) ? -1 : 0;
}

int parse_size(const char *text, long *value)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	int shift = 0;

	errno = 0;
	*value = strtol(text, &end, 10);
	if (errno || end == text || *value < 0)
		return -1;
	if (*end) {
		unit = strchr(units, *end & ~0x20);
		if (!unit || end[1])
			return -1;
		shift = 10 * (int)(unit - units + 1);
	}
	if (*value > (long)(~0ul >> 1) >> shift)
		return -1;
	*value <<= shift;
	return 0;
}

long clock_ms(void)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

int rewrite(int fd, const char *line, size_t bytes)
{
	if (pwrite(fd, line, bytes, 0) == (ssize_t)bytes)
		return 0;
	return write_all(fd, line, bytes);
}

long control_text(const char *group, const char *control, char *buf, size_t size)
{
	long n = cgroup_read(group, control, buf, size - 1);

	if (n < 0) {
		buf[0] = 0;
		return -errno;
	}
	buf[n] = 0;
	return n;
}

long control_number(const char *group, const char *control, long *value)
{
	char text[64];
	long n = control_text(group, control, text, sizeof(text));

	if (n < 0)
		return n;
	*value = strtol(text, NULL, 10);
	return 0;
}

long control_set(const char *group, const char *control, const char *text)
{
	return cgroup_write(group, control, text, strlen(text)) < 0 ? -errno : 0;
}

long text_field(const char *text, const char *key)
{
	size_t len = strlen(key);

	while (*text) {
		const char *eol = strchr(text, '\n');

		if (!strncmp(text, key, len) && text[len] == ' ')
			return strtol(text + len + 1, NULL, 10);
		if (!eol)
			break;
		text = eol + 1;
	}
	return -1;
}

struct linux_dirent64 {
	unsigned long long d_ino;
	long long d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

/* The first entry of "." that is not a dot. 1: found, 0: none, -errno. */
static int first_entry(char *name, size_t size)
{
	static char buf[1024] __attribute__((aligned(8)));
	int fd = open(".", O_RDONLY | O_DIRECTORY);
	int found = 0;

	if (fd < 0)
		return -errno;
	while (!found) {
		long n = syscall(SYS_getdents64, fd, buf, sizeof(buf));

		if (n <= 0) {
			found = n < 0 ? -errno : 0;
			break;
		}
		for (long at = 0; at < n && !found;) {
			struct linux_dirent64 *d = (struct linux_dirent64 *)(buf + at);

			at += d->d_reclen;
			if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
				continue;
			if (strlen(d->d_name) >= size)
				continue;
			strcpy(name, d->d_name);
			found = 1;
		}
	}
	close(fd);
	return found;
}

/* Empty the working directory of one thing: a file, an empty directory, or step down into a
 * full one. 1: go on, 0: nothing left here, -errno. */
static int remove_step(char *name, size_t size, long *depth, long *removed)
{
	int r = first_entry(name, size);

	if (r <= 0)
		return r;
	if (rmdir(name) == 0) {
		(*removed)++;
		return 1;
	}
	if (errno == ENOTDIR)
		return unlink(name) == 0 ? 1 : -errno;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	if (chdir(name) < 0)
		return -errno;
	(*depth)++;
	return 1;
}

long remove_tree(const char *dir)
{
	static char whole[PATH_MAX];
	char name[256];
	long depth = 0, removed = 0;
	int r;

	if (dir[0] != '/') {		/* the last rmdir is made from the root */
		if (!getcwd(whole, sizeof(whole)))
			return -errno;
		if (strlen(whole) + strlen(dir) + 2 > sizeof(whole))
			return -ENAMETOOLONG;
		strcat(strcat(whole, "/"), dir);
		dir = whole;
	}
	if (chdir(dir) < 0)
		return -errno;
	r = first_entry(name, sizeof(name));
	if (r > 0)			/* a chain has one name all the way down: no listing */
		while (chdir(name) == 0)
			depth++;
	for (;;) {
		r = remove_step(name, sizeof(name), &depth, &removed);
		if (r < 0)
			return r;
		if (r == 0 && depth == 0)
			break;
		if (r > 0)
			continue;
		while (depth > 0) {	/* up again, for as long as the chain is one */
			depth--;
			if (chdir("..") < 0)
				return -errno;
			if (rmdir(name) < 0)
				break;
			removed++;
		}
	}
	if (chdir("/") < 0 || rmdir(dir) < 0)
		return -errno;
	return removed + 1;
}
