; SPDX-License-Identifier: MIT
; Every way into the kernel and out of it: 256 interrupt stubs, SYSCALL, and the return.
;
; GS is the user's in user mode and points to struct cpu_local in the kernel: whoever crosses
; the border does SWAPGS once. The exceptions with stacks of their own (NMI, double fault,
; machine check) can hit between the crossing and the SWAPGS, so they look at the GS base.
; Interrupts are off from each entry until C turns them on, and from C's return to IRETQ.

REGS_RCX	equ 12 * 8
REGS_R11	equ 4 * 8
REGS_VECTOR	equ 15 * 8
REGS_RIP	equ 17 * 8
REGS_CS		equ 18 * 8
REGS_RFLAGS	equ 19 * 8
REGS_BYTES	equ 22 * 8
USER_CS		equ 0x2b
USER_SS		equ 0x23
USER_MAX	equ 0x7ffffffff000
VECTOR_SYSCALL	equ 256
LOCAL_KERNEL_SP	equ 0
LOCAL_USER_SP	equ 8
MSR_GS_BASE	equ 0xc0000101

extern trap_dispatch, trap_dispatch_paranoid, trap_syscall, trap_user_return, cpu_smap
global entry_stubs, entry_syscall, context_enter_user

%macro PUSH_REGS 0
	push rax
	push rbx
	push rcx
	push rdx
	push rsi
	push rdi
	push rbp
	push r8
	push r9
	push r10
	push r11
	push r12
	push r13
	push r14
	push r15
%endmacro

%macro POP_REGS 0
	pop r15
	pop r14
	pop r13
	pop r12
	pop r11
	pop r10
	pop r9
	pop r8
	pop rbp
	pop rdi
	pop rsi
	pop rdx
	pop rcx
	pop rbx
	pop rax
%endmacro

; The user may have set AC, which would switch SMAP off.
%macro CLEAR_AC 0
	cld
	cmp byte [rel cpu_smap], 0
	je %%none
	clac
%%none:
%endmacro

section .text align=16

; Stub i is at entry_stubs + 16 * i. Where the CPU pushes no error code, we push 0.
align 16
entry_stubs:
%assign vector 0
%rep 256
	align 16
  %if vector = 8 || (vector >= 10 && vector <= 14) || vector = 17 || vector = 21
  %else
	push byte 0
  %endif
	push dword vector
  %if vector = 2 || vector = 8 || vector = 18
	jmp near entry_paranoid
  %else
	jmp near entry_common
  %endif
%assign vector vector + 1
%endrep

align 16
entry_common:
	test byte [rsp + 24], 3
	jz .from_kernel
	swapgs
.from_kernel:
	PUSH_REGS
	CLEAR_AC
	mov rdi, rsp
	call trap_dispatch
entry_return:
	POP_REGS
	test byte [rsp + 24], 3
	jz .to_kernel
	swapgs
.to_kernel:
	add rsp, 16
	iretq

; The kernel's GS base is negative, a user's never. EBX remembers whether we swapped.
align 16
entry_paranoid:
	PUSH_REGS
	CLEAR_AC
	xor ebx, ebx
	mov ecx, MSR_GS_BASE
	rdmsr
	test edx, edx
	js .have_gs
	swapgs
	inc ebx
.have_gs:
	mov rdi, rsp
	call trap_dispatch_paranoid
	test ebx, ebx
	jz .keep_gs
	swapgs
.keep_gs:
	POP_REGS
	add rsp, 16
	iretq

; SYSCALL has put RIP into RCX and RFLAGS into R11 and masked IF, DF, AC, TF, NT.
align 16
entry_syscall:
	swapgs
	mov [gs:LOCAL_USER_SP], rsp
	mov rsp, [gs:LOCAL_KERNEL_SP]
	push USER_SS
	push qword [gs:LOCAL_USER_SP]
	push r11
	push USER_CS
	push rcx
	push rax
	push VECTOR_SYSCALL
	PUSH_REGS
	mov rdi, rsp
	call trap_syscall

	; SYSRETQ returns to RCX with R11 as flags: right only while those still are RIP and
	; RFLAGS. It traps in kernel mode on a RIP that is not canonical, and a set RF or TF
	; would be lost; those leave by IRETQ.
	mov rcx, [rsp + REGS_RIP]
	cmp rcx, [rsp + REGS_RCX]
	jne entry_return
	mov rax, USER_MAX
	cmp rcx, rax
	jae entry_return
	mov r11, [rsp + REGS_RFLAGS]
	cmp r11, [rsp + REGS_R11]
	jne entry_return
	test r11d, 0x10100
	jnz entry_return
	cmp qword [rsp + REGS_CS], USER_CS
	jne entry_return
	POP_REGS
	mov rsp, [rsp + 5 * 8]
	swapgs
	o64 sysret

; noreturn void context_enter_user(void *stack_top)
align 16
context_enter_user:
	cli
	lea rsp, [rdi - REGS_BYTES]
	xor ebp, ebp
	mov rdi, rsp
	call trap_user_return
	jmp entry_return
