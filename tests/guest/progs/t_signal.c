/* SPDX-License-Identifier: MIT */
/* Signals: sending, handlers and their frames, blocking, queues, faults that are caught. */
#include "t.h"
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define KERNEL_SA_RESTORER	0x04000000
#define KERNEL_SET_BYTES	8
#define FIRST_RT		40	/* libraries keep the first ones for themselves */
#define NOT_CANONICAL		0x8000000000000000ul

struct kernel_sigaction {
	void (*handler)(int sig);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

static long raw_sigaction(int sig, const struct kernel_sigaction *act,
			  struct kernel_sigaction *old)
{
	return syscall(SYS_rt_sigaction, sig, act, old, KERNEL_SET_BYTES);
}

static void handle(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction act = { .sa_flags = SA_SIGINFO | flags };

	act.sa_sigaction = fn;
	sigemptyset(&act.sa_mask);
	WORKS(sigaction(sig, &act, NULL));
}

static void block(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	WORKS(sigprocmask(how, &set, NULL));
}

static int is_blocked(int sig)
{
	sigset_t set;

	WORKS(sigprocmask(SIG_BLOCK, NULL, &set));
	return sigismember(&set, sig);
}

static int is_pending(int sig)
{
	sigset_t set;

	WORKS(sigpending(&set));
	return sigismember(&set, sig);
}

static int tid(void)
{
	return (int)syscall(SYS_gettid);
}

/* --- sending */

static volatile int count;
static volatile siginfo_t seen;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	seen = *info;
	count++;
}

TEST(siginfo_says_who_and_how)
{
	union sigval value = { .sival_ptr = (void *)0x1234567890ab };

	handle(SIGUSR1, note, 0);
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(count == 1 && seen.si_signo == SIGUSR1 && seen.si_code == SI_USER);
	CHECK(seen.si_pid == getpid() && seen.si_uid == getuid());
	WORKS(syscall(SYS_tkill, tid(), SIGUSR1));
	CHECK(count == 2 && seen.si_code == SI_TKILL && seen.si_pid == getpid());
	WORKS(syscall(SYS_tgkill, getpid(), tid(), SIGUSR1));
	CHECK(count == 3 && seen.si_code == SI_TKILL);
	WORKS(sigqueue(getpid(), SIGUSR1, value));
	CHECK(count == 4 && seen.si_code == SI_QUEUE && seen.si_value.sival_ptr == value.sival_ptr);
	CHECK(seen.si_pid == getpid() && seen.si_uid == getuid());
}

TEST(what_cannot_be_sent)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	FAILS(EINVAL, kill(getpid(), 65));
	FAILS(EINVAL, kill(getpid(), -1));
	FAILS(ESRCH, kill(0x3ffffff, SIGUSR1));
	FAILS(ESRCH, kill(0x3ffffff, 65));
	FAILS(ESRCH, kill(-0x3ffffff, SIGUSR1));
	FAILS(ESRCH, kill(INT_MIN, SIGUSR1));
	FAILS(EINVAL, syscall(SYS_tkill, 0, SIGUSR1));
	FAILS(EINVAL, syscall(SYS_tkill, -1, SIGUSR1));
	FAILS(EINVAL, syscall(SYS_tgkill, 0, tid(), SIGUSR1));
	FAILS(ESRCH, syscall(SYS_tgkill, getppid(), tid(), SIGUSR1));
	FAILS(EINVAL, syscall(SYS_tgkill, getpid(), tid(), 65));
	CHECK(kill(getpid(), 0) == 0 && syscall(SYS_tkill, tid(), 0) == 0);
	FAILS(EFAULT, syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, 8));
	FAILS(EINVAL, syscall(SYS_rt_sigqueueinfo, getpid(), 65, &info));
	info.si_code = SI_USER;
	FAILS(EPERM, syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
	info.si_code = SI_TKILL;
	FAILS(EPERM, syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info));
}

TEST(siginfo_of_ones_own_making)
{
	siginfo_t info = { .si_code = -77 };

	handle(SIGUSR1, note, 0);
	info.si_pid = 12;
	info.si_uid = 34;
	info.si_signo = SIGINT;			/* does not count */
	info.si_value.sival_int = 56;
	WORKS(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
	CHECK(count == 1 && seen.si_signo == SIGUSR1 && seen.si_code == -77);
	CHECK(seen.si_pid == 12 && seen.si_uid == 34 && seen.si_value.sival_int == 56);
	info.si_code = SI_KERNEL;		/* to oneself anything goes */
	WORKS(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
	CHECK(count == 2 && seen.si_code == SI_KERNEL);
	((char *)&info)[127] = 1;		/* not part of any siginfo */
	WORKS(syscall(SYS_rt_sigqueueinfo, getpid(), 0, &info));
	info.si_code = -77;
	FAILS(E2BIG, syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
	info.si_code = -5;
	WORKS(syscall(SYS_rt_tgsigqueueinfo, getpid(), tid(), SIGUSR1, &info));
	CHECK(count == 3 && seen.si_code == -5);
	FAILS(ESRCH, syscall(SYS_rt_tgsigqueueinfo, getppid(), tid(), SIGUSR1, &info));
}

TEST(to_a_process_group)
{
	int ready[2], children[3], c;

	WORKS(pipe(ready));
	for (int i = 0; i < 3; i++) {
		children[i] = (int)WORKS(fork());
		if (children[i] == 0) {
			WORKS(setpgid(0, i == 0 ? 0 : children[0]));
			WORKS(write(ready[1], "r", 1));
			for (;;)
				pause();
		}
		CHECK(read(ready[0], &c, 1) == 1);
	}
	WORKS(kill(-children[0], 0));
	WORKS(kill(-children[0], SIGUSR2));
	for (int i = 0; i < 3; i++) {
		int status = t_wait(children[i]);

		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2, "status %#x", status);
	}
	FAILS(ESRCH, kill(-children[0], 0));
}

static void own_group(void *unused)
{
	(void)unused;
	WORKS(setpgid(0, 0));
	handle(SIGUSR1, note, 0);
	WORKS(kill(0, SIGUSR1));		/* to everybody here: me */
	CHECK(count == 1);
}

TEST(to_ones_own_group)
{
	CHECK(t_child(own_group, NULL) == 0);
}

/* --- who may */

static void as_user(void *target)
{
	int pid = *(int *)target;

	WORKS(setuid(1000));
	FAILS(EPERM, kill(pid, SIGTERM));
	FAILS(EPERM, kill(pid, 0));
	FAILS(EPERM, syscall(SYS_tkill, pid, SIGTERM));
	FAILS(EINVAL, kill(pid, 65));
	FAILS(EPERM, kill(1, SIGTERM));
	WORKS(kill(pid, SIGCONT));		/* same session */
	FAILS(EPERM, syscall(SYS_tkill, 1, 0));
	WORKS(kill(getpid(), 0));
}

TEST(only_ones_own_processes)
{
	int pid, other;

	if (getuid() != 0)
		return;
	pid = (int)WORKS(fork());
	if (pid == 0)
		for (;;)
			pause();
	CHECK(t_child(as_user, &pid) == 0);
	WORKS(kill(pid, SIGTERM));
	CHECK(t_wait(pid) == SIGTERM);
	pid = (int)WORKS(fork());
	if (pid == 0) {
		WORKS(setuid(1000));
		for (;;)
			pause();
	}
	sleep_ms(50);
	other = (int)WORKS(fork());
	if (other == 0) {
		WORKS(setuid(1000));
		_exit(kill(pid, SIGTERM) != 0);
	}
	CHECK(t_wait(other) == 0);
	CHECK(t_wait(pid) == SIGTERM);
}

TEST(init_takes_what_it_does_not_handle)
{
	if (!t_groups)
		return;				/* not on somebody's Linux */
	WORKS(kill(1, SIGKILL));
	WORKS(kill(1, SIGSTOP));
	WORKS(kill(1, SIGSEGV));
	sleep_ms(30);
	WORKS(kill(1, 0));
}

/* --- actions and masks */

TEST(actions_are_kept_as_given)
{
	struct kernel_sigaction act = {
		.handler = (void (*)(int))0x123456, .restorer = (void (*)(void))0x654321,
		.flags = KERNEL_SA_RESTORER | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |
			 SA_RESETHAND | SA_NOCLDSTOP | SA_NOCLDWAIT | 0x100,
		.mask = ~0ul,
	}, old, now;

	WORKS(raw_sigaction(SIGUSR1, NULL, &old));
	CHECK(old.handler == SIG_DFL && old.flags == 0 && old.mask == 0);
	WORKS(raw_sigaction(SIGUSR1, &act, &old));
	CHECK(old.handler == SIG_DFL);
	WORKS(raw_sigaction(SIGUSR1, NULL, &now));
	CHECK(now.handler == act.handler && now.restorer == act.restorer);
	CHECK(now.flags == (act.flags & ~0x100ul), "flags %#lx", now.flags);
	CHECK(now.mask == ~(1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1)), "mask %#lx", now.mask);
	FAILS(EINVAL, raw_sigaction(0, NULL, &old));
	FAILS(EINVAL, raw_sigaction(65, NULL, &old));
	FAILS(EINVAL, raw_sigaction(SIGKILL, &act, NULL));
	FAILS(EINVAL, raw_sigaction(SIGSTOP, &act, NULL));
	WORKS(raw_sigaction(SIGKILL, NULL, &old));
	FAILS(EINVAL, syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 4));
	FAILS(EFAULT, raw_sigaction(SIGUSR1, (void *)8, NULL));
	FAILS(EFAULT, raw_sigaction(SIGUSR1, NULL, (void *)8));
	FAILS(EFAULT, raw_sigaction(65, (void *)8, NULL));
}

TEST(blocking)
{
	unsigned long set = ~0ul, old;

	FAILS(EINVAL, syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 4));
	FAILS(EINVAL, syscall(SYS_rt_sigprocmask, 3, &set, NULL, 8));
	FAILS(EFAULT, syscall(SYS_rt_sigprocmask, SIG_SETMASK, 8, NULL, 8));
	WORKS(syscall(SYS_rt_sigprocmask, 3, NULL, &old, 8));
	WORKS(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, &old, 8));
	WORKS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &old, 8));
	CHECK(old == ~(1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1)), "%#lx", old);
	set = 1ul << (SIGUSR1 - 1);
	WORKS(syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, NULL, 8));
	CHECK(!is_blocked(SIGUSR1) && is_blocked(SIGUSR2));
	FAILS(EFAULT, syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, 8, 8));
	CHECK(is_blocked(SIGUSR1));		/* it has been done all the same */
}

TEST(pending_until_unblocked)
{
	unsigned long set[2] = { 0, 0x77 };

	handle(SIGUSR1, note, 0);
	block(SIG_BLOCK, SIGUSR1);
	WORKS(kill(getpid(), SIGUSR1));
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(count == 0 && is_pending(SIGUSR1) && !is_pending(SIGUSR2));
	WORKS(syscall(SYS_rt_sigpending, set, 4));
	CHECK(set[0] == 1u << (SIGUSR1 - 1) && set[1] == 0x77);
	FAILS(EINVAL, syscall(SYS_rt_sigpending, set, 16));
	FAILS(EFAULT, syscall(SYS_rt_sigpending, 8, 8));
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK(count == 1 && !is_pending(SIGUSR1), "count %d", count);
}

TEST(ignored_ones_are_dropped)
{
	block(SIG_BLOCK, SIGUSR1);
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(is_pending(SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
	CHECK(!is_pending(SIGUSR1));
	block(SIG_UNBLOCK, SIGUSR1);
	WORKS(kill(getpid(), SIGUSR1));
	block(SIG_BLOCK, SIGUSR1);
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(is_pending(SIGUSR1));		/* it may be handled when it is unblocked */
	block(SIG_BLOCK, SIGCHLD);
	WORKS(kill(getpid(), SIGCHLD));
	CHECK(is_pending(SIGCHLD));
	signal(SIGCHLD, SIG_DFL);
	CHECK(!is_pending(SIGCHLD));
	block(SIG_UNBLOCK, SIGUSR1);
	block(SIG_UNBLOCK, SIGWINCH);
	WORKS(kill(getpid(), SIGWINCH));
	WORKS(kill(getpid(), SIGURG));
	WORKS(kill(getpid(), SIGCONT));
}

static int order[16];

static void note_order(int sig, siginfo_t *info, void *context)
{
	(void)context;
	order[count++] = sig * 100 + info->si_value.sival_int;
}

TEST(real_time_ones_queue_in_order)
{
	static const int want[] = { 4000, 4001, 4002, 4100, 4101 };
	sigset_t all;

	handle(FIRST_RT, note_order, 0);
	handle(FIRST_RT + 1, note_order, 0);
	sigfillset(&all);
	WORKS(sigprocmask(SIG_BLOCK, &all, NULL));
	for (int i = 0; i < 2; i++)
		WORKS(sigqueue(getpid(), FIRST_RT + 1, (union sigval){ .sival_int = i }));
	for (int i = 0; i < 3; i++)
		WORKS(sigqueue(getpid(), FIRST_RT, (union sigval){ .sival_int = i }));
	/* Handlers do not block each other here: the one pushed last, the highest, runs first. */
	for (int i = 0; i < 5; i++) {
		siginfo_t info;
		int sig = (int)WORKS(sigwaitinfo(&all, &info));

		order[count++] = sig * 100 + info.si_value.sival_int;
	}
	CHECK(count == 5 && !memcmp(order, want, sizeof(want)));
}

TEST(real_time_ones_each_run_the_handler)
{
	handle(FIRST_RT, note_order, 0);
	block(SIG_BLOCK, FIRST_RT);
	for (int i = 0; i < 5; i++)
		WORKS(sigqueue(getpid(), FIRST_RT, (union sigval){ .sival_int = i }));
	block(SIG_UNBLOCK, FIRST_RT);
	CHECK(count == 5, "count %d", count);
	for (int i = 0; i < 5; i++)
		CHECK(order[i] == FIRST_RT * 100 + i, "%d: %d", i, order[i]);
}

TEST(the_queue_is_limited)
{
	struct rlimit limit = { 5, 5 };
	int sent = 0;

	if (getuid() == 0)
		WORKS(setuid(4711));		/* who has nothing else pending */
	WORKS(setrlimit(RLIMIT_SIGPENDING, &limit));
	handle(FIRST_RT, note, 0);
	handle(SIGUSR1, note, 0);
	block(SIG_BLOCK, FIRST_RT);
	block(SIG_BLOCK, SIGUSR1);
	while (sigqueue(getpid(), FIRST_RT, (union sigval){ .sival_int = 1 }) == 0)
		sent++;
	CHECK(errno == EAGAIN && sent == 5, "errno %s after %d", t_errno(errno), sent);
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(is_pending(SIGUSR1));
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK(count == 1);
	block(SIG_UNBLOCK, FIRST_RT);
	CHECK(count == 6, "count %d", count);
	WORKS(sigqueue(getpid(), FIRST_RT, (union sigval){ .sival_int = 1 }));
	CHECK(count == 7);
}

/* --- flags of handlers */

static volatile int depth, deepest;

static void nest(int sig, siginfo_t *info, void *context)
{
	(void)context;
	depth++;
	deepest = depth > deepest ? depth : deepest;
	if (count++ < 3)
		WORKS(kill(getpid(), sig));
	CHECK(!!is_blocked(sig) == (info->si_signo == SIGUSR1));
	depth--;
}

TEST(a_handler_blocks_its_signal)
{
	handle(SIGUSR1, nest, 0);
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(count == 4 && deepest == 1, "%d deep", deepest);
	CHECK(!is_blocked(SIGUSR1));
}

TEST(nodefer_lets_it_nest)
{
	handle(SIGUSR2, nest, SA_NODEFER);
	WORKS(kill(getpid(), SIGUSR2));
	CHECK(count == 4 && deepest == 4, "%d deep", deepest);
}

static void check_mask(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;

	(void)info;
	CHECK(is_blocked(sig) && is_blocked(SIGUSR2) && is_blocked(SIGHUP) && !is_blocked(SIGINT));
	CHECK(sigismember(&uc->uc_sigmask, SIGHUP) && !sigismember(&uc->uc_sigmask, sig));
	CHECK(!sigismember(&uc->uc_sigmask, SIGUSR2));
	count++;
}

TEST(sa_mask)
{
	struct sigaction act = { .sa_flags = SA_SIGINFO, .sa_sigaction = check_mask };

	sigemptyset(&act.sa_mask);
	sigaddset(&act.sa_mask, SIGUSR2);
	WORKS(sigaction(SIGUSR1, &act, NULL));
	block(SIG_BLOCK, SIGHUP);
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(count == 1 && is_blocked(SIGHUP) && !is_blocked(SIGUSR2) && !is_blocked(SIGUSR1));
}

static void die_of_the_second(void *unused)
{
	struct sigaction now;

	(void)unused;
	handle(SIGUSR1, note, SA_RESETHAND);
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(count == 1);
	WORKS(sigaction(SIGUSR1, NULL, &now));
	CHECK(now.sa_handler == SIG_DFL);
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(0, "survived");
}

TEST(resethand)
{
	t_expect_signal(die_of_the_second, NULL, SIGUSR1);
}

static void unblock_in_context(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	count++;
	sigaddset(&uc->uc_sigmask, sig == SIGUSR1 ? SIGHUP : SIGKILL);
}

TEST(a_handler_changes_the_mask_to_return_to)
{
	handle(SIGUSR1, unblock_in_context, 0);
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(count == 1 && is_blocked(SIGHUP) && !is_blocked(SIGUSR1));
}

static sigjmp_buf back;

static void jump(int sig)
{
	siglongjmp(back, sig);
}

TEST(longjmp_out_of_handlers)
{
	volatile int rounds = 0;

	signal(SIGUSR1, jump);
	while (rounds < 100) {
		if (sigsetjmp(back, 1) == 0) {
			WORKS(kill(getpid(), SIGUSR1));
			CHECK(0, "came back");
		}
		CHECK(!is_blocked(SIGUSR1));
		rounds++;
	}
}

static void death_by(void *sig)
{
	WORKS(kill(getpid(), *(int *)sig));
	CHECK(0, "survived");
}

TEST(default_actions)
{
	static const int ignored[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH };
	static const int stopping[] = { SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };

	for (int sig = 1; sig <= 64; sig++) {
		int special = sig == 32 || sig == 33 || sig == 34;

		for (int i = 0; i < 4; i++)
			special |= sig == ignored[i] || sig == stopping[i];
		if (!special) {
			int status = t_child(death_by, &sig);

			CHECK((status & 0x7f) == sig, "signal %d: status %#x", sig, status);
		}
	}
}

/* --- the frame: what a program had before */

static void spoil(int sig, siginfo_t *info, void *context)
{
	unsigned mxcsr = 0;

	(void)sig;
	(void)info;
	(void)context;
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	CHECK(mxcsr == 0x1f80, "a handler starts with mxcsr %#x", mxcsr);
	__asm__ volatile("std; cld; pcmpeqb %%xmm0, %%xmm0; pcmpeqb %%xmm7, %%xmm7;"
			 "pcmpeqb %%xmm15, %%xmm15; fninit; fld1; fldpi" ::: "xmm0", "xmm7",
			 "xmm15", "memory");
	count++;
}

/* Every register has a value of its own while the signals come; what is not as it was at the
 * end is counted. The loop's counter is on the stack, in the red zone. */
#define SPIN_WITH_REGISTERS(bad, rounds) \
	__asm__ volatile( \
		"push %%rbp\n\t" \
		"push %%rbx\n\t" \
		"mov %1, -64(%%rsp)\n\t" \
		"mov $0x101, %%eax\n\t mov $0x102, %%ebx\n\t mov $0x103, %%ecx\n\t" \
		"mov $0x104, %%edx\n\t mov $0x105, %%esi\n\t mov $0x106, %%edi\n\t" \
		"mov $0x107, %%ebp\n\t mov $0x108, %%r8d\n\t mov $0x109, %%r9d\n\t" \
		"mov $0x10a, %%r10d\n\t mov $0x10b, %%r11d\n\t mov $0x10c, %%r12d\n\t" \
		"mov $0x10d, %%r13d\n\t mov $0x10e, %%r14d\n\t mov $0x10f, %%r15d\n\t" \
		"movq %%rax, %%xmm0\n\t movq %%rbx, %%xmm7\n\t movq %%rcx, %%xmm15\n\t" \
		"stc\n\t" \
		"1: inc %%eax\n\t" \
		"dec %%eax\n\t"			/* these leave the carry alone */ \
		"lea -128(%%rsp), %%rsp\n\t" \
		"lea 128(%%rsp), %%rsp\n\t" \
		"decq -64(%%rsp)\n\t" \
		"jnz 1b\n\t" \
		"sbb $0x100, %%eax\n\t"		/* carry: 0x101 - 0x100 - 1 */ \
		"sub $0x102, %%ebx\n\t or %%ebx, %%eax\n\t sub $0x103, %%ecx\n\t or %%ecx, %%eax\n\t" \
		"sub $0x104, %%edx\n\t or %%edx, %%eax\n\t sub $0x105, %%esi\n\t or %%esi, %%eax\n\t" \
		"sub $0x106, %%edi\n\t or %%edi, %%eax\n\t sub $0x107, %%ebp\n\t or %%ebp, %%eax\n\t" \
		"sub $0x108, %%r8d\n\t or %%r8d, %%eax\n\t sub $0x109, %%r9d\n\t or %%r9d, %%eax\n\t" \
		"sub $0x10a, %%r10d\n\t or %%r10d, %%eax\n\t sub $0x10b, %%r11d\n\t or %%r11d, %%eax\n\t" \
		"sub $0x10c, %%r12d\n\t or %%r12d, %%eax\n\t sub $0x10d, %%r13d\n\t or %%r13d, %%eax\n\t" \
		"sub $0x10e, %%r14d\n\t or %%r14d, %%eax\n\t sub $0x10f, %%r15d\n\t or %%r15d, %%eax\n\t" \
		"movd %%xmm0, %%ecx\n\t sub $0x101, %%ecx\n\t or %%ecx, %%eax\n\t" \
		"movd %%xmm7, %%ecx\n\t sub $0x102, %%ecx\n\t or %%ecx, %%eax\n\t" \
		"movd %%xmm15, %%ecx\n\t sub $0x103, %%ecx\n\t or %%ecx, %%eax\n\t" \
		"pop %%rbx\n\t" \
		"pop %%rbp\n\t" \
		: "=a"(bad) : "r"((long)(rounds)) \
		: "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", \
		  "r15", "xmm0", "xmm7", "xmm15", "cc", "memory")

static void every_10_ms(int which)
{
	struct itimerval often = { { 0, 10000 }, { 0, 10000 } };

	WORKS(setitimer(which, &often, NULL));
}

TEST(registers_survive_handlers)
{
	unsigned mxcsr = 0x7f80, after = 0;
	unsigned short control = 0x27f, control_after = 0;
	long bad;

	handle(SIGALRM, spoil, SA_RESTART);
	__asm__ volatile("ldmxcsr %0; fldcw %1" :: "m"(mxcsr), "m"(control));
	every_10_ms(ITIMER_REAL);
	while (count < 20) {
		SPIN_WITH_REGISTERS(bad, 200000);
		CHECK((int)bad == 0, "%#x after %d handlers", (int)bad, count);
	}
	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(after), "=m"(control_after));
	CHECK(after == mxcsr && control_after == control, "%#x %#x", after, control_after);
}

static void check_frame(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	const greg_t *r = uc->uc_mcontext.gregs;
	char *fp = (char *)uc->uc_mcontext.fpregs;

	CHECK(((uintptr_t)fp & 15) == 0 && fp > (char *)info);
	CHECK((char *)info > (char *)uc && (char *)info < fp);
	CHECK(uc->uc_link == NULL && uc->uc_stack.ss_flags == 0 && uc->uc_stack.ss_size == 0);
	CHECK((r[REG_EFL] & 0x202) == 0x202 && sig == SIGUSR1);
	CHECK((greg_t)fp < r[REG_RSP] - 128 && r[REG_RSP] - (greg_t)fp < 64 * 1024);
	CHECK(r[REG_RAX] == 0, "kill()'s result is %lld", (long long)r[REG_RAX]);
	CHECK(uc->uc_mcontext.fpregs->mxcsr == 0x1f80 && uc->uc_mcontext.fpregs->cwd == 0x37f);
	count++;
}

TEST(the_frame_is_as_linux_has_it)
{
	handle(SIGUSR1, check_frame, 0);
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(count == 1);
}

static void go_elsewhere(void)
{
	_exit(seen.si_signo == SIGUSR1 ? 42 : 1);
}

static void set_ip(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	note(sig, info, context);
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)go_elsewhere;
	uc->uc_mcontext.gregs[REG_RSP] = (uc->uc_mcontext.gregs[REG_RSP] & ~15ll) - 8;
}

static void be_sent_elsewhere(void *unused)
{
	(void)unused;
	handle(SIGUSR1, set_ip, 0);
	WORKS(kill(getpid(), SIGUSR1));
}

TEST(a_handler_changes_where_to_return_to)
{
	int status = t_child(be_sent_elsewhere, NULL);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status %#x", status);
}

static void break_context(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	if (sig == SIGUSR1)
		uc->uc_mcontext.gregs[REG_RIP] = (greg_t)NOT_CANONICAL;
	else if (sig == SIGUSR2)
		uc->uc_mcontext.fpregs->mxcsr = ~0u;
	else if (sig == SIGHUP)
		uc->uc_mcontext.fpregs = (void *)16;
	else
		uc->uc_mcontext.gregs[REG_EFL] |= 0x3000 | 0x20000 | 0x80000;	/* IOPL, VM, VIF */
}

static void break_by(void *sig)
{
	handle(*(int *)sig, break_context, 0);
	WORKS(kill(getpid(), *(int *)sig));
}

TEST(bad_contexts)
{
	int bad_ip = SIGUSR1, bad_mxcsr = SIGUSR2, bad_fpu = SIGHUP, flags = SIGINT;
	unsigned long now;

	t_expect_signal(break_by, &bad_ip, SIGSEGV);
	t_expect_signal(break_by, &bad_fpu, SIGSEGV);
	if (t_groups)
		t_expect_signal(break_by, &bad_mxcsr, SIGSEGV);	/* with XSAVE it is cut */
	break_by(&flags);
	__asm__ volatile("pushf; pop %0" : "=r"(now));
	CHECK((now & 0x3000) == 0, "flags %#lx", now);
}

static void return_from_nowhere(void *sp)
{
	__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" :: "r"(*(void **)sp) : "memory");
}

TEST(sigreturn_without_a_frame)
{
	void *none = (void *)4096, *kernel = (void *)0xffff888000000000;

	t_expect_signal(return_from_nowhere, &none, SIGSEGV);
	t_expect_signal(return_from_nowhere, &kernel, SIGSEGV);
}

static void no_restorer(void *unused)
{
	struct kernel_sigaction act = { .handler = jump };

	(void)unused;
	WORKS(raw_sigaction(SIGUSR1, &act, NULL));
	WORKS(kill(getpid(), SIGUSR1));
}

static void no_room(void *unused)
{
	(void)unused;
	handle(SIGUSR1, note, 0);
	__asm__ volatile("mov %0, %%rsp; syscall" :: "r"(4096ul), "a"(SYS_kill), "D"(getpid()),
			 "S"(SIGUSR1) : "rcx", "r11", "memory");
}

TEST(no_place_for_a_frame)
{
	t_expect_signal(no_restorer, NULL, SIGSEGV);
	t_expect_signal(no_room, NULL, SIGSEGV);
}

/* --- faults */

static void *volatile fault_at;
static volatile int trap_nr, error_code;

static void note_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	note(sig, info, context);
	trap_nr = (int)uc->uc_mcontext.gregs[REG_TRAPNO];
	error_code = (int)uc->uc_mcontext.gregs[REG_ERR];
	if (trap_nr == 14)
		CHECK((void *)uc->uc_mcontext.gregs[REG_CR2] == info->si_addr);
	fault_at = (void *)uc->uc_mcontext.gregs[REG_RIP];
	siglongjmp(back, 1);
}

/* What the statement raises. */
#define FAULT(statement) \
	do { \
		seen.si_signo = 0; \
		if (sigsetjmp(back, 1) == 0) { \
			statement; \
			CHECK(0, "no fault"); \
		} \
	} while (0)

static void expect_fault(int sig, int code, const void *addr, int trap)
{
	CHECK(seen.si_signo == sig && seen.si_code == code, "signal %d code %d", seen.si_signo,
	      seen.si_code);
	CHECK(seen.si_addr == addr, "address %p, not %p", seen.si_addr, addr);
	CHECK(trap_nr == trap, "trap %d", trap_nr);
}

TEST(segv_is_caught)
{
	char *page = mmap(NULL, PAGE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile char *bad;

	CHECK(page != MAP_FAILED);
	handle(SIGSEGV, note_fault, 0);
	bad = (char *)0x1234;
	FAULT(*bad = 1);
	expect_fault(SIGSEGV, SEGV_MAPERR, (char *)bad, 14);
	CHECK((error_code & 7) == 6);
	bad = page + 7;
	FAULT(*bad = 1);
	expect_fault(SIGSEGV, SEGV_ACCERR, (char *)bad, 14);
	FAULT(((void (*)(void))(page + 16))());
	expect_fault(SIGSEGV, SEGV_ACCERR, page + 16, 14);
	CHECK(fault_at == page + 16 && (error_code & 16));
	WORKS(munmap(page, PAGE_BYTES));
	FAULT((void)*bad);
	expect_fault(SIGSEGV, SEGV_MAPERR, page + 7, 14);
	CHECK((error_code & 7) == 4);
	bad = (char *)0xffff888000000000;
	FAULT((void)*bad);
	CHECK(seen.si_signo == SIGSEGV && seen.si_addr == bad);
	bad = (char *)NOT_CANONICAL;
	FAULT((void)*bad);
	expect_fault(SIGSEGV, SI_KERNEL, NULL, 13);
	FAULT(__asm__ volatile("hlt"));
	expect_fault(SIGSEGV, SI_KERNEL, NULL, 13);
	CHECK(!is_blocked(SIGSEGV));
}

TEST(exceptions_are_caught)
{
	unsigned short control = 0x37b;		/* division by zero is not masked */

	handle(SIGFPE, note_fault, 0);
	handle(SIGILL, note_fault, 0);
	handle(SIGTRAP, note_fault, 0);
	FAULT(__asm__ volatile("xor %%eax, %%eax; div %%al" ::: "eax"));
	expect_fault(SIGFPE, FPE_INTDIV, fault_at, 0);
	FAULT(__asm__ volatile("ud2"));
	expect_fault(SIGILL, ILL_ILLOPN, fault_at, 6);
	FAULT(__asm__ volatile("int3"));
	CHECK(seen.si_signo == SIGTRAP && seen.si_code == SI_KERNEL);
	CHECK(((unsigned char *)fault_at)[-1] == 0xcc);
	FAULT(__asm__ volatile("pushf; orl $0x100, (%rsp); popf; nop; nop"));
	CHECK(seen.si_signo == SIGTRAP && seen.si_code == TRAP_TRACE, "code %d", seen.si_code);
	/* By the x87: QEMU does not raise the exceptions of SSE. */
	FAULT(__asm__ volatile("fldcw %0; fldz; fld1; fdivp; fwait" :: "m"(control)));
	expect_fault(SIGFPE, FPE_FLTDIV, fault_at, 16);
}

static void map_it(int sig, siginfo_t *info, void *context)
{
	char *page = (char *)((uintptr_t)info->si_addr & ~(PAGE_BYTES - 1));

	(void)sig;
	(void)context;
	count++;
	CHECK(mmap(page, PAGE_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
}

TEST(a_handler_mends_the_fault)
{
	volatile char *area = mmap(NULL, 16 * PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0);

	handle(SIGSEGV, map_it, 0);
	for (int i = 0; i < 16; i++)
		area[i * PAGE_BYTES + i] = (char)i;
	CHECK(count == 16);
	for (int i = 0; i < 16; i++)
		CHECK(area[i * PAGE_BYTES + i] == i);
}

static volatile char *volatile nowhere = (char *)8;

static void fault(void *unused)
{
	(void)unused;
	*nowhere = 1;
}

static void fault_blocked(void *unused)
{
	handle(SIGSEGV, note_fault, 0);
	block(SIG_BLOCK, SIGSEGV);
	fault(unused);
}

static void fault_ignored(void *unused)
{
	signal(SIGSEGV, SIG_IGN);
	fault(unused);
}

static void fault_again(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	fault(info);
}

static void fault_in_handler(void *unused)
{
	handle(SIGSEGV, fault_again, 0);
	fault(unused);
}

TEST(faults_cannot_be_put_off)
{
	t_expect_signal(fault, NULL, SIGSEGV);
	t_expect_signal(fault_blocked, NULL, SIGSEGV);
	t_expect_signal(fault_ignored, NULL, SIGSEGV);
	t_expect_signal(fault_in_handler, NULL, SIGSEGV);
}

TEST(a_sent_segv_can_be_put_off)
{
	signal(SIGSEGV, SIG_IGN);
	WORKS(kill(getpid(), SIGSEGV));
	signal(SIGSEGV, SIG_DFL);
	block(SIG_BLOCK, SIGSEGV);
	WORKS(kill(getpid(), SIGSEGV));
	CHECK(is_pending(SIGSEGV));
}

/* --- alternate stacks */

static char alt[16384] __attribute__((aligned(16)));

static void on_alt(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	char here;
	stack_t now;

	(void)info;
	WORKS(sigaltstack(NULL, &now));
	if (sig == SIGUSR1) {
		CHECK(&here >= alt && &here < alt + sizeof(alt));
		CHECK(now.ss_flags == SS_ONSTACK && now.ss_sp == alt);
		now.ss_flags = 0;
		FAILS(EPERM, sigaltstack(&now, NULL));
		if (count++ == 0)
			WORKS(kill(getpid(), SIGUSR2));	/* nested on the same stack */
	} else {
		CHECK(now.ss_flags == SS_ONSTACK && &here >= alt && &here < alt + sizeof(alt));
		count++;
	}
	CHECK(uc->uc_stack.ss_sp == alt && uc->uc_stack.ss_size == sizeof(alt));
}

TEST(alternate_stack)
{
	stack_t stack = { .ss_sp = alt, .ss_size = sizeof(alt) }, old;

	WORKS(sigaltstack(NULL, &old));
	CHECK(old.ss_flags == SS_DISABLE);
	stack.ss_flags = 77;
	FAILS(EINVAL, sigaltstack(&stack, NULL));
	stack.ss_flags = 0;
	stack.ss_size = 2047;
	FAILS(ENOMEM, syscall(SYS_sigaltstack, &stack, NULL));
	FAILS(EFAULT, syscall(SYS_sigaltstack, 8, NULL));
	stack.ss_size = sizeof(alt);
	WORKS(sigaltstack(&stack, NULL));
	FAILS(EFAULT, syscall(SYS_sigaltstack, NULL, 8));
	WORKS(sigaltstack(NULL, &old));
	CHECK(old.ss_flags == 0 && old.ss_sp == alt && old.ss_size == sizeof(alt));
	handle(SIGUSR1, on_alt, SA_ONSTACK);
	handle(SIGUSR2, on_alt, SA_ONSTACK);
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(count == 2, "count %d", count);
	stack.ss_flags = SS_DISABLE;
	WORKS(sigaltstack(&stack, &old));
	WORKS(sigaltstack(NULL, &old));
	CHECK(old.ss_flags == SS_DISABLE && old.ss_size == 0);
}

static void disarmed(int sig, siginfo_t *info, void *context)
{
	stack_t now;
	char here;

	(void)sig;
	(void)info;
	(void)context;
	CHECK(&here >= alt && &here < alt + sizeof(alt));
	WORKS(sigaltstack(NULL, &now));
	CHECK(now.ss_flags == SS_DISABLE, "flags %#x", now.ss_flags);
	count++;
}

TEST(a_stack_that_is_disarmed_by_its_use)
{
	stack_t stack = { .ss_sp = alt, .ss_size = sizeof(alt), .ss_flags = (int)(1u << 31) }, now;

	WORKS(sigaltstack(&stack, NULL));
	handle(SIGUSR1, disarmed, SA_ONSTACK);
	for (int i = 0; i < 3; i++)
		WORKS(kill(getpid(), SIGUSR1));
	CHECK(count == 3);
	WORKS(sigaltstack(NULL, &now));
	CHECK(now.ss_flags == (int)(1u << 31) && now.ss_sp == alt);
}

static void leave_overflow(int sig, siginfo_t *info, void *context)
{
	note(sig, info, context);
	siglongjmp(back, 1);
}

static volatile char *volatile nowhere_yet = (volatile char *)&count;

static int recurse(volatile char *above)
{
	volatile char room[1024];

	room[0] = *above;
	return *nowhere_yet ? 0 : recurse(room) + room[0];
}

TEST(stack_overflow_is_caught)
{
	stack_t stack = { .ss_sp = alt, .ss_size = sizeof(alt) };
	struct rlimit limit = { 256 * 1024, RLIM_INFINITY };
	char here = 0;

	WORKS(getrlimit(RLIMIT_STACK, &limit));
	WORKS(sigaltstack(&stack, NULL));
	handle(SIGSEGV, leave_overflow, SA_ONSTACK);
	if (sigsetjmp(back, 1) == 0)
		CHECK(recurse(&here), "came back");
	CHECK(count == 1 && seen.si_code == SEGV_MAPERR, "code %d", seen.si_code);
	CHECK((char *)seen.si_addr < &here);
}

static void overflow_alt(int sig, siginfo_t *info, void *context)
{
	char here;

	(void)info;
	(void)context;
	if (&here < alt || &here >= alt + sizeof(alt))
		_exit(77);
	kill(getpid(), sig);			/* until the stack is full */
}

static void fill_alt(void *unused)
{
	stack_t stack = { .ss_sp = alt, .ss_size = sizeof(alt) };

	(void)unused;
	WORKS(sigaltstack(&stack, NULL));
	handle(SIGUSR1, overflow_alt, SA_ONSTACK | SA_NODEFER);
	WORKS(kill(getpid(), SIGUSR1));
}

TEST(an_alternate_stack_is_not_overrun)
{
	t_expect_signal(fill_alt, NULL, SIGSEGV);
}

/* --- fork, exec, and sharing */

TEST(a_child_inherits_handlers_and_mask)
{
	struct itimerval timer;
	int pid;

	handle(SIGUSR1, note, 0);
	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	WORKS(kill(getpid(), SIGUSR1));
	alarm(60);
	pid = (int)WORKS(fork());
	if (pid == 0) {
		CHECK(is_blocked(SIGUSR1) && is_blocked(SIGUSR2) && !is_pending(SIGUSR1));
		WORKS(getitimer(ITIMER_REAL, &timer));
		CHECK(timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0);
		block(SIG_UNBLOCK, SIGUSR1);
		CHECK(count == 0);
		WORKS(kill(getpid(), SIGUSR1));
		CHECK(count == 1);
		signal(SIGUSR1, SIG_IGN);	/* the parent keeps its handler */
		_exit(0);
	}
	CHECK(t_wait(pid) == 0);
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK(count == 1);
	CHECK(alarm(0) > 50);
}

/* What the program sees that TEST(exec_...) starts: main() comes here. */
static int after_exec(void)
{
	struct sigaction act;
	stack_t stack;

	if (sigaction(SIGUSR1, NULL, &act) || act.sa_handler != SIG_DFL || act.sa_flags & SA_RESTART)
		return 1;
	if (sigaction(SIGUSR2, NULL, &act) || act.sa_handler != SIG_IGN)
		return 2;
	if (!is_blocked(SIGHUP) || is_blocked(SIGINT) || !is_pending(SIGHUP))
		return 3;
	if (sigaltstack(NULL, &stack) || stack.ss_flags != SS_DISABLE)
		return 4;
	return alarm(0) > 50 ? 42 : 5;
}

static void exec_self(void *unused)
{
	stack_t stack = { .ss_sp = alt, .ss_size = sizeof(alt) };

	(void)unused;
	handle(SIGUSR1, note, SA_RESTART);
	signal(SIGUSR2, SIG_IGN);
	block(SIG_BLOCK, SIGHUP);
	WORKS(kill(getpid(), SIGHUP));
	WORKS(sigaltstack(&stack, NULL));
	alarm(60);
	execl(t_self, t_self, "after-exec", NULL);
	CHECK(0, "exec: %s", t_errno(errno));
}

TEST(exec_forgets_handlers_only)
{
	int status = t_child(exec_self, NULL);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status %#x", status);
}

static int change_action(void *unused)
{
	(void)unused;
	signal(SIGUSR1, SIG_IGN);
	return 0;
}

TEST(clone_sighand_shares_actions)
{
	static char stack[65536] __attribute__((aligned(16)));
	struct sigaction act;
	int pid;

	handle(SIGUSR1, note, 0);
	pid = (int)WORKS(clone(change_action, stack + sizeof(stack),
			       CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL));
	CHECK(t_wait(pid) == 0);
	WORKS(sigaction(SIGUSR1, NULL, &act));
	CHECK(act.sa_handler == SIG_IGN);
	handle(SIGUSR1, note, 0);
	pid = (int)WORKS(clone(change_action, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
	CHECK(t_wait(pid) == 0);
	WORKS(sigaction(SIGUSR1, NULL, &act));
	CHECK(act.sa_sigaction == note);
}

/* --- threads */

static pthread_barrier_t meet;
static volatile int handled_by;

static void note_thread(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	handled_by = tid();
	count++;
}

static void *open_to_signals(void *id)
{
	block(SIG_UNBLOCK, SIGUSR1);
	*(int *)id = tid();
	pthread_barrier_wait(&meet);
	while (!handled_by)
		pause();
	return NULL;
}

TEST(a_thread_that_does_not_block_it)
{
	pthread_t thread;
	int id;

	pthread_barrier_init(&meet, NULL, 2);
	handle(SIGUSR1, note_thread, 0);
	block(SIG_BLOCK, SIGUSR1);
	CHECK(pthread_create(&thread, NULL, open_to_signals, &id) == 0);
	pthread_barrier_wait(&meet);
	WORKS(syscall(SYS_tgkill, getpid(), tid(), SIGUSR1));	/* mine alone */
	sleep_ms(30);
	CHECK(count == 0 && is_pending(SIGUSR1));
	WORKS(kill(getpid(), SIGUSR1));
	pthread_join(thread, NULL);
	CHECK(count == 1 && handled_by == id, "handled by %d, not %d", handled_by, id);
	block(SIG_UNBLOCK, SIGUSR1);
	CHECK(count == 2 && handled_by == tid());
}

static volatile int stop_threads;

static void *spin(void *unused)
{
	while (!stop_threads)
		;
	return unused;
}

TEST(to_a_thread_that_computes)
{
	pthread_t thread;

	handle(SIGUSR1, note_thread, 0);
	CHECK(pthread_create(&thread, NULL, spin, NULL) == 0);
	sleep_ms(20);
	for (int i = 0; i < 50; i++) {
		handled_by = 0;
		CHECK(pthread_kill(thread, SIGUSR1) == 0);
		while (!handled_by)
			sched_yield();
		CHECK(handled_by != tid());
	}
	stop_threads = 1;
	pthread_join(thread, NULL);
}

static volatile int ready, go;

static void delay(int steps)
{
	for (volatile int i = 0; i < steps; i++)
		;
}

/* In each round it blocks the signal just when that is sent. */
static void *block_in_time(void *rounds)
{
	for (int i = 1; i <= (int)(long)rounds; i++) {
		block(SIG_UNBLOCK, SIGUSR1);
		ready = i;
		while (go < i)
			;
		delay(i % 128);
		block(SIG_BLOCK, SIGUSR1);
		while (count < i)
			sched_yield();
	}
	return NULL;
}

static void *take_the_rest(void *unused)
{
	block(SIG_UNBLOCK, SIGUSR1);
	while (!stop_threads)
		pause();
	return unused;
}

/* One thread may be told of a signal and block it before it has looked; the other has to be told
 * then. */
TEST(what_one_thread_leaves_another_takes)
{
	long rounds = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2000 : 20, start;
	pthread_t a, b;

	handle(SIGUSR1, note, 0);
	block(SIG_BLOCK, SIGUSR1);
	CHECK(pthread_create(&a, NULL, block_in_time, (void *)rounds) == 0);
	CHECK(pthread_create(&b, NULL, take_the_rest, NULL) == 0);
	for (int i = 1; i <= rounds; i++) {
		while (ready < i)
			sched_yield();
		go = i;
		delay(i * 7 % 128);
		WORKS(kill(getpid(), SIGUSR1));
		start = clock_ms();
		while (count < i)
			CHECK(clock_ms() - start < 10000, "the %dth signal is lost", i);
	}
	stop_threads = 1;
	WORKS(pthread_kill(b, SIGUSR1));
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

/* --- waiting for signals */

TEST(sigtimedwait_takes_signals)
{
	struct timespec none = { 0, 0 }, some = { 0, 50000000 }, bad = { 0, 1000000000 };
	sigset_t set;
	siginfo_t info;
	long start;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	WORKS(sigprocmask(SIG_BLOCK, &set, NULL));
	FAILS(EAGAIN, sigtimedwait(&set, &info, &none));
	FAILS(EINVAL, sigtimedwait(&set, &info, &bad));
	FAILS(EINVAL, syscall(SYS_rt_sigtimedwait, &set, &info, &none, 4));
	FAILS(EFAULT, syscall(SYS_rt_sigtimedwait, 8, &info, &none, 8));
	FAILS(EFAULT, syscall(SYS_rt_sigtimedwait, &set, &info, 8, 8));
	start = clock_ms();
	FAILS(EAGAIN, sigtimedwait(&set, &info, &some));
	CHECK(clock_ms() - start >= 49);
	WORKS(sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 9 }));
	WORKS(kill(getpid(), SIGUSR1));
	CHECK(sigtimedwait(&set, &info, &none) == SIGUSR1 && info.si_code == SI_USER);
	CHECK(sigtimedwait(&set, &info, &none) == SIGUSR2 && info.si_value.sival_int == 9);
	WORKS(kill(getpid(), SIGUSR1));
	FAILS(EFAULT, syscall(SYS_rt_sigtimedwait, &set, 8, &none, 8));
	FAILS(EAGAIN, sigtimedwait(&set, &info, &none));	/* that one is gone */
}

static int later(int ms, int sig)
{
	int target = getpid(), pid = (int)WORKS(fork());

	if (pid == 0) {
		sleep_ms(ms);
		_exit(kill(target, sig) != 0);
	}
	return pid;
}

TEST(sigtimedwait_sleeps)
{
	struct timespec ten = { 10, 0 };
	sigset_t set;
	siginfo_t info;
	int pid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	WORKS(sigprocmask(SIG_BLOCK, &set, NULL));
	pid = later(30, SIGUSR1);		/* whose default is death */
	CHECK(sigtimedwait(&set, &info, &ten) == SIGUSR1 && info.si_pid == pid);
	CHECK(t_wait(pid) == 0);
	handle(SIGUSR2, note, SA_RESTART);
	pid = later(30, SIGUSR2);
	FAILS(EINTR, syscall(SYS_rt_sigtimedwait, &set, &info, &ten, 8));
	CHECK(count == 1 && t_wait(pid) == 0);
	pid = later(30, SIGUSR1);
	CHECK(sigwaitinfo(&set, NULL) == SIGUSR1);
	CHECK(t_wait(pid) == 0);
}

TEST(sigsuspend_swaps_the_mask)
{
	sigset_t set;
	int pid;

	handle(SIGUSR1, note, SA_RESTART);
	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	WORKS(kill(getpid(), SIGUSR1));
	sigfillset(&set);
	sigdelset(&set, SIGUSR1);
	FAILS(EINTR, sigsuspend(&set));
	CHECK(count == 1 && is_blocked(SIGUSR1) && is_blocked(SIGUSR2) && !is_blocked(SIGHUP));
	pid = later(30, SIGUSR1);
	FAILS(EINTR, sigsuspend(&set));
	CHECK(count == 2 && is_blocked(SIGUSR1) && !is_blocked(SIGHUP));
	CHECK(t_wait(pid) == 0);
	FAILS(EINVAL, syscall(SYS_rt_sigsuspend, &set, 4));
	FAILS(EFAULT, syscall(SYS_rt_sigsuspend, 8, 8));
}

/* Two processes in turn wake each other out of sigsuspend(): a signal that comes between the
 * last look and the sleep would be lost, and the test hang. */
static void ping(int other, int rounds)
{
	sigset_t open_set;

	sigprocmask(SIG_BLOCK, NULL, &open_set);
	sigdelset(&open_set, SIGUSR1);
	for (int i = 0; i < rounds; i++) {
		while (count <= i)
			sigsuspend(&open_set);
		kill(other, SIGUSR1);
	}
}

TEST(no_wake_up_is_lost)
{
	int pid, parent = getpid();

	handle(SIGUSR1, note, 0);
	block(SIG_BLOCK, SIGUSR1);
	pid = (int)WORKS(fork());
	if (pid == 0) {
		ping(parent, 3000);
		_exit(0);
	}
	WORKS(kill(pid, SIGUSR1));
	ping(pid, 2999);
	CHECK(t_wait(pid) == 0);
}

TEST(a_storm_of_senders)
{
	int pids[4], target = getpid(), status = 0;

	handle(FIRST_RT, note, SA_RESTART);
	for (int i = 0; i < 4; i++) {
		pids[i] = (int)WORKS(fork());
		if (pids[i])
			continue;
		for (int n = 0; n < 1000; n++) {
			while (sigqueue(target, FIRST_RT, (union sigval){ .sival_int = n }))
				sched_yield();
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++)
		status |= t_wait(pids[i]);
	CHECK(status == 0);
	CHECK(count == 4000, "%d of 4000", count);
}

/* A fork that is interrupted begins again; handlers run in between. */
TEST(forks_among_signals)
{
	handle(SIGALRM, note, SA_RESTART);
	every_10_ms(ITIMER_REAL);
	for (int i = 0; i < 300 || count < 5; i++) {
		int pid = fork();

		CHECK(pid >= 0, "fork %d: %s", i, t_errno(errno));
		if (pid == 0)
			_exit(i & 0x7f);
		CHECK(t_wait(pid) == (i & 0x7f) << 8);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "after-exec"))
		return after_exec();
	return t_main(argc, argv);
}
