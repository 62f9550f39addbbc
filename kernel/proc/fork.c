/* SPDX-License-Identifier: MIT */
/*
 * Making processes. What a process costs its maker's group, in the order of acquisition:
 *
 *   task object, signal, FPU image | kernel stack | files, fs | mm, vmas, page tables
 *
 * Each step is undone by a label named for it, so a refusal at any of them leaves no charge.
 * The child is visible to group kills (cgroup_fork()) before it is to kill() and wait4()
 * (proc_publish()); publishing fails once the parent has been killed, so of a group kill and a
 * fork at the same time either the killer sees the child or the child is never born.
 */
#include "arch/context.h"
#include "arch/uaccess.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"

#define CLONE_EXIT_SIGNAL 0xffu
#define CLONE_SUPPORTED	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | \
			 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | \
			 CLONE_SETTLS)

static struct kmem_cache *task_cache, *signal_cache, *fpu_cache;

/* Make the caches of the objects below. Context: boot; no memory this early is a bug. */
void fork_init(void)
{
	task_cache = kmem_cache_create("task", sizeof(struct proc), CACHELINE, 0, NULL);
	signal_cache = kmem_cache_create("signal", sizeof(struct signal_state), 8, 0, NULL);
	fpu_cache = kmem_cache_create("fpu_state", FPU_STATE_BYTES, FPU_STATE_ALIGN, 0, NULL);
	BUG_ON(!task_cache || !signal_cache || !fpu_cache);
}

/* Called by the next thread on its own stack, once the kernel stack of p's thread is gone. */
static void thread_released(struct thread *t)
{
	proc_put(t->owner);
}

static void proc_setup(struct proc *p)
{
	refcount_set(&p->refs, 2);	/* the family, and the thread until its release */
	p->state = PROC_NEW;
	p->exit_signal = SIGCHLD;
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->all_link);
	list_init(&p->hash_link);
	waitq_init(&p->child_exit);
	fpu_init_state(p->thread.fpu);
	p->thread.owner = p;
	p->thread.release = thread_released;
}

/*
 * A process object with a thread that will run fn(process), not started; no files, mm, group
 * or pid yet. NULL: no memory, or refused at the caller's limit.
 * Context: may sleep; charged to the caller's group.
 */
struct proc *proc_create(const char *name, void (*fn)(void *))
{
	struct proc *p = kmem_cache_alloc(task_cache, GFP_KERNEL | GFP_ZERO);
	void *fpu;

	if (!p)
		return NULL;
	p->signal = kmem_cache_alloc(signal_cache, GFP_KERNEL | GFP_ZERO);
	if (!p->signal)
		goto free_task;
	fpu = kmem_cache_alloc(fpu_cache, GFP_KERNEL | GFP_ZERO);
	if (!fpu)
		goto free_signal;
	if (thread_init(&p->thread, name, fn, p))
		goto free_fpu;
	p->thread.fpu = fpu;
	proc_setup(p);
	str_copy(p->comm, name, sizeof(p->comm));
	return p;

free_fpu:
	kmem_cache_free(fpu_cache, fpu);
free_signal:
	kmem_cache_free(signal_cache, p->signal);
free_task:
	kmem_cache_free(task_cache, p);
	return NULL;
}

/* Undo proc_create(): the thread never started, files, mm and group are gone again. */
void proc_destroy(struct proc *p)
{
	void *fpu = p->thread.fpu;

	p->thread.fpu = NULL;
	thread_fini(&p->thread);
	kmem_cache_free(fpu_cache, fpu);
	kmem_cache_free(signal_cache, p->signal);
	kmem_cache_free(task_cache, p);
}

/*
 * Give back the FPU image and the signal state of the caller, which is ending: from here on
 * nobody can signal it. The kernel never preempts itself, so no switch saves into the image
 * between the two lines.
 * Locks: proc lock taken.
 */
void proc_release_state(struct proc *p)
{
	void *fpu = p->thread.fpu;
	struct signal_state *signal;

	p->thread.fpu = NULL;
	kmem_cache_free(fpu_cache, fpu);
	spin_lock(&proc_lock);
	signal = p->signal;
	p->signal = NULL;
	spin_unlock(&proc_lock);
	kmem_cache_free(signal_cache, signal);
}

/* Free the task object: reaped, and its thread is off its stack. */
void proc_free(struct proc *p)
{
	ASSERT(p->state == PROC_ZOMBIE && !p->mm && !p->files && !p->fs && !p->signal);
	kmem_cache_free(task_cache, p);
}

static noreturn void child_start(void *arg)
{
	struct proc *p = arg;

	if (p->set_tid) {
		u32 tid = (u32)p->pid;

		/* As on Linux, a bad address is the program's own affair. */
		if (copy_to_user(p->set_tid, &tid, sizeof(tid)))
			p->set_tid = 0;
	}
	context_enter_user(p->thread.stack.top);
}

static int copy_files(struct proc *child, struct proc *parent, unsigned flags)
{
	child->files = flags & CLONE_FILES ? files_get(parent->files) : files_copy(parent->files);
	if (!child->files)
		return -ENOMEM;
	child->fs = flags & CLONE_FS ? fs_get(parent->fs) : fs_copy(parent->fs);
	if (!child->fs) {
		files_put(child->files);
		child->files = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int copy_memory(struct proc *child, struct proc *parent, unsigned flags)
{
	int err = 0;

	if (flags & CLONE_VM)
		child->mm = mm_get(parent->mm);
	else
		err = mm_copy(parent->mm, &child->mm);
	if (!err)
		thread_set_pgd(&child->thread, mm_pgd(child->mm));
	return err;
}

/* The user's side of the machine state: the parent's, with the results of clone(). */
static void copy_state(struct proc *child, struct proc *parent, const struct clone_args *args,
		       const struct regs *regs)
{
	struct regs *child_regs = context_user_regs(child->thread.stack.top);

	*child_regs = *regs;
	regs_set_ret(child_regs, 0);
	if (args->stack)
		regs_set_sp(child_regs, args->stack);
	fpu_save(parent->thread.fpu);
	memcpy(child->thread.fpu, parent->thread.fpu, FPU_STATE_BYTES);
	child->thread.tls = args->flags & CLONE_SETTLS ? args->tls : parent->thread.tls;
	child->exit_signal = args->exit_signal;
	child->set_tid = args->flags & CLONE_CHILD_SETTID ? args->child_tid : 0;
	child->clear_tid = args->flags & CLONE_CHILD_CLEARTID ? args->child_tid : 0;
	child->vfork_released = !(args->flags & CLONE_VFORK);

	spin_lock(&proc_lock);
	child->signal->ignored = parent->signal->ignored;
	child->signal->blocked = parent->signal->blocked;
	spin_unlock(&proc_lock);
}

/* Sleep until the child has a memory of its own or none. A kill ends the wait: the shared
 * address space is counted, so the child may go on in it alone. */
static void wait_for_vfork(struct proc *parent, struct proc *child)
{
	int killed;

	spin_lock(&proc_lock);
	killed = waitq_wait_locked(&parent->child_exit, &proc_lock, child->vfork_released);
	if (killed)
		child->vfork_released = true;
	spin_unlock(&proc_lock);
}

/* p no longer runs on its parent's memory: a parent that sleeps in vfork() goes on.
 * Locks: proc lock taken. */
void proc_vfork_release(struct proc *p)
{
	spin_lock(&proc_lock);
	if (!p->vfork_released) {
		p->vfork_released = true;
		waitq_wake_all(&p->parent->child_exit);
	}
	spin_unlock(&proc_lock);
}

static int check_clone_args(const struct clone_args *args)
{
	if (args->flags & ~CLONE_SUPPORTED)
		return -EINVAL;
	if ((args->flags & CLONE_SIGHAND) && !(args->flags & CLONE_VM))
		return -EINVAL;
	if (args->exit_signal < 0 || args->exit_signal > NR_SIGNALS)
		return -EINVAL;
	if ((args->flags & CLONE_SETTLS) && args->tls >= USER_MAX)
		return -EPERM;
	return 0;
}

static void tell_parent(struct proc *child, const struct clone_args *args)
{
	u32 tid = (u32)child->pid;

	/* As on Linux, a bad address here does not stop the child. */
	if ((args->flags & CLONE_PARENT_SETTID) &&
	    copy_to_user(args->parent_tid, &tid, sizeof(tid)))
		return;
}

/*
 * A child of the caller that returns 0 from the same system call. Returns its pid; -EINVAL: a
 * combination of flags that makes a thread, or none at all (CLONE_THREAD, namespaces);
 * -ENOMEM: refused at the group's limit or no page left; -EAGAIN: no pid is free; -EINTR: the
 * caller is being killed. Dispositions of signals are copied even with CLONE_SIGHAND: without
 * handlers the two differ only for a child that ignores a signal after its birth.
 * Locks: none held. Context: may sleep; with CLONE_VFORK until the child's exec or exit.
 */
long proc_clone(const struct clone_args *args, const struct regs *regs)
{
	struct proc *parent = proc_current(), *child;
	long pid;
	int err = check_clone_args(args);

	if (err)
		return err;
	if (proc_fatal_signal())
		return -EINTR;
	child = proc_create(parent->comm, child_start);
	if (!child)
		return -ENOMEM;
	err = copy_files(child, parent, args->flags);
	if (err)
		goto free_child;
	err = copy_memory(child, parent, args->flags);
	if (err)
		goto put_files;
	copy_state(child, parent, args, regs);
	cgroup_fork(&child->member, &parent->member);
	pid = err = proc_publish(child, parent);
	if (err < 0)
		goto leave_group;
	refcount_get(&child->refs);
	tell_parent(child, args);
	thread_start(&child->thread);
	if (args->flags & CLONE_VFORK)
		wait_for_vfork(parent, child);
	proc_put(child);
	return pid;

leave_group:
	cgroup_exit(&child->member);
	thread_set_pgd(&child->thread, 0);
	mm_put(child->mm);
put_files:
	fs_put(child->fs);
	files_put(child->files);
free_child:
	proc_destroy(child);
	return err;
}
