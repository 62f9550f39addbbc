/* SPDX-License-Identifier: MIT */
/* Private to arch/x86_64: the screen as cells, the terminal made of them, and the font. */
#pragma once
#include "arch/bootinfo.h"
#include "kernel/lib/compiler.h"

/* screen.c. A cell is a character and, in the upper byte, its colours as VGA has them:
 * foreground 0-15, background 0-7 from bit 4 on. */
#define CELL(c, colours)	((u16)((colours) << 8 | (u8)(c)))
#define CELL_COLOURS		0x07		/* light grey on black */

struct screen {
	unsigned columns, rows;		/* [I] */
};

extern struct screen screen;
void screen_init(const struct bootinfo *bi);
u16 screen_cell(unsigned x, unsigned y);
void screen_set(unsigned x, unsigned y, u16 cell);
void screen_show_cursor(unsigned x, unsigned y);

/* terminal.c */
#define TERMINAL_REPLY_MAX	24
void terminal_init(const struct bootinfo *bi);
void terminal_write(const char *bytes, size_t count, bool text);
size_t terminal_take_reply(char reply[TERMINAL_REPLY_MAX]);

/* font.c */
#define FONT_FIRST	32
#define FONT_LAST	126
#define FONT_ROWS	7
extern const u8 font_rows[FONT_LAST - FONT_FIRST + 1][FONT_ROWS];
