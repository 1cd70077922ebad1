/* attestations.c - see attestations.h. */
#include "processor/kafka/attestations.h"

#include <errno.h>

#include "processor/attested.h"
#include "processor/kafka/topics.h"
#include "processor/pulse.h"
#include "terminal/message.h"

#define ASK_MS     10000
#define POLL_MS    100
#define PATIENCE_S 60 /* for a broker */
#define SETTLE_S   10 /* until a committed record is there as its offset is */

static const char *topic_name(void)
{
    return topics_output_name(TOPIC_ATTESTATIONS);
}

static bool fail(struct attestations *attestations, struct store_error *error, rd_kafka_resp_err_t code)
{
    return client_fail(&attestations->client, error, code, rd_kafka_err2str(code), "read callfold.attestations");
}

static bool open_topic(struct attestations *attestations, const struct kafka_settings *settings,
                       struct store_error *error)
{
    if (attestations->topic != NULL)
        return true;
    if (!client_open(&attestations->client, CLIENT_READER, settings, error))
        return false;
    attestations->topic = rd_kafka_topic_new(attestations->client.rk, topic_name(), NULL);
    return attestations->topic != NULL || fail(attestations, error, rd_kafka_last_error());
}

static void release_last(struct attestations *attestations)
{
    if (attestations->last != NULL)
        rd_kafka_message_destroy(attestations->last);
    attestations->last = NULL;
}

static bool start(struct attestations *attestations, uint32_t partition, int64_t offset, struct store_error *error)
{
    return rd_kafka_consume_start(attestations->topic, (int32_t)partition, offset) == 0 ||
           fail(attestations, error, rd_kafka_last_error());
}

/* The next record into attestations->last, or none at the end, once that has
 * been the end for settle_s. */
static bool read_one(struct attestations *attestations, uint32_t partition, double settle_s, struct store_error *error)
{
    double begun = seconds_now(), ended = 0;
    release_last(attestations);
    while (seconds_now() - begun < PATIENCE_S && pulse_goes_on()) {
        rd_kafka_message_t *message = rd_kafka_consume(attestations->topic, (int32_t)partition, POLL_MS);
        if (message != NULL && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            attestations->last = message;
            return true;
        }
        if (message != NULL && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && ended == 0)
            ended = seconds_now();
        if (message != NULL)
            rd_kafka_message_destroy(message);
        if (ended > 0 && seconds_now() - ended >= settle_s)
            return true;
    }
    return fail(attestations, error, RD_KAFKA_RESP_ERR__TIMED_OUT);
}

/* Does the state know the first record at or after an offset? Then *after is
 * the offset after it. */
static bool is_known(struct attestations *attestations, uint32_t partition, int64_t offset, int64_t inputs, bool *known,
                     int64_t *after, struct store_error *error)
{
    uint32_t its_partition;
    int64_t its_inputs;
    *known = false;
    if (!start(attestations, partition, offset, error))
        return false;
    bool read = read_one(attestations, partition, 0, error);
    rd_kafka_consume_stop(attestations->topic, (int32_t)partition);
    const rd_kafka_message_t *message = attestations->last;
    if (!read || message == NULL)
        return read;
    const struct text line = {message->payload, message->len};
    *known = attested_read(line, &its_partition, &its_inputs) && its_inputs <= inputs;
    *after = message->offset + 1;
    return true;
}

static bool find_place(struct attestations *attestations, uint32_t partition, int64_t inputs, int64_t *place,
                       struct store_error *error)
{
    int64_t low = 0, high = 0, after;
    bool known;
    rd_kafka_resp_err_t code =
        client_range(&attestations->client, topic_name(), (int32_t)partition, &low, &high, ASK_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return fail(attestations, error, code);
    while (inputs > 0 && low < high) {
        int64_t middle = low + (high - low) / 2;
        if (!is_known(attestations, partition, middle, inputs, &known, &after, error))
            return false;
        if (known)
            low = after;
        else
            high = middle;
    }
    *place = low;
    return true;
}

static bool start_at_place(struct attestations *attestations, uint32_t partition, int64_t inputs,
                           struct store_error *error)
{
    int64_t place = 0;
    if (attestations->is_started[partition])
        return true;
    if (!find_place(attestations, partition, inputs, &place, error) || !start(attestations, partition, place, error))
        return false;
    attestations->is_started[partition] = true;
    return true;
}

enum log_answer attestations_next(struct attestations *attestations, const struct kafka_settings *settings,
                                  uint32_t partition, int64_t inputs, struct log_published *published,
                                  struct store_error *error)
{
    if (!open_topic(attestations, settings, error) || !start_at_place(attestations, partition, inputs, error) ||
        !read_one(attestations, partition, SETTLE_S, error))
        return LOG_FAILED;
    const rd_kafka_message_t *message = attestations->last;
    if (message == NULL)
        return LOG_END;
    *published = (struct log_published){.line = {message->payload, message->len},
                                        .where = "topic callfold.attestations, offset",
                                        .place = message->offset};
    return LOG_RECORDS;
}

void attestations_restart(struct attestations *attestations, uint32_t partition)
{
    if (attestations->is_started[partition])
        rd_kafka_consume_stop(attestations->topic, (int32_t)partition);
    attestations->is_started[partition] = false;
}

void attestations_close(struct attestations *attestations)
{
    release_last(attestations);
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++)
        attestations_restart(attestations, i);
    if (attestations->topic != NULL)
        rd_kafka_topic_destroy(attestations->topic);
    client_close(&attestations->client);
}
