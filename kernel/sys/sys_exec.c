/* SPDX-License-Identifier: MIT */
/* execve and execveat: the program's file, and kernel copies of its strings. */
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"
#include "kernel/sys/calls.h"

#define FD_NAME_BYTES	24		/* "/dev/fd/" and a number */

/* Make room for one more string: the buffer doubles, up to what an exec may take at all. */
static int grow(struct exec_strings *s, size_t *room)
{
	size_t bigger = *room ? *room * 2 : PAGE_SIZE;
	char *data;

	if (*room >= exec_strings_max())
		return -E2BIG;
	data = kmalloc(bigger, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	if (s->bytes)
		memcpy(data, s->data, s->bytes);
	kfree(s->data);
	s->data = data;
	*room = bigger;
	return 0;
}

static int add_string(struct exec_strings *s, size_t *room, uaddr_t user)
{
	long len = -ENAMETOOLONG;
	size_t left;
	int err = 0;

	while (len == -ENAMETOOLONG && !err) {
		left = MIN(*room - s->bytes, EXEC_STRING_MAX);
		if (left)
			len = copy_string_from_user(s->data + s->bytes, user, left);
		if (len == -ENAMETOOLONG)
			err = left == EXEC_STRING_MAX ? -E2BIG : grow(s, room);
	}
	if (err || len < 0)
		return err ? err : (int)len;
	s->bytes += (size_t)len + 1;
	s->count++;
	return s->bytes + 8ul * s->count > exec_strings_max() ? -E2BIG : 0;
}

/* Copy a user's NULL-terminated array of strings; no array is an empty one. The caller frees
 * data, on failure too. Returns 0, -EFAULT, -E2BIG or -ENOMEM. */
static int copy_strings(uaddr_t array, struct exec_strings *out)
{
	size_t room = 0;
	uaddr_t string;
	int err;

	*out = (struct exec_strings){ 0 };
	if (!array)
		return 0;
	for (;; array += sizeof(string)) {
		err = user_get(&string, array, sizeof(string));
		if (err || !string)
			return err;
		err = proc_dying() ? -EINTR : add_string(out, &room, string);
		if (err)
			return err;
		cond_resched();
	}
}

/* A program without argv[0] reads past its arguments: give it an empty one, as Linux does. */
static void use_empty_argv(struct exec_strings *argv, char *empty)
{
	*empty = '\0';
	*argv = (struct exec_strings){ .data = empty, .bytes = 1, .count = 1 };
}

/* What to run, and how to find it. */
struct program {
	int dirfd;
	unsigned flags;			/* AT_* */
	char *path;			/* kmalloced; empty: dirfd itself */
};

static int open_by_fd(int fd, struct file **out)
{
	struct file *file = user_file_any(fd);
	int err;

	if (!file)
		return -EBADF;
	err = file_reopen_exec(file, out);
	file_put(file);
	return err;
}

static int open_by_name(const struct program *program, struct file **out)
{
	struct at_base base;
	struct path at;
	bool is_link;
	int err = at_begin(&base, program->dirfd, program->path);

	if (err)
		return err;
	if (program->flags & AT_SYMLINK_NOFOLLOW) {
		err = path_lookup(base.fs, program->path, 0, &at);
		is_link = !err && S_ISLNK(dentry_inode(at.dentry)->mode);
		if (!err)
			path_put(&at);
		if (is_link)
			err = -ELOOP;
	}
	if (!err)
		err = file_open_exec(base.fs, program->path, out);
	at_end(&base);
	return err;
}

/* A name that finds the program wherever one is, as a script's interpreter must: its path, or
 * (kmalloced too) one that begins at the descriptor. NULL: no memory. */
static char *name_of(const struct program *program)
{
	const char *path = program->path;
	size_t size = FD_NAME_BYTES + str_len(path) + 1;
	char *name = kmalloc(size, GFP_KERNEL);

	if (!name)
		return NULL;
	if (program->dirfd == AT_FDCWD || *path == '/')
		str_copy(name, path, size);
	else
		(void)fmt_print(name, size, "/dev/fd/%d%s%s", program->dirfd, *path ? "/" : "", path);
	return name;
}

static int run(struct syscall *c, const struct program *program, const struct exec_strings *argv,
	       const struct exec_strings *envp)
{
	char *name;
	struct file *file;
	int err = *program->path ? open_by_name(program, &file) :
				   open_by_fd(program->dirfd, &file);

	if (err)
		return err;
	name = name_of(program);
	err = name ? proc_exec(file, name, argv, envp, c->regs) : -ENOMEM;
	kfree(name);
	file_put(file);
	return err;
}

/* argv and envp: the user's arrays. */
static long execute(struct syscall *c, const struct program *program, uaddr_t user_argv,
		    uaddr_t user_envp)
{
	struct exec_strings argv, envp = { 0 }, given;
	char empty;
	int err = copy_strings(user_argv, &argv);

	if (!err)
		err = copy_strings(user_envp, &envp);
	given = argv;
	if (!err && argv.count == 0)
		use_empty_argv(&argv, &empty);
	if (!err)
		err = run(c, program, &argv, &envp);
	kfree(given.data);
	kfree(envp.data);
	return err;
}

/* execve(path, argv, envp): does not return on success; see proc_exec() for the errors. */
long sys_execve(struct syscall *c)
{
	struct program program = { .dirfd = AT_FDCWD };
	long ret = user_path(c->arg[0], &program.path);

	if (ret)
		return ret;
	ret = execute(c, &program, c->arg[1], c->arg[2]);
	kfree(program.path);
	return ret;
}

/* execveat(dirfd, path, argv, envp, flags): with AT_EMPTY_PATH and an empty path, the program
 * that dirfd is open on. */
long sys_execveat(struct syscall *c)
{
	struct program program = { .dirfd = (int)c->arg[0], .flags = (unsigned)c->arg[4] };
	long ret;

	if (program.flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	ret = user_string(c->arg[1], PATH_MAX, GFP_KERNEL, &program.path);
	if (ret)
		return ret;
	if (!*program.path && !(program.flags & AT_EMPTY_PATH))
		ret = -ENOENT;
	else
		ret = execute(c, &program, c->arg[2], c->arg[3]);
	kfree(program.path);
	return ret;
}
