/* survey.c - see survey.h. */
#include "processor/survey.h"

#include <stdio.h>
#include <time.h>

static double ratio(const struct partition *partition)
{
    if (partition->is_caught_up || partition->last.position <= 0)
        return partition->is_caught_up;
    double way = (double)partition->position / (double)partition->last.position;
    return way < 1 ? way : 1;
}

static double age_s(int64_t timestamp_ms)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double age = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - (double)timestamp_ms / 1000;
    return timestamp_ms > 0 && age > 0 ? age : 0;
}

static void survey_one(struct partition_figures *figures, struct log *log, const struct partition *partition)
{
    struct fold_position position;
    struct fold_counts counts;
    fold_position(partition->fold, &position);
    fold_counts(partition->fold, &counts);
    int64_t lag = log->does->lag != NULL ? log->does->lag(log, partition->number) : -1;
    *figures = (struct partition_figures){.number = partition->number,
                                          .live_calls = counts.live_calls,
                                          .records_in_memory = counts.records_in_memory,
                                          .time_ms = position.time_ms,
                                          .lag_records = lag,
                                          .lag_seconds = lag > 0 ? age_s(position.timestamp_ms) : 0,
                                          .catchup_ratio = ratio(partition)};
}

static void describe(struct figures *figures, bool is_assigned, size_t behind, int percent)
{
    size_t size = sizeof figures->status;
    if (!is_assigned)
        snprintf(figures->status, size, "waiting for partitions");
    else if (behind > 0)
        snprintf(figures->status, size, "catching up: %zu of %zu partitions, %d %% of their events", behind,
                 figures->partition_count, percent);
    else if (figures->partition_count == 0)
        snprintf(figures->status, size, "ready: no partitions yet");
    else
        snprintf(figures->status, size, "metering %zu %s", figures->partition_count,
                 figures->partition_count == 1 ? "partition" : "partitions");
}

void survey(struct figures *figures, struct log *log, struct partition *const *partitions, bool is_assigned)
{
    size_t behind = 0;
    int64_t done = 0, total = 0;
    figures->partition_count = 0;
    for (size_t i = 0; i < PARTITIONS_MAX; i++) {
        const struct partition *partition = partitions[i];
        if (partition == NULL)
            continue;
        survey_one(&figures->partitions[figures->partition_count++], log, partition);
        if (partition->is_caught_up)
            continue;
        behind++;
        done += partition->position;
        total += partition->last.position;
    }
    figures->is_ready = is_assigned && behind == 0;
    describe(figures, is_assigned, behind, total > 0 ? (int)(done * 100 / total) : 0);
}
