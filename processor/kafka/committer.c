/* committer.c - see committer.h. */
#include "processor/kafka/committer.h"

#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "processor/thread.h"
#include "snapshots/fail_point.h"
#include "terminal/message.h"

#define OFFSETS_MS 10000 /* librdkafka makes it no more than the transaction has left */
#define COMMIT_MS  15000 /* by then the brokers have ended the transaction, one way or the other */
#define RETRY_MS   50
#define SETTLE_MS  2 /* that the brokers take to end a transaction in their logs, once they have said that it counts */

enum work { WORK_NONE, WORK_TO_DO, WORK_DONE };

struct committer {
    struct client *producer;
    rd_kafka_queue_t *woken; /* or NULL */
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows, and by handing over of the producer */
    pthread_cond_t changed;
    enum work work;
    bool is_ending;
    rd_kafka_topic_partition_list_t *offsets;
    const rd_kafka_consumer_group_metadata_t *group;
    enum log_outcome outcome;
    struct store_error error;
};

/* In the thread. */

static rd_kafka_error_t *send_offsets(struct committer *committer)
{
    return rd_kafka_send_offsets_to_transaction(committer->producer->rk, committer->offsets, committer->group,
                                                OFFSETS_MS);
}

static rd_kafka_error_t *commit(struct committer *committer)
{
    return rd_kafka_commit_transaction(committer->producer->rk, COMMIT_MS);
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

/* Takes a step again as long as that can help. One whose time is over may have
 * happened or not, and is neither resumed nor aborted: only a producer that
 * begins anew under the same name gets to know. */
static enum log_outcome take_step(struct committer *committer, rd_kafka_error_t *(*step)(struct committer *),
                                  const char *to_do)
{
    double begun = seconds_now();
    for (;;) {
        rd_kafka_error_t *fault = step(committer);
        bool is_timed_out = fault != NULL && rd_kafka_error_code(fault) == RD_KAFKA_RESP_ERR__TIMED_OUT;
        enum log_outcome outcome = client_judge(committer->producer, fault, to_do, &committer->error);
        if (outcome == LOG_DONE)
            return outcome;
        if (is_timed_out || (outcome == LOG_WAITING && seconds_now() - begun > COMMIT_MS / 1000.0))
            return LOG_BROKEN;
        if (outcome != LOG_WAITING)
            return outcome;
        sleep_ms(RETRY_MS);
    }
}

/* The next transaction is refused until the brokers have ended this one, and
 * librdkafka asks again 20 ms later only: so it shall begin a moment late. */
static enum log_outcome work(struct committer *committer)
{
    enum log_outcome outcome = take_step(committer, send_offsets, "commit offsets");
    if (outcome != LOG_DONE)
        return outcome;
    FAIL_POINT("before-commit");
    outcome = take_step(committer, commit, "commit");
    if (outcome == LOG_DONE) {
        FAIL_POINT("after-commit");
        sleep_ms(SETTLE_MS);
    }
    return outcome;
}

static void *run(void *opaque)
{
    struct committer *committer = opaque;
    pthread_mutex_lock(&committer->mutex);
    for (;;) {
        while (committer->work != WORK_TO_DO && !committer->is_ending)
            pthread_cond_wait(&committer->changed, &committer->mutex);
        if (committer->is_ending)
            break;
        pthread_mutex_unlock(&committer->mutex);
        enum log_outcome outcome = work(committer);
        pthread_mutex_lock(&committer->mutex);
        committer->outcome = outcome;
        committer->work = WORK_DONE;
        pthread_cond_signal(&committer->changed);
        if (committer->woken != NULL)
            rd_kafka_queue_yield(committer->woken);
    }
    pthread_mutex_unlock(&committer->mutex);
    return NULL;
}

/* Outside. */

struct committer *committer_new(struct client *producer)
{
    pthread_condattr_t attributes;
    struct committer *committer = calloc(1, sizeof *committer);
    if (committer == NULL)
        abort();
    committer->producer = producer;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&committer->mutex, NULL);
    pthread_cond_init(&committer->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    committer->thread = thread_start(run, committer);
    return committer;
}

void committer_wakes(struct committer *committer, rd_kafka_queue_t *queue)
{
    pthread_mutex_lock(&committer->mutex);
    committer->woken = queue;
    pthread_mutex_unlock(&committer->mutex);
}

static void forget_offsets(struct committer *committer)
{
    if (committer->offsets != NULL)
        rd_kafka_topic_partition_list_destroy(committer->offsets);
    committer->offsets = NULL;
}

void committer_end(struct committer *committer)
{
    pthread_mutex_lock(&committer->mutex);
    committer->is_ending = true;
    pthread_cond_signal(&committer->changed);
    pthread_mutex_unlock(&committer->mutex);
    pthread_join(committer->thread, NULL);
    pthread_cond_destroy(&committer->changed);
    pthread_mutex_destroy(&committer->mutex);
    forget_offsets(committer);
    free(committer);
}

void committer_start(struct committer *committer, rd_kafka_topic_partition_list_t *offsets,
                     const rd_kafka_consumer_group_metadata_t *group)
{
    pthread_mutex_lock(&committer->mutex);
    committer->offsets = offsets;
    committer->group = group;
    committer->work = WORK_TO_DO;
    pthread_cond_signal(&committer->changed);
    pthread_mutex_unlock(&committer->mutex);
}

static struct timespec time_after(int ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

enum log_outcome committer_wait(struct committer *committer, int timeout_ms, struct store_error *error)
{
    struct timespec until = time_after(timeout_ms);
    enum log_outcome outcome = LOG_WAITING;
    int waited = 0;
    pthread_mutex_lock(&committer->mutex);
    while (committer->work != WORK_DONE && waited == 0)
        waited = pthread_cond_timedwait(&committer->changed, &committer->mutex, &until);
    if (committer->work == WORK_DONE) {
        outcome = committer->outcome;
        committer->work = WORK_NONE;
        forget_offsets(committer);
        if (outcome != LOG_DONE)
            *error = committer->error;
    }
    pthread_mutex_unlock(&committer->mutex);
    return outcome;
}
