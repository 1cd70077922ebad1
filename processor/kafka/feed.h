/* feed.h - events written to callfold.events, each to its partition.
 *
 * An event of an account has the account as its key and goes where the Java
 * client's default would put it; a broadcast goes to every partition, and so
 * does callfold.clock.advanced.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_FEED_H
#define CALLFOLD_PROCESSOR_KAFKA_FEED_H

#include "events/text.h"
#include "processor/kafka/client.h"

struct feed {
    struct client client;
    rd_kafka_topic_t *topic;
    uint32_t partition_count;
};

/* kind: CLIENT_FEEDER, or CLIENT_LOADER for one transaction from feed_begin to
 * feed_commit. Closed by feed_close, also after a failure. */
bool feed_open(struct feed *feed, enum client_kind kind, const struct kafka_settings *settings,
               struct store_error *error);
void feed_close(struct feed *feed);

bool feed_begin(struct feed *feed, struct store_error *error);
/* Writes one event to one partition; waits while the queue is full. */
bool feed_write(struct feed *feed, uint32_t partition, struct text key, struct text value, struct store_error *error);
bool feed_broadcast(struct feed *feed, struct text value, struct store_error *error);
/* All or nothing; after a failure it may have been either, when the brokers did
 * not answer: the same deck again is absorbed. */
bool feed_commit(struct feed *feed, struct store_error *error);
/* Without a transaction: until all that was written is acknowledged. */
bool feed_flush(struct feed *feed, struct store_error *error);

#endif
