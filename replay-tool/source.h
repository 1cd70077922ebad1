/* source.h - where the records of a history come from.
 *
 * A file of events (bare or in archive form, - is stdin), an archive (archive.h),
 * or callfold.events on Kafka from its first offset to where it stood when the
 * source was opened: all alike behind one reader. Every command takes the same options for it:
 *
 *     struct source_options from = {0};
 *     const struct option_spec specs[] = {SOURCE_OPTION_SPECS(from), ...};
 *     if (!source_check(&from, "callfold-replay verify")) return EX_USAGE;
 *     struct source *source = source_open(&from, &error);
 *     while ((answer = source->does->read(source, &batch)) == SOURCE_RECORDS) ...
 *     source->does->close(source);
 *
 * Most commands do not read a source themselves: history.h folds one.
 *
 * Within a partition records come in order of their offsets. How partitions
 * are mixed is the source's own affair (a file: line by line; else one after
 * the other), and means nothing: they share no state.
 */
#ifndef CALLFOLD_REPLAY_TOOL_SOURCE_H
#define CALLFOLD_REPLAY_TOOL_SOURCE_H

#include "processor/kafka/settings.h"
#include "processor/log.h"
#include "terminal/options.h"

/* What the command line says of it. All zeros to begin; source_options_free at
 * the end. */
struct source_options {
    const char *events, *kafka;
    struct option_list properties;
    int64_t partitions; /* of the topic; 0: not given */
};
#define SOURCE_OPTION_SPECS(from)                                                                            \
    {.name = "events",                                                                                       \
     .kind = OPTION_TEXT,                                                                                    \
     .target = &(from).events,                                                                               \
     .value = "FILE|DIR|-",                                                                                  \
     .help = "the events: a file, one a line, bare or in archive\n"                                          \
             "form; an archive's directory; - reads stdin"},                                                 \
        KAFKA_OPTION_SPECS(false, (from).kafka, (from).properties),                                          \
    {                                                                                                        \
        .name = "partitions", .kind = OPTION_NUMBER, .target = &(from).partitions, .value = "N", .least = 1, \
        .most = PARTITIONS_MAX,                                                                              \
        .help = "of a file: how many partitions the topic has, as the\n"                                     \
                "meter was told; on Kafka the topic says it"                                                 \
    }

/* False after a message when not exactly one source is named. command is for
 * the message: "callfold-replay verify". */
bool source_check(const struct source_options *options, const char *command);
void source_options_free(struct source_options *options);

enum source_answer { SOURCE_RECORDS, SOURCE_END, SOURCE_FAILED };

/* What read gave: at least one record. All it points to is valid until the next read. */
struct source_batch {
    size_t count;
    const struct log_record *records; /* `end` is an offset or a byte of a file: for nothing but progress */
    int64_t done, total;              /* of this source's own measure, for a progress line; total 0: not known */
};

struct source {
    const struct source_operations *does;
    uint32_t partition_count; /* 0 = not known */
    const char *cluster;      /* of Kafka, whose offsets these are; "" for a file's */
    struct store_error error; /* of the last operation that failed */
};

struct source_operations {
    /* Nothing before this offset is wanted of the partition. mark: where a file
     * stood then, all zeros if not known; a file is read from the smallest one.
     * Only before the first read, once a partition; those not named begin at
     * their first record, or after the smallest mark. */
    bool (*begin)(struct source *source, uint32_t partition, int64_t offset, const struct log_mark *mark);
    enum source_answer (*read)(struct source *source, struct source_batch *batch);
    /* Nothing more is wanted of the partition: its records may be left out. */
    void (*leave)(struct source *source, uint32_t partition);
    /* Where a file was read to, for a later begin of each partition; NULL: the
     * source has no such mark, offsets say it all. */
    const struct log_mark *(*mark)(struct source *source);
    void (*close)(struct source *source);
};

/* NULL on error. options are borrowed for the source's life. */
struct source *source_open(const struct source_options *options, struct store_error *error);

/* The kinds; source_open chooses. */
struct source *source_file_open(const struct source_options *options, struct store_error *error);
struct source *source_archive_open(const struct source_options *options, struct store_error *error);
struct source *source_kafka_open(const struct source_options *options, struct store_error *error);

#endif
