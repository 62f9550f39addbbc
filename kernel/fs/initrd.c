/* SPDX-License-Identifier: MIT */
/*
 * Boot archives: cpio "newc", laid over the tree as Linux's initramfs is: directories stay,
 * anything else of that name is replaced. Each entry is 110 bytes of header (a magic and 13
 * numbers of 8 hex digits), the name, the data, each padded to 4 bytes; "TRAILER!!!" ends an
 * archive and another may follow behind zeros. Names of one file share inode and device
 * numbers, and one of them, usually the last, carries the data. Nothing in the archive is
 * trusted: each length is compared with what is left before it is used.
 */
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/list.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "mm/kmem.h"

#define MAGIC		"07070"		/* then 1, or 2: with a checksum, which nobody uses */
#define MAGIC_BYTES	6
#define HEADER_BYTES	110
#define NAME_LIMIT	PATH_MAX

enum field { F_INO, F_MODE, F_UID, F_GID, F_NLINK, F_MTIME, F_SIZE, F_DEVMAJOR, F_DEVMINOR,
	     F_RDEVMAJOR, F_RDEVMINOR, F_NAMESIZE, F_CHECK, NR_FIELDS };

struct entry {
	u32 field[NR_FIELDS];
	const char *name;		/* in the archive, NUL-terminated */
	const char *data;
};

/* A file with several names, from its first one on. */
struct known_file {
	struct list link;
	u32 ino, major, minor;
	const char *name;
};

struct archive {
	const char *start;
	size_t bytes, at;		/* at <= bytes */
	struct fs_context *fs;
	struct list known;
};

static int damaged(size_t at, const char *what)
{
	log_info("initrd: %s at offset %lu", what, at);
	return -EINVAL;
}

static bool parse_hex(const char *text, u32 *out)
{
	u32 value = 0;

	for (unsigned i = 0; i < 8; i++) {
		char c = text[i], low = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			value = value << 4 | (u32)(c - '0');
		else if (low >= 'a' && low <= 'f')
			value = value << 4 | (u32)(low - 'a' + 10);
		else
			return false;
	}
	*out = value;
	return true;
}

/* Take bytes, padded to 4 from the archive's start, off the front; NULL: not that many left. */
static const char *take(struct archive *a, size_t bytes)
{
	const char *here = a->start + a->at;

	if (bytes > a->bytes - a->at)
		return NULL;
	a->at = MIN(ALIGN_UP(a->at + bytes, 4ul), a->bytes);
	return here;
}

static int parse_header(struct archive *a, struct entry *e)
{
	const char *here = a->start + a->at;

	if (a->bytes - a->at < HEADER_BYTES)
		return damaged(a->at, "header cut short");
	if (memcmp(here, MAGIC, MAGIC_BYTES - 1) ||
	    (here[MAGIC_BYTES - 1] != '1' && here[MAGIC_BYTES - 1] != '2'))
		return damaged(a->at, "no cpio newc header");
	for (unsigned i = 0; i < NR_FIELDS; i++) {
		if (!parse_hex(here + MAGIC_BYTES + 8 * i, &e->field[i]))
			return damaged(a->at, "bad number in header");
	}
	return 0;
}

/* Take the next entry. Returns 0 or -EINVAL. */
static int next_entry(struct archive *a, struct entry *e)
{
	size_t at = a->at, name_bytes;
	int err = parse_header(a, e);

	if (err)
		return err;
	name_bytes = e->field[F_NAMESIZE];
	if (name_bytes == 0 || name_bytes > NAME_LIMIT)
		return damaged(at, "bad length of name");
	/* The name follows the header unpadded, so the two are padded as one. */
	e->name = take(a, HEADER_BYTES + name_bytes);
	if (!e->name)
		return damaged(at, "name cut short");
	e->name += HEADER_BYTES;
	if (e->name[name_bytes - 1] != '\0' || str_len(e->name) != name_bytes - 1)
		return damaged(at, "bad name");
	e->data = take(a, e->field[F_SIZE]);
	return e->data ? 0 : damaged(at, "data cut short");
}

/* Remove what stands in the way of a new file; what is not there need not be. */
static int make_way(struct archive *a, const char *name)
{
	int err = vfs_unlink(a->fs, name);

	if (err == -EISDIR)
		err = vfs_rmdir(a->fs, name);
	return err == -ENOENT ? 0 : err;
}

static struct known_file *find_known(struct archive *a, const struct entry *e)
{
	struct known_file *k = NULL;

	list_for_each(k, &a->known, link) {
		if (k->ino == e->field[F_INO] && k->major == e->field[F_DEVMAJOR] &&
		    k->minor == e->field[F_DEVMINOR])
			return k;
	}
	return NULL;
}

static int remember(struct archive *a, const struct entry *e)
{
	struct known_file *k = kmalloc(sizeof(*k), GFP_KERNEL);

	if (!k)
		return -ENOMEM;
	k->ino = e->field[F_INO];
	k->major = e->field[F_DEVMAJOR];
	k->minor = e->field[F_DEVMINOR];
	k->name = e->name;
	list_push(&a->known, &k->link);
	return 0;
}

static void forget_all(struct archive *a)
{
	struct known_file *k = NULL, *next;

	list_for_each_safe(k, next, &a->known, link) {
		list_remove(&k->link);
		kfree(k);
	}
}

static int make_link(struct archive *a, const char *first, const char *name)
{
	struct path old;
	int err = path_lookup(a->fs, first, 0, &old);

	if (err)
		return err;
	err = vfs_link(&old, a->fs, name);
	path_put(&old);
	return err;
}

/* Make the file, or give its first name's file this one too. */
static int make_file(struct archive *a, const struct entry *e)
{
	bool shared = e->field[F_NLINK] > 1;
	struct known_file *first = shared ? find_known(a, e) : NULL;
	int err;

	if (first && str_eq(first->name, e->name))
		return 0;
	err = make_way(a, e->name);
	if (err)
		return err;
	if (first)
		return make_link(a, first->name, e->name);
	err = vfs_mknod(a->fs, e->name, e->field[F_MODE], 0);
	return !err && shared ? remember(a, e) : err;
}

static int make_symlink(struct archive *a, const struct entry *e)
{
	size_t len = e->field[F_SIZE];
	char *target;
	int err;

	if (len == 0 || len >= PATH_MAX)
		return -EINVAL;
	target = kmalloc(len + 1, GFP_KERNEL);
	if (!target)
		return -ENOMEM;
	memcpy(target, e->data, len);
	target[len] = '\0';
	err = make_way(a, e->name);
	if (!err)
		err = vfs_symlink(a->fs, target, e->name);
	kfree(target);
	return err;
}

static int make_node(struct archive *a, const struct entry *e)
{
	int err = make_way(a, e->name);

	return err ? err : vfs_mknod(a->fs, e->name, e->field[F_MODE],
				     MKDEV(e->field[F_RDEVMAJOR], e->field[F_RDEVMINOR]));
}

static int make_dir(struct archive *a, const struct entry *e)
{
	struct kstat st;
	int err = vfs_stat(a->fs, e->name, LOOKUP_FOLLOW, &st);

	if (!err && S_ISDIR(st.mode))
		return 0;
	if (!err)
		err = make_way(a, e->name);
	if (err && err != -ENOENT)
		return err;
	return vfs_mkdir(a->fs, e->name, e->field[F_MODE] & S_IALLPERM);
}

static int make(struct archive *a, const struct entry *e)
{
	switch (e->field[F_MODE] & S_IFMT) {
	case S_IFDIR:
		return make_dir(a, e);
	case S_IFREG:
		return make_file(a, e);
	case S_IFLNK:
		return make_symlink(a, e);
	default:
		return make_node(a, e);
	}
}

/* Owner, time, permissions and data of what make() made. */
static int fill(struct archive *a, const struct entry *e)
{
	bool is_file = S_ISREG(e->field[F_MODE]);
	struct path p;
	struct inode *inode;
	unsigned flags = S_ISDIR(e->field[F_MODE]) ? LOOKUP_FOLLOW : 0;
	int err = path_lookup(a->fs, e->name, flags, &p);

	if (err)
		return err;
	inode = dentry_inode(p.dentry);
	if (is_file && e->field[F_SIZE])
		err = vfs_truncate(inode, 0);
	if (is_file && e->field[F_SIZE] && !err)
		err = ramfs_write_kernel(inode, e->data, e->field[F_SIZE], 0);
	mutex_lock(&inode->lock);
	inode->uid = e->field[F_UID];
	inode->gid = e->field[F_GID];
	WRITE_ONCE(inode->mtime_ns, e->field[F_MTIME] * 1000000000ull);
	inode->mode = (inode->mode & S_IFMT) | (e->field[F_MODE] & S_IALLPERM);
	mutex_unlock(&inode->lock);
	path_put(&p);
	return err;
}

static int unpack_entry(struct archive *a, const struct entry *e, size_t at)
{
	int err = make(a, e);

	if (!err)
		err = fill(a, e);
	if (!err || err == -ENOMEM)
		return err;
	log_info("initrd: cannot make %s: error %d", e->name, -err);
	return damaged(at, "impossible entry");
}

static int unpack(struct archive *a)
{
	struct entry e;
	bool ended = false;
	size_t at;
	int err;

	while (a->at < a->bytes) {
		at = a->at;
		if (a->start[at] == '\0') {	/* padding behind a trailer */
			a->at++;
			continue;
		}
		err = next_entry(a, &e);
		if (err)
			return err;
		ended = str_eq(e.name, "TRAILER!!!");
		if (ended) {
			forget_all(a);
			continue;
		}
		err = unpack_entry(a, &e, at);
		if (err)
			return err;
		cond_resched();
	}
	return ended ? 0 : damaged(a->at, "no trailer");
}

/*
 * Lay an archive over the root. Returns 0, -EINVAL (damaged: the log names the offset and the
 * damage) or -ENOMEM; what came before stays. The archive is not needed afterwards.
 * Context: boot, or a thread.
 */
int initrd_unpack(const void *archive, size_t bytes)
{
	struct archive a = { .start = archive, .bytes = bytes };
	int err;

	list_init(&a.known);
	a.fs = fs_create();
	if (!a.fs)
		return -ENOMEM;
	atomic_store(&a.fs->umask, 0);
	err = unpack(&a);
	forget_all(&a);
	fs_put(a.fs);
	return err;
}
