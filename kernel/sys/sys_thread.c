/* SPDX-License-Identifier: MIT */
/* System calls that threads are made of: identity, futexes, and where they run. */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "kernel/proc/futex.h"
#include "kernel/sys/calls.h"

#define ROBUST_HEAD_BYTES 24

enum futex_op {
	FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10,
};
#define FUTEX_PRIVATE_FLAG	128
#define FUTEX_CLOCK_REALTIME	256

/* gettid(). */
long sys_gettid(struct syscall *c)
{
	(void)c;
	return proc_current()->pid;
}

/* set_tid_address(word): the tid; the word is cleared at the thread's end and who waits on it
 * woken. */
long sys_set_tid_address(struct syscall *c)
{
	struct proc *p = proc_current();

	p->clear_tid = c->arg[0];
	return p->pid;
}

/* set_robust_list(head, bytes): the locks to hand on when the thread dies. */
long sys_set_robust_list(struct syscall *c)
{
	if (c->arg[1] != ROBUST_HEAD_BYTES)
		return -EINVAL;
	proc_current()->robust_list = c->arg[0];
	return 0;
}

/* The task tid, 0: the caller; referenced. NULL: there is none, or it has ended. */
static struct proc *get_task(int tid)
{
	struct proc *p = proc_find(tid ? tid : proc_current()->pid);

	if (p && READ_ONCE(p->state) > PROC_ALIVE) {
		proc_put(p);
		return NULL;
	}
	return p;
}

/* get_robust_list(tid, head, bytes): what a thread has set. */
long sys_get_robust_list(struct syscall *c)
{
	struct proc *p = get_task((int)c->arg[0]);
	u64 head, bytes = ROBUST_HEAD_BYTES;

	if (!p)
		return -ESRCH;
	head = READ_ONCE(p->robust_list);
	proc_put(p);
	if (user_put(c->arg[2], &bytes, sizeof(bytes)))
		return -EFAULT;
	return user_put(c->arg[1], &head, sizeof(head));
}

static long wait_call(struct syscall *c, struct futex f, int op, bool realtime)
{
	u32 bits = op == FUTEX_WAIT ? FUTEX_ANY : (u32)c->arg[5];
	u64 deadline = FUTEX_FOREVER;
	long err = c->arg[3] ? user_timespec(c->arg[3], &deadline) : 0;

	if (err)
		return err;
	if (c->arg[3] && op == FUTEX_WAIT)
		deadline += clock_ns();
	else if (c->arg[3] && realtime)
		deadline = time_from_realtime(deadline);
	return futex_wait(f, (u32)c->arg[2], bits, deadline);
}

static long requeue_call(struct syscall *c, struct futex f, bool compare)
{
	struct futex to = { .word = c->arg[4], .private = f.private };
	struct futex_move move = {
		.nr_wake = (int)c->arg[2], .nr_move = (int)c->arg[3],
		.compare = compare, .value = (u32)c->arg[5],
	};

	return futex_requeue(f, to, &move);
}

/* futex(word, op, value, timeout or count, word2, value3): see kernel/proc/futex.h. -ENOSYS for
 * an operation that is none of these, and for the wall's clock where nobody waits. */
long sys_futex(struct syscall *c)
{
	int flags = (int)c->arg[1] & (FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	int op = (int)c->arg[1] & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	struct futex f = { .word = c->arg[0], .private = flags & FUTEX_PRIVATE_FLAG };
	bool realtime = flags & FUTEX_CLOCK_REALTIME;

	if (realtime && op != FUTEX_WAIT && op != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (op) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		return wait_call(c, f, op, realtime);
	case FUTEX_WAKE:
		return futex_wake(f, (int)c->arg[2], FUTEX_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(f, (int)c->arg[2], (u32)c->arg[5]);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return requeue_call(c, f, op == FUTEX_CMP_REQUEUE);
	default:
		return -ENOSYS;
	}
}

/* sched_setaffinity(tid, bytes, mask): where the thread may run. -EINVAL: no CPU there. */
long sys_sched_setaffinity(struct syscall *c)
{
	unsigned bytes = (unsigned)c->arg[1];
	struct proc *p;
	u64 mask = 0;
	int err;

	if (user_get(&mask, c->arg[2], MIN(bytes, sizeof(mask))))
		return -EFAULT;
	p = get_task((int)c->arg[0]);
	if (!p)
		return -ESRCH;
	err = thread_set_affinity(&p->thread, mask);
	proc_put(p);
	return err;
}

/* sched_getaffinity(tid, bytes, mask): the online CPUs among those; the size of a mask. -EINVAL:
 * too small for all CPUs, or not whole words. */
long sys_sched_getaffinity(struct syscall *c)
{
	unsigned bytes = (unsigned)c->arg[1];
	struct proc *p;
	u64 mask;

	if (bytes < sizeof(mask) || bytes % sizeof(mask))
		return -EINVAL;
	p = get_task((int)c->arg[0]);
	if (!p)
		return -ESRCH;
	mask = thread_affinity(&p->thread);
	proc_put(p);
	return user_put(c->arg[2], &mask, sizeof(mask)) ? -EFAULT : (long)sizeof(mask);
}

/* getcpu(cpu, node): where the caller runs, which may be past when it looks. One node. */
long sys_getcpu(struct syscall *c)
{
	u32 cpu = cpu_id(), node = 0;

	if (c->arg[0] && user_put(c->arg[0], &cpu, sizeof(cpu)))
		return -EFAULT;
	return c->arg[1] ? user_put(c->arg[1], &node, sizeof(node)) : 0;
}

/* sched_yield(): 0, after everyone else who is ready has run. */
long sys_sched_yield(struct syscall *c)
{
	(void)c;
	sched_yield();
	return 0;
}
