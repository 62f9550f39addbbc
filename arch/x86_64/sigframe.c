/* SPDX-License-Identifier: MIT */
/*
 * The frame of a signal handler: Linux's struct rt_sigframe, to the byte.
 *
 *	high   ... the program's stack; 128 bytes below it are the program's, too (red zone)
 *	       FXSAVE image, 512 bytes, aligned to 64
 *	       struct frame: restorer | ucontext | siginfo
 *	low    <- sp: the handler sees the restorer as its return address, sp = 8 mod 16
 *
 * The handler gets (sig, siginfo, ucontext). It may change the context, so on the way back
 * everything is checked that user mode may not choose: segments, flags, MXCSR. An instruction
 * pointer that is none is seen on the way out (trap_user_return()).
 */
#include "arch/sigframe.h"
#include "arch/context.h"
#include "arch/uaccess.h"
#include "arch/x86_64/x86.h"
#include "kernel/lib/errno.h"
#include "kernel/lib/string.h"

#define RED_ZONE	128
#define FXSAVE_ALIGN	64
#define FLAGS_FREE	0x50dd5u	/* AC RF OF DF TF SF ZF AF PF CF: the user's to set */
#define FLAGS_DF_TF_RF	0x10500u	/* a handler starts without */
#define UC_SEGMENTS	6u		/* SS is saved, and restored as it is */
#define MXCSR_AT	24		/* in an FXSAVE image; its mask of valid bits follows */
#define MXCSR_MASK	0xffbfu		/* when the image gives none */

struct sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	u16 cs, gs, fs, ss;
	u64 error, trap, oldmask, cr2;
	u64 fpstate;
	u64 reserved[8];
};

struct frame {
	u64 restorer;
	u64 uc_flags, uc_link;
	u64 alt_sp;
	u32 alt_flags, alt_pad;
	u64 alt_bytes;
	struct sigcontext context;
	u64 blocked;
	u8 info[SIGINFO_BYTES];
};

_Static_assert(sizeof(struct sigcontext) == 256, "struct sigcontext_64");
_Static_assert(offsetof(struct frame, context) == 48, "uc_mcontext");
_Static_assert(sizeof(struct frame) == 440, "struct rt_sigframe");

static void save_context(struct sigcontext *c, const struct regs *r, uaddr_t fault_addr)
{
	*c = (struct sigcontext){
		.r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11, .r12 = r->r12,
		.r13 = r->r13, .r14 = r->r14, .r15 = r->r15, .rdi = r->rdi, .rsi = r->rsi,
		.rbp = r->rbp, .rbx = r->rbx, .rdx = r->rdx, .rax = r->rax, .rcx = r->rcx,
		.rsp = r->rsp, .rip = r->rip, .rflags = r->rflags,
		.cs = (u16)r->cs, .ss = (u16)r->ss,
	};
	if (r->vector < 32) {			/* an exception */
		c->trap = r->vector;
		c->error = r->error;
		c->cr2 = fault_addr;
	}
}

static void restore_context(struct regs *r, const struct sigcontext *c)
{
	*r = (struct regs){
		.r8 = c->r8, .r9 = c->r9, .r10 = c->r10, .r11 = c->r11, .r12 = c->r12,
		.r13 = c->r13, .r14 = c->r14, .r15 = c->r15, .rdi = c->rdi, .rsi = c->rsi,
		.rbp = c->rbp, .rbx = c->rbx, .rdx = c->rdx, .rax = c->rax, .rcx = c->rcx,
		.rsp = c->rsp, .rip = c->rip, .cs = USER_CS, .ss = USER_SS,
		.rflags = (r->rflags & ~(u64)FLAGS_FREE) | (c->rflags & FLAGS_FREE),
	};					/* vector 0: no system call to repeat */
}

static void fill_frame(struct frame *frame, const struct regs *r, const struct sigframe *f,
		       uaddr_t fpstate)
{
	memset(frame, 0, sizeof(*frame));
	frame->restorer = f->restorer;
	frame->uc_flags = UC_SEGMENTS;
	frame->alt_sp = f->alt_sp;
	frame->alt_flags = f->alt_flags;
	frame->alt_bytes = f->alt_bytes;
	save_context(&frame->context, r, f->fault_addr);
	frame->context.fpstate = fpstate;
	frame->context.oldmask = f->blocked;
	frame->blocked = f->blocked;
	if (f->info)
		memcpy(frame->info, f->info, f->info_bytes);
}

/* See arch/sigframe.h. The FPU's registers are the user's until somebody loads others, so the
 * image stays right however long the copies sleep. */
int sigframe_push(struct regs *r, const struct sigframe *f)
{
	uaddr_t fpstate = ALIGN_DOWN((f->stack ? f->stack : r->rsp - RED_ZONE) - FPU_STATE_BYTES,
				     (uaddr_t)FXSAVE_ALIGN);
	uaddr_t at = ALIGN_DOWN(fpstate - sizeof(struct frame), 16ul) - 8;
	struct frame frame;

	if (!f->restorer || at < f->stack_floor)
		return -EFAULT;
	fill_frame(&frame, r, f, fpstate);
	fpu_save(f->fpu);
	if (copy_to_user(fpstate, f->fpu, FPU_STATE_BYTES) ||
	    copy_to_user(at, &frame, sizeof(frame)))
		return -EFAULT;
	r->rdi = (u64)f->sig;
	r->rsi = at + offsetof(struct frame, info);
	r->rdx = at + offsetof(struct frame, uc_flags);
	r->rax = 0;
	r->rip = f->handler;
	r->rsp = at;
	r->rflags &= ~(u64)FLAGS_DF_TF_RF;
	fpu_init_state(f->fpu);
	fpu_load(f->fpu);
	return 0;
}

/* FXRSTOR faults in the kernel on an MXCSR bit that the CPU does not have. */
static bool mxcsr_valid(const u8 *image, const void *own)
{
	u32 mxcsr, mask;

	memcpy(&mxcsr, image + MXCSR_AT, sizeof(mxcsr));
	memcpy(&mask, (const u8 *)own + MXCSR_AT + sizeof(mxcsr), sizeof(mask));
	return !(mxcsr & ~(mask ? mask : MXCSR_MASK));
}

/* The image is read into a place of its own: a switch while it is being read stores the live
 * registers into the thread's. No image means a fresh FPU. */
static int pop_fpu(uaddr_t from, void *own)
{
	u8 image[FPU_STATE_BYTES] aligned(16);

	if (from) {
		fpu_save(own);
		if (copy_from_user(image, from, sizeof(image)) || !mxcsr_valid(image, own))
			return -EFAULT;
	} else {
		fpu_init_state(image);
	}
	fpu_load(image);
	return 0;
}

/* See arch/sigframe.h. The return address has been popped. */
int sigframe_pop(struct regs *r, struct sigframe *f)
{
	struct frame frame;

	if (copy_from_user(&frame, r->rsp - 8, sizeof(frame)) ||
	    pop_fpu(frame.context.fpstate, f->fpu))
		return -EFAULT;
	restore_context(r, &frame.context);
	f->blocked = frame.blocked;
	f->alt_sp = frame.alt_sp;
	f->alt_flags = frame.alt_flags;
	f->alt_bytes = frame.alt_bytes;
	return 0;
}
