/* SPDX-License-Identifier: MIT */
/* The console: written to COM1 and the screen, read from COM1 and the keyboard through one
 * ring that their interrupt handlers fill. */
#include "arch/machine.h"
#include "arch/upcall.h"
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
		screen_init(bi);
		out.screen = true;
	}
	keyboard_init();
	if (!out.serial)
		return;
	apic_route_isa(ISA_COM1, com1_irq);
	uart_rx_irq(COM1, true);
}

static void serial_write(const char *text, size_t bytes)
{
	bool alive = true;

	for (size_t i = 0; i < bytes && alive; i++) {
		if (text[i] == '\n')
			uart_put(COM1, '\r', true);
		alive = uart_put(COM1, (u8)text[i], true);
	}
}

/* Write to serial port (a newline as CR LF) and screen. Context: any. */
void console_write(const char *text, size_t bytes)
{
	unsigned long flags = rawlock_acquire(&out.lock);

	if (out.serial)
		serial_write(text, bytes);
	if (out.screen)
		screen_write(text, bytes);
	rawlock_release(&out.lock, flags);
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
