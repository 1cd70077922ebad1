/* table.h - one table in several forms: aligned for people, JSON, CSV.
 *
 * A command describes its columns once and hands over the cells of each row
 * from left to right; which of them comes out is the user's choice and
 * not the command's business:
 *
 *     aligned  headings and columns side by side, coloured only on a terminal and
 *              made to fit it; control characters are shown as \x1b, never sent
 *     --json   an array with one object a row; amounts are strings, a cell
 *              without a value is null; or, for a stream of them (TABLE_LINES),
 *              one object a line and no array
 *     --csv    RFC 4180 with a line of keys; a name that a spreadsheet would
 *              take for a formula gets a ' in front (numbers keep their +)
 *
 * JSON and CSV are written row by row, so that a table may be of any length;
 * an aligned one is held in memory until its columns' widths are known.
 */
#ifndef CALLFOLD_TERMINAL_TABLE_H
#define CALLFOLD_TERMINAL_TABLE_H

#include <stdio.h>

#include "events/text.h"

enum table_format { TABLE_ALIGNED, TABLE_JSON, TABLE_CSV, TABLE_LINES };

enum column_kind {
    COLUMN_WORD,     /* text whose syntax was checked: ids, numbers, reasons */
    COLUMN_NAME,     /* text that somebody chose: destinations, dialled digits */
    COLUMN_AMOUNT,   /* a decimal, right aligned; a string in JSON, as money is everywhere */
    COLUMN_NUMBER,   /* a JSON number, right aligned */
    COLUMN_LIST,     /* words apart by blanks; an array in JSON */
    COLUMN_DURATION, /* h:mm:ss for people, milliseconds as a number for programs */
    COLUMN_FLAG,     /* true or false; on a terminal "yes" or nothing */
};

struct table_column {
    const char *key;     /* JSON member and CSV heading */
    const char *heading; /* above the column */
    enum column_kind kind;
    const char *usual; /* people are spared the column when all its cells say this or nothing; NULL: never */
    int spare;         /* on a narrow terminal: 1 is left out first, 2 next, 0 never */
};

struct table;

/* Columns are borrowed until table_end. out is flushed by table_end. Never
 * NULL: the process ends when memory is out. */
struct table *table_begin(enum table_format format, FILE *out, const struct table_column *columns, size_t count);
/* The same for a table of one row, which people see as a list, a line a cell. */
struct table *table_begin_card(enum table_format format, FILE *out, const struct table_column *columns, size_t count);
/* For people who read the table among others: a line above it, borrowed until
 * table_end, and "none" below where there is no row. NULL: neither. */
void table_title(struct table *table, const char *title);

/* Begins a row; colour is a name such as "red" or NULL. The row is complete
 * when each column has had its cell. */
void table_row(struct table *table, const char *colour);
/* The next cell of the row: of a WORD, a NAME or an AMOUNT; absent = no value. */
void table_text(struct table *table, struct text text);
void table_string(struct table *table, const char *string);
void table_money(struct table *table, int64_t micros);
void table_currency(struct table *table, uint32_t currency);
void table_instant(struct table *table, int64_t ms);
/* A decimal with `places` digits after the point: 125 with 1 is 12.5. */
void table_number(struct table *table, int64_t value, int places);
void table_duration(struct table *table, int64_t ms);
void table_flag(struct table *table, bool value);
/* A cell without a value. */
void table_blank(struct table *table);

/* Prints what is left and frees the table. False when out could not be written. */
bool table_end(struct table *table);

/* The form that the flags --json and --csv ask for; both at once is an error
 * (message said, false). */
bool table_format_chosen(bool json, bool csv, enum table_format *format);

#endif
