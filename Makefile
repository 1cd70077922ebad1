# callfold: `make demo` and `make check` do all the set-up; see README.md.
CC       ?= cc
CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Wconversion -Wshadow -Werror
BUILD    ?= build
PREFIX   ?= /usr/local
DESTDIR  ?=

STD      := -std=c11 -D_GNU_SOURCE -I. -fno-strict-aliasing -ffp-contract=off
LIBS     := -ljansson -lcrypto -lxxhash
EVENTS   := $(wildcard events/*.c)
FOLD     := $(wildcard processor/fold/*.c)
STORE    := $(wildcard snapshots/*.c)
ENGINE   := $(wildcard processor/*.c)

objects   = $(patsubst %.c,$(BUILD)/%.o,$(1))

all: $(BUILD)/callfold

$(BUILD)/libevents.a: $(call objects,$(EVENTS))
$(BUILD)/libfold.a: $(call objects,$(FOLD))
$(BUILD)/libstore.a: $(call objects,$(STORE))
%.a:
	@echo "  AR  $@"; rm -f $@; ar rcs $@ $^

$(BUILD)/callfold: $(call objects,$(ENGINE)) $(BUILD)/libstore.a $(BUILD)/libfold.a $(BUILD)/libevents.a
	@echo "  LD  $@"; $(CC) $(LDFLAGS) $(CFLAGS) -o $@ $^ -llmdb -lsmartcols $(LIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $<"; $(CC) $(STD) $(WARN) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all
