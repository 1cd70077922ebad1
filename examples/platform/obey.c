/* obey.c - the meter's commands: done, and held against what was asked.
 *
 * What must hold, whatever the day brings:
 *   - each call.started and sms.requested is answered once, in its own step;
 *   - nothing is said of a call that is over;
 *   - the revisions of a call count 1, 2, 3 ...;
 *   - the meter gives max_duration_ms to charged calls and to no others;
 *   - a deck that is incomplete or comes without notice is not accepted;
 *   - one recharge in flight per account, for the amount that was configured;
 *   - on an honest platform a cutoff for lack of credits comes in time, unless
 *     a chargeback took back what calls had been granted.
 */
#include "examples/platform/platform.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define VIOLATIONS_SHOWN 20

__attribute__((format(printf, 3, 4))) static void violation(struct platform *platform, const struct order *order,
                                                            const char *format, ...)
{
    char what[256], time[INSTANT_TEXT_MAX];
    va_list arguments;
    if (platform->violations++ >= VIOLATIONS_SHOWN)
        return;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    instant_format(platform->now_ms, time);
    struct text id = order ? order->id : TEXT_LIT("end of step");
    fprintf(stderr, "platform: %s: %.*s: %s\n", time, TEXT_ARGS(id), what);
}

/* The index in an id such as "c17"; SIZE_MAX for anything else. */
static size_t index_in(struct text id, char letter)
{
    size_t index = 0;
    if (id.len < 2 || id.len > 12 || id.at[0] != letter)
        return SIZE_MAX;
    for (size_t i = 1; i < id.len; i++) {
        if (id.at[i] < '0' || id.at[i] > '9')
            return SIZE_MAX;
        index = 10 * index + (size_t)(id.at[i] - '0');
    }
    return index;
}

/* The call a command is about; SIZE_MAX after a violation when there is none. */
static size_t call_of(struct platform *platform, const struct order *order)
{
    size_t index = index_in(order->call_id, 'c');
    if (index < platform->call_count &&
        text_equal(order->subject, text_of(platform->accounts[platform->calls[index].account].id)))
        return index;
    violation(platform, order, "no such call: %.*s", TEXT_ARGS(order->call_id));
    return SIZE_MAX;
}

/* Counts an answer; false when it is not the first. */
static bool answer(struct platform *platform, const struct order *order, unsigned *answers)
{
    if ((*answers)++ == 0)
        return true;
    violation(platform, order, "answered before");
    return false;
}

static void on_authorized(struct platform *platform, const struct order *order)
{
    size_t index = call_of(platform, order);
    if (index == SIZE_MAX || !answer(platform, order, &platform->calls[index].answers))
        return;
    if (order->charged != order->has_max_duration)
        violation(platform, order, "max_duration_ms is for charged calls, and for all of them");
    platform->tallies[TALLY_AUTHORIZED]++;
    call_authorized(platform, index, order->charged);
}

static void on_denied(struct platform *platform, const struct order *order)
{
    size_t index = call_of(platform, order);
    if (index == SIZE_MAX || !answer(platform, order, &platform->calls[index].answers))
        return;
    platform->tallies[TALLY_DENIED]++;
    call_denied(platform, index);
}

/* Cutoffs and withdrawals: false when there is nothing to obey. */
static bool revise(struct platform *platform, const struct order *order, size_t index)
{
    struct call *call = &platform->calls[index];
    if (order->revision != call->revision + 1)
        violation(platform, order, "revision %" PRId64 " of %s follows %" PRId64, order->revision, call->id,
                  call->revision);
    call->revision = order->revision;
    if (call->state != CALL_OVER)
        return true;
    bool told = call->plan.loss == LOSS_NONE && call->over_step < platform->step;
    if (told)
        violation(platform, order, "%s is over since step %" PRId64, call->id, call->over_step);
    return false;
}

static void on_cutoff(struct platform *platform, const struct order *order)
{
    size_t index = call_of(platform, order);
    if (index == SIZE_MAX)
        return;
    platform->tallies[TALLY_CUTOFFS]++;
    if (!revise(platform, order, index))
        return;
    struct call *call = &platform->calls[index];
    int64_t talk_ms = call_talk_ms(platform, call);
    const struct account *account = &platform->accounts[call->account];
    bool in_time = account->habits.honest && !account->charged_back;
    if (in_time && text_equal(order->reason, TEXT_LIT("credits_exhausted")) && order->at_duration_ms < talk_ms)
        violation(platform, order, "%s is to end at %" PRId64 " ms and talks for %" PRId64 " ms already", call->id,
                  order->at_duration_ms, talk_ms);
    call_limit(platform, index, order->at_duration_ms);
}

static void on_withdrawn(struct platform *platform, const struct order *order)
{
    size_t index = call_of(platform, order);
    if (index == SIZE_MAX)
        return;
    platform->tallies[TALLY_WITHDRAWN]++;
    if (revise(platform, order, index))
        call_limit(platform, index, NO_LIMIT);
}

static void on_recharge(struct platform *platform, const struct order *order)
{
    struct account *account = account_find(platform, order->subject);
    if (!account) {
        violation(platform, order, "no such account: %.*s", TEXT_ARGS(order->subject));
        return;
    }
    const struct amount *amount = &account->habits.recharge_amount;
    if (!text_equal(order->recharge_id, order->id))
        violation(platform, order, "recharge_id is not the record's id");
    if (order->amount.micros != amount->micros || order->amount.currency != amount->currency)
        violation(platform, order, "recharges %s by another amount than configured", account->id);
    /* The platform heard of it up to a step after the meter had asked. */
    int64_t waited_ms = platform->now_ms - account->recharge_asked_ms + STEP_MS;
    if (account->recharge_id[0] != '\0' && waited_ms < platform->recharge_timeout_ms)
        violation(platform, order, "%s has recharge %s in flight", account->id, account->recharge_id);
    platform->tallies[TALLY_RECHARGES]++;
    recharge_asked(platform, account, order);
}

static void on_notify(struct platform *platform, const struct order *order)
{
    struct account *account = account_find(platform, order->subject);
    if (!account) {
        violation(platform, order, "no such account: %.*s", TEXT_ARGS(order->subject));
        return;
    }
    platform->tallies[TALLY_NOTIFIED]++;
    bool exhausted = text_equal(order->reason, TEXT_LIT("credits_exhausted"));
    account->exhausted |= exhausted;
    if (exhausted || text_equal(order->reason, TEXT_LIT("credits_low")))
        credits_short(platform, account);
}

static void on_sms(struct platform *platform, const struct order *order)
{
    size_t index = index_in(order->message_id, 's');
    if (index >= platform->sms_count)
        violation(platform, order, "no such message: %.*s", TEXT_ARGS(order->message_id));
    else
        answer(platform, order, &platform->sms[index].answers);
}

static void on_deck(struct platform *platform, const struct order *order)
{
    if (!tariff_is_sound(order->deck_id))
        violation(platform, order, "deck %.*s should have been dropped", TEXT_ARGS(order->deck_id));
    platform->tallies[TALLY_DECKS]++;
}

void obey(struct platform *platform, const struct order *order)
{
    static void (*const on[OUTPUT_TYPE_COUNT])(struct platform *, const struct order *) = {
        [OUTPUT_CALL_AUTHORIZED] = on_authorized,
        [OUTPUT_CALL_DENIED] = on_denied,
        [OUTPUT_CALL_CUTOFF] = on_cutoff,
        [OUTPUT_CALL_CUTOFF_WITHDRAWN] = on_withdrawn,
        [OUTPUT_ACCOUNT_RECHARGE] = on_recharge,
        [OUTPUT_ACCOUNT_NOTIFY] = on_notify,
        [OUTPUT_SMS_ALLOWED] = on_sms,
        [OUTPUT_SMS_DENIED] = on_sms,
        [OUTPUT_RATEDECK_ACCEPTED] = on_deck,
    };
    if (on[order->type])
        on[order->type](platform, order);
    else
        violation(platform, order, "%s is no command", output_type_name(order->type));
}

void check_step(struct platform *platform)
{
    for (size_t i = platform->first_unanswered_call; i < platform->call_count; i++)
        if (platform->calls[i].answers != 1)
            violation(platform, NULL, "%s was answered %u times", platform->calls[i].id, platform->calls[i].answers);
    for (size_t i = platform->first_unanswered_sms; i < platform->sms_count; i++)
        if (platform->sms[i].answers != 1)
            violation(platform, NULL, "message s%zu was answered %u times", i, platform->sms[i].answers);
    platform->first_unanswered_call = platform->call_count;
    platform->first_unanswered_sms = platform->sms_count;
}
