/* cmd_verify.c - callfold-replay verify: is this what follows from these events? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "replay-tool/commands.h"
#include "replay-tool/comparison.h"
#include "replay-tool/expectation.h"
#include "replay-tool/history.h"
#include "terminal/message.h"
#include "terminal/table.h"

#define SHOWN_BEFORE 200 /* bytes of a long record around its first difference */
#define SHOWN_MAX    1200

struct verify {
    struct history_options from;
    struct history_until until; /* the end; of --since only which partition */
    const char *outputs, *since;
    bool all;
    enum table_format format;
    struct option_list entries, inputs; /* --expect, --expect-input */
    struct expectation_list expectations;
    /* NULL: nothing is compared but what was expected */
    struct published *published;
    struct comparison *comparison;
    struct history *history;
    struct store_error error; /* code EX_OK: none */
};

static bool step(void *context, const struct history_step *folded)
{
    struct verify *verify = context;
    expectations_step(&verify->expectations, folded->outputs);
    if (expectations_broken(&verify->expectations) != NULL)
        return false;
    return verify->comparison == NULL || comparison_step(verify->comparison, folded->outputs, &verify->error);
}

/* What was found. */

/* A record, or the part of a long one where it begins to differ. */
static void show_side(const char *side, const struct buffer *record, int64_t at)
{
    if (record->len == 0) {
        printf("  %-10s (nothing)\n", side);
        return;
    }
    size_t from = record->len > SHOWN_MAX && at > SHOWN_BEFORE ? (size_t)at - SHOWN_BEFORE : 0;
    size_t len = record->len - from < SHOWN_MAX ? record->len - from : SHOWN_MAX;
    printf("  %-10s %s%.*s%s\n", side, from > 0 ? "..." : "", (int)len, record->at + from,
           from + len < record->len ? "..." : "");
}

static const char *const kinds[] = {
    [DIFFERENCE_CHANGED] = "differs from what the events give",
    [DIFFERENCE_MISSING] = "is missing: the events give it, nothing has it published",
    [DIFFERENCE_ADDED] = "was published, but the events do not give it there",
    [DIFFERENCE_EVENTS_END] = "was published, but the events end before the one that caused it",
    [DIFFERENCE_FOLD_VERSION] = "was made by another version of the rules",
};

/* "out/ledger.jsonl, line 17" or "callfold.ledger, partition 0, offset 16". */
static void show_place(const struct verify *verify, const struct difference *found)
{
    const char *name = published_name(verify->published, found->topic);
    if (found->offset < 0)
        printf("%s, partition %" PRIu32, name, found->partition);
    else if (verify->outputs != NULL)
        printf("%s, partition %" PRIu32 ", line %" PRId64, name, found->partition, found->offset + 1);
    else
        printf("%s, partition %" PRIu32 ", offset %" PRId64, name, found->partition, found->offset);
}

static int show_difference(const struct verify *verify)
{
    const struct difference *found = comparison_found(verify->comparison);
    if (found->topic == TOPIC_COUNT) {
        printf("partition %" PRIu32 ": the events end before offset %" PRId64
               ", but the meter says that it has folded more of them\n",
               found->partition, found->event_offset);
        return EXIT_DIFFERS;
    }
    show_place(verify, found);
    printf(": %" PRIu32 ":%" PRId64 ":%" PRIu32 " %s\n", found->partition, found->event_offset, found->n,
           kinds[found->kind]);
    show_side("events", &found->folded, found->at);
    show_side("published", &found->published, found->at);
    if (found->kind != DIFFERENCE_FOLD_VERSION)
        return EXIT_DIFFERS;
    return message_fail(EX_CONFIG, "this program folds by version %d: verify with the callfold-replay of that version",
                        FOLD_VERSION);
}

static int show_expectation(const struct expectation *expected)
{
    printf("partition %" PRIu32 ", %s %" PRId64 ": another hash than the one that was kept\n", expected->partition,
           expected->kind == EXPECT_ENTRY ? "ledger entry" : "input record", expected->number);
    printf("  events     %.*s\n  kept       %.*s\n", HASH_HEX, expected->folded, HASH_HEX, expected->hash);
    return EXIT_DIFFERS;
}

static int show_unseen(const struct verify *verify, const struct expectation *expected)
{
    const struct store_header *start = history_start(verify->history, expected->partition);
    if (expected->number <= (expected->kind == EXPECT_ENTRY ? start->entries : start->inputs))
        return message_fail(EX_CONFIG, "%s lies before the state that the fold began with: verify from the first event",
                            expected->text);
    if (expected->kind == EXPECT_ENTRY)
        printf("partition %" PRIu32 ": there is no ledger entry %" PRId64 "\n", expected->partition, expected->number);
    else
        printf("partition %" PRIu32 ": no attestation stands at input record %" PRId64 "\n", expected->partition,
               expected->number);
    printf("  kept       %s\n", expected->text);
    return EXIT_DIFFERS;
}

/* What was looked at. */

static void add_row(const struct verify *verify, struct table *table, uint32_t partition)
{
    const struct store_header *start = history_start(verify->history, partition);
    const struct comparison *comparison = verify->comparison;
    struct fold_position position;
    int64_t matched = 0;
    fold_position(history_fold(verify->history, partition), &position);
    for (unsigned topic = 0; topic < TOPIC_COUNT && comparison != NULL; topic++)
        matched += comparison_matched(comparison, (enum output_topic)topic, partition);
    table_row(table, NULL);
    table_number(table, partition, 0);
    table_number(table, start->next_offset, 0);
    table_number(table, position.next_offset, 0);
    table_number(table, position.inputs - start->inputs, 0);
    table_number(table, position.entries, 0);
    table_text(table, (struct text){position.chain, sizeof position.chain});
    table_number(table, comparison != NULL ? comparison_matched(comparison, TOPIC_ATTESTATIONS, partition) : 0, 0);
    table_number(table, matched, 0);
    table_number(table, comparison != NULL ? comparison_unpublished(comparison, partition) : 0, 0);
}

static int show_summary(const struct verify *verify)
{
    static const struct table_column columns[] = {
        {"partition", "PARTITION", COLUMN_NUMBER, NULL, 0},
        {"first_offset", "FROM OFFSET", COLUMN_NUMBER, "0", 0},
        {"next_offset", "NEXT OFFSET", COLUMN_NUMBER, NULL, 0},
        {"records", "RECORDS", COLUMN_NUMBER, NULL, 0},
        {"entries", "ENTRIES", COLUMN_NUMBER, NULL, 0},
        {"chain", "LEDGER CHAIN", COLUMN_WORD, NULL, 1},
        {"attestations", "ATTESTATIONS", COLUMN_NUMBER, NULL, 0},
        {"outputs", "OUTPUTS COMPARED", COLUMN_NUMBER, NULL, 0},
        {"unpublished", "NOT PUBLISHED YET", COLUMN_NUMBER, "0", 0},
    };
    struct table *table = table_begin(verify->format, stdout, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++)
        if (history_fold(verify->history, i) != NULL)
            add_row(verify, table, i);
    return table_end(table) ? EX_OK : message_fail(EX_IOERR, "standard output could not be written");
}

/* Doing it. */

/* A partition without events has published nothing, or else they are missing. */
static bool end_partition(struct verify *verify, uint32_t number)
{
    const struct fold *fold = history_fold(verify->history, number);
    struct fold_position position = {0};
    int64_t reach;
    if (!published_reach(verify->published, number, &reach, &verify->error))
        return false;
    if (fold == NULL && reach < 0)
        return true;
    if (fold != NULL)
        fold_position(fold, &position);
    return comparison_end(verify->comparison, number, position.next_offset, &verify->error);
}

static bool end_partitions(struct verify *verify)
{
    for (uint32_t i = 0; i < PARTITIONS_MAX && verify->comparison != NULL; i++)
        if (!end_partition(verify, i))
            return false;
    return true;
}

static int judge(struct verify *verify)
{
    const struct expectation *expected = expectations_broken(&verify->expectations);
    if (verify->error.code != EX_OK)
        return message_fail(verify->error.code, "%s", verify->error.message);
    if (expected != NULL)
        return show_expectation(expected);
    if (verify->comparison != NULL && comparison_found(verify->comparison)->kind != DIFFERENCE_NONE)
        return show_difference(verify);
    if (!end_partitions(verify))
        return verify->error.code != EX_OK ? message_fail(verify->error.code, "%s", verify->error.message)
                                           : show_difference(verify);
    expected = expectations_unseen(&verify->expectations);
    return expected != NULL ? show_unseen(verify, expected) : show_summary(verify);
}

/* The published side first: what is folded then goes at least as far. */
static bool open_published(struct verify *verify)
{
    const struct published_options options = {verify->outputs, &verify->from.source};
    unsigned topics = verify->all ? PUBLISHED_ALL : PUBLISHED(TOPIC_ATTESTATIONS);
    if (verify->outputs == NULL && verify->from.source.kafka == NULL)
        return true;
    verify->published = published_open(&options, topics, &verify->error);
    if (verify->published == NULL)
        return false;
    verify->comparison = comparison_new(verify->published, topics);
    return true;
}

/* What lies before a state that the fold begins with is not looked at. */
static void begin_partitions(struct verify *verify)
{
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++) {
        const struct store_header *start = history_start(verify->history, i);
        if (start->fold_version == 0)
            continue;
        message_note("partition %" PRIu32 ": begins with a state at offset %" PRId64 "; what came before, %" PRId64
                     " ledger entries among it, is not looked at",
                     i, start->next_offset, start->entries);
        expectations_begin(&verify->expectations, i, start->entries, start->chain);
        if (verify->comparison != NULL)
            comparison_begin(verify->comparison, i, start->next_offset);
    }
}

static int run(struct verify *verify)
{
    struct store_error *error = &verify->error;
    if (open_published(verify))
        verify->history = history_open(&verify->from, &verify->until, error);
    if (verify->history == NULL)
        return message_fail(error->code, "%s", error->message);
    error->code = EX_OK;
    begin_partitions(verify);
    return history_run(verify->history, step, verify, error) ? judge(verify)
                                                             : message_fail(error->code, "%s", error->message);
}

static void finish(struct verify *verify)
{
    history_close(verify->history);
    if (verify->comparison != NULL)
        comparison_free(verify->comparison);
    published_close(verify->published);
    expectations_free(&verify->expectations);
    history_options_free(&verify->from);
    free(verify->entries.values);
    free(verify->inputs.values);
}

/* --since is where a snapshot may stand at the latest. */
static bool read_since(struct verify *verify)
{
    struct history_until since;
    verify->until = HISTORY_TO_THE_END;
    if (verify->since == NULL)
        return true;
    if (verify->from.base.snapshots == NULL) {
        message_error("--since chooses among snapshots: it needs --snapshots DIR");
        return false;
    }
    if (!history_until_parse("since", verify->since, &since))
        return false;
    verify->until.is_one_partition = since.is_one_partition;
    verify->until.partition = since.partition;
    verify->from.since = (struct base_place){.has_offset = since.kind == UNTIL_OFFSET,
                                             .offset = since.offset,
                                             .has_time = since.kind == UNTIL_TIME,
                                             .time_ms = since.time_ms};
    return true;
}

static bool check(struct verify *verify, bool json, bool csv)
{
    if (!history_check(&verify->from, "callfold-replay verify") || !read_since(verify) ||
        !table_format_chosen(json, csv, &verify->format) ||
        !expectations_add(&verify->expectations, EXPECT_ENTRY, "expect", &verify->entries) ||
        !expectations_add(&verify->expectations, EXPECT_INPUT, "expect-input", &verify->inputs))
        return false;
    bool has_published = verify->outputs != NULL || verify->from.source.kafka != NULL;
    if (!has_published && verify->all)
        message_error("--all compares all that was published: --outputs DIR says where that is");
    else if (!has_published && verify->expectations.count == 0)
        message_error("nothing to compare with: give --outputs DIR, --expect or --expect-input");
    else
        return true;
    return false;
}

int cmd_verify(int argc, char **argv)
{
    struct verify verify = {0};
    bool json = false, csv = false;
    int exit_code;
    /* clang-format off */
    const struct option_spec specs[] = {
        HISTORY_OPTION_SPECS(verify.from),
        OUTPUTS_OPTION_SPEC(verify.outputs),
        {.name = "all", .kind = OPTION_FLAG, .target = &verify.all,
         .help = "compare every output byte for byte, not only the\nattestations"},
        {.name = "expect", .kind = OPTION_LIST, .target = &verify.entries, .value = "PARTITION:ENTRY:HASH",
         .help = "the ledger's chain after that entry must be this; may\nbe given again"},
        {.name = "expect-input", .kind = OPTION_LIST, .target = &verify.inputs, .value = "PARTITION:INPUTS:HASH",
         .help = "the input chain after so many records must be this"},
        {.name = "since", .kind = OPTION_TEXT, .target = &verify.since, .value = "OFFSET|TIME",
         .help = "with --snapshots: from the newest one at or before\nthat place (any partition:offset, or an instant)"},
        {.name = "json", .kind = OPTION_FLAG, .target = &json, .help = "the summary as JSON"},
        {.name = "csv", .kind = OPTION_FLAG, .target = &csv, .help = "the summary as CSV"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold-replay verify",
        .usage = "--events FILE|DIR|- --outputs DIR [--all]\n--kafka FILE [-X NAME=VALUE]... [--all]",
        .about = "Folds the events again and compares with what was attested: ledger chain, input\n"
                 "chain and digest of the whole state, each minute. With --all every output is\n"
                 "compared. Stops at the first difference, says where it is, shows both sides and\n"
                 "exits with 1. What an auditor kept is checked by --expect and --expect-input.",
        .examples = "  callfold-replay verify --events events.jsonl --outputs out --all\n"
                    "  callfold-replay verify --kafka kafka.properties --all\n"
                    "  callfold-replay verify --events events.jsonl --expect 0:1841:9f2c...",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    if (options_parse(&table, &argc, argv, &exit_code))
        exit_code = check(&verify, json, csv) ? run(&verify) : EX_USAGE;
    finish(&verify);
    return exit_code;
}
