/* SPDX-License-Identifier: MIT */
/* Groups as files: cgroupfs serves the same groups and controls as the system calls. */
#include <dirent.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include "t.h"

#define ROOT	"/cgfs"
#define KMEM	"memory.kmem."

static char text[64 * 1024];

/* The directory of the test's own group; what is mounted for it is charged to that group, so
 * each test ends with leave_cgroup(). */
static const char *need_cgroup(void)
{
	static char path[64];

	if (path[0])
		return path;
	mkdir(ROOT, 0755);
	if (access(ROOT "/tasks", F_OK))
		WORKS(mount("none", ROOT, "cgroup", 0, "memory"));
	snprintf(path, sizeof(path), ROOT "%s", t_group);
	return path;
}

static void leave_cgroup(void)
{
	WORKS(umount(ROOT));
	WORKS(rmdir(ROOT));
}

static long get(const char *dir, const char *file)
{
	char path[256];
	long n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return n;
}

static long put(const char *dir, const char *file, const char *value)
{
	char path[256];
	long n;
	int fd, error;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return -1;
	n = write(fd, value, strlen(value));
	error = errno;
	close(fd);
	errno = error;
	return n;
}

static const char *sub(const char *name)
{
	static char path[4][128];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, 128, "%s/%s", need_cgroup(), name);
	return p;
}

#define SKIP_ON_LINUX	do { if (!t_groups) return; } while (0)

TEST(mounts_and_unmounts)
{
	struct statfs st;

	SKIP_ON_LINUX;
	need_cgroup();
	WORKS(statfs(ROOT, &st));
	CHECK(st.f_type == 0x27e0eb);
	FAILS(EBUSY, mount("none", ROOT, "cgroup", 0, "memory"));
	mkdir("c", 0755);
	FAILS(EINVAL, mount("none", "c", "cgroup", 0, "nosuch"));
	WORKS(mount("none", "c", "cgroup", 0, NULL));
	CHECK(access("c/tasks", F_OK) == 0);
	WORKS(umount("c"));
	leave_cgroup();
}

TEST(same_controls_both_ways)
{
	char names[4096], *name, *rest = names;
	int nr = 0;

	SKIP_ON_LINUX;
	need_cgroup();
	CHECK(get(need_cgroup(), KMEM "limit_in_bytes") > 0 && !strcmp(text, "67108864\n"), "%s",
	      text);
	WORKS(cgroup_write(t_group, KMEM "limit_in_bytes", "32M", 3));
	CHECK(get(need_cgroup(), KMEM "limit_in_bytes") > 0 && !strcmp(text, "33554432\n"), "%s",
	      text);
	CHECK(put(need_cgroup(), KMEM "limit_in_bytes", "48M\n") == 4);
	CHECK(cgroup_read(t_group, KMEM "limit_in_bytes", names, sizeof(names)) > 0 &&
	      !strncmp(names, "50331648\n", 9));
	strcpy(names, "tasks cgroup.procs memory.stat memory.kmem.slabinfo memory.kmem.failcnt");
	while ((name = strsep(&rest, " "))) {
		CHECK(get(need_cgroup(), name) >= 0, "%s: %s", name, t_errno(errno));
		nr++;
	}
	CHECK(nr == 5);
	leave_cgroup();
}

TEST(errors_of_the_controls)
{
	SKIP_ON_LINUX;
	FAILS(EINVAL, put(need_cgroup(), KMEM "limit_in_bytes", "junk"));
	FAILS(EBUSY, put(need_cgroup(), KMEM "limit_in_bytes", "4096"));
	FAILS(EINVAL, put(ROOT, KMEM "limit_in_bytes", "1M"));
	FAILS(ENOENT, get(need_cgroup(), "memory.nosuch"));
	FAILS(EINVAL, put(need_cgroup(), "tasks", "x"));
	FAILS(ESRCH, put(need_cgroup(), "tasks", "4000000"));
	leave_cgroup();
}

TEST(make_and_remove)
{
	struct stat st;

	SKIP_ON_LINUX;
	WORKS(mkdir(sub("a"), 0755));
	FAILS(EEXIST, mkdir(sub("a"), 0755));
	FAILS(EEXIST, mkdir(sub("tasks"), 0755));
	WORKS(mkdir(sub("a/b"), 0755));
	WORKS(stat(sub("a/b"), &st));
	CHECK(S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0755);
	FAILS(EBUSY, rmdir(sub("a")));
	FAILS(ENOENT, rmdir(sub("nothing")));
	FAILS(ENOTDIR, rmdir(sub("a/tasks")));
	FAILS(EPERM, unlink(sub("a/tasks")));
	CHECK(open(sub("a/file"), O_WRONLY | O_CREAT, 0644) < 0);
	WORKS(rmdir(sub("a/b")));
	WORKS(rmdir(sub("a")));
	FAILS(ENOENT, stat(sub("a"), &st));
	leave_cgroup();
}

TEST(listing)
{
	int files = 0, groups = 0, tasks = 0;
	struct dirent *e;
	DIR *dir;

	SKIP_ON_LINUX;
	WORKS(mkdir(sub("x"), 0755));
	WORKS(mkdir(sub("y"), 0755));
	dir = opendir(need_cgroup());
	CHECK(dir != NULL);
	while ((e = readdir(dir))) {
		files += e->d_type == DT_REG;
		groups += e->d_type == DT_DIR && e->d_name[0] != '.';
		tasks += !strcmp(e->d_name, "tasks");
	}
	closedir(dir);
	CHECK(files >= 9 && groups == 2 && tasks == 1, "%d files, %d groups", files, groups);
	WORKS(rmdir(sub("x")));
	WORKS(rmdir(sub("y")));
	leave_cgroup();
}

TEST(moving_tasks)
{
	char line[32];
	int pid, go[2];
	char c;

	SKIP_ON_LINUX;
	WORKS(mkdir(sub("a"), 0755));
	WORKS(pipe(go));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		close(go[1]);
		_exit(read(go[0], &c, 1) != 0);
	}
	snprintf(line, sizeof(line), "%d\n", pid);
	CHECK(put(sub("a"), "tasks", line) == (long)strlen(line));
	CHECK(get(sub("a"), "cgroup.procs") == (long)strlen(line) && !strcmp(text, line), "%s",
	      text);
	FAILS(EBUSY, rmdir(sub("a")));
	close(go[1]);
	CHECK(t_wait(pid) == 0);
	WORKS(rmdir(sub("a")));
	leave_cgroup();
}

TEST(writing_0_moves_the_writer)
{
	SKIP_ON_LINUX;
	WORKS(mkdir(sub("a"), 0755));
	CHECK(put(sub("a"), "tasks", "0") == 1);
	CHECK(get(sub("a"), "tasks") > 0 && atoi(text) == getpid());
	CHECK(put(need_cgroup(), "tasks", "0") == 1);
	WORKS(rmdir(sub("a")));
	leave_cgroup();
}

TEST(proc_tells_the_group)
{
	char want[64];

	SKIP_ON_LINUX;
	mkdir("/proc", 0555);
	if (access("/proc/self", F_OK))
		WORKS(mount("proc", "/proc", "proc", 0, NULL));
	need_cgroup();
	CHECK(get("/proc/self", "cgroup") > 0);
	snprintf(want, sizeof(want), "1:memory:%s\n", t_group);
	CHECK(!strcmp(text, want), "%s", text);
	CHECK(get("/proc", "cgroups") > 0 && strstr(text, "\nmemory\t1\t"), "%s", text);
	leave_cgroup();
}

TEST(inode_number_is_the_id)
{
	struct stat a, b;

	SKIP_ON_LINUX;
	WORKS(mkdir(sub("a"), 0755));
	WORKS(stat(sub("a"), &a));
	WORKS(rmdir(sub("a")));
	WORKS(mkdir(sub("a"), 0755));
	WORKS(stat(sub("a"), &b));
	CHECK(b.st_ino > a.st_ino, "%lu then %lu", a.st_ino, b.st_ino);
	WORKS(stat(ROOT, &a));
	CHECK(a.st_ino == 1);
	WORKS(rmdir(sub("a")));
	leave_cgroup();
}

TEST(a_removed_group_says_so)
{
	int fd, dir;
	char c[64];

	SKIP_ON_LINUX;
	WORKS(mkdir(sub("a"), 0755));
	dir = (int)WORKS(open(sub("a"), O_RDONLY | O_DIRECTORY));
	fd = (int)WORKS(openat(dir, KMEM "limit_in_bytes", O_RDWR));
	WORKS(rmdir(sub("a")));
	FAILS(ENODEV, read(fd, c, sizeof(c)));
	FAILS(ENODEV, write(fd, "1M", 2));
	FAILS(ENOENT, openat(dir, "tasks", O_RDONLY));
	FAILS(ENOENT, mkdirat(dir, "b", 0755));
	close(fd);
	close(dir);
	WORKS(mkdir(sub("a"), 0755));
	CHECK(get(sub("a"), "tasks") == 0);
	WORKS(cgroup_remove((snprintf(c, sizeof(c), "%s/a", t_group), c)));
	CHECK(get(sub("a"), "tasks") == -1 && errno == ENOENT);
	leave_cgroup();
}

static void as_user(void *unused)
{
	char path[64];

	(void)unused;
	WORKS(setgid(1000));
	WORKS(setuid(1000));
	/* Its own: it may make groups in it, limit those and move itself. */
	WORKS(mkdir(sub("mine/in"), 0755));
	CHECK(put(sub("mine/in"), KMEM "limit_in_bytes", "8M") == 2);
	CHECK(put(sub("mine/in"), "tasks", "0") == 1, "%s", t_errno(errno));
	CHECK(put(sub("mine"), "tasks", "0") == 1);
	WORKS(rmdir(sub("mine/in")));
	/* The limit that root set on it is not its to change, by neither way. */
	FAILS(EACCES, put(sub("mine"), KMEM "limit_in_bytes", "-1"));
	snprintf(path, sizeof(path), "%s/mine", t_group);
	FAILS(EACCES, cgroup_write(path, KMEM "limit_in_bytes", "-1", 2));
	/* Nor are the groups of others, or their processes. */
	FAILS(EACCES, mkdir(sub("other"), 0755));
	FAILS(EACCES, put(need_cgroup(), "tasks", "0"));
	FAILS(EACCES, cgroup_attach(t_group, 0));
	FAILS(EACCES, cgroup_create((snprintf(path, sizeof(path), "%s/z", t_group), path), 0755));
	snprintf(path, sizeof(path), "%d", getppid());
	FAILS(EACCES, put(sub("mine"), "tasks", path));
	FAILS(EACCES, rmdir(sub("mine")));
}

TEST(delegation)
{
	struct stat st;

	SKIP_ON_LINUX;
	WORKS(mkdir(sub("mine"), 0755));
	CHECK(put(sub("mine"), KMEM "limit_in_bytes", "16M") == 3);
	WORKS(chown(sub("mine"), 1000, 1000));
	WORKS(chown(sub("mine/tasks"), 1000, 1000));
	WORKS(stat(sub("mine/tasks"), &st));
	CHECK(st.st_uid == 1000 && (st.st_mode & 0777) == 0644);
	WORKS(stat(sub("mine/" KMEM "limit_in_bytes"), &st));
	CHECK(st.st_uid == 0);
	CHECK(t_child(as_user, NULL) == 0);
	WORKS(rmdir(sub("mine")));
	leave_cgroup();
}

static void fill_up(void *unused)
{
	char name[32];

	(void)unused;
	CHECK(put(sub("a"), "tasks", "0") == 1);
	for (int nr = 0; nr < 100000; nr++) {
		snprintf(name, sizeof(name), "d%d", nr);
		if (mkdir(name, 0755))
			_exit(errno == ENOMEM && nr > 50 ? 0 : 1);
	}
	_exit(2);
}

TEST(limit_refuses_mkdir_in_it)
{
	char name[32];
	int nr = 0;

	SKIP_ON_LINUX;
	WORKS(mkdir(sub("a"), 0755));
	CHECK(put(sub("a"), KMEM "limit_in_bytes", "512K") == 4);
	CHECK(t_child(fill_up, NULL) == 0);
	CHECK(get(sub("a"), KMEM "failcnt") > 0 && atoi(text) > 0);
	do
		snprintf(name, sizeof(name), "d%d", nr++);
	while (rmdir(name) == 0);
	CHECK(nr > 50);
	CHECK(put(sub("a"), "memory.force_empty", "1") == 1);
	CHECK(get(sub("a"), KMEM "usage_in_bytes") > 0 && atoi(text) == 0, "%s", text);
	WORKS(rmdir(sub("a")));
	leave_cgroup();
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
