/* SPDX-License-Identifier: MIT */
/* printf-style formatting: %d %u %x %o %c %s %p %% with 0, -, width (also *), .precision for
 * %s, and l, ll, z; %p prints 0x and 16 digits. Nothing else: a format error prints as is. */
#pragma once
#include <stdarg.h>
#include "kernel/lib/compiler.h"

int fmt_print(char *buf, size_t size, const char *fmt, ...) printf_like(3, 4);
int fmt_vprint(char *buf, size_t size, const char *fmt, va_list args) printf_like(3, 0);

/* A growing text in a fixed buffer: what does not fit is counted, not stored. */
struct textbuf {
	char *buf;
	size_t size;
	size_t len;			/* bytes wanted so far; > size means cut */
};

void text_print(struct textbuf *t, const char *fmt, ...) printf_like(2, 3);
