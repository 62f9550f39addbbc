/* SPDX-License-Identifier: MIT */
/*
 * The stack that a program finds at its start:
 *
 *   high to low: a null word | execfn | strings of envp, argv | platform, random bytes |
 *   auxv | envp pointers, NULL | argv pointers, NULL | argc   <- sp, 16-byte aligned
 */
#include "arch/cpu.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"

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

static void plan_stack(struct stack_plan *plan, const struct exec *e)
{
	uaddr_t at = STACK_TOP - sizeof(u64);

	at -= str_len(e->name) + 1;
	plan->execfn = at;
	at -= e->envp.bytes;
	plan->envp = at;
	at -= e->argv.bytes;
	plan->argv = at;
	at -= sizeof(platform);
	plan->platform = at;
	at = ALIGN_DOWN(at - 16, 16ul);
	plan->random = at;
	plan->table_words = 1 + e->argv.count + 1 + e->envp.count + 1 + 2 * AUXV_PAIRS;
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

static void put_auxv(u64 *word, const struct stack_plan *plan, const struct exec *e)
{
	u64 *start = word;

	word = put_aux(word, AT_PHDR, e->image.phdrs);
	word = put_aux(word, AT_PHENT, ELF_PHDR_BYTES);
	word = put_aux(word, AT_PHNUM, e->image.nr_phdrs);
	word = put_aux(word, AT_PAGESZ, PAGE_SIZE);
	word = put_aux(word, AT_BASE, 0);
	word = put_aux(word, AT_FLAGS, 0);
	word = put_aux(word, AT_ENTRY, e->image.entry);
	word = put_aux(word, AT_UID, e->cred->uid);
	word = put_aux(word, AT_EUID, e->cred->euid);
	word = put_aux(word, AT_GID, e->cred->gid);
	word = put_aux(word, AT_EGID, e->cred->egid);
	word = put_aux(word, AT_PLATFORM, plan->platform);
	word = put_aux(word, AT_HWCAP, cpu_hwcap());
	word = put_aux(word, AT_CLKTCK, CLOCK_TICKS);
	word = put_aux(word, AT_SECURE, e->secure);
	word = put_aux(word, AT_RANDOM, plan->random);
	word = put_aux(word, AT_HWCAP2, 0);
	word = put_aux(word, AT_EXECFN, plan->execfn);
	word = put_aux(word, AT_NULL, 0);
	ASSERT(word - start <= 2 * AUXV_PAIRS);
}

static int write_strings(const struct exec *e, const struct stack_plan *plan)
{
	u8 random[16];
	int err = vm_write(e->mm, plan->execfn, e->name, str_len(e->name) + 1);

	if (!err && e->envp.bytes)
		err = vm_write(e->mm, plan->envp, e->envp.data, e->envp.bytes);
	if (!err && e->argv.bytes)
		err = vm_write(e->mm, plan->argv, e->argv.data, e->argv.bytes);
	if (!err)
		err = vm_write(e->mm, plan->platform, platform, sizeof(platform));
	cpu_random(random, sizeof(random));
	if (!err)
		err = vm_write(e->mm, plan->random, random, sizeof(random));
	return err;
}

static int write_table(const struct exec *e, const struct stack_plan *plan)
{
	size_t bytes = plan->table_words * sizeof(u64);
	u64 *table = kzalloc(bytes, GFP_KERNEL), *word;
	int err;

	if (!table)
		return -ENOMEM;
	table[0] = e->argv.count;
	word = put_pointers(table + 1, &e->argv, plan->argv);
	word = put_pointers(word, &e->envp, plan->envp);
	put_auxv(word, plan, e);
	err = vm_write(e->mm, plan->sp, table, bytes);
	kfree(table);
	return err;
}

/* As much room at once as Linux gives, within the limit; it grows at use. */
static int map_stack(struct mm *mm, const struct stack_plan *plan, bool exec)
{
	uaddr_t used = ALIGN_DOWN(plan->sp, PAGE_SIZE), start = used - STACK_ROOM;
	unsigned flags = VMA_READ | VMA_WRITE | VMA_GROWSDOWN | (exec ? VMA_EXEC : 0);
	u64 limit = limit_current(RLIMIT_STACK) & PAGE_MASK;

	if (STACK_TOP - start > limit)
		start = MIN(STACK_TOP - limit, used);
	return vm_map(mm, &start, STACK_TOP - start, flags, VM_FIXED_NOREPLACE);
}

/* Map and fill the stack of e->mm, and say in *e where it starts. Returns 0, or -ENOMEM. */
int exec_build_stack(struct exec *e)
{
	struct stack_plan plan;
	int err;

	plan_stack(&plan, e);
	err = map_stack(e->mm, &plan, e->image.exec_stack);
	if (!err)
		err = write_strings(e, &plan);
	if (!err)
		err = write_table(e, &plan);
	e->sp = plan.sp;
	e->mm->args_start = plan.argv;
	e->mm->args_end = plan.envp;
	e->mm->env_end = plan.execfn;
	return err;
}
