# SPDX-License-Identifier: Apache-2.0
# kvbox: `make` builds, `make demo` shows it, `make check` tests it, `make help` lists the rest.
#
# MODE is release (default), debug, asan or fault; each has a folder of its own below build/.

MODE ?= release
CC ?= cc
PREFIX ?= /usr/local
DESTDIR ?=
PKG_CONFIG ?= pkg-config

ifeq ($(origin CC),default)
CC := gcc
endif
variant := $(if $(filter gcc cc,$(notdir $(CC))),,-$(notdir $(CC)))
B := build/$(MODE)$(variant)
O := $(B)/obj

VERSION := $(file <VERSION)
GIT_COMMIT := $(shell git rev-parse --short=7 HEAD 2>/dev/null || echo unknown)

# ---- flags -------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wundef -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough \
	-Wswitch-enum -Wcast-qual -Werror
is_clang := $(findstring clang,$(notdir $(CC)))
ifeq ($(is_clang),)
WARNINGS += -Wlogical-op -Wduplicated-cond -Wjump-misses-init -Wformat-signedness
endif

CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2
CFLAGS_debug := -O0 -g3 -ftrivial-auto-var-init=pattern
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
CFLAGS_fault := -O1 -g -DKVBOX_FAULTS
CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined

all_cflags := -std=gnu17 -D_GNU_SOURCE -I. $(WARNINGS) -fno-common -fstack-protector-strong \
	-ffunction-sections -fdata-sections \
	$(CFLAGS_$(MODE)) $(CPPFLAGS) $(CFLAGS)
all_ldflags := -Wl,--gc-sections -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

# The core libraries become a part of the program: with shared ones the dynamic linker does a third of the work of a
# short command (and least where libc, which nearly all is found in, comes first). All others are opened on first use
# (base/dl.h). Where the static ones are not to be had: make LIBS='-lsqlite3 -ljansson -levent_core -lyajl -lm'.
LIBS := -Wl,-Bstatic -lsqlite3 -ljansson -levent_core -lyajl_s -Wl,-Bdynamic -lc -lm

# ---- sources -----------------------------------------------------------------------------------

folders := base proto registry vmm net engine cmd
src = $(wildcard $(1)/*.c)
obj = $(patsubst %.c,$(O)/%.o,$(call src,$(1)))
lib_folders := $(filter-out cmd,$(folders))
libs_a := $(foreach f,$(lib_folders),$(if $(call src,$f),$(O)/$f.a))
# Archives from high to low, as the linker wants them.
link_order := $(foreach f,engine net vmm registry proto base,$(filter $(O)/$f.a,$(libs_a)))

# The agent is static and takes only what it needs of base.
agent_base := err mem str strv parse fd json clock random log fault
agent_objs := $(call obj,agent) $(call obj,proto) $(foreach m,$(agent_base),$(O)/base/$m.o)

unit_src := $(wildcard tests/unit/test_*.c)
unit_names := $(patsubst tests/unit/test_%.c,%,$(unit_src))
unit_bins := $(foreach n,$(unit_names),$(B)/unit/test_$n)
bench_src := $(wildcard tests/bench/*.c)
fuzz_names := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

kvbox := $(B)/kvbox
agent := $(B)/kvbox-agent

.PHONY: all help demo check lint bench guest kernel bundle lab gen install uninstall clean unit fuzz fuzz-programs \
	gen-check check-headers deps integration replay FORCE
.DELETE_ON_ERROR:
# Objects of tests are kept.
.SECONDARY:

# The guest gets the agent of what people run, not that of variants which are there to be tested or compiled.
all: $(kvbox) $(agent) $(if $(filter release debug,$(MODE)$(variant)),guest-if-ready)

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))

# ---- compiling ---------------------------------------------------------------------------------

# Flags are an input: a change of them rebuilds.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(all_cflags) $(all_ldflags) $(LIBS)' | cmp -s - $@ || \
		printf '%s\n' '$(CC) $(all_cflags) $(all_ldflags) $(LIBS)' > $@

$(O)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(all_cflags) -MMD -MP -c -o $@ $<

$(O)/cmd/version.o: all_cflags += -DKVBOX_VERSION='"$(VERSION)"' -DKVBOX_COMMIT='"$(GIT_COMMIT)"'

define archive_rule
$(O)/$(1).a: $(call obj,$(1))
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach f,$(lib_folders),$(if $(call src,$f),$(eval $(call archive_rule,$f))))

# What writes completions and man pages is a program of its own (cmd/gen.h).
gen_objs := $(filter $(O)/cmd/gen%,$(call obj,cmd))
$(kvbox): $(filter-out $(gen_objs),$(call obj,cmd)) $(libs_a)
	@echo "  LD    $@"
	@$(CC) $(all_cflags) $(all_ldflags) -o $@ $(filter %.o,$^) $(link_order) $(LIBS)

$(B)/gen: $(filter-out $(O)/cmd/main.o,$(call obj,cmd)) $(libs_a)
	@echo "  LD    $@"
	@$(CC) $(all_cflags) $(all_ldflags) -o $@ $(filter %.o,$^) $(link_order) $(LIBS)

# ASan cannot be linked statically: that variant's agent is built without it.
agent_static := $(if $(filter asan,$(MODE)),,-static)
$(agent): $(agent_objs)
	@echo "  LD    $@"
	@$(CC) $(all_cflags) $(all_ldflags) $(agent_static) -o $@.dbg $(agent_objs) -ljansson -lm
	@strip -o $@ $@.dbg

# ---- unit tests --------------------------------------------------------------------------------

# Each test program may use every library object; the agent's modules are linked without its main.
agent_lib_objs := $(filter-out $(O)/agent/main.o,$(call obj,agent))
$(O)/agent.a: $(agent_lib_objs)
	@rm -f $@
	@ar rcs $@ $^
$(O)/cmd.a: $(filter-out $(O)/cmd/main.o $(O)/cmd/gen.o,$(call obj,cmd))
	@rm -f $@
	@ar rcs $@ $^

$(B)/unit/test_%: $(O)/tests/unit/test_%.o $(libs_a) $(if $(agent_lib_objs),$(O)/agent.a) \
		$(if $(call src,cmd),$(O)/cmd.a)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(all_cflags) $(all_ldflags) -o $@ $(filter %.o,$^) $(if $(agent_lib_objs),$(O)/agent.a) \
		$(if $(call src,cmd),$(O)/cmd.a) $(link_order) -lcmocka $(LIBS)

# The guest of the VMs in which all drivers show that they do the same.
$(B)/unit/conform.cpio: tests/unit/conform_guest.c tests/unit/conform-initramfs vmm/guest/make-initramfs
	@mkdir -p $(@D)
	@tests/unit/conform-initramfs $@ $(libexec)

$(B)/unit/test_conform: $(foreach n,vm taps plug saved agent,$(O)/tests/unit/conform_$n.o) $(B)/unit/conform.cpio

# One module's test, without needing that the rest compiles: make unit-str MODE=asan
unit-%: $(B)/unit/test_%
	ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 $<

unit: $(unit_bins)
	@tests/run-unit $(unit_bins)

# What tests run in the VMM's place: a program like any other, without a line of kvbox.
$(B)/probe: $(O)/tests/probe/probe.o
	@echo "  LD    $@"
	@$(CC) $(all_cflags) $(all_ldflags) -o $@ $<

# What they run in a container: static, as the agent is.
$(B)/sibling: $(O)/tests/probe/sibling.o
	@echo "  LD    $@"
	@$(CC) $(all_cflags) $(all_ldflags) -static -o $@ $<

# ---- guest, demo, lab --------------------------------------------------------------------------

# Where kvbox looks for it, beside the folder it is in.
libexec := $(patsubst %/,%,$(dir $(B)))/libexec/kvbox

#: make            build kvbox and its agent (and put the guest together once a kernel is there)
#: make demo       install what is missing, build, prepare a guest kernel, run a container
#: make check      install what the tests need and run every test
#: make lint       formatting, static analysis, include arrows, generated files
#: make bench      print medians of what users wait for, and the ratio to the bare VMM
#: make guest      fetch a guest kernel and put the guest together (needs no root)
#: make kernel     build the small guest kernel (about 10 minutes, cached outside the tree)
#: make bundle     put a hypervisor beside kvbox: CLOUD_HYPERVISOR=<file> [KERNEL=<file>] [TRUST=1] [SINGLE=1];
#:                 without a file: where to get one
#: make lab        run the container suite under real KVM inside an emulated machine
#: make gen        write completions and man pages from the option tables
#: make install    PREFIX=/usr/local DESTDIR=; make uninstall takes it away again
#: MODE=debug|asan|fault chooses another variant, CC=clang another compiler

# Quick when there is nothing to do: only a changed agent rebuilds the initramfs.
guest-if-ready: $(agent)
	@if [ -e $(libexec)/vmlinux ]; then vmm/guest/prepare $(libexec) $(agent); fi

guest: $(agent)
	vmm/guest/prepare $(libexec) $(agent)

kernel:
	vmm/guest/build-kernel

demo:
	@scripts/deps demo
	@$(MAKE) --no-print-directory -j"$$(nproc)" all
	@$(MAKE) --no-print-directory guest
	@scripts/demo $(kvbox)

# With SINGLE=1 also build/<variant>/kvbox-single, which has all of it inside.
bundle: $(if $(SINGLE),all guest)
	@scripts/bundle $(libexec) $(if $(TRUST),--trust) cloud-hypervisor='$(CLOUD_HYPERVISOR)' \
		vmlinux='$(KERNEL)' $(if $(SINGLE),--single $(kvbox) $(kvbox)-single)

# One case wants the variant with fault points, in the folder beside this one's.
lab: all guest $(B)/unit/test_conform $(B)/bench/bare
	@$(MAKE) --no-print-directory MODE=fault B=$(dir $(B))fault $(dir $(B))fault/kvbox
	tests/lab/run $(kvbox)

bench:
	@scripts/deps check
	@$(MAKE) --no-print-directory -j"$$(nproc)" all
	@$(MAKE) --no-print-directory guest
	@tests/bench/run $(kvbox)

# ---- tests -------------------------------------------------------------------------------------

check:
	@scripts/deps check
	@scripts/check

gen: $(B)/gen
	@scripts/gen $<

# Fails when that would change something.
gen-check: $(B)/gen
	@scripts/gen --check $<

lint: check-headers
	@scripts/lint $(CC)

check-headers:
	@for h in $(wildcard $(addsuffix /*.h,$(folders) agent)); do \
		$(CC) -std=gnu17 -D_GNU_SOURCE -I. $(WARNINGS) -fsyntax-only -include $$h -x c /dev/null \
			|| { echo "check-headers: $$h does not compile alone"; exit 1; }; done

integration: all guest $(B)/gen $(B)/probe $(B)/sibling
	tests/integration/run $(kvbox)

# libFuzzer targets, for people (build/fuzz-clang/fuzz/fuzz_NAME tests/fuzz/corpus/NAME); `make replay` runs
# their corpora as ordinary tests.
fuzz:
	@$(MAKE) --no-print-directory MODE=fuzz CC=clang fuzz-programs

fuzz-programs: $(foreach n,$(fuzz_names),$(B)/fuzz/fuzz_$n)

$(B)/fuzz/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(O)/cmd.a $(libs_a)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(all_cflags) $(all_ldflags) -fsanitize=fuzzer -o $@ $< $(O)/cmd.a $(link_order) $(LIBS)

$(B)/fuzz/replay_%: $(O)/tests/fuzz/fuzz_%.o $(O)/tests/fuzz/replay.o $(O)/cmd.a $(libs_a)
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(all_cflags) $(all_ldflags) -o $@ $(O)/tests/fuzz/fuzz_$*.o $(O)/tests/fuzz/replay.o \
		$(O)/cmd.a $(link_order) $(LIBS)

replay: $(foreach n,$(fuzz_names),$(B)/fuzz/replay_$n)
	@for n in $(fuzz_names); do $(B)/fuzz/replay_$$n tests/fuzz/corpus/$$n || exit 1; done

$(B)/bench/%: $(O)/tests/bench/%.o $(libs_a)
	@mkdir -p $(@D)
	@$(CC) $(all_cflags) $(all_ldflags) -o $@ $< $(link_order) $(LIBS)

# ---- installing --------------------------------------------------------------------------------

share := $(DESTDIR)$(PREFIX)/share

# Root installs what another user has built: nothing is fetched or put together here.
install: $(kvbox) $(agent)
	@[ -e $(libexec)/vmlinux ] || { echo "install: run 'make demo' or 'make guest' first" >&2; exit 1; }
	install -D -m 755 $(kvbox) $(DESTDIR)$(PREFIX)/bin/kvbox
	install -D -m 644 $(libexec)/vmlinux $(DESTDIR)$(PREFIX)/libexec/kvbox/vmlinux
	[ ! -e $(libexec)/cloud-hypervisor ] || install -D -m 755 $(libexec)/cloud-hypervisor \
		$(DESTDIR)$(PREFIX)/libexec/kvbox/cloud-hypervisor
	install -D -m 644 $(libexec)/initramfs $(DESTDIR)$(PREFIX)/libexec/kvbox/initramfs
	install -D -m 644 $(libexec)/kernel.txt $(DESTDIR)$(PREFIX)/libexec/kvbox/kernel.txt
	install -D -m 644 completions/kvbox.bash $(share)/bash-completion/completions/kvbox
	install -D -m 644 completions/_kvbox $(share)/zsh/site-functions/_kvbox
	install -D -m 644 completions/kvbox.fish $(share)/fish/vendor_completions.d/kvbox.fish
	install -d $(share)/man/man1
	install -m 644 docs/man/kvbox*.1 $(share)/man/man1

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/kvbox
	rm -rf $(DESTDIR)$(PREFIX)/libexec/kvbox
	rm -f $(share)/bash-completion/completions/kvbox $(share)/zsh/site-functions/_kvbox \
		$(share)/fish/vendor_completions.d/kvbox.fish $(share)/man/man1/kvbox.1 \
		$(share)/man/man1/kvbox-*.1
	@rmdir --ignore-fail-on-non-empty $(DESTDIR)$(PREFIX)/libexec $(share)/man/man1 \
		$(share)/bash-completion/completions $(share)/bash-completion \
		$(share)/zsh/site-functions $(share)/zsh \
		$(share)/fish/vendor_completions.d $(share)/fish 2>/dev/null || true

clean:
	rm -rf build

-include $(wildcard $(O)/*/*.d $(O)/tests/*/*.d)

FORCE:
