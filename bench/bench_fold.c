/* bench_fold.c - what the fold alone costs: decoded events in, outputs thrown away.
 *
 *     bench_fold [ACCOUNTS CALLS]      (default 10000 100000)
 *
 * Opens the accounts, starts the calls, then ticks every call in turn, ROUNDS
 * times. Beside the fold's own time it measures SHA-256 over the same bytes in
 * the same run, for every record's bytes are hashed into the input chain: the
 * ratio is what can be compared between machines. Medians over the rounds.
 */
#include <inttypes.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "events/decode.h"
#include "processor/fold/fold.h"

#define BATCH     1000
#define TICK_MS   6000
#define LINE_ROOM 320

struct bench {
    struct decoder *decoder;
    struct fold *fold;
    int64_t offset;
    char (*lines)[LINE_ROOM];
    struct fold_record *records;
    struct event *events;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_fold: %s\n", what);
    exit(EXIT_FAILURE);
}

static void step(struct bench *bench, const struct fold_record *record, const struct event *event)
{
    struct output_list outputs;
    const char *broken;
    fold_step(bench->fold, record, event, NULL, &outputs);
    if (fold_is_broken(bench->fold, &broken))
        die(broken);
    for (size_t i = 0; i < outputs.count; i++)
        if (outputs.items[i].type == OUTPUT_EVENT_REJECTED)
            die(outputs.items[i].data.rejected.detail.at);
}

/* One event, from a type, an account (-1: a broadcast) and the text of its data. */
static void feed(struct bench *bench, const char *type, long account, const char *data)
{
    char line[1024], subject[64] = "";
    struct event event;
    struct decode_error error;
    if (account >= 0)
        snprintf(subject, sizeof subject, "\"subject\":\"account-%ld\",", account);
    int len =
        snprintf(line, sizeof line,
                 "{\"specversion\":\"1.0\",\"id\":\"%" PRId64 "\",\"source\":\"/pbx/par1\",\"type\":\"callfold.%s\","
                 "\"time\":\"2026-11-23T08:00:00Z\",%s\"data\":%s}",
                 bench->offset, type, subject, data);
    struct fold_record record = {.offset = bench->offset++, .value = {line, (size_t)len}};
    if (!event_decode(bench->decoder, record.value, &event, &error))
        die(error.detail);
    step(bench, &record, &event);
}

static void set_up(struct bench *bench, long accounts)
{
    feed(bench, "ratedeck.opened", -1,
         "{\"deck_id\":\"d\",\"currency\":\"USD\",\"effective_at\":\"2026-11-01T00:00:00Z\","
         "\"origins\":[{\"origin\":\"US\",\"country\":\"US\",\"currency\":\"USD\"}]}");
    feed(bench, "ratedeck.rates", -1,
         "{\"deck_id\":\"d\",\"rates\":[{\"origin\":\"US\",\"prefix\":\"+33\","
         "\"destination\":\"France landline\",\"status\":\"open\",\"price\":\"0.012\"}]}");
    feed(bench, "ratedeck.published", -1, "{\"deck_id\":\"d\",\"rates\":1}");
    for (long a = 0; a < accounts; a++) {
        feed(bench, "account.opened", a, "{\"currency\":\"USD\",\"owner\":\"ann\"}");
        feed(bench, "number.added", a, "{\"number\":\"+12125550100\",\"origin\":\"US\"}");
        feed(bench, "member.assigned", a, "{\"number\":\"+12125550100\",\"member_id\":\"ann\"}");
        feed(bench, "number.international_enabled", a, "{\"number\":\"+12125550100\",\"actor\":\"ann\"}");
        feed(bench, "credit.topped_up", a, "{\"topup_id\":\"t\",\"amount\":\"1000\",\"currency\":\"USD\"}");
    }
}

static void start_calls(struct bench *bench, long accounts, long calls)
{
    char data[256];
    for (long i = 0; i < calls; i++) {
        snprintf(data, sizeof data,
                 "{\"call_id\":\"call-%08ld\",\"direction\":\"outbound\",\"from\":\"+12125550100\","
                 "\"to\":\"+33140000000\",\"member_id\":\"ann\"}",
                 i);
        feed(bench, "call.started", i % accounts, data);
    }
}

static void make_ticks(struct bench *bench, long accounts, long first, long count, int round)
{
    struct decode_error error;
    for (long i = 0; i < count; i++) {
        int len = snprintf(bench->lines[i], LINE_ROOM,
                           "{\"specversion\":\"1.0\",\"id\":\"%012" PRId64 "\",\"source\":\"/pbx/par1\","
                           "\"type\":\"callfold.call.ticked\",\"time\":\"2026-11-23T08:00:%02d.000Z\","
                           "\"subject\":\"account-%ld\",\"data\":{\"call_id\":\"call-%08ld\",\"duration_ms\":%d}}",
                           bench->offset, round, (first + i) % accounts, first + i, round * TICK_MS);
        bench->records[i] = (struct fold_record){.offset = bench->offset++, .value = {bench->lines[i], (size_t)len}};
        if (!event_decode(bench->decoder, bench->records[i].value, &bench->events[i], &error))
            die(error.detail);
    }
}

struct times {
    double fold, hash;
};

/* Ticks every call once. */
static struct times tick_round(struct bench *bench, long accounts, long calls, int round)
{
    struct times times = {0, 0};
    unsigned char sum[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    EVP_DigestInit_ex(sha, EVP_sha256(), NULL);
    for (long first = 0; first < calls; first += BATCH) {
        long count = calls - first < BATCH ? calls - first : BATCH;
        make_ticks(bench, accounts, first, count, round);
        double begin = now_ns();
        for (long i = 0; i < count; i++)
            step(bench, &bench->records[i], &bench->events[i]);
        double middle = now_ns();
        for (long i = 0; i < count; i++)
            EVP_DigestUpdate(sha, bench->records[i].value.at, bench->records[i].value.len);
        times.fold += middle - begin;
        times.hash += now_ns() - middle;
    }
    EVP_DigestFinal_ex(sha, sum, NULL);
    EVP_MD_CTX_free(sha);
    return (struct times){times.fold / (double)calls, times.hash / (double)calls};
}

int main(int argc, char **argv)
{
    long accounts = argc > 2 ? atol(argv[1]) : 10000, calls = argc > 2 ? atol(argv[2]) : 100000;
    struct bench bench = {.decoder = decoder_new(),
                          .fold = fold_new(0, 0, NULL),
                          .lines = calloc(BATCH, LINE_ROOM),
                          .records = calloc(BATCH, sizeof(struct fold_record)),
                          .events = calloc(BATCH, sizeof(struct event))};
    if (accounts < 1 || calls < 1 || !bench.lines || !bench.records || !bench.events)
        die("usage: bench_fold [ACCOUNTS CALLS]");
    set_up(&bench, accounts);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    start_calls(&bench, accounts, calls);
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    double fold[ROUNDS], hash[ROUNDS], ratio[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        struct times times = tick_round(&bench, accounts, calls, round + 1);
        fold[round] = times.fold;
        hash[round] = times.hash;
        ratio[round] = times.fold / times.hash;
    }
    say_figure("a tick", median(fold), "ns");
    say_figure("SHA-256 of it", median(hash), "ns");
    say_figure("ratio", median(ratio), "");
    say_figure("memory a live call", (double)(after - before) / (double)calls, "bytes");
    fold_free(bench.fold);
    decoder_free(bench.decoder);
    free(bench.lines);
    free(bench.records);
    free(bench.events);
    return 0;
}
