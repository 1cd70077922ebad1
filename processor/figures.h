/* figures.h - what a meter counts and measures while it runs.
 *
 * The engine owns a struct figures and counts in it, without a thought for
 * anybody else. A few times a second it writes it on a board, from which other
 * threads (http.h) read it whole: two copies under a mutex, and nothing an event.
 *
 * Counts are of what this process published; what it folded again in silence was
 * counted by whoever published it. They begin at zero with the process.
 */
#ifndef CALLFOLD_PROCESSOR_FIGURES_H
#define CALLFOLD_PROCESSOR_FIGURES_H

#include "processor/log.h"

/* Seconds, each bucket's upper end; the last bucket has none. */
#define HISTOGRAM_BOUNDS 15
extern const double histogram_bounds[HISTOGRAM_BOUNDS];
struct histogram {
    int64_t counts[HISTOGRAM_BOUNDS + 1];
    double sum;
};
void histogram_observe(struct histogram *histogram, double seconds);

#define CURRENCIES_MAX 256 /* more than ISO 4217 has */
struct currency_sum {
    uint32_t currency;
    int64_t micros;
};

struct partition_figures {
    uint32_t number;
    int64_t live_calls, records_in_memory;
    int64_t time_ms;      /* partition time */
    int64_t lag_records;  /* to the log's end; -1: not known */
    double lag_seconds;   /* since the last record folded, while there are more */
    double catchup_ratio; /* of the way from its stored state to the last commit; 1: there, and publishing */
};

struct figures {
    int64_t records;  /* folded and published */
    int64_t refolded; /* folded again in silence */
    int64_t duplicates;
    int64_t
        events[EVENT_TYPE_COUNT + 1]; /* by what they said they were, whatever became of them; last: nothing known */
    int64_t outputs[TOPIC_COUNT], rejects[REJECT_REASON_COUNT], cutoffs[CUTOFF_REASON_COUNT];
    struct currency_sum uncollected[CURRENCIES_MAX];
    size_t uncollected_count;
    struct histogram commits, checkpoints;
    bool is_stopped; /* by a signal, before the log's end */
    double seconds;

    bool is_ready; /* it has its partitions, and all publish */
    char status[128];
    size_t partition_count;
    struct partition_figures partitions[PARTITIONS_MAX];
};

void figures_count_output(struct figures *figures, const struct output *output);

struct board;
/* Never NULL. What was never written reads as zeros, with the status "starting". */
struct board *board_new(void);
void board_free(struct board *board);
void board_write(struct board *board, const struct figures *figures);
void board_read(struct board *board, struct figures *figures);

#endif
