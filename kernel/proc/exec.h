/* SPDX-License-Identifier: MIT */
/* Replacing the program of a process, and the ELF loader behind it. */
#pragma once
#include "kernel/proc/proc.h"

/* argv and envp as kernel copies. */
struct exec_strings {
	char *data;			/* NUL-terminated strings one after the other */
	size_t bytes;
	unsigned count;
};

#define EXEC_STRING_MAX	(128ul << 10)	/* one string, NUL included */

struct elf_image {
	uaddr_t entry, phdrs;		/* phdrs 0: not in memory */
	unsigned nr_phdrs;
	uaddr_t brk;			/* first page after the highest segment */
	bool exec_stack;		/* PT_GNU_STACK asks for it, or is missing */
};

/* One exec. */
struct exec {
	struct file *file;		/* the program, or a script's interpreter in the end */
	const char *name;		/* as the caller gave it */
	struct exec_strings argv, envp;
	char *script_argv;		/* argv.data is this one, kmalloced: a script's; or NULL */
	struct cred *cred;		/* who the program is */
	bool secure;			/* it has rights that its caller has not */
	struct mm *mm;			/* the new memory */
	struct elf_image image;
	uaddr_t sp;			/* where it starts */
};

/* exec.c. argv and envp stay the caller's. On success the current program is replaced and regs
 * hold the new program's start; on failure nothing changed. */
int proc_exec(struct file *file, const char *name, const struct exec_strings *argv,
	      const struct exec_strings *envp, struct regs *regs) must_check;
size_t exec_strings_max(void);		/* bytes of argv and envp, 8 for each string included */

/* script.c: the rest of it is exec.c's */
int exec_resolve_script(struct exec *e) must_check;

/* exec_stack.c */
int exec_build_stack(struct exec *e) must_check;

/* elf.c */
#define ELF_PHDR_BYTES	56
int elf_load(struct mm *mm, struct file *file, struct elf_image *out) must_check;
