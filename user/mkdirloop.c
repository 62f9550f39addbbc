/* SPDX-License-Identifier: MIT */
/*
 * mkdir x; cd x; mkdir x; cd x; ... until one of the two fails or MAX are made; then one line
 * says how deep, which call failed and why, and the program pauses where it is.
 *   mkdirloop [--wait] [--exit] [DIR [MAX]]
 * --wait: say so, then begin when a byte arrives on standard input.  --exit: end instead of pausing.
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

int main(int argc, char **argv)
{
	const char *dir = NULL, *call = "none";
	int wait_go = 0, end = 0, error = 0;
	long max = ~0ul >> 1, depth = 0;
	char go;

	program = "mkdirloop";
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--wait"))
			wait_go = 1;
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
		report(0, call, 0, 0);
		if (read(0, &go, 1) != 1)
			return 1;
	}
	for (; depth < max; depth++) {
		call = "mkdir";
		if (mkdir("x", 0755) < 0)
			break;
		call = "chdir";
		if (chdir("x") < 0)
			break;
	}
	error = depth < max ? errno : 0;
	report(depth, error ? call : "none", error, 1);
	if (!end)
		for (;;)
			pause();
	return 0;
}
