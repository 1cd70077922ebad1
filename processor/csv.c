/* csv.c - see csv.h. */
#include "processor/csv.h"

static char *line_end(const struct csv *csv)
{
    char *end = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));
    return end != NULL ? end : csv->end;
}

/* Moves behind the line break at `at`, which may be the end of the bytes. */
static void pass_line(struct csv *csv, char *at)
{
    csv->at = at < csv->end ? at + 1 : at;
    csv->next_line++;
}

static void give_up(struct csv *csv, const char *fault)
{
    csv->fault = fault;
    pass_line(csv, line_end(csv));
}

static bool at_field_end(const struct csv *csv)
{
    if (csv->at == csv->end || *csv->at == ',' || *csv->at == '\n')
        return true;
    return *csv->at == '\r' && (csv->at + 1 == csv->end || csv->at[1] == '\n');
}

static bool read_plain(struct csv *csv, struct text *field)
{
    field->at = csv->at;
    while (!at_field_end(csv)) {
        if (*csv->at == '"') {
            give_up(csv, "a quote stands inside a field: put the whole field in quotes and double the quote");
            return false;
        }
        csv->at++;
    }
    field->len = (size_t)(csv->at - field->at);
    return true;
}

/* The closing quote that is missing may be anywhere, so that the rest of the
 * bytes belongs to this record. */
static bool miss_quote(struct csv *csv)
{
    csv->fault = "a quote opens here and is never closed";
    csv->at = csv->end;
    return false;
}

static bool read_quoted(struct csv *csv, struct text *field)
{
    char *write = ++csv->at;
    field->at = write;
    for (;;) {
        if (csv->at == csv->end)
            return miss_quote(csv);
        if (*csv->at == '"') {
            csv->at++;
            if (csv->at == csv->end || *csv->at != '"')
                break;
        } else if (*csv->at == '\n') {
            csv->next_line++;
        }
        *write++ = *csv->at++;
    }
    field->len = (size_t)(write - field->at);
    if (at_field_end(csv))
        return true;
    give_up(csv, "something follows a closing quote: put a comma between the fields, or double the quote");
    return false;
}

static bool is_blank_line(const struct csv *csv)
{
    return *csv->at == '\n' || (*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n');
}

bool csv_next(struct csv *csv)
{
    while (csv->at < csv->end && is_blank_line(csv))
        pass_line(csv, line_end(csv));
    csv->count = 0;
    csv->fault = NULL;
    csv->line = csv->next_line;
    if (csv->at == csv->end)
        return false;
    for (;;) {
        struct text field;
        bool is_quoted = csv->at < csv->end && *csv->at == '"';
        if (!(is_quoted ? read_quoted(csv, &field) : read_plain(csv, &field)))
            return true;
        if (csv->count == CSV_FIELDS_MAX) {
            give_up(csv, "more fields than any table here has: is this the right file?");
            return true;
        }
        csv->fields[csv->count++] = field;
        if (csv->at == csv->end || *csv->at != ',')
            break;
        csv->at++;
    }
    pass_line(csv, line_end(csv));
    return true;
}
