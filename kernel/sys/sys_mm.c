/* SPDX-License-Identifier: MIT */
/* System calls on the address space. */
#include "kernel/lib/string.h"
#include "kernel/proc/limits.h"
#include "kernel/sys/calls.h"

#define PROT_ALL	7u		/* PROT_READ, WRITE, EXEC */
#define PROT_SEM	8u

#define MAP_SHARED	0x01u
#define MAP_PRIVATE	0x02u
#define MAP_SHARED_VALIDATE 0x03u
#define MAP_TYPE	0x0fu
#define MAP_FIXED	0x10u
#define MAP_ANONYMOUS	0x20u
#define MAP_GROWSDOWN	0x100u
#define MAP_LOCKED	0x2000u
#define MAP_NONBLOCK	0x10000u
#define MAP_POPULATE	0x8000u
#define MAP_FIXED_NOREPLACE 0x100000u
#define MAP_KNOWN	0x1ff97fu	/* what MAP_SHARED_VALIDATE lets pass */

#define MREMAP_ALL	3u
#define MLOCK_ONFAULT	1u
#define MS_ASYNC	1u
#define MS_INVALIDATE	2u
#define MS_SYNC		4u

_Static_assert(VMA_READ == 1 && VMA_WRITE == 2 && VMA_EXEC == 4,
	       "protections are taken over as they are");

static struct mm *current_mm(void)
{
	return proc_current()->mm;
}

/* Is a mapping of this kind all right for a file opened that way? */
static int check_file(const struct file *file, struct vm_what *what, unsigned flags)
{
	unsigned mode = file->flags & O_ACCMODE, type = flags & MAP_TYPE;

	if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (type == MAP_SHARED_VALIDATE && (flags & ~MAP_KNOWN))
		return -EOPNOTSUPP;
	if (mode != O_RDONLY && mode != O_RDWR)
		return -EACCES;
	if (type != MAP_PRIVATE) {
		if ((what->flags & VMA_WRITE) && mode != O_RDWR)
			return -EACCES;
		what->flags |= VMA_SHARED | (mode != O_RDWR ? VMA_NEVER_WRITE : 0);
	}
	if ((what->flags & VMA_EXEC) && file->path.mount &&
	    (READ_ONCE(file->path.mount->flags) & MS_NOEXEC))
		return -EPERM;
	if (!file->ops->map_pages && !file->ops->maps_anonymous)
		return -ENODEV;
	return flags & MAP_GROWSDOWN ? -EINVAL : 0;
}

static int check_anonymous(struct vm_what *what, unsigned flags)
{
	unsigned type = flags & MAP_TYPE;

	if (type != MAP_SHARED && type != MAP_PRIVATE)
		return -EINVAL;
	if (type == MAP_SHARED)
		what->flags |= VMA_SHARED;
	if (flags & MAP_GROWSDOWN)
		what->flags |= VMA_GROWSDOWN;
	return (what->flags & VMA_SHARED) && (flags & MAP_GROWSDOWN) ? -EINVAL : 0;
}

static long map(struct syscall *c, struct vm_what *what, struct file *file)
{
	unsigned flags = (unsigned)c->arg[3];
	uaddr_t addr = c->arg[0];
	int err;

	if (!c->arg[1])
		return -EINVAL;
	err = file ? check_file(file, what, flags) : check_anonymous(what, flags);
	if (!err && file && file->ops->map_pages) {
		what->file = file;
		what->index = c->arg[5] / PAGE_SIZE;
	}
	if (!err)
		err = vm_map_area(current_mm(), &addr, c->arg[1], what);
	if (err)
		return err;
	/* What cannot be had at once comes, or not, at its first use. */
	if ((flags & (MAP_POPULATE | MAP_LOCKED)) && !(flags & MAP_NONBLOCK))
		err = vm_populate_range(current_mm(), addr, addr + ALIGN_UP(c->arg[1], PAGE_SIZE));
	return (long)addr;
}

/* mmap(addr, bytes, prot, flags, fd, offset): the address. */
long sys_mmap(struct syscall *c)
{
	unsigned flags = (unsigned)c->arg[3];
	struct vm_what what = { .flags = (unsigned)c->arg[2] & PROT_ALL };
	struct file *file = NULL;
	long ret;

	what.place = flags & MAP_FIXED_NOREPLACE ? VM_FIXED_NOREPLACE :
		     flags & MAP_FIXED ? VM_FIXED : VM_ANYWHERE;
	if (!IS_ALIGNED(c->arg[5], PAGE_SIZE))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		file = user_file((int)c->arg[4]);
		if (!file)
			return -EBADF;
		if (c->arg[5] + c->arg[1] < c->arg[5]) {
			file_put(file);
			return -EOVERFLOW;
		}
	}
	ret = map(c, &what, file);
	if (file)
		file_put(file);
	return ret;
}

/* munmap(addr, bytes). */
long sys_munmap(struct syscall *c)
{
	return vm_unmap(current_mm(), c->arg[0], c->arg[1]);
}

/* mprotect(addr, bytes, prot). */
long sys_mprotect(struct syscall *c)
{
	unsigned prot = (unsigned)c->arg[2];

	if (prot & ~(PROT_ALL | PROT_SEM))
		return -EINVAL;
	return vm_protect(current_mm(), c->arg[0], c->arg[1], prot & PROT_ALL);
}

/* brk(end): the end of the heap in force afterwards, never an error. */
long sys_brk(struct syscall *c)
{
	return (long)vm_brk(current_mm(), c->arg[0]);
}

/* mremap(addr, old_bytes, bytes, flags, new_addr): the address. */
long sys_mremap(struct syscall *c)
{
	struct vm_remap r = {
		.from = c->arg[0], .old_bytes = c->arg[1], .bytes = c->arg[2],
		.flags = (unsigned)c->arg[3], .to = c->arg[4],
	};
	int err;

	if ((c->arg[3] & ~(u64)MREMAP_ALL) || r.flags == VM_REMAP_FIXED)
		return -EINVAL;
	err = vm_remap(current_mm(), &r);
	return err ? err : (long)r.to;
}

enum advice {
	MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
	MADV_FREE = 8, MADV_HUGEPAGE = 14, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP,
	MADV_COLD = 20, MADV_PAGEOUT, MADV_POPULATE_READ,
};

/* [addr, addr + bytes) of a call that takes whole pages: 0 with its end, or -EINVAL, -ENOMEM. */
static int page_range(u64 addr, u64 bytes, uaddr_t *end)
{
	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (bytes > USER_MAX || addr > USER_MAX - ALIGN_UP(bytes, PAGE_SIZE))
		return -ENOMEM;
	*end = addr + ALIGN_UP(bytes, PAGE_SIZE);
	return 0;
}

/* madvise(addr, bytes, advice): hints change nothing but are checked; MADV_DONTNEED and MADV_FREE
 * drop the pages. -EINVAL for advice whose effect a program would miss (MADV_DONTFORK). */
long sys_madvise(struct syscall *c)
{
	uaddr_t end;
	int err = page_range(c->arg[0], c->arg[1], &end);

	switch ((int)c->arg[2]) {
	case MADV_NORMAL: case MADV_RANDOM: case MADV_SEQUENTIAL: case MADV_WILLNEED:
	case MADV_HUGEPAGE: case MADV_NOHUGEPAGE: case MADV_DONTDUMP: case MADV_DODUMP:
	case MADV_COLD: case MADV_PAGEOUT:
		return err ? -EINVAL : vm_check_mapped(current_mm(), c->arg[0], end);
	case MADV_DONTNEED: case MADV_FREE:
		return err ? -EINVAL : vm_discard(current_mm(), c->arg[0], end);
	case MADV_POPULATE_READ:
		if (!err)
			err = vm_check_mapped(current_mm(), c->arg[0], end);
		return err ? err : vm_populate_range(current_mm(), c->arg[0], end);
	default:
		return -EINVAL;
	}
}

/* msync(addr, bytes, flags): there is no disk behind a mapped file, so all is written already. */
long sys_msync(struct syscall *c)
{
	unsigned flags = (unsigned)c->arg[2];
	uaddr_t end;
	int err;

	if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	err = page_range(c->arg[0], c->arg[1], &end);
	return err ? err : vm_check_mapped(current_mm(), c->arg[0], end);
}

/* mincore(addr, bytes, vector): a byte for each page, 1: it is in memory. */
long sys_mincore(struct syscall *c)
{
	u8 present[128];
	uaddr_t at = c->arg[0], end;
	int err = page_range(at, c->arg[1], &end);

	for (size_t done = 0, nr; !err && at < end; done += nr, at += nr * PAGE_SIZE) {
		nr = MIN((end - at) / PAGE_SIZE, sizeof(present));
		err = vm_residency(current_mm(), at, nr, present);
		if (!err)
			err = (int)user_put(c->arg[2] + done, present, nr);
		if (!err && proc_dying())
			err = -EINTR;
		cond_resched();
	}
	return err;
}

static long lock_range(struct syscall *c, unsigned flags)
{
	u64 limit = limit_current(RLIMIT_MEMLOCK);
	uaddr_t start = ALIGN_DOWN(c->arg[0], PAGE_SIZE), end;
	int err;

	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	if (!limit && cred_current()->euid)
		return -EPERM;
	err = page_range(start, c->arg[1] + (c->arg[0] - start), &end);
	if (err)
		return err;
	if (end - start > limit && cred_current()->euid)
		return -ENOMEM;
	err = vm_check_mapped(current_mm(), start, end);
	return err || flags ? err : vm_populate_range(current_mm(), start, end);
}

/* mlock(addr, bytes): no page ever leaves memory, so all there is to do is to bring them in. */
long sys_mlock(struct syscall *c)
{
	return lock_range(c, 0);
}

/* mlock2(addr, bytes, flags). */
long sys_mlock2(struct syscall *c)
{
	return lock_range(c, (unsigned)c->arg[2]);
}

/* munlock(addr, bytes). */
long sys_munlock(struct syscall *c)
{
	uaddr_t start = ALIGN_DOWN(c->arg[0], PAGE_SIZE), end;
	int err = page_range(start, c->arg[1] + (c->arg[0] - start), &end);

	return err ? err : vm_check_mapped(current_mm(), start, end);
}

/* mlockall(flags). */
long sys_mlockall(struct syscall *c)
{
	unsigned flags = (unsigned)c->arg[0];

	if (!flags || (flags & ~7u) || flags == 4)
		return -EINVAL;
	if (!cred_current()->euid)
		return 0;
	if (!limit_current(RLIMIT_MEMLOCK))
		return -EPERM;
	return vm_nr_mapped(current_mm()) > limit_current(RLIMIT_MEMLOCK) / PAGE_SIZE ? -ENOMEM : 0;
}

/* munlockall(). */
long sys_munlockall(struct syscall *c)
{
	(void)c;
	return 0;
}
