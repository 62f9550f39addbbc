/* SPDX-License-Identifier: MIT */
/* A chain of 100,000 directories is made, walked and removed; nothing in the kernel recurses. */
#include "t.h"

#define DEPTH 100000

TEST(chain_100000)
{
	char cwd[64];
	int fd;

	for (int i = 0; i < DEPTH; i++) {
		WORKS(mkdir("x", 0755));
		WORKS(chdir("x"));
	}
	t_file("bottom", "here");
	FAILS(ENAMETOOLONG, syscall(SYS_getcwd, cwd, sizeof(cwd)));
	fd = (int)WORKS(open(".", O_RDONLY | O_DIRECTORY));
	for (int i = 0; i < DEPTH; i++)
		WORKS(chdir(".."));
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/tmp/t"), "%s", cwd);
	WORKS(close(fd));
	CHECK(remove_tree("/tmp/t/x") == DEPTH);
	WORKS(chdir("/tmp/t"));
	FAILS(ENOENT, chdir("x"));
}

/* The last reference to the whole chain is a working directory: one exit frees all of it. */
static void sit_below(void *unused)
{
	char path[64];

	(void)unused;
	WORKS(mkdir("top", 0755));
	WORKS(chdir("top"));
	for (int i = 0; i < 20000; i++) {
		WORKS(mkdir("x", 0755));
		WORKS(chdir("x"));
		snprintf(path, sizeof(path), "../x");
		WORKS(rmdir(path));	/* removed above and below: the cwd holds it */
		if (i % 2)
			FAILS(ENOENT, mkdir("y", 0755));
		WORKS(chdir("/tmp/t/top"));
	}
	WORKS(chdir("/tmp/t"));
	WORKS(rmdir("top"));
}

TEST(removed_directories) { CHECK(t_child(sit_below, NULL) == 0); }

/* A path as long as may be, walked in one call. */
TEST(long_walk)
{
	static char path[4096];

	for (int i = 0; i < 2000; i++) {
		WORKS(mkdir("x", 0755));
		WORKS(chdir("x"));
	}
	WORKS(chdir("/tmp/t"));
	for (int i = 0; i < 2000; i++)
		memcpy(path + 2 * i, "x/", 3);
	WORKS(chdir(path));
	for (int i = 0; i < 1300; i++)
		memcpy(path + 3 * i, "../", 4);
	WORKS(chdir(path));
	CHECK(getcwd(path, sizeof(path)) && strlen(path) == 6 + 700 * 2, "%zu", strlen(path));
	CHECK(remove_tree("/tmp/t/x") == 2000);
}

/* A rename moves a deep tree at once and cannot put it below itself. */
TEST(rename_deep)
{
	WORKS(mkdir("a", 0755));
	WORKS(chdir("a"));
	for (int i = 0; i < 5000; i++) {
		WORKS(mkdir("x", 0755));
		WORKS(chdir("x"));
	}
	FAILS(EINVAL, rename("/tmp/t/a", "y"));
	WORKS(mkdir("/tmp/t/b", 0755));
	WORKS(rename("/tmp/t/a", "/tmp/t/b/c"));
	for (int i = 0; i < 5000; i++)
		WORKS(chdir(".."));
	WORKS(chdir("/tmp/t/b/c/x"));
	CHECK(remove_tree("/tmp/t/b") == 5002);
}

int main(int argc, char **argv)
{
	return t_main(argc, argv);
}
