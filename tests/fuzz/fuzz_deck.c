/* fuzz_deck.c - any bytes as a deck's CSV.
 *
 * A deck that reads well is published well: the decoder takes the events made
 * of it, and the fold accepts the deck with every rate. What its index says of
 * a number is what a look at every rate says. One that does not read well says
 * so, in lines that name the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/encode.h"
#include "processor/deck_csv.h"
#include "processor/fold/fold.h"
#include "tests/fuzz/hear.h"

struct meter {
    struct decoder *decoder;
    struct fold *fold;
    struct buffer line;
    int64_t offset, accepted; /* rates, of ratedeck.accepted */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_deck: %s\n", what);
    abort();
}

/* ---- published ---- */

static void publish(struct meter *meter, const struct event *event)
{
    struct event decoded;
    struct decode_error error;
    struct output_list outputs;

    meter->line.len = 0;
    event_encode(&meter->line, event, TEXT_LIT("e"), TEXT_LIT("/fuzz"));
    struct fold_record record = {.offset = meter->offset++, .value = {meter->line.at, meter->line.len}};
    bool taken = event_decode(meter->decoder, record.value, &decoded, &error);
    require(taken, taken ? "" : error.detail);
    fold_step(meter->fold, &record, &decoded, &error, &outputs);
    for (size_t i = 0; i < outputs.count; i++)
        if (outputs.items[i].type == OUTPUT_RATEDECK_ACCEPTED)
            meter->accepted = outputs.items[i].data.deck_accepted.rates;
}

static void publish_deck(struct meter *meter, const struct deck *deck)
{
    struct event event = {.type = EVENT_RATEDECK_OPENED};
    struct text id = TEXT_LIT("deck");

    event.data.deck_opened.deck_id = id;
    event.data.deck_opened.currency = deck->currency;
    event.data.deck_opened.origin_count = deck->origin_count;
    event.data.deck_opened.origins = deck->origins;
    publish(meter, &event);
    event = (struct event){.type = EVENT_RATEDECK_RATES};
    event.data.deck_rates.deck_id = id;
    event.data.deck_rates.count = 1;
    for (size_t i = 0; i < deck->count; i++) {
        event.data.deck_rates.rates = &deck->rates[i];
        publish(meter, &event);
    }
    event = (struct event){.type = EVENT_RATEDECK_PUBLISHED};
    event.data.deck_published.deck_id = id;
    event.data.deck_published.rates = (int64_t)deck->count;
    publish(meter, &event);
}

static void check_published(const struct deck *deck)
{
    struct meter meter = {.decoder = decoder_new(), .fold = fold_new(0, 0, NULL)};

    publish_deck(&meter, deck);
    require(meter.accepted == (int64_t)deck->count, "the fold does not accept what was read");
    fold_free(meter.fold);
    decoder_free(meter.decoder);
    buffer_free(&meter.line);
}

/* ---- looked up ---- */

static const struct deck_rate *longest(const struct deck *deck, size_t origin, struct text number)
{
    const struct deck_rate *found = NULL;

    for (size_t i = 0; i < deck->count; i++) {
        struct text prefix = deck->rates[i].prefix;
        bool fits = deck->rate_origins[i] == origin && prefix.len <= number.len &&
                    memcmp(prefix.at, number.at, prefix.len) == 0;
        if (fits && (!found || prefix.len > found->prefix.len))
            found = &deck->rates[i];
    }
    return found;
}

static void check_matches(const struct deck *deck)
{
    char number[24];

    for (size_t i = 0; i < deck->count && i < 32; i++)
        for (size_t origin = 0; origin < deck->origin_count && origin < 4; origin++) {
            int len = snprintf(number, sizeof number, "%.*s%zu", TEXT_ARGS(deck->rates[i].prefix), i % 10);
            struct text dialled = {number, (size_t)len - i % 2};
            require(deck_match(deck, origin, dialled) == longest(deck, origin, dialled), "not the longest prefix");
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct deck deck;
    char beginning[96];
    const char *path = file_of_bytes(data, size);

    snprintf(beginning, sizeof beginning, "callfold: %s:", path);
    hear_begin();
    int code = deck_read(&deck, path, &(struct deck_options){0});
    size_t lines = hear_end(beginning);
    require(code == EX_OK || code == EX_DATAERR, "another exit code");
    require((code == EX_OK) == (lines == 0), "a fault without a word, or words without a fault");
    if (code != EX_OK)
        return 0;
    check_published(&deck);
    check_matches(&deck);
    deck_free(&deck);
    return 0;
}
