/* SPDX-License-Identifier: MIT */
/* Calls on files: names from descriptors, rename's flags, times, copies, locks, named pipes,
 * what stat() tells. Each test starts in an empty directory /tmp/t. */
#include "t.h"
#include <dirent.h>
#include <limits.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <utime.h>

#define NOREPLACE	1
#define EXCHANGE	2

static char buf[65536 * 2];
static struct stat st;

static int make(const char *path)
{
	return (int)WORKS(open(path, O_RDWR | O_CREAT | O_TRUNC, 0644));
}

static long rename_with(const char *from, const char *to, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static int dir_fd(const char *path)
{
	return (int)WORKS(open(path, O_RDONLY | O_DIRECTORY));
}

static long links(const char *path)
{
	WORKS(lstat(path, &st));
	return (long)st.st_nlink;
}

static int holds(const char *path, const char *text)
{
	int fd = (int)WORKS(open(path, O_RDONLY));
	long n = read(fd, buf, sizeof(buf));

	close(fd);
	return n == (long)strlen(text) && !memcmp(buf, text, (size_t)n);
}

/* --- names */

TEST(at_calls)
{
	int d, f;

	WORKS(mkdir("d", 0755));
	d = dir_fd("d");
	f = make("f");
	WORKS(mkdirat(d, "sub", 0755));
	WORKS(close((int)WORKS(openat(d, "file", O_WRONLY | O_CREAT, 0644))));
	WORKS(symlinkat("file", d, "link"));
	WORKS(mkfifoat(d, "fifo", 0644));
	CHECK(readlinkat(d, "link", buf, 100) == 4 && !memcmp(buf, "file", 4));
	FAILS(EINVAL, readlinkat(d, "file", buf, 100));
	WORKS(faccessat(d, "link", R_OK, 0));
	WORKS(fchmodat(d, "link", 0600, 0));
	WORKS(fstatat(d, "link", &st, 0));
	CHECK(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
	WORKS(fstatat(d, "link", &st, AT_SYMLINK_NOFOLLOW));
	CHECK(S_ISLNK(st.st_mode) && st.st_size == 4);
	FAILS(EBADF, mkdirat(99, "x", 0755));
	FAILS(ENOTDIR, mkdirat(f, "x", 0755));
	FAILS(ENOENT, mkdirat(f, "", 0755));
	WORKS(mkdirat(99, "/tmp/t/absolute", 0755));
	FAILS(EISDIR, unlinkat(d, "sub", 0));
	FAILS(ENOTDIR, unlinkat(d, "file", AT_REMOVEDIR));
	FAILS(EINVAL, unlinkat(d, "sub", 1));
	WORKS(unlinkat(d, "sub", AT_REMOVEDIR));
	WORKS(unlinkat(d, "fifo", 0));
	WORKS(fstatat(f, "", &st, AT_EMPTY_PATH));
	CHECK(S_ISREG(st.st_mode));
	FAILS(ENOENT, fstatat(f, "", &st, 0));
	FAILS(EINVAL, fstatat(f, "", &st, 0x10));
	WORKS(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
	CHECK(S_ISDIR(st.st_mode));
}

TEST(rename_between_descriptors)
{
	int a, b;

	WORKS(mkdir("a", 0755));
	WORKS(mkdir("b", 0755));
	t_file("a/x", "one");
	a = dir_fd("a");
	b = dir_fd("b");
	WORKS(renameat(a, "x", b, "y"));
	CHECK(holds("b/y", "one"));
	FAILS(ENOENT, renameat(a, "x", b, "z"));
	WORKS(linkat(b, "y", a, "z", 0));
	CHECK(links("a/z") == 2);
	FAILS(EEXIST, linkat(b, "y", a, "z", 0));
	FAILS(EBADF, renameat(a, "z", 99, "y"));
	FAILS(EBADF, linkat(99, "z", a, "y", 0));
}

TEST(rename_flags)
{
	WORKS(mkdir("d", 0755));
	WORKS(mkdir("d/in", 0755));
	WORKS(mkdir("e", 0755));
	t_file("f", "f");
	t_file("e/g", "g");
	FAILS(EEXIST, rename_with("f", "e/g", NOREPLACE));
	FAILS(EEXIST, rename_with("f", "f", NOREPLACE));
	FAILS(EEXIST, rename_with("f", "..", NOREPLACE));
	FAILS(EBUSY, rename("f", ".."));
	FAILS(EBUSY, rename("d/.", "x"));
	FAILS(EINVAL, rename_with("f", "e/g", NOREPLACE | EXCHANGE));
	FAILS(EINVAL, rename_with("f", "e/g", 64));
	WORKS(rename_with("f", "h", NOREPLACE));
	WORKS(rename_with("h", "e/g", EXCHANGE));
	CHECK(holds("h", "g") && holds("e/g", "f"));
	FAILS(ENOENT, rename_with("h", "none", EXCHANGE));
	FAILS(ENOENT, rename_with("none", "h", EXCHANGE));
	FAILS(EINVAL, rename_with("d", "d/in", EXCHANGE));
	FAILS(EINVAL, rename_with("d/in", "d", EXCHANGE));
	CHECK(links("d") == 3 && links("e") == 2);
	WORKS(rename_with("d/in", "e/g", EXCHANGE));
	CHECK(links("d") == 2 && links("e") == 3);
	CHECK(holds("d/in", "f"));
	WORKS(stat("e/g", &st));
	CHECK(S_ISDIR(st.st_mode));
	WORKS(rename_with("d", "e", EXCHANGE));
	CHECK(links("d") == 3 && links("e") == 2);
	WORKS(chdir("d/g"));
	WORKS(chdir(".."));
	CHECK(getcwd(buf, 100) && !strcmp(buf, "/tmp/t/d"));
}

TEST(exchanged_names_are_never_missed)
{
	int pid[4];

	WORKS(mkdir("a", 0755));
	WORKS(mkdir("b", 0755));
	WORKS(mkdir("a/x", 0755));
	WORKS(mkdir("a/x/in", 0755));
	WORKS(mkdir("b/y", 0755));
	WORKS(mkdir("b/y/in", 0755));
	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		for (int n = 0; n < 1500; n++) {
			if (i < 2)
				WORKS(rename_with("a/x", "b/y", EXCHANGE));
			else
				WORKS(stat(i == 2 ? "a/x/in" : "b/y/in", &st));
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++)
		CHECK(t_wait(pid[i]) == 0);
	CHECK(links("a") == 3 && links("b") == 3);
}

TEST(rename_errors)
{
	WORKS(mkdir("d", 0755));
	WORKS(mkdir("d/e", 0755));
	WORKS(mkdir("full", 0755));
	t_file("full/x", "");
	t_file("f", "");
	FAILS(EINVAL, rename("d", "d/e/x"));
	FAILS(EINVAL, rename("d", "d/x"));
	FAILS(ENOTEMPTY, rename("d/e", "d"));
	FAILS(ENOTEMPTY, rename("d", "full"));
	FAILS(EISDIR, rename("f", "full"));
	FAILS(ENOTDIR, rename("d", "f"));
	FAILS(ENOTDIR, rename("f", "new/"));
	FAILS(ENOTDIR, rename("f/", "new"));
	FAILS(ENOENT, rename("none", "new"));
	FAILS(ENOENT, rename("f", "no/new"));
	FAILS(ENOTDIR, rename("f", "f/x"));
	FAILS(EBUSY, rename("/", "/x"));
	FAILS(ENOENT, rename("", "x"));
	WORKS(rename("d/", "moved/"));
	WORKS(rename("moved", "moved"));
	WORKS(link("f", "g"));
	WORKS(rename("f", "g"));
	CHECK(links("f") == 2, "two names of one file stay");
}

TEST(links)
{
	int fd;

	t_file("f", "x");
	WORKS(symlink("f", "s"));
	WORKS(link("s", "s2"));
	CHECK(links("s2") == 2 && S_ISLNK(st.st_mode));
	WORKS(linkat(AT_FDCWD, "s", AT_FDCWD, "f2", AT_SYMLINK_FOLLOW));
	CHECK(links("f2") == 2 && S_ISREG(st.st_mode));
	fd = (int)WORKS(open("f", O_PATH));
	WORKS(linkat(fd, "", AT_FDCWD, "f3", AT_EMPTY_PATH));
	CHECK(links("f3") == 3);
	FAILS(EINVAL, linkat(AT_FDCWD, "f", AT_FDCWD, "x", 1));
	FAILS(ENOENT, linkat(fd, "", AT_FDCWD, "x", 0));
	FAILS(ENOENT, link("f", "x/"));
	FAILS(ENOTDIR, link("f/", "x"));
	FAILS(EEXIST, link("f", "s"));
	FAILS(EEXIST, link("f", "."));
	FAILS(EPERM, link(".", "x"));
	WORKS(unlink("f"));
	WORKS(unlink("f2"));
	WORKS(unlink("f3"));
	FAILS(ENOENT, linkat(fd, "", AT_FDCWD, "x", AT_EMPTY_PATH));
}

TEST(directory_links)
{
	CHECK(links(".") == 2);
	WORKS(mkdir("a", 0755));
	WORKS(mkdir("b", 0755));
	t_file("f", "");
	CHECK(links(".") == 4 && links("a") == 2 && links("f") == 1);
	WORKS(rename("a", "b/a"));
	CHECK(links(".") == 3 && links("b") == 3);
	WORKS(mkdir("a", 0755));
	WORKS(rename("b/a", "a"));
	CHECK(links(".") == 4 && links("b") == 2 && links("a") == 2);
	WORKS(rmdir("b"));
	CHECK(links(".") == 3);
}

TEST(slashes)
{
	WORKS(mkdir("d", 0755));
	t_file("f", "x");
	WORKS(symlink("d", "ld"));
	WORKS(symlink("none", "dangling"));
	WORKS(symlink("f", "lf"));
	FAILS(EISDIR, open("new/", O_WRONLY | O_CREAT, 0644));
	FAILS(EISDIR, open("f/", O_WRONLY | O_CREAT, 0644));
	FAILS(EISDIR, open("d/", O_WRONLY | O_CREAT, 0644));
	FAILS(EEXIST, open(".", O_WRONLY | O_CREAT | O_EXCL, 0644));
	FAILS(EISDIR, open(".", O_RDONLY | O_CREAT, 0644));
	FAILS(ENOTDIR, open("f/", O_RDONLY));
	FAILS(ENOTDIR, open("lf/", O_RDONLY));
	FAILS(ENOTDIR, stat("f/", &st));
	FAILS(ENOTDIR, lstat("lf/", &st));
	FAILS(ENOENT, stat("none/", &st));
	FAILS(ENOENT, stat("dangling/", &st));
	WORKS(lstat("ld/", &st));
	CHECK(S_ISDIR(st.st_mode));
	FAILS(ENOTDIR, truncate("f/", 0));
	FAILS(ENOTDIR, chmod("f/", 0644));
	FAILS(ENOTDIR, unlink("lf/"));
	FAILS(ENOTDIR, rmdir("ld"));
	FAILS(ENOTDIR, rmdir("ld/"));
	FAILS(EEXIST, mkdir("dangling", 0755));
	FAILS(EEXIST, mkdir("dangling/", 0755));
	FAILS(EEXIST, mknod("d/", S_IFREG | 0644, 0));
	FAILS(ENOENT, mknod("new/", S_IFREG | 0644, 0));
	FAILS(ENOENT, symlink("x", "new/"));
	FAILS(ENOENT, link("f", "new/"));
	FAILS(EINVAL, readlink("ld/", buf, 10));
	FAILS(ENOENT, symlink("", "new"));
	FAILS(EISDIR, unlink("d/"));
	WORKS(mkdir("new//", 0755));
	WORKS(rmdir("new///"));
}

TEST(symlinks_and_create)
{
	WORKS(symlink("target", "l"));
	FAILS(EEXIST, open("l", O_WRONLY | O_CREAT | O_EXCL, 0644));
	FAILS(ELOOP, open("l", O_WRONLY | O_CREAT | O_NOFOLLOW, 0644));
	FAILS(ELOOP, open("l", O_RDONLY | O_NOFOLLOW));
	FAILS(ENOTDIR, open("l", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
	FAILS(ENOENT, open("l", O_RDONLY));
	FAILS(ENOENT, open("target", O_RDONLY));
	WORKS(close((int)WORKS(open("l", O_WRONLY | O_CREAT, 0644))));
	WORKS(stat("target", &st));
	WORKS(symlink("no/where", "deep"));
	FAILS(ENOENT, open("deep", O_WRONLY | O_CREAT, 0644));
	WORKS(symlink("d/", "slash"));
	FAILS(EISDIR, open("slash", O_WRONLY | O_CREAT, 0644));
	FAILS(ENAMETOOLONG, symlink(memset(buf, 'x', 5000), "long"));
}

TEST(place_only)
{
	int fd, l, d;

	t_file("f", "text");
	WORKS(symlink("f", "l"));
	WORKS(mkdir("d", 0755));
	fd = (int)WORKS(open("f", O_PATH | O_RDWR));
	l = (int)WORKS(open("l", O_PATH | O_NOFOLLOW));
	d = (int)WORKS(open("d", O_PATH));
	FAILS(EBADF, read(fd, buf, 1));
	FAILS(EBADF, write(fd, buf, 1));
	FAILS(EBADF, lseek(fd, 0, SEEK_SET));
	FAILS(EBADF, ftruncate(fd, 0));
	FAILS(EBADF, syscall(SYS_fchmod, fd, 0644));
	FAILS(EBADF, syscall(SYS_fchown, fd, 0, 0));
	FAILS(EBADF, fsync(fd));
	FAILS(EBADF, flock(fd, LOCK_SH));
	FAILS(EBADF, ioctl(fd, 0x5401, buf));
	FAILS(EBADF, fcntl(fd, F_SETFL, O_APPEND));
	FAILS(EBADF, syscall(SYS_getdents64, d, buf, 1000));
	CHECK(fcntl(fd, F_GETFL) == O_PATH, "%x", fcntl(fd, F_GETFL));
	WORKS(close((int)WORKS(dup(fd))));
	WORKS(fstat(l, &st));
	CHECK(S_ISLNK(st.st_mode));
	CHECK(readlinkat(l, "", buf, 10) == 1 && buf[0] == 'f');
	FAILS(ENOENT, readlinkat(fd, "", buf, 10));
	WORKS(mkdirat(d, "sub", 0755));
	WORKS(fchdir(d));
	FAILS(ENOTDIR, fchdir(fd));
	FAILS(ENOTDIR, open("/tmp/t/f", O_PATH | O_DIRECTORY));
}

TEST(open_flags_kept)
{
	int fd = (int)WORKS(open("f", O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NONBLOCK, 0644));
	int three = (int)WORKS(open("f", 3));

	CHECK(fcntl(fd, F_GETFL) == (O_RDWR | O_APPEND | O_NONBLOCK | 0100000));
	WORKS(fcntl(fd, F_SETFL, O_WRONLY));
	CHECK(fcntl(fd, F_GETFL) == (O_RDWR | 0100000));
	FAILS(EBADF, read(three, buf, 1));
	FAILS(EBADF, write(three, buf, 1));
	WORKS(fstat(three, &st));
}

/* --- times */

static void set_times(const char *path, long atime, long mtime)
{
	struct timespec ts[2] = { { atime, 1 }, { mtime, 2 } };

	WORKS(utimensat(AT_FDCWD, path, ts, 0));
}

TEST(times)
{
	struct timespec ts[2] = { { 0, 1000000000 }, { 0, 0 } };
	struct timeval tv[2] = { { 5, 600000 }, { 7, 800000 } }, bad[2] = { { 0, 1000000 }, { 0, 0 } };
	struct utimbuf ut = { 11, 12 };
	int fd;

	t_file("f", "x");
	WORKS(symlink("f", "l"));
	FAILS(EINVAL, utimensat(AT_FDCWD, "f", ts, 0));
	FAILS(EINVAL, utimensat(AT_FDCWD, "f", NULL, 0x8000));
	FAILS(ENOENT, utimensat(AT_FDCWD, "none", NULL, 0));
	FAILS(EFAULT, syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0));
	FAILS(EFAULT, syscall(SYS_utimensat, AT_FDCWD, "f", 16, 0));
	FAILS(EINVAL, syscall(SYS_utimes, "f", bad));
	WORKS(syscall(SYS_utimes, "f", tv));
	WORKS(stat("f", &st));
	CHECK(st.st_atim.tv_sec == 5 && st.st_atim.tv_nsec == 600000000);
	CHECK(st.st_mtim.tv_sec == 7 && st.st_mtim.tv_nsec == 800000000);
	CHECK(st.st_ctim.tv_sec > 1000000);
	WORKS(syscall(SYS_utime, "f", &ut));
	WORKS(stat("f", &st));
	CHECK(st.st_atim.tv_sec == 11 && st.st_mtim.tv_sec == 12);
	WORKS(syscall(SYS_futimesat, AT_FDCWD, "f", tv));
	ts[0].tv_nsec = 3;
	WORKS(utimensat(AT_FDCWD, "l", ts, AT_SYMLINK_NOFOLLOW));
	WORKS(lstat("l", &st));
	CHECK(st.st_atim.tv_sec == 0 && st.st_atim.tv_nsec == 3);
	WORKS(stat("f", &st));
	CHECK(st.st_atim.tv_sec == 5);
	fd = (int)WORKS(open("f", O_RDONLY));
	WORKS(futimens(fd, ts));
	WORKS(fstat(fd, &st));
	CHECK(st.st_atim.tv_sec == 0);
}

static int newer(const struct timespec *t, long than)
{
	return t->tv_sec > than;
}

TEST(times_follow_use)
{
	int fd = make("f");

	CHECK(write(fd, "abc", 3) == 3);
	set_times("f", 100, 200);
	CHECK(pread(fd, buf, 1, 0) == 1);
	WORKS(fstat(fd, &st));
	CHECK(newer(&st.st_atim, 100) && st.st_mtim.tv_sec == 200);
	set_times("f", 100, 200);
	CHECK(pwrite(fd, "x", 1, 0) == 1);
	WORKS(fstat(fd, &st));
	CHECK(st.st_atim.tv_sec == 100 && newer(&st.st_mtim, 200));
	set_times("f", 100, 200);
	WORKS(fchmod(fd, 0600));
	WORKS(ftruncate(fd, 1));
	WORKS(fstat(fd, &st));
	CHECK(st.st_atim.tv_sec == 100 && newer(&st.st_mtim, 200));
	set_times(".", 100, 200);
	t_file("g", "");
	WORKS(stat(".", &st));
	CHECK(st.st_atim.tv_sec == 100 && newer(&st.st_mtim, 200));
	set_times(".", 100, 200);
	WORKS(chmod("g", 0600));
	CHECK(opendir("."));
	WORKS(stat(".", &st));
	CHECK(st.st_mtim.tv_sec == 200);
	WORKS(unlink("g"));
	WORKS(stat(".", &st));
	CHECK(newer(&st.st_mtim, 200));
}

/* --- data */

TEST(holes)
{
	int fd = make("f");

	WORKS(ftruncate(fd, 40960));
	WORKS(fstat(fd, &st));
	CHECK(st.st_size == 40960 && st.st_blocks == 0 && st.st_blksize == 4096);
	CHECK(pwrite(fd, "x", 1, 8192 + 5) == 1);
	WORKS(fstat(fd, &st));
	CHECK(st.st_blocks == 8);
	CHECK(lseek(fd, 0, SEEK_DATA) == 8192 && lseek(fd, 0, SEEK_HOLE) == 0);
	CHECK(lseek(fd, 8200, SEEK_DATA) == 8200 && lseek(fd, 8200, SEEK_HOLE) == 12288);
	CHECK(lseek(fd, 20000, SEEK_HOLE) == 20000);
	FAILS(ENXIO, lseek(fd, 12288, SEEK_DATA));
	FAILS(ENXIO, lseek(fd, 40960, SEEK_HOLE));
	FAILS(ENXIO, lseek(fd, -1, SEEK_DATA));
	CHECK(pwrite(fd, "x", 1, 40959) == 1 && lseek(fd, 40000, SEEK_HOLE) == 40960);
}

TEST(vectors)
{
	struct iovec v[3] = { { "ab", 2 }, { NULL, 0 }, { "cde", 3 } };
	struct iovec r[2] = { { buf, 1 }, { buf + 10, 100 } };
	struct iovec bad[2] = { { "zz", 2 }, { (void *)16, 5 } };
	int fd = make("f");

	CHECK(writev(fd, v, 3) == 5 && pwritev(fd, v, 1, 10) == 2);
	CHECK(preadv(fd, r, 2, 1) == 11 && buf[0] == 'b' && !memcmp(buf + 10, "cde\0\0\0\0\0ab", 10));
	CHECK(lseek(fd, 0, SEEK_CUR) == 5);
	CHECK(pwritev(fd, bad, 2, 0) == 2 && pread(fd, buf, 2, 0) == 2 && buf[1] == 'z');
	bad[1].iov_len = (size_t)-1;
	FAILS(EINVAL, pwritev(fd, bad, 2, 0));
	FAILS(EINVAL, preadv(fd, r, 2, -1));
	FAILS(EFAULT, writev(fd, (void *)16, 2));
	CHECK(writev(fd, v, 0) == 0);
}

TEST(vectors_are_one_write)
{
	struct iovec v[2] = { { buf, 3000 }, { buf + 3000, 1000 } };
	int fd = (int)WORKS(open("f", O_WRONLY | O_CREAT | O_APPEND, 0644)), pid[2];

	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		memset(buf, 'a' + i, 4000);
		for (int n = 0; n < 40; n++)
			CHECK(writev(fd, v, 2) == 4000);
		_exit(0);
	}
	CHECK(t_wait(pid[0]) == 0 && t_wait(pid[1]) == 0);
	fd = (int)WORKS(open("f", O_RDONLY));
	for (int n = 0; n < 80; n++) {
		CHECK(read(fd, buf, 4000) == 4000);
		for (int i = 1; i < 4000; i++)
			CHECK(buf[i] == buf[0], "record %d is mixed at %d", n, i);
	}
}

TEST(copies)
{
	int in = make("in"), out = make("out"), dir = dir_fd("."), p[2];
	off_t at = 3, to = 10;

	WORKS(pipe(p));
	memset(buf, 'q', 10000);
	CHECK(write(in, "0123456789", 10) == 10 && write(in, buf, 10000) == 10000);
	CHECK(sendfile(out, in, &at, 5) == 5 && at == 8 && lseek(in, 0, SEEK_CUR) == 10010);
	CHECK(sendfile(out, in, NULL, 5) == 0);
	CHECK(lseek(in, 0, SEEK_SET) == 0 && sendfile(out, in, NULL, 20000) == 10010);
	CHECK(lseek(in, 0, SEEK_CUR) == 10010 && lseek(out, 0, SEEK_CUR) == 10015);
	CHECK(pread(out, buf, 10, 0) == 10 && !memcmp(buf, "3456701234", 10));
	CHECK(lseek(in, 0, SEEK_SET) == 0 && sendfile(p[1], in, NULL, 4) == 4);
	CHECK(read(p[0], buf, 10) == 4 && !memcmp(buf, "0123", 4));
	FAILS(EINVAL, sendfile(out, dir, NULL, 5));
	FAILS(EBADF, sendfile(out, 99, NULL, 5));
	FAILS(EBADF, sendfile((int)WORKS(open("in", O_RDONLY)), in, NULL, 5));
	FAILS(EINVAL, sendfile((int)WORKS(open("out", O_WRONLY | O_APPEND)), in, &at, 5));
	at = 2;
	CHECK(copy_file_range(in, &at, out, &to, 4, 0) == 4 && at == 6 && to == 14);
	CHECK(pread(out, buf, 4, 10) == 4 && !memcmp(buf, "2345", 4));
	FAILS(EINVAL, copy_file_range(in, &at, in, &at, 4, 0));
	FAILS(EINVAL, copy_file_range(in, &at, out, &to, 4, 1));
	FAILS(EINVAL, copy_file_range(in, &at, p[1], NULL, 4, 0));
}

TEST(size_limit)
{
	struct rlimit l = { 1000, 1000 };
	int fd = make("f");

	signal(SIGXFSZ, SIG_IGN);
	WORKS(ftruncate(fd, 2000));
	WORKS(setrlimit(RLIMIT_FSIZE, &l));
	CHECK(pwrite(fd, buf, 300, 900) == 100);
	FAILS(EFBIG, pwrite(fd, buf, 1, 1000));
	FAILS(EFBIG, ftruncate(fd, 2001));
	WORKS(ftruncate(fd, 1500));
	WORKS(ftruncate(fd, 10));
	FAILS(EFBIG, truncate("f", 1001));
	CHECK(pwrite(fd, buf, 0, 5000) == 0);
}

static void write_beyond(void *arg)
{
	struct rlimit l = { 10, 10 };

	(void)arg;
	WORKS(setrlimit(RLIMIT_FSIZE, &l));
	(void)!pwrite(make("f"), buf, 1, 10);
}

TEST(size_limit_signals)
{
	t_expect_signal(write_beyond, NULL, SIGXFSZ);
}

TEST(statx_tells_the_same)
{
	struct {
		unsigned mask, blksize;
		unsigned long attributes;
		unsigned nlink, uid, gid;
		unsigned short mode, pad;
		unsigned long ino, size, blocks, attributes_mask;
		struct { long sec; unsigned nsec, pad; } atime, btime, ctime, mtime;
		unsigned rdev_major, rdev_minor, dev_major, dev_minor;
		unsigned long more[14];
	} x;
	int fd = make("f");

	CHECK(sizeof(x) == 256 && write(fd, buf, 5000) == 5000);
	WORKS(fstat(fd, &st));
	WORKS(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x7ff, &x));
	CHECK((x.mask & 0x7ff) == 0x7ff && x.size == 5000 && x.blocks == 16 && x.nlink == 1);
	CHECK(x.mode == st.st_mode && x.ino == st.st_ino && x.mtime.nsec == st.st_mtim.tv_nsec);
	CHECK(x.dev_minor == minor(st.st_dev) && x.dev_major == major(st.st_dev));
	WORKS(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0x7ff, &x));
	CHECK(x.size == 5000);
	WORKS(syscall(SYS_statx, AT_FDCWD, "/dev/null", 0, 0x7ff, &x));
	CHECK(x.rdev_major == 1 && x.rdev_minor == 3);
	FAILS(EINVAL, syscall(SYS_statx, AT_FDCWD, "f", 0x6000, 0x7ff, &x));
	FAILS(EINVAL, syscall(SYS_statx, AT_FDCWD, "f", 0, 0x80000000u, &x));
	FAILS(EFAULT, syscall(SYS_statx, AT_FDCWD, "f", 0, 0x7ff, 16));
}

TEST(old_getdents)
{
	int fd = dir_fd("."), n, seen = 0;

	t_file("file", "");
	WORKS(mkdir("dir", 0755));
	n = (int)WORKS(syscall(SYS_getdents, fd, buf, sizeof(buf)));
	for (int i = 0; i < n;) {
		unsigned short bytes = *(unsigned short *)(buf + i + 16);
		const char *name = buf + i + 18;

		CHECK(bytes && bytes % 8 == 0);
		if (!strcmp(name, "file"))
			seen |= buf[i + bytes - 1] == DT_REG ? 1 : 0;
		if (!strcmp(name, "dir"))
			seen |= buf[i + bytes - 1] == DT_DIR ? 2 : 0;
		i += bytes;
	}
	CHECK(seen == 3 && syscall(SYS_getdents, fd, buf, sizeof(buf)) == 0);
}

/* --- descriptors */

TEST(ranges_of_descriptors)
{
	int a = make("a"), b, c;

	b = (int)WORKS(fcntl(a, F_DUPFD, 50));
	c = (int)WORKS(fcntl(a, F_DUPFD_CLOEXEC, 50));
	CHECK(b == 50 && c == 51 && fcntl(c, F_GETFD) == 1);
	WORKS(syscall(SYS_close_range, 50, 50, 0));
	FAILS(EBADF, fcntl(50, F_GETFD));
	WORKS(dup2(a, 60));
	WORKS(syscall(SYS_close_range, 60, ~0u, 4));
	CHECK(fcntl(60, F_GETFD) == 1 && fcntl(a, F_GETFD) == 0);
	WORKS(syscall(SYS_close_range, 51, ~0u, 0));
	FAILS(EBADF, fcntl(60, F_GETFD));
	FAILS(EINVAL, syscall(SYS_close_range, 5, 4, 0));
	FAILS(EINVAL, syscall(SYS_close_range, 5, 6, 64));
	CHECK(syscall(SYS_dup3, a, 70, O_CLOEXEC) == 70 && fcntl(70, F_GETFD) == 1);
	FAILS(EINVAL, syscall(SYS_dup3, a, a, 0));
	FAILS(EBADF, dup2(a, 100000));
	FAILS(EINVAL, fcntl(a, F_DUPFD, 1 << 20));
}

TEST(descriptor_limit)
{
	struct rlimit l = { 20, 4096 };
	int fd = make("f"), last = 0;

	WORKS(setrlimit(RLIMIT_NOFILE, &l));
	for (int n; (n = dup(fd)) >= 0;)
		last = n;
	CHECK(last == 19 && errno == EMFILE);
	FAILS(EMFILE, open("f", O_RDONLY));
	FAILS(EBADF, dup2(fd, 20));
	FAILS(EINVAL, fcntl(fd, F_DUPFD, 20));
}

/* --- locks */

static struct flock range(int type, long start, long len)
{
	return (struct flock){ .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start,
			       .l_len = len };
}

static int lock(int fd, int cmd, int type, long start, long len)
{
	struct flock l = range(type, start, len);

	return fcntl(fd, cmd, &l);
}

TEST(record_locks)
{
	int fd = make("f"), pid;

	WORKS(lock(fd, F_SETLK, F_WRLCK, 10, 10));
	WORKS(lock(fd, F_SETLK, F_RDLCK, 30, 0));
	WORKS(lock(fd, F_SETLK, F_UNLCK, 14, 2));
	FAILS(EINVAL, lock(fd, F_SETLK, F_WRLCK, -1, 1));
	FAILS(EINVAL, lock(fd, F_SETLK, F_WRLCK, -1, LONG_MIN));
	FAILS(EINVAL, lock(fd, F_SETLK, F_WRLCK, 5, -6));
	FAILS(EINVAL, lock(fd, F_SETLK, 9, 0, 1));
	FAILS(EBADF, lock((int)WORKS(open("f", O_RDONLY)), F_SETLK, F_WRLCK, 0, 1));
	pid = fork();
	if (pid == 0) {
		struct flock l = range(F_WRLCK, 0, 0);

		WORKS(fcntl(fd, F_GETLK, &l));
		CHECK(l.l_type == F_WRLCK || l.l_type == F_RDLCK);
		CHECK(l.l_pid == getppid());
		FAILS(EAGAIN, lock(fd, F_SETLK, F_RDLCK, 13, 1));
		WORKS(lock(fd, F_SETLK, F_WRLCK, 14, 2));
		FAILS(EAGAIN, lock(fd, F_SETLK, F_WRLCK, 15, 2));
		WORKS(lock(fd, F_SETLK, F_RDLCK, 100, 5));
		FAILS(EAGAIN, lock(fd, F_SETLK, F_WRLCK, 100, 5));
		l = range(F_WRLCK, 16, 2);
		WORKS(fcntl(fd, F_GETLK, &l));
		CHECK(l.l_type == F_WRLCK && l.l_start == 16 && l.l_len == 4);
		l = range(F_WRLCK, 0, 10);
		WORKS(fcntl(fd, F_GETLK, &l));
		CHECK(l.l_type == F_UNLCK);
		WORKS(lock(fd, F_SETLKW, F_WRLCK, 10, 4));
		_exit(0);
	}
	sleep_ms(50);
	WORKS(close((int)WORKS(open("f", O_RDONLY))));
	CHECK(t_wait(pid) == 0, "a close of any descriptor gives all locks back");
	WORKS(lock(fd, F_SETLK, F_WRLCK, 0, 0));
}

TEST(whole_file_locks)
{
	int a = make("f"), b = (int)WORKS(open("f", O_RDONLY)), c = (int)WORKS(dup(a)), pid;

	WORKS(flock(a, LOCK_SH));
	WORKS(flock(b, LOCK_SH));
	FAILS(EAGAIN, flock(a, LOCK_EX | LOCK_NB));
	WORKS(flock(b, LOCK_UN));
	WORKS(flock(c, LOCK_EX | LOCK_NB));
	FAILS(EAGAIN, flock(b, LOCK_SH | LOCK_NB));
	FAILS(EINVAL, flock(a, 0));
	FAILS(EBADF, flock(99, LOCK_SH));
	WORKS(lock(a, F_SETLK, F_WRLCK, 0, 0));
	pid = fork();
	if (pid == 0) {
		WORKS(close(a));
		WORKS(close(c));
		WORKS(flock(b, LOCK_EX));
		_exit(0);
	}
	sleep_ms(50);
	WORKS(close(a));
	CHECK(waitpid(pid, NULL, WNOHANG) == 0, "the copy still holds it");
	WORKS(close(c));
	CHECK(t_wait(pid) == 0);
}

/* --- named pipes */

TEST(fifo_meets)
{
	int pid, fd;

	WORKS(mkfifo("p", 0644));
	pid = fork();
	if (pid == 0) {
		fd = (int)WORKS(open("p", O_WRONLY));
		CHECK(write(fd, "hello", 5) == 5);
		_exit(0);
	}
	fd = (int)WORKS(open("p", O_RDONLY));
	CHECK(read(fd, buf, 100) == 5 && !memcmp(buf, "hello", 5));
	CHECK(read(fd, buf, 100) == 0);
	CHECK(t_wait(pid) == 0);
	FAILS(ESPIPE, lseek(fd, 0, SEEK_SET));
	WORKS(fstat(fd, &st));
	CHECK(S_ISFIFO(st.st_mode) && st.st_size == 0);
}

/* Who opens may find that the other has come and gone. */
TEST(fifo_meets_again_and_again)
{
	int pid, fd;

	WORKS(mkfifo("p", 0644));
	pid = fork();
	for (int i = 0; i < 2000 || pid == 0; i++) {
		fd = (int)WORKS(open("p", pid ? O_RDONLY : O_WRONLY));
		close(fd);
	}
	kill(pid, SIGKILL);
	t_wait(pid);
}

TEST(fifo_nonblock)
{
	struct pollfd poll_fd = { .events = POLLIN };
	int r, w, both;

	WORKS(mkfifo("p", 0644));
	FAILS(ENXIO, open("p", O_WRONLY | O_NONBLOCK));
	r = (int)WORKS(open("p", O_RDONLY | O_NONBLOCK));
	CHECK(read(r, buf, 1) == 0);
	poll_fd.fd = r;
	CHECK(poll(&poll_fd, 1, 0) == 0);
	w = (int)WORKS(open("p", O_WRONLY | O_NONBLOCK));
	FAILS(EAGAIN, read(r, buf, 1));
	CHECK(write(w, "ab", 2) == 2 && poll(&poll_fd, 1, 0) == 1 && poll_fd.revents == POLLIN);
	CHECK(read(r, buf, 10) == 2);
	WORKS(close(w));
	CHECK(read(r, buf, 1) == 0 && poll(&poll_fd, 1, 0) == 1 && poll_fd.revents == POLLHUP);
	WORKS(close(r));
	both = (int)WORKS(open("p", O_RDWR));
	CHECK(write(both, "x", 1) == 1);
	WORKS(unlink("p"));
	CHECK(read(both, buf, 10) == 1);
}

TEST(fifo_loses_what_nobody_read)
{
	int fd;

	WORKS(mkfifo("p", 0644));
	fd = (int)WORKS(open("p", O_RDWR));
	CHECK(write(fd, buf, 60000) == 60000);
	WORKS(close(fd));
	fd = (int)WORKS(open("p", O_RDWR | O_NONBLOCK));
	FAILS(EAGAIN, read(fd, buf, 1));
}

TEST(fifo_open_is_interrupted)
{
	int pid;

	WORKS(mkfifo("p", 0644));
	pid = fork();
	if (pid == 0) {
		open("p", O_RDONLY);
		_exit(1);
	}
	sleep_ms(50);
	WORKS(kill(pid, SIGTERM));
	CHECK(t_wait(pid) == SIGTERM);
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
