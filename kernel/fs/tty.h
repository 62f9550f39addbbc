/* SPDX-License-Identifier: MIT */
/* The terminal: what ldisc.c and tty.c share, and what the floor that knows processes does for
 * them. */
#pragma once
#include "kernel/fs/vfs.h"

/* struct termios2 of the kernel's ABI; struct termios ends before the speeds. */
struct termios {
	u32 iflag, oflag, cflag, lflag;
	u8 line;
	u8 cc[19];
	u32 ispeed, ospeed;
};
#define TERMIOS_BYTES	offsetof(struct termios, ispeed)

enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSWTC, VSTART, VSTOP, VSUSP, VEOL,
	VREPRINT, VDISCARD, VWERASE, VLNEXT, VEOL2 };

enum { ISTRIP = 000040, INLCR = 000100, IGNCR = 000200, ICRNL = 000400, IXON = 002000,
	IXANY = 004000, IMAXBEL = 020000, IUTF8 = 040000 };
enum { OPOST = 001, ONLCR = 004, OCRNL = 010, ONOCR = 020, ONLRET = 040, TABDLY = 014000 };
enum { ISIG = 001, ICANON = 002, ECHO = 010, ECHOE = 020, ECHOK = 040, ECHONL = 0100,
	NOFLSH = 0200, TOSTOP = 0400, ECHOCTL = 01000, ECHOKE = 04000, IEXTEN = 0100000 };

#define LDISC_BYTES	4096u
#define LDISC_LINE	(LDISC_BYTES - 1)	/* bytes of a line before its end */

/* A line discipline. Key: [lock] the terminal's. Positions only grow; byte n is in
 * buf[n % LDISC_BYTES]: tail <= canon_head <= head <= tail + LDISC_BYTES. */
struct ldisc {
	struct termios termios;		/* [lock] */
	u8 buf[LDISC_BYTES];		/* [lock] */
	u64 ends[LDISC_BYTES / 64];	/* [lock] a bit for each byte that ends a line; such a NUL
					 * is an end of file and no byte */
	u32 tail;			/* [lock] first byte not read */
	u32 canon_head;			/* [lock] behind the last finished line */
	u32 head;			/* [lock] behind the last byte typed */
	bool literal;			/* [lock] the next byte means itself */
	bool stopped;			/* [lock to write] output waits for START */
	unsigned column;		/* [lock] where the next byte goes */
	unsigned line_column;		/* [lock] where the edited line's echo began */
};

/* ldisc.c: all under the terminal's lock */
void ldisc_init(struct ldisc *l);
void ldisc_set_termios(struct ldisc *l, const struct termios *t);
void ldisc_flush(struct ldisc *l);
bool ldisc_has_room(const struct ldisc *l);
void ldisc_type(struct ldisc *l, u8 c);
bool ldisc_available(const struct ldisc *l, unsigned min);
unsigned ldisc_count(const struct ldisc *l);
long ldisc_take(struct ldisc *l, struct iobuf *io) must_check;
void ldisc_write(struct ldisc *l, const char *text, size_t bytes);

/* tty.c */
void tty_signal(int sig);		/* the foreground process group */

#define VFS_SIGINT	2
#define VFS_SIGQUIT	3
#define VFS_SIGTSTP	20
#define VFS_SIGTTIN	21
#define VFS_SIGTTOU	22
#define VFS_SIGWINCH	28

#define TIOCSCTTY	0x540e
#define TIOCGPGRP	0x540f
#define TIOCSPGRP	0x5410
#define TIOCNOTTY	0x5422
#define TIOCGSID	0x5429

struct tty_hooks {
	/* May the caller read (SIGTTIN), write or change it (SIGTTOU)? 0, else the call's error: the
	 * caller's process group is in the background and has that signal, or cannot have it. */
	int (*check)(int sig);
	void (*signal)(int sig);	/* to the foreground process group */
	bool (*controls)(void);		/* it is the caller's controlling terminal */
	void (*opened)(void);		/* by a session leader without one: it is from now on */
	long (*ioctl)(struct file *file, unsigned cmd, uaddr_t arg);	/* the five above */
};

void tty_set_hooks(const struct tty_hooks *hooks);	/* [I] for ever */
void tty_start(void);			/* its thread: from now on input is taken */
void tty_hangup(void);			/* the session is over */
