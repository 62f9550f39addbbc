/* SPDX-License-Identifier: MIT */
/* Replacing the program of a process, and the ELF loader behind it. */
#pragma once
#include "kernel/proc/proc.h"

/* exec.c, elf.c: argv and envp as kernel copies. On success the current program is replaced and
 * regs hold the new program's start; on failure nothing changed. */
struct exec_strings {
	char *data;			/* NUL-terminated strings one after the other */
	size_t bytes;
	unsigned count;
};

int proc_exec(const char *path, const struct exec_strings *argv,
	      const struct exec_strings *envp, struct regs *regs) must_check;

#define EXEC_ARG_MAX	(128ul << 10)	/* strings of argv and envp, 8 bytes more for each */

struct elf_image {
	uaddr_t entry, phdrs;		/* phdrs 0: not in memory */
	unsigned nr_phdrs;
	uaddr_t brk;			/* first page after the highest segment */
	bool exec_stack;		/* PT_GNU_STACK asks for it, or is missing */
};

#define ELF_PHDR_BYTES	56
int elf_load(struct mm *mm, struct file *file, struct elf_image *out) must_check;
