/* SPDX-License-Identifier: MIT */
/* The screen as cells of a character and its colours: VGA text, or the loader's framebuffer with
 * our font in cells of 8x16 pixels. The cells are kept in RAM and only ever written to the
 * device, since reading video memory is slow. Console lock held. */
#include "arch/mmu.h"
#include "arch/x86_64/screen.h"
#include "arch/x86_64/x86.h"

#define VGA_TEXT	0xb8000
#define CELL_WIDTH	8
#define CELL_HEIGHT	16
#define MAX_COLUMNS	160
#define MAX_ROWS	64

struct screen screen;

static volatile u16 *vga;		/* one of these two */
static volatile u8 *pixels;
static u32 pitch;			/* bytes from one line of pixels to the next */
static u32 pixel_bytes;			/* 3 or 4 */
static u16 cells[MAX_ROWS][MAX_COLUMNS];
static unsigned cursor_x, cursor_y;	/* where the cursor is shown */

static const u32 palette[16] = {
	0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa,
	0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff,
};

static void draw_pixel(volatile u8 *at, u32 colour)
{
	if (pixel_bytes == 4) {
		*(volatile u32 *)at = colour;
		return;
	}
	at[0] = (u8)colour;
	at[1] = (u8)(colour >> 8);
	at[2] = (u8)(colour >> 16);
}

static void draw_glyph(unsigned x, unsigned y, u16 cell, bool cursor)
{
	volatile u8 *line = pixels + (size_t)y * CELL_HEIGHT * pitch + x * CELL_WIDTH * pixel_bytes;
	u8 c = (u8)cell;
	u32 ink = palette[cell >> 8 & 15], paper = palette[cell >> 12 & 7];
	const u8 *glyph = font_rows[(c >= FONT_FIRST && c <= FONT_LAST ? c : '?') - FONT_FIRST];

	for (unsigned row = 0; row < CELL_HEIGHT; row++, line += pitch) {
		bool inside = row >= 1 && row < 1 + 2 * FONT_ROWS;
		unsigned bits = inside ? (unsigned)glyph[(row - 1) / 2] << 2 : 0;

		if (cursor && row >= CELL_HEIGHT - 2)
			bits = 0xff;
		for (unsigned i = 0; i < CELL_WIDTH; i++)
			draw_pixel(line + i * pixel_bytes, (bits & 0x80u >> i) ? ink : paper);
	}
}

static void draw(unsigned x, unsigned y, bool cursor)
{
	if (vga)
		vga[y * screen.columns + x] = cells[y][x];
	else if (pixels)
		draw_glyph(x, y, cells[y][x], cursor);
}

/* What is at column x of row y. Locks: the console's. */
u16 screen_cell(unsigned x, unsigned y)
{
	return cells[y][x];
}

/* Change it. Locks: the console's. */
void screen_set(unsigned x, unsigned y, u16 cell)
{
	if (cells[y][x] == cell)
		return;
	cells[y][x] = cell;
	draw(x, y, false);
}

/* Show the cursor there, and no longer where it was. Locks: the console's. */
void screen_show_cursor(unsigned x, unsigned y)
{
	unsigned at = y * screen.columns + x;

	if (vga) {
		outb(0x3d4, 0x0e);
		outb(0x3d5, (u8)(at >> 8));
		outb(0x3d4, 0x0f);
		outb(0x3d5, (u8)at);
		return;
	}
	draw(cursor_x, cursor_y, false);
	cursor_x = x;
	cursor_y = y;
	draw(x, y, true);
}

static void pick_device(const struct bootinfo *bi)
{
	const struct boot_framebuffer *fb = &bi->fb;
	unsigned columns = fb->width / CELL_WIDTH, rows = fb->height / CELL_HEIGHT;

	screen.columns = 80;
	screen.rows = 25;
	if (!fb->base) {
		vga = mmu_map_device(VGA_TEXT, 80 * 25 * 2);
		return;
	}
	pixel_bytes = fb->bits_per_pixel / 8;
	if ((pixel_bytes != 3 && pixel_bytes != 4) || !columns || !rows)
		return;
	pixels = mmu_map_device(fb->base, (size_t)fb->pitch * fb->height);
	pitch = fb->pitch;
	screen.columns = MIN(columns, (unsigned)MAX_COLUMNS);
	screen.rows = MIN(rows, (unsigned)MAX_ROWS);
	for (size_t i = 0; pixels && i < (size_t)fb->pitch * fb->height; i++)
		pixels[i] = 0;
}

/* Find the screen and clear it. Context: boot. */
void screen_init(const struct bootinfo *bi)
{
	pick_device(bi);
	for (unsigned i = 0; i < screen.rows * screen.columns; i++) {
		cells[i / screen.columns][i % screen.columns] = CELL(' ', CELL_COLOURS);
		draw(i % screen.columns, i / screen.columns, false);
	}
}
