/* SPDX-License-Identifier: MIT */
/*
 * A fuzzer of system calls that knows what each argument is (callfuzz_calls.c), so that most
 * calls are near to sensible and reach deep; the rest have pointers to nowhere, into the kernel,
 * over the end of a mapping, or into pages that another thread unmaps and maps all the while.
 *   callfuzz [--calls N] [--seed S] [--threads T] [--limit BYTES] [--verbose]
 *
 * T workers share the calls. Each is an ordinary user's process (1000, when started by root) in
 * a directory of its own, inside one group with a limit on kernel memory, and has a second
 * thread: it makes pages come and go, and interrupts a call that waits. A worker may die; what
 * it did is in a file, and another goes on. Signals and calls that end a process go to children.
 *
 * Exit status 0: all calls were made, at least 30 % succeeded, each call did both at least 20
 * times (asked of 10^6 calls and more; not of those that can do only one), and the group's
 * memory came back. Runs on Linux as well, without the group, as an ordinary user.
 */
#define _GNU_SOURCE
#include "callfuzz.h"
#include "common.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#define GROUP_PATH	"/callfuzz"
#define WORK		"callfuzz.work"
#define USER		1000
#define MAX_THREADS	64
#define MAX_CALLS	200
#define ENOUGH		20
#define ENOUGH_CALLS	1000000
#define ENOUGH_PERCENT	30
#define REFRESH		48		/* calls until the surroundings are made new */
#define REPORT		32		/* calls until the file is up to date */
#define FUZZ_FDS	40		/* descriptors below this are the fuzzer's toys */
#define STAT_FD		200
#define HOME_FD		201
#define STALL_MS	5
#define MISSING_PID	0x7ffffff0	/* above every pid_max */
#define FAILED		77		/* a child's status: its call failed */

/* The arena: a good part, then nothing; a read-only part; a part that comes and goes; a part
 * that the memory calls play in. In pages. */
#define ARENA		0x200000000000ul
#define GOOD_PAGES	16
#define READ_ONLY	18
#define COMES_AND_GOES	24
#define COMING_PAGES	8
#define PLAYGROUND	40
#define PLAY_PAGES	32
#define ARENA_PAGES	80
#define AT_PAGE(n)	((void *)(ARENA + (n) * (unsigned long)PAGE_BYTES))

struct counts {
	unsigned long made;		/* calls, with the one that is being made */
	unsigned ok[MAX_CALLS], failed[MAX_CALLS];
};

static struct {
	long calls, seed, threads, limit;
	int verbose;
} opt = { 10000, 1, 2, 16l << 20, 0 };

static struct counts counts, total;
static uint64_t rng;
static int on_tally, worker_uid, main_tid;
static volatile int child = -1;		/* this worker's own, which only waits */
static volatile unsigned long progress;
static struct sigaction proto;		/* as the kernel wants it, with libc's restorer */

/* --- choices */

static uint64_t rnd(void)
{
	uint64_t z = (rng += 0x9e3779b97f4a7c15ul);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebul;
	return z ^ (z >> 31);
}

static unsigned long below(unsigned long n)
{
	return rnd() % n;
}

#define PICK(...) \
	({ static const long choices_[] = { __VA_ARGS__ }; \
	   choices_[below(sizeof(choices_) / sizeof(choices_[0]))]; })

/* --- pointers */

static long bad_pointer(void)
{
	switch (below(8)) {
	case 0: return PICK(0, 1, 8);
	case 1: return (long)AT_PAGE(GOOD_PAGES) + (long)below(PAGE_BYTES);
	case 2: return PICK((long)0xffff800000000000, (long)0xffffffff80000000, (long)0xfffffffffffff000);
	case 3: return PICK(0x800000000000, 0x7ffffffff000, -1, -8, (long)0x8000000000000000);
	case 4: return (long)AT_PAGE(GOOD_PAGES) - (long)below(64);
	case 5: return (long)AT_PAGE(READ_ONLY) + (long)below(PAGE_BYTES);
	case 6: return (long)AT_PAGE(READ_ONLY) - (long)below(64);
	default: return (long)AT_PAGE(COMES_AND_GOES) + (long)below(COMING_PAGES * PAGE_BYTES);
	}
}

/* Where the last page has room for this many bytes; now and then unaligned. */
static long good_pointer(void)
{
	return (long)ARENA + (long)below(8 * 64) * 64 + (below(8) ? 0 : (long)below(8));
}

static int is_bad(void)
{
	return below(12) == 0;
}

static long pointer(void)
{
	return is_bad() ? bad_pointer() : good_pointer();
}

/* A pointer to a copy of data; or a bad one. */
static long pointer_to(const void *data, size_t bytes)
{
	long at = good_pointer();

	if (is_bad())
		return bad_pointer();
	memcpy((void *)at, data, bytes);
	return at;
}

static long path(void)
{
	static const char *const names[] = {
		"f", "f", "f", "g", "h", "d", "d", "d/f", "d/g", "d/d", "l", "l", "d/l", "loop", "p",
		"new", "newer", "newest", "d/new", "d/newer", "other", "another", "f/x", ".", "..",
		"", "/", "d/", "f/", "d/.", "./d//f", "/nowhere/x", "/dev/null", "/proc/self/stat",
		"/proc/self/fd", "/etc", "/bin/true", "n0", "n1", "n2", "n3", "n4", "n5",
	};
	static char name[5000];
	size_t length = below(3) ? 200 + below(100) : 4090 + below(12);

	if (below(24))
		return pointer_to(names[below(sizeof(names) / sizeof(names[0]))], 16);
	memset(name, below(2) ? 'n' : '/', length);
	name[length] = 0;
	return pointer_to(name, length + 1);
}

/* --- structures */

static long time_pointer(void)
{
	struct timespec ts = { 0, (long)below(300000) };

	if (!below(4))
		ts.tv_nsec = PICK(-1, 1000000000, 0, 1);
	if (!below(8))
		ts.tv_sec = PICK(-1, 0);
	return below(8) ? pointer_to(&ts, sizeof(ts)) : bad_pointer();
}

static long two_times(void)
{
	struct timespec ts[2];

	for (int i = 0; i < 2; i++) {
		ts[i].tv_sec = PICK(0, 1000000000, -1, 1);
		ts[i].tv_nsec = PICK(0, 999999, 999999999, 0x3fffffff, 0x3ffffffe, 1000000000, -1);
	}
	return below(4) ? pointer_to(ts, sizeof(ts)) : 0;
}

static long vector(void)
{
	struct { long base; unsigned long bytes; } iov[8];

	for (int i = 0; i < 8; i++) {
		iov[i].base = pointer();
		iov[i].bytes = below(10) ? below(3000) : (unsigned long)PICK(-1, 1l << 31);
	}
	return pointer_to(iov, sizeof(iov));
}

/* Never a set that blocks the signal which ends waits. */
static long set_pointer(void)
{
	uint64_t set = below(2) ? 0 : 1ull << (SIGUSR2 - 1) | 1ull << (SIGURG - 1);

	return below(6) ? pointer_to(&set, sizeof(set)) : 0;
}

static long action(void)
{
	struct { long handler; unsigned long flags; long restorer; uint64_t mask; } act;

	memcpy(&act, &proto, sizeof(act));
	act.flags |= (unsigned long)PICK(0, SA_RESTART, SA_SIGINFO, SA_NODEFER, SA_ONSTACK);
	if (!below(4))
		act.handler = PICK(0, 1);
	return below(4) ? pointer_to(&act, sizeof(act)) : 0;
}

static long poll_array(void)
{
	struct { int fd; short events, revents; } p[8];

	for (int i = 0; i < 8; i++) {
		p[i].fd = (int)below(FUZZ_FDS + 1) - 1;
		p[i].events = (short)rnd();
	}
	return pointer_to(p, sizeof(p));
}

/* The limit as it stands, or one that makes no sense: a lower one could not be undone. */
static long limit_pointer(long resource)
{
	struct rlimit r = { 2, 1 };

	if (below(2))
		syscall(SYS_prlimit64, 0, resource, NULL, &r);
	if (is_bad())			/* never one to zeros: a limit of 0 is for ever */
		return PICK(1, (long)0xffff800000000000, -8);
	memcpy(AT_PAGE(GOOD_PAGES - 1), &r, sizeof(r));
	return below(3) ? (long)AT_PAGE(GOOD_PAGES - 1) : 0;
}

static long words_pointer(long a, long b, long c, long d)
{
	long words[4] = { a, b, c, d };

	return pointer_to(words, sizeof(words));
}

/* --- one argument */

static long descriptor(void)
{
	if (!below(12))
		return PICK(-1, -100, 1000000, 0x7fffffff, (long)0xffffffff00000003);
	return (long)below(below(6) ? 12 : FUZZ_FDS);
}

static long size(void)
{
	return below(6) ? (long)below(3000) :
		PICK(0, 1, 4096, 4097, 65536, 1l << 20, 1l << 31, -1, (long)(1ul << 63));
}

static long signal_number(void)
{
	return below(4) ? PICK(0, SIGUSR2, SIGCHLD, SIGURG, SIGCONT, SIGWINCH) :
		PICK(SIGKILL, SIGSTOP, SIGTERM, 64, 65, -1, 1000);
}

static long process(void)
{
	return below(3) ? child : PICK(0, MISSING_PID, MISSING_PID, -MISSING_PID);
}

static long file_argument(enum arg kind)
{
	switch (kind) {
	case FD: return descriptor();
	case DIRFD: return below(3) ? AT_FDCWD : descriptor();
	case PATH: return path();
	case SIZE: return size();
	case LENGTH: return below(3) ? (long)below(20000) : PICK(0, -1, 1l << 40, 1l << 62);
	case MODE: return PICK(0644, 0755, 0777, 0700, 0, 04755, S_IFIFO | 0644, S_IFCHR, -1);
	case OPEN_FLAGS: return (long)(rnd() & (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND |
						 O_CLOEXEC | O_NOFOLLOW)) | O_NONBLOCK |
				(below(6) ? 0 : O_DIRECTORY);
	case AT_BITS: return PICK(0, 0, 0, 0, 0, 0, AT_SYMLINK_NOFOLLOW, AT_REMOVEDIR, AT_EMPTY_PATH,
				  AT_SYMLINK_FOLLOW, -1);
	case WHENCE: return PICK(0, 0, 1, 2, 3, 4, 5, -1);
	case OFFSET_POINTER: return below(2) ? 0 : words_pointer((long)below(5000), 0, 0, 0);
	case IOCTL: return PICK(0x541b, 0x541b, 0x5401, 0x5413, 0x540f, 0x5421, 0x5450, 0, -1);
	case FCNTL: return PICK(0, 1, 2, 3, 4, 1030, 8, 9, 999);
	case FCNTL_ARG: return below(4) ? (long)below(FUZZ_FDS) : PICK(O_NONBLOCK, O_APPEND, -1);
	case PIPE_BITS: return PICK(0, O_CLOEXEC, O_NONBLOCK, O_CLOEXEC | O_NONBLOCK, -1);
	case POLLFD: return poll_array();
	case NR_POLLFD: return PICK(0, 1, 4, 8, 8, -1, 100000);
	case FDSET: return below(3) ? words_pointer((long)(rnd() & 0xff), 0, 0, 0) : 0;
	case MILLISECONDS: return PICK(0, 0, 0, 0, 0, 0, 1, 1, -1);
	case IOVEC: return vector();
	case NR_IOVEC: return PICK(0, 1, 2, 3, 8, 8, 1025, -1);
	case UTIMBUF: return below(2) ? 0 : words_pointer(1, 2, 3, 4);
	default: return two_times();
	}
}

static long memory_argument(enum arg kind)
{
	switch (kind) {
	case MEMORY: return below(10) ? (long)AT_PAGE(PLAYGROUND + below(PLAY_PAGES)) +
			    (below(10) ? 0 : (long)below(PAGE_BYTES)) : 
			PICK(0, (long)0xffff800000000000, (long)0x7ffffffff000, -4096, 4096);
	case BYTES: return below(6) ? (long)(1 + below(4)) * PAGE_BYTES : PICK(0, 1, 5000, -1, 1l << 47);
	case PROTECTION: return PICK(0, 1, 3, 3, 3, 5, 7, 0x100, -1);
	case MAP_BITS: return PICK(0x32, 0x32, 0x32, 0x22, 0x12, 0x11, 0x31, 0x100032, 0, 0x33, -1);
	case ADVICE: return PICK(0, 1, 3, 4, 4, 8, 14, 100, -1);
	case REMAP_BITS: return PICK(0, 0, 1, 1, 2, 4, -1);
	case BRK: return below(2) ? 0 : PICK(1, -1, 1l << 46);
	case FUTEX_WORD: return pointer();
	case FUTEX_OP: return PICK(0, 1, 1, 128, 129, 3, 4, 5, 9, 10, 137, 138, 100);
	default: return below(4) ? time_pointer() : 0;		/* FUTEX_TIME */
	}
}

static long process_argument(enum arg kind)
{
	switch (kind) {
	case PID: return process();
	case SIGNO: return signal_number();
	case SIGNO_ACT: return PICK(SIGUSR2, SIGUSR2, SIGURG, SIGWINCH, 40, 64, 0, 65, -1, SIGKILL);
	case SIGSET: return set_pointer();
	case SIGSET_SIZE: return below(6) ? 8 : PICK(0, 4, 16, -1);
	case SIGACTION: return action();
	case ALTSTACK: return below(3) ? words_pointer((long)AT_PAGE(4), PICK(0, 0, 2), 8192, 0) : 0;
	case SIGINFO: return words_pointer(SIGUSR2, PICK(-1, -2, 0, 0x80), 0, 0);
	case TIME: return time_pointer();
	case ITIMER: return words_pointer(0, PICK(0, 1000, -1), 0, PICK(0, 500, 2000000));
	case CLOCK: return PICK(0, 1, 1, 2, 3, 4, 5, 6, 7, 11, 99, -1);
	case ID: return below(3) ? worker_uid : PICK(0, -1, -1, 12345, 0xfffffffe);
	case RESOURCE: return below(6) ? (long)below(16) : PICK(16, 99, -1);
	case WAIT_BITS: return PICK(1, 1, 1, 3, 9, 5, 7, 1, 3, 5, 13, 0, -1);
	case PRCTL: return PICK(15, 16, 3, 2, 1, 38, 39, 4, 999, -1);
	case ARCH_PRCTL: return PICK(0x1003, 0x1003, 0x1004, 0x1001, 0, -1);
	case FS_BASE: return pointer();
	case PRIORITY_WHO: return PICK(0, 0, 0, MISSING_PID);
	case DOUBTFUL: return below(2) ? pointer() : bad_pointer();
	case SELF: return 0xffffffff;
	case CPU_MASK: return words_pointer(below(2) ? -1 : (long)rnd(), 0, 0, 0);
	case CAP_HEADER: return words_pointer(PICK(0x20080522, 0x19980330, 0), 0, 0, 0);
	case LOG_ACTION: return PICK(3, 3, 10, 10, 0, 1, 2, 4, 5, 6, 8, 99, -1);
	case CAP_DATA: return words_pointer(0, 0, 0, 0);
	case MODULUS: return PICK(8, 24, 128, 1024, 0, 7, -1);
	case GROUP: return pointer_to(below(2) ? "/" : "/callfuzz/nowhere", 20);
	case CONTROL: return pointer_to(below(2) ? "memory.stat" : "cgroup.procs", 16);
	default: return 0;
	}
}

static long argument(enum arg kind, long before)
{
	switch (kind) {
	case NONE:
	case ZERO: return below(20) ? 0 : (long)rnd();
	case OUT:
	case IN: return pointer();
	case SMALL: return below(10) ? (long)below(4) : PICK(-1, 99, 1l << 32, 64);
	case RLIMIT: return limit_pointer(before);
	case FD: case DIRFD: case PATH: case SIZE: case LENGTH: case MODE: case OPEN_FLAGS:
	case AT_BITS: case WHENCE: case OFFSET_POINTER: case IOCTL: case FCNTL: case FCNTL_ARG:
	case PIPE_BITS: case POLLFD: case NR_POLLFD: case FDSET: case MILLISECONDS: case IOVEC:
	case NR_IOVEC: case UTIMBUF: case TIMEVAL2: case TIMESPEC2:
		return file_argument(kind);
	case MEMORY: case BYTES: case PROTECTION: case MAP_BITS: case ADVICE: case REMAP_BITS:
	case BRK: case FUTEX_WORD: case FUTEX_OP: case FUTEX_TIME:
		return memory_argument(kind);
	default:
		return process_argument(kind);
	}
}

static void arguments(const struct call *call, long *a)
{
	long before = 0;

	for (int i = 0; i < MAX_ARGS; i++)
		before = a[i] = argument(call->arg[i], before);
	/* Libc's own memory is no toy: a fixed mapping stays in the playground. */
	if (call->nr == SYS_mmap && (a[3] & MAP_FIXED) && (unsigned long)a[1] > 4 * PAGE_BYTES)
		a[1] = PAGE_BYTES;
	if (call->nr == SYS_arch_prctl && a[0] == 0x1002)
		a[0] = 0;
}

static long plain(const struct call *call)
{
	long a[MAX_ARGS];

	arguments(call, a);
	return syscall(call->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* --- calls that a child makes, or that need care */

static long child_result(int pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	errno = EINVAL;
	return WIFEXITED(status) && WEXITSTATUS(status) != FAILED ? 0 : -1;
}

/* fork with no process left to the user, and otherwise. */
static long limited_fork(int nr)
{
	struct rlimit r, none;
	int is_limited = below(3) == 0, pid, error;
	long args[11] = { 0 };

	getrlimit(RLIMIT_NPROC, &r);
	none = r;
	none.rlim_cur = 0;
	if (is_limited)
		setrlimit(RLIMIT_NPROC, &none);
	args[4] = SIGCHLD;		/* exit_signal of struct clone_args */
	if (nr == SYS_vfork) {
		pid = vfork();
		if (pid == 0)
			_exit(0);
	} else if (nr == SYS_clone3) {
		pid = (int)syscall(nr, pointer_to(args, sizeof(args)), PICK(88, 88, 64, 8, 4097));
	} else {
		pid = (int)syscall(nr, SIGCHLD | PICK(0, 0, 0x10000, 0x800), 0, 0, 0, 0);
	}
	error = errno;
	if (pid == 0)
		_exit(0);
	if (is_limited)
		setrlimit(RLIMIT_NPROC, &r);
	errno = error;
	return pid < 0 ? -1 : child_result(pid);
}

long run_child(const struct call *call)
{
	int pid;

	if (call->nr != SYS_setsid)
		return limited_fork(call->nr);
	pid = fork();
	if (pid)
		return pid < 0 ? -1 : child_result(pid);
	if (below(2))
		setpgid(0, 0);		/* a leader of a group may not */
	_exit(setsid() < 0 ? FAILED : 0);
}

long run_exec(const struct call *call)
{
	static char *const argv[] = { "true", NULL };
	long name, first = (long)argv, second = 0;
	int pid = fork();

	if (pid)
		return pid < 0 ? -1 : child_result(pid);
	rnd();
	name = below(3) ? (long)"/bin/true" : path();
	if (!below(4))
		first = bad_pointer();
	if (!below(4))
		second = pointer();
	if (call->nr == SYS_execve)
		syscall(call->nr, name, first, second);
	else
		syscall(call->nr, AT_FDCWD, name, first, second, PICK(0, 0, AT_EMPTY_PATH, 1));
	_exit(FAILED);
}

long run_exit(const struct call *call)
{
	int pid = fork();

	if (pid)
		return pid < 0 ? 0 : child_result(pid);
	for (;;)
		syscall(call->nr, (long)below(FAILED));
}

/* A handler's return is a good one; from a made-up frame only a child may return. */
long run_sigreturn(const struct call *call)
{
	int pid;
	long sp;

	if (below(2))
		return kill(getpid(), SIGURG);
	pid = fork();
	if (pid)
		return pid < 0 ? -1 : child_result(pid);
	sp = pointer() & ~15l;
	if (below(2))
		memset(AT_PAGE(0), 0, GOOD_PAGES * PAGE_BYTES);
	__asm__ volatile("mov %0, %%rsp\n\tsyscall\n\tud2" : : "r"(sp), "a"((long)call->nr) : "memory");
	_exit(FAILED);
}

/* Signals go to this worker's child, to itself a harmless one, or to nobody. */
long run_kill(const struct call *call)
{
	static const long harmless[] = { 0, SIGUSR2, SIGURG, SIGCHLD, SIGCONT, 65, -1, 1000 };
	long a[MAX_ARGS];

	arguments(call, a);
	for (int i = 0; i < 2; i++)
		if (call->arg[i] == PID && a[i] != child && a[i] != MISSING_PID)
			a[i] = below(2) ? getpid() : MISSING_PID;
	for (int i = 1; i < 3; i++)
		if (call->arg[i] == SIGNO && a[0] != child && a[0] != MISSING_PID)
			a[i] = harmless[below(8)];
	return syscall(call->nr, a[0], a[1], a[2], a[3]);
}

/* Half the time with a signal that is there to be taken. */
long run_take_signal(const struct call *call)
{
	uint64_t set = 1ull << (SIGURG - 1);
	struct timespec none = { 0, 0 };

	if (below(2))
		return plain(call);
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
	if (below(4))
		syscall(SYS_tgkill, getpid(), main_tid, SIGURG);
	return syscall(call->nr, pointer_to(&set, 8), pointer(), pointer_to(&none, 16), 8);
}

long run_close_range(const struct call *call)
{
	unsigned first = (unsigned)below(FUZZ_FDS), last = first + (unsigned)below(3);

	if (!below(3))
		return syscall(call->nr, last + 1, first, 0);
	return syscall(call->nr, first, last, PICK(0, 0, 4, 64));
}

/* --- a worker */

static void on_signal(int sig)
{
	(void)sig;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	static const int caught[] = { SIGUSR1, SIGUSR2, SIGURG, SIGALRM, SIGVTALRM, SIGPROF, SIGPIPE,
				      SIGXFSZ, SIGXCPU, SIGIO, SIGTTOU, SIGTTIN };

	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		sigaction(caught[i], &sa, NULL);
	syscall(SYS_rt_sigaction, SIGUSR2, NULL, &proto, 8);
}

static void map_arena(void)
{
	munmap(AT_PAGE(0), ARENA_PAGES * PAGE_BYTES);
	mmap(AT_PAGE(0), GOOD_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mmap(AT_PAGE(READ_ONLY), 2 * PAGE_BYTES, PROT_READ,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mmap(AT_PAGE(PLAYGROUND), PLAY_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void open_at(int fd, const char *name, int flags)
{
	int got = open(name, flags, 0644);

	if (got < 0 || got == fd)
		return;
	dup2(got, fd);
	if (got >= FUZZ_FDS || got > 10)
		close(got);
}

/* Files, descriptors, child and masks as they are at the start, whatever became of them. */
static void refresh(void)
{
	static const struct itimerval off;
	static const char *const fresh[] = { "loop", "new", "newer", "newest", "d/new", "d/newer",
					     "d/d", "another", "n0", "n1", "n2", "n3", "n4",
					     "n5" };
	uint64_t none = 0;
	int fds[2];

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
	for (int i = 0; i < 3; i++)
		setitimer(i, &off, NULL);
	catch_signals();
	umask(022);
	for (int fd = 0; fd < FUZZ_FDS; fd++)
		close(fd);
	open_at(0, "/dev/zero", O_RDONLY);
	open_at(1, "/dev/null", O_WRONLY);
	open_at(2, "/dev/null", O_WRONLY);
	fchmod(HOME_FD, 0755);		/* else fchdir() may be refused, for ever */
	fchdir(HOME_FD);
	chmod("d", 0755);
	chmod("f", 0644);
	chmod("g", 0644);
	for (size_t i = 0; i < sizeof(fresh) / sizeof(fresh[0]); i++)
		if (unlink(fresh[i]) < 0)
			rmdir(fresh[i]);
	if (rmdir("f") == 0 || rmdir("l") == 0)
		unlink("d");
	mkdir("d", 0755);
	mkdir("d/d", 0755);
	symlink("f", "l");
	symlink("loop", "loop");
	mkfifo("p", 0644);
	open_at(3, "f", O_RDWR | O_CREAT);
	fchmod(3, 0644);
	if (write(3, AT_PAGE(0), 5000) < 0)
		(void)lseek(3, 0, SEEK_SET);
	open_at(4, "d/f", O_RDWR | O_CREAT | O_APPEND);
	open_at(5, "d", O_RDONLY | O_DIRECTORY);
	open_at(6, "/proc/self/stat", O_RDONLY);
	open_at(9, "g", O_RDWR | O_CREAT);
	if (pipe2(fds, O_NONBLOCK) == 0 && write(fds[1], AT_PAGE(0), 100) < 0)
		close(fds[1]);
	open_at(10, ".", O_RDONLY | O_DIRECTORY);
	map_arena();
	if (child < 0 || waitpid(child, NULL, WNOHANG) != 0) {
		child = fork();
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
	kill(child, SIGCONT);
}

/* The second thread: pages come and go; a call that waits is interrupted. */
static void *other_thread(void *unused)
{
	struct timespec pause_time = { 0, 50000 };
	unsigned long seen = 0;
	long since = 0;

	(void)unused;
	for (unsigned i = 0;; i++) {
		void *page = AT_PAGE(COMES_AND_GOES + i % COMING_PAGES);

		munmap(page, PAGE_BYTES);
		nanosleep(&pause_time, NULL);
		mmap(page, PAGE_BYTES, PROT_READ | (i & 8 ? PROT_WRITE : 0),
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		if (progress != seen) {
			seen = progress;
			since = clock_ms();
		} else if (clock_ms() - since > STALL_MS) {
			syscall(SYS_tgkill, getpid(), main_tid, SIGUSR1);
		}
	}
	return NULL;
}

static void save_counts(void)
{
	if (pwrite(STAT_FD, &counts, sizeof(counts), 0) != sizeof(counts))
		_exit(3);
}

static void one_call(void)
{
	int i;
	long r;

	do
		i = (int)below((unsigned long)nr_calls);
	while ((calls[i].flags & TALLY && !on_tally) || (calls[i].flags & RARE && below(16)));
	errno = 0;
	r = calls[i].run ? calls[i].run(&calls[i]) : plain(&calls[i]);
	if (r == -1 && errno)
		counts.failed[i]++;
	else
		counts.ok[i]++;
}

static _Noreturn void worker(int number, long quota, uint64_t seed)
{
	struct rlimit file = { 1 << 20, 1 << 20 }, many = { 128, 128 }, no_core = { 0, 0 };
	static char name[64];
	pthread_t thread;

	rng = seed;
	snprintf(name, sizeof(name), WORK "/%d", number);
	chmod(WORK, 0755);		/* workers before may have shut themselves out */
	chmod(name, 0755);
	if (chdir(name) < 0)
		_exit(4);
	if (dup2(open(".", O_RDONLY | O_DIRECTORY), HOME_FD) < 0)
		_exit(4);
	setrlimit(RLIMIT_CORE, &no_core);
	setrlimit(RLIMIT_FSIZE, &file);
	setrlimit(RLIMIT_NPROC, &many);
	main_tid = (int)syscall(SYS_gettid);
	memset(&counts, 0, sizeof(counts));
	refresh();
	pthread_create(&thread, NULL, other_thread, NULL);
	while ((long)counts.made < quota) {
		counts.made++;
		progress++;
		if (counts.made % REPORT == 0)
			save_counts();
		one_call();
		if (counts.made % REFRESH == 0)
			refresh();
	}
	save_counts();
	_exit(0);
}

/* --- the supervisor */

struct place {
	int pid, stat_fd, deaths;
	long left;
};

static struct place places[MAX_THREADS];

static void enter_group(void)
{
	if (!on_tally || getuid())
		return;
	if (cgroup_attach(GROUP_PATH, 0) < 0)
		_exit(5);
	if (setgid(USER) < 0 || setuid(USER) < 0)
		_exit(6);
}

static void start_worker(int i)
{
	struct place *p = &places[i];
	uint64_t seed = (uint64_t)opt.seed * 1000003 + (uint64_t)i * 7919 + (uint64_t)p->deaths * 31;

	if (pwrite(p->stat_fd, &(struct counts){ 0 }, sizeof(struct counts), 0) < 0)
		die(1, "counts: %s\n", strerror(errno));
	p->pid = fork();
	if (p->pid < 0)
		die(1, "fork: %s\n", strerror(errno));
	if (p->pid)
		return;
	dup2(p->stat_fd, STAT_FD);
	enter_group();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	worker_uid = (int)getuid();
	setpgid(0, 0);
	worker(i, p->left, seed);
}

static _Noreturn void give_up(const char *why, int status)
{
	for (int i = 0; i < opt.threads; i++)
		if (places[i].pid > 0)
			kill(places[i].pid, SIGKILL);
	die(1, "%s: wait status %#x\n", why, (unsigned)status);
}

/* What the worker wrote down goes to the total; another makes what is left. */
static int worker_ended(int i, int status)
{
	struct place *p = &places[i];

	if (pread(p->stat_fd, &counts, sizeof(counts), 0) != sizeof(counts))
		die(1, "counts are lost\n");
	if (WIFEXITED(status) && WEXITSTATUS(status) >= 3 && WEXITSTATUS(status) <= 6)
		give_up("a worker cannot start", status);
	total.made += counts.made;
	for (int k = 0; k < nr_calls; k++) {
		total.ok[k] += counts.ok[k];
		total.failed[k] += counts.failed[k];
	}
	p->left -= (long)counts.made;
	kill(-p->pid, SIGKILL);
	p->pid = 0;
	if (p->left <= 0)
		return 0;
	p->deaths++;
	if (counts.made == 0 && p->deaths > 1000)
		give_up("workers die at once", status);
	start_worker(i);
	return 1;
}

static void run_workers(void)
{
	int running = (int)opt.threads, status;

	for (int i = 0; i < opt.threads; i++) {
		places[i].left = opt.calls / opt.threads + (i < opt.calls % opt.threads);
		start_worker(i);
	}
	while (running) {
		int pid = waitpid(-1, &status, 0);

		for (int i = 0; i < opt.threads; i++)
			if (pid > 0 && places[i].pid == pid && !worker_ended(i, status))
				running--;
	}
}

static void make_places(void)
{
	char name[64];

	mkdir(WORK, 0755);
	for (int i = 0; i < opt.threads; i++) {
		snprintf(name, sizeof(name), WORK "/stat%d", i);
		places[i].stat_fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
		snprintf(name, sizeof(name), WORK "/%d", i);
		if (places[i].stat_fd < 0 || (mkdir(name, 0755) < 0 && errno != EEXIST))
			die(1, "%s: %s\n", name, strerror(errno));
		if (getuid() == 0 && chown(name, USER, USER) < 0)
			die(1, "%s: %s\n", name, strerror(errno));
	}
}

static void make_group(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", opt.limit);
	if (cgroup_create(GROUP_PATH, 0755) < 0)
		die(1, "group: %s\n", strerror(errno));
	if (control_set(GROUP_PATH, "memory.kmem.limit_in_bytes", text) < 0)
		die(1, "limit: %s\n", strerror(errno));
}

/* Kill what is left, remove the files, and the group's usage must be 0 again. */
static int give_back(void)
{
	static char text[16];
	long left = -1, until = clock_ms() + 60000;

	if (on_tally)
		cgroup_kill(GROUP_PATH);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	remove_tree(WORK);
	if (!on_tally)
		return 0;
	for (; left && clock_ms() < until; sleep_ms(20)) {
		if (control_text(GROUP_PATH, "cgroup.procs", text, sizeof(text)))
			continue;
		control_set(GROUP_PATH, "memory.force_empty", "1");
		control_number(GROUP_PATH, "memory.kmem.usage_in_bytes", &left);
	}
	if (left)
		warn("%ld bytes of kernel memory are not back\n", left);
	else if (cgroup_remove(GROUP_PATH) < 0)
		warn("group: %s\n", strerror(errno));
	return left != 0;
}

static int is_enough(int i, int say)
{
	int few_ok = total.ok[i] < ENOUGH && !(calls[i].flags & NO_SUCCESS);
	int few_failed = total.failed[i] < ENOUGH && !(calls[i].flags & NO_FAILURE);

	if (say)
		out("%5d %-24s %8u ok %8u failed%s\n", calls[i].nr, calls[i].name, total.ok[i],
		    total.failed[i], few_ok || few_failed ? "  TOO FEW" : "");
	return !few_ok && !few_failed;
}

/* Print the table; how many things are wrong. */
static int judge(void)
{
	unsigned long ok = 0, all = 0;
	int bad = 0, deaths = 0;

	for (int i = 0; i < nr_calls; i++) {
		if (calls[i].flags & TALLY && !on_tally)
			continue;
		ok += total.ok[i];
		all += total.ok[i] + total.failed[i];
		bad += !is_enough(i, 1) && opt.calls >= ENOUGH_CALLS;
	}
	for (int i = 0; i < opt.threads; i++)
		deaths += places[i].deaths;
	out("calls %lu, counted %lu, succeeded %lu (%lu %%), workers died %d\n", total.made, all, ok,
	    all ? ok * 100 / all : 0, deaths);
	if ((long)total.made < opt.calls || all == 0 || ok * 100 / all < ENOUGH_PERCENT)
		bad++;
	return bad;
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(a, "--calls") && !parse_count(value, &opt.calls))
			i++;
		else if (!strcmp(a, "--seed") && !parse_count(value, &opt.seed))
			i++;
		else if (!strcmp(a, "--threads") && !parse_count(value, &opt.threads))
			i++;
		else if (!strcmp(a, "--limit") && !parse_size(value, &opt.limit))
			i++;
		else
			die(2, "usage: callfuzz [--calls N] [--seed S] [--threads T] [--limit BYTES]\n");
	}
	if (opt.threads < 1 || opt.threads > MAX_THREADS || nr_calls > MAX_CALLS)
		die(2, "1 to %d threads\n", MAX_THREADS);
}

int main(int argc, char **argv)
{
	int bad;

	program = "callfuzz";
	parse(argc, argv);
	on_tally = cgroup_create(GROUP_PATH "-probe", 0755) == 0;
	if (on_tally)
		cgroup_remove(GROUP_PATH "-probe");
	if (!on_tally && getuid() == 0)
		die(2, "not as root on this kernel: calls would do real harm\n");
	if (on_tally && chdir("/") < 0)	/* no folder above may be writable */
		die(1, "/: %s\n", strerror(errno));
	make_places();
	if (on_tally)
		make_group();
	run_workers();
	bad = judge();
	bad += give_back();
	out("callfuzz: %s\n", bad ? "NOT sound" : "sound");
	return bad != 0;
}
