/* topic_reader.c - see topic_reader.h. */
#include "processor/kafka/topic_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "processor/kafka/client.h"
#include "processor/kafka/record.h"
#include "processor/kafka/topics.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define BATCH      1024  /* messages of a stream at once */
#define ASK_MS     10000 /* one question about offsets */
#define WAIT_MS    100
#define PATIENCE_S 60 /* without any answer */

struct stream {
    const char *topic;
    uint32_t partition;
    int64_t first, end; /* offsets: [first, end) */
    bool is_done;
    rd_kafka_queue_t *queue;
    rd_kafka_message_t *messages[BATCH]; /* of the last read */
    size_t message_count;
    struct log_record records[BATCH];
};

struct topic_reader {
    struct client client;
    const struct rd_kafka_metadata *metadata;
    char *cluster; /* its id */
    struct stream **streams;
    size_t count;
};

struct topic_reader *topic_reader_open(const struct kafka_settings *settings, struct store_error *error)
{
    struct topic_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        abort();
    if (client_open(&reader->client, CLIENT_READER, settings, error)) {
        reader->metadata = client_metadata(&reader->client, error);
        if (reader->metadata != NULL)
            reader->cluster = client_cluster(&reader->client, error);
        if (reader->cluster != NULL)
            return reader;
    }
    topic_reader_close(reader);
    return NULL;
}

static void release(struct stream *stream)
{
    for (size_t i = 0; i < stream->message_count; i++)
        rd_kafka_message_destroy(stream->messages[i]);
    stream->message_count = 0;
}

void topic_reader_close(struct topic_reader *reader)
{
    for (size_t i = 0; i < reader->count; i++) {
        release(reader->streams[i]);
        if (reader->streams[i]->queue != NULL)
            rd_kafka_queue_destroy(reader->streams[i]->queue);
        free(reader->streams[i]);
    }
    free(reader->streams);
    if (reader->metadata != NULL)
        rd_kafka_metadata_destroy(reader->metadata);
    if (reader->cluster != NULL)
        rd_kafka_mem_free(reader->client.rk, reader->cluster);
    client_close(&reader->client);
    free(reader);
}

const char *topic_reader_cluster(const struct topic_reader *reader)
{
    return reader->cluster;
}

uint32_t topic_reader_partitions(const struct topic_reader *reader, const char *topic)
{
    for (int i = 0; i < reader->metadata->topic_cnt; i++)
        if (strcmp(reader->metadata->topics[i].topic, topic) == 0)
            return (uint32_t)reader->metadata->topics[i].partition_cnt;
    return 0;
}

/* Adding. */

static bool ask_range(struct topic_reader *reader, struct stream *stream, struct store_error *error)
{
    rd_kafka_resp_err_t code =
        client_range(&reader->client, stream->topic, (int32_t)stream->partition, &stream->first, &stream->end, ASK_MS);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           client_fail(&reader->client, error, code, rd_kafka_err2str(code), "ask a topic for its offsets");
}

/* From where the caller wants it, if that is still there. */
static bool begin_at(struct stream *stream, int64_t from, struct store_error *error)
{
    if (from == TOPIC_START)
        return true;
    if (from < stream->first)
        return fail_with(error, EX_DATAERR,
                         "topic %s, partition %" PRIu32 " begins at offset %" PRId64 ", but offset %" PRId64
                         " is wanted: records have expired; start from a snapshot, or read an archive that has them",
                         stream->topic, stream->partition, stream->first, from);
    if (from > stream->end)
        return fail_with(error, EX_DATAERR,
                         "topic %s, partition %" PRIu32 " ends at offset %" PRId64 ", but is to be read from %" PRId64
                         ": this is another topic than the one the state was folded from",
                         stream->topic, stream->partition, stream->end, from);
    stream->first = from;
    return true;
}

static void keep(struct topic_reader *reader, struct stream *stream)
{
    struct stream **grown = realloc(reader->streams, (reader->count + 1) * sizeof(struct stream *));
    if (grown == NULL)
        abort();
    reader->streams = grown;
    reader->streams[reader->count++] = stream;
}

int topic_reader_add(struct topic_reader *reader, const char *topic, uint32_t partition, int64_t from,
                     struct store_error *error)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        abort();
    *stream = (struct stream){.topic = topic, .partition = partition};
    if (!ask_range(reader, stream, error) || !begin_at(stream, from, error)) {
        free(stream);
        return -1;
    }
    stream->is_done = stream->first >= stream->end;
    keep(reader, stream);
    return (int)reader->count - 1;
}

void topic_reader_range(const struct topic_reader *reader, int stream, int64_t *first, int64_t *end)
{
    *first = reader->streams[stream]->first;
    *end = reader->streams[stream]->end;
}

/* A queue of its own for each, which must be there before anything is fetched. */
bool topic_reader_start(struct topic_reader *reader, struct store_error *error)
{
    rd_kafka_topic_partition_list_t *places = rd_kafka_topic_partition_list_new((int)reader->count);
    for (size_t i = 0; i < reader->count; i++) {
        struct stream *stream = reader->streams[i];
        if (stream->is_done)
            continue;
        stream->queue = rd_kafka_queue_get_partition(reader->client.rk, stream->topic, (int32_t)stream->partition);
        rd_kafka_queue_forward(stream->queue, NULL);
        rd_kafka_topic_partition_list_add(places, stream->topic, (int32_t)stream->partition)->offset = stream->first;
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(reader->client.rk, places);
    rd_kafka_topic_partition_list_destroy(places);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           client_fail(&reader->client, error, code, rd_kafka_err2str(code), "read topics");
}

/* Reading. */

/* Gives librdkafka's other news a chance: callbacks that say why nothing comes. */
static void serve(struct topic_reader *reader)
{
    rd_kafka_message_t *news = rd_kafka_consumer_poll(reader->client.rk, 0);
    if (news != NULL)
        rd_kafka_message_destroy(news);
}

static bool is_passing(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
           code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
}

/* Messages up to the end become records. False on a fault that does not pass. */
static bool take_messages(struct topic_reader *reader, struct stream *stream, size_t *count, struct store_error *error)
{
    *count = 0;
    for (size_t i = 0; i < stream->message_count && !stream->is_done; i++) {
        const rd_kafka_message_t *message = stream->messages[i];
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            stream->is_done = true;
        else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && !is_passing(message->err))
            return client_fail(&reader->client, error, message->err, rd_kafka_message_errstr(message), "read topics");
        else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset >= stream->end)
            stream->is_done = true;
        else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            record_of_message(message, &stream->records[(*count)++]);
    }
    return true;
}

/* librdkafka's batch call waits until the batch is full or the time is over:
 * so only the first message is waited for. */
static void consume(struct stream *stream)
{
    release(stream);
    ssize_t first = rd_kafka_consume_batch_queue(stream->queue, WAIT_MS, stream->messages, 1);
    if (first <= 0)
        return;
    ssize_t more = rd_kafka_consume_batch_queue(stream->queue, 0, stream->messages + 1, BATCH - 1);
    stream->message_count = 1 + (more > 0 ? (size_t)more : 0);
}

enum topic_answer topic_reader_read(struct topic_reader *reader, int number, const struct log_record **records,
                                    size_t *count, struct store_error *error)
{
    struct stream *stream = reader->streams[number];
    double begun = seconds_now();
    *count = 0;
    while (*count == 0 && !stream->is_done) {
        consume(stream);
        serve(reader);
        if (!take_messages(reader, stream, count, error))
            return TOPIC_FAILED;
        if (stream->message_count == 0 && seconds_now() - begun > PATIENCE_S) {
            client_fail(&reader->client, error, RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer", "read topics");
            return TOPIC_FAILED;
        }
    }
    *records = stream->records;
    return *count > 0 ? TOPIC_RECORDS : TOPIC_END;
}
