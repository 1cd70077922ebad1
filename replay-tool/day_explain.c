/* day_explain.c - an account's day: every ledger entry dated on it, and the story of every call it was about. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "events/instant.h"
#include "processor/fold/state.h"
#include "replay-tool/explanation.h"
#include "replay-tool/say.h"

struct day_entry {
    struct ledger_entry entry;
    enum entry_kind kind;
    struct place place;
    struct name reference;
};

struct told {
    struct call_story *story;
    bool is_of_day; /* it has an entry of the day, or was denied or ended on it */
};

struct day_story {
    int32_t day;
    struct day_entry *entries;
    size_t entry_count, entry_capacity;
    struct told *calls; /* in order of their start */
    size_t call_count, call_capacity;
};

struct day_story *day_begin(int32_t day)
{
    struct day_story *story = must_alloc(calloc(1, sizeof *story));
    story->day = day;
    return story;
}

void day_free(struct day_story *story)
{
    if (story == NULL)
        return;
    for (size_t i = 0; i < story->call_count; i++)
        story_free(story->calls[i].story);
    free(story->calls);
    free(story->entries);
    free(story);
}

/* --- folding --- */

static void add_entry(struct day_story *story, const struct history_step *step, const struct output *output)
{
    if (story->entry_count == story->entry_capacity) {
        story->entry_capacity = story->entry_capacity ? story->entry_capacity * 2 : 16;
        story->entries = must_alloc(realloc(story->entries, story->entry_capacity * sizeof *story->entries));
    }
    story->entries[story->entry_count++] =
        (struct day_entry){.entry = {.number = output->data.entry.entry,
                                     .amount_micros = output->data.entry.amount_micros,
                                     .balance_micros = output->data.entry.balance_micros,
                                     .date = output->data.entry.date,
                                     .has_for_date = output->data.entry.has_for_date,
                                     .for_date = output->data.entry.for_date},
                           .kind = output->data.entry.kind,
                           .place = step_place(step),
                           .reference = name_of(output->data.entry.reference)};
}

static bool take_outputs(struct day_story *story, const struct witness *witness, const struct history_step *step)
{
    bool is_touched = false;
    for (size_t i = 0; i < step->outputs->count; i++) {
        const struct output *output = &step->outputs->items[i];
        if (!name_is(&witness->account, output->subject))
            continue;
        is_touched = true;
        if (output->type == OUTPUT_LEDGER_POSTED && output->data.entry.date == story->day)
            add_entry(story, step, output);
    }
    return is_touched;
}

static void add_call(struct day_story *story, struct call_story *call)
{
    if (story->call_count == story->call_capacity) {
        story->call_capacity = story->call_capacity ? story->call_capacity * 2 : 16;
        story->calls = must_alloc(realloc(story->calls, story->call_capacity * sizeof *story->calls));
    }
    story->calls[story->call_count++] = (struct told){.story = call};
}

/* What the last moments of a call say of the day. */
static bool is_of_day(const struct day_story *story, const struct call_story *call, size_t moments_before)
{
    for (size_t i = moments_before; i < call->moment_count; i++) {
        const struct moment *moment = &call->moments[i];
        if (moment->kind == MOMENT_POSTED && moment->data.posted.entry.date == story->day)
            return true;
        if (moment->kind == MOMENT_RECORDED && instant_day(moment->data.recorded.ended_at_ms) == story->day)
            return true;
    }
    return !call->is_authorized && instant_day(call->start.time_ms) == story->day;
}

/* Whether there may be more of a call to tell. */
static bool is_open(const struct call_story *call)
{
    return call->is_authorized && (!call->is_closed || call->record.ended_by == ENDED_BY_STALE);
}

void day_step(struct day_story *story, const struct witness *witness, const struct history_step *step)
{
    bool is_ours = step->event != NULL && name_is(&witness->account, step->event->subject);
    size_t kept = 0;
    if (!take_outputs(story, witness, step) && !is_ours)
        return;
    for (size_t i = 0; i < story->call_count; i++) {
        struct told *told = &story->calls[i];
        size_t before = told->story->moment_count;
        if (is_open(told->story)) {
            story_step(told->story, witness, step);
            told->is_of_day |= is_of_day(story, told->story, before);
        }
        if (told->is_of_day || is_open(told->story))
            story->calls[kept++] = *told;
        else
            story_free(told->story);
    }
    story->call_count = kept;
    struct call_story *begun = is_ours ? story_begin(witness, step) : NULL;
    if (begun == NULL)
        return;
    add_call(story, begun);
    story->calls[story->call_count - 1].is_of_day = is_of_day(story, begun, 0);
}

/* --- telling --- */

bool day_adds_up(const struct day_story *story)
{
    for (size_t i = 0; i < story->call_count; i++)
        if (story->calls[i].is_of_day && !story_adds_up(story->calls[i].story))
            return false;
    return true;
}

static void print_entries(const struct day_story *story, uint32_t currency)
{
    int64_t sum = 0;
    printf("Entries dated %s\n", say_day(story->day).at);
    for (size_t i = 0; i < story->entry_count; i++) {
        const struct day_entry *line = &story->entries[i];
        sum += line->entry.amount_micros;
        printf("  entry %-7" PRId64 " %-9s %-14s %s  %s, balance %s", line->entry.number, say_place(line->place).at,
               entry_kind_name(line->kind), line->reference.at, say_amount(line->entry.amount_micros).at,
               say_amount(line->entry.balance_micros).at);
        if (line->entry.has_for_date)
            printf(", for %s", say_day(line->entry.for_date).at);
        printf("\n");
    }
    if (story->entry_count == 0)
        printf("  none\n");
    else
        printf(LINE "%s\n", "sum", say_money(sum, currency).at);
}

static void print_calls(const struct day_story *story)
{
    for (size_t i = 0; i < story->call_count; i++) {
        if (!story->calls[i].is_of_day)
            continue;
        printf("\n--\n\n");
        story_print(story->calls[i].story);
    }
}

static json_t *entries_json(const struct day_story *story)
{
    json_t *array = json_array();
    for (size_t i = 0; i < story->entry_count; i++) {
        const struct day_entry *line = &story->entries[i];
        json_t *object = json_pack("{s:I, s:s, s:s, s:o, s:o, s:o}", "entry", (json_int_t)line->entry.number, "kind",
                                   entry_kind_name(line->kind), "reference", line->reference.at, "amount",
                                   json_money(line->entry.amount_micros), "balance",
                                   json_money(line->entry.balance_micros), "caused_by", json_place(line->place));
        if (line->entry.has_for_date)
            json_object_set_new(object, "for_date", json_string(say_day(line->entry.for_date).at));
        json_array_append_new(array, object);
    }
    return array;
}

static void dump_day(const struct day_story *story, const struct witness *witness)
{
    json_t *calls = json_array();
    for (size_t i = 0; i < story->call_count; i++)
        if (story->calls[i].is_of_day)
            json_array_append_new(calls, story_json(story->calls[i].story));
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:o, s:o}", "account", witness->account.at, "day", say_day(story->day).at,
                  "currency", say_currency(witness->after.currency).at, "entries", entries_json(story), "calls", calls);
    json_dumpf(object, stdout, JSON_INDENT(2));
    json_decref(object);
    printf("\n");
}

void day_explain(const struct day_story *story, const struct witness *witness, bool as_json)
{
    if (as_json) {
        dump_day(story, witness);
        return;
    }
    printf("Account %s on %s, UTC\n\n", witness->account.at, say_day(story->day).at);
    print_entries(story, witness->after.currency);
    print_calls(story);
}
