/* SPDX-License-Identifier: MIT */
/* callfuzz: what the table of calls (callfuzz_calls.c) and the machine around it share. */
#pragma once
#include <stdint.h>

#define MAX_ARGS	6

/* What an argument is. The generator makes a sensible one most of the time, a bad one else. */
enum arg {
	NONE,
	FD, DIRFD, PATH, OUT, IN, SIZE, LENGTH, MODE, OPEN_FLAGS, AT_BITS, WHENCE, SMALL, ZERO,
	PID, SIGNO, SIGNO_ACT, TIME, TIMEVAL2, TIMESPEC2, ITIMER, UTIMBUF, IOVEC, NR_IOVEC,
	SIGSET, SIGSET_SIZE, SIGACTION, ALTSTACK, SIGINFO, POLLFD, NR_POLLFD, FDSET, MILLISECONDS,
	RLIMIT, RESOURCE, CLOCK, ID, MEMORY, BRK, BYTES, PROTECTION, MAP_BITS, ADVICE, REMAP_BITS,
	FUTEX_OP, FUTEX_WORD, FUTEX_TIME, IOCTL, FCNTL, FCNTL_ARG, PIPE_BITS, WAIT_BITS, PRCTL,
	ARCH_PRCTL, FS_BASE, OFFSET_POINTER, PRIORITY_WHO, SELF, MODULUS, GROUP, CONTROL, NO_FDS,
	CPU_MASK, CAP_HEADER, CAP_DATA, LOG_ACTION, DOUBTFUL,
};

enum {
	NO_FAILURE = 1,			/* whatever the arguments, it succeeds */
	NO_SUCCESS = 2,			/* never for an ordinary user, or only interrupted */
	RARE = 4,			/* takes long: chosen less often */
	TALLY = 8,			/* Tally's own */
};

struct call {
	int nr;
	const char *name;
	int flags;
	unsigned char arg[MAX_ARGS];
	long (*run)(const struct call *call);	/* instead of the plain call */
};

extern const struct call calls[];
extern const int nr_calls;

/* Calls that need more than arguments: 0 or more, or -1 with errno. */
long run_child(const struct call *call);	/* fork, vfork, clone and their like */
long run_exec(const struct call *call);
long run_exit(const struct call *call);
long run_sigreturn(const struct call *call);
long run_kill(const struct call *call);
long run_take_signal(const struct call *call);
long run_close_range(const struct call *call);
