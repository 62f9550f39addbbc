/* SPDX-License-Identifier: MIT */
/* Numbers of the file system: Linux's mode bits and open flags, and our limits. */
#pragma once
#include "kernel/lib/types.h"

#define NAME_MAX	255		/* bytes of one component */
#define PATH_MAX	4096		/* bytes of a path, NUL included */
#define SYMLINK_MAX_FOLLOW 40
#define PIPE_BUF	4096		/* a pipe write up to this size is never split */
#define IO_MAX_BYTES	0x7ffff000ul	/* one read or write moves at most this, as on Linux */

#define S_IFMT		0170000u
#define S_IFIFO		0010000u
#define S_IFCHR		0020000u
#define S_IFDIR		0040000u
#define S_IFBLK		0060000u
#define S_IFREG		0100000u
#define S_IFLNK		0120000u
#define S_IFSOCK	0140000u
#define S_ISDIR(m)	(((m) & S_IFMT) == S_IFDIR)
#define S_ISREG(m)	(((m) & S_IFMT) == S_IFREG)
#define S_ISLNK(m)	(((m) & S_IFMT) == S_IFLNK)
#define S_ISCHR(m)	(((m) & S_IFMT) == S_IFCHR)
#define S_ISFIFO(m)	(((m) & S_IFMT) == S_IFIFO)
#define S_ISBLK(m)	(((m) & S_IFMT) == S_IFBLK)
#define S_ISUID		04000u
#define S_ISGID		02000u
#define S_ISVTX		01000u
#define S_IXGRP		00010u
#define S_IWOTH		00002u
#define S_IALLPERM	07777u

#define O_ACCMODE	00000003u
#define O_RDONLY	00000000u
#define O_WRONLY	00000001u
#define O_RDWR		00000002u
#define O_CREAT		00000100u
#define O_EXCL		00000200u
#define O_NOCTTY	00000400u
#define O_TRUNC		00001000u
#define O_APPEND	00002000u
#define O_NONBLOCK	00004000u
#define O_LARGEFILE	00100000u
#define O_DIRECTORY	00200000u
#define O_NOFOLLOW	00400000u
#define O_CLOEXEC	02000000u
#define O_PATH		010000000u
#define O_EXECUTE	00000040u	/* ours: of exec, which needs no right to read */

#define SEEK_SET	0
#define SEEK_CUR	1
#define SEEK_END	2
#define SEEK_DATA	3
#define SEEK_HOLE	4

#define MAJOR(dev)	((u32)((dev) >> 8 & 0xfff) | (u32)((dev) >> 32 & ~0xfffu))
#define MINOR(dev)	((u32)((dev) & 0xff) | (u32)((dev) >> 12 & ~0xffu))

/* A device number, in Linux's encoding: what mknod() takes and stat() gives. */
#define MKDEV(major, minor) \
	(((u64)(minor) & 0xff) | ((u64)(major) & 0xfff) << 8 | \
	 ((u64)(minor) & 0xffffff00) << 12 | ((u64)(major) & 0xfffff000) << 32)
