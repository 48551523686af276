# SPDX-License-Identifier: BSD-2-Clause
# What the trace layer has beyond the library: its tools, the documentation made from the catalogue, and its fuzzers.

TRACE_TOOLS := $(addprefix $(O)/tools/,records-doc trace-dump trace-bench synth-trace)

$(TRACE_TOOLS): $(O)/tools/%: tools/%.c $(O)/libpartrace.a Makefile mk/trace.mk
	$(say) CCLD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d -o $@ $< $(O)/libpartrace.a $(LDFLAGS_ALL) $(LDLIBS)

.PHONY: trace-tools docs/records.md
trace-tools: $(TRACE_TOOLS)

docs/records.md: $(O)/tools/records-doc
	$(say) DOC $@
	$(Q)$< > $@

-include $(TRACE_TOOLS:=.d)
