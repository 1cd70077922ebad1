/* clock.c - see clock.h. */
#include "processor/clock.h"

#include <inttypes.h>
#include <stdio.h>

#include "events/encode.h"

/* Less than the fold takes, so that what a record needs to the broker is not lost to the cap. */
#define STEP_MS (CLOCK_STEP_MS - 5000)

static bool is_due(int64_t deadline_ms, int64_t idle_ms)
{
    return deadline_ms != INT64_MAX && idle_ms >= (deadline_ms < STEP_MS ? deadline_ms : STEP_MS);
}

/* Named for the place in the log that it was written for: written twice for one
 * place it is the same event. */
static void write_event(struct log *log, uint32_t partition, const struct fold_position *position, int64_t idle_ms)
{
    char id[64];
    struct buffer line = {0};
    struct event event = {.type = EVENT_CLOCK_ADVANCED, .time_ms = position->time_ms + idle_ms};
    snprintf(id, sizeof id, "clock-%" PRIu32 "-%" PRId64, partition, position->next_offset);
    event_encode(&line, &event, text_of(id), TEXT_LIT("/callfold"));
    log->does->wake(log, partition, (struct text){line.at, line.len});
    buffer_free(&line);
}

void clock_watch(struct log *log, struct partition *partition)
{
    struct fold_position position;
    if (!partition->is_caught_up)
        return;
    fold_position(partition->fold, &position);
    int64_t idle_ms = log->does->idle_ms(log, partition->number, position.timestamp_ms);
    if (idle_ms >= 0 && is_due(fold_next_deadline(partition->fold), idle_ms))
        write_event(log, partition->number, &position, idle_ms);
}
