#include "processor/fold/internal.h"

#include <stdlib.h>

static const struct fx_record *table_of(struct record *record)
{
    return record_body(record);
}

const struct fx_record *fold_fx(struct fold *fold, int64_t at_ms)
{
    const struct fx_record *best = NULL;
    for (size_t i = 0; i < fold->fx_count; i++) {
        const struct fx_record *table = table_of(fold->fx[i]);
        if (table->effective_at_ms <= at_ms && (!best || fx_is_later(table, best)))
            best = table;
    }
    return best;
}

bool fx_ratio(struct fold *fold, uint32_t from, uint32_t to, int64_t at_ms, int64_t *num, int64_t *den)
{
    return fx_ratio_of(from == to ? NULL : fold_fx(fold, at_ms), from, to, num, den);
}

static bool same_table(const struct fx_record *table, const struct event *event)
{
    if (table->base != event->data.fx.base || table->effective_at_ms != event->data.fx.effective_at_ms ||
        table->count != event->data.fx.count)
        return false;
    for (uint32_t i = 0; i < table->count; i++)
        if (table->rates[i].currency != event->data.fx.rates[i].currency ||
            table->rates[i].micros != event->data.fx.rates[i].nanos)
            return false;
    return true;
}

static enum verdict check_currencies(struct fold *fold, const struct event *event)
{
    char code[CURRENCY_TEXT_MAX];
    currency_format(event->data.fx.base, code);
    if (!currency_known(event->data.fx.base))
        return reject(fold, REJECT_CURRENCY_UNKNOWN, "data.base: %s is not in ISO 4217", code);
    for (size_t i = 0; i < event->data.fx.count; i++) {
        currency_format(event->data.fx.rates[i].currency, code);
        if (!currency_known(event->data.fx.rates[i].currency))
            return reject(fold, REJECT_CURRENCY_UNKNOWN, "data.rates: %s is not in ISO 4217", code);
    }
    return APPLIED;
}

void fx_remember(struct fold *fold, struct record *record)
{
    if (fold->fx_count == fold->fx_capacity) {
        fold->fx_capacity = fold->fx_capacity ? fold->fx_capacity * 2 : 8;
        fold->fx = must_alloc(realloc(fold->fx, fold->fx_capacity * sizeof(struct record *)));
    }
    fold->fx[fold->fx_count++] = record;
    fold->supersede_at_ms = INT64_MIN; /* look again at what has been superseded */
}

enum verdict fx_published(struct fold *fold, const struct event *event, struct record *account)
{
    (void)account;
    if (check_currencies(fold, event) == REJECTED)
        return REJECTED;
    for (size_t i = 0; i < fold->fx_count; i++)
        if (same_table(table_of(fold->fx[i]), event))
            return DUPLICATE; /* also where another one of the same instant has come since */
    struct key key;
    key_begin(&key, RECORD_FX);
    key_number(&key, fold->p->next_fx_seq, 4);
    struct record *record = state_create(fold->state, &key, fx_record_size(event->data.fx.count));
    struct fx_record *table = record_body(record);
    fx_fill(table, event);
    table->seq = fold->p->next_fx_seq++;
    fx_remember(fold, record);
    return APPLIED;
}

/* When the table's successor has been in force for an hour nobody asks for it. */
static int64_t superseded_at(const struct fold *fold, const struct fx_record *table)
{
    int64_t successor_ms = INT64_MAX;
    for (size_t i = 0; i < fold->fx_count; i++) {
        const struct fx_record *other = table_of(fold->fx[i]);
        if (fx_is_later(other, table) && other->effective_at_ms < successor_ms)
            successor_ms = other->effective_at_ms;
    }
    return saturating_add(successor_ms, SUPERSEDED_KEPT_MS);
}

void fx_supersede(struct fold *fold)
{
    for (size_t i = fold->fx_count; i-- > 0;) {
        int64_t at_ms = superseded_at(fold, table_of(fold->fx[i]));
        if (at_ms <= fold->p->time_ms) {
            state_remove(fold->state, fold->fx[i]);
            fold->fx[i] = fold->fx[--fold->fx_count];
            i = fold->fx_count; /* the successor of another may have changed: once more from the end */
        } else if (at_ms < fold->supersede_at_ms) {
            fold->supersede_at_ms = at_ms;
        }
    }
}
