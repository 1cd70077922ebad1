/* bench_kafka_probe.c - how long a tick waits for its cutoff.
 *
 *     bench_kafka_probe PROPERTIES EVENTS RATE WARM_S
 *
 * A platform in two threads. One writes the lines of the file EVENTS to
 * partition 0 of callfold.events, RATE a second, be the meter ready or not. The
 * other reads callfold.commands, read_committed, and notes when each cutoff
 * arrives. Its latency is counted from the moment at which the event that it
 * answers was due to be written: a writer that is held up is no excuse. The
 * first WARM_S seconds do not count.
 */
#include <err.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sysexits.h>

#include "bench/bench.h"
#include "events/decode.h"
#include "processor/kafka/feed.h"
#include "processor/kafka/topics.h"

#define ASK_MS   10000
#define POLL_MS  100
#define QUIET_NS 3e9 /* no command for so long after the last event: there is none to come */

struct probe {
    struct kafka_settings settings;
    FILE *events;
    double rate;
    int64_t first; /* offset of the first event */
    double begun_ns;
    atomic_int_fast64_t written; /* events; -1 - their number once all are there */
    double *latencies_ms;
    size_t count, capacity;
};

static void die(const struct store_error *error)
{
    errx(error->code, "%s", error->message);
}

/* Writing. */

static double due_ns(const struct probe *probe, int64_t index)
{
    return probe->begun_ns + (double)index * 1e9 / probe->rate;
}

static void wait_until(double at_ns)
{
    if (at_ns <= now_ns())
        return;
    struct timespec at = {.tv_sec = (time_t)(at_ns / 1e9)};
    at.tv_nsec = (long)(at_ns - (double)at.tv_sec * 1e9);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static bool write_line(struct feed *feed, struct decoder *decoder, struct text line, struct store_error *error)
{
    struct event event;
    struct decode_error fault;
    if (!event_decode(decoder, line, &event, &fault))
        errx(EX_DATAERR, "no event: %.*s", (int)line.len, line.at);
    return feed_write(feed, 0, event.subject, line, error);
}

static void *write_events(void *opaque)
{
    struct probe *probe = opaque;
    struct feed feed = {0};
    struct store_error error;
    struct decoder *decoder = decoder_new();
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    int64_t index = 0;
    if (!feed_open(&feed, CLIENT_FEEDER, &probe->settings, &error))
        die(&error);
    probe->begun_ns = now_ns();
    for (; (len = getline(&line, &capacity, probe->events)) > 0; index++) {
        wait_until(due_ns(probe, index));
        if (!write_line(&feed, decoder, (struct text){line, (size_t)len - 1}, &error))
            die(&error);
        atomic_store(&probe->written, index + 1);
    }
    if (!feed_flush(&feed, &error))
        die(&error);
    atomic_store(&probe->written, -1 - index);
    feed_close(&feed);
    decoder_free(decoder);
    free(line);
    return NULL;
}

/* Reading. */

static int64_t end_of(struct client *client, const char *topic)
{
    int64_t low, high;
    if (client_range(client, topic, 0, &low, &high, ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        errx(EX_UNAVAILABLE, "cannot ask for the end of %s", topic);
    return high;
}

static void read_from_end(struct client *client, const char *topic)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = end_of(client, topic);
    if (rd_kafka_assign(client->rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        errx(EX_UNAVAILABLE, "cannot read %s", topic);
    rd_kafka_topic_partition_list_destroy(list);
}

static void note_latency(struct probe *probe, double latency_ms)
{
    if (probe->count == probe->capacity) {
        probe->capacity = probe->capacity > 0 ? 2 * probe->capacity : 4096;
        probe->latencies_ms = realloc(probe->latencies_ms, probe->capacity * sizeof *probe->latencies_ms);
        if (probe->latencies_ms == NULL)
            abort();
    }
    probe->latencies_ms[probe->count++] = latency_ms;
}

/* An output's id names the offset of the event that it answers. */
static void take_command(struct probe *probe, const rd_kafka_message_t *message, double warm_ns)
{
    static const char id[] = "\"id\":\"0:", type[] = "\"type\":\"callfold.call.cutoff\"";
    double now = now_ns();
    const char *at = memmem(message->payload, message->len, id, sizeof id - 1);
    if (at == NULL || memmem(message->payload, message->len, type, sizeof type - 1) == NULL)
        return;
    double due = due_ns(probe, strtoll(at + sizeof id - 1, NULL, 10) - probe->first);
    if (due >= probe->begun_ns + warm_ns)
        note_latency(probe, (now - due) / 1e6);
}

static void read_commands(struct probe *probe, struct client *reader, double warm_ns)
{
    double heard_ns = now_ns();
    while (atomic_load(&probe->written) >= 0 || now_ns() - heard_ns < QUIET_NS) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader->rk, POLL_MS);
        if (message == NULL)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            heard_ns = now_ns();
            take_command(probe, message, warm_ns);
        }
        rd_kafka_message_destroy(message);
    }
}

/* Saying. */

static double quantile(const struct probe *probe, double share)
{
    size_t at = (size_t)((double)probe->count * share);
    return probe->latencies_ms[at < probe->count ? at : probe->count - 1];
}

static void say(struct probe *probe)
{
    say_figure("cutoffs", (double)probe->count, "");
    if (probe->count == 0)
        return;
    qsort(probe->latencies_ms, probe->count, sizeof *probe->latencies_ms, ascending);
    say_figure("p50", quantile(probe, 0.5), "ms");
    say_figure("p99", quantile(probe, 0.99), "ms");
    say_figure("p99.9", quantile(probe, 0.999), "ms");
    say_figure("the longest", quantile(probe, 1), "ms");
}

int main(int argc, char **argv)
{
    struct probe probe = {0};
    struct client reader = {0};
    struct store_error error;
    pthread_t writer;
    if (argc != 5)
        errx(EX_USAGE, "usage: bench_kafka_probe PROPERTIES EVENTS RATE WARM_S");
    probe.rate = atof(argv[3]);
    probe.events = fopen(argv[2], "re");
    if (probe.events == NULL)
        err(EX_NOINPUT, "%s", argv[2]);
    if (!kafka_settings_read(&probe.settings, argv[1], &(struct option_list){0}, &error) ||
        !client_open(&reader, CLIENT_READER, &probe.settings, &error))
        die(&error);
    probe.first = end_of(&reader, EVENTS_TOPIC);
    read_from_end(&reader, topics_output_name(TOPIC_COMMANDS));
    if (pthread_create(&writer, NULL, write_events, &probe) != 0)
        errx(EX_OSERR, "no thread");
    read_commands(&probe, &reader, atof(argv[4]) * 1e9);
    pthread_join(writer, NULL);
    if (end_of(&reader, EVENTS_TOPIC) != probe.first - 1 - atomic_load(&probe.written))
        errx(EX_SOFTWARE, "others wrote to " EVENTS_TOPIC " too: offsets say nothing of the events");
    say(&probe);
    client_close(&reader);
    kafka_settings_free(&probe.settings);
    fclose(probe.events);
    free(probe.latencies_ms);
    return EX_OK;
}
