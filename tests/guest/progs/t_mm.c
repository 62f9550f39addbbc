/* SPDX-License-Identifier: MIT */
/* Address spaces, the rest: mapped files, mremap, advice, locks, and limits of memory. */
#include "t.h"
#include <sys/resource.h>
#include <sys/syscall.h>

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(unsigned long pages)
{
	char *p = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);

	CHECK(p != MAP_FAILED, "%s", t_errno(errno));
	return p;
}

/* A file f of so many pages, page i full of 'a' + i. */
static int make_file(unsigned long pages)
{
	int fd = (int)WORKS(open("f", O_RDWR | O_CREAT | O_TRUNC, 0644));
	char page[PAGE];

	for (unsigned long i = 0; i < pages; i++) {
		memset(page, 'a' + (int)i, PAGE);
		CHECK(write(fd, page, PAGE) == (long)PAGE);
	}
	return fd;
}

static void do_read(void *p) { (void)*(volatile char *)p; }
static void do_write(void *p) { *(volatile char *)p = 1; }

TEST(file_private)
{
	int fd = make_file(3);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, PAGE), got;

	CHECK(p != MAP_FAILED);
	CHECK(p[0] == 'b' && p[PAGE] == 'c');
	p[0] = 'X';
	CHECK(pread(fd, &got, 1, PAGE) == 1 && got == 'b', "the file has %c", got);
	CHECK(p[1] == 'b' && p[0] == 'X');
	WORKS(close(fd));
	CHECK(p[PAGE] == 'c', "a mapping outlives its descriptor");
	WORKS(munmap(p, 2 * PAGE));
}

TEST(file_private_sees_writes)
{
	int fd = make_file(1);
	char *p = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);

	CHECK(p != MAP_FAILED && p[0] == 'a');
	CHECK(pwrite(fd, "Z", 1, 0) == 1);
	CHECK(p[0] == 'Z', "until it is changed here, the page is the file's");
	p[1] = 'q';
	CHECK(pwrite(fd, "YY", 2, 0) == 2);
	CHECK(p[0] == 'Z' && p[1] == 'q', "now it is not");
}

TEST(file_shared)
{
	int fd = make_file(2);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0), got;
	char *q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);

	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	p[PAGE] = 'S';
	CHECK(q[0] == 'S' && pread(fd, &got, 1, PAGE) == 1 && got == 'S');
	CHECK(pwrite(fd, "W", 1, 0) == 1 && p[0] == 'W');
	CHECK(t_child(do_write, p + 1) == 0);
	CHECK(p[1] == 1, "a child's write is everyone's");
	CHECK(pread(fd, &got, 1, 1) == 1 && got == 1);
	WORKS(msync(p, 2 * PAGE, MS_SYNC));
}

TEST(file_shared_hole)
{
	int fd = (int)WORKS(open("hole", O_RDWR | O_CREAT, 0644));
	char *p, *q, got = 1;
	struct stat st;

	WORKS(ftruncate(fd, 1 << 30));
	p = mmap(NULL, 1 << 30, RW, MAP_SHARED, fd, 0);
	q = mmap(NULL, 1 << 30, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	CHECK(q[1 << 29] == 0);
	p[1 << 29] = 5;
	CHECK(q[1 << 29] == 5, "both map one page");
	CHECK(pread(fd, &got, 1, 1 << 29) == 1 && got == 5);
	CHECK(pwrite(fd, "x", 1, 4096 * 77) == 1 && q[4096 * 77] == 'x');
	WORKS(fstat(fd, &st));
	CHECK(st.st_blocks > 0 && st.st_blocks < 64, "%ld blocks", (long)st.st_blocks);
}

TEST(file_shared_reads_into_itself)
{
	int fd = make_file(2);
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	WORKS(ftruncate(fd, 4 * PAGE));
	CHECK(pread(fd, p + 2 * PAGE, PAGE, 0) == (long)PAGE, "%s", t_errno(errno));
	CHECK(p[2 * PAGE] == 'a');
	CHECK(pwrite(fd, p + 3 * PAGE, PAGE, PAGE) == (long)PAGE, "%s", t_errno(errno));
	CHECK(p[PAGE] == 0);
}

TEST(file_end_is_sigbus)
{
	int fd = make_file(1);
	char *p;

	WORKS(ftruncate(fd, 100));
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED && p[99] == 'a' && p[100] == 0 && p[PAGE - 1] == 0);
	t_expect_signal(do_read, p + PAGE, SIGBUS);
	t_expect_signal(do_write, p + PAGE, SIGBUS);
	FAILS(EFAULT, write(1, p + PAGE, 1));
	p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	t_expect_signal(do_write, p + PAGE, SIGBUS);
	WORKS(ftruncate(fd, 2 * PAGE));
	CHECK(t_child(do_write, p + PAGE) == 0, "the file has grown");
}

TEST(file_unlinked_stays)
{
	int fd = make_file(8);
	char *p = mmap(NULL, 8 * PAGE, PROT_READ, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	WORKS(unlink("f"));
	WORKS(close(fd));
	for (int i = 0; i < 8; i++)
		CHECK(p[(unsigned long)i * PAGE] == 'a' + i);
}

TEST(file_rights)
{
	int fd = make_file(1), ro, wo;
	char *p;

	WORKS(close(fd));
	ro = (int)WORKS(open("f", O_RDONLY));
	wo = (int)WORKS(open("f", O_WRONLY));
	FAILS(EACCES, mmap(NULL, PAGE, RW, MAP_SHARED, ro, 0));
	FAILS(EACCES, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, wo, 0));
	FAILS(EACCES, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, wo, 0));
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
	CHECK(p != MAP_FAILED);
	FAILS(EACCES, mprotect(p, PAGE, RW));
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 0);
	CHECK(p != MAP_FAILED);
	WORKS(mprotect(p, PAGE, RW));
	p[0] = 'P';
	FAILS(EINVAL, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 12));
	FAILS(EINVAL, mmap(NULL, 0, PROT_READ, MAP_PRIVATE, ro, 0));
	FAILS(EINVAL, mmap(NULL, PAGE, PROT_READ, 0, ro, 0));
	FAILS(EBADF, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0));
	fd = (int)WORKS(open(".", O_RDONLY));
	FAILS(ENODEV, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	fd = (int)WORKS(open("f", O_PATH));
	FAILS(EBADF, mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
}

TEST(file_fork_copies)
{
	int fd = make_file(2);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);

	p[0] = 'm';
	CHECK(t_child(do_write, p) == 0 && p[0] == 'm');
	CHECK(t_child(do_write, p + PAGE) == 0 && p[PAGE] == 'b');
}

TEST(file_cut_in_pieces)
{
	int fd = make_file(8);
	char *p = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);

	WORKS(munmap(p + 2 * PAGE, PAGE));
	CHECK(p[3 * PAGE] == 'd' && p[PAGE] == 'b');
	WORKS(mprotect(p + 5 * PAGE, PAGE, RW));
	p[5 * PAGE] = '!';
	CHECK(p[6 * PAGE] == 'g');
	WORKS(munmap(p, PAGE));
	CHECK(p[PAGE] == 'b' && p[7 * PAGE] == 'h');
}

TEST(dev_zero)
{
	int fd = (int)WORKS(open("/dev/zero", O_RDWR));
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);

	CHECK(p != MAP_FAILED && p[PAGE] == 0);
	p[0] = 1;
}

TEST(shared_anonymous_over_fork)
{
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK(t_child(do_write, p + 3 * PAGE) == 0);
	CHECK(p[3 * PAGE] == 1);
	WORKS(madvise(p, 4 * PAGE, MADV_DONTNEED));
	CHECK(p[3 * PAGE] == 1, "shared memory is not dropped");
}

TEST(mremap_grow_in_place)
{
	char *p = map(8), *q;

	p[0] = 1;
	WORKS(munmap(p + 4 * PAGE, 4 * PAGE));
	q = mremap(p, 4 * PAGE, 8 * PAGE, 0);
	CHECK(q == p, "%s", t_errno(errno));
	CHECK(q[0] == 1 && q[8 * PAGE - 1] == 0);
}

TEST(mremap_move)
{
	char *p = map(4), *q;

	for (int i = 0; i < 3; i++)
		p[(unsigned long)i * PAGE] = (char)(i + 1);
	WORKS(mprotect(p + 3 * PAGE, PAGE, PROT_READ));
	FAILS(ENOMEM, mremap(p, 3 * PAGE, 6 * PAGE, 0));
	q = mremap(p, 3 * PAGE, 600 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	for (int i = 0; i < 3; i++)
		CHECK(q[(unsigned long)i * PAGE] == i + 1);
	CHECK(q[599 * PAGE] == 0);
	t_expect_signal(do_read, p, SIGSEGV);
}

TEST(mremap_shrink_and_part)
{
	char *p = map(6), *q;

	for (int i = 0; i < 6; i++)
		p[(unsigned long)i * PAGE] = (char)(i + 1);
	CHECK(mremap(p, 6 * PAGE, 4 * PAGE, 0) == p);
	t_expect_signal(do_read, p + 4 * PAGE, SIGSEGV);
	q = mremap(p + PAGE, PAGE, 50 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q[0] == 2 && p[0] == 1 && p[2 * PAGE] == 3);
	t_expect_signal(do_read, p + PAGE, SIGSEGV);
}

TEST(mremap_fixed)
{
	char *p = map(2), *to = map(4), *q;

	p[0] = 7;
	p[PAGE] = 8;
	memset(to, 9, 4 * PAGE);
	q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE);
	CHECK(q == to + PAGE && q[0] == 7 && q[PAGE] == 8 && to[0] == 9 && to[3 * PAGE] == 9);
	t_expect_signal(do_read, p, SIGSEGV);
	FAILS(EINVAL, mremap(q, PAGE, PAGE, MREMAP_FIXED, to));
	FAILS(EINVAL, mremap(q, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 1));
	FAILS(EINVAL, mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE));
}

TEST(mremap_errors)
{
	char *p = map(2);

	FAILS(EINVAL, mremap(p + 1, PAGE, PAGE, 0));
	FAILS(EINVAL, mremap(p, PAGE, 0, 0));
	FAILS(EINVAL, mremap(p, PAGE, PAGE, 64));
	FAILS(EFAULT, mremap((void *)0x5000000000, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	WORKS(mprotect(p + PAGE, PAGE, PROT_READ));
	FAILS(EFAULT, mremap(p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE));
	FAILS(ENOMEM, mremap(p, PAGE, (1ul << 47) - 2 * PAGE, MREMAP_MAYMOVE));
}

TEST(mremap_file)
{
	int fd = make_file(6);
	char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 2 * PAGE), *q;

	q = mremap(p + PAGE, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q[0] == 'd' && q[PAGE] == 'e' && q[2 * PAGE] == 'f');
	CHECK(p[0] == 'c');
}

TEST(madvise_dontneed)
{
	int fd = make_file(2);
	char *p = map(4), *f = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);

	memset(p, 5, 4 * PAGE);
	WORKS(madvise(p + PAGE, 2 * PAGE, MADV_DONTNEED));
	CHECK(p[0] == 5 && p[PAGE] == 0 && p[2 * PAGE] == 0 && p[3 * PAGE] == 5);
	f[0] = 'X';
	WORKS(madvise(f, 2 * PAGE, MADV_DONTNEED));
	CHECK(f[0] == 'a', "the file's contents are back");
	WORKS(madvise(p, PAGE, MADV_WILLNEED));
	WORKS(madvise(p, PAGE, MADV_NORMAL));
	WORKS(madvise(p, 0, MADV_DONTNEED));
	FAILS(EINVAL, madvise(p + 1, PAGE, MADV_DONTNEED));
	FAILS(EINVAL, madvise(p, PAGE, 7));
	FAILS(EINVAL, madvise(p, PAGE, -1));
	WORKS(munmap(p + PAGE, PAGE));
	p[0] = p[2 * PAGE] = 6;
	FAILS(ENOMEM, madvise(p, 4 * PAGE, MADV_DONTNEED));
	CHECK(p[0] == 0 && p[2 * PAGE] == 0, "what is mapped was dropped all the same");
}

TEST(mincore_and_msync)
{
	char *p = map(4);
	unsigned char vec[4];

	p[PAGE] = 1;
	WORKS(mincore(p, 4 * PAGE, vec));
	CHECK(!(vec[0] & 1) && (vec[1] & 1) && !(vec[2] & 1));
	FAILS(EINVAL, mincore(p + 1, PAGE, vec));
	FAILS(EFAULT, mincore(p, PAGE, (void *)8));
	WORKS(msync(p, 4 * PAGE, MS_ASYNC));
	FAILS(EINVAL, msync(p, PAGE, MS_SYNC | MS_ASYNC));
	FAILS(EINVAL, msync(p + 1, PAGE, MS_SYNC));
	FAILS(EINVAL, msync(p, PAGE, 64));
	WORKS(munmap(p + PAGE, PAGE));
	FAILS(ENOMEM, mincore(p, 4 * PAGE, vec));
	FAILS(ENOMEM, msync(p, 4 * PAGE, MS_SYNC));
}

static void populate_sparse(void)
{
	int fd = (int)WORKS(open("f", O_RDWR | O_CREAT | O_TRUNC, 0644));
	unsigned long bytes = 4095ul << 30;

	WORKS(ftruncate(fd, (long)bytes));
	CHECK(mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0) != MAP_FAILED);
}

static void ask_for_all(void)
{
	unsigned long bytes = 1ul << 38;
	char *p = mmap(NULL, bytes, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	char *present = mmap(NULL, bytes / PAGE, RW, ANON | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED && present != MAP_FAILED);
	WORKS(mincore(p, bytes, (unsigned char *)present));
}

TEST(a_kill_ends_long_calls)
{
	static void (*const calls[])(void) = { populate_sparse, ask_for_all };
	struct timespec from, to;
	int status, pid;

	for (int i = 0; i < 2; i++) {
		pid = (int)WORKS(fork());
		if (pid == 0) {
			calls[i]();
			_exit(0);
		}
		usleep(200000);
		clock_gettime(CLOCK_MONOTONIC, &from);
		WORKS(kill(pid, SIGKILL));
		status = t_wait(pid);
		clock_gettime(CLOCK_MONOTONIC, &to);
		CHECK(status == SIGKILL || status == 0);
		CHECK(to.tv_sec - from.tv_sec < 4, "call %d: killed after %ld s", i,
		      (long)(to.tv_sec - from.tv_sec));
	}
	WORKS(unlink("f"));
}

TEST(mlock_family)
{
	char *p = map(4);
	unsigned char vec[4];

	WORKS(mlock(p, 2 * PAGE));
	WORKS(mincore(p, 2 * PAGE, vec));
	CHECK((vec[0] & 1) && (vec[1] & 1));
	WORKS(munlock(p, 2 * PAGE));
	FAILS(ENOMEM, mlock((void *)0x5000000000, PAGE));
	FAILS(EINVAL, mlockall(0));
	FAILS(EINVAL, mlockall(64));
	WORKS(munlockall());
}

static void limit(int what, unsigned long to)
{
	struct rlimit r = { to, to };

	WORKS(setrlimit(what, &r));
}

static unsigned long move_break(unsigned long to)
{
	return (unsigned long)syscall(SYS_brk, to);
}

TEST(limit_address_space)
{
	char *p;

	limit(RLIMIT_AS, 64 << 20);
	FAILS(ENOMEM, mmap(NULL, 128 << 20, RW, ANON, -1, 0));
	p = mmap(NULL, 16 << 20, RW, ANON, -1, 0);
	CHECK(p != MAP_FAILED);
	FAILS(ENOMEM, mremap(p, 16 << 20, 128 << 20, MREMAP_MAYMOVE));
	CHECK(move_break((100 << 20) + move_break(0)) < (100 << 20) + move_break(0));
}

TEST(limit_data)
{
	limit(RLIMIT_DATA, 8 << 20);
	FAILS(ENOMEM, mmap(NULL, 16 << 20, RW, ANON, -1, 0));
	CHECK(mmap(NULL, 16 << 20, PROT_READ, ANON, -1, 0) != MAP_FAILED);
	CHECK(mmap(NULL, 16 << 20, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static int deep(int pages)
{
	volatile char room[PAGE];

	room[0] = (char)pages;
	return pages ? deep(pages - 1) + room[0] : 0;
}

static void use_stack(void *pages)
{
	deep((int)(long)pages);
}

TEST(limit_stack)
{
	limit(RLIMIT_STACK, 1 << 20);
	CHECK(t_child(use_stack, (void *)150) == 0);
	t_expect_signal(use_stack, (void *)300, SIGSEGV);
}

TEST(stack_limit_may_rise)
{
	struct rlimit r = { 64 << 20, RLIM_INFINITY };

	WORKS(setrlimit(RLIMIT_STACK, &r));
	CHECK(t_child(use_stack, (void *)6000) == 0);
}

TEST(exact_break)
{
	unsigned long start = move_break(0);

	CHECK(move_break(start + 3 * PAGE) == start + 3 * PAGE);
	((char *)start)[3 * PAGE - 1] = 1;
	CHECK(move_break(start + 1) == start + 1 && move_break(0) == start + 1);
	CHECK(move_break(16) == start + 1, "too low: nothing changes");
	CHECK(move_break(~0ul) == start + 1, "too high as well");
	CHECK(move_break(start) == start);
}

TEST(mmap_flags)
{
	FAILS(EINVAL, mmap(NULL, PAGE, RW, MAP_ANONYMOUS | 5, -1, 0));
	CHECK(mmap(NULL, PAGE, RW, ANON | MAP_GROWSDOWN, -1, 0) != MAP_FAILED);
	FAILS(EINVAL, mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0));
	char *p = mmap(NULL, 4 * PAGE, RW, ANON | MAP_POPULATE, -1, 0);
	unsigned char vec[4];

	CHECK(p != MAP_FAILED);
	WORKS(mincore(p, 4 * PAGE, vec));
	CHECK((vec[0] & 1) && (vec[3] & 1));
	FAILS(EINVAL, mprotect(p, PAGE, 0x40));
	FAILS(ENOMEM, mprotect((void *)0x5000000000, PAGE, PROT_READ));
}

/* Two processes and the file agree while all of them write. */
TEST(shared_file_by_many)
{
	int fd = make_file(16);
	int pid[4];
	char *p = mmap(NULL, 16 * PAGE, RW, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	for (int k = 0; k < 4; k++) {
		pid[k] = (int)WORKS(fork());
		if (pid[k])
			continue;
		for (int i = 0; i < 2000; i++)
			__atomic_add_fetch((int *)(p + (unsigned long)(i % 16) * PAGE + 64), 1,
					   __ATOMIC_SEQ_CST);
		_exit(0);
	}
	for (int k = 0; k < 4; k++)
		CHECK(t_wait(pid[k]) == 0);
	for (int i = 0; i < 16; i++) {
		int got, want = 500 + 0x01010101 * ('a' + i);

		CHECK(pread(fd, &got, 4, i * (long)PAGE + 64) == 4 && got == want,
		      "page %d: %d", i, got - want);
	}
}

/* The last that knows a big file is a mapping. */
TEST(file_goes_with_its_mapping)
{
	int fd = make_file(16);
	char *p;

	WORKS(ftruncate(fd, 400 * PAGE));
	p = mmap(NULL, 400 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	memset(p, 3, 400 * PAGE);
	WORKS(unlink("f"));
	WORKS(close(fd));
	WORKS(munmap(p + 100 * PAGE, 100 * PAGE));
	WORKS(munmap(p, 400 * PAGE));
}

/* Some touch a mapped file, by way of system calls that survive its end, others cut it. */
TEST(file_cut_while_mapped)
{
	int fd = make_file(1), from, pid[4];
	char *p = mmap(NULL, 64 * PAGE, RW, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	t_file("from", "some bytes");
	from = (int)WORKS(open("from", O_RDONLY));
	for (int k = 0; k < 4; k++) {
		pid[k] = (int)WORKS(fork());
		if (pid[k])
			continue;
		for (int i = 0; i < 3000; i++) {
			char *at = p + (unsigned long)((i * 7 + k * 13) % 64) * PAGE + 8;
			long n = pread(from, at, 4, 0);

			CHECK(n == 4 || (n == -1 && errno == EFAULT), "%ld %s", n, t_errno(errno));
			if (k < 2 && i % 3 == 0)
				WORKS(ftruncate(fd, (i % 65) * (long)PAGE));
			if (k == 2 && i % 5 == 0)
				CHECK(pwrite(fd, "x", 1, (i % 64) * (long)PAGE) == 1);
			if (k == 3 && i % 50 == 0)
				WORKS(madvise(p, 64 * PAGE, MADV_DONTNEED));
		}
		_exit(0);
	}
	for (int k = 0; k < 4; k++)
		CHECK(t_wait(pid[k]) == 0);
	WORKS(ftruncate(fd, 0));
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
