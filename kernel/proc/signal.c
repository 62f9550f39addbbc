/* SPDX-License-Identifier: MIT */
/*
 * Sending signals, and what waits to be handled.
 *
 *	send --> ignored? dropped                                       (here)
 *	     --> fatal for a task that does not block it? all tasks die (group_end_locked())
 *	     --> pending: of one task, or of the process --> one task is told: thread->signalled
 *	task: sleep ends -ERESTARTSYS --> way to user mode --> handler, stop, death (sigact.c)
 *
 * A sender never does anything to another task but set its flag and wake it; whatever a signal
 * does is done by the task itself on its way to user mode, where it holds no lock. Which of the
 * tasks is told matters little: each that comes by takes what waits for the process. A task
 * that then blocks a signal, or ends, passes on what it was told (signal_retarget_locked()).
 *
 * thread->signalled is set under proc lock by senders, and cleared under it by the task itself
 * alone (signal_recalc_locked()), so that it is never clear while something waits. It may be set
 * although nothing does: another task took it.
 *
 * A siginfo is charged to who receives it, and only as long as it is pending; at most
 * RLIMIT_SIGPENDING of those that a program can send at will wait for a process. Senders hold
 * proc lock, so they take memory only if there is some at once. A process keeps a place for one
 * siginfo in reserve, and having made that, its group has what allocating more takes. Without
 * memory a signal arrives all the same, its siginfo lost; only sigqueue() of a real-time signal
 * fails.
 *
 * Locking: proc lock for all of it. Nothing here is called from interrupts.
 */
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"

#define DEFAULT_IGNORED	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | \
			 SIGNAL_BIT(SIGWINCH))

struct sigqueue {
	struct list link;
	struct siginfo info;
};

static struct kmem_cache *sighand_cache, *queue_cache;	/* [I] */

/* Make the caches. Context: boot; no memory this early is a bug. */
void signal_init(void)
{
	sighand_cache = kmem_cache_create("sighand", sizeof(struct sighand), 8, 0, NULL);
	queue_cache = kmem_cache_create("sigqueue", sizeof(struct sigqueue), 8, 0, NULL);
	BUG_ON(!sighand_cache || !queue_cache);
}

/* --- what a process does with its signals */

/* The default for each. NULL: no memory. Context: may sleep; charged to the caller. */
struct sighand *sighand_create(void)
{
	struct sighand *sighand = kmem_cache_alloc(sighand_cache, GFP_KERNEL | GFP_ZERO);

	if (sighand)
		refcount_set(&sighand->refs, 1);
	return sighand;
}

/* A copy for a child, or for who stops sharing. NULL: no memory. Locks: proc lock.
 * Context: may sleep. */
struct sighand *sighand_copy(const struct sighand *from)
{
	struct sighand *copy = sighand_create();

	if (!copy)
		return NULL;
	spin_lock(&proc_lock);
	memcpy(copy->action, from->action, sizeof(copy->action));
	memcpy(copy->flags, from->flags, sizeof(copy->flags));
	spin_unlock(&proc_lock);
	return copy;
}

/* One more process shares it. */
struct sighand *sighand_get(struct sighand *sighand)
{
	refcount_get(&sighand->refs);
	return sighand;
}

/* Drop a reference; the last one frees. Locks: no spinlock held. */
void sighand_put(struct sighand *sighand)
{
	if (refcount_put(&sighand->refs))
		kmem_cache_free(sighand_cache, sighand);
}

/* Does sig do nothing to the process g? To pid 1 nothing comes that it has no handler for.
 * Locks: proc lock held. */
bool signal_ignored_locked(const struct tgroup *g, int sig)
{
	uaddr_t handler = g->sighand->action[sig - 1].handler;

	assert_held(&proc_lock);
	if (handler == SIG_DFL)
		return (DEFAULT_IGNORED & SIGNAL_BIT(sig)) || g->leader == proc_init_process;
	return handler == SIG_IGN;
}

static bool is_fatal_locked(const struct tgroup *g, int sig)
{
	return g->sighand->action[sig - 1].handler == SIG_DFL &&
	       !(SIGNAL_BIT(sig) & SIGNALS_STOPPING) && !signal_ignored_locked(g, sig);
}

/* --- the queues */

/* The receiver pays: what it leaves pending is its own. */
static struct sigqueue *queue_alloc(struct memcg *payer, gfp_t gfp)
{
	struct memcg *before = memcg_remote_begin(payer);
	struct sigqueue *q = kmem_cache_alloc(queue_cache, gfp);

	memcg_remote_end(before);
	return q;
}

/* g works for memcg from now on, which shall have one siginfo of g in reserve. Without memory
 * there is none. Locks: proc lock. Context: may sleep; memcg stays meanwhile. */
void signal_reserve(struct tgroup *g, struct memcg *memcg)
{
	struct sigqueue *q = queue_alloc(memcg, GFP_KERNEL), *old;

	spin_lock(&proc_lock);
	old = g->reserve;
	g->reserve = q;
	spin_unlock(&proc_lock);
	if (old)
		kmem_cache_free(queue_cache, old);
}

static struct sigqueue *queue_add_locked(struct tgroup *g, const struct siginfo *info)
{
	bool limited = info->signo >= SIGRTMIN || info->code < 0;
	struct sigqueue *q;

	assert_held(&proc_lock);
	if (limited && g->nr_queued >= g->rlim[RLIMIT_SIGPENDING].current)
		return NULL;
	q = queue_alloc(g->memcg, GFP_ATOMIC);
	if (!q) {
		q = g->reserve;
		g->reserve = NULL;
	}
	if (!q)
		return NULL;
	g->nr_queued++;
	q->info = *info;
	return q;
}

static void queue_remove_locked(struct tgroup *g, struct sigqueue *q)
{
	list_remove(&q->link);
	g->nr_queued--;
	if (g->reserve)
		kmem_cache_free(queue_cache, q);
	else
		g->reserve = q;
}

static void forget_locked(struct tgroup *g, struct sigpending *pending, u64 signals)
{
	struct sigqueue *q, *next;

	if (!(pending->set & signals))
		return;
	pending->set &= ~signals;
	list_for_each_safe(q, next, &pending->queue, link) {
		if (SIGNAL_BIT(q->info.signo) & signals)
			queue_remove_locked(g, q);
	}
}

/* These signals are pending no more, neither for g nor for a task of it.
 * Locks: proc lock held. */
void signal_forget_locked(struct tgroup *g, u64 signals)
{
	struct proc *p;

	assert_held(&proc_lock);
	forget_locked(g, &g->pending, signals);
	list_for_each(p, &g->tasks, group_link)
		forget_locked(g, &p->pending, signals);
}

/* p ends and gets no more signals; with last, its process neither. Locks: proc lock held. */
void signal_flush_locked(struct proc *p, bool last)
{
	struct tgroup *g = p->group;

	assert_held(&proc_lock);
	forget_locked(g, &p->pending, ~0ull);
	if (!last)
		return;
	forget_locked(g, &g->pending, ~0ull);
	if (g->reserve)
		kmem_cache_free(queue_cache, g->reserve);
	g->reserve = NULL;
}

/* Give back what g, which nobody refers to any more, has of signals; it may never have lived. */
void signal_group_fini(struct tgroup *g)
{
	if (g->reserve)
		kmem_cache_free(queue_cache, g->reserve);
	if (g->sighand)
		sighand_put(g->sighand);
}

/* The oldest of that signal, out of the queue; the set says whether there are more. */
static void take_from_locked(struct tgroup *g, struct sigpending *from, int sig,
			     struct siginfo *out)
{
	struct sigqueue *q, *found = NULL;
	bool more = false;

	list_for_each(q, &from->queue, link) {
		if (q->info.signo != sig)
			continue;
		more = found != NULL;
		if (more)
			break;
		found = q;
	}
	*out = found ? found->info : (struct siginfo){ .signo = sig };
	if (found)
		queue_remove_locked(g, found);
	if (!more)
		from->set &= ~SIGNAL_BIT(sig);
}

/* Take the first of the wanted signals that waits for p: its own before its process's, of each
 * the lowest. False: none does. Locks: proc lock held. */
bool signal_take_locked(struct proc *p, u64 wanted, struct siginfo *out)
{
	struct tgroup *g = p->group;
	struct sigpending *from = p->pending.set & wanted ? &p->pending : &g->pending;

	assert_held(&proc_lock);
	if (!(from->set & wanted))
		return false;
	take_from_locked(g, from, __builtin_ctzll(from->set & wanted) + 1, out);
	return true;
}

/* Has p, the caller, still to look for signals? Locks: proc lock held. */
void signal_recalc_locked(struct proc *p)
{
	u64 set = p->pending.set | p->group->pending.set;

	assert_held(&proc_lock);
	WRITE_ONCE(p->thread.signalled, (set & (~p->blocked | p->awaited)) || p->forced.signo ||
		   p->group->stop_sig);
}

/* --- telling a task */

/* May p be told of a signal? One that is stopped looks when it goes on. */
static bool wants_locked(const struct proc *p, u64 bit)
{
	return p->state == PROC_ALIVE && !p->stopped && ((~p->blocked | p->awaited) & bit);
}

/* A task that has not been told of anything yet, the leader first, else any; NULL: all block it. */
static struct proc *choose_locked(struct tgroup *g, u64 bit)
{
	struct proc *p, *second = NULL;

	if (wants_locked(g->leader, bit) && !READ_ONCE(g->leader->thread.signalled))
		return g->leader;
	list_for_each(p, &g->tasks, group_link) {
		if (!wants_locked(p, bit))
			continue;
		if (!READ_ONCE(p->thread.signalled))
			return p;
		second = p;
	}
	return second;
}

static void tell_locked(struct tgroup *g, struct proc *p, int sig)
{
	if (is_fatal_locked(g, sig) && !(p->blocked & SIGNAL_BIT(sig)))
		group_end_locked(g, sig);
	else
		thread_signal(&p->thread);
}

/* A task does not care any more for these signals of g; tell others of those that wait.
 * Locks: proc lock held. */
void signal_retarget_locked(struct tgroup *g, u64 signals)
{
	u64 left = g->pending.set & signals;
	struct proc *p;

	assert_held(&proc_lock);
	for (; left; left &= left - 1) {
		p = choose_locked(g, left & -left);
		if (p)
			tell_locked(g, p, __builtin_ctzll(left) + 1);
	}
}

/* --- sending */

/* A stopping signal undoes SIGCONT and the other way round. SIGCONT continues even a process
 * that blocks or ignores it. */
static void stop_or_continue_locked(struct tgroup *g, int sig)
{
	if (SIGNAL_BIT(sig) & SIGNALS_STOPPING) {
		signal_forget_locked(g, SIGNAL_BIT(SIGCONT));
	} else if (sig == SIGCONT) {
		signal_forget_locked(g, SIGNALS_STOPPING);
		signal_continue_locked(g);
	}
}

static int queue_locked(struct tgroup *g, struct sigpending *to, const struct siginfo *info)
{
	struct sigqueue *q = queue_add_locked(g, info);

	if (q)
		list_append(&to->queue, &q->link);
	else if (info->signo >= SIGRTMIN && info->code != SI_USER)
		return -EAGAIN;
	to->set |= SIGNAL_BIT(info->signo);
	return 0;
}

static int send_locked(struct tgroup *g, struct proc *p, const struct siginfo *info)
{
	struct sigpending *to = p ? &p->pending : &g->pending;
	const struct proc *main = p ? p : g->leader;
	int sig = info->signo;
	u64 bit = SIGNAL_BIT(sig);
	struct proc *target;
	int err;

	assert_held(&proc_lock);
	if (g->ending)
		return 0;
	stop_or_continue_locked(g, sig);
	if (!(main->blocked & bit) && signal_ignored_locked(g, sig))
		return 0;
	if (sig == SIGKILL) {
		group_end_locked(g, sig);
		return 0;
	}
	if (sig < SIGRTMIN && (to->set & bit))
		return 0;
	err = queue_locked(g, to, info);
	if (err)
		return err;
	target = !p ? choose_locked(g, bit) : wants_locked(p, bit) ? p : NULL;
	if (target)
		tell_locked(g, target, sig);
	return 0;
}

/* Send a signal to the process g (NULL: one that has ended). Returns 0, also when it is ignored;
 * -EAGAIN: no room to queue a real-time signal. Locks: proc lock held. Context: a thread. */
int proc_signal_locked(struct tgroup *g, const struct siginfo *info)
{
	return g && g->nr_paying ? send_locked(g, NULL, info) : 0;
}

/* The same to the task p. */
int proc_signal_task_locked(struct proc *p, const struct siginfo *info)
{
	return p->group && p->state == PROC_ALIVE ? send_locked(p->group, p, info) : 0;
}

/* Send a signal that is not refused to the process g. Locks: proc lock. Context: a thread. */
void proc_signal(struct tgroup *g, const struct siginfo *info)
{
	spin_lock(&proc_lock);
	(void)proc_signal_locked(g, info);
	spin_unlock(&proc_lock);
}

/* kernel/fs signals who makes a system call (SIGPIPE, SIGXFSZ). Locks: proc lock.
 * Context: a thread. */
void proc_signal_current(int sig)
{
	struct proc *p = proc_current();
	struct siginfo info = { .signo = sig, .code = SI_USER };

	if (!p)
		return;
	info.pid = p->group->pid;
	info.uid = p->cred->uid;
	spin_lock(&proc_lock);
	(void)proc_signal_task_locked(p, &info);
	spin_unlock(&proc_lock);
}
