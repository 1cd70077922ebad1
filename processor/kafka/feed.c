/* feed.c - see feed.h. */
#include "processor/kafka/feed.h"

#include <sysexits.h>

#include "processor/kafka/topics.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define FULL_MS    10
#define STEP_MS    1000
#define PATIENCE_S 75
#define COMMIT_MS  75000 /* more than a deck's transaction lives */

/* Frees the fault. */
static bool fail_step(struct feed *feed, rd_kafka_error_t *fault, struct store_error *error)
{
    client_fail(&feed->client, error, rd_kafka_error_code(fault), rd_kafka_error_string(fault), "write the events");
    rd_kafka_error_destroy(fault);
    return false;
}

bool feed_open(struct feed *feed, enum client_kind kind, const struct kafka_settings *settings,
               struct store_error *error)
{
    if (!client_open(&feed->client, kind, settings, error) ||
        (feed->partition_count = topics_count_partitions(&feed->client, error)) == 0)
        return false;
    feed->topic = rd_kafka_topic_new(feed->client.rk, EVENTS_TOPIC, NULL);
    return true;
}

void feed_close(struct feed *feed)
{
    if (feed->topic != NULL)
        rd_kafka_topic_destroy(feed->topic);
    client_close(&feed->client);
}

bool feed_begin(struct feed *feed, struct store_error *error)
{
    rd_kafka_error_t *fault;
    double begun = seconds_now();
    while ((fault = rd_kafka_init_transactions(feed->client.rk, STEP_MS)) != NULL) {
        if (!rd_kafka_error_is_retriable(fault) || seconds_now() - begun > PATIENCE_S)
            return fail_step(feed, fault, error);
        rd_kafka_error_destroy(fault);
    }
    fault = rd_kafka_begin_transaction(feed->client.rk);
    return fault == NULL || fail_step(feed, fault, error);
}

bool feed_write(struct feed *feed, uint32_t partition, struct text key, struct text value, struct store_error *error)
{
    void *bytes = (void *)(uintptr_t)value.at;
    while (rd_kafka_produce(feed->topic, (int32_t)partition, RD_KAFKA_MSG_F_COPY, bytes, value.len, key.at, key.len,
                            NULL) != 0) {
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
            return fail_with(error, EX_DATAERR,
                             "an event of %zu bytes is larger than message.max.bytes of the Kafka properties",
                             value.len);
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return client_fail(&feed->client, error, code, rd_kafka_err2str(code), "write an event");
        rd_kafka_poll(feed->client.rk, FULL_MS);
    }
    rd_kafka_poll(feed->client.rk, 0);
    return true;
}

bool feed_broadcast(struct feed *feed, struct text value, struct store_error *error)
{
    for (uint32_t partition = 0; partition < feed->partition_count; partition++)
        if (!feed_write(feed, partition, TEXT_NONE, value, error))
            return false;
    return true;
}

/* Not resumed when its time is over: see committer.h. What is left open then,
 * the next feed of this kind aborts, or the broker. */
bool feed_commit(struct feed *feed, struct store_error *error)
{
    rd_kafka_error_t *fault = rd_kafka_commit_transaction(feed->client.rk, COMMIT_MS);
    if (fault == NULL)
        return true;
    if (rd_kafka_error_txn_requires_abort(fault))
        rd_kafka_error_destroy(rd_kafka_abort_transaction(feed->client.rk, COMMIT_MS));
    return fail_step(feed, fault, error);
}

bool feed_flush(struct feed *feed, struct store_error *error)
{
    while (rd_kafka_outq_len(feed->client.rk) > 0 && feed->client.undelivered == 0)
        rd_kafka_flush(feed->client.rk, STEP_MS);
    return feed->client.undelivered == 0 ||
           client_fail(&feed->client, error, feed->client.trouble, feed->client.reason, "write the events");
}
