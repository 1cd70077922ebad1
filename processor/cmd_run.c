/* cmd_run.c - `callfold run`: the meter, on files of JSON lines or on Apache Kafka. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "processor/commands.h"
#include "processor/engine.h"
#include "processor/http.h"
#include "processor/kafka/log_kafka.h"
#include "processor/log_file.h"
#include "processor/pulse.h"
#include "processor/service.h"
#include "snapshots/fail_point.h"
#include "snapshots/files.h"
#include "terminal/message.h"
#include "terminal/options.h"

#define BATCH_RECORDS 10000
#define BATCH_MS      50
#define BATCH_KAFKA   100000 /* a transaction takes its time whatever is in it, */
#define KAFKA_MS      100    /* and ends sooner when there are no more events for now */
#define CHECKPOINT_MS 5000
#define KEEP_RECORDS  4000000
#define RETRY_S       1
#define RECORDS_MOST  1000000000
#define MS_MOST       3600000

struct run_options {
    const char *events, *out, *state, *kafka, *http;
    struct option_list properties;
    struct snapshot_options snapshots;
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
    pulse_stops_by(&stop_wanted);
}

/* Either from a file to files, or on Kafka. */
static bool check_places(const struct run_options *options, int *exit_code)
{
    bool on_files = options->events != NULL || options->out != NULL || options->follow || options->partitions > 0;
    *exit_code = EX_USAGE;
    if (options->kafka != NULL && on_files)
        message_error("--kafka does not go with --events, --out, --follow or --partitions: the topics say all that");
    else if (options->kafka == NULL && options->properties.count > 0)
        message_error("-X is a property of Kafka: it needs --kafka FILE");
    else if (options->kafka == NULL && (options->events == NULL || options->out == NULL))
        message_error("--events and --out are required, or --kafka; see callfold run --help");
    else
        return true;
    return false;
}

static bool parse(struct run_options *options, int argc, char **argv, int *exit_code)
{
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "events", .kind = OPTION_TEXT, .target = &options->events, .value = "FILE|-",
         .help = "the events, one a line, bare or in archive form; -\n"
                 "reads stdin, which must be the whole history from\n"
                 "its first line, also to resume"},
        {.name = "out", .kind = OPTION_TEXT, .target = &options->out, .value = "DIR",
         .help = "where commands.jsonl, ledger.jsonl, calls.jsonl,\n"
                 "balances.jsonl, rejects.jsonl, attestations.jsonl\n"
                 "and progress.jsonl go"},
        {.name = "state", .kind = OPTION_TEXT, .target = &options->state, .value = "DIR", .required = true,
         .help = "the meter's memory; belongs to the outputs, made when\n"
                 "missing"},
        KAFKA_OPTION_SPECS(false, options->kafka, options->properties),
        {.name = "follow", .kind = OPTION_FLAG, .target = &options->follow,
         .help = "at the end of the file wait for more; SIGTERM or\n"
                 "Ctrl-C ends it"},
        {.name = "partitions", .kind = OPTION_NUMBER, .target = &options->partitions, .value = "N", .least = 1,
         .most = PARTITIONS_MAX,
         .help = "how many partitions the topic has: an account in\n"
                 "another than its own is then rejected (not checked\n"
                 "unless given)"},
        {.name = "batch", .kind = OPTION_NUMBER, .target = &options->batch, .value = "N", .least = 1,
         .most = RECORDS_MOST, .help = "publish after so many events at the latest (10000; on\n"
                 "Kafka 100000)"},
        {.name = "batch-ms", .kind = OPTION_NUMBER, .target = &options->batch_ms, .value = "MS", .least = 1,
         .most = MS_MOST, .help = "or after so many milliseconds (50; on Kafka 100)"},
        {.name = "checkpoint-ms", .kind = OPTION_NUMBER, .target = &options->checkpoint_ms, .value = "MS", .least = 0,
         .most = MS_MOST, .help = "store the state at most that often (5000)"},
        {.name = "checkpoint-every", .kind = OPTION_NUMBER, .target = &options->checkpoint_every, .value = "N",
         .least = 1, .most = RECORDS_MOST, .help = "and after so many events in any case (not unless\n"
                 "given)"},
        {.name = "keep-records", .kind = OPTION_NUMBER, .target = &options->keep_records, .value = "N", .least = 0,
         .most = RECORDS_MOST,
         .help = "records of idle accounts that may stay in memory, each\n"
                 "partition (4000000)"},
        SNAPSHOT_OPTION_SPECS(options->snapshots),
        {.name = "http", .kind = OPTION_TEXT, .target = &options->http, .value = "[HOST:]PORT",
         .help = "answer /metrics (Prometheus), /healthz and /readyz\n"
                 "there; without HOST on the loopback (127.0.0.1)"},
        {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .target = &options->quiet,
         .help = "say nothing but errors"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold run",
        .usage = "--events FILE|- --out DIR --state DIR [--follow]\n--kafka FILE --state DIR [-X NAME=VALUE]...",
        .about = "Folds events into commands, ledger and call records: from a file to files, or on\n"
                 "Apache Kafka from callfold.events to the other topics. Stop it or kill it at any\n"
                 "moment and run it again with the same places: it goes on where it was, and the\n"
                 "outputs end as if it had never stopped. On Kafka it runs until it is stopped,\n"
                 "and more processes, each with its own callfold.instance and state directory,\n"
                 "share the partitions.",
        .examples = "  # a day from a file\n"
                    "  callfold run --events day.jsonl --out out --state state\n\n"
                    "  # as part of a pipe\n"
                    "  zcat day.jsonl.gz | callfold run --events - --out out --state state\n\n"
                    "  # beside a platform that appends to the file, and reads the commands\n"
                    "  callfold run --events live.jsonl --out out --state state --follow &\n"
                    "  tail -F out/commands.jsonl\n\n"
                    "  # on Kafka\n"
                    "  callfold topics create --kafka kafka.properties --partitions 4\n"
                    "  callfold run --kafka kafka.properties --state state -X callfold.instance=a",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    return options_parse(&table, &argc, argv, exit_code) && check_places(options, exit_code);
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

static void say_rejects(const struct run_options *options, const struct figures *counts)
{
    const char *names[REJECT_REASON_COUNT];
    char list[1024];
    for (size_t i = 0; i < REJECT_REASON_COUNT; i++)
        names[i] = reject_reason_name((enum reject_reason)i);
    append_counts(list, sizeof list, names, counts->rejects, REJECT_REASON_COUNT);
    if (list[0] != '\0' && options->out != NULL)
        message_note("rejected   %s; see %s/rejects.jsonl", list, options->out);
    else if (list[0] != '\0')
        message_note("rejected   %s; see callfold.rejects", list);
}

static void say_summary(const struct run_options *options, const struct figures *counts)
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

/* What goes with the options while the program runs. */
struct run_means {
    struct snapshot_schedule *snapshots;
    struct signature_key *key;
    struct figures *figures;
    struct board *board;
    struct http *http; /* NULL: not wanted */
};

static int run_engine(const struct run_options *options, const struct run_means *means, struct log *log,
                      uint32_t partition_count, struct store_error *error)
{
    const struct engine_config config = {
        .places = {.state = options->state,
                   .snapshots = options->snapshots.dir,
                   .key = means->key,
                   .partition_count = partition_count},
        .snapshots = means->snapshots,
        .board = means->board,
        .batch_records = options->batch > 0       ? options->batch
                         : options->kafka != NULL ? BATCH_KAFKA
                                                  : BATCH_RECORDS,
        .batch_ms = options->batch_ms > 0    ? options->batch_ms
                    : options->kafka != NULL ? KAFKA_MS
                                             : BATCH_MS,
        .commit_when_idle = options->follow || options->kafka != NULL,
        .checkpoint_ms = options->checkpoint_ms,
        .checkpoint_records = options->checkpoint_every,
        .keep_records = (size_t)options->keep_records,
        .stop = &stop_wanted,
    };
    int exit_code = engine_run(&config, log, means->figures, error);
    if (exit_code == EX_TEMPFAIL) {
        message_note("%s", error->message);
        return EX_OK;
    }
    if (exit_code == EX_OK)
        say_summary(options, means->figures);
    return exit_code;
}

static int run_on_files(const struct run_options *options, const struct run_means *means, struct store_error *error)
{
    uint32_t *stored;
    struct log_file_config config = {
        .events = options->events, .out = options->out, .state = options->state, .follow = options->follow};
    config.stored_count = store_partitions(options->state, &stored);
    config.stored = stored;
    struct log *log = log_file_open(&config, error);
    int exit_code = error->code;
    if (log != NULL) {
        exit_code = run_engine(options, means, log, (uint32_t)options->partitions, error);
        log->does->close(log);
    }
    free(stored);
    return exit_code;
}

static int run_on_settings(const struct run_options *options, const struct run_means *means,
                           const struct kafka_settings *settings, bool *was_open, struct store_error *error)
{
    const struct log_kafka_config config = {.settings = settings, .state = options->state, .stop = &stop_wanted};
    struct log *log = log_kafka_open(&config, error);
    if (log == NULL && error->code == EX_UNAVAILABLE && stop_wanted) {
        message_note("stopped before it had begun: %s", error->message);
        return EX_OK;
    }
    if (log == NULL)
        return error->code;
    *was_open = true;
    int exit_code = run_engine(options, means, log, log_kafka_partition_count(log), error);
    log->does->close(log);
    return exit_code;
}

/* Brokers come back: once it has run, the meter tries until it is stopped. */
static int run_until_stopped(const struct run_options *options, const struct run_means *means,
                             const struct kafka_settings *settings, struct store_error *error)
{
    bool was_open = false;
    int exit_code;
    while ((exit_code = run_on_settings(options, means, settings, &was_open, error)) == EX_UNAVAILABLE && was_open &&
           !stop_wanted) {
        message_note("%s; starting over", error->message);
        pulse_beat();
        nanosleep(&(struct timespec){.tv_sec = RETRY_S}, NULL);
    }
    return exit_code;
}

static int run_on_kafka(const struct run_options *options, const struct run_means *means, struct store_error *error)
{
    struct kafka_settings settings;
    bool read = kafka_settings_read(&settings, options->kafka, &options->properties, error);
    if (read && settings.instance == NULL)
        read = fail_with(error, EX_CONFIG,
                         "%s: callfold.instance is missing: a name for this process among those of its group, which a "
                         "restart keeps; write callfold.instance=a into the file, or give -X callfold.instance=a",
                         options->kafka);
    int exit_code = read ? run_until_stopped(options, means, &settings, error) : error->code;
    kafka_settings_free(&settings);
    return exit_code;
}

/* Before anything that may take long, for it is watched meanwhile. */
static bool show_figures(const struct run_options *options, struct run_means *means, struct store_error *error)
{
    means->figures = calloc(1, sizeof *means->figures);
    if (means->figures == NULL)
        abort();
    means->board = board_new();
    service_begin();
    if (options->http != NULL)
        means->http = http_open(options->http, means->board, error);
    return options->http == NULL || means->http != NULL;
}

static bool plan_snapshots(const struct run_options *options, struct run_means *means, struct store_error *error)
{
    const struct snapshot_options *snapshots = &options->snapshots;
    means->snapshots = snapshot_schedule_new(snapshots, options->state, error);
    if (means->snapshots == NULL || snapshots->verify_path == NULL)
        return means->snapshots != NULL;
    means->key = signature_public_key(snapshots->verify_path, error);
    return means->key != NULL;
}

static int run(const struct run_options *options, const struct run_means *means, struct store_error *error)
{
    int lock = state_lock(options->state, error);
    if (lock < 0)
        return error->code;
    int exit_code = options->kafka != NULL ? run_on_kafka(options, means, error) : run_on_files(options, means, error);
    close(lock);
    return exit_code;
}

static void release(struct run_means *means)
{
    http_close(means->http);
    if (means->board != NULL)
        board_free(means->board);
    free(means->figures);
    snapshot_schedule_free(means->snapshots);
    signature_key_free(means->key);
}

int cmd_run(int argc, char **argv)
{
    struct run_options options = {.checkpoint_ms = CHECKPOINT_MS, .keep_records = KEEP_RECORDS};
    struct run_means means = {0};
    struct store_error error = {0};
    int exit_code;
    if (parse(&options, argc, argv, &exit_code)) {
        message_quiet(options.quiet);
        fail_points_arm();
        set_signals();
        bool is_ready = plan_snapshots(&options, &means, &error) && show_figures(&options, &means, &error);
        exit_code = is_ready ? run(&options, &means, &error) : error.code;
        if (exit_code != EX_OK)
            message_error("%s", error.message);
    }
    release(&means);
    free(options.properties.values);
    return exit_code;
}
