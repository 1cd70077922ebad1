/* record.c - see record.h. */
#include "processor/kafka/record.h"

static struct text text_or_empty(const void *at, size_t len)
{
    return (struct text){at != NULL ? at : "", len};
}

void record_of_message(const rd_kafka_message_t *message, struct log_record *record)
{
    rd_kafka_timestamp_type_t type;
    *record = (struct log_record){
        .partition = (uint32_t)message->partition,
        .end = message->offset + 1,
        .record = {.offset = message->offset,
                   .has_timestamp = true,
                   .timestamp_ms = rd_kafka_message_timestamp(message, &type),
                   .has_key = true,
                   .key = {message->key, message->key_len},
                   .value = text_or_empty(message->payload, message->len)},
    };
}
