/* cdr.c - see cdr.h. */
#include "replay-tool/cdr.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sysexits.h>

#include "events/currency.h"
#include "events/event.h"
#include "events/instant.h"
#include "events/money.h"
#include "processor/csv.h"
#include "processor/fold/state.h"
#include "processor/input_file.h"
#include "terminal/message.h"

#define FAULTS_SHOWN   20
#define VALUE_SHOWN    40           /* bytes of a wrong value that a message repeats */
#define VALUE_MAX      128          /* bytes of a value that is an id, a number or a destination */
#define EPOCH_MS_LEAST 100000000000 /* a number from here on is milliseconds: as seconds it were the year 5138 */

#define X(symbol, word) word,
static const char *const words[CDR_COLUMN_COUNT] = {CDR_COLUMNS(X)};
#undef X

/* What carriers call them, besides our own word. */
static const char *const usual_names[CDR_COLUMN_COUNT][8] = {
    [CDR_CALL_ID] = {"callid", "call id"},
    [CDR_ACCOUNT] = {"account_id"},
    [CDR_FROM] = {"caller", "calling", "calling_number", "a_number", "cli", "src"},
    [CDR_TO] = {"called", "callee", "called_number", "b_number", "dst", "dialled"},
    [CDR_START] = {"started_at", "start_time", "answered_at", "answer_time", "time"},
    [CDR_DURATION] = {"duration_s", "duration_ms", "talk_time", "billsec", "seconds"},
    [CDR_BILLED] = {"billed_s", "billed_ms", "billed_duration"},
    [CDR_AMOUNT] = {"price", "cost", "charge", "total"},
    [CDR_DESTINATION] = {"country", "zone"},
};

struct cdr {
    const char *name; /* of the file, for messages */
    struct buffer bytes;
    struct csv csv;
    size_t columns;
    size_t at[CDR_COLUMN_COUNT]; /* place in a line; columns: there is none */
    bool is_ms[CDR_COLUMN_COUNT];
    struct text headings[CSV_FIELDS_MAX];
    int64_t faults;
};

const char *cdr_column_word(enum cdr_column column)
{
    return words[column];
}

bool cdr_has(const struct cdr *cdr, enum cdr_column column)
{
    return cdr->at[column] < cdr->columns;
}

/* --- faults --- */

__attribute__((format(printf, 2, 3))) static bool fault(struct cdr *cdr, const char *format, ...)
{
    char trouble[512];
    va_list arguments;
    if (cdr->faults++ >= FAULTS_SHOWN)
        return false;
    va_start(arguments, format);
    vsnprintf(trouble, sizeof trouble, format, arguments);
    va_end(arguments);
    message_error("%s:%" PRId64 ": %s", cdr->name, cdr->csv.line, trouble);
    return false;
}

/* What is wrong with a cell: "column 3 (start) 'yesterday' is no instant ...". */
static bool cell_fault(struct cdr *cdr, enum cdr_column column, struct text value, const char *trouble)
{
    char shown[VALUE_SHOWN + 1];
    size_t len = value.len < VALUE_SHOWN ? value.len : VALUE_SHOWN;
    memcpy(shown, value.at, len);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)shown[i] < 0x20 || (unsigned char)shown[i] >= 0x7f)
            shown[i] = '?';
    shown[len] = '\0';
    return fault(cdr, "column %zu (%s): '%s'%s %s", cdr->at[column] + 1, words[column], shown,
                 len < value.len ? "..." : "", trouble);
}

/* --- columns --- */

static bool is_called(struct text heading, const char *name)
{
    return heading.len == strlen(name) && strncasecmp(heading.at, name, heading.len) == 0;
}

/* The place of the column called so; cdr->columns when there is none. */
static size_t find_heading(const struct cdr *cdr, const char *name, size_t len)
{
    for (size_t i = 0; i < cdr->columns; i++)
        if (cdr->headings[i].len == len && strncasecmp(cdr->headings[i].at, name, len) == 0)
            return i;
    return cdr->columns;
}

static bool is_usual(enum cdr_column column, struct text heading)
{
    if (is_called(heading, words[column]))
        return true;
    for (size_t i = 0; i < 8 && usual_names[column][i] != NULL; i++)
        if (is_called(heading, usual_names[column][i]))
            return true;
    return false;
}

static void guess_columns(struct cdr *cdr)
{
    for (int column = 0; column < CDR_COLUMN_COUNT; column++) {
        cdr->at[column] = cdr->columns;
        for (size_t i = cdr->columns; i-- > 0;)
            if (is_usual((enum cdr_column)column, cdr->headings[i]))
                cdr->at[column] = i;
    }
}

static int map_column(struct cdr *cdr, const char *pair, size_t len)
{
    const char *equals = memchr(pair, '=', len);
    if (equals == NULL)
        return message_fail(EX_USAGE, "--map: '%.*s': write OURS=THEIRS, such as start=answer_time", (int)len, pair);
    for (int column = 0; column < CDR_COLUMN_COUNT; column++) {
        if (!is_called((struct text){pair, (size_t)(equals - pair)}, words[column]))
            continue;
        size_t their_len = len - (size_t)(equals + 1 - pair);
        cdr->at[column] = their_len > 0 ? find_heading(cdr, equals + 1, their_len) : cdr->columns;
        if (their_len > 0 && cdr->at[column] == cdr->columns)
            return message_fail(EX_USAGE, "--map: %s has no column '%.*s'", cdr->name, (int)their_len, equals + 1);
        return EX_OK;
    }
    return message_fail(EX_USAGE,
                        "--map: '%.*s' is none of call_id, account, from, to, start, duration, billed, "
                        "amount, currency, destination",
                        (int)(equals - pair), pair);
}

static int map_columns(struct cdr *cdr, const struct option_list *map)
{
    for (size_t i = 0; i < map->count; i++) {
        for (const char *at = map->values[i];;) {
            size_t len = strcspn(at, ",");
            int code = map_column(cdr, at, len);
            if (code != EX_OK)
                return code;
            if (at[len] == '\0')
                break;
            at += len + 1;
        }
    }
    return EX_OK;
}

/* Durations are in the unit that was said, or that the heading ends with. */
static void choose_units(struct cdr *cdr, const char *unit)
{
    const enum cdr_column durations[] = {CDR_DURATION, CDR_BILLED};
    for (size_t i = 0; i < 2; i++) {
        struct text heading = cdr_has(cdr, durations[i]) ? cdr->headings[cdr->at[durations[i]]] : TEXT_NONE;
        bool ends_so = heading.len >= 2 && strncasecmp(heading.at + heading.len - 2, "ms", 2) == 0;
        cdr->is_ms[durations[i]] = unit != NULL ? strcmp(unit, "ms") == 0 : ends_so;
    }
}

static int read_headings(struct cdr *cdr, const struct cdr_options *options)
{
    if (!csv_next(&cdr->csv))
        return message_fail(EX_DATAERR, "%s: no line names the columns: the file is empty", cdr->name);
    if (cdr->csv.fault != NULL)
        return message_fail(EX_DATAERR, "%s:%" PRId64 ": %s", cdr->name, cdr->csv.line, cdr->csv.fault);
    if (cdr->csv.count == 1 && memchr(cdr->csv.fields[0].at, ';', cdr->csv.fields[0].len) != NULL)
        return message_fail(EX_DATAERR,
                            "%s:%" PRId64 ": columns are apart by ';' here: export with commas (and points in amounts)",
                            cdr->name, cdr->csv.line);
    cdr->columns = cdr->csv.count;
    memcpy(cdr->headings, cdr->csv.fields, cdr->columns * sizeof cdr->headings[0]);
    guess_columns(cdr);
    int code = map_columns(cdr, &options->map);
    choose_units(cdr, options->unit);
    return code;
}

/* --- cells --- */

static struct text cell(const struct cdr *cdr, enum cdr_column column)
{
    return cdr_has(cdr, column) ? cdr->csv.fields[cdr->at[column]] : TEXT_NONE;
}

static bool read_name(struct cdr *cdr, enum cdr_column column, struct text *name)
{
    *name = cell(cdr, column);
    if (name->len == 0) {
        *name = TEXT_NONE;
        return true;
    }
    if (name->len > VALUE_MAX)
        return cell_fault(cdr, column, *name, "is longer than 128 bytes: is this the right column? --map says which");
    if (memchr(name->at, '\0', name->len) != NULL)
        return cell_fault(cdr, column, *name, "has a NUL byte in it: the file is damaged");
    return text_is_utf8(*name) || cell_fault(cdr, column, *name, "is not UTF-8: export the file as UTF-8");
}

static bool read_duration(struct cdr *cdr, enum cdr_column column, int64_t *ms)
{
    struct text value = cell(cdr, column);
    int64_t micros;
    *ms = 0;
    if (!cdr_has(cdr, column))
        return true;
    if (!money_parse(value, &micros) || micros < 0)
        return cell_fault(cdr, column, value,
                          cdr->is_ms[column] ? "is no duration: write milliseconds, such as 95000"
                                             : "is no duration: write seconds, such as 95 or 94.6");
    *ms = cdr->is_ms[column] ? micros / MICROS_PER_UNIT : micros / (MICROS_PER_UNIT / MS_PER_SECOND);
    return *ms <= DURATION_MAX_MS || cell_fault(cdr, column, value, "is longer than any call");
}

static bool read_start(struct cdr *cdr, int64_t *ms)
{
    struct text value = cell(cdr, CDR_START);
    int64_t micros;
    *ms = 0;
    if (!cdr_has(cdr, CDR_START) || instant_parse(value, ms))
        return true;
    if (money_parse(value, &micros) && micros >= 0) {
        *ms = micros / MICROS_PER_UNIT >= EPOCH_MS_LEAST ? micros / MICROS_PER_UNIT
                                                         : micros / (MICROS_PER_UNIT / MS_PER_SECOND);
        return true;
    }
    return cell_fault(cdr, CDR_START, value,
                      "is no instant: write 2026-11-23T08:00:06Z, or seconds or milliseconds since 1970");
}

static bool read_amount(struct cdr *cdr, struct cdr_line *line)
{
    struct text amount = cell(cdr, CDR_AMOUNT), currency = cell(cdr, CDR_CURRENCY);
    if (cdr_has(cdr, CDR_AMOUNT) && !money_parse(amount, &line->amount_micros))
        return cell_fault(cdr, CDR_AMOUNT, amount,
                          "is no amount: a decimal with a point and at most 6 digits after it");
    if (currency.len > 0 && !currency_parse(currency, &line->currency))
        return cell_fault(cdr, CDR_CURRENCY, currency, "is no currency: three capital letters of ISO 4217");
    return true;
}

static bool read_line(struct cdr *cdr, struct cdr_line *line)
{
    *line = (struct cdr_line){.line = cdr->csv.line};
    if (cdr->csv.fault != NULL)
        return fault(cdr, "%s", cdr->csv.fault);
    if (cdr->csv.count != cdr->columns)
        return fault(cdr, "%zu fields, where the first line has %zu: is a comma missing, or one too many?",
                     cdr->csv.count, cdr->columns);
    return read_name(cdr, CDR_CALL_ID, &line->call_id) && read_name(cdr, CDR_ACCOUNT, &line->account) &&
           read_name(cdr, CDR_FROM, &line->from) && read_name(cdr, CDR_TO, &line->to) &&
           read_name(cdr, CDR_DESTINATION, &line->destination) && read_start(cdr, &line->start_ms) &&
           read_duration(cdr, CDR_DURATION, &line->duration_ms) && read_duration(cdr, CDR_BILLED, &line->billed_ms) &&
           read_amount(cdr, line);
}

bool cdr_next(struct cdr *cdr, struct cdr_line *line)
{
    while (cdr->faults <= FAULTS_SHOWN && csv_next(&cdr->csv))
        if (read_line(cdr, line))
            return true;
    return false;
}

/* Every line is read once before the first is given out, on a copy, for reading
 * takes the quotes out where they stand. */
static int check_lines(struct cdr *cdr)
{
    struct csv begin = cdr->csv;
    struct cdr_line line;
    size_t len = (size_t)(begin.end - begin.at);
    char *copy = must_alloc(malloc(len + 1));
    memcpy(copy, begin.at, len);
    while (cdr_next(cdr, &line))
        ;
    memcpy(begin.at, copy, len);
    free(copy);
    cdr->csv = begin;
    if (cdr->faults > FAULTS_SHOWN)
        return message_fail(EX_DATAERR, "%s: too many faults: is it what --cdr takes? The others are not shown",
                            cdr->name);
    return cdr->faults > 0 ? EX_DATAERR : EX_OK;
}

int cdr_open(struct cdr **opened, const struct cdr_options *options)
{
    struct cdr *cdr = must_alloc(calloc(1, sizeof *cdr));
    *opened = cdr;
    cdr->name = input_file_name(options->path);
    int code = input_file_read(options->path, &cdr->bytes);
    if (code != EX_OK)
        return code;
    cdr->csv = (struct csv){.at = cdr->bytes.at, .end = cdr->bytes.at + cdr->bytes.len, .next_line = 1};
    code = read_headings(cdr, options);
    return code == EX_OK ? check_lines(cdr) : code;
}

void cdr_close(struct cdr *cdr)
{
    if (cdr != NULL)
        buffer_free(&cdr->bytes);
    free(cdr);
}

size_t cdr_number(struct text written, char digits[CDR_NUMBER_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < written.len && len < CDR_NUMBER_MAX; i++)
        if (memchr("+ -.()/", written.at[i], 7) == NULL)
            digits[len++] = written.at[i];
    if (len < 2 || memcmp(digits, "00", 2) != 0 || (written.len > 0 && written.at[0] == '+'))
        return len;
    memmove(digits, digits + 2, len - 2);
    return len - 2;
}
