/* SPDX-License-Identifier: MIT */
/*
 * The change of a task's credentials, and the number of tasks that each user has (RLIMIT_NPROC
 * counts them by real uid, zombies included).
 *
 * A user is in the table while a task of theirs is, or is about to be: user_prepare() makes
 * the entry beforehand, since a task that is born or reaped must not wait for memory. Entries
 * are never many: one for each uid that ever ran. Root is not counted.
 *
 * Locking: proc lock. Credentials are the task's own to change, others read them under it.
 */
#include "kernel/lib/errno.h"
#include "kernel/proc/proc.h"

#define NR_USER_BUCKETS	16u

struct user {
	struct user *next;		/* [proc lock] in the same bucket */
	u32 uid;			/* [I] */
	long nr_tasks;			/* [proc lock] */
};

static struct user *users[NR_USER_BUCKETS];	/* [proc lock] */

static struct user *find_user_locked(u32 uid)
{
	struct user *u = users[uid % NR_USER_BUCKETS];

	assert_held(&proc_lock);
	while (u && u->uid != uid)
		u = u->next;
	return u;
}

/* See that the user is in the table. Returns 0 or -EAGAIN: no memory.
 * Locks: proc lock taken. Context: may sleep; what it takes is charged to nobody, as it stays. */
int user_prepare(unsigned uid)
{
	struct user *fresh, *found;

	if (uid == 0)
		return 0;
	spin_lock(&proc_lock);
	found = find_user_locked(uid);
	spin_unlock(&proc_lock);
	if (found)
		return 0;
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL | GFP_NOACCOUNT);
	if (!fresh)
		return -EAGAIN;
	fresh->uid = uid;
	spin_lock(&proc_lock);
	found = find_user_locked(uid);
	if (!found) {
		fresh->next = users[uid % NR_USER_BUCKETS];
		users[uid % NR_USER_BUCKETS] = fresh;
	}
	spin_unlock(&proc_lock);
	if (found)
		kfree(fresh);
	return 0;
}

/* p's user has that many tasks more. Locks: proc lock held. */
void user_count_locked(const struct proc *p, int by)
{
	struct user *u = p->cred->uid ? find_user_locked(p->cred->uid) : NULL;

	if (u)
		u->nr_tasks += by;
}

/* Returns 0, or -EAGAIN: parent's user has as many tasks as its limit allows. Others may fork at
 * the same time, so there may be a few more. Locks: proc lock taken. */
int user_check_nproc(const struct proc *parent)
{
	u64 limit = limit_current(RLIMIT_NPROC);
	struct user *u;
	bool full;

	if (parent->cred->uid == 0 || parent->cred->euid == 0 || limit == RLIM_INFINITY)
		return 0;
	spin_lock(&proc_lock);
	u = find_user_locked(parent->cred->uid);
	full = u && (u64)u->nr_tasks >= limit;
	spin_unlock(&proc_lock);
	return full ? -EAGAIN : 0;
}

/* The caller p acts as cred from now on, whose reference it takes; cred's user is in the table.
 * Who gains or loses rights forgets what was set for the old ones. Returns whether that is so.
 * Locks: proc lock taken. */
bool cred_commit_exec(struct proc *p, struct cred *cred)
{
	struct cred *old = p->cred;
	bool rights = cred->euid != old->euid || cred->egid != old->egid ||
		      cred->fsuid != old->fsuid || cred->fsgid != old->fsgid;

	spin_lock(&proc_lock);
	user_count_locked(p, -1);
	p->cred = cred;
	user_count_locked(p, 1);
	if (rights) {
		p->group->dumpable = false;
		p->death_signal = 0;
	}
	spin_unlock(&proc_lock);
	cred_put(old);
	return rights;
}

/* The same for a system call. Returns 0, or -EAGAIN with cred given back: no memory.
 * Locks: proc lock taken. Context: may sleep. */
int cred_commit(struct cred *cred)
{
	int err = user_prepare(cred->uid);

	if (err)
		cred_put(cred);
	else
		(void)cred_commit_exec(proc_current(), cred);
	return err;
}
