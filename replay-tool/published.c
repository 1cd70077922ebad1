/* published.c - see published.h. */
#include "replay-tool/published.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "processor/kafka/topic_reader.h"
#include "processor/kafka/topics.h"
#include "processor/log_file_lines.h"
#include "processor/log_file_outputs.h"
#include "processor/progress_json.h"
#include "replay-tool/interrupt.h"
#include "replay-tool/scratch.h"
#include "snapshots/files.h"

#define WAIT_MS    1000
#define MARKERS_MS 500

/* A place in one partition of a topic. */
struct cursor {
    struct lines *lines; /* of a file; NULL until the first record is asked for */
    uint32_t partition;  /* of the last line, whoever's it was */
    int stream;          /* on Kafka */
    const struct log_record *records;
    size_t count, at;
};

struct published {
    const char *dir;
    struct kafka_settings settings;
    struct topic_reader *reader;
    char *names[TOPIC_COUNT];
    struct cursor *cursors[TOPIC_COUNT][PARTITIONS_MAX];
    bool is_reach_known; /* what follows was read */
    int64_t reach[PARTITIONS_MAX];
    int progress_streams[PARTITIONS_MAX]; /* on Kafka */
};

const char *published_name(const struct published *published, enum output_topic topic)
{
    return published->names[topic];
}

/* Digits up to a mark; *at is left behind it. */
static bool read_number(const char **at, const char *end, char mark, int64_t *number)
{
    const char *digit = *at;
    *number = 0;
    while (digit < end && *digit >= '0' && *digit <= '9' && digit - *at < 18)
        *number = *number * 10 + (*digit++ - '0');
    if (digit == *at || digit == end || *digit != mark)
        return false;
    *at = digit + 1;
    return true;
}

bool published_id(struct text value, uint32_t *partition, int64_t *offset, uint32_t *n)
{
    static const char head[] = "{\"specversion\":\"1.0\",\"id\":\"";
    const char *at = value.at + sizeof head - 1, *end = value.at + value.len;
    int64_t first, last;
    if (value.len < sizeof head || memcmp(value.at, head, sizeof head - 1) != 0)
        return false;
    if (!read_number(&at, end, ':', &first) || !read_number(&at, end, ':', offset) ||
        !read_number(&at, end, '"', &last) || first >= PARTITIONS_MAX || last > UINT32_MAX)
        return false;
    *partition = (uint32_t)first;
    *n = (uint32_t)last;
    return true;
}

static struct cursor *new_cursor(void)
{
    struct cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL)
        abort();
    return cursor;
}

/* Files. */

static enum published_answer next_line(struct cursor *cursor, struct line *line, struct store_error *error)
{
    while (!lines_next(cursor->lines, line)) {
        enum lines_answer answer = lines_fill(cursor->lines, WAIT_MS, error);
        if (answer == LINES_END)
            return PUBLISHED_END;
        if (answer == LINES_FAILED || interrupt_check(error))
            return PUBLISHED_FAILED;
    }
    return PUBLISHED_RECORD;
}

static enum published_answer next_in_file(struct cursor *cursor, uint32_t partition, struct published_record *record,
                                          struct store_error *error)
{
    struct line line;
    enum published_answer answer;
    do {
        int64_t offset;
        uint32_t of, n;
        answer = next_line(cursor, &line, error);
        if (answer == PUBLISHED_RECORD && published_id(line.bytes, &of, &offset, &n))
            cursor->partition = of;
    } while (answer == PUBLISHED_RECORD && cursor->partition != partition);
    *record = (struct published_record){line.number, line.bytes};
    return answer;
}

/* The last record of progress.jsonl that is whole; none is no error. */
static bool read_progress_file(struct published *published, struct store_error *error)
{
    char path[PATH_MAX];
    struct line line;
    struct cursor cursor = {0};
    enum published_answer answer;
    snprintf(path, sizeof path, "%s/progress.jsonl", published->dir);
    if (access(path, F_OK) != 0)
        return true;
    cursor.lines = lines_open(path, scratch_parent(), false, error);
    if (cursor.lines == NULL)
        return false;
    while ((answer = next_line(&cursor, &line, error)) == PUBLISHED_RECORD) {
        struct file_progress progress;
        if (!file_progress_decode(line.bytes, &progress))
            continue;
        for (size_t i = 0; i < progress.count; i++)
            published->reach[progress.partitions[i].partition] = progress.partitions[i].next_offset;
        file_progress_free(&progress);
    }
    lines_close(cursor.lines);
    return answer == PUBLISHED_END;
}

static bool open_file(struct published *published, enum output_topic topic, uint32_t partition,
                      struct store_error *error)
{
    struct cursor *cursor = published->cursors[topic][partition] = new_cursor();
    cursor->lines = lines_open(published->names[topic], scratch_parent(), false, error);
    return cursor->lines != NULL;
}

/* Kafka. */

/* The last record of a partition of callfold.progress. */
static bool read_progress_stream(struct published *published, uint32_t partition, struct store_error *error)
{
    const struct log_record *records;
    size_t count;
    enum topic_answer answer;
    while ((answer = topic_reader_read(published->reader, published->progress_streams[partition], &records, &count,
                                       error)) == TOPIC_RECORDS) {
        struct log_progress progress;
        if (progress_of_record(records[count - 1].record.value, &progress))
            published->reach[partition] = progress.next_offset;
    }
    return answer == TOPIC_END;
}

static bool read_progress_topic(struct published *published, struct store_error *error)
{
    uint32_t count = topic_reader_partitions(published->reader, PROGRESS_TOPIC);
    for (uint32_t i = 0; i < count && i < PARTITIONS_MAX; i++)
        if (!read_progress_stream(published, i, error))
            return false;
    return true;
}

static bool add_progress_streams(struct published *published, struct store_error *error)
{
    uint32_t count = topic_reader_partitions(published->reader, PROGRESS_TOPIC);
    for (uint32_t i = 0; i < count && i < PARTITIONS_MAX; i++) {
        published->progress_streams[i] = topic_reader_add(published->reader, PROGRESS_TOPIC, i, TOPIC_START, error);
        if (published->progress_streams[i] < 0)
            return false;
    }
    return true;
}

/* What a meter that runs publishes meanwhile is in some topics and not yet in
 * others: so the end of its progress is taken first. Then a moment is left to
 * the markers that end a transaction, which come to each topic by themselves. */
static bool add_streams(struct published *published, unsigned topics, struct store_error *error)
{
    const struct timespec moment = {.tv_nsec = MARKERS_MS * 1000000L};
    if (!add_progress_streams(published, error))
        return false;
    nanosleep(&moment, NULL);
    for (unsigned topic = 0; topic < TOPIC_COUNT; topic++) {
        uint32_t count = topic_reader_partitions(published->reader, published->names[topic]);
        for (uint32_t i = 0; (topics & PUBLISHED(topic)) != 0 && i < count && i < PARTITIONS_MAX; i++) {
            struct cursor *cursor = published->cursors[topic][i] = new_cursor();
            cursor->stream = topic_reader_add(published->reader, published->names[topic], i, TOPIC_START, error);
            if (cursor->stream < 0)
                return false;
        }
    }
    return topic_reader_start(published->reader, error);
}

static enum published_answer next_on_kafka(struct published *published, struct cursor *cursor,
                                           struct published_record *record, struct store_error *error)
{
    if (cursor->at == cursor->count) {
        cursor->at = 0;
        switch (topic_reader_read(published->reader, cursor->stream, &cursor->records, &cursor->count, error)) {
        case TOPIC_FAILED: return PUBLISHED_FAILED;
        case TOPIC_END: return PUBLISHED_END;
        case TOPIC_RECORDS: break;
        }
        if (interrupt_check(error))
            return PUBLISHED_FAILED;
    }
    const struct fold_record *next = &cursor->records[cursor->at++].record;
    *record = (struct published_record){next->offset, next->value};
    return PUBLISHED_RECORD;
}

/* Both. */

enum published_answer published_next(struct published *published, enum output_topic topic, uint32_t partition,
                                     struct published_record *record, struct store_error *error)
{
    struct cursor *cursor = published->cursors[topic][partition];
    if (published->reader != NULL)
        return cursor != NULL ? next_on_kafka(published, cursor, record, error) : PUBLISHED_END;
    if (cursor == NULL && !open_file(published, topic, partition, error))
        return PUBLISHED_FAILED;
    return next_in_file(published->cursors[topic][partition], partition, record, error);
}

bool published_reach(struct published *published, uint32_t partition, int64_t *next_offset, struct store_error *error)
{
    if (!published->is_reach_known) {
        for (size_t i = 0; i < PARTITIONS_MAX; i++)
            published->reach[i] = -1;
        if (!(published->reader != NULL ? read_progress_topic(published, error) : read_progress_file(published, error)))
            return false;
        published->is_reach_known = true;
    }
    *next_offset = published->reach[partition];
    return true;
}

bool published_is_shortened(const struct published *published, enum output_topic topic, uint32_t partition)
{
    const struct cursor *cursor = published->cursors[topic][partition];
    int64_t first, end;
    if (published->reader == NULL || cursor == NULL)
        return false;
    topic_reader_range(published->reader, cursor->stream, &first, &end);
    return first > 0;
}

bool published_is_compacted(const struct published *published, enum output_topic topic)
{
    return published->reader != NULL && topic == TOPIC_BALANCES;
}

static void set_names(struct published *published)
{
    for (unsigned topic = 0; topic < TOPIC_COUNT; topic++) {
        const char *word = output_topic_name((enum output_topic)topic);
        int len = published->dir != NULL
                      ? asprintf(&published->names[topic], "%s/%s.jsonl", published->dir, word)
                      : asprintf(&published->names[topic], "%s", topics_output_name((enum output_topic)topic));
        if (len < 0)
            abort();
    }
}

static bool open_topics(struct published *published, const struct source_options *source, unsigned topics,
                        struct store_error *error)
{
    if (!kafka_settings_read(&published->settings, source->kafka, &source->properties, error))
        return false;
    published->reader = topic_reader_open(&published->settings, error);
    return published->reader != NULL && add_streams(published, topics, error);
}

struct published *published_open(const struct published_options *options, unsigned topics, struct store_error *error)
{
    struct published *published = calloc(1, sizeof *published);
    if (published == NULL)
        abort();
    published->dir = options->outputs;
    set_names(published);
    if (published->dir != NULL || open_topics(published, options->source, topics, error))
        return published;
    published_close(published);
    return NULL;
}

static void free_cursor(struct cursor *cursor)
{
    if (cursor != NULL && cursor->lines != NULL)
        lines_close(cursor->lines);
    free(cursor);
}

void published_close(struct published *published)
{
    if (published == NULL)
        return;
    for (unsigned topic = 0; topic < TOPIC_COUNT; topic++) {
        for (size_t i = 0; i < PARTITIONS_MAX; i++)
            free_cursor(published->cursors[topic][i]);
        free(published->names[topic]);
    }
    if (published->reader != NULL)
        topic_reader_close(published->reader);
    kafka_settings_free(&published->settings);
    free(published);
}
