/* table.c - see table.h. */
#include "terminal/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "events/currency.h"
#include "events/encode.h"
#include "events/instant.h"
#include "events/money.h"
#include "events/phone.h"
#include "terminal/message.h"
#include "terminal/table_aligned.h"

struct table {
    enum table_format format;
    FILE *out;
    const struct table_column *columns;
    size_t count;
    size_t cell; /* cells that the row has had; count: the row is complete */
    size_t rows;
    const char *title;
    struct buffer row;       /* JSON, CSV: the row's bytes so far */
    struct aligned *aligned; /* TABLE_ALIGNED */
};

static void csv_headings(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        fprintf(table->out, "%s%s", i == 0 ? "" : ",", table->columns[i].key);
    fputs("\r\n", table->out);
}

static struct table *begin(enum table_format format, FILE *out, const struct table_column *columns, size_t count,
                           bool is_card)
{
    struct table *table = calloc(1, sizeof *table);
    if (table == NULL)
        abort();
    *table = (struct table){.format = format, .out = out, .columns = columns, .count = count, .cell = count};
    switch (format) {
    case TABLE_ALIGNED: table->aligned = aligned_begin(out, columns, count, is_card); break;
    case TABLE_JSON: fputc('[', out); break;
    case TABLE_LINES: break;
    case TABLE_CSV: csv_headings(table); break;
    }
    return table;
}

struct table *table_begin(enum table_format format, FILE *out, const struct table_column *columns, size_t count)
{
    return begin(format, out, columns, count, false);
}

struct table *table_begin_card(enum table_format format, FILE *out, const struct table_column *columns, size_t count)
{
    return begin(format, out, columns, count, true);
}

void table_title(struct table *table, const char *title)
{
    table->title = title;
}

void table_row(struct table *table, const char *colour)
{
    assert(table->cell == table->count);
    table->cell = 0;
    if (table->format == TABLE_ALIGNED)
        aligned_row(table->aligned, colour);
}

/* A spreadsheet runs text that begins so as a formula (OWASP, CSV injection);
 * a telephone number is only a number to it. */
static bool looks_like_formula(struct text text)
{
    return text.len > 0 && memchr("=+-@\t\r\n", text.at[0], 7) != NULL && !phone_is_e164(text);
}

static void csv_cell(struct buffer *row, struct text text, enum column_kind kind)
{
    bool is_formula = kind == COLUMN_NAME && looks_like_formula(text);
    bool is_plain = true;
    for (size_t i = 0; i < text.len && is_plain; i++)
        is_plain = memchr("\",\r\n", text.at[i], 4) == NULL;
    if (!is_plain)
        buffer_append(row, "\"", 1);
    if (is_formula)
        buffer_append(row, "'", 1);
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"')
            buffer_append(row, "\"", 1);
        buffer_append(row, &text.at[i], 1);
    }
    if (!is_plain)
        buffer_append(row, "\"", 1);
}

static void json_list(struct buffer *row, struct text list)
{
    buffer_text(row, "[");
    for (size_t at = 0; at < list.len;) {
        const char *blank = memchr(list.at + at, ' ', list.len - at);
        size_t end = blank == NULL ? list.len : (size_t)(blank - list.at);
        buffer_text(row, at == 0 ? "" : ",");
        buffer_json_string(row, (struct text){list.at + at, end - at});
        at = end + 1;
    }
    buffer_text(row, "]");
}

static void json_cell(struct table *table, struct text text, enum column_kind kind)
{
    buffer_text(&table->row, table->cell == 0 ? "{" : ",");
    buffer_json_string(&table->row, text_of(table->columns[table->cell].key));
    buffer_text(&table->row, ":");
    if (kind == COLUMN_LIST)
        json_list(&table->row, text);
    else if (!text_present(text))
        buffer_text(&table->row, "null");
    else if (kind == COLUMN_NUMBER || kind == COLUMN_DURATION || kind == COLUMN_FLAG)
        buffer_append(&table->row, text.at, text.len);
    else
        buffer_json_string(&table->row, text);
}

static const char *const row_ends[] = {[TABLE_JSON] = "}", [TABLE_LINES] = "}\n", [TABLE_CSV] = "\r\n"};

static void flush_row(struct table *table)
{
    if (table->format == TABLE_JSON)
        fputs(table->rows == 0 ? "\n" : ",\n", table->out);
    fwrite(table->row.at, 1, table->row.len, table->out);
    fputs(row_ends[table->format], table->out);
    table->row.len = 0;
}

void table_text(struct table *table, struct text text)
{
    assert(table->cell < table->count);
    enum column_kind kind = table->columns[table->cell].kind;
    switch (table->format) {
    case TABLE_ALIGNED: aligned_cell(table->aligned, table->cell, text); break;
    case TABLE_JSON:
    case TABLE_LINES: json_cell(table, text, kind); break;
    case TABLE_CSV:
        if (table->cell > 0)
            buffer_append(&table->row, ",", 1);
        csv_cell(&table->row, text, kind);
        break;
    }
    if (++table->cell < table->count)
        return;
    if (table->format != TABLE_ALIGNED)
        flush_row(table);
    table->rows++;
}

void table_string(struct table *table, const char *string)
{
    table_text(table, text_of(string));
}

void table_money(struct table *table, int64_t micros)
{
    char text[MONEY_TEXT_MAX];
    size_t len = money_format(micros, text);
    table_text(table, (struct text){text, len});
}

void table_currency(struct table *table, uint32_t currency)
{
    char text[CURRENCY_TEXT_MAX];
    currency_format(currency, text);
    table_string(table, text);
}

void table_instant(struct table *table, int64_t ms)
{
    char text[INSTANT_TEXT_MAX];
    size_t len = instant_format(ms, text);
    table_text(table, (struct text){text, len});
}

void table_number(struct table *table, int64_t value, int places)
{
    char text[32];
    char *at = text + sizeof text;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (int digit = 0; digit <= places || left > 0; digit++, left /= 10) {
        if (digit == places && places > 0)
            *--at = '.';
        *--at = (char)('0' + left % 10);
    }
    if (value < 0)
        *--at = '-';
    table_text(table, (struct text){at, (size_t)(text + sizeof text - at)});
}

void table_duration(struct table *table, int64_t ms)
{
    if (table->format != TABLE_ALIGNED) {
        table_number(table, ms, 0);
        return;
    }
    char text[40];
    int64_t seconds = ms / 1000;
    int len = snprintf(text, sizeof text, "%" PRId64 ":%02d:%02d", seconds / 3600, (int)(seconds / 60 % 60),
                       (int)(seconds % 60));
    if (ms % 1000 != 0)
        snprintf(text + len, sizeof text - (size_t)len, ".%03d", (int)(ms % 1000));
    table_string(table, text);
}

void table_flag(struct table *table, bool value)
{
    table_string(table, value ? "true" : "false");
}

void table_blank(struct table *table)
{
    table_text(table, TEXT_NONE);
}

static void end_aligned(struct table *table)
{
    if (table->title != NULL) {
        bool is_bold = colours_wanted(table->out);
        fprintf(table->out, "%s%s%s\n", is_bold ? "\033[1m" : "", table->title, is_bold ? "\033[0m" : "");
        if (table->rows == 0)
            fputs("none\n", table->out);
    }
    aligned_end(table->aligned);
}

bool table_end(struct table *table)
{
    assert(table->cell == table->count);
    if (table->format == TABLE_JSON)
        fputs(table->rows == 0 ? "]\n" : "\n]\n", table->out);
    if (table->format == TABLE_ALIGNED)
        end_aligned(table);
    bool is_written = fflush(table->out) == 0 && !ferror(table->out);
    buffer_free(&table->row);
    free(table);
    return is_written;
}

bool table_format_chosen(bool json, bool csv, enum table_format *format)
{
    *format = json ? TABLE_JSON : csv ? TABLE_CSV : TABLE_ALIGNED;
    if (json && csv)
        message_error("--json and --csv exclude each other: choose one");
    return !(json && csv);
}
