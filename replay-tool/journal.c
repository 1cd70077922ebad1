/* journal.c - see journal.h. */
#include "replay-tool/journal.h"

#include <inttypes.h>

#include "events/money.h"

/* Names. */

/* The code point at the beginning of text, which is UTF-8, and its length. */
static uint32_t code_point(struct text text, size_t *len)
{
    const unsigned char *at = (const unsigned char *)text.at;
    *len = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    uint32_t point = *len == 1 ? at[0] : at[0] & (0x7fU >> *len);
    for (size_t i = 1; i < *len && i < text.len; i++)
        point = point << 6 | (at[i] & 0x3f);
    return point;
}

/* Blanks other than the usual one, and what cannot be seen (Unicode: Cc, Zs, Zl,
 * Zp, and the Cf that steer the line). */
static bool is_hidden(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0, 0x1f},        {0x7f, 0xa0},     {0xad, 0xad},     {0x1680, 0x1680}, {0x180e, 0x180e},
                  {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

static bool stands_as_it_is(struct text name, size_t at, uint32_t point)
{
    if (point == ' ')
        return at > 0 && at + 1 < name.len && name.at[at - 1] != ' ';
    return point != '%' && point != ':' && point != ';' && !is_hidden(point);
}

static void write_name(FILE *out, struct text name)
{
    for (size_t at = 0, len; at < name.len; at += len) {
        uint32_t point = code_point((struct text){name.at + at, name.len - at}, &len);
        bool is_plain = stands_as_it_is(name, at, point);
        for (size_t i = 0; i < len; i++)
            fprintf(out, is_plain ? "%c" : "%%%02X", (unsigned char)name.at[at + i]);
    }
}

/* Ids keep their colons: they are checked words, and what hledger makes of them is a tree. */
static void write_ledger_account(FILE *out, struct text account)
{
    struct text class = {account.at, (size_t)((const char *)memchr(account.at, ':', account.len) - account.at) + 1};
    struct text name = {account.at + class.len, account.len - class.len};
    fprintf(out, "%.*s", TEXT_ARGS(class));
    if (text_equal(class, TEXT_LIT("revenue:")))
        write_name(out, name);
    else
        fprintf(out, "%.*s", TEXT_ARGS(name));
}

static void write_amount(FILE *out, int64_t micros, struct text currency)
{
    char amount[MONEY_TEXT_MAX];
    money_format(micros, amount);
    fprintf(out, " %s %.*s", amount, TEXT_ARGS(currency));
}

/* The head. */

static void write_declarations(struct sql *sql, FILE *out)
{
    struct sql_statement *currencies = sql_prepare(sql, "SELECT currency FROM currencies ORDER BY 1");
    struct sql_statement *accounts = sql_prepare(sql, "SELECT ledger_account FROM ledger_accounts UNION"
                                                      " SELECT 'customer:' || account FROM entries ORDER BY 1");
    fputs("decimal-mark .\n", out);
    for (sql_begin(currencies); sql_row(currencies);)
        fprintf(out, "commodity 1000.000000 %.*s\n", TEXT_ARGS(sql_text_at(currencies, 0)));
    fputs("account customer    ; type:L\n"
          "account cash        ; type:C\n"
          "account receivable  ; type:A\n"
          "account revenue     ; type:R\n"
          "account promotion   ; type:X\n"
          "account fx          ; type:E\n",
          out);
    for (sql_begin(accounts); sql_row(accounts); fputc('\n', out)) {
        fputs("account ", out);
        write_ledger_account(out, sql_text_at(accounts, 0));
    }
}

/* "P 2026-10-01 USD 0.9 EUR", for who values what is in other currencies. */
static void write_prices(struct sql *sql, FILE *out)
{
    struct sql_statement *prices =
        sql_prepare(sql, "SELECT substr(effective_at, 1, 10), base, rate, currency FROM fx_rates WHERE base <> currency"
                         " ORDER BY effective_at, base, currency");
    for (sql_begin(prices); sql_row(prices);)
        fprintf(out, "P %.*s %.*s %.*s %.*s\n", TEXT_ARGS(sql_text_at(prices, 0)), TEXT_ARGS(sql_text_at(prices, 1)),
                TEXT_ARGS(sql_text_at(prices, 2)), TEXT_ARGS(sql_text_at(prices, 3)));
}

/* The day before the range, or before its first entry. */
static void write_opening(struct sql *sql, const struct range *range, FILE *out)
{
    bool is_begun = false;
    struct sql_statement *opening = sql_prepare(
        sql,
        "SELECT date(coalesce(?, (SELECT min(date) FROM entries), (SELECT substr(min(time), 1, 10) FROM partitions)),"
        " '-1 day'), ledger_account, currency, amount_micros FROM opening WHERE amount_micros <> 0 ORDER BY 2, 3");
    sql_begin(opening);
    for (sql_string(opening, range->from); sql_row(opening); fputc('\n', out)) {
        struct text account = sql_text_at(opening, 1), currency = sql_text_at(opening, 2);
        if (!is_begun)
            fprintf(out, "\n%.*s * opening balances\n", TEXT_ARGS(sql_text_at(opening, 0)));
        is_begun = true;
        fputs("    ", out);
        write_ledger_account(out, account);
        fputc(' ', out);
        write_amount(out, sql_integer_at(opening, 3), currency);
        if (account.len > 9 && memcmp(account.at, "customer:", 9) == 0) {
            fputs(" ==", out);
            write_amount(out, sql_integer_at(opening, 3), currency);
        }
    }
}

/* Entries. */

enum { PARTITION, ENTRY, OFFSET, DATE, FOR_DATE, KIND, ACCOUNT, CURRENCY, REFERENCE, CREDITS };
#define ENTRIES                                                                                                    \
    "SELECT partition, entry, offset, date, for_date, kind, account, e.currency, reference,"                       \
    " sum(e.amount_micros) OVER (PARTITION BY account ORDER BY date, entry) - ifnull(o.amount_micros, 0)"          \
    " FROM entries e LEFT JOIN opening o ON o.ledger_account = 'customer:' || account AND o.currency = e.currency" \
    " ORDER BY date, partition, entry"

/* "2026-11-23 * (0-17) call c1  ; partition-offset:0-1234, entry:0-17, reference:c1" */
static void write_head(const struct sql_statement *entry, FILE *out)
{
    int64_t partition = sql_integer_at(entry, PARTITION), number = sql_integer_at(entry, ENTRY);
    struct text kind = sql_text_at(entry, KIND), reference = sql_text_at(entry, REFERENCE);
    fprintf(out, "\n%.*s * (%" PRId64 "-%" PRId64 ") %.*s %.*s", TEXT_ARGS(sql_text_at(entry, DATE)), partition, number,
            TEXT_ARGS(kind), TEXT_ARGS(reference));
    fprintf(out, "  ; partition-offset:%" PRId64 "-%" PRId64 ", entry:%" PRId64 "-%" PRId64 ", reference:%.*s",
            partition, sql_integer_at(entry, OFFSET), partition, number, TEXT_ARGS(reference));
    if (!sql_is_null(entry, FOR_DATE))
        fprintf(out, ", for-date:%.*s", TEXT_ARGS(sql_text_at(entry, FOR_DATE)));
    fputc('\n', out);
}

/* What is owed to the customer after the entry: a liability, so below zero. */
static void write_assertion(const struct sql_statement *entry, FILE *out)
{
    fputs(" ==", out);
    write_amount(out, -sql_integer_at(entry, CREDITS), sql_text_at(entry, CURRENCY));
}

static bool is_customer(const struct sql_statement *entry, struct text account)
{
    struct text id = sql_text_at(entry, ACCOUNT);
    return account.len == id.len + 9 && memcmp(account.at, "customer:", 9) == 0 &&
           memcmp(account.at + 9, id.at, id.len) == 0;
}

static void write_postings(const struct sql_statement *entry, struct sql_statement *postings, FILE *out)
{
    bool is_asserted = false;
    sql_begin(postings);
    sql_integer(postings, sql_integer_at(entry, PARTITION));
    for (sql_integer(postings, sql_integer_at(entry, ENTRY)); sql_row(postings); fputc('\n', out)) {
        struct text account = sql_text_at(postings, 0);
        fputs("    ", out);
        write_ledger_account(out, account);
        fputc(' ', out);
        write_amount(out, sql_integer_at(postings, 2), sql_text_at(postings, 1));
        if (!is_customer(entry, account))
            continue;
        write_assertion(entry, out);
        is_asserted = true;
    }
    if (is_asserted) /* a chargeback that found nothing leaves the credits alone */
        return;
    fprintf(out, "    customer:%.*s ", TEXT_ARGS(sql_text_at(entry, ACCOUNT)));
    write_amount(out, 0, sql_text_at(entry, CURRENCY));
    write_assertion(entry, out);
    fputc('\n', out);
}

void journal_write(const struct books *books, const struct range *range, FILE *out)
{
    struct sql *sql = books_sql(books);
    fputs("; The ledger of callfold, written by callfold-replay export. Days are UTC.\n", out);
    write_declarations(sql, out);
    write_prices(sql, out);
    write_opening(sql, range, out);
    struct sql_statement *entries = sql_prepare(sql, ENTRIES);
    struct sql_statement *postings = sql_prepare(
        sql,
        "SELECT ledger_account, currency, amount_micros FROM postings WHERE partition = ? AND entry = ? ORDER BY posting");
    for (sql_begin(entries); sql_row(entries);) {
        write_head(entries, out);
        write_postings(entries, postings, out);
    }
}
