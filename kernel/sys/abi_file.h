/* SPDX-License-Identifier: MIT */
/* The ABI at the door: what the calls on files have beyond abi.h. */
#pragma once
#include "kernel/sys/abi.h"

#define AT_STATX_SYNC_TYPE	0x6000u
#define STATX_BASIC_STATS	0x7ffu
#define STATX_RESERVED		0x80000000u

struct linux_statx_time {
	s64 sec;
	u32 nsec;
	s32 pad;
};

struct linux_statx {
	u32 mask, blksize;
	u64 attributes;
	u32 nlink, uid, gid;
	u16 mode, pad;
	u64 ino, size, blocks, attributes_mask;
	struct linux_statx_time atime, btime, ctime, mtime;
	u32 rdev_major, rdev_minor, dev_major, dev_minor;
	u64 more[14];
};
_Static_assert(sizeof(struct linux_statx) == 256, "struct statx");

#define UTIME_NOW	0x3fffffff
#define UTIME_OMIT	0x3ffffffe

struct linux_utimbuf {
	s64 actime, modtime;
};
_Static_assert(sizeof(struct linux_utimbuf) == 16, "struct utimbuf");

struct linux_flock {
	s16 type, whence;
	u32 pad;
	s64 start, len;
	s32 pid;
	u32 pad2;
};
_Static_assert(sizeof(struct linux_flock) == 32, "struct flock");

/* The older record of getdents(): the type is its last byte. */
struct linux_dirent {
	u64 ino, next_pos;
	u16 record_bytes;
	char name[];
};
#define OLD_DIRENT_NAME_OFFSET	18
_Static_assert(offsetof(struct linux_dirent, name) == OLD_DIRENT_NAME_OFFSET, "dirent");
