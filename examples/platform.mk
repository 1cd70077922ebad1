# The day of traffic (examples/README.md): build/platform plays it against the
# meter, build/load writes the load of the speed tests. Both take the options,
# messages and deck reader that callfold itself uses.
LOAD     := examples/platform/load.c examples/platform/journal.c examples/platform/random.c
PLATFORM := $(filter-out examples/platform/load.c,$(wildcard examples/platform/*.c)) \
            processor/deck.c processor/deck_csv.c processor/csv.c processor/input_file.c \
            processor/kafka/client.c processor/pulse.c processor/kafka/namesake.c processor/kafka/settings.c

$(BUILD)/load: $(call objects,$(LOAD)) $(BUILD)/libterminal.a $(BUILD)/libevents.a
$(BUILD)/platform: $(call objects,$(PLATFORM)) $(BUILD)/libstore.a $(BUILD)/libterminal.a $(BUILD)/libevents.a
$(BUILD)/platform: LIBS += -lrdkafka
$(BUILD)/load $(BUILD)/platform:
	@echo "  LD  $@"; $(CC) $(LDFLAGS) $(CFLAGS) -o $@ $^ $(LIBS) -lm
