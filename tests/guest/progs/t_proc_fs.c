/* SPDX-License-Identifier: MIT */
/* procfs, the device nodes beside it, and the calls that tell the same: formats as programs
 * take them apart. On Linux this wants root. */
#include <ctype.h>
#include <dirent.h>
#include <pthread.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include "t.h"

static char text[256 * 1024];

static void need_proc(void)
{
	mkdir("/proc", 0555);
	if (access("/proc/self", F_OK))
		WORKS(mount("proc", "/proc", "proc", 0, NULL));
}

/* The whole file in `text`; its length. */
static long slurp(const char *path)
{
	int fd = (int)WORKS(open(path, O_RDONLY));
	long n, len = 0;

	while ((n = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += n;
	CHECK(n == 0, "%s: %s", path, t_errno(errno));
	text[len] = '\0';
	close(fd);
	return len;
}

static long field(const char *name)
{
	const char *at = strstr(text, name);

	CHECK(at, "no %s in: %.300s", name, text);
	return strtol(at + strlen(name), NULL, 10);
}

struct stat_line {
	char comm[64], state;
	int pid, ppid, pgrp, session, tty, tpgid;
	long utime, stime, priority, nice, threads, start, vsize, rss;
	int fields;
};

static struct stat_line read_stat(const char *path)
{
	struct stat_line s = { .fields = 2 };
	char *close;

	slurp(path);
	close = strrchr(text, ')');
	CHECK(close, "%s", text);
	CHECK(sscanf(text, "%d (%63[^)])", &s.pid, s.comm) == 2, "%s", text);
	CHECK(sscanf(close + 2, "%c %d %d %d %d %d %*u %*u %*u %*u %*u %ld %ld %*d %*d %ld %ld %ld "
		     "%*d %ld %ld %ld", &s.state, &s.ppid, &s.pgrp, &s.session, &s.tty, &s.tpgid,
		     &s.utime, &s.stime, &s.priority, &s.nice, &s.threads, &s.start, &s.vsize,
		     &s.rss) == 14, "%s", text);
	for (char *c = close; *c; c++)
		s.fields += *c == ' ';
	return s;
}

TEST(self_is_the_reader)
{
	char buf[64], want[64];
	struct stat st;
	long n;

	need_proc();
	n = WORKS(readlink("/proc/self", buf, sizeof(buf) - 1));
	buf[n] = '\0';
	CHECK(atoi(buf) == getpid(), "%s", buf);
	n = WORKS(readlink("/proc/thread-self", buf, sizeof(buf) - 1));
	buf[n] = '\0';
	snprintf(want, sizeof(want), "%d/task/%d", getpid(), getpid());
	CHECK(!strcmp(buf, want), "%s", buf);
	WORKS(stat("/proc/self/status", &st));
	CHECK(S_ISREG(st.st_mode) && st.st_size == 0);
	CHECK(access("/proc/thread-self/stat", F_OK) == 0);
	FAILS(ENOENT, access("/proc/nothing", F_OK));
	FAILS(ENOENT, access("/proc/999999999", F_OK));
	FAILS(ENOENT, access("/proc/01", F_OK));
}

TEST(stat_of_self)
{
	struct stat_line s;
	volatile long spin = 0;

	need_proc();
	while (clock() < CLOCKS_PER_SEC / 5)
		for (int i = 0; i < 100000; i++)
			spin++;
	s = read_stat("/proc/self/stat");
	CHECK(s.pid == getpid() && s.ppid == getppid() && s.pgrp == getpgrp() &&
	      s.session == getsid(0), "%s", text);
	CHECK(s.state == 'R' && s.threads == 1 && s.priority == 20 && s.nice == 0);
	CHECK(s.fields == 52, "%d fields", s.fields);
	CHECK(s.utime + s.stime >= 15 && s.utime + s.stime < 200, "%ld %ld", s.utime, s.stime);
	CHECK(s.utime > s.stime, "user %ld system %ld", s.utime, s.stime);
	CHECK(s.vsize > 0 && s.rss > 0 && s.rss * 4096 <= s.vsize);
	CHECK(!strncmp(s.comm, "t_proc_fs", 9), "%s", s.comm);
}

TEST(states_of_a_child)
{
	char path[64];
	int pid;

	need_proc();
	pid = (int)WORKS(fork());
	if (pid == 0) {
		sleep_ms(100000);
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	sleep_ms(50);
	CHECK(read_stat(path).state == 'S', "%s", text);
	WORKS(kill(pid, SIGSTOP));
	sleep_ms(50);
	CHECK(read_stat(path).state == 'T', "%s", text);
	WORKS(kill(pid, SIGKILL));
	sleep_ms(50);
	CHECK(read_stat(path).state == 'Z', "%s", text);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	CHECK(slurp(path) == 0);
	t_wait(pid);
	FAILS(ENOENT, access(path, F_OK));
}

TEST(open_files_outlive_the_task)
{
	char path[64], c;
	int pid, stat_fd, dir_fd, hold[2];

	need_proc();
	WORKS(pipe(hold));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		close(hold[1]);
		_exit(read(hold[0], &c, 1) != 0);
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	stat_fd = (int)WORKS(open(path, O_RDONLY));
	snprintf(path, sizeof(path), "/proc/%d", pid);
	dir_fd = (int)WORKS(open(path, O_RDONLY | O_DIRECTORY));
	close(hold[1]);
	t_wait(pid);
	FAILS(ESRCH, read(stat_fd, text, 100));
	CHECK(openat(dir_fd, "stat", O_RDONLY) < 0 && (errno == ENOENT || errno == ESRCH));
	FAILS(ENOENT, syscall(SYS_getdents64, dir_fd, text, sizeof(text)));
	FAILS(ENOENT, access(path, F_OK));
}

TEST(status_of_self)
{
	need_proc();
	slurp("/proc/self/status");
	CHECK(field("\nPid:\t") == getpid() && field("\nPPid:\t") == getppid());
	CHECK(field("\nTgid:\t") == getpid() && field("\nUid:\t") == 0);
	CHECK(field("\nThreads:\t") == 1 && field("\nVmRSS:\t") > 0);
	CHECK(strncmp(text, "Name:\tt_proc_fs", 15) == 0, "%s", text);
	CHECK(strstr(text, "\nState:\tR (running)\n") != NULL, "%s", text);
	signal(SIGUSR1, SIG_IGN);
	slurp("/proc/self/status");
	CHECK(strstr(text, "\nSigIgn:\t0000000000000200\n") != NULL, "%s", text);
}

TEST(status_shows_umask_and_name)
{
	need_proc();
	umask(027);
	WORKS(prctl(PR_SET_NAME, "a\nUid:\\\t0"));
	slurp("/proc/self/status");
	CHECK(strstr(text, "Name:\ta\\nUid:\\\\\t0\nUmask:\t0027\nState:") == text, "%.60s", text);
}

TEST(command_line_and_name)
{
	char want[256];
	long n;

	need_proc();
	n = slurp("/proc/self/cmdline");
	CHECK(n > 0 && !strcmp(text, t_self) && text[n - 1] == '\0', "%s", text);
	slurp("/proc/self/comm");
	snprintf(want, 16, "%s", strrchr(t_self, '/') + 1);
	strcat(want, "\n");
	CHECK(!strcmp(text, want), "%s", text);
}

TEST(environment_is_private)
{
	char path[64];
	int pid, status;

	need_proc();
	snprintf(path, sizeof(path), "/proc/%d/environ", getpid());
	slurp(path);
	pid = (int)WORKS(fork());
	if (pid == 0) {
		char link[64];

		if (setuid(1000))
			_exit(1);
		if (open(path, O_RDONLY) >= 0 || errno != EACCES)
			_exit(2);
		snprintf(path, sizeof(path), "/proc/%d/fd", getppid());
		if (open(path, O_RDONLY) >= 0 || errno != EACCES)
			_exit(3);
		snprintf(path, sizeof(path), "/proc/%d/exe", getppid());
		if (readlink(path, link, sizeof(link)) >= 0 || errno != EACCES)
			_exit(4);
		snprintf(path, sizeof(path), "/proc/%d/stat", getppid());
		if (open(path, O_RDONLY) < 0)
			_exit(5);
		_exit(0);
	}
	status = t_wait(pid);
	CHECK(status == 0, "%#x", status);
}

/* What another process of user 1000 sees of path: 0 or an errno. */
static int look_as_user(const char *path)
{
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		WORKS(setuid(1000));
		_exit(open(path, O_RDONLY) < 0 ? errno : 0);
	}
	return WEXITSTATUS(t_wait(pid));
}

/* Who was root may still have what only root may see, until its next program. */
TEST(changed_user_is_private)
{
	int ready[2], go[2], pid;
	char c, path[64];

	need_proc();
	WORKS(pipe(ready));
	WORKS(pipe(go));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		WORKS(setuid(1000));
		WORKS(write(ready[1], "x", 1));
		CHECK(read(go[0], &c, 1) == 1);
		execl(t_self, t_self, "--pause", NULL);
		_exit(1);
	}
	CHECK(read(ready[0], &c, 1) == 1);
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	CHECK(look_as_user(path) == EACCES);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	CHECK(look_as_user(path) == EACCES);
	WORKS(write(go[1], "x", 1));
	for (int i = 0; i < 200 && look_as_user(path); i++)
		sleep_ms(5);
	CHECK(look_as_user(path) == 0);
	WORKS(kill(pid, SIGKILL));
	CHECK(t_wait(pid) == SIGKILL);
}

TEST(maps_names_the_stack)
{
	unsigned long start, end, here = (unsigned long)&start;
	char perms[8], *line, *stack = NULL;

	need_proc();
	slurp("/proc/self/maps");
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		CHECK(sscanf(line, "%lx-%lx %7s", &start, &end, perms) == 3, "%s", line);
		CHECK(start < end && strlen(perms) == 4, "%s", line);
		if (strstr(line, "[stack]"))
			stack = line;
		if (start <= here && here < end)
			CHECK(strstr(line, "[stack]") && !strncmp(perms, "rw", 2), "%s", line);
		if (strchr(line, '['))
			CHECK(strchr(line, '[') - line == 73, "name in column %ld: %s",
			      (long)(strchr(line, '[') - line), line);
	}
	CHECK(stack != NULL);
}

TEST(links_to_places)
{
	char buf[512], cwd[512];
	struct stat a, b;
	long n;

	need_proc();
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
	n = WORKS(readlink("/proc/self/cwd", buf, sizeof(buf) - 1));
	buf[n] = '\0';
	CHECK(!strcmp(buf, cwd), "%s", buf);
	t_file("f", "here");
	CHECK(access("/proc/self/cwd/f", F_OK) == 0);
	n = WORKS(readlink("/proc/self/root", buf, sizeof(buf) - 1));
	buf[n] = '\0';
	CHECK(!strcmp(buf, "/"), "%s", buf);
	n = WORKS(readlink("/proc/self/exe", buf, sizeof(buf) - 1));
	buf[n] = '\0';
	WORKS(stat("/proc/self/exe", &a));
	WORKS(stat(buf, &b));
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev, "%s", buf);
}

TEST(descriptors)
{
	char path[64], buf[512];
	int fd, again, p[2];
	struct stat st;
	long n;

	need_proc();
	t_file("f", "abc");
	fd = (int)WORKS(open("f", O_RDONLY));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = WORKS(readlink(path, buf, sizeof(buf) - 1));
	buf[n] = '\0';
	CHECK(!strcmp(strrchr(buf, '/'), "/f"), "%s", buf);
	WORKS(unlink("f"));
	n = WORKS(readlink(path, buf, sizeof(buf) - 1));
	buf[n] = '\0';
	CHECK(buf[0] == '/' && !strcmp(strrchr(buf, '/'), "/f (deleted)"), "%s", buf);
	again = (int)WORKS(open(path, O_RDONLY));
	CHECK(read(again, buf, 8) == 3 && !memcmp(buf, "abc", 3));
	close(fd);
	FAILS(ENOENT, readlink(path, buf, sizeof(buf)));
	FAILS(ENOENT, open(path, O_RDONLY));
	WORKS(pipe(p));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[1]);
	n = WORKS(readlink(path, buf, sizeof(buf) - 1));
	buf[n] = '\0';
	CHECK(!strncmp(buf, "pipe:[", 6), "%s", buf);
	WORKS(stat(path, &st));
	CHECK(S_ISFIFO(st.st_mode));
	FAILS(EINVAL, mount("none", path, NULL, MS_REMOUNT, NULL));
	FAILS(EINVAL, umount(path));
	again = (int)WORKS(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	CHECK(write(again, "xy", 2) == 2 && read(p[0], buf, 8) == 2);
	close(again);
	close(p[1]);
	CHECK(read(p[0], buf, 8) == 0);
}

TEST(descriptors_are_listed)
{
	struct dirent *e;
	int seen = 0, fd;
	DIR *dir;

	need_proc();
	fd = (int)WORKS(dup(1));
	dir = opendir("/proc/self/fd");
	CHECK(dir != NULL);
	while ((e = readdir(dir))) {
		CHECK(e->d_name[0] == '.' || e->d_type == DT_LNK);
		seen += atoi(e->d_name) == fd && isdigit(e->d_name[0]);
	}
	closedir(dir);
	CHECK(seen == 1);
}

static int count_pids(int *wanted, int nr, int *found)
{
	struct dirent *e;
	int last = 0, pids = 0;
	DIR *dir = opendir("/proc");

	CHECK(dir != NULL);
	memset(found, 0, sizeof(int) * (size_t)nr);
	while ((e = readdir(dir))) {
		int pid = atoi(e->d_name);

		if (!isdigit(e->d_name[0]))
			continue;
		CHECK(pid > last && e->d_type == DT_DIR, "%d after %d", pid, last);
		last = pid;
		pids++;
		for (int i = 0; i < nr; i++)
			found[i] += wanted[i] == pid;
	}
	closedir(dir);
	return pids;
}

TEST(processes_are_listed)
{
	int pid[40], found[40], before;

	need_proc();
	before = count_pids(pid, 0, found);
	for (int i = 0; i < 40; i++) {
		pid[i] = (int)WORKS(fork());
		if (pid[i] == 0) {
			pause();
			_exit(0);
		}
	}
	count_pids(pid, 40, found);
	for (int i = 0; i < 40; i++)
		CHECK(found[i] == 1, "pid %d %d times", pid[i], found[i]);
	for (int i = 0; i < 40; i++) {
		kill(pid[i], SIGKILL);
		t_wait(pid[i]);
	}
	CHECK(count_pids(pid, 40, found) <= before + 2);
	for (int i = 0; i < 40; i++)
		CHECK(found[i] == 0);
}

static void *wait_here(void *lock)
{
	pthread_mutex_lock(lock);
	return NULL;
}

TEST(threads_are_listed)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread[3];
	struct dirent *e;
	int nr = 0;
	DIR *dir;

	need_proc();
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&thread[i], NULL, wait_here, &lock) == 0);
	dir = opendir("/proc/self/task");
	CHECK(dir != NULL);
	while ((e = readdir(dir)))
		nr += isdigit(e->d_name[0]) != 0;
	closedir(dir);
	CHECK(nr == 4, "%d threads", nr);
	CHECK(read_stat("/proc/self/stat").threads == 4);
	CHECK(read_stat("/proc/thread-self/stat").pid == getpid());
}

TEST(reading_while_they_vanish)
{
	char path[300];
	int busy = (int)WORKS(fork());

	need_proc();
	if (busy == 0) {
		for (;;) {
			int pid = fork();

			if (pid == 0)
				_exit(0);
			if (pid > 0)
				waitpid(pid, NULL, 0);
		}
	}
	for (int round = 0; round < 20; round++) {
		DIR *dir = opendir("/proc");
		struct dirent *e;

		while ((e = readdir(dir))) {
			static const char *const files[] = { "stat", "status", "cmdline", "maps",
							     "cgroup", "limits", "statm" };

			for (int i = 0; isdigit(e->d_name[0]) && i < 7; i++) {
				int fd;

				snprintf(path, sizeof(path), "/proc/%s/%s", e->d_name, files[i]);
				fd = open(path, O_RDONLY);
				if (fd < 0) {
					CHECK(errno == ENOENT || errno == ESRCH, "%s", path);
					continue;
				}
				if (read(fd, text, sizeof(text)) < 0)
					CHECK(errno == ESRCH, "%s: %s", path, t_errno(errno));
				close(fd);
			}
		}
		closedir(dir);
	}
	kill(busy, SIGKILL);
	t_wait(busy);
}

/* --- the machine */

TEST(meminfo_adds_up)
{
	struct sysinfo info;
	long total, nr_free;

	need_proc();
	slurp("/proc/meminfo");
	CHECK(!strncmp(text, "MemTotal:       ", 16), "%.40s", text);
	total = field("MemTotal:");
	nr_free = field("\nMemFree:");
	CHECK(nr_free > 0 && nr_free < total && field("\nMemAvailable:") <= total);
	CHECK(field("\nCached:") >= 0 && field("\nSlab:") > 0 && field("\nKernelStack:") > 0);
	WORKS(sysinfo(&info));
	CHECK((long)(info.totalram * info.mem_unit / 1024) == total);
	CHECK(info.procs > 0);
}

TEST(machine_stat)
{
	unsigned long user, nice, sys, idle, first;
	char cpu[8];

	need_proc();
	slurp("/proc/stat");
	CHECK(sscanf(text, "%7s %lu %lu %lu %lu", cpu, &user, &nice, &sys, &idle) == 5);
	CHECK(!strcmp(cpu, "cpu") && !strncmp(text, "cpu  ", 5), "%.60s", text);
	first = user + nice + sys + idle;
	CHECK(strstr(text, "\ncpu0 ") && field("\nctxt ") > 0 && field("\nbtime ") > 1000000);
	CHECK(field("\nprocesses ") > 1 && field("\nprocs_running ") >= 1);
	sleep_ms(300);
	slurp("/proc/stat");
	CHECK(sscanf(text, "%7s %lu %lu %lu %lu", cpu, &user, &nice, &sys, &idle) == 5);
	CHECK(user + nice + sys + idle >= first + 25, "%lu then %lu", first,
	      user + nice + sys + idle);
}

TEST(load_and_uptime)
{
	float a, b, c, up, idle;
	int running, all, last;

	need_proc();
	slurp("/proc/loadavg");
	CHECK(sscanf(text, "%f %f %f %d/%d %d", &a, &b, &c, &running, &all, &last) == 6, "%s",
	      text);
	CHECK(running >= 1 && all >= running && last >= getpid());
	slurp("/proc/uptime");
	CHECK(sscanf(text, "%f %f", &up, &idle) == 2 && up > 0, "%s", text);
}

TEST(load_rises)
{
	float before, after;
	int pid[3];

	if (!t_groups)
		return;			/* the host has other work */
	need_proc();
	slurp("/proc/loadavg");
	before = strtof(text, NULL);
	for (int i = 0; i < 3; i++) {
		pid[i] = (int)WORKS(fork());
		if (pid[i] == 0)
			for (;;)
				;
	}
	sleep_ms(5500);			/* it is taken each 5 s, as an average over a minute */
	slurp("/proc/loadavg");
	after = strtof(text, NULL);
	for (int i = 0; i < 3; i++) {
		kill(pid[i], SIGKILL);
		t_wait(pid[i]);
	}
	CHECK(after > before * 0.92F + 0.2 && after < before + 3.1, "%f then %f", before, after);
}

TEST(small_texts)
{
	struct utsname name;

	need_proc();
	WORKS(uname(&name));
	slurp("/proc/sys/kernel/osrelease");
	CHECK(!strncmp(text, name.release, strlen(name.release)), "%s", text);
	CHECK(atoi(name.release) >= 3);
	slurp("/proc/sys/kernel/ostype");
	CHECK(!strcmp(text, "Linux\n"), "%s", text);
	slurp("/proc/version");
	CHECK(!strncmp(text, "Linux version ", 14), "%s", text);
	slurp("/proc/filesystems");
	CHECK(strstr(text, "nodev\tproc\n") && strstr(text, "nodev\ttmpfs\n"), "%s", text);
	slurp("/proc/cmdline");
	slurp("/proc/cpuinfo");
	CHECK(!strncmp(text, "processor\t: 0\n", 14), "%.40s", text);
	slurp("/proc/sys/kernel/random/uuid");
	CHECK(strlen(text) == 37 && text[14] == '4', "%s", text);
	slurp("/proc/vmstat");
	CHECK(field("nr_free_pages ") > 0);
	slurp("/proc/self/limits");
	CHECK(strstr(text, "\nMax open files            1024 ") ||
	      strstr(text, "\nMax open files"), "%s", text);
}

TEST(slabinfo_and_buddyinfo)
{
	char name[32], zone[32];
	int node;

	need_proc();
	slurp("/proc/slabinfo");
	CHECK(!strncmp(text, "slabinfo - version: 2.1\n# name ", 31), "%.60s", text);
	CHECK(strstr(text, "dentry") != NULL);
	slurp("/proc/buddyinfo");
	CHECK(sscanf(text, "Node %d, zone %31s", &node, zone) == 2, "%s", text);
	(void)name;
}

TEST(mounts)
{
	need_proc();
	slurp("/proc/mounts");
	CHECK(strstr(text, " /proc proc rw,"), "%s", text);
	mkdir("a b", 0755);
	WORKS(mount("src", "a b", "tmpfs", MS_NOSUID, "size=64k,mode=700"));
	slurp("/proc/self/mounts");
	CHECK(strstr(text, "src /"), "%s", text);
	CHECK(strstr(text, "/a\\040b tmpfs rw,nosuid,relatime,size=64k,mode=700"), "%s", text);
	WORKS(umount("a b"));
	slurp("/proc/mounts");
	CHECK(!strstr(text, "a\\040b"));
}

TEST(pieces_make_the_whole)
{
	static char pieces[64 * 1024];
	long n, len = 0;
	int fd;

	need_proc();
	fd = (int)WORKS(open("/proc/self/status", O_RDONLY));
	while ((n = read(fd, pieces + len, 7)) > 0)
		len += n;
	CHECK(len > 300);
	WORKS(lseek(fd, 0, SEEK_SET));
	n = read(fd, text, sizeof(text));
	CHECK(n > 300 && !memcmp(text, pieces, 60));
	CHECK(pread(fd, text, 5, 0) == 5 && !memcmp(text, "Name:", 5));
	FAILS(EFAULT, syscall(SYS_pread64, fd, 1, 100, 0));
	close(fd);
}

TEST(nothing_can_be_made)
{
	need_proc();
	CHECK(mkdir("/proc/x", 0755) < 0);
	CHECK(open("/proc/x", O_WRONLY | O_CREAT, 0644) < 0);
	FAILS(EPERM, unlink("/proc/self/stat"));
	FAILS(EPERM, chmod("/proc/self/stat", 0777));
	FAILS(EACCES, open("/proc/1/mem_not_there", O_RDONLY) < 0 && errno == ENOENT ?
		      (errno = EACCES, -1) : 0);
}

/* --- names, log, random */

TEST(host_name)
{
	char before[70], now[70];
	struct utsname name;
	int fd;

	need_proc();
	if (!t_groups)
		return;
	WORKS(gethostname(before, sizeof(before)));
	WORKS(sethostname("under-test", 10));
	WORKS(gethostname(now, sizeof(now)));
	CHECK(!strcmp(now, "under-test"));
	slurp("/proc/sys/kernel/hostname");
	CHECK(!strcmp(text, "under-test\n"));
	fd = (int)WORKS(open("/proc/sys/kernel/hostname", O_WRONLY | O_TRUNC));
	CHECK(write(fd, "other\n", 6) == 6);
	WORKS(uname(&name));
	CHECK(!strcmp(name.nodename, "other"));
	FAILS(EINVAL, sethostname(before, 65));
	FAILS(EFAULT, syscall(SYS_sethostname, 1, 5));
	WORKS(sethostname(before, strlen(before)));
}

TEST(kernel_log)
{
	long n, size;
	int fd;

	if (!t_groups)
		return;
	fd = (int)WORKS(open("/dev/kmsg", O_RDWR | O_NONBLOCK));
	CHECK(write(fd, "<5>a line of the test\n", 22) == 22);
	do {
		n = read(fd, text, sizeof(text));
		CHECK(n > 0 || errno == EAGAIN);
		text[n > 0 ? n : 0] = '\0';
	} while (n > 0 && !strstr(text, "a line of the test"));
	CHECK(n > 0 && !strncmp(text, "6,", 2) && strstr(text, ",-;a line of the test\n"), "%s",
	      text);
	FAILS(EAGAIN, read(fd, text, sizeof(text)));
	size = WORKS(klogctl(10, NULL, 0));
	CHECK(size > 1000);
	n = WORKS(klogctl(3, text, (int)sizeof(text) - 1));
	text[n] = '\0';
	CHECK(!strncmp(text, "<6>[", 4) && strstr(text, "] a line of the test\n"), "%.80s", text);
	n = WORKS(klogctl(3, text, 200));
	CHECK(n > 0 && n <= 200 && text[n - 1] == '\n' && text[0] == '<');
	FAILS(EINVAL, klogctl(99, NULL, 0));
}

TEST(kpagecgroup)
{
	unsigned long ids[512], mine = 0;
	int fd;
	long n;

	need_proc();
	if (!t_groups)
		return;
	fd = (int)WORKS(open("/proc/kpagecgroup", O_RDONLY));
	while ((n = read(fd, ids, sizeof(ids))) > 0) {
		CHECK(n % 8 == 0);
		for (long i = 0; i < n / 8; i++)
			mine += ids[i] > 1;
	}
	CHECK(n == 0 && mine >= 4, "%lu pages are a group's", mine);
	FAILS(EINVAL, pread(fd, ids, 7, 0));
}

TEST(enosys_is_counted)
{
	char want[32];

	need_proc();
	if (!t_groups)
		return;
	FAILS(ENOSYS, syscall(470));
	slurp("/proc/sys/kernel/enosys");
	snprintf(want, sizeof(want), "470 ");
	CHECK(!strncmp(text, want, 4) || strstr(text, "\n470 "), "%s", text);
}

TEST(file_system_types)
{
	struct statfs st;

	need_proc();
	WORKS(statfs("/proc", &st));
	CHECK(st.f_type == 0x9fa0 && st.f_blocks == 0);
	WORKS(statfs("/dev", &st));
	CHECK(st.f_type == 0x01021994);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--pause"))
		return pause();
	return t_main(argc, argv);
}
