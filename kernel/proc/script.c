/* SPDX-License-Identifier: MIT */
/*
 * Programs that are text: "#! interpreter [argument]" in the first line. The interpreter runs
 * instead, its argv being its name, the argument if there is one (blanks and all), the script's
 * name, and the script's argv but for the first. It may be a script in its turn.
 *
 * Only the first LINE_MAX bytes count. A longer line is cut, but an interpreter's name that does
 * not end within them is none.
 */
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/exec.h"

#define LINE_MAX	256
#define DEPTH_MAX	5

struct line {
	char text[LINE_MAX + 1];
	const char *name, *argument;	/* in text; argument NULL: none */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Find interpreter and argument in the first line, whose text is changed. 0 or -ENOEXEC. */
static int parse(struct line *line)
{
	char *at = line->text + 2, *end = at;
	bool whole;

	while (end < line->text + LINE_MAX - 1 && *end != '\n')
		end++;
	whole = *end == '\n' || str_len(line->text) < LINE_MAX;
	while (at < end && is_blank(*at))
		at++;
	while (end > at && is_blank(end[-1]))
		end--;
	*end = '\0';
	line->name = at;
	while (*at && !is_blank(*at))
		at++;
	if (at == line->name || (!*at && !whole))
		return -ENOEXEC;
	while (is_blank(*at))
		*at++ = '\0';
	line->argument = *at ? at : NULL;
	return 0;
}

static char *put_string(char *at, const char *s)
{
	size_t bytes = str_len(s) + 1;

	memcpy(at, s, bytes);
	return at + bytes;
}

/* The interpreter's argv from the script's. script: the script's name. */
static int rewrite_argv(struct exec *e, const struct line *line, const char *script)
{
	const struct exec_strings *old = &e->argv;
	size_t first = old->count ? str_len(old->data) + 1 : 0;
	size_t bytes = str_len(line->name) + str_len(script) + 2 + old->bytes - first;
	char *data, *at;

	if (line->argument)
		bytes += str_len(line->argument) + 1;
	if (bytes + e->envp.bytes > exec_strings_max())
		return -E2BIG;
	at = data = kmalloc(bytes, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	at = put_string(at, line->name);
	if (line->argument)
		at = put_string(at, line->argument);
	at = put_string(at, script);
	memcpy(at, old->data + first, old->bytes - first);
	e->argv = (struct exec_strings){
		.data = data, .bytes = bytes,
		.count = (old->count ? old->count - 1 : 0) + 2 + (line->argument != NULL),
	};
	kfree(e->script_argv);
	e->script_argv = data;
	return 0;
}

/* e->file is a script: the interpreter takes its place. *name is the script's name, and becomes
 * the interpreter's, which is e->argv's first string. */
static int enter_interpreter(struct exec *e, struct line *line, const char **name)
{
	struct file *file;
	int err = parse(line);

	if (!err)
		err = rewrite_argv(e, line, *name);
	if (err)
		return err;
	err = file_open_exec(proc_current()->fs, e->argv.data, &file);
	if (err)
		return err;
	file_put(e->file);
	e->file = file;
	*name = e->argv.data;
	return 0;
}

/* Put interpreters in the place of e->file until it is no script. Returns 0; -ENOEXEC: a first
 * line that names none; -ELOOP: too many of them; -E2BIG, -ENOMEM, or what opening says.
 * Context: may sleep. */
int exec_resolve_script(struct exec *e)
{
	struct line *line = kmalloc(sizeof(*line), GFP_KERNEL);
	const char *name = e->name;
	int err = line ? 0 : -ENOMEM;
	long bytes;

	for (unsigned depth = 0; !err; depth++) {
		memset(line, 0, sizeof(*line));
		bytes = file_read_kernel(e->file, line->text, LINE_MAX, 0);
		if (bytes < 0)
			err = (int)bytes;
		if (err || line->text[0] != '#' || line->text[1] != '!')
			break;
		err = depth < DEPTH_MAX ? enter_interpreter(e, line, &name) : -ELOOP;
	}
	kfree(line);
	return err;
}
