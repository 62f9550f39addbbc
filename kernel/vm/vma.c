/* SPDX-License-Identifier: MIT */
/*
 * Address spaces as such, and their list of areas: what the user may touch, page by page
 * rights aside. Neighbours with equal flags are one area.
 *
 * Invariants, checked by vma_check():
 *   I1 areas are sorted, disjoint, page aligned, not empty, inside [USER_MIN, USER_MAX);
 *   I2 two areas that touch could not be one: vma_joins();
 *   I3 mm->nr_areas counts them, and is at most VM_MAX_AREAS;
 *   I4 mm->last_found is NULL or one of them.
 *
 * Locking: mm->lock for writing, or an mm that nobody else can reach.
 */
#include "kernel/vm/vm_impl.h"
#include "mm/kmem.h"

static struct kmem_cache *mm_cache, *vma_cache;
static u64 (*limit_hook)(enum vm_limit which);		/* [I] since boot */
const struct vm_file_hooks *vm_files;

/* Who knows files. Context: boot. */
void vm_set_file_hooks(const struct vm_file_hooks *hooks)
{
	vm_files = hooks;
}

/* Who knows the limits of the current process. Context: boot. */
void vm_set_limit_hook(u64 (*hook)(enum vm_limit which))
{
	limit_hook = hook;
}

/* That limit of the current process; ~0: none. */
u64 vm_limit(enum vm_limit which)
{
	return limit_hook ? limit_hook(which) : ~0ull;
}

/* Create the caches. Context: boot, once, after kmem_init(). */
void vm_init(void)
{
	mm_cache = kmem_cache_create("mm_struct", sizeof(struct mm), 0, 0, NULL);
	vma_cache = kmem_cache_create("vm_area_struct", sizeof(struct vma), 0, 0, NULL);
	if (!mm_cache || !vma_cache)
		panic("no memory for the caches of address spaces");
}

/* A new, empty address space with one user, charged to the current group. Returns 0 or
 * -ENOMEM. Context: thread. */
int mm_create(struct mm **out)
{
	struct mm *mm = kmem_cache_alloc(mm_cache, GFP_KERNEL);
	struct page *root;

	if (!mm)
		return -ENOMEM;
	root = page_alloc_charged(PAGE_TABLE, 0, GFP_KERNEL | GFP_ZERO);
	if (!root) {
		kmem_cache_free(mm_cache, mm);
		return -ENOMEM;
	}
	*mm = (struct mm){ .users = REFCOUNT_INIT(1), .root = page_to_virt(root), .nr_tables = 1 };
	space_init(&mm->space, page_to_phys(root));
	rwlock_init(&mm->lock, RANK_MM, "mm");
	list_init(&mm->areas);
	mmu_init_root(mm->root);
	*out = mm;
	return 0;
}

/* One more user. Returns mm. */
struct mm *mm_get(struct mm *mm)
{
	refcount_get(&mm->users);
	return mm;
}

/* One user less; the last one unmaps and frees everything. A thread leaves the tables
 * (thread_set_space()) before it puts its mm; CPUs that still hold them lazily are made to go,
 * once, and nothing needs to be flushed after that.
 * Context: thread, no spinlock held, not in a thread's release(). */
void mm_put(struct mm *mm)
{
	struct vma *v;

	if (!refcount_put(&mm->users))
		return;
	space_forget(&mm->space);
	while (!list_empty(&mm->areas)) {
		v = list_first(&mm->areas, struct vma, link);
		pgtable_free_range(mm, v->start, v->end);
		vma_remove(mm, v);
	}
	BUG_ON(mm->nr_pages != 0 || mm->nr_tables != 1);
	if (mm->exe)
		vm_files->put(mm->exe);
	page_free(page_of(mm->root));
	kmem_cache_free(mm_cache, mm);
}

/* Fork: *out becomes a copy of from that shares its pages until either side writes. The copy
 * has as many page tables as from, so a child that only waits needs none later. Returns 0,
 * or -ENOMEM with nothing changed that from could notice.
 * Locks: takes from->lock. Context: thread. */
int mm_copy(struct mm *from, struct mm **out)
{
	struct mm *to;
	int err = mm_create(&to);

	if (err)
		return err;
	write_lock(&from->lock);
	err = vma_copy_list(from, to);
	if (!err)
		err = cow_copy(from, to);
	to->brk_start = from->brk_start;
	to->brk_end = from->brk_end;
	to->args_start = from->args_start;
	to->args_end = from->args_end;
	to->env_end = from->env_end;
	to->max_pages = to->nr_pages;
	to->exe = from->exe;
	if (to->exe)
		vm_files->get(to->exe);
	write_unlock(&from->lock);
	if (err) {
		mm_put(to);
		return err;
	}
	*out = to;
	return 0;
}

/* A new area with the flags and the file of `like`, part of which it could be; not in any list.
 * NULL: no memory. */
struct vma *vma_alloc(uaddr_t start, uaddr_t end, const struct vma *like)
{
	struct vma *v = kmem_cache_alloc(vma_cache, GFP_KERNEL);

	if (!v)
		return NULL;
	*v = (struct vma){ .start = start, .end = end, .flags = like->flags, .file = like->file };
	if (v->file) {
		v->index = vma_index(like, start);
		vm_files->get(v->file);
	}
	list_init(&v->link);
	return v;
}

/* Free an area that is in no list. NULL is fine. */
void vma_free(struct vma *v)
{
	if (!v)
		return;
	if (v->file)
		vm_files->put(v->file);
	kmem_cache_free(vma_cache, v);
}

/* v begins at start from now on, higher up than it did. */
void vma_cut_front(struct vma *v, uaddr_t start)
{
	if (v->file)
		v->index = vma_index(v, start);
	v->start = start;
}

/* The area before v (v NULL: the last one), or NULL. */
struct vma *vma_prev(struct mm *mm, struct vma *v)
{
	struct list *prev = v ? v->link.prev : mm->areas.prev;

	return prev == &mm->areas ? NULL : list_entry(prev, struct vma, link);
}

/* The area after v (v NULL: the first one), or NULL. */
struct vma *vma_next(struct mm *mm, struct vma *v)
{
	struct list *next = v ? v->link.next : mm->areas.next;

	return next == &mm->areas ? NULL : list_entry(next, struct vma, link);
}

/* The first area that ends above addr: it holds addr, or lies above it; NULL if none does.
 * Programs ask again and again near the same place, so the search starts where the last one
 * ended. */
struct vma *vma_find(struct mm *mm, uaddr_t addr)
{
	struct vma *v = mm->last_found, *before;

	if (!v)
		v = vma_next(mm, NULL);
	while (v && v->end <= addr)
		v = vma_next(mm, v);
	before = vma_prev(mm, v);
	while (before && before->end > addr) {
		v = before;
		before = vma_prev(mm, v);
	}
	if (v)
		mm->last_found = v;
	return v;
}

/* Is nothing mapped in [start, end), nor a stack so near above that it must keep room? */
bool vma_range_free(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct vma *v = vma_find(mm, start);

	if (!v)
		return true;
	if ((v->flags & VMA_GROWSDOWN) && v->start < end + STACK_GUARD_BYTES)
		return false;
	return v->start >= end;
}

/* Link v into its place; the range is free. vma_merge() joins it with its neighbours. */
void vma_insert(struct mm *mm, struct vma *v)
{
	struct vma *next = vma_find(mm, v->start);
	struct list *after = next ? &next->link : &mm->areas;

	BUG_ON(next && next->start < v->end);
	list_insert(&v->link, after->prev, after);
	mm->nr_areas++;
}

/* Unlink v and free it. */
void vma_remove(struct mm *mm, struct vma *v)
{
	if (mm->last_found == v)
		mm->last_found = NULL;
	list_remove(&v->link);
	mm->nr_areas--;
	vma_free(v);
}

/* Cut the area that spans `at` in two, so that one begins there. Returns 0 (also when there
 * is nothing to cut) or -ENOMEM: no memory, or too many areas. */
int vma_split(struct mm *mm, uaddr_t at)
{
	struct vma *v = vma_find(mm, at), *upper;

	if (!v || v->start >= at)
		return 0;
	if (mm->nr_areas >= VM_MAX_AREAS)
		return -ENOMEM;
	upper = vma_alloc(at, v->end, v);
	if (!upper)
		return -ENOMEM;
	v->end = at;
	vma_insert(mm, upper);
	return 0;
}

/* Do next and the area before it, v, go on in each other? */
static bool vma_joins(const struct vma *v, const struct vma *next)
{
	return v->end == next->start && v->flags == next->flags && v->file == next->file &&
	       (!v->file || vma_index(v, next->start) == next->index);
}

/* Join neighbours that go on in each other among the areas that touch [start, end]. Cannot fail. */
void vma_merge(struct mm *mm, uaddr_t start, uaddr_t end)
{
	struct vma *v = vma_find(mm, start ? start - 1 : 0), *next;

	while (v && v->start <= end) {
		next = vma_next(mm, v);
		if (!next)
			break;
		if (!vma_joins(v, next)) {
			v = next;
			continue;
		}
		v->end = next->end;
		vma_remove(mm, next);
	}
}

/* Give the empty mm `to` the areas of `from`. Returns 0 or -ENOMEM (to keeps what it got). */
int vma_copy_list(struct mm *from, struct mm *to)
{
	struct vma *v, *copy;

	list_for_each(v, &from->areas, link) {
		copy = vma_alloc(v->start, v->end, v);
		if (!copy)
			return -ENOMEM;
		list_append(&to->areas, &copy->link);
		to->nr_areas++;
	}
	return 0;
}

/* Check I1 to I4. Returns 0 or the number of the first that is broken. */
int vma_check(struct mm *mm)
{
	bool found = !mm->last_found;
	const struct vma *before = NULL, *v;
	unsigned nr = 0;
	uaddr_t end = 0;

	list_for_each(v, &mm->areas, link) {
		if (v->start < end || v->start < USER_MIN || v->end > USER_MAX ||
		    v->start >= v->end || !IS_ALIGNED(v->start | v->end, PAGE_SIZE))
			return 1;
		if (before && vma_joins(before, v))
			return 2;
		found = found || v == mm->last_found;
		end = v->end;
		before = v;
		nr++;
	}
	if (nr != mm->nr_areas || nr > VM_MAX_AREAS)
		return 3;
	return found ? 0 : 4;
}

/* Check every invariant of an address space: I1 to I4, then I11 to I14 (pgtable.c). Returns 0
 * or the number of the first that is broken. */
int vm_check(struct mm *mm)
{
	int broken = vma_check(mm);

	return broken ? broken : pgtable_check(mm);
}
