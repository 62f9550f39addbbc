/* SPDX-License-Identifier: MIT */
/* System calls that list a directory, or name the one we stand in. */
#include "kernel/lib/string.h"
#include "kernel/sys/calls.h"

/* A listing under way: records go straight to the user, one by one. */
struct listing {
	struct dir_context ctx;
	uaddr_t at;
	size_t left;
	int err;			/* why it stopped, if not because all were read */
};

static bool emit_record(struct dir_context *ctx, const struct dir_entry *entry)
{
	struct listing *l = container_of(ctx, struct listing, ctx);
	union {
		struct linux_dirent64 head;
		char bytes[ALIGN_UP(DIRENT_NAME_OFFSET + NAME_MAX + 1, 8)];
	} record = { 0 };
	size_t bytes = ALIGN_UP(DIRENT_NAME_OFFSET + entry->len + 1, 8ul);

	if (entry->len > NAME_MAX || bytes > l->left) {
		l->err = -EINVAL;
		return false;
	}
	record.head.ino = entry->ino;
	record.head.next_pos = (s64)entry->next_pos;
	record.head.record_bytes = (u16)bytes;
	record.head.type = (u8)entry->type;
	memcpy(record.bytes + DIRENT_NAME_OFFSET, entry->name, entry->len);
	l->err = user_put(l->at, &record, bytes);
	if (l->err)
		return false;
	l->at += bytes;
	l->left -= bytes;
	return true;
}

/* getdents64(fd, buf, bytes): bytes of whole records, 0 at the end; -EINVAL when not even one
 * fits, -ENOTDIR, -EFAULT, -ENOENT for a removed directory. */
long sys_getdents64(struct syscall *c)
{
	struct listing l = { .ctx.emit = emit_record, .at = c->arg[1] };
	struct file *file;
	size_t size = MIN((u32)c->arg[2], (u32)IO_MAX_BYTES);
	long ret = user_file_mode((int)c->arg[0], O_WRONLY, &file);

	if (ret)
		return ret;
	l.left = size;
	ret = file_readdir(file, &l.ctx);
	file_put(file);
	if (ret < 0)
		return ret;
	return l.left < size ? (long)(size - l.left) : l.err;
}

/* getcwd(buf, size): the length of the path with its NUL; -ERANGE: buf is too small;
 * -ENAMETOOLONG: the path is longer than PATH_MAX; -ENOENT: the directory is removed. */
long sys_getcwd(struct syscall *c)
{
	char *path = kmalloc(PATH_MAX, GFP_KERNEL);
	long len;

	if (!path)
		return -ENOMEM;
	len = vfs_getcwd(proc_current()->fs, path, PATH_MAX);
	if (len > 0 && (u64)len > c->arg[1])
		len = -ERANGE;
	if (len > 0 && user_put(c->arg[0], path, (size_t)len))
		len = -EFAULT;
	kfree(path);
	return len;
}
