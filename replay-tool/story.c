/* story.c - see story.h. */
#include "replay-tool/story.h"

#include <stdio.h>
#include <stdlib.h>

#include "events/instant.h"
#include "processor/fold/state.h"

/* --- what is asked and answered --- */

struct text event_call_id(const struct event *event)
{
    switch (event->type) {
    case EVENT_CALL_STARTED: return event->data.call_started.call_id;
    case EVENT_CALL_TICKED: return event->data.call_ticked.call_id;
    case EVENT_CALL_ENDED: return event->data.call_ended.call_id;
    default: return TEXT_NONE;
    }
}

int denial_step(enum denial_reason reason)
{
    switch (reason) {
    case DENIED_ACCOUNT_UNKNOWN:
    case DENIED_NUMBER_UNKNOWN: return 1;
    case DENIED_EMERGENCY_NUMBER:
    case DENIED_INVALID_NUMBER: return 2;
    case DENIED_NO_RATES:
    case DENIED_DESTINATION_UNKNOWN: return 3;
    case DENIED_DESTINATION_BLOCKED: return 4;
    case DENIED_INTERNATIONAL_DISABLED:
    case DENIED_MEMBER_NOT_ASSIGNED:
    case DENIED_DESTINATION_BLOCKED_BY_ACCOUNT: return 5;
    case DENIED_NO_FX_RATE:
    case DENIED_TOO_MANY_CALLS:
    case DENIED_DAILY_SPEND_REACHED: return 7;
    default: return 8;
    }
}

static bool read_answer(struct call_story *story, const struct output *output)
{
    story->is_authorized = output->type == OUTPUT_CALL_AUTHORIZED;
    if (story->is_authorized && name_is(&story->id, output->data.authorized.call_id)) {
        story->is_charged = output->data.authorized.charged;
        story->has_max_duration = output->data.authorized.has_max_duration;
        story->max_duration_ms = output->data.authorized.max_duration_ms;
        return true;
    }
    if (output->type != OUTPUT_CALL_DENIED || !name_is(&story->id, output->data.denied.call_id))
        return false;
    story->denial = output->data.denied.reason;
    snprintf(story->detail, sizeof story->detail, "%.*s", TEXT_ARGS(output->data.denied.detail));
    return true;
}

struct conversion conversion_of(const struct witness *witness, const struct fx_record *table, uint32_t partition,
                                uint32_t from, uint32_t to)
{
    struct conversion by = {.from = from,
                            .to = to,
                            .base = table->base,
                            .effective_at_ms = table->effective_at_ms,
                            .published = witness_fx(witness, partition, table->seq)};
    fx_ratio_of(table, from, to, &by.numerator, &by.denominator);
    return by;
}

static void read_rate(struct pricing_facts *facts, const struct fold_quote *quote)
{
    facts->has_rate = true;
    facts->prefix = name_of(quote->prefix);
    facts->destination = name_of(rate_destination(quote->rate));
    facts->status = quote->rate->status;
    facts->domestic = quote->rate->domestic;
    facts->price_micros = quote->rate->price_micros;
    facts->connect_micros = quote->rate->connect_micros;
    facts->first_s = quote->rate->first_s;
    facts->step_s = quote->rate->step_s;
}

static void read_pricing(struct call_story *story, const struct witness *witness, const struct history_step *step)
{
    struct pricing_facts *facts = &story->pricing;
    struct fold_quote quote;
    if (!witness->has_account || story->direction == DIRECTION_INBOUND)
        return;
    fold_quote(step->fold, step->event, &quote);
    if (quote.number != NULL)
        facts->origin = name_of(number_origin(quote.number));
    if (quote.deck == NULL)
        return;
    facts->has_deck = true;
    facts->deck_id = name_of(deck_id(quote.deck));
    facts->deck_currency = quote.deck->currency;
    facts->effective_at_ms = quote.deck->effective_at_ms;
    facts->published = witness_deck(witness, step->partition, deck_id(quote.deck));
    if (quote.rate != NULL)
        read_rate(facts, &quote);
    story->is_priced = quote.is_priced;
    story->tariff = quote.tariff;
    if (quote.fx == NULL)
        return;
    facts->has_fx = quote.is_priced;
    facts->fx = conversion_of(witness, quote.fx, step->partition, facts->deck_currency, story->currency);
}

/* --- who had set what --- */

static bool take_setting(struct setting *to, const struct setting *from)
{
    if (from != NULL)
        *to = *from;
    return from != NULL;
}

/* The block that holds `to` back, of the number (or "", the account's): the shortest prefix. */
static const struct setting *find_block(const struct witness *witness, const struct history_step *step,
                                        struct text number)
{
    struct text to = step->event->data.call_started.to, account = step->event->subject;
    const struct number_record *record =
        number.len > 0 ? history_record(step->fold, key_of2(RECORD_NUMBER, account, number)) : NULL;
    for (size_t len = 1; len < to.len; len++) {
        const struct block_record *block =
            history_record(step->fold, key_of3(RECORD_BLOCK, account, number, (struct text){to.at + 1, len}));
        if (block != NULL && block_holds(block, record))
            return witness_setting(witness, EVENT_DESTINATION_BLOCKED, EVENT_DESTINATION_BLOCKED, number, TEXT_NONE,
                                   (struct text){to.at, len + 1});
    }
    return NULL;
}

static void read_settings(struct call_story *story, const struct witness *witness, const struct history_step *step)
{
    struct text from = step->event->data.call_started.from, member = step->event->data.call_started.member_id;
    story->has_added = take_setting(&story->added, witness_setting(witness, EVENT_NUMBER_ADDED, EVENT_NUMBER_REMOVED,
                                                                   from, TEXT_NONE, TEXT_NONE));
    story->has_toggle =
        take_setting(&story->toggle, witness_setting(witness, EVENT_INTERNATIONAL_ENABLED, EVENT_INTERNATIONAL_DISABLED,
                                                     from, TEXT_NONE, TEXT_NONE));
    story->has_assigned =
        take_setting(&story->assigned,
                     witness_setting(witness, EVENT_MEMBER_ASSIGNED, EVENT_MEMBER_UNASSIGNED, from, member, TEXT_NONE));
    if (story->is_authorized || story->denial != DENIED_DESTINATION_BLOCKED_BY_ACCOUNT)
        return;
    const struct setting *block = find_block(witness, step, TEXT_LIT(""));
    story->has_block = take_setting(&story->block, block != NULL ? block : find_block(witness, step, from));
}

static void read_policy(struct call_story *story, const struct witness *witness)
{
    story->policy = PLACE_NONE;
    if (story->is_authorized)
        return;
    if (story->denial == DENIED_TOO_MANY_CALLS)
        story->policy = witness->policy[POLICY_MAX_CONCURRENT_CALLS];
    if (story->denial == DENIED_DAILY_SPEND_REACHED)
        story->policy = witness->policy[POLICY_NUMBER_COUNT + POLICY_DAILY_SPEND];
}

/* --- moments --- */

static struct moment *add_moment(struct call_story *story, enum moment_kind kind, const struct history_step *step)
{
    if (story->moment_count == story->moment_capacity) {
        story->moment_capacity = story->moment_capacity ? story->moment_capacity * 2 : 16;
        story->moments = must_alloc(realloc(story->moments, story->moment_capacity * sizeof *story->moments));
    }
    struct moment *moment = &story->moments[story->moment_count++];
    *moment = (struct moment){.kind = kind, .place = step_place(step), .type = ""};
    moment->charged_micros = story->charged_micros;
    if (step->event == NULL)
        return moment;
    const struct event *event = step->event;
    struct text call = event_call_id(event);
    bool is_ours = text_present(event->subject) && name_is(&story->account, event->subject);
    moment->type = event_type_name(event->type);
    moment->is_own = is_ours && text_present(call) && name_is(&story->id, call);
    if (text_present(call))
        moment->by = name_of(call);
    else if (event->type == EVENT_CREDIT_TOPPED_UP)
        moment->by = name_of(event->data.topup.topup_id);
    else if (event->type == EVENT_TOPUP_REVERSED)
        moment->by = name_of(event->data.reversal.topup_id);
    else if (event->type == EVENT_INTERNATIONAL_DISABLED)
        moment->by = name_of(event->data.toggle.actor);
    if (!is_ours)
        moment->by = name_of(TEXT_NONE); /* time passed, no more */
    return moment;
}

static void add_limit(struct call_story *story, const struct witness *witness, const struct history_step *step,
                      const struct output *output)
{
    struct moment *moment = add_moment(story, MOMENT_LIMITED, step);
    moment->data.limit.at_ms = story->limit_ms = output->data.cutoff.at_duration_ms;
    moment->data.limit.reason = output->data.cutoff.reason;
    moment->data.limit.revision = output->data.cutoff.revision;
    moment->data.limit.posted_micros = witness->after.posted_micros;
    moment->data.limit.committed_micros = witness->after.committed_micros;
    moment->data.limit.charged_calls = witness->after.charged_calls;
}

static bool is_recorded_here(const struct call_story *story, const struct output_list *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (outputs->items[i].type == OUTPUT_CALL_RECORDED &&
            name_is(&story->id, outputs->items[i].data.call.call_id) &&
            name_is(&story->account, outputs->items[i].subject))
            return true;
    return false;
}

static void add_posting(struct call_story *story, const struct history_step *step, const struct output *output)
{
    struct moment *moment = add_moment(story, MOMENT_POSTED, step);
    moment->data.posted.entry = (struct ledger_entry){.number = output->data.entry.entry,
                                                      .amount_micros = output->data.entry.amount_micros,
                                                      .balance_micros = output->data.entry.balance_micros,
                                                      .date = output->data.entry.date,
                                                      .has_for_date = output->data.entry.has_for_date,
                                                      .for_date = output->data.entry.for_date};
    moment->data.posted.cause = story->is_closed                         ? POSTED_LATE
                                : is_recorded_here(story, step->outputs) ? POSTED_AT_CLOSE
                                                                         : POSTED_PAST_MIDNIGHT;
    story->entries_micros -= output->data.entry.amount_micros;
}

static void add_record(struct call_story *story, const struct history_step *step, const struct output *output)
{
    struct moment *moment = add_moment(story, MOMENT_RECORDED, step);
    moment->data.recorded = story->record = (struct call_recorded){
        .ended_at_ms = output->data.call.ended_at_ms,
        .duration_ms = output->data.call.duration_ms,
        .billed_ms = output->data.call.billed_ms,
        .amount_micros = output->data.call.amount_micros,
        .uncollected_micros = output->data.call.uncollected_micros,
        .voicemail = output->data.call.voicemail,
        .ended_by = output->data.call.ended_by,
    };
    moment->charged_micros = story->charged_micros = output->data.call.amount_micros;
    story->talked_ms = output->data.call.duration_ms;
    story->is_closed = true;
    story->records++;
}

static void take_output(struct call_story *story, const struct witness *witness, const struct history_step *step,
                        const struct output *output)
{
    switch (output->type) {
    case OUTPUT_CALL_CUTOFF:
        if (name_is(&story->id, output->data.cutoff.call_id))
            add_limit(story, witness, step, output);
        break;
    case OUTPUT_CALL_CUTOFF_WITHDRAWN:
        if (name_is(&story->id, output->data.withdrawn.call_id)) {
            add_moment(story, MOMENT_WITHDRAWN, step)->data.limit.revision = output->data.withdrawn.revision;
            story->limit_ms = NO_LIMIT;
        }
        break;
    case OUTPUT_LEDGER_POSTED:
        if (output->data.entry.kind == ENTRY_CALL && name_is(&story->id, output->data.entry.reference))
            add_posting(story, step, output);
        break;
    case OUTPUT_CALL_RECORDED:
        if (name_is(&story->id, output->data.call.call_id))
            add_record(story, step, output);
        break;
    default: break;
    }
}

static void take_outputs(struct call_story *story, const struct witness *witness, const struct history_step *step)
{
    for (size_t i = 0; i < step->outputs->count; i++)
        if (name_is(&story->account, step->outputs->items[i].subject))
            take_output(story, witness, step, &step->outputs->items[i]);
}

/* --- events of the call itself --- */

static void add_rejected(struct call_story *story, const struct history_step *step)
{
    struct moment *moment = add_moment(story, MOMENT_REJECTED, step);
    for (size_t i = 0; i < step->outputs->count; i++) {
        const struct output *output = &step->outputs->items[i];
        if (output->type != OUTPUT_EVENT_REJECTED)
            continue;
        moment->data.rejected.reason = reject_reason_name(output->data.rejected.reason);
        snprintf(moment->data.rejected.detail, DETAIL_MAX, "%.*s", TEXT_ARGS(output->data.rejected.detail));
    }
}

static int64_t reported_ms(const struct event *event)
{
    if (event->type == EVENT_CALL_TICKED)
        return event->data.call_ticked.duration_ms;
    return event->type == EVENT_CALL_ENDED ? event->data.call_ended.duration_ms : 0;
}

static void add_report(struct call_story *story, const struct history_step *step)
{
    struct key key = key_of2(RECORD_LIVE_CALL, text_of(story->account.at), text_of(story->id.at));
    const struct call_record *call = history_record(step->fold, key);
    struct moment *moment = add_moment(story, MOMENT_REPORTED, step);
    moment->duration_ms = reported_ms(step->event);
    if (call != NULL) {
        story->talked_ms = call->duration_ms;
        story->charged_micros = call->charged_micros;
    } else if (moment->duration_ms > story->talked_ms) {
        story->talked_ms = moment->duration_ms; /* its end: the call record follows */
    }
    moment->data.report.talked_ms = story->talked_ms;
    moment->charged_micros = story->charged_micros;
}

static void take_event(struct call_story *story, const struct witness *witness, const struct history_step *step)
{
    struct text call = event_call_id(step->event);
    if (!text_present(call) || !name_is(&story->id, call) || !name_is(&story->account, step->event->subject))
        return;
    if (witness->verdict == STEP_REJECTED)
        add_rejected(story, step);
    else if (witness->verdict == STEP_DUPLICATE)
        add_moment(story, MOMENT_UNCHANGED, step)->duration_ms = reported_ms(step->event);
    else
        add_report(story, step);
}

void story_step(struct call_story *story, const struct witness *witness, const struct history_step *step)
{
    if (step->event != NULL)
        take_event(story, witness, step);
    take_outputs(story, witness, step);
}

/* --- beginning and end --- */

static void read_start(struct call_story *story, const struct history_step *step)
{
    const struct event *event = step->event;
    story->partition = step->partition;
    story->account = name_of(event->subject);
    story->id = name_of(event->data.call_started.call_id);
    story->from = name_of(event->data.call_started.from);
    story->to = name_of(event->data.call_started.to);
    story->member = name_of(event->data.call_started.member_id);
    story->direction = event->data.call_started.direction;
    story->start = step_place(step);
    story->limit_ms = NO_LIMIT;
}

struct call_story *story_begin(const struct witness *witness, const struct history_step *step)
{
    bool is_answered = false;
    if (step->event == NULL || step->event->type != EVENT_CALL_STARTED || witness->verdict != STEP_APPLIED)
        return NULL;
    struct call_story *story = must_alloc(calloc(1, sizeof *story));
    read_start(story, step);
    for (size_t i = 0; i < step->outputs->count && !is_answered; i++)
        is_answered = read_answer(story, &step->outputs->items[i]);
    story->currency = witness->after.currency;
    story->posted_micros = witness->before.posted_micros;
    story->committed_micros = witness->before.committed_micros;
    read_pricing(story, witness, step);
    read_settings(story, witness, step);
    read_policy(story, witness);
    take_outputs(story, witness, step);
    return story;
}

void story_free(struct call_story *story)
{
    if (story != NULL)
        free(story->moments);
    free(story);
}

/* --- the cost --- */

struct cost_parts cost_take_apart(const struct tariff *tariff, int64_t billed_ms)
{
    __int128 product = (__int128)billed_ms * tariff->price_micros;
    struct cost_parts parts = {.cost = charge_cost(tariff, billed_ms)};
    if (billed_ms == 0)
        return parts;
    parts.first_ms = tariff->first_ms;
    parts.step_ms = tariff->step_ms;
    parts.steps = (billed_ms - tariff->first_ms) / tariff->step_ms;
    parts.whole = (int64_t)(product / MS_PER_MINUTE);
    parts.remainder = (int64_t)(product % MS_PER_MINUTE);
    parts.connect = tariff->connect_micros;
    parts.rounded = parts.cost - parts.connect;
    return parts;
}

bool story_adds_up(const struct call_story *story)
{
    if (!story->is_closed)
        return true;
    return story->entries_micros == story->record.amount_micros &&
           (!story->is_charged || charge_cost(&story->tariff, story->record.billed_ms) == story->record.amount_micros);
}
