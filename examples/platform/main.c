/* main.c - the program `platform`: options, the steps of the day, the summary. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "examples/platform/files.h"
#include "examples/platform/memory.h"
#include "examples/platform/platform.h"
#include "examples/platform/topics.h"
#include "terminal/message.h"

#define TICK_MS             6000 /* the contract's defaults, until policy says otherwise */
#define RECHARGE_TIMEOUT_MS 900000
#define EXTRA_MINUTES       15 /* after the day: lost calls go stale */

struct options {
    int64_t seed, accounts, patience_s, meter_pid;
    const char *start, *hours, *deck, *next_deck, *events, *out, *kafka, *summary;
    /* made of them */
    int64_t start_ms, length_ms;
    char commands[4096], progress[4096];
};

static bool parse_options(struct options *options, int argc, char **argv, int *exit_code)
{
    *options = (struct options){.seed = 1,
                                .accounts = 300,
                                .patience_s = 30,
                                .start = "2026-11-23T00:00:00Z",
                                .hours = "24.5",
                                .deck = "examples/decks/2026-standard.csv",
                                .next_deck = "examples/decks/2027-increase.csv"};
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "events", .kind = OPTION_TEXT, .target = &options->events, .value = "FILE",
         .help = "where the events go; must be new or empty"},
        {.name = "out", .kind = OPTION_TEXT, .target = &options->out, .value = "DIR",
         .help = "the meter's --out: commands.jsonl and progress.jsonl are read there"},
        {.name = "kafka", .kind = OPTION_TEXT, .target = &options->kafka, .value = "FILE",
         .help = "instead of both: speaks to the meter by Kafka's topics; librdkafka\nproperties as for callfold run"},
        {.name = "deck", .kind = OPTION_TEXT, .target = &options->deck, .value = "CSV",
         .help = "the rate deck that the day begins with (examples/decks/2026-standard.csv)"},
        {.name = "next-deck", .kind = OPTION_TEXT, .target = &options->next_deck, .value = "CSV",
         .help = "the one that follows it in the afternoon (examples/decks/2027-increase.csv)"},
        {.name = "seed", .kind = OPTION_NUMBER, .target = &options->seed, .value = "N", .least = 0,
         .most = INT64_MAX, .help = "another seed, another day (1)"},
        {.name = "accounts", .kind = OPTION_NUMBER, .target = &options->accounts, .value = "N", .least = 0,
         .most = 200000, .help = "ordinary customers, besides those that are there on every day (300)"},
        {.name = "start", .kind = OPTION_TEXT, .target = &options->start, .value = "T",
         .help = "when the day begins, RFC 3339 (2026-11-23T00:00:00Z)"},
        {.name = "hours", .kind = OPTION_TEXT, .target = &options->hours, .value = "H",
         .help = "how long it lasts; decimals are fine (24.5)"},
        {.name = "meter-pid", .kind = OPTION_NUMBER, .target = &options->meter_pid, .value = "PID", .least = 1,
         .most = INT32_MAX, .help = "the meter's process, so that its death is noticed at once"},
        {.name = "patience", .kind = OPTION_NUMBER, .target = &options->patience_s, .value = "SECONDS", .least = 1,
         .most = 86400, .help = "how long to wait for a meter that does not move (30)"},
        {.name = "summary", .kind = OPTION_TEXT, .target = &options->summary, .value = "FILE",
         .help = "writes the summary there too, as JSON"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "platform",
        .usage = "--events FILE --out DIR | --kafka FILE  [--seed N] [--accounts N] ...",
        .about = "Plays a telephony company's platform for a day: writes its events and obeys the meter's\n"
                 "commands, in lock step, so that the same seed gives the same day. A meter must be running\n"
                 "with --follow on the same files, or on the same topics.",
        .examples = "touch day.jsonl; callfold run --events day.jsonl --out out --state state --follow &\n"
                    "platform --events day.jsonl --out out --meter-pid $!; kill %1",
        .specs = specs,
        .count = sizeof specs / sizeof *specs};
    return options_parse(&table, &argc, argv, exit_code);
}

/* Texts to instants and paths; EX_OK or the exit code after a message. */
static int complete_options(struct options *options)
{
    int64_t hours_micros;
    if (options->kafka ? options->events || options->out : !options->events || !options->out)
        return message_fail(EX_USAGE, "name the meter's files, --events FILE and --out DIR, or else --kafka FILE");
    if (!instant_parse(text_of(options->start), &options->start_ms))
        return message_fail(EX_USAGE, "--start '%s' is no instant such as 2026-11-23T00:00:00Z", options->start);
    if (!money_parse(text_of(options->hours), &hours_micros) || hours_micros <= 0 ||
        hours_micros > 1000 * (int64_t)MICROS_PER_UNIT)
        return message_fail(EX_USAGE, "--hours '%s' is not a number of hours up to 1000", options->hours);
    options->length_ms = hours_micros * (MS_PER_HOUR / 1000) / (MICROS_PER_UNIT / 1000);
    if (options->kafka)
        return EX_OK;
    snprintf(options->commands, sizeof options->commands, "%s/commands.jsonl", options->out);
    snprintf(options->progress, sizeof options->progress, "%s/progress.jsonl", options->out);
    return EX_OK;
}

static void build_world(struct platform *platform, const struct options *options)
{
    platform->seed = (uint64_t)options->seed;
    platform->start_ms = platform->now_ms = options->start_ms;
    platform->end_ms = options->start_ms + options->length_ms;
    platform->tick_ms = TICK_MS;
    platform->recharge_timeout_ms = RECHARGE_TIMEOUT_MS;
    scenes_cast(platform);
    mischief_cast(platform);
    accounts_add_ordinary(platform, (size_t)options->accounts);
    tariff_open(platform);
    accounts_open(platform);
    scenes_open(platform);
    mischief_open(platform);
}

/* Hands the step to the meter and does what it commands. False: the meter is gone. */
static bool settle(struct platform *platform)
{
    struct order order;
    journal_flush(&platform->journal);
    if (!meter_await(&platform->meter, platform->journal.lines))
        return false;
    while (meter_order(&platform->meter, &order))
        obey(platform, &order);
    check_step(platform);
    platform->tallies[TALLY_STEPS] = ++platform->step;
    return true;
}

/* All that happens in the STEP_MS from the next thing that happens. */
static bool play_step(struct platform *platform)
{
    int64_t next_ms = platform->end_ms;
    agenda_next(&platform->agenda, &next_ms);
    int64_t step_end_ms = next_ms + STEP_MS < platform->end_ms ? next_ms + STEP_MS : platform->end_ms;
    while (agenda_next(&platform->agenda, &next_ms) && next_ms < step_end_ms) {
        struct agenda_item item = agenda_take(&platform->agenda);
        platform->now_ms = item.at_ms;
        item.act(platform, item.subject, item.ticket);
    }
    platform->now_ms = step_end_ms;
    return settle(platform);
}

/* Everybody hangs up, and time goes on until calls that were lost are stale. */
static bool play_close(struct platform *platform)
{
    calls_hang_up(platform);
    for (int i = 0; i < EXTRA_MINUTES; i++) {
        platform->now_ms += MS_PER_MINUTE;
        struct event event = event_now(platform, EVENT_CLOCK_ADVANCED, NULL);
        journal_event(&platform->journal, &event, sites[0].source);
    }
    return settle(platform);
}

static bool play_day(struct platform *platform)
{
    struct progress progress;
    bool alive = true;
    progress_begin(&progress, "playing a day", "events");
    while (alive && platform->now_ms < platform->end_ms) {
        alive = play_step(platform);
        progress_show(&progress, platform->now_ms - platform->start_ms, platform->end_ms - platform->start_ms,
                      platform->journal.lines);
    }
    alive = alive && play_close(platform);
    progress_end(&progress);
    return alive;
}

#define X(symbol, words) words,
static const char *const tally_words[TALLY_COUNT] = {TALLIES(X)};
#undef X

static void print_summary(const struct platform *platform)
{
    char count[COUNT_TEXT_MAX];
    printf("%14s  %s\n", count_format(platform->journal.lines, count), "events written");
    for (int i = 0; i < TALLY_COUNT; i++)
        printf("%14s  %s\n", count_format(platform->tallies[i], count), tally_words[i]);
    printf("%14s  %s\n", count_format(platform->violations, count), "commands that should not have been");
}

static int write_summary(const struct platform *platform, const char *path)
{
    json_t *summary =
        json_pack("{s:I, s:I, s:I, s:I, s:I}", "seed", (json_int_t)platform->seed, "accounts",
                  (json_int_t)platform->account_count, "lines", (json_int_t)platform->journal.lines, "bytes",
                  (json_int_t)platform->journal.bytes, "violations", (json_int_t)platform->violations);
    for (int i = 0; i < TALLY_COUNT; i++)
        json_object_set_new(summary, tally_words[i], json_integer(platform->tallies[i]));
    int failed = json_dump_file(summary, path, JSON_INDENT(2));
    json_decref(summary);
    return failed ? message_fail(EX_CANTCREAT, "%s: cannot be written: %s", path, strerror(errno)) : EX_OK;
}

static void platform_free(struct platform *platform)
{
    for (size_t i = 0; i < platform->drawer_count; i++)
        free(platform->drawer[i]);
    free(platform->drawer);
    free(platform->calls);
    free(platform->sms);
    free(platform->by_id);
    free(platform->accounts);
    agenda_free(&platform->agenda);
    book_free(&platform->book);
    deck_free(&platform->next_deck);
}

/* The journal and the meter. False after a message: there is no meter. */
static bool open_ways(struct platform *platform, const struct options *options)
{
    int patience_ms = (int)options->patience_s * 1000;
    if (options->kafka) {
        topics_open(&platform->meter, &platform->journal, options->kafka, patience_ms);
        return true;
    }
    journal_open(&platform->journal, options->events);
    return files_open(&platform->meter, options->commands, options->progress, (pid_t)options->meter_pid, patience_ms);
}

/* A day with a running meter; the exit code. */
static int play(struct platform *platform, const struct options *options)
{
    bool alive = open_ways(platform, options);
    if (alive) {
        build_world(platform, options);
        alive = play_day(platform);
    }
    journal_close(&platform->journal);
    meter_close(&platform->meter);
    if (!alive)
        return EX_UNAVAILABLE;
    print_summary(platform);
    int code = options->summary ? write_summary(platform, options->summary) : EX_OK;
    return code == EX_OK && platform->violations > 0 ? EXIT_FAILURE : code;
}

int main(int argc, char **argv)
{
    struct options options;
    struct platform platform = {0};
    int code;
    message_program("platform");
    if (!parse_options(&options, argc, argv, &code))
        return code;
    if ((code = complete_options(&options)) != EX_OK || (code = book_read(&platform.book, options.deck)) != EX_OK ||
        (code = deck_read(&platform.next_deck, options.next_deck, &(struct deck_options){0})) != EX_OK)
        return code;
    code = play(&platform, &options);
    platform_free(&platform);
    return code;
}
