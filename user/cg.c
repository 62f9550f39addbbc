/* SPDX-License-Identifier: MIT */
/* cg: the groups from the command line. Each command is one of Tally's own system calls. */
#include "common.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[256 * 1024];

static const char usage_text[] =
	"usage: cg COMMAND\n"
	"  create PATH              make a group, such as /a or /a/b\n"
	"  rm PATH                  remove it (no tasks, no children)\n"
	"  attach PATH PID...       move processes into it (0: cg itself)\n"
	"  exec PATH [--] CMD...    run a command inside it\n"
	"  kill PATH                SIGKILL to all processes in it and below\n"
	"  set PATH CONTROL VALUE   such as  cg set /a memory.kmem.limit_in_bytes 8M\n"
	"  get PATH CONTROL         such as  cg get /a memory.kmem.failcnt\n"
	"  list [PATH]              children\n"
	"  show [-r] [PATH]         tasks, usage and limits; -r: and of all below\n"
	"  slabinfo [PATH]          object caches, of the machine or of one group\n"
	"  audit                    recount all charges\n";

static int usage(void)
{
	write_all(2, usage_text, sizeof(usage_text) - 1);
	return 2;
}

/* Say what failed; errno ENOSYS means that this kernel is not Tally. */
static int complain(const char *what, const char *path)
{
	if (errno == ENOSYS)
		warn("%s %s: this kernel has no group calls\n", what, path);
	else
		warn("%s %s: %s\n", what, path, strerror(errno));
	return 1;
}

static int print_control(const char *path, const char *control)
{
	long n = control_text(path, control, text, sizeof(text));

	if (n < 0) {
		errno = (int)-n;
		warn("get %s %s: %s\n", path, control, strerror(errno));
		return 1;
	}
	write_all(1, text, (size_t)n);
	if (n && text[n - 1] != '\n')
		write_all(1, "\n", 1);
	return 0;
}

static int cmd_attach(int argc, char **argv)
{
	int bad = 0;

	for (int i = 1; i < argc; i++) {
		long pid;

		if (parse_count(argv[i], &pid)) {
			warn("attach %s: not a process number\n", argv[i]);
			bad = 1;
		} else if (cgroup_attach(argv[0], (int)pid) < 0) {
			bad = complain("attach", argv[0]);
		}
	}
	return bad;
}

static int cmd_exec(int argc, char **argv)
{
	const char *path = argv[0];
	int at = 1;

	if (at < argc && !strcmp(argv[at], "--"))
		at++;
	if (at >= argc)
		return usage();
	if (cgroup_attach(path, 0) < 0)
		return complain("exec", path);
	execvp(argv[at], argv + at);
	warn("%s: %s\n", argv[at], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}

static int cmd_set(const char *path, const char *control, const char *value)
{
	if (cgroup_write(path, control, value, strlen(value)) < 0) {
		warn("set %s %s %s: %s\n", path, control, value, strerror(errno));
		return 1;
	}
	return 0;
}

static int cmd_list(const char *path)
{
	long n = cgroup_list(path, text, sizeof(text));

	if (n < 0)
		return complain("list", path);
	write_all(1, text, (size_t)n);
	return 0;
}

static int cmd_audit(void)
{
	long n = mm_audit(text, sizeof(text) - 1);
	int error = errno;

	write_all(1, text, n < 0 ? strlen(text) : (size_t)n);
	if (n >= 0)
		return 0;
	errno = error;
	return complain("audit", "");
}

static void number_or_dash(const char *path, const char *control, char *buf, size_t size)
{
	long value;

	if (control_number(path, control, &value) < 0)
		snprintf(buf, size, "-");
	else if (value < 0 || value > 1l << 50)
		snprintf(buf, size, "none");
	else if (value >= 4096)
		snprintf(buf, size, "%ldK", value / 1024);
	else
		snprintf(buf, size, "%ld", value);
}

static int show_one(const char *path)
{
	char usage_now[24], limit[24], peak[24], failcnt[24];
	long tasks = 0;
	long n = control_text(path, "cgroup.procs", text, sizeof(text));

	if (n < 0) {
		errno = (int)-n;
		return complain("show", path);
	}
	for (long i = 0; i < n; i++)
		tasks += text[i] == '\n';
	number_or_dash(path, "memory.kmem.usage_in_bytes", usage_now, sizeof(usage_now));
	number_or_dash(path, "memory.kmem.limit_in_bytes", limit, sizeof(limit));
	number_or_dash(path, "memory.kmem.max_usage_in_bytes", peak, sizeof(peak));
	number_or_dash(path, "memory.kmem.failcnt", failcnt, sizeof(failcnt));
	out("%-24s %6ld %10s %10s %10s %8s\n", path, tasks, usage_now, limit, peak, failcnt);
	return 0;
}

/* Depth first, from a list of paths still to show: a path is pushed with all its siblings,
 * so the list is as long as the tree is wide at most along one branch. */
static int show_below(const char *top)
{
	static char todo[64 * 1024];
	char path[1100];
	size_t used = strlen(top) + 1;
	int bad = 0;

	memcpy(todo, top, used);
	while (used) {
		size_t at = used - 1;
		long n;

		while (at && todo[at - 1])
			at--;
		snprintf(path, sizeof(path), "%s", todo + at);
		used = at;
		bad |= show_one(path);
		n = cgroup_list(path, text, sizeof(text) - 1);
		if (n < 0)
			continue;
		text[n] = 0;
		for (char *name = strtok(text, "\n"); name; name = strtok(NULL, "\n")) {
			const char *slash = strcmp(path, "/") ? "/" : "";
			int len = snprintf(todo + used, sizeof(todo) - used, "%s%s%s", path,
					   slash, name);

			if ((size_t)len + 1 > sizeof(todo) - used) {
				warn("show: too many groups\n");
				return 1;
			}
			used += (size_t)len + 1;
		}
	}
	return bad;
}

static int cmd_show(int argc, char **argv)
{
	int below = argc && !strcmp(argv[0], "-r");
	const char *path = argc > below ? argv[below] : "/";

	out("%-24s %6s %10s %10s %10s %8s\n", "group", "tasks", "K usage", "K limit", "K peak",
	    "failcnt");
	return below ? show_below(path) : show_one(path);
}

int main(int argc, char **argv)
{
	const char *cmd = argc > 1 ? argv[1] : "";
	const char *path = argc > 2 ? argv[2] : NULL;
	int n = argc - 2;

	program = "cg";
	if (!strcmp(cmd, "create") && n == 1)
		return cgroup_create(path, 0755) < 0 ? complain(cmd, path) : 0;
	if (!strcmp(cmd, "rm") && n == 1)
		return cgroup_remove(path) < 0 ? complain(cmd, path) : 0;
	if (!strcmp(cmd, "kill") && n == 1)
		return cgroup_kill(path) < 0 ? complain(cmd, path) : 0;
	if (!strcmp(cmd, "attach") && n >= 2)
		return cmd_attach(n, argv + 2);
	if (!strcmp(cmd, "exec") && n >= 2)
		return cmd_exec(n, argv + 2);
	if (!strcmp(cmd, "set") && n == 3)
		return cmd_set(path, argv[3], argv[4]);
	if (!strcmp(cmd, "get") && n == 2)
		return print_control(path, argv[3]);
	if (!strcmp(cmd, "list") && n <= 1)
		return cmd_list(n ? path : "/");
	if (!strcmp(cmd, "show") && n <= 2)
		return cmd_show(n, argv + 2);
	if (!strcmp(cmd, "slabinfo") && n <= 1)
		return print_control(n ? path : "/", "memory.kmem.slabinfo");
	if (!strcmp(cmd, "audit") && n == 0)
		return cmd_audit();
	return usage();
}
