# SPDX-License-Identifier: BSD-2-Clause
# Programs that know the truth about themselves; tests/e2e/run compares it with the report.
E2E_BIN := $(patsubst %.c,$(O)/%,$(sort $(wildcard tests/e2e/prog/*.c)))
CHECK_BIN += $(E2E_BIN)

$(O)/tests/e2e/prog/uv_%: E2E_LIBS := -luv

$(O)/tests/e2e/prog/%: tests/e2e/prog/%.c $(O)/cc.flags
	$(say) CCLD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d -o $@ $< $(LDFLAGS_ALL) $(E2E_LIBS) -lpthread

-include $(E2E_BIN:=.d)
