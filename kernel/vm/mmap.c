/* SPDX-License-Identifier: MIT */
/*
 * The cores of mmap, munmap, mprotect and brk for anonymous memory.
 *
 * Each checks everything and allocates what it needs first, then acts in a way that cannot
 * fail: on -ENOMEM nothing has changed.
 *
 * Locking: each takes mm->lock for writing.
 */
#include "kernel/vm/vm_impl.h"

/* [start, start + bytes), rounded up to pages, as the user gave it: is it in user space? */
static bool range_valid(uaddr_t start, size_t bytes, uaddr_t *end)
{
	if (start < USER_MIN || start >= USER_MAX || bytes > (USER_MAX & PAGE_MASK) - start)
		return false;
	*end = ALIGN_UP(start + bytes, PAGE_SIZE);
	return true;
}

/* The highest free range of that many bytes below the stack's place, 0: none. */
static uaddr_t find_gap(struct mm *mm, size_t bytes)
{
	uaddr_t top = VM_MMAP_BASE, low;

	for (struct vma *v = vma_prev(mm, NULL); v; v = vma_prev(mm, v)) {
		if (v->end <= top && top - v->end >= bytes)
			return top - bytes;
		low = v->start;
		if (v->flags & VMA_GROWSDOWN)
			low -= MIN(low, STACK_GUARD_BYTES);
		top = MIN(top, low);
	}
	return top >= USER_MIN && top - USER_MIN >= bytes ? top - bytes : 0;
}

/* Where a mapping without MAP_FIXED goes: at the hint if that is free, else anywhere. 0: no
 * room. */
static uaddr_t choose_place(struct mm *mm, uaddr_t hint, size_t bytes)
{
	uaddr_t end;

	if (hint) {
		hint = MAX(ALIGN_DOWN(hint, PAGE_SIZE), (uaddr_t)USER_MIN);
		if (range_valid(hint, bytes, &end) && vma_range_free(mm, hint, end))
			return hint;
	}
	return find_gap(mm, bytes);
}

/* MAP_FIXED: 0 if the range may be used, else why not. */
static int check_fixed(struct mm *mm, uaddr_t start, size_t bytes, bool replace)
{
	const struct vma *v;
	uaddr_t end;

	if (!IS_ALIGNED(start, PAGE_SIZE))
		return -EINVAL;
	if (start < USER_MIN)
		return -EPERM;
	if (!range_valid(start, bytes, &end))
		return -ENOMEM;
	v = vma_find(mm, start);
	return !replace && v && v->start < end ? -EEXIST : 0;
}

/* The area that loses its middle when [start, end) is unmapped, or NULL. */
static struct vma *cut_in_two(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct vma *v = vma_find(mm, start);

	return v && v->start < start && v->end > end ? v : NULL;
}

static int map_locked(struct mm *mm, uaddr_t start, uaddr_t end, unsigned flags)
{
	unsigned more = cut_in_two(mm, start, end) ? 2 : 1;
	struct vma *v;
	int err;

	if (mm->nr_areas + more > VM_MAX_AREAS)
		return -ENOMEM;
	v = vma_alloc(start, end, flags);
	if (!v)
		return -ENOMEM;
	err = vm_unmap_locked(mm, start, end);
	if (err) {
		vma_free(v);
		return err;
	}
	vma_insert(mm, v);
	vma_merge(mm, start, end);
	return 0;
}

/* Map anonymous memory: bytes (rounded up to pages) with vma_flags. *addr is the hint or the
 * fixed address, and on success where it is. Returns 0; -EINVAL (no bytes, fixed and not
 * aligned), -EEXIST (VM_FIXED_NOREPLACE, taken), -EPERM (fixed, below user space), -ENOMEM.
 * Locks: takes mm->lock. Context: thread. */
int vm_map(struct mm *mm, uaddr_t *addr, size_t bytes, unsigned vma_flags, enum vm_place place)
{
	uaddr_t start = *addr;
	int err = 0;

	if (bytes == 0)
		return -EINVAL;
	if (bytes > USER_MAX - USER_MIN)
		return -ENOMEM;
	bytes = ALIGN_UP(bytes, PAGE_SIZE);
	write_lock(&mm->lock);
	if (place == VM_ANYWHERE)
		start = choose_place(mm, start, bytes);
	else
		err = check_fixed(mm, start, bytes, place == VM_FIXED);
	if (!err && !start)
		err = -ENOMEM;
	if (!err)
		err = map_locked(mm, start, start + bytes, vma_flags);
	write_unlock(&mm->lock);
	if (!err)
		*addr = start;
	return err;
}

/* Take [start, end) out of v, which it touches. upper becomes the rest of v above the range
 * when there is also one below. */
static void cut_area(struct mm *mm, struct vma *v, uaddr_t start, uaddr_t end,
		     struct vma *upper)
{
	if (v->start >= start && v->end <= end) {
		vma_remove(mm, v);
	} else if (v->start >= start) {
		v->start = end;
	} else {
		v->end = start;
		if (upper)
			vma_insert(mm, upper);
	}
}

/* Unmap [start, end). Fails only when that cuts one area in two: -ENOMEM, nothing changed.
 * Locks: mm->lock for writing. Context: thread. */
int vm_unmap_locked(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct vma *v = cut_in_two(mm, start, end), *next, *upper = NULL;

	ASSERT(rwlock_is_write_held(&mm->lock));
	if (v) {
		if (mm->nr_areas >= VM_MAX_AREAS)
			return -ENOMEM;
		upper = vma_alloc(end, v->end, v->flags);
		if (!upper)
			return -ENOMEM;
	}
	for (v = vma_find(mm, start); v && v->start < end; v = next) {
		next = vma_next(mm, v);
		pgtable_free_range(mm, MAX(start, v->start), MIN(end, v->end));
		cut_area(mm, v, start, end, upper);
	}
	return 0;
}

/* munmap: unmap the pages of [start, start + bytes); holes are fine. Returns 0, -EINVAL (not
 * aligned, no bytes, outside user space) or -ENOMEM (would cut an area in two).
 * Locks: takes mm->lock. Context: thread. */
int vm_unmap(struct mm *mm, uaddr_t start, size_t bytes)
{
	uaddr_t end;
	int err;

	if (!IS_ALIGNED(start, PAGE_SIZE) || bytes == 0)
		return -EINVAL;
	if (start < USER_MIN) {
		/* Nothing can be mapped there: as harmless as any other hole. */
		size_t below = MIN(bytes, USER_MIN - start);

		start += below;
		bytes -= below;
		if (bytes == 0)
			return 0;
	}
	if (!range_valid(start, bytes, &end))
		return -EINVAL;
	write_lock(&mm->lock);
	err = vm_unmap_locked(mm, start, end);
	write_unlock(&mm->lock);
	return err;
}

/* Is every page of [start, end) in some area? */
static bool fully_mapped(struct mm *mm, uaddr_t start, uaddr_t end)
{
	for (struct vma *v = vma_find(mm, start); v; v = vma_next(mm, v)) {
		if (v->start > start)
			return false;
		start = v->end;
		if (start >= end)
			return true;
	}
	return false;
}

/* Set the entries of v as its flags say now. */
static void update_leaves(struct mm *mm, const struct vma *v)
{
	uaddr_t addr = v->start, stop, first = v->end, last = 0;
	pte_t *leaf;

	for (; (leaf = pgtable_next(mm, &addr, v->end, &stop)) != NULL; addr = stop) {
		unsigned long nr = (stop - addr) / PAGE_SIZE;

		for (unsigned long i = 0; i < nr; i++) {
			if (!leaf[i])
				continue;
			WRITE_ONCE(leaf[i], pgtable_leaf(v->flags, pte_page(leaf[i])));
			first = MIN(first, addr + i * PAGE_SIZE);
			last = addr + i * PAGE_SIZE;
		}
		cond_resched();
	}
	if (first <= last)
		space_flush(&mm->space, first, last + PAGE_SIZE);
}

static int protect_locked(struct mm *mm, uaddr_t start, uaddr_t end, unsigned prot)
{
	int err;

	if (!fully_mapped(mm, start, end))
		return -ENOMEM;
	err = vma_split(mm, start);
	if (!err)
		err = vma_split(mm, end);
	if (err) {
		vma_merge(mm, start, end);
		return err;
	}
	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(mm, v)) {
		unsigned flags = (v->flags & ~VMA_PROT) | prot;

		if (flags == v->flags)
			continue;
		v->flags = flags;
		update_leaves(mm, v);
	}
	vma_merge(mm, start, end);
	return 0;
}

/* mprotect: the rights of [start, start + bytes) become prot (VMA_READ, WRITE, EXEC). Returns
 * 0, -EINVAL (not aligned, other bits), or -ENOMEM with nothing changed (a hole in the range,
 * no memory or too many areas). Locks: takes mm->lock. Context: thread. */
int vm_protect(struct mm *mm, uaddr_t start, size_t bytes, unsigned prot)
{
	uaddr_t end;
	int err;

	if (!IS_ALIGNED(start, PAGE_SIZE) || (prot & ~VMA_PROT))
		return -EINVAL;
	if (bytes == 0)
		return 0;
	if (!range_valid(start, bytes, &end))
		return -ENOMEM;
	write_lock(&mm->lock);
	err = protect_locked(mm, start, end, prot);
	write_unlock(&mm->lock);
	return err;
}

static int brk_locked(struct mm *mm, uaddr_t new_end)
{
	uaddr_t old_top = ALIGN_UP(mm->brk_end, PAGE_SIZE);
	uaddr_t new_top = ALIGN_UP(new_end, PAGE_SIZE);

	if (new_top < old_top)
		return vm_unmap_locked(mm, new_top, old_top);
	if (new_top == old_top)
		return 0;
	if (!vma_range_free(mm, old_top, new_top))
		return -ENOMEM;
	return map_locked(mm, old_top, new_top, VMA_READ | VMA_WRITE);
}

/* brk: move the end of the heap to new_end, if that can be. Returns the end in force. The
 * break is exact to the byte, memory to the page. Locks: takes mm->lock. Context: thread. */
uaddr_t vm_brk(struct mm *mm, uaddr_t new_end)
{
	uaddr_t end;

	write_lock(&mm->lock);
	if (mm->brk_start && new_end >= mm->brk_start && new_end <= (USER_MAX & PAGE_MASK) &&
	    brk_locked(mm, new_end) == 0)
		mm->brk_end = new_end;
	end = mm->brk_end;
	write_unlock(&mm->lock);
	return end;
}
