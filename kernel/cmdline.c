/* SPDX-License-Identifier: MIT */
/* Looking up words of the boot command line. */
#include "kernel/cmdline.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

/* The value of the last `key=` word, or NULL; *len is its length up to the next blank. */
static const char *find_value(const char *cmdline, const char *key, size_t *len)
{
	size_t key_len = str_len(key);
	const char *found = NULL;

	for (const char *p = cmdline; *p; p++) {
		if (p != cmdline && p[-1] != ' ')
			continue;
		if (str_ncmp(p, key, key_len) == 0 && p[key_len] == '=')
			found = p + key_len + 1;
	}
	for (*len = 0; found && found[*len] && found[*len] != ' '; (*len)++)
		;
	return found;
}

/* The number after `key=`, or fallback when the word is missing. A word that is no number is
 * named in the log and ignored. Context: boot. */
u64 cmdline_number(const char *cmdline, const char *key, u64 fallback)
{
	const char *end;
	size_t len;
	const char *text = find_value(cmdline, key, &len);
	u64 value;

	if (!text)
		return fallback;
	if (str_to_u64(text, &end, &value) || end != text + len) {
		log_info("boot: %s=%.*s is not a number, ignored", key, (int)len, text);
		return fallback;
	}
	return value;
}

/* Copy the text after `key=` into out (cut to size). False: no such word, out untouched. */
bool cmdline_string(const char *cmdline, const char *key, char *out, size_t size)
{
	size_t len;
	const char *text = find_value(cmdline, key, &len);

	if (!text)
		return false;
	len = MIN(len, size - 1);
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}
