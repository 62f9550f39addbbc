; SPDX-License-Identifier: MIT
; From the loader to C. Both entries arrive in 32-bit protected mode without paging:
; GRUB (multiboot2, BIOS and UEFI) with a magic in EAX, PVH (qemu -kernel) at the address
; in the ELF note; EBX points to what the loader has to say. We build page tables for the
; first 4 GiB, at identity, in the direct map and at KERNEL_BASE, all three over the same
; page directories, and go on in 64-bit mode at the high address.

KERNEL_BASE	equ 0xffffffff80000000
MB2_HEADER	equ 0xe85250d6
MB2_LOADED	equ 0x36d76289
PVH_LOADED	equ 0x336ec578
COM1		equ 0x3f8
STACK_BYTES	equ 16384

extern boot_main, bss_start, bss_end, cpu_locals
global boot_entry_multiboot2, boot_entry_pvh, boot_stack_guard, boot_stack_top
global boot_pml4			; other CPUs start on these tables

; Multiboot2 header: must lie in the first 32 KiB of the file.
section .boot.header progbits alloc noexec nowrite align=8
mb2_start:
	dd MB2_HEADER, 0, mb2_end - mb2_start
	dd -(MB2_HEADER + (mb2_end - mb2_start)) & 0xffffffff
	align 8
	dw 1, 0			; information request: memory map, cmdline, modules, framebuffer
	dd 24
	dd 6, 1, 3, 8
	align 8
	dw 5, 1			; framebuffer, optional; the loader may choose another mode
	dd 20
	dd 1024, 768, 32
	align 8
	dw 6, 0			; modules on page boundaries
	dd 8
	align 8
	dw 0, 0
	dd 8
mb2_end:

section .note.pvh note alloc noexec nowrite align=4
	dd 4, 4, 18		; XEN_ELFNOTE_PHYS32_ENTRY
	db "Xen", 0
	dd boot_entry_pvh

section .boot progbits alloc exec nowrite align=16
bits 32
boot_entry_multiboot2:
	cli
	mov esi, eax
	cmp eax, MB2_LOADED
	je boot_common
	mov edi, text_loader
	jmp boot_complain

boot_entry_pvh:
	cli
	mov esi, PVH_LOADED

boot_common:
	cld
	mov esp, boot_stack_low
	call check_long_mode
	mov ebp, ebx		; esi: magic, ebp: loader's information
	call build_tables
	mov eax, cr4
	or eax, 1 << 5		; PAE
	mov cr4, eax
	mov eax, boot_pml4 - KERNEL_BASE
	mov cr3, eax
	mov ecx, 0xc0000080	; EFER.LME
	rdmsr
	or eax, 1 << 8
	wrmsr
	mov eax, cr0
	or eax, 1 << 31 | 1	; PG, PE
	mov cr0, eax
	lgdt [gdt_pointer]
	jmp 0x08:boot_long

; One entry of each upper table leads to four shared directories of 2 MiB pages.
build_tables:
	mov edi, boot_tables - KERNEL_BASE
	xor eax, eax
	mov ecx, boot_tables_bytes / 4
	rep stosd
	mov edi, boot_pml4 - KERNEL_BASE
	mov dword [edi], boot_pdpt_low - KERNEL_BASE + 3
	mov dword [edi + 256 * 8], boot_pdpt_low - KERNEL_BASE + 3
	mov dword [edi + 511 * 8], boot_pdpt_high - KERNEL_BASE + 3
	mov edi, boot_pdpt_low - KERNEL_BASE
	mov eax, boot_pds - KERNEL_BASE + 3
	mov dword [edi], eax
	mov dword [boot_pdpt_high - KERNEL_BASE + 510 * 8], eax
	add eax, 4096
	mov dword [edi + 8], eax
	mov dword [boot_pdpt_high - KERNEL_BASE + 511 * 8], eax
	add eax, 4096
	mov dword [edi + 16], eax
	add eax, 4096
	mov dword [edi + 24], eax
	mov edi, boot_pds - KERNEL_BASE
	mov eax, 0x83		; present, writable, 2 MiB
	mov ecx, 2048
.page:	mov [edi], eax
	add eax, 0x200000
	add edi, 8
	loop .page
	ret

; Returns only on a CPU with long mode. CPUID itself is there if RFLAGS.ID can be flipped.
check_long_mode:
	pushfd
	pop eax
	mov ecx, eax
	xor eax, 1 << 21
	push eax
	popfd
	pushfd
	pop eax
	xor eax, ecx
	test eax, 1 << 21
	jz .none
	push ebx
	mov eax, 0x80000000
	cpuid
	pop ebx
	cmp eax, 0x80000001
	jb .none
	push ebx
	mov eax, 0x80000001
	cpuid
	pop ebx
	test edx, 1 << 29
	jz .none
	ret
.none:	mov edi, text_cpu

; Print the line at EDI on COM1 and the VGA text screen, then stop.
boot_complain:
	mov esi, edi
	mov edi, 0xb8000
	mov dx, COM1 + 1	; no interrupts, 115200 baud, 8N1
	xor eax, eax
	out dx, al
	mov dx, COM1 + 3
	mov al, 0x80
	out dx, al
	mov dx, COM1
	mov al, 1
	out dx, al
	mov dx, COM1 + 1
	xor eax, eax
	out dx, al
	mov dx, COM1 + 3
	mov al, 3
	out dx, al
.next:	lodsb
	test al, al
	jz .halt
	mov ah, 0x0f
	mov [edi], ax
	add edi, 2
	mov bl, al
	mov dx, COM1 + 5
	mov ecx, 100000
.wait:	in al, dx
	test al, 0x20
	loopz .wait
	mov dx, COM1
	mov al, bl
	out dx, al
	jmp .next
.halt:	cli
	hlt
	jmp .halt

text_cpu:	db "Tally needs a 64-bit CPU (long mode); this one has none.", 13, 10, 0
text_loader:	db "Tally must be started by a multiboot2 or PVH loader.", 13, 10, 0

	align 8
gdt:	dq 0, 0x00af9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
	dw gdt_pointer - gdt - 1
	dd gdt
	align 16
	times 64 db 0		; stack for the two calls above
boot_stack_low:

bits 64
boot_long:
	mov eax, 0x10
	mov ds, eax
	mov es, eax
	mov ss, eax
	xor eax, eax
	mov fs, eax
	mov gs, eax
	mov rax, boot_high
	jmp rax

section .text
bits 64
boot_high:
	mov rsp, boot_stack_top
	mov r12d, esi
	mov r13d, ebp
	mov rdi, bss_start
	mov rcx, bss_end
	sub rcx, rdi
	shr rcx, 3
	xor eax, eax
	rep stosq
	mov ecx, 0xc0000101	; GS base: per-CPU data from the first C instruction on
	mov rax, cpu_locals
	mov rdx, rax
	shr rdx, 32
	wrmsr
	mov edi, r12d
	mov esi, r13d
	xor ebp, ebp		; end of backtraces
	call boot_main
	ud2

section .bss.boot_tables nobits alloc noexec write align=4096
boot_tables:
boot_pml4:	resb 4096
boot_pdpt_low:	resb 4096
boot_pdpt_high:	resb 4096
boot_pds:	resb 4 * 4096
boot_tables_bytes equ $ - boot_tables

section .bss nobits alloc noexec write align=4096
boot_stack_guard: resb 4096	; unmapped by mmu_init()
	resb STACK_BYTES
boot_stack_top:
