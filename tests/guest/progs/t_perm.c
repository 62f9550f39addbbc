/* SPDX-License-Identifier: MIT */
/* Who may do what: modes, owners, set-id bits, sticky directories. The tests are root's, who
 * lets users 1000 and 1001 try. Each starts in /tmp/t, which is root's with mode 0755. */
#include "t.h"
#include <grp.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define ANN	1000
#define BOB	1001

/* Become that user for good, in no other group. */
static void become(int uid, int gid)
{
	WORKS(setgroups(0, NULL));
	WORKS(setresgid(gid, gid, gid));
	WORKS(setresuid(uid, uid, uid));
}

/* The statements run in a child that is that user. */
#define AS(uid, ...) \
	do { \
		int pid_ = fork(); \
		if (pid_ == 0) { \
			become(uid, uid); \
			__VA_ARGS__; \
			_exit(0); \
		} \
		CHECK(pid_ > 0 && t_wait(pid_) == 0, "what user %d did", uid); \
	} while (0)

static struct stat st;

static unsigned mode_of(const char *path)
{
	WORKS(lstat(path, &st));
	return st.st_mode & 07777;
}

static void file_of(const char *path, int uid, int gid, unsigned mode)
{
	t_file(path, "text");
	WORKS(chown(path, uid, gid));
	WORKS(chmod(path, mode));
}

static void dir_of(const char *path, int uid, int gid, unsigned mode)
{
	WORKS(mkdir(path, 0700));
	WORKS(chown(path, uid, gid));
	WORKS(chmod(path, mode));
}

static void opens(const char *path, int flags)
{
	WORKS(close((int)WORKS(open(path, flags, 0644))));
}

TEST(one_class_counts)
{
	file_of("owner", ANN, ANN, 0077);
	file_of("group", 0, ANN, 0707);
	file_of("other", 0, 0, 0770);
	AS(ANN, {
		FAILS(EACCES, open("owner", O_RDONLY));
		FAILS(EACCES, open("group", O_RDONLY));
		FAILS(EACCES, open("other", O_RDONLY));
		FAILS(EACCES, access("owner", R_OK));
		WORKS(access("owner", F_OK));
	});
	AS(BOB, {
		opens("owner", O_RDWR);
		opens("group", O_RDWR);
		FAILS(EACCES, open("other", O_RDONLY));
	});
	opens("owner", O_RDWR);
}

TEST(open_modes)
{
	file_of("r", 0, 0, 0444);
	file_of("w", 0, 0, 0222);
	AS(ANN, {
		opens("r", O_RDONLY);
		FAILS(EACCES, open("r", O_WRONLY));
		FAILS(EACCES, open("r", O_RDWR));
		FAILS(EACCES, open("r", O_RDONLY | O_TRUNC));
		FAILS(EACCES, open("r", O_WRONLY | O_CREAT, 0644));
		FAILS(EEXIST, open("r", O_WRONLY | O_CREAT | O_EXCL, 0644));
		opens("w", O_WRONLY);
		FAILS(EACCES, open("w", O_RDONLY));
		opens("w", O_PATH);
		FAILS(EACCES, open("new", O_WRONLY | O_CREAT, 0644));
		FAILS(EACCES, mkdir("new", 0755));
		FAILS(EEXIST, mkdir("r", 0755));
		FAILS(EISDIR, open(".", O_WRONLY));
	});
	WORKS(stat("r", &st));
	CHECK(st.st_size == 4);
}

TEST(created_with_no_rights_is_open_to_its_maker)
{
	dir_of("d", ANN, ANN, 0755);
	AS(ANN, {
		int fd = (int)WORKS(open("d/f", O_RDWR | O_CREAT, 0));
		CHECK(write(fd, "x", 1) == 1);
		FAILS(EACCES, open("d/f", O_RDONLY));
		FAILS(EACCES, open("d/f", O_WRONLY | O_CREAT | O_TRUNC, 0644));
	});
	WORKS(lstat("d/f", &st));
	CHECK(st.st_uid == ANN && st.st_gid == ANN && (st.st_mode & 07777) == 0);
}

TEST(search)
{
	dir_of("shut", 0, 0, 0744);
	dir_of("blind", 0, 0, 0711);
	WORKS(mkdir("blind/in", 0755));
	t_file("shut/f", "x");
	t_file("blind/f", "x");
	WORKS(symlink("shut/f", "link"));
	AS(ANN, {
		FAILS(EACCES, stat("shut/f", &st));
		FAILS(EACCES, stat("shut/none", &st));
		FAILS(EACCES, stat("shut/.", &st));
		FAILS(EACCES, stat("shut/..", &st));
		FAILS(EACCES, open("link", O_RDONLY));
		FAILS(EACCES, chdir("shut"));
		opens("shut", O_RDONLY | O_DIRECTORY);
		WORKS(stat("blind/f", &st));
		FAILS(EACCES, open("blind", O_RDONLY));
		WORKS(chdir("blind"));
		WORKS(chdir("in/.."));
		FAILS(EACCES, mkdir("new", 0755));
		FAILS(EACCES, unlink("f"));
		FAILS(ENOENT, unlink("none"));
		FAILS(ENOTDIR, stat("f/x", &st));
	});
}

TEST(a_shut_working_directory)
{
	int fd;

	dir_of("d", ANN, ANN, 0755);
	WORKS(chdir("d"));
	fd = (int)WORKS(open(".", O_RDONLY | O_DIRECTORY));
	t_file("f", "x");
	WORKS(chmod(".", 0600));
	AS(ANN, {
		FAILS(EACCES, stat("f", &st));
		FAILS(EACCES, stat(".", &st));
		FAILS(EACCES, fstatat(fd, "f", &st, 0));
		FAILS(EACCES, fchdir(fd));
		WORKS(stat("/tmp/t", &st));
		WORKS(fstat(fd, &st));
		WORKS(chdir("/tmp/t"));
	});
}

TEST(sticky)
{
	dir_of("s", 0, 0, 01777);
	dir_of("mine", ANN, ANN, 01777);
	file_of("s/ann", ANN, ANN, 0666);
	file_of("s/bob", BOB, BOB, 0666);
	file_of("mine/bob", BOB, BOB, 0600);
	dir_of("s/dir", BOB, BOB, 0777);
	AS(ANN, {
		FAILS(EPERM, unlink("s/bob"));
		FAILS(EPERM, rename("s/bob", "s/new"));
		FAILS(EPERM, rename("s/ann", "s/bob"));
		FAILS(EPERM, rmdir("s/dir"));
		FAILS(EPERM, unlink("s/dir"));
		FAILS(ENOENT, unlink("s/none"));
		WORKS(rename("s/ann", "s/also"));
		WORKS(unlink("s/also"));
		WORKS(unlink("mine/bob"));
	});
	WORKS(unlink("s/bob"));
}

TEST(unlink_needs_the_directory)
{
	dir_of("d", ANN, ANN, 0755);
	file_of("d/f", 0, 0, 0600);
	dir_of("d/sub", 0, 0, 0700);
	AS(BOB, {
		FAILS(EACCES, unlink("d/f"));
		FAILS(EACCES, unlink("d/sub"));
		FAILS(EACCES, rmdir("d/f"));
		FAILS(EISDIR, unlink("d/sub/"));
		FAILS(ENOTDIR, unlink("d/f/"));
	});
	AS(ANN, {
		FAILS(EISDIR, unlink("d/sub"));
		FAILS(ENOTDIR, rmdir("d/f"));
		WORKS(unlink("d/f"));
		WORKS(rmdir("d/sub"));
	});
}

TEST(rename_rights)
{
	dir_of("from", ANN, ANN, 0755);
	dir_of("to", ANN, ANN, 0755);
	dir_of("shut", 0, 0, 0755);
	dir_of("from/roots", 0, 0, 0755);
	dir_of("from/own", ANN, ANN, 0555);
	file_of("from/f", 0, 0, 0600);
	AS(ANN, {
		WORKS(rename("from/f", "to/f"));
		FAILS(EACCES, rename("to/f", "shut/f"));
		FAILS(EACCES, rename("from/roots", "to/roots"));
		WORKS(rename("from/roots", "from/still"));
		FAILS(EACCES, rename("from/own", "to/own"));
		FAILS(EACCES, rename("shut", "to/shut"));
		FAILS(EINVAL, rename("from", "from/own/x"));
		FAILS(EXDEV, rename("to/f", "/proc/x"));
	});
}

TEST(chmod_rules)
{
	file_of("ann", ANN, ANN, 0644);
	file_of("group", ANN, 0, 0644);
	AS(BOB, {
		FAILS(EPERM, chmod("ann", 0666));
		FAILS(EPERM, chmod("ann", 0644));
	});
	AS(ANN, {
		WORKS(chmod("ann", 06755));
		CHECK(mode_of("ann") == 06755);
		WORKS(chmod("group", 06755));
		CHECK(mode_of("group") == 04755, "not in the group: no set-group-id");
		WORKS(chmod("ann", 01644));
		CHECK(mode_of("ann") == 01644);
		int fd = (int)WORKS(open("ann", O_RDONLY));
		WORKS(fchmod(fd, 0600));
		CHECK(mode_of("ann") == 0600);
		fd = (int)WORKS(open("ann", O_PATH));
		FAILS(EBADF, syscall(SYS_fchmod, fd, 0600));
		FAILS(EBADF, fchmod(77, 0600));
	});
	WORKS(chmod("group", 02755));
	CHECK(mode_of("group") == 02755, "root may");
}

TEST(chown_rules)
{
	static gid_t more[] = { 77 };

	file_of("f", ANN, ANN, 06755);
	dir_of("d", ANN, ANN, 06755);
	file_of("bob", BOB, BOB, 0644);
	AS(ANN, {
		FAILS(EPERM, chown("f", BOB, -1));
		FAILS(EPERM, chown("f", -1, BOB));
		FAILS(EPERM, chown("f", 0, 0));
		FAILS(EPERM, chown("bob", ANN, -1));
		FAILS(EPERM, chown("bob", BOB, -1));
		FAILS(EPERM, chown("bob", -1, BOB));
		WORKS(chown("bob", -1, -1));
		CHECK(mode_of("f") == 06755);
		WORKS(chown("f", ANN, -1));
		CHECK(mode_of("f") == 0755, "chown clears the set-id bits");
		WORKS(chown("d", ANN, ANN));
		CHECK(mode_of("d") == 06755, "but not a directory's");
	});
	WORKS(chmod("f", 06755));
	WORKS(setgroups(1, more));
	WORKS(setresuid(ANN, ANN, 0));
	WORKS(chown("f", -1, 77));
	WORKS(lstat("f", &st));
	CHECK(st.st_gid == 77 && st.st_uid == ANN && (st.st_mode & 07777) == 0755);
	WORKS(setresuid(0, 0, 0));
	WORKS(chmod("f", 06745));
	WORKS(chown("f", 5, 6));
	CHECK(mode_of("f") == 02745, "root's chown too; no program without x");
	WORKS(symlink("f", "l"));
	WORKS(lchown("l", 7, 8));
	WORKS(lstat("l", &st));
	CHECK(st.st_uid == 7 && st.st_gid == 8);
	WORKS(stat("l", &st));
	CHECK(st.st_uid == 5 && st.st_gid == 6);
	WORKS(fchownat(AT_FDCWD, "l", 9, 9, AT_SYMLINK_NOFOLLOW));
	WORKS(fchownat((int)WORKS(open("f", O_PATH)), "", 9, 9, AT_EMPTY_PATH));
	WORKS(stat("f", &st));
	CHECK(st.st_uid == 9);
	FAILS(EINVAL, fchownat(AT_FDCWD, "l", 9, 9, 0x8000));
}

TEST(writing_clears_set_ids)
{
	file_of("f", ANN, ANN, 06777);
	AS(BOB, {
		int fd = (int)WORKS(open("f", O_WRONLY));
		CHECK(mode_of("f") == 06777);
		CHECK(write(fd, "x", 1) == 1);
		CHECK(mode_of("f") == 0777);
	});
	WORKS(chmod("f", 06777));
	AS(BOB, WORKS(truncate("f", 1)));
	CHECK(mode_of("f") == 0777);
	WORKS(chmod("f", 06777));
	opens("f", O_WRONLY | O_TRUNC);
	CHECK(mode_of("f") == 06777, "root is trusted");
}

TEST(setgid_directories)
{
	dir_of("d", 0, BOB, 02777);
	AS(ANN, {
		WORKS(mkdir("d/sub", 0755));
		opens("d/f", O_WRONLY | O_CREAT);
		WORKS(symlink("x", "d/l"));
		WORKS(close((int)WORKS(open("d/sg", O_WRONLY | O_CREAT, 02755))));
		FAILS(EACCES, mkdir("plain", 0755));
	});
	CHECK(mode_of("d/sub") == 02755 && st.st_gid == BOB && st.st_uid == ANN);
	CHECK(mode_of("d/f") == 0644 && st.st_gid == BOB);
	WORKS(lstat("d/l", &st));
	CHECK(st.st_gid == BOB);
	CHECK(mode_of("d/sg") == 0755 && st.st_gid == BOB);
	WORKS(mkdir("e", 07777));
	CHECK(mode_of("e") == 01755, "mkdir takes no set-id bits");
}

TEST(umask_applies)
{
	CHECK(umask(0127) == 022);
	opens("f", O_WRONLY | O_CREAT);
	WORKS(mkdir("d", 0777));
	WORKS(mkfifo("p", 0666));
	CHECK(mode_of("f") == 0640 && mode_of("d") == 0650 && mode_of("p") == 0640);
	CHECK(umask(07022) == 0127 && umask(0) == 022);
}

TEST(access_asks_real_ids)
{
	file_of("roots", 0, 0, 0600);
	file_of("anns", ANN, ANN, 0600);
	dir_of("d", ANN, ANN, 0700);
	file_of("d/f", 0, 0, 0644);
	file_of("x", 0, 0, 0644);
	FAILS(EACCES, access("x", X_OK));
	WORKS(access("d", X_OK));
	FAILS(EINVAL, access("x", 8));
	FAILS(ENOENT, access("none", F_OK));
	WORKS(setresuid(ANN, 0, 0));
	FAILS(EACCES, access("roots", R_OK));
	WORKS(access("anns", R_OK | W_OK));
	WORKS(syscall(SYS_faccessat2, AT_FDCWD, "roots", R_OK | W_OK, AT_EACCESS));
	WORKS(setresuid(0, ANN, 0));
	WORKS(access("roots", R_OK));
	FAILS(EACCES, syscall(SYS_faccessat2, AT_FDCWD, "roots", R_OK, AT_EACCESS));
	WORKS(setresuid(0, 0, 0));
	WORKS(setresuid(BOB, 0, 0));
	FAILS(EACCES, access("d/f", R_OK));
	WORKS(stat("d/f", &st));
	FAILS(EINVAL, syscall(SYS_faccessat2, AT_FDCWD, "x", R_OK, 0x8000));
}

TEST(fsuid_follows)
{
	file_of("roots", 0, 0, 0600);
	WORKS(setresuid(-1, ANN, -1));
	FAILS(EACCES, open("roots", O_RDONLY));
	WORKS(setresuid(-1, 0, -1));
	opens("roots", O_RDONLY);
	CHECK(syscall(SYS_setfsuid, ANN) == 0);
	FAILS(EACCES, open("roots", O_RDONLY));
	CHECK(syscall(SYS_setfsuid, 0) == ANN);
	opens("roots", O_RDONLY);
}

TEST(groups_count)
{
	static gid_t groups[] = { 50, 60 };
	int pid;

	file_of("f", 0, 60, 0640);
	file_of("g", 0, 61, 0640);
	pid = fork();
	if (pid == 0) {
		WORKS(setgroups(2, groups));
		WORKS(setresgid(ANN, ANN, ANN));
		WORKS(setresuid(ANN, ANN, ANN));
		opens("f", O_RDONLY);
		FAILS(EACCES, open("f", O_RDWR));
		FAILS(EACCES, open("g", O_RDONLY));
		_exit(0);
	}
	CHECK(t_wait(pid) == 0);
}

TEST(times_rules)
{
	struct timespec set[2] = { { 100, 5 }, { 200, 6 } };
	struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	struct timespec one[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };
	struct timespec none[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };

	file_of("f", ANN, ANN, 0666);
	file_of("g", ANN, ANN, 0644);
	AS(BOB, {
		WORKS(utimensat(AT_FDCWD, "f", NULL, 0));
		WORKS(utimensat(AT_FDCWD, "f", now, 0));
		FAILS(EPERM, utimensat(AT_FDCWD, "f", set, 0));
		FAILS(EPERM, utimensat(AT_FDCWD, "f", one, 0));
		FAILS(EACCES, utimensat(AT_FDCWD, "g", NULL, 0));
		FAILS(EPERM, utimensat(AT_FDCWD, "g", set, 0));
		WORKS(utimensat(AT_FDCWD, "none", none, 0));
	});
	AS(ANN, WORKS(utimensat(AT_FDCWD, "g", set, 0)));
	WORKS(stat("g", &st));
	CHECK(st.st_atim.tv_sec == 100 && st.st_atim.tv_nsec == 5);
	CHECK(st.st_mtim.tv_sec == 200 && st.st_mtim.tv_nsec == 6);
	WORKS(utimensat(AT_FDCWD, "g", one, 0));
	WORKS(stat("g", &st));
	CHECK(st.st_atim.tv_sec > 200 && st.st_mtim.tv_sec == 200);
}

TEST(truncate_rights)
{
	file_of("f", 0, 0, 0644);
	AS(ANN, {
		FAILS(EACCES, truncate("f", 0));
		FAILS(EINVAL, truncate("f", -1));
		FAILS(EISDIR, truncate(".", 0));
		FAILS(EINVAL, ftruncate((int)WORKS(open("f", O_RDONLY)), 0));
	});
}

TEST(nodes)
{
	dir_of("d", ANN, ANN, 0755);
	AS(ANN, {
		FAILS(EPERM, mknod("d/c", S_IFCHR | 0666, makedev(1, 3)));
		FAILS(EPERM, mknod("d/b", S_IFBLK | 0666, makedev(1, 3)));
		WORKS(mknod("d/p", S_IFIFO | 0666, 0));
		WORKS(mknod("d/s", S_IFSOCK | 0666, 0));
		WORKS(mknod("d/f", 0644, 0));
		FAILS(EPERM, mknod("d/dir", S_IFDIR | 0755, 0));
		FAILS(EINVAL, mknod("d/x", S_IFLNK | 0755, 0));
		FAILS(ENXIO, open("d/s", O_RDONLY));
		FAILS(EACCES, mknod("c", S_IFCHR | 0666, makedev(1, 3)));
	});
	WORKS(mknod("null", S_IFCHR | 0600, makedev(1, 3)));
	WORKS(stat("null", &st));
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	AS(ANN, FAILS(EACCES, open("null", O_RDONLY)));
}

/* As Debian sets fs.protected_hardlinks. */
TEST(links_to_others_files)
{
	dir_of("d", ANN, ANN, 0755);
	file_of("secret", 0, 0, 0600);
	file_of("readable", 0, 0, 0644);
	file_of("open", 0, 0, 0666);
	file_of("suid", 0, 0, 04777);
	file_of("own", ANN, ANN, 0400);
	WORKS(mkfifo("fifo", 0666));
	AS(ANN, {
		FAILS(EPERM, link("secret", "d/1"));
		FAILS(EPERM, link("readable", "d/2"));
		FAILS(EPERM, link("suid", "d/3"));
		FAILS(EPERM, link("fifo", "d/4"));
		WORKS(link("open", "d/5"));
		WORKS(link("own", "d/6"));
		FAILS(EACCES, link("own", "here"));
		FAILS(ENOENT, link("none", "d/7"));
	});
	FAILS(EPERM, link("d", "hard"));
}

/* As Debian's kernel sets fs.protected_symlinks; other Linuxes may not. */
TEST(links_of_others_in_sticky_directories)
{
	char text[8] = "1";
	int fd = open("/proc/sys/fs/protected_symlinks", O_RDONLY);

	if (fd >= 0 && (read(fd, text, sizeof(text)) < 1 || text[0] == '0'))
		return;
	file_of("f", 0, 0, 0644);
	dir_of("s", 0, 0, 01777);
	AS(ANN, WORKS(symlink("/tmp/t/f", "s/anns")));
	WORKS(symlink("../f", "s/roots"));
	WORKS(symlink("s", "dir"));
	AS(ANN, opens("s/anns", O_RDONLY));
	AS(BOB, {
		FAILS(EACCES, open("s/anns", O_RDONLY));
		FAILS(EACCES, stat("s/anns", &st));
		FAILS(EACCES, open("s/anns", O_WRONLY | O_CREAT, 0644));
		WORKS(lstat("s/anns", &st));
		opens("s/roots", O_RDONLY);
		opens("dir/roots", O_RDONLY);
	});
	FAILS(EACCES, open("s/anns", O_RDONLY));
}

TEST(a_root_below)
{
	char cwd[100];
	int up = (int)WORKS(open("/tmp", O_RDONLY | O_DIRECTORY));

	dir_of("r", 0, 0, 0755);
	dir_of("r/in", 0, 0, 0755);
	file_of("r/f", 0, 0, 0644);
	WORKS(symlink("/f", "r/in/l"));
	AS(ANN, FAILS(EPERM, chroot("r")));
	FAILS(ENOTDIR, chroot("r/f"));
	FAILS(ENOENT, chroot("none"));
	WORKS(chroot("r"));
	WORKS(chdir("/in/../../.."));
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"));
	opens("/../../f", O_RDONLY);
	opens("in/l", O_RDONLY);
	FAILS(ENOENT, stat("/tmp", &st));
	WORKS(fstatat(up, "t/r/f", &st, 0));
	WORKS(fchdir(up));
	WORKS(chdir(".."));
	WORKS(stat("tmp/t/r", &st));
}

TEST(programs)
{
	static char *argv[] = { "x", NULL };

	file_of("x", ANN, ANN, 0644);
	dir_of("dir", 0, 0, 0755);
	FAILS(EACCES, execv("x", argv));
	FAILS(EACCES, execv("dir", argv));
	FAILS(ENOENT, execv("none", argv));
	FAILS(ENOTDIR, execv("x/y", argv));
	WORKS(chmod("x", 0010));
	AS(ANN, FAILS(EACCES, execv("x", argv)));
	dir_of("shut", 0, 0, 0700);
	file_of("shut/x", ANN, ANN, 0777);
	AS(ANN, FAILS(EACCES, execv("shut/x", argv)));
}

TEST(a_descriptor_keeps_its_rights)
{
	int fd;

	file_of("f", 0, 0, 0600);
	fd = (int)WORKS(open("f", O_RDWR));
	AS(ANN, {
		CHECK(pwrite(fd, "new", 3, 0) == 3);
		WORKS(ftruncate(fd, 2));
		FAILS(EPERM, fchmod(fd, 0666));
		FAILS(EPERM, fchown(fd, ANN, ANN));
		FAILS(EACCES, open("f", O_RDONLY));
	});
	WORKS(stat("f", &st));
	CHECK(st.st_size == 2);
}

int main(int argc, char **argv)
{
	if (getuid()) {
		out("these tests want root\n");
		return 1;
	}
	return t_main(argc, argv);
}
