/* SPDX-License-Identifier: MIT */
/* Ids, limits, priorities, prctl, clone and the clocks: the calls that are about a process. */
#include "t.h"
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <unistd.h>

/* The C library keeps its threads alike; the calls themselves are tested. */
#define SETUID(u)	syscall(SYS_setuid, (u))
#define SETGID(g)	syscall(SYS_setgid, (g))
#define SETREUID(r, e)	syscall(SYS_setreuid, (r), (e))
#define SETRESUID(r, e, s) syscall(SYS_setresuid, (r), (e), (s))
#define SETRESGID(r, e, s) syscall(SYS_setresgid, (r), (e), (s))
#define SETREGID(r, e)	syscall(SYS_setregid, (r), (e))

static void uids(int line, unsigned real, unsigned effective, unsigned saved)
{
	unsigned r, e, s;

	if (syscall(SYS_getresuid, &r, &e, &s) || r != real || e != effective || s != saved)
		t_fail(line, "uids", "%u %u %u", r, e, s);
}

static void gids(int line, unsigned real, unsigned effective, unsigned saved)
{
	unsigned r, e, s;

	if (syscall(SYS_getresgid, &r, &e, &s) || r != real || e != effective || s != saved)
		t_fail(line, "gids", "%u %u %u", r, e, s);
}

#define UIDS(r, e, s)	uids(__LINE__, (r), (e), (s))
#define GIDS(r, e, s)	gids(__LINE__, (r), (e), (s))

TEST(setuid_of_root_is_for_good)
{
	UIDS(0, 0, 0);
	FAILS(EINVAL, SETUID(-1));
	WORKS(SETUID(1000));
	UIDS(1000, 1000, 1000);
	FAILS(EPERM, SETUID(0));
	FAILS(EPERM, SETREUID(0, -1));
	FAILS(EPERM, SETRESUID(-1, -1, 0));
	WORKS(SETUID(1000));
	CHECK(getuid() == 1000 && geteuid() == 1000);
}

TEST(setresuid_and_back)
{
	WORKS(SETRESUID(1, 2, 3));
	UIDS(1, 2, 3);
	WORKS(SETRESUID(-1, 3, -1));
	UIDS(1, 3, 3);
	WORKS(SETRESUID(3, 1, 1));
	UIDS(3, 1, 1);
	FAILS(EPERM, SETRESUID(2, -1, -1));
	FAILS(EPERM, SETRESUID(-1, 0, -1));
}

TEST(saved_root)
{
	WORKS(SETRESUID(1000, 1000, 0));
	FAILS(EPERM, SETUID(5));
	WORKS(SETUID(0));
	UIDS(1000, 0, 0);
	WORKS(SETUID(0));
	UIDS(0, 0, 0);
}

TEST(setreuid_rules)
{
	WORKS(SETREUID(10, 20));
	UIDS(10, 20, 20);
	WORKS(SETREUID(20, 10));
	UIDS(20, 10, 10);
	WORKS(SETREUID(-1, 20));
	UIDS(20, 20, 10);
	WORKS(SETREUID(-1, 10));
	UIDS(20, 10, 10);
	FAILS(EPERM, SETREUID(30, -1));
	FAILS(EPERM, SETREUID(-1, 30));
}

TEST(gid_rules)
{
	WORKS(SETRESGID(1, 2, 3));
	GIDS(1, 2, 3);
	WORKS(SETUID(1000));
	WORKS(SETGID(3));
	GIDS(1, 3, 3);
	WORKS(SETREGID(3, 1));
	GIDS(3, 1, 1);
	FAILS(EPERM, SETGID(7));
	FAILS(EPERM, SETRESGID(-1, 7, -1));
	FAILS(EPERM, SETREGID(7, -1));
}

TEST(fs_ids)
{
	CHECK(syscall(SYS_setfsuid, 55) == 0);
	CHECK(syscall(SYS_setfsuid, -1) == 55);
	CHECK(syscall(SYS_setfsgid, 56) == 0 && syscall(SYS_setfsgid, 56) == 56);
	WORKS(SETUID(1000));
	CHECK(syscall(SYS_setfsuid, -1) == 1000, "follows the effective one");
	CHECK(syscall(SYS_setfsuid, 7) == 1000 && syscall(SYS_setfsuid, -1) == 1000);
}

TEST(groups)
{
	gid_t list[4] = { 5, 6, 7 }, got[4];

	WORKS(syscall(SYS_setgroups, 3, list));
	CHECK(syscall(SYS_getgroups, 0, NULL) == 3);
	CHECK(syscall(SYS_getgroups, 4, got) == 3 && got[2] == 7);
	FAILS(EINVAL, syscall(SYS_getgroups, 2, got));
	FAILS(EINVAL, syscall(SYS_getgroups, -1, got));
	FAILS(EFAULT, syscall(SYS_getgroups, 4, 8));
	FAILS(EFAULT, syscall(SYS_setgroups, 2, 8));
	FAILS(EINVAL, syscall(SYS_setgroups, 100000, list));
	WORKS(SETUID(1000));
	FAILS(EPERM, syscall(SYS_setgroups, 0, NULL));
	CHECK(syscall(SYS_getgroups, 4, got) == 3);
}

TEST(only_root_ends_the_machine)
{
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		WORKS(syscall(SYS_setresuid, 1000, 1000, 1000));
		FAILS(EPERM, syscall(SYS_reboot, 0xfee1dead, 672274793, 0, 0));
		FAILS(EPERM, syscall(SYS_reboot, 0, 0, 0, 0));
		_exit(0);
	}
	CHECK(t_wait(pid) == 0);
}

TEST(capabilities)
{
	struct { unsigned version; int pid; } h = { 0x20080522, 0 };
	struct { unsigned effective, permitted, inheritable; } d[2];

	WORKS(syscall(SYS_capget, &h, d));
	CHECK((d[0].effective & 0xff) == 0xff && (d[0].permitted & 0xff) == 0xff);
	WORKS(SETUID(1000));
	WORKS(syscall(SYS_capget, &h, d));
	CHECK(d[0].effective == 0 && d[0].permitted == 0 && d[1].permitted == 0);
	WORKS(syscall(SYS_capset, &h, d));
	d[0].effective = d[0].permitted = 1;
	FAILS(EPERM, syscall(SYS_capset, &h, d));
	h.version = 1;
	FAILS(EINVAL, syscall(SYS_capget, &h, d));
	CHECK(h.version == 0x20080522);
}

TEST(limits)
{
	struct rlimit r, old, low = { 100, 200 };

	WORKS(getrlimit(RLIMIT_STACK, &r));
	CHECK(r.rlim_cur == 8 << 20, "%lu", (unsigned long)r.rlim_cur);
	WORKS(prlimit(0, RLIMIT_NOFILE, &low, &old));
	CHECK(old.rlim_max >= 1024);
	WORKS(prlimit(getpid(), RLIMIT_NOFILE, NULL, &r));
	CHECK(r.rlim_cur == 100 && r.rlim_max == 200);
	FAILS(EINVAL, syscall(SYS_getrlimit, 16, &r));
	FAILS(EINVAL, setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 5, 4 }));
	FAILS(ESRCH, prlimit(99999999, RLIMIT_CORE, NULL, &r));
	FAILS(EFAULT, syscall(SYS_prlimit64, 0, RLIMIT_CORE, 8, NULL));
	WORKS(SETUID(1000));
	FAILS(EPERM, setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 100, 300 }));
	WORKS(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 150, 150 }));
	FAILS(EPERM, prlimit(1, RLIMIT_CORE, NULL, &r));
}

TEST(limit_nofile)
{
	WORKS(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 12, 12 }));
	while (open("/dev/null", O_RDONLY) >= 0)
		;
	CHECK(errno == EMFILE);
	CHECK(fcntl(11, F_GETFD) >= 0 && fcntl(12, F_GETFD) < 0);
	FAILS(EBADF, dup2(0, 12));
	FAILS(EINVAL, fcntl(0, F_DUPFD, 12));
}

static int try_forks(int nr)
{
	int made = 0;

	for (int i = 0; i < nr; i++) {
		int pid = fork();

		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (getppid() != 1)
				sleep_ms(10);
			_exit(0);
		}
		if (pid < 0)
			break;
		made++;
	}
	return made;
}

TEST(limit_nproc)
{
	WORKS(setrlimit(RLIMIT_NPROC, &(struct rlimit){ 5, 5 }));
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		WORKS(SETRESGID(4321, 4321, 4321));
		WORKS(SETRESUID(4321, 4321, 4321));
		int made = try_forks(10), error = errno;

		_exit(error == EAGAIN ? made : 100 + error);
	}
	int status = t_wait(pid);

	CHECK(WEXITSTATUS(status) == 4, "%#x", status);
	pid = (int)WORKS(fork());
	if (pid == 0) {
		int made = try_forks(10);

		_exit(made == 10 ? 0 : 1);
	}
	CHECK(t_wait(pid) == 0, "root is not counted");
}

TEST(usage)
{
	struct rusage self, children;
	struct tms t;
	char *p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 1, 8 << 20);
	munmap(p, 8 << 20);
	WORKS(getrusage(RUSAGE_SELF, &self));
	CHECK(self.ru_maxrss >= 7000 && self.ru_maxrss < 64 << 10, "%ld", self.ru_maxrss);
	WORKS(getrusage(RUSAGE_CHILDREN, &children));
	CHECK(children.ru_maxrss == 0);
	int pid = (int)WORKS(fork());
	if (pid == 0) {
		p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		memset(p, 1, 8 << 20);
		for (clock_t start = clock(); clock() - start < CLOCKS_PER_SEC / 10;)
			;
		_exit(0);
	}
	CHECK(wait4(pid, NULL, 0, &children) == pid);
	CHECK(children.ru_maxrss >= 7000, "%ld", children.ru_maxrss);
	CHECK(children.ru_utime.tv_sec * 1000000 + children.ru_utime.tv_usec +
	      children.ru_stime.tv_sec * 1000000 + children.ru_stime.tv_usec >= 90000);
	WORKS(getrusage(RUSAGE_CHILDREN, &children));
	CHECK(children.ru_maxrss >= 7000);
	WORKS(getrusage(RUSAGE_THREAD, &self));
	FAILS(EINVAL, getrusage(7, &self));
	WORKS(times(&t));
	CHECK(t.tms_cutime + t.tms_cstime >= 9, "%ld", (long)(t.tms_cutime + t.tms_cstime));
}

TEST(priorities)
{
	WORKS(setpriority(PRIO_PROCESS, 0, 0));
	CHECK(syscall(SYS_getpriority, PRIO_PROCESS, 0) == 20);
	WORKS(setpriority(PRIO_PROCESS, 0, 5));
	CHECK(syscall(SYS_getpriority, PRIO_PROCESS, 0) == 15);
	WORKS(setpriority(PRIO_PROCESS, 0, 100));
	CHECK(syscall(SYS_getpriority, PRIO_PROCESS, getpid()) == 1);
	WORKS(setpriority(PRIO_PROCESS, 0, -100));
	CHECK(syscall(SYS_getpriority, PRIO_PROCESS, 0) == 40);
	WORKS(setpriority(PRIO_PROCESS, 0, 0));
	FAILS(EINVAL, syscall(SYS_getpriority, 3, 0));
	FAILS(ESRCH, syscall(SYS_getpriority, PRIO_PROCESS, 99999999));
	WORKS(SETUID(1000));
	FAILS(EACCES, setpriority(PRIO_PROCESS, 0, -1));
	WORKS(setpriority(PRIO_PROCESS, 0, 3));
	FAILS(EPERM, setpriority(PRIO_PROCESS, 1, 3));
}

TEST(policies)
{
	struct sched_param p = { 0 };

	CHECK(syscall(SYS_sched_getscheduler, 0) == 0);
	WORKS(syscall(SYS_sched_setscheduler, 0, 0, &p));
	FAILS(EINVAL, syscall(SYS_sched_setscheduler, 0, 2, &p));
	FAILS(EINVAL, syscall(SYS_sched_setscheduler, 0, 4, &p));
	WORKS(syscall(SYS_sched_getparam, 0, &p));
	FAILS(EINVAL, syscall(SYS_sched_getparam, 0, NULL));
	FAILS(ESRCH, syscall(SYS_sched_getparam, 99999999, &p));
	CHECK(syscall(SYS_sched_get_priority_max, 2) == 99);
	CHECK(syscall(SYS_sched_get_priority_min, 1) == 1);
	CHECK(syscall(SYS_sched_get_priority_max, 0) == 0);
	FAILS(EINVAL, syscall(SYS_sched_get_priority_max, 4));
}

TEST(prctl_calls)
{
	char name[16];
	int word = -1;

	WORKS(prctl(PR_SET_NAME, "a name of more than sixteen"));
	WORKS(prctl(PR_GET_NAME, name));
	CHECK(!strcmp(name, "a name of more "), "%s", name);
	FAILS(EFAULT, prctl(PR_SET_NAME, 8));
	WORKS(prctl(PR_SET_PDEATHSIG, SIGUSR1));
	WORKS(prctl(PR_GET_PDEATHSIG, &word));
	CHECK(word == SIGUSR1);
	FAILS(EINVAL, prctl(PR_SET_PDEATHSIG, 65));
	CHECK(prctl(PR_GET_DUMPABLE) == 1);
	WORKS(prctl(PR_SET_DUMPABLE, 0));
	CHECK(prctl(PR_GET_DUMPABLE) == 0);
	FAILS(EINVAL, prctl(PR_SET_DUMPABLE, 5));
	FAILS(EINVAL, prctl(9999));
	CHECK(syscall(SYS_personality, 0xffffffff) == 0 && syscall(SYS_personality, 0) == 0);
}

TEST(parent_death_signal)
{
	int fds[2], pid;
	char c;

	WORKS(pipe(fds));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		int ready[2];

		WORKS(pipe(ready));
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			write_all(ready[1], "x", 1);
			for (;;)
				pause();
		}
		CHECK(read(ready[0], &c, 1) == 1);
		_exit(0);
	}
	close(fds[1]);
	CHECK(t_wait(pid) == 0);
	CHECK(read(fds[0], &c, 1) == 0, "the grandchild lives and keeps the pipe");
}

TEST(subreaper)
{
	int pid, grandchild, status;

	WORKS(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		if (fork() == 0) {
			sleep_ms(100);
			_exit(getppid() == 1 ? 1 : 7);
		}
		_exit(0);
	}
	CHECK(t_wait(pid) == 0);
	grandchild = (int)WORKS(wait(&status));
	CHECK(grandchild != pid && WEXITSTATUS(status) == 7);
}

struct clone_args {
	unsigned long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	unsigned long set_tid, set_tid_size, cgroup;
};

TEST(clone3_call)
{
	struct clone_args a = { .exit_signal = SIGCHLD };
	char big[200] = { 0 };
	int pid;

	pid = (int)WORKS(syscall(SYS_clone3, &a, sizeof(a)));
	if (pid == 0)
		_exit(3);
	CHECK(WEXITSTATUS(t_wait(pid)) == 3);
	memcpy(big, &a, sizeof(a));
	pid = (int)WORKS(syscall(SYS_clone3, big, sizeof(big)));
	if (pid == 0)
		_exit(4);
	CHECK(WEXITSTATUS(t_wait(pid)) == 4);
	big[150] = 1;
	FAILS(E2BIG, syscall(SYS_clone3, big, sizeof(big)));
	FAILS(EINVAL, syscall(SYS_clone3, &a, 10));
	FAILS(E2BIG, syscall(SYS_clone3, &a, 5000));
	FAILS(EFAULT, syscall(SYS_clone3, 8, sizeof(a)));
	a.exit_signal = 65;
	FAILS(EINVAL, syscall(SYS_clone3, &a, sizeof(a)));
	a.exit_signal = SIGCHLD;
	a.stack = (unsigned long)big;
	FAILS(EINVAL, syscall(SYS_clone3, &a, sizeof(a)));
	a.stack = 0;
	a.flags = CLONE_THREAD;
	FAILS(EINVAL, syscall(SYS_clone3, &a, sizeof(a)));
}

TEST(clone_flags)
{
	FAILS(EINVAL, syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0));
	FAILS(EINVAL, syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
	WORKS(SETUID(1000));
	FAILS(EPERM, syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0));
}

TEST(clocks)
{
	static const int ids[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	struct timespec a, b;

	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		WORKS(syscall(SYS_clock_gettime, ids[i], &a));
		WORKS(syscall(SYS_clock_gettime, ids[i], &b));
		CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
		WORKS(syscall(SYS_clock_getres, ids[i], &a));
	}
	FAILS(EINVAL, syscall(SYS_clock_gettime, 77, &a));
	FAILS(EFAULT, syscall(SYS_clock_gettime, 0, 8));
	FAILS(EINVAL, syscall(SYS_clock_settime, 1, &b));
	b.tv_nsec = 1000000000;
	FAILS(EINVAL, syscall(SYS_clock_settime, 0, &b));
	FAILS(EFAULT, syscall(SYS_clock_settime, 0, 8));
	WORKS(SETUID(1000));
	WORKS(syscall(SYS_clock_gettime, 0, &b));
	FAILS(EPERM, syscall(SYS_clock_settime, 0, &b));
}

TEST(futex_wake_op)
{
	unsigned word = 0, other = 5;

	CHECK(syscall(SYS_futex, &word, 5 | 128, 1, 1, &other, 1 << 28 | 3 << 12 | 5) == 0);
	CHECK(other == 8, "add 3: %u", other);
	CHECK(syscall(SYS_futex, &word, 5 | 128, 1, 1, &other, 2 << 28 | 7 << 12 | 8) == 0);
	CHECK(other == 15, "or 7: %u", other);
	FAILS(ENOSYS, syscall(SYS_futex, &word, 5 | 128, 1, 1, &other, 7 << 28));
	FAILS(EAGAIN, syscall(SYS_futex, &word, 4 | 128, 1, 1, &other, 99));
	FAILS(EAGAIN, syscall(SYS_futex, &word, 0 | 128, 1, NULL, NULL, 0));
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
