/* rates_list.c - see rates_list.h. */
#include "processor/rates_list.h"

#include <stdlib.h>

#include "events/currency.h"
#include "events/phone.h"
#include "terminal/message.h"

/* A row, before those that differ in their prefix only are merged. */
struct listed {
    const struct deck_rate *rate;
    struct tariff tariff;
    const char *status;
    const char *colour;
};

struct listing {
    size_t count;
    struct listed *rows;
};

bool check_prefix_option(const char *prefix)
{
    if (prefix == NULL || phone_is_prefix(text_of(prefix)))
        return true;
    message_error("--prefix: '%s' is not a prefix: write + and 1 to 15 digits, such as +336", prefix);
    return false;
}

/* A rate is asked for when numbers that begin with the filter's prefix may pay it. */
static bool is_wanted(const struct deck *deck, size_t origin, const struct list_filter *filter,
                      const struct deck_rate *rate)
{
    if (!text_contains(rate->destination, filter->destination))
        return false;
    struct text prefix = text_of(filter->prefix);
    return !text_present(prefix) || text_begins(rate->prefix, prefix) || deck_match(deck, origin, prefix) == rate;
}

/* A prefix that the account blocks, and the rate of numbers that are no longer than it. */
struct block {
    struct text prefix;
    const struct deck_rate *rate;
};

static struct block *match_blocks(const struct deck *deck, size_t origin, const struct text *prefixes, size_t count)
{
    struct block *blocks = malloc((count + 1) * sizeof *blocks);
    if (blocks == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        blocks[i] = (struct block){prefixes[i], deck_match(deck, origin, prefixes[i])};
    return blocks;
}

/* A block that begins with the rate's prefix and is longer takes only a part of
 * its numbers, unless a longer rate prices those. */
static const char *status_of(const struct deck_rate *rate, const struct block *blocks, size_t block_count)
{
    bool is_part = false;
    enum rate_class class = rate_class_of(rate);
    for (size_t i = 0; i < block_count && (class == CLASS_CHARGED || class == CLASS_FREE); i++) {
        if (text_begins(rate->prefix, blocks[i].prefix))
            return "blocked by account";
        is_part |= blocks[i].rate == rate;
    }
    return is_part ? "partly blocked by account" : rate_class_name(class);
}

static int compare_listed(const void *left, const void *right)
{
    const struct listed *a = left, *b = right;
    int order = text_compare(a->rate->destination, b->rate->destination);
    if (order == 0)
        order = text_compare(a->rate->kind, b->rate->kind);
    if (order == 0)
        order = compare_terms(a->rate, b->rate);
    if (order == 0)
        order = strcmp(a->status, b->status);
    return order != 0 ? order : text_compare(a->rate->prefix, b->rate->prefix);
}

static bool may_merge(const struct listed *a, const struct listed *b)
{
    return text_equal(a->rate->destination, b->rate->destination) && text_equal(a->rate->kind, b->rate->kind) &&
           compare_terms(a->rate, b->rate) == 0 && strcmp(a->status, b->status) == 0;
}

static void print_terms(struct table *table, const struct listed *row, uint32_t currency)
{
    if (rate_class_of(row->rate) != CLASS_CHARGED) {
        for (int i = 0; i < 5; i++)
            table_blank(table);
        return;
    }
    table_money(table, row->tariff.price_micros);
    table_currency(table, currency);
    table_money(table, row->tariff.connect_micros);
    table_number(table, row->rate->first_s, 0);
    table_number(table, row->rate->step_s, 0);
}

static void print_row(struct table *table, const struct listed *row, const char *prefixes, uint32_t currency)
{
    table_row(table, row->colour);
    table_text(table, row->rate->destination);
    table_text(table, row->rate->kind);
    table_string(table, prefixes);
    table_string(table, row->status);
    print_terms(table, row, currency);
}

static int print_listing(const struct listing *listing, uint32_t currency, enum table_format format)
{
    static const struct table_column columns[] = {
        {"destination", "DESTINATION", COLUMN_NAME, NULL, 0},
        {"kind", "KIND", COLUMN_NAME, "", 1},
        {"prefix", "PREFIX", COLUMN_WORD, NULL, 2},
        {"status", "STATUS", COLUMN_WORD, NULL, 0},
        {"price", "PER MIN", COLUMN_AMOUNT, NULL, 0},
        {"currency", "CUR", COLUMN_WORD, NULL, 0},
        {"connect", "CONNECT", COLUMN_AMOUNT, "0", 0},
        {"first_s", "FIRST", COLUMN_NUMBER, "1", 0},
        {"step_s", "STEP", COLUMN_NUMBER, "1", 0},
    };
    struct table *table = table_begin(format, stdout, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < listing->count;) {
        const struct listed *first = &listing->rows[i];
        struct prefix_list prefixes = {0};
        do
            prefix_list_add(&prefixes, listing->rows[i++].rate->prefix);
        while (format == TABLE_ALIGNED && i < listing->count && may_merge(first, &listing->rows[i]));
        print_row(table, first, prefix_list_text(&prefixes), currency);
    }
    return end_table(table);
}

int print_rate_list(const struct deck *deck, size_t origin, const struct pricing *pricing,
                    const struct list_filter *filter, const struct text *blocked, size_t block_count,
                    enum table_format format)
{
    struct listing listing = {.rows = malloc((deck->count + 1) * sizeof *listing.rows)};
    if (listing.rows == NULL)
        abort();
    struct block *blocks = match_blocks(deck, origin, blocked, block_count);
    bool is_priced = true;
    for (size_t i = 0; i < deck->count && is_priced; i++) {
        const struct deck_rate *rate = &deck->rates[i];
        if (deck->rate_origins[i] != origin || !is_wanted(deck, origin, filter, rate))
            continue;
        struct listed *row = &listing.rows[listing.count++];
        *row = (struct listed){.rate = rate, .status = status_of(rate, blocks, block_count)};
        row->colour = rate_class_colour(rate_class_of(rate));
        is_priced = rate_class_of(rate) != CLASS_CHARGED || pricing_tariff(pricing, rate, &row->tariff);
    }
    int code = EX_DATAERR;
    if (is_priced) {
        qsort(listing.rows, listing.count, sizeof *listing.rows, compare_listed);
        code = print_listing(&listing, pricing->to, format);
        if (listing.count == 0)
            message_note("no destination fits");
    }
    free(blocks);
    free(listing.rows);
    return code;
}
