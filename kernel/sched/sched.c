/* SPDX-License-Identifier: MIT */
/*
 * Switching between threads.
 *
 * Each CPU has a run queue; its lock is held across context_switch() and released by the
 * thread that runs next (switch_tail). So whoever wakes a thread waits until it has really
 * left its stack, and a dead thread's stack is freed only by its successor. The kernel is
 * not preemptible: a tick only marks the running thread, which gives way at its next
 * schedule(), cond_resched() or return to user mode.
 *
 * A thread changes CPU only while it is not current. Under the lock of its old run queue its
 * cpu is set to the new one and the lock released; then it is queued under the new lock
 * (balance_place). In between it is ready, on no queue, and whoever moves it owns it:
 *
 *	READY, on queue 0  --- lock 0: off, cpu = 1 --->  READY, nowhere  --- lock 1 --->  on queue 1
 *
 * So nobody holds two run queue locks, and who locked the run queue of a thread's cpu looks
 * again whether it still is (runq_lock_of). A thread that may not go on where it runs moves
 * the same way; its successor does it, as it buries the dead.
 *
 * An idle CPU counts as standing at a safe point while it halts. CPUs other than 0 halt
 * without a tick: CPU 0's tick wakes sleepers for all, and whoever queues a thread at an idle
 * CPU interrupts it.
 *
 * Locking: struct runq under its own lock; struct thread's fields as keyed in thread.h.
 */
#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/smp.h"
#include "arch/upcall.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/sched/load.h"
#include "kernel/sched/runq.h"
#include "kernel/sched/tlb.h"
#include "kernel/sched/wait.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/safepoint.h"
#include "mm/memcg.h"

/* The boot stacks' threads. CPU 0's is current from the first instruction, so that mutexes
 * work before sched_init(); each becomes its CPU's idle thread. */
static struct thread idle_threads[NR_CPUS];

struct runq runqs[NR_CPUS] = {
	[0] = {
		.lock = SPINLOCK_INIT(RANK_RUNQ, "runq"),
		.current = &idle_threads[0],
		.idle = &idle_threads[0],
		.ticking = true,
	},
};

atomic_u64 idle_cpus;

static void init_idle_thread(unsigned cpu)
{
	struct thread *t = &idle_threads[cpu];

	list_init(&t->queue_link);
	list_init(&t->wait.link);
	t->wait.thread = t;
	list_init(&t->timer_link);
	t->state = THREAD_READY;
	t->cpu = cpu;
	t->affinity = cpu_bit(cpu);
	str_copy(t->name, "idle", sizeof(t->name));
}

/* Make the running boot stack the idle thread of CPU 0, and every CPU's run queue ready: a
 * thread may be queued for a CPU before it comes to its idle loop.
 * Context: boot, once, after mmu_init(). */
void sched_init(void)
{
	for_each_cpu(i) {
		init_idle_thread(i);
		if (i > 0)
			spin_init(&runqs[i].lock, RANK_RUNQ, "runq");
		runqs[i].current = runqs[i].idle = &idle_threads[i];
		runqs[i].dice = i;
	}
	policy_init();
}

/* Make the boot stack of this CPU its idle thread's, on the kernel's tables.
 * Context: a CPU's first call upstairs, interrupts off. */
void sched_init_ap(void)
{
	struct runq *rq = this_cpu(runqs);

	BUG_ON(rq->current != &idle_threads[cpu_id()]);
	rq->current->switched_in = clock_ns();
	space_leave();
}

/* The thread that runs on this CPU. Never NULL. Context: any; in an interrupt handler it is
 * the interrupted thread. */
struct thread *thread_current(void)
{
	return this_cpu(runqs)->current;
}

/* Lock the run queue that t belongs to. */
struct runq *runq_lock_of(const struct thread *t, unsigned long *flags)
{
	struct runq *rq;

	for (;;) {
		rq = &runqs[READ_ONCE(t->cpu)];
		*flags = spin_lock_irq(&rq->lock);
		if (rq == &runqs[READ_ONCE(t->cpu)])
			return rq;
		spin_unlock_irq(&rq->lock, *flags);
	}
}

/* Queue t, whose level the policy has set, on rq. Returns whether rq's CPU should be
 * interrupted for it: it is idle, or shall run t at once. Locks: rq's. */
bool runq_enqueue_locked(struct runq *rq, struct thread *t)
{
	assert_held(&rq->lock);
	BUG_ON(t->on_queue || t == rq->idle);
	t->on_queue = true;
	rq->nr_ready++;
	if (!policy_queue(t, rq->current))
		return rq->current == rq->idle;
	if (rq->current != rq->idle)
		WRITE_ONCE(rq->current->need_resched, true);
	return true;
}

/* t, which the policy has dequeued, is on no queue. Locks: rq's. */
void runq_take_off_locked(struct runq *rq, struct thread *t)
{
	assert_held(&rq->lock);
	BUG_ON(!t->on_queue);
	t->on_queue = false;
	rq->nr_ready--;
}

/* Add to t, which runs on this CPU, the time since this was last done. Locks: its run queue. */
void sched_account_locked(struct thread *t)
{
	struct runq *rq = this_cpu(runqs);
	u64 now = clock_ns(), ns = now - t->switched_in;

	WRITE_ONCE(t->cpu_ns, t->cpu_ns + ns);
	if (t != rq->idle)
		WRITE_ONCE(rq->busy_ns, rq->busy_ns + ns);
	t->switched_in = now;
}

/* --- the switch */

/* Free a thread that will never run again. It cannot do so itself: it stands on the stack. */
static void reap(struct thread *dead)
{
	kstack_free(&dead->stack);
	if (dead->release)
		dead->release(dead);
}

/* What every thread does first after a switch to it: let go of the run queue. Returns the
 * predecessor if it is not coming back to this CPU. */
static struct thread *switch_tail(void)
{
	struct runq *rq = this_cpu(runqs);
	struct thread *left = rq->left;

	rq->left = NULL;
	if (left && left->state == THREAD_READY)
		left->cpu = balance_choose(left, false);
	spin_unlock(&rq->lock);
	return left;
}

/* Bury the predecessor, or see it off to another CPU. */
static void see_off(struct thread *left)
{
	if (!left)
		return;
	if (left->state == THREAD_DEAD)
		reap(left);
	else
		balance_place(left);
}

/* Where a new thread starts, with interrupts off and the run queue locked by whoever
 * switched to it. */
noreturn void sched_thread_entry(void *arg)
{
	struct thread *t = arg;
	struct thread *left = switch_tail();

	irq_enable();
	see_off(left);
	t->start_fn(t->start_arg);
	thread_exit();
}

static struct thread *pick_locked(struct runq *rq)
{
	struct thread *next = policy_pick();

	assert_held(&rq->lock);
	if (!next)
		return rq->idle;
	runq_take_off_locked(rq, next);
	next->pulled = false;
	return next;
}

/* The running thread gives way: where does it go? */
static void put_current_locked(struct runq *rq, struct thread *prev)
{
	if (prev == rq->idle) {
		if (prev->state != THREAD_READY)
			panic("the boot or idle thread must wait, but nobody can run in its place");
	} else if (prev->state == THREAD_READY && (prev->affinity & cpu_bit(cpu_id()))) {
		policy_refill(prev, false);
		(void)runq_enqueue_locked(rq, prev);
	} else if (prev->state != THREAD_SLEEPING) {
		rq->left = prev;
	}
}

/* This CPU has something to run: it needs its tick and is nobody's idle CPU. */
static void leave_idle_locked(struct runq *rq)
{
	u64 self = cpu_bit(cpu_id());

	if (atomic_load(&idle_cpus) & self)
		(void)atomic_and(&idle_cpus, ~self);
	if (rq->ticking)
		return;
	rq->ticking = true;
	clock_start_tick();
}

/* Everything of the machine that belongs to a thread beside its registers and stack. */
static void switch_machine_state(struct thread *prev, struct thread *next)
{
	next->switched_in = prev->switched_in;	/* just now */
	if (prev->fpu && prev->state != THREAD_DEAD)
		fpu_save(prev->fpu);
	if (next->fpu) {
		fpu_load(next->fpu);
		context_set_tls(next->tls);
	}
	space_switch(next->space);
	if (next->stack.top)
		context_set_kernel_stack(next->stack.top);
	memcg_set_current(next->memcg);
}

/* Give the CPU to the next ready thread. A thread that is ready itself queues behind; one
 * that sleeps returns when it is woken, perhaps on another CPU; a dead one never returns.
 * A safe point. Context: thread, interrupts on, no spinlock held. */
void schedule(void)
{
	struct thread *prev, *next, *left;
	unsigned long flags;
	struct runq *rq;

	spin_assert_none_held("schedule()");
	BUG_ON(irq_in_handler());
	safepoint_poll();
	rq = this_cpu(runqs);
	flags = spin_lock_irq(&rq->lock);
	prev = rq->current;
	WRITE_ONCE(prev->need_resched, false);
	sched_account_locked(prev);
	put_current_locked(rq, prev);
	next = pick_locked(rq);
	WRITE_ONCE(next->need_resched, false);
	if (next == prev) {
		spin_unlock_irq(&rq->lock, flags);
		return;
	}
	if (prev == rq->idle)
		leave_idle_locked(rq);
	switch_machine_state(prev, next);
	rq->current = next;
	rq->nr_switches++;
	runq_publish_locked(rq);
	context_switch(&prev->context, &next->context);
	/* Perhaps much later, perhaps on another CPU. */
	left = switch_tail();
	irq_restore(flags);
	see_off(left);
}

/* Let every other thread that is ready on this CPU run once. Context: thread, no spinlock
 * held. */
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
	safepoint_poll();
	if (READ_ONCE(thread_current()->need_resched))
		schedule();
}

/* Has the current thread something to do in sched_return_to_user() before it goes back? With
 * interrupts off, a no stays true until it is there. Context: any. */
bool sched_return_wanted(void)
{
	return READ_ONCE(thread_current()->need_resched) || safepoint_wanted();
}

/* The preemption of user code, and its safe point: called by every way back to user mode.
 * Context: thread, interrupts on, no lock held. */
void sched_return_to_user(void)
{
	safepoint_poll();
	while (READ_ONCE(thread_current()->need_resched))
		schedule();
}

/* --- sleeping and waking */

/* Make t ready if it sleeps. Returns whether it must be placed (balance_place) once the lock
 * is released. Locks: rq's, which is t's. */
bool sched_wake_locked(struct runq *rq, struct thread *t)
{
	assert_held(&rq->lock);
	if (t->state != THREAD_SLEEPING)
		return false;
	t->state = THREAD_READY;
	if (rq->current == t)
		return false;		/* it has not left yet and finds itself ready */
	policy_refill(t, true);
	t->cpu = balance_choose(t, false);
	return true;
}

/* Make t ready if it sleeps; else nothing. t was started, and cannot end before this returns:
 * callers hold a lock that it must take after its wait. Context: any. */
void sched_wake(struct thread *t)
{
	unsigned long flags;
	struct runq *rq = runq_lock_of(t, &flags);
	bool place = sched_wake_locked(rq, t);

	spin_unlock_irq(&rq->lock, flags);
	if (place)
		balance_place(t);
}

/* From now on the current thread sleeps at its next schedule(), unless woken first; so the
 * caller tests its condition after this and loses no wake-up. Context: thread. */
void sched_prepare_sleep(enum sleep_kind kind)
{
	struct thread *t = thread_current();
	unsigned long flags;
	struct runq *rq = runq_lock_of(t, &flags);

	t->state = THREAD_SLEEPING;
	t->sleep = kind;
	spin_unlock_irq(&rq->lock, flags);
}

/* The condition came true: the current thread does not sleep. Context: thread. */
void sched_cancel_sleep(void)
{
	struct thread *t = thread_current();
	unsigned long flags;
	struct runq *rq = runq_lock_of(t, &flags);

	t->state = THREAD_READY;
	spin_unlock_irq(&rq->lock, flags);
}

/* --- idle, and what interrupts do */

/* Halt until an interrupt, unless somebody is ready. Between the test and the halt interrupts
 * are off, so no wake-up falls in the gap. */
static void idle_wait(struct runq *rq)
{
	irq_disable();
	if (!READ_ONCE(rq->nr_ready)) {
		safepoint_idle_enter();
		cpu_idle();
		safepoint_idle_exit();
	}
	irq_enable();
}

/* The rest of a boot stack's life: run whoever is ready here, else whoever waits at another
 * CPU, else halt. The CPU says that it is idle before it looks around, so that of a waker and
 * an idle CPU that miss each other the next tick makes up. Turns interrupts on. */
void sched_idle_loop(void)
{
	struct runq *rq = this_cpu(runqs);
	u64 self = cpu_bit(cpu_id());

	irq_enable();
	for (;;) {
		if (!(atomic_load(&idle_cpus) & self))
			atomic_or(&idle_cpus, self);
		if (!READ_ONCE(rq->nr_ready) && !balance_steal())
			idle_wait(rq);
		if (READ_ONCE(rq->nr_ready))
			schedule();
	}
}

/* The tick: wake sleepers whose time has come, then see whether the running thread has had
 * its share. An idle CPU needs no further tick, but CPU 0 counts time for all.
 * Context: interrupt handler. */
void upcall_tick(bool from_user)
{
	struct runq *rq = this_cpu(runqs);
	unsigned long flags;

	timer_tick(clock_ns());
	if (cpu_id() == 0)
		load_tick_machine();
	flags = spin_lock_irq(&rq->lock);
	sched_account_locked(rq->current);
	load_tick_locked(rq, from_user);
	if (rq->current != rq->idle) {
		if (policy_tick(rq->current))
			WRITE_ONCE(rq->current->need_resched, true);
	} else if (cpu_id() != 0 && rq->nr_ready == 0) {
		rq->ticking = false;
		clock_stop_tick();
	}
	spin_unlock_irq(&rq->lock, flags);
	balance_tick(rq);
}

/* The end of an interrupt. Nothing to do: a marked thread gives way on its return to user
 * mode, where a stopper is noticed, too, and the idle loop looks at its queue after each
 * halt. */
void upcall_irq_exit(struct regs *r)
{
	(void)r;
}
