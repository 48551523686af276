# SPDX-License-Identifier: BSD-2-Clause
# What tests/memory/run compares the memory scanner with.
MEMORY_BIN := $(patsubst %.c,$(O)/%,$(sort $(wildcard tests/memory/*.c)))
CHECK_BIN += $(MEMORY_BIN)

# A program that shares libraries with the processes that it looks at changes what they weigh, so these are static;
# the sanitizers cannot have that.
$(O)/tests/memory/%: tests/memory/%.c $(O)/libpartrace.a $(O)/cc.flags
	$(say) CCLD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d $(if $(filter 1,$(SAN)),,-static) -o $@ $< \
		$(O)/libpartrace.a -lm -lpthread

-include $(MEMORY_BIN:=.d)
