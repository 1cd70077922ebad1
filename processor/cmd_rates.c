/* cmd_rates.c - callfold rates: a table of what can be done with rate decks. */
#include "processor/commands.h"
#include "processor/rates.h"
#include "terminal/options.h"

static const struct command commands[] = {
    {"publish", rates_publish, "check a deck and print the events that put it in force"},
    {"list", rates_list, "what a number pays: destinations and prices"},
    {"compare", rates_compare, "what the same destination costs from each origin"},
    {"diff", rates_diff, "what a new deck changes against an old one"},
    {"estimate", rates_estimate, "how long one can talk for an amount"},
};

static const struct command_table table = {
    .program = "callfold rates",
    .about = "A rate deck is a CSV file (examples/decks/README.md) that says what calls cost\n"
             "from each origin (US, FR-mobile ...) to each prefix. These commands check,\n"
             "publish and explain decks. Prices are exact: what is shown is what a call is\n"
             "charged.",
    .examples = "  callfold rates list deck.csv --from-origin US --destination france\n"
                "  callfold rates estimate deck.csv --from-origin US --amount 25\n"
                "  callfold rates diff october.csv november.csv --notice",
    .commands = commands,
    .count = sizeof commands / sizeof commands[0],
};

int cmd_rates(int argc, char **argv)
{
    return command_dispatch(&table, argc, argv);
}
