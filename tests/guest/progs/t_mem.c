/* SPDX-License-Identifier: MIT */
/* Address spaces: mmap, munmap, mprotect, brk, the stack, and what faults. */
#include "t.h"

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(unsigned long pages)
{
	char *p = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);

	CHECK(p != MAP_FAILED, "%s", t_errno(errno));
	return p;
}

static void do_read(void *p) { (void)*(volatile char *)p; }
static void do_write(void *p) { *(volatile char *)p = 1; }
static void do_call(void *p) { ((void (*)(void))p)(); }

static void faults(void (*fn)(void *), void *p) { t_expect_signal(fn, p, SIGSEGV); }

TEST(mmap_zeroed)
{
	char *p = map(300);

	for (unsigned long i = 0; i < 300 * PAGE; i += 512)
		CHECK(p[i] == 0);
	memset(p, 0xff, 300 * PAGE);
	WORKS(munmap(p, 300 * PAGE));
	p = map(300);
	for (unsigned long i = 0; i < 300 * PAGE; i++)
		CHECK(p[i] == 0, "old contents at %lu", i);
}

TEST(mmap_unmapped_faults)
{
	char *p = map(3);

	p[PAGE] = 1;
	WORKS(munmap(p + PAGE, PAGE));
	p[0] = p[2 * PAGE] = 1;
	faults(do_read, p + PAGE);
	faults(do_write, p + PAGE);
}

TEST(mmap_fixed_replaces)
{
	char *p = map(4), *q;

	memset(p, 7, 4 * PAGE);
	q = mmap(p + PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	CHECK(q == p + PAGE);
	CHECK(p[0] == 7 && p[PAGE] == 0 && p[3 * PAGE - 1] == 0 && p[3 * PAGE] == 7);
}

TEST(mmap_hint)
{
	char *want = (char *)0x123456000, *p = mmap(want, PAGE, RW, ANON, -1, 0);

	CHECK(p == want, "a free hint is taken: %p", (void *)p);
	p = mmap(want, PAGE, RW, ANON, -1, 0);
	CHECK(p != MAP_FAILED && p != want, "a taken hint is not");
}

TEST(mmap_noreplace)
{
	char *p = map(2);

	FAILS(EEXIST, mmap(p, PAGE, RW, ANON | 0x100000, -1, 0));
}

TEST(mmap_errors)
{
	FAILS(EINVAL, mmap(NULL, 0, RW, ANON, -1, 0));
	FAILS(EINVAL, mmap((void *)0x100001, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	FAILS(ENOMEM, mmap((void *)0xffff888000000000, PAGE, RW, ANON | MAP_FIXED, -1, 0));
	FAILS(ENOMEM, mmap(NULL, 1ul << 47, RW, ANON, -1, 0));
	FAILS(ENOMEM, mmap(NULL, ~0ul, RW, ANON, -1, 0));
	FAILS(ENOMEM, mmap((void *)0x7ffffffff000, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0));
	FAILS(EINVAL, mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
	FAILS(EBADF, mmap(NULL, PAGE, RW, MAP_PRIVATE, 999, 0));
}

TEST(munmap_errors)
{
	char *p = map(1);

	FAILS(EINVAL, munmap(p + 1, PAGE));
	FAILS(EINVAL, munmap(p, 0));
	FAILS(EINVAL, munmap((void *)0xffff888000000000, PAGE));
	FAILS(EINVAL, munmap(p, ~0ul));
	FAILS(EINVAL, munmap((void *)0x7ffffffff000, 1ul << 47));
	WORKS(munmap((void *)0x5000000000, PAGE));	/* nothing there: fine */
	p[0] = 1;
}

TEST(munmap_pieces)
{
	char *p = map(64);

	memset(p, 3, 64 * PAGE);
	for (unsigned long i = 1; i < 64; i += 2)
		WORKS(munmap(p + i * PAGE, PAGE));
	for (unsigned long i = 0; i < 64; i += 2)
		CHECK(p[i * PAGE] == 3);
	faults(do_read, p + 33 * PAGE);
	WORKS(munmap(p, 64 * PAGE));
	faults(do_read, p);
	faults(do_read, p + 62 * PAGE);
}

TEST(mmap_many_areas)
{
	char *p = map(2000);

	for (unsigned long i = 0; i < 2000; i += 2)
		WORKS(mprotect(p + i * PAGE, PAGE, PROT_READ));
	for (unsigned long i = 1; i < 2000; i += 2)
		p[i * PAGE] = 1;
	faults(do_write, p + 1000 * PAGE);
	WORKS(mprotect(p, 2000 * PAGE, RW));
	memset(p, 1, 2000 * PAGE);
	WORKS(munmap(p, 2000 * PAGE));
}

TEST(mmap_sparse)
{
	for (unsigned long i = 0; i < 16; i++) {
		char *at = (char *)(0x10000000000 + (i << 39)), *p;

		p = mmap(at, PAGE, RW, ANON | MAP_FIXED, -1, 0);
		CHECK(p == at);
		*p = (char)i;
	}
	CHECK(t_child(do_read, (void *)(0x10000000000 + (15ul << 39))) == 0);
}

TEST(mmap_large_untouched)
{
	char *p = mmap(NULL, 1ul << 40, RW, ANON | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	p[0] = p[(1ul << 40) - 1] = p[1ul << 39] = 1;
	WORKS(munmap(p, 1ul << 40));
}

TEST(munmap_frees_page_tables)
{
	long before, during;

	if (!t_groups)
		return;
	before = t_usage();
	for (unsigned long i = 0; i < 64; i++) {
		char *at = (char *)(0x10000000000 + (i << 30));

		CHECK(mmap(at, PAGE, RW, ANON | MAP_FIXED, -1, 0) == at);
		*at = 1;
	}
	during = t_usage();
	CHECK(during >= before + 128 * (long)PAGE, "%ld then %ld", before, during);
	WORKS(munmap((void *)0x10000000000, 64ul << 30));
	CHECK(t_usage() <= before + 2 * (long)PAGE, "%ld, was %ld", t_usage(), before);
}

TEST(mprotect_read_only)
{
	char *p = map(2);

	p[0] = 5;
	WORKS(mprotect(p, PAGE, PROT_READ));
	CHECK(p[0] == 5);
	faults(do_write, p);
	p[PAGE] = 1;
	WORKS(mprotect(p, PAGE, RW));
	p[0] = 6;
}

TEST(mprotect_none)
{
	char *p = map(1);

	p[0] = 5;
	WORKS(mprotect(p, PAGE, PROT_NONE));
	faults(do_read, p);
	WORKS(mprotect(p, PAGE, PROT_READ));
	CHECK(p[0] == 5, "contents lost");
}

TEST(mprotect_exec)
{
	char *p = map(1);

	p[0] = (char)0xc3;
	faults(do_call, p);
	WORKS(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	CHECK(t_child(do_call, p) == 0);
}

TEST(mprotect_before_touch)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_NONE, ANON, -1, 0);

	CHECK(p != MAP_FAILED);
	faults(do_read, p);
	WORKS(mprotect(p, PAGE, PROT_READ));
	CHECK(p[0] == 0);
	faults(do_write, p);
	faults(do_read, p + PAGE);
}

TEST(mprotect_errors)
{
	char *p = map(3);

	FAILS(EINVAL, syscall(SYS_mprotect, p + 1, PAGE, PROT_READ));
	FAILS(ENOMEM, mprotect((void *)0x5000000000, PAGE, PROT_READ));
	FAILS(ENOMEM, mprotect((void *)0xffff888000000000, PAGE, PROT_READ));
	WORKS(munmap(p + PAGE, PAGE));
	FAILS(ENOMEM, mprotect(p, 3 * PAGE, PROT_READ));
	WORKS(mprotect(p, 0, PROT_READ));
}

/* A page made writable again after fork must still be copied on write. */
TEST(mprotect_keeps_cow)
{
	char *p = map(1);
	int pid;

	p[0] = 'a';
	pid = (int)WORKS(fork());
	if (pid == 0) {
		WORKS(mprotect(p, PAGE, PROT_READ));
		WORKS(mprotect(p, PAGE, RW));
		p[0] = 'b';
		_exit(0);
	}
	CHECK(t_wait(pid) == 0 && p[0] == 'a');
}

TEST(map_shared)
{
	char *p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pid;

	CHECK(p != MAP_FAILED);
	p[0] = 1;
	pid = (int)WORKS(fork());
	if (pid == 0) {
		p[0]++;
		p[1] = 9;
		_exit(0);
	}
	CHECK(t_wait(pid) == 0 && p[0] == 2 && p[1] == 9);
}

/* Linux shares such pages even when nobody had touched them before the fork. */
TEST(map_shared_untouched)
{
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pid;

	CHECK(p != MAP_FAILED);
	pid = (int)WORKS(fork());
	if (pid == 0) {
		p[0] = 42;
		_exit(0);
	}
	CHECK(t_wait(pid) == 0 && p[0] == 42, "saw %d", p[0]);
}

TEST(brk_grows_and_shrinks)
{
	char *start = (char *)syscall(SYS_brk, 0);

	CHECK((char *)syscall(SYS_brk, start + 10 * PAGE) == start + 10 * PAGE);
	memset(start, 1, 10 * PAGE);
	CHECK((char *)syscall(SYS_brk, start + PAGE) == start + PAGE);
	faults(do_read, start + 5 * PAGE);
	CHECK((char *)syscall(SYS_brk, start + 10 * PAGE) == start + 10 * PAGE);
	CHECK(start[0] == 1 && start[5 * PAGE] == 0, "shrunk and grown pages are fresh");
	CHECK((char *)syscall(SYS_brk, start + 17) == start + 17, "brk is in bytes");
}

TEST(brk_refuses)
{
	char *start = (char *)syscall(SYS_brk, 0);

	CHECK((char *)syscall(SYS_brk, 16) == start);
	CHECK((char *)syscall(SYS_brk, 0xffff888000000000) == start);
	CHECK((char *)syscall(SYS_brk, 0x7ffffffff000) == start);
	CHECK((char *)syscall(SYS_brk, ~0ul) == start);
}

TEST(brk_stops_at_a_mapping)
{
	char *start = (char *)syscall(SYS_brk, 0);
	char *page = (char *)(((unsigned long)start + 20 * PAGE) & ~(PAGE - 1));

	CHECK(mmap(page, PAGE, RW, ANON | MAP_FIXED, -1, 0) == page);
	CHECK((char *)syscall(SYS_brk, page + PAGE) == start);
	CHECK((char *)syscall(SYS_brk, page - PAGE) == page - PAGE);
}

TEST(heap)
{
	char *p[100];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 100; i++) {
			p[i] = malloc((size_t)(i * 977 + 1));
			CHECK(p[i]);
			memset(p[i], i, (size_t)(i * 977 + 1));
		}
		for (int i = 0; i < 100; i++) {
			CHECK(p[i][i * 977] == (char)i);
			free(p[i]);
		}
	}
}

/* --- the stack */

static __attribute__((noinline)) int deep(int kib)
{
	volatile char block[1024];

	block[0] = (char)kib;
	if (kib == 0)
		return 0;
	return deep(kib - 1) + (block[0] == (char)kib ? 0 : 1);
}

static void go_deep(void *kib) { _exit(deep((int)(long)kib) != 0); }

TEST(stack_grows) { CHECK(t_child(go_deep, (void *)4000L) == 0); }
TEST(stack_has_an_end) { t_expect_signal(go_deep, (void *)20000L, SIGSEGV); }

TEST(stack_is_not_grown_by_the_kernel_half)
{
	char *here = __builtin_frame_address(0);

	faults(do_write, here - (64ul << 20));
}

/* A system call may be the first to touch a new part of the stack. */
TEST(stack_grows_in_a_call)
{
	char *low = (char *)__builtin_frame_address(0) - 300000;
	int p[2];

	WORKS(pipe(p));
	CHECK(write(p[1], "deep", 4) == 4);
	CHECK(read(p[0], low, 4) == 4);
}

/* --- user copies meet the edges of memory */

TEST(read_into_hole)
{
	char *p = map(2);
	int fd[2];
	long n;

	WORKS(munmap(p + PAGE, PAGE));
	WORKS(pipe(fd));
	CHECK(write(fd[1], "0123456789", 10) == 10);
	n = read(fd[0], p + PAGE - 4, 10);
	CHECK(n == 4 || (n == -1 && errno == EFAULT), "%ld", n);
}

TEST(read_into_read_only)
{
	char *p = map(1);
	int fd[2];

	WORKS(mprotect(p, PAGE, PROT_READ));
	WORKS(pipe(fd));
	CHECK(write(fd[1], "x", 1) == 1);
	FAILS(EFAULT, read(fd[0], p, 1));
}

TEST(read_into_fresh)
{
	char *p = map(40);
	int fd = (int)WORKS(open("/dev/zero", O_RDONLY));

	CHECK(read(fd, p + 100, 39 * PAGE) == 39 * PAGE);
	CHECK(p[100] == 0);
}

TEST(write_from_hole)
{
	char *p = map(2);
	int fd[2];
	long n;

	WORKS(munmap(p + PAGE, PAGE));
	WORKS(pipe(fd));
	n = write(fd[1], p + PAGE - 4, 10);
	CHECK(n == 4 || (n == -1 && errno == EFAULT), "%ld", n);
	FAILS(EFAULT, write(fd[1], p + PAGE, 10));
}

TEST(write_from_prot_none)
{
	char *p = map(1);
	int fd[2];

	WORKS(mprotect(p, PAGE, PROT_NONE));
	WORKS(pipe(fd));
	FAILS(EFAULT, write(fd[1], p, 10));
}

/* --- volume */

static void touch(void *mib)
{
	unsigned long bytes = (unsigned long)mib << 20;
	char *p = map(bytes / PAGE);

	for (unsigned long i = 0; i < bytes; i += PAGE)
		p[i] = 1;
}

TEST(big_process_gives_back)
{
	for (int i = 0; i < 6; i++)
		CHECK(t_child(touch, (void *)100L) == 0, "round %d", i);
}

TEST(fork_of_a_big_process)
{
	char *p = map(16 << 8);
	int pid;

	for (unsigned long i = 0; i < 16 << 20; i += PAGE)
		p[i] = (char)(i >> 12);
	for (int round = 0; round < 4; round++) {
		pid = (int)WORKS(fork());
		if (pid == 0) {
			for (unsigned long i = 0; i < 16 << 20; i += 2 * PAGE)
				p[i]++;
			_exit(0);
		}
		CHECK(t_wait(pid) == 0);
	}
	for (unsigned long i = 0; i < 16 << 20; i += PAGE)
		CHECK(p[i] == (char)(i >> 12));
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
