# SPDX-License-Identifier: MIT
# Tally's user programs: static musl ELF files, $(BUILD)/user/NAME with symbols and
# $(BUILD)/user/stripped/NAME for the initrd.
USER_CC ?= musl-gcc
USER_STRIP ?= strip
USER_CFLAGS ?= -static -O2 -g -Wall -Wextra
USER_PROGS := init cg forkbomb mkdirloop rmdeep victim demo torture bench callfuzz

USER_BINS := $(USER_PROGS:%=$(BUILD)/user/%)
USER_STRIPPED := $(USER_PROGS:%=$(BUILD)/user/stripped/%)

# The bomb's page tables are part of a prediction: it is linked with nothing of ours.
user_src_forkbomb := user/forkbomb.c
user_src_demo := user/demo.c user/predict.c user/common.c
user_src_callfuzz := user/callfuzz.c user/callfuzz_calls.c user/common.c
user_src = $(or $(user_src_$(1)),user/$(1).c user/common.c)

define USER_PROG_RULE
$(BUILD)/user/$(1): $(call user_src,$(1)) $(wildcard user/*.h user/include/tally/*.h) user/user.mk
	@mkdir -p $$(@D)
	$$(call say,USER,$$@)
	$$(Q)$$(USER_CC) $$(USER_CFLAGS) -Iuser/include -o $$@ $$(filter %.c,$$^)
endef
$(foreach p,$(USER_PROGS),$(eval $(call USER_PROG_RULE,$(p))))

$(BUILD)/user/stripped/%: $(BUILD)/user/%
	@mkdir -p $(@D)
	$(Q)$(USER_STRIP) -o $@ $<

.PHONY: user
user: $(USER_BINS) $(USER_STRIPPED)

include tests/guest/guest.mk
