/* SPDX-License-Identifier: MIT */
/* Texts about one task, in Linux's formats to the byte: ps, top and pgrep take them apart. */
#include "arch/clock.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/job.h"
#include "kernel/proc/procfiles.h"

#define TICK(ns)	((u64)((ns) / TICK_NS))
#define KIB(pages)	((pages) * (PAGE_SIZE / 1024))
#define TTY_CONSOLE	MKDEV(5, 1)
#define PRIORITY	20		/* of nice 0 */
#define MAPS_NAME_COLUMN 73u

/* What stat, status and statm tell of the memory; all 0 without one. */
struct memory {
	unsigned long pages, resident, most, tables;
	uaddr_t args, args_end, env_end, brk;
};

static void note_memory(const struct procfs_key *key, struct memory *m)
{
	struct mm *mm;

	*m = (struct memory){ 0 };
	if (task_mm(key, &mm))
		return;
	m->pages = vm_nr_mapped(mm);
	m->resident = READ_ONCE(mm->nr_pages);
	m->most = MAX(READ_ONCE(mm->max_pages), m->resident);
	m->tables = READ_ONCE(mm->nr_tables);
	m->args = mm->args_start;
	m->args_end = mm->args_end;
	m->env_end = mm->env_end;
	m->brk = mm->brk_start;
	mm_put(mm);
}

static u64 resident_limit(const struct procfs_key *key)
{
	struct tgroup *g;
	u64 limit;

	if (task_group(key, &g))
		return RLIM_INFINITY;
	limit = READ_ONCE(g->rlim[RLIMIT_RSS].current);
	group_put(g);
	return limit;
}

/* /proc/PID/stat: 52 fields. whole: the process's times, else the task's. */
int show_stat(const struct procfs_key *key, struct textbuf *t, bool whole)
{
	struct task_info i;
	struct memory m;
	int err = task_info(key, whole, &i);

	if (err)
		return err;
	note_memory(key, &m);
	text_print(t, "%d (%s) %c %d %d %d %d %d 0 0 0 0 0", i.tid, i.comm, i.state, i.ppid,
		   i.pgid, i.sid, i.has_tty ? (int)TTY_CONSOLE : 0,
		   i.has_tty ? ctty_foreground() : -1);
	text_print(t, " %lu %lu %lu %lu %d %d %u 0 %lu", TICK(i.user_ns), TICK(i.kernel_ns),
		   TICK(i.children_user_ns), TICK(i.children_kernel_ns), PRIORITY + i.nice,
		   i.nice, i.nr_tasks, TICK(i.start_ns));
	text_print(t, " %lu %lu %lu 0 0 0 0 0", m.pages * PAGE_SIZE, m.resident,
		   resident_limit(key));
	text_print(t, " %lu %lu %lu %lu 0 0 0 %d %u 0 0 0 0 0", i.pending | i.shared_pending,
		   i.blocked, i.ignored, i.caught, i.exit_signal, i.cpu);
	text_print(t, " 0 0 %lu %lu %lu %lu %lu %d\n", m.brk, m.args, m.args_end, m.args_end,
		   m.env_end, i.exit_status);
	return 0;
}

static const char *state_name(char state)
{
	switch (state) {
	case 'R':
		return "R (running)";
	case 'D':
		return "D (disk sleep)";
	case 'T':
		return "T (stopped)";
	case 'Z':
		return "Z (zombie)";
	default:
		return "S (sleeping)";
	}
}

static void print_ids(struct textbuf *t, const struct cred *c)
{
	text_print(t, "Uid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid, c->fsuid);
	text_print(t, "Gid:\t%u\t%u\t%u\t%u\n", c->gid, c->egid, c->sgid, c->fsgid);
}

static int print_cred(const struct procfs_key *key, struct textbuf *t)
{
	struct files *files;
	struct cred *c;
	int err = task_cred(key, &c);

	if (err)
		return err;
	print_ids(t, c);
	text_print(t, "FDSize:\t%u\n", task_files(key, &files) ? 0 : READ_ONCE(files->nr_slots));
	if (files)
		files_put(files);
	text_print(t, "Groups:\t");
	for (unsigned i = 0; i < c->nr_groups; i++)
		text_print(t, "%u ", c->groups[i]);
	text_print(t, "\n");
	cred_put(c);
	return 0;
}

static void print_memory(const struct procfs_key *key, struct textbuf *t)
{
	struct memory m;

	note_memory(key, &m);
	if (!m.pages)
		return;
	text_print(t, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\n", KIB(m.pages), KIB(m.pages));
	text_print(t, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\n", KIB(m.most), KIB(m.resident));
	text_print(t, "VmPTE:\t%8lu kB\nVmSwap:\t%8u kB\n", KIB(m.tables), 0);
}

/* The name is whatever the task calls itself: it must not look like a line of ours. */
static void print_name(const struct procfs_key *key, const struct task_info *i, struct textbuf *t)
{
	struct fs_context *fs;

	text_print(t, "Name:\t");
	for (const char *s = i->comm; *s; s++)
		text_print(t, *s == '\n' || *s == '\\' ? "\\%c" : "%c", *s == '\n' ? 'n' : *s);
	if (!task_fs(key, &fs)) {
		text_print(t, "\nUmask:\t%04o", fs_umask(fs));
		fs_put(fs);
	}
	text_print(t, "\nState:\t%s\n", state_name(i->state));
}

/* /proc/PID/status. */
int show_status(const struct procfs_key *key, struct textbuf *t)
{
	struct task_info i;
	int err = task_info(key, true, &i);

	if (err)
		return err;
	print_name(key, &i, t);
	text_print(t, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", i.pid, i.tid,
		   i.ppid);
	err = print_cred(key, t);
	if (err)
		return err;
	text_print(t, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", i.pid, i.tid, i.pgid,
		   i.sid);
	print_memory(key, t);
	text_print(t, "Threads:\t%u\n", i.nr_tasks);
	text_print(t, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", i.pending, i.shared_pending);
	text_print(t, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", i.blocked,
		   i.ignored, i.caught);
	return 0;
}

/* /proc/PID/statm: pages: all, resident, shared, text, libraries, data, dirty. */
int show_statm(const struct procfs_key *key, struct textbuf *t)
{
	struct memory m;

	if (!task_alive(key))
		return -ESRCH;
	note_memory(key, &m);
	text_print(t, "%lu %lu 0 0 0 %lu 0\n", m.pages, m.resident, m.pages);
	return 0;
}

/* --- maps */

struct maps {
	struct textbuf *text;
	const struct mm *mm;
	struct path root;
	char *name;			/* PATH_MAX bytes */
};

static const char *area_name(struct maps *maps, const struct vma *v)
{
	if (v->file && v->file->path.dentry)
		return dentry_path_shown(&v->file->path, &maps->root, maps->name, PATH_MAX) > 0 ?
		       maps->name : "(too long)";
	if (v->flags & VMA_GROWSDOWN)
		return "[stack]";
	if (v->start < maps->mm->brk_end && v->end > maps->mm->brk_start)
		return "[heap]";
	return NULL;
}

static void print_area(const struct vma *v, void *arg)
{
	struct maps *maps = arg;
	struct textbuf *t = maps->text;
	const struct inode *inode = v->file ? v->file->inode : NULL;
	const char *name = area_name(maps, v);
	size_t start = t->len;

	text_print(t, "%08lx-%08lx %c%c%c%c %08lx 00:%02lx %lu ", v->start, v->end,
		   v->flags & VMA_READ ? 'r' : '-', v->flags & VMA_WRITE ? 'w' : '-',
		   v->flags & VMA_EXEC ? 'x' : '-', v->flags & VMA_SHARED ? 's' : 'p',
		   inode ? v->index * PAGE_SIZE : 0, inode ? inode->super->dev : 0,
		   inode ? inode->ino : 0);
	if (name && t->len - start < MAPS_NAME_COLUMN)
		text_print(t, "%*s", (int)(MAPS_NAME_COLUMN - (t->len - start)), "");
	text_print(t, "%s\n", name ? name : "");
}

static int print_maps(struct mm *mm, struct textbuf *t)
{
	struct maps maps = { .text = t, .mm = mm, .name = kmalloc(PATH_MAX, GFP_KERNEL) };

	if (!maps.name)
		return -ENOMEM;
	maps.root = fs_get_root(proc_current()->fs);
	vm_for_each_area(mm, print_area, &maps);
	path_put(&maps.root);
	kfree(maps.name);
	return 0;
}

/* /proc/PID/maps. */
int show_maps(const struct procfs_key *key, struct textbuf *t)
{
	struct mm *mm;
	int err = task_mm(key, &mm);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = print_maps(mm, t);
	mm_put(mm);
	return err;
}

/* --- limits */

static void print_limit(struct textbuf *t, u64 limit)
{
	char digits[24] = "unlimited";

	if (limit != RLIM_INFINITY)
		fmt_print(digits, sizeof(digits), "%lu", limit);
	text_print(t, "%-20s ", digits);
}

/* /proc/PID/limits. */
int show_limits(const struct procfs_key *key, struct textbuf *t)
{
	static const struct {
		const char *name, *unit;
	} rows[NR_RLIMITS] = {
		[RLIMIT_CPU] = { "Max cpu time", "seconds" },
		[RLIMIT_FSIZE] = { "Max file size", "bytes" },
		[RLIMIT_DATA] = { "Max data size", "bytes" },
		[RLIMIT_STACK] = { "Max stack size", "bytes" },
		[RLIMIT_CORE] = { "Max core file size", "bytes" },
		[RLIMIT_RSS] = { "Max resident set", "bytes" },
		[RLIMIT_NPROC] = { "Max processes", "processes" },
		[RLIMIT_NOFILE] = { "Max open files", "files" },
		[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
		[RLIMIT_AS] = { "Max address space", "bytes" },
		[RLIMIT_LOCKS] = { "Max file locks", "locks" },
		[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
		[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
		[RLIMIT_NICE] = { "Max nice priority", "" },
		[RLIMIT_RTPRIO] = { "Max realtime priority", "" },
		[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
	};
	struct tgroup *g;
	int err = task_group(key, &g);

	if (err)
		return err == -ENOENT ? 0 : err;
	text_print(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < NR_RLIMITS; i++) {
		text_print(t, "%-25s ", rows[i].name);
		print_limit(t, READ_ONCE(g->rlim[i].current));
		print_limit(t, READ_ONCE(g->rlim[i].max));
		text_print(t, rows[i].unit[0] ? "%-10s\n" : "\n", rows[i].unit);
	}
	group_put(g);
	return 0;
}
