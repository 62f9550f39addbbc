/* SPDX-License-Identifier: MIT */
/* Kernel stacks: mapped, guarded, charged, and given back whole. */
#include "tests/host/host.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/host/groups.h"

static void machine(unsigned nr_pages)
{
	host_machine(64, 1);
	kstack_init(nr_pages);
}

HOST_TEST(a_stack_is_charged_as_its_pages)
{
	struct kstack stack;
	struct memcg *a;

	machine(4);
	a = group(&root_memcg, "a", 100);
	memcg_set_current(a);
	assert_int_equal(kstack_alloc(&stack), 0);
	memcg_set_current(NULL);
	assert_int_equal(usage(a), 4);
	assert_int_equal(kstack_nr_used(), 1);
	assert_audit();
	kstack_free(&stack);
	assert_int_equal(usage(a), 0);
	assert_int_equal(kstack_nr_used(), 0);
	assert_audit();
}

HOST_TEST(the_size_of_stacks_is_configured_and_bounded)
{
	machine(4);
	assert_int_equal(kstack_pages(), 4);
	kstack_init(0);
	assert_int_equal(kstack_pages(), 1);
	kstack_init(100);
	assert_int_equal(kstack_pages(), 15);
	kstack_init(7);
	assert_int_equal(kstack_pages(), 7);
}

HOST_TEST(a_stack_is_memory_from_its_lowest_to_its_highest_byte)
{
	struct kstack stacks[3];

	machine(2);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kstack_alloc(&stacks[i]), 0);
		assert_int_equal((uintptr_t)stacks[i].top % 16, 0);
		memset((char *)stacks[i].top - 2 * PAGE_SIZE, i + 1, 2 * PAGE_SIZE);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(((char *)stacks[i].top)[-1], i + 1);
		assert_int_equal(((char *)stacks[i].top)[-2 * (long)PAGE_SIZE], i + 1);
	}
}

static void assert_faults(volatile char *at)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		*at = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

HOST_TEST(below_and_above_a_stack_is_guard)
{
	struct kstack stack;
	uintptr_t top;

	machine(3);
	assert_int_equal(kstack_alloc(&stack), 0);
	top = (uintptr_t)stack.top;
	assert_false(kstack_is_guard(top - 1));
	assert_false(kstack_is_guard(top - 3 * PAGE_SIZE));
	assert_true(kstack_is_guard(top - 3 * PAGE_SIZE - 1));
	assert_true(kstack_is_guard(top - KSTACK_SLOT_BYTES));
	assert_true(kstack_is_guard(top));
	assert_false(kstack_is_guard(KSTACK_AREA - 1));
	assert_false(kstack_is_guard(KSTACK_AREA + KSTACK_AREA_BYTES));
	assert_false(kstack_is_guard((uintptr_t)&stack));
	assert_faults((char *)stack.top - 3 * PAGE_SIZE - 1);
	assert_faults(stack.top);
	kstack_free(&stack);
	assert_faults((char *)top - 1);
}

HOST_TEST(a_stack_half_charged_at_the_limit_is_undone)
{
	struct kstack stack, second;
	struct memcg *a;

	machine(4);
	a = group(&root_memcg, "a", 6);
	memcg_set_current(a);
	assert_int_equal(kstack_alloc(&stack), 0);
	assert_int_equal(kstack_alloc(&second), -ENOMEM);
	assert_int_equal(usage(a), 4);
	assert_int_equal(failcnt(a), 1);
	assert_int_equal(kstack_nr_used(), 1);
	assert_audit();
	kstack_free(&stack);
	assert_int_equal(usage(a), 0);
	assert_int_equal(kstack_alloc(&stack), 0);
	memcg_set_current(NULL);
	assert_audit();
}

HOST_TEST(every_failure_while_a_stack_is_made_is_undone)
{
	struct kstack stack;
	unsigned long before;
	struct memcg *a;
	int n = 0, err;

	machine(4);
	a = group(&root_memcg, "a", 100);
	memcg_set_current(a);
	before = page_nr_free();
	do {
		host_fail_after(++n);
		err = kstack_alloc(&stack);
		host_fail_after(0);
		assert_true(err == 0 || err == -ENOMEM);
		assert_int_equal(kstack_nr_used(), err == 0);
		assert_int_equal(usage(a), err ? 0 : 4);
		assert_audit();
	} while (err && n < 20);
	assert_int_equal(err, 0);
	assert_true(n > 4);
	kstack_free(&stack);
	memcg_set_current(NULL);
	assert_true(page_nr_free() + 1 >= before);	/* one table page is kept */
	assert_audit();
}

HOST_TEST(a_stack_freed_from_elsewhere_is_uncharged_from_its_owner)
{
	struct kstack stack;
	struct memcg *a, *b;

	machine(4);
	a = group(&root_memcg, "a", 100);
	b = group(&root_memcg, "b", 100);
	memcg_set_current(a);
	assert_int_equal(kstack_alloc(&stack), 0);
	memcg_set_current(b);
	kstack_free(&stack);
	memcg_set_current(NULL);
	assert_int_equal(usage(a), 0);
	assert_int_equal(usage(b), 0);
	assert_audit();
}

HOST_TEST(a_slot_reused_is_charged_to_its_new_owner)
{
	struct kstack stack;
	struct memcg *a, *b;
	unsigned slot;

	machine(4);
	a = group(&root_memcg, "a", 100);
	b = group(&root_memcg, "b", 100);
	memcg_set_current(a);
	assert_int_equal(kstack_alloc(&stack), 0);
	slot = stack.slot;
	kstack_free(&stack);
	memcg_set_current(b);
	assert_int_equal(kstack_alloc(&stack), 0);
	memcg_set_current(NULL);
	assert_int_equal(stack.slot, slot);
	assert_int_equal(usage(a), 0);
	assert_int_equal(usage(b), 4);
	assert_audit();
}

HOST_TEST(a_full_stack_area_says_so)
{
	static struct kstack stacks[2048];
	unsigned n = 0;
	int err;

	machine(1);
	do {
		err = kstack_alloc(&stacks[n++]);
	} while (!err && n < 2048);
	assert_int_equal(err, -EAGAIN);
	assert_int_equal(n - 1, KSTACK_AREA_BYTES / KSTACK_SLOT_BYTES);
	kstack_free(&stacks[5]);
	assert_int_equal(kstack_alloc(&stacks[5]), 0);
	assert_audit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_is_charged_as_its_pages),
		cmocka_unit_test(the_size_of_stacks_is_configured_and_bounded),
		cmocka_unit_test(a_stack_is_memory_from_its_lowest_to_its_highest_byte),
		cmocka_unit_test(below_and_above_a_stack_is_guard),
		cmocka_unit_test(a_stack_half_charged_at_the_limit_is_undone),
		cmocka_unit_test(every_failure_while_a_stack_is_made_is_undone),
		cmocka_unit_test(a_stack_freed_from_elsewhere_is_uncharged_from_its_owner),
		cmocka_unit_test(a_slot_reused_is_charged_to_its_new_owner),
		cmocka_unit_test(a_full_stack_area_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
