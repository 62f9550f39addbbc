/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables. The array of slots is doubled when full; the new one is made with the lock
 * free, so its maker looks again afterwards.
 *
 * Threads share a table. Who finds a file takes a reference under the lock, so that a close
 * on another CPU ends the name, not the file.
 *
 * Locking: files->lock (RANK_FS). A file leaves the table under it and is put after it; the
 * number of slots may be read without it by who asks again under it.
 */
#include "kernel/fs/lock.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "mm/kmem.h"

static struct kmem_cache *files_cache;	/* [I] */

/* Context: boot, once; panics when there is no memory. */
void files_init_cache(void)
{
	files_cache = kmem_cache_create("files", sizeof(struct files), 0, 0, NULL);
	if (!files_cache)
		panic("files: no memory for the files cache");
}

static struct file **slots_alloc(unsigned nr)
{
	return kzalloc(nr * sizeof(struct file *), GFP_KERNEL);
}

/* Takes over slots on success. */
static struct files *files_new(struct file **slots, unsigned nr)
{
	struct files *files = kmem_cache_alloc(files_cache, GFP_KERNEL);

	if (!files)
		return NULL;
	*files = (struct files){ .slots = slots, .nr_slots = nr };
	refcount_set(&files->refs, 1);
	spin_init(&files->lock, RANK_FS, "files");
	return files;
}

/* An empty table with one reference. NULL: no memory. */
struct files *files_create(void)
{
	struct file **slots = slots_alloc(FILES_INITIAL);
	struct files *files = slots ? files_new(slots, FILES_INITIAL) : NULL;

	if (!files)
		kfree(slots);
	return files;
}

static void copy_slots_locked(struct files *to, const struct files *from)
{
	assert_held(&from->lock);
	for (unsigned i = 0; i < from->nr_slots; i++) {
		if (from->slots[i])
			to->slots[i] = file_get(from->slots[i]);
	}
	memcpy(to->cloexec, from->cloexec, sizeof(to->cloexec));
}

/* A table of the same open files with one reference (fork). NULL: no memory. */
struct files *files_copy(struct files *from)
{
	for (;;) {
		unsigned nr = READ_ONCE(from->nr_slots);
		struct file **slots = slots_alloc(nr);
		struct files *files = slots ? files_new(slots, nr) : NULL;
		bool fits;

		if (!files) {
			kfree(slots);
			return NULL;
		}
		spin_lock(&from->lock);
		fits = from->nr_slots <= nr;
		if (fits)
			copy_slots_locked(files, from);
		spin_unlock(&from->lock);
		if (fits)
			return files;
		files_put(files);
	}
}

/* One more reference; the caller has one. */
struct files *files_get(struct files *files)
{
	refcount_get(&files->refs);
	return files;
}

/* A file has left the table. */
static void close(struct files *files, struct file *file)
{
	if (!file)
		return;
	file_locks_release(files, file->inode);
	file_put(file);
}

/* Drop a reference (NULL is fine); the last one closes every file.
 * Context: thread, no spinlocks. */
void files_put(struct files *files)
{
	if (!files || !refcount_put(&files->refs))
		return;
	for (unsigned i = 0; i < files->nr_slots; i++)
		close(files, files->slots[i]);
	kfree(files->slots);
	kmem_cache_free(files_cache, files);
}

static struct file *slot_locked(const struct files *files, int fd)
{
	assert_held(&files->lock);
	return fd >= 0 && (unsigned)fd < files->nr_slots ? files->slots[fd] : NULL;
}

/* The open file fd, referenced; NULL: there is none. */
struct file *files_lookup(struct files *files, int fd)
{
	struct file *file;

	spin_lock(&files->lock);
	file = slot_locked(files, fd);
	if (file)
		file_get(file);
	spin_unlock(&files->lock);
	return file;
}

/* The lowest descriptor in use that is at least fd; -1: there is none. */
int files_next(struct files *files, int fd)
{
	int found = -1;

	spin_lock(&files->lock);
	for (; fd >= 0 && (unsigned)fd < files->nr_slots && found < 0; fd++) {
		if (files->slots[fd])
			found = fd;
	}
	spin_unlock(&files->lock);
	return found;
}

/* Make room for descriptor fd. Returns 0, -EMFILE or -ENOMEM. */
static int files_grow(struct files *files, unsigned fd)
{
	unsigned nr = FILES_INITIAL;
	struct file **slots, **old;

	if (fd >= MIN(vfs_nofile_limit(), (unsigned)FILES_MAX))
		return -EMFILE;
	while (nr <= fd)
		nr *= 2;
	slots = slots_alloc(nr);
	if (!slots)
		return -ENOMEM;
	spin_lock(&files->lock);
	old = slots;
	if (files->nr_slots < nr) {
		old = files->slots;
		memcpy(slots, old, files->nr_slots * sizeof(*slots));
		files->slots = slots;
		WRITE_ONCE(files->nr_slots, nr);
	}
	spin_unlock(&files->lock);
	kfree(old);
	return 0;
}

static void mark_cloexec_locked(struct files *files, unsigned fd, bool on)
{
	assert_held(&files->lock);
	if (on)
		bitmap_set(files->cloexec, fd);
	else
		bitmap_clear(files->cloexec, fd);
}

/* Put file into the lowest free slot from min_fd on. Returns the descriptor, which has taken
 * the caller's reference, or -EMFILE, -ENOMEM, -EINVAL (min_fd), and the caller keeps it. */
int files_install(struct files *files, struct file *file, int min_fd, bool cloexec)
{
	unsigned limit = MIN(vfs_nofile_limit(), (unsigned)FILES_MAX);

	if (min_fd < 0 || min_fd >= FILES_MAX)
		return -EINVAL;
	for (;;) {
		unsigned fd = (unsigned)min_fd;
		bool fits;
		int err;

		spin_lock(&files->lock);
		while (fd < files->nr_slots && files->slots[fd])
			fd++;
		fits = fd < MIN(files->nr_slots, limit);
		if (fits) {
			files->slots[fd] = file;
			mark_cloexec_locked(files, fd, cloexec);
		}
		spin_unlock(&files->lock);
		if (fits)
			return (int)fd;
		err = files_grow(files, fd);
		if (err)
			return err;
	}
}

/* Make fd mean file, closing what it meant before (dup2). Returns fd, which has taken the
 * caller's reference, or -EBADF, -ENOMEM, and the caller keeps it. */
int files_replace(struct files *files, int fd, struct file *file, bool cloexec)
{
	struct file *old;
	int err;

	if (fd < 0 || (unsigned)fd >= MIN(vfs_nofile_limit(), (unsigned)FILES_MAX))
		return -EBADF;
	spin_lock(&files->lock);
	while ((unsigned)fd >= files->nr_slots) {
		spin_unlock(&files->lock);
		err = files_grow(files, (unsigned)fd);
		if (err)
			return err;
		spin_lock(&files->lock);
	}
	old = files->slots[fd];
	files->slots[fd] = file;
	mark_cloexec_locked(files, (unsigned)fd, cloexec);
	spin_unlock(&files->lock);
	close(files, old);
	return fd;
}

static struct file *take_locked(struct files *files, int fd)
{
	struct file *file = slot_locked(files, fd);

	if (file) {
		files->slots[fd] = NULL;
		mark_cloexec_locked(files, (unsigned)fd, false);
	}
	return file;
}

/* Close one descriptor. Returns 0 or -EBADF. Context: thread, no spinlocks. */
int files_close(struct files *files, int fd)
{
	struct file *file;

	spin_lock(&files->lock);
	file = take_locked(files, fd);
	spin_unlock(&files->lock);
	if (!file)
		return -EBADF;
	close(files, file);
	return 0;
}

/* Take file, which the caller has just installed at fd, back out, unless another thread has put
 * something else there meanwhile. The caller has a reference of its own. */
void files_uninstall(struct files *files, int fd, struct file *file)
{
	bool ours;

	spin_lock(&files->lock);
	ours = slot_locked(files, fd) == file;
	if (ours)
		take_locked(files, fd);
	spin_unlock(&files->lock);
	if (ours)
		file_put(file);
}

/* Close what is marked so. Context: thread, no spinlocks. */
void files_close_on_exec(struct files *files)
{
	for (unsigned fd = 0; fd < READ_ONCE(files->nr_slots); fd++) {
		struct file *file = NULL;

		spin_lock(&files->lock);
		if (bitmap_test(files->cloexec, fd))
			file = take_locked(files, (int)fd);
		spin_unlock(&files->lock);
		close(files, file);
	}
}

/* Mark fd to be closed by exec, or not. Returns 0 or -EBADF. */
int files_set_cloexec(struct files *files, int fd, bool on)
{
	int err = -EBADF;

	spin_lock(&files->lock);
	if (slot_locked(files, fd)) {
		mark_cloexec_locked(files, (unsigned)fd, on);
		err = 0;
	}
	spin_unlock(&files->lock);
	return err;
}

/* Returns 1 when exec will close fd, 0 when not, or -EBADF. */
int files_get_cloexec(struct files *files, int fd)
{
	int ret = -EBADF;

	spin_lock(&files->lock);
	if (slot_locked(files, fd))
		ret = bitmap_test(files->cloexec, (unsigned)fd);
	spin_unlock(&files->lock);
	return ret;
}
