/* SPDX-License-Identifier: MIT */
/*
 * Credentials and the one question that modes answer: may the caller use this inode so? Of
 * the three triples of a mode exactly one counts, the first whose class the caller is in, also
 * when a later one would allow more. Root passes, but executes a file only if somebody may.
 */
#include "kernel/fs/cred.h"
#include "kernel/fs/inode.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/panic.h"
#include "mm/kmem.h"

static struct kmem_cache *cred_cache;	/* [I] */
struct cred cred_root = { .refs = REFCOUNT_INIT(1) };

/* Context: boot, once; panics when there is no memory. */
void cred_init_cache(void)
{
	cred_cache = kmem_cache_create("cred", sizeof(struct cred), 0, 0, NULL);
	if (!cred_cache)
		panic("cred: no memory for the cred cache");
}

/* A copy with one reference that nobody else sees: the caller changes it and then gives it to
 * a task. NULL: no memory. */
struct cred *cred_copy(const struct cred *from)
{
	struct cred *cred = kmem_cache_alloc(cred_cache, GFP_KERNEL);

	if (!cred)
		return NULL;
	*cred = *from;
	refcount_set(&cred->refs, 1);
	return cred;
}

/* One more reference; the caller has one, or is the task whose it is. */
struct cred *cred_get(const struct cred *cred)
{
	struct cred *shared = (struct cred *)cred;

	refcount_get(&shared->refs);
	return shared;
}

/* Drop a reference (NULL is fine). Context: any but interrupts. */
void cred_put(struct cred *cred)
{
	if (cred && refcount_put(&cred->refs))
		kmem_cache_free(cred_cache, cred);
}

static bool has_group(const struct cred *cred, u32 gid)
{
	for (unsigned i = 0; i < cred->nr_groups; i++) {
		if (cred->groups[i] == gid)
			return true;
	}
	return false;
}

/* Is gid the fsgid or one of the supplementary groups? Context: any. */
bool cred_in_group(const struct cred *cred, u32 gid)
{
	return cred->fsgid == gid || has_group(cred, gid);
}

/* Is the caller root where files are concerned? Context: any. */
bool cred_is_root(void)
{
	return cred_current()->fsuid == 0;
}

/* May the caller do what is left to the owner of inode? Context: any. */
bool cred_owns(const struct inode *inode)
{
	u32 fsuid = cred_current()->fsuid;

	return fsuid == 0 || fsuid == READ_ONCE(inode->uid);
}

static unsigned allowed(const struct inode *inode, const struct cred *cred, u32 uid, u32 gid)
{
	u32 mode = READ_ONCE(inode->mode), group = READ_ONCE(inode->gid);

	if (uid == 0) {
		if (S_ISDIR(mode) || (mode & 0111))
			return MAY_READ | MAY_WRITE | MAY_EXEC;
		return MAY_READ | MAY_WRITE;
	}
	if (uid == READ_ONCE(inode->uid))
		return mode >> 6;
	if (gid == group || has_group(cred, group))
		return mode >> 3;
	return mode;
}

/* May the caller do all of `may` (MAY_*) to inode? Returns 0 or -EACCES. The answer is one that
 * was true a moment ago. Context: any. */
int inode_permission(const struct inode *inode, unsigned may)
{
	const struct cred *cred = cred_current();
	bool real = may & MAY_REAL_IDS;
	unsigned can = allowed(inode, cred, real ? cred->uid : cred->fsuid,
			       real ? cred->gid : cred->fsgid);

	return may & ~MAY_REAL_IDS & ~can ? -EACCES : 0;
}

/* The same for what is no inode but has a mode and an owner, too (groups). */
int mode_permission(u32 mode, u32 uid, u32 gid, unsigned may)
{
	const struct inode stand_in = { .mode = mode, .uid = uid, .gid = gid };

	return inode_permission(&stand_in, may);
}
