/* statement.c - see statement.h. */
#include "replay-tool/statement.h"

#include <stdlib.h>
#include <sysexits.h>

#include "events/encode.h"
#include "events/money.h"
#include "replay-tool/query.h"
#include "snapshots/files.h"

const char statement_topups[] =
    "SELECT date, reference, p.amount_micros, p.currency, e.amount_micros, for_date FROM entries e"
    " LEFT JOIN postings p ON p.partition = e.partition AND p.entry = e.entry AND p.ledger_account GLOB 'cash:*'"
    " WHERE kind = 'topup' ORDER BY date, e.entry";

const char statement_calls[] =
    "SELECT started_at, from_number, to_number, destination, duration_ms, billed_ms, price_micros, ifnull(share, 0),"
    " iif(ifnull(share, 0) <> -amount_micros, -amount_micros, NULL),"
    " CASE WHEN ended_at IS NULL THEN 'still on' WHEN direction = 'inbound' THEN 'inbound'"
    " WHEN duration_ms = 0 THEN 'not answered' WHEN NOT charged THEN 'not charged' WHEN ended_by = 'cutoff' THEN 'cut off'"
    " WHEN ended_by = 'stale' THEN 'no end reported' ELSE '' END, call_id"
    " FROM calls LEFT JOIN (SELECT call, sum(amount_micros) AS share FROM entries WHERE call IS NOT NULL GROUP BY call)"
    " USING (call) ORDER BY started_at, call";

const char statement_reversals[] =
    "SELECT date, reference, e.amount_micros, ifnull(p.amount_micros, 0), for_date FROM entries e"
    " LEFT JOIN postings p ON p.partition = e.partition AND p.entry = e.entry AND p.ledger_account GLOB 'receivable:*'"
    " WHERE kind = 'topup_reversal' ORDER BY date, e.entry";

/* Sums. */

/* The sum of a column of the lines. */
static int64_t sum_of(struct sql *sql, const char *question, int column)
{
    struct sql_statement *lines = sql_prepare(sql, question);
    int64_t sum = 0;
    sql_begin(lines);
    while (sql_row(lines))
        sum += sql_integer_at(lines, column);
    return sum;
}

static bool check_lines(const struct statement *statement, struct store_error *error)
{
    struct sql *sql = statement->sql;
    int64_t sum = statement->opening_micros + sum_of(sql, statement_topups, TOPUP_AMOUNT) +
                  sum_of(sql, statement_calls, CALL_AMOUNT) + sum_of(sql, statement_reversals, REVERSAL_AMOUNT);
    return sum == statement->closing_micros || !sql_is_sound(sql) ||
           fail_with(error, EX_SOFTWARE,
                     "the lines of the statement do not add up to its closing balance; keep the "
                     "events and report this");
}

bool statement_sums(struct statement *statement, struct store_error *error)
{
    const struct range *range = statement->range;
    struct sql_statement *sums =
        sql_prepare(statement->sql,
                    "SELECT account, currency, time, ifnull(final_day >= ?2, 0), opening_micros, topups_micros,"
                    " calls_micros, reversals_micros, closing_micros FROM balances JOIN partitions USING (partition)"
                    " WHERE account = ?1");
    sql_begin(sums);
    sql_string(sums, range->account);
    sql_string(sums, range->to);
    if (!sql_row(sums))
        return sql_is_sound(statement->sql) &&
               fail_with(error, EX_DATAERR, "no account %s was opened in these events", range->account);
    statement->account = sql_text_at(sums, 0);
    statement->currency = sql_text_at(sums, 1);
    snprintf(statement->through, sizeof statement->through, "%.*s", TEXT_ARGS(sql_text_at(sums, 2)));
    statement->is_final = sql_integer_at(sums, 3) != 0;
    statement->opening_micros = sql_integer_at(sums, 4);
    statement->topups_micros = sql_integer_at(sums, 5);
    statement->calls_micros = sql_integer_at(sums, 6);
    statement->reversals_micros = sql_integer_at(sums, 7);
    statement->closing_micros = sql_integer_at(sums, 8);
    return check_lines(statement, error);
}

/* Tables. */

static const struct table_column topup_columns[] = {
    {"date", "Date", COLUMN_WORD, NULL, 0},        {"topup_id", "Top-up", COLUMN_NAME, NULL, 0},
    {"paid", "Paid", COLUMN_AMOUNT, NULL, 0},      {"paid_currency", "Currency", COLUMN_WORD, NULL, 0},
    {"amount", "Credits", COLUMN_AMOUNT, NULL, 0}, {"for_date", "Paid on", COLUMN_WORD, "", 0},
};
static const struct table_column call_columns[] = {
    {"started_at", "Started", COLUMN_WORD, NULL, 0},
    {"from", "From", COLUMN_NAME, NULL, 0},
    {"to", "To", COLUMN_NAME, NULL, 0},
    {"destination", "Destination", COLUMN_NAME, NULL, 1},
    {"duration_ms", "Talk time", COLUMN_DURATION, NULL, 0},
    {"billed_ms", "Billed", COLUMN_DURATION, NULL, 0},
    {"price", "A minute", COLUMN_AMOUNT, NULL, 0},
    {"amount", "Amount", COLUMN_AMOUNT, NULL, 0},
    {"whole_call", "Whole call", COLUMN_AMOUNT, "", 0},
    {"remark", "Remark", COLUMN_WORD, "", 0},
    {"call_id", "Call", COLUMN_NAME, NULL, 2},
};
static const struct table_column reversal_columns[] = {
    {"date", "Date", COLUMN_WORD, NULL, 0},
    {"topup_id", "Of top-up", COLUMN_NAME, NULL, 0},
    {"amount", "Credits", COLUMN_AMOUNT, NULL, 0},
    {"receivable", "Still owed", COLUMN_AMOUNT, NULL, 0},
    {"for_date", "Charged back on", COLUMN_WORD, "", 0},
};

/* One of the three lists: with a title for people, as a member of the object in JSON. */
static void put_lines(const struct statement *statement, enum table_format format, FILE *out, const char *title,
                      const char *question, const struct table_column *columns, size_t count)
{
    struct sql_statement *lines = sql_prepare(statement->sql, question);
    fprintf(out, format == TABLE_JSON ? "\"%s\":" : "\n", title);
    struct table *table = table_begin(format, out, columns, count);
    table_title(table, title);
    sql_begin(lines);
    query_rows(lines, table, columns, count);
    table_end(table);
    if (format == TABLE_JSON)
        fputs(",\n", out);
}

static void put_lists(const struct statement *statement, enum table_format format, FILE *out)
{
    const bool is_json = format == TABLE_JSON;
    put_lines(statement, format, out, is_json ? "topups" : "Top-ups", statement_topups, topup_columns,
              sizeof topup_columns / sizeof topup_columns[0]);
    put_lines(statement, format, out, is_json ? "calls" : "Calls", statement_calls, call_columns,
              sizeof call_columns / sizeof call_columns[0]);
    put_lines(statement, format, out, is_json ? "reversals" : "Chargebacks", statement_reversals, reversal_columns,
              sizeof reversal_columns / sizeof reversal_columns[0]);
}

static void put_text(const struct statement *statement, FILE *out)
{
    static const struct table_column columns[] = {
        {"account", "Account", COLUMN_WORD, NULL, 0},
        {"month", "Month (days are UTC)", COLUMN_WORD, NULL, 0},
        {"state", "State", COLUMN_WORD, NULL, 0},
        {"currency", "Currency", COLUMN_WORD, NULL, 0},
        {"opening", "Opening balance", COLUMN_AMOUNT, NULL, 0},
        {"topups", "Top-ups", COLUMN_AMOUNT, NULL, 0},
        {"calls", "Calls", COLUMN_AMOUNT, NULL, 0},
        {"reversals", "Chargebacks", COLUMN_AMOUNT, NULL, 0},
        {"closing", "Closing balance", COLUMN_AMOUNT, NULL, 0},
    };
    char state[64];
    snprintf(state, sizeof state, statement->is_final ? "final" : "provisional, as of %s", statement->through);
    struct table *table = table_begin_card(TABLE_ALIGNED, out, columns, sizeof columns / sizeof columns[0]);
    table_row(table, NULL);
    table_text(table, statement->account);
    table_string(table, statement->month);
    table_string(table, state);
    table_text(table, statement->currency);
    table_money(table, statement->opening_micros);
    table_money(table, statement->topups_micros);
    table_money(table, statement->calls_micros);
    table_money(table, statement->reversals_micros);
    table_money(table, statement->closing_micros);
    table_end(table);
    put_lists(statement, TABLE_ALIGNED, out);
}

static void put_money(FILE *out, const char *before, int64_t micros)
{
    char text[MONEY_TEXT_MAX];
    money_format(micros, text);
    fprintf(out, "%s\"%s\"", before, text);
}

/* Ids, months and currencies need no escape. */
static void put_json(const struct statement *statement, FILE *out)
{
    fprintf(out, "{\"account\":\"%.*s\",\"month\":\"%s\",\"currency\":\"%.*s\",\"through\":\"%s\",\"final\":%s,\n",
            TEXT_ARGS(statement->account), statement->month, TEXT_ARGS(statement->currency), statement->through,
            statement->is_final ? "true" : "false");
    put_money(out, "\"opening\":", statement->opening_micros);
    fputs(",\n", out);
    put_lists(statement, TABLE_JSON, out);
    put_money(out, "\"totals\":{\"topups\":", statement->topups_micros);
    put_money(out, ",\"calls\":", statement->calls_micros);
    put_money(out, ",\"reversals\":", statement->reversals_micros);
    put_money(out, "},\n\"closing\":", statement->closing_micros);
    fputs("}\n", out);
}

/* One table: the amounts of all its lines but the last add up to the last. */
static void put_csv(const struct statement *statement, FILE *out)
{
    static const struct table_column columns[] = {
        {"line", "", COLUMN_WORD, NULL, 0},          {"date", "", COLUMN_WORD, NULL, 0},
        {"reference", "", COLUMN_NAME, NULL, 0},     {"started_at", "", COLUMN_WORD, NULL, 0},
        {"from", "", COLUMN_NAME, NULL, 0},          {"to", "", COLUMN_NAME, NULL, 0},
        {"destination", "", COLUMN_NAME, NULL, 0},   {"duration_ms", "", COLUMN_DURATION, NULL, 0},
        {"billed_ms", "", COLUMN_DURATION, NULL, 0}, {"price", "", COLUMN_AMOUNT, NULL, 0},
        {"amount", "", COLUMN_AMOUNT, NULL, 0},      {"currency", "", COLUMN_WORD, NULL, 0},
        {"whole_call", "", COLUMN_AMOUNT, NULL, 0},  {"remark", "", COLUMN_WORD, NULL, 0},
        {"paid", "", COLUMN_AMOUNT, NULL, 0},        {"paid_currency", "", COLUMN_WORD, NULL, 0},
        {"receivable", "", COLUMN_AMOUNT, NULL, 0},  {"for_date", "", COLUMN_WORD, NULL, 0},
    };
    char *question;
    if (asprintf(
            &question,
            "WITH topups (date, id, paid, paid_currency, amount, for_date) AS (%s),"
            " calls_of_month (started, source, target, place, talk, billed, price, amount, whole, remark, id) AS (%s),"
            " reversals (date, id, amount, rest, for_date) AS (%s),"
            " customer (currency, opening, closing) AS (SELECT currency, opening_micros, closing_micros FROM balances)"
            " SELECT 'opening', ?1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, opening, currency, NULL, NULL, NULL,"
            "  NULL, NULL, NULL FROM customer"
            " UNION ALL SELECT 'topup', date, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, amount, currency, NULL, NULL,"
            "  paid, paid_currency, NULL, for_date FROM topups, customer"
            " UNION ALL SELECT 'call', substr(started, 1, 10), id, started, source, target, place, talk, billed, price,"
            "  amount, currency, whole, remark, NULL, NULL, NULL, NULL FROM calls_of_month, customer"
            " UNION ALL SELECT 'topup_reversal', date, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, amount, currency,"
            "  NULL, NULL, NULL, NULL, rest, for_date FROM reversals, customer"
            " UNION ALL SELECT 'closing', ?2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, closing, currency, NULL,"
            "  NULL, NULL, NULL, NULL, NULL FROM customer",
            statement_topups, statement_calls, statement_reversals) < 0)
        abort();
    struct sql_statement *lines = sql_prepare(statement->sql, question);
    struct table *table = table_begin(TABLE_CSV, out, columns, sizeof columns / sizeof columns[0]);
    sql_begin(lines);
    sql_string(lines, statement->range->from);
    sql_string(lines, statement->range->to);
    query_rows(lines, table, columns, sizeof columns / sizeof columns[0]);
    table_end(table);
    free(question);
}

void statement_table(const struct statement *statement, enum table_format format, FILE *out)
{
    if (format == TABLE_CSV)
        put_csv(statement, out);
    else if (format == TABLE_JSON)
        put_json(statement, out);
    else
        put_text(statement, out);
}
