/* transaction.c - see transaction.h. */
#include "processor/kafka/transaction.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "processor/pulse.h"
#include "snapshots/fail_point.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define INIT_MS    100 /* first try; each next one twice as long, up to */
#define INIT_MAX   10000
#define STEP_MS    1000 /* between two looks at whether the process is to end */
#define PATIENCE_S 75   /* with a coordinator that is not there at the start */
#define FULL_MS    10   /* wait for room in the producer's queue */
#define SEND_MS    2000 /* to the brokers at an end in the middle of a transaction */
#define HELD_MAX   (64 << 20)
#define ABORT_MS   15000 /* by then the brokers have aborted it themselves */
#define ABORTS_MAX 20    /* in a row: then it does not pass by itself */
#define PAUSE_MS   100   /* after the second abort in a row, and longer after each */

/* Opening. */

/* Asks in steps: after one that took too long librdkafka goes on with the same question. */
static rd_kafka_error_t *ask_for_name(struct client *producer, int wait_ms)
{
    for (;; wait_ms -= STEP_MS) {
        rd_kafka_error_t *fault = rd_kafka_init_transactions(producer->rk, wait_ms < STEP_MS ? wait_ms : STEP_MS);
        if (fault == NULL || rd_kafka_error_code(fault) != RD_KAFKA_RESP_ERR__TIMED_OUT || wait_ms <= STEP_MS ||
            !pulse_goes_on())
            return fault;
        rd_kafka_error_destroy(fault);
    }
}

/* A name whose last holder left a transaction open is given away once that is
 * aborted, some 20 ms after the first question; librdkafka asks again after
 * 500. So a try is short, and the next one is a new producer's. */
static bool take_name(struct transaction *transaction, const struct kafka_settings *settings, struct store_error *error)
{
    struct client *producer = &transaction->producer;
    double begun = seconds_now();
    for (int wait_ms = INIT_MS;; wait_ms = wait_ms < INIT_MAX ? 2 * wait_ms : INIT_MAX) {
        if (!client_open(producer, CLIENT_PRODUCER, settings, error))
            return false;
        rd_kafka_error_t *fault = ask_for_name(producer, wait_ms);
        if (fault == NULL)
            return true;
        rd_kafka_poll(producer->rk, 0);
        bool again = rd_kafka_error_is_retriable(fault) && seconds_now() - begun < PATIENCE_S && pulse_goes_on();
        if (!again)
            client_fail(producer, error, rd_kafka_error_code(fault), rd_kafka_error_string(fault),
                        "begin transactions");
        rd_kafka_error_destroy(fault);
        if (!again)
            return false;
        client_close(producer);
    }
}

bool transaction_open(struct transaction *transaction, const struct kafka_settings *settings, struct store_error *error)
{
    if (!take_name(transaction, settings, error))
        return false;
    transaction->committer = committer_new(&transaction->producer);
    return true;
}

/* Who ends in the middle of one lets it go, and the brokers abort it. But 2.0.2 ends the process by an
 * assertion when it is destroyed while it registers a partition with one: what has been sent is registered. */
static void send_what_waits(struct transaction *transaction)
{
    if (transaction->stage == TRANSACTION_OPEN && transaction->spoilt == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_flush(transaction->producer.rk, SEND_MS);
}

void transaction_close(struct transaction *transaction)
{
    if (transaction->committer != NULL)
        committer_end(transaction->committer);
    send_what_waits(transaction);
    client_close(&transaction->producer);
    buffer_free(&transaction->held);
    free(transaction->outputs);
}

rd_kafka_topic_t *transaction_topic(struct transaction *transaction, const char *name)
{
    return rd_kafka_topic_new(transaction->producer.rk, name, NULL);
}

/* Producing. */

static bool is_under_way(const struct transaction *transaction)
{
    return transaction->stage == TRANSACTION_SEALED;
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

static void forget_held(struct transaction *transaction)
{
    transaction->output_count = 0;
    transaction->held.len = 0;
}

bool transaction_is_full(const struct transaction *transaction)
{
    return transaction->held.len > HELD_MAX;
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
    forget_held(transaction);
}

/* Committing. */

void transaction_seal(struct transaction *transaction, rd_kafka_topic_partition_list_t *offsets,
                      const rd_kafka_consumer_group_metadata_t *group)
{
    transaction->stage = TRANSACTION_SEALED;
    transaction->sealed_at = seconds_now();
    FAIL_POINT("after-produce");
    if (transaction->spoilt == RD_KAFKA_RESP_ERR_NO_ERROR)
        committer_start(transaction->committer, offsets, group);
    else
        rd_kafka_topic_partition_list_destroy(offsets);
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
        client_fail(&transaction->producer, error, code, why, "publish");
    return is_fatal ? LOG_BROKEN : LOG_ABORTED;
}

/* False when only a new producer can: it aborts what is open by taking the name. */
static bool abort_now(struct transaction *transaction, struct store_error *error)
{
    transaction->stage = TRANSACTION_NONE;
    forget_held(transaction);
    return client_judge(&transaction->producer, rd_kafka_abort_transaction(transaction->producer.rk, ABORT_MS), "abort",
                        error) == LOG_DONE;
}

/* Whatever made the last commit fail may need a moment to pass. */
static void pause_after(int aborts)
{
    long ms = PAUSE_MS * (long)(aborts - 1);
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static enum log_outcome abort_failed(struct transaction *transaction, struct store_error *error)
{
    if (++transaction->aborts >= ABORTS_MAX)
        return LOG_BROKEN;
    message_note("%s; aborting, and going back to the last commit", error->message);
    if (!abort_now(transaction, error))
        return LOG_BROKEN;
    pause_after(transaction->aborts);
    return LOG_ABORTED;
}

enum log_outcome transaction_drop(struct transaction *transaction, int timeout_ms, struct store_error *error)
{
    forget_held(transaction);
    enum log_outcome outcome = transaction_advance(transaction, timeout_ms, error);
    if (outcome != LOG_DONE || transaction->stage == TRANSACTION_NONE)
        return outcome;
    return abort_now(transaction, error) ? LOG_DONE : LOG_BROKEN;
}

enum log_outcome transaction_advance(struct transaction *transaction, int timeout_ms, struct store_error *error)
{
    if (!is_under_way(transaction))
        return LOG_DONE;
    enum log_outcome outcome = transaction->spoilt == RD_KAFKA_RESP_ERR_NO_ERROR
                                   ? committer_wait(transaction->committer, timeout_ms, error)
                                   : judge_spoilt(transaction, error);
    if (outcome == LOG_WAITING)
        return outcome;
    rd_kafka_poll(transaction->producer.rk, 0);
    if (outcome == LOG_ABORTED)
        return abort_failed(transaction, error);
    if (outcome == LOG_DONE) {
        transaction->took = seconds_now() - transaction->sealed_at;
        transaction->aborts = 0;
        transaction->stage = TRANSACTION_NONE;
        send_held(transaction);
    }
    return outcome;
}
