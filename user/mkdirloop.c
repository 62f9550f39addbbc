/* SPDX-License-Identifier: MIT */
/*
 * mkdir x; cd x; mkdir x; cd x; ... until one of the two fails or MAX are made; then one line
 * says how deep, which call failed and why, and the program pauses where it is.
 *   mkdirloop [--wait] [--again] [--exit] [DIR [MAX]]
 * --wait: say so, then begin when a byte arrives on standard input.  --again: report a
 * refusal, and try again for ever.  --exit: end instead of pausing.
 */
#include "common.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void report(long depth, const char *call, int error, int done)
{
	char line[80];
	int len = snprintf(line, sizeof(line), "depth=%08ld call=%-5s errno=%03d done=%d\n", depth,
			   call, error, done);

	rewrite(1, line, (size_t)len);
}

/* One step down; the name of the call that failed, or NULL. */
static const char *descend(void)
{
	if (mkdir("x", 0755) < 0 && errno != EEXIST)
		return "mkdir";
	return chdir("x") < 0 ? "chdir" : NULL;
}

int main(int argc, char **argv)
{
	const char *dir = NULL, *call = NULL;
	int wait_go = 0, again = 0, end = 0;
	long max = ~0ul >> 1, depth = 0;
	char go;

	program = "mkdirloop";
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--wait"))
			wait_go = 1;
		else if (!strcmp(argv[i], "--again"))
			again = 1;
		else if (!strcmp(argv[i], "--exit"))
			end = 1;
		else if (!dir)
			dir = argv[i];
		else if (parse_count(argv[i], &max))
			die(2, "%s: not a number\n", argv[i]);
	}
	if (dir && chdir(dir) < 0)
		die(2, "%s: %s\n", dir, strerror(errno));
	if (wait_go) {
		report(0, "none", 0, 0);
		if (read(0, &go, 1) != 1)
			return 1;
	}
	while (depth < max) {
		call = descend();
		if (!call)
			depth++;
		else if (again)
			report(depth, call, errno, 1);
		else
			break;
	}
	report(depth, call ? call : "none", call ? errno : 0, 1);
	if (!end)
		for (;;)
			pause();
	return 0;
}
