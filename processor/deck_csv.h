/* deck_csv.h - a rate deck as people keep it: a CSV file.
 *
 * examples/decks/README.md describes the form: `# currency: USD` and
 * `# origin: NAME COUNTRY CURRENCY` lines, then a line of column names, then
 * one rate a line. deck_read checks all that the meter would check of the
 * ratedeck.* events made from it, and names file, line and column of every
 * fault, so that a deck which reads well is published well.
 */
#ifndef CALLFOLD_PROCESSOR_DECK_CSV_H
#define CALLFOLD_PROCESSOR_DECK_CSV_H

#include "processor/deck.h"
#include "terminal/options.h"

/* What the command line says of a deck, over what its head says. */
struct deck_options {
    const char *currency;       /* NULL: the head's */
    struct option_list origins; /* "NAME COUNTRY CURRENCY" each, in place of the head's of that name or besides */
};

/* The options that fill it, for a command's table; `currency_name` is what
 * the command calls the first, where "currency" has another meaning already. */
/* clang-format off */
#define DECK_OPTION_SPECS(currency_name, options)                                                  \
    {.name = currency_name, .kind = OPTION_TEXT, .target = &(options).currency, .value = "CUR",    \
     .help = "currency of the deck's prices, in place of its\n"                                    \
             "'# currency:' line"},                                                                \
    {.name = "origin", .kind = OPTION_LIST, .target = &(options).origins, .value = "ORIGIN",       \
     .help = "an origin of the deck, 'NAME COUNTRY CURRENCY' as in\n"                              \
             "its '# origin:' lines: replaces the one of that name\n"                              \
             "or adds one; may be repeated"}
/* clang-format on */

/* Reads the deck at path ("-" is stdin). EX_OK and *deck (deck_free it), or
 * the exit code after messages: EX_IOERR when the file cannot be read,
 * EX_DATAERR for faults in it, EX_USAGE for faults in options. The texts of
 * *deck also borrow from options' values. */
int deck_read(struct deck *deck, const char *path, const struct deck_options *options);

#endif
