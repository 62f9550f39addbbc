/* SPDX-License-Identifier: MIT */
/* Small programs for tests of the harness and of the start-up contract:
 *   p_misc exit N | signal N | segv | abort | cat | both | args ... | auxv | tls | nothing
 */
#define _GNU_SOURCE
#include "../../../user/common.h"
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

extern char **environ;

static char block[70000];

static int cat(int fd)
{
	ssize_t n;

	while ((n = read(0, block, sizeof(block))) > 0)
		if (write_all(fd, block, (size_t)n))
			return 1;
	return n != 0;
}

static int auxv(const char *self)
{
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	const ElfW(Phdr) *ph = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	const char *name = (const char *)getauxval(AT_EXECFN);
	int sum = 0;

	for (int i = 0; random && i < 16; i++)
		sum |= random[i];
	out("random %d\n", random && sum != 0);
	out("pagesz %lu\n", getauxval(AT_PAGESZ));
	out("phdr %d\n", ph && (ph[0].p_type == PT_PHDR || ph[0].p_type == PT_LOAD));
	out("phent %d\n", getauxval(AT_PHENT) == sizeof(*ph));
	out("entry %d\n", getauxval(AT_ENTRY) != 0);
	out("ids %lu%lu%lu%lu\n", getauxval(AT_UID), getauxval(AT_EUID), getauxval(AT_GID),
	    getauxval(AT_EGID));
	out("secure %lu\n", getauxval(AT_SECURE));
	out("execfn %s\n", name && !strcmp(name, self) ? "self" : name ? name : "none");
	out("vdso %d\n", getauxval(AT_SYSINFO_EHDR) != 0);
	for (int i = 0; i < 16; i++)
		out("%02x%s", random[i], i == 15 ? "\n" : "");
	return 0;
}

static __thread long tls_data = 5;
static __thread long tls_zero;

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "exit"))
		return atoi(argv[2]);
	if (!strcmp(what, "signal"))
		return kill(getpid(), atoi(argv[2])) ? errno : 99;
	if (!strcmp(what, "segv"))
		__asm__ volatile("movl $1, 8");
	if (!strcmp(what, "abort"))
		abort();
	if (!strcmp(what, "cat"))
		return cat(1);
	if (!strcmp(what, "cat2"))
		return cat(2);
	if (!strcmp(what, "both")) {
		for (int i = 0; i < 100; i++) {
			out("out %d\n", i);
			dprintf(2, "err %d\n", i);
		}
		return 3;
	}
	if (!strcmp(what, "args")) {
		for (int i = 0; i < argc; i++)
			out("[%s]\n", argv[i]);
		for (char **e = environ; *e; e++)
			out("{%s}\n", *e);
		return argv[argc] != NULL;
	}
	if (!strcmp(what, "auxv"))
		return auxv(argv[0]);
	if (!strcmp(what, "tls")) {
		tls_zero += tls_data;
		printf("%ld %.3f\n", tls_zero, (double)argc / 3);	/* stdio, SSE, TLS */
		return 0;
	}
	if (!strcmp(what, "flood")) {
		for (int i = 0; i < 64; i++) {
			memset(block, 'a' + i % 26, 65536);
			if (write_all(1, block, 65536))
				return 1;
		}
		return 0;
	}
	return what[0] ? 2 : 0;
}
