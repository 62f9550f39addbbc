/* SPDX-License-Identifier: MIT */
/* Mounts, tmpfs and its limits, chroot, statfs. On Linux this wants root and a mount namespace
 * of its own (unshare -m). */
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "t.h"

#define TMPFS	0x01021994l
#define PAGE	4096

static void make_tmpfs(const char *where, const char *options)
{
	mkdir(where, 0755);
	WORKS(mount("none", where, "tmpfs", 0, options));
}

static struct statfs stats(const char *path)
{
	struct statfs st;

	WORKS(statfs(path, &st));
	return st;
}

/* Write pages until one is refused; how many went. */
static long fill(const char *path, int *error)
{
	static char page[PAGE];
	int fd = (int)WORKS(open(path, O_WRONLY | O_CREAT | O_APPEND, 0644));
	long nr = 0;

	memset(page, 'x', sizeof(page));
	while (write(fd, page, PAGE) == PAGE)
		nr++;
	*error = errno;
	close(fd);
	return nr;
}

TEST(mount_and_umount)
{
	make_tmpfs("m", NULL);
	t_file("m/f", "inside");
	CHECK(access("m/f", F_OK) == 0);
	WORKS(umount("m"));
	FAILS(ENOENT, access("m/f", F_OK));
	FAILS(EINVAL, umount("m"));
	WORKS(rmdir("m"));
}

TEST(covers_what_was_there)
{
	mkdir("m", 0755);
	t_file("m/below", "");
	make_tmpfs("m", NULL);
	FAILS(ENOENT, access("m/below", F_OK));
	t_file("m/above", "");
	WORKS(umount("m"));
	CHECK(access("m/below", F_OK) == 0);
	FAILS(ENOENT, access("m/above", F_OK));
}

TEST(busy_while_used)
{
	int fd, dir;

	make_tmpfs("m", NULL);
	t_file("m/f", "x");
	fd = (int)WORKS(open("m/f", O_RDONLY));
	FAILS(EBUSY, umount("m"));
	WORKS(close(fd));
	dir = (int)WORKS(open("m", O_RDONLY | O_DIRECTORY));
	FAILS(EBUSY, umount("m"));
	WORKS(close(dir));
	WORKS(chdir("m"));
	FAILS(EBUSY, umount("../m"));
	WORKS(chdir(".."));
	WORKS(umount("m"));
}

TEST(busy_with_a_mount_inside)
{
	make_tmpfs("m", NULL);
	make_tmpfs("m/in", NULL);
	FAILS(EBUSY, umount("m"));
	FAILS(EBUSY, rmdir("m/in"));
	FAILS(EBUSY, rename("m/in", "m/other"));
	WORKS(umount("m/in"));
	WORKS(rmdir("m/in"));
	WORKS(umount("m"));
}

TEST(detach_leaves_it_to_who_has_it)
{
	char buf[8] = "";
	int fd;

	make_tmpfs("m", NULL);
	t_file("m/f", "still");
	fd = (int)WORKS(open("m/f", O_RDONLY));
	WORKS(umount2("m", MNT_DETACH));
	FAILS(ENOENT, access("m/f", F_OK));
	CHECK(read(fd, buf, sizeof(buf)) == 5 && !strcmp(buf, "still"));
	WORKS(close(fd));
	make_tmpfs("m", NULL);
	WORKS(umount("m"));		/* and the detached one goes, too */
}

TEST(stacked)
{
	make_tmpfs("m", NULL);
	t_file("m/one", "");
	make_tmpfs("m", NULL);
	t_file("m/two", "");
	FAILS(ENOENT, access("m/one", F_OK));
	WORKS(umount("m"));
	CHECK(access("m/one", F_OK) == 0);
	WORKS(umount("m"));
}

TEST(dotdot_leaves_a_mount)
{
	char buf[256], want[256];

	CHECK(getcwd(want, sizeof(want)) != NULL);
	make_tmpfs("m", NULL);
	WORKS(mkdir("m/d", 0755));
	WORKS(chdir("m/d"));
	CHECK(getcwd(buf, sizeof(buf)) && !strncmp(buf, want, strlen(want)) &&
	      !strcmp(buf + strlen(want), "/m/d"), "%s", buf);
	WORKS(chdir("../.."));
	CHECK(getcwd(buf, sizeof(buf)) && !strcmp(buf, want), "%s", buf);
	WORKS(umount("m"));
}

TEST(errors)
{
	t_file("f", "");
	mkdir("m", 0755);
	FAILS(ENODEV, mount("none", "m", "nosuchfs", 0, NULL));
	FAILS(ENOTDIR, mount("none", "f", "tmpfs", 0, NULL));
	FAILS(ENOENT, mount("none", "nothing", "tmpfs", 0, NULL));
	FAILS(EINVAL, mount("none", "m", "tmpfs", 0, "size=junk"));
	FAILS(EINVAL, mount("none", "m", "tmpfs", 0, "nosuch=1"));
	FAILS(EFAULT, syscall(SYS_mount, "none", 1, "tmpfs", 0, 0));
	FAILS(EINVAL, umount("m"));
	FAILS(EINVAL, umount2("m", 0x1000));
	FAILS(ENOENT, umount("nothing"));
	FAILS(ENOENT, statfs("nothing", &(struct statfs){ 0 }));
	FAILS(EBADF, fstatfs(77, &(struct statfs){ 0 }));
	FAILS(EFAULT, syscall(SYS_statfs, ".", 1));
}

TEST(read_only)
{
	int fd;

	make_tmpfs("m", NULL);
	t_file("m/f", "x");
	WORKS(mkdir("m/d", 0755));
	WORKS(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	FAILS(EROFS, open("m/new", O_WRONLY | O_CREAT, 0644));
	FAILS(EROFS, open("m/f", O_WRONLY));
	FAILS(EROFS, open("m/f", O_RDONLY | O_TRUNC));
	FAILS(EROFS, mkdir("m/e", 0755));
	FAILS(EROFS, rmdir("m/d"));
	FAILS(EROFS, unlink("m/f"));
	FAILS(EROFS, rename("m/f", "m/g"));
	FAILS(EROFS, symlink("x", "m/l"));
	FAILS(EROFS, link("m/f", "m/g"));
	FAILS(EROFS, chmod("m/f", 0600));
	FAILS(EROFS, truncate("m/f", 0));
	FAILS(EEXIST, mkdir("m/d", 0755));
	CHECK(stats("m").f_flags & 1);
	fd = (int)WORKS(open("m/f", O_RDONLY));
	close(fd);
	WORKS(mount(NULL, "m", NULL, MS_REMOUNT, NULL));
	WORKS(unlink("m/f"));
	CHECK(!(stats("m").f_flags & 1));
	WORKS(umount("m"));
}

TEST(no_devices_no_programs)
{
	int status, pid;

	mkdir("m", 0755);
	WORKS(mount("none", "m", "tmpfs", MS_NODEV | MS_NOEXEC, NULL));
	WORKS(mknod("m/null", S_IFCHR | 0666, 0x103));
	FAILS(EACCES, open("m/null", O_RDWR));
	t_file("m/prog", "#!/bin/sh\n");
	WORKS(chmod("m/prog", 0755));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		execl("m/prog", "m/prog", (char *)NULL);
		_exit(errno == EACCES ? 42 : 1);
	}
	status = t_wait(pid);
	CHECK(status == 42 << 8, "%#x", status);
	WORKS(umount("m"));
}

TEST(bind)
{
	WORKS(mkdir("from", 0755));
	t_file("from/f", "same");
	mkdir("to", 0755);
	WORKS(mount("from", "to", NULL, MS_BIND, NULL));
	CHECK(access("to/f", F_OK) == 0);
	t_file("to/g", "");
	CHECK(access("from/g", F_OK) == 0);
	FAILS(EXDEV, link("from/f", "to/h"));
	WORKS(umount("to"));
	FAILS(ENOENT, access("to/f", F_OK));
}

TEST(only_root_mounts)
{
	int pid;

	make_tmpfs("m", NULL);
	mkdir("n", 0777);
	pid = (int)WORKS(fork());
	if (pid == 0) {
		if (setuid(1000))
			_exit(1);
		if (mount("none", "n", "tmpfs", 0, NULL) == 0 || errno != EPERM)
			_exit(2);
		if (umount("m") == 0 || errno != EPERM)
			_exit(3);
		if (chroot("m") == 0 || errno != EPERM)
			_exit(4);
		_exit(0);
	}
	CHECK(t_wait(pid) == 0);
	WORKS(umount("m"));
}

/* --- tmpfs */

TEST(tmpfs_size)
{
	struct statfs st;
	int error;
	long nr;

	make_tmpfs("m", "size=64k");
	st = stats("m");
	CHECK(st.f_type == TMPFS && st.f_bsize == PAGE && st.f_blocks == 16 && st.f_bfree == 16,
	      "type %lx blocks %lu free %lu", (long)st.f_type, st.f_blocks, st.f_bfree);
	nr = fill("m/f", &error);
	CHECK(nr == 16 && error == ENOSPC, "%ld pages, %s", nr, t_errno(error));
	CHECK(stats("m").f_bfree == 0 && stats("m").f_bavail == 0);
	WORKS(truncate("m/f", PAGE));
	CHECK(stats("m").f_bfree == 15);
	nr = fill("m/g", &error);
	CHECK(nr == 15 && error == ENOSPC, "%ld pages", nr);
	WORKS(unlink("m/f"));
	WORKS(unlink("m/g"));
	CHECK(stats("m").f_bfree == 16);
	WORKS(umount("m"));
}

TEST(tmpfs_holes_cost_nothing)
{
	make_tmpfs("m", "size=16k");
	t_file("m/f", "x");
	WORKS(truncate("m/f", 1 << 20));
	CHECK(stats("m").f_bfree == 3);
	WORKS(umount("m"));
}

static void do_write(void *p) { *(volatile char *)p = 1; }

TEST(tmpfs_full_is_sigbus)
{
	char *p;
	int fd;

	make_tmpfs("m", "size=8k");
	fd = (int)WORKS(open("m/f", O_RDWR | O_CREAT, 0600));
	WORKS(ftruncate(fd, 3 * PAGE));
	p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	p[0] = p[PAGE] = 1;
	t_expect_signal(do_write, p + 2 * PAGE, SIGBUS);
	FAILS(EFAULT, pread(open("/dev/zero", O_RDONLY), p + 2 * PAGE, 1, 0));
	WORKS(munmap(p, 3 * PAGE));
	WORKS(close(fd));
	WORKS(umount("m"));
}

TEST(tmpfs_unlinked_open_file_keeps_its_blocks)
{
	int fd;

	make_tmpfs("m", "size=16k");
	t_file("m/f", "x");
	fd = (int)WORKS(open("m/f", O_RDONLY));
	WORKS(unlink("m/f"));
	CHECK(stats("m").f_bfree == 3);
	WORKS(close(fd));
	CHECK(stats("m").f_bfree == 4);
	WORKS(umount("m"));
}

TEST(tmpfs_inodes)
{
	char name[32];
	int nr = 0;

	make_tmpfs("m", "nr_inodes=10");
	CHECK(stats("m").f_files == 10 && stats("m").f_ffree == 9);
	do
		snprintf(name, sizeof(name), "m/%d", nr++);
	while (mkdir(name, 0755) == 0);
	CHECK(errno == ENOSPC && nr == 10, "%s after %d", t_errno(errno), nr);
	FAILS(ENOSPC, symlink("x", "m/l"));
	FAILS(ENOSPC, open("m/f", O_WRONLY | O_CREAT, 0644));
	WORKS(rmdir("m/3"));
	WORKS(mkdir("m/again", 0755));
	WORKS(umount("m"));
}

TEST(tmpfs_root_attributes)
{
	struct stat st;

	make_tmpfs("m", "mode=750,uid=7,gid=8");
	WORKS(stat("m", &st));
	CHECK((st.st_mode & 07777) == 0750 && st.st_uid == 7 && st.st_gid == 8);
	WORKS(umount("m"));
	make_tmpfs("m", NULL);
	WORKS(stat("m", &st));
	CHECK((st.st_mode & 07777) == 01777 && st.st_uid == 0);
	WORKS(umount("m"));
}

TEST(tmpfs_remount)
{
	int error;

	make_tmpfs("m", "size=16k");
	CHECK(fill("m/f", &error) == 4);
	FAILS(EINVAL, mount(NULL, "m", NULL, MS_REMOUNT, "size=8k"));
	WORKS(mount(NULL, "m", NULL, MS_REMOUNT, "size=32k"));
	CHECK(stats("m").f_blocks == 8 && stats("m").f_bfree == 4);
	CHECK(fill("m/f", &error) == 4 && error == ENOSPC);
	WORKS(umount("m"));
}

TEST(umount_gives_everything_back)
{
	long before = t_usage();
	int error;

	for (int i = 0; i < 3; i++) {
		make_tmpfs("m", "size=256k");
		WORKS(mkdir("m/a", 0755));
		WORKS(mkdir("m/a/b", 0755));
		WORKS(symlink("x", "m/a/b/l"));
		fill("m/a/b/f", &error);
		WORKS(umount("m"));
	}
	WORKS(rmdir("m"));
	CHECK(t_usage() <= before + 8192, "%ld bytes more", t_usage() - before);
}

/* --- chroot */

static void in_new_root(void *unused)
{
	char buf[64];

	(void)unused;
	WORKS(chroot("r"));
	WORKS(chdir("/"));
	CHECK(access("/inside", F_OK) == 0);
	CHECK(access("/../../inside", F_OK) == 0);
	FAILS(ENOENT, access("/dev/null", F_OK));
	CHECK(getcwd(buf, sizeof(buf)) && !strcmp(buf, "/"), "%s", buf);
	CHECK(readlink("/abs", buf, sizeof(buf)) == 7);
	CHECK(access("/abs", F_OK) == 0);
}

TEST(chroot_bounds_the_walk)
{
	mkdir("r", 0755);
	t_file("r/inside", "");
	WORKS(symlink("/inside", "r/abs"));
	CHECK(t_child(in_new_root, NULL) == 0);
	FAILS(ENOTDIR, chroot("r/inside"));
	FAILS(ENOENT, chroot("nothing"));
}

TEST(many_cpus_walk_one_mount)
{
	int pid[4];

	make_tmpfs("m", NULL);
	WORKS(mkdir("m/d", 0755));
	for (int i = 0; i < 4; i++) {
		pid[i] = (int)WORKS(fork());
		if (pid[i])
			continue;
		for (int k = 0; k < 2000; k++) {
			char name[32];

			snprintf(name, sizeof(name), "m/d/../d/%d", i);
			if (mkdir(name, 0755) || rmdir(name))
				_exit(1);
			if (k % 100 == 0 && (umount("m") == 0 || errno != EBUSY) && i)
				_exit(2);
			if (k % 100 == 0 && chdir("m/d"))
				_exit(3);
			if (k % 100 == 0 && chdir("../.."))
				_exit(4);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status = t_wait(pid[i]);

		CHECK(status == 0 || status == 1 << 8 || status == 2 << 8 || status == 3 << 8,
		      "%#x", status);
	}
	umount("m");
	FAILS(EINVAL, umount("m"));
	WORKS(rmdir("m"));
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
