/* SPDX-License-Identifier: MIT */
/* Looking into an address space from outside: its bytes and its areas, for who has a reference
 * to it. Nothing is faulted in, and nothing changes. */
#include "kernel/lib/string.h"
#include "kernel/vm/vm_impl.h"

/* Copy what is mapped at addr, at most to the end of its page. Returns the bytes; 0: nothing. */
static size_t peek_page(struct mm *mm, uaddr_t addr, char *buf, size_t bytes)
{
	size_t in_page = addr % PAGE_SIZE, part = MIN(bytes, PAGE_SIZE - in_page);
	pte_t *pte;

	read_lock(&mm->lock);
	pte = pgtable_walk(mm, addr, false);
	if (pte && *pte)
		memcpy(buf, (char *)page_to_virt(pte_page(*pte)) + in_page, part);
	else
		part = 0;
	read_unlock(&mm->lock);
	return part;
}

/* Copy bytes at addr into buf, up to the first page that is not there. Returns how many.
 * Locks: mm's, taken to read. Context: may sleep. */
size_t vm_peek(struct mm *mm, uaddr_t addr, char *buf, size_t bytes)
{
	size_t done = 0, part = 1;

	if (addr < USER_MIN || addr >= USER_MAX || bytes > USER_MAX - addr)
		return 0;
	while (done < bytes && part) {
		part = peek_page(mm, addr + done, buf + done, bytes - done);
		done += part;
	}
	return done;
}

/* Hand each area to see(), lowest first. Locks: mm's, held to read: see() must not sleep on
 * anything that a fault might hold. */
void vm_for_each_area(struct mm *mm, void (*see)(const struct vma *v, void *arg), void *arg)
{
	struct vma *v;

	read_lock(&mm->lock);
	list_for_each(v, &mm->areas, link)
		see(v, arg);
	read_unlock(&mm->lock);
}
