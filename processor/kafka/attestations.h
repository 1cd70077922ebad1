/* attestations.h - callfold.attestations read back, partition by partition.
 *
 * A partition that is folded again asks for what was attested from where its
 * state stands. That place is found by halving, for a topic that is kept for
 * ever is long; from there on records are read one by one, so that nothing is
 * held. A record may show later than the offset that was committed with it:
 * the end is the end only after a while.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_ATTESTATIONS_H
#define CALLFOLD_PROCESSOR_KAFKA_ATTESTATIONS_H

#include "processor/kafka/client.h"

/* All zeros until it is first asked; must stay where it is. */
struct attestations {
    struct client client;
    rd_kafka_topic_t *topic;
    bool is_started[PARTITIONS_MAX];
    rd_kafka_message_t *last; /* what was given out */
};

/* As log.h's recall. */
enum log_answer attestations_next(struct attestations *attestations, const struct kafka_settings *settings,
                                  uint32_t partition, int64_t inputs, struct log_published *published,
                                  struct store_error *error);
/* The partition's state is another one now: the next call begins anew. */
void attestations_restart(struct attestations *attestations, uint32_t partition);
void attestations_close(struct attestations *attestations);

#endif
