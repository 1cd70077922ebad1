/* source_kafka.c - callfold.events on Kafka as a source, one partition after
 * the other. See source.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "processor/kafka/topic_reader.h"
#include "processor/kafka/topics.h"
#include "replay-tool/interrupt.h"
#include "replay-tool/source.h"
#include "snapshots/files.h"

struct source_kafka {
    struct source source; /* first, so that a struct source * is one of these */
    struct kafka_settings settings;
    struct topic_reader *reader;
    bool is_started;
    uint32_t now; /* the partition being read; its stream has the same number */
    int64_t from[PARTITIONS_MAX];
    bool is_left[PARTITIONS_MAX];
    int64_t done, total; /* offsets */
};

static struct source_kafka *of(struct source *source)
{
    return (struct source_kafka *)source;
}

static bool kafka_begin(struct source *source, uint32_t partition, int64_t offset, const struct log_mark *mark)
{
    struct source_kafka *kafka = of(source);
    (void)mark;
    if (partition >= source->partition_count)
        return fail_with(&source->error, EX_CONFIG,
                         "partition %" PRIu32 " is asked for, but topic " EVENTS_TOPIC " has %" PRIu32, partition,
                         source->partition_count);
    kafka->from[partition] = offset;
    return true;
}

static bool start_reading(struct source_kafka *kafka)
{
    struct store_error *error = &kafka->source.error;
    kafka->is_started = true;
    for (uint32_t i = 0; i < kafka->source.partition_count; i++) {
        int64_t first, end;
        int stream =
            topic_reader_add(kafka->reader, EVENTS_TOPIC, i, kafka->is_left[i] ? TOPIC_START : kafka->from[i], error);
        if (stream < 0)
            return false;
        topic_reader_range(kafka->reader, stream, &first, &end);
        kafka->total += end - first;
    }
    return topic_reader_start(kafka->reader, error);
}

static enum source_answer read_partition(struct source_kafka *kafka, struct source_batch *batch)
{
    switch (topic_reader_read(kafka->reader, (int)kafka->now, &batch->records, &batch->count, &kafka->source.error)) {
    case TOPIC_FAILED: return SOURCE_FAILED;
    case TOPIC_END: return SOURCE_END;
    case TOPIC_RECORDS: break;
    }
    kafka->done += batch->records[batch->count - 1].record.offset + 1 - batch->records[0].record.offset;
    batch->done = kafka->done;
    batch->total = kafka->total;
    return SOURCE_RECORDS;
}

static enum source_answer kafka_read(struct source *source, struct source_batch *batch)
{
    struct source_kafka *kafka = of(source);
    if (!kafka->is_started && !start_reading(kafka))
        return SOURCE_FAILED;
    for (; kafka->now < source->partition_count; kafka->now++) {
        if (interrupt_check(&source->error))
            return SOURCE_FAILED;
        enum source_answer answer = kafka->is_left[kafka->now] ? SOURCE_END : read_partition(kafka, batch);
        if (answer != SOURCE_END)
            return answer;
    }
    return SOURCE_END;
}

static void kafka_leave(struct source *source, uint32_t partition)
{
    of(source)->is_left[partition] = true;
}

static const struct log_mark *kafka_mark(struct source *source)
{
    (void)source;
    return NULL;
}

static void kafka_close(struct source *source)
{
    struct source_kafka *kafka = of(source);
    if (kafka->reader != NULL)
        topic_reader_close(kafka->reader);
    kafka_settings_free(&kafka->settings);
    free(kafka);
}

static const struct source_operations operations = {
    .begin = kafka_begin, .read = kafka_read, .leave = kafka_leave, .mark = kafka_mark, .close = kafka_close};

static bool find_topic(struct source_kafka *kafka, const char *file, struct store_error *error)
{
    uint32_t count = topic_reader_partitions(kafka->reader, EVENTS_TOPIC);
    kafka->source.partition_count = count;
    kafka->source.cluster = topic_reader_cluster(kafka->reader);
    if (count > 0 && count <= PARTITIONS_MAX)
        return true;
    return fail_with(error, EX_CONFIG, "%s: the brokers have no topic " EVENTS_TOPIC " of 1 to %d partitions", file,
                     PARTITIONS_MAX);
}

struct source *source_kafka_open(const struct source_options *options, struct store_error *error)
{
    struct source_kafka *kafka = calloc(1, sizeof *kafka);
    if (kafka == NULL)
        abort();
    kafka->source.does = &operations;
    if (kafka_settings_read(&kafka->settings, options->kafka, &options->properties, error)) {
        kafka->reader = topic_reader_open(&kafka->settings, error);
        if (kafka->reader != NULL && find_topic(kafka, options->kafka, error))
            return &kafka->source;
    }
    kafka_close(&kafka->source);
    return NULL;
}
