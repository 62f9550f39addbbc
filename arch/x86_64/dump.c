/* SPDX-License-Identifier: MIT */
/* Reports: registers, backtrace along the frame pointers, and the end of a panic. Nothing
 * here trusts what it reads: each frame must be kernel memory that is mapped. */
#include "arch/irq.h"
#include "arch/machine.h"
#include "arch/smp.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/ksym.h"
#include "kernel/lib/log.h"
#include "kernel/lib/rawlock.h"
#include "kernel/lib/string.h"

#define MAX_FRAMES	32

static const struct regs *panic_regs[NR_CPUS];

static bool frame_readable(uintptr_t fp)
{
	return fp >= DIRECT_BASE && fp % 8 == 0 && fp % PAGE_SIZE <= PAGE_SIZE - 8 &&
	       mmu_kernel_mapped(fp) && mmu_kernel_mapped(fp + 8);
}

static bool is_text(uintptr_t addr)
{
	return addr >= (uintptr_t)kernel_text_start && addr < (uintptr_t)kernel_text_end;
}

static void print_frame(uintptr_t ip, const char *what)
{
	char name[96];

	ksym_format(name, sizeof(name), ip);
	log_info("  %s 0x%016lx  %s", what, ip, name);
}

static void print_repeats(unsigned repeats)
{
	if (repeats)
		log_info("  ...  %u more of this", repeats);
}

/* Return addresses point behind the call: the name is that of the call. Frames of a deep
 * recursion are counted, not printed each. */
static void print_backtrace(uintptr_t fp)
{
	uintptr_t last = 0;
	unsigned printed = 0, repeats = 0;

	while (printed < MAX_FRAMES && frame_readable(fp)) {
		const uintptr_t *frame = (const uintptr_t *)fp;

		if (!is_text(frame[1]))
			break;
		if (frame[1] == last) {
			repeats++;
		} else {
			print_repeats(repeats);
			repeats = 0;
			print_frame(frame[1] - 1, "from");
			printed++;
		}
		if (frame[0] <= fp)
			break;
		last = frame[1];
		fp = frame[0];
	}
	print_repeats(repeats);
}

static void print_regs(const struct regs *r)
{
	unsigned long cr2, cr3;

	__asm__ volatile("movq %%cr2, %0; movq %%cr3, %1" : "=r"(cr2), "=r"(cr3));
	log_info("rip %016lx cs %04lx rflags %08lx vector %lu error %lx", r->rip, r->cs,
		 r->rflags, r->vector, r->error);
	log_info("rax %016lx rbx %016lx rcx %016lx", r->rax, r->rbx, r->rcx);
	log_info("rdx %016lx rsi %016lx rdi %016lx", r->rdx, r->rsi, r->rdi);
	log_info("rbp %016lx rsp %016lx r8  %016lx", r->rbp, r->rsp, r->r8);
	log_info("r9  %016lx r10 %016lx r11 %016lx", r->r9, r->r10, r->r11);
	log_info("r12 %016lx r13 %016lx r14 %016lx", r->r12, r->r13, r->r14);
	log_info("r15 %016lx cr2 %016lx cr3 %016lx", r->r15, cr2, cr3);
}

/* Print r and the backtrace from it; with NULL, the backtrace of the caller. Context: any. */
void trap_dump(const struct regs *r)
{
	if (!r) {
		log_info("backtrace on CPU %u:", cpu_id());
		print_backtrace((uintptr_t)__builtin_frame_address(0));
		return;
	}
	print_regs(r);
	if (regs_from_user(r))
		return;
	log_info("backtrace on CPU %u:", cpu_id());
	print_frame(r->rip, "at  ");
	if (!is_text(r->rip) && frame_readable(r->rsp) && is_text(*(const uintptr_t *)r->rsp))
		print_frame(*(const uintptr_t *)r->rsp - 1, "from");	/* a call to nowhere */
	print_backtrace(r->rbp);
}

/* A panic that follows on this CPU is about r. Context: any, interrupts off. */
void trap_panic_from(const struct regs *r)
{
	panic_regs[cpu_id()] = r;
}

/* First thing of a panic: this CPU alone goes on. Does not return on a CPU that panics while
 * another does. Locks: those of the log and the consoles are broken. Context: any. */
void trap_panic_begin(void)
{
	irq_disable();
	smp_halt_others();
	rawlock_break_all();
}

/* The panic hook. A panic inside it skips what failed: each further one starts a step later. */
noreturn void trap_panic_hook(const char *reason)
{
	static int step;

	irq_disable();
	switch (step++) {
	case 0:
		log_info("this was CPU %u of %u", cpu_id(), cpu_count());
		trap_dump(panic_regs[cpu_id()]);
		smp_print_halted();
		fallthrough;
	case 1:
		step = 2;
		if (host_present())
			host_send(HOST_PANIC, reason, str_len(reason));
		fallthrough;
	case 2:
		step = 3;
		if (host_present())
			machine_exit();
	}
	machine_halt();
}
