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

/* Of a message: a count, and why it stays what it was. */
#define COUNT_IS_FIXED                                                                                  \
    "accounts would move to others, where nothing is known of them: make the topics anew with %" PRIu32 \
    " partitions, "                                                                                     \
    "or begin a new group on new topics"

#define OWNER_SIZE 96 /* of a process: namesake_client_id(), or nothing */

/* Fills progress[i] and owners[i], whose commit it is, for partitions->elems[i]
 * of the events, which have partition_count in all. consumer: the group's;
 * reader: a CLIENT_READER without an assignment. False too when commits were
 * made with another count. */
bool committed_read(struct client *consumer, struct client *reader, const rd_kafka_topic_partition_list_t *partitions,
                    uint32_t partition_count, struct log_progress *progress, char (*owners)[OWNER_SIZE],
                    struct store_error *error);
/* The last owner of each partition, by number. */
bool committed_owners(struct client *reader, uint32_t partition_count, char (*owners)[OWNER_SIZE],
                      struct store_error *error);

#endif
