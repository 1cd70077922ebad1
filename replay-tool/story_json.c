/* story_json.c - a call's story for programs: amounts are strings, as everywhere. */
#include "events/instant.h"
#include "replay-tool/explanation.h"
#include "replay-tool/say.h"

json_t *json_money(int64_t micros)
{
    return json_string(say_amount(micros).at);
}

json_t *json_instant(int64_t ms)
{
    return json_string(say_instant(ms).at);
}

json_t *json_place(struct place place)
{
    if (place.offset < 0)
        return json_null();
    return json_pack("{s:I, s:I, s:o}", "partition", (json_int_t)place.partition, "offset", (json_int_t)place.offset,
                     "time", json_instant(place.time_ms));
}

/* A member that is only there when there is something to say. */
static void set_name(json_t *object, const char *key, const struct name *name)
{
    if (name->at[0] != '\0')
        json_object_set_new(object, key, json_stringn(name->at, strlen(name->at)));
}

static void set_number(json_t *object, const char *key, int64_t number)
{
    json_object_set_new(object, key, json_integer((json_int_t)number));
}

static json_t *setting_json(bool has, const struct setting *setting)
{
    if (!has)
        return json_null();
    json_t *object =
        json_pack("{s:s, s:o}", "type", event_type_name(setting->type), "place", json_place(setting->place));
    set_name(object, "actor", &setting->actor);
    set_name(object, "member_id", &setting->member);
    set_name(object, "prefix", &setting->prefix);
    return object;
}

json_t *conversion_json(const struct conversion *by)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:o}", "from", say_currency(by->from).at, "to",
                     say_currency(by->to).at, "base", say_currency(by->base).at, "numerator", (json_int_t)by->numerator,
                     "denominator", (json_int_t)by->denominator, "effective_at", json_instant(by->effective_at_ms),
                     "published", json_place(by->published));
}

static json_t *rate_json(const struct pricing_facts *facts)
{
    json_t *object = json_pack("{s:s, s:s, s:s, s:b}", "prefix", facts->prefix.at, "destination", facts->destination.at,
                               "status", rate_status_name(facts->status), "domestic", facts->domestic);
    if (facts->domestic || facts->status != RATE_OPEN)
        return object;
    json_object_set_new(object, "price", json_money(facts->price_micros));
    json_object_set_new(object, "connect", json_money(facts->connect_micros));
    set_number(object, "first_s", facts->first_s);
    set_number(object, "step_s", facts->step_s);
    return object;
}

static json_t *pricing_json(const struct call_story *story)
{
    const struct pricing_facts *facts = &story->pricing;
    if (!facts->has_deck)
        return json_null();
    json_t *object = json_pack("{s:s, s:s, s:s, s:o, s:o}", "deck_id", facts->deck_id.at, "origin", facts->origin.at,
                               "currency", say_currency(facts->deck_currency).at, "effective_at",
                               json_instant(facts->effective_at_ms), "published", json_place(facts->published));
    if (facts->has_rate)
        json_object_set_new(object, "rate", rate_json(facts));
    if (facts->has_fx)
        json_object_set_new(object, "fx", conversion_json(&facts->fx));
    if (story->is_priced) {
        json_object_set_new(object, "price", json_money(story->tariff.price_micros));
        json_object_set_new(object, "connect", json_money(story->tariff.connect_micros));
    }
    return object;
}

static json_t *record_json(const struct call_recorded *record)
{
    return json_pack("{s:o, s:I, s:I, s:o, s:o, s:b, s:s}", "ended_at", json_instant(record->ended_at_ms),
                     "duration_ms", (json_int_t)record->duration_ms, "billed_ms", (json_int_t)record->billed_ms,
                     "amount", json_money(record->amount_micros), "uncollected", json_money(record->uncollected_micros),
                     "voicemail", record->voicemail, "ended_by", call_ending_name(record->ended_by));
}

static json_t *entry_json(const struct moment *moment)
{
    static const char *const causes[] = {
        [POSTED_AT_CLOSE] = "close", [POSTED_PAST_MIDNIGHT] = "midnight", [POSTED_LATE] = "late_end"};
    const struct ledger_entry *entry = &moment->data.posted.entry;
    json_t *object = json_pack("{s:I, s:o, s:o, s:s, s:s}", "entry", (json_int_t)entry->number, "amount",
                               json_money(entry->amount_micros), "balance", json_money(entry->balance_micros), "date",
                               say_day(entry->date).at, "posted_at", causes[moment->data.posted.cause]);
    if (entry->has_for_date)
        json_object_set_new(object, "for_date", json_string(say_day(entry->for_date).at));
    return object;
}

static json_t *limit_json(const struct moment *moment)
{
    json_t *object = json_pack("{s:I}", "revision", (json_int_t)moment->data.limit.revision);
    if (moment->kind == MOMENT_WITHDRAWN)
        return object;
    set_number(object, "at_duration_ms", moment->data.limit.at_ms);
    json_object_set_new(object, "reason", json_string(cutoff_reason_name(moment->data.limit.reason)));
    json_object_set_new(object, "posted", json_money(moment->data.limit.posted_micros));
    json_object_set_new(object, "committed", json_money(moment->data.limit.committed_micros));
    set_number(object, "charged_calls", moment->data.limit.charged_calls);
    return object;
}

static json_t *moment_facts(const struct moment *moment)
{
    switch (moment->kind) {
    case MOMENT_REPORTED:
        return json_pack("{s:I, s:I, s:o}", "duration_ms", (json_int_t)moment->duration_ms, "talked_ms",
                         (json_int_t)moment->data.report.talked_ms, "charged", json_money(moment->charged_micros));
    case MOMENT_UNCHANGED: return json_pack("{s:I}", "duration_ms", (json_int_t)moment->duration_ms);
    case MOMENT_REJECTED:
        return json_pack("{s:s, s:s}", "reason", moment->data.rejected.reason, "detail", moment->data.rejected.detail);
    case MOMENT_LIMITED:
    case MOMENT_WITHDRAWN: return limit_json(moment);
    case MOMENT_POSTED: return entry_json(moment);
    default: return record_json(&moment->data.recorded);
    }
}

static json_t *moments_json(const struct call_story *story)
{
    static const char *const kinds[] = {
        [MOMENT_REPORTED] = "report",   [MOMENT_UNCHANGED] = "duplicate", [MOMENT_REJECTED] = "rejected",
        [MOMENT_LIMITED] = "cutoff",    [MOMENT_WITHDRAWN] = "withdrawn", [MOMENT_POSTED] = "entry",
        [MOMENT_RECORDED] = "recorded",
    };
    json_t *array = json_array();
    for (size_t i = 0; i < story->moment_count; i++) {
        const struct moment *moment = &story->moments[i];
        json_t *object = json_pack("{s:s, s:o, s:s}", "what", kinds[moment->kind], "place", json_place(moment->place),
                                   "type", moment->type);
        if (!moment->is_own)
            set_name(object, "by", &moment->by);
        json_t *facts = moment_facts(moment);
        json_object_update(object, facts);
        json_decref(facts);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *cost_json(const struct tariff *tariff, int64_t billed_ms)
{
    struct cost_parts parts = cost_take_apart(tariff, billed_ms);
    return json_pack("{s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:o}", "billed_ms", (json_int_t)billed_ms,
                     "first_ms", (json_int_t)parts.first_ms, "steps", (json_int_t)parts.steps, "step_ms",
                     (json_int_t)parts.step_ms, "price", json_money(tariff->price_micros), "product_micros",
                     (json_int_t)parts.whole, "product_60000ths", (json_int_t)parts.remainder, "rounded_micros",
                     (json_int_t)parts.rounded, "connect_micros", (json_int_t)parts.connect, "amount",
                     json_money(parts.cost));
}

static void set_answer(json_t *object, const struct call_story *story)
{
    json_object_set_new(object, "answer", json_string(story->is_authorized ? "authorized" : "denied"));
    if (!story->is_authorized) {
        json_object_set_new(object, "reason", json_string(denial_reason_name(story->denial)));
        json_object_set_new(object, "detail", json_string(story->detail));
        set_number(object, "step", denial_step(story->denial));
        json_object_set_new(object, "policy", json_place(story->policy));
        return;
    }
    json_object_set_new(object, "charged", json_boolean(story->is_charged));
    if (story->has_max_duration)
        set_number(object, "max_duration_ms", story->max_duration_ms);
}

static void set_money(json_t *object, const struct call_story *story)
{
    json_object_set_new(object, "pricing", pricing_json(story));
    json_object_set_new(object, "moments", moments_json(story));
    if (!story->is_authorized && story->denial == DENIED_INSUFFICIENT_CREDITS && story->is_priced)
        json_object_set_new(object, "first_increment", cost_json(&story->tariff, charge_billed_ms(&story->tariff, 1)));
    if (!story->is_closed)
        return;
    json_object_set_new(object, "record", record_json(&story->record));
    if (story->is_charged)
        json_object_set_new(object, "cost", cost_json(&story->tariff, story->record.billed_ms));
    json_object_set_new(object, "entries_sum", json_money(story->entries_micros));
    json_object_set_new(object, "adds_up", json_boolean(story_adds_up(story)));
}

json_t *story_json(const struct call_story *story)
{
    json_t *object = json_object();
    set_name(object, "call_id", &story->id);
    set_name(object, "account", &story->account);
    json_object_set_new(object, "direction", json_string(call_direction_name(story->direction)));
    set_name(object, "from", &story->from);
    set_name(object, "to", &story->to);
    set_name(object, "member_id", &story->member);
    json_object_set_new(object, "asked", json_place(story->start));
    set_answer(object, story);
    if (story->currency != 0) {
        json_object_set_new(object, "currency", json_string(say_currency(story->currency).at));
        json_object_set_new(object, "posted", json_money(story->posted_micros));
        json_object_set_new(object, "committed", json_money(story->committed_micros));
        json_object_set_new(object, "number", setting_json(story->has_added, &story->added));
        json_object_set_new(object, "international", setting_json(story->has_toggle, &story->toggle));
        json_object_set_new(object, "assignment", setting_json(story->has_assigned, &story->assigned));
        json_object_set_new(object, "block", setting_json(story->has_block, &story->block));
    }
    set_money(object, story);
    return object;
}
