/* SPDX-License-Identifier: MIT */
/* The kernel log: a ring of text, copied line by line to every registered sink. */
#pragma once
#include "kernel/lib/compiler.h"

#define LOG_RING_BYTES	65536

struct log_sink {
	void (*write)(const char *text, size_t bytes);
	struct log_sink *next;
};

void log_add_sink(struct log_sink *sink);
void log_set_clock(u64 (*now_ns)(void));
void log_info(const char *fmt, ...) printf_like(1, 2);
void log_raw(const char *text, size_t bytes);
size_t log_read(char *buf, size_t size, u64 *pos);
