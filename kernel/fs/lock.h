/* SPDX-License-Identifier: MIT */
/* Advisory locks on files: fcntl()'s on ranges and flock()'s. */
#pragma once
#include "kernel/fs/file.h"

#define F_RDLCK	0
#define F_WRLCK	1
#define F_UNLCK	2

/* A range as fcntl() has it: from whence on, len 0 to the end of all files. */
struct file_range {
	int type, whence;		/* F_*LCK, SEEK_* */
	s64 start, len;
	int pid;			/* of the answer: who holds it */
};

int file_lock(struct files *files, int fd, struct file *file, const struct file_range *range,
	      bool wait) must_check;
int file_lock_test(struct files *files, struct file *file, struct file_range *range) must_check;
int file_flock(struct file *file, int type, bool wait) must_check;

/* owner gives up what it holds of inode. */
void file_locks_release(const void *owner, const struct inode *inode);
