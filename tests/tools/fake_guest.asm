; SPDX-License-Identifier: MIT
; A guest without a kernel, to test tools/vm: writes the bytes of COM1 and COM2 (files) to the
; serial ports, then does END: exit, halt, reset, beat (for ever), or echo (standard input).
bits 32
%define UART1 0x3f8
%define UART2 0x2f8

section .text
align 4
	dd 0x1badb002, 0, -0x1badb002		; multiboot 1: QEMU's -kernel starts it; 2: GRUB does

align 8
multiboot2:
	dd 0xe85250d6, 0, mb2_end - multiboot2, -(0xe85250d6 + mb2_end - multiboot2)
	dw 0, 0					; end tag
	dd 8
mb2_end:

global start
start:
	cli
	mov esp, stack_top
	mov edx, UART1
	mov esi, com1
	mov ecx, com1_end - com1
	call send
	mov edx, UART2
	mov esi, com2
	mov ecx, com2_end - com2
	call send
	jmp END

exit:
	mov eax, 0x2a
	out 0xf4, eax
halt:
	hlt
	jmp halt

reset:
	lidt [no_idt]
	int3

beat:
	mov esi, beat_frame
	mov ecx, 5
	call send
	mov ecx, 1000000
.wait:	loop .wait
	jmp beat

; Frames 'i' in, the same payload as frames 'o' out; after an empty one, status 0.
echo:
	mov ebx, 5
	mov edi, inbox
	call receive
	mov ebx, [inbox + 1]
	test ebx, ebx
	jz .done
	call receive
	mov byte [inbox], 'o'
	mov esi, inbox
	mov ecx, [inbox + 1]
	add ecx, 5
	call send
	jmp echo
.done:	mov esi, status_frame
	mov ecx, 9
	call send
	jmp exit

; ecx bytes at esi to the port edx
send:
	jecxz .done
.wait:	add edx, 5
	in al, dx
	sub edx, 5
	test al, 0x20
	jz .wait
	lodsb
	out dx, al
	loop .wait
.done:	ret

; ebx bytes from the port edx to edi, which moves on
receive:
	test ebx, ebx
	jz .done
	add edx, 5
	in al, dx
	sub edx, 5
	test al, 1
	jz receive
	in al, dx
	stosb
	dec ebx
	jmp receive
.done:	ret

section .data
beat_frame:	db 'b', 0, 0, 0, 0
status_frame:	db 's', 4, 0, 0, 0, 0, 0, 0, 0
no_idt:		dw 0
		dd 0
com1:		incbin COM1
com1_end:
com2:		incbin COM2
com2_end:

section .bss
inbox:		resb 8192
		resb 4096
stack_top:
