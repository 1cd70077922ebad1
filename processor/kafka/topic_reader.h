/* topic_reader.h - topics read from the outside, to where they end now.
 *
 * For audits: no group is joined and nothing is committed; a meter that runs is
 * not disturbed. Each partition of a topic is a stream of its own, from an
 * offset to the last stable offset at the time the stream was added: what is
 * written later, and what is in a transaction that was open then, is not read.
 *
 *     reader = topic_reader_open(&settings, &error)
 *     stream = topic_reader_add(reader, EVENTS_TOPIC, 0, 0, &error)   ... before start
 *     topic_reader_start(reader, &error)
 *     while (topic_reader_read(reader, stream, &records, &count, &error) == TOPIC_RECORDS) ...
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_TOPIC_READER_H
#define CALLFOLD_PROCESSOR_KAFKA_TOPIC_READER_H

#include "processor/kafka/settings.h"
#include "processor/log.h"

struct topic_reader;
enum topic_answer { TOPIC_RECORDS, TOPIC_END, TOPIC_FAILED };

#define TOPIC_START (-1) /* the first offset that is there */

/* Finds the brokers and the topics. settings are borrowed. NULL on error. */
struct topic_reader *topic_reader_open(const struct kafka_settings *settings, struct store_error *error);
void topic_reader_close(struct topic_reader *reader);

/* The cluster's id; lives as long as the reader. */
const char *topic_reader_cluster(const struct topic_reader *reader);
/* How many partitions a topic has; 0 when there is no such topic. */
uint32_t topic_reader_partitions(const struct topic_reader *reader, const char *topic);

/* Adds a stream; its number (0, 1, 2 ...), or -1 with *error: EX_DATAERR when
 * the topic holds nothing at `from` any more. */
int topic_reader_add(struct topic_reader *reader, const char *topic, uint32_t partition, int64_t from,
                     struct store_error *error);
/* Where a stream begins and ends: [*first, *end), gaps and markers included. */
void topic_reader_range(const struct topic_reader *reader, int stream, int64_t *first, int64_t *end);
bool topic_reader_start(struct topic_reader *reader, struct store_error *error);

/* The stream's next records, valid until its next read. */
enum topic_answer topic_reader_read(struct topic_reader *reader, int stream, const struct log_record **records,
                                    size_t *count, struct store_error *error);

#endif
