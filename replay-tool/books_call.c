/* books_call.c - calls as rows. See books.h.
 *
 * A row is made when the call is authorized, gets what the ledger charges for it,
 * and is completed by its record; a stale call that is found again, once more. */
#include <inttypes.h>
#include <sysexits.h>

#include "events/money.h"
#include "replay-tool/books_internal.h"
#include "snapshots/files.h"

static void put_fx(struct books *books, struct sql_statement *statement, const struct output *output)
{
    char rate[MONEY_TEXT_MAX];
    if (!output->data.call.has_fx) {
        sql_null(statement);
        sql_null(statement);
        return;
    }
    fx_rate_format(output->data.call.fx_nanos, rate);
    books_put_currency(books, statement, output->data.call.fx_from);
    sql_copy(statement, text_of(rate));
}

/* Where an outbound call came from, in the words of the decks. */
static struct text origin_of(struct fold *fold, const struct event *started)
{
    struct key key = key_of2(RECORD_NUMBER, started->subject, started->data.call_started.from);
    struct text body;
    if (started->data.call_started.direction != DIRECTION_OUTBOUND ||
        !fold_find(fold, (struct text){key.bytes, key.len}, &body))
        return TEXT_NONE;
    return number_origin((const void *)body.at);
}

/* A call as it is known when it begins: the members of a call record that are
 * there by then. */
struct call_row {
    uint32_t partition;
    int64_t offset; /* -1: not known */
    struct text account, origin;
    const struct output *call;
    int64_t amount_micros; /* that the ledger has charged already */
};

static void add_call(struct books *books, const struct call_row *row)
{
    struct sql_statement *add = books->add_call;
    sql_begin(add);
    sql_integer(add, row->partition);
    books_put_money(add, row->offset >= 0, row->offset);
    sql_text(add, row->account);
    sql_text(add, row->call->data.call.call_id);
    sql_string(add, call_direction_name(row->call->data.call.direction));
    sql_text(add, row->call->data.call.from);
    sql_text(add, row->call->data.call.to);
    sql_text(add, row->call->data.call.member_id);
    sql_text(add, row->origin);
    sql_integer(add, row->call->data.call.charged);
    sql_text(add, row->call->data.call.destination);
    sql_text(add, row->call->data.call.prefix);
    sql_text(add, row->call->data.call.deck_id);
    books_put_money(add, row->call->data.call.has_price, row->call->data.call.price_micros);
    books_put_currency(books, add, row->call->data.call.currency);
    books_put_instant(add, row->call->data.call.started_at_ms);
    sql_integer(add, row->amount_micros);
    sql_run(add);
}

void books_authorized(struct books *books, const struct history_step *step, const struct output *output)
{
    const struct event *started = step->event;
    const struct output call = {.data.call = {.call_id = output->data.authorized.call_id,
                                              .direction = started->data.call_started.direction,
                                              .from = started->data.call_started.from,
                                              .to = started->data.call_started.to,
                                              .member_id = started->data.call_started.member_id,
                                              .charged = output->data.authorized.charged,
                                              .destination = output->data.authorized.destination,
                                              .prefix = output->data.authorized.prefix,
                                              .deck_id = output->data.authorized.deck_id,
                                              .has_price = output->data.authorized.has_price,
                                              .price_micros = output->data.authorized.price_micros,
                                              .currency = books_find_account(step->fold, output->subject)->currency,
                                              .started_at_ms = started->time_ms}};
    add_call(books, &(struct call_row){.partition = step->partition,
                                       .offset = step->record->offset,
                                       .account = output->subject,
                                       .origin = origin_of(step->fold, started),
                                       .call = &call});
}

/* Calls that were on when the base was made become rows when something of them is seen. */
static bool is_from_base(struct books *books, struct text account, struct text call_id)
{
    if (!books->is_from_base)
        return false;
    books_name(books->find_call, account, call_id);
    bool is_known = sql_row(books->find_call);
    sql_begin(books->find_call);
    return !is_known;
}

/* One that goes on after the entry; of one that ended with it the record follows. */
static void add_live_call(struct books *books, const struct history_step *step, const struct output *entry)
{
    struct text call_id = entry->data.entry.reference, body;
    struct key key = key_of2(RECORD_LIVE_CALL, entry->subject, call_id);
    if (!is_from_base(books, entry->subject, call_id) ||
        !fold_find(step->fold, (struct text){key.bytes, key.len}, &body))
        return;
    const struct call_record *live = (const void *)body.at;
    const struct output call = {.data.call = {.call_id = call_id,
                                              .direction = (enum call_direction)live->direction,
                                              .from = call_string(live, CALL_FROM),
                                              .to = call_string(live, CALL_TO),
                                              .charged = true,
                                              .destination = call_string(live, CALL_DESTINATION),
                                              .prefix = call_string(live, CALL_PREFIX),
                                              .deck_id = call_string(live, CALL_DECK),
                                              .has_price = true,
                                              .price_micros = live->price_micros,
                                              .currency = entry->data.entry.currency,
                                              .started_at_ms = live->started_at_ms}};
    add_call(books, &(struct call_row){.partition = step->partition,
                                       .offset = live->start_offset,
                                       .account = entry->subject,
                                       .call = &call,
                                       .amount_micros = live->posted_micros + entry->data.entry.amount_micros});
}

void books_charge_call(struct books *books, const struct history_step *step, const struct output *output)
{
    if (output->data.entry.kind != ENTRY_CALL)
        return;
    add_live_call(books, step, output);
    books_name(books->charge_call, output->subject, output->data.entry.reference);
    sql_integer(books->charge_call, -output->data.entry.amount_micros);
    sql_run(books->charge_call);
}

static void add_recorded_call(struct books *books, const struct history_step *step, const struct output *record)
{
    if (!is_from_base(books, record->subject, record->data.call.call_id))
        return;
    add_call(books, &(struct call_row){.partition = step->partition,
                                       .offset = -1,
                                       .account = record->subject,
                                       .call = record,
                                       .amount_micros = record->data.call.amount_micros});
    books_name(books->link_entries, record->subject, record->data.call.call_id);
    sql_run(books->link_entries);
}

bool books_recorded(struct books *books, const struct history_step *step, const struct output *output)
{
    struct sql_statement *close = books->close_call;
    add_recorded_call(books, step, output);
    books_name(close, output->subject, output->data.call.call_id);
    sql_integer(close, output->data.call.amount_micros);
    put_fx(books, close, output);
    books_put_instant(close, output->data.call.ended_at_ms);
    sql_integer(close, output->data.call.duration_ms);
    sql_integer(close, output->data.call.billed_ms);
    sql_integer(close, output->data.call.uncollected_micros);
    sql_integer(close, output->data.call.voicemail);
    sql_string(close, call_ending_name(output->data.call.ended_by));
    return sql_run(close) == 1 || !sql_is_sound(books->sql) ||
           fail_with(books->error, EX_SOFTWARE,
                     "partition %" PRIu32 ", offset %" PRId64 ": the record of call %.*s has another amount than the "
                     "ledger has posted for it; keep the events and report this",
                     step->partition, step->record->offset, TEXT_ARGS(output->data.call.call_id));
}
