/* load.c - the program `load`: the tick-heavy load of the speed tests.
 *
 * Straight to a file, deaf to the meter: first a deck, accounts with a number
 * and credits each, then --calls calls that are all live at once. Each starts,
 * ticks --ticks times and ends; in every round all calls take their turn, in an
 * order that is another one each round, so that no call is in a cache when it
 * comes round again. One account in a hundred has credits for a part of its
 * calls' talk only, so that about 1 % of the calls are cut off.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "events/encode.h"
#include "events/instant.h"
#include "events/money.h"
#include "examples/platform/journal.h"
#include "examples/platform/random.h"
#include "terminal/message.h"
#include "terminal/options.h"

#define START_MS     1795420800000 /* 2026-11-23T08:00:00Z */
#define TICK_MS      6000
#define WRITE_SIZE   (1 << 20)
#define POOR_NTH     100   /* every so many-th account runs out of credits */
#define PRICE_MICROS 30000 /* a minute */
#define MEMBER       "member-1"
#define SOURCE       "/pbx/par1"
#define USD          ((uint32_t)'U' << 16 | (uint32_t)'S' << 8 | 'D')
#define NAME_SIZE    40

struct load {
    int64_t seed, accounts, calls, ticks;
    const char *path;
    int fd;
    int64_t lines, setup_lines;
    struct random random;
    struct buffer buffer;
};

static void say(struct load *load, const struct event *event)
{
    char id[NAME_SIZE];
    snprintf(id, sizeof id, "load-%09" PRId64, load->lines++);
    event_encode(&load->buffer, event, text_of(id), TEXT_LIT(SOURCE));
    buffer_append(&load->buffer, "\n", 1);
    if (load->buffer.len >= WRITE_SIZE)
        write_out(load->fd, load->path, &load->buffer);
}

static struct text account_name(int64_t account, char out[NAME_SIZE])
{
    int len = snprintf(out, NAME_SIZE, "acct-%08" PRId64, account);
    return (struct text){out, (size_t)len};
}

static struct text call_name(int64_t call, char out[NAME_SIZE])
{
    int len = snprintf(out, NAME_SIZE, "call-%010" PRId64, call);
    return (struct text){out, (size_t)len};
}

/* Numbers belong to their account, so that two accounts may well have the same. */
static struct text number_name(int64_t account, char out[NAME_SIZE])
{
    int len = snprintf(out, NAME_SIZE, "+1646%07" PRId64, account % 10000000);
    return (struct text){out, (size_t)len};
}

static void say_deck(struct load *load)
{
    static const struct deck_origin origin = {TEXT_LIT("US"), TEXT_LIT("US"), USD};
    static struct deck_rate rates[1000];
    static char prefixes[1000][NAME_SIZE];
    size_t count = 0;
    for (int code = 200; code < 1000; code++) {
        snprintf(prefixes[count], NAME_SIZE, "+%d", code);
        rates[count] = (struct deck_rate){.origin = origin.origin,
                                          .prefix = text_of(prefixes[count]),
                                          .destination = TEXT_LIT("Somewhere mobile"),
                                          .kind = TEXT_LIT("mobile"),
                                          .status = RATE_OPEN,
                                          .price_micros = PRICE_MICROS,
                                          .first_s = 1,
                                          .step_s = 1};
        count++;
    }
    struct event event = {.type = EVENT_RATEDECK_OPENED, .time_ms = START_MS};
    event.data.deck_opened.deck_id = TEXT_LIT("deck-load");
    event.data.deck_opened.currency = USD;
    event.data.deck_opened.effective_at_ms = START_MS;
    event.data.deck_opened.origin_count = 1;
    event.data.deck_opened.origins = &origin;
    say(load, &event);
    event = (struct event){.type = EVENT_RATEDECK_RATES, .time_ms = START_MS};
    event.data.deck_rates.deck_id = TEXT_LIT("deck-load");
    event.data.deck_rates.count = count;
    event.data.deck_rates.rates = rates;
    say(load, &event);
    event = (struct event){.type = EVENT_RATEDECK_PUBLISHED, .time_ms = START_MS};
    event.data.deck_published.deck_id = TEXT_LIT("deck-load");
    event.data.deck_published.rates = (int64_t)count;
    say(load, &event);
}

/* What all calls of an account cost, twice over; of a poor one two thirds. */
static int64_t credits_of(const struct load *load, int64_t account)
{
    int64_t calls = (load->calls + load->accounts - 1) / load->accounts;
    int64_t talk_ms = (load->ticks + 1) * TICK_MS;
    int64_t cost = calls * (PRICE_MICROS * talk_ms / MS_PER_MINUTE + 1);
    return account % POOR_NTH == POOR_NTH / 2 ? cost / 3 * 2 : 2 * cost + MICROS_PER_UNIT;
}

static void say_account(struct load *load, int64_t account)
{
    char name[NAME_SIZE], number[NAME_SIZE];
    struct text subject = account_name(account, name), digits = number_name(account, number);
    struct event event = {.type = EVENT_ACCOUNT_OPENED, .time_ms = START_MS, .subject = subject};
    event.data.account_opened.currency = USD;
    event.data.account_opened.owner = TEXT_LIT(MEMBER);
    say(load, &event);
    event.type = EVENT_NUMBER_ADDED;
    event.data.number.number = digits;
    event.data.number.origin = TEXT_LIT("US");
    say(load, &event);
    event.type = EVENT_INTERNATIONAL_ENABLED;
    event.data.toggle.number = digits;
    event.data.toggle.actor = TEXT_LIT(MEMBER);
    say(load, &event);
    event.type = EVENT_MEMBER_ASSIGNED;
    event.data.assignment.number = digits;
    event.data.assignment.member_id = TEXT_LIT(MEMBER);
    say(load, &event);
    event = (struct event){.type = EVENT_CREDIT_TOPPED_UP, .time_ms = START_MS, .subject = subject};
    event.data.topup.topup_id = TEXT_LIT("topup-1");
    event.data.topup.amount.micros = credits_of(load, account);
    event.data.topup.amount.currency = USD;
    event.data.topup.paid = event.data.topup.amount;
    say(load, &event);
}

static void say_start(struct load *load, struct event event, int64_t call, int64_t account)
{
    char from[NAME_SIZE], to[NAME_SIZE];
    int len = snprintf(to, sizeof to, "+%" PRId64 "%08" PRId64, 200 + call % 800, call % 100000000);
    event.type = EVENT_CALL_STARTED;
    event.data.call_started.direction = DIRECTION_OUTBOUND;
    event.data.call_started.from = number_name(account, from);
    event.data.call_started.to = (struct text){to, (size_t)len};
    event.data.call_started.member_id = TEXT_LIT(MEMBER);
    say(load, &event);
}

/* Round 0: starts; 1 .. ticks: ticks; ticks + 1: ends. */
static void say_turn(struct load *load, int64_t round, int64_t turn, int64_t call)
{
    char name[NAME_SIZE], id[NAME_SIZE];
    int64_t account = call % load->accounts;
    struct event event = {.time_ms = START_MS + round * TICK_MS + turn * TICK_MS / load->calls,
                          .subject = account_name(account, name)};
    struct text call_id = call_name(call, id);
    if (round == 0) {
        event.data.call_started.call_id = call_id;
        say_start(load, event, call, account);
    } else if (round <= load->ticks) {
        event.type = EVENT_CALL_TICKED;
        event.data.call_ticked.call_id = call_id;
        event.data.call_ticked.duration_ms = round * TICK_MS;
        say(load, &event);
    } else {
        event.type = EVENT_CALL_ENDED;
        event.data.call_ended.call_id = call_id;
        event.data.call_ended.duration_ms = round * TICK_MS - 1;
        say(load, &event);
    }
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Every call once, in the order first, first + stride ... modulo their number. */
static void say_round(struct load *load, int64_t round)
{
    int64_t stride = random_between(&load->random, 1, load->calls);
    int64_t call = random_between(&load->random, 0, load->calls - 1);
    while (common_divisor(stride, load->calls) != 1)
        stride++;
    for (int64_t turn = 0; turn < load->calls; turn++) {
        say_turn(load, round, turn, call);
        call = (call + stride) % load->calls;
    }
}

static bool parse_options(struct load *load, int argc, char **argv, int *exit_code)
{
    *load = (struct load){.seed = 1, .accounts = 10000, .calls = 100000, .ticks = 10};
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "out", .kind = OPTION_TEXT, .target = &load->path, .value = "FILE|-", .required = true,
         .help = "where the events go; - is stdout"},
        {.name = "accounts", .kind = OPTION_NUMBER, .target = &load->accounts, .value = "N", .least = 1,
         .most = 99999999, .help = "accounts, opened first (10000)"},
        {.name = "calls", .kind = OPTION_NUMBER, .target = &load->calls, .value = "N", .least = 1,
         .most = 9999999999, .help = "calls, all of them live at once (100000)"},
        {.name = "ticks", .kind = OPTION_NUMBER, .target = &load->ticks, .value = "N", .least = 0, .most = 1000,
         .help = "ticks a call (10)"},
        {.name = "seed", .kind = OPTION_NUMBER, .target = &load->seed, .value = "N", .least = 0, .most = INT64_MAX,
         .help = "another seed, another order of the calls (1)"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "load",
        .usage = "--out FILE|- [--accounts N] [--calls N] [--ticks N]",
        .about = "Writes a tick-heavy load of events, for speed tests of the meter. Says on stderr\n"
                 "how many lines set it up and how many are calls.",
        .examples = "load --out load.jsonl; time callfold run --events load.jsonl --out out --state state",
        .specs = specs,
        .count = sizeof specs / sizeof *specs};
    return options_parse(&table, &argc, argv, exit_code);
}

int main(int argc, char **argv)
{
    struct load load;
    int code;
    message_program("load");
    if (!parse_options(&load, argc, argv, &code))
        return code;
    bool to_stdout = strcmp(load.path, "-") == 0;
    load.fd = to_stdout ? STDOUT_FILENO : open(load.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (load.fd < 0)
        return message_fail(EX_CANTCREAT, "%s: cannot be opened for writing: %s", load.path, strerror(errno));
    random_seed(&load.random, (uint64_t)load.seed, 0);
    say_deck(&load);
    for (int64_t account = 0; account < load.accounts; account++)
        say_account(&load, account);
    load.setup_lines = load.lines;
    for (int64_t round = 0; round <= load.ticks + 1; round++)
        say_round(&load, round);
    write_out(load.fd, load.path, &load.buffer);
    if (close(load.fd) != 0)
        err(EX_IOERR, "%s: cannot be written", load.path);
    buffer_free(&load.buffer);
    message_note("%" PRId64 " lines to set up, %" PRId64 " of calls", load.setup_lines, load.lines - load.setup_lines);
    return EX_OK;
}
