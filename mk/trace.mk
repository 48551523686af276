# SPDX-License-Identifier: BSD-2-Clause
# What the trace layer has beyond the library: its tools, the document made from the catalogue, and its fuzzers.

TRACE_TOOLS := $(addprefix $(O)/,tools/records-doc tools/trace-dump tools/trace-bench tools/synth-trace tools/trace-copy tests/trace/write-all)

$(TRACE_TOOLS): $(O)/%: %.c $(O)/libpartrace.a $(O)/cc.flags
	$(say) CCLD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d -o $@ $< $(O)/libpartrace.a $(LDFLAGS_ALL) $(LDLIBS)

.PHONY: trace-tools docs/records.md
trace-tools: $(TRACE_TOOLS) ## build the tools around trace files: dump, bench, synthetic traces

docs/records.md: $(O)/tools/records-doc
	$(say) DOC $@
	$(Q)$< > $@

# What `make fuzz` finds stays in tests/fuzz/failures/TARGET, which `make check` replays together with the corpus.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := reader block
FUZZ_SRC := $(filter-out user/trace/writer.c user/trace/output.c,$(sort $(wildcard user/trace/*.c))) user/base/error.c
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_FLAGS := $(CPPFLAGS_ALL) -std=c17 $(WARN) -fno-strict-aliasing -O1 -g $(FUZZ_SAN)
FUZZ_BIN := $(FUZZ_TARGETS:%=$(O)/tests/fuzz/fuzz_%)
REPLAY_BIN := $(FUZZ_TARGETS:%=$(O)/tests/fuzz/replay_%)
FUZZ_DEPS := $(FUZZ_SRC) $(wildcard user/trace/*.h user/base/*.h) bpf/records.h \
	     $(wildcard bpf/records_*.h)

$(FUZZ_BIN): $(O)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_DEPS)
	$(say) FUZZ $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_SRC) $(LDLIBS)

$(REPLAY_BIN): $(O)/tests/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(FUZZ_DEPS)
	$(say) CCLD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(FUZZ_FLAGS) -o $@ $< tests/fuzz/replay.c $(FUZZ_SRC) $(LDLIBS)

.PHONY: fuzz
fuzz: $(FUZZ_BIN) ## look for inputs that break the reader, for FUZZ_SECONDS (60)
	$(Q)set -e; for t in $(FUZZ_TARGETS); do \
		mkdir -p $(O)/corpus/$$t tests/fuzz/failures/$$t; \
		$(O)/tests/fuzz/fuzz_$$t -max_total_time=$$(( $(FUZZ_SECONDS) / 2 )) -max_len=65536 -timeout=10 \
			-rss_limit_mb=1024 -artifact_prefix=tests/fuzz/failures/$$t/ \
			$(O)/corpus/$$t tests/fuzz/corpus/$$t tests/fuzz/failures/$$t; \
	done

CHECK_BIN += $(TRACE_TOOLS) $(REPLAY_BIN)

-include $(TRACE_TOOLS:=.d)
