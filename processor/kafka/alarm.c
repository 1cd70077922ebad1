/* alarm.c - see alarm.h. */
#include "processor/kafka/alarm.h"

#include <time.h>

#include "processor/kafka/topics.h"
#include "terminal/message.h"

#define INTERVAL_S    0.5 /* between two records for one partition, at least */
#define DELIVERY_MS   "5000"
#define LOST_S        10.0 /* after which a record that was not read back has failed: longer than its delivery */
#define STOOD_STILL_S 2.0  /* between two looks at the log */
#define COME_TO_S     1.0  /* after that */

void alarm_open(struct alarm *alarm, struct client *feeder)
{
    rd_kafka_topic_conf_t *conf = rd_kafka_topic_conf_new();
    rd_kafka_topic_conf_set(conf, "message.timeout.ms", DELIVERY_MS, NULL, 0);
    alarm->feeder = feeder;
    alarm->topic = rd_kafka_topic_new(feeder->rk, EVENTS_TOPIC, conf);
    alarm->read_at = seconds_now();
}

void alarm_close(struct alarm *alarm)
{
    if (alarm->topic != NULL)
        rd_kafka_topic_destroy(alarm->topic);
}

void alarm_reads(struct alarm *alarm)
{
    double now = seconds_now();
    if (now - alarm->read_at > STOOD_STILL_S)
        alarm->awake_at = now + COME_TO_S;
    alarm->read_at = now;
}

void alarm_begin(struct alarm *alarm, uint32_t partition)
{
    alarm->places[partition] = (struct alarm_place){.received_at = seconds_now()};
}

void alarm_received(struct alarm *alarm, uint32_t partition, double now)
{
    alarm->places[partition].received_at = now;
    alarm->places[partition].is_at_end = false;
}

void alarm_at_end(struct alarm *alarm, uint32_t partition)
{
    alarm->places[partition].is_at_end = true;
}

bool alarm_is_at_end(const struct alarm *alarm, uint32_t partition)
{
    return alarm->places[partition].is_at_end;
}

static bool may_ring(const struct alarm *alarm, const struct alarm_place *place, double now)
{
    bool is_read_back = place->received_at > place->rung_at;
    return place->is_at_end && now >= alarm->awake_at && now - place->rung_at >= (is_read_back ? INTERVAL_S : LOST_S);
}

static int64_t time_of_day_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int64_t alarm_idle_ms(const struct alarm *alarm, uint32_t partition, int64_t timestamp_ms)
{
    const struct alarm_place *place = &alarm->places[partition];
    double now = alarm->read_at;
    if (!may_ring(alarm, place, now))
        return -1;
    int64_t idle_ms = (int64_t)((now - place->received_at) * 1000);
    int64_t by_day_ms = place->rung_at > 0 ? 0 : time_of_day_ms() - timestamp_ms;
    return by_day_ms > idle_ms ? by_day_ms : idle_ms;
}

/* Once: the partition's calls wait, but the meter need not. */
static void complain_once(struct alarm *alarm)
{
    const struct client *feeder = alarm->feeder;
    rd_kafka_poll(feeder->rk, 0);
    if (feeder->undelivered == 0 || alarm->has_complained)
        return;
    alarm->has_complained = true;
    message_note("cannot write " EVENTS_TOPIC ": %s; calls and recharges of an idle partition wait for its next event",
                 feeder->reason);
}

void alarm_ring(struct alarm *alarm, uint32_t partition, struct text event)
{
    void *bytes = (void *)(uintptr_t)event.at;
    complain_once(alarm);
    rd_kafka_produce(alarm->topic, (int32_t)partition, RD_KAFKA_MSG_F_COPY, bytes, event.len, NULL, 0, NULL);
    alarm->places[partition].rung_at = seconds_now();
}
