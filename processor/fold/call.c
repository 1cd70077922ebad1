/* A call's life: started, ticked, ended; closed when it goes silent. */
#include "processor/fold/internal.h"

struct call_record *call_of(struct record *call)
{
    return record_body(call);
}

struct text call_id(struct record *call)
{
    return record_key_part(record_key(call), 1);
}

struct tariff call_tariff(const struct call_record *call)
{
    return (struct tariff){.price_micros = call->price_micros,
                           .connect_micros = call->connect_micros,
                           .first_ms = (int64_t)call->first_s * MS_PER_SECOND,
                           .step_ms = (int64_t)call->step_s * MS_PER_SECOND};
}

int64_t call_talked_ms(const struct call_record *call)
{
    return call->limit_ms != NO_LIMIT && call->limit_ms < call->duration_ms ? call->limit_ms : call->duration_ms;
}

/* Charged or granted, and not posted: what no other call may be given. */
int64_t call_held(const struct call_record *call)
{
    return call->limit_ms == NO_LIMIT ? call->charged_micros - call->posted_micros : call->committed_micros;
}

/* Adds modulo 2^64 and says when the true sum left int64. The sum of commitments
 * may do so in the middle of an event, never after it: grants bring it below
 * the balance, and then the residue is the sum. */
static bool wrapping_add(int64_t *sum, int64_t value)
{
    return __builtin_add_overflow(*sum, value, sum);
}

static void add_to_sums(struct account_step *step, const struct call_record *call, int sign)
{
    struct account_record *account = step->account;
    bool frozen = cutoff_is_frozen(call);
    bool limited = call->limit_ms != NO_LIMIT && call->limit_reason == CUTOFF_CREDITS_EXHAUSTED;
    account->accrued_micros += sign * (call->charged_micros - call->posted_micros);
    account->held_micros += sign * call_held(call);
    step->overdrawn |= wrapping_add(&account->committed_micros, sign * call->committed_micros);
    account->unfrozen_calls += (uint32_t)(sign * !frozen);
    account->limited_calls += (uint32_t)(sign * limited);
}

/* The call's terms in the sums, from its duration and limit. */
static void reckon(const struct account_record *account, struct call_record *call)
{
    struct tariff tariff = call_tariff(call);
    int64_t max_call_ms = account->max_call_ms, ahead_ms = call->limit_ms;
    if (call->limit_ms == NO_LIMIT) {
        ahead_ms = call->duration_ms + account->horizon_ms;
        if (ahead_ms > max_call_ms)
            ahead_ms = max_call_ms > call->duration_ms ? max_call_ms : call->duration_ms;
    }
    call->committed_micros = charge_cost(&tariff, ahead_ms) - call->posted_micros;
    call->charged_micros = charge_cost(&tariff, call_talked_ms(call));
}

void call_move(struct account_step *step, struct record *record, int64_t duration_ms, int64_t limit_ms,
               enum cutoff_reason reason)
{
    struct call_record *call = call_of(record);
    state_changed(step->fold->state, record);
    int64_t charged_before = call->charged_micros;
    if (call->charging == CHARGING_CREDITS)
        add_to_sums(step, call, -1);
    call->duration_ms = duration_ms;
    call->limit_ms = limit_ms;
    call->limit_reason = (uint8_t)reason;
    if (call->charging != CHARGING_CREDITS)
        return;
    reckon(step->account, call);
    add_to_sums(step, call, 1);
    if (call->charged_micros > charged_before)
        account_spend(step, call->charged_micros - charged_before);
    else if (call->charged_micros < charged_before)
        step->fold->broken = "a charge was taken back";
}

/* --- posting and closing --- */

/* Posts what a live call has accrued; the day is that of its last report. */
static void post_accrued(struct account_step *step, struct record *record)
{
    struct call_record *call = call_of(record);
    int64_t micros = call->charged_micros - call->posted_micros;
    if (call->charging != CHARGING_CREDITS || micros == 0)
        return;
    add_to_sums(step, call, -1);
    call->posted_micros += micros;
    call->committed_micros -= micros;
    add_to_sums(step, call, 1);
    ledger_post_call(step, call_id(record), call_string(call, CALL_DESTINATION), micros,
                     instant_day(call->last_time_ms));
}

/* What a call.recorded says that the call's record does not. */
struct closing_facts {
    struct text id;
    int64_t ended_at_ms, duration_ms, charged_ms, amount_micros;
    bool voicemail;
    enum call_ending ending;
};

static void record_money(const struct call_record *call, const struct closing_facts *facts,
                         uint32_t currency, struct output *output)
{
    struct tariff tariff = call_tariff(call);
    output->data.call.has_price = true;
    output->data.call.price_micros = call->price_micros;
    output->data.call.has_fx = call->fx_from != 0;
    output->data.call.fx_from = call->fx_from;
    output->data.call.fx_to = currency;
    output->data.call.fx_nanos = call->fx_nanos;
    output->data.call.billed_ms = charge_billed_ms(&tariff, facts->charged_ms);
    output->data.call.amount_micros = facts->amount_micros;
    output->data.call.uncollected_micros = charge_cost(&tariff, facts->duration_ms) - facts->amount_micros;
}

static struct text absent_if_empty(struct text text)
{
    return text.len > 0 ? text : TEXT_NONE;
}

static void emit_record(struct account_step *step, const struct call_record *call, const struct closing_facts *facts)
{
    struct output *output = emit(step->fold, OUTPUT_CALL_RECORDED, step_id(step));
    output->data.call.call_id = facts->id;
    output->data.call.direction = (enum call_direction)call->direction;
    output->data.call.from = call_string(call, CALL_FROM);
    output->data.call.to = call_string(call, CALL_TO);
    output->data.call.member_id = absent_if_empty(call_string(call, CALL_MEMBER));
    output->data.call.charged = call->charging == CHARGING_CREDITS;
    output->data.call.destination = absent_if_empty(call_string(call, CALL_DESTINATION));
    output->data.call.prefix = absent_if_empty(call_string(call, CALL_PREFIX));
    output->data.call.deck_id = absent_if_empty(call_string(call, CALL_DECK));
    output->data.call.currency = step->account->currency;
    output->data.call.started_at_ms = call->started_at_ms;
    output->data.call.ended_at_ms = facts->ended_at_ms;
    output->data.call.duration_ms = facts->duration_ms;
    output->data.call.voicemail = facts->voicemail;
    output->data.call.ended_by = facts->ending;
    if (call->charging == CHARGING_CREDITS)
        record_money(call, facts, step->account->currency, output);
}

static void link_call(struct record *record, struct record *account)
{
    struct live_links *links = &record_links(record)->live;
    struct account_links *list = &record_links(account)->account;
    *links = (struct live_links){.account = account, .previous = list->last};
    if (list->last)
        record_links(list->last)->live.next = record;
    else
        list->first = record;
    list->last = record;
}

static void unlink_call(struct record *record)
{
    struct live_links *links = &record_links(record)->live;
    struct account_links *list = &record_links(links->account)->account;
    if (links->previous)
        record_links(links->previous)->live.next = links->next;
    else
        list->first = links->next;
    if (links->next)
        record_links(links->next)->live.previous = links->previous;
    else
        list->last = links->previous;
}

void call_restore(struct fold *fold, struct record *record, struct record *account)
{
    const struct call_record *call = call_of(record);
    const struct account_record *body = record_body(account);
    link_call(record, account);
    account_keep(fold, account);
    deadline_add(fold, call->last_clock_ms + body->stale_after_ms, call->start_offset, record);
}

static struct closed_call_record *closed_create(struct fold *fold, const struct key *key, struct contents contents,
                                                size_t more)
{
    struct closed_call_record *closed = record_body(state_create(fold->state, key, sizeof *closed + more));
    closed->contents = contents;
    closed->closed_at_ms = fold->p->time_ms;
    return closed;
}

/* Posts the rest, writes the call record and lets the call go. stale: the call
 * as it was before, kept for a late end; NULL when there cannot be one. */
static void close_call(struct account_step *step, struct record *record, struct closing_facts *facts,
                       const struct call_record *stale, size_t stale_len)
{
    struct fold *fold = step->fold;
    struct call_record *call = call_of(record);
    post_accrued(step, record);
    facts->id = call_id(record);
    facts->duration_ms = call->duration_ms;
    facts->amount_micros = call->posted_micros;
    facts->charged_ms = call_talked_ms(call);
    emit_record(step, call, facts);

    if (call->charging == CHARGING_CREDITS) {
        add_to_sums(step, call, -1);
        step->account->charged_calls--;
    }
    step->account->live_calls--;
    fold->p->live_calls--;
    unlink_call(record);
    deadline_remove(fold, record);
    account_keep(fold, step->record);

    struct key key = key_of2(RECORD_CLOSED_CALL, step_id(step), facts->id);
    struct closed_call_record *closed = closed_create(fold, &key, call->contents, stale_len);
    closed->duration_ms = call->duration_ms;
    closed->closing = stale ? CLOSED_STALE : CLOSED_ENDED;
    if (stale)
        memcpy(closed->call, stale, stale_len);
    expiry_add(fold, EXPIRY_CLOSED, &key);
    state_remove(fold->state, record);
    if (step->touched == record)
        step->touched = NULL;
}

void call_close_stale(struct fold *fold, struct record *record)
{
    struct account_step step = account_begin_deadline(fold, record_links(record)->live.account);
    struct call_record *call = call_of(record);
    size_t len = record_body_len(record);
    struct call_record *before = arena_alloc(&fold->arena, len);
    memcpy(before, call, len);
    cutoff_freeze(&step, record, call->duration_ms, CUTOFF_STALE);
    cutoff_say(&step);
    struct closing_facts facts = {.ended_at_ms = call->last_time_ms, .ending = ENDED_BY_STALE};
    close_call(&step, record, &facts, before, len);
    account_finish(&step);
}

/* --- call.started --- */

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

static struct record *live_find(struct fold *fold, struct text account, struct text call)
{
    struct key key = key_of2(RECORD_LIVE_CALL, account, call);
    return state_find(fold->state, &key);
}

/* The memory of a closed or denied call; NULL when there is none any more. */
static struct record *closed_find(struct fold *fold, struct text account, struct text call)
{
    struct key key = key_of2(RECORD_CLOSED_CALL, account, call);
    struct record *record = state_find(fold->state, &key);
    if (!record)
        return NULL;
    const struct closed_call_record *closed = record_body(record);
    int queue = closed->closing == CLOSED_DENIED ? EXPIRY_DENIED : EXPIRY_CLOSED;
    return closed->closed_at_ms > fold->p->expiry[queue].forgotten_ms ? record : NULL;
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
    struct key key = key_of2(RECORD_CLOSED_CALL, step_id(step), event->data.call_started.call_id);
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
    if (text.len > 0)
        memcpy(to + at, text.at, text.len);
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
    struct key key = key_of2(RECORD_LIVE_CALL, step_id(step), event->data.call_started.call_id);
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
    link_call(record, step->record);
    account_keep(fold, step->record);
    deadline_add(fold, call->last_clock_ms + step->account->stale_after_ms, call->start_offset, record);
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
    struct record *live = live_find(fold, event->subject, event->data.call_started.call_id);
    if (live)
        return started_before(fold, event, call_of(live)->contents);
    struct record *closed = closed_find(fold, event->subject, event->data.call_started.call_id);
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

/* --- call.ticked, call.ended --- */

/* A call without a limit moves ahead: no further than max_call_ms (unless a
 * policy change has left it beyond already), and if it is charged by whole
 * increments, as far as credits go that are neither charged nor granted to
 * others. */
static void advance(struct account_step *step, struct record *record, int64_t duration_ms)
{
    const struct call_record *call = call_of(record);
    struct tariff tariff = call_tariff(call);
    int64_t max_call_ms = step->account->max_call_ms;
    bool passes_max = call->duration_ms <= max_call_ms && duration_ms > max_call_ms;
    int64_t target_ms = passes_max ? max_call_ms : duration_ms, limit_ms = NO_LIMIT;
    enum cutoff_reason reason = CUTOFF_CREDITS_EXHAUSTED;
    if (passes_max) {
        limit_ms = max_call_ms;
        reason = CUTOFF_MAX_DURATION;
    }
    if (call->charging == CHARGING_CREDITS) {
        int64_t credits = step->account->posted_micros - (step->account->held_micros - call_held(call));
        if (charge_cost(&tariff, target_ms) - call->posted_micros > credits) {
            limit_ms = charge_affordable_ms(&tariff, credits + call->posted_micros, target_ms);
            reason = CUTOFF_CREDITS_EXHAUSTED;
        }
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
        post_accrued(step, record);
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
    int64_t credits = charged + (step->account->posted_micros - step->account->held_micros);
    if (charge_cost(&tariff, *charged_ms) > credits)
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
    emit_record(step, call, &facts);
}

static enum verdict ended_late(struct fold *fold, const struct event *event, struct record *account,
                               struct record *record)
{
    struct closed_call_record *before = record_body(record);
    struct account_step step = account_begin(fold, account, event->time_ms);
    settle_late(&step, event, before);
    /* The record shrinks to what a plainly ended call leaves; the old one
     * stays readable until the outputs are written. */
    struct key key = key_of2(RECORD_CLOSED_CALL, step_id(&step), event->data.call_ended.call_id);
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
    struct record *record = closed_find(fold, event->subject, id);
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

enum verdict call_ticked(struct fold *fold, const struct event *event, struct record *none)
{
    (void)none;
    struct text id = event->data.call_ticked.call_id;
    int64_t duration_ms = event->data.call_ticked.duration_ms;
    struct record *record = live_find(fold, event->subject, id);
    if (!record)
        return report_closed(fold, event, id, duration_ms);
    const struct call_record *call = call_of(record);
    if (duration_ms <= call->duration_ms && event->time_ms <= call->last_time_ms)
        return DUPLICATE;
    struct account_step step = account_begin(fold, record_links(record)->live.account, event->time_ms);
    report(&step, record, duration_ms, event->time_ms);
    account_finish(&step);
    return APPLIED;
}

enum verdict call_ended(struct fold *fold, const struct event *event, struct record *none)
{
    (void)none;
    struct text id = event->data.call_ended.call_id;
    struct record *record = live_find(fold, event->subject, id);
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
    close_call(&step, record, &facts, NULL, 0);
    account_finish(&step);
    return APPLIED;
}
