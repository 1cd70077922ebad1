/* cmd_rates_compare.c - callfold rates compare: one destination, every origin.
 *
 * A row for each prefix that any origin prices, a column for each origin: what
 * a call to numbers of that prefix costs from there by longest match, so that
 * an origin which prices +44 as a whole stands beside one that knows +447.
 */
#include <stdlib.h>

#include "events/currency.h"
#include "events/phone.h"
#include "processor/rates.h"
#include "terminal/message.h"

#define FIXED_COLUMNS 4 /* destination, kind, prefix, increments */

struct compare_options {
    struct deck_options deck;
    struct form_options form;
    const char *destination, *currency, *fx;
};

/* A row: the rate that names it, and each origin's (NULL: none matches). */
struct compared {
    const struct deck_rate *named;
    const struct deck_rate **from; /* a part of comparison.cells */
};

struct comparison {
    size_t origins, count;
    struct compared *rows;
    const struct deck_rate **cells;
};

static int compare_cells(const struct compared *a, const struct compared *b, size_t origins)
{
    for (size_t i = 0; i < origins; i++) {
        if (a->from[i] == NULL || b->from[i] == NULL) {
            if (a->from[i] != b->from[i])
                return a->from[i] == NULL ? 1 : -1;
            continue;
        }
        int order = compare_terms(a->from[i], b->from[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

static int compare_but_prefix(const struct compared *a, const struct compared *b, size_t origins)
{
    int order = text_compare(a->named->destination, b->named->destination);
    if (order == 0)
        order = text_compare(a->named->kind, b->named->kind);
    return order != 0 ? order : compare_cells(a, b, origins);
}

static int compare_rows(const void *left, const void *right, void *origins)
{
    const struct compared *a = left, *b = right;
    int order = compare_but_prefix(a, b, *(const size_t *)origins);
    return order != 0 ? order : text_compare(a->named->prefix, b->named->prefix);
}

/* True when an earlier origin has a rate of the very same prefix: its row is
 * there already. */
static bool has_row(const struct deck *deck, const struct deck_rate *rate, size_t origin)
{
    for (size_t i = 0; i < origin; i++) {
        const struct deck_rate *match = deck_match(deck, i, rate->prefix);
        if (match != NULL && text_equal(match->prefix, rate->prefix))
            return true;
    }
    return false;
}

static void make_rows(struct comparison *comparison, const struct deck *deck, const char *destination)
{
    comparison->origins = deck->origin_count;
    comparison->rows = malloc((deck->count + 1) * sizeof *comparison->rows);
    comparison->cells = malloc((deck->count * deck->origin_count + 1) * sizeof *comparison->cells);
    if (comparison->rows == NULL || comparison->cells == NULL)
        abort();
    for (size_t n = 0; n < deck->count; n++) {
        const struct deck_rate *rate = &deck->rates[n];
        if (!text_contains(rate->destination, destination) || has_row(deck, rate, deck->rate_origins[n]))
            continue;
        struct compared *row = &comparison->rows[comparison->count];
        row->named = rate;
        row->from = comparison->cells + comparison->count * deck->origin_count;
        for (size_t i = 0; i < deck->origin_count; i++)
            row->from[i] = deck_match(deck, i, rate->prefix);
        comparison->count++;
    }
    qsort_r(comparison->rows, comparison->count, sizeof *comparison->rows, compare_rows, &comparison->origins);
}

/* One pair where all charged origins have the same, else one for each origin. */
static void print_increments(struct table *table, const struct comparison *comparison, const struct compared *row)
{
    struct buffer all = {0};
    char one[INCREMENTS_TEXT_MAX] = "", next[INCREMENTS_TEXT_MAX];
    bool is_same = true;
    for (size_t i = 0; i < comparison->origins; i++) {
        increments_text(row->from[i], next);
        is_same &= one[0] == '\0' || next[0] == '\0' || strcmp(one, next) == 0;
        if (one[0] == '\0')
            memcpy(one, next, sizeof one);
        buffer_text(&all, i == 0 ? "" : " ");
        buffer_text(&all, next[0] == '\0' ? "-" : next);
    }
    table_text(table, is_same ? text_of(one) : (struct text){all.at, all.len});
    buffer_free(&all);
}

static bool print_row(struct table *table, const struct comparison *comparison, const struct compared *row,
                      const char *prefixes, const struct pricing *pricing)
{
    table_row(table, NULL);
    table_text(table, row->named->destination);
    table_text(table, row->named->kind);
    table_string(table, prefixes);
    print_increments(table, comparison, row);
    bool is_priced = true;
    for (size_t i = 0; i < comparison->origins; i++) {
        char price[PRICE_TEXT_MAX];
        is_priced &= pricing_text(pricing, row->from[i], price);
        table_text(table, row->from[i] == NULL ? TEXT_NONE : text_of(price));
    }
    return is_priced;
}

static struct table_column *make_columns(const struct deck *deck, char (*names)[ID_MAX + 1])
{
    struct table_column *columns = calloc(FIXED_COLUMNS + deck->origin_count, sizeof *columns);
    if (columns == NULL)
        abort();
    columns[0] = (struct table_column){"destination", "DESTINATION", COLUMN_NAME, NULL, 0};
    columns[1] = (struct table_column){"kind", "KIND", COLUMN_NAME, "", 1};
    columns[2] = (struct table_column){"prefix", "PREFIX", COLUMN_WORD, NULL, 2};
    columns[3] = (struct table_column){"increments", "INCR.", COLUMN_WORD, "1/1", 0};
    for (size_t i = 0; i < deck->origin_count; i++) {
        snprintf(names[i], sizeof names[i], "%.*s", TEXT_ARGS(deck->origins[i].origin));
        columns[FIXED_COLUMNS + i] = (struct table_column){names[i], names[i], COLUMN_AMOUNT, NULL, 0};
    }
    return columns;
}

static int print_comparison(const struct comparison *comparison, const struct deck *deck, const struct pricing *pricing,
                            enum table_format format)
{
    char(*names)[ID_MAX + 1] = calloc(deck->origin_count + 1, sizeof *names);
    if (names == NULL)
        abort();
    struct table_column *columns = make_columns(deck, names);
    struct table *table = table_begin(format, stdout, columns, FIXED_COLUMNS + deck->origin_count);
    bool is_priced = true;
    for (size_t i = 0; i < comparison->count;) {
        const struct compared *first = &comparison->rows[i];
        struct prefix_list prefixes = {0};
        do
            prefix_list_add(&prefixes, comparison->rows[i++].named->prefix);
        while (format == TABLE_ALIGNED && i < comparison->count &&
               compare_but_prefix(first, &comparison->rows[i], comparison->origins) == 0);
        is_priced &= print_row(table, comparison, first, prefix_list_text(&prefixes), pricing);
    }
    int code = end_table(table);
    free(columns);
    free(names);
    return is_priced ? code : EX_DATAERR;
}

static int compare(const struct compare_options *options, const char *path, enum table_format format)
{
    struct deck deck;
    struct pricing pricing;
    struct comparison comparison = {0};
    int code = deck_read(&deck, path, &options->deck);
    if (code != EX_OK)
        return code;
    code = pricing_open(&pricing, deck.currency, options->currency, deck.currency, "", options->fx);
    if (code == EX_OK) {
        make_rows(&comparison, &deck, options->destination);
        code = print_comparison(&comparison, &deck, &pricing, format);
        char currency[CURRENCY_TEXT_MAX];
        currency_format(pricing.to, currency);
        if (comparison.count == 0)
            message_note("no destination fits");
        else
            message_note("%s a minute", currency);
        pricing_close(&pricing);
    }
    free(comparison.rows);
    free(comparison.cells);
    deck_free(&deck);
    return code;
}

int rates_compare(int argc, char **argv)
{
    struct compare_options options = {0};
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "destination", .kind = OPTION_TEXT, .target = &options.destination, .value = "TEXT",
         .help = "only destinations with TEXT in their name"},
        {.name = "currency", .kind = OPTION_TEXT, .target = &options.currency, .value = "CUR",
         .help = "show all prices in CUR; else in the deck's currency"},
        FX_OPTION_SPEC(options.fx),
        DECK_OPTION_SPECS("deck-currency", options.deck),
        FORM_OPTION_SPECS(options.form),
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold rates compare",
        .usage = "DECK.csv [OPTIONS]",
        .about = "Shows what a call to the same numbers costs from each origin of a deck, in one\n"
                 "currency: the price a minute, '+' what the connection costs if it does; INCR.\n"
                 "gives first/step increments in seconds unless calls are charged by the second.\n"
                 "No entry: numbers of that origin cannot call there.",
        .examples = "  callfold rates compare deck.csv --destination india\n"
                    "  callfold rates compare deck.csv --currency EUR --fx fx.json --csv > all.csv",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
        .operands_least = 1,
        .operands_most = 1,
    };
    int exit_code;
    enum table_format format;
    if (options_parse(&table, &argc, argv, &exit_code))
        exit_code = table_format_chosen(options.form.json, options.form.csv, &format)
                        ? compare(&options, argv[1], format)
                        : EX_USAGE;
    free(options.deck.origins.values);
    return exit_code;
}
