/* SPDX-License-Identifier: MIT */
/*
 * Resource limits: what a process may have beside what its group pays for. Inherited by fork,
 * kept by exec. Whoever is bound by one asks for it at the moment of use, so that a change
 * counts at once and takes nothing away.
 */
#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"

#define NOFILE_HIGHEST	1048576u
#define BYTES_PER_TASK	(128ul << 10)	/* of RAM: how Linux finds how many tasks there may be */

/* Linux's for its first process. Locks: none, g runs nothing yet. */
void limits_set_defaults(struct tgroup *g)
{
	u64 tasks = page_nr_total() * PAGE_SIZE / BYTES_PER_TASK / 2;

	for (unsigned i = 0; i < NR_RLIMITS; i++)
		g->rlim[i] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	g->rlim[RLIMIT_STACK].current = 8ul << 20;
	g->rlim[RLIMIT_CORE].current = 0;
	g->rlim[RLIMIT_NPROC] = (struct rlimit){ tasks, tasks };
	g->rlim[RLIMIT_NOFILE] = (struct rlimit){ 1024, 4096 };
	g->rlim[RLIMIT_MEMLOCK] = (struct rlimit){ 8ul << 20, 8ul << 20 };
	g->rlim[RLIMIT_SIGPENDING] = (struct rlimit){ tasks, tasks };
	g->rlim[RLIMIT_MSGQUEUE] = (struct rlimit){ 819200, 819200 };
	g->rlim[RLIMIT_NICE] = g->rlim[RLIMIT_RTPRIO] = (struct rlimit){ 0, 0 };
}

/* The caller's limit. Context: any. */
u64 limit_current(enum rlimit_kind kind)
{
	const struct proc *p = proc_current();

	return p && p->group ? READ_ONCE(p->group->rlim[kind].current) : RLIM_INFINITY;
}

/*
 * Read into *old (unless NULL) and then set (unless to is NULL) a limit of g. Returns 0; -EINVAL:
 * the lower is above the upper; -EPERM: only root may raise the upper one, and nobody the
 * number of descriptors above what Linux allows. Locks: proc lock held.
 */
int limit_change(struct tgroup *g, enum rlimit_kind kind, const struct rlimit *to,
		 struct rlimit *old)
{
	assert_held(&proc_lock);
	if (to && to->current > to->max)
		return -EINVAL;
	if (to && kind == RLIMIT_NOFILE && to->max > NOFILE_HIGHEST)
		return -EPERM;
	if (to && to->max > g->rlim[kind].max && proc_current()->cred->euid != 0)
		return -EPERM;
	if (old)
		*old = g->rlim[kind];
	if (to) {
		WRITE_ONCE(g->rlim[kind].current, to->current);
		g->rlim[kind].max = to->max;
	}
	return 0;
}

/* How long a file the caller may make. Context: any. */
u64 limit_fsize(void)
{
	return limit_current(RLIMIT_FSIZE);
}

/* How many descriptors the caller may have. Context: any. */
unsigned limit_nofile(void)
{
	return (unsigned)MIN(limit_current(RLIMIT_NOFILE), (u64)NOFILE_HIGHEST);
}

static u64 memory_limit(enum vm_limit which)
{
	static const enum rlimit_kind kinds[] = {
		[VM_LIMIT_DATA] = RLIMIT_DATA, [VM_LIMIT_STACK] = RLIMIT_STACK,
		[VM_LIMIT_SPACE] = RLIMIT_AS,
	};

	return limit_current(kinds[which]);
}

/* Tell kernel/vm. Context: boot. */
void limits_init(void)
{
	vm_set_limit_hook(memory_limit);
}
