/* bench_fold.c - what the fold alone costs: decoded events in, outputs thrown away.
 *
 *     bench_fold [ACCOUNTS CALLS]      (default 10000 100000)
 *
 * Opens the accounts, starts the calls, then ticks every call ROUNDS times, in
 * an order that follows nothing in memory. A tick costs what fold_step takes,
 * and the telling ahead as the engine does it; every second round tells nothing
 * ahead. Times are of the CPU. SHA-256 over the same bytes is measured in the same rounds, for every
 * record goes into the input chain. Memory is what the starts added to the
 * process, by its resident pages. Medians over the rounds.
 */
#include <err.h>
#include <openssl/evp.h>
#include <sysexits.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/feed.h"
#include "processor/ahead.h"

#define BATCH   1000
#define TICK_MS 6000
#define STRIDE  7919 /* calls from one to the next: a prime, so that a round meets each once */

static struct feed_event events[BATCH];

static double resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        errx(EX_OSERR, "/proc/self/statm cannot be read: no memory to be told");
    fclose(file);
    return (double)(pages * sysconf(_SC_PAGESIZE));
}

static void make_ticks(struct feed *feed, long accounts, long calls, long first, long count, long round)
{
    for (long i = 0; i < count; i++) {
        long call = (first + i) * STRIDE % calls;
        feed_make(feed, &events[i], "call.ticked", call % accounts, "\"call_id\":\"call-%08ld\",\"duration_ms\":%ld",
                  call, round * TICK_MS);
    }
}

static void expect(struct feed *feed, long i, long count)
{
    if (i < count)
        fold_expect(feed->fold, &events[i].event, &events[i].hint);
}

static void fold_told_ahead(struct feed *feed, long count)
{
    for (long i = 0; i < AHEAD_SLOT; i++)
        expect(feed, i, count);
    for (long i = 0; i < count; i++) {
        expect(feed, i + AHEAD_SLOT, count);
        if (i + AHEAD_CALL < count)
            fold_expect_call(feed->fold, &events[i + AHEAD_CALL].hint);
        if (i + AHEAD_ACCOUNT < count)
            fold_expect_account(feed->fold, &events[i + AHEAD_ACCOUNT].hint);
        feed_fold(feed, &events[i]);
    }
}

static void fold_batch(struct feed *feed, long count)
{
    for (long i = 0; i < count; i++)
        feed_fold(feed, &events[i]);
}

static void hash_batch(EVP_MD_CTX *sha, long count)
{
    for (long i = 0; i < count; i++)
        EVP_DigestUpdate(sha, events[i].record.value.at, events[i].record.value.len);
}

struct times {
    double fold, hash;
};

/* Ticks every call once; ns of CPU a tick. */
static struct times tick_round(struct feed *feed, long accounts, long calls, long round, bool tell)
{
    struct times times = {0, 0};
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    EVP_DigestInit_ex(sha, EVP_sha256(), NULL);
    for (long first = 0; first < calls; first += BATCH) {
        long count = calls - first < BATCH ? calls - first : BATCH;
        make_ticks(feed, accounts, calls, first, count, round);
        double begin = cpu_ns();
        (tell ? fold_told_ahead : fold_batch)(feed, count);
        double middle = cpu_ns();
        hash_batch(sha, count);
        times.fold += middle - begin;
        times.hash += cpu_ns() - middle;
    }
    EVP_MD_CTX_free(sha);
    return (struct times){times.fold / (double)calls, times.hash / (double)calls};
}

int main(int argc, char **argv)
{
    long accounts = argc > 2 ? atol(argv[1]) : 10000, calls = argc > 2 ? atol(argv[2]) : 100000;
    if (accounts < 1 || calls < 1 || calls % STRIDE == 0)
        errx(EX_USAGE, "usage: bench_fold [ACCOUNTS CALLS]    above zero, CALLS no multiple of %d", STRIDE);
    struct feed feed;
    feed_open(&feed);
    feed_deck(&feed, "0.012");
    for (long account = 0; account < accounts; account++)
        feed_account(&feed, account, 1000);
    double before = resident_bytes();
    for (long call = 0; call < calls; call++) {
        feed_make_start(&feed, &events[0], call % accounts, call);
        feed_fold(&feed, &events[0]);
    }
    double bytes = (resident_bytes() - before) / (double)calls;
    double told[ROUNDS], untold[ROUNDS], hash[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct times times = tick_round(&feed, accounts, calls, 2 * i + 1, true);
        told[i] = times.fold;
        hash[i] = times.hash;
        untold[i] = tick_round(&feed, accounts, calls, 2 * i + 2, false).fold;
    }
    say_figure("a tick", median(told), "ns");
    say_figure("a tick, not told ahead", median(untold), "ns");
    say_figure("SHA-256 of it", median(hash), "ns");
    say_figure("memory a live call", bytes, "bytes");
    feed_close(&feed);
    return EX_OK;
}
