; SPDX-License-Identifier: MIT
; The instructions that touch user memory, and the table that says where to go on when one
; of them faults beyond repair. With SMAP on, user memory is open only from STAC to CLAC.

extern cpu_smap
section .text align=16
global uaccess_copy, uaccess_clear, uaccess_string, uaccess_cmpxchg

%macro FIXUP 2		; faulting instruction, where to continue
	section .ex_table progbits alloc noexec nowrite align=8
	dq %1, %2
	section .text
%endmacro

%macro OPEN_USER 0
	cmp byte [rel cpu_smap], 0
	je %%none
	stac
%%none:
%endmacro

%macro CLOSE_USER 0
	cmp byte [rel cpu_smap], 0
	je %%none
	clac
%%none:
%endmacro

; size_t uaccess_copy(void *dst, const void *src, size_t bytes): one side is user memory.
; Returns bytes not copied, exact: after a fault in a quadword the bytes before the bad page
; are tried one by one. A single aligned word of 4 or 8 bytes is moved in one piece, so that
; one which other CPUs change (a futex) is never seen half done.
uaccess_copy:
	OPEN_USER
	mov rcx, rdx
	shr rcx, 3
	and edx, 7
.quads:	rep movsq
	test edx, 4
	jz .rest
.dword:	movsd
	and edx, 3
.rest:	mov ecx, edx
.bytes:	rep movsb
.done:	mov rax, rcx
	CLOSE_USER
	ret
.quads_failed:
	lea rcx, [rdx + rcx * 8]
	jmp .bytes
	FIXUP uaccess_copy.quads, uaccess_copy.quads_failed
	FIXUP uaccess_copy.dword, uaccess_copy.rest
	FIXUP uaccess_copy.bytes, uaccess_copy.done

; size_t uaccess_clear(void *dst, size_t bytes)
uaccess_clear:
	OPEN_USER
	xor eax, eax
	mov rcx, rsi
	shr rcx, 3
	and esi, 7
.quads:	rep stosq
	mov ecx, esi
.bytes:	rep stosb
.done:	mov rax, rcx
	CLOSE_USER
	ret
.quads_failed:
	lea rcx, [rsi + rcx * 8]
	jmp .bytes
	FIXUP uaccess_clear.quads, uaccess_clear.quads_failed
	FIXUP uaccess_clear.bytes, uaccess_clear.done

; long uaccess_string(char *dst, const char *src, size_t size): the length without NUL, size
; when there is no NUL, -1 on a fault.
uaccess_string:
	OPEN_USER
	xor eax, eax
.next:	cmp rax, rdx
	jae .done
.load:	movzx ecx, byte [rsi + rax]
	mov [rdi + rax], cl
	test ecx, ecx
	jz .done
	inc rax
	jmp .next
.failed:
	mov rax, -1
.done:	CLOSE_USER
	ret
	FIXUP uaccess_string.load, uaccess_string.failed

; int uaccess_cmpxchg(u32 *word, u32 *old, u32 new): put new into *word if that is *old; *old
; becomes what was there. 0, or -1 on a fault.
uaccess_cmpxchg:
	OPEN_USER
	mov eax, [rsi]
.swap:	lock cmpxchg [rdi], edx
	mov [rsi], eax
	xor eax, eax
.done:	CLOSE_USER
	ret
.failed:
	mov eax, -1
	jmp .done
	FIXUP uaccess_cmpxchg.swap, uaccess_cmpxchg.failed
