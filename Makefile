# SPDX-License-Identifier: BSD-2-Clause
# `make help` lists the targets and settings.

O      ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CC     ?= cc
CLANG  ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/lib/linux-tools/*/bpftool) bpftool)
PYTHON ?= python3

VERSION := 0.1.0
ARCH    := $(shell uname -m | sed -e 's/x86_64/x86/' -e 's/aarch64/arm64/')

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

WARN    := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wpointer-arith -Wvla
CPPFLAGS_ALL := -D_GNU_SOURCE -DPT_VERSION='"$(VERSION)"' -Iuser -I. -I$(O) $(CPPFLAGS)
CFLAGS  ?= -O2 -g
CFLAGS_ALL := -std=c17 $(WARN) -fno-strict-aliasing $(CFLAGS)
LDFLAGS_ALL := $(LDFLAGS)
LDLIBS  := -lbpf -lelf -lzstd -ljansson -lpthread -lm
ifeq ($(SAN),1)
CFLAGS_ALL  += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_ALL += -fsanitize=address,undefined
endif
# BPF_PROG() names the context of every program, used or not.
BPF_CFLAGS := -O2 -g -std=gnu17 -Wall -Wextra -Werror -Wno-unused-parameter -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -I. -Ivmlinux

# Every .c below user/ is part of the program; all but main.c also of the library that tests link.
LIB_SRC  := $(filter-out user/main.c,$(sort $(wildcard user/*.c user/*/*.c)))
LIB_OBJ  := $(LIB_SRC:%.c=$(O)/%.o)
BPF_SRC  := $(sort $(wildcard bpf/*.bpf.c))
BPF_OBJ  := $(BPF_SRC:%.c=$(O)/%.o)
SKEL     := $(O)/bpf/partrace.skel.h
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:%.c=$(O)/%)

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
.PHONY: all
all: $(O)/partrace

-include $(sort $(wildcard mk/*.mk))

$(O)/partrace: $(O)/user/main.o $(O)/libpartrace.a
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS)

$(O)/libpartrace.a: $(LIB_OBJ)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/user/%.o: user/%.c Makefile
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Only capture/ sees the skeleton.
$(filter $(O)/user/capture/%,$(LIB_OBJ)): | $(SKEL)

$(O)/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	$(say) BPF $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/bpf/partrace.o: $(BPF_OBJ)
	$(say) BPFLINK $@
	$(Q)$(BPFTOOL) gen object $@ $^

$(SKEL): $(O)/bpf/partrace.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name partrace_bpf > $@

$(O)/tests/unit/%: tests/unit/%.c $(O)/libpartrace.a Makefile
	$(say) CCLD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d -o $@ $< $(O)/libpartrace.a $(LDFLAGS_ALL) $(LDLIBS) -lcmocka

.PHONY: unit
unit: $(UNIT_BIN)
	$(Q)set -e; for t in $(UNIT_BIN); do $$t; done

.PHONY: clean
clean:
	$(Q)rm -rf $(O)

-include $(LIB_OBJ:.o=.d) $(O)/user/main.d $(BPF_OBJ:.o=.d) $(UNIT_BIN:=.d)
