/* SPDX-License-Identifier: MIT */
/*
 * The line discipline: what typing means before a program reads it, and what a program's output
 * means before it is sent.
 *
 *	tail          canon_head          head
 *	  |  finished lines  |  being edited  |
 *	  +------------------+----------------+
 *
 * With ICANON readers get finished lines only; erasing stops at canon_head. Without, all up to
 * head is theirs. Behaviour is that of Linux's N_TTY: which flag silences which echo, what the
 * erase characters count as a word, where a tab's erasure ends.
 *
 * A line holds at most LDISC_LINE bytes; what is typed beyond rings the bell, but its end is
 * always accepted. When the buffer is full of finished lines, input stays with the machine.
 *
 * Locking: the terminal's lock, held by all callers.
 */
#include "arch/machine.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"

#define DEL	0x7f
#define CTRL(c)	((c) & 0x1f)

static const struct termios cooked = {
	.iflag = ICRNL | IXON | IMAXBEL | IUTF8,
	.oflag = OPOST | ONLCR,
	.cflag = 002277,			/* CS8, CREAD, HUPCL, B38400 */
	.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.cc = {
		[VINTR] = CTRL('C'), [VQUIT] = CTRL('\\'), [VERASE] = DEL, [VKILL] = CTRL('U'),
		[VEOF] = CTRL('D'), [VMIN] = 1, [VSTART] = CTRL('Q'), [VSTOP] = CTRL('S'),
		[VSUSP] = CTRL('Z'), [VREPRINT] = CTRL('R'), [VDISCARD] = CTRL('O'),
		[VWERASE] = CTRL('W'), [VLNEXT] = CTRL('V'),
	},
	.ispeed = 38400, .ospeed = 38400,
};

/* Empty, cooked. */
void ldisc_init(struct ldisc *l)
{
	memset(l, 0, sizeof(*l));
	l->termios = cooked;
}

static bool has(const struct ldisc *l, u32 lflag)
{
	return (l->termios.lflag & lflag) == lflag;
}

static bool is_char(const struct ldisc *l, unsigned which, u8 c)
{
	return c && l->termios.cc[which] == c;
}

static bool is_control(u8 c)
{
	return c < ' ' || c == DEL;
}

/* The second and later bytes of a character, which take no place of their own. */
static bool is_continuation(const struct ldisc *l, u8 c)
{
	return (l->termios.iflag & IUTF8) && (c & 0xc0) == 0x80;
}

static u8 *byte_at(struct ldisc *l, u32 pos)
{
	return &l->buf[pos % LDISC_BYTES];
}

static bool ends_line(const struct ldisc *l, u32 pos)
{
	return l->ends[pos % LDISC_BYTES / 64] >> pos % 64 & 1;
}

static bool is_eof(const struct ldisc *l, u32 pos)
{
	return ends_line(l, pos) && !l->buf[pos % LDISC_BYTES];
}

static void set_end(struct ldisc *l, u32 pos, bool end)
{
	u64 bit = 1ull << pos % 64, *word = &l->ends[pos % LDISC_BYTES / 64];

	*word = end ? *word | bit : *word & ~bit;
}

/* --- output */

/* What c becomes on its way out: bytes in out, at most 8. Keeps account of the column. */
static size_t process(struct ldisc *l, u8 c, char out[8])
{
	u32 flags = l->termios.oflag;
	size_t n;

	out[0] = (char)c;
	if (c == '\n') {
		if (flags & (ONLRET | ONLCR))
			l->column = 0;
		memcpy(out, flags & ONLCR ? "\r\n" : "\n", 2);
		return flags & ONLCR ? 2 : 1;
	}
	if (c == '\r') {
		if ((flags & ONOCR) && !l->column)
			return 0;
		if (flags & OCRNL)
			out[0] = '\n';
		if (!(flags & OCRNL) || (flags & ONLRET))
			l->column = 0;
	} else if (c == '\t') {
		n = 8 - l->column % 8;
		l->column += (unsigned)n;
		if ((flags & TABDLY) == TABDLY) {
			memset(out, ' ', n);
			return n;
		}
	} else if (c == '\b') {
		l->column -= l->column > 0;
	} else if (!is_control(c) && !is_continuation(l, c)) {
		l->column++;
	}
	return 1;
}

/* Send text to the terminal, as OPOST and its companions have it. */
void ldisc_write(struct ldisc *l, const char *text, size_t bytes)
{
	char out[128];
	size_t n = 0;

	if (!(l->termios.oflag & OPOST)) {
		console_send(text, bytes);
		return;
	}
	for (size_t i = 0; i < bytes; i++) {
		n += process(l, (u8)text[i], out + n);
		if (n > sizeof(out) - 8) {
			console_send(out, n);
			n = 0;
		}
	}
	console_send(out, n);
}

static void echo_text(struct ldisc *l, const char *text)
{
	ldisc_write(l, text, str_len(text));
}

/* Show c as typed: a control character as ^ and its letter. */
static void echo(struct ldisc *l, u8 c)
{
	char shown[2] = { '^', (char)(c ^ 0100) };

	if (!has(l, ECHO))
		return;
	if (l->head == l->canon_head)
		l->line_column = l->column;
	if (has(l, ECHOCTL) && is_control(c) && c != '\t' && c != '\n')
		ldisc_write(l, shown, 2);
	else
		ldisc_write(l, (const char *)&c, 1);
}

/* --- erasing */

/* Columns that the tab behind the line's last byte takes. */
static unsigned tab_width(struct ldisc *l)
{
	unsigned column = l->line_column;

	for (u32 pos = l->canon_head; pos != l->head; pos++) {
		u8 c = *byte_at(l, pos);

		if (c == '\t')
			column = (column | 7) + 1;
		else if (is_control(c))
			column += has(l, ECHOCTL) ? 2 : 0;
		else
			column += !is_continuation(l, c);
	}
	return 8 - column % 8;
}

/* c was the line's last character and is gone from it: take it off the screen. */
static void unecho(struct ldisc *l, u8 c)
{
	unsigned width = 1;

	if (c == '\t') {
		width = tab_width(l);
		while (width--)
			echo_text(l, "\b");
		return;
	}
	if (is_control(c))
		width = has(l, ECHOCTL) ? 2 : 0;
	while (width--)
		echo_text(l, "\b \b");
}

/* Take the line's last character, all bytes of it, off the line. Returns its first byte. */
static u8 drop_last(struct ldisc *l)
{
	u8 c;

	do {
		c = *byte_at(l, --l->head);
	} while (is_continuation(l, c) && l->head != l->canon_head);
	return c;
}

static void erase_char(struct ldisc *l)
{
	u8 c;

	if (l->head == l->canon_head)
		return;
	c = drop_last(l);
	if (!has(l, ECHO))
		return;
	if (has(l, ECHOE))
		unecho(l, c);
	else
		echo(l, l->termios.cc[VERASE]);
}

static bool in_word(u8 c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static void erase_word(struct ldisc *l)
{
	bool word = false;

	while (l->head != l->canon_head) {
		u8 last = *byte_at(l, l->head - 1);

		if (word && !in_word(last))
			break;
		word = in_word(last);
		last = drop_last(l);
		if (has(l, ECHO))
			unecho(l, last);
	}
}

static void erase_line(struct ldisc *l)
{
	if (l->head == l->canon_head)
		return;
	if (has(l, ECHO | ECHOE | ECHOK | ECHOKE)) {
		while (l->head != l->canon_head)
			unecho(l, drop_last(l));
		return;
	}
	l->head = l->canon_head;
	echo(l, l->termios.cc[VKILL]);
	if (has(l, ECHO | ECHOK))
		echo_text(l, "\n");
}

static void reprint(struct ldisc *l)
{
	u32 end = l->head;

	echo(l, l->termios.cc[VREPRINT]);
	echo_text(l, "\n");
	for (l->head = l->canon_head; l->head != end; l->head++)
		echo(l, *byte_at(l, l->head));
}

/* --- input */

/* Can c, typed now, be kept? Only line ends may take the last place. */
static bool may_put(const struct ldisc *l, bool end)
{
	return l->head - l->tail < (end ? LDISC_BYTES : LDISC_LINE);
}

static void put(struct ldisc *l, u8 c, bool end)
{
	set_end(l, l->head, end);
	*byte_at(l, l->head++) = c;
	if (end)
		l->canon_head = l->head;
}

static void type_plain(struct ldisc *l, u8 c)
{
	if (may_put(l, false)) {
		echo(l, c);
		put(l, c, false);
	} else if (l->termios.iflag & IMAXBEL) {
		echo_text(l, "\a");
	}
}

static void type_end(struct ldisc *l, u8 c)
{
	if (c == '\n' && (has(l, ECHO) || has(l, ECHONL)))
		echo_text(l, "\n");
	else if (c && c != '\n')
		echo(l, c);
	if (may_put(l, true))
		put(l, c, true);
}

/* Does c edit or end the line? */
static bool type_edit(struct ldisc *l, u8 c)
{
	bool extended = has(l, IEXTEN);

	if (is_char(l, VERASE, c)) {
		erase_char(l);
	} else if (is_char(l, VKILL, c)) {
		erase_line(l);
	} else if (is_char(l, VWERASE, c) && extended) {
		erase_word(l);
	} else if (is_char(l, VLNEXT, c) && extended) {
		l->literal = true;
		if (has(l, ECHO | ECHOCTL))
			echo_text(l, "^\b");
	} else if (is_char(l, VREPRINT, c) && has(l, ECHO | IEXTEN)) {
		reprint(l);
	} else if (c == '\n' || is_char(l, VEOL, c) || (is_char(l, VEOL2, c) && extended)) {
		type_end(l, c);
	} else if (is_char(l, VEOF, c)) {
		type_end(l, '\0');
	} else {
		return false;
	}
	return true;
}

static int signal_of(const struct ldisc *l, u8 c)
{
	if (!has(l, ISIG))
		return 0;
	return is_char(l, VINTR, c) ? VFS_SIGINT : is_char(l, VQUIT, c) ? VFS_SIGQUIT :
	       is_char(l, VSUSP, c) ? VFS_SIGTSTP : 0;
}

static void type_signal(struct ldisc *l, u8 c, int sig)
{
	tty_signal(sig);
	if (!has(l, NOFLSH))
		ldisc_flush(l);
	l->stopped &= !(l->termios.iflag & IXON);
	echo(l, c);
}

/* Does c stop or start the output? */
static bool type_flow(struct ldisc *l, u8 c)
{
	if (!(l->termios.iflag & IXON))
		return false;
	if (is_char(l, VSTART, c) || is_char(l, VSTOP, c)) {
		WRITE_ONCE(l->stopped, !is_char(l, VSTART, c));
		return true;
	}
	if (l->termios.iflag & IXANY)
		WRITE_ONCE(l->stopped, false);
	return false;
}

/* A byte was typed, and ldisc_has_room(). The caller wakes whoever waits afterwards. */
void ldisc_type(struct ldisc *l, u8 c)
{
	u32 flags = l->termios.iflag;
	int sig;

	if (flags & ISTRIP)
		c &= 0x7f;
	if (l->literal) {
		l->literal = false;
		type_plain(l, c);
		return;
	}
	if (type_flow(l, c))
		return;
	sig = signal_of(l, c);
	if (sig) {
		type_signal(l, c, sig);
		return;
	}
	if (c == '\r' && (flags & IGNCR))
		return;
	if (c == '\r' && (flags & ICRNL))
		c = '\n';
	else if (c == '\n' && (flags & INLCR))
		c = '\r';
	if (!has(l, ICANON) || !type_edit(l, c))
		type_plain(l, c);
}

/* Can a typed byte be taken? Yes while no line is finished: it may be one that erases. */
bool ldisc_has_room(const struct ldisc *l)
{
	return l->head - l->tail < LDISC_LINE || (has(l, ICANON) && l->canon_head == l->tail);
}

/* Forget all input. */
void ldisc_flush(struct ldisc *l)
{
	l->tail = l->canon_head = l->head;
}

/* New modes. Bytes typed in raw mode and not read become one line of cooked mode. */
void ldisc_set_termios(struct ldisc *l, const struct termios *t)
{
	u32 changed = l->termios.lflag ^ t->lflag;

	l->termios = *t;
	if (!(t->iflag & IXON))
		WRITE_ONCE(l->stopped, false);
	if (!(changed & ICANON))
		return;
	l->literal = false;
	memset(l->ends, 0, sizeof(l->ends));
	l->canon_head = l->tail;
	if (has(l, ICANON) && l->head != l->tail) {
		set_end(l, l->head - 1, true);
		l->canon_head = l->head;
	}
}

/* --- reading */

/* Is there something for a reader: a line, or (raw) at least min bytes? */
bool ldisc_available(const struct ldisc *l, unsigned min)
{
	if (has(l, ICANON))
		return l->canon_head != l->tail;
	return l->head - l->tail >= MAX(min, 1u);
}

/* How many bytes could be read at once or after each other, as FIONREAD tells it. */
unsigned ldisc_count(const struct ldisc *l)
{
	unsigned count = 0;

	if (!has(l, ICANON))
		return l->head - l->tail;
	for (u32 pos = l->tail; pos != l->canon_head; pos++)
		count += !is_eof(l, pos);
	return count;
}

/* Move bytes from tail on. Returns how many, short at a bad user address. */
static size_t move(struct ldisc *l, struct iobuf *io, size_t bytes)
{
	size_t done = 0, moved, want;

	do {
		want = MIN(bytes - done, LDISC_BYTES - l->tail % LDISC_BYTES);
		moved = iobuf_put(io, byte_at(l, l->tail), want);
		l->tail += (u32)moved;
		done += moved;
	} while (moved == want && done < bytes);
	if ((s32)(l->tail - l->canon_head) > 0)
		l->canon_head = l->tail;
	return done;
}

/* Move what is available and fits: of one line only, with its end; an end of file is taken with
 * the bytes before it. Returns bytes moved, 0: end of file, or -EFAULT. */
long ldisc_take(struct ldisc *l, struct iobuf *io)
{
	u32 want = 0, end = has(l, ICANON) ? l->canon_head : l->head;
	bool ended = false;
	size_t moved;

	while (l->tail + want != end && !is_eof(l, l->tail + want) && !ended && want < io->left)
		ended = ends_line(l, l->tail + want++);
	moved = want ? move(l, io, want) : 0;
	if (moved < want)
		return moved ? (long)moved : -EFAULT;
	if (!ended && l->tail != end && is_eof(l, l->tail))
		l->tail++;
	return (long)moved;
}
