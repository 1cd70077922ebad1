#include "processor/fold/charge.h"

#include <assert.h>

#define MS_PER_PRICE 60000 /* prices are per minute */

int64_t charge_billed_ms(const struct tariff *tariff, int64_t duration_ms)
{
    assert(duration_ms >= 0 && tariff->first_ms > 0 && tariff->step_ms > 0);
    if (duration_ms == 0)
        return 0;
    if (duration_ms <= tariff->first_ms)
        return tariff->first_ms;
    int64_t beyond_ms = duration_ms - tariff->first_ms;
    int64_t steps = (beyond_ms + tariff->step_ms - 1) / tariff->step_ms;
    return tariff->first_ms + steps * tariff->step_ms;
}

/* The cost of talk time already rounded up to whole increments, > 0. */
static int64_t cost_of_billed(const struct tariff *tariff, int64_t billed_ms)
{
    int64_t product, cost;
    if (!__builtin_mul_overflow(billed_ms, tariff->price_micros, &product) && product <= INT64_MAX - MS_PER_PRICE / 2) {
        product = (product + MS_PER_PRICE / 2) / MS_PER_PRICE;
    } else {
        __int128 wide = (__int128)billed_ms * tariff->price_micros;
        wide = (wide + MS_PER_PRICE / 2) / MS_PER_PRICE;
        if (wide > INT64_MAX)
            return COST_BEYOND;
        product = (int64_t)wide;
    }
    if (__builtin_add_overflow(product, tariff->connect_micros, &cost))
        return COST_BEYOND;
    return cost;
}

int64_t charge_cost(const struct tariff *tariff, int64_t duration_ms)
{
    if (duration_ms == 0)
        return 0;
    return cost_of_billed(tariff, charge_billed_ms(tariff, duration_ms));
}

int64_t charge_affordable_ms(const struct tariff *tariff, int64_t micros, int64_t most_ms)
{
    assert(micros >= 0 && most_ms >= 0);
    if (micros == COST_BEYOND)
        micros--; /* no credits cover it */
    if (micros < tariff->connect_micros)
        return 0;
    if (tariff->price_micros == 0)
        return most_ms;
    /* round_half_up(x / 60000) <= r  is the same as  x <= (r + 1) * 60000 - 30001. */
    __int128 left = (__int128)(micros - tariff->connect_micros) + 1;
    __int128 billed_ms = (left * MS_PER_PRICE - MS_PER_PRICE / 2 - 1) / tariff->price_micros;
    if (billed_ms < tariff->first_ms)
        return 0;
    __int128 steps = (billed_ms - tariff->first_ms) / tariff->step_ms;
    __int128 end_ms = tariff->first_ms + steps * tariff->step_ms;
    return end_ms < most_ms ? (int64_t)end_ms : most_ms;
}

int64_t charge_next_end_ms(const struct tariff *tariff, int64_t begin_ms)
{
    return begin_ms == 0 ? tariff->first_ms : begin_ms + tariff->step_ms;
}

int64_t charge_previous_end_ms(const struct tariff *tariff, int64_t end_ms)
{
    return end_ms == tariff->first_ms ? 0 : end_ms - tariff->step_ms;
}

int64_t charge_next_cost(const struct tariff *tariff, int64_t begin_ms)
{
    int64_t cost = charge_cost(tariff, charge_next_end_ms(tariff, begin_ms));
    return cost == COST_BEYOND ? COST_BEYOND : cost - charge_cost(tariff, begin_ms);
}
