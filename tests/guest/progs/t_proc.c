/* SPDX-License-Identifier: MIT */
/* Processes: birth, death, waiting, killing, and the registers and time they own. */
#include "t.h"
#include <sys/prctl.h>

static void exit_with(void *code)
{
	_exit((int)(long)code);
}

TEST(exit_codes)
{
	static const int codes[] = { 0, 1, 7, 127, 255 };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		CHECK(t_child(exit_with, (void *)(long)codes[i]) == codes[i] << 8);
	CHECK(t_child(exit_with, (void *)256L) == 0, "only the low 8 bits count");
}

static void do_segv(void *unused)
{
	(void)unused;
	__asm__ volatile("movl $1, 8");
}

static void do_exec_null(void *unused)
{
	(void)unused;
	((void (*)(void))16)();
}

static void do_ill(void *unused)
{
	(void)unused;
	__asm__ volatile("ud2");
}

static void do_fpe(void *zero)
{
	volatile long n = 1;

	n = n / (long)zero;
}

static void do_trap(void *unused)
{
	(void)unused;
	__asm__ volatile("int3");
}

static void do_abort(void *unused)
{
	(void)unused;
	abort();
}

static void do_kill_self(void *unused)
{
	(void)unused;
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

TEST(signal_segv) { t_expect_signal(do_segv, NULL, SIGSEGV); }
TEST(signal_exec_null) { t_expect_signal(do_exec_null, NULL, SIGSEGV); }
TEST(signal_ill) { t_expect_signal(do_ill, NULL, SIGILL); }
TEST(signal_fpe) { t_expect_signal(do_fpe, NULL, SIGFPE); }
TEST(signal_trap) { t_expect_signal(do_trap, NULL, SIGTRAP); }
TEST(signal_kill) { t_expect_signal(do_kill_self, NULL, SIGKILL); }
TEST(signal_abort) { t_expect_signal(do_abort, NULL, SIGABRT); }

/* --- what user mode must not do */

static void do_cli(void *unused) { (void)unused; __asm__ volatile("cli"); }
static void do_hlt(void *unused) { (void)unused; __asm__ volatile("hlt"); }
static void do_int80(void *unused) { (void)unused; __asm__ volatile("int $0x80" : : "a"(20)); }
static void do_int_df(void *unused) { (void)unused; __asm__ volatile("int $8"); }
static void do_out(void *unused)
{
	(void)unused;
	__asm__ volatile("outl %%eax, %%dx" : : "a"(0x2a), "d"(0xf4));
}
static void do_wrmsr(void *unused)
{
	(void)unused;
	__asm__ volatile("wrmsr" : : "a"(0), "c"(0xc0000082), "d"(0));
}
static void do_cr3(void *unused)
{
	(void)unused;
	__asm__ volatile("mov %%rax, %%cr3" : : "a"(0));
}
static void do_lidt(void *unused)
{
	static struct { short n; long base; } __attribute__((packed)) idt;

	(void)unused;
	__asm__ volatile("lidt %0" : : "m"(idt));
}
static void do_read(void *addr) { (void)*(volatile char *)addr; }
static void do_write(void *addr) { *(volatile char *)addr = 1; }
static void do_call(void *addr) { ((void (*)(void))addr)(); }

TEST(user_cli) { t_expect_signal(do_cli, NULL, SIGSEGV); }
TEST(user_hlt) { t_expect_signal(do_hlt, NULL, SIGSEGV); }
TEST(user_port) { t_expect_signal(do_out, NULL, SIGSEGV); }
TEST(user_wrmsr) { t_expect_signal(do_wrmsr, NULL, SIGSEGV); }
TEST(user_cr3) { t_expect_signal(do_cr3, NULL, SIGSEGV); }
TEST(user_lidt) { t_expect_signal(do_lidt, NULL, SIGSEGV); }
TEST(user_int_df) { t_expect_signal(do_int_df, NULL, SIGSEGV); }
TEST(user_int80)
{
	if (t_groups)		/* Linux has 32-bit calls there */
		t_expect_signal(do_int80, NULL, SIGSEGV);
}

static void *const kernel_addresses[] = {
	(void *)0xffffffff80000000, (void *)0xffffffff80100000, (void *)0xffffffff80200000,
	(void *)0xffff800000000000, (void *)0xffff888000000000, (void *)0xffff888000100000,
	(void *)0xffffc90000000000, (void *)0xffffffffffffffff, (void *)0x0000800000000000,
	(void *)0x00007ffffffff000, (void *)0xfee00000,
};

#define NR_KERNEL_ADDRESSES (sizeof(kernel_addresses) / sizeof(kernel_addresses[0]))

TEST(kernel_not_readable)
{
	for (size_t i = 0; i < NR_KERNEL_ADDRESSES; i++)
		t_expect_signal(do_read, kernel_addresses[i], SIGSEGV);
}

TEST(kernel_not_writable)
{
	for (size_t i = 0; i < NR_KERNEL_ADDRESSES; i++)
		t_expect_signal(do_write, kernel_addresses[i], SIGSEGV);
}

TEST(kernel_not_executable)
{
	for (size_t i = 0; i < NR_KERNEL_ADDRESSES; i++)
		t_expect_signal(do_call, kernel_addresses[i], SIGSEGV);
}

/* Every 2 MiB of the direct map and the kernel image that a small kernel may have mapped. */
TEST(kernel_scan)
{
	for (unsigned long at = 0xffffffff80000000; at < 0xffffffff84000000; at += 0x400000)
		t_expect_signal(do_read, (void *)(at + 0x1234), SIGSEGV);
}

static void do_bad_stack(void *unused)
{
	(void)unused;
	__asm__ volatile("mov $0xffff800000000008, %%rsp; push %%rax" : : : "memory");
}

TEST(bad_stack_pointer) { t_expect_signal(do_bad_stack, NULL, SIGSEGV); }

static void do_syscall_bad_stack(void *unused)
{
	(void)unused;
	__asm__ volatile("mov $0xdead000000000000, %%rsp; mov $39, %%eax; syscall;"
			 "mov $60, %%eax; mov $9, %%edi; syscall" : : : "memory");
}

TEST(syscall_with_bad_stack)
{
	CHECK(t_child(do_syscall_bad_stack, NULL) == 9 << 8, "the kernel has a stack of its own");
}

static void do_noncanonical_return(void *unused)
{
	(void)unused;
	__asm__ volatile("mov $0x7ffffffffffe, %%rax; jmp *%%rax" : : : "memory");
}

TEST(jump_to_the_edge) { t_expect_signal(do_noncanonical_return, NULL, SIGSEGV); }

static void do_exec_data(void *unused)
{
	static unsigned char code[] = { 0xc3 };

	(void)unused;
	((void (*)(void))(void *)code)();
}

static void do_exec_stack(void *unused)
{
	unsigned char code[] = { 0xc3 };

	(void)unused;
	__asm__ volatile("" : : "r"(code) : "memory");
	((void (*)(void))(void *)code)();
}

static void do_write_text(void *unused)
{
	(void)unused;
	*(volatile char *)(void *)exit_with = 0;
}

TEST(data_not_executable) { t_expect_signal(do_exec_data, NULL, SIGSEGV); }
TEST(stack_not_executable) { t_expect_signal(do_exec_stack, NULL, SIGSEGV); }
TEST(text_not_writable) { t_expect_signal(do_write_text, NULL, SIGSEGV); }

/* --- system calls as such */

TEST(unknown_calls)
{
	static const long numbers[] = { 999, 1999, 100000, -1, 1l << 30, -1000 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		FAILS(ENOSYS, syscall(numbers[i], 1, 2, 3, 4, 5, 6));
}

TEST(registers_kept)
{
	unsigned long bad = 0;

	__asm__ volatile(
		"mov $0x1111, %%rbx; mov $0x2222, %%r12; mov $0x3333, %%r13; mov $0x4444, %%r14;"
		"mov $0x5555, %%r15; mov $0x66, %%rdi; mov $0x77, %%rsi; mov $0x88, %%rdx;"
		"mov $0x99, %%r8; mov $0xaa, %%r9; mov $0xbb, %%r10;"
		"mov $39, %%eax; syscall;"
		"xor $0x1111, %%rbx; xor $0x2222, %%r12; xor $0x3333, %%r13; xor $0x4444, %%r14;"
		"xor $0x5555, %%r15; xor $0x66, %%rdi; xor $0x77, %%rsi; xor $0x88, %%rdx;"
		"xor $0x99, %%r8; xor $0xaa, %%r9; xor $0xbb, %%r10;"
		"mov %%rbx, %0; or %%r12, %0; or %%r13, %0; or %%r14, %0; or %%r15, %0;"
		"or %%rdi, %0; or %%rsi, %0; or %%rdx, %0; or %%r8, %0; or %%r9, %0; or %%r10, %0"
		: "=&a"(bad) : : "rbx", "r12", "r13", "r14", "r15", "rdi", "rsi", "rdx", "r8",
		"r9", "r10", "rcx", "r11", "memory");
	CHECK(bad == 0, "a register changed: %lx", bad);
}

TEST(flags_kept)
{
	unsigned long before = 0x40cd5, after;	/* AC, DF, OF, SF, ZF, AF, PF, CF set */

	__asm__ volatile("pushfq; pushfq; or %1, (%%rsp); popfq; mov $39, %%eax; syscall;"
			 "pushfq; pop %0; popfq"
			 : "=&r"(after) : "r"(before) : "rax", "rcx", "r11", "memory");
	CHECK((after & before) == before, "flags %lx", after);
}

/* --- fork and memory */

static int shared_word = 5;

TEST(fork_copies)
{
	char *heap = malloc(300000);
	int local = 7, pid;

	memset(heap, 'p', 300000);
	pid = (int)WORKS(fork());
	if (pid == 0) {
		if (shared_word != 5 || local != 7 || heap[299999] != 'p')
			_exit(1);
		shared_word = 6;
		local = 8;
		memset(heap, 'c', 300000);
		_exit(heap[1234] == 'c' ? 0 : 2);
	}
	CHECK(t_wait(pid) == 0);
	CHECK(shared_word == 5 && local == 7);
	for (int i = 0; i < 300000; i++)
		CHECK(heap[i] == 'p');
}

TEST(fork_parent_writes_first)
{
	static char page[8192] __attribute__((aligned(4096)));
	int go[2], pid;
	char c;

	memset(page, 1, sizeof(page));
	WORKS(pipe(go));
	pid = (int)WORKS(fork());
	if (pid == 0)
		_exit(read(go[0], &c, 1) == 1 && page[0] == 1 && page[8191] == 1 ? 0 : 1);
	memset(page, 2, sizeof(page));
	CHECK(write(go[1], "x", 1) == 1);
	CHECK(t_wait(pid) == 0, "the child saw its parent's writes");
	CHECK(page[0] == 2 && page[8191] == 2);
}

TEST(fork_generations)
{
	int depth = 0;

	shared_word = 0;
	for (;;) {
		int pid = (int)WORKS(fork()), status;

		if (pid == 0) {
			shared_word++;
			if (++depth == 12)
				_exit(shared_word == 12 ? 0 : 1);
			continue;
		}
		status = t_wait(pid);
		if (depth)
			_exit(shared_word == depth && status == 0 ? 0 : 1);
		CHECK(status == 0 && shared_word == 0);
		return;
	}
}

/* The kernel's own writes must break the sharing as well. */
TEST(kernel_write_breaks_cow)
{
	static char page[4096] __attribute__((aligned(4096)));
	int data[2], pid;

	memset(page, 'o', sizeof(page));
	WORKS(pipe(data));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		sleep_ms(20);
		_exit(page[0] == 'o' ? 0 : 1);
	}
	CHECK(write(data[1], "new", 3) == 3);
	CHECK(read(data[0], page, 3) == 3);
	CHECK(!memcmp(page, "newo", 4));
	CHECK(t_wait(pid) == 0, "read() of the parent changed the child's page");
}

TEST(many_children)
{
	static int pids[200];
	int seen = 0, status;

	for (int i = 0; i < 200; i++) {
		pids[i] = (int)WORKS(fork());
		if (pids[i] == 0)
			_exit(i & 0x7f);
		for (int k = 0; k < i; k++)
			CHECK(pids[k] != pids[i], "a pid twice");
	}
	for (int i = 0; i < 200; i++) {
		int pid = (int)WORKS(wait(&status));

		for (int k = 0; k < 200; k++)
			if (pids[k] == pid) {
				CHECK(status == (k & 0x7f) << 8);
				seen++;
			}
	}
	CHECK(seen == 200);
	FAILS(ECHILD, wait(&status));
}

/* --- vfork and clone */

TEST(vfork_shares_and_waits)
{
	volatile int word = 0;
	int pid = vfork();

	if (pid == 0) {
		word = 77;
		_exit(3);
	}
	CHECK(pid > 0 && word == 77, "the child wrote to the parent's memory before it went on");
	CHECK(t_wait(pid) == 3 << 8);
}

TEST(vfork_exec)
{
	char *argv[] = { (char *)t_self, "no_such_test", NULL };
	int pid = vfork();

	if (pid == 0) {
		close(1);
		execve(t_self, argv, NULL);
		_exit(99);
	}
	CHECK(pid > 0 && t_wait(pid) == 0);
}

TEST(vfork_child_killed)
{
	int pid = vfork();

	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	CHECK(t_wait(pid) == SIGKILL);
}

static char clone_stack[16384] __attribute__((aligned(16)));
static volatile int clone_word;

static int clone_body(void *arg)
{
	clone_word = (int)(long)arg;
	return 4;
}

TEST(clone_vm)
{
	int pid;

	clone_word = 0;
	pid = clone(clone_body, clone_stack + sizeof(clone_stack),
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, (void *)42);
	CHECK(pid > 0);
	CHECK(t_wait(pid) == 4 << 8 && clone_word == 42);
}

static int clone_open(void *arg)
{
	(void)arg;
	if (mkdir("sub", 0755) || chdir("sub"))
		return 1;
	return open("/dev/null", O_RDONLY) < 0;
}

TEST(clone_files_fs)
{
	char cwd[64];
	int fd = (int)WORKS(open("/dev/null", O_RDONLY)), pid;

	WORKS(close(fd));
	pid = clone(clone_open, clone_stack + sizeof(clone_stack),
		    CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, NULL);
	CHECK(pid > 0 && t_wait(pid) == 0);
	CHECK(fcntl(fd, F_GETFD) >= 0, "the child's new file is not ours");
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/tmp/t/sub"), "cwd %s", cwd);
}

TEST(fork_has_own_files_fs)
{
	char cwd[64];
	int fd = (int)WORKS(open("/dev/null", O_RDONLY)), pid;

	WORKS(mkdir("sub", 0755));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		close(fd);
		_exit(chdir("sub") ? 1 : 0);
	}
	CHECK(t_wait(pid) == 0);
	WORKS(fcntl(fd, F_GETFD));
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/tmp/t"));
}

TEST(clone_bad_flags)
{
	FAILS(EINVAL, syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
	FAILS(EINVAL, syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0));
}

TEST(clone_tids)
{
	int parent_tid = -1, child_tid = -1;
	long pid = syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0,
			   &parent_tid, &child_tid, 0);

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(child_tid == syscall(SYS_getpid) ? 0 : 1);
	CHECK(t_wait((int)pid) == 0 && parent_tid == pid);
}

/* --- wait4 */

TEST(wait_for_one)
{
	int a = (int)WORKS(fork()), b;

	if (a == 0)
		_exit(1);
	b = (int)WORKS(fork());
	if (b == 0)
		_exit(2);
	CHECK(t_wait(b) == 2 << 8 && t_wait(a) == 1 << 8);
}

TEST(wait_nohang)
{
	int go[2], status, pid;
	char c;

	WORKS(pipe(go));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		close(go[1]);
		_exit(read(go[0], &c, 1) == 0 ? 5 : 6);
	}
	CHECK(waitpid(pid, &status, WNOHANG) == 0);
	CHECK(waitpid(-1, &status, WNOHANG) == 0);
	WORKS(close(go[1]));
	CHECK(t_wait(pid) == 5 << 8);
}

TEST(wait_errors)
{
	int status, pid;

	FAILS(ECHILD, waitpid(-1, &status, 0));
	FAILS(ECHILD, waitpid(-1, &status, WNOHANG));
	FAILS(ECHILD, waitpid(getpid(), &status, 0));
	FAILS(ECHILD, waitpid(1, &status, 0));
	FAILS(EINVAL, waitpid(-1, &status, 0x00f00000));
	pid = (int)WORKS(fork());
	if (pid == 0)
		_exit(0);
	FAILS(EFAULT, syscall(SYS_wait4, pid, (void *)0xffff888000000000, 0, 0));
}

TEST(wait_status_unwanted)
{
	int pid = (int)WORKS(fork());

	if (pid == 0)
		_exit(9);
	CHECK(waitpid(pid, NULL, 0) == pid);
	FAILS(ECHILD, waitpid(pid, NULL, 0));
}

TEST(orphan_goes_to_init)
{
	int report[2], pid;
	char answer = 0;

	WORKS(pipe(report));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		int parent = getpid();

		if (fork() == 0) {
			while (getppid() == parent)
				sleep_ms(10);
			answer = getppid() == 1 ? 'y' : 'n';
			if (!t_groups)
				answer = 'y';		/* a Linux subreaper may be in the way */
			_exit(write(report[1], &answer, 1) != 1);
		}
		_exit(0);
	}
	CHECK(t_wait(pid) == 0);
	CHECK(read(report[0], &answer, 1) == 1 && answer == 'y');
}

/* --- kill */

static void sleep_long(void *unused)
{
	(void)unused;
	sleep_ms(100000);
}

static void pause_long(void *unused)
{
	(void)unused;
	for (;;)
		pause();
}

static void spin_long(void *unused)
{
	(void)unused;
	for (;;)
		;
}

static void read_long(void *unused)
{
	int p[2];
	char c;

	(void)unused;
	if (pipe(p) == 0 && read(p[0], &c, 1) == 1)
		_exit(0);
}

static void write_long(void *unused)
{
	static char block[65536 * 4];
	int p[2];

	(void)unused;
	if (pipe(p) == 0 && write(p[1], block, sizeof(block)) == 1)
		_exit(0);
}

static void wait_long(void *unused)
{
	(void)unused;
	if (fork() == 0) {
		sleep_ms(2000);
		_exit(0);
	}
	wait(NULL);
}

static void kill_child(void (*fn)(void *))
{
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		fn(NULL);
		_exit(0);
	}
	sleep_ms(20);
	WORKS(kill(pid, 0));
	WORKS(kill(pid, SIGKILL));
	CHECK(t_wait(pid) == SIGKILL);
	FAILS(ESRCH, kill(pid, SIGKILL));
}

TEST(kill_sleeper) { kill_child(sleep_long); }
TEST(kill_pauser) { kill_child(pause_long); }
TEST(kill_spinner) { kill_child(spin_long); }
TEST(kill_reader) { kill_child(read_long); }
TEST(kill_writer) { kill_child(write_long); }
TEST(kill_waiter) { kill_child(wait_long); }

TEST(kill_errors)
{
	FAILS(ESRCH, kill(4000000, SIGKILL));
	FAILS(EINVAL, kill(getpid(), 65));
	FAILS(EINVAL, kill(getpid(), -1));
	WORKS(kill(getpid(), 0));
}

TEST(kill_zombie)
{
	int pid = (int)WORKS(fork());

	if (pid == 0)
		_exit(3);
	sleep_ms(20);
	WORKS(kill(pid, SIGKILL));
	CHECK(t_wait(pid) == 3 << 8, "a zombie keeps its status");
}

TEST(init_is_immune)
{
	if (!t_groups)
		return;
	WORKS(kill(1, SIGKILL));
	sleep_ms(10);
	WORKS(kill(1, 0));
}

/* --- scheduling and time */

TEST(hog_does_not_stop_others)
{
	int hog[3];
	long start, took;

	for (int i = 0; i < 3; i++) {
		hog[i] = (int)WORKS(fork());
		if (hog[i] == 0)
			spin_long(NULL);
	}
	start = clock_ms();
	for (int i = 0; i < 5; i++) {
		CHECK(t_child(exit_with, NULL) == 0);
		sleep_ms(10);
	}
	took = clock_ms() - start;
	for (int i = 0; i < 3; i++) {
		WORKS(kill(hog[i], SIGKILL));
		CHECK(t_wait(hog[i]) == SIGKILL);
	}
	CHECK(took < 20000, "%ld ms", took);
}

TEST(hogs_share)
{
	volatile long *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int hog[2];

	CHECK(count != MAP_FAILED);
	for (int i = 0; i < 2; i++) {
		hog[i] = (int)WORKS(fork());
		if (hog[i] == 0)
			for (;;)
				count[i * 8]++;
	}
	sleep_ms(600);
	for (int i = 0; i < 2; i++) {
		WORKS(kill(hog[i], SIGKILL));
		t_wait(hog[i]);
	}
	CHECK(count[0] > 1000 && count[8] > 1000, "%ld and %ld", count[0], count[8]);
	CHECK(count[0] / 8 < count[8] && count[8] / 8 < count[0], "%ld and %ld", count[0],
	      count[8]);
}

TEST(nanosleep_sleeps)
{
	struct timespec ts = { 0, 50000000 }, bad = { 0, 1000000000 }, neg = { -1, 0 };
	long start = clock_ms();

	WORKS(nanosleep(&ts, NULL));
	CHECK(clock_ms() - start >= 50, "woken after %ld ms", clock_ms() - start);
	FAILS(EINVAL, nanosleep(&bad, NULL));
	FAILS(EINVAL, nanosleep(&neg, NULL));
	FAILS(EFAULT, syscall(SYS_nanosleep, 0xffff888000000000, 0));
	ts.tv_nsec = 0;
	WORKS(nanosleep(&ts, NULL));
}

TEST(clocks_go_forward)
{
	struct timespec a, b, real;

	WORKS(clock_gettime(CLOCK_MONOTONIC, &a));
	for (int i = 0; i < 1000; i++) {
		WORKS(clock_gettime(CLOCK_MONOTONIC, &b));
		CHECK(b.tv_nsec >= 0 && b.tv_nsec < 1000000000);
		CHECK(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
		a = b;
	}
	WORKS(clock_gettime(CLOCK_REALTIME, &real));
	CHECK(labs(time(NULL) - real.tv_sec) <= 1);
	FAILS(EINVAL, syscall(SYS_clock_gettime, 12345, &a));
}

TEST(yield)
{
	for (int i = 0; i < 100; i++)
		WORKS(sched_yield());
}

/* --- FPU and TLS */

static void sse_worker(long seed)
{
	unsigned long want[2] = { (unsigned long)seed * 0x9e3779b97f4a7c15, ~(unsigned long)seed };
	unsigned long got[2];
	long until = clock_ms() + 200;

	do {
		__asm__ volatile("movdqu %1, %%xmm7\n\tmovdqu %1, %%xmm15\n\tmov $200000, %%ecx\n"
				 "1:\tdec %%ecx\n\tjnz 1b\n\tpxor %%xmm7, %%xmm15\n"
				 "\tpaddq %%xmm15, %%xmm7\n\tmovdqu %%xmm7, %0"
				 : "=m"(got) : "m"(want) : "xmm7", "xmm15", "ecx");
		if (got[0] != want[0] || got[1] != want[1])
			_exit(1);
	} while (clock_ms() < until);
	_exit(0);
}

TEST(sse_kept_across_switches)
{
	int pid[4];

	for (long i = 0; i < 4; i++) {
		pid[i] = (int)WORKS(fork());
		if (pid[i] == 0)
			sse_worker(i + 1);
	}
	for (int i = 0; i < 4; i++)
		CHECK(t_wait(pid[i]) == 0);
}

TEST(sse_kept_across_calls_and_fork)
{
	unsigned long want[2] = { 0x0123456789abcdef, 0xfedcba9876543210 }, got[2];
	unsigned mxcsr = 0x1f80 | 0x6000, read_back = 0;
	long pid;

	__asm__ volatile("ldmxcsr %3; movdqu %2, %%xmm9; mov $57, %%eax; syscall;"
			 "movdqu %%xmm9, %0; stmxcsr %4"
			 : "=m"(got), "=&a"(pid) : "m"(want), "m"(mxcsr), "m"(read_back)
			 : "rcx", "r11", "xmm9", "memory");
	if (pid == 0)
		_exit(memcmp(got, want, 16) || read_back != mxcsr);
	CHECK(!memcmp(got, want, 16) && read_back == mxcsr, "parent lost it");
	CHECK(t_wait((int)pid) == 0, "child did not inherit it");
}

static __thread long tls_word = 11;

TEST(tls)
{
	unsigned long self, fs = 0;
	int pid;

	__asm__("mov %%fs:0, %0" : "=r"(self));
	WORKS(syscall(SYS_arch_prctl, 0x1003, &fs));
	CHECK(self == fs, "fs:0 %lx, base %lx", self, fs);
	CHECK(tls_word == 11);
	tls_word = 12;
	pid = (int)WORKS(fork());
	if (pid == 0) {
		if (tls_word != 12)
			_exit(1);
		tls_word = 13;
		_exit(0);
	}
	CHECK(t_wait(pid) == 0 && tls_word == 12);
	FAILS(EPERM, syscall(SYS_arch_prctl, 0x1002, 0xffff888000000000));
	FAILS(EINVAL, syscall(SYS_arch_prctl, 0x7777, 0));
}

TEST(ids)
{
	CHECK(getpid() > 1 && getppid() >= 1);
	CHECK(getuid() == 0 && geteuid() == 0 && getgid() == 0 && getegid() == 0);
	CHECK(syscall(SYS_gettid) == getpid());
}

/* clone() as the kernel has it, without a stack: both go on from here. */
static int raw_clone(unsigned long flags)
{
	return (int)syscall(SYS_clone, flags, 0, 0, 0, 0);
}

static void vfork_sibling(void *unused)
{
	int pid;

	(void)unused;
	alarm(10);
	pid = raw_clone(CLONE_VFORK | CLONE_PARENT | SIGCHLD);
	if (pid == 0) {
		sleep_ms(20);
		_exit(4);
	}
	_exit(pid > 0 ? 3 : 1);
}

/* Who made the child waits for it, whoever is its parent. */
TEST(vfork_of_a_sibling)
{
	int status;

	CHECK(t_child(vfork_sibling, NULL) == 3 << 8);
	WORKS(wait(&status));
	CHECK(status == 4 << 8);
}

static void make_sibling(void *unused)
{
	int session = (int)WORKS(setsid()), pid;

	(void)unused;
	pid = raw_clone(CLONE_PARENT | SIGKILL);
	if (pid == 0)
		_exit(getsid(0) == session && getpgrp() == session ? 5 : 1);
	_exit(pid > 0 ? 3 : 1);
}

/* It belongs to the job of its maker, and cannot choose what its parent hears of its end. */
TEST(siblings_job_and_signal)
{
	int status;

	CHECK(t_child(make_sibling, NULL) == 3 << 8);
	WORKS(wait(&status));
	CHECK(status == 5 << 8);
}

static void exec_over_child(void *unused)
{
	(void)unused;
	if (raw_clone(SIGUSR1) == 0) {
		sleep_ms(300);
		_exit(6);
	}
	execl(t_self, t_self, "--wait-all", NULL);
	_exit(1);
}

TEST(exec_resets_exit_signals)
{
	int pid, status = -1;

	CHECK(t_child(exec_over_child, NULL) == 6 << 8, "the child's signal hits the new program");
	pid = raw_clone(0);
	if (pid == 0) {
		execl(t_self, t_self, "--wait-all", NULL);
		_exit(1);
	}
	for (int i = 0; i < 1000 && waitpid(pid, &status, 0) < 0; i++)
		sleep_ms(5);
	CHECK(status == 42 << 8, "no child of wait() after its exec: %d", status);
}

/* A zombie whose parent ends goes as well when nobody wants to wait for it. */
TEST(unwanted_orphan_zombie)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int fds[2], pid, orphan = 0;

	WORKS(prctl(PR_SET_CHILD_SUBREAPER, 1));
	WORKS(pipe(fds));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		orphan = (int)WORKS(fork());
		if (orphan == 0)
			_exit(0);
		WORKS(waitid(P_PID, (id_t)orphan, NULL, WEXITED | WNOWAIT));
		WORKS(write(fds[1], &orphan, sizeof(orphan)));
		pause();
	}
	CHECK(read(fds[0], &orphan, sizeof(orphan)) == sizeof(orphan));
	WORKS(sigaction(SIGCHLD, &ignore, NULL));
	WORKS(kill(pid, SIGKILL));
	FAILS(ECHILD, wait(NULL));
	FAILS(ESRCH, kill(orphan, 0));
}

/* The other half of two tests above: started anew, wait for whatever children there are. */
static int wait_all(void)
{
	int status;

	return waitpid(-1, &status, __WALL) < 0 ? 42 : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--wait-all"))
		return wait_all();
	return t_main(argc, argv);
}
