/* SPDX-License-Identifier: MIT */
/* User copies: the range checks. The copying itself, which may fault, is uaccess.asm. */
#include "arch/uaccess.h"
#include "arch/memmap.h"
#include "kernel/lib/errno.h"

size_t uaccess_copy(void *dst, const void *src, size_t bytes);
size_t uaccess_clear(void *dst, size_t bytes);
long uaccess_string(char *dst, const char *src, size_t size);
int uaccess_cmpxchg(u32 *word, u32 *old, u32 new);

static bool user_range(uaddr_t start, size_t bytes)
{
	return start >= USER_MIN && start <= USER_MAX && bytes <= USER_MAX - start;
}

/* Copy in. Returns bytes not copied. Context: thread, no spinlock held. */
size_t copy_from_user(void *dst, uaddr_t src, size_t bytes)
{
	return user_range(src, bytes) ? uaccess_copy(dst, (const void *)src, bytes) : bytes;
}

/* Copy out. Returns bytes not copied. Context: thread, no spinlock held. */
size_t copy_to_user(uaddr_t dst, const void *src, size_t bytes)
{
	return user_range(dst, bytes) ? uaccess_copy((void *)dst, src, bytes) : bytes;
}

/* Zero user memory. Returns bytes not cleared. Context: thread, no spinlock held. */
size_t clear_user(uaddr_t dst, size_t bytes)
{
	return user_range(dst, bytes) ? uaccess_clear((void *)dst, bytes) : bytes;
}

/* Copy a string of at most size bytes with its NUL. Returns its length, -EFAULT, or
 * -ENAMETOOLONG without a NUL in size bytes. Context: thread, no spinlock held. */
long copy_string_from_user(char *dst, uaddr_t src, size_t size)
{
	size_t max;
	long len;

	if (!user_range(src, 1))
		return -EFAULT;
	max = USER_MAX - src < size ? USER_MAX - src : size;
	len = uaccess_string(dst, (const char *)src, max);
	if (len < 0)
		return -EFAULT;
	if ((size_t)len == max)
		return max < size ? -EFAULT : -ENAMETOOLONG;
	return len;
}

/* Compare and exchange an aligned word. Returns 0 with what was there in *old, or -EFAULT.
 * Context: thread, no spinlock held. */
int cmpxchg_user(uaddr_t word, u32 *old, u32 new)
{
	if (!user_range(word, sizeof(*old)) || uaccess_cmpxchg((u32 *)word, old, new))
		return -EFAULT;
	return 0;
}
