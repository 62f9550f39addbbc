/* SPDX-License-Identifier: MIT */
/*
 * Starting programs. The new address space is built completely, stack included, before anything
 * of the old program changes: every failure leaves the caller as it was. After the point of no
 * return nothing can fail.
 *
 *   stack at the start, high to low: strings of argv, envp | execfn, platform, random bytes |
 *   auxv | envp pointers, NULL | argv pointers, NULL | argc   <- sp, 16-byte aligned
 */
#include "arch/cpu.h"
#include "arch/machine.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/futex.h"

#define STACK_TOP	(USER_MAX - PAGE_SIZE)
#define STACK_ROOM	(128ul << 10)	/* mapped below what the kernel puts there */

enum auxv_type {
	AT_NULL = 0, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_BASE = 7,
	AT_FLAGS = 8, AT_ENTRY = 9, AT_UID = 11, AT_EUID = 12, AT_GID = 13, AT_EGID = 14,
	AT_PLATFORM = 15, AT_HWCAP = 16, AT_CLKTCK = 17, AT_SECURE = 23, AT_RANDOM = 25,
	AT_HWCAP2 = 26, AT_EXECFN = 31,
};

#define AUXV_PAIRS	20
#define CLOCK_TICKS	100		/* what times() counts in, as on every Linux */

static const char platform[] = "x86_64";

/* Addresses of what lies above the pointers; filled from the top down. */
struct stack_plan {
	uaddr_t argv, envp, execfn, platform, random, sp;
	size_t table_words;		/* argc .. end of auxv */
};

static int open_program(struct fs_context *fs, const char *path, struct file **out)
{
	u32 mode;
	int err = file_open(fs, path, O_RDONLY, 0, out);

	if (err)
		return err;
	mode = READ_ONCE((*out)->inode->mode);
	if (S_ISREG(mode) && (mode & 0111))
		return 0;
	file_put(*out);
	return -EACCES;
}

static void plan_stack(struct stack_plan *plan, const char *path, const struct exec_strings *argv,
		       const struct exec_strings *envp)
{
	uaddr_t at = STACK_TOP - sizeof(u64);	/* a null word ends the stack, as on Linux */

	at -= str_len(path) + 1;
	plan->execfn = at;
	at -= envp->bytes;
	plan->envp = at;
	at -= argv->bytes;
	plan->argv = at;
	at -= sizeof(platform);
	plan->platform = at;
	at = ALIGN_DOWN(at - 16, 16ul);
	plan->random = at;
	plan->table_words = 1 + argv->count + 1 + envp->count + 1 + 2 * AUXV_PAIRS;
	plan->sp = ALIGN_DOWN(at - plan->table_words * sizeof(u64), 16ul);
}

static u64 *put_pointers(u64 *word, const struct exec_strings *strings, uaddr_t base)
{
	size_t at = 0;

	for (unsigned i = 0; i < strings->count; i++) {
		*word++ = base + at;
		at += str_len(strings->data + at) + 1;
	}
	*word++ = 0;
	return word;
}

static u64 *put_aux(u64 *word, enum auxv_type type, u64 value)
{
	*word++ = type;
	*word++ = value;
	return word;
}

static void put_auxv(u64 *word, const struct stack_plan *plan, const struct elf_image *image)
{
	u64 *start = word;

	word = put_aux(word, AT_PHDR, image->phdrs);
	word = put_aux(word, AT_PHENT, ELF_PHDR_BYTES);
	word = put_aux(word, AT_PHNUM, image->nr_phdrs);
	word = put_aux(word, AT_PAGESZ, PAGE_SIZE);
	word = put_aux(word, AT_BASE, 0);
	word = put_aux(word, AT_FLAGS, 0);
	word = put_aux(word, AT_ENTRY, image->entry);
	word = put_aux(word, AT_UID, 0);
	word = put_aux(word, AT_EUID, 0);
	word = put_aux(word, AT_GID, 0);
	word = put_aux(word, AT_EGID, 0);
	word = put_aux(word, AT_PLATFORM, plan->platform);
	word = put_aux(word, AT_HWCAP, cpu_hwcap());
	word = put_aux(word, AT_CLKTCK, CLOCK_TICKS);
	word = put_aux(word, AT_SECURE, 0);
	word = put_aux(word, AT_RANDOM, plan->random);
	word = put_aux(word, AT_HWCAP2, 0);
	word = put_aux(word, AT_EXECFN, plan->execfn);
	word = put_aux(word, AT_NULL, 0);
	ASSERT(word - start <= 2 * AUXV_PAIRS);
}

static int write_strings(struct mm *mm, const struct stack_plan *plan, const char *path,
			 const struct exec_strings *argv, const struct exec_strings *envp)
{
	u8 random[16];
	int err = vm_write(mm, plan->execfn, path, str_len(path) + 1);

	if (!err && envp->bytes)
		err = vm_write(mm, plan->envp, envp->data, envp->bytes);
	if (!err && argv->bytes)
		err = vm_write(mm, plan->argv, argv->data, argv->bytes);
	if (!err)
		err = vm_write(mm, plan->platform, platform, sizeof(platform));
	cpu_random(random, sizeof(random));
	if (!err)
		err = vm_write(mm, plan->random, random, sizeof(random));
	return err;
}

static int write_table(struct mm *mm, const struct stack_plan *plan, const struct elf_image *image,
		       const struct exec_strings *argv, const struct exec_strings *envp)
{
	size_t bytes = plan->table_words * sizeof(u64);
	u64 *table = kzalloc(bytes, GFP_KERNEL), *word;
	int err;

	if (!table)
		return -ENOMEM;
	table[0] = argv->count;
	word = put_pointers(table + 1, argv, plan->argv);
	word = put_pointers(word, envp, plan->envp);
	put_auxv(word, plan, image);
	err = vm_write(mm, plan->sp, table, bytes);
	kfree(table);
	return err;
}

static int map_stack(struct mm *mm, const struct stack_plan *plan, bool exec)
{
	uaddr_t start = ALIGN_DOWN(plan->sp, PAGE_SIZE) - STACK_ROOM;
	unsigned flags = VMA_READ | VMA_WRITE | VMA_GROWSDOWN | (exec ? VMA_EXEC : 0);

	return vm_map(mm, &start, STACK_TOP - start, flags, VM_FIXED_NOREPLACE);
}

/* An address space that holds the program and its stack; *sp is where it starts. */
static int build_memory(struct mm *mm, struct file *file, struct elf_image *image,
			struct stack_plan *plan)
{
	int err = elf_load(mm, file, image);

	if (!err)
		err = map_stack(mm, plan, image->exec_stack);
	mm->brk_start = mm->brk_end = image->brk;
	return err;
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
	p->files = own;
	files_put(shared);
	return 0;
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
	p->mm = mm;
	thread_set_space(&p->thread, &mm->space);
	if (old)
		mm_put(old);
	proc_vfork_release(p);
	p->thread.tls = 0;
	context_set_tls(0);
	fpu_init_state(p->thread.fpu);
	fpu_load(p->thread.fpu);
	files_close_on_exec(p->files);
}

/*
 * Replace the caller's program; its process's other tasks end, and it becomes the leader. argv
 * and envp are kernel copies; an empty argv is the caller's business. On success regs hold the
 * new program's start. On failure nothing has changed:
 * -EACCES: not a regular file, or no x bit; -E2BIG: strings over EXEC_ARG_MAX; -ENOEXEC,
 * -ENOENT: see elf_load(); -ENOMEM; -EINTR: being killed; or what the path walk says.
 * Locks: none held. Context: a process, may sleep.
 */
int proc_exec(const char *path, const struct exec_strings *argv,
	      const struct exec_strings *envp, struct regs *regs)
{
	struct proc *p = proc_current();
	struct elf_image image = { 0 };
	struct stack_plan plan;
	struct file *file;
	struct mm *mm;
	int err;

	if (argv->bytes + envp->bytes + 8ul * (argv->count + envp->count) > EXEC_ARG_MAX)
		return -E2BIG;
	err = open_program(p->fs, path, &file);
	if (err)
		return err;
	plan_stack(&plan, path, argv, envp);
	err = mm_create(&mm);
	if (err)
		goto put_file;
	err = build_memory(mm, file, &image, &plan);
	if (!err)
		err = write_strings(mm, &plan, path, argv, envp);
	if (!err)
		err = write_table(mm, &plan, &image, argv, envp);
	if (!err)
		err = unshare_files(p);
	if (!err)
		err = group_take_over(p);
	if (err)
		goto put_mm;
	take_memory(p, mm);
	set_name(p, path);
	regs_init_user(regs, image.entry, plan.sp);
	file_put(file);
	return 0;

put_mm:
	mm_put(mm);
put_file:
	file_put(file);
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
	int err = pack_strings(init_start.argv, &argv);

	if (!err)
		err = pack_strings(env, &envp);
	if (!err)
		err = proc_exec(init_start.path, &argv, &envp,
				context_user_regs(p->thread.stack.top));
	if (err)
		no_init(err);
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
	p->vfork_released = true;
	p->files = files_create();
	p->fs = fs_create();
	if (!p->files || !p->fs)
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
