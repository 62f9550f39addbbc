/* SPDX-License-Identifier: MIT */
/*
 * Futexes: a task sleeps as long as a word of user memory has a value, and is woken by name of
 * that word. What threads build mutexes, conditions and joins from.
 *
 *	hash(key) -> bucket: lock, wakes, waiters: [w: key, bits, thread] <-> [w] <-> ...
 *
 * The key of memory that only this address space has is (mm, address); of MAP_SHARED memory,
 * unless the caller says it is private, the physical address. No reference is taken: a waiter
 * keeps its mm by running in it, and a shared page that is unmapped under its waiters can only
 * lead to a wake-up too many, which every user of futexes must bear.
 *
 * No wake-up is lost. The word may have to be faulted in, so it cannot be read under the
 * bucket's lock. Each wake-up counts `wakes` up under that lock, after the caller has changed
 * the word; a waiter reads the count, then the word, and queues only if the count still is the
 * same. So nobody woke between its reading and its queueing, and who wakes later finds it.
 * A requeue that compares does the same, and counts those that queued (`joins`) as well.
 *
 * Locking: bucket lock (RANK_FUTEX), of a second bucket only by trylock. A waiter lives on its
 * thread's stack, which does not go on before it has taken the lock of the bucket it is in.
 */
#include "kernel/proc/futex.h"
#include "arch/cpu.h"
#include "arch/uaccess.h"
#include "kernel/lib/errno.h"

#define NR_BUCKETS	256u
#define ROBUST_LIMIT	2048		/* entries: a list may be a ring */
#define WORD_TID	0x3fffffffu	/* the owner */
#define WORD_OWNER_DIED	0x40000000u
#define WORD_WAITERS	0x80000000u

struct bucket {
	struct spinlock lock;
	struct list waiters;		/* [lock] longest waiting first */
	atomic_u64 wakes;		/* [lock to write] */
	atomic_u64 joins;		/* [lock to write] */
} cacheline_aligned;

struct key {
	const struct mm *mm;		/* NULL: memory that processes share */
	u64 addr;			/* in mm, or physical */
};

struct waiter {
	struct list link;		/* [bucket lock] */
	struct key key;			/* [bucket lock] */
	struct bucket *bucket;		/* [bucket lock] a requeue changes it */
	struct thread *thread;		/* [I] */
	u32 bits;			/* [I] wake-ups it listens to */
	bool woken;			/* [bucket lock; its thread to read] */
};

static struct bucket buckets[NR_BUCKETS];

/* Make all buckets empty. Context: boot. */
void futex_init(void)
{
	for (unsigned i = 0; i < NR_BUCKETS; i++) {
		spin_init(&buckets[i].lock, RANK_FUTEX, "futex");
		list_init(&buckets[i].waiters);
	}
}

static struct bucket *bucket_of(const struct key *key)
{
	u64 mixed = (key->addr ^ (u64)(uintptr_t)key->mm) * 0x9e3779b97f4a7c15ull;

	return &buckets[mixed >> 56 & (NR_BUCKETS - 1)];
}

static bool same_key(const struct key *a, const struct key *b)
{
	return a->mm == b->mm && a->addr == b->addr;
}

static int read_word(uaddr_t word, u32 *value)
{
	return copy_from_user(value, word, sizeof(*value)) ? -EFAULT : 0;
}

static int get_key(struct futex f, struct key *key)
{
	struct mm *mm = proc_current()->mm;
	paddr_t page = 0;
	u32 touched;
	int err = 0;

	if (f.word % sizeof(u32))
		return -EINVAL;
	if (f.word < USER_MIN || f.word >= USER_MAX)
		return -EFAULT;
	if (!f.private)
		err = vm_shared_page(mm, f.word, &page);
	if (err) {
		/* No area, or nobody has used the page yet: reading it makes the difference. */
		err = read_word(f.word, &touched);
		if (!err)
			err = vm_shared_page(mm, f.word, &page);
	}
	*key = page ? (struct key){ NULL, page + f.word % PAGE_SIZE } :
		      (struct key){ mm, f.word };
	return err;
}

static int queue_if(struct waiter *w, uaddr_t word, u32 value)
{
	struct bucket *b = w->bucket;
	bool queued = false;
	u64 wakes;
	u32 found;

	while (!queued) {
		wakes = atomic_load_acquire(&b->wakes);
		if (read_word(word, &found))
			return -EFAULT;
		if (found != value)
			return -EAGAIN;
		if (proc_dying())
			return -EINTR;
		spin_lock(&b->lock);
		queued = atomic_load(&b->wakes) == wakes;
		if (queued) {
			list_append(&b->waiters, &w->link);
			atomic_store(&b->joins, atomic_load(&b->joins) + 1);
		}
		spin_unlock(&b->lock);
		cond_resched();
	}
	return 0;
}

/* Take w off whatever queue it is on. Was it woken? */
static bool unqueue(struct waiter *w)
{
	struct bucket *b;
	bool woken;

	for (;;) {
		b = READ_ONCE(w->bucket);
		spin_lock(&b->lock);
		if (b == w->bucket)
			break;
		spin_unlock(&b->lock);
	}
	list_remove(&w->link);
	woken = w->woken;
	spin_unlock(&b->lock);
	return woken;
}

/*
 * Sleep while the word is `value` until a wake-up that shares a bit with `bits`. Returns 0:
 * woken; -EAGAIN: another value; -ETIMEDOUT: clock_ns() reached the deadline; -EINTR: being
 * killed; -EFAULT: no such word; -EINVAL: not aligned, or no bits.
 * Locks: a bucket's. Context: a process, may sleep.
 */
int futex_wait(struct futex f, u32 value, u32 bits, u64 deadline_ns)
{
	struct waiter w = { .thread = thread_current(), .bits = bits };
	int err = bits ? get_key(f, &w.key) : -EINVAL;

	if (err)
		return err;
	list_init(&w.link);
	w.bucket = bucket_of(&w.key);
	err = queue_if(&w, f.word, value);
	if (err)
		return err;
	err = sleep_until_set(&w.woken, deadline_ns);
	return unqueue(&w) ? 0 : err;
}

/* The waiter cannot go on, and w with it, before the bucket's lock is free. */
static void wake_locked(struct waiter *w)
{
	list_remove(&w->link);
	WRITE_ONCE(w->woken, true);
	sched_wake(w->thread);
}

/* From now on no waiter queues on what it read before. */
static void count_wake_locked(struct bucket *b)
{
	assert_held(&b->lock);
	atomic_store_release(&b->wakes, atomic_load(&b->wakes) + 1);
}

/*
 * Wake the nr (1 at least, as on Linux) that wait longest on the word and listen to one of
 * `bits`. Returns how many; -EINVAL: not aligned, or no bits; -EFAULT: no such word.
 * Locks: a bucket's. Context: a process, may sleep.
 */
int futex_wake(struct futex f, int nr, u32 bits)
{
	struct waiter *w, *next;
	struct bucket *b;
	struct key key;
	int woken = 0, err = bits ? get_key(f, &key) : -EINVAL;

	if (err)
		return err;
	b = bucket_of(&key);
	spin_lock(&b->lock);
	count_wake_locked(b);
	list_for_each_safe(w, next, &b->waiters, link) {
		if (!same_key(&w->key, &key) || !(w->bits & bits))
			continue;
		wake_locked(w);
		if (++woken >= nr)
			break;
	}
	spin_unlock(&b->lock);
	return woken;
}

/* No order among buckets: who does not get the second gives back the first. */
static void lock_both(struct bucket *a, struct bucket *b)
{
	spin_lock(&a->lock);
	while (a != b && !spin_trylock(&b->lock)) {
		spin_unlock(&a->lock);
		cpu_relax();
		spin_lock(&a->lock);
	}
}

static void unlock_both(struct bucket *a, struct bucket *b)
{
	if (a != b)
		spin_unlock(&b->lock);
	spin_unlock(&a->lock);
}

/* Lock both buckets; with move->compare only while the word of the first has its value. */
static int lock_if(uaddr_t word, struct bucket *from, struct bucket *to,
		   const struct futex_move *move)
{
	u64 wakes, joins;
	u32 found;

	for (;;) {
		wakes = atomic_load_acquire(&from->wakes);
		joins = atomic_load_acquire(&from->joins);
		if (move->compare && read_word(word, &found))
			return -EFAULT;
		if (move->compare && found != move->value)
			return -EAGAIN;
		if (proc_dying())
			return -EINTR;
		lock_both(from, to);
		if (!move->compare || (wakes == atomic_load(&from->wakes) &&
				       joins == atomic_load(&from->joins)))
			return 0;
		unlock_both(from, to);
		cond_resched();
	}
}

static int move_locked(struct bucket *a, const struct key *from, const struct key *to,
		       const struct futex_move *move)
{
	struct bucket *b = bucket_of(to);
	struct waiter *w, *next;
	struct list moved = LIST_INIT(moved);
	int done = 0;

	list_for_each_safe(w, next, &a->waiters, link) {
		if (!same_key(&w->key, from))
			continue;
		if (done - move->nr_wake >= move->nr_move)
			break;
		if (++done <= move->nr_wake) {
			wake_locked(w);
			continue;
		}
		list_remove(&w->link);
		list_append(&moved, &w->link);
		w->key = *to;
		WRITE_ONCE(w->bucket, b);
	}
	list_splice(&b->waiters, &moved);
	return done;
}

/*
 * Wake move->nr_wake waiters of the word `from` and let up to nr_move more wait on `to`.
 * Returns how many both are; -EAGAIN: `from` has not the value to compare with; -EINVAL: not
 * aligned, a negative number; -EFAULT: no such word; -EINTR: being killed.
 * Locks: two buckets'. Context: a process, may sleep.
 */
int futex_requeue(struct futex from, struct futex to, const struct futex_move *move)
{
	struct bucket *a, *b;
	struct key key, target;
	int err = move->nr_wake < 0 || move->nr_move < 0 ? -EINVAL : get_key(from, &key);
	int done;

	if (!err)
		err = get_key(to, &target);
	if (err)
		return err;
	a = bucket_of(&key);
	b = bucket_of(&target);
	err = lock_if(from.word, a, b, move);
	if (err)
		return err;
	count_wake_locked(a);
	done = move_locked(a, &key, &target, move);
	unlock_both(a, b);
	return done;
}

/* The new value of the second word. */
static u32 operate(const struct futex_op *op, u32 old)
{
	switch (op->op) {
	case 0:
		return op->operand;
	case 1:
		return old + op->operand;
	case 2:
		return old | op->operand;
	case 3:
		return old & ~op->operand;
	default:
		return old ^ op->operand;
	}
}

static bool compares(const struct futex_op *op, s32 old)
{
	switch (op->compare) {
	case 0:
		return old == op->against;
	case 1:
		return old != op->against;
	case 2:
		return old < op->against;
	case 3:
		return old <= op->against;
	case 4:
		return old > op->against;
	default:
		return old >= op->against;
	}
}

/*
 * Change the second word; wake nr that wait on the first, and nr_second on the second if its old
 * value compares. Both wake-ups come after the change, so nobody sleeps on an old value. Returns
 * how many were woken; -ENOSYS: no such operation; else as futex_wake().
 * Locks: a bucket's. Context: a process, may sleep.
 */
int futex_wake_op(struct futex f, struct futex second, int nr, int nr_second,
		  const struct futex_op *op)
{
	u32 old, expected;
	int woken, more = 0;

	if (op->op > 4 || op->compare > 5)
		return -ENOSYS;
	if (f.word % sizeof(u32) || second.word % sizeof(u32))
		return -EINVAL;
	if (read_word(second.word, &old))
		return -EFAULT;
	do {
		expected = old;
		if (cmpxchg_user(second.word, &old, operate(op, expected)))
			return -EFAULT;
		if (proc_dying())
			return -EINTR;
	} while (old != expected);
	woken = futex_wake(f, nr, FUTEX_ANY);
	if (woken >= 0 && compares(op, (s32)old))
		more = futex_wake(second, nr_second, FUTEX_ANY);
	return more < 0 || woken < 0 ? MIN(more, woken) : woken + more;
}

/* --- the end of a task */

/*
 * Task tid dies with the lock at `word` held: say so in it and wake one. Who comes to wait
 * between the two copies finds another value than it expects, and looks again.
 */
static void release_robust(uaddr_t word, u32 tid)
{
	struct futex f = { .word = word };
	u32 value;

	if (word % sizeof(value) || read_word(word, &value) || (value & WORD_TID) != tid)
		return;
	value = (value & WORD_WAITERS) | WORD_OWNER_DIED;
	if (!copy_to_user(word, &value, sizeof(value)) && futex_wake(f, 1, FUTEX_ANY) < 0)
		return;			/* unmapped by another task: nobody can wait there */
}

struct robust_head {
	u64 next;			/* bit 0 of each link is not address */
	s64 offset;			/* from an entry to its lock word */
	u64 pending;			/* an entry being linked or unlinked, or 0 */
};

static void release_robust_list(struct proc *p)
{
	uaddr_t start = p->robust_list, entry;
	struct robust_head head;
	u64 next;

	p->robust_list = 0;
	if (!start || copy_from_user(&head, start, sizeof(head)))
		return;
	entry = head.next & ~1ull;
	for (int i = 0; i < ROBUST_LIMIT && entry != start; i++) {
		if (copy_from_user(&next, entry, sizeof(next)))
			break;
		if (entry != (head.pending & ~1ull))
			release_robust(entry + (u64)head.offset, (u32)p->pid);
		entry = next & ~1ull;
		cond_resched();
	}
	if (head.pending)
		release_robust((head.pending & ~1ull) + (u64)head.offset, (u32)p->pid);
}

/*
 * The caller p ends, or takes another program: locks that it holds go to others, and its
 * clear_tid word becomes 0 with a wake-up, as who joins it expects; in memory that nobody
 * shares nobody looks. What cannot be written is the program's own affair.
 * Locks: none held. Context: a process that still has its memory.
 */
void futex_task_end(struct proc *p)
{
	struct futex f = { .word = p->clear_tid };
	u32 zero = 0;

	if (!p->mm)
		return;
	release_robust_list(p);
	p->clear_tid = 0;
	if (!f.word || refcount_read(&p->mm->users) < 2)
		return;
	if (copy_to_user(f.word, &zero, sizeof(zero)) || futex_wake(f, 1, FUTEX_ANY) < 0)
		return;
}
