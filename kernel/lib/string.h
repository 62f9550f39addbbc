/* SPDX-License-Identifier: MIT */
/*
 * Byte and character strings. mem* come from the machine (arch/x86_64/string.asm; the
 * host's libc), because the compiler calls them by these names; str* are lib/string.c.
 */
#pragma once
#include "kernel/lib/compiler.h"

void *memcpy(void *dst, const void *src, size_t bytes);
void *memmove(void *dst, const void *src, size_t bytes);
void *memset(void *dst, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

size_t str_len(const char *s);
int str_cmp(const char *a, const char *b);
int str_ncmp(const char *a, const char *b, size_t max);
bool str_eq(const char *a, const char *b);
const char *str_chr(const char *s, char c);
size_t str_copy(char *dst, const char *src, size_t size);
int str_to_u64(const char *s, const char **end, u64 *out) must_check;
int str_to_size(const char *s, const char **end, u64 *out) must_check;
