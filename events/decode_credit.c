/* Credits: top-ups, their reversal and auto-recharge. scan_judge.c says the
 * same of their plain form. */
#include "events/decode_internal.h"

bool decode_auto_recharge(const struct fields *data, struct event *event)
{
    int64_t daily_limit = DAILY_LIMIT_DEFAULT;

    if (!field_boolean(data, "enabled", &event->data.auto_recharge.enabled) ||
        !field_money(data, &event->data.auto_recharge.amount))
        return false;
    if (field_given(data, "threshold") && !field_price(data, "threshold", &event->data.auto_recharge.threshold_micros))
        return false;
    if (field_given(data, "daily_limit") && !field_integer(data, "daily_limit", 0, DAILY_LIMIT_MAX, &daily_limit))
        return false;
    event->data.auto_recharge.daily_limit = (uint32_t)daily_limit;
    return field_id(data, "actor", &event->data.auto_recharge.actor);
}

bool decode_topped_up(const struct fields *data, struct event *event)
{
    struct fields paid;

    if (!field_id(data, "topup_id", &event->data.topup.topup_id) || !field_money(data, &event->data.topup.amount))
        return false;
    event->data.topup.paid = event->data.topup.amount;
    event->data.topup.has_paid = field_given(data, "paid");
    if (event->data.topup.has_paid &&
        (!field_object(data, "paid", "data.paid", &paid) || !field_money(&paid, &event->data.topup.paid)))
        return false;
    return !field_given(data, "recharge_id") || field_id(data, "recharge_id", &event->data.topup.recharge_id);
}

bool decode_topup_reversed(const struct fields *data, struct event *event)
{
    return field_id(data, "topup_id", &event->data.reversal.topup_id) &&
           field_words(data, "reason", &event->data.reversal.reason);
}

bool decode_recharge_failed(const struct fields *data, struct event *event)
{
    return field_id(data, "recharge_id", &event->data.recharge_failed.recharge_id) &&
           field_words(data, "reason", &event->data.recharge_failed.reason);
}
