/* cmd_rates_publish.c - callfold rates publish: a deck as events, printed or
 * written to Kafka.
 *
 * ratedeck.opened, then the rates in pieces that stay well below the largest
 * record, then ratedeck.published with their count: all of it is checked before
 * the first byte is printed.
 *
 * For one partition the events are printed as they are, to be appended to a
 * file of bare events or produced line by line. A broadcast must reach every
 * partition, so for more each event is printed once a partition in the archive
 * form, which says where it belongs: a file of it can be metered as it is.
 * On Kafka all of it goes to every partition in one transaction.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "events/currency.h"
#include "events/decode.h"
#include "events/instant.h"
#include "events/phone.h"
#include "processor/kafka/feed.h"
#include "processor/rates.h"
#include "terminal/message.h"

#define RATES_PER_EVENT 1000
#define EVENT_BYTES     (RECORD_MAX / 2)
#define RATE_BYTES      256 /* of an encoded rate without its names */

struct publication {
    struct deck_options deck_options;
    const char *deck_id, *effective_at, *time, *source;
    const char *kafka;
    struct option_list properties;
    int64_t partitions, first_offset;
    /* while it is printed */
    struct event event; /* its type, time and data change */
    int64_t effective_at_ms, time_ms;
    int64_t printed; /* events, each partition's copies counted once */
    struct buffer value, line;
    struct feed *feed; /* NULL: it is printed */
    struct store_error error;
    bool is_failed; /* to be written, as error says */
};

/* As it is, or once a partition in the archive form. */
static void print_value(struct publication *publication, struct text value)
{
    for (int64_t partition = 0; partition < publication->partitions; partition++) {
        char place[128];
        snprintf(place, sizeof place,
                 "{\"partition\":%" PRId64 ",\"offset\":%" PRId64 ",\"timestamp\":%" PRId64 ",\"key\":null,\"value\":",
                 partition, publication->first_offset + publication->printed, publication->time_ms);
        publication->line.len = 0;
        if (publication->partitions > 1) {
            buffer_text(&publication->line, place);
            buffer_json_string(&publication->line, value);
            buffer_text(&publication->line, "}");
        } else {
            buffer_append(&publication->line, value.at, value.len);
        }
        buffer_append(&publication->line, "\n", 1);
        fwrite(publication->line.at, 1, publication->line.len, stdout);
    }
}

/* ids are told apart by what stands last: DECK/opened, DECK/rates/1 ... */
static void print_event(struct publication *publication, const char *id_end, int64_t number)
{
    char id[ID_MAX + 48];
    int len = snprintf(id, sizeof id, "%s/%s", publication->deck_id, id_end);
    if (number > 0)
        snprintf(id + len, sizeof id - (size_t)len, "/%" PRId64, number);
    publication->value.len = 0;
    publication->event.time_ms = publication->time_ms;
    event_encode(&publication->value, &publication->event, text_of(id), text_of(publication->source));
    struct text value = {publication->value.at, publication->value.len};
    if (publication->feed == NULL)
        print_value(publication, value);
    else if (!publication->is_failed)
        publication->is_failed = !feed_broadcast(publication->feed, value, &publication->error);
    publication->printed++;
}

static void print_opened(struct publication *publication, const struct deck *deck)
{
    publication->event.type = EVENT_RATEDECK_OPENED;
    publication->event.data.deck_opened.deck_id = text_of(publication->deck_id);
    publication->event.data.deck_opened.currency = deck->currency;
    publication->event.data.deck_opened.effective_at_ms = publication->effective_at_ms;
    publication->event.data.deck_opened.origin_count = deck->origin_count;
    publication->event.data.deck_opened.origins = deck->origins;
    print_event(publication, "opened", 0);
}

/* How many of the rates from `first` on go into one event; every byte of a
 * name may take six in JSON. */
static size_t piece_size(const struct deck *deck, size_t first)
{
    size_t bytes = 0, count = 0;
    while (first + count < deck->count && count < RATES_PER_EVENT && bytes < EVENT_BYTES) {
        const struct deck_rate *rate = &deck->rates[first + count++];
        bytes += RATE_BYTES + 6 * (rate->destination.len + rate->kind.len);
    }
    return count;
}

static void print_rates(struct publication *publication, const struct deck *deck)
{
    int64_t number = 1;
    for (size_t first = 0, count; first < deck->count; first += count, number++) {
        count = piece_size(deck, first);
        publication->event.type = EVENT_RATEDECK_RATES;
        publication->event.data.deck_rates.deck_id = text_of(publication->deck_id);
        publication->event.data.deck_rates.count = count;
        publication->event.data.deck_rates.rates = deck->rates + first;
        print_event(publication, "rates", number);
    }
}

static void print_published(struct publication *publication, const struct deck *deck)
{
    publication->event.type = EVENT_RATEDECK_PUBLISHED;
    publication->event.data.deck_published.deck_id = text_of(publication->deck_id);
    publication->event.data.deck_published.rates = (int64_t)deck->count;
    print_event(publication, "published", 0);
}

static bool read_instant(const char *option, const char *value, int64_t *ms)
{
    if (instant_parse(text_of(value), ms))
        return true;
    message_error("--%s: '%s' is not an instant such as 2026-11-01T00:00:00Z or 2026-11-01T00:00:00+01:00", option,
                  value);
    return false;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

static bool check_options(struct publication *publication)
{
    if (!id_is_valid(text_of(publication->deck_id))) {
        message_error("--deck-id: '%s' is not an id: write 1 to 64 of A-Z a-z 0-9 . _ : -", publication->deck_id);
        return false;
    }
    if (publication->source[0] == '\0') {
        message_error("--source: an event needs one, such as /finance/rates");
        return false;
    }
    publication->time_ms = now_ms();
    return read_instant("effective-at", publication->effective_at, &publication->effective_at_ms) &&
           (publication->time == NULL || read_instant("time", publication->time, &publication->time_ms));
}

static void note_unused_origins(const struct deck *deck)
{
    for (size_t i = 0; i < deck->origin_count; i++) {
        struct text origin = deck->origins[i].origin;
        size_t rates = 0;
        for (size_t j = 0; j < deck->count && rates == 0; j++)
            rates += text_equal(deck->rates[j].origin, origin);
        if (rates == 0)
            message_note("note: origin %.*s has no rate: its numbers will be able to call nowhere", TEXT_ARGS(origin));
    }
}

static void note_published(const struct publication *publication, const struct deck *deck)
{
    char rates[COUNT_TEXT_MAX], events[COUNT_TEXT_MAX], currency[CURRENCY_TEXT_MAX], effective[INSTANT_TEXT_MAX];
    currency_format(deck->currency, currency);
    instant_format(publication->effective_at_ms, effective);
    if (deck->repeated > 0)
        message_note("note: lines that repeat an earlier one, left out: %s",
                     count_format((int64_t)deck->repeated, rates));
    note_unused_origins(deck);
    message_note("deck %s: %s rates in %s of %zu origins, in force from %s; %s events%s", publication->deck_id,
                 count_format((int64_t)deck->count, rates), currency, deck->origin_count, effective,
                 count_format(publication->printed, events), publication->partitions > 1 ? " a partition" : "");
}

static void print_deck(struct publication *publication, const struct deck *deck)
{
    print_opened(publication, deck);
    print_rates(publication, deck);
    print_published(publication, deck);
}

static int write_to_stdout(struct publication *publication, const struct deck *deck)
{
    print_deck(publication, deck);
    if (fflush(stdout) != 0 || ferror(stdout))
        return message_fail(EX_IOERR, "standard output could not be written");
    return EX_OK;
}

static bool write_to_feed(struct publication *publication, const struct deck *deck, struct feed *feed)
{
    if (!feed_begin(feed, &publication->error))
        return false;
    publication->feed = feed;
    publication->partitions = feed->partition_count;
    print_deck(publication, deck);
    return !publication->is_failed && feed_commit(feed, &publication->error);
}

static int write_to_kafka(struct publication *publication, const struct deck *deck)
{
    struct kafka_settings settings;
    struct feed feed = {0};
    bool done = kafka_settings_read(&settings, publication->kafka, &publication->properties, &publication->error) &&
                feed_open(&feed, CLIENT_LOADER, &settings, &publication->error) &&
                write_to_feed(publication, deck, &feed);
    feed_close(&feed);
    kafka_settings_free(&settings);
    return done ? EX_OK : message_fail(publication->error.code, "%s", publication->error.message);
}

static int publish(struct publication *publication, const char *path)
{
    struct deck deck;
    int code = deck_read(&deck, path, &publication->deck_options);
    if (code != EX_OK)
        return code;
    code = publication->kafka != NULL ? write_to_kafka(publication, &deck) : write_to_stdout(publication, &deck);
    if (code == EX_OK)
        note_published(publication, &deck);
    buffer_free(&publication->value);
    buffer_free(&publication->line);
    deck_free(&deck);
    return code;
}

int rates_publish(int argc, char **argv)
{
    struct publication publication = {.source = "/callfold/rates", .partitions = 1};
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "deck-id", .kind = OPTION_TEXT, .target = &publication.deck_id, .value = "ID", .required = true,
         .help = "the deck's id, new for every deck that is published"},
        {.name = "effective-at", .kind = OPTION_TEXT, .target = &publication.effective_at, .value = "TIME",
         .required = true, .help = "from when it is in force (RFC 3339), such as\n2026-11-01T00:00:00Z"},
        KAFKA_OPTION_SPECS(false, publication.kafka, publication.properties),
        {.name = "partitions", .kind = OPTION_NUMBER, .target = &publication.partitions, .value = "N", .least = 1,
         .most = 100000, .help = "1 (the default) prints bare events; for more, each\n"
                                 "event is printed once a partition, in the archive form\n"
                                 "{\"partition\",\"offset\",\"timestamp\",\"key\",\"value\"}"},
        {.name = "offset", .kind = OPTION_NUMBER, .target = &publication.first_offset, .value = "OFFSET", .least = 0,
         .most = INT64_MAX / 2, .help = "with --partitions: the first offset in each partition\n"
                                        "(0); for a file that has records already, one past\n"
                                        "the largest in it"},
        DECK_OPTION_SPECS("currency", publication.deck_options),
        {.name = "time", .kind = OPTION_TEXT, .target = &publication.time, .value = "TIME",
         .help = "the events' own time (now)"},
        {.name = "source", .kind = OPTION_TEXT, .target = &publication.source, .value = "SOURCE",
         .help = "the events' source (/callfold/rates)"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold rates publish",
        .usage = "DECK.csv --deck-id ID --effective-at TIME\n[--kafka FILE] [OPTIONS]",
        .about = "Checks the deck (- reads stdin) and prints the events that put it in force:\n"
                 "ratedeck.opened, ratedeck.rates in pieces, ratedeck.published; with --kafka they\n"
                 "are written to every partition instead, all or none. Every fault is\n"
                 "named with file, line and column, and then nothing is printed. A line that\n"
                 "repeats an earlier one is left out; one that contradicts it is a fault.",
        .examples = "  callfold rates publish deck.csv --deck-id 2026-11 \\\n"
                    "      --effective-at 2026-11-01T00:00:00Z > deck.jsonl\n"
                    "  callfold rates publish deck.csv --deck-id 2026-12 \\\n"
                    "      --effective-at 2026-12-01T00:00:00+01:00 --partitions 4 > events.jsonl\n"
                    "  callfold rates publish deck.csv --deck-id 2027-01 \\\n"
                    "      --effective-at 2027-01-01T00:00:00Z --kafka kafka.properties",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
        .operands_least = 1,
        .operands_most = 1,
    };
    int exit_code;
    if (options_parse(&table, &argc, argv, &exit_code))
        exit_code = check_options(&publication) ? publish(&publication, argv[1]) : EX_USAGE;
    free(publication.deck_options.origins.values);
    free(publication.properties.values);
    return exit_code;
}
