/* SPDX-License-Identifier: MIT */
/* System calls about the machine. */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/machine.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/proc/procfiles.h"
#include "kernel/sched/load.h"
#include "kernel/sys/calls.h"
#include "mm/audit.h"
#include "mm/page.h"

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
		.sysname = UTS_SYSNAME, .release = UTS_RELEASE, .version = UTS_VERSION,
		.machine = "x86_64",
	};

	uts_get(UTS_HOST, name.nodename);
	uts_get(UTS_DOMAIN, name.domainname);
	return user_put(c->arg[0], &name, sizeof(name));
}

/* sysinfo(buf). */
long sys_sysinfo(struct syscall *c)
{
	unsigned long nr[PAGE_NR_KINDS];
	struct linux_sysinfo info = {
		.uptime = (s64)(clock_ns() / 1000000000ull),
		.totalram = page_nr_total() * PAGE_SIZE,
		.freeram = page_nr_free() * PAGE_SIZE,
		.procs = (u16)MIN(proc_count(), 0xfffful),
		.mem_unit = 1,
	};

	mm_count_kinds(NULL, false, nr);
	info.sharedram = nr[PAGE_FILE] * PAGE_SIZE;
	load_averages(info.loads);
	for (unsigned i = 0; i < ARRAY_SIZE(info.loads); i++)
		info.loads[i] <<= 16 - LOAD_SHIFT;
	return user_put(c->arg[0], &info, sizeof(info));
}

static long set_name(struct syscall *c, enum uts_name which)
{
	char name[UTS_NAME_MAX + 1];
	long bytes = (int)c->arg[1];

	if (!cred_is_root())
		return -EPERM;
	if (bytes < 0 || bytes > UTS_NAME_MAX)
		return -EINVAL;
	if (user_get(name, c->arg[0], (size_t)bytes))
		return -EFAULT;
	name[bytes] = '\0';
	return uts_set(which, name);
}

/* sethostname(name, bytes). */
long sys_sethostname(struct syscall *c)
{
	return set_name(c, UTS_HOST);
}

/* setdomainname(name, bytes). */
long sys_setdomainname(struct syscall *c)
{
	return set_name(c, UTS_DOMAIN);
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

/* reboot(magic, magic2, command, arg): root's; each way down ends the machine. */
long sys_reboot(struct syscall *c)
{
	if (cred_current()->euid != 0)
		return -EPERM;
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
