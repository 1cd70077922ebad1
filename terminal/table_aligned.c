/* table_aligned.c - see table_aligned.h. */
#include "terminal/table_aligned.h"

#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>
#include <wchar.h>

#include "terminal/message.h"

#define GAP          "  " /* between columns */
#define NARROWEST    10   /* to which names may be wrapped */
#define COMFORTABLE  20   /* to which they are wrapped before columns are left out */
#define SPARE_LEVELS 2
#define ROWS_MAX     100000 /* that are kept in memory; nobody reads more */

/* What is known of a column before it is printed. */
struct column_state {
    size_t width;    /* of the widest cell, heading included */
    bool is_telling; /* a cell says more than the column's `usual` */
    bool is_hidden;
};

struct aligned {
    FILE *out;
    const struct table_column *columns;
    size_t count, rows;
    bool is_card;
    struct column_state *states;
    struct libscols_table *table;
    struct libscols_line *line;
};

/* libsmartcols measures and escapes by the locale. All that is printed is
 * UTF-8, so a locale that cannot tell (a bare machine's "C") is no help. */
static void use_utf8(void)
{
    if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8");
}

bool colours_wanted(FILE *out)
{
    const char *terminal = getenv("TERM");
    bool is_dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;
    return isatty(fileno(out)) && !is_dumb && getenv("NO_COLOR") == NULL;
}

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

/* Terminal cells that the character at `at` takes, its bytes into *bytes; what
 * is no character is escaped by libsmartcols as \xHH. */
static size_t character_width(const char *at, size_t *bytes)
{
    wchar_t character;
    mbstate_t state = {0};
    *bytes = mbrtowc(&character, at, strnlen(at, MB_CUR_MAX), &state);
    if (*bytes == (size_t)-1 || *bytes == (size_t)-2 || *bytes == 0) {
        *bytes = 1;
        return 4;
    }
    int width = wcwidth(character);
    return width < 0 ? 4 * *bytes : (size_t)width;
}

static size_t text_width(const char *string)
{
    size_t width = 0, bytes;
    for (; *string != '\0'; string += bytes)
        width += character_width(string, &bytes);
    return width;
}

static bool is_right(enum column_kind kind)
{
    return kind == COLUMN_AMOUNT || kind == COLUMN_NUMBER || kind == COLUMN_DURATION;
}

static void add_columns(struct aligned *aligned)
{
    for (size_t i = 0; i < aligned->count; i++) {
        const struct table_column *description = &aligned->columns[i];
        int flags = is_right(description->kind) ? SCOLS_FL_RIGHT : 0;
        struct libscols_column *column = must(scols_table_new_column(aligned->table, description->heading, 0, flags));
        scols_cell_set_color(scols_column_get_header(column), "bold");
        aligned->states[i].width = text_width(description->heading);
    }
}

/* Two columns: what the heading was, and the cell. */
static void add_card_columns(struct aligned *aligned)
{
    must(scols_table_new_column(aligned->table, "", 0, 0));
    must(scols_table_new_column(aligned->table, "", 0, 0));
    scols_table_enable_noheadings(aligned->table, 1);
}

struct aligned *aligned_begin(FILE *out, const struct table_column *columns, size_t count, bool is_card)
{
    use_utf8();
    struct aligned *aligned = must(calloc(1, sizeof *aligned));
    *aligned = (struct aligned){.out = out, .columns = columns, .count = count, .is_card = is_card};
    aligned->states = must(calloc(count, sizeof *aligned->states));
    aligned->table = must(scols_new_table());
    scols_table_set_stream(aligned->table, out);
    scols_table_set_column_separator(aligned->table, GAP);
    scols_table_enable_colors(aligned->table, colours_wanted(out));
    if (is_card)
        add_card_columns(aligned);
    else
        add_columns(aligned);
    return aligned;
}

void aligned_row(struct aligned *aligned, const char *colour)
{
    aligned->rows++;
    if (aligned->is_card || aligned->rows > ROWS_MAX)
        return;
    aligned->line = must(scols_table_new_line(aligned->table, NULL));
    if (colour != NULL)
        scols_line_set_color(aligned->line, colour);
}

static void add_card_line(struct aligned *aligned, const char *heading, char *cell)
{
    struct libscols_line *line = must(scols_table_new_line(aligned->table, NULL));
    scols_line_set_data(line, 0, heading);
    scols_line_refer_data(line, 1, cell);
}

void aligned_cell(struct aligned *aligned, size_t column, struct text text)
{
    const struct table_column *description = &aligned->columns[column];
    struct column_state *state = &aligned->states[column];
    if (description->kind == COLUMN_FLAG && text_present(text))
        text = text_equal(text, TEXT_LIT("true")) ? TEXT_LIT("yes") : TEXT_NONE;
    if (!text_present(text) || aligned->rows > ROWS_MAX)
        return;
    bool is_telling = description->usual == NULL || !text_equal(text, text_of(description->usual));
    if (aligned->is_card && !is_telling)
        return;
    state->is_telling |= is_telling;
    char *string = must(strndup(text.at, text.len));
    for (char *at = strchr(string, '\n'); at != NULL; at = strchr(at, '\n'))
        *at = ' '; /* a line break is ours alone, where names are wrapped */
    if (aligned->is_card) {
        add_card_line(aligned, description->heading, string);
        return;
    }
    size_t width = text_width(string);
    if (width > state->width)
        state->width = width;
    scols_line_refer_data(aligned->line, column, string);
}

/* ---- fitting ---- */

static void hide(struct aligned *aligned, size_t column)
{
    struct libscols_column *hidden = scols_table_get_column(aligned->table, column);
    scols_column_set_flags(hidden, scols_column_get_flags(hidden) | SCOLS_FL_HIDDEN);
    aligned->states[column].is_hidden = true;
}

static size_t total_width(const struct aligned *aligned)
{
    size_t width = 0, shown = 0;
    for (size_t i = 0; i < aligned->count; i++)
        if (!aligned->states[i].is_hidden) {
            width += aligned->states[i].width;
            shown++;
        }
    return shown == 0 ? 0 : width + (shown - 1) * strlen(GAP);
}

static bool can_wrap(enum column_kind kind)
{
    return kind == COLUMN_NAME || kind == COLUMN_LIST;
}

/* The widest column of names that could still be narrower; count: none. */
static size_t widest_name(const struct aligned *aligned)
{
    size_t widest = aligned->count;
    for (size_t i = 0; i < aligned->count; i++) {
        const struct column_state *state = &aligned->states[i];
        bool may_wrap = can_wrap(aligned->columns[i].kind) && !state->is_hidden && state->width > NARROWEST;
        if (may_wrap && (widest == aligned->count || state->width > aligned->states[widest].width))
            widest = i;
    }
    return widest;
}

/* What the table would take with its widest names wrapped. */
static size_t comfortable_width(const struct aligned *aligned)
{
    size_t total = total_width(aligned), column = widest_name(aligned);
    if (column == aligned->count || aligned->states[column].width <= COMFORTABLE)
        return total;
    return total - (aligned->states[column].width - COMFORTABLE);
}

static void spare_columns(struct aligned *aligned, size_t room)
{
    char names[256] = "";
    size_t len = 0;
    for (int level = 1; level <= SPARE_LEVELS; level++)
        for (size_t i = 0; i < aligned->count && comfortable_width(aligned) > room; i++) {
            if (aligned->columns[i].spare != level || aligned->states[i].is_hidden)
                continue;
            hide(aligned, i);
            if (len < sizeof names)
                len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len > 0 ? ", " : "",
                                        aligned->columns[i].key);
        }
    if (len > 0)
        message_note("(the terminal is too narrow for %s; --csv and --json have all)", names);
}

/* Breaks string between words so that no line is wider than room, where words
 * allow. Breaks take the place of blanks, so that it stays as long as it is. */
static void break_lines(char *string, size_t room)
{
    char *blank = NULL;
    size_t width = 0, since_blank = 0, bytes;
    for (char *at = string; *at != '\0'; at += bytes) {
        size_t step = character_width(at, &bytes);
        if (*at == ' ') {
            blank = at;
            since_blank = 0;
        } else {
            since_blank += step;
        }
        width += step;
        if (width > room && blank != NULL) {
            *blank = '\n';
            blank = NULL;
            width = since_blank;
        }
    }
}

static void wrap_column(struct aligned *aligned, size_t column, size_t room)
{
    struct libscols_column *wrapped = scols_table_get_column(aligned->table, column);
    scols_column_set_flags(wrapped, scols_column_get_flags(wrapped) | SCOLS_FL_WRAP);
    scols_column_set_wrapfunc(wrapped, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
    scols_column_set_safechars(wrapped, "\n");
    for (size_t i = 0; i < scols_table_get_nlines(aligned->table); i++) {
        struct libscols_line *line = scols_table_get_line(aligned->table, i);
        const char *data = scols_cell_get_data(scols_line_get_cell(line, column));
        if (data == NULL)
            continue;
        char *string = must(strdup(data));
        break_lines(string, room);
        scols_line_refer_data(line, column, string);
    }
    aligned->states[column].width = room;
}

static void wrap_names(struct aligned *aligned, size_t room)
{
    size_t total = total_width(aligned), column = widest_name(aligned);
    if (total <= room || column == aligned->count)
        return;
    size_t excess = total - room, width = aligned->states[column].width;
    wrap_column(aligned, column, width - NARROWEST > excess ? width - excess : NARROWEST);
}

static void fit(struct aligned *aligned)
{
    for (size_t i = 0; i < aligned->count; i++)
        if (aligned->columns[i].usual != NULL && !aligned->states[i].is_telling)
            hide(aligned, i);
    if (!isatty(fileno(aligned->out)))
        return;
    size_t room = scols_table_get_termwidth(aligned->table);
    spare_columns(aligned, room);
    wrap_names(aligned, room);
}

void aligned_end(struct aligned *aligned)
{
    if (aligned->rows > 0 && !aligned->is_card)
        fit(aligned);
    if (aligned->rows > 0)
        scols_print_table(aligned->table);
    if (aligned->rows > ROWS_MAX)
        message_note("(the first %d rows of %zu; --csv and --json have all)", ROWS_MAX, aligned->rows);
    scols_unref_table(aligned->table);
    free(aligned->states);
    free(aligned);
}
