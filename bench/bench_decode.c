/* bench_decode.c - what one event costs to read.
 *
 * A tick-heavy log of 190 to 230 bytes an event is made in memory (seeded, so
 * every run reads the same bytes) and read several times by each reader in
 * turn: the scanner alone, event_decode, the decoder on jansson alone, and
 * jansson's parser without any decoding. Given are the median round of each in
 * ns per event, and its ratio to jansson's parser: the figures of one run can
 * be compared, those of two machines cannot.
 *
 *     bench_decode [EVENTS]      (default 200000)
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "events/decode.h"
#include "events/instant.h"

#define LINE_MAX_BYTES 320

struct log {
    char *bytes;
    struct text *lines;
    size_t count;
    struct decoder *decoder;
};

/* xorshift64: reproducible and good enough for call ids and durations. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* One line: of 100 events 2 start a call, 2 end one, 96 are ticks. */
static size_t write_line(char *out, size_t i, uint64_t *seed)
{
    uint64_t kind = next_random(seed) % 100, account = next_random(seed) % 100000, call = next_random(seed) % 10000000;
    char time[INSTANT_TEXT_MAX], data[160];
    const char *type = kind < 2 ? "started" : kind < 4 ? "ended" : "ticked";

    instant_format(INT64_C(1795420800000) + (int64_t)i, time);
    if (kind < 2)
        snprintf(data, sizeof(data),
                 "\"direction\":\"outbound\",\"from\":\"+3361%07" PRIu64 "\",\"to\":\"+44%05" PRIu64
                 "\",\"member_id\":\"m\"",
                 call, account);
    else
        snprintf(data, sizeof(data), "\"duration_ms\":%" PRIu64, next_random(seed) % 600 * 6000);
    return (size_t)snprintf(out, LINE_MAX_BYTES,
                            "{\"specversion\":\"1.0\",\"id\":\"%016zu\",\"source\":\"/pbx/par1\","
                            "\"type\":\"callfold.call.%s\",\"time\":\"%s\",\"subject\":\"acct-%05" PRIu64
                            "\",\"data\":{\"call_id\":\"c-%07" PRIu64 "\",%s}}",
                            i, type, time, account, call, data);
}

static struct log log_make(size_t count)
{
    struct log log = {malloc(count * LINE_MAX_BYTES), malloc(count * sizeof(struct text)), count, decoder_new()};
    uint64_t seed = 20261123;
    char *at = log.bytes;

    if (!log.bytes || !log.lines || !log.decoder) {
        fputs("bench_decode: out of memory; ask for fewer events\n", stderr);
        exit(71);
    }
    for (size_t i = 0; i < count; i++) {
        log.lines[i] = (struct text){at, write_line(at, i, &seed)};
        at += log.lines[i].len;
    }
    printf("%zu events, %.0f bytes each\n", count, (double)(at - log.bytes) / (double)count);
    return log;
}

static bool scan(struct log *log, struct text line)
{
    struct event event;

    (void)log;
    return event_scan(line, &event);
}

static bool decode(struct log *log, struct text line)
{
    struct event event;
    struct decode_error error;

    return event_decode(log->decoder, line, &event, &error);
}

static bool reference(struct log *log, struct text line)
{
    struct event event;
    struct decode_error error;

    return event_decode_reference(log->decoder, line, &event, &error);
}

static bool parse(struct log *log, struct text line)
{
    json_t *root = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES, NULL);

    (void)log;
    json_decref(root);
    return root != NULL;
}

static const struct reader {
    const char *name;
    bool (*read)(struct log *, struct text);
} readers[] = {
    {"event_scan", scan},
    {"event_decode", decode},
    {"event_decode_reference", reference},
    {"json_loadb", parse},
};
#define READERS (sizeof(readers) / sizeof(readers[0]))

/* ns per event of one round over the whole log. */
static double round_ns(struct log *log, const struct reader *reader)
{
    double begin = now_ns();

    for (size_t i = 0; i < log->count; i++)
        if (!reader->read(log, log->lines[i])) {
            fprintf(stderr, "bench_decode: %s refused event %zu: %.*s\n", reader->name, i, TEXT_ARGS(log->lines[i]));
            exit(70);
        }
    return (now_ns() - begin) / (double)log->count;
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
    double rounds[READERS][ROUNDS], medians[READERS];

    if (count < 1) {
        fputs("usage: bench_decode [EVENTS]    EVENTS: a number above zero\n", stderr);
        return 64;
    }
    struct log log = log_make(count);
    for (int r = 0; r < ROUNDS; r++) /* in turn, so that a busy moment of the machine hits all alike */
        for (size_t i = 0; i < READERS; i++)
            rounds[i][r] = round_ns(&log, &readers[i]);
    for (size_t i = 0; i < READERS; i++)
        medians[i] = median(rounds[i]);
    for (size_t i = 0; i < READERS; i++)
        printf("%-24s %8.0f ns/event   %5.2f of json_loadb\n", readers[i].name, medians[i],
               medians[i] / medians[READERS - 1]);
    decoder_free(log.decoder);
    free(log.lines);
    free(log.bytes);
}
