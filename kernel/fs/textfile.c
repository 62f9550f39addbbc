/* SPDX-License-Identifier: MIT */
/*
 * Files whose contents are a text made when it is asked for (procfs, cgroupfs). The text is
 * made whole by a read from the start and kept with the open file, so that who reads it in
 * pieces gets one text of one moment. A maker prints into a buffer; when the text does not fit
 * it is made again into a larger one.
 *
 * Locking: the lock of each open text (RANK_TEXT) over its making and copying.
 */
#include "kernel/fs/procfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/kmem.h"

#define TEXT_FIRST	4096u		/* bytes of the first try */
#define WRITE_MAX	4096u

struct text {
	const struct text_maker *maker;	/* [I] */
	struct mutex lock;		/* RANK_TEXT */
	char *buf;			/* [lock] NULL: not made yet */
	size_t len;			/* [lock] */
};

/* Prepare file, which is being opened, for the functions below. Returns 0 or -ENOMEM. */
int text_open(struct file *file, const struct text_maker *maker)
{
	struct text *text = kzalloc(sizeof(*text), GFP_KERNEL);

	if (!text)
		return -ENOMEM;
	text->maker = maker;
	mutex_init(&text->lock, RANK_TEXT, "text of a file");
	file->data = text;
	return 0;
}

/* The end of such a file. */
void text_release(struct file *file)
{
	struct text *text = file->data;

	kfree(text->buf);
	kfree(text);
}

static int make(struct file *file, struct text *text)
{
	size_t size = TEXT_FIRST;
	int err;

	kfree(text->buf);
	for (;;) {
		struct textbuf t = { kmalloc(size, GFP_KERNEL), size, 0 };

		text->buf = t.buf;
		if (!t.buf)
			return -ENOMEM;
		err = text->maker->make(file, &t);
		text->len = t.len;
		if (!err && t.len <= size)
			return 0;
		kfree(t.buf);
		text->buf = NULL;
		if (err)
			return err;
		while (size < t.len + t.len / 8)
			size *= 2;
		if (size > KMALLOC_MAX)
			return -EFBIG;
	}
}

/* The read function of such files. */
long text_read(struct file *file, struct iobuf *io, u64 *pos)
{
	struct text *text = file->data;
	size_t want, moved;
	long done = 0;

	mutex_lock(&text->lock);
	if (*pos == 0 || !text->buf)
		done = make(file, text);
	if (!done && *pos < text->len) {
		want = MIN(io->left, text->len - *pos);
		moved = iobuf_put(io, text->buf + *pos, want);
		*pos += moved;
		done = moved || !want ? (long)moved : -EFAULT;
	}
	mutex_unlock(&text->lock);
	return done;
}

/* The write function: all of the buffer is one text, wherever the position is. */
long text_write(struct file *file, struct iobuf *io, u64 *pos)
{
	struct text *text = file->data;
	size_t bytes = io->left;
	char *copy;
	long ret;

	if (!text->maker->take || bytes >= WRITE_MAX)
		return -EINVAL;
	copy = kmalloc(bytes + 1, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	ret = -EFAULT;
	if (iobuf_get(io, copy, bytes) == bytes) {
		copy[bytes] = '\0';
		ret = str_len(copy) == bytes ? text->maker->take(file, copy) : -EINVAL;
	}
	kfree(copy);
	if (ret)
		return ret;
	*pos += bytes;
	return (long)bytes;
}

/* Hand entry on; false: no room, it is the next call's. */
bool dir_emit(struct dir_context *ctx, const struct dir_entry *entry)
{
	if (!ctx->emit(ctx, entry))
		return false;
	ctx->pos = entry->next_pos;
	return true;
}

/* The first two entries of every directory, if the position is there. */
bool dir_emit_dots(struct file *file, struct dir_context *ctx)
{
	struct dir_entry entry = { ".", 1, file->inode->ino, 1, S_IFDIR >> 12 };
	struct dentry *parent;
	bool room = true;

	if (ctx->pos == 0)
		room = dir_emit(ctx, &entry);
	if (ctx->pos == 1 && room) {
		parent = dentry_get_parent(file->path.dentry);
		entry = (struct dir_entry){
			"..", 2, dentry_inode(parent)->ino, DIR_POS_FIRST, S_IFDIR >> 12,
		};
		room = dir_emit(ctx, &entry);
		dentry_put(parent);
	}
	return room;
}
