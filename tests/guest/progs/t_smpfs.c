/* SPDX-License-Identifier: MIT */
/* Many processes, and threads that share memory and descriptors, on the same names, files and
 * pipes at once. Afterwards nothing is lost, and nobody was told what Linux would not say. */
#include "t.h"
#include <dirent.h>
#include <sys/syscall.h>

#define NR_WORKERS	4
#define STACK_BYTES	(64 * 1024)

struct worker {
	int nr;
	unsigned seed;
	int status;			/* of a thread: 0 when it came to its end */
};

/* Threads share errno: a call's own answer, or -errno. */
static long raw(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}

#define P(s)	((long)(s))

static unsigned rnd(struct worker *w, unsigned below)
{
	w->seed = w->seed * 1103515245u + 12345u;
	return (w->seed >> 16) % below;
}

/* ret is 0 or more, or minus one of those errors. */
#define ALLOW(ret, ...) \
	do { \
		static const int allowed_[] = { 0, ##__VA_ARGS__ }; \
		allow((ret), allowed_, sizeof(allowed_) / sizeof(int), __LINE__); \
	} while (0)

static void allow(long ret, const int *allowed, unsigned nr, int line)
{
	for (unsigned i = 0; i < nr; i++)
		if (ret >= 0 || ret == -allowed[i])
			return;
	t_fail(line, "call", "%s is no answer here", t_errno((int)-ret));
}

/* fn in NR_WORKERS processes at once; all must end well. */
static void crowd(void (*fn)(struct worker *))
{
	int pids[NR_WORKERS];

	for (int i = 0; i < NR_WORKERS; i++) {
		struct worker w = { .nr = i, .seed = 2013u + (unsigned)i };

		pids[i] = (int)WORKS(fork());
		if (pids[i] == 0) {
			fn(&w);
			_exit(0);
		}
	}
	for (int i = 0; i < NR_WORKERS; i++) {
		int status = t_wait(pids[i]);

		CHECK(status == 0, "worker %d: wait status %#x", i, status);
	}
}

static void (*thread_fn)(struct worker *);

static int thread_main(void *arg)
{
	struct worker *w = arg;

	thread_fn(w);
	w->status = 0;
	raw(SYS_exit, 0, 0, 0, 0);
	return 0;
}

/* The same in nr threads that share memory, descriptors and working directory. */
static void threads(int nr, void (*fn)(struct worker *))
{
	static struct worker workers[NR_WORKERS];
	int pids[NR_WORKERS];

	thread_fn = fn;
	for (int i = 0; i < nr; i++) {
		char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(stack != MAP_FAILED);
		workers[i] = (struct worker){ .nr = i, .seed = 77u + (unsigned)i, .status = 1 };
		pids[i] = (int)WORKS(clone(thread_main, stack + STACK_BYTES,
					   CLONE_VM | CLONE_FILES | CLONE_FS | SIGCHLD,
					   &workers[i]));
	}
	for (int i = 0; i < nr; i++) {
		int status = t_wait(pids[i]);

		CHECK(status == 0 && workers[i].status == 0, "thread %d: wait status %#x", i, status);
	}
}

static int count_names(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int nr = 0;

	CHECK(dir != NULL, "%s: %s", path, t_errno(errno));
	while ((e = readdir(dir)))
		nr += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	closedir(dir);
	return nr;
}

/* --- names: who wins */

#define RACES	300

static void win(int fd, int what)
{
	char c = (char)what;

	CHECK(write(fd, &c, 1) == 1);
}

static int wins_fd;

/* Each name is made, and removed, by exactly one. */
static void race_for_names(struct worker *w)
{
	char name[32], own[32];

	for (int i = 0; i < RACES; i++) {
		long ret;

		snprintf(name, sizeof(name), "n%d", i);
		snprintf(own, sizeof(own), "own%d-%d", w->nr, i);
		ret = raw(SYS_mkdir, P(name), 0755, 0, 0);
		ALLOW(ret, EEXIST);
		if (ret == 0)
			win(wins_fd, 0);
		snprintf(name, sizeof(name), "f%d", i);
		ret = raw(SYS_open, P(name), O_CREAT | O_EXCL | O_WRONLY, 0644, 0);
		ALLOW(ret, EEXIST);
		if (ret >= 0) {
			win(wins_fd, 1);
			raw(SYS_close, ret, 0, 0, 0);
		}
		ret = raw(SYS_rename, P(name), P(own), 0, 0);
		ALLOW(ret, ENOENT);
		if (ret == 0)
			win(wins_fd, 2);
	}
	for (int i = 0; i < RACES; i++) {
		long ret;

		snprintf(name, sizeof(name), "n%d", i);
		ret = raw(SYS_rmdir, P(name), 0, 0, 0);
		ALLOW(ret, ENOENT);
		if (ret == 0)
			win(wins_fd, 3);
	}
}

TEST(one_wins)
{
	static char seen[RACES * 64];
	int nr[4] = { 0 }, names;
	long n;

	wins_fd = (int)WORKS(open("../wins", O_CREAT | O_TRUNC | O_RDWR | O_APPEND, 0644));
	WORKS(unlink("../wins"));
	crowd(race_for_names);
	n = WORKS(pread(wins_fd, seen, sizeof(seen), 0));
	for (long i = 0; i < n; i++)
		nr[(int)seen[i]]++;
	names = count_names(".");
	/* A late one may make a directory that an early one has removed already, and a file that
	 * was renamed; but whatever was made is there, or was taken away once. */
	CHECK(nr[0] >= RACES && nr[1] >= RACES && nr[1] == nr[2], "%d %d %d", nr[0], nr[1], nr[2]);
	CHECK(names == nr[0] - nr[3] + nr[2], "%d names, made %d, removed %d, renamed %d", names,
	      nr[0], nr[3], nr[2]);
}

/* --- a directory that all change at once */

#define NR_NAMES	6

static const char *some_name(struct worker *w)
{
	static const char *const names[NR_NAMES] = {
		"a", "b", "c", "a-name-too-long-for-its-dentry-itself", "e", "f",
	};

	return names[rnd(w, NR_NAMES)];
}

static void use_file(struct worker *w, const char *name)
{
	long fd = raw(SYS_open, P(name), O_RDWR | (rnd(w, 2) ? O_CREAT : 0), 0644, 0);

	ALLOW(fd, ENOENT, EISDIR, ELOOP);
	if (fd < 0)
		return;
	ALLOW(raw(SYS_write, fd, P("some bytes"), 10, 0));
	raw(SYS_close, fd, 0, 0, 0);
}

static void list_dir(void)
{
	char buf[1024];
	long fd = raw(SYS_open, P("."), O_RDONLY | O_DIRECTORY, 0, 0), n;

	ALLOW(fd);
	do {
		n = raw(SYS_getdents64, fd, P(buf), sizeof(buf), 0);
		ALLOW(n);
	} while (n > 0);
	raw(SYS_close, fd, 0, 0, 0);
}

static void change_names(struct worker *w)
{
	struct stat st;

	for (int i = 0; i < 1500; i++) {
		const char *a = some_name(w), *b = some_name(w);

		switch (rnd(w, 9)) {
		case 0:
			ALLOW(raw(SYS_mkdir, P(a), 0755, 0, 0), EEXIST);
			break;
		case 1:
			ALLOW(raw(SYS_rmdir, P(a), 0, 0, 0), ENOENT, ENOTDIR);
			break;
		case 2:
			ALLOW(raw(SYS_unlink, P(a), 0, 0, 0), ENOENT, EISDIR);
			break;
		case 3:
			ALLOW(raw(SYS_link, P(a), P(b), 0, 0), ENOENT, EEXIST, EPERM);
			break;
		case 4:
			ALLOW(raw(SYS_symlink, P(b), P(a), 0, 0), EEXIST);
			break;
		case 5:
			ALLOW(raw(SYS_rename, P(a), P(b), 0, 0), ENOENT, ENOTDIR, EISDIR);
			break;
		case 6:
			ALLOW(raw(SYS_stat, P(a), P(&st), 0, 0), ENOENT, ELOOP);
			break;
		case 7:
			list_dir();
			break;
		default:
			use_file(w, a);
		}
	}
}

/* Every name is there once, link counts are those of the names, and all can be removed. */
static void check_and_empty(void)
{
	DIR *dir = opendir(".");
	struct { ino_t ino; unsigned links, found; } files[NR_NAMES];
	struct dirent *e;
	struct stat st;
	unsigned nr = 0, subdirs = 0, i;

	CHECK(dir != NULL);
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		WORKS(lstat(e->d_name, &st));
		CHECK(st.st_ino == e->d_ino);
		for (i = 0; i < nr && files[i].ino != st.st_ino; i++)
			;
		if (i == nr) {
			CHECK(nr < NR_NAMES);
			files[nr].ino = st.st_ino;
			files[nr].links = (unsigned)st.st_nlink;
			files[nr++].found = 0;
		}
		files[i].found += S_ISDIR(st.st_mode) ? 2 : 1;
		subdirs += S_ISDIR(st.st_mode);
	}
	closedir(dir);
	for (i = 0; i < nr; i++)
		CHECK(files[i].found == files[i].links, "%u names, %u links", files[i].found,
		      files[i].links);
	WORKS(stat(".", &st));
	CHECK(st.st_nlink == 2 + subdirs, "%u subdirectories, %u links", subdirs,
	      (unsigned)st.st_nlink);
	for (i = 0; i < NR_NAMES; i++) {
		struct worker w = { .seed = i };

		for (int k = 0; k < 200; k++) {
			const char *name = some_name(&w);

			if (unlink(name) < 0 && errno == EISDIR)
				rmdir(name);
		}
	}
	CHECK(count_names(".") == 0, "%d names stay", count_names("."));
}

TEST(processes_in_one_directory)
{
	crowd(change_names);
	check_and_empty();
}

TEST(threads_in_one_directory)
{
	threads(NR_WORKERS, change_names);
	check_and_empty();
}

/* --- directories that move while others walk through them */

#define NR_DIRS	6

/* A path of one to three of the directories; most do not exist. */
static void dir_path(struct worker *w, char *out)
{
	unsigned depth = 1 + rnd(w, 3);

	*out = '\0';
	for (unsigned i = 0; i < depth; i++) {
		char name[4] = { (char)('a' + rnd(w, NR_DIRS)), '/', 0 };

		strcat(out, name);
	}
}

static void walk_around(struct worker *w, const char *at)
{
	static const char *const ups[] = { "..", "../..", "../../a", "./../b/." };
	char cwd[4096];
	struct stat st;

	if (raw(SYS_chdir, P(at), 0, 0, 0) == 0) {
		ALLOW(raw(SYS_getcwd, P(cwd), sizeof(cwd), 0, 0));
		ALLOW(raw(SYS_stat, P("mark"), P(&st), 0, 0));
		ALLOW(raw(SYS_stat, P(ups[rnd(w, 4)]), P(&st), 0, 0), ENOENT);
	}
	ALLOW(raw(SYS_chdir, P("/tmp/t"), 0, 0, 0));
}

/* Directories in which something lies are never replaced, so none may go. */
static void move_dirs(struct worker *w)
{
	char from[16], to[16];

	for (int i = 0; i < 1500; i++) {
		dir_path(w, from);
		dir_path(w, to);
		if (rnd(w, 2))
			ALLOW(raw(SYS_rename, P(from), P(to), 0, 0), ENOENT, ENOTEMPTY, EEXIST,
			      EINVAL);
		else
			walk_around(w, from);
	}
}

static int count_dirs(const char *path, int depth)
{
	char below[64];
	struct stat st;
	int nr = 0;

	CHECK(depth <= NR_DIRS, "%s: a circle", path);
	snprintf(below, sizeof(below), "%s/mark", path);
	WORKS(stat(below, &st));
	for (int i = 0; i < NR_DIRS; i++) {
		snprintf(below, sizeof(below), "%s/%c", path, 'a' + i);
		if (stat(below, &st) == 0)
			nr += 1 + count_dirs(below, depth + 1);
	}
	return nr;
}

TEST(directories_move)
{
	char name[16];
	int nr;

	t_file("mark", "");
	for (int i = 0; i < NR_DIRS; i++) {
		snprintf(name, sizeof(name), "%c", 'a' + i);
		WORKS(mkdir(name, 0755));
		strcat(name, "/mark");
		t_file(name, "");
	}
	crowd(move_dirs);
	nr = count_dirs(".", 0);
	CHECK(nr == NR_DIRS, "%d of %d directories are left", nr, NR_DIRS);
}

/* A name that is replaced again and again is there at every moment, with whole contents. */
static void replace_or_read(struct worker *w)
{
	char text[64], tmp[16];
	long fd, n;

	snprintf(tmp, sizeof(tmp), "tmp%d", w->nr);
	for (int i = 0; i < 400; i++) {
		if (w->nr < 2) {
			memset(text, 'A' + i % 26, sizeof(text));
			fd = raw(SYS_open, P(tmp), O_CREAT | O_EXCL | O_WRONLY, 0644, 0);
			ALLOW(fd);
			CHECK(raw(SYS_write, fd, P(text), sizeof(text), 0) == sizeof(text));
			raw(SYS_close, fd, 0, 0, 0);
			ALLOW(raw(SYS_rename, P(tmp), P("f"), 0, 0));
			continue;
		}
		fd = raw(SYS_open, P("f"), O_RDONLY, 0, 0);
		ALLOW(fd);
		n = raw(SYS_read, fd, P(text), sizeof(text), 0);
		CHECK(n == sizeof(text), "read %ld", n);
		for (n = 1; n < (long)sizeof(text); n++)
			CHECK(text[n] == text[0]);
		raw(SYS_close, fd, 0, 0, 0);
	}
}

TEST(a_replaced_name_is_always_there)
{
	char text[64];
	int fd = (int)WORKS(open("f", O_CREAT | O_WRONLY, 0644));

	memset(text, 'z', sizeof(text));
	CHECK(write(fd, text, sizeof(text)) == sizeof(text));
	WORKS(close(fd));
	crowd(replace_or_read);
	CHECK(count_names(".") == 1);
}

/* The same as fast as it goes: a rename takes a name out of the cache for a moment. */
static void relink_or_look(struct worker *w)
{
	char tmp[16];
	struct stat st;

	snprintf(tmp, sizeof(tmp), "tmp%d", w->nr);
	for (int i = 0; i < 4000; i++) {
		if (w->nr < 2) {
			ALLOW(raw(SYS_link, P(i % 2 ? "one" : "two"), P(tmp), 0, 0));
			ALLOW(raw(SYS_rename, P(tmp), P("f"), 0, 0));
			ALLOW(raw(SYS_unlink, P(tmp), 0, 0, 0), ENOENT);
			continue;
		}
		ALLOW(raw(SYS_stat, P("f"), P(&st), 0, 0));
		CHECK(st.st_size == 3);
	}
}

TEST(a_name_is_never_missed)
{
	struct stat st;

	t_file("one", "one");
	t_file("two", "two");
	WORKS(link("one", "f"));
	crowd(relink_or_look);
	CHECK(count_names(".") == 3);
	for (int i = 0; i < 2; i++) {
		WORKS(unlink(i ? "one" : "two"));
		WORKS(stat("f", &st));
	}
	CHECK(st.st_nlink == 1, "%u links", (unsigned)st.st_nlink);
}

/* --- contents */

#define RECORDS	1000
#define RECORD	24
#define READ_ROUNDS 15

static int shared_fd;

static void write_records(struct worker *w, int fd)
{
	char record[RECORD + 1];

	for (int i = 0; i < RECORDS; i++) {
		snprintf(record, sizeof(record), "worker %02d record %06d\n", w->nr, i);
		CHECK(raw(SYS_write, fd, P(record), RECORD, 0) == RECORD);
	}
}

static void append_records(struct worker *w)
{
	int fd = (int)raw(SYS_open, P("log"), O_WRONLY | O_APPEND, 0, 0);

	ALLOW(fd);
	write_records(w, fd);
	raw(SYS_close, fd, 0, 0, 0);
}

static void share_offset(struct worker *w)
{
	write_records(w, shared_fd);
}

/* Each record is whole, and those of one worker stand in order. */
static void check_records(void)
{
	static char all[NR_WORKERS * RECORDS * RECORD + 1];
	int next[NR_WORKERS] = { 0 }, fd = (int)WORKS(open("log", O_RDONLY));
	long n = WORKS(read(fd, all, sizeof(all)));

	CHECK(n == NR_WORKERS * RECORDS * RECORD, "%ld bytes", n);
	for (long at = 0; at < n; at += RECORD) {
		int who = -1, nr = -1;

		CHECK(sscanf(all + at, "worker %d record %d\n", &who, &nr) == 2);
		CHECK(who >= 0 && who < NR_WORKERS && nr == next[who]++, "at %ld", at);
	}
	WORKS(close(fd));
}

TEST(appends_do_not_overlap)
{
	t_file("log", "");
	crowd(append_records);
	check_records();
}

TEST(one_offset_for_processes)
{
	shared_fd = (int)WORKS(open("log", O_CREAT | O_WRONLY, 0644));
	crowd(share_offset);
	check_records();
}

TEST(one_offset_for_threads)
{
	shared_fd = (int)WORKS(open("log", O_CREAT | O_WRONLY, 0644));
	threads(NR_WORKERS, share_offset);
	check_records();
}

static void share_reads(struct worker *w)
{
	char record[RECORD];
	long sum[2] = { 0, 0 }, n;

	(void)w;
	while ((n = raw(SYS_read, shared_fd, P(record), RECORD, 0)) > 0) {
		CHECK(n == RECORD, "%ld bytes", n);
		sum[0]++;
		sum[1] += strtol(record + 17, NULL, 10);
	}
	CHECK(n == 0);
	CHECK(raw(SYS_write, wins_fd, P(sum), sizeof(sum), 0) == sizeof(sum));
}

/* Each record is read by one of those who share the offset. */
TEST(one_offset_for_readers)
{
	struct worker w = { .nr = 0 };
	long sum[2], nr = 0, total = 0;

	shared_fd = (int)WORKS(open("log", O_CREAT | O_RDWR, 0644));
	for (int i = 0; i < READ_ROUNDS; i++)
		write_records(&w, shared_fd);
	WORKS(lseek(shared_fd, 0, SEEK_SET));
	wins_fd = (int)WORKS(open("sums", O_CREAT | O_RDWR | O_APPEND, 0644));
	crowd(share_reads);
	WORKS(lseek(wins_fd, 0, SEEK_SET));
	while (WORKS(read(wins_fd, sum, sizeof(sum))) == sizeof(sum)) {
		nr += sum[0];
		total += sum[1];
	}
	CHECK(nr == READ_ROUNDS * RECORDS, "%ld records", nr);
	CHECK(total == READ_ROUNDS * (RECORDS * (RECORDS - 1) / 2), "sum %ld", total);
}

#define FILE_BYTES	40000

static char pattern(long pos)
{
	return (char)('a' + pos % 23);
}

/* Whatever is cut and written meanwhile, a byte read is the one that belongs there, or 0. */
static void cut_write_read(struct worker *w)
{
	static char buf[8192];
	int fd = (int)raw(SYS_open, P("data"), O_RDWR, 0, 0);

	ALLOW(fd);
	for (int i = 0; i < 500; i++) {
		long pos = rnd(w, FILE_BYTES), bytes = 1 + rnd(w, sizeof(buf)), n;

		switch (rnd(w, w->nr == 0 ? 3 : 2)) {
		case 0:
			n = raw(SYS_pread64, fd, P(buf), bytes, pos);
			ALLOW(n);
			for (long k = 0; k < n; k++)
				CHECK(!buf[k] || buf[k] == pattern(pos + k), "at %ld", pos + k);
			break;
		case 1:
			for (long k = 0; k < bytes; k++)
				buf[k] = pattern(pos + k);
			CHECK(raw(SYS_pwrite64, fd, P(buf), bytes, pos) == bytes);
			break;
		default:
			ALLOW(raw(SYS_ftruncate, fd, pos, 0, 0));
		}
	}
	raw(SYS_close, fd, 0, 0, 0);
}

TEST(cut_while_reading)
{
	t_file("data", "");
	crowd(cut_write_read);
}

/* --- descriptors shared by threads */

#define FD_FIRST	10
#define NR_FDS		8

/* Descriptors come and go under who reads them; what is read is always a file's own letter. */
static void change_descriptors(struct worker *w)
{
	static const char *const names[] = { "A", "B", "C" };
	char letter;

	for (int i = 0; i < 5000; i++) {
		long fd = FD_FIRST + rnd(w, NR_FDS), other = FD_FIRST + rnd(w, NR_FDS), ret;

		switch (rnd(w, 5)) {
		case 0:
			ret = raw(SYS_open, P(names[rnd(w, 3)]), O_RDONLY, 0, 0);
			ALLOW(ret);
			ALLOW(raw(SYS_dup2, ret, fd, 0, 0), EBADF, EBUSY);
			ALLOW(raw(SYS_close, ret, 0, 0, 0), EBADF);
			break;
		case 1:
			ALLOW(raw(SYS_dup2, fd, other, 0, 0), EBADF, EBUSY);
			break;
		case 2:
			ALLOW(raw(SYS_close, fd, 0, 0, 0), EBADF);
			break;
		case 3:
			ALLOW(raw(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC, 0), EBADF);
			break;
		default:
			ret = raw(SYS_pread64, fd, P(&letter), 1, 0);
			ALLOW(ret, EBADF);
			CHECK(ret != 1 || (letter >= 'A' && letter <= 'C'), "%d", letter);
		}
	}
}

TEST(threads_change_descriptors)
{
	t_file("A", "A");
	t_file("B", "B");
	t_file("C", "C");
	/* Numbers below those fought for are taken, so that open() gives higher ones. */
	while ((int)WORKS(open("A", O_RDONLY)) < FD_FIRST + NR_FDS)
		;
	threads(NR_WORKERS, change_descriptors);
}

/* Forks copy the table while the other threads change it. */
static void fork_or_change(struct worker *w)
{
	struct worker half = *w;

	if (w->nr > 1) {
		change_descriptors(&half);
		return;
	}
	for (int i = 0; i < 40; i++) {
		long pid = raw(SYS_fork, 0, 0, 0, 0);

		ALLOW(pid);
		if (pid == 0) {
			for (long fd = FD_FIRST; fd < FD_FIRST + NR_FDS; fd++)
				raw(SYS_close, fd, 0, 0, 0);
			raw(SYS_exit, 0, 0, 0, 0);
		}
		ALLOW(raw(SYS_wait4, pid, 0, 0, 0));
	}
}

TEST(forks_copy_descriptors)
{
	t_file("A", "A");
	t_file("B", "B");
	t_file("C", "C");
	while ((int)WORKS(open("A", O_RDONLY)) < FD_FIRST + NR_FDS)
		;
	threads(NR_WORKERS, fork_or_change);
}

/* --- the working directory shared by threads */

static void change_directory(struct worker *w)
{
	char cwd[64];
	long fd;

	for (int i = 0; i < 1500; i++) {
		if (w->nr == 0) {
			ALLOW(raw(SYS_chdir, P(rnd(w, 2) ? "/tmp/t/left" : "/tmp/t/right"), 0, 0, 0));
			continue;
		}
		ALLOW(raw(SYS_getcwd, P(cwd), sizeof(cwd), 0, 0));
		CHECK(!strcmp(cwd, "/tmp/t/left") || !strcmp(cwd, "/tmp/t/right"));
		fd = raw(SYS_open, P("mark"), O_RDONLY, 0, 0);
		ALLOW(fd);
		raw(SYS_close, fd, 0, 0, 0);
		ALLOW(raw(SYS_umask, rnd(w, 2) ? 022 : 077, 0, 0, 0));
	}
}

TEST(threads_share_a_working_directory)
{
	WORKS(mkdir("left", 0755));
	WORKS(mkdir("right", 0755));
	t_file("left/mark", "");
	t_file("right/mark", "");
	WORKS(chdir("left"));
	threads(NR_WORKERS, change_directory);
}

/* --- memory that goes while the kernel copies */

static char *volatile moving_page;

/* 0: maps and unmaps the page; the others have the kernel read and write there. */
static void copy_to_moving(struct worker *w)
{
	char *page = moving_page;
	long fd, n;

	if (w->nr == 0) {
		for (int i = 0; i < 1000; i++) {
			ALLOW(raw(SYS_munmap, P(page), PAGE_BYTES, 0, 0));
			CHECK(mmap(page, PAGE_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
		}
		return;
	}
	fd = raw(SYS_open, P("data"), O_RDWR, 0, 0);
	ALLOW(fd);
	for (int i = 0; i < 500; i++) {
		n = raw(SYS_pread64, fd, P(page - 100), 200, 0);
		ALLOW(n, EFAULT);
		CHECK(n >= 100, "the first half is there: %ld", n);
		n = raw(SYS_pwrite64, fd, P(page - 100), 200, 0);
		CHECK(n >= 100, "the first half is there: %ld", n);
		/* Another thread may just have had its working directory put there. */
		n = raw(SYS_open, P(page), O_RDONLY, 0, 0);
		ALLOW(n, ENOENT, EFAULT);
		if (n >= 0)
			raw(SYS_close, n, 0, 0, 0);
		ALLOW(raw(SYS_stat, P("data"), P(page), 0, 0), EFAULT);
		ALLOW(raw(SYS_getcwd, P(page), PAGE_BYTES, 0, 0), EFAULT);
	}
	raw(SYS_close, fd, 0, 0, 0);
}

TEST(buffers_go_while_they_are_used)
{
	char *two = mmap(NULL, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = (int)WORKS(open("data", O_CREAT | O_WRONLY, 0644));

	CHECK(two != MAP_FAILED);
	WORKS(ftruncate(fd, 4096));
	moving_page = two + PAGE_BYTES;
	threads(NR_WORKERS, copy_to_moving);
}

/* --- pipes */

#define MESSAGES	1500
#define MESSAGE		64

static int ends[2], answers[2];

/* Two write numbered messages, two read and tell their sum: none is lost, doubled or torn. */
static void pass_messages(struct worker *w)
{
	int text[MESSAGE / sizeof(int)];
	long sum[2] = { 0, 0 }, n;

	if (w->nr < 2) {
		WORKS(close(ends[0]));
		for (int i = 0; i < MESSAGES; i++) {
			for (unsigned k = 0; k < MESSAGE / sizeof(int); k++)
				text[k] = i;
			CHECK(raw(SYS_write, ends[1], P(text), MESSAGE, 0) == MESSAGE);
		}
		return;
	}
	WORKS(close(ends[1]));
	while ((n = raw(SYS_read, ends[0], P(text), MESSAGE, 0)) > 0) {
		CHECK(n == MESSAGE, "%ld bytes", n);
		for (unsigned k = 1; k < MESSAGE / sizeof(int); k++)
			CHECK(text[k] == text[0]);
		sum[0]++;
		sum[1] += text[0];
	}
	CHECK(n == 0);
	CHECK(write(answers[1], sum, sizeof(sum)) == sizeof(sum));
}

/* The test's own process closes both ends, so that the readers see the end. */
static void writers_and_readers(void)
{
	int pids[NR_WORKERS];

	for (int i = 0; i < NR_WORKERS; i++) {
		struct worker w = { .nr = i };

		pids[i] = (int)WORKS(fork());
		if (pids[i] == 0) {
			pass_messages(&w);
			_exit(0);
		}
	}
	WORKS(close(ends[0]));
	WORKS(close(ends[1]));
	for (int i = 0; i < NR_WORKERS; i++)
		CHECK(t_wait(pids[i]) == 0);
}

TEST(pipes_lose_nothing)
{
	long sum[2], nr = 0, total = 0;

	WORKS(pipe(ends));
	WORKS(pipe(answers));
	writers_and_readers();
	for (int i = 0; i < 2; i++) {
		CHECK(read(answers[0], sum, sizeof(sum)) == sizeof(sum));
		nr += sum[0];
		total += sum[1];
	}
	CHECK(nr == 2 * MESSAGES, "%ld messages", nr);
	CHECK(total == (long)MESSAGES * (MESSAGES - 1), "sum %ld", total);
}

/* Every read or write under way when the other end is closed comes back. */
static void close_other_end(struct worker *w)
{
	static char block[4096];
	static volatile int turn;	/* rounds that are set up */
	static volatile int left[NR_WORKERS];

	for (int i = 1; i <= 100; i++) {
		if (w->nr == 0) {
			for (int k = 1; k < 3; k++)
				while (left[k] < i - 1)
					raw(SYS_sched_yield, 0, 0, 0, 0);
			CHECK(raw(SYS_pipe, P(ends), 0, 0, 0) == 0);
			CHECK(raw(SYS_pipe, P(answers), 0, 0, 0) == 0);
			turn = i;
			for (unsigned k = rnd(w, 4); k > 0; k--)
				raw(SYS_sched_yield, 0, 0, 0, 0);
			ALLOW(raw(SYS_close, ends[1], 0, 0, 0));
			ALLOW(raw(SYS_close, answers[0], 0, 0, 0));
			continue;
		}
		while (turn < i)
			raw(SYS_sched_yield, 0, 0, 0, 0);
		if (w->nr == 1) {
			CHECK(raw(SYS_read, ends[0], P(block), sizeof(block), 0) == 0);
			raw(SYS_close, ends[0], 0, 0, 0);
		} else {
			long n;

			do {
				n = raw(SYS_write, answers[1], P(block), sizeof(block), 0);
			} while (n > 0);
			CHECK(n == -EPIPE, "%ld", n);
			raw(SYS_close, answers[1], 0, 0, 0);
		}
		left[w->nr] = i;
	}
}

TEST(a_close_wakes_the_other_end)
{
	signal(SIGPIPE, SIG_IGN);
	threads(3, close_other_end);
}

/* --- groups: made, entered, killed and removed by all at once */

static void live_in_group(const char *group)
{
	char name[32];

	if (cgroup_attach(group, 0) < 0)
		_exit(0);
	for (int i = 0;; i++) {
		snprintf(name, sizeof(name), "%d-%d", getpid(), i % 50);
		if (mkdir(name, 0755) < 0)
			rmdir(name);
	}
}

static void change_groups(struct worker *w)
{
	char group[64];

	for (int i = 0; i < t_rounds(60); i++) {
		int pid;

		snprintf(group, sizeof(group), "%s/g%u", t_group, rnd(w, 2));
		if (cgroup_create(group, 0755) < 0)
			CHECK(errno == EEXIST, "%s", t_errno(errno));
		pid = (int)WORKS(fork());
		if (pid == 0)
			live_in_group(group);
		if (cgroup_attach(group, pid) < 0)
			CHECK(errno == ENOENT || errno == ESRCH, "%s", t_errno(errno));
		if (cgroup_kill(group) < 0)
			CHECK(errno == ENOENT, "%s", t_errno(errno));
		if (rnd(w, 2) && cgroup_remove(group) < 0)
			CHECK(errno == EBUSY || errno == ENOENT, "%s", t_errno(errno));
		WORKS(kill(pid, SIGKILL));
		CHECK(t_wait(pid) >= 0);
	}
}

TEST(groups_come_and_go)
{
	char text[256], group[64];

	if (!t_groups)
		return;
	crowd(change_groups);
	for (int i = 0; i < 2; i++) {
		snprintf(group, sizeof(group), "%s/g%d", t_group, i);
		if (cgroup_remove(group) < 0)
			CHECK(errno == ENOENT, "%s: %s", group, t_errno(errno));
	}
	CHECK(cgroup_list(t_group, text, sizeof(text)) == 0, "groups stay: %s", text);
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
