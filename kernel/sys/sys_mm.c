/* SPDX-License-Identifier: MIT */
/* System calls on the address space: anonymous memory and the heap. */
#include "kernel/sys/calls.h"

#define PROT_READ	1u
#define PROT_WRITE	2u
#define PROT_EXEC	4u
#define PROT_ALL	7u

#define MAP_SHARED	0x01u
#define MAP_PRIVATE	0x02u
#define MAP_TYPE	0x0fu
#define MAP_FIXED	0x10u
#define MAP_ANONYMOUS	0x20u
#define MAP_GROWSDOWN	0x100u
#define MAP_FIXED_NOREPLACE 0x100000u

_Static_assert(PROT_READ == VMA_READ && PROT_WRITE == VMA_WRITE && PROT_EXEC == VMA_EXEC,
	       "protections are taken over as they are");

/* Anonymous memory is all that can be mapped; say what is wrong with anything else. */
static int refuse_file(int fd)
{
	struct file *file = user_file(fd);

	if (!file)
		return -EBADF;
	file_put(file);
	return -ENODEV;
}

/* mmap(addr, bytes, prot, flags, fd, offset) of anonymous memory: the address. -ENODEV for a
 * file, -EEXIST for a taken address with MAP_FIXED_NOREPLACE, -EINVAL, -ENOMEM. Hints that ask
 * for something to happen sooner or later (MAP_POPULATE, MAP_NORESERVE) are taken as none. */
long sys_mmap(struct syscall *c)
{
	unsigned prot = (unsigned)c->arg[2], flags = (unsigned)c->arg[3];
	unsigned type = flags & MAP_TYPE, vma_flags = prot & PROT_ALL;
	enum vm_place place = flags & MAP_FIXED_NOREPLACE ? VM_FIXED_NOREPLACE :
			      flags & MAP_FIXED ? VM_FIXED : VM_ANYWHERE;
	uaddr_t addr = c->arg[0];
	int err;

	if ((prot & ~PROT_ALL) || (type != MAP_SHARED && type != MAP_PRIVATE) ||
	    !IS_ALIGNED(c->arg[5], PAGE_SIZE))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS))
		return refuse_file((int)c->arg[4]);
	if (type == MAP_SHARED)
		vma_flags |= VMA_SHARED;
	if (flags & MAP_GROWSDOWN)
		vma_flags |= VMA_GROWSDOWN;
	err = vm_map(proc_current()->mm, &addr, c->arg[1], vma_flags, place);
	return err ? err : (long)addr;
}

/* munmap(addr, bytes). */
long sys_munmap(struct syscall *c)
{
	return vm_unmap(proc_current()->mm, c->arg[0], c->arg[1]);
}

/* mprotect(addr, bytes, prot). */
long sys_mprotect(struct syscall *c)
{
	unsigned prot = (unsigned)c->arg[2];

	if (prot & ~PROT_ALL)
		return -EINVAL;
	return vm_protect(proc_current()->mm, c->arg[0], c->arg[1], prot);
}

/* brk(end): the end of the heap in force afterwards, never an error. */
long sys_brk(struct syscall *c)
{
	return (long)vm_brk(proc_current()->mm, c->arg[0]);
}

#define MADV_DONTNEED	4
#define MADV_FREE	8

/* madvise(addr, bytes, advice): hints are welcome and change nothing; -EINVAL for the two whose
 * effect a program can see (its memory reads as zero afterwards). */
long sys_madvise(struct syscall *c)
{
	int advice = (int)c->arg[2];

	if (!IS_ALIGNED(c->arg[0], PAGE_SIZE) || advice < 0)
		return -EINVAL;
	return advice == MADV_DONTNEED || advice == MADV_FREE ? -EINVAL : 0;
}
