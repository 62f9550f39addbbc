/* SPDX-License-Identifier: MIT */
/*
 * The end of a process, and its parent's wait for it.
 *
 * The order matters to whoever counts pages. A dying process gives back descriptors, address
 * space, group membership, signal state and FPU image while it still runs, then becomes a
 * zombie and leaves; the next thread on the CPU frees its kernel stack before it does anything
 * else. So once wait4() can see a zombie and another thread runs, only the task object is
 * still charged, and that goes when the zombie is reaped.
 */
#include "arch/uaccess.h"
#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"

#define WAIT_OPTIONS	(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE)

/* A thread library waits for this word; in memory that nobody shares nobody looks. */
static void clear_tid_word(struct proc *p)
{
	u32 zero = 0;

	if (!p->clear_tid || refcount_read(&p->mm->users) < 2)
		return;
	if (copy_to_user(p->clear_tid, &zero, sizeof(zero)))
		p->clear_tid = 0;
}

/* The thread leaves the tables (for the kernel's own) before their last user frees them. */
static void release_memory(struct proc *p)
{
	struct mm *mm = p->mm;

	p->mm = NULL;
	if (!mm)
		return;
	thread_set_pgd(&p->thread, 0);
	mm_put(mm);
	proc_vfork_release(p);
}

static void release_files(struct proc *p)
{
	struct files *files = p->files;
	struct fs_context *fs = p->fs;

	p->files = NULL;
	p->fs = NULL;
	files_put(files);
	fs_put(fs);
}

/* Orphans, dead or alive, become children of pid 1, which reaps them. */
static void give_away_children_locked(struct proc *p)
{
	struct proc *child;

	if (list_empty(&p->children))
		return;
	list_for_each(child, &p->children, sibling)
		child->parent = proc_init_process;
	list_splice(&proc_init_process->children, &p->children);
	waitq_wake_all(&proc_init_process->child_exit);
}

static bool ignores_children(const struct proc *parent)
{
	return parent->signal && (parent->signal->ignored & 1ull << (SIGCHLD - 1));
}

static void become_zombie(struct proc *p, int status)
{
	bool reaped;

	spin_lock(&proc_lock);
	give_away_children_locked(p);
	p->exit_status = status;
	p->state = PROC_ZOMBIE;
	reaped = ignores_children(p->parent);
	if (reaped)
		proc_unlink_locked(p);
	waitq_wake_all(&p->parent->child_exit);
	spin_unlock(&proc_lock);
	if (reaped)
		proc_put(p);		/* not the last: the thread holds one */
}

/*
 * End the calling process; status as wait4() reports it: exit code << 8, or a signal.
 * Pid 1 has nobody to report to: its end is the machine's.
 * Locks: none held. Context: a process, interrupts on.
 */
noreturn void proc_exit(int status)
{
	struct proc *p = proc_current();

	if (p == proc_init_process)
		panic("init (pid 1) ended with status 0x%x: nobody is left to run or reap processes",
		      (unsigned)status);
	spin_lock(&proc_lock);
	p->state = PROC_EXITING;
	spin_unlock(&proc_lock);

	clear_tid_word(p);
	release_files(p);
	release_memory(p);
	cgroup_exit(&p->member);
	proc_release_state(p);
	become_zombie(p, status);
	thread_exit();
}

static struct proc *find_zombie_locked(struct proc *parent, int pid, bool *any)
{
	struct proc *child;

	*any = false;
	list_for_each(child, &parent->children, sibling) {
		if (pid > 0 && child->pid != pid)
			continue;
		*any = true;
		if (child->state == PROC_ZOMBIE)
			return child;
	}
	return NULL;
}

/*
 * Wait for a child to end and reap it. pid > 0: that child; 0, -1 and less: any (there are no
 * process groups, so every child is in the caller's). Children made with another exit signal
 * than SIGCHLD count like the rest. Returns its pid with *out filled; 0: WNOHANG and none has
 * ended; -ECHILD: no such child; -EINVAL: unknown option; -EINTR: the caller is being killed.
 * Locks: proc lock. Context: may sleep.
 */
long proc_wait(int pid, unsigned options, struct wait_result *out)
{
	struct proc *p = proc_current(), *child = NULL;
	bool any = false;
	long ret;

	if (options & ~WAIT_OPTIONS)
		return -EINVAL;
	spin_lock(&proc_lock);
	ret = waitq_wait_locked(&p->child_exit, &proc_lock,
				(child = find_zombie_locked(p, pid, &any)) != NULL || !any ||
					(options & WNOHANG));
	if (child)
		proc_unlink_locked(child);
	spin_unlock(&proc_lock);

	if (!child)
		return ret ? ret : any ? 0 : -ECHILD;
	ret = child->pid;
	out->status = child->exit_status;
	out->cpu_ns = child->thread.cpu_ns;
	proc_put(child);
	return ret;
}
