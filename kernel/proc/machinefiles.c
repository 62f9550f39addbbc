/* SPDX-License-Identifier: MIT */
/* Files of /proc about the machine as a whole, in Linux's formats to the byte: free, top, uptime
 * and mount take them apart. */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "kernel/fs/statfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/procfiles.h"
#include "kernel/sched/load.h"
#include "mm/audit.h"
#include "mm/kmem.h"
#include "mm/memcg.h"

#define SHOW(name)	static int name(const struct procfs_key *unused, struct textbuf *t)
#define TICK(ns)	((u64)((ns) / TICK_NS))
#define CENTI(ns)	((ns) / 10000000ul)	/* hundredths of a second */
#define KIB(pages)	((pages) * (PAGE_SIZE / 1024))

static const char *command_line = "";	/* [I] since boot */

/* --- memory */

static void print_kib(struct textbuf *t, const char *name, unsigned long pages)
{
	text_print(t, "%-16s%8lu kB\n", name, KIB(pages));
}

SHOW(show_meminfo)
{
	unsigned long nr[PAGE_NR_KINDS], nr_free = page_nr_free();

	(void)unused;
	mm_count_kinds(NULL, false, nr);
	print_kib(t, "MemTotal:", page_nr_total());
	print_kib(t, "MemFree:", nr_free);
	print_kib(t, "MemAvailable:", nr_free);
	print_kib(t, "Buffers:", 0);
	print_kib(t, "Cached:", nr[PAGE_FILE]);
	print_kib(t, "SwapCached:", 0);
	print_kib(t, "Active:", nr[PAGE_USER] + nr[PAGE_FILE]);
	print_kib(t, "Inactive:", 0);
	print_kib(t, "SwapTotal:", 0);
	print_kib(t, "SwapFree:", 0);
	print_kib(t, "Dirty:", 0);
	print_kib(t, "Writeback:", 0);
	print_kib(t, "AnonPages:", nr[PAGE_USER]);
	print_kib(t, "Mapped:", 0);
	print_kib(t, "Shmem:", nr[PAGE_FILE]);
	print_kib(t, "KReclaimable:", 0);
	print_kib(t, "Slab:", nr[PAGE_SLAB]);
	print_kib(t, "SReclaimable:", 0);
	print_kib(t, "SUnreclaim:", nr[PAGE_SLAB]);
	print_kib(t, "KernelStack:", nr[PAGE_STACK]);
	print_kib(t, "PageTables:", nr[PAGE_TABLE]);
	return 0;
}

SHOW(show_vmstat)
{
	unsigned long nr[PAGE_NR_KINDS];

	(void)unused;
	mm_count_kinds(NULL, false, nr);
	text_print(t, "nr_free_pages %lu\n", page_nr_free());
	text_print(t, "nr_anon_pages %lu\nnr_file_pages %lu\nnr_shmem %lu\n", nr[PAGE_USER],
		   nr[PAGE_FILE], nr[PAGE_FILE]);
	text_print(t, "nr_slab_reclaimable 0\nnr_slab_unreclaimable %lu\n", nr[PAGE_SLAB]);
	text_print(t, "nr_page_table_pages %lu\nnr_kernel_stack %lu\n", nr[PAGE_TABLE],
		   KIB(nr[PAGE_STACK]));
	return 0;
}

SHOW(show_buddyinfo)
{
	unsigned long nr[MAX_ORDER + 1];

	(void)unused;
	buddy_count_free(nr);
	text_print(t, "Node 0, zone   Normal ");
	for (unsigned i = 0; i <= MAX_ORDER; i++)
		text_print(t, "%6lu ", nr[i]);
	text_print(t, "\n");
	return 0;
}

SHOW(show_slabinfo)
{
	size_t room = t->len < t->size ? t->size - t->len : 0;

	(void)unused;
	t->len += kmem_slabinfo(NULL, t->buf + t->len, room);
	return 0;
}

/* Eight bytes for each frame: the id of the group that pays for it, 0 for nobody. The id is the
 * inode number of the group's directory in cgroupfs. */
static long kpagecgroup_read(struct file *file, struct iobuf *io, u64 *pos)
{
	u64 ids[64];
	size_t nr, moved;
	long done = 0;

	(void)file;
	if (*pos % sizeof(u64) || io->left % sizeof(u64))
		return -EINVAL;
	while (io->left) {
		nr = MIN(io->left / sizeof(u64), ARRAY_SIZE(ids));
		nr = mm_frame_payers(*pos / sizeof(u64), ids, nr);
		moved = iobuf_put(io, ids, nr * sizeof(u64));
		*pos += moved;
		done += (long)moved;
		if (moved < nr * sizeof(u64))
			return done ? done : -EFAULT;
		if (!nr || proc_dying())
			break;
		cond_resched();
	}
	return done;
}

static const struct file_ops kpagecgroup_ops = { .read = kpagecgroup_read, .seekable = true };

/* --- time and load */

static void print_cpu(struct textbuf *t, const struct cpu_times *c)
{
	text_print(t, " %lu 0 %lu %lu 0 0 0 0 0 0\n", TICK(c->user_ns), TICK(c->kernel_ns),
		   TICK(c->idle_ns));
}

static void sum_cpus(struct cpu_times *sum)
{
	struct cpu_times one;

	*sum = (struct cpu_times){ 0 };
	for (unsigned i = 0; i < cpu_count(); i++) {
		load_cpu_times(i, &one);
		sum->user_ns += one.user_ns;
		sum->kernel_ns += one.kernel_ns;
		sum->idle_ns += one.idle_ns;
		sum->nr_switches += one.nr_switches;
	}
}

SHOW(show_stat_file)
{
	struct cpu_times sum, one;

	(void)unused;
	sum_cpus(&sum);
	text_print(t, "cpu ");
	print_cpu(t, &sum);
	for (unsigned i = 0; i < cpu_count(); i++) {
		load_cpu_times(i, &one);
		text_print(t, "cpu%u", i);
		print_cpu(t, &one);
	}
	text_print(t, "intr 0\nctxt %lu\nbtime %lu\nprocesses %lu\n", sum.nr_switches,
		   clock_boot_seconds(), READ_ONCE(proc_nr_made));
	text_print(t, "procs_running %u\nprocs_blocked 0\n", sched_nr_running());
	return 0;
}

SHOW(show_loadavg)
{
	u64 load[3];

	(void)unused;
	load_averages(load);
	for (unsigned i = 0; i < ARRAY_SIZE(load); i++) {
		u64 centi = (load[i] * 100 + (1u << (LOAD_SHIFT - 1))) >> LOAD_SHIFT;

		text_print(t, "%lu.%02lu ", centi / 100, centi % 100);
	}
	text_print(t, "%u/%lu %d\n", sched_nr_running(), proc_count(), proc_last_pid());
	return 0;
}

SHOW(show_uptime)
{
	u64 now = CENTI(clock_ns()), idle;
	struct cpu_times sum;

	(void)unused;
	sum_cpus(&sum);
	idle = CENTI(sum.idle_ns);
	text_print(t, "%lu.%02lu %lu.%02lu\n", now / 100, now % 100, idle / 100, idle % 100);
	return 0;
}

/* --- what it is */

SHOW(show_version)
{
	(void)unused;
	text_print(t, "%s version %s (%s) %s\n", UTS_SYSNAME, UTS_RELEASE, kmem_backend_name(),
		   UTS_VERSION);
	return 0;
}

SHOW(show_cmdline_file)
{
	(void)unused;
	text_print(t, "%s\n", command_line);
	return 0;
}

SHOW(show_cpuinfo)
{
	(void)unused;
	for (unsigned i = 0; i < cpu_count(); i++)
		text_print(t, "processor\t: %u\nmodel name\t: x86_64\nclflush size\t: %u\n"
			   "address sizes\t: 48 bits virtual\n\n", i, CACHELINE);
	return 0;
}

SHOW(show_filesystems)
{
	const struct fs_type *type;

	(void)unused;
	for (unsigned i = 0; (type = fs_type_at(i)); i++)
		text_print(t, "nodev\t%s\n", type->name);
	return 0;
}

SHOW(show_cgroups)
{
	(void)unused;
	text_print(t, "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t1\t%u\t1\n",
		   cgroup_count());
	return 0;
}

/* --- /proc/sys/kernel */

SHOW(show_ostype)
{
	(void)unused;
	text_print(t, "%s\n", UTS_SYSNAME);
	return 0;
}

SHOW(show_osrelease)
{
	(void)unused;
	text_print(t, "%s\n", UTS_RELEASE);
	return 0;
}

SHOW(show_osversion)
{
	(void)unused;
	text_print(t, "%s\n", UTS_VERSION);
	return 0;
}

SHOW(show_pid_max)
{
	(void)unused;
	text_print(t, "%d\n", PID_MAX);
	return 0;
}

static int show_name(enum uts_name which, struct textbuf *t)
{
	char name[UTS_NAME_MAX + 1];

	uts_get(which, name);
	text_print(t, "%s\n", name);
	return 0;
}

SHOW(show_hostname)
{
	(void)unused;
	return show_name(UTS_HOST, t);
}

SHOW(show_domainname)
{
	(void)unused;
	return show_name(UTS_DOMAIN, t);
}

/* The first line of text, cut to what a name may be. */
static int write_name(enum uts_name which, const char *text)
{
	char name[UTS_NAME_MAX + 1];
	size_t len = 0;

	while (len < UTS_NAME_MAX && text[len] && text[len] != '\n')
		len++;
	memcpy(name, text, len);
	name[len] = '\0';
	return uts_set(which, name);
}

static int write_hostname(const struct procfs_key *unused, const char *text)
{
	(void)unused;
	return write_name(UTS_HOST, text);
}

static int write_domainname(const struct procfs_key *unused, const char *text)
{
	(void)unused;
	return write_name(UTS_DOMAIN, text);
}

static void print_uuid(const u8 r[16], struct textbuf *t)
{
	for (unsigned i = 0; i < 16; i++)
		text_print(t, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", r[i]);
	text_print(t, "\n");
}

static void make_uuid(u8 r[16])
{
	cpu_random(r, 16);
	r[6] = (r[6] & 0x0f) | 0x40;	/* version 4: random */
	r[8] = (r[8] & 0x3f) | 0x80;
}

SHOW(show_uuid)
{
	u8 r[16];

	(void)unused;
	make_uuid(r);
	print_uuid(r, t);
	return 0;
}

static u8 boot_id[16];			/* [I] since boot */

SHOW(show_boot_id)
{
	(void)unused;
	print_uuid(boot_id, t);
	return 0;
}

SHOW(show_entropy)
{
	(void)unused;
	text_print(t, "256\n");
	return 0;
}

#define TEXT(n, m, f)	{ .name = n, .mode = S_IFREG | (m), .show = f }
#define END		{ .name = NULL }

static const struct procfs_entry root_table[] = {
	TEXT("buddyinfo", 0444, show_buddyinfo),
	TEXT("cgroups", 0444, show_cgroups),
	TEXT("cmdline", 0444, show_cmdline_file),
	TEXT("cpuinfo", 0444, show_cpuinfo),
	TEXT("filesystems", 0444, show_filesystems),
	{ .name = "kpagecgroup", .mode = S_IFREG | 0400, .fops = &kpagecgroup_ops },
	TEXT("loadavg", 0444, show_loadavg),
	TEXT("meminfo", 0444, show_meminfo),
	TEXT("slabinfo", 0400, show_slabinfo),
	TEXT("stat", 0444, show_stat_file),
	TEXT("uptime", 0444, show_uptime),
	TEXT("version", 0444, show_version),
	TEXT("vmstat", 0444, show_vmstat),
	END,
};

static const struct procfs_entry random_table[] = {
	TEXT("boot_id", 0444, show_boot_id),
	TEXT("entropy_avail", 0444, show_entropy),
	TEXT("uuid", 0444, show_uuid),
	END,
};

static struct procfs_dir random_dir = { .tables = { random_table } };

static const struct procfs_entry kernel_table[] = {
	{ .name = "domainname", .mode = S_IFREG | 0644, .show = show_domainname,
	  .write = write_domainname },
	{ .name = "hostname", .mode = S_IFREG | 0644, .show = show_hostname,
	  .write = write_hostname },
	TEXT("osrelease", 0444, show_osrelease),
	TEXT("ostype", 0444, show_ostype),
	TEXT("pid_max", 0444, show_pid_max),
	{ .name = "random", .mode = S_IFDIR | 0555, .dir = &random_dir },
	TEXT("version", 0444, show_osversion),
	END,
};

/* Make the files appear. cmdline is the boot's and stays. Context: boot, after proc_init(). */
void machinefiles_init(const char *cmdline)
{
	command_line = cmdline;
	make_uuid(boot_id);
	procfs_add(&procfs_root, root_table);
	procfs_add(&procfs_kernel, kernel_table);
}
