/* SPDX-License-Identifier: MIT */
/* p_seq COMMAND... ; COMMAND... ; ...: run commands one after the other and say after each how
 * it ended: "= STATUS". The last one's status is ours. A command that begins with & is left
 * running; all those end with us. */
#include "../../../user/common.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int left[64], nr_left;

static int run(char **argv)
{
	int wait_for = argv[0][0] != '&', pid, status = 0;

	if (!wait_for)
		argv[0]++;
	pid = fork();
	if (pid == 0) {
		execvp(argv[0], argv);
		die(127, "%s: %s\n", argv[0], strerror(errno));
	}
	if (pid < 0)
		return 126;
	if (!wait_for) {
		left[nr_left++] = pid;
		sleep_ms(200);
		return 0;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	out("= %d\n", status);
	return status;
}

int main(int argc, char **argv)
{
	int status = 0, at = 1;

	program = "p_seq";
	mkdir("/tmp", 0777);
	for (int i = 1; i <= argc; i++) {
		if (i < argc && strcmp(argv[i], ";"))
			continue;
		argv[i] = NULL;
		if (i > at)
			status = run(argv + at);
		at = i + 1;
	}
	for (int i = 0; i < nr_left; i++) {
		kill(left[i], SIGKILL);
		waitpid(left[i], NULL, 0);
	}
	return status;
}
