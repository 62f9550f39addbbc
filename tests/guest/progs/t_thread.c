/* SPDX-License-Identifier: MIT */
/* Threads: musl's pthreads on top of clone and futex, and what threads do to their process. */
#include "t.h"
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <unistd.h>

#define NR_THREADS	16
#define MANY_THREADS	1000
#define BURN_MS		300L		/* more than the host steals from an idle thread */
/* The kernel's, which musl keeps to itself. */
#define FUTEX_WAIT		0
#define FUTEX_WAKE		1
#define FUTEX_REQUEUE		3
#define FUTEX_CMP_REQUEUE	4
#define FUTEX_WAIT_BITSET	9
#define FUTEX_WAKE_BITSET	10
#define FUTEX_PRIVATE		128
#define FUTEX_CLOCK_REALTIME	256

#define THREAD_FLAGS	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static long futex(volatile int *word, int op, long value, const void *time, volatile int *word2,
		  long value3)
{
	return syscall(SYS_futex, word, op, value, time, word2, value3);
}

static int tid(void)
{
	return (int)syscall(SYS_gettid);
}

static pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, fn, arg);

	CHECK(err == 0, "pthread_create: %s", t_errno(err));
	return thread;
}

static void *join(pthread_t thread)
{
	void *ret;
	int err = pthread_join(thread, &ret);

	CHECK(err == 0, "pthread_join: %s", t_errno(err));
	return ret;
}

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void *spin_for_ever(void *unused)
{
	for (volatile long n = 0;; n++)
		;
	return unused;
}

/* --- life and death of a thread */

static void *twice(void *n)
{
	return (void *)(2 * (long)n);
}

TEST(create_join)
{
	pthread_t threads[NR_THREADS];

	for (long i = 0; i < NR_THREADS; i++)
		threads[i] = start(twice, (void *)i);
	for (long i = 0; i < NR_THREADS; i++)
		CHECK((long)join(threads[i]) == 2 * i);
}

static pthread_barrier_t all_there;

static void *wait_for_all(void *unused)
{
	pthread_barrier_wait(&all_there);
	return unused;
}

TEST(thousand_at_once)
{
	static pthread_t threads[MANY_THREADS];
	pthread_attr_t attr;
	long before, after = 0;

	join(start(twice, NULL));
	before = t_usage();
	pthread_barrier_init(&all_there, NULL, MANY_THREADS + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	for (int i = 0; i < MANY_THREADS; i++)
		CHECK(pthread_create(&threads[i], &attr, wait_for_all, NULL) == 0, "thread %d", i);
	if (t_groups)
		CHECK(t_usage() > before + MANY_THREADS * PAGE_BYTES);
	pthread_barrier_wait(&all_there);
	for (int i = 0; i < MANY_THREADS; i++)
		join(threads[i]);
	for (int i = 0; i < 100; i++) {		/* the last of them leave their stacks */
		after = t_usage();
		if (after <= before + 64 * PAGE_BYTES)
			return;
		sleep_ms(10);
	}
	CHECK(0, "%ld bytes before, %ld after", before, after);
}

TEST(one_after_the_other)
{
	for (long i = 0; i < MANY_THREADS; i++)
		CHECK((long)join(start(twice, (void *)i)) == 2 * i);
}

static volatile int nr_detached;

static void *count_detached(void *unused)
{
	__atomic_add_fetch(&nr_detached, 1, __ATOMIC_SEQ_CST);
	return unused;
}

TEST(detached)
{
	for (int i = 0; i < 100; i++)
		CHECK(pthread_detach(start(count_detached, NULL)) == 0);
	while (nr_detached < 100)
		sched_yield();
}

static int leader_pid;

static void *check_ids(void *out)
{
	CHECK(getpid() == leader_pid && tid() != leader_pid);
	CHECK(getppid() != leader_pid);
	CHECK(syscall(SYS_tgkill, leader_pid, tid(), 0) == 0);
	*(int *)out = tid();
	return NULL;
}

TEST(ids)
{
	int a = 0, b = 0;
	pthread_t first, second;

	leader_pid = getpid();
	CHECK(tid() == leader_pid);
	first = start(check_ids, &a);
	second = start(check_ids, &b);
	join(first);
	join(second);
	CHECK(a > 0 && b > 0 && a != b);
}

static __thread int tls_word = 11;

static void *change_tls(void *n)
{
	int seen = tls_word;

	tls_word = (int)(long)n;
	sched_yield();
	return (void *)(long)(seen == 11 && tls_word == (int)(long)n);
}

TEST(thread_local_storage)
{
	pthread_t threads[NR_THREADS];

	tls_word = 12;
	for (long i = 0; i < NR_THREADS; i++)
		threads[i] = start(change_tls, (void *)(100 + i));
	for (int i = 0; i < NR_THREADS; i++)
		CHECK(join(threads[i]) == (void *)1);
	CHECK(tls_word == 12);
}

/* --- locks of the library */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long counter;
static int turn;

static void *count_locked(void *times)
{
	for (long i = 0; i < (long)times; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

TEST(mutex)
{
	pthread_t threads[NR_THREADS];

	for (int i = 0; i < NR_THREADS; i++)
		threads[i] = start(count_locked, (void *)5000L);
	for (int i = 0; i < NR_THREADS; i++)
		join(threads[i]);
	CHECK(counter == 5000L * NR_THREADS, "counter %ld", counter);
}

static void *yield_locked(void *times)
{
	for (long i = 0; i < (long)times; i++) {
		long seen;

		pthread_mutex_lock(&lock);
		seen = counter;
		sched_yield();			/* the others run into the lock */
		counter = seen + 1;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

TEST(mutex_contended)
{
	pthread_t threads[NR_THREADS];

	for (int i = 0; i < NR_THREADS; i++)
		threads[i] = start(yield_locked, (void *)200L);
	for (int i = 0; i < NR_THREADS; i++)
		join(threads[i]);
	CHECK(counter == 200L * NR_THREADS, "counter %ld", counter);
}

static void *play(void *side)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock);
		while (turn != (int)(long)side)
			pthread_cond_wait(&changed, &lock);
		turn = !turn;
		counter++;
		pthread_cond_signal(&changed);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

TEST(condition_ping_pong)
{
	pthread_t other = start(play, (void *)1L);

	play((void *)0L);
	join(other);
	CHECK(counter == 2000);
}

static void *wait_for_turn(void *unused)
{
	pthread_mutex_lock(&lock);
	counter++;
	while (!turn)
		pthread_cond_wait(&changed, &lock);
	counter--;
	pthread_mutex_unlock(&lock);
	return unused;
}

TEST(condition_broadcast)
{
	pthread_t threads[NR_THREADS];

	for (int i = 0; i < NR_THREADS; i++)
		threads[i] = start(wait_for_turn, NULL);
	for (long waiting = 0; waiting < NR_THREADS; sched_yield()) {
		pthread_mutex_lock(&lock);
		waiting = counter;
		pthread_mutex_unlock(&lock);
	}
	pthread_mutex_lock(&lock);
	turn = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < NR_THREADS; i++)
		join(threads[i]);
	CHECK(counter == 0);
}

static struct timespec in_ms(int clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms % 1000 * 1000000;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

TEST(condition_timeout)
{
	struct timespec until = in_ms(CLOCK_REALTIME, 50);
	long started = clock_ms();

	pthread_mutex_lock(&lock);
	CHECK(pthread_cond_timedwait(&changed, &lock, &until) == ETIMEDOUT);
	pthread_mutex_unlock(&lock);
	CHECK(clock_ms() - started >= 45, "after %ld ms", clock_ms() - started);
}

static sem_t items;

static void *post_items(void *unused)
{
	for (int i = 0; i < 3000; i++)
		sem_post(&items);
	return unused;
}

TEST(semaphore)
{
	pthread_t other[2];

	sem_init(&items, 0, 0);
	for (int i = 0; i < 2; i++)
		other[i] = start(post_items, NULL);
	for (int i = 0; i < 6000; i++)
		CHECK(sem_wait(&items) == 0);
	join(other[0]);
	join(other[1]);
	CHECK(sem_trywait(&items) < 0 && errno == EAGAIN);
}

/* --- futex */

static volatile int word, word2;

TEST(futex_errors)
{
	struct timespec bad = { 0, 1000000000 }, past = { 0, 0 }, soon = { 0, 20000000 };
	char *page = mmap(NULL, PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	word = 5;
	FAILS(EAGAIN, futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0));
	FAILS(EAGAIN, futex(&word, FUTEX_WAIT | FUTEX_PRIVATE, 4, NULL, NULL, 0));
	FAILS(EINVAL, futex((int *)((char *)&word + 1), FUTEX_WAIT, 5, NULL, NULL, 0));
	FAILS(EINVAL, futex((int *)((char *)&word + 2), FUTEX_WAKE, 1, NULL, NULL, 0));
	FAILS(EINVAL, futex(&word, FUTEX_WAIT, 5, &bad, NULL, 0));
	FAILS(EINVAL, futex(&word, FUTEX_WAIT_BITSET, 5, NULL, NULL, 0));
	FAILS(EINVAL, futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
	FAILS(EFAULT, futex((int *)page, FUTEX_WAIT | FUTEX_PRIVATE, 0, NULL, NULL, 0));
	FAILS(EFAULT, futex((int *)8, FUTEX_WAIT, 0, NULL, NULL, 0));
	FAILS(EFAULT, futex((int *)8, FUTEX_WAKE, 1, NULL, NULL, 0));
	FAILS(EFAULT, futex((int *)0xffff888000000000, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0));
	FAILS(EFAULT, futex(&word, FUTEX_WAIT, 5, (void *)8, NULL, 0));
	FAILS(ENOSYS, futex(&word, 99, 0, NULL, NULL, 0));
	FAILS(ETIMEDOUT, futex(&word, FUTEX_WAIT, 5, &past, NULL, 0));
	FAILS(ETIMEDOUT, futex(&word, FUTEX_WAIT, 5, &soon, NULL, 0));
	FAILS(ETIMEDOUT, futex(&word, FUTEX_WAIT_BITSET, 5, &past, NULL, 1));
	FAILS(EAGAIN, futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1L, &word2, 4));
	FAILS(EINVAL, futex(&word, FUTEX_REQUEUE, -1, (void *)1L, &word2, 0));
	FAILS(EINVAL, futex(&word, FUTEX_REQUEUE, 1, (void *)1L, (int *)((char *)&word2 + 1), 0));
	CHECK(futex(&word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) == 0);
	CHECK(futex((int *)page, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0) == 0);
}

TEST(futex_timeouts)
{
	struct timespec length = { 0, 50000000 }, until = in_ms(CLOCK_MONOTONIC, 50);
	long started = clock_ms();

	FAILS(ETIMEDOUT, futex(&word, FUTEX_WAIT | FUTEX_PRIVATE, 0, &length, NULL, 0));
	CHECK(clock_ms() - started >= 50, "relative: %ld ms", clock_ms() - started);
	started = clock_ms();
	until = in_ms(CLOCK_MONOTONIC, 50);
	FAILS(ETIMEDOUT, futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE, 0, &until, NULL, 1));
	CHECK(clock_ms() - started >= 49, "absolute: %ld ms", clock_ms() - started);
	started = clock_ms();
	until = in_ms(CLOCK_REALTIME, 50);
	FAILS(ETIMEDOUT, futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &until,
			       NULL, 1));
	CHECK(clock_ms() - started >= 49, "realtime: %ld ms", clock_ms() - started);
}

static volatile int nr_woken;

static void *wait_on_word(void *bits)
{
	long ret = futex(&word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE, 0, NULL, NULL, (long)bits);

	__atomic_add_fetch(&nr_woken, 1, __ATOMIC_SEQ_CST);
	return (void *)ret;
}

/* Wake by op until nr threads in all were: they may not have come to wait yet. */
static void wake_in_all(volatile int *at, int nr, long bits)
{
	int woken = 0;

	while (woken < nr) {
		woken += (int)WORKS(futex(at, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, nr - woken, NULL, NULL,
					  bits));
		sched_yield();
	}
}

TEST(futex_bitset)
{
	pthread_t a = start(wait_on_word, (void *)1L), b = start(wait_on_word, (void *)2L);

	CHECK(futex(&word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 4) == 0);
	wake_in_all(&word, 1, 2);
	CHECK(join(b) == 0 && nr_woken == 1);
	wake_in_all(&word, 1, 1);
	CHECK(join(a) == 0 && nr_woken == 2);
}

TEST(futex_requeue)
{
	pthread_t threads[4];
	int moved = 0;

	for (int i = 0; i < 4; i++)
		threads[i] = start(wait_on_word, (void *)1L);
	while (moved < 4) {
		moved += (int)WORKS(futex(&word, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE, 0, (void *)4L,
					  &word2, 0));
		sched_yield();
	}
	CHECK(moved == 4 && nr_woken == 0);
	CHECK(futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0) == 0);
	CHECK(futex(&word2, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0) == 1);
	CHECK(futex(&word2, FUTEX_WAKE | FUTEX_PRIVATE, INT_MAX, NULL, NULL, 0) == 3);
	for (int i = 0; i < 4; i++)
		CHECK(join(threads[i]) == 0);
}

static void *bounce(void *side)
{
	int mine = (int)(long)side;

	for (int i = 0; i < 2000; i++) {
		while (word != mine)
			futex(&word, FUTEX_WAIT | FUTEX_PRIVATE, !mine, NULL, NULL, 0);
		word = !mine;
		futex(&word, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

/* A wake-up that is lost leaves both asleep. */
TEST(futex_no_lost_wakeup)
{
	pthread_t other = start(bounce, (void *)1L);

	bounce((void *)0L);
	join(other);
}

TEST(futex_between_processes)
{
	volatile int *shared = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pid;

	shared[0] = 0;
	pid = (int)WORKS(fork());
	if (pid == 0) {
		while (!shared[0])
			futex(&shared[0], FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(shared[0]);
	}
	sleep_ms(20);
	shared[0] = 7;
	WORKS(futex(&shared[0], FUTEX_WAKE, 1, NULL, NULL, 0));
	CHECK(t_wait(pid) == 7 << 8);
}

static pthread_mutex_t *robust;

static void *die_with_lock(void *unused)
{
	pthread_mutex_lock(robust);
	kill(getpid(), SIGKILL);
	return unused;
}

TEST(robust_mutex)
{
	pthread_mutexattr_t attr;
	int pid;

	robust = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	CHECK(pthread_mutex_init(robust, &attr) == 0);
	pid = (int)WORKS(fork());
	if (pid == 0) {
		start(die_with_lock, NULL);
		sleep_for_ever(NULL);
	}
	CHECK(t_wait(pid) == SIGKILL);
	CHECK(pthread_mutex_lock(robust) == EOWNERDEAD);
	CHECK(pthread_mutex_consistent(robust) == 0 && pthread_mutex_unlock(robust) == 0);
}

/* --- a thread and its process */

static void *exit_all(void *code)
{
	exit((int)(long)code);
}

static void exit_from_thread(void *unused)
{
	(void)unused;
	for (int i = 0; i < 4; i++)
		start(i % 2 ? sleep_for_ever : spin_for_ever, NULL);
	start(exit_all, (void *)7L);
	sleep_for_ever(NULL);
}

TEST(exit_group_from_thread) { CHECK(t_child(exit_from_thread, NULL) == 7 << 8); }

static void *crash(void *unused)
{
	*(volatile int *)unused = 1;
	return NULL;
}

static void crash_in_thread(void *unused)
{
	(void)unused;
	start(sleep_for_ever, NULL);
	start(spin_for_ever, NULL);
	start(crash, (void *)8);
	sleep_for_ever(NULL);
}

TEST(fatal_signal_in_thread) { t_expect_signal(crash_in_thread, NULL, SIGSEGV); }

static int pipe_ends[2];

static void *read_pipe(void *unused)
{
	char c;

	read(pipe_ends[0], &c, 1);
	return unused;
}

static void *wait_for_child(void *unused)
{
	wait(NULL);
	return unused;
}

static void *wait_futex(void *unused)
{
	futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0);
	return unused;
}

/* Sixteen threads in every kind of wait, and some that compute. */
static void many_kinds(void *ready)
{
	static void *(*const kinds[])(void *) = {
		spin_for_ever, sleep_for_ever, read_pipe, wait_for_child, wait_futex,
	};

	WORKS(pipe(pipe_ends));
	if (WORKS(fork()) == 0) {
		sleep_ms(3000);			/* outlives them all */
		_exit(0);
	}
	for (int i = 0; i < NR_THREADS; i++)
		start(kinds[i % 5], NULL);
	write(*(int *)ready, "x", 1);
	sleep_for_ever(NULL);
}

TEST(kill_sixteen)
{
	int ready[2], pid;
	char c;

	for (int round = 0; round < 5; round++) {
		WORKS(pipe(ready));
		pid = (int)WORKS(fork());
		if (pid == 0)
			many_kinds(&ready[1]);
		CHECK(read(ready[0], &c, 1) == 1);
		if (round % 2)
			sleep_ms(10);
		WORKS(kill(pid, SIGKILL));
		CHECK(t_wait(pid) == SIGKILL);
		close(ready[0]);
		close(ready[1]);
	}
}

static volatile int thread_tid;

static void *tell_tid(void *unused)
{
	thread_tid = tid();
	sleep_for_ever(unused);
	return NULL;
}

static void signal_thread(void *unused)
{
	(void)unused;
	start(tell_tid, NULL);
	while (!thread_tid)
		sched_yield();
	FAILS(ESRCH, syscall(SYS_tgkill, thread_tid, thread_tid, SIGTERM));
	FAILS(ESRCH, syscall(SYS_tgkill, getppid(), thread_tid, SIGTERM));
	FAILS(EINVAL, syscall(SYS_tgkill, 0, thread_tid, SIGTERM));
	WORKS(syscall(SYS_tgkill, getpid(), thread_tid, SIGTERM));
	sleep_for_ever(NULL);
}

TEST(tgkill_ends_all) { t_expect_signal(signal_thread, NULL, SIGTERM); }

static void kill_blocked(void *unused)
{
	sigset_t set;

	(void)unused;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	start(tell_tid, NULL);			/* inherits the mask */
	while (!thread_tid)
		sched_yield();
	WORKS(kill(getpid(), SIGTERM));		/* waits for the process */
	WORKS(syscall(SYS_tkill, thread_tid, SIGTERM));	/* waits for that thread */
	sleep_ms(20);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	_exit(1);
}

TEST(blocked_by_all_threads) { t_expect_signal(kill_blocked, NULL, SIGTERM); }

static void ignore_in_one(void *unused)
{
	(void)unused;
	start(tell_tid, NULL);
	while (!thread_tid)
		sched_yield();
	signal(SIGTERM, SIG_IGN);		/* for all of them */
	WORKS(syscall(SYS_tkill, thread_tid, SIGTERM));
	sleep_ms(20);
	_exit(3);
}

TEST(dispositions_are_shared) { CHECK(t_child(ignore_in_one, NULL) == 3 << 8); }

static void *exit_later(void *code)
{
	sleep_ms(50);
	if (code)
		_exit((int)(long)code);
	syscall(SYS_exit, 8);
	return NULL;
}

static void leader_exits(void *code)
{
	start(exit_later, code);
	syscall(SYS_exit, 9);
}

/* The process lives as long as a thread of it does; wait4 must not see the leader before. */
TEST(leader_exits_first)
{
	int status, pid = (int)WORKS(fork());
	long started = clock_ms();

	if (pid == 0)
		leader_exits(NULL);
	sleep_ms(10);
	CHECK(waitpid(pid, &status, WNOHANG) == 0 && kill(pid, 0) == 0);
	status = t_wait(pid);			/* the code of who went last */
	CHECK(status == 8 << 8, "status %x", status);
	CHECK(clock_ms() - started >= 50);
	CHECK(t_child(leader_exits, (void *)6L) == 6 << 8);
}

static void *kill_leaderless(void *unused)
{
	sleep_for_ever(unused);
	return NULL;
}

TEST(kill_without_leader)
{
	int pid = (int)WORKS(fork());

	if (pid == 0) {
		start(kill_leaderless, NULL);
		syscall(SYS_exit, 0);
	}
	sleep_ms(20);
	WORKS(kill(pid, SIGKILL));
	CHECK(t_wait(pid) == SIGKILL);
}

static void *wait_for_pid(void *pid)
{
	return (void *)(long)t_wait((int)(long)pid);
}

static void *fork_and_leave(void *unused)
{
	int pid = (int)WORKS(fork());

	(void)unused;
	if (pid == 0) {
		sleep_ms(20);
		_exit(getppid() == leader_pid ? 5 : 1);
	}
	return (void *)(long)pid;
}

/* Children belong to the process: any thread waits for any thread's. */
TEST(wait_from_another_thread)
{
	void *pid;

	leader_pid = getpid();
	pid = join(start(fork_and_leave, NULL));
	CHECK(join(start(wait_for_pid, pid)) == (void *)(5L << 8));
	pid = join(start(fork_and_leave, NULL));
	CHECK(t_wait((int)(long)pid) == 5 << 8);
	FAILS(ECHILD, waitpid(-1, NULL, 0));
}

TEST(thread_is_no_child)
{
	pthread_t thread = start(tell_tid, NULL);

	(void)thread;
	while (!thread_tid)
		sched_yield();
	FAILS(ECHILD, waitpid(thread_tid, NULL, 0));
	FAILS(ECHILD, waitpid(-1, NULL, 0));
}

/* --- fork and exec */

static void *exec_self(void *unused)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	sleep_ms((long)unused);
	execl(t_self, t_self, "--after-exec", pid, NULL);
	_exit(98);
}

static void exec_in_thread(void *leader_leaves)
{
	for (int i = 0; i < 4; i++)
		start(i % 2 ? sleep_for_ever : spin_for_ever, NULL);
	start(exec_self, (void *)(leader_leaves ? 20L : 0L));
	if (leader_leaves)
		syscall(SYS_exit, 3);
	sleep_for_ever(NULL);
}

static void exec_in_leader(void *unused)
{
	for (int i = 0; i < 4; i++)
		start(i % 2 ? sleep_for_ever : spin_for_ever, NULL);
	exec_self(unused);
}

static void exec_in_two(void *unused)
{
	(void)unused;
	for (int i = 0; i < 4; i++)
		start(exec_self, NULL);
	sleep_for_ever(NULL);
}

static void exec_with_child(void *unused)
{
	(void)unused;
	if (WORKS(fork()) == 0)
		_exit(0);
	exec_in_thread(NULL);
}

TEST(exec_from_thread) { CHECK(t_child(exec_in_thread, NULL) == 42 << 8); }
TEST(exec_without_leader) { CHECK(t_child(exec_in_thread, "") == 42 << 8); }
TEST(exec_from_leader) { CHECK(t_child(exec_in_leader, NULL) == 42 << 8); }
TEST(exec_from_four) { CHECK(t_child(exec_in_two, NULL) == 42 << 8); }
TEST(exec_keeps_children) { CHECK(t_child(exec_with_child, NULL) == 43 << 8); }

static void exec_fails(void *unused)
{
	(void)unused;
	start(tell_tid, NULL);
	while (!thread_tid)
		sched_yield();
	execl("/no/such/file", "x", NULL);
	if (syscall(SYS_tgkill, getpid(), thread_tid, 0) == 0)	/* the other thread lives */
		_exit(4);
	_exit(1);
}

TEST(failed_exec_keeps_threads) { CHECK(t_child(exec_fails, NULL) == 4 << 8); }

/* What the new program finds: itself alone, under the old pid. */
static int after_exec(const char *pid)
{
	if (getpid() != atoi(pid) || tid() != getpid())
		return 1;
	return waitpid(-1, NULL, 0) > 0 ? 43 : 42;
}

static void exit_with(void *code)
{
	_exit((int)(long)code);
}

static void *fork_often(void *unused)
{
	for (int i = 0; i < 20; i++)
		CHECK(t_child(exit_with, (void *)3L) == 3 << 8);
	return unused;
}

TEST(fork_in_threads)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		threads[i] = start(fork_often, NULL);
	for (int i = 0; i < 4; i++)
		join(threads[i]);
}

static void end_while_forking(void *unused)
{
	(void)unused;
	for (int i = 0; i < 4; i++)
		start(fork_often, NULL);
	sleep_ms(5);
	_exit(2);
}

TEST(exit_while_threads_fork)
{
	for (int i = 0; i < 5; i++)
		CHECK(t_child(end_while_forking, NULL) == 2 << 8);
}

TEST(clone_refuses)
{
	FAILS(EINVAL, syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
	FAILS(EINVAL, syscall(SYS_clone, CLONE_THREAD | CLONE_VM, 0, 0, 0, 0));
	FAILS(EINVAL, syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0));
	FAILS(EINVAL, syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
	FAILS(EPERM, syscall(SYS_clone, THREAD_FLAGS | CLONE_SETTLS, 0, 0, 0, 0xffff888000000000));
}

static char raw_stack[16384] __attribute__((aligned(16)));
static volatile int clear_word = 1, parent_word, child_word;

static int raw_thread(void *unused)
{
	(void)unused;
	while (!parent_word)
		sched_yield();
	syscall(SYS_exit, 0);
	return 0;
}

/* Without the library: the words that the kernel writes, and the wake-up on the last. */
TEST(clone_words)
{
	int made = (int)WORKS(clone(raw_thread, raw_stack + sizeof(raw_stack),
				    THREAD_FLAGS | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
				    CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, NULL,
				    &parent_word, NULL, &clear_word));

	(void)child_word;
	CHECK(made == parent_word && made != getpid());
	for (int seen; (seen = clear_word) != 0;)
		futex(&clear_word, FUTEX_WAIT, seen, NULL, NULL, 0);
	CHECK(clear_word == 0);
	for (int i = 0; kill(made, 0) == 0; i++) {	/* gone without a wait4 */
		CHECK(i < 1000);
		sleep_ms(1);
	}
}

/* --- where and how long */

TEST(affinity)
{
	unsigned long mask[16] = { 0 };
	long bytes = WORKS(syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask));
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned cpu = 99;

	CHECK(bytes >= 8 && bytes % 8 == 0 && (mask[0] & 1));
	CHECK(cpus == __builtin_popcountl(mask[0]), "%ld CPUs, mask %lx", cpus, mask[0]);
	FAILS(EINVAL, syscall(SYS_sched_getaffinity, 0, 4, mask));
	FAILS(EINVAL, syscall(SYS_sched_getaffinity, 0, 12, mask));
	FAILS(EFAULT, syscall(SYS_sched_getaffinity, 0, 128, 8));
	FAILS(ESRCH, syscall(SYS_sched_getaffinity, 4000000, 128, mask));
	FAILS(ESRCH, syscall(SYS_sched_setaffinity, 4000000, 8, mask));
	FAILS(EFAULT, syscall(SYS_sched_setaffinity, 0, 8, 8));
	mask[0] = 0;
	FAILS(EINVAL, syscall(SYS_sched_setaffinity, 0, 8, mask));
	FAILS(EINVAL, syscall(SYS_sched_setaffinity, 0, 0, mask));
	for (int i = 0; i < cpus; i++) {
		mask[0] = 1ul << i;
		WORKS(syscall(SYS_sched_setaffinity, 0, 8, mask));
		WORKS(syscall(SYS_getcpu, &cpu, NULL, NULL));
		CHECK(cpu == (unsigned)i, "on CPU %u, not %d", cpu, i);
		WORKS(syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask));
		CHECK(mask[0] == 1ul << i);
	}
}

static void meddle(void *unused)
{
	unsigned long mask[16] = { 1 }, head, bytes;

	(void)unused;
	WORKS(syscall(SYS_get_robust_list, getppid(), &head, &bytes));
	WORKS(syscall(SYS_setuid, 1000));
	FAILS(EPERM, syscall(SYS_sched_setaffinity, getppid(), 8, mask));
	FAILS(EPERM, syscall(SYS_get_robust_list, getppid(), &head, &bytes));
	WORKS(syscall(SYS_sched_getaffinity, getppid(), sizeof(mask), mask));
	WORKS(syscall(SYS_sched_setaffinity, 0, 8, mask));
	WORKS(syscall(SYS_get_robust_list, 0, &head, &bytes));
}

TEST(threads_of_others) { CHECK(t_child(meddle, NULL) == 0); }

static long cpu_ms(int clock)
{
	struct timespec t;

	WORKS(clock_gettime(clock, &t));
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *burn(void *ms)
{
	while (cpu_ms(CLOCK_THREAD_CPUTIME_ID) < (long)ms)
		;
	return (void *)cpu_ms(CLOCK_THREAD_CPUTIME_ID);
}

static long rusage_ms(int who)
{
	struct rusage usage;

	WORKS(getrusage(who, &usage));
	return usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 +
	       usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000;
}

static void burn_in_threads(void *unused)
{
	pthread_t a = start(burn, (void *)BURN_MS), b = start(burn, (void *)BURN_MS);

	(void)unused;
	join(a);
	join(b);
}

TEST(cpu_time)
{
	long own;
	struct tms times_now;

	burn_in_threads(NULL);
	own = cpu_ms(CLOCK_THREAD_CPUTIME_ID);
	CHECK(own < BURN_MS, "the leader itself ran %ld ms", own);
	CHECK(cpu_ms(CLOCK_PROCESS_CPUTIME_ID) >= 2 * BURN_MS - 10);
	CHECK(rusage_ms(RUSAGE_SELF) >= 2 * BURN_MS - 10 && rusage_ms(RUSAGE_THREAD) < BURN_MS);
	CHECK(rusage_ms(RUSAGE_CHILDREN) == 0);
	CHECK(t_child(burn_in_threads, NULL) == 0);
	CHECK(rusage_ms(RUSAGE_CHILDREN) >= 2 * BURN_MS - 10);
	CHECK(times(&times_now) > 0);
	CHECK(times_now.tms_utime + times_now.tms_stime >= BURN_MS / 10);
	CHECK(times_now.tms_cutime + times_now.tms_cstime >= BURN_MS / 10);
	FAILS(EINVAL, getrusage(7, NULL));
}

static volatile int stop_clock;

static void *read_clock(void *unused)
{
	long last = 0, now;

	while (!stop_clock) {
		struct timespec t;

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
		now = t.tv_sec * 1000000000 + t.tv_nsec;
		CHECK(now >= last, "%ld after %ld", now, last);
		last = now;
	}
	return unused;
}

TEST(process_clock_rises)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		threads[i] = start(read_clock, NULL);
	for (int i = 0; i < t_rounds(100); i++) {
		join(start(twice, NULL));
		sched_yield();
	}
	stop_clock = 1;
	for (int i = 0; i < 3; i++)
		join(threads[i]);
}

/* --- groups */

static void *map_much(void *unused)
{
	while (!stop_clock) {
		void *p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		*(volatile char *)p = 1;
		munmap(p, 4 << 20);
	}
	return unused;
}

/* A process moves with all its threads, while they allocate; the old group can go at once. */
TEST(move_with_threads)
{
	char text[64], pid[16];
	pthread_t threads[4];

	if (!t_groups)
		return;
	snprintf(pid, sizeof(pid), "%d\n", getpid());
	WORKS(cgroup_create("/t-a", 0755));
	WORKS(cgroup_attach("/t-a", 0));
	CHECK(control_set("/t-a", "memory.kmem.limit_in_bytes", "32M") >= 0);
	for (int i = 0; i < 4; i++)
		threads[i] = start(map_much, NULL);
	for (int i = 0; i < 20; i++) {
		const char *from = i % 2 ? "/t-b" : "/t-a", *to = i % 2 ? "/t-a" : "/t-b";

		CHECK(control_text(from, "cgroup.procs", text, sizeof(text)) > 0);
		CHECK(!strcmp(text, pid), "members: %s", text);
		WORKS(cgroup_create(to, 0755));
		CHECK(control_set(to, "memory.kmem.limit_in_bytes", "32M") >= 0);
		WORKS(cgroup_attach(to, 0));
		WORKS(cgroup_remove(from));
		sched_yield();
	}
	stop_clock = 1;
	for (int i = 0; i < 4; i++)
		join(threads[i]);
	WORKS(cgroup_attach(t_group, 0));
	WORKS(cgroup_remove("/t-a"));
}

static void leave_threads(void *unused)
{
	(void)unused;
	WORKS(cgroup_attach("/t-k", 0));
	for (int i = 0; i < 8; i++)
		start(i % 2 ? sleep_for_ever : spin_for_ever, NULL);
	syscall(SYS_exit, 0);			/* the process lives on without its leader */
}

TEST(group_kill_threads)
{
	char text[64] = "", pid_text[16];
	int pid;

	if (!t_groups)
		return;
	WORKS(cgroup_create("/t-k", 0755));
	pid = (int)WORKS(fork());
	if (pid == 0)
		leave_threads(NULL);
	snprintf(pid_text, sizeof(pid_text), "%d\n", pid);
	for (int i = 0; i < 500 && strcmp(text, pid_text); i++) {
		control_text("/t-k", "cgroup.procs", text, sizeof(text));
		sleep_ms(1);
	}
	CHECK(!strcmp(text, pid_text), "members: %s", text);
	sleep_ms(20);
	FAILS(EBUSY, cgroup_remove("/t-k"));
	WORKS(cgroup_kill("/t-k"));
	CHECK(t_wait(pid) == SIGKILL);
	WORKS(cgroup_remove("/t-k"));
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--after-exec"))
		return after_exec(argv[2]);
	return t_main(argc, argv);
}
