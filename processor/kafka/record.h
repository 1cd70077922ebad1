/* record.h - a message of librdkafka as a record of the log. */
#ifndef CALLFOLD_PROCESSOR_KAFKA_RECORD_H
#define CALLFOLD_PROCESSOR_KAFKA_RECORD_H

#include <librdkafka/rdkafka.h>

#include "processor/log.h"

/* The texts are the message's. A record without a value has an empty one. */
void record_of_message(const rd_kafka_message_t *message, struct log_record *record);

#endif
