/* SPDX-License-Identifier: MIT */
/* System calls that threads are made of: identity, futexes, and where they run. */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/procfiles.h"
#include "kernel/sys/calls.h"

#define ROBUST_HEAD_BYTES 24

enum futex_call {
	FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_REQUEUE = 3, FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAKE_OP = 5, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10,
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

/* get_robust_list(tid, head, bytes): what a thread has set. -EPERM: nothing to be looked into. */
long sys_get_robust_list(struct syscall *c)
{
	struct proc *p = get_task((int)c->arg[0]);
	u64 head, bytes = ROBUST_HEAD_BYTES;
	bool may;

	if (!p)
		return -ESRCH;
	may = task_may_look(&(struct procfs_key){ (u64)p->pid, p->start_ns, 0 });
	head = READ_ONCE(p->robust_list);
	proc_put(p);
	if (!may)
		return -EPERM;
	if (user_put(c->arg[2], &bytes, sizeof(bytes)))
		return -EFAULT;
	return user_put(c->arg[1], &head, sizeof(head));
}

/* A wait with an end goes on to the same end when no handler ran. */
static long wait_until(struct proc *p, struct futex f, u32 value, u32 bits, u64 deadline);

static long wait_on(struct proc *p)
{
	const struct restart *r = &p->restart;
	struct futex f = { .word = r->arg[0], .private = r->arg[1] };

	return wait_until(p, f, (u32)r->arg[2], (u32)r->arg[3], r->deadline);
}

static long wait_until(struct proc *p, struct futex f, u32 value, u32 bits, u64 deadline)
{
	long err = futex_wait(f, value, bits, deadline);

	if (err != -ERESTARTSYS || deadline == FUTEX_FOREVER)
		return err;
	p->restart = (struct restart){
		.fn = wait_on, .deadline = deadline, .arg = { f.word, f.private, value, bits },
	};
	return -ERESTART_BLOCK;
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
	return wait_until(proc_current(), f, (u32)c->arg[2], bits, deadline);
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

static s32 sign_extend_12(u32 bits)
{
	return (s32)(bits << 20) >> 20;
}

static long wake_op_call(struct syscall *c, struct futex f)
{
	u32 code = (u32)c->arg[5];
	struct futex second = { .word = c->arg[4], .private = f.private };
	struct futex_op op = {
		.op = code >> 28 & 7, .compare = code >> 24 & 15,
		.operand = (u32)sign_extend_12(code >> 12 & 0xfff),
		.against = sign_extend_12(code & 0xfff),
	};

	if (code >> 31)
		op.operand = 1u << (op.operand & 31);
	return futex_wake_op(f, second, (int)c->arg[2], (int)c->arg[3], &op);
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
	case FUTEX_WAKE_OP:
		return wake_op_call(c, f);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return requeue_call(c, f, op == FUTEX_CMP_REQUEUE);
	default:
		return -ENOSYS;
	}
}

static bool may_place(const struct proc *p)
{
	const struct cred *own = proc_current()->cred;
	bool may;

	spin_lock(&proc_lock);
	may = own->euid == 0 || own->euid == p->cred->euid || own->euid == p->cred->uid;
	spin_unlock(&proc_lock);
	return may;
}

/* sched_setaffinity(tid, bytes, mask): where the thread may run. -EPERM: another user's;
 * -EINVAL: no CPU there. */
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
	err = may_place(p) ? thread_set_affinity(&p->thread, mask) : -EPERM;
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
