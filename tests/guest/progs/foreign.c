/* SPDX-License-Identifier: MIT */
/*
 * A program of nobody's libc: raw system calls, built with -nostdlib. Checks what a kernel
 * leaves at the entry point, then forks, maps, pipes and makes directories.
 */
typedef unsigned long u64;

enum { READ, WRITE, OPEN, CLOSE, MMAP = 9, MUNMAP = 11, PIPE = 22, GETPID = 39, CLONE = 56,
       FORK = 57, VFORK = 58, EXIT = 60, WAIT4 = 61, CHDIR = 80, MKDIR = 83, RMDIR = 84 };

static long call6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return n;
}

#define call(n, a, b, c) call6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)

static long failed;

static void say(const char *text)
{
	long n = 0;

	while (text[n])
		n++;
	call(WRITE, 1, text, n);
}

static void check(int ok, const char *name)
{
	say(ok ? "ok " : "not ok ");
	say(name);
	say("\n");
	failed |= !ok;
}

static char child_stack[4096] __attribute__((aligned(16)));
static volatile long shared;

static long clone_vm(void)
{
	long r = CLONE;

	__asm__ volatile("syscall; test %%eax, %%eax; jnz 1f; movq $77, %4; mov $60, %%eax;"
			 "mov $5, %%edi; syscall; 1:"
			 : "+a"(r) : "D"(0xf00l | 17), "S"(child_stack + 4096), "d"(0l),
			   "m"(shared) : "rcx", "r11", "memory");
	return r;
}

static int wait_for(long pid)
{
	int status = -1;

	return call6(WAIT4, pid, (long)&status, 0x40000000, 0, 0, 0) == pid ? status : -1;
}

static void start_contract(const u64 *sp)
{
	u64 argc = sp[0], n = argc + 2, seen = 0;

	check(((u64)sp & 15) == 0, "stack_aligned");
	check(argc == 3 && ((const char *)sp[3])[0] == 'b' && sp[argc + 1] == 0, "arguments");
	while (sp[n])
		n++;
	for (n++; sp[n]; n += 2)
		if (sp[n] < 64)
			seen |= 1ul << sp[n];
	check(!(~seen & (1ul << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 25)),
	      "auxiliary_vector");
}

static void processes(void)
{
	volatile long mine = 1;
	int p[2] = { -1, -1 };
	char c = 0;
	long pid;

	pid = call(FORK, 0, 0, 0);
	if (pid == 0) {
		mine = 2;
		call(EXIT, mine, 0, 0);
	}
	check(pid > 0 && wait_for(pid) == 2 << 8 && mine == 1, "fork");
	pid = clone_vm();
	check(pid > 0 && wait_for(pid) == 5 << 8 && shared == 77, "clone_vm");
	call(PIPE, p, 0, 0);
	pid = call(FORK, 0, 0, 0);
	if (pid == 0) {
		call(CLOSE, p[0], 0, 0);
		call(WRITE, p[1], "z", 1);
		call(EXIT, 0, 0, 0);
	}
	call(CLOSE, p[1], 0, 0);
	check(call(READ, p[0], &c, 1) == 1 && c == 'z' && call(READ, p[0], &c, 1) == 0, "pipe");
	check(wait_for(pid) == 0, "wait");
}

void foreign_main(const u64 *sp)
{
	volatile char *page;
	long r;

	start_contract(sp);
	processes();
	page = (volatile char *)call6(MMAP, 0, 64 * 4096, 3, 0x22, -1, 0);
	page[0] = page[63 * 4096] = 1;
	check(call(MUNMAP, page, 64 * 4096, 0) == 0, "memory");
	call(MKDIR, "/tmp", 0755, 0);
	r = call(CHDIR, "/tmp", 0, 0);
	for (int i = 0; i < 500 && !r; i++)
		r = call(MKDIR, "x", 0755, 0) | call(CHDIR, "x", 0, 0);
	for (int i = 0; i < 500 && !r; i++)
		r = call(CHDIR, "..", 0, 0) | call(RMDIR, "x", 0, 0);
	check(r == 0, "directories");
	check(call(999, 0, 0, 0) == -38, "unknown_call");
	call(EXIT, failed ? 1 : 42, 0, 0);
	__builtin_unreachable();
}

__asm__(".globl _start\n_start: mov %rsp, %rdi; xor %ebp, %ebp; and $-16, %rsp;"
	"call foreign_main");
