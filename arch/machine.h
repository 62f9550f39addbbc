/* SPDX-License-Identifier: MIT */
/*
 * Contract: the machine's devices: console (serial and screen, keyboard and serial input),
 * the host port (second serial port: framed, binary, for test harnesses), fw_cfg files, the
 * way out.
 *
 * Host port frames, both ways: 1 byte type, 4 bytes little-endian length, payload.
 */
#pragma once
#include "arch/bootinfo.h"
#include "kernel/lib/compiler.h"

enum host_frame {			/* guest to host */
	HOST_STDOUT = 'o',
	HOST_STDERR = 'e',
	HOST_STATUS = 's',		/* 4 bytes: wait status of the batch command */
	HOST_KTAP = 'k',		/* one line of in-kernel test output */
	HOST_PANIC = 'p',		/* the reason, after the report went to the log */
	HOST_BEAT = 'b',		/* heartbeat, each second of guest time */
	HOST_READY = 'r',		/* guest wants standard input from now on */
	HOST_STDIN = 'i',		/* host to guest; length 0 is end of file */
};

/* CPU tables, interrupts, early serial. First call of the boot; needs no memory. */
void machine_init_early(void);

/* The rest: screen, keyboard, local APIC, host port. After mmu_init() and the allocators. */
void machine_init(const struct bootinfo *bi);

/* Write a text to serial console and screen: each newline goes to the start of the next line.
 * Context: any. */
void console_write(const char *text, size_t bytes);

/* Send bytes to the terminals as they are. The screen's answer, if they ask for one, becomes
 * input. Context: thread. */
void console_send(const char *bytes, size_t count);

/* How large the screen is; 25 by 80 without one. */
void console_size(u16 *rows, u16 *columns);

/* Send one frame. Waits for the port (polled). Context: any. */
void host_send(enum host_frame type, const void *data, size_t bytes);
bool host_present(void);

/* Take up to size bytes of standard input; 0 when none waits. *eof set at end of file. */
size_t host_receive(void *buf, size_t size, bool *eof);

/* Next input byte of keyboard or serial console, or -1. Context: any. */
int console_getc(void);

/* Read a file the host offers through fw_cfg. Size 0 when there is none. */
size_t fwcfg_size(const char *name);
size_t fwcfg_read(const char *name, void *buf, size_t size);

/* End the run: isa-debug-exit with its one fixed code, else halt. */
noreturn void machine_exit(void);

/* Stop here for ever with interrupts off. */
noreturn void machine_halt(void);
