/* topics.c - see topics.h. */
#include "examples/platform/topics.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/partitioner.h"
#include "processor/kafka/client.h"
#include "terminal/message.h"

#define EVENTS          TYPE_PREFIX "events"
#define COMMANDS        TYPE_PREFIX "commands"
#define PROGRESS        TYPE_PREFIX "progress"
#define ANSWER_MS       10000 /* for a question to a broker */
#define POLL_MS         100
#define PARTITION_LIMIT 1024

/* All offsets are one past the last record that they are about. */
struct partition {
    int64_t said;    /* events of ours */
    int64_t end;     /* of them, once they are written */
    int64_t folded;  /* by the meter */
    int64_t written; /* commands, committed or not */
    int64_t read;    /* of them */
};

struct topics {
    struct kafka_settings settings;
    struct client feeder, reader, asker; /* the asker sees what is not committed yet */
    int patience_ms, partition_count;
    struct partition partitions[PARTITION_LIMIT];
    struct buffer commands; /* a line each; those before `handed_out` are done with */
    size_t handed_out;
};

_Noreturn static void give_up(struct topics *topics, rd_kafka_resp_err_t code, const char *to_do)
{
    struct store_error error;
    client_fail(&topics->feeder, &error, code, rd_kafka_err2str(code), to_do);
    errx(error.code, "%s", error.message);
}

/* One past the last record of a partition, committed or not. */
static int64_t end_of(struct topics *topics, const char *topic, int partition)
{
    int64_t low, high, begun_ms = meter_clock_ms();
    rd_kafka_resp_err_t code;
    do /* a topic just made, or whose leader has changed, has none that answers for a moment */
        code = client_range(&topics->asker, topic, partition, &low, &high, ANSWER_MS);
    while (code != RD_KAFKA_RESP_ERR_NO_ERROR && meter_clock_ms() - begun_ms < topics->patience_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        give_up(topics, code, "ask where " TYPE_PREFIX "topics end");
    return high;
}

/* Saying. */

static void produce(struct topics *topics, int partition, struct text key, struct text line)
{
    rd_kafka_resp_err_t code;
    while ((code = rd_kafka_producev(topics->feeder.rk, RD_KAFKA_V_TOPIC(EVENTS), RD_KAFKA_V_PARTITION(partition),
                                     RD_KAFKA_V_KEY(key.at, key.len), RD_KAFKA_V_VALUE((void *)line.at, line.len),
                                     RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END)) ==
           RD_KAFKA_RESP_ERR__QUEUE_FULL)
        rd_kafka_poll(topics->feeder.rk, POLL_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        give_up(topics, code, "write " EVENTS);
    topics->partitions[partition].said++;
}

/* To the partition of its account; what has no subject to every one. */
static void produce_line(struct topics *topics, struct text line)
{
    json_t *record = json_loadb(line.at, line.len, 0, NULL);
    const json_t *subject = json_object_get(record, "subject");
    if (json_is_string(subject)) {
        struct text key = {json_string_value(subject), json_string_length(subject)};
        produce(topics, (int)partition_of_key(key, (uint32_t)topics->partition_count), key, line);
    } else {
        for (int i = 0; i < topics->partition_count; i++)
            produce(topics, i, TEXT_NONE, line);
    }
    json_decref(record);
}

/* Nobody else says anything that takes away from the count: who else writes, adds. */
static void await_written(struct topics *topics)
{
    rd_kafka_resp_err_t code = rd_kafka_flush(topics->feeder.rk, topics->patience_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        give_up(topics, code, "write " EVENTS);
    for (int i = 0; i < topics->partition_count; i++) {
        struct partition *partition = &topics->partitions[i];
        if (partition->said == 0)
            continue;
        int64_t end = end_of(topics, EVENTS, i);
        if (end - partition->end < partition->said)
            errx(EX_IOERR, EVENTS " %d: %" PRId64 " records were written and %" PRId64 " are there", i, partition->said,
                 end - partition->end);
        partition->end = end;
    }
}

static void send_lines(void *to, struct buffer *lines)
{
    struct topics *topics = to;
    const char *at = lines->at, *end = lines->at + lines->len;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        produce_line(topics, (struct text){at, (size_t)(newline - at)});
        at = newline + 1;
    }
    if (lines->len > 0)
        await_written(topics);
    lines->len = 0;
}

/* Listening. */

static void take_progress(struct topics *topics, const rd_kafka_message_t *message)
{
    json_t *record = meter_parse((struct text){message->payload, message->len}, PROGRESS);
    const json_t *list = json_object_get(json_object_get(record, "data"), "partitions");
    const json_t *position = json_object_get(json_array_get(list, 0), "position");
    if (!json_is_integer(position))
        errx(EX_PROTOCOL, PROGRESS ": a record without a position");
    topics->partitions[message->partition].folded = json_integer_value(position);
    json_decref(record);
}

/* False when there was nothing to hear. */
static bool hear(struct topics *topics)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(topics->reader.rk, POLL_MS);
    rd_kafka_poll(topics->feeder.rk, 0);
    if (!message)
        return false;
    bool is_commands = message->rkt && strcmp(rd_kafka_topic_name(message->rkt), COMMANDS) == 0;
    struct partition *partition = &topics->partitions[message->partition < 0 ? 0 : message->partition];
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && is_commands) {
        partition->read = message->offset;
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && is_commands) {
        partition->read = message->offset + 1;
        buffer_append(&topics->commands, message->payload, message->len);
        buffer_append(&topics->commands, "\n", 1);
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        take_progress(topics, message);
    }
    rd_kafka_message_destroy(message);
    return true;
}

/* Listens until each partition that something was said to has `reached` what it should. */
static bool listen_until(struct topics *topics, bool (*reached)(const struct partition *), const char *what)
{
    int64_t moved_ms = meter_clock_ms();
    for (int i = 0; i < topics->partition_count; i++) {
        const struct partition *partition = &topics->partitions[i];
        while (partition->said > 0 && !reached(partition)) {
            if (hear(topics)) {
                moved_ms = meter_clock_ms();
            } else if (meter_clock_ms() - moved_ms >= topics->patience_ms) {
                warnx("partition %d: the meter stands at offset %" PRId64 " of %" PRId64
                      " and its commands %s for %d s "
                      "now: is it still running?",
                      i, partition->folded, partition->end, what, topics->patience_ms / 1000);
                return false;
            }
        }
    }
    return true;
}

static bool is_folded(const struct partition *partition)
{
    return partition->folded >= partition->end;
}

static bool is_read(const struct partition *partition)
{
    return partition->read >= partition->written;
}

static bool await(void *own, int64_t lines)
{
    struct topics *topics = own;
    (void)lines; /* all that were sent */
    if (!listen_until(topics, is_folded, "wait"))
        return false;
    for (int i = 0; i < topics->partition_count; i++)
        if (topics->partitions[i].said > 0)
            topics->partitions[i].written = end_of(topics, COMMANDS, i);
    if (!listen_until(topics, is_read, "cannot be read"))
        return false;
    for (int i = 0; i < topics->partition_count; i++)
        topics->partitions[i].said = 0;
    return true;
}

static bool next(void *own, struct text *record)
{
    struct topics *topics = own;
    if (topics->handed_out == topics->commands.len) {
        topics->handed_out = topics->commands.len = 0;
        return false;
    }
    const char *at = topics->commands.at + topics->handed_out;
    const char *newline = memchr(at, '\n', topics->commands.len - topics->handed_out);
    *record = (struct text){at, (size_t)(newline - at)};
    topics->handed_out += record->len + 1;
    return true;
}

/* Opening and closing. */

static void close_topics(void *own)
{
    struct topics *topics = own;
    rd_kafka_consumer_close(topics->reader.rk);
    client_close(&topics->reader);
    client_close(&topics->feeder);
    client_close(&topics->asker);
    kafka_settings_free(&topics->settings);
    buffer_free(&topics->commands);
    free(topics);
}

static void open_asker(struct client *asker, const struct kafka_settings *settings)
{
    char why[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < settings->count; i++)
        rd_kafka_conf_set(conf, settings->items[i].name, settings->items[i].value, NULL, 0);
    rd_kafka_conf_set(conf, "isolation.level", "read_uncommitted", NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "platform", NULL, 0);
    asker->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!asker->rk)
        errx(EX_CONFIG, "the Kafka properties do not go together: %s", why);
}

static int count_partitions(struct topics *topics, struct store_error *error)
{
    int count = 0;
    const struct rd_kafka_metadata *metadata = client_metadata(&topics->feeder, error);
    if (!metadata)
        errx(error->code, "%s", error->message);
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (strcmp(metadata->topics[i].topic, EVENTS) == 0)
            count = metadata->topics[i].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    if (count == 0)
        errx(EX_CONFIG, "there is no topic " EVENTS "; make the topics with callfold topics create");
    if (count > PARTITION_LIMIT)
        errx(EX_CONFIG, EVENTS " has %d partitions, and the platform plays on %d at most", count, PARTITION_LIMIT);
    return count;
}

/* From where the day begins: all progress, commands yet to come. */
static void assign(struct topics *topics)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(2 * topics->partition_count);
    for (int i = 0; i < topics->partition_count; i++) {
        struct partition *partition = &topics->partitions[i];
        partition->end = end_of(topics, EVENTS, i);
        partition->read = end_of(topics, COMMANDS, i);
        rd_kafka_topic_partition_list_add(list, COMMANDS, i)->offset = partition->read;
        rd_kafka_topic_partition_list_add(list, PROGRESS, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(topics->reader.rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        give_up(topics, code, "read " COMMANDS);
}

static const struct meter_way by_topics = {.commands = COMMANDS, .await = await, .next = next, .close = close_topics};

void topics_open(struct meter *meter, struct journal *journal, const char *properties, int patience_ms)
{
    struct store_error error;
    struct topics *topics = calloc(1, sizeof *topics);
    if (!topics)
        err(EX_OSERR, "the meter's topics");
    if (!kafka_settings_read(&topics->settings, properties, &(struct option_list){0}, &error) ||
        !client_open(&topics->feeder, CLIENT_FEEDER, &topics->settings, &error) ||
        !client_open(&topics->reader, CLIENT_READER, &topics->settings, &error))
        errx(error.code, "%s", error.message);
    topics->patience_ms = patience_ms;
    topics->partition_count = count_partitions(topics, &error);
    open_asker(&topics->asker, &topics->settings);
    assign(topics);
    *meter = (struct meter){.way = &by_topics, .own = topics};
    journal_open_to(journal, send_lines, topics);
}
