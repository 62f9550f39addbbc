/* SPDX-License-Identifier: MIT */
/*
 * System calls on who the caller is: Linux's rules for its twelve ids. Root (euid 0) may become
 * anyone; others may only move among the ids that they have. (u32)-1 stands for "leave it".
 */
#include "kernel/sys/calls.h"

#define KEEP		(~0u)
#define CAP_VERSION_1	0x19980330u
#define CAP_VERSION_2	0x20071026u
#define CAP_VERSION_3	0x20080522u
#define CAP_ALL		((1ull << 41) - 1)

static const struct cred *own(void)
{
	return proc_current()->cred;
}

static bool is_root(void)
{
	return own()->euid == 0;
}

/* getuid(). */
long sys_getuid(struct syscall *c)
{
	(void)c;
	return own()->uid;
}

/* geteuid(). */
long sys_geteuid(struct syscall *c)
{
	(void)c;
	return own()->euid;
}

/* getgid(). */
long sys_getgid(struct syscall *c)
{
	(void)c;
	return own()->gid;
}

/* getegid(). */
long sys_getegid(struct syscall *c)
{
	(void)c;
	return own()->egid;
}

static long put_ids(struct syscall *c, u32 real, u32 effective, u32 saved)
{
	if (user_put(c->arg[0], &real, sizeof(real)) ||
	    user_put(c->arg[1], &effective, sizeof(effective)))
		return -EFAULT;
	return user_put(c->arg[2], &saved, sizeof(saved));
}

/* getresuid(real, effective, saved). */
long sys_getresuid(struct syscall *c)
{
	return put_ids(c, own()->uid, own()->euid, own()->suid);
}

/* getresgid(real, effective, saved). */
long sys_getresgid(struct syscall *c)
{
	return put_ids(c, own()->gid, own()->egid, own()->sgid);
}

/* --- the changes: uids and gids follow the same rules */

struct ids {
	u32 real, effective, saved, fs;
};

static struct ids get_ids(const struct cred *cred, bool group)
{
	if (group)
		return (struct ids){ cred->gid, cred->egid, cred->sgid, cred->fsgid };
	return (struct ids){ cred->uid, cred->euid, cred->suid, cred->fsuid };
}

static long set_ids(bool group, const struct ids *ids)
{
	struct cred *cred = cred_copy(own());

	if (!cred)
		return -ENOMEM;
	if (group) {
		cred->gid = ids->real;
		cred->egid = ids->effective;
		cred->sgid = ids->saved;
		cred->fsgid = ids->fs;
	} else {
		cred->uid = ids->real;
		cred->euid = ids->effective;
		cred->suid = ids->saved;
		cred->fsuid = ids->fs;
	}
	return cred_commit(cred);
}

static bool has(const struct ids *ids, u32 id, bool saved)
{
	return id == ids->real || id == ids->effective || (saved && id == ids->saved);
}

static long set_id(u32 id, bool group)
{
	struct ids ids = get_ids(own(), group);

	if (id == KEEP)
		return -EINVAL;
	if (is_root())
		ids.real = ids.saved = id;
	else if (id != ids.real && id != ids.saved)
		return -EPERM;
	ids.effective = ids.fs = id;
	return set_ids(group, &ids);
}

static long set_real_effective(u32 real, u32 effective, bool group)
{
	const struct ids old = get_ids(own(), group);
	struct ids ids = old;

	if (real != KEEP && !is_root() && !has(&old, real, false))
		return -EPERM;
	if (effective != KEEP && !is_root() && !has(&old, effective, true))
		return -EPERM;
	if (real != KEEP)
		ids.real = real;
	if (effective != KEEP)
		ids.effective = effective;
	if (real != KEEP || (effective != KEEP && effective != old.real))
		ids.saved = ids.effective;
	ids.fs = ids.effective;
	return set_ids(group, &ids);
}

static long set_all(const u64 arg[], bool group)
{
	const struct ids old = get_ids(own(), group);
	u32 to[3] = { (u32)arg[0], (u32)arg[1], (u32)arg[2] };
	struct ids ids;

	for (unsigned i = 0; i < ARRAY_SIZE(to); i++) {
		if (to[i] != KEEP && !is_root() && !has(&old, to[i], true))
			return -EPERM;
	}
	ids.real = to[0] == KEEP ? old.real : to[0];
	ids.effective = to[1] == KEEP ? old.effective : to[1];
	ids.saved = to[2] == KEEP ? old.saved : to[2];
	ids.fs = ids.effective;
	return set_ids(group, &ids);
}

static long set_fs(u32 id, bool group)
{
	struct ids ids = get_ids(own(), group);
	u32 old = ids.fs;

	if (id == KEEP || id == old || (!is_root() && !has(&ids, id, true)))
		return old;
	ids.fs = id;
	(void)set_ids(group, &ids);
	return old;
}

/* setuid(uid): root's becomes all of them, for good. */
long sys_setuid(struct syscall *c)
{
	return set_id((u32)c->arg[0], false);
}

/* setgid(gid). */
long sys_setgid(struct syscall *c)
{
	return set_id((u32)c->arg[0], true);
}

/* setreuid(real, effective). */
long sys_setreuid(struct syscall *c)
{
	return set_real_effective((u32)c->arg[0], (u32)c->arg[1], false);
}

/* setregid(real, effective). */
long sys_setregid(struct syscall *c)
{
	return set_real_effective((u32)c->arg[0], (u32)c->arg[1], true);
}

/* setresuid(real, effective, saved). */
long sys_setresuid(struct syscall *c)
{
	return set_all(c->arg, false);
}

/* setresgid(real, effective, saved). */
long sys_setresgid(struct syscall *c)
{
	return set_all(c->arg, true);
}

/* setfsuid(uid): the old one, whether it worked or not. */
long sys_setfsuid(struct syscall *c)
{
	return set_fs((u32)c->arg[0], false);
}

/* setfsgid(gid). */
long sys_setfsgid(struct syscall *c)
{
	return set_fs((u32)c->arg[0], true);
}

/* getgroups(size, list): how many supplementary groups; size 0 only asks. */
long sys_getgroups(struct syscall *c)
{
	const struct cred *cred = own();
	int size = (int)c->arg[0];

	if (size < 0 || (size && (unsigned)size < cred->nr_groups))
		return -EINVAL;
	if (size && user_put(c->arg[1], cred->groups, cred->nr_groups * sizeof(u32)))
		return -EFAULT;
	return cred->nr_groups;
}

/* setgroups(size, list): root only. */
long sys_setgroups(struct syscall *c)
{
	unsigned size = (unsigned)c->arg[0];
	struct cred *cred;

	if (!is_root())
		return -EPERM;
	if (size > NR_GROUPS_MAX)
		return -EINVAL;
	cred = cred_copy(own());
	if (!cred)
		return -ENOMEM;
	cred->nr_groups = size;
	if (user_get(cred->groups, c->arg[1], size * sizeof(u32))) {
		cred_put(cred);
		return -EFAULT;
	}
	return cred_commit(cred);
}

/* --- capabilities: root has them all and nobody else any; that cannot be changed */

struct cap_header {
	u32 version;
	s32 pid;
};

struct cap_words {
	u32 effective, permitted, inheritable;
};

static struct cap_words words_of(u64 effective, u64 permitted, unsigned shift)
{
	return (struct cap_words){ (u32)(effective >> shift), (u32)(permitted >> shift), 0 };
}

/* The header's version: how many words each set has; else 0, and ours is put there. */
static int check_header(uaddr_t user, struct cap_header *h, unsigned *nr_words)
{
	u32 ours = CAP_VERSION_3;

	if (user_get(h, user, sizeof(*h)))
		return -EFAULT;
	*nr_words = h->version == CAP_VERSION_1 ? 1 : 2;
	if (h->version == CAP_VERSION_1 || h->version == CAP_VERSION_2 ||
	    h->version == CAP_VERSION_3)
		return 0;
	return user_put(user, &ours, sizeof(ours)) ? -EFAULT : -EINVAL;
}

static int get_caps(int pid, struct cap_words out[2])
{
	struct proc *p;
	u64 effective = 0, permitted = 0;

	spin_lock(&proc_lock);
	p = pid ? proc_find_locked(pid) : proc_current();
	if (p) {
		effective = p->cred->euid == 0 ? CAP_ALL : 0;
		permitted = p->cred->uid && p->cred->euid && p->cred->suid ? 0 : CAP_ALL;
	}
	spin_unlock(&proc_lock);
	out[0] = words_of(effective, permitted, 0);
	out[1] = words_of(effective, permitted, 32);
	return p ? 0 : -ESRCH;
}

/* capget(header, data). */
long sys_capget(struct syscall *c)
{
	struct cap_header h;
	struct cap_words caps[2];
	unsigned nr_words;
	int err = check_header(c->arg[0], &h, &nr_words);

	if (err)
		return err == -EINVAL && !c->arg[1] ? 0 : err;
	if (h.pid < 0)
		return -EINVAL;
	err = get_caps(h.pid, caps);
	return err || !c->arg[1] ? err : user_put(c->arg[1], caps, nr_words * sizeof(caps[0]));
}

/* capset(header, data): what the caller has already; -EPERM for any other set. */
long sys_capset(struct syscall *c)
{
	struct cap_header h;
	struct cap_words caps[2], want[2];
	unsigned nr_words;
	int err = check_header(c->arg[0], &h, &nr_words);

	if (err)
		return err;
	if (h.pid && h.pid != proc_current()->pid)
		return -EPERM;
	err = get_caps(0, caps);
	if (err || user_get(want, c->arg[1], nr_words * sizeof(want[0])))
		return err ? err : -EFAULT;
	for (unsigned i = 0; i < nr_words; i++) {
		if (want[i].effective != caps[i].effective ||
		    want[i].permitted != caps[i].permitted || want[i].inheritable)
			return -EPERM;
	}
	return 0;
}
