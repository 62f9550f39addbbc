/* SPDX-License-Identifier: MIT */
/* System calls about the machine and its limits. */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/machine.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/sys/calls.h"
#include "mm/page.h"

#define RLIM_INFINITY	(~0ull)
#define RLIMIT_STACK	3
#define RLIMIT_NOFILE	7
#define NR_RLIMITS	16

#define GRND_ALL	7u		/* NONBLOCK, RANDOM, INSECURE: one source for all */
#define RANDOM_MAX	0x1ffffffu

#define REBOOT_MAGIC1	0xfee1deadu
#define REBOOT_RESTART	0x01234567u
#define REBOOT_HALT	0xcdef0123u
#define REBOOT_POWER_OFF 0x4321fedcu
#define REBOOT_CAD_ON	0x89abcdefu
#define REBOOT_CAD_OFF	0u

/* uname(buf). The release is what C libraries compare with the oldest Linux they run on. */
long sys_uname(struct syscall *c)
{
	struct linux_utsname name = {
		.sysname = "Tally", .nodename = "tally", .release = "6.1.0-tally",
		.version = "#1", .machine = "x86_64", .domainname = "(none)",
	};

	return user_put(c->arg[0], &name, sizeof(name));
}

/* sysinfo(buf). */
long sys_sysinfo(struct syscall *c)
{
	struct linux_sysinfo info = {
		.uptime = (s64)(clock_ns() / 1000000000ull),
		.totalram = page_nr_total() * PAGE_SIZE,
		.freeram = page_nr_free() * PAGE_SIZE,
		.procs = (u16)MIN(proc_count(), 0xfffful),
		.mem_unit = 1,
	};

	return user_put(c->arg[0], &info, sizeof(info));
}

static int find_rlimit(unsigned resource, struct linux_rlimit *out)
{
	if (resource >= NR_RLIMITS)
		return -EINVAL;
	*out = (struct linux_rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	if (resource == RLIMIT_STACK)
		*out = (struct linux_rlimit){ STACK_MAX_BYTES, STACK_MAX_BYTES };
	else if (resource == RLIMIT_NOFILE)
		*out = (struct linux_rlimit){ FILES_MAX, FILES_MAX };
	return 0;
}

/* getrlimit(resource, buf): what holds for everyone. */
long sys_getrlimit(struct syscall *c)
{
	struct linux_rlimit limit;
	long err = find_rlimit((unsigned)c->arg[0], &limit);

	return err ? err : user_put(c->arg[1], &limit, sizeof(limit));
}

static bool process_exists(int pid)
{
	struct proc *p = pid ? proc_find(pid) : NULL;

	if (p)
		proc_put(p);
	return p || pid == 0;
}

/* prlimit64(pid, resource, new, old): reads; -EPERM for a new limit, they are fixed. */
long sys_prlimit64(struct syscall *c)
{
	struct linux_rlimit limit;
	long err = find_rlimit((unsigned)c->arg[1], &limit);

	if (err)
		return err;
	if (!process_exists((int)c->arg[0]))
		return -ESRCH;
	if (c->arg[2])
		return -EPERM;
	return c->arg[3] ? user_put(c->arg[3], &limit, sizeof(limit)) : 0;
}

/* getrandom(buf, bytes, flags): bytes filled, cut as Linux does; what was filled before a bad
 * address counts. */
long sys_getrandom(struct syscall *c)
{
	size_t bytes = MIN(c->arg[1], (u64)RANDOM_MAX), done = 0;
	u8 block[256];

	if (c->arg[2] & ~(u64)GRND_ALL)
		return -EINVAL;
	while (done < bytes && !proc_dying()) {
		size_t n = MIN(bytes - done, sizeof(block));

		cpu_random(block, n);
		if (user_put(c->arg[0] + done, block, n))
			return done ? (long)done : -EFAULT;
		done += n;
		cond_resched();
	}
	return (long)done;
}

static bool second_magic(u32 magic)
{
	return magic == 672274793 || magic == 85072278 || magic == 369367448 ||
	       magic == 537993216;
}

/* reboot(magic, magic2, command, arg): each way down ends the machine. */
long sys_reboot(struct syscall *c)
{
	if ((u32)c->arg[0] != REBOOT_MAGIC1 || !second_magic((u32)c->arg[1]))
		return -EINVAL;
	switch ((u32)c->arg[2]) {
	case REBOOT_CAD_ON:
	case REBOOT_CAD_OFF:
		return 0;
	case REBOOT_RESTART:
	case REBOOT_HALT:
	case REBOOT_POWER_OFF:
		log_info("reboot: the machine stops here");
		machine_exit();
	default:
		return -EINVAL;
	}
}
