/* SPDX-License-Identifier: MIT */
/* The console: written to COM1 and the screen, read from COM1 and the keyboard through one
 * ring that their interrupt handlers fill. */
#include "arch/machine.h"
#include "arch/upcall.h"
#include "arch/x86_64/screen.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/rawlock.h"
#include "kernel/lib/string.h"

#define RING_BYTES 4096u

static struct {
	rawlock lock;			/* output: whole calls stay together */
	bool serial, screen;
} out;

static struct {
	rawlock lock;
	u8 bytes[RING_BYTES];		/* [lock] */
	u32 head, tail;			/* [lock] ever put, ever taken */
} in;

/* Serial output from the first line on. Context: boot, no memory. */
void console_init_early(void)
{
	out.serial = uart_init(COM1, 1);
}

static void com1_irq(struct regs *r)
{
	int byte;

	(void)r;
	while ((byte = uart_get(COM1)) >= 0)
		console_put((u8)byte);
	upcall_input();
}

/* Screen, keyboard, serial input. console=serial leaves the screen alone.
 * Context: boot, interrupts routed. */
void console_init(const struct bootinfo *bi)
{
	const char *which = boot_option(bi, "console=");

	if (!which || str_ncmp(which, "serial", 6) != 0) {
		terminal_init(bi);
		out.screen = true;
	}
	keyboard_init();
	if (!out.serial)
		return;
	apic_route_isa(ISA_COM1, com1_irq);
	uart_rx_irq(COM1, true);
}

/* Send bytes to serial port and screen; a newline of a text as CR LF. */
static void send_locked(const char *bytes, size_t count, bool text)
{
	bool alive = out.serial;

	for (size_t i = 0; i < count && alive; i++) {
		if (text && bytes[i] == '\n')
			uart_put(COM1, '\r', true);
		alive = uart_put(COM1, (u8)bytes[i], true);
	}
	if (out.screen)
		terminal_write(bytes, count, text);
}

/* Write a text to serial port and screen. Context: any. */
void console_write(const char *text, size_t bytes)
{
	unsigned long flags = rawlock_acquire(&out.lock);

	send_locked(text, bytes, true);
	rawlock_release(&out.lock, flags);
}

/* Send bytes as they are; what the screen answers to them is input. Context: thread. */
void console_send(const char *bytes, size_t count)
{
	unsigned long flags = rawlock_acquire(&out.lock);
	char reply[TERMINAL_REPLY_MAX];
	size_t n;

	send_locked(bytes, count, false);
	n = terminal_take_reply(reply);
	rawlock_release(&out.lock, flags);
	for (size_t i = 0; i < n; i++)
		console_put((u8)reply[i]);
	if (n)
		upcall_input();
}

/* The screen's size in characters; 25 by 80 without one. Context: any, after the start. */
void console_size(u16 *rows, u16 *columns)
{
	*rows = out.screen ? (u16)screen.rows : 25;
	*columns = out.screen ? (u16)screen.columns : 80;
}

/* Queue an input byte; dropped when nobody reads. Context: interrupt. */
void console_put(u8 byte)
{
	unsigned long flags = rawlock_acquire(&in.lock);

	if (in.head - in.tail < RING_BYTES)
		in.bytes[in.head++ % RING_BYTES] = byte;
	rawlock_release(&in.lock, flags);
}

/* Next input byte, or -1. Context: any. */
int console_getc(void)
{
	unsigned long flags = rawlock_acquire(&in.lock);
	int byte = in.head != in.tail ? in.bytes[in.tail++ % RING_BYTES] : -1;

	rawlock_release(&in.lock, flags);
	return byte;
}
