/* SPDX-License-Identifier: MIT */
/*
 * The screen as a terminal: the part of Linux's console (TERM=linux) that shells, editors and
 * pagers use. ESC 7 8 c D E M; ESC [ with @ A-H J-M P S T X d f h l m n r s u; other sequences
 * are swallowed. A byte beyond ASCII begins a character, which is shown as '?'.
 *
 * A character in the last column leaves the cursor on it; the next one wraps first. Console lock
 * held.
 */
#include "arch/x86_64/screen.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define MAX_PARAMS	8
#define PARAM_MAX	9999u

enum state { PLAIN, ESCAPE, SEQUENCE, CHARSET, TITLE, TITLE_ESCAPE };

struct place {
	unsigned x, y;
	u8 ink, paper;			/* colours 0-7, as ANSI numbers them */
	bool bold, reverse;
};

static struct {
	struct place at, saved;
	unsigned top, bottom;		/* first and last row that scroll */
	bool full;			/* the last column is written: wrap before the next one */
	bool no_wrap;
	enum state state;
	bool private;			/* ESC [ ? */
	unsigned nr_params, params[MAX_PARAMS];
	char reply[TERMINAL_REPLY_MAX];
	size_t reply_bytes;
} term;

static u8 colours(void)
{
	static const u8 vga[8] = { 0, 4, 2, 6, 1, 5, 3, 7 };
	u8 ink = vga[term.at.ink] | (term.at.bold ? 8 : 0), paper = vga[term.at.paper];

	return term.at.reverse ? (u8)((ink & 7) << 4 | paper) : (u8)(paper << 4 | ink);
}

static u16 blank(void)
{
	return CELL(' ', colours());
}

/* Blank the cells from (x, y) up to and without (end_x, end_y), in reading order. */
static void clear(unsigned x, unsigned y, unsigned end_x, unsigned end_y)
{
	for (unsigned i = y * screen.columns + x; i < end_y * screen.columns + end_x; i++)
		screen_set(i % screen.columns, i / screen.columns, blank());
}

/* Move rows first..last by lines (up: positive), blank those that become free. */
static void scroll(unsigned first, unsigned last, int lines)
{
	int rows = (int)(last - first) + 1, step = lines > 0 ? 1 : -1;
	int from = lines > 0 ? 0 : rows - 1;

	for (int row = from; row >= 0 && row < rows; row += step) {
		int source = row + lines;
		bool there = source >= 0 && source < rows;

		for (unsigned x = 0; x < screen.columns; x++)
			screen_set(x, first + (unsigned)row, there ?
				   screen_cell(x, first + (unsigned)source) : blank());
	}
}

/* Move the rest of the row by cells (left: positive). */
static void shift(int cells)
{
	int columns = (int)screen.columns, begin = (int)term.at.x, step = cells > 0 ? 1 : -1;

	for (int x = cells > 0 ? begin : columns - 1; x >= begin && x < columns; x += step) {
		int source = x + cells;
		bool there = source >= begin && source < columns;

		screen_set((unsigned)x, term.at.y,
			   there ? screen_cell((unsigned)source, term.at.y) : blank());
	}
}

static void go(int x, int y)
{
	term.at.x = (unsigned)MAX(0, MIN(x, (int)screen.columns - 1));
	term.at.y = (unsigned)MAX(0, MIN(y, (int)screen.rows - 1));
	term.full = false;
}

static void line_feed(void)
{
	term.full = false;
	if (term.at.y == term.bottom)
		scroll(term.top, term.bottom, 1);
	else if (term.at.y + 1 < screen.rows)
		term.at.y++;
}

static void reverse_line_feed(void)
{
	term.full = false;
	if (term.at.y == term.top)
		scroll(term.top, term.bottom, -1);
	else if (term.at.y > 0)
		term.at.y--;
}

static void reset(void)
{
	term.at = term.saved = (struct place){ .ink = 7 };
	term.top = 0;
	term.bottom = screen.rows - 1;
	term.full = term.no_wrap = false;
}

static void show(u8 c)
{
	if (term.full && !term.no_wrap) {
		term.at.x = 0;
		line_feed();
	}
	screen_set(term.at.x, term.at.y, CELL(c, colours()));
	term.full = term.at.x + 1 == screen.columns;
	term.at.x += !term.full;
}

static void control(u8 c)
{
	int x = (int)term.at.x, y = (int)term.at.y;

	switch (c) {
	case '\033':
		term.state = ESCAPE;
		break;
	case '\n': case '\v': case '\f':
		line_feed();
		break;
	case '\r':
		go(0, y);
		break;
	case '\b':
		go(x - 1, y);
		break;
	case '\t':
		go((x | 7) + 1, y);
		break;
	}
}

/* --- escape sequences */

/* A parameter; 0 and none are the least one. */
static int param(unsigned i, unsigned least)
{
	return (int)MAX(i < term.nr_params ? term.params[i] : 0, least);
}

static void escape(u8 c)
{
	term.state = PLAIN;
	switch (c) {
	case '[':
		term.state = SEQUENCE;
		term.nr_params = 0;
		term.private = false;
		memset(term.params, 0, sizeof(term.params));
		break;
	case ']':
		term.state = TITLE;
		break;
	case '(': case ')': case '%': case '#':
		term.state = CHARSET;
		break;
	case '7':
		term.saved = term.at;
		break;
	case '8':
		term.at = term.saved;
		term.full = false;
		break;
	case 'E':
		term.at.x = 0;
		line_feed();
		break;
	case 'D':
		line_feed();
		break;
	case 'M':
		reverse_line_feed();
		break;
	case 'c':
		reset();
		clear(0, 0, 0, screen.rows);
		break;
	}
}

static void set_attribute(int n)
{
	if (n == 0) {
		term.at.ink = 7;
		term.at.paper = 0;
		term.at.bold = term.at.reverse = false;
	} else if (n == 1) {
		term.at.bold = true;
	} else if (n == 7) {
		term.at.reverse = true;
	} else if (n == 21 || n == 22) {
		term.at.bold = false;
	} else if (n == 27) {
		term.at.reverse = false;
	} else if (n >= 30 && n <= 39) {
		term.at.ink = n < 38 ? (u8)(n - 30) : 7;
	} else if (n >= 40 && n <= 49) {
		term.at.paper = n < 48 ? (u8)(n - 40) : 0;
	} else if (n >= 90 && n <= 97) {
		term.at.ink = (u8)(n - 90);
		term.at.bold = true;
	} else if (n >= 100 && n <= 107) {
		term.at.paper = (u8)(n - 100);
	}
}

static void set_attributes(void)
{
	for (unsigned i = 0; i < MAX(term.nr_params, 1u); i++)
		set_attribute(param(i, 0));
}

static void erase(u8 what, int how)
{
	unsigned x = term.at.x, y = term.at.y, columns = screen.columns, rows = screen.rows;

	if (what == 'J')
		clear(how ? 0 : x, how ? 0 : y, how == 1 ? x + 1 : 0, how == 1 ? y : rows);
	else
		clear(how ? 0 : x, y, how == 1 ? x + 1 : columns, y);
}

static void set_region(void)
{
	unsigned top = (unsigned)param(0, 1) - 1, bottom = (unsigned)param(1, 0);

	if (bottom == 0 || bottom > screen.rows)
		bottom = screen.rows;
	if (top + 1 >= bottom)
		return;
	term.top = top;
	term.bottom = bottom - 1;
	go(0, 0);
}

/* 5: is the terminal well? 6: where is the cursor? */
static void report(int what)
{
	if (what == 5)
		term.reply_bytes = (size_t)fmt_print(term.reply, sizeof(term.reply), "\033[0n");
	else if (what == 6)
		term.reply_bytes = (size_t)fmt_print(term.reply, sizeof(term.reply), "\033[%u;%uR",
						     term.at.y + 1, term.at.x + 1);
}

/* Cursor movements. Returns false: c is none. */
static bool move_cursor(u8 c)
{
	int n = param(0, 1), x = (int)term.at.x, y = (int)term.at.y;

	switch (c) {
	case 'A': case 'F':
		go(c == 'F' ? 0 : x, y - n);
		return true;
	case 'B': case 'E': case 'e':
		go(c == 'E' ? 0 : x, y + n);
		return true;
	case 'C': case 'a':
		go(x + n, y);
		return true;
	case 'D':
		go(x - n, y);
		return true;
	case 'G': case '`':
		go(n - 1, y);
		return true;
	case 'd':
		go(x, n - 1);
		return true;
	case 'H': case 'f':
		go(param(1, 1) - 1, n - 1);
		return true;
	default:
		return false;
	}
}

/* Insert and delete lines, within the region and from the cursor on. */
static void move_lines(int lines)
{
	if (term.at.y < term.top || term.at.y > term.bottom)
		return;
	scroll(term.at.y, term.bottom, lines);
	go(0, (int)term.at.y);
}

static void change_text(u8 c)
{
	int n = param(0, 1);

	switch (c) {
	case 'J': case 'K':
		erase(c, param(0, 0));
		break;
	case 'L': case 'M':
		move_lines(c == 'M' ? n : -n);
		break;
	case '@': case 'P':
		shift(c == 'P' ? n : -n);
		break;
	case 'S': case 'T':
		scroll(term.top, term.bottom, c == 'S' ? n : -n);
		break;
	case 'X':
		clear(term.at.x, term.at.y, MIN(term.at.x + (unsigned)n, screen.columns), term.at.y);
		break;
	}
}

static void finish_private(u8 c)
{
	if (param(0, 0) == 7 && (c == 'h' || c == 'l'))
		term.no_wrap = c == 'l';
}

static void finish_sequence(u8 c)
{
	term.state = PLAIN;
	if (term.private) {
		finish_private(c);
		return;
	}
	if (move_cursor(c))
		return;
	switch (c) {
	case 'm':
		set_attributes();
		break;
	case 'n':
		report(param(0, 0));
		break;
	case 'r':
		set_region();
		break;
	case 's':
		term.saved = term.at;
		break;
	case 'u':
		term.at = term.saved;
		term.full = false;
		break;
	default:
		change_text(c);
	}
}

static void sequence(u8 c)
{
	unsigned *last = &term.params[MAX(term.nr_params, 1u) - 1];

	if (c >= '0' && c <= '9') {
		term.nr_params = MAX(term.nr_params, 1u);
		*last = MIN(*last * 10 + (c - '0'), PARAM_MAX);
	} else if (c == ';') {
		term.nr_params = MIN(MAX(term.nr_params, 1u) + 1, (unsigned)MAX_PARAMS);
	} else if (c == '?' || c == '>' || c == '=') {
		term.private = true;
	} else if (c >= '@' && c <= '~') {
		finish_sequence(c);
	}
}

static void put(u8 c)
{
	bool is_control = c < ' ' && term.state != TITLE && term.state != TITLE_ESCAPE;

	if (is_control) {
		control(c);
		return;
	}
	switch (term.state) {
	case PLAIN:
		if (c != 0x7f && (c & 0xc0) != 0x80)
			show(c < 0x80 ? c : '?');
		break;
	case ESCAPE:
		escape(c);
		break;
	case SEQUENCE:
		sequence(c);
		break;
	case CHARSET:
		term.state = PLAIN;
		break;
	case TITLE:
		term.state = c == '\a' ? PLAIN : c == '\033' ? TITLE_ESCAPE : TITLE;
		break;
	case TITLE_ESCAPE:
		term.state = PLAIN;
		break;
	}
}

/* Show bytes; in a text a newline starts a line. Locks: the console's. */
void terminal_write(const char *bytes, size_t count, bool text)
{
	for (size_t i = 0; i < count; i++) {
		if (text && bytes[i] == '\n')
			put('\r');
		put((u8)bytes[i]);
	}
	screen_show_cursor(term.at.x, term.at.y);
}

/* What the terminal has to say to the bytes it got. Returns the number of bytes, 0: nothing.
 * Locks: the console's. */
size_t terminal_take_reply(char reply[TERMINAL_REPLY_MAX])
{
	size_t n = term.reply_bytes;

	memcpy(reply, term.reply, n);
	term.reply_bytes = 0;
	return n;
}

/* Find the screen, clear it, show the log so far. Context: boot. */
void terminal_init(const struct bootinfo *bi)
{
	char chunk[128];
	u64 pos = 0;
	size_t n;

	screen_init(bi);
	reset();
	while ((n = log_read(chunk, sizeof(chunk), &pos)) > 0)
		terminal_write(chunk, n, true);
}
