/* books.c - see books.h. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/currency.h"
#include "events/instant.h"
#include "events/money.h"
#include "replay-tool/books_internal.h"
#include "snapshots/files.h"
#include "terminal/program.h"

/* books.sql as it is, and a NUL. */
extern const char books_schema[];
__asm__(".pushsection .rodata\n"
        ".globl books_schema\n"
        "books_schema: .incbin \"replay-tool/books.sql\"\n"
        ".byte 0\n"
        ".popsection");

/* Which call an entry or a record is about: the last that was authorized under its id. */
#define CALL_MEANT "(SELECT max(call) FROM calls WHERE account = ?1 AND call_id = ?2)"

static void prepare(struct books *books)
{
    struct sql *sql = books->sql;
    books->add_currency = sql_prepare(sql, "INSERT OR IGNORE INTO currencies VALUES (?, ?)");
    books->add_deck = sql_prepare(sql, "INSERT OR IGNORE INTO decks VALUES (?, ?, ?, ?)");
    books->add_fx_rate = sql_prepare(sql, "INSERT OR REPLACE INTO fx_rates VALUES (?, ?, ?, ?)");
    books->add_customer = sql_prepare(sql, "INSERT OR IGNORE INTO customers VALUES (?, ?, ?, ?, ?, 0)");
    books->move_balance =
        sql_prepare(sql, "UPDATE customers SET balance_micros = ?3, later_micros = later_micros + iif(?4, ?2, 0)"
                         " WHERE account = ?1 AND balance_micros + ?2 = ?3");
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

void books_put_currency(struct books *books, struct sql_statement *statement, uint32_t code)
{
    char text[CURRENCY_TEXT_MAX];
    currency_format(code, text);
    know_currency(books, code, text);
    sql_copy(statement, text_of(text));
}

void books_put_instant(struct sql_statement *statement, int64_t ms)
{
    char text[INSTANT_TEXT_MAX];
    instant_format(ms, text);
    sql_copy(statement, text_of(text));
}

void books_put_day(struct sql_statement *statement, bool is_there, int32_t day)
{
    char text[DAY_TEXT_MAX];
    if (is_there)
        day_format(day, text);
    sql_copy(statement, is_there ? text_of(text) : TEXT_NONE);
}

void books_put_money(struct sql_statement *statement, bool is_there, int64_t micros)
{
    if (is_there)
        sql_integer(statement, micros);
    else
        sql_null(statement);
}

void books_name(struct sql_statement *statement, struct text account, struct text call_id)
{
    sql_begin(statement);
    sql_text(statement, account);
    sql_text(statement, call_id);
}

/* Customers and decks. */

const struct account_record *books_find_account(struct fold *fold, struct text account)
{
    struct key key = key_of(RECORD_ACCOUNT, account);
    struct text body;
    return fold_find(fold, (struct text){key.bytes, key.len}, &body) ? (const void *)body.at : NULL;
}

/* An account.opened that came again leaves the first row. */
static void take_opened(struct books *books, const struct history_step *step)
{
    const struct event *event = step->event;
    const struct account_record *account = books_find_account(step->fold, event->subject);
    if (account == NULL || !range_has_account(books->range, step->partition, event->subject))
        return;
    sql_begin(books->add_customer);
    sql_text(books->add_customer, event->subject);
    sql_integer(books->add_customer, step->partition);
    books_put_currency(books, books->add_customer, account->currency);
    books_put_instant(books->add_customer, event->time_ms);
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
    books_put_currency(books, books->add_deck, currency);
    books_put_instant(books->add_deck, output->data.deck_accepted.effective_at_ms);
    sql_integer(books->add_deck, output->data.deck_accepted.rates);
    sql_run(books->add_deck);
    return true;
}

/* Steps. */

static bool take_output(struct books *books, const struct history_step *step, const struct output *output)
{
    bool is_ours = range_has_account(books->range, step->partition, output->subject);
    switch (output->type) {
    case OUTPUT_RATEDECK_ACCEPTED: return take_deck(books, step, output);
    case OUTPUT_LEDGER_POSTED: return books_posted(books, step, output);
    case OUTPUT_CALL_AUTHORIZED:
        if (is_ours)
            books_authorized(books, step, output);
        return true;
    case OUTPUT_CALL_RECORDED: return !is_ours || books_recorded(books, step, output);
    default: return true;
    }
}

/* Tables are published on every partition; of two of one instant the later one holds. */
static void take_fx(struct books *books, const struct event *event)
{
    for (size_t i = 0; i < event->data.fx.count; i++) {
        char rate[MONEY_TEXT_MAX];
        fx_rate_format(event->data.fx.rates[i].nanos, rate);
        sql_begin(books->add_fx_rate);
        books_put_instant(books->add_fx_rate, event->data.fx.effective_at_ms);
        books_put_currency(books, books->add_fx_rate, event->data.fx.base);
        books_put_currency(books, books->add_fx_rate, event->data.fx.rates[i].currency);
        sql_copy(books->add_fx_rate, text_of(rate));
        sql_run(books->add_fx_rate);
    }
}

static bool is_rejected(const struct output_list *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (outputs->items[i].type == OUTPUT_EVENT_REJECTED)
            return true;
    return false;
}

static void take_event(struct books *books, const struct history_step *step)
{
    if (step->event == NULL || is_rejected(step->outputs))
        return;
    if (step->event->type == EVENT_ACCOUNT_OPENED)
        take_opened(books, step);
    else if (step->event->type == EVENT_FX_PUBLISHED)
        take_fx(books, step->event);
}

bool books_step(struct books *books, const struct history_step *step)
{
    take_event(books, step);
    for (size_t i = 0; i < step->outputs->count; i++)
        if (!take_output(books, step, &step->outputs->items[i]))
            return false;
    return sql_is_sound(books->sql);
}

/* Beginning with a base. */

void books_open_account(struct books *books, uint32_t partition, struct text id, uint32_t currency, int64_t micros)
{
    const struct posting credits = {"customer:", id, -micros, currency};
    sql_begin(books->add_customer);
    sql_text(books->add_customer, id);
    sql_integer(books->add_customer, partition);
    books_put_currency(books, books->add_customer, currency);
    sql_null(books->add_customer);
    sql_integer(books->add_customer, micros);
    if (sql_run(books->add_customer) == 1)
        books_add_opening(books, &credits);
}

bool books_begin(struct books *books, const struct history *history)
{
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++) {
        const struct store_header *start = history_start(history, i);
        if (start->fold_version == 0)
            continue;
        books->is_from_base = true;
        books->entries[i] = start->entries;
        const char *wanted = books->range->account;
        const struct account_record *account =
            wanted != NULL ? books_find_account(history_fold(history, i), text_of(wanted)) : NULL;
        if (account != NULL)
            books_open_account(books, i, text_of(wanted), account->currency, account->posted_micros);
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
        books_put_instant(add, position.time_ms);
        books_put_day(add, position.final_day != DAY_NEVER, position.final_day);
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
