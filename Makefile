# Tally: build and test. `make help` lists what there is.
SHELL := /bin/bash
MAKEFLAGS += --no-builtin-rules
BUILD ?= build
V ?= 0
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

# The cross compiler when it is there, else the host's GCC 12+; CC=clang works too.
CROSS ?= $(if $(shell command -v x86_64-elf-gcc 2>/dev/null),x86_64-elf-,)
# A cross compiler that is not in PATH may be where `make toolchain` puts it.
PREFIX ?= $(HOME)/.local/opt/tally-toolchain
ifneq ($(CROSS),)
ifeq ($(shell command -v $(CROSS)gcc 2>/dev/null),)
override CROSS := $(if $(wildcard $(PREFIX)/bin/$(CROSS)gcc),$(PREFIX)/bin/)$(CROSS)
endif
endif
ifeq ($(origin CC),default)
CC := $(CROSS)gcc
endif
LD := $(CROSS)ld
NM := $(CROSS)nm
HOSTCC ?= gcc
NASM ?= nasm
PYTHON ?= /usr/bin/env python3

WARN := -Wall -Wextra -Wshadow -Wvla $(if $(CI),-Werror,)
KFLAGS := -std=gnu11 -ffreestanding -nostdinc -isystem $(shell $(CC) -print-file-name=include) \
	-fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
	-fno-stack-protector -fno-omit-frame-pointer -fno-strict-aliasing -fno-common \
	-fno-asynchronous-unwind-tables -fno-optimize-sibling-calls -fcf-protection=none \
	-O2 -g $(WARN) -I. -Iarch/x86_64

BACKENDS := slub slab
FLAVOURS := release debug
IMAGES := $(foreach b,$(BACKENDS),$(b) $(b)-debug)

# Every kernel source but the slots that have a choice; those are named per image.
SLOTS := mm/slub.c mm/slab.c
KSRC_C := $(filter-out $(SLOTS),$(sort $(wildcard boot/*.c arch/x86_64/*.c kernel/*.c \
	kernel/*/*.c mm/*.c)))
# Tests that run inside the kernel: debug images only.
KTEST_C := $(sort $(wildcard tests/kernel/*.c tests/ops/*.c))
KSRC_ASM := $(sort $(wildcard boot/*.asm arch/x86_64/*.asm))

.PHONY: all help
all: kernels initrd

help:
	@echo "make demo       build, boot the ISO, contain a fork bomb and a mkdir loop on SLUB and SLAB"
	@echo "make check      every test; last line: N passed, N failed"
	@echo "make check-long  tortures of 4, 16 and 32 CPUs and the slow guest tests, both images"
	@echo "make check-ash  busybox's own shell tests, on Debian's kernel and on Tally"
	@echo "make model      the protocols of charging and of safe points, checked by spin"
	@echo "make bench-smp  throughput of two CPUs against one (wants an idle host of two cores)"
	@echo "make run        a shell on this terminal (IMAGE=slub|slab|slub-debug|slab-debug)"
	@echo "make iso        build/tally.iso: one hybrid image, BIOS and UEFI"
	@echo "make gdb        QEMU stopped at the first instruction, GDB attached, symbols loaded"
	@echo "make fuzz       the operation fuzzers, both backends (FUZZ_RUNS=1000000 for long)"
	@echo "make tsan       mm on threads as CPUs, under ThreadSanitizer, both backends"
	@echo "make mutants    plant each known bug; every one must fail a named test"
	@echo "make size       lines of kernel C and assembly"
	@echo "make doctor     names each missing tool and how to install it"
	@echo "make toolchain  build x86_64-elf binutils and GCC from Debian's source packages"
	@echo "make clean      remove build/"
	@echo "Variables: V=1 shows commands, CC=clang, CROSS=x86_64-elf-, INSTALL=1 installs packages."

# --- kernel objects: one tree for each flavour, one link for each backend
define flavour_rules
$(BUILD)/$(1)/%.c.o: %.c $(BUILD)/flags-$(1)
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$(Q)$(CC) $(KFLAGS) -DTALLY_DEBUG=$(if $(filter debug,$(1)),1,0) -MMD -MP -c -o $$@ $$<

$(BUILD)/$(1)/%.asm.o: %.asm $(BUILD)/flags-$(1)
	@mkdir -p $$(@D)
	$$(call say,NASM,$$<)
	$(Q)$(NASM) -f elf64 -g -F dwarf -I ./ -MD $$(@:.o=.d) -MP -o $$@ $$<

$(BUILD)/flags-$(1): FORCE
	@mkdir -p $(BUILD)
	@echo '$(CC) $(KFLAGS)' | cmp -s - $$@ || echo '$(CC) $(KFLAGS)' >$$@
endef
$(foreach f,$(FLAVOURS),$(eval $(call flavour_rules,$(f))))

.PHONY: FORCE kernels initrd iso
FORCE:

# image_rules NAME FLAVOUR BACKEND: link twice, the second time with the symbol table.
define image_rules
$(1)_OBJS := $(patsubst %,$(BUILD)/$(2)/%.o,$(KSRC_C) $(KSRC_ASM) mm/$(3).c \
	$(if $(filter debug,$(2)),$(KTEST_C)))
$(BUILD)/tally-$(1).elf: $$($(1)_OBJS) linker.ld tools/ksym.py
	$$(call say,LD,$$@)
	$(Q)$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments \
		-T linker.ld -o $$@.pass1 $$($(1)_OBJS)
	$(Q)$(PYTHON) tools/ksym.py --nm $(NM) $$@.pass1 $(BUILD)/ksym-$(1).c
	$(Q)$(CC) $(KFLAGS) -c -o $(BUILD)/ksym-$(1).o $(BUILD)/ksym-$(1).c
	$(Q)$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments \
		-T linker.ld -o $$@ $$($(1)_OBJS) $(BUILD)/ksym-$(1).o
	@rm -f $$@.pass1
endef
$(foreach b,$(BACKENDS),$(eval $(call image_rules,$(b),release,$(b))))
$(foreach b,$(BACKENDS),$(eval $(call image_rules,$(b)-debug,debug,$(b))))

KERNELS := $(patsubst %,$(BUILD)/tally-%.elf,$(IMAGES))
kernels: $(KERNELS)

# --- user programs and the initrd
include user/user.mk

INITRD := $(BUILD)/initrd.cpio
initrd: $(INITRD)
# Debian's shell and tools: BUSYBOX=FILE takes another static busybox.
BUSYBOX_DIR := $(BUILD)/debian/busybox-static
BUSYBOX ?= $(BUSYBOX_DIR)/bin/busybox
BUSYBOX_COPYRIGHT := $(BUSYBOX_DIR)/usr/share/doc/busybox-static/copyright
ROOT_DIRS := tmp root home/student proc sys/fs/cgroup/memory dev usr/bin usr/sbin
$(BUSYBOX_DIR)/bin/busybox:
	$(call say,DEB,$(BUSYBOX_DIR))
	$(Q)tools/deb --build $(BUILD) busybox-static >/dev/null
	@touch $@
$(INITRD): $(USER_STRIPPED) $(BUSYBOX) $(wildcard user/rootfs/etc/*) tools/mkinitrd.py
	$(call say,INITRD,$@)
	$(Q)tools/mkinitrd.py -o $@ --busybox $(BUSYBOX) $(addprefix --dir ,$(ROOT_DIRS)) \
		$(foreach f,$(notdir $(wildcard user/rootfs/etc/*)),user/rootfs/etc/$(f):/etc/$(f):644) \
		$(if $(filter $(BUSYBOX_DIR)/%,$(BUSYBOX)),$(BUSYBOX_COPYRIGHT):/usr/share/doc/busybox/copyright:644) \
		$(BUILD)/user/stripped/init:/init:755 \
		$(foreach p,$(filter-out init,$(USER_PROGS)),$(BUILD)/user/stripped/$(p):/bin/$(p):755)

iso: $(BUILD)/tally.iso
$(BUILD)/tally.iso: $(KERNELS) $(INITRD) tools/mkiso
	$(call say,ISO,$@)
	$(Q)tools/mkiso -o $@ --initrd $(INITRD) $(KERNELS)

# --- tests
include tests/host/host.mk

.PHONY: check check-long check-ash model bench-smp demo run gdb gdb-server doctor toolchain setup size mutants
.PHONY: clean shape floors headers
setup:
	$(Q)tools/setup

demo: setup
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) iso
	$(Q)tools/demo

check: setup
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) kernels initrd iso host-tests fuzz-bins guest-progs
	$(Q)tools/check

check-long: setup
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) kernels initrd guest-progs
	$(Q)tools/check --long

check-ash: setup
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) kernels initrd
	$(Q)tests/oracle/ash

model: setup
	$(Q)tests/model/run --build $(BUILD)/model

bench-smp: setup
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) kernels initrd
	$(Q)tools/bench-smp

IMAGE ?= slub
run: setup
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) kernels initrd
	$(Q)tools/vm --image $(IMAGE)

gdb: setup
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) kernels initrd
	$(Q)tools/gdb/gdb --image $(IMAGE)-debug

doctor:
	$(Q)tools/doctor

toolchain: setup
	$(Q)PREFIX=$(PREFIX) tools/toolchain

floors:
	$(Q)tools/floors.py
shape:
	$(Q)tools/shape.py

headers:
	$(Q)tools/headers.py -- $(CC) $(KFLAGS)

size:
	@cat $(KSRC_C) $(SLOTS) $(KSRC_ASM) \
		$(wildcard arch/*.h arch/x86_64/*.h arch/x86_64/asm/*.h kernel/*.h kernel/*/*.h mm/*.h boot/*.h) | \
		awk '/^[ \t]*(\/\*|\*|;)/ || /^[ \t]*$$/ { next } { n++ } END { print n " kernel lines" }'

mutants: setup
	$(Q)tools/mutants

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/release $(BUILD)/debug -name '*.d' 2>/dev/null)
