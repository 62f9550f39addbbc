/* SPDX-License-Identifier: MIT */
/*
 * The ELF64 loader: static ET_EXEC and static PIE. A file comes from a user, so each field is
 * checked before it is used; what is wrong with the format is -ENOEXEC. Segments that nobody
 * writes to (text, constants) are the file's own pages, which all processes that run it share;
 * the others are copied, and what the file does not give (.bss) is left to demand zero.
 *
 * All that the file gives is mapped at once, so that a program has its page tables from the
 * start and no limit can refuse it one when it first enters a page of its text.
 */
#include "kernel/lib/bits.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"

#define ELF_TYPE_EXEC	2
#define ELF_TYPE_DYN	3
#define ELF_MACHINE_X86_64 62
#define ELF_MAX_PHDRS	128

#define PT_LOAD		1u
#define PT_INTERP	3u
#define PT_PHDR		6u
#define PT_GNU_STACK	0x6474e551u

#define PF_EXEC		1u
#define PF_WRITE	2u
#define PF_READ		4u

#define PIE_BASE	0x555555554000ul	/* where Linux puts a PIE without randomising */
#define PIE_MAX_ALIGN	(1ul << 30)
#define LOAD_MAX	(USER_MAX - (1ul << 32))	/* the top belongs to stack and mmap */

struct elf_header {
	u8 magic[4];
	u8 class, data, ident_version, abi, pad[8];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF64 header");

struct elf_phdr {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct elf_phdr) == ELF_PHDR_BYTES, "ELF64 program header");

/* Reads all of it, or: -ENOEXEC for a file that ends before. */
static int read_exactly(struct file *file, void *buf, size_t bytes, u64 pos)
{
	long n = file_read_kernel(file, buf, bytes, pos);

	if (n < 0)
		return (int)n;
	return (size_t)n == bytes ? 0 : -ENOEXEC;
}

static bool header_is_ours(const struct elf_header *h)
{
	return !memcmp(h->magic, "\177ELF", 4) && h->class == 2 && h->data == 1 &&
	       h->ident_version == 1 && h->version == 1 && h->machine == ELF_MACHINE_X86_64 &&
	       (h->type == ELF_TYPE_EXEC || h->type == ELF_TYPE_DYN) &&
	       h->phentsize == sizeof(struct elf_phdr) && h->phnum > 0 &&
	       h->phnum <= ELF_MAX_PHDRS;
}

/* Program headers into a kmalloced array, which the caller frees. */
static int read_phdrs(struct file *file, const struct elf_header *h, struct elf_phdr **out)
{
	size_t bytes = h->phnum * sizeof(struct elf_phdr);
	struct elf_phdr *phdrs;
	int err;

	if (h->phoff > READ_ONCE(file->inode->size))
		return -ENOEXEC;
	phdrs = kmalloc(bytes, GFP_KERNEL);
	if (!phdrs)
		return -ENOMEM;
	err = read_exactly(file, phdrs, bytes, h->phoff);
	if (err) {
		kfree(phdrs);
		return err;
	}
	*out = phdrs;
	return 0;
}

/* A dynamic program: say what it wants, since -ENOENT alone looks like a missing program. */
static int refuse_interpreter(struct file *file, const struct elf_phdr *ph)
{
	char name[128];
	size_t bytes = MIN(ph->filesz, sizeof(name) - 1);

	if (ph->offset > READ_ONCE(file->inode->size) || read_exactly(file, name, bytes, ph->offset))
		return -ENOEXEC;
	name[bytes] = '\0';
	log_info("exec: dynamic program: no interpreter %s here, link it with -static", name);
	return -ENOENT;
}

static bool segment_is_sane(const struct elf_phdr *ph, u64 file_size, uaddr_t bias)
{
	if (ph->filesz > ph->memsz || ph->offset > file_size ||
	    ph->filesz > file_size - ph->offset)
		return false;
	if (ph->vaddr > LOAD_MAX - bias || ph->memsz > LOAD_MAX - bias - ph->vaddr)
		return false;
	if (ph->align > 1 && (!bits_is_pow2(ph->align) ||
			      !IS_ALIGNED(ph->vaddr - ph->offset, ph->align)))
		return false;
	return ALIGN_DOWN(ph->vaddr + bias, PAGE_SIZE) >= USER_MIN;
}

/* All segments in order of address, each with pages of its own; else -ENOEXEC. */
static int check_segments(const struct elf_header *h, const struct elf_phdr *phdrs, u64 file_size,
			  uaddr_t bias)
{
	uaddr_t used_to = 0;

	for (unsigned i = 0; i < h->phnum; i++) {
		const struct elf_phdr *ph = &phdrs[i];

		if (ph->type != PT_LOAD || ph->memsz == 0)
			continue;
		if (!segment_is_sane(ph, file_size, bias) ||
		    ALIGN_DOWN(ph->vaddr + bias, PAGE_SIZE) < used_to)
			return -ENOEXEC;
		used_to = ALIGN_UP(ph->vaddr + bias + ph->memsz, PAGE_SIZE);
	}
	return used_to ? 0 : -ENOEXEC;
}

static uaddr_t load_bias(const struct elf_header *h, const struct elf_phdr *phdrs)
{
	u64 align = PAGE_SIZE;

	if (h->type == ELF_TYPE_EXEC)
		return 0;
	for (unsigned i = 0; i < h->phnum; i++) {
		if (phdrs[i].type == PT_LOAD && bits_is_pow2(phdrs[i].align) &&
		    phdrs[i].align <= PIE_MAX_ALIGN)
			align = MAX(align, phdrs[i].align);
	}
	return ALIGN_UP(PIE_BASE, align);
}

/* Copy the file's part of a segment, page by page through a kernel page. */
static int copy_segment(struct mm *mm, struct file *file, const struct elf_phdr *ph, uaddr_t start)
{
	void *bounce = kmalloc(PAGE_SIZE, GFP_KERNEL);
	u64 done = 0;
	int err = bounce ? 0 : -ENOMEM;

	while (!err && done < ph->filesz) {
		size_t in_page = PAGE_SIZE - ((start + done) & (PAGE_SIZE - 1));
		size_t bytes = MIN(in_page, ph->filesz - done);

		err = proc_dying() ? -EINTR :
				     read_exactly(file, bounce, bytes, ph->offset + done);
		if (!err)
			err = vm_write(mm, start + done, bounce, bytes);
		done += bytes;
		cond_resched();
	}
	kfree(bounce);
	return err;
}

/* Can the segment be the file's own pages? */
static bool can_share(const struct file *file, const struct elf_phdr *ph)
{
	return file->ops->map_pages && !(ph->flags & PF_WRITE) && ph->filesz == ph->memsz &&
	       IS_ALIGNED(ph->vaddr - ph->offset, PAGE_SIZE);
}

static int load_segment(struct mm *mm, struct file *file, const struct elf_phdr *ph, uaddr_t bias)
{
	uaddr_t start = ph->vaddr + bias, page = ALIGN_DOWN(start, PAGE_SIZE);
	size_t bytes = ALIGN_UP(start + ph->memsz, PAGE_SIZE) - page;
	struct vm_what what = { .place = VM_FIXED_NOREPLACE };
	bool shared = can_share(file, ph);
	int err;

	if (ph->flags & PF_READ)
		what.flags |= VMA_READ;
	if (ph->flags & PF_WRITE)
		what.flags |= VMA_WRITE;
	if (ph->flags & PF_EXEC)
		what.flags |= VMA_EXEC;
	if (shared) {
		what.file = file;
		what.index = ph->offset / PAGE_SIZE;
	}
	err = vm_map_area(mm, &page, bytes, &what);
	if (err)
		return err;
	return shared ? vm_populate_range(mm, page, page + bytes) : copy_segment(mm, file, ph, start);
}

/* Where the program finds its own program headers: PT_PHDR, or the segment that holds them. */
static uaddr_t phdrs_in_memory(const struct elf_header *h, const struct elf_phdr *phdrs,
			       uaddr_t bias)
{
	u64 bytes = h->phnum * sizeof(struct elf_phdr);

	for (unsigned i = 0; i < h->phnum; i++) {
		const struct elf_phdr *ph = &phdrs[i];

		if (ph->type == PT_PHDR)
			return ph->vaddr + bias;
		if (ph->type == PT_LOAD && ph->offset <= h->phoff && ph->filesz >= bytes &&
		    h->phoff - ph->offset <= ph->filesz - bytes)
			return ph->vaddr + bias + (h->phoff - ph->offset);
	}
	return 0;
}

static int load_all(struct mm *mm, struct file *file, const struct elf_header *h,
		    const struct elf_phdr *phdrs, struct elf_image *out)
{
	uaddr_t bias = load_bias(h, phdrs);
	int err = check_segments(h, phdrs, READ_ONCE(file->inode->size), bias);

	if (err)
		return err;
	if (h->entry > LOAD_MAX - bias || h->entry + bias < USER_MIN)
		return -ENOEXEC;
	out->entry = h->entry + bias;
	out->phdrs = phdrs_in_memory(h, phdrs, bias);
	out->nr_phdrs = h->phnum;
	out->exec_stack = true;
	out->brk = 0;
	for (unsigned i = 0; i < h->phnum && !err; i++) {
		const struct elf_phdr *ph = &phdrs[i];

		if (ph->type == PT_INTERP)
			return refuse_interpreter(file, ph);
		if (ph->type == PT_GNU_STACK)
			out->exec_stack = ph->flags & PF_EXEC;
		if (ph->type != PT_LOAD || ph->memsz == 0)
			continue;
		err = load_segment(mm, file, ph, bias);
		out->brk = ALIGN_UP(ph->vaddr + bias + ph->memsz, PAGE_SIZE);
	}
	return err;
}

/*
 * Load the program in file into the empty address space mm and describe it in *out. Returns 0;
 * -ENOEXEC: not a static x86_64 ELF, or damaged; -ENOENT: it wants an interpreter (said in the
 * log); -ENOMEM; -EINTR: the caller is being killed. On failure mm may be partly filled.
 * Context: may sleep; charged to the caller's group.
 */
int elf_load(struct mm *mm, struct file *file, struct elf_image *out)
{
	struct elf_header header;
	struct elf_phdr *phdrs;
	int err = read_exactly(file, &header, sizeof(header), 0);

	if (err)
		return err;
	if (!header_is_ours(&header))
		return -ENOEXEC;
	err = read_phdrs(file, &header, &phdrs);
	if (err)
		return err;
	err = load_all(mm, file, &header, phdrs, out);
	kfree(phdrs);
	return err;
}
