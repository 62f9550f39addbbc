/* SPDX-License-Identifier: MIT */
/*
 * The cores of mmap, munmap, mprotect and brk.
 *
 * Each checks everything and allocates what it needs first, then acts in a way that cannot
 * fail: on -ENOMEM nothing has changed.
 *
 * Locking: each takes mm->lock for writing.
 */
#include "kernel/vm/vm_impl.h"

/* [start, start + bytes), rounded up to pages to *end, as the user gave it: is it in user
 * space? */
bool vm_range_valid(uaddr_t start, size_t bytes, uaddr_t *end)
{
	if (start < USER_MIN || start >= USER_MAX || bytes > (USER_MAX & PAGE_MASK) - start)
		return false;
	*end = ALIGN_UP(start + bytes, PAGE_SIZE);
	return true;
}

/* The highest free range of that many bytes below the stack's place, 0: none.
 * Locks: mm->lock. */
uaddr_t vm_find_gap(struct mm *mm, size_t bytes)
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
		if (vm_range_valid(hint, bytes, &end) && vma_range_free(mm, hint, end))
			return hint;
	}
	return vm_find_gap(mm, bytes);
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
	if (!vm_range_valid(start, bytes, &end))
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

/* What counts for RLIMIT_DATA: private memory that may be written, the stack aside. */
static bool is_data(unsigned flags)
{
	return (flags & (VMA_WRITE | VMA_SHARED | VMA_GROWSDOWN)) == VMA_WRITE;
}

/* May the process have `more` pages in areas with these flags? Locks: mm->lock. */
bool vm_within_limits(struct mm *mm, unsigned flags, unsigned long more)
{
	u64 all = vm_limit(VM_LIMIT_SPACE), data = is_data(flags) ? vm_limit(VM_LIMIT_DATA) : ~0ull;
	unsigned long nr_all = more, nr_data = more;
	struct vma *v;

	if (all == ~0ull && data == ~0ull)
		return true;
	list_for_each(v, &mm->areas, link) {
		nr_all += (v->end - v->start) / PAGE_SIZE;
		if (is_data(v->flags))
			nr_data += (v->end - v->start) / PAGE_SIZE;
	}
	return nr_all <= all / PAGE_SIZE && nr_data <= data / PAGE_SIZE;
}

/* Pages of all areas, whether present or not. Locks: takes mm->lock. Context: thread. */
unsigned long vm_nr_mapped(struct mm *mm)
{
	unsigned long nr = 0;
	struct vma *v;

	read_lock(&mm->lock);
	list_for_each(v, &mm->areas, link)
		nr += (v->end - v->start) / PAGE_SIZE;
	read_unlock(&mm->lock);
	return nr;
}

static int map_locked(struct mm *mm, uaddr_t start, uaddr_t end, const struct vma *like)
{
	unsigned more = cut_in_two(mm, start, end) ? 2 : 1;
	struct vma *v;
	int err;

	if (mm->nr_areas + more > VM_MAX_AREAS ||
	    !vm_within_limits(mm, like->flags, (end - start) / PAGE_SIZE))
		return -ENOMEM;
	v = vma_alloc(start, end, like);
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

/* Map memory, or a file: bytes (rounded up to pages). *addr is the hint or the fixed address, and
 * on success where it is. Returns 0; -EINVAL (no bytes, fixed and not aligned), -EEXIST
 * (VM_FIXED_NOREPLACE, taken), -EPERM (fixed, below user space), -ENOMEM.
 * Locks: takes mm->lock. Context: thread. */
int vm_map_area(struct mm *mm, uaddr_t *addr, size_t bytes, const struct vm_what *what)
{
	struct vma like = { .flags = what->flags, .file = what->file, .index = what->index };
	uaddr_t start = *addr;
	int err = 0;

	if (bytes == 0)
		return -EINVAL;
	if (bytes > USER_MAX - USER_MIN)
		return -ENOMEM;
	bytes = ALIGN_UP(bytes, PAGE_SIZE);
	write_lock(&mm->lock);
	if (what->place == VM_ANYWHERE)
		start = choose_place(mm, start, bytes);
	else
		err = check_fixed(mm, start, bytes, what->place == VM_FIXED);
	if (!err && !start)
		err = -ENOMEM;
	like.start = start;
	if (!err)
		err = map_locked(mm, start, start + bytes, &like);
	write_unlock(&mm->lock);
	if (!err)
		*addr = start;
	return err;
}

/* vm_map_area() of anonymous memory. */
int vm_map(struct mm *mm, uaddr_t *addr, size_t bytes, unsigned vma_flags, enum vm_place place)
{
	struct vm_what what = { .flags = vma_flags, .place = place };

	return vm_map_area(mm, addr, bytes, &what);
}

/* Take [start, end) out of v, which it touches. upper becomes the rest of v above the range
 * when there is also one below. */
static void cut_area(struct mm *mm, struct vma *v, uaddr_t start, uaddr_t end,
		     struct vma *upper)
{
	if (v->start >= start && v->end <= end) {
		vma_remove(mm, v);
	} else if (v->start >= start) {
		vma_cut_front(v, end);
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
		upper = vma_alloc(end, v->end, v);
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
	if (!vm_range_valid(start, bytes, &end))
		return -EINVAL;
	write_lock(&mm->lock);
	err = vm_unmap_locked(mm, start, end);
	write_unlock(&mm->lock);
	return err;
}

/* Is every page of [start, end) in some area? Locks: mm->lock. */
bool vm_fully_mapped(struct mm *mm, uaddr_t start, uaddr_t end)
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

/* Is every page of [start, end) in some area? Returns 0 or -ENOMEM. Locks: takes mm->lock.
 * Context: thread. */
int vm_check_mapped(struct mm *mm, uaddr_t start, uaddr_t end)
{
	bool mapped;

	write_lock(&mm->lock);
	mapped = start >= end || vm_fully_mapped(mm, start, end);
	write_unlock(&mm->lock);
	return mapped ? 0 : -ENOMEM;
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
	struct vma *v;
	int err;

	if (!vm_fully_mapped(mm, start, end))
		return -ENOMEM;
	if (prot & VMA_WRITE) {
		for (v = vma_find(mm, start); v && v->start < end; v = vma_next(mm, v))
			if (v->flags & VMA_NEVER_WRITE)
				return -EACCES;
	}
	err = vma_split(mm, start);
	if (!err)
		err = vma_split(mm, end);
	if (err) {
		vma_merge(mm, start, end);
		return err;
	}
	for (v = vma_find(mm, start); v && v->start < end; v = vma_next(mm, v)) {
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
 * 0, -EINVAL (not aligned, other bits), -EACCES (to write to a file that is open for reading
 * only), or -ENOMEM with nothing changed (a hole in the range,
 * no memory or too many areas). Locks: takes mm->lock. Context: thread. */
int vm_protect(struct mm *mm, uaddr_t start, size_t bytes, unsigned prot)
{
	uaddr_t end;
	int err;

	if (!IS_ALIGNED(start, PAGE_SIZE) || (prot & ~VMA_PROT))
		return -EINVAL;
	if (bytes == 0)
		return 0;
	if (!vm_range_valid(start, bytes, &end))
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
	struct vma heap = { .flags = VMA_READ | VMA_WRITE };

	if (new_top < old_top)
		return vm_unmap_locked(mm, new_top, old_top);
	if (new_top == old_top)
		return 0;
	if (!vma_range_free(mm, old_top, new_top))
		return -ENOMEM;
	return map_locked(mm, old_top, new_top, &heap);
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
