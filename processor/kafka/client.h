/* client.h - a handle of librdkafka, made from the settings.
 *
 * Four kinds, as the commit rule wants them; what a kind needs is set here and
 * cannot be overridden, what only speed wants is a default that the settings
 * may change. Faults become a message with a way out and an exit code:
 * EX_CONFIG for what the operator must change (a wrong password, a certificate
 * that is not trusted, rights), EX_UNAVAILABLE for what may pass.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_CLIENT_H
#define CALLFOLD_PROCESSOR_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "processor/kafka/settings.h"
#include "processor/log.h"

enum client_kind {
    CLIENT_CONSUMER, /* of the group: events */
    CLIENT_READER,   /* reads given places of any topic to their end */
    CLIENT_PRODUCER, /* transactional: under the instance's name */
    CLIENT_FEEDER,   /* writes events, or asks and creates; no transactions */
    CLIENT_LOADER,   /* transactional, for decks: under a name of its own */
};

struct client {
    rd_kafka_t *rk;
    rd_kafka_resp_err_t trouble; /* the last that its connections met */
    char reason[512];
    bool has_scram;
    bool is_debugged;           /* by the property debug: its log is wanted line by line */
    _Atomic int offsets_lacked; /* 1 + the version of TxnOffsetCommit that a broker speaks, when it is too old */
    int64_t undelivered;        /* of a feeder: events that no broker took */
    /* Of a consumer: called from within a poll. */
    void (*rebalance)(void *owner, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t *partitions);
    void *owner;
};

/* For a process through which messages flow: the memory of those that are done
 * with stays, up to what the queues hold at most, for those that come. Given back
 * to the kernel each time, all of it would have to be cleared again: a tenth of
 * the CPU time. */
void client_keep_memory(void);

/* Fills *client, whose rebalance and owner are set; it must stay where it is. */
bool client_open(struct client *client, enum client_kind kind, const struct kafka_settings *settings,
                 struct store_error *error);
/* A client that was never opened (all zeros) is let be. */
void client_close(struct client *client);

/* Asks the brokers about all topics; for the first time, so that a broker that
 * is not there, a wrong password or certificate is told by name. NULL on error;
 * else rd_kafka_metadata_destroy. */
const struct rd_kafka_metadata *client_metadata(struct client *client, struct store_error *error);

/* The offsets that a partition begins and ends with (below the first open
 * transaction), asked of its leader. In place of rd_kafka_query_watermark_offsets,
 * which asks a leader that is gone without end (librdkafka 2.0.2 tries again
 * whenever a connection changes its state, whatever the time). */
rd_kafka_resp_err_t client_range(struct client *client, const char *topic, int32_t partition, int64_t *low,
                                 int64_t *high, int timeout_ms);

/* The cluster's id, to be freed with rd_kafka_mem_free; NULL on error. */
char *client_cluster(struct client *client, struct store_error *error);

/* False, with *error: "cannot DO: why", and the exit code that goes with it. */
bool client_fail(struct client *client, struct store_error *error, rd_kafka_resp_err_t code, const char *why,
                 const char *to_do);

/* librdkafka's three classes of errors, of a step of a transaction: NULL is
 * LOG_DONE, what can be tried again LOG_WAITING, what wants an abort LOG_ABORTED,
 * anything else LOG_BROKEN; all but the first with *error. Frees the fault. */
enum log_outcome client_judge(struct client *client, rd_kafka_error_t *fault, const char *to_do,
                              struct store_error *error);

#endif
