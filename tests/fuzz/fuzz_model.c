/* fuzz_model.c - the fold against the naive model, on histories made of bytes.
 *
 * An input becomes a history (compose.h). The fold takes it with its state
 * stored, evicted and opened again on the way; then the model, which has never
 * seen the fold's code, must have said the same to every record, order and
 * numbers included, and the ledger must add up. Where they differ the report
 * shows both, and the process aborts.
 */
#include <stdio.h>
#include <stdlib.h>

#include "events/encode.h"
#include "tests/fuzz/compose.h"
#include "tests/fuzz/judge_pipe.h"
#include "tests/tables/memory.h"

struct meter {
    struct decoder *decoder;
    struct fold *fold;
    struct memory memory;
    struct buffer line;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_model: %s\n", what);
    abort();
}

static void step(struct meter *meter, const struct fold_record *record, struct output_list *outputs)
{
    struct event event;
    struct decode_error error;
    const char *broken;
    bool decoded = event_decode(meter->decoder, record->value, &event, &error);

    fold_step(meter->fold, record, decoded ? &event : NULL, &error, outputs);
    require(!fold_is_broken(meter->fold, &broken), "a broken invariant");
    judge_record(record);
    for (size_t i = 0; i < outputs->count; i++) {
        meter->line.len = 0;
        output_encode(&meter->line, outputs, i);
        judge_output(output_topic_of(outputs->items[i].type), (struct text){meter->line.at, meter->line.len});
    }
}

static void disturb(struct meter *meter, enum disturbance disturbance)
{
    if (disturbance == DISTURB_NOT)
        return;
    memory_checkpoint(&meter->memory, meter->fold);
    if (disturbance == DISTURB_EVICT)
        fold_evict(meter->fold, 0);
    if (disturbance == DISTURB_OPEN_AGAIN) {
        fold_free(meter->fold);
        meter->fold = memory_open(&meter->memory, 0, 0);
        require(meter->fold != NULL, "the fold refuses its own stored records");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meter meter = {.decoder = decoder_new()};
    struct composer composer;
    struct fold_record record;
    struct output_list outputs;

    meter.fold = memory_open(&meter.memory, 0, 0);
    compose_begin(&composer, data, size);
    while (compose_next(&composer, &record)) {
        step(&meter, &record, &outputs);
        compose_hear(&composer, &outputs);
        disturb(&meter, composer.disturbance);
    }
    require(judge_agrees(), "the model says otherwise");
    compose_end(&composer);
    fold_free(meter.fold);
    memory_clear(&meter.memory);
    buffer_free(&meter.line);
    decoder_free(meter.decoder);
    return 0;
}
