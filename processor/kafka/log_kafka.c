/* log_kafka.c - see log_kafka.h. */
#include "processor/kafka/log_kafka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "processor/kafka/attestations.h"
#include "processor/kafka/alarm.h"
#include "processor/kafka/client.h"
#include "processor/kafka/committed.h"
#include "processor/kafka/home.h"
#include "processor/kafka/namesake.h"
#include "processor/kafka/record.h"
#include "processor/kafka/topics.h"
#include "processor/kafka/transaction.h"
#include "processor/progress_json.h"
#include "processor/pulse.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define RANGE_MS    5000 /* for the offsets that a message names */
#define RECORDS_MAX 4096 /* handed out at once */
#define WAIT_MS     100  /* for records, at most: a signal does not end it */
#define STEP_MS     1    /* while a commit is under way */
#define STOP_S      10   /* that a stopping process waits for its last commit */

enum phase {
    PHASE_IDLE,   /* no partitions */
    PHASE_WANTED, /* the group or an abort gave partitions, which the engine does not have yet */
    PHASE_GIVEN,  /* the engine has them and says where their states stand */
    PHASE_READING,
    PHASE_REVOKING, /* the engine was told to let go of them */
};

/* One partition of ours. */
struct place {
    int64_t committed;      /* the group's offset */
    int64_t delivered;      /* end of the last record handed out, or where its state stands */
    int64_t end;            /* of the log, as kafka_lag heard it last */
    bool was_ours;          /* since this log was opened */
    char owner[OWNER_SIZE]; /* of the last commit when it was given to us */
};

struct log_kafka {
    struct log log; /* first, so that a struct log * is one of these */
    struct log_kafka_config config;
    struct client consumer, reader, feeder;
    struct alarm alarm;
    struct transaction transaction;
    struct attestations attestations;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *outputs[TOPIC_COUNT], *progress;
    uint32_t partition_count;

    enum phase phase;
    rd_kafka_topic_partition_list_t *mine;      /* NULL: none */
    rd_kafka_consumer_group_metadata_t *member; /* the generation that they were given in: no later one may commit */
    bool is_rebalanced;                         /* the callback came: */
    rd_kafka_topic_partition_list_t *given;     /* what it gave; NULL: it took all */
    bool is_closing;                            /* it took all because the consumer closes */
    bool is_lost;                               /* what it took is somebody else's already */
    struct place places[PARTITIONS_MAX];        /* by number, of mine */
    struct log_progress assigned[PARTITIONS_MAX];
    char owners[PARTITIONS_MAX][OWNER_SIZE];

    rd_kafka_message_t *messages[RECORDS_MAX]; /* of the last read */
    size_t message_count;
    struct log_record records[RECORDS_MAX];
    struct buffer line; /* a progress record being encoded */
};

/* transaction_advance, or transaction_drop. */
typedef enum log_outcome commit_step(struct transaction *transaction, int timeout_ms, struct store_error *error);

static struct log_kafka *of(struct log *log)
{
    return (struct log_kafka *)log;
}

/* Our name. */

static bool is_fenced(const struct client *client)
{
    char why[8];
    switch ((int)rd_kafka_fatal_error(client->rk, why, sizeof why)) {
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR__FENCED: return true;
    default: return false;
    }
}

/* Who made the last commits of what was ours. */
enum last_commits { COMMITS_OLD, COMMITS_OURS, COMMITS_OF_NAMESAKE };

static enum last_commits judge_commits(struct log_kafka *kafka)
{
    const struct kafka_settings *settings = kafka->config.settings;
    enum last_commits commits = COMMITS_OLD;
    struct store_error no_answer;
    if (!committed_owners(&kafka->reader, kafka->partition_count, kafka->owners, &no_answer))
        return commits;
    for (uint32_t i = 0; i < kafka->partition_count; i++) {
        const struct place *place = &kafka->places[i];
        const char *owner = kafka->owners[i];
        if (!place->was_ours || strcmp(owner, place->owner) == 0)
            continue;
        if (namesake_is(settings, owner))
            return COMMITS_OF_NAMESAKE;
        if (strcmp(owner, namesake_client_id(settings)) == 0)
            commits = COMMITS_OURS;
    }
    return commits;
}

/* Whoever of two under one name committed last keeps it; before any commit, who
 * is in the group. Anything else may pass, and is worth another start. */
static void yield_to_namesake(struct log_kafka *kafka)
{
    char host[128] = "";
    if (kafka->log.error.code != EX_UNAVAILABLE ||
        !(is_fenced(&kafka->consumer) || is_fenced(&kafka->transaction.producer)))
        return;
    enum last_commits commits = judge_commits(kafka);
    if (commits == COMMITS_OURS ||
        (commits == COMMITS_OLD && !namesake_exists(&kafka->reader, kafka->config.settings, host)))
        return;
    fail_with(
        &kafka->log.error, EX_CONFIG,
        "fenced: another process runs as callfold.instance=%s%s%s; this one published nothing more and ends; give "
        "each process a name of its own",
        kafka->config.settings->instance, host[0] != '\0' ? ", at " : "", host);
}

/* Until the commit that is under way has ended, step by step. */
static enum log_outcome wait_for_commit(struct log_kafka *kafka, commit_step *step)
{
    struct store_error *error = &kafka->log.error;
    enum log_outcome outcome;
    double stopped = 0;
    while ((outcome = step(&kafka->transaction, WAIT_MS, error)) == LOG_WAITING) {
        pulse_beat();
        if (*kafka->config.stop == 0)
            continue;
        stopped = stopped > 0 ? stopped : seconds_now();
        if (seconds_now() - stopped < STOP_S)
            continue;
        fail_with(error, EX_UNAVAILABLE,
                  "stopped while a commit was under way and the brokers did not answer; whether it counts is found "
                  "out at the next start");
        return LOG_BROKEN;
    }
    return outcome;
}

/* Rebalances. */

static void on_rebalance(void *owner, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t *partitions)
{
    struct log_kafka *kafka = owner;
    kafka->is_rebalanced = true;
    if (kafka->is_closing)
        rd_kafka_assign(kafka->consumer.rk, NULL);
    if (kafka->given != NULL)
        rd_kafka_topic_partition_list_destroy(kafka->given);
    kafka->given = what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? rd_kafka_topic_partition_list_copy(partitions) : NULL;
    kafka->is_lost = rd_kafka_assignment_lost(kafka->consumer.rk) != 0;
    if (!kafka->is_closing)
        rd_kafka_queue_yield(kafka->queue); /* the wait that we are called from */
}

static void forget_mine(struct log_kafka *kafka)
{
    if (kafka->mine != NULL)
        rd_kafka_topic_partition_list_destroy(kafka->mine);
    if (kafka->member != NULL)
        rd_kafka_consumer_group_metadata_destroy(kafka->member);
    kafka->mine = NULL;
    kafka->member = NULL;
    kafka->phase = PHASE_IDLE;
}

static bool fail_to_assign(struct log_kafka *kafka, rd_kafka_resp_err_t code)
{
    return client_fail(&kafka->consumer, &kafka->log.error, code, rd_kafka_err2str(code), "take partitions");
}

/* What the callback noted, once the engine holds nothing: what it let go of
 * without a commit must not get into the next one. */
static bool settle_rebalance(struct log_kafka *kafka)
{
    if (wait_for_commit(kafka, transaction_drop) == LOG_BROKEN) {
        yield_to_namesake(kafka);
        return false;
    }
    kafka->is_rebalanced = false;
    forget_mine(kafka);
    if (kafka->given == NULL) {
        rd_kafka_resp_err_t code = rd_kafka_assign(kafka->consumer.rk, NULL);
        return code == RD_KAFKA_RESP_ERR_NO_ERROR || fail_to_assign(kafka, code);
    }
    kafka->mine = kafka->given;
    kafka->given = NULL;
    kafka->member = rd_kafka_consumer_group_metadata(kafka->consumer.rk);
    kafka->phase = PHASE_WANTED;
    return true;
}

/* Assigning. */

/* More of them, made while we run. */
static bool refuse_new_partitions(struct log_kafka *kafka)
{
    for (int i = 0; i < kafka->mine->cnt; i++)
        if ((uint32_t)kafka->mine->elems[i].partition >= kafka->partition_count)
            return fail_with(&kafka->log.error, EX_CONFIG,
                             "topic " EVENTS_TOPIC " had %" PRIu32
                             " partitions when this process began, and has %" PRId32 " at least now; " COUNT_IS_FIXED,
                             kafka->partition_count, kafka->mine->elems[i].partition + 1, kafka->partition_count);
    return true;
}

static void say_assigned(const struct log_kafka *kafka)
{
    char list[256] = "none";
    size_t len = 0;
    for (int i = 0; i < kafka->mine->cnt && len < sizeof list; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%" PRId32, i > 0 ? " " : "",
                                kafka->mine->elems[i].partition);
    message_note("assigned   partitions %s of %" PRIu32, list, kafka->partition_count);
}

/* An answer that was not waited for, since we are to end, is no fault. */
static enum log_answer fail_to_wait(struct log_kafka *kafka)
{
    if (*kafka->config.stop != 0 && kafka->log.error.code == EX_UNAVAILABLE)
        kafka->log.error.code = EX_TEMPFAIL;
    return LOG_FAILED;
}

static enum log_answer give_assigned(struct log_kafka *kafka, struct log_batch *batch)
{
    size_t count = (size_t)kafka->mine->cnt;
    if (!refuse_new_partitions(kafka))
        return LOG_FAILED;
    if (count > 0 && !committed_read(&kafka->consumer, &kafka->reader, kafka->mine, kafka->partition_count,
                                     kafka->assigned, kafka->owners, &kafka->log.error))
        return fail_to_wait(kafka);
    for (size_t i = 0; i < count; i++) {
        struct place *place = &kafka->places[kafka->assigned[i].partition];
        place->committed = kafka->assigned[i].position;
        place->was_ours = true;
        memcpy(place->owner, kafka->owners[i], sizeof place->owner);
    }
    kafka->phase = PHASE_GIVEN;
    say_assigned(kafka);
    *batch = (struct log_batch){.count = count, .assigned = kafka->assigned};
    return LOG_ASSIGNED;
}

static bool kafka_begin(struct log *log, uint32_t partition, const struct log_mark *mark)
{
    struct log_kafka *kafka = of(log);
    struct place *place = &kafka->places[partition];
    place->delivered = mark->position;
    attestations_restart(&kafka->attestations, partition);
    alarm_begin(&kafka->alarm, partition);
    if (mark->position > place->committed)
        return fail_with(&log->error, EX_CONFIG,
                         "partition %" PRIu32 ": the state in %s has folded up to offset %" PRId64
                         ", but the group %s has committed only up to %" PRId64
                         "; the offsets were set back, or the state is of another group: set the offset to %" PRId64
                         " again, or remove that state directory to fold from the first event",
                         partition, kafka->config.state, mark->position, kafka->config.settings->group,
                         place->committed, mark->position);
    if (mark->position < place->committed)
        message_note("partition %" PRIu32 ": folding from offset %" PRId64 " up to the last commit at %" PRId64,
                     partition, mark->position, place->committed);
    return true;
}

static bool start_reading(struct log_kafka *kafka)
{
    for (int i = 0; i < kafka->mine->cnt; i++)
        kafka->mine->elems[i].offset = kafka->places[kafka->mine->elems[i].partition].delivered;
    rd_kafka_resp_err_t code = rd_kafka_assign(kafka->consumer.rk, kafka->mine);
    kafka->phase = PHASE_READING;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR || fail_to_assign(kafka, code);
}

/* Messages to records. */

static void release_messages(struct log_kafka *kafka)
{
    for (size_t i = 0; i < kafka->message_count; i++)
        rd_kafka_message_destroy(kafka->messages[i]);
    kafka->message_count = 0;
}

/* librdkafka's batch call waits until the batch is full or the time is over:
 * so only the first message is waited for. */
static void consume(struct log_kafka *kafka, size_t most, int wait_ms)
{
    ssize_t first = rd_kafka_consume_batch_queue(kafka->queue, wait_ms, kafka->messages, 1);
    kafka->message_count = first > 0 ? (size_t)first : 0;
    if (first <= 0 || most < 2 || kafka->is_rebalanced)
        return;
    ssize_t more = rd_kafka_consume_batch_queue(kafka->queue, 0, kafka->messages + 1, most - 1);
    kafka->message_count += more > 0 ? (size_t)more : 0;
}

static bool refuse_offset(struct log_kafka *kafka, const rd_kafka_message_t *message)
{
    int64_t low = 0, high = 0;
    client_range(&kafka->consumer, EVENTS_TOPIC, message->partition, &low, &high, RANGE_MS);
    return fail_with(&kafka->log.error, EX_CONFIG,
                     "partition %" PRId32 " is to be read from offset %" PRId64 ", but " EVENTS_TOPIC
                     " holds offsets %" PRId64 " to %" PRId64
                     " only: events have expired or the topic was made anew; bring back the events, or the state and "
                     "the group that belong to them (%s)",
                     message->partition, kafka->places[message->partition].delivered, low, high,
                     rd_kafka_message_errstr(message));
}

/* What the consumer says in place of a record. Most of it passes by itself. */
static bool take_fault(struct log_kafka *kafka, const rd_kafka_message_t *message)
{
    switch ((int)message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: alarm_at_end(&kafka->alarm, (uint32_t)message->partition); return true;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: return refuse_offset(kafka, message);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        return client_fail(&kafka->consumer, &kafka->log.error, message->err, rd_kafka_message_errstr(message),
                           "read " EVENTS_TOPIC);
    default: return true;
    }
}

/* False on a fault that does not pass. */
static bool take_messages(struct log_kafka *kafka, size_t *count)
{
    double now = seconds_now();
    *count = 0;
    for (size_t i = 0; i < kafka->message_count; i++) {
        const rd_kafka_message_t *message = kafka->messages[i];
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (!take_fault(kafka, message))
                return false;
            continue;
        }
        struct place *place = &kafka->places[message->partition];
        if (message->offset < place->delivered)
            continue;
        record_of_message(message, &kafka->records[(*count)++]);
        place->delivered = message->offset + 1;
        alarm_received(&kafka->alarm, (uint32_t)message->partition, now);
    }
    return true;
}

/* Reading. */

/* To where we are, or to the last commit and from there to the log's end. */
static int64_t count_places(const struct log_kafka *kafka, bool whole)
{
    int64_t sum = 0;
    for (int i = 0; i < kafka->mine->cnt; i++) {
        const struct place *place = &kafka->places[kafka->mine->elems[i].partition];
        int64_t end = place->delivered < place->committed ? place->committed : place->end;
        sum += whole && end > place->delivered ? end : place->delivered;
    }
    return sum;
}

/* False when the consumer is past help. It says so once, and that may be among
 * what a rebalance sweeps away: so it is asked. */
static bool may_read_on(struct log_kafka *kafka)
{
    char why[512];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(kafka->consumer.rk, why, sizeof why);
    if (fatal == RD_KAFKA_RESP_ERR_NO_ERROR)
        return true;
    client_fail(&kafka->consumer, &kafka->log.error, fatal, why, "read " EVENTS_TOPIC);
    yield_to_namesake(kafka);
    return false;
}

/* Waits for records. While a commit is under way there is time for more of them,
 * however soon the caller wants to commit those it has: its end wakes us. */
static enum log_outcome wait_for_records(struct log_kafka *kafka, size_t most, int wait_ms)
{
    double begun = seconds_now(), left_ms;
    do {
        bool is_full = transaction_is_full(&kafka->transaction); /* of outputs: no more events for now */
        enum log_outcome outcome = transaction_advance(&kafka->transaction, is_full ? STEP_MS : 0, &kafka->log.error);
        if (outcome == LOG_ABORTED || outcome == LOG_BROKEN)
            return outcome;
        left_ms = (outcome == LOG_WAITING ? WAIT_MS : wait_ms) - (seconds_now() - begun) * 1000;
        if (!is_full)
            consume(kafka, most, left_ms > 0 ? (int)left_ms : 0);
    } while (kafka->message_count == 0 && !kafka->is_rebalanced && left_ms > 0);
    return LOG_DONE;
}

static enum log_answer tell_revoked(struct log_kafka *kafka, bool is_lost, struct log_batch *batch)
{
    *batch = (struct log_batch){.is_lost = is_lost};
    kafka->phase = PHASE_REVOKING;
    return LOG_REVOKED;
}

/* What was under way is no more: the partitions are to be taken anew. */
static void start_over(struct log_kafka *kafka)
{
    kafka->phase = kafka->mine != NULL ? PHASE_WANTED : PHASE_IDLE;
}

static enum log_answer read_records(struct log_kafka *kafka, size_t most, int wait_ms, struct log_batch *batch)
{
    size_t count;
    enum log_outcome outcome =
        wait_for_records(kafka, most < RECORDS_MAX ? most : RECORDS_MAX, wait_ms < WAIT_MS ? wait_ms : WAIT_MS);
    if (outcome == LOG_BROKEN) {
        yield_to_namesake(kafka);
        return LOG_FAILED;
    }
    if (outcome == LOG_ABORTED) {
        start_over(kafka);
        *batch = (struct log_batch){.is_lost = true};
        return LOG_REVOKED;
    }
    if (!may_read_on(kafka))
        return LOG_FAILED;
    if (kafka->is_rebalanced) {
        release_messages(kafka); /* they are read again, here or by others */
        return kafka->phase == PHASE_READING ? tell_revoked(kafka, kafka->is_lost, batch) : LOG_IDLE;
    }
    if (!take_messages(kafka, &count))
        return LOG_FAILED;
    if (count == 0)
        return LOG_IDLE;
    *batch = (struct log_batch){.count = count,
                                .records = kafka->records,
                                .done = count_places(kafka, false),
                                .total = count_places(kafka, true),
                                .counts_records = true};
    return LOG_RECORDS;
}

static enum log_answer kafka_read(struct log *log, size_t most, int wait_ms, struct log_batch *batch)
{
    struct log_kafka *kafka = of(log);
    alarm_reads(&kafka->alarm);
    log->commit_took = kafka->transaction.took;
    kafka->transaction.took = 0;
    release_messages(kafka);
    if (kafka->is_rebalanced && !settle_rebalance(kafka))
        return LOG_FAILED;
    if (kafka->phase == PHASE_WANTED)
        return give_assigned(kafka, batch);
    if (kafka->phase == PHASE_GIVEN && !start_reading(kafka))
        return LOG_FAILED;
    return read_records(kafka, most, wait_ms, batch);
}

static enum log_answer kafka_recall(struct log *log, uint32_t partition, int64_t inputs,
                                    struct log_published *published)
{
    struct log_kafka *kafka = of(log);
    enum log_answer answer =
        attestations_next(&kafka->attestations, kafka->config.settings, partition, inputs, published, &log->error);
    return answer == LOG_FAILED ? fail_to_wait(kafka) : answer;
}

/* Publishing. */

static void kafka_append(struct log *log, enum output_topic topic, uint32_t partition, struct text key,
                         struct text bytes)
{
    struct log_kafka *kafka = of(log);
    transaction_produce(&kafka->transaction, kafka->outputs[topic], (int32_t)partition, key, bytes);
}

static enum log_outcome kafka_sync(struct log *log)
{
    struct log_kafka *kafka = of(log);
    enum log_outcome outcome = wait_for_commit(kafka, transaction_advance);
    if (outcome == LOG_ABORTED)
        start_over(kafka);
    if (outcome == LOG_BROKEN)
        yield_to_namesake(kafka);
    return outcome;
}

static void append_progress(struct log_kafka *kafka, const struct log_progress *progress)
{
    char key[16];
    snprintf(key, sizeof key, "%" PRIu32, progress->partition);
    kafka->line.len = 0;
    progress_open(&kafka->line, progress->position);
    buffer_text(&kafka->line, "\"partitions\":[");
    progress_encode(&kafka->line, progress);
    buffer_text(&kafka->line, "],\"owner\":\"");
    buffer_text(&kafka->line, namesake_client_id(kafka->config.settings));
    buffer_text(&kafka->line, "\"}}");
    transaction_produce(&kafka->transaction, kafka->progress, (int32_t)progress->partition, text_of(key),
                        (struct text){kafka->line.at, kafka->line.len});
}

static enum log_outcome kafka_commit(struct log *log, const struct log_progress *progress, size_t count)
{
    struct log_kafka *kafka = of(log);
    enum log_outcome outcome = kafka_sync(log);
    if (outcome != LOG_DONE)
        return outcome;
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        struct place *place = &kafka->places[progress[i].partition];
        if (progress[i].position <= place->committed)
            continue;
        append_progress(kafka, &progress[i]);
        rd_kafka_topic_partition_list_add(offsets, EVENTS_TOPIC, (int32_t)progress[i].partition)->offset =
            progress[i].position;
        place->committed = progress[i].position;
    }
    transaction_seal(&kafka->transaction, offsets, kafka->member);
    return LOG_DONE;
}

static void kafka_mark(struct log *log, uint32_t partition, struct log_mark *mark)
{
    *mark = (struct log_mark){.position = of(log)->places[partition].delivered};
}

/* Idle partitions. */

static int64_t kafka_idle_ms(struct log *log, uint32_t partition, int64_t timestamp_ms)
{
    const struct log_kafka *kafka = of(log);
    bool is_ours = kafka->phase == PHASE_READING && !kafka->is_rebalanced;
    return is_ours ? alarm_idle_ms(&kafka->alarm, partition, timestamp_ms) : -1;
}

static void kafka_wake(struct log *log, uint32_t partition, struct text event)
{
    alarm_ring(&of(log)->alarm, partition, event);
}

/* By what the last fetch said of the log's end; marks of transactions after the last record are none to wait for. */
static int64_t kafka_lag(struct log *log, uint32_t partition)
{
    struct log_kafka *kafka = of(log);
    struct place *place = &kafka->places[partition];
    int64_t low, high;
    if (alarm_is_at_end(&kafka->alarm, partition))
        return 0;
    bool is_known = rd_kafka_get_watermark_offsets(kafka->consumer.rk, EVENTS_TOPIC, (int32_t)partition, &low, &high) ==
                        RD_KAFKA_RESP_ERR_NO_ERROR &&
                    high >= 0;
    if (!is_known)
        return -1;
    place->end = high;
    return high > place->delivered ? high - place->delivered : 0;
}

/* Opening and closing. */

static void kafka_close(struct log *log)
{
    struct log_kafka *kafka = of(log);
    release_messages(kafka);
    kafka->is_closing = true;
    if (kafka->is_rebalanced) /* noted and not settled: without an answer closing would wait for ever */
        rd_kafka_assign(kafka->consumer.rk, NULL);
    if (kafka->consumer.rk != NULL)
        rd_kafka_consumer_close(kafka->consumer.rk);
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        if (kafka->outputs[i] != NULL)
            rd_kafka_topic_destroy(kafka->outputs[i]);
    if (kafka->progress != NULL)
        rd_kafka_topic_destroy(kafka->progress);
    transaction_close(&kafka->transaction); /* a commit under way needs our membership */
    if (kafka->queue != NULL)
        rd_kafka_queue_destroy(kafka->queue);
    forget_mine(kafka);
    if (kafka->given != NULL)
        rd_kafka_topic_partition_list_destroy(kafka->given);
    attestations_close(&kafka->attestations);
    alarm_close(&kafka->alarm);
    client_close(&kafka->feeder);
    client_close(&kafka->reader);
    client_close(&kafka->consumer);
    buffer_free(&kafka->line);
    free(kafka);
}

static const struct log_operations operations = {
    .forgets = true,
    .read = kafka_read,
    .begin = kafka_begin,
    .recall = kafka_recall,
    .append = kafka_append,
    .commit = kafka_commit,
    .mark = kafka_mark,
    .sync = kafka_sync,
    .idle_ms = kafka_idle_ms,
    .wake = kafka_wake,
    .lag = kafka_lag,
    .close = kafka_close,
};

static bool subscribe(struct log_kafka *kafka, struct store_error *error)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, EVENTS_TOPIC, RD_KAFKA_PARTITION_UA);
    kafka->queue = rd_kafka_queue_get_consumer(kafka->consumer.rk);
    committer_wakes(kafka->transaction.committer, kafka->queue);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(kafka->consumer.rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ||
           client_fail(&kafka->consumer, error, code, rd_kafka_err2str(code), "subscribe to " EVENTS_TOPIC);
}

/* In this order: who has the name is the only one that can commit, so nothing
 * that is read later about commits can change behind its back. */
static bool connect_all(struct log_kafka *kafka, struct store_error *error)
{
    const struct kafka_settings *settings = kafka->config.settings;
    struct client *feeder = &kafka->feeder;
    bool checked = client_open(feeder, CLIENT_FEEDER, settings, error) &&
                   (kafka->partition_count = topics_check(feeder, settings->allow_retention, error)) > 0 &&
                   home_check(kafka->config.state, feeder, settings->group, error);
    if (checked)
        alarm_open(&kafka->alarm, feeder);
    return checked && transaction_open(&kafka->transaction, settings, error) &&
           client_open(&kafka->reader, CLIENT_READER, settings, error) &&
           client_open(&kafka->consumer, CLIENT_CONSUMER, settings, error) && subscribe(kafka, error);
}

struct log *log_kafka_open(const struct log_kafka_config *config, struct store_error *error)
{
    struct log_kafka *kafka = calloc(1, sizeof *kafka);
    if (kafka == NULL)
        abort();
    client_keep_memory();
    kafka->log.does = &operations;
    kafka->config = *config;
    kafka->consumer.rebalance = on_rebalance;
    kafka->consumer.owner = kafka;
    if (!connect_all(kafka, error)) {
        kafka_close(&kafka->log);
        return NULL;
    }
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        kafka->outputs[i] = transaction_topic(&kafka->transaction, topics_output_name((enum output_topic)i));
    kafka->progress = transaction_topic(&kafka->transaction, PROGRESS_TOPIC);
    return &kafka->log;
}

uint32_t log_kafka_partition_count(const struct log *log)
{
    return ((const struct log_kafka *)log)->partition_count;
}
