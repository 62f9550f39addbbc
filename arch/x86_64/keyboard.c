/* SPDX-License-Identifier: MIT */
/* PS/2 keyboard, scan code set 1 (the controller translates), US layout. Keys become the bytes
 * that Linux's console sends (TERM=linux): Enter is CR, Backspace DEL, Alt an ESC before. */
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

enum { KEY_CTRL = 0x1d, KEY_LSHIFT = 0x2a, KEY_RSHIFT = 0x36, KEY_ALT = 0x38, KEY_CAPS = 0x3a,
	KEY_EXTENDED = 0xe0, KEY_RELEASED = 0x80 };

static const char plain[] =
	"\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
	"\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

/* Keys that send a sequence: ESC [ and this. Those of the keypad without 0xe0 send the same. */
static const struct {
	u8 code;
	const char *text;
} sequences[] = {
	{ 0x48, "A" }, { 0x50, "B" }, { 0x4d, "C" }, { 0x4b, "D" },	/* arrows */
	{ 0x47, "1~" }, { 0x52, "2~" }, { 0x53, "3~" }, { 0x4f, "4~" },	/* Home Ins Del End */
	{ 0x49, "5~" }, { 0x51, "6~" },					/* page up, down */
	{ 0x3b, "[A" }, { 0x3c, "[B" }, { 0x3d, "[C" }, { 0x3e, "[D" }, { 0x3f, "[E" },
	{ 0x40, "17~" }, { 0x41, "18~" }, { 0x42, "19~" }, { 0x43, "20~" }, { 0x44, "21~" },
	{ 0x57, "23~" }, { 0x58, "24~" },				/* F1 to F12 */
};

static bool shift, ctrl, alt, caps, extended;

static void put_text(const char *text)
{
	while (*text)
		console_put((u8)*text++);
}

/* A key without a character of its own. */
static void sequence_key(u8 code)
{
	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
		if (sequences[i].code != code)
			continue;
		put_text("\033[");
		put_text(sequences[i].text);
		return;
	}
}

static void extended_key(u8 code)
{
	if (code == 0x1c)			/* keypad Enter */
		console_put('\r');
	else if (code == 0x35)			/* keypad slash */
		console_put('/');
	else
		sequence_key(code);
}

static u8 with_ctrl(char c)
{
	if (c == ' ' || c == '@' || c == '2')
		return 0;
	if (c == '/' || c == '-')
		return 0x1f;
	return (c >= 'a' && c <= 'z') || (c >= '@' && c <= '_') ? c & 0x1f : (u8)c;
}

static void plain_key(u8 code)
{
	bool letter = plain[code] >= 'a' && plain[code] <= 'z';
	bool upper = letter ? shift != caps : shift;
	char c = upper ? shifted[code] : plain[code];

	if (!c)
		return;
	if (alt)
		console_put('\033');
	console_put(ctrl ? with_ctrl(c) : (u8)c);
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
	else if (code == KEY_ALT)
		alt = pressed;
	else if (was_extended && pressed)
		extended_key(code);
	else if (was_extended)
		return;
	else if (code == KEY_LSHIFT || code == KEY_RSHIFT)
		shift = pressed;
	else if (code == KEY_CAPS)
		caps ^= pressed;
	else if (pressed && code < sizeof(plain) - 1)
		plain_key(code);
	else if (pressed)
		sequence_key(code);
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
