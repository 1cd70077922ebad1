/* bench_kafka_bare.c - what Kafka alone allows: consume, produce, commit.
 *
 *     bench_kafka_bare PROPERTIES FIRST UNTIL EVERY BYTES
 *
 * Reads partition 0 of callfold.events from offset FIRST up to UNTIL with the
 * meter's settings of librdkafka and in its batches, looks into no record, and
 * answers every EVERY-th one by BYTES bytes to callfold.commands; outputs and
 * offsets go in one transaction. The figures are from the first commit on: what
 * comes before is the start.
 */
#include <err.h>
#include <string.h>
#include <sysexits.h>

#include "bench/bench.h"
#include "processor/kafka/client.h"
#include "processor/kafka/topics.h"

/* As `callfold run --kafka` has them. */
#define BATCH_RECORDS 100000
#define READ_RECORDS  4096

#define WAIT_MS 10000
#define FULL_MS 10

struct loop {
    struct client consumer, producer;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *commands;
    int64_t every, bytes, position, seen;
    int64_t begun_at; /* position at the first commit; then: */
    double begun_ns, begun_cpu_ns;
};

static void die(const struct store_error *error)
{
    errx(error->code, "%s", error->message);
}

static void must(rd_kafka_error_t *fault)
{
    if (fault != NULL)
        errx(EX_UNAVAILABLE, "%s", rd_kafka_error_string(fault));
}

static rd_kafka_topic_partition_list_t *place(int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, EVENTS_TOPIC, 0)->offset = offset;
    return list;
}

static void on_rebalance(void *owner, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t *partitions)
{
    (void)owner, (void)what, (void)partitions; /* it is assigned by hand */
}

static void open_loop(struct loop *loop, const char *path, int64_t first)
{
    struct kafka_settings settings;
    struct store_error error;
    client_keep_memory();
    loop->consumer.rebalance = on_rebalance;
    if (!kafka_settings_read(&settings, path, &(struct option_list){0}, &error) ||
        !client_open(&loop->producer, CLIENT_PRODUCER, &settings, &error) ||
        !client_open(&loop->consumer, CLIENT_CONSUMER, &settings, &error))
        die(&error);
    kafka_settings_free(&settings);
    must(rd_kafka_init_transactions(loop->producer.rk, WAIT_MS));
    must(rd_kafka_begin_transaction(loop->producer.rk));
    loop->commands = rd_kafka_topic_new(loop->producer.rk, topics_output_name(TOPIC_COMMANDS), NULL);
    loop->queue = rd_kafka_queue_get_consumer(loop->consumer.rk);
    rd_kafka_topic_partition_list_t *list = place(first);
    if (rd_kafka_assign(loop->consumer.rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        errx(EX_UNAVAILABLE, "cannot assign");
    rd_kafka_topic_partition_list_destroy(list);
}

static void answer(struct loop *loop, const void *key, size_t key_len)
{
    static const char bytes[1 << 16];
    while (rd_kafka_produce(loop->commands, 0, RD_KAFKA_MSG_F_COPY, (void *)(uintptr_t)bytes, (size_t)loop->bytes, key,
                            key_len, NULL) != 0)
        rd_kafka_poll(loop->producer.rk, FULL_MS);
}

static void take_record(struct loop *loop, const rd_kafka_message_t *message)
{
    if (loop->seen++ % loop->every == 0)
        answer(loop, message->key, message->key_len);
    loop->position = message->offset + 1;
}

/* How many messages came; waits for the first. */
static size_t take_records(struct loop *loop, size_t most, int wait_ms)
{
    rd_kafka_message_t *messages[READ_RECORDS];
    ssize_t count = rd_kafka_consume_batch_queue(loop->queue, wait_ms, messages, 1);
    if (count == 1 && most > 1)
        count += rd_kafka_consume_batch_queue(loop->queue, 0, messages + 1, most - 1);
    for (ssize_t i = 0; i < count; i++) {
        if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            take_record(loop, messages[i]);
        else if (messages[i]->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            errx(EX_UNAVAILABLE, "%s", rd_kafka_message_errstr(messages[i]));
        rd_kafka_message_destroy(messages[i]);
    }
    return (size_t)count;
}

static void commit(struct loop *loop)
{
    rd_kafka_topic_partition_list_t *offsets = place(loop->position);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(loop->consumer.rk);
    must(rd_kafka_send_offsets_to_transaction(loop->producer.rk, offsets, group, WAIT_MS));
    must(rd_kafka_commit_transaction(loop->producer.rk, WAIT_MS));
    must(rd_kafka_begin_transaction(loop->producer.rk));
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(offsets);
    rd_kafka_poll(loop->producer.rk, 0);
    if (loop->begun_at == 0) {
        loop->begun_at = loop->position;
        loop->begun_ns = now_ns();
        loop->begun_cpu_ns = cpu_ns();
    }
}

/* One transaction: what has come since the last one, capped by number. */
static void transaction(struct loop *loop, int64_t until)
{
    size_t pending = 0, count = 1;
    while (pending < BATCH_RECORDS && loop->position < until && count > 0) {
        size_t room = BATCH_RECORDS - pending;
        count = take_records(loop, room < READ_RECORDS ? room : READ_RECORDS, pending == 0 ? WAIT_MS : 0);
        pending += count;
    }
    if (pending == 0)
        errx(EX_UNAVAILABLE, "no event came within %d ms", WAIT_MS);
    commit(loop);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        errx(EX_USAGE, "usage: bench_kafka_bare PROPERTIES FIRST UNTIL EVERY BYTES");
    struct loop loop = {.every = atoll(argv[4]), .bytes = atoll(argv[5]), .position = atoll(argv[2])};
    int64_t until = atoll(argv[3]);
    open_loop(&loop, argv[1], loop.position);
    while (loop.position < until)
        transaction(&loop, until);
    double count = (double)(loop.position - loop.begun_at);
    say_figure("time an event", (now_ns() - loop.begun_ns) / count, "ns");
    say_figure("CPU an event", (cpu_ns() - loop.begun_cpu_ns) / count, "ns");
    rd_kafka_queue_destroy(loop.queue);
    rd_kafka_topic_destroy(loop.commands);
    rd_kafka_consumer_close(loop.consumer.rk);
    client_close(&loop.consumer);
    client_close(&loop.producer);
    return EX_OK;
}
