/* SPDX-License-Identifier: MIT */
/* The ABI at the door: Linux x86_64's numbers, constants and structs, and Tally's own calls. */
#pragma once
#include "kernel/lib/types.h"

/* Every call there is: X(number, name). kernel/sys/calls.h declares sys_<name>() for each and
 * table.c dispatches to them. */
#define LINUX_CALLS(X) \
	X(0, read) X(1, write) X(2, open) X(3, close) X(4, stat) X(5, fstat) X(6, lstat) \
	X(7, poll) X(8, lseek) X(9, mmap) X(10, mprotect) X(11, munmap) X(12, brk) X(13, rt_sigaction) \
	X(14, rt_sigprocmask) X(15, rt_sigreturn) X(16, ioctl) X(17, pread64) X(18, pwrite64) X(19, readv) \
	X(20, writev) X(21, access) X(22, pipe) \
	X(23, select) X(24, sched_yield) X(25, mremap) X(26, msync) X(27, mincore) X(28, madvise) X(32, dup) \
	X(33, dup2) X(34, pause) X(35, nanosleep) \
	X(36, getitimer) X(37, alarm) X(38, setitimer) X(39, getpid) X(40, sendfile) X(56, clone) X(57, fork) \
	X(58, vfork) X(59, execve) X(60, exit) X(61, wait4) X(62, kill) X(63, uname) \
	X(72, fcntl) X(73, flock) X(74, fsync) X(75, fdatasync) X(76, truncate) X(77, ftruncate) \
	X(78, getdents) X(79, getcwd) X(80, chdir) X(81, fchdir) X(82, rename) X(83, mkdir) X(84, rmdir) \
	X(85, creat) X(86, link) X(87, unlink) X(88, symlink) X(89, readlink) X(90, chmod) \
	X(91, fchmod) X(92, chown) X(93, fchown) X(94, lchown) X(95, umask) \
	X(96, gettimeofday) X(97, getrlimit) X(98, getrusage) X(99, sysinfo) X(100, times) \
	X(102, getuid) X(103, syslog) X(104, getgid) X(105, setuid) X(106, setgid) \
	X(107, geteuid) X(108, getegid) X(109, setpgid) X(110, getppid) X(111, getpgrp) \
	X(112, setsid) X(113, setreuid) X(114, setregid) X(115, getgroups) X(116, setgroups) \
	X(117, setresuid) X(118, getresuid) X(119, setresgid) X(120, getresgid) \
	X(121, getpgid) X(122, setfsuid) X(123, setfsgid) X(124, getsid) X(125, capget) \
	X(126, capset) X(127, rt_sigpending) \
	X(128, rt_sigtimedwait) X(129, rt_sigqueueinfo) X(130, rt_sigsuspend) X(131, sigaltstack) \
	X(132, utime) X(133, mknod) X(135, personality) X(137, statfs) X(138, fstatfs) X(140, getpriority) X(141, setpriority) \
	X(142, sched_setparam) X(143, sched_getparam) X(144, sched_setscheduler) \
	X(145, sched_getscheduler) X(146, sched_get_priority_max) \
	X(147, sched_get_priority_min) X(149, mlock) X(150, munlock) X(151, mlockall) \
	X(152, munlockall) X(157, prctl) X(158, arch_prctl) X(160, setrlimit) X(161, chroot) \
	X(162, sync) X(164, settimeofday) X(165, mount) X(166, umount2) X(169, reboot) \
	X(170, sethostname) X(171, setdomainname) X(186, gettid) X(200, tkill) X(201, time) \
	X(202, futex) X(203, sched_setaffinity) X(204, sched_getaffinity) \
	X(217, getdents64) X(218, set_tid_address) X(219, restart_syscall) X(227, clock_settime) X(228, clock_gettime) \
	X(229, clock_getres) X(230, clock_nanosleep) X(231, exit_group) X(234, tgkill) \
	X(235, utimes) X(247, waitid) X(270, pselect6) X(271, ppoll) \
	X(257, openat) X(258, mkdirat) X(259, mknodat) X(260, fchownat) X(261, futimesat) X(262, newfstatat) \
	X(263, unlinkat) X(264, renameat) X(265, linkat) X(266, symlinkat) X(267, readlinkat) \
	X(268, fchmodat) X(269, faccessat) X(273, set_robust_list) X(274, get_robust_list) \
	X(280, utimensat) X(285, fallocate) X(292, dup3) X(293, pipe2) X(297, rt_tgsigqueueinfo) X(295, preadv) X(296, pwritev) X(302, prlimit64) X(309, getcpu) X(316, renameat2) X(318, getrandom) \
	X(322, execveat) X(325, mlock2) X(326, copy_file_range) X(332, statx) X(435, clone3) X(436, close_range) X(439, faccessat2)

/* Tally's own calls; user/include/tally/cgroup.h repeats these lines for programs. */
#define SYS_cgroup_create	1000
#define SYS_cgroup_remove	1001
#define SYS_cgroup_attach	1002
#define SYS_cgroup_read		1003
#define SYS_cgroup_write	1004
#define SYS_cgroup_list		1005
#define SYS_cgroup_kill		1006
#define SYS_mm_audit		1007

#define TALLY_CALLS(X) \
	X(SYS_cgroup_create, cgroup_create) X(SYS_cgroup_remove, cgroup_remove) \
	X(SYS_cgroup_attach, cgroup_attach) X(SYS_cgroup_read, cgroup_read) \
	X(SYS_cgroup_write, cgroup_write) X(SYS_cgroup_list, cgroup_list) \
	X(SYS_cgroup_kill, cgroup_kill) X(SYS_mm_audit, mm_audit)

#define AT_FDCWD		(-100)
#define AT_SYMLINK_NOFOLLOW	0x100u
#define AT_REMOVEDIR		0x200u
#define AT_EACCESS		0x200u
#define AT_SYMLINK_FOLLOW	0x400u
#define AT_NO_AUTOMOUNT		0x800u
#define AT_EMPTY_PATH		0x1000u

#define IOV_MAX		1024

struct linux_timespec {
	s64 sec, nsec;
};
_Static_assert(sizeof(struct linux_timespec) == 16, "struct timespec");

struct linux_timeval {
	s64 sec, usec;
};
_Static_assert(sizeof(struct linux_timeval) == 16, "struct timeval");

struct linux_stat {
	u64 dev, ino, nlink;
	u32 mode, uid, gid, pad;
	u64 rdev;
	s64 size, blksize, blocks;
	struct linux_timespec atime, mtime, ctime;
	s64 unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");

struct linux_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};
_Static_assert(sizeof(struct linux_utsname) == 390, "struct new_utsname");

struct linux_dirent64 {
	u64 ino;
	s64 next_pos;
	u16 record_bytes;
	u8 type;
	char name[];			/* NUL-terminated; the record is padded to 8 bytes */
};
#define DIRENT_NAME_OFFSET	19
_Static_assert(offsetof(struct linux_dirent64, name) == DIRENT_NAME_OFFSET, "dirent64");

struct linux_iovec {
	u64 base, bytes;
};
_Static_assert(sizeof(struct linux_iovec) == 16, "struct iovec");

struct linux_rusage {
	struct linux_timeval user, system;
	s64 max_rss_kib, other[13];
};
_Static_assert(sizeof(struct linux_rusage) == 144, "struct rusage");

struct linux_sysinfo {
	s64 uptime;
	u64 loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	u16 procs, pad;
	u32 pad2;
	u64 totalhigh, freehigh;
	u32 mem_unit, pad3;
};
_Static_assert(sizeof(struct linux_sysinfo) == 112, "struct sysinfo");
