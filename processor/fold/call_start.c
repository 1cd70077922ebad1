/* call.started: the answer, and the live call or the memory of a denial. */
#include "processor/fold/internal.h"

static struct contents start_contents(const struct event *event)
{
    struct fact fact = {.len = 0};
    fact_text(&fact, event->data.call_started.call_id);
    fact_number(&fact, event->data.call_started.direction);
    fact_text(&fact, event->data.call_started.from);
    fact_text(&fact, event->data.call_started.to);
    fact_text(&fact, event->data.call_started.member_id);
    return fact_contents(&fact);
}

static void emit_denied(struct fold *fold, const struct event *event, enum denial_reason reason, struct text detail)
{
    struct output *output = emit(fold, OUTPUT_CALL_DENIED, event->subject);
    output->data.denied.call_id = event->data.call_started.call_id;
    output->data.denied.reason = reason;
    output->data.denied.detail = detail;
}

static void deny_call(struct account_step *step, const struct event *event, const struct judgement *judgement)
{
    struct key key;
    key_make2(&key, RECORD_CLOSED_CALL, step_id(step), event->data.call_started.call_id);
    emit_denied(step->fold, event, judgement->reason, judgement->detail);
    closed_create(step->fold, &key, start_contents(event), 0)->closing = CLOSED_DENIED;
    expiry_add(step->fold, EXPIRY_DENIED, &key);
    step->denied = judgement->reason == DENIED_INSUFFICIENT_CREDITS;
}

static void emit_authorized(struct account_step *step, const struct event *event, const struct judgement *judgement)
{
    struct output *output = emit(step->fold, OUTPUT_CALL_AUTHORIZED, step_id(step));
    output->data.authorized.call_id = event->data.call_started.call_id;
    output->data.authorized.charged = judgement->charging == CHARGING_CREDITS;
    if (judgement->deck) {
        output->data.authorized.destination = rate_destination(judgement->rate);
        output->data.authorized.prefix = judgement->prefix;
        output->data.authorized.deck_id = (struct text){judgement->deck->id, judgement->deck->id_len};
    }
    if (judgement->charging == CHARGING_CREDITS) {
        output->data.authorized.has_price = output->data.authorized.has_max_duration = true;
        output->data.authorized.price_micros = judgement->tariff.price_micros;
        output->data.authorized.currency = step->account->currency;
        output->data.authorized.max_duration_ms = judgement->max_duration_ms;
    }
}

static size_t copy_string(char *to, size_t at, struct text text, uint8_t *len)
{
    copy_id(to + at, text.at, text.len);
    *len = (uint8_t)text.len;
    return at + text.len;
}

static struct record *live_create(struct account_step *step, const struct event *event,
                                  const struct judgement *judgement)
{
    struct text destination = judgement->rate ? rate_destination(judgement->rate) : TEXT_NONE;
    struct text deck = judgement->deck ? (struct text){judgement->deck->id, judgement->deck->id_len} : TEXT_NONE;
    struct text from = event->data.call_started.from, to = event->data.call_started.to;
    struct text member = event->data.call_started.member_id;
    struct key key;
    key_make2(&key, RECORD_LIVE_CALL, step_id(step), event->data.call_started.call_id);
    size_t strings = from.len + to.len + member.len + destination.len + judgement->prefix.len + deck.len, at = 0;
    struct record *record = state_create(step->fold->state, &key, sizeof(struct call_record) + strings);
    struct call_record *call = call_of(record);
    call->contents = start_contents(event);
    call->start_offset = step->fold->record->offset;
    call->started_at_ms = call->last_time_ms = event->time_ms;
    call->last_clock_ms = step->fold->p->clock_ms;
    call->limit_ms = NO_LIMIT;
    call->price_micros = judgement->tariff.price_micros;
    call->connect_micros = judgement->tariff.connect_micros;
    call->fx_nanos = judgement->fx_nanos;
    call->fx_from = judgement->fx_from;
    call->first_s = (uint32_t)(judgement->tariff.first_ms / MS_PER_SECOND);
    call->step_s = (uint32_t)(judgement->tariff.step_ms / MS_PER_SECOND);
    call->charging = (uint8_t)judgement->charging;
    call->direction = (uint8_t)event->data.call_started.direction;
    at = copy_string(call->strings, at, from, &call->from_len);
    at = copy_string(call->strings, at, to, &call->to_len);
    at = copy_string(call->strings, at, member, &call->member_len);
    at = copy_string(call->strings, at, destination, &call->destination_len);
    at = copy_string(call->strings, at, judgement->prefix, &call->prefix_len);
    copy_string(call->strings, at, deck, &call->deck_len);
    return record;
}

static void open_call(struct account_step *step, const struct event *event, const struct judgement *judgement)
{
    struct fold *fold = step->fold;
    emit_authorized(step, event, judgement);
    struct record *record = live_create(step, event, judgement);
    struct call_record *call = call_of(record);
    step->account->live_calls++;
    fold->p->live_calls++;
    call_enlist(fold, record, step->record);
    if (call->charging == CHARGING_CREDITS) {
        step->account->charged_calls++;
        step->account->unfrozen_calls++; /* call_move takes its terms out before it adds them */
        call_move(step, record, 0, NO_LIMIT, CUTOFF_CREDITS_EXHAUSTED);
    }
    step->touched = record;
}

static enum verdict started_before(struct fold *fold, const struct event *event, struct contents before)
{
    if (contents_equal(before, start_contents(event)))
        return DUPLICATE;
    return reject(fold, REJECT_ID_REUSED, "data.call_id: %.*s was another call before",
                  TEXT_ARGS(event->data.call_started.call_id));
}

enum verdict call_started(struct fold *fold, const struct event *event, struct record *none)
{
    (void)none;
    struct record *account = account_find(fold, event->subject);
    if (!account) {
        emit_denied(fold, event, DENIED_ACCOUNT_UNKNOWN,
                    text_format(fold, "account %.*s has not been opened", TEXT_ARGS(event->subject)));
        return APPLIED;
    }
    struct record *live = call_find_live(fold, event->subject, event->data.call_started.call_id);
    if (live)
        return started_before(fold, event, call_of(live)->contents);
    struct record *closed = call_find_closed(fold, event->subject, event->data.call_started.call_id);
    if (closed)
        return started_before(fold, event, ((struct closed_call_record *)record_body(closed))->contents);
    struct account_step step = account_begin(fold, account, event->time_ms);
    struct judgement judgement;
    judge_call(&step, event, &judgement);
    if (judgement.reached_credits)
        step.account->flags &= (uint8_t)~ACCOUNT_RECHARGE_WAITING;
    if (judgement.authorized)
        open_call(&step, event, &judgement);
    else
        deny_call(&step, event, &judgement);
    account_finish(&step);
    return APPLIED;
}
