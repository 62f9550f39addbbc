/* SPDX-License-Identifier: MIT */
/* /proc/PID and /proc/PID/task/TID: which files there are, and the links among them. */
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"
#include "kernel/proc/procfiles.h"

#define NEAR	256u			/* pids tried one by one before all are looked at */

/* --- texts that need no more than a line */

static int stat_of_process(const struct procfs_key *key, struct textbuf *t)
{
	return show_stat(key, t, true);
}

static int stat_of_task(const struct procfs_key *key, struct textbuf *t)
{
	return show_stat(key, t, false);
}

static int show_comm(const struct procfs_key *key, struct textbuf *t)
{
	struct task_info i;
	int err = task_info(key, false, &i);

	if (!err)
		text_print(t, "%s\n", i.comm);
	return err;
}

/* Bytes of the task's memory, as many as are there. */
static int put_memory(const struct procfs_key *key, bool env, struct textbuf *t)
{
	struct mm *mm;
	uaddr_t at, end;
	char piece[256];
	size_t n = 1;
	int err = task_mm(key, &mm);

	if (err)
		return err == -ENOENT ? 0 : err;
	at = env ? mm->args_end : mm->args_start;
	end = env ? mm->env_end : mm->args_end;
	for (; at < end && n; at += n) {
		n = vm_peek(mm, at, piece, MIN(sizeof(piece), end - at));
		for (size_t i = 0; i < n; i++)
			text_print(t, "%c", piece[i]);
	}
	mm_put(mm);
	return 0;
}

static int show_cmdline(const struct procfs_key *key, struct textbuf *t)
{
	return put_memory(key, false, t);
}

static int show_environ(const struct procfs_key *key, struct textbuf *t)
{
	return put_memory(key, true, t);
}

static int show_mounts(const struct procfs_key *key, struct textbuf *t)
{
	struct fs_context *fs;
	int err = task_fs(key, &fs);

	if (err)
		return err == -ENOENT ? -EINVAL : err;
	err = mount_print_all(fs, t);
	fs_put(fs);
	return err;
}

static int show_cgroup(const struct procfs_key *key, struct textbuf *t)
{
	struct tgroup *g;
	int err = task_group(key, &g);

	if (err == -ESRCH)
		return err;
	text_print(t, "1:memory:");
	cgroup_print_path(err ? NULL : &g->member, t);
	text_print(t, "\n");
	if (!err)
		group_put(g);
	return 0;
}

/* --- links */

/* The place's name as the reader sees it; its length, cut to size. */
static long place_text(const struct path *place, char *buf, size_t size)
{
	struct path root = fs_get_root(proc_current()->fs);
	char *name = kmalloc(PATH_MAX, GFP_KERNEL);
	long len = -ENOMEM;

	if (name)
		len = dentry_path_shown(place, &root, name, PATH_MAX);
	if (len > 0) {
		len = MIN(len - 1, (long)size);
		memcpy(buf, name, (size_t)len);
	}
	kfree(name);
	path_put(&root);
	return len;
}

static int cwd_follow(const struct procfs_key *key, struct path *to)
{
	struct fs_context *fs;
	int err = task_fs(key, &fs);

	if (err)
		return err;
	*to = fs_get_cwd(fs);
	fs_put(fs);
	return 0;
}

static int root_follow(const struct procfs_key *key, struct path *to)
{
	struct fs_context *fs;
	int err = task_fs(key, &fs);

	if (err)
		return err;
	*to = fs_get_root(fs);
	fs_put(fs);
	return 0;
}

static int exe_follow(const struct procfs_key *key, struct path *to)
{
	struct mm *mm;
	int err = task_mm(key, &mm);

	if (err)
		return err;
	err = mm->exe ? 0 : -ENOENT;
	if (!err)
		*to = path_get(&mm->exe->path);
	mm_put(mm);
	return err;
}

static int fd_file(const struct procfs_key *key, struct file **out)
{
	struct files *files;
	int err = task_files(key, &files);

	if (err)
		return err;
	*out = files_lookup(files, (int)key->sub);
	files_put(files);
	return *out ? 0 : -ENOENT;
}

static int fd_follow(const struct procfs_key *key, struct path *to)
{
	struct file *file;
	int err = fd_file(key, &file);

	if (err)
		return err;
	if (file->path.dentry)
		*to = path_get(&file->path);
	else
		err = mount_nameless(file->inode, to);
	file_put(file);
	return err;
}

static long link_by(int (*follow)(const struct procfs_key *key, struct path *to),
		    const struct procfs_key *key, char *buf, size_t size)
{
	struct path place;
	long ret = follow(key, &place);

	if (ret)
		return ret;
	ret = place_text(&place, buf, size);
	path_put(&place);
	return ret;
}

static long cwd_link(const struct procfs_key *key, char *buf, size_t size)
{
	return link_by(cwd_follow, key, buf, size);
}

static long root_link(const struct procfs_key *key, char *buf, size_t size)
{
	return link_by(root_follow, key, buf, size);
}

static long exe_link(const struct procfs_key *key, char *buf, size_t size)
{
	return link_by(exe_follow, key, buf, size);
}

static long text_link(char *buf, size_t size, const char *text)
{
	size_t len = MIN(str_len(text), size);

	memcpy(buf, text, len);
	return (long)len;
}

static long fd_link(const struct procfs_key *key, char *buf, size_t size)
{
	struct file *file;
	char text[40];
	long ret = fd_file(key, &file);

	if (ret)
		return ret;
	if (S_ISFIFO(file->inode->mode) && mount_is_nameless(&file->path)) {
		fmt_print(text, sizeof(text), "pipe:[%lu]", file->inode->ino);
		ret = text_link(buf, size, text);
	} else {
		ret = place_text(&file->path, buf, size);
	}
	file_put(file);
	return ret;
}

static long self_link(const struct procfs_key *unused, char *buf, size_t size)
{
	char text[16];

	(void)unused;
	fmt_print(text, sizeof(text), "%d", proc_current()->group->pid);
	return text_link(buf, size, text);
}

static long thread_self_link(const struct procfs_key *unused, char *buf, size_t size)
{
	const struct proc *p = proc_current();
	char text[40];

	(void)unused;
	fmt_print(text, sizeof(text), "%d/task/%d", p->group->pid, p->pid);
	return text_link(buf, size, text);
}

static long mounts_link(const struct procfs_key *unused, char *buf, size_t size)
{
	(void)unused;
	return text_link(buf, size, "self/mounts");
}

/* --- directories */

static bool fd_next(const struct procfs_key *dir, u64 *nr)
{
	struct files *files;
	int fd = -1;

	if (*nr <= FILES_MAX && !task_files(dir, &files)) {
		fd = files_next(files, (int)*nr);
		files_put(files);
	}
	*nr = (u64)fd;
	return fd >= 0;
}

static int fd_find(const struct procfs_key *dir, u64 nr, struct procfs_key *out)
{
	u64 at = nr;

	if (!fd_next(dir, &at) || at != nr)
		return -ENOENT;
	*out = *dir;
	out->sub = nr;
	return 0;
}

static int find_task(u64 nr, const struct tgroup *only, struct procfs_key *out)
{
	struct proc *p;
	int err = -ENOENT;

	if (nr == 0 || nr > PID_MAX)
		return err;
	spin_lock(&proc_lock);
	p = proc_find_locked((int)nr);
	if (p && (!only || p->group == only)) {
		*out = (struct procfs_key){ nr, p->start_ns, 0 };
		err = 0;
	}
	spin_unlock(&proc_lock);
	return err;
}

static int pid_find(const struct procfs_key *dir, u64 nr, struct procfs_key *out)
{
	(void)dir;
	return find_task(nr, NULL, out);
}

static bool is_leader_locked(int pid)
{
	const struct proc *p = proc_find_locked(pid);

	return p && !list_empty(&p->all_link);
}

/* The first process from nr on: by trying, as pids are dense where there are many, else among
 * all. */
static bool pid_next(const struct procfs_key *dir, u64 *nr)
{
	u64 best = ~0ull, from = MAX(*nr, 1ul);
	struct proc *p;

	(void)dir;
	spin_lock(&proc_lock);
	for (u64 i = from; i < MIN(from + NEAR, (u64)PID_MAX) && best == ~0ull; i++) {
		if (is_leader_locked((int)i))
			best = i;
	}
	if (best == ~0ull) {
		list_for_each(p, &proc_all, all_link) {
			if ((u64)p->pid >= from)
				best = MIN(best, (u64)p->pid);
		}
	}
	spin_unlock(&proc_lock);
	*nr = best;
	return best != ~0ull;
}

static int tid_find(const struct procfs_key *dir, u64 nr, struct procfs_key *out)
{
	struct tgroup *g;
	int err = task_group(dir, &g);

	if (err)
		return -ENOENT;
	err = find_task(nr, g, out);
	group_put(g);
	return err;
}

static bool tid_next(const struct procfs_key *dir, u64 *nr)
{
	u64 best = ~0ull;
	struct tgroup *g;
	struct proc *p;

	if (task_group(dir, &g))
		return false;
	spin_lock(&proc_lock);
	list_for_each(p, &g->tasks, group_link) {
		if ((u64)p->pid >= *nr)
			best = MIN(best, (u64)p->pid);
	}
	spin_unlock(&proc_lock);
	group_put(g);
	*nr = best;
	return best != ~0ull;
}

#define TEXT(n, m, f)	{ .name = n, .mode = S_IFREG | (m), .show = f }
#define PRIVATE(n, m, f) { .name = n, .mode = S_IFREG | (m), .guarded = true, .show = f }
#define LINK(n, t, f) \
	{ .name = n, .mode = S_IFLNK | 0777, .guarded = true, .link = t, .follow = f }

static const struct procfs_entry fd_entry = {
	.name = "", .mode = S_IFLNK | 0700, .guarded = true, .link = fd_link, .follow = fd_follow,
};

static struct procfs_dir fd_dir = { .numbered = &fd_entry, .next = fd_next, .find = fd_find };

static const struct procfs_entry common_table[] = {
	TEXT("cgroup", 0444, show_cgroup),
	TEXT("cmdline", 0444, show_cmdline),
	TEXT("comm", 0444, show_comm),
	LINK("cwd", cwd_link, cwd_follow),
	PRIVATE("environ", 0400, show_environ),
	LINK("exe", exe_link, exe_follow),
	{ .name = "fd", .mode = S_IFDIR | 0500, .guarded = true, .dir = &fd_dir },
	TEXT("limits", 0444, show_limits),
	PRIVATE("maps", 0444, show_maps),
	TEXT("mounts", 0444, show_mounts),
	LINK("root", root_link, root_follow),
	TEXT("statm", 0444, show_statm),
	TEXT("status", 0444, show_status),
	{ .name = NULL },
};

static const struct procfs_entry task_table[] = {
	TEXT("stat", 0444, stat_of_task),
	{ .name = NULL },
};

static struct procfs_dir tid_dir = { .tables = { common_table, task_table } };
static const struct procfs_entry tid_entry = {
	.name = "", .mode = S_IFDIR | 0555, .dir = &tid_dir,
};

static struct procfs_dir tasks_dir = {
	.numbered = &tid_entry, .next = tid_next, .find = tid_find,
};

static const struct procfs_entry process_table[] = {
	TEXT("stat", 0444, stat_of_process),
	{ .name = "task", .mode = S_IFDIR | 0555, .dir = &tasks_dir },
	{ .name = NULL },
};

static struct procfs_dir pid_dir = { .tables = { common_table, process_table } };
static const struct procfs_entry pid_entry = {
	.name = "", .mode = S_IFDIR | 0555, .dir = &pid_dir,
};

static const struct procfs_entry root_table[] = {
	{ .name = "mounts", .mode = S_IFLNK | 0777, .link = mounts_link },
	{ .name = "self", .mode = S_IFLNK | 0777, .link = self_link },
	{ .name = "thread-self", .mode = S_IFLNK | 0777, .link = thread_self_link },
	{ .name = NULL },
};

static void task_owner(const struct procfs_key *key, u32 *uid, u32 *gid)
{
	struct cred *cred;

	*uid = *gid = 0;
	if (task_cred(key, &cred))
		return;
	*uid = cred->euid;
	*gid = cred->egid;
	cred_put(cred);
}

/* Make the directories appear. Context: boot, after proc_init(). */
void taskfiles_init(void)
{
	static const struct procfs_tasks tasks = { task_alive, task_owner, task_may_look };

	procfs_root.numbered = &pid_entry;
	procfs_root.next = pid_next;
	procfs_root.find = pid_find;
	procfs_add(&procfs_root, root_table);
	procfs_set_tasks(&tasks);
}
