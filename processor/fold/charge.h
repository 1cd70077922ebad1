/* charge.h - what a call costs (contract, section 5).
 *
 *     billed(d) = 0                                      if d = 0
 *               = first                                  if d <= first
 *               = first + ceil((d - first) / step)*step  otherwise
 *     cost(d)   = 0 if d = 0, else connect + round_half_up(billed(d) * price / 60000)
 *
 * Durations are milliseconds of talk time since answer, amounts micros of the
 * account's currency. The cost is a function of the cumulative duration alone,
 * so a lost, late or repeated tick changes no charge.
 */
#ifndef CALLFOLD_PROCESSOR_FOLD_CHARGE_H
#define CALLFOLD_PROCESSOR_FOLD_CHARGE_H

#include <stdbool.h>
#include <stdint.h>

/* What a rate comes to in one account's currency, locked at a call's start. */
struct tariff {
    int64_t price_micros;   /* per minute, >= 0 */
    int64_t connect_micros; /* >= 0 */
    int64_t first_ms;       /* first increment, > 0 */
    int64_t step_ms;        /* every further increment, > 0 */
};

/* Talk time in whole increments that a duration (>= 0, at most 2^54) begins. */
int64_t charge_billed_ms(const struct tariff *tariff, int64_t duration_ms);

/* The cost of a duration; COST_BEYOND when it does not fit, which no credits cover. */
#define COST_BEYOND INT64_MAX
static inline bool charge_covers(int64_t credits_micros, int64_t cost_micros)
{
    return cost_micros <= credits_micros && cost_micros != COST_BEYOND;
}
int64_t charge_cost(const struct tariff *tariff, int64_t duration_ms);

/* The end of the last whole increment that micros (>= 0) pay for from the
 * call's first moment on, at most most_ms; 0 when the first is too dear. */
int64_t charge_affordable_ms(const struct tariff *tariff, int64_t micros, int64_t most_ms);

/* The end of the increment that begins at begin_ms, itself 0 or an increment's end. */
int64_t charge_next_end_ms(const struct tariff *tariff, int64_t begin_ms);
/* Where the increment begins that ends at end_ms. */
int64_t charge_previous_end_ms(const struct tariff *tariff, int64_t end_ms);
/* What the increment that begins at begin_ms adds to the cost; COST_BEYOND when
 * the cost then does not fit. */
int64_t charge_next_cost(const struct tariff *tariff, int64_t begin_ms);

#endif
