; SPDX-License-Identifier: MIT
; Switching kernel stacks. Only what the C calling convention lets a callee keep is saved;
; the rest is dead across a call.

section .text align=16
global context_switch, context_start

; void context_switch(struct context *prev, struct context *next)
context_switch:
	push rbp
	push rbx
	push r12
	push r13
	push r14
	push r15
	mov [rdi], rsp
	mov rsp, [rsi]
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbx
	pop rbp
	ret

; First switch to a new stack: context_init() left fn in R12, arg in R13, and 0 in RBP, the
; end of backtraces.
context_start:
	mov rdi, r13
	call r12
	ud2
