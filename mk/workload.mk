# SPDX-License-Identifier: BSD-2-Clause
# The workloads, native and in Node, below libexec/partrace next to the program.

WORKLOAD_DIR  := $(O)/libexec/partrace
WORKLOAD_BIN  := $(WORKLOAD_DIR)/partrace-workload
WORKLOAD_OBJ  := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard tools/workload/*.c)))
WORKLOAD_JS   := $(sort $(wildcard tools/workload/node/*.js tools/workload/node/*/*.js))
WORKLOAD_NODE := $(WORKLOAD_JS:tools/workload/node/%=$(WORKLOAD_DIR)/node/%)
WORKLOAD_LIBS := -luv -ljansson -lpthread

all: workload

.PHONY: workload
workload: $(WORKLOAD_BIN) $(WORKLOAD_NODE)

$(WORKLOAD_BIN): $(WORKLOAD_OBJ)
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(WORKLOAD_LIBS)

$(O)/tools/workload/%.o: tools/workload/%.c Makefile mk/workload.mk
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(WORKLOAD_DIR)/node/%: tools/workload/node/%
	$(say) COPY $@
	$(Q)mkdir -p $(@D)
	$(Q)cp $< $@

.PHONY: check-workload
check-workload: workload
	$(Q)$(PYTHON) tests/workload/run $(WORKLOAD_DIR)

install:: workload
	$(Q)install -d $(DESTDIR)$(PREFIX)/libexec/partrace
	$(Q)install -m 755 $(WORKLOAD_BIN) $(DESTDIR)$(PREFIX)/libexec/partrace/partrace-workload
	$(Q)cd $(WORKLOAD_DIR) && for f in $(WORKLOAD_NODE:$(WORKLOAD_DIR)/%=%); do \
		install -D -m 644 $$f $(abspath $(DESTDIR)$(PREFIX))/libexec/partrace/$$f; done

-include $(WORKLOAD_OBJ:.o=.d)
