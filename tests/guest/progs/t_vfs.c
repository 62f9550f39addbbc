/* SPDX-License-Identifier: MIT */
/* Files, directories, names and pipes. Each test starts in an empty directory /tmp/t. */
#include "t.h"
#include <dirent.h>

static char block[65536 * 2];

static long file_size(const char *path)
{
	struct stat st;

	WORKS(stat(path, &st));
	return st.st_size;
}

static int make(const char *path)
{
	return (int)WORKS(open(path, O_RDWR | O_CREAT | O_TRUNC, 0644));
}

TEST(mkdir_rmdir)
{
	WORKS(mkdir("a", 0755));
	FAILS(EEXIST, mkdir("a", 0755));
	FAILS(ENOENT, mkdir("b/c", 0755));
	WORKS(mkdir("a/b", 0755));
	FAILS(ENOTEMPTY, rmdir("a"));
	WORKS(rmdir("a/b"));
	WORKS(rmdir("a/"));
	FAILS(ENOENT, rmdir("a"));
	WORKS(mkdir("c/", 0755));
	WORKS(rmdir("c"));
}

TEST(rmdir_errors)
{
	t_file("f", "x");
	WORKS(mkdir("d", 0755));
	FAILS(ENOTDIR, rmdir("f"));
	FAILS(EINVAL, rmdir("d/."));
	FAILS(ENOTEMPTY, rmdir("d/.."));
	FAILS(ENOENT, rmdir(""));
	FAILS(EBUSY, rmdir("/"));
	FAILS(ENOTDIR, mkdir("f/d", 0755));
	FAILS(EEXIST, mkdir("f", 0755));
	FAILS(EEXIST, mkdir("/", 0755));
	FAILS(EEXIST, mkdir(".", 0755));
}

TEST(unlink_errors)
{
	WORKS(mkdir("d", 0755));
	t_file("f", "x");
	FAILS(EISDIR, unlink("d"));
	FAILS(ENOENT, unlink("nothing"));
	FAILS(ENOENT, unlink(""));
	FAILS(ENOTDIR, unlink("f/"));
	FAILS(ENOTDIR, unlink("f/g"));
	WORKS(unlink("f"));
	FAILS(ENOENT, unlink("f"));
}

TEST(open_flags)
{
	int fd = (int)WORKS(open("f", O_WRONLY | O_CREAT | O_EXCL, 0644));

	FAILS(EEXIST, open("f", O_WRONLY | O_CREAT | O_EXCL, 0644));
	CHECK(write(fd, "hello", 5) == 5);
	FAILS(EBADF, read(fd, block, 1));
	WORKS(close(fd));
	fd = (int)WORKS(open("f", O_RDONLY));
	FAILS(EBADF, write(fd, "x", 1));
	WORKS(close(fd));
	fd = (int)WORKS(open("f", O_WRONLY | O_APPEND));
	CHECK(write(fd, " you", 4) == 4);
	WORKS(close(fd));
	CHECK(file_size("f") == 9);
	WORKS(close((int)WORKS(open("f", O_WRONLY | O_TRUNC))));
	CHECK(file_size("f") == 0);
}

TEST(open_errors)
{
	WORKS(mkdir("d", 0755));
	t_file("f", "x");
	FAILS(ENOENT, open("no", O_RDONLY));
	FAILS(ENOENT, open("", O_RDONLY));
	FAILS(ENOENT, open("no/f", O_RDONLY | O_CREAT, 0644));
	FAILS(EISDIR, open("d", O_WRONLY));
	FAILS(EISDIR, open("d", O_RDWR));
	FAILS(ENOTDIR, open("f", O_RDONLY | O_DIRECTORY));
	FAILS(ENOTDIR, open("f/x", O_RDONLY));
	FAILS(ENOTDIR, open("f/", O_RDONLY));
	FAILS(EISDIR, read((int)WORKS(open("d", O_RDONLY)), block, 1));
}

TEST(read_write_seek)
{
	int fd = make("f");

	CHECK(write(fd, "0123456789", 10) == 10);
	CHECK(lseek(fd, 3, SEEK_SET) == 3 && read(fd, block, 2) == 2 && !memcmp(block, "34", 2));
	CHECK(lseek(fd, -1, SEEK_END) == 9 && read(fd, block, 5) == 1 && block[0] == '9');
	CHECK(read(fd, block, 5) == 0);
	CHECK(lseek(fd, -5, SEEK_CUR) == 5);
	FAILS(EINVAL, lseek(fd, -6, SEEK_CUR));
	FAILS(EINVAL, lseek(fd, 0, 77));
	CHECK(lseek(fd, 0, SEEK_CUR) == 5, "a failed seek moves nothing");
	CHECK(write(fd, "xy", 2) == 2 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(read(fd, block, 100) == 10 && !memcmp(block, "01234xy789", 10));
}

TEST(pread_pwrite)
{
	int fd = make("f");

	CHECK(pwrite(fd, "abc", 3, 5) == 3);
	CHECK(pread(fd, block, 10, 0) == 8 && !memcmp(block, "\0\0\0\0\0abc", 8));
	CHECK(lseek(fd, 0, SEEK_CUR) == 0);
	FAILS(EINVAL, pread(fd, block, 1, -1));
	FAILS(EINVAL, pwrite(fd, block, 1, -1));
}

TEST(sparse_file)
{
	int fd = make("f");

	CHECK(lseek(fd, 1000000, SEEK_SET) == 1000000 && write(fd, "end", 3) == 3);
	CHECK(file_size("f") == 1000003);
	CHECK(pread(fd, block, 8192, 500000) == 8192);
	for (int i = 0; i < 8192; i++)
		CHECK(block[i] == 0);
}

TEST(large_file)
{
	int fd = make("f");

	for (int i = 0; i < 64; i++) {
		memset(block, i, 65536);
		CHECK(write(fd, block, 65536) == 65536);
	}
	CHECK(file_size("f") == 64 * 65536);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	for (int i = 0; i < 64; i++) {
		CHECK(read(fd, block, 65536) == 65536);
		CHECK(block[0] == (char)i && block[65535] == (char)i);
	}
	CHECK(read(fd, block, 1) == 0);
}

TEST(truncate_clears)
{
	int fd = make("f");

	memset(block, 'x', 10000);
	CHECK(write(fd, block, 10000) == 10000);
	WORKS(close((int)WORKS(open("f", O_WRONLY | O_TRUNC))));
	CHECK(pwrite(fd, "e", 1, 9999) == 1);
	CHECK(pread(fd, block, 10000, 0) == 10000);
	for (int i = 0; i < 9999; i++)
		CHECK(block[i] == 0, "old byte at %d", i);
}

TEST(unlinked_open_file)
{
	struct stat st;
	int fd = make("f");

	CHECK(write(fd, "still", 5) == 5);
	WORKS(unlink("f"));
	FAILS(ENOENT, open("f", O_RDONLY));
	CHECK(pread(fd, block, 10, 0) == 5 && !memcmp(block, "still", 5));
	WORKS(fstat(fd, &st));
	CHECK(st.st_nlink == 0 && st.st_size == 5);
	t_file("f", "new");
	CHECK(pread(fd, block, 10, 0) == 5, "a new file of that name is another");
	WORKS(close(fd));
}

TEST(stat_fields)
{
	struct stat st, again;

	t_file("f", "12345");
	WORKS(stat("f", &st));
	CHECK(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0644 && st.st_size == 5);
	CHECK(st.st_nlink == 1 && st.st_uid == 0 && st.st_blksize > 0);
	WORKS(stat("./../t/f", &again));
	CHECK(st.st_ino == again.st_ino && st.st_dev == again.st_dev);
	WORKS(stat("/", &st));
	CHECK(S_ISDIR(st.st_mode) && st.st_nlink >= 2);
	WORKS(mkdir("d", 0700));
	WORKS(stat("d", &st));
	CHECK(S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700);
	WORKS(stat("/dev/null", &st));
	CHECK(S_ISCHR(st.st_mode));
	FAILS(ENOENT, stat("no", &st));
	FAILS(ENOTDIR, stat("f/x", &st));
	FAILS(EBADF, fstat(77, &st));
}

TEST(hard_links)
{
	struct stat st;

	t_file("f", "data");
	WORKS(link("f", "g"));
	WORKS(stat("g", &st));
	CHECK(st.st_nlink == 2);
	FAILS(EEXIST, link("f", "g"));
	FAILS(ENOENT, link("no", "h"));
	WORKS(mkdir("d", 0755));
	FAILS(EPERM, link("d", "e"));
	WORKS(unlink("f"));
	CHECK(file_size("g") == 4);
	WORKS(stat("g", &st));
	CHECK(st.st_nlink == 1);
}

TEST(symlinks)
{
	struct stat st;

	WORKS(mkdir("d", 0755));
	t_file("d/f", "through");
	WORKS(symlink("d", "s"));
	CHECK(file_size("s/f") == 7);
	CHECK(readlink("s", block, 100) == 1 && block[0] == 'd');
	WORKS(lstat("s", &st));
	CHECK(S_ISLNK(st.st_mode));
	WORKS(stat("s", &st));
	CHECK(S_ISDIR(st.st_mode));
	WORKS(symlink("/tmp/t/d/f", "abs"));
	CHECK(file_size("abs") == 7);
	WORKS(symlink("../t/s/f", "rel"));
	CHECK(file_size("rel") == 7);
	FAILS(EINVAL, readlink("d/f", block, 100));
	FAILS(EEXIST, symlink("x", "s"));
	CHECK(readlink("abs", block, 4) == 4, "cut to the buffer");
	WORKS(unlink("s"));
	CHECK(file_size("d/f") == 7, "only the link went");
	FAILS(ELOOP, open("abs", O_RDONLY | O_NOFOLLOW));
}

TEST(symlink_loops)
{
	WORKS(symlink("b", "a"));
	WORKS(symlink("a", "b"));
	WORKS(symlink("self", "self"));
	FAILS(ELOOP, open("a", O_RDONLY));
	FAILS(ELOOP, open("self/x", O_RDONLY));
	FAILS(ELOOP, mkdir("a/x", 0755));
	FAILS(EEXIST, mkdir("a", 0755));
}

TEST(symlink_dangling)
{
	WORKS(symlink("not-there", "s"));
	FAILS(ENOENT, open("s", O_RDONLY));
	WORKS(close((int)WORKS(open("s", O_WRONLY | O_CREAT, 0644))));
	CHECK(file_size("not-there") == 0, "created through the link");
	FAILS(EEXIST, open("s", O_WRONLY | O_CREAT | O_EXCL, 0644));
}

TEST(symlink_chain)
{
	char from[16], to[16];

	t_file("0", "x");
	for (int i = 1; i <= 42; i++) {
		snprintf(to, sizeof(to), "%d", i - 1);
		snprintf(from, sizeof(from), "%d", i);
		WORKS(symlink(to, from));
	}
	CHECK(file_size("40") == 1, "40 links are followed");
	FAILS(ELOOP, open("41", O_RDONLY));
}

TEST(rename_files)
{
	t_file("a", "A");
	t_file("b", "BB");
	WORKS(rename("a", "c"));
	FAILS(ENOENT, open("a", O_RDONLY));
	WORKS(rename("c", "b"));
	CHECK(file_size("b") == 1, "replaced");
	WORKS(rename("b", "b"));
	WORKS(link("b", "l"));
	WORKS(rename("b", "l"));
	CHECK(file_size("b") == 1 && file_size("l") == 1, "links of one file: nothing happens");
	FAILS(ENOENT, rename("no", "x"));
	FAILS(ENOENT, rename("b", "no/x"));
}

TEST(rename_directories)
{
	WORKS(mkdir("a", 0755));
	WORKS(mkdir("a/sub", 0755));
	WORKS(mkdir("empty", 0755));
	t_file("f", "x");
	FAILS(EINVAL, rename("a", "a/sub/x"));
	FAILS(EINVAL, rename("a", "a/x"));
	FAILS(ENOTEMPTY, rename("empty", "a"));
	FAILS(ENOTDIR, rename("a", "f"));
	FAILS(EISDIR, rename("f", "empty"));
	WORKS(rename("a", "empty"));
	WORKS(rmdir("empty/sub"));
	FAILS(ENOENT, rmdir("a"));
	FAILS(EBUSY, rename("empty/.", "x"));
	FAILS(EBUSY, rename("empty", ".."));
}

TEST(rename_moves_dotdot)
{
	char cwd[100];

	WORKS(mkdir("a", 0755));
	WORKS(mkdir("b", 0755));
	WORKS(mkdir("a/x", 0755));
	WORKS(chdir("a/x"));
	WORKS(rename("/tmp/t/a/x", "/tmp/t/b/y"));
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/tmp/t/b/y"), "%s", cwd);
	WORKS(chdir(".."));
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/tmp/t/b"), "%s", cwd);
}

TEST(rename_over_open_file)
{
	int fd;

	t_file("a", "new");
	t_file("b", "older");
	fd = (int)WORKS(open("b", O_RDONLY));
	WORKS(rename("a", "b"));
	CHECK(read(fd, block, 10) == 5, "the old file lives while it is open");
	CHECK(file_size("b") == 3);
}

TEST(names_long)
{
	char name[300], path[600];

	memset(name, 'n', sizeof(name));
	name[255] = 0;
	WORKS(mkdir(name, 0755));
	snprintf(path, sizeof(path), "%s/%s", name, name);
	t_file(path, "deep");
	CHECK(file_size(path) == 4);
	WORKS(unlink(path));
	WORKS(rmdir(name));
	name[255] = 'n';
	name[256] = 0;
	FAILS(ENAMETOOLONG, mkdir(name, 0755));
	FAILS(ENAMETOOLONG, open(name, O_RDONLY));
}

TEST(paths_long)
{
	static char path[5001];

	for (int i = 0; i < 5000; i++)
		path[i] = i % 2 ? '/' : '.';
	FAILS(ENAMETOOLONG, open(path, O_RDONLY));
	FAILS(ENAMETOOLONG, mkdir(path, 0755));
	FAILS(ENAMETOOLONG, chdir(path));
	FAILS(ENAMETOOLONG, unlink(path));
	path[4096] = 0;
	FAILS(ENAMETOOLONG, chdir(path));
	path[4095] = 0;
	WORKS(chdir(path));
	memset(path, 'x', 5000);
	FAILS(ENAMETOOLONG, open(path, O_RDONLY));
}

TEST(names_odd)
{
	WORKS(mkdir("a b", 0755));
	WORKS(mkdir("\xff\xfe\n", 0755));
	WORKS(mkdir("...", 0755));
	WORKS(chdir("..."));
	WORKS(chdir("//tmp///t//./...//../"));
	WORKS(rmdir("\xff\xfe\n"));
	WORKS(chdir("/.."));
	CHECK(getcwd(block, 100) && !strcmp(block, "/"));
}

/* --- directories */

static int list(const char *dir, char *seen, int max)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	int nr = 0;

	CHECK(d);
	while ((e = readdir(d))) {
		int i = atoi(e->d_name + 1);

		nr++;
		if (e->d_name[0] == 'f' && i < max)
			seen[i]++;
	}
	closedir(d);
	return nr;
}

TEST(getdents_many)
{
	static char seen[600];
	char name[32];

	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		t_file(name, "");
	}
	CHECK(list(".", seen, 600) == 602, "all and the two dots");
	for (int i = 0; i < 600; i++)
		CHECK(seen[i] == 1, "f%d %d times", i, seen[i]);
	for (int i = 0; i < 600; i += 2) {
		snprintf(name, sizeof(name), "f%d", i);
		WORKS(unlink(name));
	}
	CHECK(list(".", seen, 600) == 302);
}

TEST(getdents_while_removing)
{
	struct dirent *e;
	char name[32];
	int nr = 0;
	DIR *d;

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		t_file(name, "");
	}
	d = opendir(".");
	CHECK(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] != 'f')
			continue;
		WORKS(unlink(e->d_name));
		nr++;
	}
	closedir(d);
	CHECK(nr == 300, "%d: one was skipped or came twice", nr);
}

TEST(getdents_raw)
{
	int fd = (int)WORKS(open(".", O_RDONLY | O_DIRECTORY));
	int file = make("a");

	CHECK(syscall(SYS_getdents64, fd, block, sizeof(block)) > 0);
	CHECK(syscall(SYS_getdents64, fd, block, sizeof(block)) == 0);
	FAILS(ENOTDIR, syscall(SYS_getdents64, file, block, sizeof(block)));
	FAILS(EBADF, syscall(SYS_getdents64, 99, block, sizeof(block)));
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	FAILS(EINVAL, syscall(SYS_getdents64, fd, block, 3));
	FAILS(EFAULT, syscall(SYS_getdents64, fd, (void *)16, 4096));
	CHECK(syscall(SYS_getdents64, fd, block, sizeof(block)) > 0);
}

TEST(getcwd_sizes)
{
	WORKS(mkdir("name", 0755));
	WORKS(chdir("name"));
	CHECK(getcwd(block, 100) && !strcmp(block, "/tmp/t/name"));
	FAILS(ERANGE, syscall(SYS_getcwd, block, 5));
	FAILS(ERANGE, syscall(SYS_getcwd, block, 11));
	CHECK(syscall(SYS_getcwd, block, 12) == 12);
	FAILS(EFAULT, syscall(SYS_getcwd, 16, 100));
}

TEST(removed_cwd)
{
	WORKS(mkdir("gone", 0755));
	WORKS(chdir("gone"));
	WORKS(rmdir("../gone"));
	FAILS(ENOENT, syscall(SYS_getcwd, block, 100));
	FAILS(ENOENT, mkdir("x", 0755));
	FAILS(ENOENT, open("f", O_WRONLY | O_CREAT, 0644));
	WORKS(chdir("."));
	WORKS(chdir(".."));
	CHECK(getcwd(block, 100) && !strcmp(block, "/tmp/t"));
}

TEST(chdir_errors)
{
	t_file("f", "x");
	FAILS(ENOTDIR, chdir("f"));
	FAILS(ENOENT, chdir("no"));
	FAILS(ENOENT, chdir(""));
	CHECK(getcwd(block, 100) && !strcmp(block, "/tmp/t"));
}

TEST(chain_2000)
{
	for (int i = 0; i < 2000; i++) {
		WORKS(mkdir("x", 0755));
		WORKS(chdir("x"));
	}
	for (int i = 0; i < 2000; i++) {
		WORKS(chdir(".."));
		WORKS(rmdir("x"));
	}
	CHECK(getcwd(block, 100) && !strcmp(block, "/tmp/t"));
}

/* --- descriptors */

TEST(dup_shares_offset)
{
	int fd = make("f"), d;

	CHECK(write(fd, "abcdef", 6) == 6 && lseek(fd, 0, SEEK_SET) == 0);
	d = (int)WORKS(dup(fd));
	CHECK(read(d, block, 2) == 2 && read(fd, block, 1) == 1 && block[0] == 'c');
	WORKS(close(fd));
	CHECK(read(d, block, 1) == 1 && block[0] == 'd');
	FAILS(EBADF, read(fd, block, 1));
}

TEST(dup_numbers)
{
	int fd = make("f");

	CHECK(dup2(fd, 50) == 50 && dup2(fd, 50) == 50 && dup2(50, 50) == 50);
	FAILS(EBADF, dup2(99, 51));
	FAILS(EBADF, dup2(99, 99));
	FAILS(EBADF, dup2(fd, -1));
	FAILS(EBADF, dup2(fd, 100000));
	FAILS(EBADF, dup(99));
	CHECK(fcntl(fd, F_DUPFD, 60) == 60 && fcntl(fd, F_DUPFD, 60) == 61);
	CHECK(fcntl(fd, F_DUPFD_CLOEXEC, 70) == 70 && fcntl(70, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(60, F_GETFD) == 0);
	WORKS(fcntl(60, F_SETFD, FD_CLOEXEC));
	CHECK(fcntl(60, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
	FAILS(EINVAL, fcntl(fd, F_DUPFD, 1 << 30));
	FAILS(EINVAL, fcntl(fd, 9999, 0));
	FAILS(EBADF, fcntl(99, F_GETFD));
}

TEST(fork_shares_offset)
{
	int fd = make("f"), pid;

	CHECK(write(fd, "abcdef", 6) == 6 && lseek(fd, 0, SEEK_SET) == 0);
	pid = (int)WORKS(fork());
	if (pid == 0)
		_exit(read(fd, block, 3) != 3);
	CHECK(t_wait(pid) == 0 && lseek(fd, 0, SEEK_CUR) == 3);
}

TEST(lowest_descriptor)
{
	int a = make("a"), b = make("b"), c = make("c");

	WORKS(close(b));
	CHECK((int)WORKS(open("a", O_RDONLY)) == b);
	WORKS(close(a));
	WORKS(close(c));
	FAILS(EBADF, close(c));
}

TEST(descriptors_run_out)
{
	int nr = 0, fd;

	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		nr++;
	CHECK(errno == EMFILE && nr > 200, "%d open, then %s", nr, t_errno(errno));
	FAILS(EMFILE, dup(1));
	FAILS(EMFILE, pipe((int *)block));
	WORKS(close(100));
	CHECK((int)WORKS(open("/dev/null", O_RDONLY)) == 100);
}

TEST(bad_descriptors)
{
	static const int bad[] = { 99, -1, 1 << 30, (int)0x80000000, 1024, 65536 };
	struct stat st;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FAILS(EBADF, read(bad[i], block, 1));
		FAILS(EBADF, write(bad[i], block, 1));
		FAILS(EBADF, close(bad[i]));
		FAILS(EBADF, lseek(bad[i], 0, SEEK_SET));
		FAILS(EBADF, fstat(bad[i], &st));
		FAILS(EBADF, dup(bad[i]));
		FAILS(EBADF, fcntl(bad[i], F_GETFD));
	}
}

/* --- devices */

TEST(dev_null)
{
	int fd = (int)WORKS(open("/dev/null", O_RDWR));

	CHECK(write(fd, block, 100000) == 100000 && read(fd, block, 10) == 0);
}

TEST(dev_zero)
{
	int fd = (int)WORKS(open("/dev/zero", O_RDWR));

	memset(block, 1, 1000);
	CHECK(read(fd, block, 1000) == 1000 && block[0] == 0 && block[999] == 0);
	CHECK(write(fd, block, 10) == 10);
}

/* --- pipes */

TEST(pipe_basics)
{
	int p[2];

	WORKS(pipe(p));
	CHECK(write(p[1], "abc", 3) == 3 && write(p[1], "def", 3) == 3);
	CHECK(read(p[0], block, 4) == 4 && !memcmp(block, "abcd", 4));
	CHECK(read(p[0], block, 100) == 2);
	FAILS(EBADF, write(p[0], "x", 1));
	FAILS(EBADF, read(p[1], block, 1));
	FAILS(ESPIPE, lseek(p[0], 0, SEEK_SET));
	FAILS(ESPIPE, pread(p[0], block, 1, 0));
	WORKS(close(p[1]));
	CHECK(read(p[0], block, 100) == 0);
}

static void write_closed(void *p)
{
	if (write(((int *)p)[1], "x", 1) < 0)
		_exit(errno == EPIPE ? 77 : 1);
}

TEST(pipe_without_reader)
{
	int p[2], status;

	WORKS(pipe(p));
	WORKS(close(p[0]));
	status = t_child(write_closed, p);
	CHECK(status == SIGPIPE, "status %#x", status);
}

TEST(pipe_writer_blocks)
{
	int p[2], pid;
	long total = 0, n;

	WORKS(pipe(p));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		close(p[0]);
		memset(block, 'w', sizeof(block));
		for (int i = 0; i < 8; i++)
			if (write(p[1], block, sizeof(block)) != (long)sizeof(block))
				_exit(1);
		_exit(0);
	}
	WORKS(close(p[1]));
	sleep_ms(30);
	while ((n = read(p[0], block, 1000)) > 0) {
		for (long i = 0; i < n; i++)
			CHECK(block[i] == 'w');
		total += n;
	}
	CHECK(n == 0 && total == 8 * (long)sizeof(block), "%ld bytes", total);
	CHECK(t_wait(pid) == 0);
}

TEST(pipe_ping_pong)
{
	int a[2], b[2], pid;
	char c = 0;

	WORKS(pipe(a));
	WORKS(pipe(b));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		close(a[1]);
		while (read(a[0], &c, 1) == 1)
			if (write(b[1], &c, 1) != 1)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < 2000; i++) {
		c = (char)i;
		CHECK(write(a[1], &c, 1) == 1);
		c = 0;
		CHECK(read(b[0], &c, 1) == 1 && c == (char)i);
	}
	WORKS(close(a[1]));
	CHECK(t_wait(pid) == 0);
}

/* Writes of up to PIPE_BUF bytes are never mixed. */
TEST(pipe_atomic_writes)
{
	int p[2], got[4] = { 0 }, fill = 0;
	static char unit[512];
	long n;

	WORKS(pipe(p));
	for (int i = 0; i < 4; i++)
		if (WORKS(fork()) == 0) {
			memset(unit, 'a' + i, sizeof(unit));
			for (int k = 0; k < 200; k++)
				if (write(p[1], unit, sizeof(unit)) != sizeof(unit))
					_exit(1);
			_exit(0);
		}
	WORKS(close(p[1]));
	while ((n = read(p[0], unit + fill, sizeof(unit) - (size_t)fill)) > 0) {
		fill += (int)n;
		if (fill < (int)sizeof(unit))
			continue;
		for (size_t i = 1; i < sizeof(unit); i++)
			CHECK(unit[i] == unit[0], "mixed");
		got[unit[0] - 'a']++;
		fill = 0;
	}
	for (int i = 0; i < 4; i++) {
		CHECK(got[i] == 200);
		CHECK(wait(NULL) > 0);
	}
}

TEST(pipe_nonblock)
{
	int p[2];
	long n, total = 0;

	WORKS(pipe2(p, O_NONBLOCK | O_CLOEXEC));
	CHECK(fcntl(p[0], F_GETFD) == FD_CLOEXEC);
	FAILS(EAGAIN, read(p[0], block, 1));
	while ((n = write(p[1], block, 4096)) > 0)
		total += n;
	CHECK(n == -1 && errno == EAGAIN && total >= 4096, "%ld", total);
	CHECK(read(p[0], block, 4096) == 4096);
	FAILS(EINVAL, pipe2(p, 0x1));
}

TEST(pipe_full_gives_back)
{
	int p[2];

	for (int i = 0; i < 50; i++) {
		WORKS(pipe2(p, O_NONBLOCK));
		while (write(p[1], block, 4096) > 0)
			;
		WORKS(close(p[0]));
		WORKS(close(p[1]));
	}
}

TEST(writev_readv_lengths)
{
	int fd = make("f");

	CHECK(write(fd, block, 0) == 0);
	CHECK(read(fd, block, 0) == 0);
	FAILS(EFAULT, write(fd, (void *)16, 1));
	CHECK(file_size("f") == 0);
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
