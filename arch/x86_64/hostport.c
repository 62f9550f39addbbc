/* SPDX-License-Identifier: MIT */
/*
 * The host port: frames on COM2, for test harnesses. Sending waits for the port. Received
 * bytes go through a small state machine in the interrupt handler; standard input lands in a
 * ring. A full ring turns the receive interrupt off: bytes then stay in the UART, which holds
 * the host up until host_receive() has made room.
 *
 * A CPU may stop for good in the middle of a frame, when another panics. What is being sent is
 * kept where that other finds it, and it sends the rest before its own frame.
 */
#include "arch/machine.h"
#include "arch/upcall.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/rawlock.h"
#include "kernel/lib/string.h"

#define RING_BYTES	65536u
#define CHUNK_BYTES	1024u		/* of output per frame: bounds the time without ticks */
#define PRESENT_FILE	"opt/tally/hostport"

static bool present;

static struct {
	rawlock lock;			/* all below */
	u8 header[5];			/* of the frame being sent */
	const u8 *payload;
	u32 at, end;			/* bytes sent and to send, header included */
} tx;

static struct {
	rawlock lock;			/* all below */
	u8 bytes[RING_BYTES];
	u32 head, tail;			/* ever put, ever taken */
	bool eof;			/* after the last byte in the ring */
	bool throttled;			/* receive interrupt off: ring full */
	u8 header[5];			/* of the frame being received */
	u32 header_bytes, payload_left;
} rx;

/* The harness says by a fw_cfg file that it listens. Context: boot, no memory. */
void hostport_init_early(void)
{
	present = fwcfg_size(PRESENT_FILE) > 0 && uart_init(COM2, 8);
}

/* Is there a harness on the host port? Context: any. */
bool host_present(void)
{
	return present;
}

/* A byte counts as sent just before it is: where a CPU is stopped, it stops on the long wait
 * for room or after the access to the port. Locks: tx.lock held, or taken from a CPU that
 * stopped. */
static void send_rest(void)
{
	const u32 header = sizeof(tx.header);

	while (tx.at < tx.end) {
		u8 byte = tx.at < header ? tx.header[tx.at] : tx.payload[tx.at - header];

		while (!uart_has_room(COM2))
			cpu_relax();
		WRITE_ONCE(tx.at, tx.at + 1);
		barrier();
		outb(COM2, byte);
	}
}

static void send_frame(enum host_frame type, const u8 *data, u32 bytes)
{
	unsigned long flags = rawlock_acquire(&tx.lock);

	send_rest();
	tx.end = 0;			/* nothing to send, whenever we are stopped in between */
	barrier();
	tx.header[0] = (u8)type;
	memcpy(tx.header + 1, &bytes, sizeof(bytes));
	tx.payload = data;
	tx.at = 0;
	barrier();
	tx.end = (u32)sizeof(tx.header) + bytes;
	send_rest();
	rawlock_release(&tx.lock, flags);
}

/* The run is over: wait for the frame that another CPU is sending; none follows.
 * Context: interrupts off. */
void hostport_end(void)
{
	if (present)
		(void)rawlock_acquire(&tx.lock);
}

/* Send one frame; long output is cut into several, which add up to the same stream. Nothing
 * happens without a harness. Context: any. */
void host_send(enum host_frame type, const void *data, size_t bytes)
{
	bool stream = type == HOST_STDOUT || type == HOST_STDERR;
	const u8 *at = data;

	if (!present)
		return;
	while (stream && bytes > CHUNK_BYTES) {
		send_frame(type, at, CHUNK_BYTES);
		at += CHUNK_BYTES;
		bytes -= CHUNK_BYTES;
	}
	send_frame(type, at, (u32)bytes);
}

/* Guest time goes on. Context: the tick. */
void hostport_beat(void)
{
	host_send(HOST_BEAT, NULL, 0);
}

static void rx_header_byte(u8 byte)
{
	rx.header[rx.header_bytes++] = byte;
	if (rx.header_bytes < sizeof(rx.header))
		return;
	memcpy(&rx.payload_left, rx.header + 1, sizeof(rx.payload_left));
	if (rx.payload_left == 0) {
		rx.eof |= rx.header[0] == HOST_STDIN;
		rx.header_bytes = 0;
	}
}

static void rx_payload_byte(u8 byte)
{
	if (rx.header[0] == HOST_STDIN)
		rx.bytes[rx.head++ % RING_BYTES] = byte;
	if (--rx.payload_left == 0)
		rx.header_bytes = 0;
}

/* Take what the UART holds while there is room. Locks: rx.lock held. */
static void rx_drain(void)
{
	int byte;

	rx.throttled = false;
	for (;;) {
		if (rx.head - rx.tail == RING_BYTES) {
			rx.throttled = true;
			break;
		}
		byte = uart_get(COM2);
		if (byte < 0)
			break;
		if (rx.header_bytes < sizeof(rx.header))
			rx_header_byte((u8)byte);
		else
			rx_payload_byte((u8)byte);
	}
	uart_rx_irq(COM2, !rx.throttled);
}

static void com2_irq(struct regs *r)
{
	unsigned long flags = rawlock_acquire(&rx.lock);

	(void)r;
	rx_drain();
	rawlock_release(&rx.lock, flags);
	upcall_input();
}

/* Receive from now on. Context: boot, interrupts routed. */
void hostport_init(void)
{
	if (!present)
		return;
	apic_route_isa(ISA_COM2, com2_irq);
	uart_rx_irq(COM2, true);
}

/* Take up to size bytes of standard input. Returns how many; 0 when none waits. *eof: the
 * host has closed it and all is taken. Context: any. */
size_t host_receive(void *buf, size_t size, bool *eof)
{
	unsigned long flags = rawlock_acquire(&rx.lock);
	size_t n = MIN(size, (size_t)(rx.head - rx.tail));
	size_t first = MIN(n, (size_t)(RING_BYTES - rx.tail % RING_BYTES));

	memcpy(buf, rx.bytes + rx.tail % RING_BYTES, first);
	memcpy((char *)buf + first, rx.bytes, n - first);
	rx.tail += (u32)n;
	if (rx.throttled && n)
		rx_drain();
	*eof = rx.eof && rx.head == rx.tail;
	rawlock_release(&rx.lock, flags);
	return n;
}
