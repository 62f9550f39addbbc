# SPDX-License-Identifier: MIT
# Programs of the guest tests: $(BUILD)/guest/NAME. The tests call this target themselves.
GUEST_DIR := tests/guest/progs
GUEST_CFLAGS := -O2 -g -Wall -Wextra -Iuser/include
GUEST_SUITES := $(patsubst $(GUEST_DIR)/%.c,%,$(wildcard $(GUEST_DIR)/t_*.c))
GUEST_PROGS := $(addprefix $(BUILD)/guest/,$(GUEST_SUITES) p_misc p_misc_pie p_misc_dynamic \
	p_seq p_smp p_tty foreign tiny f_threads_glibc f_threads_pie f_threads_musl f_exceptions)
GUEST_NOLIBC := -static -nostdlib -ffreestanding -fno-stack-protector -fno-pic -no-pie \
	-Wl,-z,noseparate-code,--build-id=none

# Tests run in the order in which they are written, so the compiler must keep it.
$(BUILD)/guest/t_%: $(GUEST_DIR)/t_%.c $(GUEST_DIR)/t.c $(GUEST_DIR)/t.h user/common.c user/common.h
	@mkdir -p $(@D)
	$(call say,GUEST,$@)
	$(Q)$(USER_CC) -static -fno-toplevel-reorder $(GUEST_CFLAGS) -o $@ $(filter %.c,$^)

$(BUILD)/guest/p_%: $(GUEST_DIR)/p_%.c user/common.c user/common.h
	@mkdir -p $(@D)
	$(call say,GUEST,$@)
	$(Q)$(USER_CC) -static $(GUEST_CFLAGS) -o $@ $(filter %.c,$^)

# A static PIE needs musl's rcrt1.o, which its gcc wrapper does not know about.
GUEST_CRT = $(dir $(firstword $(wildcard /usr/lib/*-linux-musl/rcrt1.o /usr/lib/musl/lib/rcrt1.o \
	/usr/local/musl/lib/rcrt1.o)))
$(BUILD)/guest/p_misc_pie: $(GUEST_DIR)/p_misc.c user/common.c user/common.h
	@mkdir -p $(@D)
	$(call say,GUEST,$@)
	$(Q)$(USER_CC) -static -fPIE -nostartfiles $(GUEST_CFLAGS) -Wl,-pie,--no-dynamic-linker \
		-o $@ $(GUEST_CRT)rcrt1.o $(GUEST_CRT)crti.o $(filter %.c,$^) $(GUEST_CRT)crtn.o

# One with an interpreter, which is not there.
$(BUILD)/guest/p_misc_dynamic: $(GUEST_DIR)/p_misc.c user/common.c user/common.h
	@mkdir -p $(@D)
	$(call say,GUEST,$@)
	$(Q)$(USER_CC) -pie -fPIE $(GUEST_CFLAGS) -o $@ $(filter %.c,$^)

$(BUILD)/guest/foreign: $(GUEST_DIR)/foreign.c
	@mkdir -p $(@D)
	$(call say,GUEST,$@)
	$(Q)$(HOSTCC) -O2 -Wall -Wextra $(GUEST_NOLIBC) -o $@ $<

$(BUILD)/guest/tiny: $(GUEST_DIR)/tiny.S
	@mkdir -p $(@D)
	$(call say,GUEST,$@)
	$(Q)$(HOSTCC) -s $(GUEST_NOLIBC) -o $@ $<

# Programs that know nothing of Tally, by the host's own C and C++ compilers and libraries.
FOREIGN_DIR := tests/guest/foreign
HOSTCXX ?= g++
FOREIGN_CFLAGS := -O2 -Wall -Wextra -pthread
$(BUILD)/guest/f_threads_glibc: FOREIGN_LINK = $(HOSTCC) $(FOREIGN_CFLAGS) -static
$(BUILD)/guest/f_threads_pie: FOREIGN_LINK = $(HOSTCC) $(FOREIGN_CFLAGS) -static-pie
$(BUILD)/guest/f_threads_musl: FOREIGN_LINK = $(USER_CC) $(FOREIGN_CFLAGS) -static
$(BUILD)/guest/f_exceptions: FOREIGN_LINK = $(HOSTCXX) -std=c++17 $(FOREIGN_CFLAGS) -static
$(addprefix $(BUILD)/guest/f_threads_,glibc pie musl): $(FOREIGN_DIR)/threads.c
$(BUILD)/guest/f_exceptions: $(FOREIGN_DIR)/exceptions.cc
$(addprefix $(BUILD)/guest/,f_threads_glibc f_threads_pie f_threads_musl f_exceptions):
	@mkdir -p $(@D)
	$(call say,GUEST,$@)
	$(Q)$(FOREIGN_LINK) -o $@ $<

.PHONY: guest-progs
guest-progs: $(GUEST_PROGS)
