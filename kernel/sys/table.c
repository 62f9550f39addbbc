/* SPDX-License-Identifier: MIT */
/*
 * The way from a system call's number to its function. A number that is not here is -ENOSYS,
 * counted, and named in the log the first time, so that whoever brings a program sees at once
 * what it wanted.
 */
#include "arch/upcall.h"
#include "kernel/lib/log.h"
#include "kernel/proc/procfiles.h"
#include "kernel/sys/calls.h"

#define FIRST_OWN	SYS_cgroup_create
#define NR_COUNTED	512		/* larger numbers share the last count */

struct call {
	long (*fn)(struct syscall *c);
	const char *name;		/* for who reads the table with GDB */
};

#define LINUX_ENTRY(nr, name)	[nr] = { sys_##name, #name },
#define TALLY_ENTRY(nr, name)	[(nr) - FIRST_OWN] = { sys_##name, #name },

static const struct call linux_calls[] = { LINUX_CALLS(LINUX_ENTRY) };
static const struct call own_calls[] = { TALLY_CALLS(TALLY_ENTRY) };
static atomic_long unknown[NR_COUNTED];

static const struct call *find_call(unsigned long nr)
{
	const struct call *call = NULL;

	if (nr < ARRAY_SIZE(linux_calls))
		call = &linux_calls[nr];
	else if (nr - FIRST_OWN < ARRAY_SIZE(own_calls))
		call = &own_calls[nr - FIRST_OWN];
	return call && call->fn ? call : NULL;
}

static long count_unknown(unsigned long nr)
{
	const struct proc *p = proc_current();

	if (atomic_add_return(&unknown[MIN(nr, NR_COUNTED - 1ul)], 1) == 1)
		log_info("%s[%d]: system call %lu is not implemented", p->comm, p->pid, nr);
	return -ENOSYS;
}

/* How often number nr, which is not there, was asked for (all numbers from NR_COUNTED - 1 up
 * share one count). Context: any. */
unsigned long sys_unknown_count(unsigned nr)
{
	return (unsigned long)atomic_load(&unknown[MIN(nr, NR_COUNTED - 1u)]);
}

/* One line for each number that was asked for in vain: the number and how often. */
static int show_enosys(const struct procfs_key *unused, struct textbuf *t)
{
	(void)unused;
	for (unsigned i = 0; i < NR_COUNTED; i++) {
		if (sys_unknown_count(i))
			text_print(t, "%u %lu\n", i, sys_unknown_count(i));
	}
	return 0;
}

/* Make /proc/sys/kernel/enosys appear. Context: boot, after proc_init(). */
void sys_init(void)
{
	static const struct procfs_entry table[] = {
		{ .name = "enosys", .mode = S_IFREG | 0444, .show = show_enosys },
		{ .name = NULL },
	};

	procfs_add(&procfs_kernel, table);
}

/*
 * A system call: number and arguments from r, the result into r. A call that replaces the
 * program (execve) fills r itself and returns 0, which is what the new program finds.
 * Context: a process, no lock held, interrupts on.
 */
void upcall_syscall(struct regs *r)
{
	unsigned long nr = regs_syscall_nr(r);
	const struct call *call = find_call(nr);
	struct syscall c = { .regs = r };
	long ret;

	for (unsigned i = 0; i < ARRAY_SIZE(c.arg); i++)
		c.arg[i] = regs_arg(r, i);
	ret = call ? call->fn(&c) : count_unknown(nr);
	if (unlikely(proc_is_restart(ret)))
		WRITE_ONCE(thread_current()->signalled, true);	/* signal_deliver() sees to it */
	regs_set_ret(r, ret);
}
