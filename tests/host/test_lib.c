/* SPDX-License-Identifier: MIT */
/* kernel/lib and kernel/sync: strings, formatting, lists, bits, log, counts, lock ranks. */
#include "tests/host/host.h"
#include "kernel/lib/bits.h"
#include "kernel/lib/list.h"
#include "kernel/lib/string.h"
#include "kernel/sync/refcount.h"
#include "kernel/sync/lockstat.h"
#include "kernel/sync/spinlock.h"

static void expect(const char *want, const char *fmt, ...)
{
	char buf[128];
	va_list args;
	int n;

	va_start(args, fmt);
	n = fmt_vprint(buf, sizeof(buf), fmt, args);
	va_end(args);
	assert_string_equal(buf, want);
	assert_int_equal(n, strlen(want));
}

HOST_TEST(fmt_integers)
{
	expect("-5 5 ff 17", "%d %u %x %o", -5, 5u, 255u, 15u);
	expect("-9223372036854775808", "%ld", INT64_MIN);
	expect("18446744073709551615", "%lu", ~0ul);
	expect("18446744073709551615", "%llu", ~0ull);
	expect("12", "%zu", (size_t)12);
	expect("0", "%d", 0);
}

HOST_TEST(fmt_width_and_padding)
{
	expect("   42|42   |00042", "%5d|%-5d|%05d", 42, 42, 42);
	expect("  -42|-0042", "%5d|%05d", -42, -42);
	expect("   7", "%*d", 4, 7);
	expect("name       |", "%-11s|", "name");
}

HOST_TEST(fmt_strings)
{
	expect("abc", "%.3s", "abcdef");
	expect("ab", "%.*s", 2, "abcdef");
	expect("x%", "%c%%", 'x');
	expect("", "%s", "");
}

HOST_TEST(fmt_pointer)
{
	expect("0x0000000000001234", "%p", (void *)0x1234);
}

HOST_TEST(fmt_is_cut_and_terminated)
{
	char buf[5] = "zzzz";

	assert_int_equal(fmt_print(buf, sizeof(buf), "%s", "123456"), 6);
	assert_string_equal(buf, "1234");
	assert_int_equal(fmt_print(buf, 1, "%d", 77), 2);
	assert_string_equal(buf, "");
}

HOST_TEST(textbuf_counts_what_does_not_fit)
{
	char buf[8] = { 0 };
	struct textbuf t = { buf, sizeof(buf), 0 };

	text_print(&t, "%s", "hello");
	text_print(&t, "%s", " world");
	assert_int_equal(t.len, 11);
	assert_memory_equal(buf, "hello w", 7);
}

HOST_TEST(str_compare)
{
	assert_true(str_eq("abc", "abc"));
	assert_false(str_eq("abc", "abd"));
	assert_true(str_cmp("a", "b") < 0);
	assert_true(str_cmp("\xff", "a") > 0);
	assert_int_equal(str_ncmp("abcd", "abxx", 2), 0);
	assert_true(str_ncmp("abcd", "abxx", 3) < 0);
	assert_int_equal(str_ncmp("a", "b", 0), 0);
	assert_int_equal(str_len(""), 0);
}

HOST_TEST(str_copy_cuts)
{
	char buf[4];

	assert_int_equal(str_copy(buf, "abcdef", sizeof(buf)), 6);
	assert_string_equal(buf, "abc");
	assert_int_equal(str_copy(buf, "", sizeof(buf)), 0);
	assert_string_equal(buf, "");
}

HOST_TEST(str_chr_finds_first)
{
	const char *s = "a/b/c";

	assert_ptr_equal(str_chr(s, '/'), s + 1);
	assert_null(str_chr(s, 'x'));
}

HOST_TEST(str_to_size_values)
{
	const char *end;
	u64 v;

	assert_int_equal(str_to_size("17", &end, &v), 0);
	assert_true(v == 17 && *end == 0);
	assert_int_equal(str_to_size("3kB", &end, &v), 0);
	assert_true(v == 3 << 10 && *end == 'B');
	assert_int_equal(str_to_size("17179869183G", &end, &v), 0);
	assert_true(v == 17179869183ull << 30);
	assert_true(str_to_size("17179869184G", &end, &v) < 0);
	assert_true(str_to_size("K", &end, &v) < 0);
}

HOST_TEST(str_to_u64_values)
{
	const char *end;
	u64 v = 7;

	assert_int_equal(str_to_u64("123K", &end, &v), 0);
	assert_int_equal(v, 123);
	assert_int_equal(*end, 'K');
	assert_int_equal(str_to_u64("18446744073709551615", &end, &v), 0);
	assert_true(v == ~0ull);
	assert_true(str_to_u64("18446744073709551616", &end, &v) < 0);
	assert_true(str_to_u64("", &end, &v) < 0);
	assert_true(str_to_u64("x", &end, &v) < 0);
}

struct item {
	int n;
	struct list link;
};

static int joined(struct list *head)
{
	struct item *it;
	int n = 0;

	list_for_each(it, head, link)
		n = n * 10 + it->n;
	return n;
}

HOST_TEST(list_order)
{
	struct item a = { .n = 1 }, b = { .n = 2 }, c = { .n = 3 };
	struct list l;

	list_init(&l);
	assert_true(list_empty(&l));
	list_append(&l, &a.link);
	list_append(&l, &b.link);
	list_push(&l, &c.link);
	assert_int_equal(joined(&l), 312);
	list_remove(&a.link);
	assert_int_equal(joined(&l), 32);
	list_remove(&a.link);
	assert_true(list_empty(&a.link));
	assert_ptr_equal(list_first(&l, struct item, link), &c);
	assert_ptr_equal(list_last(&l, struct item, link), &b);
}

HOST_TEST(list_splice_and_safe_walk)
{
	struct item items[6], *it, *next;
	struct list x = LIST_INIT(x), y = LIST_INIT(y);

	for (int i = 0; i < 6; i++) {
		items[i].n = i + 1;
		list_append(i < 3 ? &x : &y, &items[i].link);
	}
	list_splice(&x, &y);
	assert_true(list_empty(&y));
	assert_int_equal(joined(&x), 123456);
	list_splice(&x, &y);
	assert_int_equal(joined(&x), 123456);
	list_for_each_safe(it, next, &x, link) {
		if (it->n % 2)
			list_remove(&it->link);
	}
	assert_int_equal(joined(&x), 246);
}

HOST_TEST(bits_logs)
{
	assert_int_equal(bits_log2(1), 0);
	assert_int_equal(bits_log2(4097), 12);
	assert_int_equal(bits_log2_up(1), 0);
	assert_int_equal(bits_log2_up(4096), 12);
	assert_int_equal(bits_log2_up(4097), 13);
	assert_true(bits_is_pow2(1ull << 63));
	assert_false(bits_is_pow2(0));
	assert_false(bits_is_pow2(6));
}

HOST_TEST(bitmap_first_clear_bit)
{
	u64 map[2] = { 0 };

	assert_int_equal(bitmap_first_clear(map, 100), 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(bitmap_first_clear(map, 100), i);
		bitmap_set(map, i);
		assert_true(bitmap_test(map, i));
	}
	assert_int_equal(bitmap_first_clear(map, 100), 100);
	bitmap_clear(map, 70);
	assert_int_equal(bitmap_first_clear(map, 100), 70);
}

HOST_TEST(align_macros)
{
	assert_int_equal(ALIGN_UP(1ul, 4096), 4096);
	assert_int_equal(ALIGN_UP(4096ul, 4096), 4096);
	assert_int_equal(ALIGN_DOWN(4097ul, 4096), 4096);
	assert_true(IS_ALIGNED(64, 64));
	assert_int_equal(DIV_ROUND_UP(9, 4), 3);
}

HOST_TEST(log_is_stamped_and_read_back)
{
	log_info("value %d", 42);
	host_assert_has(host_log(), "] value 42\n");
}

HOST_TEST(log_ring_overwrites_the_oldest)
{
	char buf[64];
	u64 pos = 0;

	log_raw("first", 5);
	for (int i = 0; i < LOG_RING_BYTES / 8; i++)
		log_raw("abcdefgh", 8);
	assert_int_equal(log_read(buf, 8, &pos), 8);
	assert_memory_equal(buf, "abcdefgh", 8);
	assert_int_equal(pos, 5 + 8);
}

static void do_panic(void)
{
	panic("reason %d", 7);
}

static void do_bug(void)
{
	volatile int x = 1;

	BUG_ON(x == 1);
}

HOST_TEST(panic_reaches_log_and_hook)
{
	host_expect_panic(do_panic, "PANIC: reason 7");
	host_expect_panic(do_bug, "BUG_ON(x == 1)");
}

static void drop_twice(void)
{
	refcount r = REFCOUNT_INIT(1);

	if (refcount_put(&r) && refcount_put(&r))
		abort();
}

static void raise_dead(void)
{
	refcount r = REFCOUNT_INIT(0);

	refcount_get(&r);
}

HOST_TEST(refcounts_notice_misuse)
{
	refcount r = REFCOUNT_INIT(1);

	refcount_get(&r);
	assert_false(refcount_put(&r));
	assert_true(refcount_put(&r));
	host_expect_panic(drop_twice, "BUG_ON");
	host_expect_panic(raise_dead, "BUG_ON");
}

static struct spinlock outer = SPINLOCK_INIT(RANK_CACHES, "outer");
static struct spinlock inner = SPINLOCK_INIT(RANK_ZONE, "inner");

static void wrong_order(void)
{
	spin_lock(&inner);
	spin_lock(&outer);
}

static void not_held(void)
{
	spin_unlock(&outer);
}

HOST_TEST(locks_have_ranks)
{
	spin_lock(&outer);
	spin_lock(&inner);
	assert_true(spin_is_held(&inner));
	assert_false(spin_trylock(&inner));
	spin_unlock(&inner);
	spin_unlock(&outer);
	assert_false(spin_is_held(&outer));
	assert_true(spin_trylock(&inner));
	spin_unlock(&inner);
	host_expect_panic(wrong_order, "\"inner\"");
	host_expect_panic(not_held, "outer");
}

static u64 longest_hold(enum lock_rank rank)
{
	struct lock_stats s;

	lockstat_read(rank, &s);
	return s.longest_hold;
}

/* Of two nested locks the inner one was held for the shorter time, whatever else the machine did. */
HOST_TEST(lock_holds_are_timed_each)
{
	static struct spinlock a = SPINLOCK_INIT(RANK_FS, "a"), b = SPINLOCK_INIT(RANK_PIPE, "b");
	const u64 alone = 10000000;
	u64 start;

	spin_lock(&a);
	for (start = cpu_cycles(); cpu_cycles() - start < alone;)
		;
	spin_lock(&b);
	spin_unlock(&b);
	spin_unlock(&a);
	assert_true(longest_hold(RANK_FS) >= longest_hold(RANK_PIPE) + alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fmt_integers),
		cmocka_unit_test(fmt_width_and_padding),
		cmocka_unit_test(fmt_strings),
		cmocka_unit_test(fmt_pointer),
		cmocka_unit_test(fmt_is_cut_and_terminated),
		cmocka_unit_test(textbuf_counts_what_does_not_fit),
		cmocka_unit_test(str_compare),
		cmocka_unit_test(str_copy_cuts),
		cmocka_unit_test(str_chr_finds_first),
		cmocka_unit_test(str_to_size_values),
		cmocka_unit_test(str_to_u64_values),
		cmocka_unit_test(list_order),
		cmocka_unit_test(list_splice_and_safe_walk),
		cmocka_unit_test(bits_logs),
		cmocka_unit_test(bitmap_first_clear_bit),
		cmocka_unit_test(align_macros),
		cmocka_unit_test(log_is_stamped_and_read_back),
		cmocka_unit_test(log_ring_overwrites_the_oldest),
		cmocka_unit_test(panic_reaches_log_and_hook),
		cmocka_unit_test(refcounts_notice_misuse),
		cmocka_unit_test(locks_have_ranks),
		cmocka_unit_test(lock_holds_are_timed_each),
	};

	return cmocka_run_group_tests_name("lib", tests, NULL, NULL);
}
