/* May this call go ahead? Contract, section 4: one list of questions in order;
 * the first answer decides. */
#include "events/phone.h"
#include "processor/fold/internal.h"

static bool deny(struct judgement *judgement, enum denial_reason reason, struct text detail)
{
    judgement->authorized = false;
    judgement->reason = reason;
    judgement->detail = detail;
    return true;
}

/* --- 2: the number dialled --- */

static bool judge_dialled(struct fold *fold, struct text to, struct judgement *judgement)
{
    if (phone_is_emergency(to))
        return deny(judgement, DENIED_EMERGENCY_NUMBER,
                    text_format(fold, "%.*s is an emergency number; callfold never carries those", TEXT_ARGS(to)));
    if (!phone_is_e164(to))
        return deny(judgement, DENIED_INVALID_NUMBER,
                    TEXT_LIT("the number dialled is not E.164: a plus sign and 2 to 15 digits"));
    return false;
}

/* --- 3: the rate --- */

static bool judge_rate(struct fold *fold, const struct event *event, const struct number_record *number,
                       struct judgement *judgement)
{
    struct text origin = {number->origin, number->origin_len}, to = event->data.call_started.to;
    uint16_t index;
    size_t matched;
    const struct deck_view *view = deck_in_force(fold, origin, event->time_ms, &index);
    if (!view)
        return deny(judgement, DENIED_NO_RATES,
                    text_format(fold, "no rate deck is in force for origin %.*s", TEXT_ARGS(origin)));
    judgement->deck = view->deck;
    judgement->rate = rate_match(fold, view, index, (struct text){to.at + 1, to.len - 1}, &matched);
    if (!judgement->rate)
        return deny(judgement, DENIED_DESTINATION_UNKNOWN,
                    text_format(fold, "deck %.*s has no prefix for %.*s from %.*s", view->deck->id_len, view->deck->id,
                                TEXT_ARGS(to), TEXT_ARGS(origin)));
    judgement->prefix = (struct text){to.at, matched + 1};
    return false;
}

/* --- 5: what the account's people have set --- */

static bool judge_settings(struct fold *fold, const struct event *event, struct record *account,
                           const struct number_record *number, struct judgement *judgement)
{
    struct text from = event->data.call_started.from, to = event->data.call_started.to;
    struct text member = event->data.call_started.member_id;
    if (!number->international)
        return deny(judgement, DENIED_INTERNATIONAL_DISABLED,
                    text_format(fold, "international calling is off for %.*s", TEXT_ARGS(from)));
    if (!number_assigned(fold, event->subject, from, number, member))
        return deny(judgement, DENIED_MEMBER_NOT_ASSIGNED,
                    text_format(fold, "%.*s is not assigned to %.*s", TEXT_ARGS(member), TEXT_ARGS(from)));
    if (destination_is_blocked(fold, account, from, number, to))
        return deny(judgement, DENIED_DESTINATION_BLOCKED_BY_ACCOUNT,
                    text_format(fold, "the account blocks %.*s for %.*s", TEXT_ARGS(to), TEXT_ARGS(from)));
    return false;
}

/* --- 7 and 8: money --- */

/* The rate in the account's currency, rounded once. One that does not fit is
 * more than any credits. */
static bool price_call(struct fold *fold, const struct event *event, uint32_t currency, struct judgement *judgement)
{
    const struct rate_record *rate = judgement->rate;
    struct tariff *tariff = &judgement->tariff;
    uint32_t from = judgement->deck->currency;
    int64_t num, den;
    if (!fx_ratio(fold, from, currency, event->time_ms, &num, &den))
        return false;
    if (!mul_div_half_up(rate->price_micros, num, den, &tariff->price_micros) ||
        !mul_div_half_up(rate->connect_micros, num, den, &tariff->connect_micros))
        tariff->connect_micros = COST_BEYOND;
    if (from != currency) {
        judgement->fx_from = from;
        if (!mul_div_half_up(NANOS_PER_UNIT, num, den, &judgement->fx_nanos))
            judgement->fx_nanos = INT64_MAX;
    }
    tariff->first_ms = (int64_t)rate->first_s * MS_PER_SECOND;
    tariff->step_ms = (int64_t)rate->step_s * MS_PER_SECOND;
    return true;
}

static bool judge_spend(struct fold *fold, const struct event *event, const struct account_record *account,
                        struct judgement *judgement)
{
    int64_t most_calls = fold->policy->number[POLICY_MAX_CONCURRENT_CALLS], cap_micros;
    if (most_calls > 0 && account->charged_calls >= most_calls)
        return deny(judgement, DENIED_TOO_MANY_CALLS,
                    text_format(fold, "%u charged calls are live; %lld are allowed", account->charged_calls,
                                (long long)most_calls));
    if (policy_amount(fold, POLICY_DAILY_SPEND, account->currency, &cap_micros) &&
        account_spent(account, instant_day(event->time_ms)) >= cap_micros) {
        char cap[MONEY_TEXT_MAX];
        money_format(cap_micros, cap);
        return deny(judgement, DENIED_DAILY_SPEND_REACHED,
                    text_format(fold, "the account's charges of this UTC day have reached %s", cap));
    }
    return false;
}

static bool judge_credits(struct account_step *step, struct judgement *judgement)
{
    struct fold *fold = step->fold;
    /* A sum that left int64 is below zero, like any other that is not covered. */
    int64_t uncommitted = step->overdrawn ? INT64_MIN : account_uncommitted(step->account);
    int64_t first_cost = charge_cost(&judgement->tariff, 1);
    judgement->reached_credits = true;
    if (!charge_covers(uncommitted, first_cost)) {
        char have[MONEY_TEXT_MAX], need[MONEY_TEXT_MAX];
        money_format(uncommitted, have);
        money_format(first_cost, need);
        return deny(judgement, DENIED_INSUFFICIENT_CREDITS,
                    text_format(fold, "%s uncommitted; the first increment costs %s", have, need));
    }
    judgement->max_duration_ms =
        charge_affordable_ms(&judgement->tariff, uncommitted, fold->policy->number[POLICY_MAX_CALL_MS]);
    return false;
}

/* Money is judged only for calls that cost some. */
static bool judge_money(struct account_step *step, const struct event *event, struct judgement *judgement)
{
    struct fold *fold = step->fold;
    const struct account_record *account = step->account;
    if (!price_call(fold, event, account->currency, judgement)) {
        char from[CURRENCY_TEXT_MAX], to[CURRENCY_TEXT_MAX];
        currency_format(judgement->deck->currency, from);
        currency_format(account->currency, to);
        return deny(judgement, DENIED_NO_FX_RATE,
                    text_format(fold, "no exchange rate from %s to %s is in force", from, to));
    }
    return judge_spend(fold, event, account, judgement) || judge_credits(step, judgement);
}

void judge_call(struct account_step *step, const struct event *event, struct judgement *judgement)
{
    struct fold *fold = step->fold;
    *judgement = (struct judgement){.authorized = true, .charging = CHARGING_INBOUND};
    if (event->data.call_started.direction == DIRECTION_INBOUND)
        return;
    struct text from = event->data.call_started.from;
    const struct number_record *number = number_find(fold, event->subject, from);
    if (!number) {
        deny(judgement, DENIED_NUMBER_UNKNOWN,
             text_format(fold, "%.*s is not a number of the account", TEXT_ARGS(from)));
        return;
    }
    if (judge_dialled(fold, event->data.call_started.to, judgement) || judge_rate(fold, event, number, judgement))
        return;
    if (judgement->rate->status == RATE_BLOCKED) {
        deny(judgement, DENIED_DESTINATION_BLOCKED,
             text_format(fold, "deck %.*s blocks %.*s", judgement->deck->id_len, judgement->deck->id,
                         TEXT_ARGS(judgement->prefix)));
        return;
    }
    judgement->charging = CHARGING_DOMESTIC;
    if (judgement->rate->domestic || judge_settings(fold, event, step->record, number, judgement))
        return;
    judgement->charging = CHARGING_FREE;
    if (judgement->rate->status == RATE_FREE)
        return;
    judgement->charging = CHARGING_CREDITS;
    judge_money(step, event, judgement);
}

/* --- what others ask --- */

void fold_quote(struct fold *fold, const struct event *event, struct fold_quote *quote)
{
    struct judgement judgement = {.authorized = true};
    const struct account_record *account = record_body(account_find(fold, event->subject));
    *quote = (struct fold_quote){.number = number_find(fold, event->subject, event->data.call_started.from)};
    if (!quote->number || !phone_is_e164(event->data.call_started.to))
        return;
    bool denied = judge_rate(fold, event, quote->number, &judgement);
    quote->deck = judgement.deck;
    quote->rate = judgement.rate;
    quote->prefix = judgement.prefix;
    if (denied || judgement.rate->status != RATE_OPEN)
        return;
    quote->is_priced = price_call(fold, event, account->currency, &judgement);
    quote->tariff = judgement.tariff;
    if (judgement.deck->currency != account->currency)
        quote->fx = fold_fx(fold, event->time_ms);
}

/* --- sms: domestic only --- */

static void sms_deny(struct fold *fold, const struct event *event, enum denial_reason reason, struct text detail)
{
    struct output *output = emit(fold, OUTPUT_SMS_DENIED, event->subject);
    output->data.sms_denied.message_id = event->data.sms.message_id;
    output->data.sms_denied.reason = reason;
    output->data.sms_denied.detail = detail;
}

static void sms_answer(struct fold *fold, const struct event *event)
{
    struct text from = event->data.sms.from, to = event->data.sms.to;
    const struct number_record *number = number_find(fold, event->subject, from);
    if (!number) {
        sms_deny(fold, event, DENIED_NUMBER_UNKNOWN,
                 text_format(fold, "%.*s is not a number of the account", TEXT_ARGS(from)));
        return;
    }
    struct text origin = {number->origin, number->origin_len};
    uint16_t index;
    size_t matched;
    const struct deck_view *view = deck_in_force(fold, origin, event->time_ms, &index);
    if (!view) {
        sms_deny(fold, event, DENIED_NO_RATES,
                 text_format(fold, "no rate deck is in force for origin %.*s", TEXT_ARGS(origin)));
        return;
    }
    const struct rate_record *rate = rate_match(fold, view, index, (struct text){to.at + 1, to.len - 1}, &matched);
    if (!rate || !rate->domestic || rate->status == RATE_BLOCKED)
        sms_deny(fold, event, DENIED_INTERNATIONAL_SMS,
                 text_format(fold, "%.*s is not domestic from %.*s", TEXT_ARGS(to), TEXT_ARGS(origin)));
    else
        emit(fold, OUTPUT_SMS_ALLOWED, event->subject)->data.sms_allowed.message_id = event->data.sms.message_id;
}

enum verdict sms_requested(struct fold *fold, const struct event *event, struct record *account)
{
    struct account_step step = account_begin(fold, account, event->time_ms);
    sms_answer(fold, event);
    account_finish(&step);
    return APPLIED;
}
