/* log_kafka.h - the log on Apache Kafka, behind log.h.
 *
 * One consumer of the group reads callfold.events, one transactional producer
 * writes the outputs: a commit is one transaction of outputs, a progress record
 * a partition, and the group's offsets (transaction.h). A position is an offset
 * of callfold.events: one past the last record folded.
 *
 * Assigned partitions start where the engine's states stand and are read up to
 * the committed offset (committed.h) by the same consumer, in the same loop as
 * what comes after it. The callback of a rebalance only takes note; what is to
 * be done is done between two reads. After an abort, the partitions are
 * assigned anew as if they had just come.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_LOG_KAFKA_H
#define CALLFOLD_PROCESSOR_KAFKA_LOG_KAFKA_H

#include <signal.h>

#include "processor/kafka/settings.h"
#include "processor/log.h"

struct log_kafka_config {
    const struct kafka_settings *settings; /* with an instance */
    const char *state;                     /* its directory: it keeps which cluster and group it belongs to */
    const volatile sig_atomic_t *stop;     /* not 0: wait for nothing that may never come */
};

/* Checks the topics and takes the instance's name. Borrows the config's
 * contents for the log's life. NULL on error. */
struct log *log_kafka_open(const struct log_kafka_config *config, struct store_error *error);
/* Of callfold.events. */
uint32_t log_kafka_partition_count(const struct log *log);

#endif
