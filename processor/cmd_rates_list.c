/* cmd_rates_list.c - callfold rates list: what a number pays. */
#include <stdlib.h>

#include "events/currency.h"
#include "processor/rates_list.h"
#include "terminal/message.h"

struct list_options {
    struct deck_options deck;
    struct form_options form;
    const char *origin, *currency, *fx;
    const char *state_dir, *account, *number;
    struct list_filter filter;
};

static int list_deck(const struct list_options *options, const char *path, enum table_format format)
{
    struct deck deck;
    struct pricing pricing;
    int code = deck_read(&deck, path, &options->deck);
    if (code != EX_OK)
        return code;
    size_t origin;
    code = pricing_open_origin(&pricing, &deck, options->origin, options->currency, options->fx, &origin);
    if (code == EX_OK) {
        code = print_rate_list(&deck, origin, &pricing, &options->filter, NULL, 0, format);
        pricing_close(&pricing);
    }
    deck_free(&deck);
    return code;
}

static int list(const struct list_options *options, const char *path, enum table_format format)
{
    bool is_live = options->state_dir != NULL;
    if (is_live == (path != NULL))
        return message_fail(EX_USAGE, "give either a DECK.csv or --state DIR: one list at a time");
    if (is_live && (options->account == NULL || options->number == NULL))
        return message_fail(EX_USAGE, "--state needs --account ID and --number NUMBER: whose list is it?");
    if (is_live && (options->origin != NULL || options->fx != NULL))
        return message_fail(EX_USAGE, "--from-origin and --fx go with a DECK.csv: a state knows both for itself");
    if (!is_live && (options->account != NULL || options->number != NULL))
        return message_fail(EX_USAGE, "--account and --number go with --state DIR");
    if (!is_live && options->origin == NULL)
        return message_fail(EX_USAGE, "--from-origin NAME is missing: whose prices are they?");
    if (!is_live)
        return list_deck(options, path, format);
    const struct live_question question = {.state_dir = options->state_dir,
                                           .account = options->account,
                                           .number = options->number,
                                           .currency = options->currency,
                                           .filter = options->filter,
                                           .format = format};
    return list_live_rates(&question);
}

int rates_list(int argc, char **argv)
{
    struct list_options options = {0};
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "from-origin", .kind = OPTION_TEXT, .target = &options.origin, .value = "NAME",
         .help = "the origin whose prices are listed, such as US"},
        {.name = "state", .kind = OPTION_TEXT, .target = &options.state_dir, .value = "DIR",
         .help = "list from a state directory: the deck in force there"},
        {.name = "account", .kind = OPTION_TEXT, .target = &options.account, .value = "ID",
         .help = "with --state: the account"},
        {.name = "number", .kind = OPTION_TEXT, .target = &options.number, .value = "NUMBER",
         .help = "with --state: the account's number that calls"},
        {.name = "destination", .kind = OPTION_TEXT, .target = &options.filter.destination, .value = "TEXT",
         .help = "only destinations with TEXT in their name"},
        {.name = "prefix", .kind = OPTION_TEXT, .target = &options.filter.prefix, .value = "PREFIX",
         .help = "only what numbers that begin with PREFIX may pay;\na whole number does as well"},
        {.name = "currency", .kind = OPTION_TEXT, .target = &options.currency, .value = "CUR",
         .help = "show prices in CUR; else in the origin's home currency"},
        FX_OPTION_SPEC(options.fx),
        DECK_OPTION_SPECS("deck-currency", options.deck),
        FORM_OPTION_SPECS(options.form),
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold rates list",
        .usage = "DECK.csv --from-origin NAME [OPTIONS]\n--state DIR --account ID --number NUMBER [OPTIONS]",
        .about = "Lists what calls cost a minute: from a deck, or live for a number of an account.\n"
                 "Prices are in the currency that the number's users see, converted as the meter\n"
                 "does it: rounded half up to a millionth. Prefixes with one price share a row;\n"
                 "--json and --csv give every prefix its own.",
        .examples = "  callfold rates list deck.csv --from-origin US --destination france\n"
                    "  callfold rates list deck.csv --from-origin FR-mobile --fx fx.json \\\n"
                    "      --prefix +4420\n"
                    "  callfold rates list --state state --account acct-17 \\\n"
                    "      --number +12025550123 --csv > prices.csv",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
        .operands_most = 1,
    };
    int exit_code;
    enum table_format format;
    if (options_parse(&table, &argc, argv, &exit_code)) {
        bool is_sound = table_format_chosen(options.form.json, options.form.csv, &format) &&
                        check_prefix_option(options.filter.prefix);
        exit_code = is_sound ? list(&options, argv[1], format) : EX_USAGE;
    }
    free(options.deck.origins.values);
    return exit_code;
}
