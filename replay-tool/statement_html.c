/* statement_html.c - a statement as a page. See statement.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "events/currency.h"
#include "events/instant.h"
#include "events/money.h"
#include "events/phone.h"
#include "replay-tool/statement.h"

/* Prints on A4 and on Letter: the page's size is the printer's. Columns of
 * figures keep their digits below each other; a line is never broken by a page's
 * end, and each page has the headings again. */
static const char style[] =
    "body{font:10pt/1.45 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:62rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.1rem;margin:1.8rem 0 .4rem;break-after:avoid}"
    ".who{font-size:1.05rem;overflow-wrap:anywhere}p{margin:.2rem 0}.note{color:#444}"
    "div{overflow-x:auto}table{border-collapse:collapse;width:100%}thead{display:table-header-group}tr{break-inside:avoid}"
    "th,td{padding:.25rem .5rem;text-align:left;vertical-align:top;border-bottom:1px solid #d8d8d8}"
    "thead th{border-bottom:2px solid #1a1a1a;white-space:nowrap}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}td.w{white-space:nowrap}td.t{overflow-wrap:anywhere;min-width:7em}"
    ".sums{width:auto;min-width:24rem;margin-top:1rem}.sums th{font-weight:normal}"
    "tr.end th,tr.end td{font-weight:bold;border-top:2px solid #1a1a1a;border-bottom:0}"
    ".sums{max-width:100%}@media screen and (max-width:65rem){th,td{padding:.25rem .3rem}.sums{min-width:0}}"
    "@page{margin:15mm 12mm}@media print{div{overflow:visible}body{margin:0;padding:0;max-width:none;font-size:8pt}th,td{padding:.15rem .25rem}}";

/* Text that others chose: nothing of it may be taken for markup, and what has no
 * place in a page (control characters) shows as U+FFFD. */
static void put_text(FILE *out, struct text text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        switch (byte) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default: byte < 0x20 || byte == 0x7f ? fputs("&#xfffd;", out) : fputc(byte, out);
        }
    }
}

/* Exact, and with at least the decimals that the currency has: 12.50, 0.000017. */
static void put_money(FILE *out, int64_t micros, struct text currency)
{
    char text[MONEY_TEXT_MAX];
    uint32_t code;
    money_format(micros, text);
    const char *point = strchr(text, '.');
    int wanted = currency_parse(currency, &code) ? currency_exponent(code) : 0;
    int had = point != NULL ? (int)strlen(point + 1) : 0;
    fprintf(out, "%s%s", micros < 0 ? "&minus;" : "", micros < 0 ? text + 1 : text);
    if (had < wanted)
        fprintf(out, "%s%.*s", had == 0 ? "." : "", wanted - had, "000000");
}

/* Cells. */

/* A name may run from right to left: it is kept to its cell. */
static void name_cell(FILE *out, struct text text)
{
    fputs("<td class=t><bdi>", out);
    put_text(out, text);
    fputs("</bdi></td>", out);
}

static void word_cell(FILE *out, struct text text)
{
    fputs("<td class=w>", out);
    put_text(out, text);
    fputs("</td>", out);
}

/* What was dialled may be anything; a number is not to be broken. */
static void number_cell(FILE *out, struct text text)
{
    if (phone_is_e164(text))
        word_cell(out, text);
    else
        name_cell(out, text);
}

static void money_cell(FILE *out, const struct sql_statement *line, int column, struct text currency)
{
    fputs("<td class=n>", out);
    if (!sql_is_null(line, column))
        put_money(out, sql_integer_at(line, column), currency);
    fputs("</td>", out);
}

/* 1:02:03 */
static void duration_cell(FILE *out, const struct sql_statement *line, int column)
{
    int64_t ms = sql_integer_at(line, column), seconds = ms / MS_PER_SECOND;
    fputs("<td class=n>", out);
    if (!sql_is_null(line, column))
        fprintf(out, "%" PRId64 ":%02d:%02d", seconds / 3600, (int)(seconds / 60 % 60), (int)(seconds % 60));
    if (ms % MS_PER_SECOND != 0)
        fprintf(out, ".%03d", (int)(ms % MS_PER_SECOND));
    fputs("</td>", out);
}

/* "2026-11-23 08:00:06" of an instant. */
static void instant_cell(FILE *out, struct text instant)
{
    fprintf(out, "<td class=w><time datetime=\"%.*s\">%.10s %.8s</time></td>", TEXT_ARGS(instant), instant.at,
            instant.at + 11);
}

static void remark_cell(FILE *out, const struct sql_statement *line, struct text currency)
{
    fputs("<td>", out);
    put_text(out, sql_text_at(line, CALL_REMARK));
    if (!sql_is_null(line, CALL_WHOLE)) {
        fprintf(out, "%s", sql_text_at(line, CALL_REMARK).len > 0 ? "; " : "");
        put_money(out, sql_integer_at(line, CALL_WHOLE), currency);
        fputs(" in all, with other months", out);
    }
    fputs("</td>", out);
}

static void for_date_cell(FILE *out, const struct sql_statement *line, int column)
{
    fputs("<td class=w>", out);
    if (!sql_is_null(line, column))
        fprintf(out, "for %.*s", TEXT_ARGS(sql_text_at(line, column)));
    fputs("</td>", out);
}

/* Lines. */

static void topup_line(FILE *out, const struct sql_statement *line, struct text currency)
{
    word_cell(out, sql_text_at(line, TOPUP_DATE));
    name_cell(out, sql_text_at(line, TOPUP_ID));
    fputs("<td class=n>", out);
    put_money(out, sql_integer_at(line, TOPUP_PAID), sql_text_at(line, TOPUP_PAID_CURRENCY));
    fprintf(out, " %.*s</td>", TEXT_ARGS(sql_text_at(line, TOPUP_PAID_CURRENCY)));
    money_cell(out, line, TOPUP_AMOUNT, currency);
    for_date_cell(out, line, TOPUP_FOR_DATE);
}

static void call_line(FILE *out, const struct sql_statement *line, struct text currency)
{
    instant_cell(out, sql_text_at(line, CALL_STARTED));
    number_cell(out, sql_text_at(line, CALL_FROM_NUMBER));
    number_cell(out, sql_text_at(line, CALL_TO_NUMBER));
    name_cell(out, sql_text_at(line, CALL_PLACE));
    duration_cell(out, line, CALL_TALK);
    duration_cell(out, line, CALL_BILLED);
    money_cell(out, line, CALL_PRICE, currency);
    money_cell(out, line, CALL_AMOUNT, currency);
    remark_cell(out, line, currency);
}

static void reversal_line(FILE *out, const struct sql_statement *line, struct text currency)
{
    word_cell(out, sql_text_at(line, REVERSAL_DATE));
    name_cell(out, sql_text_at(line, REVERSAL_TOPUP));
    money_cell(out, line, REVERSAL_AMOUNT, currency);
    money_cell(out, line, REVERSAL_REST, currency);
    for_date_cell(out, line, REVERSAL_FOR_DATE);
}

struct list {
    const char *title, *none, *question, *headings;
    void (*line)(FILE *out, const struct sql_statement *line, struct text currency);
};
#define HEAD(text)   "<th scope=col>" text "</th>"
#define FIGURE(text) "<th scope=col class=n>" text "</th>"
static const struct list lists[] = {
    {"Top-ups", "No top-ups in this month.", statement_topups,
     HEAD("Date") HEAD("Top-up") FIGURE("Paid") FIGURE("Credits") HEAD("Remark"), topup_line},
    {"Calls", "No calls in this month.", statement_calls,
     HEAD("Started (UTC)") HEAD("From") HEAD("To") HEAD("Destination") FIGURE("Talk time") FIGURE("Billed")
         FIGURE("A minute") FIGURE("Amount") HEAD("Remark"),
     call_line},
    {"Chargebacks", "No chargebacks in this month.", statement_reversals,
     HEAD("Date") HEAD("Of top-up") FIGURE("Credits") FIGURE("Still owed") HEAD("Remark"), reversal_line},
};

static void put_list(const struct statement *statement, const struct list *list, FILE *out)
{
    struct sql_statement *lines = sql_prepare(statement->sql, list->question);
    bool is_begun = false;
    fprintf(out, "<h2>%s</h2>\n", list->title);
    for (sql_begin(lines); sql_row(lines); is_begun = true) {
        if (!is_begun)
            fprintf(out, "<div><table aria-label=\"%s\">\n<thead><tr>%s</tr></thead>\n<tbody>\n", list->title,
                    list->headings);
        fputs("<tr>", out);
        list->line(out, lines, statement->currency);
        fputs("</tr>\n", out);
    }
    if (is_begun)
        fputs("</tbody>\n</table></div>\n", out);
    else
        fprintf(out, "<p>%s</p>\n", list->none);
}

/* The head. */

static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};

static void put_title(const struct statement *statement, FILE *out)
{
    fprintf(out, "%s %.4s", months[(size_t)strtol(statement->month + 5, NULL, 10) - 1], statement->month);
}

static void put_sum(FILE *out, const struct statement *statement, const char *class, const char *name, int64_t micros)
{
    fprintf(out, "<tr%s><th scope=row>%s</th><td class=n>", class, name);
    put_money(out, micros, statement->currency);
    fputs("</td></tr>\n", out);
}

static void put_sums(const struct statement *statement, FILE *out)
{
    fprintf(
        out,
        "<table class=sums aria-label=\"Balances\">\n<thead><tr><td></td><th scope=col class=n>%.*s</th></tr></thead>\n<tbody>\n",
        TEXT_ARGS(statement->currency));
    put_sum(out, statement, "", "Opening balance", statement->opening_micros);
    put_sum(out, statement, "", "Top-ups", statement->topups_micros);
    put_sum(out, statement, "", "Calls", statement->calls_micros);
    put_sum(out, statement, "", "Chargebacks", statement->reversals_micros);
    put_sum(out, statement, " class=end", "Closing balance", statement->closing_micros);
    fputs("</tbody>\n</table>\n", out);
}

void statement_html(const struct statement *statement, FILE *out)
{
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%.*s, ",
            TEXT_ARGS(statement->account));
    put_title(statement, out);
    fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<h1>Statement for ", style);
    put_title(statement, out);
    fprintf(out, "</h1>\n<p class=who>Account <b>%.*s</b></p>\n", TEXT_ARGS(statement->account));
    if (statement->is_final)
        fputs("<p class=note>Final: nothing more will be posted to this month.</p>\n", out);
    else
        fprintf(
            out,
            "<p class=note>Provisional, as of %.10s %.8s UTC: calls and payments that are not known yet will be added.</p>\n",
            statement->through, statement->through + 11);
    fprintf(out, "<p class=note>Days and times are UTC. Amounts are in %.*s and exact to the millionth.</p>\n",
            TEXT_ARGS(statement->currency));
    put_sums(statement, out);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        put_list(statement, &lists[i], out);
    fputs("</main>\n</body>\n</html>\n", out);
}
