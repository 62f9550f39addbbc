/* SPDX-License-Identifier: MIT */
/*
 * The host's machine: CPUs are numbers, the console is standard error, user memory is the
 * process's own. No interrupts, no devices, no context switch.
 */
#include <sched.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/machine.h"
#include "arch/memmap.h"
#include "arch/smp.h"
#include "arch/trap.h"
#include "arch/uaccess.h"
#include "arch/host/host_arch.h"
#include "kernel/lib/atomic.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/rawlock.h"

_Thread_local unsigned host_cpu_now;
_Thread_local bool host_irq_on = true;
_Thread_local bool host_irq_handler;

static unsigned nr_cpus = 1;
static atomic_u64 online;
static rawlock random_lock;
static void (*on_send)(unsigned cpu);
static atomic_long nr_kernel_flushes;

/* As arch/host/host_arch.h says. */
void host_set_cpu_count(unsigned cpus)
{
	if (cpus < 1 || cpus > NR_CPUS)
		abort();
	nr_cpus = cpus;
}

/* Let another thread have this core. */
void host_yield(void)
{
	sched_yield();
}

/* Let another thread have the core. */
void host_relax(void)
{
	sched_yield();
}

/* CPUs of this machine. */
unsigned cpu_count(void)
{
	return nr_cpus;
}

/* As arch/host/host_arch.h says. */
void host_set_online(u64 mask)
{
	atomic_store(&online, mask);
}

/* As arch/host/host_arch.h says. */
void host_attach(unsigned cpu)
{
	host_cpu_now = cpu;
	atomic_or(&online, 1ull << cpu);
}

/* As arch/host/host_arch.h says. */
void host_detach(void)
{
	atomic_and(&online, ~(1ull << host_cpu_now));
}

/* This thread's CPU, and those that others attached to. */
u64 smp_online_mask(void)
{
	return atomic_load(&online) | 1ull << host_cpu_now;
}

/* Is a thread there that can answer for this CPU? */
bool smp_online(unsigned cpu)
{
	return smp_online_mask() >> cpu & 1;
}

/* host_set_cpu_count() says how many. */
void smp_discover(const struct bootinfo *bi)
{
	(void)bi;
}

/* No real mode. */
paddr_t smp_start_page(const struct bootinfo *bi)
{
	(void)bi;
	return 0;
}

/* CPUs start when threads attach to them. */
void smp_start(bool (*give)(unsigned cpu, struct smp_memory *memory))
{
	(void)give;
}

/* As arch/host/host_arch.h says. */
void host_on_send(void (*hook)(unsigned cpu))
{
	__atomic_store_n(&on_send, hook, __ATOMIC_RELAXED);
}

/* Nothing interrupts a thread: it polls, or a test's hook makes it do so. */
void smp_send(unsigned cpu, enum ipi ipi)
{
	void (*hook)(unsigned) = __atomic_load_n(&on_send, __ATOMIC_RELAXED);

	(void)ipi;
	if (hook)
		hook(cpu);
}

/* As arch/host/host_arch.h says. */
unsigned long host_nr_kernel_flushes(void)
{
	return (unsigned long)atomic_load(&nr_kernel_flushes);
}

/* No TLB of ours: counted. */
void smp_flush_kernel(void)
{
	atomic_add_return(&nr_kernel_flushes, 1);
}

/* A panic ends the process. */
void smp_halt_others(void)
{
}

/* The same bytes in every run of one thread: tests must repeat. */
void cpu_random(void *buf, size_t bytes)
{
	static u64 x = 88172645463325252ull;
	unsigned long flags = rawlock_acquire(&random_lock);

	for (size_t i = 0; i < bytes; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		((u8 *)buf)[i] = (u8)(x >> 32);
	}
	rawlock_release(&random_lock, flags);
}

/* The host's monotonic clock. */
u64 clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000ull + (u64)ts.tv_nsec;
}

/* A fixed date: tests must repeat. */
u64 clock_boot_seconds(void)
{
	return 1700000000;
}

/* Nothing to calibrate. */
void clock_init(void)
{
}

/* No tick: tests call what it would. */
void clock_start_tick(void)
{
}

/* No tick. */
void clock_stop_tick(void)
{
}

/* Nothing to start. */
void machine_init_early(void)
{
}

/* Nothing to start. */
void machine_init(const struct bootinfo *bi)
{
	(void)bi;
}

/* Standard error is the console. */
void console_write(const char *text, size_t bytes)
{
	fwrite(text, 1, bytes, stderr);
}

/* There is no host port. */
void host_send(enum host_frame type, const void *data, size_t bytes)
{
	(void)type;
	(void)data;
	(void)bytes;
}

/* There is no host port. */
bool host_present(void)
{
	return false;
}

/* No port, so standard input ends at once. */
size_t host_receive(void *buf, size_t size, bool *eof)
{
	(void)buf;
	(void)size;
	*eof = true;
	return 0;
}

/* No keyboard. */
int console_getc(void)
{
	return -1;
}

/* No fw_cfg files. */
size_t fwcfg_size(const char *name)
{
	(void)name;
	return 0;
}

/* No fw_cfg files. */
size_t fwcfg_read(const char *name, void *buf, size_t size)
{
	(void)name;
	(void)buf;
	(void)size;
	return 0;
}

/* Ends the process as a success. */
noreturn void machine_exit(void)
{
	_exit(0);
}

/* Ends the process as a failure. */
noreturn void machine_halt(void)
{
	abort();
}

/* ASan and GDB show more than this could. */
void trap_dump(const struct regs *r)
{
	(void)r;
}

static bool user_range(uaddr_t addr, size_t bytes)
{
	return addr >= USER_MIN && addr < USER_MAX && bytes <= USER_MAX - addr;
}

/* User memory is this process's own; only the range is checked. Returns bytes not copied. */
size_t copy_from_user(void *dst, uaddr_t src, size_t bytes)
{
	if (!user_range(src, bytes))
		return bytes;
	memcpy(dst, (const void *)src, bytes);
	return 0;
}

/* As copy_from_user(). */
size_t copy_to_user(uaddr_t dst, const void *src, size_t bytes)
{
	if (!user_range(dst, bytes))
		return bytes;
	memcpy((void *)dst, src, bytes);
	return 0;
}

/* As copy_from_user(). */
size_t clear_user(uaddr_t dst, size_t bytes)
{
	if (!user_range(dst, bytes))
		return bytes;
	memset((void *)dst, 0, bytes);
	return 0;
}

/* As arch/uaccess.h says; a bad pointer in range is the test's own fault. */
long copy_string_from_user(char *dst, uaddr_t src, size_t size)
{
	size_t len;

	if (!user_range(src, 1))
		return -EFAULT;
	len = strnlen((const char *)src, size);
	memcpy(dst, (const void *)src, len < size ? len + 1 : size);
	return len < size ? (long)len : -ENAMETOOLONG;
}
