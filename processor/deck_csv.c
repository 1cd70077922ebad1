/* deck_csv.c - see deck_csv.h. */
#include "processor/deck_csv.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "events/currency.h"
#include "events/encode.h"
#include "events/money.h"
#include "events/phone.h"
#include "processor/csv.h"
#include "processor/input_file.h"
#include "terminal/message.h"

#define FAULTS_SHOWN    20
#define VALUE_SHOWN     40  /* bytes of a wrong value that a message repeats */
#define NAME_MAX_LEN    128 /* of destination and kind, as the meter takes them */
#define INCREMENT_MAX_S 86400
#define PREFIX_DIGITS   15

#define COLUMNS(X)                \
    X(ORIGIN, "origin")           \
    X(PREFIX, "prefix")           \
    X(DESTINATION, "destination") \
    X(KIND, "kind")               \
    X(STATUS, "status")           \
    X(PRICE, "price")             \
    X(CONNECT, "connect")         \
    X(FIRST_S, "first_s")         \
    X(STEP_S, "step_s")           \
    X(DOMESTIC, "domestic")
#define COLUMN_LIST "origin,prefix,destination,kind,status,price,connect,first_s,step_s,domestic"

#define X(symbol, word) DECK_##symbol,
enum deck_column { COLUMNS(X) DECK_COLUMN_COUNT };
#undef X
#define X(symbol, word) word,
static const char *const column_words[DECK_COLUMN_COUNT] = {COLUMNS(X)};
#undef X

/* A deck while it is read. */
struct reading {
    struct deck *deck;
    const char *name; /* of the file, for messages */
    size_t faults;
    bool currency_is_bad;
    size_t line_capacity;
    int64_t *lines;               /* of each rate: where it stands */
    size_t columns;               /* in the line of column names */
    size_t at[DECK_COLUMN_COUNT]; /* where each is; columns: it is not there */
};

/* A value as a message shows it: not too long, on one line, nothing that a
 * terminal would obey. */
static const char *shown(struct text value, char out[VALUE_SHOWN + 4])
{
    size_t len = value.len < VALUE_SHOWN ? value.len : VALUE_SHOWN;
    while (len < value.len && len > 0 && ((unsigned char)value.at[len] & 0xC0) == 0x80)
        len--; /* not in the middle of a character */
    bool is_sound = text_is_utf8((struct text){value.at, len});
    for (size_t i = 0; i < len; i++) {
        bool is_shown = !iscntrl((unsigned char)value.at[i]) && (is_sound || isascii(value.at[i]));
        out[i] = '?';
        if (is_shown)
            out[i] = value.at[i];
    }
    snprintf(out + len, sizeof "...", "%s", value.len > VALUE_SHOWN ? "..." : "");
    return out;
}

__attribute__((format(printf, 3, 4))) static void fault(struct reading *reading, int64_t line, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (reading->faults++ < FAULTS_SHOWN)
        message_error("%s:%" PRId64 ": %s", reading->name, line, what);
}

/* A fault of one cell; `trouble` says what is wrong and what would be right. */
static void cell_fault(struct reading *reading, int64_t line, enum deck_column column, struct text value,
                       const char *trouble)
{
    char value_shown[VALUE_SHOWN + 4];
    fault(reading, line, "%s '%s' %s", column_words[column], shown(value, value_shown), trouble);
}

/* ---- the head ---- */

static struct text trimmed(struct text text)
{
    while (text.len > 0 && isspace((unsigned char)text.at[0])) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && isspace((unsigned char)text.at[text.len - 1]))
        text.len--;
    return text;
}

/* The next of words apart by blanks or commas; empty when there is none. */
static struct text next_word(struct text *rest)
{
    while (rest->len > 0 && (isspace((unsigned char)rest->at[0]) || rest->at[0] == ',')) {
        rest->at++;
        rest->len--;
    }
    struct text word = {rest->at, 0};
    while (word.len < rest->len && !isspace((unsigned char)rest->at[word.len]) && rest->at[word.len] != ',')
        word.len++;
    rest->at += word.len;
    rest->len -= word.len;
    return word;
}

static const char *currency_trouble(struct text text, uint32_t *currency)
{
    uint32_t code;
    if (!currency_parse(text, &code))
        return "is not a currency: write three capital letters such as USD";
    if (!currency_known(code))
        return "is no currency that ISO 4217 lists";
    *currency = code;
    return NULL;
}

/* Reads "NAME COUNTRY CURRENCY"; NULL, or what is wrong with *wrong, a part of it. */
static const char *origin_trouble(struct text text, struct deck_origin *origin, struct text *wrong)
{
    struct text rest = text;
    origin->origin = next_word(&rest);
    origin->country = next_word(&rest);
    struct text currency = next_word(&rest);
    *wrong = text;
    if (currency.len == 0 || next_word(&rest).len > 0)
        return "is not an origin: write NAME COUNTRY CURRENCY, such as FR-mobile FR EUR";
    *wrong = origin->origin;
    if (!id_is_valid(origin->origin))
        return "is not a name: write 1 to 64 of A-Z a-z 0-9 . _ : -";
    *wrong = origin->country;
    if (origin->country.len != 2 || !isupper((unsigned char)origin->country.at[0]) ||
        !isupper((unsigned char)origin->country.at[1]))
        return "is not a country: write the two capital letters of ISO 3166, such as FR";
    *wrong = currency;
    return currency_trouble(currency, &origin->currency);
}

static bool origin_equal(const struct deck_origin *a, const struct deck_origin *b)
{
    return text_equal(a->origin, b->origin) && text_equal(a->country, b->country) && a->currency == b->currency;
}

static void read_head_origin(struct reading *reading, int64_t line, struct text value)
{
    char value_shown[VALUE_SHOWN + 4];
    struct deck_origin origin;
    struct text wrong;
    const char *trouble = origin_trouble(value, &origin, &wrong);
    if (trouble != NULL) {
        fault(reading, line, "'%s' %s", shown(wrong, value_shown), trouble);
        return;
    }
    size_t place = deck_find_origin(reading->deck, origin.origin);
    if (place == reading->deck->origin_count)
        deck_add_origin(reading->deck, &origin);
    else if (!origin_equal(&reading->deck->origins[place], &origin))
        fault(reading, line, "origin %.*s is described a second time, and differently: keep one line",
              TEXT_ARGS(origin.origin));
}

static void read_head_currency(struct reading *reading, int64_t line, struct text value)
{
    char value_shown[VALUE_SHOWN + 4];
    uint32_t currency = 0;
    const char *trouble = currency_trouble(value, &currency);
    if (trouble != NULL)
        fault(reading, line, "'%s' %s", shown(value, value_shown), trouble);
    else if (reading->deck->currency != 0 && reading->deck->currency != currency)
        fault(reading, line, "a second, different currency: a deck has one, keep one line");
    if (trouble != NULL)
        reading->currency_is_bad = true;
    else
        reading->deck->currency = currency;
}

static bool key_is(struct text key, const char *word)
{
    return key.len == strlen(word) && strncasecmp(key.at, word, key.len) == 0;
}

/* A line "# key: value"; other keys and free text are for people. A spreadsheet
 * fills head lines up with commas, and may quote them. */
static void read_head_line(struct reading *reading, int64_t line, struct text text)
{
    while (text.len > 0 && strchr(",\r\"", text.at[text.len - 1]) != NULL)
        text.len--;
    const char *colon = memchr(text.at, ':', text.len);
    if (colon == NULL)
        return;
    struct text key = trimmed((struct text){text.at, (size_t)(colon - text.at)});
    struct text value = trimmed((struct text){colon + 1, text.len - (size_t)(colon + 1 - text.at)});
    if (key_is(key, "currency"))
        read_head_currency(reading, line, value);
    else if (key_is(key, "origin"))
        read_head_origin(reading, line, value);
}

static void read_head(struct reading *reading, struct csv *csv)
{
    while (csv->at < csv->end) {
        size_t mark = *csv->at == '"' ? 1 : 0;
        if (csv->at + mark == csv->end || csv->at[mark] != '#')
            return;
        const char *begin = csv->at + mark + 1;
        char *end = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));
        csv->at = end != NULL ? end + 1 : csv->end;
        size_t len = (size_t)((end != NULL ? end : csv->end) - begin);
        read_head_line(reading, csv->next_line++, (struct text){begin, len});
    }
}

/* ---- the line of column names ---- */

static enum deck_column column_named(struct text name)
{
    unsigned column = 0;
    while (column < DECK_COLUMN_COUNT && !text_equal(name, text_of(column_words[column])))
        column++;
    return (enum deck_column)column;
}

static void read_column_name(struct reading *reading, const struct csv *csv, size_t place)
{
    char value_shown[VALUE_SHOWN + 4];
    struct text name = csv->fields[place];
    enum deck_column column = column_named(name);
    if (column == DECK_COLUMN_COUNT)
        fault(reading, csv->line, "'%s' is no column of a deck; its columns are " COLUMN_LIST,
              shown(name, value_shown));
    else if (reading->at[column] != reading->columns)
        fault(reading, csv->line, "column %s stands here twice", column_words[column]);
    else
        reading->at[column] = place;
}

/* False when nothing below the names can be understood. */
static bool read_column_names(struct reading *reading, struct csv *csv)
{
    static const enum deck_column required[] = {DECK_ORIGIN, DECK_PREFIX, DECK_DESTINATION, DECK_STATUS, DECK_PRICE};
    if (!csv_next(csv)) {
        fault(reading, csv->line, "no rates here: below the # lines one line names the columns, " COLUMN_LIST);
        return false;
    }
    if (csv->fault != NULL) {
        fault(reading, csv->line, "%s", csv->fault);
        return false;
    }
    if (csv->count == 1 && memchr(csv->fields[0].at, ';', csv->fields[0].len) != NULL) {
        fault(reading, csv->line, "columns are apart by ';' here: export with commas (and points in prices)");
        return false;
    }
    size_t before = reading->faults;
    reading->columns = csv->count;
    for (size_t i = 0; i < DECK_COLUMN_COUNT; i++)
        reading->at[i] = csv->count;
    for (size_t i = 0; i < csv->count; i++)
        read_column_name(reading, csv, i);
    for (size_t i = 0; i < sizeof required / sizeof required[0] && reading->faults == before; i++)
        if (reading->at[required[i]] == csv->count)
            fault(reading, csv->line, "column %s is missing; this line must name the columns, " COLUMN_LIST,
                  column_words[required[i]]);
    return reading->faults == before;
}

/* ---- one rate ---- */

static const char *prefix_trouble(struct text text)
{
    if (phone_is_prefix(text))
        return NULL;
    bool is_digits = text.len > 0 && text.len <= PREFIX_DIGITS;
    for (size_t i = 0; i < text.len && is_digits; i++)
        is_digits = isdigit((unsigned char)text.at[i]);
    if (is_digits)
        return "has lost its '+' (make the column text in a spreadsheet)";
    return "is not a prefix: write + and 1 to 15 digits, such as +336";
}

static size_t decimals_of(struct text text)
{
    const char *point = memchr(text.at, '.', text.len);
    return point == NULL ? 0 : text.len - 1 - (size_t)(point - text.at);
}

static const char *amount_trouble(struct text text, int64_t *micros)
{
    int64_t amount;
    if (money_parse(text, &amount) && amount >= 0) {
        *micros = amount;
        return NULL;
    }
    if (memchr(text.at, ',', text.len) != NULL)
        return "has a comma: write a point before the decimals, and nothing between thousands";
    if (text.at[0] == '-')
        return "is below zero";
    if (decimals_of(text) > 6 && strspn(text.at, "0123456789.") >= text.len)
        return "has more than 6 decimals: round it";
    return "is not an amount such as 0.025 (digits, a point, at most 6 decimals)";
}

static const char *name_trouble(struct text text)
{
    if (text.len > NAME_MAX_LEN)
        return "is longer than 128 bytes: shorten it";
    if (memchr(text.at, '\0', text.len) != NULL)
        return "holds a NUL byte: remove it";
    return text_is_utf8(text) ? NULL : "is not UTF-8: save the file as UTF-8";
}

static const char *seconds_trouble(struct text text, uint32_t *seconds)
{
    uint32_t value = 0;
    bool is_number = text.len > 0 && text.len <= 5;
    for (size_t i = 0; i < text.len && is_number; i++) {
        is_number = isdigit((unsigned char)text.at[i]);
        value = value * 10 + (uint32_t)(text.at[i] - '0');
    }
    if (!is_number || value == 0 || value > INCREMENT_MAX_S)
        return "is not a number of seconds from 1 to 86400";
    *seconds = value;
    return NULL;
}

static const char *flag_trouble(struct text text, bool *flag)
{
    *flag = key_is(text, "true"); /* spreadsheets write TRUE */
    return *flag || key_is(text, "false") ? NULL : "is neither true nor false";
}

static const char *status_trouble(struct text text, enum rate_status *status)
{
    for (unsigned i = 0; i < RATE_STATUS_COUNT; i++)
        if (text_equal(text, text_of(rate_status_name((enum rate_status)i)))) {
            *status = (enum rate_status)i;
            return NULL;
        }
    return "is not a status: write open, free or blocked";
}

/* A cell of the record; empty when it is, or its column is not there. */
static struct text cell(const struct reading *reading, const struct csv *csv, enum deck_column column)
{
    size_t place = reading->at[column];
    return place < reading->columns ? csv->fields[place] : TEXT_LIT("");
}

/* What is wrong with a cell that must not be empty, or may and is not; its
 * value into rate. NULL: nothing. */
static const char *cell_trouble(enum deck_column column, struct text text, struct deck_rate *rate)
{
    switch (column) {
    case DECK_ORIGIN: rate->origin = text; return NULL;
    case DECK_PREFIX: rate->prefix = text; return prefix_trouble(text);
    case DECK_DESTINATION: rate->destination = text; return name_trouble(text);
    case DECK_KIND: rate->kind = text; return name_trouble(text);
    case DECK_STATUS: return status_trouble(text, &rate->status);
    case DECK_PRICE: return amount_trouble(text, &rate->price_micros);
    case DECK_CONNECT: return amount_trouble(text, &rate->connect_micros);
    case DECK_FIRST_S: return seconds_trouble(text, &rate->first_s);
    case DECK_STEP_S: return seconds_trouble(text, &rate->step_s);
    case DECK_DOMESTIC: return flag_trouble(text, &rate->domestic);
    case DECK_COLUMN_COUNT: break;
    }
    return NULL;
}

static bool must_be_given(enum deck_column column, const struct deck_rate *rate)
{
    switch (column) {
    case DECK_ORIGIN:
    case DECK_PREFIX:
    case DECK_DESTINATION:
    case DECK_STATUS: return true;
    case DECK_PRICE: return rate->status == RATE_OPEN;
    default: return false;
    }
}

static void read_cells(struct reading *reading, const struct csv *csv, struct deck_rate *rate)
{
    for (unsigned i = 0; i < DECK_COLUMN_COUNT; i++) {
        enum deck_column column = (enum deck_column)i;
        struct text text = cell(reading, csv, column);
        if (text.len == 0) {
            if (must_be_given(column, rate))
                fault(reading, csv->line, "%s is empty%s", column_words[column],
                      column == DECK_PRICE ? ": an open rate needs its price a minute" : "");
            continue;
        }
        const char *trouble = cell_trouble(column, text, rate);
        if (trouble != NULL)
            cell_fault(reading, csv->line, column, text, trouble);
    }
}

static void keep_rate(struct reading *reading, int64_t line, const struct deck_rate *rate, size_t origin)
{
    deck_add_rate(reading->deck, rate, origin);
    if (reading->deck->count > reading->line_capacity) {
        reading->line_capacity = reading->deck->capacity;
        int64_t *lines = realloc(reading->lines, reading->line_capacity * sizeof *lines);
        if (lines == NULL)
            abort();
        reading->lines = lines;
    }
    reading->lines[reading->deck->count - 1] = line;
}

static void read_rate(struct reading *reading, const struct csv *csv)
{
    if (csv->count != reading->columns) {
        fault(reading, csv->line, "%zu fields where the column names are %zu: a comma too many or too few?", csv->count,
              reading->columns);
        return;
    }
    size_t before = reading->faults;
    struct deck_rate rate = {.status = RATE_OPEN, .first_s = 1, .step_s = 1};
    read_cells(reading, csv, &rate);
    size_t origin = deck_find_origin(reading->deck, rate.origin);
    if (origin == reading->deck->origin_count && rate.origin.len > 0)
        cell_fault(reading, csv->line, DECK_ORIGIN, rate.origin,
                   "is no origin of this deck: describe it at the head, '# origin: NAME COUNTRY CURRENCY'");
    if (reading->faults == before)
        keep_rate(reading, csv->line, &rate, origin);
}

/* ---- repeated lines ---- */

static bool rate_equal(const struct deck_rate *a, const struct deck_rate *b)
{
    return text_equal(a->destination, b->destination) && text_equal(a->kind, b->kind) && a->status == b->status &&
           a->domestic == b->domestic && a->price_micros == b->price_micros && a->connect_micros == b->connect_micros &&
           a->first_s == b->first_s && a->step_s == b->step_s;
}

static void fault_contradiction(struct reading *reading, size_t first, size_t second)
{
    const struct deck_rate *rate = &reading->deck->rates[first];
    fault(reading, reading->lines[second],
          "prefix '%.*s' of origin %.*s stands on line %" PRId64 " already, with other contents: keep one",
          TEXT_ARGS(rate->prefix), TEXT_ARGS(rate->origin), reading->lines[first]);
}

/* Marks what repeats an earlier line by an absent prefix. */
static void judge_repeats(struct reading *reading)
{
    struct deck *deck = reading->deck;
    size_t first = 0; /* the first rate of the origin and prefix at hand */
    for (size_t n = 0; n < deck->count; n++) {
        size_t place = deck_nth(deck, n);
        struct deck_rate *rate = &deck->rates[place], *earlier = &deck->rates[first];
        if (n == 0 || deck->rate_origins[place] != deck->rate_origins[first] ||
            !text_equal(rate->prefix, earlier->prefix)) {
            first = place;
        } else if (rate_equal(rate, earlier)) {
            rate->prefix = TEXT_NONE;
            deck->repeated++;
        } else {
            fault_contradiction(reading, first, place);
        }
    }
}

static void drop_repeats(struct deck *deck)
{
    size_t kept = 0;
    for (size_t i = 0; i < deck->count; i++) {
        if (!text_present(deck->rates[i].prefix))
            continue;
        deck->rates[kept] = deck->rates[i];
        deck->rate_origins[kept] = deck->rate_origins[i];
        kept++;
    }
    deck->count = kept;
}

/* ---- the whole ---- */

static bool apply_origin_option(struct deck *deck, const char *value)
{
    char value_shown[VALUE_SHOWN + 4];
    struct deck_origin origin;
    struct text wrong;
    const char *trouble = origin_trouble(text_of(value), &origin, &wrong);
    if (trouble != NULL) {
        message_error("--origin: '%s' %s", shown(wrong, value_shown), trouble);
        return false;
    }
    size_t place = deck_find_origin(deck, origin.origin);
    if (place == deck->origin_count)
        deck_add_origin(deck, &origin);
    else
        deck->origins[place] = origin;
    return true;
}

static bool apply_options(struct deck *deck, const struct deck_options *options)
{
    char value_shown[VALUE_SHOWN + 4];
    if (options->currency != NULL) {
        const char *trouble = currency_trouble(text_of(options->currency), &deck->currency);
        if (trouble != NULL) {
            message_error("the deck's currency '%s' %s", shown(text_of(options->currency), value_shown), trouble);
            return false;
        }
    }
    for (size_t i = 0; i < options->origins.count; i++)
        if (!apply_origin_option(deck, options->origins.values[i]))
            return false;
    return true;
}

static void read_rates(struct reading *reading, struct csv *csv)
{
    if (!read_column_names(reading, csv))
        return;
    while (csv_next(csv)) {
        if (csv->fault != NULL)
            fault(reading, csv->line, "%s", csv->fault);
        else
            read_rate(reading, csv);
    }
    deck_make_index(reading->deck);
    judge_repeats(reading);
    if (reading->deck->repeated > 0) {
        drop_repeats(reading->deck);
        deck_make_index(reading->deck);
    }
}

static int read_bytes(struct reading *reading, size_t len, const struct deck_options *options)
{
    struct deck *deck = reading->deck;
    struct csv csv = {.at = deck->bytes, .end = deck->bytes + len, .next_line = 1};
    read_head(reading, &csv);
    if (!apply_options(deck, options))
        return EX_USAGE;
    if (deck->currency == 0 && !reading->currency_is_bad)
        fault(reading, 1, "the deck does not say its currency: begin it with '# currency: USD', say");
    read_rates(reading, &csv);
    if (reading->faults == 0 && deck->count == 0)
        fault(reading, csv.next_line, "a deck without a rate: nobody could call anywhere");
    if (reading->faults > FAULTS_SHOWN)
        message_error("%s: and %zu more", reading->name, reading->faults - FAULTS_SHOWN);
    return reading->faults == 0 ? EX_OK : EX_DATAERR;
}

int deck_read(struct deck *deck, const char *path, const struct deck_options *options)
{
    *deck = (struct deck){0};
    struct buffer bytes = {0};
    int code = input_file_read(path, &bytes);
    deck->bytes = bytes.at;
    if (code == EX_OK) {
        struct reading reading = {.deck = deck, .name = input_file_name(path)};
        code = read_bytes(&reading, bytes.len, options);
        free(reading.lines);
    }
    if (code != EX_OK)
        deck_free(deck);
    return code;
}
