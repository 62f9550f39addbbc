/* SPDX-License-Identifier: MIT */
/* 16550 serial ports by polling; who uses one has its interrupt and its lock. */
#include "arch/x86_64/x86.h"

enum { UART_DATA = 0, UART_IER = 1, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5,
	UART_SCRATCH = 7 };

#define LSR_DATA	0x01
#define LSR_TX_EMPTY	0x20
#define IER_RX		0x01
#define MAX_WAITS	200000

/* Set up 115200 8N1 with FIFOs; receive interrupts once rx_trigger (1 or 8) bytes wait. False
 * when there is no such port. */
bool uart_init(u16 port, unsigned rx_trigger)
{
	outb(port + UART_SCRATCH, 0x5a);
	if (inb(port + UART_SCRATCH) != 0x5a)
		return false;
	outb(port + UART_IER, 0);
	outb(port + UART_LCR, 0x80);
	outb(port + UART_DATA, 1);
	outb(port + UART_IER, 0);
	outb(port + UART_LCR, 3);
	outb(port + UART_FCR, rx_trigger > 1 ? 0x87 : 0x07);
	outb(port + UART_MCR, 0x0b);	/* DTR, RTS, and OUT2, which lets interrupts through */
	return true;
}

/* Is there room for a byte, written to the port's first register? */
bool uart_has_room(u16 port)
{
	return (inb(port + UART_LSR) & LSR_TX_EMPTY) != 0;
}

/* Send a byte when there is room. With may_drop, give up on a port that does not drain.
 * Returns false if the byte was dropped. */
bool uart_put(u16 port, u8 byte, bool may_drop)
{
	for (unsigned waits = 0; !uart_has_room(port); waits++) {
		if (may_drop && waits == MAX_WAITS)
			return false;
		cpu_relax();
	}
	outb(port + UART_DATA, byte);
	return true;
}

/* A received byte, or -1. */
int uart_get(u16 port)
{
	return (inb(port + UART_LSR) & LSR_DATA) ? inb(port + UART_DATA) : -1;
}

/* Receive interrupts on or off. Off, bytes stay in the port and hold the sender up. On, bytes
 * that already wait interrupt at once. */
void uart_rx_irq(u16 port, bool on)
{
	outb(port + UART_IER, on ? IER_RX : 0);
}
