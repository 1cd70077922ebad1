/* What a live call is to its account: terms in its sums, a place among its calls, and
 * how it is closed. */
#include "processor/fold/internal.h"

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

/* Adds modulo 2^64 and says when the true sum left int64. The sums of what is held
 * and of commitments may do so in the middle of an event, never after it: grants
 * bring them below the balance, and then the residue is the sum. */
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
    (void)wrapping_add(&account->held_micros, sign * call_held(call));
    step->overdrawn |= wrapping_add(&account->committed_micros, sign * call->committed_micros);
    account->unfrozen_calls += (uint32_t)(sign * !frozen);
    account->limited_calls += (uint32_t)(sign * limited);
}

int64_t call_ahead_ms(const struct account_record *account, const struct call_record *call)
{
    if (call->limit_ms != NO_LIMIT)
        return call->limit_ms;
    int64_t ahead_ms = call->duration_ms + account->horizon_ms;
    if (ahead_ms <= account->max_call_ms)
        return ahead_ms;
    return account->max_call_ms > call->duration_ms ? account->max_call_ms : call->duration_ms;
}

/* The call's terms in the sums, from its duration and limit. */
static void reckon(struct account_step *step, struct call_record *call)
{
    struct tariff tariff = call_tariff(call);
    int64_t cost = charge_cost(&tariff, call_ahead_ms(step->account, call));
    step->overdrawn |= cost == COST_BEYOND;
    call->committed_micros = cost - call->posted_micros;
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
    reckon(step, call);
    add_to_sums(step, call, 1);
    struct book *book = record_links(step->record)->account.book;
    if (book)
        book_place(book, record);
    if (call->charged_micros > charged_before)
        account_spend(step, call->charged_micros - charged_before);
    else if (call->charged_micros < charged_before)
        step->fold->broken = "a charge was taken back";
}

/* --- finding --- */

struct record *call_find_live(struct fold *fold, struct text account, struct text call)
{
    struct key key;
    key_make2(&key, RECORD_LIVE_CALL, account, call);
    return state_find(fold->state, &key);
}

struct record *call_find_closed(struct fold *fold, struct text account, struct text call)
{
    struct key key;
    key_make2(&key, RECORD_CLOSED_CALL, account, call);
    struct record *record = state_find(fold->state, &key);
    if (!record)
        return NULL;
    const struct closed_call_record *closed = record_body(record);
    int queue = closed->closing == CLOSED_DENIED ? EXPIRY_DENIED : EXPIRY_CLOSED;
    if (closed->closed_at_ms > fold->p->expiry[queue].forgotten_ms)
        return record;
    /* Its turn in the queue has not come. It goes now: what is made anew under its
     * key must not find it in the store alone. */
    state_remove(fold->state, record);
    return NULL;
}

/* --- posting and closing --- */

void call_post(struct account_step *step, struct record *record)
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

static void record_money(const struct call_record *call, const struct closing_facts *facts, uint32_t currency,
                         struct output *output)
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

void call_emit_record(struct account_step *step, const struct call_record *call, const struct closing_facts *facts)
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

void call_enlist(struct fold *fold, struct record *record, struct record *account)
{
    const struct call_record *call = call_of(record);
    const struct account_record *body = record_body(account);
    link_call(record, account);
    account_keep(fold, account);
    deadline_add(fold, call->last_clock_ms + body->stale_after_ms, call->start_offset, record);
}

struct closed_call_record *closed_create(struct fold *fold, const struct key *key, struct contents contents,
                                         size_t more)
{
    struct closed_call_record *closed = record_body(state_create(fold->state, key, sizeof *closed + more));
    closed->contents = contents;
    closed->closed_at_ms = fold->p->time_ms;
    return closed;
}

void call_close(struct account_step *step, struct record *record, struct closing_facts *facts,
                const struct call_record *stale, size_t stale_len)
{
    struct fold *fold = step->fold;
    struct call_record *call = call_of(record);
    call_post(step, record);
    facts->id = call_id(record);
    facts->duration_ms = call->duration_ms;
    facts->amount_micros = call->posted_micros;
    facts->charged_ms = call_talked_ms(call);
    call_emit_record(step, call, facts);

    if (call->charging == CHARGING_CREDITS) {
        add_to_sums(step, call, -1);
        step->account->charged_calls--;
    }
    step->account->live_calls--;
    fold->p->live_calls--;
    book_leave(record);
    unlink_call(record);
    deadline_remove(fold, record);
    account_keep(fold, step->record);

    struct key key;
    key_make2(&key, RECORD_CLOSED_CALL, step_id(step), facts->id);
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
    call_close(&step, record, &facts, before, len);
    account_finish(&step);
}
