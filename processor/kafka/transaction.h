/* transaction.h - one transaction after the other, of one producer.
 *
 *     produce   outputs, any number; a transaction begins with the first
 *     seal      with the offsets that they stand for: the commit is under way
 *     advance   moves it on, for as long as the caller has time
 *     drop      what was produced since the last commit shall never be seen
 *
 * While a commit is under way the caller may go on folding: what it produces
 * meanwhile is held here and sent once the next transaction can begin. One
 * commit is under way at most; a caller that finds it full waits for its end.
 *
 * librdkafka's three classes of errors: what can be tried again is tried again;
 * what wants an abort is aborted, and the caller must go back to the last commit;
 * what is fatal (another process took the name), or a commit whose time is over,
 * needs a new producer.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_TRANSACTION_H
#define CALLFOLD_PROCESSOR_KAFKA_TRANSACTION_H

#include "events/encode.h"
#include "processor/kafka/client.h"
#include "processor/kafka/committer.h"
#include "processor/log.h"

enum transaction_stage {
    TRANSACTION_NONE,
    TRANSACTION_OPEN,   /* begun: outputs go out as they come */
    TRANSACTION_SEALED, /* its commit is under way */
};

struct held_output {
    rd_kafka_topic_t *topic;
    int32_t partition;
    size_t key_len, value_len; /* of its bytes in `held`, one after the other */
    bool has_key;
};

struct transaction {
    struct client producer;
    enum transaction_stage stage;
    struct committer *committer;
    struct buffer held; /* while a commit is under way */
    struct held_output *outputs;
    size_t output_count, output_capacity;
    rd_kafka_resp_err_t spoilt; /* why an output of this transaction was not taken */
    int aborts;                 /* in a row */
    double sealed_at, took;     /* seconds_now(); of the last commit that was done, 0 once it was noted */
};

/* Takes the instance's name: whoever had it before can commit nothing any more,
 * and what it had begun is aborted. Closed by transaction_close, also after a
 * failure. */
bool transaction_open(struct transaction *transaction, const struct kafka_settings *settings,
                      struct store_error *error);
void transaction_close(struct transaction *transaction);

rd_kafka_topic_t *transaction_topic(struct transaction *transaction, const char *name);
/* Key and value are copied. An absent key is null. */
void transaction_produce(struct transaction *transaction, rd_kafka_topic_t *topic, int32_t partition, struct text key,
                         struct text value);

/* More is held than should be, until the commit that is under way ends. */
bool transaction_is_full(const struct transaction *transaction);

/* Takes the offsets over; the group must stay until the commit has ended. None
 * may be under way. */
void transaction_seal(struct transaction *transaction, rd_kafka_topic_partition_list_t *offsets,
                      const rd_kafka_consumer_group_metadata_t *group);
/* LOG_DONE: nothing is under way (any more). LOG_WAITING: it still is. */
enum log_outcome transaction_advance(struct transaction *transaction, int timeout_ms, struct store_error *error);
/* The same, and what is not sealed is aborted. */
enum log_outcome transaction_drop(struct transaction *transaction, int timeout_ms, struct store_error *error);

#endif
