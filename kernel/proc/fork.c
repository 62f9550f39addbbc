/* SPDX-License-Identifier: MIT */
/*
 * Making processes and threads. What a process costs its maker's group, in the order of
 * acquisition:
 *
 *   task object, signal, FPU image | kernel stack | files, fs | mm, vmas, page tables
 *
 * Each step is undone by a label named for it, so a refusal at any of them leaves no charge.
 * The child is visible to group kills (cgroup_fork()) before it is to kill() and wait4()
 * (proc_publish()); publishing fails once the maker has been killed, so of a kill and a fork at
 * the same time either the killer sees the child or the child is never born. A thread costs a
 * task object, an FPU image and a stack; it joins the group of its maker when it is published.
 */
#include "arch/context.h"
#include "arch/uaccess.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"

#define CLONE_EXIT_SIGNAL 0xffu
/* Nothing here that they change. */
#define CLONE_IGNORED	(CLONE_SYSVSEM | CLONE_DETACHED | CLONE_PTRACE | CLONE_UNTRACED | CLONE_IO)
#define CLONE_SUPPORTED	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | \
			 CLONE_THREAD | CLONE_SETTLS | CLONE_PARENT_SETTID | \
			 CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_PARENT | CLONE_IGNORED)

static struct kmem_cache *task_cache, *fpu_cache;

/* Make the caches of the objects below. Context: boot; no memory this early is a bug. */
void fork_init(void)
{
	task_cache = kmem_cache_create("task", sizeof(struct proc), CACHELINE, 0, NULL);
	fpu_cache = kmem_cache_create("fpu_state", FPU_STATE_BYTES, FPU_STATE_ALIGN, 0, NULL);
	BUG_ON(!task_cache || !fpu_cache);
}

/* Called by the next thread on its own stack, once the kernel stack of t is gone. */
static void thread_released(struct thread *t)
{
	proc_released(t->owner);
}

static void proc_setup(struct proc *p)
{
	refcount_set(&p->refs, 2);	/* the table, and the thread until its release */
	p->state = PROC_NEW;
	p->exit_signal = SIGCHLD;
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->all_link);
	list_init(&p->hash_link);
	waitq_init(&p->child_exit);
	list_init(&p->pending.queue);
	fpu_init_state(p->thread.fpu);
	p->thread.owner = p;
	p->thread.release = thread_released;
}

/*
 * A task object with a thread that will run fn(task), not started; no files, mm, cgroup or pid
 * yet. It will be one more task of g, or (NULL) the leader of a group of its own. NULL: no
 * memory, or refused at the caller's limit.
 * Context: may sleep; charged to the caller's group.
 */
struct proc *proc_create(const char *name, void (*fn)(void *), struct tgroup *g)
{
	struct proc *p = kmem_cache_alloc(task_cache, GFP_KERNEL | GFP_ZERO);
	void *fpu;

	if (!p)
		return NULL;
	list_init(&p->group_link);
	p->group = g ? g : group_create(p);
	if (!p->group)
		goto free_task;
	fpu = kmem_cache_alloc(fpu_cache, GFP_KERNEL | GFP_ZERO);
	if (!fpu)
		goto put_group;
	if (thread_init(&p->thread, name, fn, p))
		goto free_fpu;
	p->thread.fpu = fpu;
	proc_setup(p);
	p->cred = cred_get(cred_current());
	str_copy(p->comm, name, sizeof(p->comm));
	return p;

free_fpu:
	kmem_cache_free(fpu_cache, fpu);
put_group:
	if (!g)
		group_put(p->group);
free_task:
	kmem_cache_free(task_cache, p);
	return NULL;
}

/* Undo proc_create(): the thread never started, files, mm and cgroup are gone again. */
void proc_destroy(struct proc *p)
{
	proc_release_fpu(p);
	thread_fini(&p->thread);
	if (p->group->leader == p)
		group_put(p->group);
	cred_put(p->cred);
	kmem_cache_free(task_cache, p);
}

/* Give back the FPU image of p, the caller or a task that never started. The kernel never
 * preempts itself, so no switch saves into the image between the lines. */
void proc_release_fpu(struct proc *p)
{
	void *fpu = p->thread.fpu;

	p->thread.fpu = NULL;
	kmem_cache_free(fpu_cache, fpu);
}

/* Free the task object: reaped, and its thread is off its stack. */
void proc_free(struct proc *p)
{
	ASSERT(p->state == PROC_ZOMBIE && !p->mm && !p->files && !p->fs && !p->group);
	cred_put(p->cred);
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

static int copy_sighand(struct proc *child, struct proc *parent, unsigned flags)
{
	struct sighand *from = parent->group->sighand;

	if (flags & CLONE_THREAD)
		return 0;
	child->group->sighand = flags & CLONE_SIGHAND ? sighand_get(from) : sighand_copy(from);
	return child->group->sighand ? 0 : -ENOMEM;
}

static int copy_memory(struct proc *child, struct proc *parent, unsigned flags)
{
	int err = 0;

	if (flags & CLONE_VM)
		child->mm = mm_get(parent->mm);
	else
		err = mm_copy(parent->mm, &child->mm);
	if (!err)
		thread_set_space(&child->thread, &child->mm->space);
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
	child->vfork_wait = args->flags & CLONE_VFORK ? &parent->group->leader->child_exit : NULL;
	child->no_new_privs = parent->no_new_privs;
	child->nice = parent->nice;
	child->is_sibling = args->flags & CLONE_PARENT;
	if (!(args->flags & CLONE_THREAD)) {
		spin_lock(&proc_lock);
		memcpy(child->group->rlim, parent->group->rlim, sizeof(child->group->rlim));
		child->group->dumpable = parent->group->dumpable;
		spin_unlock(&proc_lock);
	}
	child->blocked = parent->blocked;
	if ((args->flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM)
		child->altstack = parent->altstack;
}

/* Sleep until the child has a memory of its own or none. A kill ends the wait: the shared
 * address space is counted, so the child may go on in it alone. */
static void wait_for_vfork(struct proc *parent, struct proc *child)
{
	struct waitq *wq = &parent->group->leader->child_exit;	/* stays while this task runs */

	spin_lock(&proc_lock);
	if (waitq_wait_killable_locked(wq, &proc_lock, !child->vfork_wait))
		child->vfork_wait = NULL;
	spin_unlock(&proc_lock);
}

/* p, the caller, no longer runs on its maker's memory: one that sleeps in vfork() goes on.
 * Locks: proc lock taken. */
void proc_vfork_release(struct proc *p)
{
	struct waitq *wq;

	spin_lock(&proc_lock);
	wq = p->vfork_wait;
	p->vfork_wait = NULL;
	if (wq)
		waitq_wake_all(wq);
	spin_unlock(&proc_lock);
}

static int check_clone_args(const struct clone_args *args)
{
	if ((args->flags & CLONE_NEW_ANY) && proc_current()->cred->euid != 0)
		return -EPERM;
	if (args->flags & ~CLONE_SUPPORTED)
		return -EINVAL;
	if ((args->flags & CLONE_PARENT) && proc_current()->group->leader == proc_init_process)
		return -EINVAL;
	if ((args->flags & CLONE_SIGHAND) && !(args->flags & CLONE_VM))
		return -EINVAL;
	if ((args->flags & CLONE_THREAD) && !(args->flags & CLONE_SIGHAND))
		return -EINVAL;
	if (args->exit_signal < 0 || args->exit_signal > NR_SIGNALS)
		return -EINVAL;
	if ((args->flags & CLONE_SETTLS) && args->tls >= USER_MAX)
		return -EPERM;
	return 0;
}

static void tell_parent(long pid, const struct clone_args *args)
{
	u32 tid = (u32)pid;

	/* As on Linux, a bad address here does not stop the child. */
	if ((args->flags & CLONE_PARENT_SETTID) &&
	    copy_to_user(args->parent_tid, &tid, sizeof(tid)))
		return;
}

static int join_group(struct proc *child, struct proc *parent, unsigned flags)
{
	int pid;

	if (!(flags & CLONE_THREAD))
		cgroup_fork(&child->group->member, &parent->group->member);
	pid = proc_publish(child, parent);
	if (pid < 0 && !(flags & CLONE_THREAD))
		cgroup_exit(&child->group->member);
	return pid;
}

/*
 * A child of the caller's process, or (CLONE_THREAD) one more task of it, that returns 0 from
 * the same system call. Returns its tid; -EINVAL: a combination of flags that is none, or
 * namespaces, which need root to be -EINVAL and are -EPERM else; -ENOMEM: refused at the group's
 * limit or no page left; -EAGAIN: no pid is free, or the user has as many tasks as they may;
 * -EINTR: the caller is being killed; -ERESTARTNOINTR: it has a signal to handle first.
 * Locks: none held. Context: may sleep; with CLONE_VFORK until the child's exec or exit.
 */
long proc_clone(const struct clone_args *args, const struct regs *regs)
{
	struct proc *parent = proc_current(), *child;
	bool thread = args->flags & CLONE_THREAD;
	long pid;
	int err = check_clone_args(args);

	if (err)
		return err;
	if (thread_signalled())
		return proc_dying() ? -EINTR : -ERESTARTNOINTR;
	err = user_check_nproc(parent);
	if (err)
		return err;
	child = proc_create(parent->comm, child_start, thread ? parent->group : NULL);
	if (!child)
		return -ENOMEM;
	err = copy_sighand(child, parent, args->flags);
	if (!err)
		err = copy_files(child, parent, args->flags);
	if (err)
		goto free_child;
	err = copy_memory(child, parent, args->flags);
	if (err)
		goto put_files;
	copy_state(child, parent, args, regs);
	pid = err = join_group(child, parent, args->flags);
	if (err < 0)
		goto put_memory;
	refcount_get(&child->refs);
	tell_parent(pid, args);
	thread_start(&child->thread);
	if (args->flags & CLONE_VFORK)
		wait_for_vfork(parent, child);
	proc_put(child);
	return pid;

put_memory:
	thread_set_space(&child->thread, NULL);
	mm_put(child->mm);
put_files:
	fs_put(child->fs);
	files_put(child->files);
free_child:
	proc_destroy(child);
	return err;
}
