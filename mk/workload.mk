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

$(WORKLOAD_BIN): $(WORKLOAD_OBJ) $(O)/cc.flags
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(WORKLOAD_OBJ) $(WORKLOAD_LIBS)

$(O)/tools/workload/%.o: tools/workload/%.c $(O)/cc.flags
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(WORKLOAD_DIR)/node/%: tools/workload/node/%
	$(say) COPY $@
	$(Q)mkdir -p $(@D)
	$(Q)cp $< $@

install:: workload
	$(Q)install -d '$(DESTDIR)$(PREFIX)/libexec/partrace/node/kinds'
	$(Q)install -m 755 $(WORKLOAD_BIN) '$(DESTDIR)$(PREFIX)/libexec/partrace'
	$(Q)set -e; for f in $(WORKLOAD_JS:tools/workload/node/%=%); do \
		install -m 644 tools/workload/node/$$f "$(DESTDIR)$(PREFIX)/libexec/partrace/node/$$f"; done

uninstall::
	$(Q)rm -rf '$(DESTDIR)$(PREFIX)/libexec/partrace'

-include $(WORKLOAD_OBJ:.o=.d)
