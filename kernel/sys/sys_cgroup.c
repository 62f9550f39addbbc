/* SPDX-License-Identifier: MIT */
/*
 * Tally's own calls: control of groups, and the audit. Texts go through a kernel buffer that is
 * charged to nobody, so that a group can be looked at by a task of its own while it is full.
 */
#include "kernel/lib/string.h"
#include "kernel/sys/calls.h"
#include "mm/audit.h"

#define TEXT_MAX	(64ul << 10)	/* longest text of one call; nobody pays for it */
#define CONTROL_NAME_MAX 64
#define CONTROL_TEXT_MAX 4096		/* longest value written */

static int get_string(uaddr_t user, size_t size, char **out)
{
	return user_string(user, size, GFP_KERNEL | GFP_NOACCOUNT, out);
}

static long on_group(uaddr_t user, long (*op)(const char *path, u64 arg), u64 arg)
{
	char *path;
	long ret = get_string(user, CGROUP_PATH_MAX, &path);

	if (ret)
		return ret;
	ret = op(path, arg);
	kfree(path);
	return ret;
}

static long op_create(const char *path, u64 mode)
{
	return cgroup_create(path, (unsigned)mode & 0777);
}

static long op_remove(const char *path, u64 unused)
{
	(void)unused;
	return cgroup_remove(path);
}

static long op_attach(const char *path, u64 pid)
{
	return cgroup_attach(path, (int)pid);
}

static long op_kill(const char *path, u64 unused)
{
	(void)unused;
	return cgroup_kill(path);
}

/* cgroup_create(path, mode). */
long sys_cgroup_create(struct syscall *c)
{
	return on_group(c->arg[0], op_create, c->arg[1]);
}

/* cgroup_remove(path): -EBUSY while it has tasks or children. */
long sys_cgroup_remove(struct syscall *c)
{
	return on_group(c->arg[0], op_remove, 0);
}

/* cgroup_attach(path, pid): pid 0 is the caller. */
long sys_cgroup_attach(struct syscall *c)
{
	return on_group(c->arg[0], op_attach, c->arg[1]);
}

/* cgroup_kill(path): SIGKILL to all in it and below. */
long sys_cgroup_kill(struct syscall *c)
{
	return on_group(c->arg[0], op_kill, 0);
}

/* A core that fills a text for the user. */
struct text_call {
	const char *path, *control;	/* control NULL: list the children */
	uaddr_t user;
	size_t size;
};

/* The text's length, -ERANGE when the user's buffer does not hold it, or the core's error. */
static long read_text(const struct text_call *t)
{
	size_t size = MIN(t->size, TEXT_MAX);
	char *buf = kmalloc(MAX(size, 1ul), GFP_KERNEL | GFP_NOACCOUNT);
	long len;

	if (!buf)
		return -ENOMEM;
	len = t->control ? cgroup_read(t->path, t->control, buf, size) :
			   cgroup_list(t->path, buf, size);
	if (len > (long)size)
		len = -ERANGE;
	if (len > 0 && user_put(t->user, buf, (size_t)len))
		len = -EFAULT;
	kfree(buf);
	return len;
}

/* cgroup_read(path, control, buf, bytes): the length of the control's text; -ERANGE: buf does
 * not hold it. */
long sys_cgroup_read(struct syscall *c)
{
	struct text_call t = { .user = c->arg[2], .size = c->arg[3] };
	char *path, *control;
	long ret = get_string(c->arg[0], CGROUP_PATH_MAX, &path);

	if (ret)
		return ret;
	ret = get_string(c->arg[1], CONTROL_NAME_MAX, &control);
	if (!ret) {
		t.path = path;
		t.control = control;
		ret = read_text(&t);
		kfree(control);
	}
	kfree(path);
	return ret;
}

/* cgroup_list(path, buf, bytes): the children's names, one a line; length as above. */
long sys_cgroup_list(struct syscall *c)
{
	struct text_call t = { .user = c->arg[1], .size = c->arg[2] };
	char *path;
	long ret = get_string(c->arg[0], CGROUP_PATH_MAX, &path);

	if (ret)
		return ret;
	t.path = path;
	ret = read_text(&t);
	kfree(path);
	return ret;
}

/* A value of exactly bytes, with a NUL behind it; a NUL inside would cut it in secret. */
static int get_value(uaddr_t user, size_t bytes, char **out)
{
	char *text;

	if (bytes >= CONTROL_TEXT_MAX)
		return -EINVAL;
	text = kmalloc(bytes + 1, GFP_KERNEL | GFP_NOACCOUNT);
	if (!text)
		return -ENOMEM;
	if (user_get(text, user, bytes)) {
		kfree(text);
		return -EFAULT;
	}
	text[bytes] = '\0';
	if (str_len(text) != bytes) {
		kfree(text);
		return -EINVAL;
	}
	*out = text;
	return 0;
}

static long write_control(const char *path, uaddr_t user_control, uaddr_t user, size_t bytes)
{
	char *control, *text;
	long ret = get_string(user_control, CONTROL_NAME_MAX, &control);

	if (ret)
		return ret;
	ret = get_value(user, bytes, &text);
	if (!ret) {
		ret = cgroup_write(path, control, text);
		kfree(text);
	}
	kfree(control);
	return ret;
}

/* cgroup_write(path, control, buf, bytes): bytes, or the control's error. */
long sys_cgroup_write(struct syscall *c)
{
	char *path;
	long ret = get_string(c->arg[0], CGROUP_PATH_MAX, &path);

	if (ret)
		return ret;
	ret = write_control(path, c->arg[1], c->arg[2], c->arg[3]);
	kfree(path);
	return ret < 0 ? ret : (long)c->arg[3];
}

/* mm_audit(buf, bytes): the length of the report, as much of it as fits; -EIO, with the report
 * written and NUL-terminated, when something differs. */
long sys_mm_audit(struct syscall *c)
{
	size_t size = MIN(c->arg[1], TEXT_MAX), len;
	char *buf = kmalloc(size + 1, GFP_KERNEL | GFP_NOACCOUNT | GFP_ZERO);
	struct textbuf text = { .buf = buf, .size = size };
	struct audit_result result;
	long ret;

	if (!buf)
		return -ENOMEM;
	ret = mm_audit(&result, &text) ? 0 : -EIO;
	len = MIN(text.len, size);
	if (user_put(c->arg[0], buf, len + (len < size)))
		ret = -EFAULT;
	kfree(buf);
	return ret ? ret : (long)len;
}
