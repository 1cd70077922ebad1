/* transaction.c - see transaction.h. */
#include "processor/kafka/transaction.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "processor/message.h"
#include "snapshots/fail_point.h"
#include "snapshots/files.h"

#define INIT_MS    10000
#define PATIENCE_S 75 /* with a coordinator that is not there at the start */
#define FULL_MS    10 /* wait for room in the producer's queue */
#define STEP_MS    1000
#define ABORTS_MAX 20 /* in a row: then it does not pass by itself */

/* Errors. */

static bool fail_fatally(struct transaction *transaction, rd_kafka_resp_err_t code, const char *why,
                         struct store_error *error)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        return fail_with(error, EX_UNAVAILABLE,
                         "fenced: another process took over under this callfold.instance, or this one's transaction "
                         "timed out (%s); nothing of it was published; start it again unless another one runs",
                         why);
    default: return client_fail(&transaction->producer, error, code, why, "commit");
    }
}

/* What librdkafka says of a step: done, again, aborting, or over. Frees fault. */
static enum log_outcome judge(struct transaction *transaction, rd_kafka_error_t *fault, struct store_error *error)
{
    enum log_outcome outcome = LOG_BROKEN;
    if (fault == NULL)
        return LOG_DONE;
    rd_kafka_resp_err_t code = rd_kafka_error_code(fault);
    if (rd_kafka_error_is_fatal(fault))
        fail_fatally(transaction, code, rd_kafka_error_string(fault), error);
    else if (rd_kafka_error_is_retriable(fault))
        outcome = LOG_WAITING;
    else if (!rd_kafka_error_txn_requires_abort(fault))
        client_fail(&transaction->producer, error, code, rd_kafka_error_string(fault), "commit");
    else {
        outcome = LOG_ABORTED;
        message_note("transaction aborted: %s; going back to the last commit", rd_kafka_error_string(fault));
        client_fail(&transaction->producer, error, code, rd_kafka_error_string(fault), "commit");
    }
    rd_kafka_error_destroy(fault);
    return outcome;
}

/* Opening. */

static bool take_name(struct transaction *transaction, struct store_error *error)
{
    double begun = seconds_now();
    for (;;) {
        rd_kafka_error_t *fault = rd_kafka_init_transactions(transaction->producer.rk, INIT_MS);
        if (fault == NULL)
            return true;
        rd_kafka_poll(transaction->producer.rk, 0);
        bool again = rd_kafka_error_is_retriable(fault) && seconds_now() - begun < PATIENCE_S;
        if (!again)
            client_fail(&transaction->producer, error, rd_kafka_error_code(fault), rd_kafka_error_string(fault),
                        "begin transactions");
        rd_kafka_error_destroy(fault);
        if (!again)
            return false;
    }
}

bool transaction_open(struct transaction *transaction, const struct kafka_settings *settings, struct store_error *error)
{
    return client_open(&transaction->producer, CLIENT_PRODUCER, settings, error) && take_name(transaction, error);
}

static void forget_offsets(struct transaction *transaction)
{
    if (transaction->offsets != NULL)
        rd_kafka_topic_partition_list_destroy(transaction->offsets);
    transaction->offsets = NULL;
}

void transaction_close(struct transaction *transaction)
{
    forget_offsets(transaction);
    client_close(&transaction->producer);
    buffer_free(&transaction->held);
    free(transaction->outputs);
}

rd_kafka_topic_t *transaction_topic(struct transaction *transaction, const char *name)
{
    return rd_kafka_topic_new(transaction->producer.rk, name, NULL);
}

/* Producing. */

bool transaction_is_under_way(const struct transaction *transaction)
{
    return transaction->stage > TRANSACTION_OPEN;
}

static void hold_output(struct transaction *transaction, rd_kafka_topic_t *topic, int32_t partition, struct text key,
                        struct text value)
{
    if (transaction->output_count == transaction->output_capacity) {
        transaction->output_capacity = transaction->output_capacity > 0 ? 2 * transaction->output_capacity : 1024;
        transaction->outputs =
            realloc(transaction->outputs, transaction->output_capacity * sizeof transaction->outputs[0]);
        if (transaction->outputs == NULL)
            abort();
    }
    transaction->outputs[transaction->output_count++] =
        (struct held_output){topic, partition, key.len, value.len, text_present(key)};
    buffer_append(&transaction->held, key.at, key.len);
    buffer_append(&transaction->held, value.at, value.len);
}

/* A queue that is full is waited for. Any other fault spoils the transaction. */
static void send_output(struct transaction *transaction, rd_kafka_topic_t *topic, int32_t partition, struct text key,
                        struct text value)
{
    for (;;) {
        void *bytes = (void *)(uintptr_t)value.at;
        if (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, bytes, value.len, key.at, key.len, NULL) == 0)
            return;
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            transaction->spoilt = code;
            return;
        }
        rd_kafka_poll(transaction->producer.rk, FULL_MS);
    }
}

void transaction_produce(struct transaction *transaction, rd_kafka_topic_t *topic, int32_t partition, struct text key,
                         struct text value)
{
    if (transaction->stage == TRANSACTION_NONE) {
        rd_kafka_error_t *fault = rd_kafka_begin_transaction(transaction->producer.rk);
        transaction->spoilt = fault != NULL ? rd_kafka_error_code(fault) : RD_KAFKA_RESP_ERR_NO_ERROR;
        transaction->stage = TRANSACTION_OPEN;
        if (fault != NULL)
            rd_kafka_error_destroy(fault);
    }
    if (transaction->stage == TRANSACTION_OPEN)
        send_output(transaction, topic, partition, key, value);
    else
        hold_output(transaction, topic, partition, key, value);
}

static void send_held(struct transaction *transaction)
{
    const char *at = transaction->held.at;
    size_t count = transaction->output_count;
    for (size_t i = 0; i < count; i++) {
        const struct held_output *output = &transaction->outputs[i];
        struct text key = {output->has_key ? at : NULL, output->key_len},
                    value = {at + output->key_len, output->value_len};
        transaction_produce(transaction, output->topic, output->partition, key, value);
        at += output->key_len + output->value_len;
    }
    transaction->output_count = 0;
    transaction->held.len = 0;
}

/* Committing. */

void transaction_seal(struct transaction *transaction, rd_kafka_topic_partition_list_t *offsets,
                      const rd_kafka_consumer_group_metadata_t *group)
{
    transaction->offsets = offsets;
    transaction->group = group;
    transaction->stage = TRANSACTION_OFFSETS;
    FAIL_POINT("after-produce");
}

/* An output that was not taken must not be missing from a commit. */
static enum log_outcome judge_spoilt(struct transaction *transaction, struct store_error *error)
{
    rd_kafka_resp_err_t code = transaction->spoilt;
    char why[256];
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        fail_with(error, EX_CONFIG,
                  "an output is larger than message.max.bytes of the Kafka properties; raise it there "
                  "and max.message.bytes of the topics");
        return LOG_BROKEN;
    }
    client_fail(&transaction->producer, error, code, rd_kafka_err2str(code), "publish");
    bool is_fatal = rd_kafka_fatal_error(transaction->producer.rk, why, sizeof why) != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (is_fatal)
        fail_fatally(transaction, code, why, error);
    return is_fatal ? LOG_BROKEN : LOG_ABORTED;
}

static enum log_outcome step(struct transaction *transaction, int timeout_ms, struct store_error *error)
{
    rd_kafka_t *rk = transaction->producer.rk;
    enum log_outcome outcome;
    if (transaction->spoilt != RD_KAFKA_RESP_ERR_NO_ERROR)
        return judge_spoilt(transaction, error);
    if (transaction->stage == TRANSACTION_OFFSETS) {
        outcome =
            judge(transaction,
                  rd_kafka_send_offsets_to_transaction(rk, transaction->offsets, transaction->group, STEP_MS), error);
        if (outcome != LOG_DONE)
            return outcome;
        transaction->stage = TRANSACTION_COMMITTING;
        FAIL_POINT("before-commit");
    }
    outcome = judge(transaction, rd_kafka_commit_transaction(rk, timeout_ms), error);
    if (outcome == LOG_DONE)
        FAIL_POINT("after-commit");
    return outcome;
}

enum log_outcome transaction_abort(struct transaction *transaction, struct store_error *error)
{
    enum log_outcome outcome = LOG_DONE;
    forget_offsets(transaction);
    transaction->output_count = 0;
    transaction->held.len = 0;
    if (transaction->stage == TRANSACTION_NONE)
        return LOG_DONE;
    transaction->stage = TRANSACTION_NONE;
    do
        outcome = judge(transaction, rd_kafka_abort_transaction(transaction->producer.rk, STEP_MS), error);
    while (outcome == LOG_WAITING);
    return outcome == LOG_DONE ? LOG_DONE : LOG_BROKEN;
}

static enum log_outcome give_up(struct transaction *transaction, struct store_error *error)
{
    struct store_error cause = *error;
    if (++transaction->aborts >= ABORTS_MAX)
        return LOG_BROKEN;
    enum log_outcome outcome = transaction_abort(transaction, error);
    if (outcome != LOG_DONE)
        return outcome;
    *error = cause;
    return LOG_ABORTED;
}

enum log_outcome transaction_advance(struct transaction *transaction, int timeout_ms, struct store_error *error)
{
    if (!transaction_is_under_way(transaction))
        return LOG_DONE;
    rd_kafka_poll(transaction->producer.rk, 0);
    enum log_outcome outcome = step(transaction, timeout_ms, error);
    if (outcome == LOG_ABORTED)
        return give_up(transaction, error);
    if (outcome != LOG_DONE)
        return outcome;
    forget_offsets(transaction);
    transaction->aborts = 0;
    transaction->stage = TRANSACTION_NONE;
    send_held(transaction);
    return LOG_DONE;
}
