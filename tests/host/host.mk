# SPDX-License-Identifier: MIT
# Host tests: the kernel's own .c files as an ordinary program, under ASan and UBSan.
# Included by the top Makefile, which sets BUILD, Q and say; HOST_CC may be set. A test that mentions the backend in
# its name is linked with that backend alone; every other test once with each.

HOST_CC ?= gcc
HOST_BUILD := $(BUILD)/host

HOST_BACKENDS := slub slab
HOST_KERNEL_SRCS := $(sort $(wildcard kernel/lib/*.c kernel/sync/*.c kernel/cgroup/*.c \
	kernel/fs/dcache.c kernel/fs/dpath.c arch/host/*.c tests/host/fake_sched.c tests/ops/*.c) \
	$(filter-out $(HOST_BACKENDS:%=mm/%.c),$(wildcard mm/*.c)))
HOST_TESTS := $(patsubst tests/host/%.c,%,$(sort $(wildcard tests/host/test_*.c)))

HOST_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -fno-common \
	-fsanitize=address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE -DTALLY_DEBUG=1 \
	-Wall -Wextra -Wshadow -Wvla -I. -Iarch/host -MMD -MP

HOST_LIB := $(HOST_BUILD)/libtally.a
HOST_LIB_OBJS := $(HOST_KERNEL_SRCS:%.c=$(HOST_BUILD)/%.o)
HOST_BINS := $(foreach t,$(filter-out $(HOST_BACKENDS:%=test_%),$(HOST_TESTS)), \
	$(HOST_BACKENDS:%=$(HOST_BUILD)/$(t)-%)) \
	$(foreach b,$(filter $(HOST_TESTS:test_%=%),$(HOST_BACKENDS)),$(HOST_BUILD)/test_$(b)-$(b))

.PHONY: host-tests host-check
host-tests: $(HOST_BINS)

# Runs them all, then fails if one did.
host-check: $(HOST_BINS)
	@failed=0; for t in $(HOST_BINS); do echo "== $$t"; $$t || failed=1; done; exit $$failed

$(HOST_BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -c -o $@ $<

$(HOST_LIB): $(HOST_LIB_OBJS)
	@rm -f $@
	$(Q)ar rcs $@ $^

define host_link
$(HOST_BUILD)/test_%-$(1): $(HOST_BUILD)/tests/host/test_%.o $(HOST_BUILD)/tests/host/host.o \
		$(HOST_BUILD)/mm/$(1).o $(HOST_LIB)
	$$(call say,HOSTLD,$$@)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -o $$@ $$^ $(HOST_LDLIBS) -lcmocka -lpthread
endef
$(foreach b,$(HOST_BACKENDS),$(eval $(call host_link,$(b))))

# The same sources under ThreadSanitizer, threads as CPUs.
TSAN_CFLAGS = $(subst address$(comma)undefined,thread,$(HOST_CFLAGS))
comma := ,
TSAN_TESTS := test_threads test_dcache_threads
TSAN_BINS := $(foreach t,$(TSAN_TESTS),$(HOST_BACKENDS:%=$(BUILD)/tsan/$(t)-%))

$(BUILD)/tsan/%.o: %.c
	@mkdir -p $(@D)
	$(call say,TSANCC,$<)
	$(Q)$(HOST_CC) $(TSAN_CFLAGS) -c -o $@ $<

$(BUILD)/tsan/libtally.a: $(HOST_KERNEL_SRCS:%.c=$(BUILD)/tsan/%.o)
	@rm -f $@
	$(Q)ar rcs $@ $^

define tsan_link
$(BUILD)/tsan/$(1)-%: $(BUILD)/tsan/tests/host/$(1).o $(BUILD)/tsan/tests/host/host.o \
		$(BUILD)/tsan/mm/%.o $(BUILD)/tsan/libtally.a
	$$(call say,TSANLD,$$@)
	$(Q)$(HOST_CC) $(TSAN_CFLAGS) -o $$@ $$^ -lcmocka -lpthread
endef
$(foreach t,$(TSAN_TESTS),$(eval $(call tsan_link,$(t))))

.PHONY: tsan-bins tsan
tsan-bins: $(TSAN_BINS)
tsan: $(TSAN_BINS)
	@failed=0; for t in $(TSAN_BINS); do echo "== $$t"; $$t || failed=1; done; exit $$failed

# The fuzzers: the same sources by clang, with libFuzzer's main.
FUZZ_CC ?= clang
FUZZ_CFLAGS = $(HOST_CFLAGS) -fsanitize=fuzzer-no-link
FUZZ_BINS := $(HOST_BACKENDS:%=$(BUILD)/fuzz/ops-%)
FUZZ_RUNS ?= 4000
# dcache.c wants what its own test stands in for.
FUZZ_OBJS := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(filter-out kernel/fs/dcache.c kernel/fs/dpath.c,$(HOST_KERNEL_SRCS)))

$(BUILD)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -c -o $@ $<

$(BUILD)/fuzz/ops-%: $(BUILD)/fuzz/tests/fuzz/fuzz_ops.o $(BUILD)/fuzz/tests/host/host.o \
		$(BUILD)/fuzz/mm/%.o $(FUZZ_OBJS)
	$(call say,FUZZLD,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ -lcmocka -lpthread

.PHONY: fuzz-bins fuzz
fuzz-bins: $(if $(shell command -v $(FUZZ_CC) 2>/dev/null),$(FUZZ_BINS))

# A short run from fixed seeds; FUZZ_RUNS=1000000 for a long one.
fuzz: $(FUZZ_BINS)
	@for f in $(FUZZ_BINS); do echo "== $$f"; \
		$$f -runs=$(FUZZ_RUNS) -seed=1 -max_len=4000 -len_control=0 -detect_leaks=0 \
			-verbosity=1 || exit 1; done

.SECONDARY:
-include $(shell find $(HOST_BUILD) $(BUILD)/fuzz $(BUILD)/tsan -name '*.d' 2>/dev/null)
