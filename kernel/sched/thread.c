/* SPDX-License-Identifier: MIT */
/*
 * Threads and the switch between them.
 *
 * Each CPU has a run queue; its lock is held across context_switch() and released by the
 * thread that runs next (switch_tail). So whoever wakes a thread waits until it has really
 * left its stack, and a dead thread's stack is freed only by its successor. The kernel is
 * not preemptible: a tick only marks the running thread, which gives way at its next
 * schedule(), cond_resched() or return to user mode.
 *
 * Locking: struct runq under its own lock; struct thread's fields as keyed in thread.h.
 */
#include "kernel/sched/thread.h"
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq.h"
#include "arch/mmu.h"
#include "arch/upcall.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/sched/wait.h"
#include "kernel/sync/percpu.h"
#include "mm/kmem.h"
#include "mm/memcg.h"

struct runq {
	struct spinlock lock;		/* RANK_RUNQ */
	struct thread *current;		/* [c] the one that runs */
	struct thread *idle;		/* [I] runs when nobody else can */
	struct thread *dead;		/* [lock] left at the last switch; its stack is still there */
	unsigned nr_ready;		/* [lock] threads in the policy's queues */
	paddr_t loaded_pgd;		/* [c] address space in the MMU */
} cacheline_aligned;

/* The boot stack's thread. It is current from the first instruction, so that mutexes work
 * before sched_init(), and becomes the idle thread. */
static struct thread boot_thread = {
	.state = THREAD_READY,
	.queue_link = LIST_INIT(boot_thread.queue_link),
	.wait_link = LIST_INIT(boot_thread.wait_link),
	.timer_link = LIST_INIT(boot_thread.timer_link),
	.name = "idle",
};

static struct runq runqs[NR_CPUS] = {
	[0] = {
		.lock = SPINLOCK_INIT(RANK_RUNQ, "runq"),
		.current = &boot_thread,
		.idle = &boot_thread,
	},
};

/* Make the running boot stack this CPU's idle thread and the policy ready.
 * Context: boot, once, after mmu_init(). */
void sched_init(void)
{
	this_cpu(runqs)->loaded_pgd = mmu_kernel_root();
	policy_init();
}

/* The thread that runs on this CPU. Never NULL. Context: any; in an interrupt handler it is
 * the interrupted thread. */
struct thread *thread_current(void)
{
	return this_cpu(runqs)->current;
}

static void count_in_locked(struct runq *rq, struct thread *t)
{
	assert_held(&rq->lock);
	BUG_ON(t->on_queue || t == rq->idle);
	t->on_queue = true;
	rq->nr_ready++;
}

static void enqueue_locked(struct runq *rq, struct thread *t, bool woken)
{
	count_in_locked(rq, t);
	policy_enqueue(t, woken);
}

static struct thread *pick_locked(struct runq *rq)
{
	struct thread *next = policy_pick();

	assert_held(&rq->lock);
	if (!next)
		return rq->idle;
	next->on_queue = false;
	rq->nr_ready--;
	return next;
}

/* Free a thread that will never run again. It cannot do so itself: it stands on the stack. */
static void reap(struct thread *dead)
{
	if (!dead)
		return;
	kstack_free(&dead->stack);
	if (dead->release)
		dead->release(dead);
}

/* What every thread does first after a switch to it: let go of the run queue and bury its
 * predecessor. */
static struct thread *switch_tail(struct runq *rq)
{
	struct thread *dead = rq->dead;

	rq->dead = NULL;
	spin_unlock(&rq->lock);
	return dead;
}

static void load_address_space(struct runq *rq, paddr_t pgd)
{
	if (pgd == rq->loaded_pgd)
		return;
	rq->loaded_pgd = pgd;
	mmu_switch(pgd);
}

/* Add to t, which runs, the time since this was last done. */
static void account_time(struct thread *t)
{
	u64 now = clock_ns();

	t->cpu_ns += now - t->switched_in;
	t->switched_in = now;
}

/* Everything of the machine that belongs to a thread beside its registers and stack. */
static void switch_machine_state(struct runq *rq, struct thread *prev, struct thread *next)
{
	next->switched_in = prev->switched_in;	/* just now */
	if (prev->fpu && prev->state != THREAD_DEAD)
		fpu_save(prev->fpu);
	if (next->fpu) {
		fpu_load(next->fpu);
		context_set_tls(next->tls);
	}
	if (next->pgd)
		load_address_space(rq, next->pgd);
	if (next->stack.top)
		context_set_kernel_stack(next->stack.top);
	memcg_set_current(next->memcg);
}

/* Give the CPU to the next ready thread. A thread that is ready itself queues behind; one
 * that sleeps returns when it is woken; a dead one never returns.
 * Context: thread, no spinlock held. */
void schedule(void)
{
	struct runq *rq = this_cpu(runqs);
	struct thread *prev = rq->current, *next, *dead;
	unsigned long flags;

	spin_assert_none_held("schedule()");
	BUG_ON(irq_in_handler());
	flags = spin_lock_irq(&rq->lock);
	prev->need_resched = false;
	account_time(prev);
	if (prev == rq->idle && prev->state != THREAD_READY)
		panic("the boot or idle thread must wait, but nobody can run in its place");
	if (prev->state == THREAD_READY && prev != rq->idle)
		enqueue_locked(rq, prev, false);
	if (prev->state == THREAD_DEAD)
		rq->dead = prev;
	next = pick_locked(rq);
	if (next == prev) {
		spin_unlock_irq(&rq->lock, flags);
		return;
	}
	next->need_resched = false;
	switch_machine_state(rq, prev, next);
	rq->current = next;
	context_switch(&prev->context, &next->context);
	/* Perhaps much later: rq may not be this thread's CPU any more. */
	dead = switch_tail(this_cpu(runqs));
	irq_restore(flags);
	reap(dead);
}

/* Let every other ready thread run once. Context: thread, no spinlock held. */
void sched_yield(void)
{
	struct runq *rq = this_cpu(runqs);
	unsigned long flags = spin_lock_irq(&rq->lock);

	policy_yield(rq->current);
	spin_unlock_irq(&rq->lock, flags);
	schedule();
}

/* A safe point in a long loop: give up the CPU if the slice is over.
 * Context: thread, no spinlock held; sleeping locks may be. */
void cond_resched(void)
{
	spin_assert_none_held("cond_resched()");
	if (READ_ONCE(thread_current()->need_resched))
		schedule();
}

/* The preemption of user code: called by every way back to user mode. */
void sched_return_to_user(void)
{
	while (READ_ONCE(thread_current()->need_resched))
		schedule();
}

/* Where a new thread starts, with interrupts off and the run queue locked by whoever
 * switched to it. */
static void thread_entry(void *arg)
{
	struct thread *t = arg;
	struct thread *dead = switch_tail(this_cpu(runqs));

	irq_enable();
	reap(dead);
	t->start_fn(t->start_arg);
	thread_exit();
}

/* Prepare t to run fn(arg) on a stack of its own, charged to the caller's group, which t
 * inherits (thread_set_memcg() changes it). owner, release, fpu, tls and pgd are the
 * caller's to set. Returns 0 or -ENOMEM. Context: thread. */
int thread_init(struct thread *t, const char *name, void (*fn)(void *), void *arg)
{
	int err;

	*t = (struct thread){ .state = THREAD_SLEEPING, .memcg = thread_current()->memcg };
	err = kstack_alloc(&t->stack);
	if (err)
		return err;
	list_init(&t->queue_link);
	list_init(&t->wait_link);
	list_init(&t->timer_link);
	str_copy(t->name, name, sizeof(t->name));
	t->start_fn = fn;
	t->start_arg = arg;
	context_init(&t->context, t->stack.top, thread_entry, t);
	return 0;
}

/* Undo thread_init() for a thread that was never started. */
void thread_fini(struct thread *t)
{
	BUG_ON(t->state != THREAD_SLEEPING || t->on_queue);
	kstack_free(&t->stack);
}

/* Let t, which the current thread made, run for the first time, on this CPU. */
void thread_start(struct thread *t)
{
	struct runq *rq = this_cpu(runqs);
	unsigned long flags = spin_lock_irq(&rq->lock);

	BUG_ON(t->state != THREAD_SLEEPING);
	t->cpu = cpu_id();
	t->state = THREAD_READY;
	count_in_locked(rq, t);
	policy_start(t, rq->current);
	spin_unlock_irq(&rq->lock, flags);
}

/* End the current thread. Its successor frees the stack and calls t->release.
 * Context: thread, no lock held. */
void thread_exit(void)
{
	struct thread *t = thread_current();

	if (TALLY_DEBUG && t->nr_locks)
		panic("thread \"%s\" ends with %u sleeping locks held", t->name, t->nr_locks);
	BUG_ON(t == this_cpu(runqs)->idle);
	WRITE_ONCE(t->state, THREAD_DEAD);
	schedule();
	panic("thread \"%s\" ran after its end", t->name);
}

static struct runq *runq_of(const struct thread *t)
{
	return &runqs[READ_ONCE(t->cpu)];
}

static void wake_locked(struct runq *rq, struct thread *t)
{
	assert_held(&rq->lock);
	if (t->state != THREAD_SLEEPING)
		return;
	t->state = THREAD_READY;
	t->killable_wait = false;
	if (rq->current != t)		/* else it has not left yet and finds itself ready */
		enqueue_locked(rq, t, true);
}

/* Make t ready if it sleeps; else nothing. t was started. Context: any. */
void sched_wake(struct thread *t)
{
	struct runq *rq = runq_of(t);
	unsigned long flags = spin_lock_irq(&rq->lock);

	wake_locked(rq, t);
	spin_unlock_irq(&rq->lock, flags);
}

/* Mark t killed, for good, and end its wait if that is a killable one. The flag is set
 * before the run queue is locked: a thread about to sleep either is seen asleep here or
 * sees the flag. Context: any. */
void thread_kill(struct thread *t)
{
	struct runq *rq = runq_of(t);
	unsigned long flags;

	WRITE_ONCE(t->killed, true);
	flags = spin_lock_irq(&rq->lock);
	if (t->killable_wait)
		wake_locked(rq, t);
	spin_unlock_irq(&rq->lock, flags);
}

/* From now on the current thread sleeps at its next schedule(), unless woken first; so the
 * caller tests its condition after this and loses no wake-up. Context: thread. */
void sched_prepare_sleep(bool killable)
{
	struct thread *t = thread_current();
	struct runq *rq = runq_of(t);
	unsigned long flags = spin_lock_irq(&rq->lock);

	t->state = THREAD_SLEEPING;
	t->killable_wait = killable;
	spin_unlock_irq(&rq->lock, flags);
}

/* The condition came true: the current thread does not sleep. Context: thread. */
void sched_cancel_sleep(void)
{
	struct thread *t = thread_current();
	struct runq *rq = runq_of(t);
	unsigned long flags = spin_lock_irq(&rq->lock);

	t->state = THREAD_READY;
	t->killable_wait = false;
	spin_unlock_irq(&rq->lock, flags);
}

/* t's allocations are charged to memcg (NULL: root) from now on. t is the current thread,
 * not started yet, or (one CPU) not running. */
void thread_set_memcg(struct thread *t, struct memcg *memcg)
{
	t->memcg = memcg;
	if (t == thread_current())
		memcg_set_current(memcg);
}

/* t runs on the tables at pgd from now on; 0 for none of its own. The current thread changes
 * over at once, with 0 to the kernel's tables. */
void thread_set_pgd(struct thread *t, paddr_t pgd)
{
	unsigned long flags;

	t->pgd = pgd;
	if (t != thread_current())
		return;
	flags = irq_save();
	load_address_space(this_cpu(runqs), pgd ? pgd : mmu_kernel_root());
	irq_restore(flags);
}

/* Does this CPU run on the tables at pgd, as its thread's own or borrowed? */
bool sched_pgd_is_loaded(paddr_t pgd)
{
	return this_cpu(runqs)->loaded_pgd == pgd;
}

/* The tables at pgd are about to be freed: stop running on them. Context: thread. */
void sched_forget_pgd(paddr_t pgd)
{
	struct thread *t = thread_current();
	unsigned long flags = irq_save();

	if (t->pgd == pgd)
		t->pgd = 0;
	if (sched_pgd_is_loaded(pgd))
		load_address_space(this_cpu(runqs), mmu_kernel_root());
	irq_restore(flags);
}

static void release_kernel_thread(struct thread *t)
{
	kfree(t);
}

/* Start a kernel thread that runs fn(arg) and ends when fn returns; it and its stack belong
 * to the root group whoever asks. Returns 0 or -ENOMEM. Context: thread. */
int thread_spawn_kernel(const char *name, void (*fn)(void *), void *arg)
{
	struct memcg *caller = thread_current()->memcg;
	struct thread *t;
	int err = -ENOMEM;

	memcg_set_current(NULL);
	t = kmalloc(sizeof(*t), GFP_KERNEL);
	if (t)
		err = thread_init(t, name, fn, arg);
	memcg_set_current(caller);
	if (err) {
		kfree(t);
		return err;
	}
	t->memcg = NULL;
	t->release = release_kernel_thread;
	thread_start(t);
	return 0;
}

/* The rest of the boot thread's life: run whoever is ready, else halt until an interrupt.
 * Between the test and the halt interrupts are off, so no wake-up falls in the gap. */
void sched_idle_loop(void)
{
	struct runq *rq = this_cpu(runqs);

	for (;;) {
		irq_disable();
		if (!READ_ONCE(rq->nr_ready))
			cpu_idle();
		irq_enable();
		if (READ_ONCE(rq->nr_ready))
			schedule();
	}
}

/* The tick: wake sleepers whose time has come, then see whether the running thread has had
 * its share. Context: interrupt handler. */
void upcall_tick(bool from_user)
{
	struct runq *rq = this_cpu(runqs);
	unsigned long flags;

	(void)from_user;
	timer_tick(clock_ns());
	flags = spin_lock_irq(&rq->lock);
	if (rq->current != rq->idle && policy_tick(rq->current))
		WRITE_ONCE(rq->current->need_resched, true);
	spin_unlock_irq(&rq->lock, flags);
}

/* The end of an interrupt. Nothing to do: a marked thread gives way on its return to user
 * mode, and the idle loop looks at its queue after each halt. */
void upcall_irq_exit(struct regs *r)
{
	(void)r;
}
