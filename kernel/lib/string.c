/* SPDX-License-Identifier: MIT */
/* Character strings, as freestanding C. */
#include "kernel/lib/string.h"
#include "kernel/lib/errno.h"

/* Length of s in bytes, without the NUL. */
size_t str_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* Order of a and b as unsigned bytes: <0, 0, >0. */
int str_cmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (u8)*a - (u8)*b;
}

/* str_cmp() of the first max bytes. */
int str_ncmp(const char *a, const char *b, size_t max)
{
	for (; max; a++, b++, max--) {
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	}
	return 0;
}

/* Are a and b the same string? */
bool str_eq(const char *a, const char *b)
{
	return str_cmp(a, b) == 0;
}

/* First c in s, or NULL. */
const char *str_chr(const char *s, char c)
{
	for (; *s; s++) {
		if (*s == c)
			return s;
	}
	return NULL;
}

/* Copy src into dst of size bytes (at least 1), cut if need be, always terminated.
 * Returns the length of src: a result >= size means it was cut. */
size_t str_copy(char *dst, const char *src, size_t size)
{
	size_t len = str_len(src);
	size_t n = MIN(len, size - 1);

	memcpy(dst, src, n);
	dst[n] = '\0';
	return len;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Parse an unsigned number, decimal or 0x hexadecimal, from the start of s. *end is the
 * first character after it. -EINVAL without a digit, -ERANGE past 64 bits. */
int str_to_u64(const char *s, const char **end, u64 *out)
{
	unsigned base = 10;
	u64 value = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16) {
		base = 16;
		s += 2;
	}
	if (digit_value(*s) >= (int)base)
		return -EINVAL;
	for (; digit_value(*s) < (int)base; s++) {
		if (__builtin_mul_overflow(value, (u64)base, &value) ||
		    __builtin_add_overflow(value, (u64)digit_value(*s), &value))
			return -ERANGE;
	}
	*end = s;
	*out = value;
	return 0;
}

static unsigned suffix_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	default:
		return 0;
	}
}

/* The same of a size as users write it: 4096, 4K, 1m, 2G. */
int str_to_size(const char *s, const char **end, u64 *out)
{
	unsigned shift;
	u64 value;
	int err = str_to_u64(s, &s, &value);

	if (err)
		return err;
	shift = suffix_shift(*s);
	if (value > ~0ull >> shift)
		return -ERANGE;
	*end = shift ? s + 1 : s;
	*out = value << shift;
	return 0;
}
