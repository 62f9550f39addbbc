/* SPDX-License-Identifier: MIT */
/* The roof: the boot as a table of contents. May include every floor. */
#include "arch/cpu.h"
#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/machine.h"
#include "arch/mmu.h"
#include "arch/smp.h"
#include "arch/upcall.h"
#include "kernel/cgroup/cgroup.h"
#include "kernel/cmdline.h"
#include "kernel/fs/tty.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/procfiles.h"
#include "kernel/sched/wait.h"
#include "kernel/selftest.h"
#include "kernel/sync/safepoint.h"
#include "kernel/sync/spinlock.h"
#include "kernel/sys/calls.h"
#include "mm/audit.h"
#include "mm/early.h"
#include "mm/kmem.h"
#include "mm/kstack.h"
#include "mm/memcg.h"
#include "mm/page.h"
#include "mm/work.h"

extern char kernel_start[], kernel_end[];	/* linker.ld, image addresses */

static struct bootinfo *boot;
static struct waitq worker_waitq = WAITQ_INIT(worker_waitq);
static bool worker_woken;

static struct log_sink console_sink = { .write = console_write };

/* One clear line and a halt: for a machine we cannot run on. */
static noreturn void boot_fail(const char *why)
{
	log_info("boot: %s", why);
	if (host_present())
		host_send(HOST_PANIC, why, str_len(why));
	if (host_present())
		machine_exit();
	machine_halt();
}

static void boot_memory(void)
{
	early_init(boot, virt_to_phys(kernel_start), virt_to_phys(kernel_end));
	if (early_reserve(smp_start_page(boot), PAGE_SIZE))
		boot_fail("too many memory ranges");
	for (unsigned i = 0; i < boot->nr_modules; i++) {
		if (early_reserve(boot->modules[i].start, boot->modules[i].bytes))
			boot_fail("too many memory ranges");
	}
	mmu_init(early_ram_end());
	smp_discover(boot);
	page_init();
	kmem_init();
	memcg_init();
	kstack_init((unsigned)cmdline_number(boot->cmdline, "kstack", 4));
	trap_set_guard_check(kstack_is_guard);
	cgroup_init();
	memcg_set_account_root(cmdline_number(boot->cmdline, "kmem.acct_root", 0) != 0);
	log_info("mm: %lu KiB of RAM, %lu KiB free, %s caches", page_nr_total() * 4,
		 page_nr_free() * 4, kmem_backend_name());
}

/* What another CPU needs for ever: a stack to start on, which becomes its idle thread's, and
 * stacks for the traps that have their own. */
static bool cpu_memory(unsigned cpu, struct smp_memory *memory)
{
	static struct kstack stacks[NR_CPUS];
	unsigned order = 0;
	struct page *page;

	while ((PAGE_SIZE << order) < SMP_TRAP_STACK_BYTES)
		order++;
	page = page_alloc(PAGE_KERNEL, order, GFP_KERNEL);
	if (!page)
		return false;
	if (kstack_alloc(&stacks[cpu])) {
		page_free(page);
		return false;
	}
	memory->stack_top = stacks[cpu].top;
	memory->trap_stacks = page_to_virt(page);
	return true;
}

static void unpack_modules(void)
{
	int err;

	if (boot->nr_modules == 0)
		boot_fail("no initrd: give one as boot module or with -initrd");
	for (unsigned i = 0; i < boot->nr_modules; i++) {
		err = initrd_unpack(phys_to_virt(boot->modules[i].start), boot->modules[i].bytes);
		if (err)
			boot_fail(err == -ENOMEM ? "initrd does not fit in memory" :
						   "initrd is damaged");
	}
}

/* Files the host lays over the root, in a cpio of their own. */
static void unpack_overlay(void)
{
	size_t bytes = fwcfg_size("opt/tally/overlay");
	unsigned order = 0;
	struct page *head;
	int err;

	if (!bytes)
		return;
	while ((PAGE_SIZE << order) < bytes)
		order++;
	head = order <= MAX_ORDER ? page_alloc(PAGE_KERNEL, order, GFP_KERNEL) : NULL;
	if (!head)
		boot_fail("the overlay does not fit in memory");
	fwcfg_read("opt/tally/overlay", page_to_virt(head), bytes);
	err = initrd_unpack(page_to_virt(head), bytes);
	page_free(head);
	if (err)
		boot_fail(err == -ENOMEM ? "the overlay does not fit in memory" :
					   "the overlay is damaged");
}

static void worker_wake(void)
{
	WRITE_ONCE(worker_woken, true);
	waitq_wake_all(&worker_waitq);
}

static void worker_main(void *unused)
{
	(void)unused;
	for (;;) {
		(void)waitq_wait(&worker_waitq, READ_ONCE(worker_woken));
		WRITE_ONCE(worker_woken, false);
		while (work_run_one())
			cond_resched();
	}
}

static void start_workers(void)
{
	if (thread_spawn_kernel("kworker", worker_main, NULL))
		boot_fail("no memory for the worker thread");
	work_set_wake(worker_wake);
	itimer_start_thread();
	tty_start();
}

static void start_init(void)
{
	static char path[128] = "/init", demo[64];
	static const char *argv[3] = { path, NULL, NULL };

	cmdline_string(boot->cmdline, "init", path, sizeof(path));
	if (cmdline_string(boot->cmdline, "demo", demo, sizeof(demo)))
		argv[1] = demo;
	if (proc_start_init(path, argv))
		boot_fail("no memory for init");
}

/* The boot, on the boot stack, which becomes the idle thread's. */
void upcall_boot(struct bootinfo *bi)
{
	boot = bi;
	machine_init_early();
	log_add_sink(&console_sink);
	log_info("Tally, %s, %s image, booted by %s", kmem_backend_name(),
		 TALLY_DEBUG ? "debug" : "release", bi->loader);
	boot_memory();
	sched_init();
	machine_init(bi);
	clock_init();
	log_set_clock(clock_ns);
	vm_init();
	vfs_init();
	proc_init();
	machinefiles_init(bi->cmdline);
	taskfiles_init();
	sys_init();
	unpack_modules();
	unpack_overlay();
	smp_start(cpu_memory);
	clock_start_tick();
	irq_enable();
	start_workers();
	if (!cmdline_number(bi->cmdline, "selftest", 0))
		start_init();
	else if (selftest_start)
		selftest_start(bi->cmdline);
	else
		boot_fail("selftest=1 needs a debug image");
	sched_idle_loop();
}

/* Another CPU's first C code of ours, on the stack that becomes its idle thread's. */
void upcall_ap(void)
{
	sched_init_ap();
	safepoint_idle_exit();		/* somebody may have the machine stopped */
	clock_start_tick();
	sched_idle_loop();
}
