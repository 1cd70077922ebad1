/* rates.h - what the subcommands of `callfold rates` share.
 *
 * Each subcommand is one file, cmd_rates_NAME.c. They read decks (deck_csv.h)
 * and an fx table (fx_file.h), see prices in one currency (struct pricing) and
 * print tables (table.h). For people, rows that differ in nothing but their
 * prefix are merged into one, which names a few of the prefixes; --json and
 * --csv give every prefix its row.
 */
#ifndef CALLFOLD_PROCESSOR_RATES_H
#define CALLFOLD_PROCESSOR_RATES_H

#include "events/encode.h"
#include "processor/deck_csv.h"
#include "processor/fold/charge.h"
#include "processor/fx_file.h"
#include "terminal/table.h"

int rates_publish(int argc, char **argv);
int rates_list(int argc, char **argv);
int rates_compare(int argc, char **argv);
int rates_diff(int argc, char **argv);
int rates_estimate(int argc, char **argv);

/* Prices of a deck as seen in one currency. */
struct pricing {
    uint32_t from;        /* the deck's currency */
    uint32_t to;          /* the one to show */
    struct fx_record *fx; /* malloc'd; NULL where from is to */
};

/* Makes *pricing (pricing_close it). currency (NULL: `preset`) is the one to
 * show, fx_path an fx file or NULL. EX_OK, or the exit code after a message
 * that says which option is missing: EX_USAGE; EX_DATAERR, EX_IOERR for the
 * fx file. `whose` says in that message why it is that currency. */
int pricing_open(struct pricing *pricing, uint32_t deck_currency, const char *currency, uint32_t preset,
                 const char *whose, const char *fx_path);
/* The same for the prices that users of an origin of the deck see, in their
 * home currency unless currency is given; *origin is its place in the deck. */
int pricing_open_origin(struct pricing *pricing, const struct deck *deck, const char *origin_name, const char *currency,
                        const char *fx_path, size_t *origin);
void pricing_close(struct pricing *pricing);

/* How a call at a rate is charged, as users think of it. */
enum rate_class { CLASS_CHARGED, CLASS_FREE, CLASS_DOMESTIC, CLASS_BLOCKED };
enum rate_class rate_class_of(const struct deck_rate *rate);
const char *rate_class_name(enum rate_class class);
const char *rate_class_colour(enum rate_class class); /* NULL: none */

/* What a charged rate costs in pricing's currency (contract, section 5: each
 * amount converted half up, once). False when an amount does not fit; said. */
bool pricing_tariff(const struct pricing *pricing, const struct deck_rate *rate, struct tariff *tariff);

/* What a rate comes to in one cell: "0.02", "0.02 +0.1" (price a minute,
 * connection), "free", "domestic", "blocked"; empty for NULL. False as above. */
#define PRICE_TEXT_MAX 64
bool pricing_text(const struct pricing *pricing, const struct deck_rate *rate, char out[PRICE_TEXT_MAX]);
/* Its increments in seconds as the trade writes them, first/step: "60/6";
 * empty unless it is charged. */
#define INCREMENTS_TEXT_MAX 24
void increments_text(const struct deck_rate *rate, char out[INCREMENTS_TEXT_MAX]);

/* Total order of charging terms, for sorting rows that are to be merged: class,
 * and for charged rates price, connect and increments. */
int compare_terms(const struct deck_rate *a, const struct deck_rate *b);

/* True when text holds part, ASCII letters of either case alike; an absent
 * part is in every text. */
bool text_contains(struct text text, const char *part);
bool text_begins(struct text text, struct text beginning);

/* The prefixes of a merged row: the first, and the second or how many more. */
struct prefix_list {
    struct text first, second;
    size_t count;
    char text[64];
};
void prefix_list_add(struct prefix_list *list, struct text prefix);
/* As it is to be printed; valid until the list changes. */
const char *prefix_list_text(struct prefix_list *list);

/* EX_OK, or EX_IOERR after a message when a table could not be written. */
int end_table(struct table *table);

/* clang-format off */
#define FX_OPTION_SPEC(path)                                                                       \
    {.name = "fx", .kind = OPTION_TEXT, .target = &(path), .value = "FILE",                        \
     .help = "exchange rates: {\"base\":\"USD\",\"rates\":{\"EUR\":\"0.92\"}},\n"                    \
             "an fx.published event, or CSV ('# base: USD', then\n"                                \
             "lines currency,rate)"}
/* clang-format on */

/* The options of every subcommand that prints a table. */
struct form_options {
    bool json, csv;
};
/* clang-format off */
#define FORM_OPTION_SPECS(options)                                                                 \
    {.name = "json", .kind = OPTION_FLAG, .target = &(options).json,                               \
     .help = "an array of objects, for programs"},                                                 \
    {.name = "csv", .kind = OPTION_FLAG, .target = &(options).csv,                                 \
     .help = "comma-separated values, for spreadsheets"}
/* clang-format on */

#endif
