/* committed.h - what the last commit of a partition says, from both its places.
 *
 * A commit writes the group's offset and a record to callfold.progress in one
 * transaction, so they agree once its markers are everywhere. The offset is
 * asked for first and only as a stable one, which waits for a transaction of a
 * dead process to end; from then on nobody but the partition's owner can
 * commit, and the record follows within moments. If it does not, somebody
 * moved the offsets (a reset, an expiry) or the topic is another one.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_COMMITTED_H
#define CALLFOLD_PROCESSOR_KAFKA_COMMITTED_H

#include "processor/kafka/client.h"
#include "processor/log.h"

/* Fills progress[i] for partitions->elems[i] of the events. consumer: the
 * group's; reader: a CLIENT_READER without an assignment. */
bool committed_read(struct client *consumer, struct client *reader, const rd_kafka_topic_partition_list_t *partitions,
                    struct log_progress *progress, struct store_error *error);

#endif
