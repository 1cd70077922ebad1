/* alarm.h - how long a partition has been idle, and a record that wakes it.
 *
 * A partition is idle once the brokers have said that there is no more to read.
 * How long is counted here from the moment its last record was received: the
 * brokers' clock has gone on as far by then, whatever this machine's says of the
 * time of day. Only before the first record written for a partition that was
 * just taken does the time of day count, for what passed while nobody had it.
 *
 * Writing is not part of a transaction: one that hangs would keep everybody who
 * reads callfold.events waiting. A record counts once it is read back; until
 * then, or until it must have failed, no other is written, and never more than
 * two a second. A process that was stopped for a while waits until it has heard
 * whether the partition is still its own. Should two write nevertheless, the
 * broker's time in the second record adds nothing to that in the first.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_ALARM_H
#define CALLFOLD_PROCESSOR_KAFKA_ALARM_H

#include "processor/kafka/client.h"

struct alarm_place {
    double received_at; /* seconds_now() of the last record, or of the assignment */
    double rung_at;     /* of the last record written; 0: none since the assignment */
    bool is_at_end;     /* nothing to read after that */
};

struct alarm {
    struct client *feeder; /* borrowed, CLIENT_FEEDER */
    rd_kafka_topic_t *topic;
    bool has_complained; /* that a record could not be written */
    double read_at;      /* seconds_now() of the last look at the log */
    double awake_at;     /* when what was missed while the process stood still is known */
    struct alarm_place places[PARTITIONS_MAX];
};

void alarm_open(struct alarm *alarm, struct client *feeder);
void alarm_close(struct alarm *alarm); /* also of one that was never opened */

/* The log is about to be read. */
void alarm_reads(struct alarm *alarm);
/* A partition is taken; a record of it came; there are no more for now. */
void alarm_begin(struct alarm *alarm, uint32_t partition);
void alarm_received(struct alarm *alarm, uint32_t partition, double now);
void alarm_at_end(struct alarm *alarm, uint32_t partition);
bool alarm_is_at_end(const struct alarm *alarm, uint32_t partition);

/* ms since the partition's last record, whose timestamp that is; -1 while more
 * are to be read, or no record may be written. */
int64_t alarm_idle_ms(const struct alarm *alarm, uint32_t partition, int64_t timestamp_ms);
void alarm_ring(struct alarm *alarm, uint32_t partition, struct text event);

#endif
