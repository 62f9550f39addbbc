/* SPDX-License-Identifier: MIT */
/*
 * The life of a thread, and what others may change about it. Switching is in sched.c.
 *
 * Locking: struct thread's fields as keyed in thread.h.
 */
#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/smp.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/sched/runq.h"
#include "kernel/sched/tlb.h"
#include "kernel/sync/percpu.h"
#include "kernel/sync/safepoint.h"
#include "mm/kmem.h"
#include "mm/memcg.h"

/* Prepare t to run fn(arg) on a stack of its own, charged to the caller's group, which t
 * inherits with its affinity (thread_set_memcg(), thread_set_affinity() change them). owner,
 * release, fpu, tls and space are the caller's to set. Returns 0 or -ENOMEM, -EAGAIN: no slot for
 * a stack. Context: thread. */
int thread_init(struct thread *t, const char *name, void (*fn)(void *), void *arg)
{
	const struct thread *maker = thread_current();
	int err;

	*t = (struct thread){
		.state = THREAD_SLEEPING,
		.cpu = cpu_id(),
		.affinity = maker == this_cpu(runqs)->idle ? AFFINITY_ALL : maker->affinity,
		.memcg = maker->memcg,
	};
	err = kstack_alloc(&t->stack);
	if (err)
		return err;
	list_init(&t->queue_link);
	list_init(&t->wait.link);
	t->wait.thread = t;
	list_init(&t->timer_link);
	str_copy(t->name, name, sizeof(t->name));
	t->start_fn = fn;
	t->start_arg = arg;
	context_init(&t->context, t->stack.top, sched_thread_entry, t);
	return 0;
}

/* Undo thread_init() for a thread that was never started. */
void thread_fini(struct thread *t)
{
	BUG_ON(t->state != THREAD_SLEEPING || t->on_queue);
	kstack_free(&t->stack);
}

/* Let t, which the current thread made, run for the first time, on an idle CPU or the least
 * loaded. */
void thread_start(struct thread *t)
{
	unsigned long flags;
	struct runq *rq = runq_lock_of(t, &flags);

	BUG_ON(t->state != THREAD_SLEEPING);
	t->state = THREAD_READY;
	policy_share(t, thread_current());
	t->cpu = balance_choose(t, true);
	spin_unlock_irq(&rq->lock, flags);
	balance_place(t);
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

/* Mark t killed, for good, end its wait if that is a killable one, and let it run soon,
 * wherever it is: it shall die. The flag is set before the run queue is locked: a thread about
 * to sleep either is seen asleep here or sees the flag. t cannot end before this returns: the
 * caller holds a lock that it takes on its way out. Context: any. */
void thread_kill(struct thread *t)
{
	bool place = false, running = false;
	unsigned long flags;
	struct runq *rq;
	unsigned cpu;

	WRITE_ONCE(t->killed, true);
	rq = runq_lock_of(t, &flags);
	if (t->state == THREAD_SLEEPING && t->sleep >= SLEEP_KILLABLE) {
		place = sched_wake_locked(rq, t);
	} else if (t->on_queue) {
		policy_dequeue(t);
		runq_take_off_locked(rq, t);
		runq_publish_locked(rq);
		place = true;
	} else if (rq->current == t) {
		WRITE_ONCE(t->need_resched, true);
		running = true;
	}
	cpu = t->cpu;
	spin_unlock_irq(&rq->lock, flags);
	if (place)
		balance_place(t);
	if (running && cpu != cpu_id())
		smp_send(cpu, IPI_RESCHEDULE);
}

/* Let t look for signals on its way to user mode: end its wait if that is one for which signals
 * matter, interrupt the CPU where it runs. The flag comes first, as in thread_kill(); t cannot
 * end before this returns, for the same reason. Context: any. */
void thread_signal(struct thread *t)
{
	bool place = false, running;
	unsigned long flags;
	struct runq *rq;
	unsigned cpu;

	WRITE_ONCE(t->signalled, true);
	rq = runq_lock_of(t, &flags);
	if (t->state == THREAD_SLEEPING && t->sleep == SLEEP_SIGNALS)
		place = sched_wake_locked(rq, t);
	running = rq->current == t;
	cpu = t->cpu;
	spin_unlock_irq(&rq->lock, flags);
	if (place)
		balance_place(t);
	if (running && cpu != cpu_id())
		smp_send(cpu, IPI_RESCHEDULE);
}

/* Is the caller to break off a wait? Returns 0: no; -EINTR: it is being killed; -ERESTARTSYS: a
 * signal waits to be handled. Context: thread. */
int thread_interrupted(void)
{
	if (likely(!thread_signalled()))
		return 0;
	return READ_ONCE(thread_current()->killed) ? -EINTR : -ERESTARTSYS;
}

/* --- affinity */

/* Let t run on these CPUs only (bits of CPUs that are not there do no harm). A waiting thread
 * moves at once, so does the caller; one that runs elsewhere at its next schedule(). Returns 0,
 * or -EINVAL: no such CPU is online. Context: thread, no spinlock held. */
int thread_set_affinity(struct thread *t, u64 mask)
{
	bool place = false, running;
	unsigned long flags;
	struct runq *rq;
	unsigned cpu;

	if (!(mask & smp_online_mask()))
		return -EINVAL;
	rq = runq_lock_of(t, &flags);
	t->affinity = mask;
	cpu = t->cpu;
	running = rq->current == t && !(mask & cpu_bit(cpu));
	if (running)
		WRITE_ONCE(t->need_resched, true);
	if (t->on_queue && !(mask & cpu_bit(cpu))) {
		policy_dequeue(t);
		runq_take_off_locked(rq, t);
		runq_publish_locked(rq);
		t->cpu = balance_choose(t, false);
		place = true;
	}
	spin_unlock_irq(&rq->lock, flags);
	if (place)
		balance_place(t);
	if (running && t == thread_current())
		schedule();
	else if (running)
		smp_send(cpu, IPI_RESCHEDULE);
	return 0;
}

/* The online CPUs where t may run. Context: any. */
u64 thread_affinity(const struct thread *t)
{
	return READ_ONCE(t->affinity) & smp_online_mask();
}

/* --- time, group, address space */

/* Nanoseconds t has run: exact for the caller itself, else up to the last tick or switch.
 * Context: any. */
u64 thread_cpu_ns(const struct thread *t)
{
	unsigned long flags;
	u64 ns;

	if (t != thread_current())
		return READ_ONCE(t->cpu_ns);
	flags = irq_save();
	ns = t->cpu_ns + (clock_ns() - t->switched_in);
	irq_restore(flags);
	return ns;
}

/* Count the current thread's time up to now, for others to read. Context: thread. */
void thread_account(void)
{
	struct thread *t = thread_current();
	unsigned long flags;
	struct runq *rq = runq_lock_of(t, &flags);

	sched_account_locked(t);
	spin_unlock_irq(&rq->lock, flags);
}

/* t may run on another CPU: with everybody standing still, give both it and that CPU the new
 * group, unless the CPU stands inside an allocation that has chosen who pays. */
static bool set_memcg_stopped(struct thread *t, struct memcg *memcg)
{
	bool running, done = true;

	safepoint_stop();
	running = runqs[t->cpu].current == t;
	if (running && memcg_cpu_busy(t->cpu)) {
		done = false;
	} else {
		t->memcg = memcg;
		if (running)
			memcg_set_current_on(t->cpu, memcg);
	}
	safepoint_resume();
	return done;
}

/* t's allocations are charged to memcg (NULL: root) from the return of this on: none is under
 * way then for the old group. Context: thread, interrupts on, no spinlock held; a safe point
 * when t runs on another CPU. */
void thread_set_memcg(struct thread *t, struct memcg *memcg)
{
	bool running = true;
	unsigned long flags;
	struct runq *rq;

	if (t == thread_current()) {
		t->memcg = memcg;
		memcg_set_current(memcg);
		return;
	}
	while (running) {
		rq = runq_lock_of(t, &flags);
		running = rq->current == t;
		if (!running)
			t->memcg = memcg;
		spin_unlock_irq(&rq->lock, flags);
		if (running && set_memcg_stopped(t, memcg))
			break;
		cond_resched();
	}
}

/* t runs on the tables of space from now on; NULL: of none. The current thread changes over at
 * once, with NULL to the kernel's tables. t is the current thread or not started yet. */
void thread_set_space(struct thread *t, struct space *space)
{
	unsigned long flags;

	t->space = space;
	if (t != thread_current())
		return;
	flags = irq_save();
	if (space)
		space_switch(space);
	else
		space_leave();
	irq_restore(flags);
}

/* --- kernel threads */

static atomic_int nr_kernel_threads;

static void release_kernel_thread(struct thread *t)
{
	kfree(t);
	atomic_sub_return(&nr_kernel_threads, 1);
}

/* Kernel threads whose memory is not all given back yet, the idle threads not counted.
 * Context: any. */
int thread_nr_kernel(void)
{
	return atomic_load(&nr_kernel_threads);
}

/* Start a kernel thread that runs fn(arg) and ends when fn returns; it and its stack belong
 * to the root group whoever asks, and it may run on any CPU. Returns 0 or -ENOMEM.
 * Context: thread. */
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
	t->affinity = AFFINITY_ALL;
	t->release = release_kernel_thread;
	atomic_add_return(&nr_kernel_threads, 1);
	thread_start(t);
	return 0;
}
