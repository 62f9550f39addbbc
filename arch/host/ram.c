/* SPDX-License-Identifier: MIT */
/*
 * RAM of the host's machine: a memory file mapped once as the direct map, so that kernel
 * mappings (stacks with guard pages) are true aliases of the same pages and touching a guard
 * page is a true fault. A test that forks copies the file: see host_ram_unshare().
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "arch/mmu.h"
#include "arch/upcall.h"
#include "arch/host/host_arch.h"
#include "kernel/lib/errno.h"

#define MAX_KERNEL_MAPPINGS (KSTACK_AREA_BYTES >> PAGE_SHIFT)

char *host_ram;
char *host_kstack_area;

static struct {
	int fd;
	u64 bytes;
	paddr_t mapped[MAX_KERNEL_MAPPINGS];	/* by page of the stack area; 0: not mapped */
} ram = { .fd = -1 };

static void die(const char *what)
{
	perror(what);
	abort();
}

static int make_file(u64 bytes)
{
	int fd = memfd_create("ram", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0)
		die("memfd");
	return fd;
}

static void *map_file(void *where, u64 bytes, paddr_t offset)
{
	int fixed = where ? MAP_FIXED : 0;
	void *at = mmap(where, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | fixed, ram.fd,
			(off_t)offset);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

/* As arch/host/host_arch.h says. */
void host_ram_create(u64 bytes)
{
	if (ram.fd >= 0)
		abort();
	ram.fd = make_file(bytes);
	ram.bytes = bytes;
	host_ram = map_file(NULL, bytes, 0);
	host_kstack_area = mmap(NULL, KSTACK_AREA_BYTES, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (host_kstack_area == MAP_FAILED)
		die("mmap");
}

/* Bytes of RAM. */
u64 host_ram_bytes(void)
{
	return ram.bytes;
}

/* Copy the parts of the file that were ever written. */
static void copy_file(int to, int from)
{
	static char buf[1 << 16];
	off_t at = 0, hole;

	while ((at = lseek(from, at, SEEK_DATA)) >= 0) {
		hole = lseek(from, at, SEEK_HOLE);
		for (ssize_t n; at < hole; at += n) {
			size_t want = MIN(sizeof(buf), (size_t)(hole - at));

			n = pread(from, buf, want, at);
			if (n <= 0 || pwrite(to, buf, (size_t)n, at) != n)
				die("copy RAM");
		}
	}
}

/* As arch/host/host_arch.h says. */
void host_ram_unshare(void)
{
	int old = ram.fd;

	if (old < 0)
		return;
	ram.fd = make_file(ram.bytes);
	copy_file(ram.fd, old);
	close(old);
	map_file(host_ram, ram.bytes, 0);
	for (size_t i = 0; i < MAX_KERNEL_MAPPINGS; i++) {
		if (ram.mapped[i])
			map_file(host_kstack_area + i * PAGE_SIZE, PAGE_SIZE, ram.mapped[i]);
	}
}

static paddr_t *mapping_of(uintptr_t va)
{
	if (va < KSTACK_AREA || va - KSTACK_AREA >= KSTACK_AREA_BYTES)
		abort();
	return &ram.mapped[(va - KSTACK_AREA) >> PAGE_SHIFT];
}

/* As arch/mmu.h says. Takes a table page for every 2 MiB of stack area on its first use, as
 * x86_64 does, so that the failure is there to test. */
int mmu_map_kernel(uintptr_t va, paddr_t page, unsigned prot)
{
	static bool have_table[KSTACK_AREA_BYTES >> 21];
	paddr_t *slot = mapping_of(va);
	bool *table = &have_table[(va - KSTACK_AREA) >> 21];

	(void)prot;
	if (*slot || !page)
		abort();
	if (!__atomic_load_n(table, __ATOMIC_RELAXED) && !upcall_table_page())
		return -ENOMEM;
	__atomic_store_n(table, true, __ATOMIC_RELAXED);
	map_file((void *)va, PAGE_SIZE, page);
	*slot = page;
	return 0;
}

/* Make va inaccessible again. */
void mmu_unmap_kernel(uintptr_t va)
{
	paddr_t *slot = mapping_of(va);

	if (!*slot)
		abort();
	*slot = 0;
	if (mmap((void *)va, PAGE_SIZE, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("mmap");
}

/* RAM is mapped already. */
void mmu_init(paddr_t ram_end)
{
	(void)ram_end;
}

/* Tables are walked by software alone: no kernel half. */
void mmu_init_root(pte_t *root)
{
	(void)root;
}

/* No MMU of ours. */
void mmu_switch(paddr_t root)
{
	(void)root;
}

/* No MMU of ours. */
paddr_t mmu_kernel_root(void)
{
	return 0;
}

/* The host has no devices. */
void *mmu_map_device(paddr_t base, size_t bytes)
{
	(void)base;
	(void)bytes;
	return NULL;
}

/* No TLB of ours. */
void mmu_flush_page(uintptr_t va)
{
	(void)va;
}

/* No TLB of ours. */
void mmu_flush_user(void)
{
}
