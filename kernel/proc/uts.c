/* SPDX-License-Identifier: MIT */
/* The names of this machine and of its network domain. */
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/procfiles.h"

static struct spinlock uts_lock = SPINLOCK_INIT(RANK_PROC, "uts");
static char names[NR_UTS_NAMES][UTS_NAME_MAX + 1] = {	/* [uts lock] */
	[UTS_HOST] = "tally", [UTS_DOMAIN] = "(none)",
};

/* The name, NUL-terminated. Locks: the uts lock. */
void uts_get(enum uts_name which, char out[UTS_NAME_MAX + 1])
{
	spin_lock(&uts_lock);
	memcpy(out, names[which], UTS_NAME_MAX + 1);
	spin_unlock(&uts_lock);
}

/* Change it. Returns 0 or -EINVAL: longer than UTS_NAME_MAX. Locks: the uts lock. */
int uts_set(enum uts_name which, const char *name)
{
	if (str_len(name) > UTS_NAME_MAX)
		return -EINVAL;
	spin_lock(&uts_lock);
	str_copy(names[which], name, UTS_NAME_MAX + 1);
	spin_unlock(&uts_lock);
	return 0;
}
