/* books.c - see books.h. */
#include "replay-tool/books.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/currency.h"
#include "events/instant.h"
#include "events/money.h"
#include "processor/fold/records.h"
#include "processor/fold/state.h"
#include "snapshots/files.h"
#include "terminal/program.h"

/* books.sql as it is, and a NUL. */
extern const char books_schema[];
__asm__(".pushsection .rodata\n"
        ".globl books_schema\n"
        "books_schema: .incbin \"replay-tool/books.sql\"\n"
        ".byte 0\n"
        ".popsection");

#define CURRENCIES_MAX 256 /* remembered; ISO 4217 has fewer */

/* Which call an entry or a record is about: the last that was authorized under its id. */
#define CALL_MEANT "(SELECT max(call) FROM calls WHERE account = ?1 AND call_id = ?2)"

struct books {
    struct sql *sql;
    const struct range *range;
    struct store_error *error;
    int64_t entries[PARTITIONS_MAX]; /* of the ledger so far */
    bool is_from_base;               /* there may be calls of which we did not see the start */
    uint32_t currencies[CURRENCIES_MAX];
    size_t currency_count; /* of those that have a row */
    struct sql_statement *add_currency, *add_deck, *add_customer, *move_balance;
    struct sql_statement *add_call, *find_call, *charge_call, *close_call, *link_entries;
    struct sql_statement *add_entry, *add_posting, *add_opening;
};

static void prepare(struct books *books)
{
    struct sql *sql = books->sql;
    books->add_currency = sql_prepare(sql, "INSERT OR IGNORE INTO currencies VALUES (?, ?)");
    books->add_deck = sql_prepare(sql, "INSERT OR IGNORE INTO decks VALUES (?, ?, ?, ?)");
    books->add_customer = sql_prepare(sql, "INSERT OR IGNORE INTO customers VALUES (?, ?, ?, ?, ?, 0)");
    books->move_balance = sql_prepare(
        sql,
        "UPDATE customers SET balance_micros = ?3, later_micros = later_micros + iif(?4, ?2, 0) WHERE account = ?1 AND balance_micros + ?2 = ?3");
    books->add_call = sql_prepare(
        sql, "INSERT INTO calls (partition, offset, account, call_id, direction, from_number, to_number, member_id,"
             " origin, charged, destination, prefix, deck_id, price_micros, currency, started_at, amount_micros)"
             " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    books->find_call = sql_prepare(sql, "SELECT 1 FROM calls WHERE account = ?1 AND call_id = ?2");
    books->link_entries = sql_prepare(sql, "UPDATE entries SET call = " CALL_MEANT
                                           " WHERE account = ?1 AND reference = ?2 AND kind = 'call' AND call IS NULL");
    books->charge_call =
        sql_prepare(sql, "UPDATE calls SET amount_micros = amount_micros + ?3 WHERE call = " CALL_MEANT);
    books->close_call =
        sql_prepare(sql, "UPDATE calls SET fx_from = ?4, fx_rate = ?5, ended_at = ?6, duration_ms = ?7, billed_ms = ?8,"
                         " uncollected_micros = ?9, voicemail = ?10, ended_by = ?11"
                         " WHERE call = " CALL_MEANT " AND amount_micros = ?3");
    books->add_entry = sql_prepare(sql, "INSERT INTO entries VALUES (?4, ?5, ?6, ?7, ?8, ?9, ?3, ?1, ?10, ?11, ?12, ?2,"
                                        " iif(?3 = 'call', " CALL_MEANT ", NULL), ?13)");
    books->add_posting = sql_prepare(sql, "INSERT INTO postings VALUES (?, ?, ?, ?, ?, ?)");
    books->add_opening = sql_prepare(sql, "INSERT INTO opening VALUES (?, ?, ?) ON CONFLICT (ledger_account, currency)"
                                          " DO UPDATE SET amount_micros = amount_micros + excluded.amount_micros");
}

struct books *books_open(const char *path, const struct range *range, struct store_error *error)
{
    struct sql *sql = sql_open(path, error);
    if (sql == NULL)
        return NULL;
    struct books *books = calloc(1, sizeof *books);
    if (books == NULL)
        abort();
    *books = (struct books){.sql = sql, .range = range, .error = error};
    sql_script(sql, books_schema);
    prepare(books);
    return books;
}

struct sql *books_sql(const struct books *books)
{
    return books->sql;
}

bool books_close(struct books *books)
{
    if (books == NULL)
        return true;
    bool is_sound = sql_close(books->sql);
    free(books);
    return is_sound;
}

/* Cells. */

static void know_currency(struct books *books, uint32_t code, const char *text)
{
    for (size_t i = 0; i < books->currency_count; i++)
        if (books->currencies[i] == code)
            return;
    sql_begin(books->add_currency);
    sql_string(books->add_currency, text);
    sql_integer(books->add_currency, currency_exponent(code));
    sql_run(books->add_currency);
    if (books->currency_count < CURRENCIES_MAX)
        books->currencies[books->currency_count++] = code;
}

static void put_currency(struct books *books, struct sql_statement *statement, uint32_t code)
{
    char text[CURRENCY_TEXT_MAX];
    currency_format(code, text);
    know_currency(books, code, text);
    sql_copy(statement, text_of(text));
}

static void put_instant(struct sql_statement *statement, int64_t ms)
{
    char text[INSTANT_TEXT_MAX];
    instant_format(ms, text);
    sql_copy(statement, text_of(text));
}

static void put_day(struct sql_statement *statement, bool is_there, int32_t day)
{
    char text[DAY_TEXT_MAX];
    if (is_there)
        day_format(day, text);
    sql_copy(statement, is_there ? text_of(text) : TEXT_NONE);
}

static void put_fx(struct books *books, struct sql_statement *statement, const struct output *output)
{
    char rate[MONEY_TEXT_MAX];
    if (!output->data.call.has_fx) {
        sql_null(statement);
        sql_null(statement);
        return;
    }
    fx_rate_format(output->data.call.fx_nanos, rate);
    put_currency(books, statement, output->data.call.fx_from);
    sql_copy(statement, text_of(rate));
}

static void put_money(struct sql_statement *statement, bool is_there, int64_t micros)
{
    if (is_there)
        sql_integer(statement, micros);
    else
        sql_null(statement);
}

/* Customers and decks. */

static const struct account_record *find_account(struct fold *fold, struct text account)
{
    struct key key = key_of(RECORD_ACCOUNT, account);
    struct text body;
    return fold_find(fold, (struct text){key.bytes, key.len}, &body) ? (const void *)body.at : NULL;
}

bool books_know_customer(struct fold *fold, struct text account)
{
    return find_account(fold, account) != NULL;
}

/* An account.opened that came again leaves the first row. */
static void take_opened(struct books *books, const struct history_step *step)
{
    const struct event *event = step->event;
    const struct account_record *account = find_account(step->fold, event->subject);
    if (account == NULL || !range_has_account(books->range, step->partition, event->subject))
        return;
    sql_begin(books->add_customer);
    sql_text(books->add_customer, event->subject);
    sql_integer(books->add_customer, step->partition);
    put_currency(books, books->add_customer, account->currency);
    put_instant(books->add_customer, event->time_ms);
    sql_integer(books->add_customer, 0);
    sql_run(books->add_customer);
}

/* The currency of a deck that was published in this step. */
static uint32_t deck_currency(struct fold *fold, struct text id)
{
    struct text body;
    struct key key = {.len = 0};
    key_begin(&key, RECORD_PARTITION);
    if (!fold_find(fold, (struct text){key.bytes, key.len}, &body))
        return 0;
    uint32_t next = ((const struct partition_record *)(const void *)body.at)->next_deck_no;
    for (uint32_t number = 0; number < next; number++) {
        key_begin(&key, RECORD_DECK);
        key_number(&key, number, 4);
        if (!fold_find(fold, (struct text){key.bytes, key.len}, &body))
            continue;
        const struct deck_record *deck = (const void *)body.at;
        if (deck->publication != 0 && text_equal(deck_id(deck), id))
            return deck->currency;
    }
    return 0;
}

static bool take_deck(struct books *books, const struct history_step *step, const struct output *output)
{
    struct text id = output->data.deck_accepted.deck_id;
    uint32_t currency = deck_currency(step->fold, id);
    if (currency == 0)
        return fail_with(books->error, EX_SOFTWARE, "deck %.*s was accepted, but the state has none of that name",
                         TEXT_ARGS(id));
    sql_begin(books->add_deck);
    sql_text(books->add_deck, id);
    put_currency(books, books->add_deck, currency);
    put_instant(books->add_deck, output->data.deck_accepted.effective_at_ms);
    sql_integer(books->add_deck, output->data.deck_accepted.rates);
    sql_run(books->add_deck);
    return true;
}

/* Calls. */

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
    put_money(add, row->offset >= 0, row->offset);
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
    put_money(add, row->call->data.call.has_price, row->call->data.call.price_micros);
    put_currency(books, add, row->call->data.call.currency);
    put_instant(add, row->call->data.call.started_at_ms);
    sql_integer(add, row->amount_micros);
    sql_run(add);
}

static void take_authorized(struct books *books, const struct history_step *step, const struct output *output)
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
                                              .currency = find_account(step->fold, output->subject)->currency,
                                              .started_at_ms = started->time_ms}};
    add_call(books, &(struct call_row){.partition = step->partition,
                                       .offset = step->record->offset,
                                       .account = output->subject,
                                       .origin = origin_of(step->fold, started),
                                       .call = &call});
}

static void name_call(struct sql_statement *statement, struct text account, struct text call_id)
{
    sql_begin(statement);
    sql_text(statement, account);
    sql_text(statement, call_id);
}

/* Calls that were on when the base was made become rows when something of them is seen. */
static bool is_from_base(struct books *books, struct text account, struct text call_id)
{
    if (!books->is_from_base)
        return false;
    name_call(books->find_call, account, call_id);
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

static void add_recorded_call(struct books *books, const struct history_step *step, const struct output *record)
{
    if (!is_from_base(books, record->subject, record->data.call.call_id))
        return;
    add_call(books, &(struct call_row){.partition = step->partition,
                                       .offset = -1,
                                       .account = record->subject,
                                       .call = record,
                                       .amount_micros = record->data.call.amount_micros});
    name_call(books->link_entries, record->subject, record->data.call.call_id);
    sql_run(books->link_entries);
}

static bool take_recorded(struct books *books, const struct history_step *step, const struct output *output)
{
    struct sql_statement *close = books->close_call;
    add_recorded_call(books, step, output);
    name_call(close, output->subject, output->data.call.call_id);
    sql_integer(close, output->data.call.amount_micros);
    put_fx(books, close, output);
    put_instant(close, output->data.call.ended_at_ms);
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

/* The ledger. */

static bool adds_up(const struct output *output)
{
    for (size_t i = 0; i < output->data.entry.posting_count; i++) {
        __int128 sum = 0;
        for (size_t j = 0; j < output->data.entry.posting_count; j++)
            if (output->data.entry.postings[j].currency == output->data.entry.postings[i].currency)
                sum += output->data.entry.postings[j].micros;
        if (sum != 0)
            return false;
    }
    return true;
}

/* The account's sum of amounts, and the balance that the entry says. */
static bool move_balance(struct books *books, const struct output *output, bool is_later)
{
    sql_begin(books->move_balance);
    sql_text(books->move_balance, output->subject);
    sql_integer(books->move_balance, output->data.entry.amount_micros);
    sql_integer(books->move_balance, output->data.entry.balance_micros);
    sql_integer(books->move_balance, is_later);
    return sql_run(books->move_balance) == 1 || !sql_is_sound(books->sql);
}

static void charge_call(struct books *books, const struct history_step *step, const struct output *output)
{
    if (output->data.entry.kind != ENTRY_CALL)
        return;
    add_live_call(books, step, output);
    name_call(books->charge_call, output->subject, output->data.entry.reference);
    sql_integer(books->charge_call, -output->data.entry.amount_micros);
    sql_run(books->charge_call);
}

static void add_entry(struct books *books, const struct history_step *step, const struct output *output)
{
    struct sql_statement *add = books->add_entry;
    name_call(add, output->subject, output->data.entry.reference);
    sql_string(add, entry_kind_name(output->data.entry.kind));
    sql_integer(add, step->partition);
    sql_integer(add, output->data.entry.entry);
    sql_integer(add, step->record->offset);
    put_instant(add, step->outputs->time_ms);
    put_day(add, true, output->data.entry.date);
    put_day(add, output->data.entry.has_for_date, output->data.entry.for_date);
    put_currency(books, add, output->data.entry.currency);
    sql_integer(add, output->data.entry.amount_micros);
    sql_integer(add, output->data.entry.balance_micros);
    sql_text(add, (struct text){output->data.entry.hash, HASH_HEX});
    sql_run(add);
}

static void put_ledger_account(struct sql_statement *statement, const struct posting *posting)
{
    char name[256]; /* a prefix of ours and at most 128 bytes */
    int len = snprintf(name, sizeof name, "%s%.*s", posting->prefix, TEXT_ARGS(posting->name));
    sql_copy(statement, (struct text){name, (size_t)len});
}

static void add_posting(struct books *books, uint32_t partition, int64_t entry, int number,
                        const struct posting *posting)
{
    sql_begin(books->add_posting);
    sql_integer(books->add_posting, partition);
    sql_integer(books->add_posting, entry);
    sql_integer(books->add_posting, number);
    put_ledger_account(books->add_posting, posting);
    put_currency(books, books->add_posting, posting->currency);
    sql_integer(books->add_posting, posting->micros);
    sql_run(books->add_posting);
}

static void add_opening(struct books *books, const struct posting *posting)
{
    sql_begin(books->add_opening);
    put_ledger_account(books->add_opening, posting);
    put_currency(books, books->add_opening, posting->currency);
    sql_integer(books->add_opening, posting->micros);
    sql_run(books->add_opening);
}

static void take_entry(struct books *books, const struct history_step *step, const struct output *output,
                       enum range_side side)
{
    int64_t entry = output->data.entry.entry;
    if (side == RANGE_WITHIN)
        add_entry(books, step, output);
    for (size_t i = 0; i < output->data.entry.posting_count; i++) {
        const struct posting *posting = &output->data.entry.postings[i];
        if (side == RANGE_WITHIN)
            add_posting(books, step->partition, entry, (int)i + 1, posting);
        else if (side == RANGE_BEFORE)
            add_opening(books, posting);
    }
}

static bool take_posted(struct books *books, const struct history_step *step, const struct output *output)
{
    int64_t entry = output->data.entry.entry;
    if (entry != ++books->entries[step->partition])
        return fail_with(books->error, EX_SOFTWARE,
                         "partition %" PRIu32 " goes on with ledger entry %" PRId64 " where %" PRId64
                         " should be; keep the events and report this",
                         step->partition, entry, books->entries[step->partition]);
    if (!range_has_account(books->range, step->partition, output->subject))
        return true;
    enum range_side side = range_of_entry(books->range, step->partition, entry, output->data.entry.date);
    if (!adds_up(output) || !move_balance(books, output, side == RANGE_AFTER))
        return fail_with(books->error, EX_SOFTWARE,
                         "ledger entry %" PRIu32 ":%" PRId64
                         ": its postings or the account's amounts do not add up; keep the events and report this",
                         step->partition, entry);
    charge_call(books, step, output);
    take_entry(books, step, output, side);
    return true;
}

/* Steps. */

static bool take_output(struct books *books, const struct history_step *step, const struct output *output)
{
    bool is_ours = range_has_account(books->range, step->partition, output->subject);
    switch (output->type) {
    case OUTPUT_RATEDECK_ACCEPTED: return take_deck(books, step, output);
    case OUTPUT_LEDGER_POSTED: return take_posted(books, step, output);
    case OUTPUT_CALL_AUTHORIZED:
        if (is_ours)
            take_authorized(books, step, output);
        return true;
    case OUTPUT_CALL_RECORDED: return !is_ours || take_recorded(books, step, output);
    default: return true;
    }
}

bool books_step(struct books *books, const struct history_step *step)
{
    if (step->event != NULL && step->event->type == EVENT_ACCOUNT_OPENED)
        take_opened(books, step);
    for (size_t i = 0; i < step->outputs->count; i++)
        if (!take_output(books, step, &step->outputs->items[i]))
            return false;
    return sql_is_sound(books->sql);
}

/* Beginning with a base. */

/* The account as the base has it: all its credits are its opening balance. */
static void open_account(struct books *books, uint32_t partition, const struct account_record *account)
{
    const struct text id = text_of(books->range->account);
    const struct posting credits = {"customer:", id, -account->posted_micros, account->currency};
    sql_begin(books->add_customer);
    sql_text(books->add_customer, id);
    sql_integer(books->add_customer, partition);
    put_currency(books, books->add_customer, account->currency);
    sql_null(books->add_customer);
    sql_integer(books->add_customer, account->posted_micros);
    sql_run(books->add_customer);
    add_opening(books, &credits);
}

bool books_begin(struct books *books, const struct history *history)
{
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++) {
        const struct store_header *start = history_start(history, i);
        if (start->fold_version == 0)
            continue;
        assert(books->range->account != NULL);
        books->is_from_base = true;
        books->entries[i] = start->entries;
        const struct account_record *account = find_account(history_fold(history, i), text_of(books->range->account));
        if (account != NULL)
            open_account(books, i, account);
    }
    return sql_is_sound(books->sql);
}

/* The end. */

static void add_partitions(struct books *books, const struct history *history)
{
    struct sql_statement *add = sql_prepare(books->sql, "INSERT INTO partitions VALUES (?, ?, ?, ?, ?, ?)");
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++) {
        struct fold_position position;
        if (history_fold(history, i) == NULL)
            continue;
        fold_position(history_fold(history, i), &position);
        sql_begin(add);
        sql_integer(add, i);
        sql_integer(add, position.next_offset);
        put_instant(add, position.time_ms);
        put_day(add, position.final_day != DAY_NEVER, position.final_day);
        sql_integer(add, position.entries);
        sql_text(add, (struct text){position.chain, HASH_HEX});
        sql_run(add);
    }
}

static void add_note(struct sql_statement *add, const char *name, const char *value)
{
    if (value == NULL)
        return;
    sql_begin(add);
    sql_string(add, name);
    sql_string(add, value);
    sql_run(add);
}

static void add_notes(struct books *books)
{
    const struct range *range = books->range;
    struct sql_statement *add = sql_prepare(books->sql, "INSERT OR REPLACE INTO export VALUES (?, ?)");
    add_note(add, "callfold", CALLFOLD_VERSION);
    add_note(add, "from", range->from);
    add_note(add, "to", range->to);
    add_note(add, "account", range->account);
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++) {
        char name[48], limits[48];
        if (!range->entries[i].is_named)
            continue;
        snprintf(name, sizeof name, "entries of partition %" PRIu32, i);
        snprintf(limits, sizeof limits, "%" PRId64 "-%" PRId64, range->entries[i].first, range->entries[i].last);
        add_note(add, name, limits);
    }
}

/* Calls of other days, that no entry here is about. */
static void leave_calls(struct books *books)
{
    const struct range *range = books->range;
    struct sql_statement *leave =
        sql_prepare(books->sql, "DELETE FROM calls WHERE NOT ifnull((?1 IS NULL OR substr(ended_at, 1, 10) >= ?1) AND"
                                " (?2 IS NULL OR substr(ended_at, 1, 10) <= ?2), 0)"
                                " AND call NOT IN (SELECT call FROM entries WHERE call IS NOT NULL)");
    if (range->from == NULL && range->to == NULL)
        return;
    sql_begin(leave);
    sql_string(leave, range->from);
    sql_string(leave, range->to);
    sql_run(leave);
}

/* What was before the range, in it and beyond it, against what the ledger said last. */
static bool check_balances(struct books *books)
{
    struct sql_statement *wrong =
        sql_prepare(books->sql, "SELECT account FROM balances JOIN customers USING (account)"
                                " WHERE closing_micros + later_micros <> balance_micros LIMIT 1");
    sql_begin(wrong);
    return !sql_row(wrong) ||
           fail_with(books->error, EX_SOFTWARE,
                     "the balance of account %.*s is not the sum of its entries; keep the events and "
                     "report this",
                     TEXT_ARGS(sql_text_at(wrong, 0)));
}

bool books_end(struct books *books, const struct history *history)
{
    add_partitions(books, history);
    add_notes(books);
    leave_calls(books);
    sql_script(
        books->sql,
        "INSERT INTO ledger_accounts SELECT ledger_account, substr(ledger_account, 1, instr(ledger_account, ':') - 1),"
        " substr(ledger_account, instr(ledger_account, ':') + 1)"
        " FROM (SELECT ledger_account FROM postings UNION SELECT ledger_account FROM opening);"
        "CREATE INDEX entries_of_account ON entries (account, date, entry);"
        "CREATE INDEX entries_of_call ON entries (call) WHERE call IS NOT NULL;"
        "CREATE INDEX postings_of_ledger_account ON postings (ledger_account, currency)");
    sql_commit(books->sql);
    return check_balances(books) && sql_is_sound(books->sql);
}
