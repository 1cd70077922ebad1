/* topics.h - the topics that the meter reads and writes, and how they must be.
 *
 * The order of time is the broker's (callfold.events has LogAppendTime), the
 * log is the truth (events and ledger never expire, unless
 * callfold.allow.retention says so), what is a table is compacted, and all have
 * as many partitions as the events: an output goes where its event was.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_TOPICS_H
#define CALLFOLD_PROCESSOR_KAFKA_TOPICS_H

#include "events/output.h"
#include "processor/kafka/client.h"

#define EVENTS_TOPIC   TYPE_PREFIX "events"
#define PROGRESS_TOPIC TYPE_PREFIX "progress"

/* "callfold.commands" ... */
const char *topics_output_name(enum output_topic topic);

/* What `topics create` is asked for. */
struct topics_wish {
    int partitions, replication_factor; /* -1: as the others have, or the broker's default */
    int64_t retention_ms;               /* of events, ledger, calls and attestations; -1: for ever */
};
/* Makes those that are missing and says of each what it did, or in what an
 * existing one differs (on stderr). *differs: some do. */
bool topics_make(struct client *client, const struct topics_wish *wish, bool *differs, struct store_error *error);

/* Of callfold.events: 0 with *error when it is not there. */
uint32_t topics_count_partitions(struct client *client, struct store_error *error);
/* Are all there, and as they must be? The number of partitions, or 0 with *error. */
uint32_t topics_check(struct client *client, bool allow_retention, struct store_error *error);

#endif
