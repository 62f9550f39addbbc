/* SPDX-License-Identifier: MIT */
/*
 * Starting programs. The new address space is built completely, stack included, before anything
 * of the old program changes: every failure leaves the caller as it was. After that its other
 * tasks end; want of memory for what it then shares with other processes kills it.
 */
#include "arch/machine.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/futex.h"

#define STRINGS_MIN	(128ul << 10)
#define STRINGS_MAX	(PAGE_SIZE << MAX_ORDER)	/* no larger buffer is to be had */

/* How much argv and envp may take: a quarter of the stack. Context: any. */
size_t exec_strings_max(void)
{
	return MAX(MIN(limit_current(RLIMIT_STACK) / 4, STRINGS_MAX), STRINGS_MIN);
}

/* Who the program is: the caller, but for the set-id bits of its file. Most share their
 * caller's credentials. */
static int choose_cred(struct proc *p, struct exec *e)
{
	struct inode *inode = e->file->inode;
	const struct cred *old = p->cred;
	u32 mode, euid = old->euid, egid = old->egid;

	mutex_lock(&inode->lock);		/* mode and owner of one moment */
	mode = inode->mode;
	if (p->no_new_privs || (READ_ONCE(e->file->path.mount->flags) & MS_NOSUID))
		mode = 0;
	if (mode & S_ISUID)
		euid = inode->uid;
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		egid = inode->gid;
	mutex_unlock(&inode->lock);
	e->secure = euid != old->uid || egid != old->gid;
	if (euid == old->euid && euid == old->suid && euid == old->fsuid &&
	    egid == old->egid && egid == old->sgid && egid == old->fsgid) {
		e->cred = cred_get(old);
		return 0;
	}
	e->cred = cred_copy(old);
	if (!e->cred)
		return -ENOMEM;
	e->cred->euid = e->cred->suid = e->cred->fsuid = euid;
	e->cred->egid = e->cred->sgid = e->cred->fsgid = egid;
	return 0;
}

/* An address space that holds the program and its stack. */
static int build_memory(struct exec *e)
{
	int err = mm_create(&e->mm);

	if (err)
		return err;
	err = elf_load(e->mm, e->file, &e->image);
	if (!err)
		err = exec_build_stack(e);
	if (err) {
		mm_put(e->mm);
		return err;
	}
	e->mm->brk_start = e->mm->brk_end = e->image.brk;
	e->mm->exe = file_get(e->file);
	return 0;
}

/* exec gives a descriptor table shared by clone(CLONE_FILES), threads' too, back to the
 * others. */
static int unshare_files(struct proc *p)
{
	struct files *shared = p->files, *own;

	if (refcount_read(&shared->refs) == 1)
		return 0;
	own = files_copy(shared);
	if (!own)
		return -ENOMEM;
	spin_lock(&proc_lock);
	p->files = own;
	spin_unlock(&proc_lock);
	files_put(shared);
	return 0;
}

/* The same for what is done about signals, shared by clone(CLONE_SIGHAND). */
static int unshare_sighand(struct proc *p)
{
	struct sighand *shared = p->group->sighand, *own;

	if (refcount_read(&shared->refs) == 1)
		return 0;
	own = sighand_copy(shared);
	if (!own)
		return -ENOMEM;
	spin_lock(&proc_lock);
	p->group->sighand = own;
	spin_unlock(&proc_lock);
	sighand_put(shared);
	return 0;
}

/* And for root, working directory and umask, shared by clone(CLONE_FS), if the program has rights
 * that who shares them has not. */
static int unshare_fs(struct proc *p, bool secure)
{
	struct fs_context *shared = p->fs, *own;

	if (!secure || refcount_read(&shared->refs) == 1)
		return 0;
	own = fs_copy(shared);
	if (!own)
		return -ENOMEM;
	spin_lock(&proc_lock);
	p->fs = own;
	spin_unlock(&proc_lock);
	fs_put(shared);
	return 0;
}

/* A process of its own. Only now, without other tasks: one could begin to share again what was
 * just unshared. There is no way back for want of memory, so that is the process's end. */
static int unshare(struct proc *p, const struct exec *e)
{
	int err = unshare_files(p);

	if (!err)
		err = unshare_sighand(p);
	if (!err)
		err = unshare_fs(p, e->secure);
	if (err)
		signal_fatal(SIGKILL);
	return err;
}

static void set_name(struct proc *p, const char *path)
{
	const char *base = path;

	for (const char *c = path; *c; c++) {
		if (*c == '/' && c[1])
			base = c + 1;
	}
	str_copy(p->comm, base, sizeof(p->comm));
	str_copy(p->thread.name, base, sizeof(p->thread.name));
}

/* The point of no return: the process takes the new memory and forgets the old program. */
static void take_memory(struct proc *p, struct mm *mm)
{
	struct mm *old = p->mm;

	if (old)
		futex_task_end(p);
	spin_lock(&proc_lock);
	p->mm = mm;
	spin_unlock(&proc_lock);
	thread_set_space(&p->thread, &mm->space);
	if (old) {
		group_note_memory(p->group, old);
		mm_put(old);
	}
	proc_vfork_release(p);
	p->thread.tls = 0;
	context_set_tls(0);
	fpu_init_state(p->thread.fpu);
	fpu_load(p->thread.fpu);
	files_close_on_exec(p->files);
	signal_exec(p);
}

/* Nobody may look into the new memory with the old rights, nor into the old memory by those of
 * the new program. */
static void become(struct proc *p, struct exec *e)
{
	bool secure;

	WRITE_ONCE(p->group->dumpable, false);
	secure = cred_commit_exec(p, e->cred) || e->secure;
	take_memory(p, e->mm);
	WRITE_ONCE(p->group->dumpable, !secure);
	set_name(p, e->name);
}

/* All that may fail; the other tasks of the process are gone afterwards. */
static int prepare(struct proc *p, struct exec *e)
{
	int err = exec_resolve_script(e);

	if (!err)
		err = choose_cred(p, e);
	if (err)
		return err;
	err = build_memory(e);
	if (err)
		goto put_cred;
	err = group_take_over(p);
	if (!err)
		err = unshare(p, e);
	if (!err)
		return 0;
	mm_put(e->mm);
put_cred:
	cred_put(e->cred);
	return err;
}

/*
 * Replace the caller's program by the one in file, which the caller opened as name (to be
 * executed) and keeps; the process's other tasks end, and the caller becomes the leader. argv and
 * envp are kernel copies; an empty argv is the caller's business. On success regs hold the new
 * program's start. On failure nothing has changed: -E2BIG: strings over exec_strings_max();
 * -ENOEXEC, -ENOENT: see elf_load(); -ELOOP: scripts; -ENOMEM; -EINTR: being killed; or what
 * opening an interpreter says.
 * Locks: none held. Context: a process, may sleep.
 */
int proc_exec(struct file *file, const char *name, const struct exec_strings *argv,
	      const struct exec_strings *envp, struct regs *regs)
{
	struct exec e = { .name = name, .argv = *argv, .envp = *envp };
	int err;

	if (argv->bytes + envp->bytes + str_len(name) + 1 +
	    8ul * (argv->count + envp->count) > exec_strings_max())
		return -E2BIG;
	e.file = file_get(file);
	err = prepare(proc_current(), &e);
	if (!err) {
		become(proc_current(), &e);
		regs_init_user(regs, e.image.entry, e.sp);
	}
	kfree(e.script_argv);
	file_put(e.file);
	return err;
}

/* --- pid 1 */

static struct {
	const char *path;		/* the caller's: they stay */
	const char *const *argv;
} init_start;

static int pack_strings(const char *const strings[], struct exec_strings *out)
{
	size_t bytes = 0;

	for (out->count = 0; strings[out->count]; out->count++)
		bytes += str_len(strings[out->count]) + 1;
	out->data = kmalloc(MAX(bytes, 1ul), GFP_KERNEL);
	if (!out->data)
		return -ENOMEM;
	for (unsigned i = 0; i < out->count; i++) {
		size_t n = str_len(strings[i]) + 1;

		memcpy(out->data + out->bytes, strings[i], n);
		out->bytes += n;
	}
	return 0;
}

/* Without a first program there is nothing to run: one line that says so, and the end. */
static noreturn void no_init(int err)
{
	char line[192];
	int len = fmt_print(line, sizeof(line), "no init: cannot start %s (error %d)",
			    init_start.path, -err);

	log_info("%s", line);
	if (!host_present())
		machine_halt();
	host_send(HOST_PANIC, line, MIN((size_t)len, sizeof(line) - 1));
	machine_exit();
}

static noreturn void init_main(void *arg)
{
	static const char *const env[] = { "HOME=/", "TERM=linux", "PATH=/bin:/sbin", NULL };
	struct proc *p = arg;
	struct exec_strings argv = { 0 }, envp = { 0 };
	struct file *file;
	int err = pack_strings(init_start.argv, &argv);

	if (!err)
		err = pack_strings(env, &envp);
	if (!err)
		err = file_open_exec(p->fs, init_start.path, &file);
	if (!err)
		err = proc_exec(file, init_start.path, &argv, &envp,
				context_user_regs(p->thread.stack.top));
	if (err)
		no_init(err);
	file_put(file);
	kfree(argv.data);
	kfree(envp.data);
	context_enter_user(p->thread.stack.top);
}

/*
 * Make pid 1, which executes path with argv (both must stay) as soon as it runs, in the root
 * group. Returns 0 or -ENOMEM; if the program turns out not to start, the machine halts with
 * one line. Context: boot, the only caller, after proc_init().
 */
int proc_start_init(const char *path, const char *const argv[])
{
	struct proc *p = proc_create("init", init_main, NULL);
	int pid;

	if (!p)
		return -ENOMEM;
	limits_set_defaults(p->group);
	p->group->sighand = sighand_create();
	p->files = files_create();
	p->fs = fs_create();
	if (!p->group->sighand || !p->files || !p->fs)
		goto free_proc;
	cgroup_fork(&p->group->member, NULL);
	pid = proc_publish(p, NULL);
	BUG_ON(pid != 1);
	init_start.path = path;
	init_start.argv = argv;
	thread_start(&p->thread);
	return 0;

free_proc:
	if (p->files)
		files_put(p->files);
	if (p->fs)
		fs_put(p->fs);
	proc_destroy(p);
	return -ENOMEM;
}
