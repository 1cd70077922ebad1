/* What a call would buy in a round of grants: the increments from what it has
 * to the horizon. */
#include "processor/fold/internal.h"

bool bid_takes_part(const struct call_record *call, enum round round)
{
    if (call->charging != CHARGING_CREDITS || cutoff_is_frozen(call))
        return false;
    if (round == ROUND_REGRANT)
        return true;
    bool limited = call->limit_ms != NO_LIMIT;
    if (round == ROUND_GRANT)
        return !limited;
    return limited && call->limit_reason == CUTOFF_CREDITS_EXHAUSTED;
}

struct bid bid_of(const struct account_record *account, struct record *record, enum round round)
{
    const struct call_record *call = call_of(record);
    struct bid bid = {.call = record, .tariff = call_tariff(call), .duration_ms = call->duration_ms};
    int64_t from_ms = call->duration_ms;
    if (call->limit_ms != NO_LIMIT && (round == ROUND_BUY_ON || call->limit_ms < from_ms))
        from_ms = call->limit_ms;
    bid.begin_ms = bid.end_ms = charge_billed_ms(&bid.tariff, from_ms);
    bid.cost_micros = charge_cost(&bid.tariff, from_ms);
    int64_t until_ms = call->duration_ms + account->horizon_ms;
    if (until_ms > account->max_call_ms)
        until_ms = account->max_call_ms;
    if (call->limit_ms != NO_LIMIT && call->limit_reason == CUTOFF_MAX_DURATION)
        until_ms = call->limit_ms; /* said and granted, also where it is beyond a horizon that is shorter now */
    bid.full_end_ms = bid.end_ms;
    bid.full_cost_micros = bid.cost_micros;
    if (bid.end_ms < until_ms) {
        bid.full_end_ms = charge_billed_ms(&bid.tariff, until_ms);
        bid.full_cost_micros = charge_cost(&bid.tariff, until_ms);
    }
    return bid;
}

bool bid_buy(struct bid *bid, int64_t *pool)
{
    int64_t next_end_ms = charge_next_end_ms(&bid->tariff, bid->end_ms);
    int64_t next_cost = charge_cost(&bid->tariff, next_end_ms);
    if (bid->passed_over || !charge_covers(saturating_add(bid->cost_micros, *pool), next_cost)) {
        bid->passed_over = true;
        return false;
    }
    *pool -= next_cost - bid->cost_micros;
    bid->end_ms = next_end_ms;
    bid->cost_micros = next_cost;
    return true;
}
