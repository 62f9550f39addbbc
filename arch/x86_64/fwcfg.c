/* SPDX-License-Identifier: MIT */
/* QEMU's fw_cfg: files the host offers by name (docs/specs/fw_cfg of QEMU). By DMA where the
 * device and the buffer allow it, else a byte at a time through a port. */
#include "arch/machine.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/rawlock.h"
#include "kernel/lib/string.h"

#define FWCFG_SELECT	0x510
#define FWCFG_DATA	0x511
#define FWCFG_DMA	0x514

enum { ITEM_SIGNATURE = 0, ITEM_ID = 1, ITEM_DIRECTORY = 0x19 };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SELECT = 8 };
#define ID_DMA		2u
#define MAX_FILES	4096u

struct fwcfg_file {
	u32 size;			/* this and the next: big-endian */
	u16 item, reserved;
	char name[56];
};

static struct fwcfg_dma {
	u32 control, bytes;		/* all big-endian */
	u64 address;
} dma aligned(16);

static rawlock lock;			/* the device's selector and dma */

static void read_port(void *buf, size_t bytes)
{
	u8 *at = buf;

	while (bytes--)
		*at++ = inb(FWCFG_DATA);
}

static void select(u16 item)
{
	outw(FWCFG_SELECT, item);
}

static bool have_device(void)
{
	char signature[4];

	select(ITEM_SIGNATURE);
	read_port(signature, sizeof(signature));
	return memcmp(signature, "QEMU", 4) == 0;
}

static bool have_dma(void)
{
	u8 id[4];

	select(ITEM_ID);
	read_port(id, sizeof(id));
	return (id[0] & ID_DMA) != 0;
}

/* Only image and direct map are contiguous in physical memory. */
static bool contiguous(const void *buf)
{
	uintptr_t a = (uintptr_t)buf;

	return a >= KERNEL_BASE || (a >= DIRECT_BASE && a < KSTACK_AREA);
}

static bool read_dma(u16 item, void *buf, size_t bytes)
{
	paddr_t at = virt_to_phys(&dma);

	dma.control = __builtin_bswap32((u32)item << 16 | DMA_SELECT | DMA_READ);
	dma.bytes = __builtin_bswap32((u32)bytes);
	dma.address = __builtin_bswap64(virt_to_phys(buf));
	barrier();
	outl(FWCFG_DMA, __builtin_bswap32((u32)(at >> 32)));
	outl(FWCFG_DMA + 4, __builtin_bswap32((u32)at));
	while (READ_ONCE(dma.control) & ~__builtin_bswap32(DMA_ERROR))
		cpu_relax();
	return dma.control == 0;
}

/* Leaves the file's entry in *file. Locks: lock held. */
static bool find_file(const char *name, struct fwcfg_file *file)
{
	u32 count;

	if (!have_device())
		return false;
	select(ITEM_DIRECTORY);
	read_port(&count, sizeof(count));
	count = MIN(__builtin_bswap32(count), MAX_FILES);
	while (count--) {
		read_port(file, sizeof(*file));
		file->name[sizeof(file->name) - 1] = '\0';
		if (str_eq(file->name, name))
			return true;
	}
	return false;
}

/* Size of the named file, 0 when there is none. Context: any. */
size_t fwcfg_size(const char *name)
{
	unsigned long flags = rawlock_acquire(&lock);
	struct fwcfg_file file;
	size_t bytes = find_file(name, &file) ? __builtin_bswap32(file.size) : 0;

	rawlock_release(&lock, flags);
	return bytes;
}

/* Read at most size bytes of the named file. Returns how many. Context: any. */
size_t fwcfg_read(const char *name, void *buf, size_t size)
{
	unsigned long flags = rawlock_acquire(&lock);
	struct fwcfg_file file;
	size_t bytes = 0;
	u16 item;

	if (!find_file(name, &file))
		goto out;
	bytes = MIN(size, (size_t)__builtin_bswap32(file.size));
	item = __builtin_bswap16(file.item);
	if (contiguous(buf) && have_dma() && read_dma(item, buf, bytes))
		goto out;
	select(item);
	read_port(buf, bytes);
out:
	rawlock_release(&lock, flags);
	return bytes;
}
