/* SPDX-License-Identifier: MIT */
/* The in-kernel tests, linked into debug images only (tests/kernel): NULL elsewhere. */
#pragma once

void selftest_start(const char *cmdline) __attribute__((weak));
