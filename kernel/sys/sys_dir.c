/* SPDX-License-Identifier: MIT */
/* System calls that list a directory, or name the one we stand in. */
#include "kernel/lib/string.h"
#include "kernel/sys/abi_file.h"
#include "kernel/sys/calls.h"

/* A listing under way: records go straight to the user, one by one. */
struct listing {
	struct dir_context ctx;
	uaddr_t at;
	size_t left;
	bool old;			/* the records of getdents() */
	int err;			/* why it stopped, if not because all were read */
};

union record {
	struct linux_dirent64 head;
	struct linux_dirent old;
	char bytes[ALIGN_UP(DIRENT_NAME_OFFSET + NAME_MAX + 2, 8)];
};

/* Returns the record's length, padded to 8 bytes. */
static size_t fill_record(union record *r, const struct dir_entry *entry)
{
	size_t bytes = ALIGN_UP(DIRENT_NAME_OFFSET + entry->len + 1, 8ul);

	r->head.ino = entry->ino;
	r->head.next_pos = (s64)entry->next_pos;
	r->head.record_bytes = (u16)bytes;
	r->head.type = (u8)entry->type;
	memcpy(r->bytes + DIRENT_NAME_OFFSET, entry->name, entry->len);
	return bytes;
}

static size_t fill_old_record(union record *r, const struct dir_entry *entry)
{
	size_t bytes = ALIGN_UP(OLD_DIRENT_NAME_OFFSET + entry->len + 2, 8ul);

	r->old.ino = entry->ino;
	r->old.next_pos = entry->next_pos;
	r->old.record_bytes = (u16)bytes;
	memcpy(r->bytes + OLD_DIRENT_NAME_OFFSET, entry->name, entry->len);
	r->bytes[bytes - 1] = (char)entry->type;
	return bytes;
}

static bool emit_record(struct dir_context *ctx, const struct dir_entry *entry)
{
	struct listing *l = container_of(ctx, struct listing, ctx);
	union record record = { 0 };
	size_t bytes;

	l->err = -EINVAL;
	if (entry->len > NAME_MAX)
		return false;
	bytes = l->old ? fill_old_record(&record, entry) : fill_record(&record, entry);
	if (bytes > l->left)
		return false;
	l->err = user_put(l->at, &record, bytes);
	if (l->err)
		return false;
	l->at += bytes;
	l->left -= bytes;
	return true;
}

static long list_directory(struct syscall *c, bool old)
{
	struct listing l = { .ctx.emit = emit_record, .at = c->arg[1], .old = old };
	struct file *file;
	size_t size = MIN((u32)c->arg[2], (u32)IO_MAX_BYTES);
	long ret = user_file_for((int)c->arg[0], MAY_READ, &file);

	if (ret)
		return ret;
	l.left = size;
	ret = file_readdir(file, &l.ctx);
	file_put(file);
	if (ret < 0)
		return ret;
	return l.left < size ? (long)(size - l.left) : l.err;
}

/* getdents64(fd, buf, bytes): bytes of whole records, 0 at the end; -EINVAL when not even one
 * fits, -ENOTDIR, -EFAULT, -ENOENT for a removed directory. */
long sys_getdents64(struct syscall *c)
{
	return list_directory(c, false);
}

/* getdents(fd, buf, bytes): the same in older records. */
long sys_getdents(struct syscall *c)
{
	return list_directory(c, true);
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
