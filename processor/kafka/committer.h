/* committer.h - a thread in which a transaction is committed.
 *
 * Sending the offsets and committing take some ten milliseconds of waiting for
 * brokers, and librdkafka waits in its calls. (It says that a call that timed
 * out may be made again; with short time-outs 2.0.2 then meets states that it
 * has not thought of, and ends the process.) So they are called in a thread of
 * their own, with more time than a transaction lives, while the caller goes on
 * folding; a call whose time is over all the same is not made again. The caller
 * leaves the producer alone until the commit has ended.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_COMMITTER_H
#define CALLFOLD_PROCESSOR_KAFKA_COMMITTER_H

#include "processor/kafka/client.h"
#include "processor/log.h"

struct committer;

/* The producer is borrowed. Ending waits for the calls that are under way: half
 * a minute at most. */
struct committer *committer_new(struct client *producer);
void committer_end(struct committer *committer);
/* Who waits on the queue is woken when a commit has ended. It is borrowed to
 * the end. */
void committer_wakes(struct committer *committer, rd_kafka_queue_t *queue);

/* Takes the offsets over; the group must stay until the commit has ended. */
void committer_start(struct committer *committer, rd_kafka_topic_partition_list_t *offsets,
                     const rd_kafka_consumer_group_metadata_t *group);
/* How the commit ended, or LOG_WAITING after timeout_ms. LOG_ABORTED: the
 * transaction is to be aborted. */
enum log_outcome committer_wait(struct committer *committer, int timeout_ms, struct store_error *error);

#endif
