/* figures.c - see figures.h. */
#include "processor/figures.h"

#include <pthread.h>
#include <stdlib.h>

const double histogram_bounds[HISTOGRAM_BOUNDS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                   0.5,   1,      2.5,   5,    10,    30,   60};

void histogram_observe(struct histogram *histogram, double seconds)
{
    size_t i = 0;
    while (i < HISTOGRAM_BOUNDS && seconds > histogram_bounds[i])
        i++;
    histogram->counts[i]++;
    histogram->sum += seconds;
}

static void add_uncollected(struct figures *figures, uint32_t currency, int64_t micros)
{
    size_t i = 0;
    while (i < figures->uncollected_count && figures->uncollected[i].currency != currency)
        i++;
    if (i == CURRENCIES_MAX)
        return;
    if (i == figures->uncollected_count)
        figures->uncollected[figures->uncollected_count++] = (struct currency_sum){.currency = currency};
    int64_t *sum = &figures->uncollected[i].micros;
    if (__builtin_add_overflow(*sum, micros, sum))
        *sum = INT64_MAX; /* a count of no consequence must not stop a meter: it stands still */
}

void figures_count_output(struct figures *figures, const struct output *output)
{
    figures->outputs[output_topic_of(output->type)]++;
    if (output->type == OUTPUT_EVENT_REJECTED)
        figures->rejects[output->data.rejected.reason]++;
    else if (output->type == OUTPUT_CALL_CUTOFF)
        figures->cutoffs[output->data.cutoff.reason]++;
    else if (output->type == OUTPUT_CALL_RECORDED && output->data.call.uncollected_micros > 0)
        add_uncollected(figures, output->data.call.currency, output->data.call.uncollected_micros);
}

/* The board. */

struct board {
    pthread_mutex_t mutex;
    struct figures figures;
};

struct board *board_new(void)
{
    struct board *board = calloc(1, sizeof *board);
    if (board == NULL)
        abort();
    pthread_mutex_init(&board->mutex, NULL);
    board->figures = (struct figures){.status = "starting"};
    return board;
}

void board_free(struct board *board)
{
    pthread_mutex_destroy(&board->mutex);
    free(board);
}

void board_write(struct board *board, const struct figures *figures)
{
    pthread_mutex_lock(&board->mutex);
    board->figures = *figures;
    pthread_mutex_unlock(&board->mutex);
}

void board_read(struct board *board, struct figures *figures)
{
    pthread_mutex_lock(&board->mutex);
    *figures = board->figures;
    pthread_mutex_unlock(&board->mutex);
}
