/* story_text.c - a call's story for people: what was asked, what a minute costs,
 * what happened, what it came to, what the ledger says. */
#include <inttypes.h>
#include <stdio.h>

#include "events/instant.h"
#include "events/money.h"
#include "replay-tool/explanation.h"
#include "replay-tool/say.h"

/* --- may it go ahead? --- */

static void print_setting(const char *label, bool has, const struct setting *setting, const char *done,
                          const char *never)
{
    if (!has)
        printf(LINE "%s\n", label, never);
    else if (setting->actor.at[0] != '\0')
        printf(LINE "%s by %s %s\n", label, done, setting->actor.at, say_where(setting->place).at);
    else
        printf(LINE "%s %s\n", label, done, say_where(setting->place).at);
}

static void print_settings(const struct call_story *story)
{
    bool is_on = story->toggle.type == EVENT_INTERNATIONAL_ENABLED;
    bool is_assigned = story->assigned.type == EVENT_MEMBER_ASSIGNED;
    if (story->has_added && story->added.type == EVENT_NUMBER_ADDED)
        printf(LINE "%s, of origin %s, added %s\n", "number", story->from.at, story->pricing.origin.at,
               say_where(story->added.place).at);
    else
        print_setting("number", story->has_added, &story->added, "removed", "never added to the account");
    print_setting("international", story->has_toggle, &story->toggle, is_on ? "turned on" : "turned off",
                  "never turned on");
    if (story->member.at[0] != '\0' && !story->has_assigned)
        printf(LINE "%s was never assigned to the number\n", "member", story->member.at);
    else if (story->member.at[0] != '\0')
        printf(LINE "%s %s the number %s\n", "member", story->member.at,
               is_assigned ? "assigned to" : "unassigned from", say_where(story->assigned.place).at);
    if (story->has_block)
        printf(LINE "%s blocked%s by %s %s\n", "block", story->block.prefix.at,
               story->block.number.at[0] != '\0' ? " for the number" : " for the account", story->block.actor.at,
               say_where(story->block.place).at);
}

static void print_credits(const struct call_story *story)
{
    int64_t uncommitted = story->posted_micros - story->committed_micros;
    printf(LINE "%s posted, %s of it committed to other calls: %s uncommitted", "credits",
           say_money(story->posted_micros, story->currency).at, say_amount(story->committed_micros).at,
           say_amount(uncommitted).at);
    if (story->has_max_duration)
        printf(", which buys %s", say_ms(story->max_duration_ms).at);
    printf("\n");
}

static void print_answer(const struct call_story *story)
{
    static const char *const policies[] = {"max_concurrent_calls", "daily_spend"};
    printf("May it go ahead?\n");
    printf(LINE "%s\n", "asked", say_where(story->start).at);
    if (story->is_authorized)
        printf(LINE "authorized, %s\n", "answer", story->is_charged ? "charged" : story_no_charge(story));
    else
        printf(LINE "denied, %s: %s\n" LINE "step %d of the contract's section 4\n", "answer",
               denial_reason_name(story->denial), say_text(story->detail).at, "", denial_step(story->denial));
    if (story->policy.offset >= 0)
        printf(LINE "%s set %s\n", "policy", policies[story->denial == DENIED_DAILY_SPEND_REACHED],
               say_where(story->policy).at);
    if (story->direction == DIRECTION_OUTBOUND && story->currency != 0)
        print_settings(story);
    if (story->is_charged || (!story->is_authorized && denial_step(story->denial) >= 7))
        print_credits(story);
}

/* --- what a minute costs --- */

void print_conversion(const char *label, int64_t from, const struct conversion *by, int64_t to, uint32_t currency)
{
    __int128 product = (__int128)from * by->numerator;
    int64_t whole = (int64_t)(product / by->denominator), rest = (int64_t)(product % by->denominator);
    printf(LINE "%s micros x %" PRId64 " / %" PRId64 " = %s", label, say_count(from).at, by->numerator, by->denominator,
           say_count(whole).at);
    if (rest != 0)
        printf(" + %" PRId64 "/%" PRId64 ", rounded half up to %s", rest, by->denominator, say_count(to).at);
    printf(" micros: %s\n", say_money(to, currency).at);
}

void print_exchange(const struct conversion *by)
{
    int64_t nanos;
    char rate[MONEY_TEXT_MAX];
    if (!mul_div_half_up(NANOS_PER_UNIT, by->numerator, by->denominator, &nanos))
        nanos = INT64_MAX;
    fx_rate_format(nanos, rate);
    printf(LINE "1 %s = %s %s, by the table of base %s in force since %s,\n" LINE "published %s\n", "exchange",
           say_currency(by->from).at, rate, say_currency(by->to).at, say_currency(by->base).at,
           say_instant(by->effective_at_ms).at, "", say_where(by->published).at);
}

static void print_fx(const struct call_story *story)
{
    const struct pricing_facts *facts = &story->pricing;
    if (!facts->has_fx)
        return;
    print_exchange(&facts->fx);
    print_conversion("price", facts->price_micros, &facts->fx, story->tariff.price_micros, story->currency);
    if (facts->connect_micros > 0)
        print_conversion("connect", facts->connect_micros, &facts->fx, story->tariff.connect_micros, story->currency);
}

static void print_rate(const struct call_story *story)
{
    const struct pricing_facts *facts = &story->pricing;
    printf(LINE "prefix %s, %s: ", "rate", facts->prefix.at, say_text(facts->destination.at).at);
    if (facts->domestic || facts->status != RATE_OPEN) {
        printf("%s\n", facts->domestic ? "domestic" : rate_status_name(facts->status));
        return;
    }
    printf("%s a minute, ", say_money(facts->price_micros, facts->deck_currency).at);
    if (facts->connect_micros > 0)
        printf("%s to connect, ", say_money(facts->connect_micros, facts->deck_currency).at);
    printf("first %" PRIu32 " s, then steps of %" PRIu32 " s\n", facts->first_s, facts->step_s);
}

static void print_pricing(const struct call_story *story)
{
    const struct pricing_facts *facts = &story->pricing;
    if (!facts->has_deck)
        return;
    printf("\nWhat a minute costs\n");
    printf(LINE "%s, in force since %s, published %s\n", "rate deck", facts->deck_id.at,
           say_instant(facts->effective_at_ms).at, say_where(facts->published).at);
    if (facts->has_rate)
        print_rate(story);
    print_fx(story);
}

/* --- what happened --- */

static void print_place(const struct moment *moment)
{
    printf("  %-9s %s  ", say_place(moment->place).at, say_instant(moment->place.time_ms).at);
}

/* Which record it was that limited, or let go, this call. */
static void print_cause(const struct moment *moment)
{
    if (moment->is_own)
        return;
    if (moment->by.at[0] != '\0')
        printf(" (%s of %s)", moment->type, moment->by.at);
    else
        printf(" (time passed%s%s)", moment->type[0] != '\0' ? " by a " : "", moment->type);
}

static void print_limit(const struct call_story *story, const struct moment *moment)
{
    printf("cutoff at %s, %s, revision %" PRIu32, say_ms(moment->data.limit.at_ms).at,
           cutoff_reason_name(moment->data.limit.reason), moment->data.limit.revision);
    print_cause(moment);
    if (moment->data.limit.charged_calls > 0 && moment->data.limit.reason == CUTOFF_CREDITS_EXHAUSTED)
        printf(": %s of %s committed to %" PRIu32 " charged call%s", say_amount(moment->data.limit.committed_micros).at,
               say_money(moment->data.limit.posted_micros, story->currency).at, moment->data.limit.charged_calls,
               moment->data.limit.charged_calls == 1 ? "" : "s");
    printf("\n");
}

static void print_report(const struct call_story *story, const struct moment *moment)
{
    printf("%s says %s", moment->type, say_ms(moment->duration_ms).at);
    if (moment->duration_ms < moment->data.report.talked_ms)
        printf(", less than the %s known: changes no charge", say_ms(moment->data.report.talked_ms).at);
    else if (story->is_charged && strcmp(moment->type, event_type_name(EVENT_CALL_TICKED)) == 0)
        printf(", charged so far %s", say_amount(moment->charged_micros).at);
    printf("\n");
}

static void print_record(const struct call_story *story, const struct moment *moment, int nth)
{
    const struct call_recorded *record = &moment->data.recorded;
    printf("call record: ended by %s, %s of talk, %s", call_ending_name(record->ended_by),
           say_ms(record->duration_ms).at, say_money(record->amount_micros, story->currency).at);
    if (nth > 1)
        printf("; it replaces the one before");
    else if (nth < story->records)
        printf("; a later one replaces it");
    print_cause(moment);
    printf("\n");
}

static void print_posting(const struct call_story *story, const struct moment *moment)
{
    printf("entry %" PRId64 " takes %s", moment->data.posted.entry.number,
           say_money(-moment->data.posted.entry.amount_micros, story->currency).at);
    print_cause(moment);
    printf("\n");
}

static void print_moment(const struct call_story *story, const struct moment *moment, int *records)
{
    print_place(moment);
    switch (moment->kind) {
    case MOMENT_REPORTED: print_report(story, moment); break;
    case MOMENT_UNCHANGED: printf("%s again: a duplicate, changes nothing\n", moment->type); break;
    case MOMENT_REJECTED:
        printf("%s rejected, %s: %s\n", moment->type, moment->data.rejected.reason,
               say_text(moment->data.rejected.detail).at);
        break;
    case MOMENT_LIMITED: print_limit(story, moment); break;
    case MOMENT_WITHDRAWN:
        printf("cutoff withdrawn, revision %" PRIu32, moment->data.limit.revision);
        print_cause(moment);
        printf("\n");
        break;
    case MOMENT_POSTED: print_posting(story, moment); break;
    case MOMENT_RECORDED: print_record(story, moment, ++*records); break;
    }
}

static bool is_plain_tick(const struct moment *moment)
{
    return moment->kind == MOMENT_REPORTED && moment->data.report.talked_ms == moment->duration_ms &&
           strcmp(moment->type, event_type_name(EVENT_CALL_TICKED)) == 0;
}

/* A row of ticks between which nothing else happened: the first and the last of it. */
static size_t print_ticks(const struct call_story *story, size_t from)
{
    size_t end = from;
    while (end < story->moment_count && is_plain_tick(&story->moments[end]))
        end++;
    if (end - from < 4)
        return from;
    int unused = 0;
    print_moment(story, &story->moments[from], &unused);
    printf("  %-9s %s ticks more, the last one:\n", "...", say_count((int64_t)(end - from - 2)).at);
    print_moment(story, &story->moments[end - 1], &unused);
    return end;
}

static void print_moments(const struct call_story *story)
{
    int records = 0;
    if (story->moment_count == 0)
        return;
    printf("\nWhat happened\n");
    for (size_t i = 0; i < story->moment_count;) {
        size_t after = print_ticks(story, i);
        if (after == i)
            print_moment(story, &story->moments[after++], &records);
        i = after;
    }
}

/* --- what it cost --- */

static void print_talk(const struct call_story *story)
{
    const struct call_recorded *record = &story->record;
    printf(LINE "%s", "talk time", say_ms(record->duration_ms).at);
    bool is_cut = story->limit_ms != NO_LIMIT && story->limit_ms < record->duration_ms;
    if (is_cut && charge_billed_ms(&story->tariff, story->limit_ms) == record->billed_ms)
        printf(", charged up to the limit of %s", say_ms(story->limit_ms).at);
    printf("\n");
}

void print_cost(const struct tariff *tariff, uint32_t currency, int64_t billed_ms)
{
    struct cost_parts parts = cost_take_apart(tariff, billed_ms);
    if (billed_ms == 0) {
        printf(LINE "none: no talk time costs nothing, not even the connection\n", "billed");
        return;
    }
    printf(LINE "first %s", "billed", say_ms(parts.first_ms).at);
    if (parts.steps > 0)
        printf(" + %s x %s", say_count(parts.steps).at, say_ms(parts.step_ms).at);
    printf(" = %s\n", say_ms(billed_ms).at);
    printf(LINE "%s x %s micros / 60,000 ms = %s", "product", say_ms(billed_ms).at, say_count(tariff->price_micros).at,
           say_count(parts.whole).at);
    if (parts.remainder != 0)
        printf(" + %" PRId64 "/60000, rounded half up to %s", parts.remainder, say_count(parts.rounded).at);
    printf(" micros\n");
    if (parts.connect > 0)
        printf(LINE "+ %s micros\n", "connect", say_count(parts.connect).at);
    printf(LINE "%s\n", "amount", say_money(parts.cost, currency).at);
}

static void print_amount(const struct call_story *story)
{
    if (!story->is_authorized)
        return;
    printf("\nWhat it cost\n");
    if (!story->is_charged) {
        printf(LINE "0: %s\n", "amount", story_no_charge(story));
        return;
    }
    if (!story->is_closed) {
        printf(LINE "live: %s of talk, charged %s so far\n", "amount", say_ms(story->talked_ms).at,
               say_money(story->charged_micros, story->currency).at);
        return;
    }
    print_talk(story);
    print_cost(&story->tariff, story->currency, story->record.billed_ms);
    if (story->record.uncollected_micros > 0)
        printf(LINE "%s for talk beyond the limit: never charged\n", "uncollected",
               say_money(story->record.uncollected_micros, story->currency).at);
}

/* What the first increment would have cost that credits did not cover. */
static void print_first_increment(const struct call_story *story)
{
    if (story->is_authorized || story->denial != DENIED_INSUFFICIENT_CREDITS || !story->is_priced)
        return;
    printf("\nWhat the first increment costs\n");
    print_cost(&story->tariff, story->currency, charge_billed_ms(&story->tariff, 1));
}

/* --- in the ledger --- */

static const char *const posting_causes[] = {
    [POSTED_AT_CLOSE] = "when the call closed",
    [POSTED_PAST_MIDNIGHT] = "what it had accrued before midnight, at the first report of the new day",
    [POSTED_LATE] = "the difference, by a late end of a stale call",
};

static void print_ledger(const struct call_story *story)
{
    if (!story->is_closed || !story->is_charged)
        return;
    printf("\nIn the ledger\n");
    for (size_t i = 0; i < story->moment_count; i++) {
        const struct moment *moment = &story->moments[i];
        const struct ledger_entry *entry = &moment->data.posted.entry;
        if (moment->kind != MOMENT_POSTED)
            continue;
        printf("  entry %-7" PRId64 " %s  %s  %s%s%s\n", entry->number, say_day(entry->date).at,
               say_amount(entry->amount_micros).at, posting_causes[moment->data.posted.cause],
               entry->has_for_date ? ", for " : "", entry->has_for_date ? say_day(entry->for_date).at : "");
    }
    printf(LINE "%s, %s\n", "sum", say_money(-story->entries_micros, story->currency).at,
           story_adds_up(story) ? "the amount of the call record" : "NOT the amount of the call record");
}

/* --- all of it --- */

const char *story_no_charge(const struct call_story *story)
{
    if (story->direction == DIRECTION_INBOUND)
        return "inbound calls are never charged";
    return story->pricing.domestic ? "domestic: the plan covers it" : "a free destination";
}

void story_print(const struct call_story *story)
{
    printf("Call %s of account %s: %s, from %s to %s", story->id.at, story->account.at,
           call_direction_name(story->direction), say_text(story->from.at).at, say_text(story->to.at).at);
    if (story->member.at[0] != '\0')
        printf(", by %s", story->member.at);
    printf("\n\n");
    print_answer(story);
    print_pricing(story);
    print_first_increment(story);
    print_moments(story);
    print_amount(story);
    print_ledger(story);
}
