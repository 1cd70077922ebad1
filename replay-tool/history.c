/* history.c - see history.h. */
#include "replay-tool/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/instant.h"
#include "events/partitioner.h"
#include "processor/ahead.h"
#include "replay-tool/interrupt.h"
#include "replay-tool/place.h"
#include "replay-tool/scratch.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define KEEP_RECORDS 4000000 /* all partitions together */
#define CHECK_EVERY  1024    /* events, how many there are */

/* How a step went. */
enum went {
    WENT_ON,
    WENT_TO_THE_END, /* the visitor has seen enough */
    WENT_WRONG,
};

/* A partition of the history. */
struct folded {
    struct partition *partition; /* NULL: it has no state, and none of its records came yet */
    struct store_header start;   /* where its fold began */
    bool is_over;                /* up to where it was wanted, or not wanted at all */
};

struct history {
    const struct history_options *options;
    struct history_until until;
    struct source *source;
    struct ahead ahead;
    char *scratch; /* a directory; its states are ours */
    struct folded partitions[PARTITIONS_MAX];
    size_t open_count;
    int64_t records;
    struct progress progress;
    history_alter *alter; /* NULL: the history as it was */
    void *alter_context;
    history_visit *visit; /* of this run */
    void *context;
    struct partition *stepping; /* the record that is being folded, and its partition */
    const struct fold_record *record;
    enum went went;
    struct store_error error; /* when it went wrong */
};

bool history_check(const struct history_options *options, const char *command)
{
    if (options->base.snapshots == NULL || options->base.state == NULL)
        return source_check(&options->source, command);
    message_error("--snapshots and --state do not go together: a fold begins in one place");
    return false;
}

void history_options_free(struct history_options *options)
{
    source_options_free(&options->source);
}

/* Up to where. */

bool history_until_parse(const char *option, const char *text, struct history_until *until)
{
    uint32_t partition;
    int64_t offset;
    *until = HISTORY_TO_THE_END;
    if (place_parse(text, &partition, &offset)) {
        *until =
            (struct history_until){UNTIL_OFFSET, .is_one_partition = true, .partition = partition, .offset = offset};
        return true;
    }
    until->kind = UNTIL_TIME;
    if (instant_parse(text_of(text), &until->time_ms))
        return true;
    message_error("--%s: '%s' is neither an offset (17, or 3:17 of partition 3) nor an instant "
                  "(2026-11-23T08:00:06Z)",
                  option, text);
    return false;
}

/* Partitions. */

static struct partition *open_partition(struct history *history, uint32_t number, struct store_error *error)
{
    struct folded *folded = &history->partitions[number];
    folded->partition = partition_open_scratch(history->scratch, history->source->partition_count, number, error);
    if (folded->partition != NULL)
        history->open_count++;
    history->ahead.folds[number] = folded->partition != NULL ? folded->partition->fold : NULL;
    return folded->partition;
}

/* Stores what has changed, so that it may be forgotten. */
static bool keep_in_bounds(struct history *history, struct partition *partition, struct store_error *error)
{
    struct fold_counts counts;
    int64_t all = history->options->keep_records > 0 ? history->options->keep_records : KEEP_RECORDS;
    size_t keep = (size_t)all / history->open_count;
    const struct log_mark mark = {.position = partition->position};
    fold_counts(partition->fold, &counts);
    if ((size_t)(counts.records_in_memory - counts.live_calls) <= keep)
        return true;
    return partition_checkpoint(partition, &mark, false, keep / 2, error);
}

/* Folding. */

static void leave(struct history *history, uint32_t number)
{
    history->partitions[number].is_over = true;
    history->ahead.folds[number] = NULL;
    history->source->does->leave(history->source, number);
}

/* Whether the record comes after what is wanted. */
static bool is_past(const struct history *history, const struct partition *partition, const struct fold_record *record,
                    const struct event *event)
{
    const struct history_until *until = &history->until;
    if (until->kind == UNTIL_OFFSET)
        return record->offset > until->offset;
    return until->kind == UNTIL_TIME && fold_time_after(partition->fold, record, event) > until->time_ms;
}

static bool check_sound(struct history *history)
{
    const char *what;
    if (!fold_is_broken(history->stepping->fold, &what))
        return true;
    return fail_with(&history->error, EX_SOFTWARE,
                     "partition %" PRIu32 ", offset %" PRId64 ": a broken invariant: %s; keep the events and "
                     "report this",
                     history->stepping->number, history->record->offset, what);
}

/* Folds an event at the place of history->record, and shows it. */
static void step(struct history *history, const struct event *event, const struct decode_error *fault)
{
    struct output_list outputs;
    struct fold *fold = history->stepping->fold;
    fold_step(fold, history->record, event, fault, &outputs);
    if (!check_sound(history)) {
        history->went = WENT_WRONG;
        return;
    }
    const struct history_step shown = {.partition = history->stepping->number,
                                       .record = history->record,
                                       .event = event,
                                       .error = fault,
                                       .outputs = &outputs,
                                       .fold = fold};
    if (!history->visit(history->context, &shown))
        history->went = WENT_TO_THE_END;
}

void history_set_alter(struct history *history, history_alter *alter, void *context)
{
    history->alter = alter;
    history->alter_context = context;
}

void history_insert(struct history *history, const struct event *event)
{
    if (history->went == WENT_ON)
        step(history, event, NULL);
}

static void fold(struct history *history, const struct fold_record *record, struct event *event,
                 const struct decode_error *fault)
{
    struct partition *partition = history->stepping;
    if (is_past(history, partition, record, event)) {
        leave(history, partition->number);
        history->went = history->until.is_one_partition ? WENT_TO_THE_END : WENT_ON;
        return;
    }
    history->record = record;
    bool is_in = event == NULL || history->alter == NULL ||
                 history->alter(history->alter_context, history, partition->number, record, event);
    if (is_in && history->went == WENT_ON)
        step(history, event, fault);
    partition->position = record->offset + 1;
    if (++history->records % CHECK_EVERY == 0 && history->went == WENT_ON &&
        !keep_in_bounds(history, partition, &history->error))
        history->went = WENT_WRONG;
}

static void take_record(struct history *history, uint32_t number, size_t i)
{
    struct folded *folded = &history->partitions[number];
    struct fold_record record;
    struct decode_error fault;
    struct event *event = ahead_take(&history->ahead, i, &record, &fault);
    if (folded->is_over)
        return;
    if (folded->partition == NULL && open_partition(history, number, &history->error) == NULL) {
        history->went = WENT_WRONG;
        return;
    }
    history->stepping = folded->partition;
    if (record.offset >= folded->partition->position) /* else the state knows it */
        fold(history, &record, event, event == NULL ? &fault : NULL);
}

static void take_batch(struct history *history, const struct source_batch *batch)
{
    ahead_begin(&history->ahead, batch->records, batch->count);
    for (size_t i = 0; i < batch->count && history->went == WENT_ON; i++)
        take_record(history, batch->records[i].partition, i);
    progress_show(&history->progress, batch->done, batch->total, history->records);
    if (history->went == WENT_ON && interrupt_check(&history->error))
        history->went = WENT_WRONG;
}

bool history_run(struct history *history, history_visit *visit, void *context, struct store_error *error)
{
    const char *label = history->options->label != NULL ? history->options->label : "folding";
    struct source *source = history->source;
    enum source_answer answer = SOURCE_RECORDS;
    history->visit = visit;
    history->context = context;
    progress_begin(&history->progress, label, "events");
    while (answer == SOURCE_RECORDS && history->went == WENT_ON) {
        struct source_batch batch;
        answer = source->does->read(source, &batch);
        if (answer == SOURCE_RECORDS)
            take_batch(history, &batch);
    }
    progress_end(&history->progress);
    if (history->went == WENT_WRONG)
        *error = history->error;
    if (answer == SOURCE_FAILED)
        *error = source->error;
    return history->went != WENT_WRONG && answer != SOURCE_FAILED;
}

/* Opening and closing. */

/* Only one partition is wanted: the source may leave out the others. */
static void leave_others(struct history *history)
{
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++)
        if (i != history->until.partition)
            leave(history, i);
}

/* An account is in one partition. */
static void choose_partition(struct history *history)
{
    uint32_t count = history->source->partition_count;
    if (history->options->account != NULL && count > 0) {
        history->until.is_one_partition = true;
        history->until.partition = partition_of_key(text_of(history->options->account), count);
    }
    if (history->until.is_one_partition)
        leave_others(history);
}

static bool check_until(const struct history *history, struct store_error *error)
{
    const struct history_until *until = &history->until;
    uint32_t count = history->source->partition_count;
    if (!until->is_one_partition || count == 0 || until->partition < count)
        return true;
    return fail_with(error, EX_USAGE, "there is no partition %" PRIu32 ": there are %" PRIu32, until->partition, count);
}

/* Of two limits the lower one. */
static void limit(bool *has, int64_t *limit, bool has_other, int64_t other)
{
    if (has_other && (!*has || other < *limit))
        *limit = other;
    *has = *has || has_other;
}

/* The earlier of where the fold shall end and where it shall begin. */
static struct base_place latest_start(const struct history *history, uint32_t partition)
{
    const struct history_options *options = history->options;
    const struct history_until *until = &history->until;
    struct base_place place = options->since, range = {0};
    if (options->range != NULL)
        range = range_begin(options->range, partition);
    limit(&place.has_offset, &place.offset, range.has_offset, range.offset);
    limit(&place.has_time, &place.time_ms, range.has_time, range.time_ms);
    limit(&place.has_entries, &place.entries, range.has_entries, range.entries);
    limit(&place.has_offset, &place.offset, until->kind == UNTIL_OFFSET, until->offset);
    limit(&place.has_time, &place.time_ms, until->kind == UNTIL_TIME, until->time_ms);
    return place;
}

/* What the state was folded with holds for what follows. */
static bool take_partition_count(struct history *history, uint32_t count, struct store_error *error)
{
    uint32_t *known = &history->source->partition_count;
    if (*known == 0)
        *known = count;
    return *known == count || fail_with(error, EX_CONFIG,
                                        "the state to start from was folded with %" PRIu32
                                        " partitions (0 = not given), but there are %" PRIu32,
                                        count, *known);
}

static bool begin_partition(struct history *history, uint32_t number, struct store_error *error)
{
    struct base_start start;
    const struct base_place place = latest_start(history, number);
    if (!base_take(&history->options->base, number, &place, history->scratch, &start, error))
        return false;
    history->partitions[number].start = start.header;
    if (!history->source->does->begin(history->source, number, start.header.next_offset, &start.mark)) {
        *error = history->source->error;
        return false;
    }
    return start.header.fold_version == 0 || (take_partition_count(history, start.header.partition_count, error) &&
                                              open_partition(history, number, error) != NULL);
}

static bool begin_partitions(struct history *history, struct store_error *error)
{
    uint32_t *partitions;
    size_t count = base_partitions(&history->options->base, &partitions, error);
    bool begun = count > 0 || error->code == EX_OK;
    for (size_t i = 0; i < count && begun; i++)
        begun = partitions[i] >= PARTITIONS_MAX || history->partitions[partitions[i]].is_over ||
                begin_partition(history, partitions[i], error);
    free(partitions);
    return begun;
}

struct history *history_open(const struct history_options *options, const struct history_until *until,
                             struct store_error *error)
{
    struct history *history = calloc(1, sizeof *history);
    if (history == NULL)
        abort();
    *history = (struct history){.options = options, .until = *until, .ahead = {.decoder = decoder_new()}};
    history->source = source_open(&options->source, error);
    if (history->source != NULL && check_until(history, error))
        history->scratch = scratch_make(error);
    if (history->scratch != NULL)
        choose_partition(history);
    if (history->scratch != NULL && begin_partitions(history, error))
        return history;
    history_close(history);
    return NULL;
}

void history_close(struct history *history)
{
    if (history == NULL)
        return;
    for (size_t i = 0; i < PARTITIONS_MAX; i++)
        if (history->partitions[i].partition != NULL)
            partition_close(history->partitions[i].partition);
    if (history->source != NULL)
        history->source->does->close(history->source);
    decoder_free(history->ahead.decoder);
    scratch_remove(history->scratch);
    free(history);
}

/* What others ask. */

const void *history_record(struct fold *fold, struct key key)
{
    struct text body;
    return fold_find(fold, (struct text){key.bytes, key.len}, &body) ? body.at : NULL;
}

int64_t history_records(const struct history *history)
{
    return history->records;
}

const struct store_header *history_start(const struct history *history, uint32_t partition)
{
    return &history->partitions[partition].start;
}

uint32_t history_partition_count(const struct history *history)
{
    return history->source->partition_count;
}

struct fold *history_fold(const struct history *history, uint32_t partition)
{
    const struct partition *folded = history->partitions[partition].partition;
    return folded != NULL ? folded->fold : NULL;
}

/* LMDB does not want an environment opened twice in one process: so they are closed. */
const char *history_store(struct history *history, struct store_error *error)
{
    for (size_t i = 0; i < PARTITIONS_MAX; i++) {
        struct partition *partition = history->partitions[i].partition;
        if (partition == NULL)
            continue;
        const struct log_mark mark = {.position = partition->position};
        if (!partition_checkpoint(partition, &mark, true, SIZE_MAX, error))
            return NULL;
        partition_close(partition);
        history->partitions[i].partition = NULL;
    }
    return history->scratch;
}
