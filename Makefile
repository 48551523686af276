# SPDX-License-Identifier: BSD-2-Clause
# `make help` lists the targets and settings. Nothing here may need a tool before `make deps` has run: on a fresh
# machine there is only make itself.

O       ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
CLANG   ?= clang
PYTHON  ?= python3
# Ubuntu's bpftool is a wrapper that only serves the running kernel, so the real programs go first.
BPFTOOL ?= $(firstword $(wildcard /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool \
	     /usr/sbin/bpftool) bpftool)

VERSION := 0.1.0
ARCH    := $(shell uname -m | sed -e 's/x86_64/x86/' -e 's/aarch64/arm64/')

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

# A text that snprintf() cuts is cut on purpose. clang does not know every option of gcc's.
WERROR  ?= -Werror
WARN    := -Wall -Wextra $(WERROR) -Wno-format-truncation -Wno-unknown-warning-option -Wmissing-prototypes -Wstrict-prototypes \
	   -Wshadow -Wpointer-arith -Wvla
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
BPF_CFLAGS := -O2 -g -std=gnu17 -Wall -Wextra -Werror -Wno-unused-parameter -target bpf -mcpu=v3 \
	      -D__TARGET_ARCH_$(ARCH) -I. -Ivmlinux

# Every .c below user/ is part of the program; all but main.c also of the library that tests link.
LIB_SRC  := $(filter-out user/main.c,$(sort $(wildcard user/*.c user/*/*.c)))
LIB_OBJ  := $(LIB_SRC:%.c=$(O)/%.o)
BPF_SRC  := $(sort $(wildcard bpf/*.bpf.c))
SKEL     := $(O)/bpf/partrace.skel.h
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:%.c=$(O)/%)
MAN      := $(sort $(wildcard docs/man/*.1))

# What `make check` builds before it runs anything, and what it builds once more under the sanitizers; mk/*.mk add
# their own.
CHECK_BIN := $(UNIT_BIN)
SAN_BIN   := $(UNIT_BIN)

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

.PHONY: all
all: $(O)/partrace ## build the program (the default)

-include $(sort $(wildcard mk/*.mk))

$(O)/partrace: $(O)/user/main.o $(O)/libpartrace.a $(O)/cc.flags
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(filter-out %.flags,$^) $(LDLIBS)

$(O)/libpartrace.a: $(LIB_OBJ) $(O)/lib.flags
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

$(O)/user/%.o: user/%.c $(O)/cc.flags
	$(say) CC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Only capture/ sees the skeleton. Once built, the dependency files name it.
$(filter $(O)/user/capture/%,$(LIB_OBJ)): | $(SKEL)

# All subjects are compiled as one: libbpf 1.1 cannot link objects that call functions of the kernel.
$(O)/bpf/partrace.o: $(BPF_SRC) $(O)/bpf.flags
	$(say) BPF $@
	$(Q)mkdir -p $(@D)
	$(Q)printf '#include "%s"\n' $(BPF_SRC) >$(@:.o=.bpf.c)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $(@:.o=.bpf.c)

$(SKEL): $(O)/bpf/partrace.o
	$(say) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name partrace_bpf > $@

$(O)/tests/unit/%: tests/unit/%.c $(O)/libpartrace.a $(O)/cc.flags
	$(say) CCLD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -MF $@.d -o $@ $< $(O)/libpartrace.a \
		$(LDFLAGS_ALL) $(LDLIBS) -lcmocka

# The command lines of the last build: what depends on one of these is rebuilt when they change, and only then.
$(O)/cc.flags: export PT_FLAGS = $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(LDLIBS)
$(O)/bpf.flags: export PT_FLAGS = $(CLANG) $(BPF_CFLAGS) $(BPFTOOL) $(BPF_SRC)
$(O)/lib.flags: export PT_FLAGS = $(LIB_OBJ)
$(O)/%.flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)printf '%s\n' "$$PT_FLAGS" | cmp -s - $@ || printf '%s\n' "$$PT_FLAGS" >$@

.PHONY: FORCE
FORCE:

# demo and check begin on a machine that may have nothing, so what they build is looked up by a second make, after
# the tools are there.
.PHONY: deps demo check unit
deps: ## install what building and testing need (DEPS=no: only say what is missing)
	$(Q)DEPS='$(DEPS)' CC='$(CC)' tools/deps build check

demo: ## install, build, report on a blocked loop, compare threads, processes and a cluster
	$(Q)DEPS='$(DEPS)' CC='$(CC)' tools/deps build
	$(Q)$(MAKE) --no-print-directory all
	$(Q)O='$(O)' tools/demo

check: ## install, build, and run every test (TESTS=PATTERN: only those)
	$(Q)DEPS='$(DEPS)' CC='$(CC)' tools/deps build check
	$(Q)$(MAKE) --no-print-directory all check-bin
	$(Q)$(MAKE) --no-print-directory O='$(O)/san' SAN=1 CFLAGS='-O1 -g' san-bin
	$(Q)$(PYTHON) tests/run --build '$(O)' $(TESTS)

unit: $(UNIT_BIN) ## build and run the unit tests only
	$(Q)$(PYTHON) tests/run --build '$(O)' 'unit/*'

.PHONY: check-bin san-bin
check-bin: $(CHECK_BIN)
san-bin: $(SAN_BIN)

.PHONY: bench check-kernels
bench: all check-bin ## measure the cost of recording, beside perf's
	$(Q)DEPS='$(DEPS)' CC='$(CC)' tools/deps build bench
	$(Q)$(PYTHON) tools/bench --build '$(O)' $(BENCH)

check-kernels: all check-bin ## run part of the tests on other kernels, in virtual machines
	$(Q)DEPS='$(DEPS)' CC='$(CC)' tools/deps build check kernels
	$(Q)O='$(O)' tests/vm/check-kernels $(KERNELS)

.PHONY: lint format
lint: $(SKEL) ## every static check: layers, format, clang-tidy, cppcheck, shellcheck, man pages
	$(Q)DEPS='$(DEPS)' CC='$(CC)' tools/deps build check lint
	$(Q)LINT_CPPFLAGS="$$(printf ' %s' $(CPPFLAGS_ALL))" $(PYTHON) tools/lint all

format: ## rewrite every C file in the project's style
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format-14 -i

.PHONY: install uninstall clean help
install:: $(O)/partrace ## install below $(DESTDIR)$(PREFIX)
	$(Q)install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/man/man1'
	$(Q)install -m 755 $(O)/partrace '$(DESTDIR)$(PREFIX)/bin/partrace'
	$(Q)install -m 644 $(MAN) '$(DESTDIR)$(PREFIX)/share/man/man1'

uninstall:: ## remove what install put there
	$(Q)rm -f '$(DESTDIR)$(PREFIX)/bin/partrace' \
		$(foreach m,$(MAN),'$(DESTDIR)$(PREFIX)/share/man/man1/$(notdir $m)')

clean: ## remove everything that was built
	$(Q)rm -rf $(O)

help: ## this list
	@awk -F '::?[^#]*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nSettings:\n'
	@printf '  %-14s %s\n' V=1 'show every command' O=DIR 'build in DIR (build)' \
		WERROR= 'warnings are no errors' \
		SAN=1 'with AddressSanitizer and UBSan; use an O of its own' \
		DEPS=no 'install nothing, only say what is missing' \
		PREFIX=DIR 'install below DIR (/usr/local)' DESTDIR=DIR 'put the installed tree into DIR' \
		'TESTS=PATTERN' "check: only these, as in TESTS='e2e/*'" \
		'BENCH=ARGS' 'bench: arguments of tools/bench' 'KERNELS=LIST' 'check-kernels: which'

-include $(LIB_OBJ:.o=.d) $(O)/user/main.d $(O)/bpf/partrace.d $(UNIT_BIN:=.d)
