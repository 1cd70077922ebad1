/* Limits: how far each call may go, and saying so (contract, section 6).
 *
 * All live charged calls of an account spend one balance. The sum of their
 * commitments is kept up to date call by call, so that while it fits nothing is
 * looped over and nothing is said. When it does not fit, what there is is
 * granted (grant.c). Limits change in several rounds of a step; what is said is
 * what has changed when it is over, once a call. */
#include "processor/fold/internal.h"

#include <stdlib.h>

/* A call at its limit for lack of credits has exhausted the account. */
static void note_reached(struct account_step *step, const struct call_record *call)
{
    if (call->limit_ms != NO_LIMIT && call->limit_reason == CUTOFF_CREDITS_EXHAUSTED &&
        call->duration_ms >= call->limit_ms)
        step->reached = true;
}

/* --- changing and saying --- */

void cutoff_note(struct account_step *step, struct record *record)
{
    struct live_links *links = &record_links(record)->live;
    const struct call_record *call = call_of(record);
    if (links->change != 0)
        return;
    if (step->change_count == step->change_capacity) {
        size_t capacity = step->change_capacity ? step->change_capacity * 2 : 8;
        struct limit_change *changes = arena_alloc(&step->fold->arena, capacity * sizeof *changes);
        if (step->change_count > 0)
            memcpy(changes, step->changes, step->change_count * sizeof *changes);
        step->changes = changes;
        step->change_capacity = capacity;
    }
    step->changes[step->change_count++] =
        (struct limit_change){.call = record, .limit_ms = call->limit_ms, .reason = call->limit_reason};
    links->change = step->change_count;
}

void cutoff_limit(struct account_step *step, struct record *record, int64_t at_ms, enum cutoff_reason reason)
{
    cutoff_note(step, record);
    call_move(step, record, call_of(record)->duration_ms, at_ms, reason);
}

void cutoff_lift(struct account_step *step, struct record *record)
{
    cutoff_limit(step, record, NO_LIMIT, CUTOFF_CREDITS_EXHAUSTED);
}

static void say_change(struct account_step *step, const struct limit_change *before)
{
    struct call_record *call = call_of(before->call);
    record_links(before->call)->live.change = 0;
    bool another_reason = call->limit_reason != before->reason && call->limit_reason != CUTOFF_CREDITS_EXHAUSTED;
    if (call->limit_ms == before->limit_ms && (call->limit_ms == NO_LIMIT || !another_reason))
        return;
    call->revision++;
    if (call->limit_ms == NO_LIMIT) {
        struct output *output = emit(step->fold, OUTPUT_CALL_CUTOFF_WITHDRAWN, step_id(step));
        output->data.withdrawn.call_id = call_id(before->call);
        output->data.withdrawn.revision = call->revision;
        return;
    }
    struct output *output = emit(step->fold, OUTPUT_CALL_CUTOFF, step_id(step));
    output->data.cutoff.call_id = call_id(before->call);
    output->data.cutoff.at_duration_ms = call->limit_ms;
    output->data.cutoff.reason = (enum cutoff_reason)call->limit_reason;
    output->data.cutoff.revision = call->revision;
    note_reached(step, call);
}

static int by_call_start(const void *a, const void *b)
{
    int64_t x = call_of(((const struct limit_change *)a)->call)->start_offset;
    int64_t y = call_of(((const struct limit_change *)b)->call)->start_offset;
    return (x > y) - (x < y);
}

void cutoff_say(struct account_step *step)
{
    if (step->change_count > 1)
        qsort(step->changes, step->change_count, sizeof *step->changes, by_call_start);
    for (size_t i = 0; i < step->change_count; i++)
        say_change(step, &step->changes[i]);
    step->change_count = 0;
}

/* --- limits that are there to stay --- */

void cutoff_freeze(struct account_step *step, struct record *record, int64_t at_ms, enum cutoff_reason reason)
{
    const struct call_record *call = call_of(record);
    bool lower_stood = call->limit_ms != NO_LIMIT && call->limit_ms < at_ms;
    cutoff_limit(step, record, lower_stood ? call->limit_ms : at_ms, reason);
}

static void freeze_where(struct account_step *step, enum call_string which, struct text value,
                         enum cutoff_reason reason)
{
    for (struct record *r = first_call(step); r; r = next_call(r)) {
        const struct call_record *call = call_of(r);
        if (call->charging <= CHARGING_FREE && text_equal(call_string(call, which), value))
            cutoff_freeze(step, r, call->duration_ms, reason);
    }
}

void cutoff_number(struct account_step *step, struct text number, enum cutoff_reason reason)
{
    freeze_where(step, CALL_FROM, number, reason);
}

void cutoff_member(struct account_step *step, struct text member, enum cutoff_reason reason)
{
    freeze_where(step, CALL_MEMBER, member, reason);
}

/* --- the day's limit --- */

static void settle_daily_spend(struct account_step *step)
{
    struct account_record *account = step->account;
    int64_t cap_micros;
    if (step->is_deadline || account->unfrozen_calls == 0 ||
        !policy_amount(step->fold, POLICY_DAILY_SPEND, account->currency, &cap_micros))
        return;
    int32_t day = instant_day(step->time_ms);
    if (day < account->spent_day || account_spent(account, day) < cap_micros)
        return;
    for (struct record *r = first_call(step); r; r = next_call(r)) {
        const struct call_record *call = call_of(r);
        if (call->charging != CHARGING_CREDITS || cutoff_is_frozen(call))
            continue;
        struct tariff tariff = call_tariff(call);
        cutoff_freeze(step, r, charge_billed_ms(&tariff, call_talked_ms(call)), CUTOFF_DAILY_SPEND_REACHED);
    }
}

/* --- max_call_ms --- */

bool cutoff_is_near_max(const struct account_step *step, const struct call_record *call)
{
    return step->account->max_call_ms - call->duration_ms <= step->account->horizon_ms;
}

/* A call is past max_call_ms, or has a limit there, only where a policy change
 * made it so: what it was charged or granted before is not taken back. */
void cutoff_limit_to_max(struct account_step *step, struct record *record)
{
    const struct call_record *call = call_of(record);
    int64_t had_ms = call->limit_ms != NO_LIMIT ? call->limit_ms : call->duration_ms;
    cutoff_limit(step, record, step->account->max_call_ms > had_ms ? step->account->max_call_ms : had_ms,
                 CUTOFF_MAX_DURATION);
}

/* A new policy: a limit at or past max_call_ms is that one's from now on, so
 * that credits_exhausted always means a limit that a top-up may lift. */
static void lower_to_max(struct account_step *step)
{
    for (struct record *r = first_call(step); r; r = next_call(r)) {
        const struct call_record *call = call_of(r);
        int64_t max_call_ms = step->account->max_call_ms, talked_ms = call_talked_ms(call);
        int64_t most_ms = talked_ms > max_call_ms ? talked_ms : max_call_ms;
        if (call->limit_ms >= most_ms && !cutoff_is_frozen(call))
            cutoff_limit(step, r, most_ms, CUTOFF_MAX_DURATION);
    }
}

static void settle_max(struct account_step *step, struct record *record)
{
    const struct call_record *call = call_of(record);
    if (call->limit_ms == NO_LIMIT && cutoff_is_near_max(step, call))
        cutoff_limit_to_max(step, record);
}

/* --- after every event of an account --- */

/* Calls with a limit buy on when the event leaves more uncommitted than there was:
 * also where a grant gave back a dearer increment than it had to. */
static bool may_buy_on(const struct account_step *step)
{
    bool is_still = step->is_tick && !step->every_call; /* a tick moves no standing limit */
    return !is_still && step->account->limited_calls > 0 &&
           account_uncommitted(step->account) > step->uncommitted_before;
}

static void settle_credits(struct account_step *step)
{
    if (step->regrant) {
        grant_round(step, ROUND_REGRANT);
    } else {
        if (step->overdrawn || account_uncommitted(step->account) < 0)
            grant_round(step, ROUND_GRANT);
        if (may_buy_on(step))
            grant_round(step, ROUND_BUY_ON);
    }
    book_review(step);
}

void cutoff_settle(struct account_step *step)
{
    if (step->touched)
        note_reached(step, call_of(step->touched));
    settle_daily_spend(step);
    if (step->every_call)
        lower_to_max(step);
    settle_credits(step);
    if (step->every_call)
        for (struct record *r = first_call(step); r; r = next_call(r))
            settle_max(step, r);
    else if (step->touched)
        settle_max(step, step->touched);
    settle_daily_spend(step); /* talk beyond a limit that was lifted is charged only now */
    cutoff_say(step);
}
