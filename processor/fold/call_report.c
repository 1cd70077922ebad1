/* call.ticked and call.ended: how far a call has talked. */
#include "processor/fold/internal.h"

/* The micros that a call may cost, all told: what is neither charged nor granted to others. */
static int64_t credits_for(const struct account_step *step, const struct call_record *call)
{
    int64_t unheld = step->account->posted_micros - (step->account->held_micros - call_held(call));
    return saturating_add(unheld, call->posted_micros);
}

/* Whether credits go as far, for a call without a limit. They go as far as its
 * commitment does, while all commitments fit into the balance; that is nearly
 * always so, and costs no reckoning. */
static bool credits_reach(const struct account_step *step, const struct call_record *call, int64_t to_ms)
{
    if (!step->overdrawn && account_uncommitted(step->account) >= 0 && to_ms <= call_ahead_ms(step->account, call))
        return true;
    struct tariff tariff = call_tariff(call);
    return charge_covers(credits_for(step, call), charge_cost(&tariff, to_ms));
}

/* A call without a limit moves ahead: no further than max_call_ms (unless a
 * policy change has left it beyond already), and if it is charged by whole
 * increments, as far as credits go. */
static void advance(struct account_step *step, struct record *record, int64_t duration_ms)
{
    const struct call_record *call = call_of(record);
    int64_t max_call_ms = step->account->max_call_ms;
    bool passes_max = call->duration_ms <= max_call_ms && duration_ms > max_call_ms;
    int64_t target_ms = passes_max ? max_call_ms : duration_ms;
    int64_t limit_ms = passes_max ? max_call_ms : NO_LIMIT;
    enum cutoff_reason reason = passes_max ? CUTOFF_MAX_DURATION : CUTOFF_CREDITS_EXHAUSTED;
    if (call->charging == CHARGING_CREDITS && !credits_reach(step, call, target_ms)) {
        struct tariff tariff = call_tariff(call);
        limit_ms = charge_affordable_ms(&tariff, credits_for(step, call), target_ms);
        reason = CUTOFF_CREDITS_EXHAUSTED;
    }
    if (limit_ms != NO_LIMIT)
        cutoff_note(step, record);
    call_move(step, record, duration_ms, limit_ms, reason);
}

/* A tick or an end of a live call: a sign of life, and how far it has talked. */
static void report(struct account_step *step, struct record *record, int64_t duration_ms, int64_t time_ms)
{
    struct call_record *call = call_of(record);
    state_changed(step->fold->state, record);
    if (instant_day(time_ms) > instant_day(call->last_time_ms))
        call_post(step, record);
    if (time_ms > call->last_time_ms)
        call->last_time_ms = time_ms;
    call->last_clock_ms = step->fold->p->clock_ms;
    step->touched = record;
    if (duration_ms <= call->duration_ms)
        return;
    if (call->limit_ms == NO_LIMIT)
        advance(step, record, duration_ms);
    else
        call_move(step, record, duration_ms, call->limit_ms, call->limit_reason);
}

/* Charges a closed call up to *charged_ms, in whole increments, as far as
 * credits go that nobody holds; *charged_ms becomes how far that was. Returns
 * all it has been charged. */
static int64_t charge_late(struct account_step *step, const struct event *event, const struct call_record *call,
                           int64_t *charged_ms)
{
    struct tariff tariff = call_tariff(call);
    int64_t charged = call->charged_micros;
    int64_t credits = saturating_add(charged, step->account->posted_micros - step->account->held_micros);
    if (!charge_covers(credits, charge_cost(&tariff, *charged_ms)))
        *charged_ms = charge_affordable_ms(&tariff, credits, *charged_ms);
    int64_t difference = charge_cost(&tariff, *charged_ms) - charged;
    if (difference > 0) {
        account_spend(step, difference);
        ledger_post_call(step, event->data.call_ended.call_id, call_string(call, CALL_DESTINATION), difference,
                         instant_day(event->time_ms));
    }
    return charged + difference;
}

/* A stale call's late end settles the difference, no further than a limit that
 * stood; its record replaces the first. */
static void settle_late(struct account_step *step, const struct event *event, struct closed_call_record *closed)
{
    const struct call_record *call = (const struct call_record *)(const void *)closed->call;
    int64_t duration_ms = event->data.call_ended.duration_ms;
    int64_t max_call_ms = step->account->max_call_ms;
    int64_t cap_ms = call->limit_ms != NO_LIMIT          ? call->limit_ms
                     : max_call_ms > closed->duration_ms ? max_call_ms
                                                         : closed->duration_ms;
    bool cut = call->limit_ms != NO_LIMIT && duration_ms >= call->limit_ms;
    struct closing_facts facts = {.id = event->data.call_ended.call_id,
                                  .ended_at_ms = event->time_ms,
                                  .duration_ms = duration_ms,
                                  .charged_ms = duration_ms < cap_ms ? duration_ms : cap_ms,
                                  .voicemail = event->data.call_ended.voicemail,
                                  .ending = cut ? ENDED_BY_CUTOFF : ENDED_BY_PLATFORM};
    if (call->charging == CHARGING_CREDITS)
        facts.amount_micros = charge_late(step, event, call, &facts.charged_ms);
    call_emit_record(step, call, &facts);
}

static enum verdict ended_late(struct fold *fold, const struct event *event, struct record *account,
                               struct record *record)
{
    struct closed_call_record *before = record_body(record);
    struct account_step step = account_begin(fold, account, event->time_ms);
    settle_late(&step, event, before);
    /* The record shrinks to what a plainly ended call leaves; the old one
     * stays readable until the outputs are written. */
    struct key key;
    key_make2(&key, RECORD_CLOSED_CALL, step_id(&step), event->data.call_ended.call_id);
    struct closed_call_record *closed = closed_create(fold, &key, before->contents, 0);
    closed->closed_at_ms = before->closed_at_ms;
    closed->duration_ms = event->data.call_ended.duration_ms;
    closed->closing = CLOSED_ENDED;
    account_finish(&step);
    return APPLIED;
}

/* A tick or end of a call that is not live. */
static enum verdict report_closed(struct fold *fold, const struct event *event, struct text id, int64_t duration_ms)
{
    struct record *account = account_find(fold, event->subject);
    if (!account)
        return account_unknown(fold, event);
    struct record *record = call_find_closed(fold, event->subject, id);
    if (!record)
        return reject(fold, REJECT_CALL_UNKNOWN, "data.call_id: no call.started was seen for %.*s", TEXT_ARGS(id));
    const struct closed_call_record *closed = record_body(record);
    if (closed->closing == CLOSED_DENIED)
        return reject(fold, REJECT_CALL_NOT_AUTHORIZED, "data.call_id: %.*s was denied", TEXT_ARGS(id));
    if (duration_ms <= closed->duration_ms)
        return DUPLICATE;
    if (closed->closing == CLOSED_STALE && event->type == EVENT_CALL_ENDED)
        return ended_late(fold, event, account, record);
    return reject(fold, REJECT_CALL_CLOSED, "data.call_id: %.*s was closed at %lld ms", TEXT_ARGS(id),
                  (long long)closed->duration_ms);
}

/* The live call that an event reports on; who looked ahead has its key's hash. */
static struct record *find_reported(struct fold *fold, struct text account, struct text call)
{
    const struct fold_hint *hint = fold->record->hint;
    if (!hint || !hint->is_report)
        return call_find_live(fold, account, call);
    return state_find_hashed(fold->state, hint->hashes[0], RECORD_LIVE_CALL, account, call);
}

enum verdict call_ticked(struct fold *fold, const struct event *event, struct record *none)
{
    (void)none;
    struct text id = event->data.call_ticked.call_id;
    int64_t duration_ms = event->data.call_ticked.duration_ms;
    struct record *record = find_reported(fold, event->subject, id);
    if (!record)
        return report_closed(fold, event, id, duration_ms);
    const struct call_record *call = call_of(record);
    if (duration_ms <= call->duration_ms && event->time_ms <= call->last_time_ms)
        return DUPLICATE;
    struct account_step step = account_begin(fold, record_links(record)->live.account, event->time_ms);
    step.is_tick = true;
    report(&step, record, duration_ms, event->time_ms);
    account_finish(&step);
    return APPLIED;
}

enum verdict call_ended(struct fold *fold, const struct event *event, struct record *none)
{
    (void)none;
    struct text id = event->data.call_ended.call_id;
    struct record *record = find_reported(fold, event->subject, id);
    if (!record)
        return report_closed(fold, event, id, event->data.call_ended.duration_ms);
    struct account_step step = account_begin(fold, record_links(record)->live.account, event->time_ms);
    report(&step, record, event->data.call_ended.duration_ms, event->time_ms);
    const struct call_record *call = call_of(record);
    bool cut = call->limit_ms != NO_LIMIT && call->duration_ms >= call->limit_ms;
    step.reached |= cut && call->limit_reason == CUTOFF_CREDITS_EXHAUSTED;
    struct closing_facts facts = {.ended_at_ms = event->time_ms,
                                  .voicemail = event->data.call_ended.voicemail,
                                  .ending = cut ? ENDED_BY_CUTOFF : ENDED_BY_PLATFORM};
    cutoff_say(&step);
    call_close(&step, record, &facts, NULL, 0);
    account_finish(&step);
    return APPLIED;
}
