/* SPDX-License-Identifier: MIT */
/* Bad input: pointers, lengths, ELF files. Each must give the right errno, and no more. */
#include "t.h"
#include <elf.h>

static void *const bad[] = {
	(void *)0xffffffff80000000, (void *)0xffff888000000000, (void *)0xffff800000000000,
	(void *)0xfffffffffffff000, (void *)0xffffffffffffffff, (void *)0x0000800000000000,
	(void *)0x8000000000000000, (void *)16, (void *)0x00007ffffffffff8,
	(void *)0x0000123400000000,
};

static char buf[8192];

/* Each bad pointer in one call: EFAULT every time. */
#define EACH(call) \
	do { \
		for (size_t i_ = 0; i_ < sizeof(bad) / sizeof(bad[0]); i_++) { \
			void *p = bad[i_]; \
			long ret_; \
			errno = 0; \
			ret_ = (long)(call); \
			if (ret_ != -1 || errno != EFAULT) \
				t_fail(__LINE__, #call, "%p: returned %ld, errno %s", p, \
				       ret_, t_errno(errno)); \
		} \
	} while (0)

static int zero_fd(void) { return (int)WORKS(open("/dev/zero", O_RDWR)); }

static int file_fd(void)
{
	t_file("f", "some data that can be read");
	return (int)WORKS(open("f", O_RDWR));
}

TEST(pointer_read)
{
	int fd = file_fd();

	EACH(syscall(SYS_read, fd, p, 10));
	CHECK(lseek(fd, 0, SEEK_CUR) == 0);
	EACH(syscall(SYS_pread64, fd, p, 10, 0));
	fd = zero_fd();
	EACH(syscall(SYS_read, fd, p, 100000));
}

TEST(pointer_write)
{
	int fd = file_fd();

	EACH(syscall(SYS_write, fd, p, 10));
	EACH(syscall(SYS_pwrite64, fd, p, 10, 0));
	CHECK(pread(fd, buf, 4, 0) == 4 && !memcmp(buf, "some", 4));
}

TEST(pointer_pipe_data)
{
	int fd[2];

	WORKS(pipe(fd));
	EACH(syscall(SYS_write, fd[1], p, 10));
	CHECK(write(fd[1], "x", 1) == 1);
	EACH(syscall(SYS_read, fd[0], p, 1));
	CHECK(read(fd[0], buf, 1) == 1 && buf[0] == 'x', "a failed read loses nothing");
}

TEST(pointer_open) { EACH(syscall(SYS_open, p, O_RDONLY, 0)); }
TEST(pointer_create) { EACH(syscall(SYS_open, p, O_WRONLY | O_CREAT, 0644)); }
TEST(pointer_mkdir) { EACH(syscall(SYS_mkdir, p, 0755)); }
TEST(pointer_rmdir) { EACH(syscall(SYS_rmdir, p)); }
TEST(pointer_unlink) { EACH(syscall(SYS_unlink, p)); }
TEST(pointer_chdir) { EACH(syscall(SYS_chdir, p)); }
TEST(pointer_getcwd) { EACH(syscall(SYS_getcwd, p, 100)); }
TEST(pointer_rename)
{
	t_file("f", "x");
	EACH(syscall(SYS_rename, p, "g"));
	EACH(syscall(SYS_rename, "f", p));
}
TEST(pointer_link)
{
	t_file("f", "x");
	EACH(syscall(SYS_link, p, "g"));
	EACH(syscall(SYS_link, "f", p));
}
TEST(pointer_symlink)
{
	EACH(syscall(SYS_symlink, p, "g"));
	EACH(syscall(SYS_symlink, "f", p));
}
TEST(pointer_readlink)
{
	WORKS(symlink("target", "s"));
	EACH(syscall(SYS_readlink, p, buf, 100));
	EACH(syscall(SYS_readlink, "s", p, 100));
}
TEST(pointer_stat)
{
	EACH(syscall(SYS_stat, p, buf));
	EACH(syscall(SYS_stat, "/", p));
	EACH(syscall(SYS_lstat, "/", p));
	EACH(syscall(SYS_fstat, 1, p));
}
TEST(pointer_getdents)
{
	int fd = (int)WORKS(open("/", O_RDONLY | O_DIRECTORY));

	EACH(syscall(SYS_getdents64, fd, p, 1000));
	EACH(syscall(SYS_getdents, fd, p, 1000));
	CHECK(syscall(SYS_getdents64, fd, buf, sizeof(buf)) > 0);
}

TEST(pointer_vectors)
{
	int fd = file_fd();

	EACH(syscall(SYS_readv, fd, p, 2));
	EACH(syscall(SYS_writev, fd, p, 2));
	EACH(syscall(SYS_preadv, fd, p, 2, 0));
	EACH(syscall(SYS_pwritev, fd, p, 1024, 0));
	CHECK(pread(fd, buf, 4, 0) == 4 && !memcmp(buf, "some", 4));
}

TEST(pointer_attributes)
{
	int fd = file_fd();

	EACH(syscall(SYS_statx, fd, "", 0x1000, 0x7ff, p));
	EACH(syscall(SYS_statx, fd, p, 0, 0x7ff, buf));
	EACH(syscall(SYS_utimensat, AT_FDCWD, "f", p, 0));
	EACH(syscall(SYS_utimensat, AT_FDCWD, p, 0, 0));
	EACH(syscall(SYS_utimes, "f", p));
	EACH(syscall(SYS_futimesat, AT_FDCWD, "f", p));
	EACH(syscall(SYS_utime, "f", p));
	EACH(syscall(SYS_chmod, p, 0644));
	EACH(syscall(SYS_chown, p, 0, 0));
	EACH(syscall(SYS_fchownat, fd, p, 0, 0, 0x1000));
	EACH(syscall(SYS_access, p, 0));
	EACH(syscall(439, AT_FDCWD, p, 0, 0));
	EACH(syscall(SYS_truncate, p, 0));
	EACH(syscall(SYS_mknod, p, 0100644, 0));
}

TEST(pointer_files)
{
	int fd = file_fd(), out = (int)WORKS(open("g", O_RDWR | O_CREAT, 0644));

	EACH(syscall(SYS_sendfile, out, fd, p, 10));
	EACH(syscall(SYS_copy_file_range, fd, p, out, 0, 10, 0));
	EACH(syscall(SYS_copy_file_range, fd, 0, out, p, 10, 0));
	EACH(syscall(SYS_fcntl, fd, F_SETLK, p));
	EACH(syscall(SYS_fcntl, fd, F_GETLK, p));
	EACH(syscall(SYS_renameat2, AT_FDCWD, p, AT_FDCWD, "h", 0));
	EACH(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, p, 1));
	EACH(syscall(SYS_linkat, AT_FDCWD, p, AT_FDCWD, "h", 0));
	EACH(syscall(SYS_linkat, AT_FDCWD, "f", AT_FDCWD, p, 0));
	CHECK(lseek(out, 0, SEEK_END) == 0);
}

TEST(pointer_pipe)
{
	EACH(syscall(SYS_pipe, p));
	EACH(syscall(SYS_pipe2, p, O_CLOEXEC));
	CHECK(open("/dev/null", O_RDONLY) < 10, "failed pipes keep no descriptors");
}

TEST(pointer_time)
{
	EACH(syscall(SYS_clock_gettime, 1, p));
	EACH(syscall(SYS_nanosleep, p, 0));
}

TEST(pointer_wait)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (WORKS(fork()) == 0)
			_exit(0);
		FAILS(EFAULT, syscall(SYS_wait4, -1, bad[i], 0, 0));
	}
}

TEST(pointer_exec)
{
	char *argv[] = { "x", NULL }, *hole[] = { "x", (char *)0xffff888000000000, NULL };

	EACH(syscall(SYS_execve, p, argv, NULL));
	EACH(syscall(SYS_execve, t_self, p, NULL));
	EACH(syscall(SYS_execve, t_self, argv, p));
	FAILS(EFAULT, syscall(SYS_execve, t_self, hole, NULL));
	FAILS(EFAULT, syscall(SYS_execve, t_self, argv, hole));
}

TEST(pointer_group_calls)
{
	if (!t_groups)
		return;
	EACH(syscall(SYS_cgroup_create, p, 0755));
	EACH(syscall(SYS_cgroup_remove, p));
	EACH(syscall(SYS_cgroup_attach, p, 0));
	EACH(syscall(SYS_cgroup_kill, p));
	EACH(syscall(SYS_cgroup_list, p, buf, 100));
	EACH(syscall(SYS_cgroup_list, "/", p, 1000));
	EACH(syscall(SYS_cgroup_read, p, "tasks", buf, 100));
	EACH(syscall(SYS_cgroup_read, t_group, p, buf, 100));
	EACH(syscall(SYS_cgroup_read, t_group, "tasks", p, 1000));
	EACH(syscall(SYS_cgroup_write, p, "tasks", "0", 1));
	EACH(syscall(SYS_cgroup_write, t_group, p, "0", 1));
	EACH(syscall(SYS_cgroup_write, t_group, "tasks", p, 1));
	EACH(syscall(SYS_mm_audit, p, 1000));
}

/* A string that begins in memory and runs into a hole. */
TEST(string_into_hole)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED);
	memset(page, 'a', 4096);
	WORKS(munmap(page + 4096, 4096));
	FAILS(EFAULT, mkdir(page + 4096 - 5, 0755));
	FAILS(EFAULT, open(page + 4096 - 5, O_RDONLY));
	page[4095] = 0;
	WORKS(mkdir(page + 4096 - 5, 0755));
	WORKS(rmdir("aaaa"));
}

TEST(lengths)
{
	int fd = file_fd(), d = (int)WORKS(open("/", O_RDONLY | O_DIRECTORY));
	long n = syscall(SYS_read, fd, buf, -1l);

	CHECK(n == -1 && (errno == EINVAL || errno == EFAULT), "read: %ld", n);
	n = syscall(SYS_write, fd, buf, -1l);
	CHECK(n == -1 && (errno == EINVAL || errno == EFAULT), "write: %ld", n);
	n = syscall(SYS_write, fd, buf, 1ul << 63);
	CHECK(n == -1 && (errno == EINVAL || errno == EFAULT), "write: %ld", n);
	n = syscall(SYS_pwrite64, fd, "x", 1, 0x7fffffffffffffffl);
	CHECK(n == -1 && (errno == EINVAL || errno == EFBIG), "pwrite: %ld", n);
	FAILS(EINVAL, syscall(SYS_readlink, "f", buf, -1));
	FAILS(EINVAL, syscall(SYS_readlink, "f", buf, 0));
	n = syscall(SYS_getdents64, d, buf, 0x7fffffff);
	CHECK(n >= 0 || errno == EFAULT);
	FAILS(EINVAL, lseek(fd, -1, SEEK_SET));
	n = lseek(fd, 0x7fffffffffffffff, SEEK_SET);
	CHECK(n == 0x7fffffffffffffff || (n == -1 && errno == EINVAL), "seek %ld", n);
	CHECK(n < 0 || read(fd, buf, 10) == 0);
	if (n > 0)
		CHECK(write(fd, buf, 10) == -1 && (errno == EFBIG || errno == EINVAL));
}

TEST(seek_far_and_write)
{
	int fd = file_fd();
	long n;

	CHECK(lseek(fd, 1l << 43, SEEK_SET) == 1l << 43);
	n = write(fd, "x", 1);
	CHECK(n == 1 || (n == -1 && (errno == EFBIG || errno == ENOMEM || errno == ENOSPC)),
	      "%ld %s", n, t_errno(errno));
}

TEST(group_bad_input)
{
	static char name[5001];

	if (!t_groups)
		return;
	memset(name, 'g', 5000);
	name[0] = '/';
	FAILS(ENAMETOOLONG, cgroup_create(name, 0755));
	name[70] = 0;
	FAILS(ENAMETOOLONG, cgroup_create(name, 0755));
	FAILS(ENOENT, cgroup_create("/no/such", 0755));
	FAILS(EEXIST, cgroup_create(t_group, 0755));
	CHECK(cgroup_create("", 0755) == -1 && cgroup_create("relative", 0755) == -1);
	CHECK(cgroup_create("/", 0755) == -1);
	CHECK(cgroup_remove("/") == -1);
	FAILS(ENOENT, cgroup_remove("/no"));
	FAILS(ENOENT, cgroup_read(t_group, "no.such", buf, 100));
	FAILS(ERANGE, cgroup_read(t_group, "memory.stat", buf, 3));
	FAILS(ENOENT, cgroup_read("/no", "tasks", buf, 100));
	FAILS(ESRCH, cgroup_attach(t_group, 4000000));
	CHECK(cgroup_attach(t_group, -5) == -1);
	CHECK(cgroup_write(t_group, "memory.stat", "1", 1) == -1);
	FAILS(EINVAL, cgroup_write("/", "memory.kmem.limit_in_bytes", "1M", 2));
}

TEST(limit_values)
{
	static const char *const junk[] = {
		"", "x", "1Q", "1MM", "--1", "-2", "1.5M", "M", "99999999999999999999",
		"18446744073709551615G",
	};
	static const struct { const char *text; long bytes; } good[] = {
		{ "64M", 64 << 20 }, { "67108864", 64 << 20 }, { "65536K", 64 << 20 },
		{ "67108863", 64 << 20 }, { "64m\n", 64 << 20 }, { " 1G", 1 << 30 },
	};
	const char *control = "memory.kmem.limit_in_bytes";
	long bytes;

	if (!t_groups)
		return;
	for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		CHECK(control_set(t_group, control, junk[i]) == -EINVAL, "'%s'", junk[i]);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		CHECK(control_set(t_group, control, good[i].text) >= 0, "'%s'", good[i].text);
		CHECK(control_number(t_group, control, &bytes) == 0 && bytes == good[i].bytes,
		      "'%s' gives %ld", good[i].text, bytes);
	}
	t_file("f", "a page of data, a dentry and an inode: more than one page is charged");
	CHECK(control_set(t_group, control, "4096") == -EBUSY, "below usage");
	CHECK(control_number(t_group, control, &bytes) == 0 && bytes == 1 << 30);
}

/* --- ELF files */

static char image[4 << 20];
static long image_bytes;

static void load_self(void)
{
	int fd = (int)WORKS(open(t_self, O_RDONLY));
	long n;

	image_bytes = 0;
	while ((n = read(fd, image + image_bytes, sizeof(image) - (size_t)image_bytes)) > 0)
		image_bytes += n;
	CHECK(n == 0 && image_bytes > 4096);
	close(fd);
}

static void save(long bytes)
{
	int fd = (int)WORKS(open("prog", O_WRONLY | O_CREAT | O_TRUNC, 0755));

	CHECK(write_all(fd, image, (size_t)bytes) == 0);
	close(fd);
}

/* exec of what was saved: errno, or 1000 + wait status when the program was started. */
static int try_exec(void)
{
	char *argv[] = { "/tmp/t/prog", "no_such_test", NULL };
	int pid = (int)WORKS(fork()), status;

	if (pid == 0) {
		close(1);
		close(2);
		execve(argv[0], argv, NULL);
		_exit(errno);
	}
	status = t_wait(pid);
	if (WIFSIGNALED(status))
		return 1000 + status;
	return WEXITSTATUS(status);
}

static Elf64_Ehdr *header(void) { return (Elf64_Ehdr *)image; }
static Elf64_Phdr *segment(int type)
{
	Elf64_Phdr *ph = (Elf64_Phdr *)(image + header()->e_phoff);

	for (int i = 0; i < header()->e_phnum; i++)
		if (ph[i].p_type == (unsigned)type)
			return &ph[i];
	t_fail(__LINE__, "segment", "none of type %d", type);
}

static void expect(int error)
{
	int got;

	save(image_bytes);
	got = try_exec();
	CHECK(got == error, "got %d (%s), not %d", got, t_errno(got), error);
}

TEST(elf_copy_runs) { load_self(); expect(0); }
TEST(elf_no_magic) { load_self(); image[1] = 'X'; expect(ENOEXEC); }
TEST(elf_32_bit)
{
	load_self();
	image[EI_CLASS] = ELFCLASS32;
	header()->e_machine = EM_386;
	expect(ENOEXEC);
}
TEST(elf_foreign_machine) { load_self(); header()->e_machine = EM_AARCH64; expect(ENOEXEC); }
TEST(elf_relocatable) { load_self(); header()->e_type = ET_REL; expect(ENOEXEC); }
TEST(elf_core) { load_self(); header()->e_type = ET_CORE; expect(ENOEXEC); }
TEST(elf_no_segments) { load_self(); header()->e_phnum = 0; expect(ENOEXEC); }
TEST(elf_segment_size) { load_self(); header()->e_phentsize = 8; expect(ENOEXEC); }
TEST(elf_segments_beyond_end) { load_self(); header()->e_phoff = 1ul << 60; expect(ENOEXEC); }

/* These Linux finds out too late and kills the process: an errno or its end, no more. */
static void expect_refused(void)
{
	int got;

	save(image_bytes);
	got = try_exec();
	CHECK(got != 0, "it ran");
}

TEST(elf_kernel_address)
{
	load_self();
	segment(PT_LOAD)->p_vaddr = 0xffffffff80000000;
	expect_refused();
}

TEST(elf_wraps)
{
	load_self();
	segment(PT_LOAD)->p_memsz = ~0ul - 4096;
	expect_refused();
}

TEST(elf_file_larger_than_memory)
{
	load_self();
	segment(PT_LOAD)->p_filesz = segment(PT_LOAD)->p_memsz + 4096;
	expect_refused();
}

TEST(elf_data_beyond_end)
{
	load_self();
	segment(PT_LOAD)->p_offset = 1ul << 40;
	expect_refused();
}

TEST(elf_entry_in_kernel)
{
	load_self();
	header()->e_entry = 0xffffffff80000000;
	expect_refused();
}

TEST(elf_dynamic)
{
	static const char interp[] = "/lib/ld-no-such.so.1";
	Elf64_Phdr *note;

	load_self();
	note = segment(PT_GNU_STACK);
	memcpy(image + image_bytes, interp, sizeof(interp));
	note->p_type = PT_INTERP;
	note->p_offset = (unsigned long)image_bytes;
	note->p_filesz = note->p_memsz = sizeof(interp);
	image_bytes += (long)sizeof(interp);
	expect(ENOENT);
}

/* Cut at every interesting length: never a crash of the kernel, never a program that lives. */
TEST(elf_truncated)
{
	static const long cut[] = { 0, 1, 3, 4, 16, 32, 63, 64, 100, 200, 400, 1000, 4095, 4096 };

	load_self();
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		save(cut[i]);
		CHECK(try_exec() != 0, "%ld bytes ran", cut[i]);
	}
}

/* Bytes of the headers changed at random (but the same each time): the kernel must live. */
TEST(elf_garbled)
{
	unsigned long seed = 12345;

	for (int i = 0; i < 60; i++) {
		load_self();
		for (int k = 0; k < 4; k++) {
			seed = seed * 6364136223846793005 + 1442695040888963407;
			image[16 + (seed >> 33) % 380] = (char)(seed >> 25);
		}
		save(image_bytes > 65536 ? 65536 : image_bytes);
		try_exec();
	}
}

TEST(exec_errors)
{
	char *argv[] = { "x", NULL };
	static char path[5001];

	t_file("text", "just text\n");
	FAILS(EACCES, execve("text", argv, NULL));
	WORKS(mkdir("d", 0755));
	FAILS(EACCES, execve("d", argv, NULL));
	FAILS(ENOENT, execve("none", argv, NULL));
	FAILS(ENOENT, execve("", argv, NULL));
	FAILS(ENOTDIR, execve("text/x", argv, NULL));
	memset(path, 'x', 5000);
	FAILS(ENAMETOOLONG, execve(path, argv, NULL));
	memcpy(image, "hello\n", 6);
	save(6);
	CHECK(try_exec() == ENOEXEC);
}

TEST(exec_arguments_too_long)
{
	enum { NR = 3000 };
	static char *argv[NR + 1];
	static char word[1025];

	memset(word, 'w', 1024);
	for (int i = 0; i < NR; i++)
		argv[i] = word;
	FAILS(E2BIG, execve(t_self, argv, NULL));
	word[0] = 0;
	for (int i = 0; i < NR; i++)
		argv[i] = image;
	memset(image, 'w', 300000);
	argv[1] = NULL;
	FAILS(E2BIG, execve(t_self, argv, NULL));
}

TEST(exec_keeps_and_closes)
{
	char *argv[] = { (char *)t_self, "descriptors", NULL };
	int pid;

	if (dup2(1, 40) != 40 || fcntl(40, F_SETFD, 0) || dup2(1, 41) != 41)
		CHECK(0);
	WORKS(fcntl(41, F_SETFD, FD_CLOEXEC));
	pid = (int)WORKS(fork());
	if (pid == 0) {
		execve(argv[0], argv, NULL);
		_exit(99);
	}
	CHECK(t_wait(pid) == 0);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "descriptors"))	/* exec_keeps_and_closes */
		return !(fcntl(40, F_GETFD) == 0 && fcntl(41, F_GETFD) == -1);
	return t_main(argc, argv);
}
