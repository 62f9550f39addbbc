/* SPDX-License-Identifier: MIT */
/* The screen as a terminal that only scrolls: VGA text, or the loader's framebuffer with our
 * font in cells of 8x16 pixels. The text is kept in RAM and only ever written to the device,
 * since reading video memory is slow. Escape sequences are swallowed. Console lock held. */
#include "arch/mmu.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define VGA_TEXT	0xb8000
#define VGA_COLOUR	0x0700		/* light grey on black */
#define INK		0xc8		/* of each colour */
#define CELL_WIDTH	8
#define CELL_HEIGHT	16
#define MAX_COLUMNS	160
#define MAX_ROWS	64

static struct {
	volatile u16 *vga;		/* one of these two */
	volatile u8 *pixels;
	u32 pitch;			/* bytes from one line of pixels to the next */
	u32 pixel_bytes;		/* 3 or 4 */
	unsigned columns, rows, x, y;
	enum { PLAIN, ESCAPE, SEQUENCE } state;
	char text[MAX_ROWS][MAX_COLUMNS];
} screen;

static void draw_pixel(volatile u8 *at, u8 ink)
{
	if (screen.pixel_bytes == 4) {
		*(volatile u32 *)at = ink * 0x010101u;
		return;
	}
	at[0] = at[1] = at[2] = ink;
}

static void draw_glyph(unsigned x, unsigned y, char c)
{
	volatile u8 *line = screen.pixels + (size_t)y * CELL_HEIGHT * screen.pitch +
			    x * CELL_WIDTH * screen.pixel_bytes;
	const u8 *glyph = font_rows[(c >= FONT_FIRST && c <= FONT_LAST ? c : '?') - FONT_FIRST];

	for (unsigned row = 0; row < CELL_HEIGHT; row++, line += screen.pitch) {
		bool inside = row >= 1 && row < 1 + 2 * FONT_ROWS;
		unsigned bits = inside ? (unsigned)glyph[(row - 1) / 2] << 2 : 0;

		for (unsigned i = 0; i < CELL_WIDTH; i++)
			draw_pixel(line + i * screen.pixel_bytes, (bits & 0x80u >> i) ? INK : 0);
	}
}

static void draw(unsigned x, unsigned y)
{
	if (screen.vga)
		screen.vga[y * screen.columns + x] = VGA_COLOUR | (u8)screen.text[y][x];
	else if (screen.pixels)
		draw_glyph(x, y, screen.text[y][x]);
}

static void set_cell(unsigned x, unsigned y, char c)
{
	if (screen.text[y][x] == c)
		return;
	screen.text[y][x] = c;
	draw(x, y);
}

static void scroll(void)
{
	for (unsigned y = 0; y < screen.rows; y++) {
		for (unsigned x = 0; x < screen.columns; x++)
			set_cell(x, y, y + 1 < screen.rows ? screen.text[y + 1][x] : ' ');
	}
}

static void new_line(void)
{
	screen.x = 0;
	if (++screen.y == screen.rows) {
		screen.y--;
		scroll();
	}
}

/* True when c belongs to an escape sequence: ESC [ parameters letter, or ESC letter. */
static bool in_escape(char c)
{
	if (screen.state == PLAIN) {
		screen.state = c == '\033' ? ESCAPE : PLAIN;
		return c == '\033';
	}
	if (screen.state == ESCAPE)
		screen.state = c == '[' ? SEQUENCE : PLAIN;
	else if (c >= '@' && c <= '~')
		screen.state = PLAIN;
	return true;
}

static void put(char c)
{
	if (in_escape(c))
		return;
	switch (c) {
	case '\n':
		new_line();
		return;
	case '\r':
		screen.x = 0;
		return;
	case '\b':
		screen.x -= screen.x > 0;
		return;
	case '\t':
		screen.x = MIN((screen.x + 8) & ~7u, screen.columns - 1);
		return;
	}
	if ((u8)c < ' ')
		return;
	if (screen.x == screen.columns)
		new_line();
	set_cell(screen.x++, screen.y, c);
}

static void vga_place_cursor(void)
{
	unsigned at = screen.y * screen.columns + MIN(screen.x, screen.columns - 1);

	outb(0x3d4, 0x0e);
	outb(0x3d5, (u8)(at >> 8));
	outb(0x3d4, 0x0f);
	outb(0x3d5, (u8)at);
}

/* Show text. Locks: the console's. */
void screen_write(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		put(text[i]);
	if (screen.vga)
		vga_place_cursor();
}

static void pick_device(const struct bootinfo *bi)
{
	const struct boot_framebuffer *fb = &bi->fb;
	unsigned columns = fb->width / CELL_WIDTH, rows = fb->height / CELL_HEIGHT;

	screen.columns = 80;
	screen.rows = 25;
	if (!fb->base) {
		screen.vga = mmu_map_device(VGA_TEXT, 80 * 25 * 2);
		return;
	}
	screen.pixel_bytes = fb->bits_per_pixel / 8;
	if ((screen.pixel_bytes != 3 && screen.pixel_bytes != 4) || !columns || !rows)
		return;
	screen.pixels = mmu_map_device(fb->base, (size_t)fb->pitch * fb->height);
	screen.pitch = fb->pitch;
	screen.columns = MIN(columns, (unsigned)MAX_COLUMNS);
	screen.rows = MIN(rows, (unsigned)MAX_ROWS);
	for (size_t i = 0; screen.pixels && i < (size_t)fb->pitch * fb->height; i++)
		screen.pixels[i] = 0;
}

/* Find the screen, clear it, show the log so far. Context: boot. */
void screen_init(const struct bootinfo *bi)
{
	char chunk[128];
	u64 pos = 0;
	size_t n;

	pick_device(bi);
	memset(screen.text, ' ', sizeof(screen.text));
	for (unsigned i = 0; i < screen.rows * screen.columns; i++)
		draw(i % screen.columns, i / screen.columns);
	while ((n = log_read(chunk, sizeof(chunk), &pos)) > 0)
		screen_write(chunk, n);
}
