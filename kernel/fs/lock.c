/* SPDX-License-Identifier: MIT */
/*
 * Advisory locks. A record lock belongs to a descriptor table, so to a process, and goes when
 * that closes any descriptor of the file; flock()'s belongs to the open file and goes with it.
 * The two kinds do not see each other. Locks are few: all are in one list, under one spinlock
 * (RANK_FS), and who waits for one asks again whenever any is given back. Nothing looks for
 * processes that wait for each other: a signal ends their waits.
 *
 * A lock's inode has no reference of ours: its owner has the file open.
 */
#include "kernel/fs/lock.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "kernel/sched/wait.h"
#include "mm/kmem.h"

#define END_MAX		(s64)(~0ull >> 1)

struct lock {
	struct list link;
	const void *owner;		/* struct files of a record lock, or struct file */
	const struct inode *inode;
	bool record;
	int type, pid;
	s64 start, end;			/* both included */
};

static struct spinlock locks_lock = SPINLOCK_INIT(RANK_FS, "file locks");
static struct list locks = LIST_INIT(locks);	/* [locks lock] */
static atomic_int nr_locks;			/* [a] */
static struct waitq waiters = WAITQ_INIT(waiters);

static struct lock *find_conflict_locked(const struct lock *want)
{
	struct lock *l;

	assert_held(&locks_lock);
	list_for_each(l, &locks, link) {
		if (l->inode == want->inode && l->record == want->record &&
		    l->owner != want->owner && l->start <= want->end && l->end >= want->start &&
		    (l->type == F_WRLCK || want->type == F_WRLCK))
			return l;
	}
	return NULL;
}

/* l, of the same owner as want, meets it: the part of l that want covers goes. A part behind
 * want becomes *spare, which is used up. Returns whether nothing of l is left. */
static bool cut_locked(struct lock *l, struct lock *want, struct lock **spare)
{
	assert_held(&locks_lock);
	if (l->type == want->type) {
		want->start = MIN(want->start, l->start);
		want->end = MAX(want->end, l->end);
		return true;
	}
	if (l->start >= want->start && l->end <= want->end)
		return true;
	if (l->start < want->start && l->end > want->end) {
		struct lock *behind = *spare;

		*spare = NULL;
		*behind = *l;
		behind->start = want->end + 1;
		list_push(&locks, &behind->link);
		atomic_add_return(&nr_locks, 1);
	}
	if (l->start < want->start)
		l->end = want->start - 1;
	else
		l->start = want->end + 1;
	return false;
}

/* Neighbours of one type become one lock. */
static bool meets(const struct lock *l, const struct lock *want)
{
	s64 near = l->type == want->type;

	return l->start - (l->start ? near : 0) <= want->end &&
	       want->start - (want->start ? near : 0) <= l->end;
}

/* Make the owner's locks what want says. fresh: memory for it and for one more. */
static void apply_locked(struct lock *want, struct lock *fresh[2], struct list *dead)
{
	struct lock *l, *next;

	list_for_each_safe(l, next, &locks, link) {
		if (l->owner != want->owner || l->inode != want->inode || !meets(l, want) ||
		    !cut_locked(l, want, &fresh[1]))
			continue;
		list_remove(&l->link);
		list_push(dead, &l->link);
		atomic_sub_return(&nr_locks, 1);
	}
	if (want->type == F_UNLCK)
		return;
	*fresh[0] = *want;
	list_push(&locks, &fresh[0]->link);
	fresh[0] = NULL;
	atomic_add_return(&nr_locks, 1);
}

static void free_all(struct list *dead)
{
	struct lock *l, *next;

	list_for_each_safe(l, next, dead, link) {
		list_remove(&l->link);
		kfree(l);
	}
}

static int change(struct lock *want, bool wait)
{
	struct lock *fresh[2] = { kmalloc(sizeof(**fresh), GFP_KERNEL),
				  kmalloc(sizeof(**fresh), GFP_KERNEL) };
	struct list dead = LIST_INIT(dead);
	int err = fresh[0] && fresh[1] ? 0 : -ENOLCK;

	if (err)
		goto free;
	spin_lock(&locks_lock);
	if (want->type != F_UNLCK && find_conflict_locked(want)) {
		err = -EAGAIN;
		if (wait)
			err = waitq_wait_locked(&waiters, &locks_lock, !find_conflict_locked(want));
	}
	if (!err)
		apply_locked(want, fresh, &dead);
	spin_unlock(&locks_lock);
	if (!err)
		waitq_wake_all(&waiters);
	free_all(&dead);
free:
	kfree(fresh[0]);
	kfree(fresh[1]);
	return err;
}

/* The bytes that range means in file. */
static int parse(struct file *file, const struct file_range *range, struct lock *out)
{
	s64 base = 0;

	if (range->whence == SEEK_CUR)
		base = (s64)READ_ONCE(file->pos);
	else if (range->whence == SEEK_END)
		base = (s64)READ_ONCE(file->inode->size);
	else if (range->whence != SEEK_SET)
		return -EINVAL;
	if (__builtin_add_overflow(base, range->start, &out->start))
		return -EOVERFLOW;
	if (out->start < 0)
		return -EINVAL;
	out->end = END_MAX;
	if (range->len > 0 && __builtin_add_overflow(out->start, range->len - 1, &out->end))
		return -EOVERFLOW;
	if (range->len < 0) {
		out->end = out->start - 1;
		out->start += range->len;
	}
	return out->start < 0 ? -EINVAL : 0;
}

/*
 * Lock or unlock a range for a process, by its table of files; fd is where it found the file.
 * Returns 0; -EAGAIN: somebody else's lock is in the way (wait: sleeps until it is not);
 * -EBADF: not open for that, or closed meanwhile; -EINVAL, -EOVERFLOW, -ENOLCK (no memory).
 */
int file_lock(struct files *files, int fd, struct file *file, const struct file_range *range,
	      bool wait)
{
	struct lock want = { .owner = files, .inode = file->inode, .record = true,
			     .type = range->type, .pid = vfs_pid() };
	struct file *again;
	int err = parse(file, range, &want);

	if (err)
		return err;
	if (range->type != F_RDLCK && range->type != F_WRLCK && range->type != F_UNLCK)
		return -EINVAL;
	if ((range->type == F_RDLCK && !file_readable(file)) ||
	    (range->type == F_WRLCK && !file_writable(file)))
		return -EBADF;
	err = change(&want, wait);
	if (err || range->type == F_UNLCK)
		return err;
	/* A close by another thread may have come before the lock was there to be given back. */
	again = files_lookup(files, fd);
	if (again != file) {
		file_locks_release(files, file->inode);
		err = -EBADF;
	}
	file_put(again);
	return err;
}

/* What is in the way of locking that range, into *range; type F_UNLCK: nothing. */
int file_lock_test(struct files *files, struct file *file, struct file_range *range)
{
	struct lock want = { .owner = files, .inode = file->inode, .record = true,
			     .type = range->type };
	struct lock *l;
	int err = parse(file, range, &want);

	if (err)
		return err;
	if (range->type != F_RDLCK && range->type != F_WRLCK)
		return -EINVAL;
	spin_lock(&locks_lock);
	l = find_conflict_locked(&want);
	range->type = l ? l->type : F_UNLCK;
	if (l) {
		range->start = l->start;
		range->len = l->end == END_MAX ? 0 : l->end - l->start + 1;
		range->pid = l->pid;
	}
	spin_unlock(&locks_lock);
	return 0;
}

/* Lock an open file as a whole, or unlock it. Returns as file_lock(). */
int file_flock(struct file *file, int type, bool wait)
{
	struct lock want = { .owner = file, .inode = file->inode, .type = type, .end = END_MAX };

	return change(&want, wait);
}

/* Give back what owner holds of inode: it is about to close it. Context: no spinlocks. */
void file_locks_release(const void *owner, const struct inode *inode)
{
	struct list dead = LIST_INIT(dead);
	struct lock *l, *next;

	if (likely(!atomic_load(&nr_locks)))
		return;
	spin_lock(&locks_lock);
	list_for_each_safe(l, next, &locks, link) {
		if (l->owner != owner || l->inode != inode)
			continue;
		list_remove(&l->link);
		list_push(&dead, &l->link);
		atomic_sub_return(&nr_locks, 1);
	}
	spin_unlock(&locks_lock);
	if (!list_empty(&dead))
		waitq_wake_all(&waiters);
	free_all(&dead);
}
