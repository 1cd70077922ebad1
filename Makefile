# callfold. `make demo` and `make check` do all the set-up; `make help` lists the rest.
CC       ?= cc
CFLAGS   ?= -O3 -g -fno-plt
BUILD    ?= build
PREFIX   ?= /usr/local
DESTDIR  ?=

STD  := -std=c11 -D_GNU_SOURCE -I. -fno-strict-aliasing
WARN := -Wall -Wextra -Wconversion -Wshadow -Werror
LIBS := -ljansson -lcrypto -lxxhash
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

# What callfold spends its time in is compiled once more for it, to be optimised as
# one when it is linked: some seconds of every build for 4 % of its time. Not where the
# compiler cannot, nor with other CFLAGS than those above; `make LTO=` does without.
HOT := $(wildcard events/*.c processor/fold/*.c) processor/ahead.c processor/engine.c
ifeq ($(origin CFLAGS)/$(origin LTO),file/undefined)
LTO := $(shell $(CC) -flto=auto -shared -nostdlib -fPIC -Werror -x c -o /dev/null /dev/null 2>/dev/null && echo -flto=auto)
endif
once_more := $(if $(LTO),$(HOT))
lto_objects := $(once_more:%.c=$(BUILD)/lto/%.o)

all: deps-build $(BUILD)/callfold $(BUILD)/callfold-snapshot $(BUILD)/callfold-replay

# --- the house: each wall is a library ---
$(BUILD)/libevents.a: $(call objects,$(wildcard events/*.c))
$(BUILD)/libfold.a: $(call objects,$(wildcard processor/fold/*.c))
$(BUILD)/libterminal.a: $(call objects,$(wildcard terminal/*.c))
SNAPSHOT_PROGRAM := snapshots/main.c snapshots/selection.c $(wildcard snapshots/cmd_*.c)
$(BUILD)/libstore.a: $(call objects,$(filter-out $(SNAPSHOT_PROGRAM),$(wildcard snapshots/*.c)))
%.a:
	@echo "  AR  $@"; rm -f $@; ar rcs $@ $^

CORE := $(BUILD)/libterminal.a $(BUILD)/libfold.a $(BUILD)/libevents.a
$(BUILD)/callfold: $(lto_objects) \
                   $(call objects,$(filter-out $(once_more),$(wildcard processor/*.c processor/kafka/*.c))) $(BUILD)/libstore.a $(CORE)
	@echo "  LD  $@"; $(CC) $(LDFLAGS) $(CFLAGS) $(LTO) -o $@ $^ -llmdb -lsmartcols -lrdkafka -lmicrohttpd -lsystemd $(LIBS)

$(BUILD)/callfold-snapshot: $(call objects,$(SNAPSHOT_PROGRAM)) $(BUILD)/libstore.a $(CORE)
	@echo "  LD  $@"; $(CC) $(LDFLAGS) $(CFLAGS) -o $@ $^ -llmdb -lsmartcols $(LIBS)

$(BUILD)/callfold-replay: $(call objects,$(wildcard replay-tool/*.c)) $(BUILD)/log_file.a $(BUILD)/libstore.a $(CORE)
	@echo "  LD  $@"; $(CC) $(LDFLAGS) $(CFLAGS) -o $@ $^ -llmdb -lsmartcols -lrdkafka -lsqlite3 -lzstd $(LIBS)
$(BUILD)/replay-tool/books.o: replay-tool/books.sql

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $<"; $(CC) $(STD) $(WARN) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/lto/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $< $(LTO)"; $(CC) $(STD) $(WARN) $(CFLAGS) $(LTO) $(CPPFLAGS) -MMD -MP -c -o $@ $<

include examples/platform.mk

# --- tests: see tests/README.md ---
UNIT := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
$(UNIT): $(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/log_file.a $(BUILD)/libstore.a $(CORE)
	@$(CC) $(LDFLAGS) $(CFLAGS) -o $@ $^ -llmdb -lrdkafka -lcmocka $(LIBS)
# What a unit test may link of the processor: everything but the commands.
$(BUILD)/log_file.a: $(call objects,$(filter-out processor/main.c processor/cmd_%.c,$(wildcard processor/*.c processor/kafka/*.c)))
$(BUILD)/tests/tables/runner: $(call objects,$(wildcard tests/tables/*.c)) $(CORE)
$(BUILD)/tests/schemas/probe: $(BUILD)/tests/schemas/probe.o $(CORE)
$(BUILD)/tests/tables/runner $(BUILD)/tests/schemas/probe:
	@$(CC) $(LDFLAGS) $(CFLAGS) -o $@ $^ $(LIBS)
BENCHES := $(patsubst bench/%.c,$(BUILD)/bench/%,$(wildcard bench/bench_*.c))
$(BUILD)/bench/bench_fold $(BUILD)/bench/bench_grant: $(call objects,bench/feed.c)
# What these measure is to be what callfold does.
$(BUILD)/bench/bench_fold $(BUILD)/bench/bench_grant $(BUILD)/bench/bench_stages: $(filter-out %/engine.o,$(lto_objects))
$(BUILD)/bench/bench_%: $(call objects,bench/bench_%.c) $(BUILD)/log_file.a $(BUILD)/libstore.a $(CORE)
	@$(CC) $(LDFLAGS) $(CFLAGS) $(LTO) -o $@ $(filter %.o,$^) $(filter %.a,$^) -llmdb -lrdkafka $(LIBS)
# A fuzz target with replay.c's main(): its corpus is replayed without clang.
FUZZ_PARTS := $(call objects,tests/fuzz/replay.c tests/fuzz/compose.c tests/fuzz/judge_pipe.c \
                             tests/fuzz/hear.c tests/tables/memory.c tests/tables/audit.c)
$(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(FUZZ_PARTS) $(BUILD)/log_file.a $(BUILD)/libstore.a $(CORE)
	@$(CC) $(LDFLAGS) $(CFLAGS) -o $@ $^ -llmdb $(LIBS)
REPLAYS := $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/tests/fuzz/replay_%,$(wildcard tests/fuzz/fuzz_*.c))

check-programs: $(BUILD)/callfold $(BUILD)/callfold-snapshot $(BUILD)/callfold-replay $(BUILD)/platform $(BUILD)/load $(UNIT) \
                $(BUILD)/tests/tables/runner $(BUILD)/tests/schemas/probe $(REPLAYS) $(BENCHES)
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
check: deps-check
	@$(MAKE) -s --no-print-directory check-programs
	@$(MAKE) -s --no-print-directory BUILD=$(BUILD)/asan CFLAGS="$(SANITIZE)" check-programs
	@tests/run.sh $(BUILD)

# Longer campaigns: the same code, bigger numbers.
check-long: deps-check check-programs
	@tests/long.sh $(BUILD)
fuzz: deps-check
	@tests/fuzz/run.sh $(BUILD)
bench: deps-check $(BENCHES) $(BUILD)/callfold $(BUILD)/callfold-snapshot $(BUILD)/callfold-replay $(BUILD)/load
	@PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 bench/run.py $(BUILD)

# The project's format and clang-tidy over what is shipped.
tidy:
	@tests/tidy.sh

demo: deps-build
	@$(MAKE) -s --no-print-directory $(BUILD)/callfold $(BUILD)/platform
	@examples/demo.sh $(BUILD)

deps-build deps-check: deps-%:
	@deploy/deps.sh $*

install: $(BUILD)/callfold $(BUILD)/callfold-snapshot $(BUILD)/callfold-replay
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $^
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 docs/callfold.1 docs/callfold-snapshot.1 docs/callfold-replay.1

clean:
	rm -rf $(BUILD)

help:
	@echo "make             build/callfold, build/callfold-snapshot, build/callfold-replay"
	@echo "make demo        a telephony company's day, from events to ledger, explained"
	@echo "make check       all tests (some minutes)      make check-long   campaigns by the hour"
	@echo "make bench       what it costs, as ratios      make fuzz         libFuzzer (needs clang)"
	@echo "make tidy        format and clang-tidy          make install     to DESTDIR/PREFIX"
	@echo "make deps-build, make deps-check    the packages that building and testing need"
	@echo "make clean"

.PHONY: all check-programs check check-long fuzz bench tidy demo deps-build deps-check install clean help
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
