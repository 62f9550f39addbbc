/* SPDX-License-Identifier: MIT */
/* Open files, descriptor tables, and a process's place in the tree. */
#pragma once
#include "kernel/fs/namei.h"

/* A piece of user memory, as readv() has them. */
struct io_piece {
	uaddr_t base;
	u64 bytes;
};

/* Where bytes come from or go to: a kernel buffer, or user memory in one piece or more. */
struct iobuf {
	uaddr_t user;			/* used when kernel is NULL */
	char *kernel;
	size_t left;			/* of all pieces */
	size_t in_piece;		/* bytes left at user before next takes over */
	const struct io_piece *next;	/* NULL: all that is left is at user */
};

size_t iobuf_put(struct iobuf *io, const void *data, size_t bytes);	/* data -> buffer */
size_t iobuf_get(struct iobuf *io, void *data, size_t bytes);		/* buffer -> data */
size_t iobuf_zero(struct iobuf *io, size_t bytes);

/* A directory reader hands each entry to emit(); emit returns false when its buffer is full.
 * emit runs under the directory's lock: it may fault, and may take no directory lock. */
struct dir_entry {
	const char *name;		/* NUL-terminated, gone after emit() */
	size_t len;
	u64 ino, next_pos;		/* next_pos: where to go on behind this one */
	unsigned type;			/* S_IFMT bits >> 12, as getdents tells it */
};

struct dir_context {
	bool (*emit)(struct dir_context *ctx, const struct dir_entry *entry);
	u64 pos;
};

struct poll_table;			/* poll.h */

/* read and write move from *pos and advance it; they return bytes or -errno. poll returns POLL*
 * bits and has poll_wait() called for each queue whose wake-up may change them; without it a
 * file is always ready. */
struct file_ops {
	int (*open)(struct file *file);
	void (*release)(struct file *file);
	long (*read)(struct file *file, struct iobuf *io, u64 *pos);
	long (*write)(struct file *file, struct iobuf *io, u64 *pos);
	int (*readdir)(struct file *file, struct dir_context *ctx);
	long (*ioctl)(struct file *file, unsigned cmd, uaddr_t arg);
	unsigned (*poll)(struct file *file, struct poll_table *table);
	/* Lets the file be mapped: see struct vm_file_hooks. */
	long (*map_pages)(struct file *file, u64 index, struct page **pages, unsigned nr,
			  bool make);
	bool maps_anonymous;		/* mapping it maps fresh memory, like /dev/zero */
	bool seekable;			/* has a position; else reads and writes may block */
};

struct file {
	refcount refs;
	struct inode *inode;		/* [I] referenced */
	struct path path;		/* [I] dentry NULL for pipes */
	const struct file_ops *ops;	/* [I] */
	unsigned flags;			/* [a] O_*: of all, O_NONBLOCK and O_APPEND may change */
	struct mutex pos_lock;		/* RANK_POS */
	u64 pos;			/* [pos_lock] */
	void *data;			/* [I] since it was opened */
};

/* Was it opened for that? Access mode 3 and O_PATH are for neither. */
static inline bool file_readable(const struct file *file)
{
	unsigned flags = READ_ONCE(file->flags), access = flags & O_ACCMODE;

	return !(flags & O_PATH) && (access == O_RDONLY || access == O_RDWR);
}

static inline bool file_writable(const struct file *file)
{
	unsigned flags = READ_ONCE(file->flags), access = flags & O_ACCMODE;

	return !(flags & O_PATH) && (access == O_WRONLY || access == O_RDWR);
}

/* What a process has of the file system. Shared by clone(CLONE_FS). */
struct fs_context {
	refcount refs;
	struct spinlock lock;		/* RANK_FS */
	struct path cwd;		/* [lock] */
	struct path root;		/* [lock] */
	atomic_int umask;		/* [a] */
};

#define FILES_INITIAL	32
#define FILES_MAX	1024

/* A descriptor table. Shared by clone(CLONE_FILES). */
struct files {
	refcount refs;
	struct spinlock lock;		/* RANK_FS */
	unsigned nr_slots;		/* [lock] */
	struct file **slots;		/* [lock] kmalloced */
	u64 cloexec[FILES_MAX / 64];	/* [lock] bitmap */
};

/* --- file.c, open.c */
void file_init_cache(void);
int file_open(struct fs_context *fs, const char *name, unsigned flags, unsigned mode,
	      struct file **out) must_check;
int file_open_exec(struct fs_context *fs, const char *name, struct file **out) must_check;
int file_reopen_exec(const struct file *from, struct file **out) must_check;
struct file *file_alloc(struct inode *inode, const struct file_ops *ops, unsigned flags)
	must_check;
struct file *file_get(struct file *file);
void file_put(struct file *file);
long file_read(struct file *file, struct iobuf *io, u64 *pos) must_check;
long file_write(struct file *file, struct iobuf *io, u64 *pos) must_check;
long file_seek(struct file *file, s64 offset, int whence) must_check;
int file_readdir(struct file *file, struct dir_context *ctx) must_check;
long file_read_kernel(struct file *file, void *buf, size_t bytes, u64 pos) must_check;

/* --- files.c */
void files_init_cache(void);
struct files *files_create(void) must_check;
struct files *files_copy(struct files *from) must_check;
struct files *files_get(struct files *files);
void files_put(struct files *files);
struct file *files_lookup(struct files *files, int fd);
int files_next(struct files *files, int fd);
int files_install(struct files *files, struct file *file, int min_fd, bool cloexec)
	must_check;
int files_replace(struct files *files, int fd, struct file *file, bool cloexec) must_check;
int files_close(struct files *files, int fd) must_check;
void files_uninstall(struct files *files, int fd, struct file *file);
void files_close_on_exec(struct files *files);
int files_set_cloexec(struct files *files, int fd, bool on) must_check;
int files_get_cloexec(struct files *files, int fd) must_check;

/* --- fs_context.c */
void fs_init_cache(void);
struct fs_context *fs_create(void) must_check;	/* cwd and root at the root mount */
struct fs_context *fs_copy(struct fs_context *from) must_check;
struct fs_context *fs_get(struct fs_context *fs);
void fs_put(struct fs_context *fs);
struct path fs_get_cwd(struct fs_context *fs);
struct path fs_get_root(struct fs_context *fs);
void fs_set_cwd(struct fs_context *fs, const struct path *to);
u32 fs_umask(struct fs_context *fs);
