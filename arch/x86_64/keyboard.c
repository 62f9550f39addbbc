/* SPDX-License-Identifier: MIT */
/* PS/2 keyboard, scan code set 1 (the controller translates), US layout. Keys become the
 * bytes a serial terminal would send: Enter is CR, Backspace DEL, arrows ESC [ A to D. */
#include "arch/upcall.h"
#include "arch/x86_64/x86.h"

#define KBD_DATA	0x60
#define KBD_STATUS	0x64		/* read */
#define KBD_COMMAND	0x64		/* write */
#define STATUS_OUT_FULL	0x01
#define STATUS_IN_FULL	0x02
#define STATUS_MOUSE	0x20
#define CONFIG_IRQ	0x01
#define CONFIG_DISABLED	0x10
#define CONFIG_TRANSLATE 0x40
#define MAX_WAITS	10000

enum { KEY_CTRL = 0x1d, KEY_LSHIFT = 0x2a, KEY_RSHIFT = 0x36, KEY_CAPS = 0x3a,
	KEY_EXTENDED = 0xe0, KEY_RELEASED = 0x80 };

static const char plain[] =
	"\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
	"\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static bool shift, ctrl, caps, extended;

static void extended_key(u8 code)
{
	switch (code) {
	case 0x48: case 0x50: case 0x4d: case 0x4b:
		console_put('\033');
		console_put('[');
		console_put(code == 0x48 ? 'A' : code == 0x50 ? 'B' : code == 0x4d ? 'C' : 'D');
		break;
	case 0x1c:				/* keypad Enter */
		console_put('\r');
		break;
	case 0x35:				/* keypad slash */
		console_put('/');
		break;
	case 0x53:				/* Delete */
		console_put('\177');
		break;
	}
}

static void plain_key(u8 code)
{
	char c;
	bool letter, upper;

	if (code >= sizeof(plain) - 1)
		return;
	letter = plain[code] >= 'a' && plain[code] <= 'z';
	upper = letter ? shift != caps : shift;
	c = upper ? shifted[code] : plain[code];
	if (ctrl && (letter || (c >= '[' && c <= '_')))
		c &= 0x1f;
	if (c)
		console_put((u8)c);
}

static void scan_code(u8 code)
{
	bool pressed = !(code & KEY_RELEASED), was_extended = extended;

	extended = code == KEY_EXTENDED;
	if (extended)
		return;
	code &= 0x7f;
	if (code == KEY_CTRL)
		ctrl = pressed;
	else if (was_extended && pressed)
		extended_key(code);
	else if (was_extended)
		return;
	else if (code == KEY_LSHIFT || code == KEY_RSHIFT)
		shift = pressed;
	else if (code == KEY_CAPS)
		caps ^= pressed;
	else if (pressed)
		plain_key(code);
}

static void keyboard_irq(struct regs *r)
{
	u8 status, byte;

	(void)r;
	while ((status = inb(KBD_STATUS)) & STATUS_OUT_FULL) {
		byte = inb(KBD_DATA);
		if (!(status & STATUS_MOUSE))
			scan_code(byte);
	}
	upcall_input();
}

/* Wait until bit of the status is as wanted; false when it never comes. */
static bool wait_status(u8 bit, bool wanted)
{
	for (int waits = 0; waits < MAX_WAITS; waits++) {
		if (((inb(KBD_STATUS) & bit) != 0) == wanted)
			return true;
	}
	return false;
}

static void drain(void)
{
	for (int i = 0; i < 64 && (inb(KBD_STATUS) & STATUS_OUT_FULL); i++)
		(void)inb(KBD_DATA);
}

/* Turn the keyboard's interrupt on, if there is a controller. Context: boot. */
void keyboard_init(void)
{
	u8 config;

	if (inb(KBD_STATUS) == 0xff)
		return;
	drain();
	outb(KBD_COMMAND, 0xae);		/* enable the keyboard port */
	if (!wait_status(STATUS_IN_FULL, false))
		return;
	outb(KBD_COMMAND, 0x20);		/* read the configuration byte */
	if (!wait_status(STATUS_OUT_FULL, true))
		return;
	config = inb(KBD_DATA);
	config = (u8)((config | CONFIG_IRQ | CONFIG_TRANSLATE) & ~CONFIG_DISABLED);
	outb(KBD_COMMAND, 0x60);
	if (!wait_status(STATUS_IN_FULL, false))
		return;
	outb(KBD_DATA, config);
	if (!wait_status(STATUS_IN_FULL, false))
		return;
	outb(KBD_DATA, 0xf4);			/* keyboard: start scanning */
	(void)wait_status(STATUS_OUT_FULL, true);
	drain();
	apic_route_isa(ISA_KEYBOARD, keyboard_irq);
}
