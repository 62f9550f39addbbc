; SPDX-License-Identifier: MIT
; Where another CPU starts: in real mode, at the beginning of a page below 1 MiB into which
; smp.c copied this code. From there to 64-bit mode in one step: paging and protection come on
; with the same write to CR0. The tables loaded for it map this page at its own address.
;
; A CPU first claims the start that smp.c offers. One that comes when nothing is offered any
; more is too late: smp.c has given it up, and the stack may be meant for another.

; struct start_params of smp.c
PARAM_STACK	equ 0
PARAM_LOCAL	equ 8
PARAM_ENTRY	equ 16
PARAM_ROOT	equ 24
PARAM_EFER	equ 28
PARAM_CLAIM	equ 32
PARAM_JUMP	equ 36
PARAM_GDT	equ 42
PARAM_BYTES	equ 64

START_OFFERED	equ 1
START_CLAIMED	equ 2
CR0_START	equ 0x80010033	; PG, WP, NE, ET, MP, PE; caches on
CR4_START	equ 0x20	; PAE
MSR_EFER	equ 0xc0000080
MSR_GS_BASE	equ 0xc0000101

%define PARAM(x) start_params - ap_start + PARAM_%+x

section .rodata align=16
global ap_start, ap_start_long, ap_start_params, ap_start_end

bits 16
ap_start:
	cli
	cld
	mov ax, cs
	mov ds, ax
	mov al, START_OFFERED
	mov cl, START_CLAIMED
	lock cmpxchg [PARAM(CLAIM)], cl
	jne .late
	o32 lgdt [PARAM(GDT)]
	mov eax, CR4_START
	mov cr4, eax
	mov eax, [PARAM(ROOT)]
	mov cr3, eax
	mov eax, [PARAM(EFER)]
	xor edx, edx
	mov ecx, MSR_EFER
	wrmsr
	mov eax, CR0_START
	mov cr0, eax
	jmp dword far [PARAM(JUMP)]
.late:	hlt
	jmp .late

bits 64
ap_start_long:
	xor eax, eax
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov fs, eax
	mov gs, eax
	mov ecx, MSR_GS_BASE
	mov eax, [rel start_params + PARAM_LOCAL]
	mov edx, [rel start_params + PARAM_LOCAL + 4]
	wrmsr
	mov rsp, [rel start_params + PARAM_STACK]
	mov rax, [rel start_params + PARAM_ENTRY]
	xor ebp, ebp		; end of backtraces
	call rax
	ud2

	align 16
ap_start_params:
start_params:
	times PARAM_BYTES db 0
ap_start_end:
