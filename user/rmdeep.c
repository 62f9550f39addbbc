/* SPDX-License-Identifier: MIT */
/* rmdeep DIR: remove a tree of any depth with a fixed amount of stack. */
#include "common.h"
#include <string.h>

int main(int argc, char **argv)
{
	long n;

	program = "rmdeep";
	if (argc != 2)
		die(2, "usage: rmdeep DIR\n");
	n = remove_tree(argv[1]);
	if (n < 0)
		die(1, "%s: %s\n", argv[1], strerror((int)-n));
	out("removed=%ld\n", n);
	return 0;
}
