/* tally.c - see tally.h. */
#include "replay-tool/tally.h"

#include <search.h>
#include <stdlib.h>

#include "processor/fold/state.h"

/* A stale call's record, which its late end may replace. */
struct stale_call {
    struct name account, call;
    int64_t started_at_ms; /* an id that was forgotten may be another call's later */
    bool is_counted;
    int64_t talked_ms, billed_ms, uncollected_micros;
};

/* The answers of a partition on the first side, by offset: twice the offset, and
 * one more where the call was authorized. */
struct answers {
    int64_t *items;
    size_t count, capacity;
    size_t passed; /* those before it are of earlier records than the second side's last */
};

struct tally {
    void *rows;               /* a tree of struct tally_row */
    void *stale[TALLY_SIDES]; /* of struct stale_call */
    struct answers answers[PARTITIONS_MAX];
};

struct tally *tally_new(void)
{
    return must_alloc(calloc(1, sizeof(struct tally)));
}

void tally_free(struct tally *tally)
{
    if (tally == NULL)
        return;
    tdestroy(tally->rows, free);
    for (int side = 0; side < TALLY_SIDES; side++)
        tdestroy(tally->stale[side], free);
    for (size_t i = 0; i < PARTITIONS_MAX; i++)
        free(tally->answers[i].items);
    free(tally);
}

/* --- rows --- */

static int compare_rows(const void *left, const void *right)
{
    const struct tally_row *a = left, *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    int order = strcmp(a->name.at, b->name.at);
    return order != 0 ? order : (a->currency > b->currency) - (a->currency < b->currency);
}

/* The tree's own copy of an item, made if there is none. */
static void *find_or_add(void **tree, const void *item, size_t size, int (*compare)(const void *, const void *))
{
    void **found = tfind(item, tree, compare);
    if (found != NULL)
        return *found;
    void *copy = must_alloc(malloc(size));
    memcpy(copy, item, size);
    if (tsearch(copy, tree, compare) == NULL)
        abort();
    return copy;
}

static struct tally_row *row_of(struct tally *tally, enum tally_group group, struct name name, uint32_t currency)
{
    const struct tally_row wanted = {.group = group, .name = name, .currency = currency};
    return find_or_add(&tally->rows, &wanted, sizeof wanted, compare_rows);
}

/* Whom a figure is counted for. */
struct bearer {
    struct name origin, destination, account;
    uint32_t currency;
};
#define BEARER_ROWS 4

static void rows_of(struct tally *tally, const struct bearer *bearer, struct tally_row *rows[BEARER_ROWS])
{
    rows[0] = row_of(tally, BY_TOTAL, name_of(TEXT_NONE), bearer->currency);
    rows[1] = row_of(tally, BY_ORIGIN, bearer->origin, bearer->currency);
    rows[2] = row_of(tally, BY_DESTINATION, bearer->destination, bearer->currency);
    rows[3] = row_of(tally, BY_ACCOUNT, bearer->account, bearer->currency);
}

struct walk {
    void (*visit)(void *context, const struct tally_row *row);
    void *context;
};

static void walk_node(const void *node, VISIT visit, void *context)
{
    const struct walk *walk = context;
    if (visit == postorder || visit == leaf)
        walk->visit(walk->context, *(struct tally_row *const *)node);
}

void tally_each(struct tally *tally, void (*visit)(void *context, const struct tally_row *row), void *context)
{
    struct walk walk = {visit, context};
    twalk_r(tally->rows, walk_node, &walk);
}

/* --- where a call comes from --- */

static struct name origin_of(struct fold *fold, struct text account, struct text number)
{
    const struct number_record *record = history_record(fold, key_of2(RECORD_NUMBER, account, number));
    return name_of(record != NULL ? number_origin(record) : TEXT_NONE);
}

/* The origin of the call that an entry was posted for: its record is among the
 * outputs of the same step, or it is live. */
static struct name origin_of_call(const struct history_step *step, struct text account, struct text call)
{
    for (size_t i = 0; i < step->outputs->count; i++) {
        const struct output *output = &step->outputs->items[i];
        if (output->type == OUTPUT_CALL_RECORDED && text_equal(output->subject, account) &&
            text_equal(output->data.call.call_id, call))
            return origin_of(step->fold, account, output->data.call.from);
    }
    const struct call_record *live = history_record(step->fold, key_of2(RECORD_LIVE_CALL, account, call));
    return live != NULL ? origin_of(step->fold, account, call_string(live, CALL_FROM)) : name_of(TEXT_NONE);
}

/* --- money and minutes --- */

static void take_entry(struct tally *tally, enum tally_side side, const struct history_step *step,
                       const struct output *output)
{
    const struct posting *revenue = &output->data.entry.postings[output->data.entry.posting_count - 1];
    struct tally_row *rows[BEARER_ROWS];
    const struct bearer bearer = {
        .origin = origin_of_call(step, output->subject, output->data.entry.reference),
        .destination = name_of(revenue->name),
        .account = name_of(output->subject),
        .currency = output->data.entry.currency,
    };
    rows_of(tally, &bearer, rows);
    for (int i = 0; i < BEARER_ROWS; i++)
        rows[i]->side[side].revenue_micros -= output->data.entry.amount_micros;
}

static int compare_stale(const void *left, const void *right)
{
    const struct stale_call *a = left, *b = right;
    int order = strcmp(a->call.at, b->call.at);
    if (order == 0)
        order = strcmp(a->account.at, b->account.at);
    return order != 0 ? order : (a->started_at_ms > b->started_at_ms) - (a->started_at_ms < b->started_at_ms);
}

/* What an earlier record of the same call was counted with; all zeros if there was none. */
static struct stale_call replaced(struct tally *tally, enum tally_side side, const struct output *output)
{
    struct stale_call call = {.account = name_of(output->subject),
                              .call = name_of(output->data.call.call_id),
                              .started_at_ms = output->data.call.started_at_ms};
    struct stale_call **found = (struct stale_call **)tfind(&call, &tally->stale[side], compare_stale);
    if (found != NULL) {
        struct stale_call *held = *found;
        call = *held;
        tdelete(held, &tally->stale[side], compare_stale);
        free(held);
    }
    return call;
}

static void keep_stale(struct tally *tally, enum tally_side side, const struct output *output)
{
    const struct stale_call call = {.account = name_of(output->subject),
                                    .call = name_of(output->data.call.call_id),
                                    .started_at_ms = output->data.call.started_at_ms,
                                    .is_counted = true,
                                    .talked_ms = output->data.call.duration_ms,
                                    .billed_ms = output->data.call.billed_ms,
                                    .uncollected_micros = output->data.call.uncollected_micros};
    find_or_add(&tally->stale[side], &call, sizeof call, compare_stale);
}

static void take_record(struct tally *tally, enum tally_side side, const struct history_step *step,
                        const struct output *output)
{
    struct tally_row *rows[BEARER_ROWS];
    const struct bearer bearer = {.origin = origin_of(step->fold, output->subject, output->data.call.from),
                                  .destination = name_of(output->data.call.destination),
                                  .account = name_of(output->subject),
                                  .currency = output->data.call.currency};
    if (!output->data.call.charged)
        return;
    rows_of(tally, &bearer, rows);
    struct stale_call before = replaced(tally, side, output);
    for (int i = 0; i < BEARER_ROWS; i++) {
        rows[i]->side[side].calls += !before.is_counted;
        rows[i]->side[side].talked_ms += output->data.call.duration_ms - before.talked_ms;
        rows[i]->side[side].billed_ms += output->data.call.billed_ms - before.billed_ms;
        rows[i]->side[side].uncollected_micros += output->data.call.uncollected_micros - before.uncollected_micros;
        rows[i]->side[side].cut += output->data.call.ended_by == ENDED_BY_CUTOFF;
    }
    if (output->data.call.ended_by == ENDED_BY_STALE)
        keep_stale(tally, side, output);
}

/* --- refused and allowed --- */

static void keep_answer(struct answers *answers, int64_t offset, bool is_authorized)
{
    if (answers->count == answers->capacity) {
        answers->capacity = answers->capacity ? answers->capacity * 2 : 1024;
        answers->items = must_alloc(realloc(answers->items, answers->capacity * sizeof *answers->items));
    }
    answers->items[answers->count++] = 2 * offset + is_authorized;
}

/* Whether the record had an answer, and another one. */
static bool has_changed(struct answers *answers, int64_t offset, bool is_authorized)
{
    while (answers->passed < answers->count && answers->items[answers->passed] / 2 < offset)
        answers->passed++;
    return answers->passed < answers->count && answers->items[answers->passed] == 2 * offset + !is_authorized;
}

static struct bearer bearer_of_start(const struct history_step *step)
{
    struct bearer bearer = {.account = name_of(step->event->subject)};
    const struct account_record *account = history_record(step->fold, key_of(RECORD_ACCOUNT, step->event->subject));
    struct fold_quote quote;
    if (account == NULL)
        return bearer;
    bearer.currency = account->currency;
    fold_quote(step->fold, step->event, &quote);
    if (quote.number != NULL)
        bearer.origin = name_of(number_origin(quote.number));
    if (quote.rate != NULL)
        bearer.destination = name_of(rate_destination(quote.rate));
    return bearer;
}

static void take_answer(struct tally *tally, enum tally_side side, const struct history_step *step,
                        const struct output *output)
{
    struct answers *answers = &tally->answers[step->partition];
    bool is_authorized = output->type == OUTPUT_CALL_AUTHORIZED;
    struct tally_row *rows[BEARER_ROWS];
    if (side == SIDE_BEFORE) {
        keep_answer(answers, step->record->offset, is_authorized);
        return;
    }
    if (!has_changed(answers, step->record->offset, is_authorized))
        return;
    const struct bearer bearer = bearer_of_start(step);
    rows_of(tally, &bearer, rows);
    for (int i = 0; i < BEARER_ROWS; i++) {
        rows[i]->refused += !is_authorized;
        rows[i]->allowed += is_authorized;
    }
    if (!is_authorized)
        row_of(tally, BY_REASON, name_of(text_of(denial_reason_name(output->data.denied.reason))), 0)->refused++;
}

void tally_step(struct tally *tally, enum tally_side side, const struct history_step *step)
{
    for (size_t i = 0; i < step->outputs->count; i++) {
        const struct output *output = &step->outputs->items[i];
        switch (output->type) {
        case OUTPUT_CALL_AUTHORIZED:
        case OUTPUT_CALL_DENIED: take_answer(tally, side, step, output); break;
        case OUTPUT_LEDGER_POSTED:
            if (output->data.entry.kind == ENTRY_CALL)
                take_entry(tally, side, step, output);
            break;
        case OUTPUT_CALL_RECORDED: take_record(tally, side, step, output); break;
        default: break;
        }
    }
}
