/* history.h - a history folded again, step by step, for whoever asks about it.
 *
 * A history is a source (source.h) and a fold a partition. history_run reads,
 * decodes and folds, as the meter does, and hands every step to a visitor: the
 * record, what it was decoded into, its outputs, and the fold as it is after it.
 *
 *     struct history_options from = {0};
 *     const struct option_spec specs[] = {HISTORY_OPTION_SPECS(from), ...};
 *     ... options_parse; if (!history_check(&from, "callfold-replay explain")) return EX_USAGE;
 *     struct history *history = history_open(&from, &HISTORY_TO_THE_END, &error);
 *     bool done = history != NULL && history_run(history, visit, &context, &error);
 *     history_close(history);
 *
 * Up to where: a struct history_until, from --at or made by hand. The record at
 * its offset, and those that leave partition time at its instant, are in.
 *
 * From where: the first record, or a state that is near (base.h).
 *
 * Memory is bounded as it is for the meter: each partition has a store in a
 * scratch directory, to which idle records are written when there are too many.
 *
 * Errors land in a struct store_error with an exit code: EX_CONFIG and
 * EX_DATAERR for places that do not fit together, EX_SOFTWARE for a broken
 * invariant, named by partition and offset.
 */
#ifndef CALLFOLD_REPLAY_TOOL_HISTORY_H
#define CALLFOLD_REPLAY_TOOL_HISTORY_H

#include "processor/fold/state.h"
#include "processor/partition.h"
#include "replay-tool/base.h"
#include "replay-tool/range.h"
#include "replay-tool/source.h"

/* What the command line says of it. All zeros to begin, history_options_free at the end. */
struct history_options {
    struct source_options source;
    struct base_options base;
    const char *account;       /* only its partition is wanted, where the number of partitions tells which; or NULL */
    struct base_place since;   /* with a base: it must be no later than this either; all zeros: wherever it is */
    const struct range *range; /* nor later than where this begins; or NULL */
    int64_t keep_records;      /* that may stay in memory though they could be loaded again; 0: 4000000 */
    const char *label;         /* for the progress line, "folding" unless set */
};
#define KEEP_RECORDS_MOST 1000000000
#define HISTORY_OPTION_SPECS(from)                                                                               \
    SOURCE_OPTION_SPECS((from).source), BASE_OPTION_SPECS((from).base),                                          \
    {                                                                                                            \
        .name = "keep-records", .kind = OPTION_NUMBER, .target = &(from).keep_records, .value = "N", .least = 1, \
        .most = KEEP_RECORDS_MOST, .help = "records of idle accounts that may stay in memory\n(4000000)"         \
    }
/* False after a message when the options do not go together. command is for
 * the message: "callfold-replay verify". */
bool history_check(const struct history_options *options, const char *command);
void history_options_free(struct history_options *options);

enum history_end { UNTIL_THE_END, UNTIL_OFFSET, UNTIL_TIME };
struct history_until {
    enum history_end kind;
    bool is_one_partition; /* only `partition` is folded; always so with an offset */
    uint32_t partition;
    int64_t offset;  /* the last record that is folded */
    int64_t time_ms; /* partition time is not to pass it */
};
#define HISTORY_TO_THE_END ((struct history_until){.kind = UNTIL_THE_END})
/* "PARTITION:OFFSET", "OFFSET" (of partition 0), or an instant as in an event's
 * time. False after a message. */
bool history_until_parse(const char *option, const char *text, struct history_until *until);

/* One record folded. All it points to is valid until the visitor returns. */
struct history_step {
    uint32_t partition;
    const struct fold_record *record;
    const struct event *event;        /* NULL when it could not be decoded */
    const struct decode_error *error; /* then why */
    const struct output_list *outputs;
    struct fold *fold; /* after the record; to be asked (fold_position, fold_find), never stepped */
};
/* False ends the run without an error. */
typedef bool history_visit(void *context, const struct history_step *step);

struct history;

/* NULL on error. options and what they point to are borrowed. */
struct history *history_open(const struct history_options *options, const struct history_until *until,
                             struct store_error *error);
/* Folds to the end, to `until`, or to where visit returns false. Draws a
 * progress line on a terminal. False on error. Once a history. */
bool history_run(struct history *history, history_visit *visit, void *context, struct store_error *error);
/* NULL is let be. */
void history_close(struct history *history);

/* For histories as they might have been. alter sees every event before it is
 * folded: it may change *event (texts that it puts there are its own to keep
 * until the visitor was called), have others folded before it, and leave the
 * record out by returning false. The chains and ids of such a history mean
 * nothing. Before history_run. */
typedef bool history_alter(void *context, struct history *history, uint32_t partition, const struct fold_record *record,
                           struct event *event);
void history_set_alter(struct history *history, history_alter *alter, void *context);
/* Within alter only: folds an event that is in no log, at the record's place.
 * The visitor sees it as a step of that record. */
void history_insert(struct history *history, const struct event *event);

/* The body of the record under a key of a step's fold, or NULL; in place until the
 * next record. */
const void *history_record(struct fold *fold, struct key key);

/* What was folded so far. */
int64_t history_records(const struct history *history);
/* Where a partition's fold began: all zeros for its first record. */
const struct store_header *history_start(const struct history *history, uint32_t partition);
/* 0 when it is not known. */
uint32_t history_partition_count(const struct history *history);
/* A partition's fold; NULL when none of its records came and it had no state. */
struct fold *history_fold(const struct history *history, uint32_t partition);
/* Ends the history: its folds become a state directory like that of callfold
 * run --state, which lives until history_close; its path, or NULL with *error.
 * For state_view.h and what prints it. */
const char *history_store(struct history *history, struct store_error *error);

#endif
