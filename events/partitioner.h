/* partitioner.h - which partition of callfold.events an account belongs to. */
#ifndef CALLFOLD_EVENTS_PARTITIONER_H
#define CALLFOLD_EVENTS_PARTITIONER_H

#include "events/text.h"

/* The Java client's default for a record with a key: murmur2 of the key, made
 * positive, modulo the number of partitions (> 0). Source: Apache Kafka,
 * org.apache.kafka.common.utils.Utils.murmur2 and toPositive. */
uint32_t partition_of_key(struct text key, uint32_t partition_count);

#endif
