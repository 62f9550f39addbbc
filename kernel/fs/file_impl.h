/* SPDX-License-Identifier: MIT */
/* Files half made; for file.c and open.c only. */
#pragma once
#include "kernel/fs/file.h"

struct file *file_new(unsigned flags) must_check;
void file_discard(struct file *file);
