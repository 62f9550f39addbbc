/* SPDX-License-Identifier: MIT */
/* procfs: tables of files whose texts others make. See procfs.c. */
#pragma once
#include "kernel/fs/file.h"
#include "kernel/lib/fmt.h"

/* What a file is about, for its provider. nr 0: about nothing in particular. */
struct procfs_key {
	u64 nr;				/* a task */
	u64 birth;			/* tells it from an earlier one of that number */
	u64 sub;			/* one of its descriptors */
};

struct procfs_dir;

/*
 * One name. What the type in mode calls for must be there: show() for a file (or fops), dir for
 * a directory, link() for a symbolic link. All may sleep. A table ends with a NULL name.
 */
struct procfs_entry {
	const char *name;
	u32 mode;			/* type and permissions */
	bool guarded;			/* only for who may look into the task */
	int (*show)(const struct procfs_key *key, struct textbuf *text);
	int (*write)(const struct procfs_key *key, const char *text);
	long (*link)(const struct procfs_key *key, char *buf, size_t size);
	int (*follow)(const struct procfs_key *key, struct path *to);	/* else by its text */
	const struct file_ops *fops;
	struct procfs_dir *dir;
};

#define PROCFS_TABLES	4

/* A directory: names of tables, then perhaps numbers. */
struct procfs_dir {
	const struct procfs_entry *tables[PROCFS_TABLES];	/* [I] since boot; NULL at the end */
	const struct procfs_entry *numbered;			/* what each number is, or NULL */
	bool (*next)(const struct procfs_key *dir, u64 *nr);	/* the first at *nr or later */
	int (*find)(const struct procfs_key *dir, u64 nr, struct procfs_key *out);
};

/* Of files about tasks. */
struct procfs_tasks {
	bool (*alive)(const struct procfs_key *key);
	void (*owner)(const struct procfs_key *key, u32 *uid, u32 *gid);
	bool (*may_look)(const struct procfs_key *key);		/* the caller, into it */
};

extern struct procfs_dir procfs_root, procfs_kernel;		/* /proc, /proc/sys/kernel */

void procfs_add(struct procfs_dir *dir, const struct procfs_entry *table);	/* boot */
void procfs_set_tasks(const struct procfs_tasks *tasks);			/* boot */

/* --- textfile.c: open files with a text that is made when it is read from its start */
struct text_maker {
	int (*make)(struct file *file, struct textbuf *text);
	int (*take)(struct file *file, const char *text);	/* what was written */
};

int text_open(struct file *file, const struct text_maker *maker) must_check;
void text_release(struct file *file);
long text_read(struct file *file, struct iobuf *io, u64 *pos);
long text_write(struct file *file, struct iobuf *io, u64 *pos);

/* A directory whose names are made as it is read: "." and "..", then what the caller emits. */
bool dir_emit(struct dir_context *ctx, const struct dir_entry *entry);
bool dir_emit_dots(struct file *file, struct dir_context *ctx);
