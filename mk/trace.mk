# SPDX-License-Identifier: BSD-2-Clause
# What the trace layer has beyond the library: its tools, the documentation made from the catalogue, and its fuzzers.

TRACE_TOOLS := $(addprefix $(O)/tools/,records-doc trace-dump trace-bench synth-trace)

$(TRACE_TOOLS): $(O)/tools/%: tools/%.c $(O)/libpartrace.a Makefile mk/trace.mk
	$(say) CCLD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d -o $@ $< $(O)/libpartrace.a $(LDFLAGS_ALL) $(LDLIBS)

$(O)/tests/trace/write-all: tests/trace/write-all.c $(O)/libpartrace.a Makefile mk/trace.mk
	$(say) CCLD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -o $@ $< $(O)/libpartrace.a $(LDFLAGS_ALL) $(LDLIBS)

.PHONY: trace-tools trace-check docs/records.md
trace-tools: $(TRACE_TOOLS)

# The format against its specification, its second reader, and the files that are kept.
trace-check: $(TRACE_TOOLS) $(O)/tests/trace/write-all
	$(Q)O=$(O) PYTHON=$(PYTHON) tests/trace/check-format

docs/records.md: $(O)/tools/records-doc
	$(say) DOC $@
	$(Q)$< > $@

# Fuzzing. `make fuzz FUZZ_SECONDS=N` searches (half of the time for each target), from the kept corpus; what it finds
# goes to tests/fuzz/failures/TARGET, to stay. `make fuzz-replay` runs once over all that is kept, for `make check`.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := reader block
FUZZ_SRC := $(filter-out user/trace/writer.c user/trace/output.c,$(wildcard user/trace/*.c)) user/base/error.c
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_BIN := $(FUZZ_TARGETS:%=$(O)/tests/fuzz/fuzz_%)
REPLAY_BIN := $(FUZZ_TARGETS:%=$(O)/tests/fuzz/replay_%)

$(FUZZ_BIN): $(O)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_SRC) $(wildcard user/trace/*.h) bpf/records.h
	$(say) FUZZ $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS_ALL) -std=c17 $(WARN) -O1 -g -fsanitize=fuzzer $(FUZZ_SAN) -o $@ $< $(FUZZ_SRC) $(LDLIBS)

$(REPLAY_BIN): $(O)/tests/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(FUZZ_SRC) $(wildcard user/trace/*.h) bpf/records.h
	$(say) CCLD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -std=c17 $(WARN) -O1 -g $(FUZZ_SAN) -o $@ $< tests/fuzz/replay.c $(FUZZ_SRC) $(LDLIBS)

.PHONY: fuzz fuzz-replay
fuzz: $(FUZZ_BIN)
	$(Q)set -e; for t in $(FUZZ_TARGETS); do \
		mkdir -p $(O)/corpus/$$t tests/fuzz/failures/$$t; \
		$(O)/tests/fuzz/fuzz_$$t -max_total_time=$$(( $(FUZZ_SECONDS) / 2 )) -max_len=65536 -timeout=10 -rss_limit_mb=1024 \
			-print_final_stats=1 -artifact_prefix=tests/fuzz/failures/$$t/ \
			$(O)/corpus/$$t tests/fuzz/corpus/$$t tests/fuzz/failures/$$t; \
	done

fuzz-replay: $(REPLAY_BIN)
	$(Q)set -e; for t in $(FUZZ_TARGETS); do \
		$(O)/tests/fuzz/replay_$$t tests/fuzz/corpus/$$t tests/fuzz/failures/$$t; \
	done

-include $(TRACE_TOOLS:=.d)
