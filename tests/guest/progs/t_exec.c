/* SPDX-License-Identifier: MIT */
/* exec: scripts, what a program finds at its start, set-id bits, limits, and what execs take. */
#include "t.h"
#include <elf.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_EMPTY 0x1000

extern char **environ;

/* Copy this program to name. */
static void copy_self(const char *name, int mode)
{
	static char buf[65536];
	int from = (int)WORKS(open(t_self, O_RDONLY)), to;
	long n;

	to = (int)WORKS(open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700));
	while ((n = WORKS(read(from, buf, sizeof(buf)))) > 0)
		CHECK(write(to, buf, (size_t)n) == n);
	WORKS(fchmod(to, (mode_t)mode));
	WORKS(close(to));
	WORKS(close(from));
}

static void script(const char *name, const char *text)
{
	t_file(name, text);
	WORKS(chmod(name, 0755));
}

/* Run name with arguments a, b; what it says of itself (see show()) in report. */
static char report[8192];

static int run(const char *name, char *const argv[])
{
	int fds[2], pid, status;
	size_t done = 0;
	long n;

	WORKS(pipe(fds));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		char *const envp[] = { "T_SHOW=1", "E=x", NULL };

		WORKS(dup2(fds[1], 1));
		close(fds[0]);
		close(fds[1]);
		execve(name, argv, envp);
		_exit(100 + errno);
	}
	close(fds[1]);
	while ((n = read(fds[0], report + done, sizeof(report) - 1 - done)) > 0)
		done += (size_t)n;
	report[done] = '\0';
	close(fds[0]);
	status = t_wait(pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int fails(const char *name, int error)
{
	char *argv[] = { "x", NULL };

	return run(name, argv) == 100 + error;
}

/* What this program does when it is the one that was started: tell what it sees. */
static int show(int argc, char **argv)
{
	char name[16];

	prctl(PR_GET_NAME, name);
	printf("comm=%s\n", name);
	for (int i = 0; i < argc; i++)
		printf("arg%d=%s\n", i, argv[i]);
	printf("execfn=%s\n", (char *)getauxval(AT_EXECFN));
	printf("ids=%d %d %d %d\n", (int)getuid(), (int)geteuid(), (int)getgid(), (int)getegid());
	printf("aux=%d %d %d %d secure=%d\n", (int)getauxval(AT_UID), (int)getauxval(AT_EUID),
	       (int)getauxval(AT_GID), (int)getauxval(AT_EGID), (int)getauxval(AT_SECURE));
	printf("fd9=%d\n", fcntl(9, F_GETFD) >= 0);
	fflush(stdout);
	return 0;
}

static int has(const char *line)
{
	return strstr(report, line) != NULL;
}

TEST(script_argv)
{
	char *argv[] = { "zero", "one", "two", NULL };

	copy_self("prog", 0755);
	script("s", "#!./prog\n");
	CHECK(run("./s", argv) == 0, "%s", report);
	CHECK(has("arg0=./prog\narg1=./s\narg2=one\narg3=two\n"), "%s", report);
	CHECK(has("comm=s\n") && has("execfn=./s\n"), "%s", report);
	script("s", "#! \t./prog  an argument \t\necho\n");
	CHECK(run("./s", argv) == 0);
	CHECK(has("arg0=./prog\narg1=an argument\narg2=./s\narg3=one\n"), "%s", report);
	script("s", "#!./prog -x");
	CHECK(run("./s", argv) == 0 && has("arg1=-x\narg2=./s\n"), "%s", report);
	argv[0] = NULL;
	CHECK(run("./s", argv) == 0 && has("arg1=-x\narg2=./s\nexecfn"), "%s", report);
}

TEST(script_depth)
{
	char name[8], text[16], *argv[] = { "s", NULL };

	copy_self("prog", 0755);
	script("s0", "#!./prog\n");
	for (int i = 1; i < 7; i++) {
		sprintf(name, "s%d", i);
		sprintf(text, "#!./s%d\n", i - 1);
		script(name, text);
	}
	CHECK(run("./s4", argv) == 0, "five scripts");
	CHECK(has("arg0=./prog\narg1=./s0\narg2=./s1\n") && has("arg5=./s4\n"), "%s", report);
	CHECK(fails("./s5", ELOOP), "six");
	script("own", "#!./own\n");
	CHECK(fails("./own", ELOOP));
}

TEST(script_errors)
{
	char text[512];

	script("s", "#!\n");
	CHECK(fails("./s", ENOEXEC));
	script("s", "#!   \nx");
	CHECK(fails("./s", ENOEXEC));
	script("s", "#!/no/such\n");
	CHECK(fails("./s", ENOENT));
	script("s", "#!/tmp\n");
	CHECK(fails("./s", EACCES));
	script("s", "text");
	CHECK(fails("./s", ENOEXEC));
	script("s", "");
	CHECK(fails("./s", ENOEXEC));
	memset(text, 'x', sizeof(text));
	memcpy(text, "#!/", 3);
	text[300] = '\n';
	text[301] = '\0';
	script("s", text);
	CHECK(fails("./s", ENOEXEC), "a name that does not end in 256 bytes");
	copy_self("prog", 0755);
	memcpy(text, "#!./prog xxx", 12);
	script("s", text);
	CHECK(run("./s", (char *[]){ "s", NULL }) == 0, "a long argument is cut");
	CHECK(has("arg2=./s\n"));
}

TEST(modes)
{
	copy_self("prog", 0644);
	CHECK(fails("./prog", EACCES));
	CHECK(fails("/tmp", EACCES));
	CHECK(fails("/dev/null", EACCES));
	CHECK(fails("./none", ENOENT));
	CHECK(fails("./prog/x", ENOTDIR));
	WORKS(chmod("prog", 0100));
	CHECK(run("./prog", (char *[]){ "p", NULL }) == 0);
}

/* Run ./prog as uid and gid 1234. */
static int run_as_user(void)
{
	int status, pid = (int)WORKS(fork());

	if (pid == 0) {
		WORKS(setresgid(1234, 1234, 1234));
		WORKS(setresuid(1234, 1234, 1234));
		_exit(run("./prog", (char *[]){ "p", NULL }) == 0 &&
		      write_all(9, report, strlen(report)) == 0 ? 0 : 1);
	}
	status = t_wait(pid);
	return status;
}

static void report_from_user(void)
{
	int fd = (int)WORKS(open("out", O_RDWR | O_CREAT | O_TRUNC, 0666));
	long n;

	WORKS(dup2(fd, 9));
	WORKS(chmod(".", 0755));
	CHECK(run_as_user() == 0);
	n = WORKS(pread(fd, report, sizeof(report) - 1, 0));
	report[n] = '\0';
	WORKS(close(9));
	WORKS(close(fd));
}

TEST(set_id)
{
	copy_self("prog", 0755);
	report_from_user();
	CHECK(has("ids=1234 1234 1234 1234\n") && has("secure=0"), "%s", report);
	WORKS(chown("prog", 77, 78));
	WORKS(chmod("prog", 04755));
	report_from_user();
	CHECK(has("ids=1234 77 1234 1234\naux=1234 77 1234 1234 secure=1\n"), "%s", report);
	WORKS(chmod("prog", 02755));
	report_from_user();
	CHECK(has("ids=1234 1234 1234 78\naux=1234 1234 1234 78 secure=1\n"), "%s", report);
	WORKS(chmod("prog", 02745));
	report_from_user();
	CHECK(has("ids=1234 1234 1234 1234\n") && has("secure=0"), "no x for the group: %s", report);
	WORKS(chmod("prog", 06711));
	report_from_user();
	CHECK(has("ids=1234 77 1234 78\n"), "needs no right to read: %s", report);
}

TEST(no_new_privs)
{
	copy_self("prog", 0755);
	WORKS(chown("prog", 77, 78));
	WORKS(chmod("prog", 06755));
	FAILS(EINVAL, prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	WORKS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	report_from_user();
	CHECK(has("ids=1234 1234 1234 1234\n") && has("secure=0"), "%s", report);
}

/* Who shares its umask with a set-id program must not choose it for that one. */
TEST(set_id_shares_no_umask)
{
	char *envp[] = { "T_UMASK=1", NULL }, go = 0;
	int up[2], down[2], pid, status, mask;

	copy_self("prog", 0755);
	WORKS(chown("prog", 77, 78));
	WORKS(chmod("prog", 04755));
	WORKS(chmod(".", 0755));
	WORKS(pipe(up));
	WORKS(pipe(down));
	umask(022);
	pid = (int)WORKS(syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0));
	if (pid == 0) {
		WORKS(dup2(down[0], 0));
		WORKS(dup2(up[1], 1));
		WORKS(setresuid(1234, 1234, 1234));
		execve("./prog", (char *[]){ "p", NULL }, envp);
		_exit(99);
	}
	CHECK(read(up[0], &go, 1) == 1);
	umask(0);
	CHECK(write(down[1], &go, 1) == 1);
	status = t_wait(pid);
	mask = WEXITSTATUS(status) & 077;
	CHECK(WIFEXITED(status) && (mask == 022 || !(status & 0x4000)), "status %x", status);
}

/* The other side: the umask, and 0100 if there are rights that the caller has not. */
static int tell_umask(void)
{
	char byte = 'x';

	if (write(1, &byte, 1) != 1 || read(0, &byte, 1) != 1)
		return 98;
	return (int)umask(0) | (getuid() != geteuid() ? 0100 : 0);
}

TEST(text_busy)
{
	int fd;

	copy_self("prog", 0755);
	fd = (int)WORKS(open("prog", O_RDWR));
	CHECK(fails("./prog", ETXTBSY), "somebody may write to it");
	WORKS(close(fd));
	int pid = (int)WORKS(fork());
	if (pid == 0) {
		do
			execve("./prog", (char *[]){ "p", NULL }, (char *[]){ "T_SLEEP=1", NULL });
		while (errno == ETXTBSY);	/* the parent has it open just now */
		_exit(1);
	}
	for (int i = 0; i < 500; i++) {
		fd = open("prog", O_RDWR);
		if (fd < 0)
			break;
		close(fd);
		sleep_ms(10);
	}
	CHECK(fd < 0 && errno == ETXTBSY, "%s", t_errno(errno));
	FAILS(ETXTBSY, truncate("prog", 0));
	FAILS(ETXTBSY, open("prog", O_WRONLY | O_TRUNC));
	FAILS(ETXTBSY, open("prog", O_RDONLY | O_TRUNC));
	WORKS(unlink("prog"));
	WORKS(kill(pid, SIGKILL));
	t_wait(pid);
}

TEST(replaced_while_it_runs)
{
	copy_self("prog", 0755);
	int pid = (int)WORKS(fork());
	if (pid == 0) {
		execve("./prog", (char *[]){ "p", NULL }, (char *[]){ "T_SLEEP=1", NULL });
		_exit(1);
	}
	sleep_ms(200);
	copy_self("other", 0755);
	WORKS(rename("other", "prog"));
	CHECK(run("./prog", (char *[]){ "p", NULL }) == 0);
	WORKS(kill(pid, SIGKILL));
	CHECK(WTERMSIG(t_wait(pid)) == SIGKILL);
}

TEST(close_on_exec)
{
	int fd = (int)WORKS(open("/dev/null", O_RDONLY));

	WORKS(dup2(fd, 9));
	CHECK(run(t_self, (char *[]){ "p", NULL }) == 0 && has("fd9=1"));
	WORKS(fcntl(9, F_SETFD, FD_CLOEXEC));
	CHECK(run(t_self, (char *[]){ "p", NULL }) == 0 && has("fd9=0"));
}

TEST(argument_limits)
{
	static char big[140000], half[100000];
	char *argv[64] = { "p" };
	struct rlimit small = { 1 << 20, RLIM_INFINITY };

	memset(big, 'x', sizeof(big) - 1);
	memset(half, 'y', sizeof(half) - 1);
	argv[1] = big;
	CHECK(run(t_self, argv) == 100 + E2BIG, "one string over 128 KiB");
	for (int i = 1; i < 11; i++)
		argv[i] = half;
	CHECK(run("/dev/null", argv) == 100 + EACCES, "a megabyte is all right");
	for (int i = 1; i < 40; i++)
		argv[i] = half;
	CHECK(run(t_self, argv) == 100 + E2BIG, "four are not");
	WORKS(setrlimit(RLIMIT_STACK, &small));
	argv[3] = NULL;
	CHECK(run("/dev/null", argv) == 100 + EACCES);
	argv[3] = half;
	CHECK(run(t_self, argv) == 100 + E2BIG, "a quarter of the stack");
	small.rlim_cur = RLIM_INFINITY;
	WORKS(setrlimit(RLIMIT_STACK, &small));
	for (int i = 1; i < 63; i++)
		argv[i] = big + sizeof(big) - 130000;
	CHECK(run(t_self, argv) == 100 + E2BIG, "eight megabytes whatever the stack");
}

static int call_execveat(int fd, const char *path, int flags)
{
	int pid = (int)WORKS(fork()), status;

	if (pid == 0) {
		char *envp[] = { "T_QUIET=1", NULL };

		syscall(SYS_execveat, fd, path, (char *[]){ "p", NULL }, envp, flags);
		_exit(errno);
	}
	status = t_wait(pid);
	return WEXITSTATUS(status);
}

TEST(execveat_call)
{
	int dir, fd;

	copy_self("prog", 0755);
	dir = (int)WORKS(open(".", O_RDONLY | O_DIRECTORY));
	fd = (int)WORKS(open("prog", O_RDONLY));
	WORKS(symlink("prog", "link"));
	CHECK(call_execveat(dir, "prog", 0) == 0);
	CHECK(call_execveat(fd, "", AT_EMPTY) == 0);
	CHECK(call_execveat(AT_FDCWD, "link", 0) == 0);
	CHECK(call_execveat(AT_FDCWD, "link", 0x100) == ELOOP);
	CHECK(call_execveat(fd, "", 0) == ENOENT);
	CHECK(call_execveat(77, "prog", 0) == EBADF);
	CHECK(call_execveat(77, "", AT_EMPTY) == EBADF);
	CHECK(call_execveat(fd, "x", 0) == ENOTDIR);
	CHECK(call_execveat(dir, "prog", 0x40000) == EINVAL);
	WORKS(mkdir("sub", 0755));
	script("sub/s", "#!./prog\n");
	dir = (int)WORKS(open("sub", O_RDONLY | O_DIRECTORY));
	CHECK(call_execveat(dir, "s", 0) == 0, "the interpreter finds the script");
	fd = (int)WORKS(open("sub/s", O_RDONLY));
	CHECK(call_execveat(fd, "", AT_EMPTY) == 0);
}

static void *thread_exec(void *arg)
{
	execve(t_self, (char *[]){ "p", NULL }, arg);
	return NULL;
}

TEST(exec_from_a_thread)
{
	char *envp[] = { "T_QUIET=1", NULL };
	int pid = (int)WORKS(fork());
	pthread_t t;

	if (pid == 0) {
		pthread_create(&t, NULL, thread_exec, envp);
		for (;;)
			pause();
	}
	CHECK(t_wait(pid) == 0);
}

TEST(bad_pointers)
{
	char *argv[] = { "p", NULL }, *bad[] = { (char *)8, NULL };
	void *volatile eight = (void *)8;

	FAILS(EFAULT, execve(eight, argv, environ));
	FAILS(EFAULT, execve(t_self, eight, environ));
	FAILS(EFAULT, execve(t_self, bad, environ));
	FAILS(EFAULT, execve(t_self, argv, bad));
	FAILS(ENOENT, execve("", argv, environ));
}

TEST(damaged_programs)
{
	struct { Elf64_Ehdr e; Elf64_Phdr p; } f;
	int fd;

	copy_self("prog", 0755);
	fd = (int)WORKS(open("prog", O_RDWR));
	CHECK(pread(fd, &f.e, sizeof(f.e), 0) == sizeof(f.e));
	f.e.e_machine = EM_386;
	CHECK(pwrite(fd, &f.e, sizeof(f.e), 0) == sizeof(f.e));
	WORKS(close(fd));
	CHECK(fails("./prog", ENOEXEC));
	copy_self("prog", 0755);
	WORKS(truncate("prog", 40));
	CHECK(fails("./prog", ENOEXEC));
}

/* fork and exec of one program many times: all of it comes back. */
TEST(many)
{
	for (int i = 0; i < 40; i++)
		CHECK(run(t_self, (char *[]){ "p", NULL }) == 0);
}

int main(int argc, char **argv)
{
	if (getenv("T_SHOW"))
		return show(argc, argv);
	if (getenv("T_SLEEP"))
		for (;;)
			pause();
	if (getenv("T_UMASK"))
		return tell_umask();
	if (getenv("T_QUIET"))
		return argc > 1 && access(argv[1], R_OK);
	return t_main(argc, argv);
}
