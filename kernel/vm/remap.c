/* SPDX-License-Identifier: MIT */
/*
 * The cores of mremap, madvise and mincore: areas that move and change their size, pages that
 * are dropped, pages that are there.
 *
 * mremap prepares all that can fail (areas, tables) before it moves the first page: on -ENOMEM
 * nothing has changed.
 *
 * Locking: each takes mm->lock for writing.
 */
#include "kernel/vm/vm_impl.h"

/* The area that holds all of the old range. */
static int find_whole(struct mm *mm, const struct vm_remap *r, struct vma **out)
{
	struct vma *v = vma_find(mm, r->from);

	if (!v || v->start > r->from || v->end - r->from < r->old_bytes)
		return -EFAULT;
	*out = v;
	return 0;
}

/* Is there room to let v end at `end`? */
static bool grows_in_place(struct mm *mm, const struct vm_remap *r, const struct vma *v)
{
	uaddr_t end;

	return v->end == r->from + r->old_bytes && vm_range_valid(r->from, r->bytes, &end) &&
	       vma_range_free(mm, v->end, end);
}

/* Put an area like v at r->to, move the pages there and take the old range away. */
static int move_area(struct mm *mm, const struct vm_remap *r, struct vma *v)
{
	struct vma like = *v, *moved;
	int err;

	/* The cuts at both ends of the old range and of the new one. */
	if (mm->nr_areas + 4 > VM_MAX_AREAS)
		return -ENOMEM;
	like.start = r->to;
	if (v->file)
		like.index = vma_index(v, r->from);
	moved = vma_alloc(r->to, r->to + r->bytes, &like);
	if (!moved)
		return -ENOMEM;
	err = vma_split(mm, r->from);
	if (!err)
		err = vma_split(mm, r->from + r->old_bytes);
	if (!err)
		err = pgtable_move(mm, r->from, r->to, MIN(r->old_bytes, r->bytes));
	if (err) {
		vma_free(moved);
		vma_merge(mm, r->from, r->from + r->old_bytes);
		return err;
	}
	vma_insert(mm, moved);
	/* Whole areas by now: this cuts none, so it cannot fail. */
	BUG_ON(vm_unmap_locked(mm, r->from, r->from + r->old_bytes));
	vma_merge(mm, r->to, r->to + r->bytes);
	return 0;
}

static int grow_locked(struct mm *mm, struct vm_remap *r)
{
	struct vma *v;
	int err = find_whole(mm, r, &v);

	if (err)
		return err;
	if (!vm_within_limits(mm, v->flags, (r->bytes - r->old_bytes) / PAGE_SIZE))
		return -ENOMEM;
	if (grows_in_place(mm, r, v)) {
		v->end = r->from + r->bytes;
		vma_merge(mm, r->from, v->end);
		r->to = r->from;
		return 0;
	}
	if (!(r->flags & VM_REMAP_MAYMOVE))
		return -ENOMEM;
	r->to = vm_find_gap(mm, r->bytes);
	return r->to ? move_area(mm, r, v) : -ENOMEM;
}

/* VM_REMAP_FIXED: what is at the new place goes. */
static int fixed_locked(struct mm *mm, struct vm_remap *r)
{
	struct vma *v;
	uaddr_t end;
	int err;

	if (!IS_ALIGNED(r->to, PAGE_SIZE) || !vm_range_valid(r->to, r->bytes, &end) ||
	    (r->to < r->from + r->old_bytes && r->from < end))
		return -EINVAL;
	err = find_whole(mm, r, &v);
	if (!err && r->bytes > r->old_bytes &&
	    !vm_within_limits(mm, v->flags, (r->bytes - r->old_bytes) / PAGE_SIZE))
		err = -ENOMEM;
	if (!err)
		err = vm_unmap_locked(mm, r->to, end);
	/* The area may have been cut. */
	if (!err)
		err = find_whole(mm, r, &v);
	return err ? err : move_area(mm, r, v);
}

static int shrink_locked(struct mm *mm, struct vm_remap *r)
{
	struct vma *v = vma_find(mm, r->from);

	r->to = r->from;
	if (!v || v->start > r->from)
		return -EFAULT;
	if (r->bytes == r->old_bytes)
		return find_whole(mm, r, &v);
	return vm_unmap_locked(mm, r->from + r->bytes, r->from + r->old_bytes);
}

/*
 * mremap: the part of an area from r->from on becomes r->bytes long. VM_REMAP_MAYMOVE: it may
 * get another place; VM_REMAP_FIXED: it gets r->to, in place of what is there. Returns 0 with
 * r->to where it is; -EINVAL; -EFAULT: no area, or more than one; -ENOMEM.
 * Locks: takes mm->lock. Context: thread.
 */
int vm_remap(struct mm *mm, struct vm_remap *r)
{
	uaddr_t end;
	int err;

	if (!IS_ALIGNED(r->from, PAGE_SIZE) || !r->old_bytes || !r->bytes)
		return -EINVAL;
	if (!vm_range_valid(r->from, r->old_bytes, &end))
		return -EFAULT;
	if (r->bytes > USER_MAX)
		return r->flags & VM_REMAP_FIXED ? -EINVAL : -ENOMEM;
	r->old_bytes = ALIGN_UP(r->old_bytes, PAGE_SIZE);
	r->bytes = ALIGN_UP(r->bytes, PAGE_SIZE);
	write_lock(&mm->lock);
	if (r->flags & VM_REMAP_FIXED)
		err = fixed_locked(mm, r);
	else if (r->bytes <= r->old_bytes)
		err = shrink_locked(mm, r);
	else
		err = grow_locked(mm, r);
	write_unlock(&mm->lock);
	return err;
}

/* madvise(MADV_DONTNEED): drop the pages of [start, end), so that private memory is zero, or the
 * file's again. What processes share without a file stays: there is no other copy. Returns 0, or
 * -ENOMEM for a hole in the range, after the rest is done.
 * Locks: takes mm->lock. Context: thread. */
int vm_discard(struct mm *mm, uaddr_t start, uaddr_t end)
{
	int err;

	write_lock(&mm->lock);
	err = start >= end || vm_fully_mapped(mm, start, end) ? 0 : -ENOMEM;
	for (struct vma *v = vma_find(mm, start); v && v->start < end; v = vma_next(mm, v)) {
		if (v->file || !(v->flags & VMA_SHARED))
			pgtable_free_range(mm, MAX(start, v->start), MIN(end, v->end));
	}
	write_unlock(&mm->lock);
	return err;
}

static u8 is_present(struct mm *mm, uaddr_t addr)
{
	const struct vma *v = vma_find(mm, addr);
	const pte_t *pte = pgtable_walk(mm, addr, false);
	struct page *page = NULL;

	if (pte && *pte)
		return 1;
	if (!v->file || vm_files->pages(v->file, vma_index(v, addr), &page, 1, false) <= 0 || !page)
		return 0;
	page_put(page);
	return 1;
}

/* mincore: for each of nr pages from start on, whether it is in memory. Returns 0, or -ENOMEM: a
 * hole in the range. Locks: takes mm->lock. Context: thread. */
int vm_residency(struct mm *mm, uaddr_t start, size_t nr, u8 *present)
{
	int err = 0;

	write_lock(&mm->lock);
	if (!vm_fully_mapped(mm, start, start + nr * PAGE_SIZE))
		err = -ENOMEM;
	for (size_t i = 0; i < nr && !err; i++)
		present[i] = is_present(mm, start + i * PAGE_SIZE);
	write_unlock(&mm->lock);
	return err;
}
