/* cmd_run.c - `callfold run`: the meter on files of JSON lines. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "processor/commands.h"
#include "processor/engine.h"
#include "processor/log_file.h"
#include "processor/message.h"
#include "processor/options.h"
#include "snapshots/fail_point.h"
#include "snapshots/files.h"

#define BATCH_RECORDS 10000
#define BATCH_MS      50
#define CHECKPOINT_MS 5000
#define KEEP_RECORDS  4000000
#define RECORDS_MOST  1000000000
#define MS_MOST       3600000

struct run_options {
    const char *events, *out, *state;
    bool follow, quiet;
    int64_t partitions, batch, batch_ms, checkpoint_ms, checkpoint_every, keep_records;
};

static volatile sig_atomic_t stop_wanted;

static void want_stop(int number)
{
    (void)number;
    stop_wanted = 1;
}

/* A write beyond a limit on file sizes shall be an error like a full disk, and
 * a signal shall interrupt a wait: hence no SA_RESTART. */
static void set_signals(void)
{
    struct sigaction stop = {.sa_handler = want_stop};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    signal(SIGXFSZ, SIG_IGN);
}

static bool parse(struct run_options *options, int argc, char **argv, int *exit_code)
{
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "events", .kind = OPTION_TEXT, .target = &options->events, .value = "FILE|-", .required = true,
         .help = "the events, one a line, bare or in archive form; - reads stdin,\n"
                 "which must be the whole history from its first line, also to resume"},
        {.name = "out", .kind = OPTION_TEXT, .target = &options->out, .value = "DIR", .required = true,
         .help = "where commands.jsonl, ledger.jsonl, calls.jsonl, balances.jsonl,\n"
                 "rejects.jsonl, attestations.jsonl and progress.jsonl go"},
        {.name = "state", .kind = OPTION_TEXT, .target = &options->state, .value = "DIR", .required = true,
         .help = "the meter's memory; belongs to the outputs, made when missing"},
        {.name = "follow", .kind = OPTION_FLAG, .target = &options->follow,
         .help = "at the end of the file wait for more; SIGTERM or Ctrl-C ends it"},
        {.name = "partitions", .kind = OPTION_NUMBER, .target = &options->partitions, .value = "N", .least = 1,
         .most = PARTITIONS_MAX,
         .help = "how many partitions the topic has: an account in another than its\n"
                 "own is then rejected (not checked unless given)"},
        {.name = "batch", .kind = OPTION_NUMBER, .target = &options->batch, .value = "N", .least = 1,
         .most = RECORDS_MOST, .help = "publish after so many events at the latest (10000)"},
        {.name = "batch-ms", .kind = OPTION_NUMBER, .target = &options->batch_ms, .value = "MS", .least = 1,
         .most = MS_MOST, .help = "or after so many milliseconds (50)"},
        {.name = "checkpoint-ms", .kind = OPTION_NUMBER, .target = &options->checkpoint_ms, .value = "MS", .least = 0,
         .most = MS_MOST, .help = "store the state at most that often, in milliseconds (5000)"},
        {.name = "checkpoint-every", .kind = OPTION_NUMBER, .target = &options->checkpoint_every, .value = "N",
         .least = 1, .most = RECORDS_MOST, .help = "and after so many events in any case (not unless given)"},
        {.name = "keep-records", .kind = OPTION_NUMBER, .target = &options->keep_records, .value = "N", .least = 0,
         .most = RECORDS_MOST,
         .help = "records of idle accounts that may stay in memory, each partition\n(4000000)"},
        {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .target = &options->quiet,
         .help = "say nothing but errors"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold run",
        .usage = "--events FILE|- --out DIR --state DIR [--follow]",
        .about = "Folds events into commands, ledger and call records. Stop it or kill it at any\n"
                 "moment and run it again with the same three places: it goes on where it was, and\n"
                 "the outputs end as if it had never stopped.",
        .examples = "  # a day from a file\n"
                    "  callfold run --events day.jsonl --out out --state state\n\n"
                    "  # as part of a pipe\n"
                    "  zcat day.jsonl.gz | callfold run --events - --out out --state state\n\n"
                    "  # beside a platform that appends to the file, and reads the commands\n"
                    "  callfold run --events live.jsonl --out out --state state --follow &\n"
                    "  tail -F out/commands.jsonl",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    return options_parse(&table, &argc, argv, exit_code);
}

/* "commands 12, ledger 3, ..." of the counts that are not zero. */
static void append_counts(char *out, size_t size, const char *const *names, const int64_t *counts, size_t count)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        char number[COUNT_TEXT_MAX];
        if (counts[i] > 0 && len < size)
            len += (size_t)snprintf(out + len, size - len, "%s%s %s", len > 0 ? ", " : "", names[i],
                                    count_format(counts[i], number));
    }
}

static void say_rejects(const struct run_options *options, const struct engine_counts *counts)
{
    const char *names[REJECT_REASON_COUNT];
    char list[1024];
    for (size_t i = 0; i < REJECT_REASON_COUNT; i++)
        names[i] = reject_reason_name((enum reject_reason)i);
    append_counts(list, sizeof list, names, counts->rejects, REJECT_REASON_COUNT);
    if (list[0] != '\0')
        message_note("rejected   %s; see %s/rejects.jsonl", list, options->out);
}

static void say_summary(const struct run_options *options, const struct engine_counts *counts)
{
    const char *names[TOPIC_COUNT];
    char list[512], records[COUNT_TEXT_MAX], rate[COUNT_TEXT_MAX], other[COUNT_TEXT_MAX];
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        names[i] = output_topic_name((enum output_topic)i);
    append_counts(list, sizeof list, names, counts->outputs, TOPIC_COUNT);
    int64_t folded = counts->records + counts->refolded;
    message_note("%s %s events in %.1f s, %s a second", counts->is_stopped ? "stopped:  " : "folded    ",
                 count_format(counts->records, records), counts->seconds,
                 count_format((int64_t)((double)folded / (counts->seconds > 1e-6 ? counts->seconds : 1e-6)), rate));
    if (counts->refolded > 0)
        message_note("resumed    %s events were folded again, their outputs were there already",
                     count_format(counts->refolded, other));
    message_note("published  %s", list[0] != '\0' ? list : "nothing");
    if (counts->duplicates > 0)
        message_note("duplicates %s, absorbed", count_format(counts->duplicates, other));
    say_rejects(options, counts);
}

static int run_engine(const struct run_options *options, struct log *log, struct store_error *error)
{
    const struct engine_config config = {
        .state = options->state,
        .partition_count = (uint32_t)options->partitions,
        .batch_records = options->batch,
        .batch_ms = options->batch_ms,
        .commit_when_idle = options->follow,
        .checkpoint_ms = options->checkpoint_ms,
        .checkpoint_records = options->checkpoint_every,
        .keep_records = (size_t)options->keep_records,
        .stop = &stop_wanted,
    };
    struct engine_counts counts;
    int exit_code = engine_run(&config, log, &counts, error);
    if (exit_code == EX_OK)
        say_summary(options, &counts);
    return exit_code;
}

static int run_on_files(const struct run_options *options, struct store_error *error)
{
    uint32_t *stored;
    struct log_file_config config = {
        .events = options->events, .out = options->out, .state = options->state, .follow = options->follow};
    config.stored_count = store_partitions(options->state, &stored);
    config.stored = stored;
    struct log *log = log_file_open(&config, error);
    int exit_code = error->code;
    if (log != NULL) {
        exit_code = run_engine(options, log, error);
        log->does->close(log);
    }
    free(stored);
    return exit_code;
}

int cmd_run(int argc, char **argv)
{
    struct run_options options = {
        .batch = BATCH_RECORDS, .batch_ms = BATCH_MS, .checkpoint_ms = CHECKPOINT_MS, .keep_records = KEEP_RECORDS};
    struct store_error error = {0};
    int exit_code;
    if (!parse(&options, argc, argv, &exit_code))
        return exit_code;
    message_quiet(options.quiet);
    fail_points_arm();
    set_signals();
    int lock = state_lock(options.state, &error);
    exit_code = lock >= 0 ? run_on_files(&options, &error) : error.code;
    if (lock >= 0)
        close(lock);
    if (exit_code != EX_OK)
        message_error("%s", error.message);
    return exit_code;
}
