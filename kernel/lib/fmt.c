/* SPDX-License-Identifier: MIT */
/* Formatting into a buffer. One pass, no allocation, usable in a panic. */
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"

struct spec {
	bool left, zero;
	int width, precision;
	unsigned longs;			/* number of l (z counts as 1) */
};

static void put_char(struct textbuf *t, char c)
{
	if (t->len < t->size)
		t->buf[t->len] = c;
	t->len++;
}

static void put_padded(struct textbuf *t, const struct spec *sp, const char *s, size_t len)
{
	size_t pad = sp->width > 0 && (size_t)sp->width > len ? (size_t)sp->width - len : 0;

	for (size_t i = 0; !sp->left && i < pad; i++)
		put_char(t, ' ');
	for (size_t i = 0; i < len; i++)
		put_char(t, s[i]);
	for (size_t i = 0; sp->left && i < pad; i++)
		put_char(t, ' ');
}

static void put_number(struct textbuf *t, const struct spec *sp, u64 value, unsigned base,
		       bool negative)
{
	char digits[24];
	char out[48];
	size_t n = 0, len = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		out[len++] = '-';
	while (sp->zero && !sp->left && len + n < (size_t)MAX(sp->width, 0) && len < 20)
		out[len++] = '0';
	while (n)
		out[len++] = digits[--n];
	put_padded(t, sp, out, len);
}

static const char *parse_spec(const char *f, struct spec *sp, va_list *args)
{
	*sp = (struct spec){ .precision = -1 };
	for (;; f++) {
		if (*f == '-')
			sp->left = true;
		else if (*f == '0')
			sp->zero = true;
		else
			break;
	}
	if (*f == '*') {
		sp->width = va_arg(*args, int);
		f++;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		sp->width = sp->width * 10 + (*f - '0');
	if (*f == '.') {
		f++;
		sp->precision = 0;
		if (*f == '*') {
			sp->precision = va_arg(*args, int);
			f++;
		}
		for (; *f >= '0' && *f <= '9'; f++)
			sp->precision = sp->precision * 10 + (*f - '0');
	}
	for (; *f == 'l' || *f == 'z'; f++)
		sp->longs++;
	return f;
}

static void put_string(struct textbuf *t, const struct spec *sp, const char *s)
{
	size_t len = 0;

	if (!s)
		s = "(null)";
	while (s[len] && (sp->precision < 0 || len < (size_t)sp->precision))
		len++;
	put_padded(t, sp, s, len);
}

static void put_signed(struct textbuf *t, const struct spec *sp, s64 v)
{
	put_number(t, sp, v < 0 ? 0 - (u64)v : (u64)v, 10, v < 0);
}

static void put_conversion(struct textbuf *t, char conv, struct spec *sp, va_list *args)
{
	u64 value;
	char c;

	switch (conv) {
	case 'd':
		put_signed(t, sp, sp->longs ? va_arg(*args, long) : va_arg(*args, int));
		break;
	case 'u':
	case 'x':
	case 'o':
		value = sp->longs ? va_arg(*args, unsigned long) : va_arg(*args, unsigned);
		put_number(t, sp, value, conv == 'u' ? 10 : conv == 'x' ? 16 : 8, false);
		break;
	case 'p':
		put_char(t, '0');
		put_char(t, 'x');
		*sp = (struct spec){ .zero = true, .width = 16 };
		put_number(t, sp, (uintptr_t)va_arg(*args, void *), 16, false);
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		put_padded(t, sp, &c, 1);
		break;
	case 's':
		put_string(t, sp, va_arg(*args, const char *));
		break;
	default:
		put_char(t, '%');
		put_char(t, conv);
	}
}

static void text_vprint(struct textbuf *t, const char *f, va_list *args)
{
	struct spec sp;

	for (; *f; f++) {
		if (*f != '%') {
			put_char(t, *f);
			continue;
		}
		f = parse_spec(f + 1, &sp, args);
		if (!*f)
			break;
		if (*f == '%')
			put_char(t, '%');
		else
			put_conversion(t, *f, &sp, args);
	}
}

/* Append to t. Context: any. */
void text_print(struct textbuf *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text_vprint(t, fmt, &args);
	va_end(args);
}

/* Format into buf of size bytes (at least 1), cut if need be, always terminated. Returns
 * the length the whole text wants. Context: any. */
int fmt_vprint(char *buf, size_t size, const char *fmt, va_list args)
{
	struct textbuf t = { buf, size - 1, 0 };
	va_list copy;

	va_copy(copy, args);
	text_vprint(&t, fmt, &copy);
	va_end(copy);
	buf[MIN(t.len, size - 1)] = '\0';
	return (int)t.len;
}

/* fmt_vprint() with its arguments in line. */
int fmt_print(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = fmt_vprint(buf, size, fmt, args);
	va_end(args);
	return len;
}
