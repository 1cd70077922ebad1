/* cmd_rates_estimate.c - callfold rates estimate: how long for an amount.
 *
 * The meter's own arithmetic (fold/charge.h) on the deck's prices in the
 * user's currency, so connection charges and increments are in it.
 */
#include <stdlib.h>

#include "events/currency.h"
#include "events/money.h"
#include "events/phone.h"
#include "events/reasons.h"
#include "processor/rates.h"
#include "terminal/message.h"

#define MS_PER_CALL_MINUTE 60000

/* Where people call when nobody says where: example numbers of libphonenumber
 * (Apache-2.0), mobile and landline where a country's prices differ most. */
static const char *const popular_numbers[] = {
    "+918123456789",  "+522221234567", "+639051234567",  "+8613123456789", "+16044345678",   "+12015550123",
    "+447400123456",  "+441212345678", "+33612345678",   "+33123456789",   "+4915123456789", "+493012345678",
    "+34612345678",   "+393123456789", "+48512345678",   "+923012345678",  "+8801812345678", "+84912345678",
    "+2348021234567", "+212650123456", "+5511961234567", "+573211234567",  "+819012345678",  "+61412345678",
    "+972502345678",  "+971501234567",
};

struct estimate_options {
    struct deck_options deck;
    struct form_options form;
    const char *origin, *amount, *currency, *fx, *destination;
    struct option_list to;
    int64_t call_minutes; /* 0: one call as long as the amount lasts */
};

struct estimate {
    const struct deck *deck;
    size_t origin;
    struct pricing pricing;
    int64_t micros;
    int64_t call_minutes;
    struct table *table;
    bool is_priced;
};

/* Talk time that the amount buys in calls of a length: whole calls, then what
 * is left in a last one. *spent is what it costs. */
static int64_t talk_in_calls(const struct tariff *tariff, int64_t micros, int64_t call_ms, int64_t *spent)
{
    int64_t each = charge_cost(tariff, call_ms), talk_ms;
    int64_t calls = each == 0 ? INT64_MAX : charge_covers(micros, each) ? micros / each : 0;
    if (__builtin_mul_overflow(calls, call_ms, &talk_ms) || talk_ms > DURATION_MAX_MS)
        return DURATION_MAX_MS;
    int64_t last_ms = charge_affordable_ms(tariff, micros - calls * each, call_ms);
    *spent = calls * each + charge_cost(tariff, last_ms);
    return talk_ms + last_ms;
}

static int64_t talk_time(const struct tariff *tariff, int64_t micros, int64_t call_minutes, int64_t *spent)
{
    if (call_minutes > 0)
        return talk_in_calls(tariff, micros, call_minutes * MS_PER_CALL_MINUTE, spent);
    int64_t talk_ms = charge_affordable_ms(tariff, micros, DURATION_MAX_MS);
    *spent = charge_cost(tariff, talk_ms);
    return talk_ms;
}

static void print_uncharged(struct table *table)
{
    for (int i = 0; i < 6; i++)
        table_blank(table);
}

static void print_charged(struct estimate *estimate, const struct deck_rate *rate)
{
    struct table *table = estimate->table;
    struct tariff tariff;
    int64_t spent = 0;
    if (!pricing_tariff(&estimate->pricing, rate, &tariff)) {
        estimate->is_priced = false;
        print_uncharged(table);
        return;
    }
    int64_t talk_ms = talk_time(&tariff, estimate->micros, estimate->call_minutes, &spent);
    table_money(table, tariff.price_micros);
    table_money(table, tariff.connect_micros);
    table_number(table, rate->first_s, 0);
    table_number(table, rate->step_s, 0);
    if (talk_ms == DURATION_MAX_MS) { /* a price of nothing */
        table_blank(table);
        table_blank(table);
        return;
    }
    table_duration(table, talk_ms);
    table_money(table, spent);
}

static void print_rate(struct estimate *estimate, struct text to, const struct deck_rate *rate)
{
    table_row(estimate->table, rate == NULL ? "halfbright" : rate_class_colour(rate_class_of(rate)));
    table_text(estimate->table, rate == NULL ? TEXT_NONE : rate->destination);
    table_text(estimate->table, rate == NULL ? TEXT_NONE : rate->kind);
    table_text(estimate->table, to);
    table_string(estimate->table, rate == NULL ? "unknown" : rate_class_name(rate_class_of(rate)));
    if (rate == NULL || rate_class_of(rate) != CLASS_CHARGED)
        print_uncharged(estimate->table);
    else
        print_charged(estimate, rate);
}

static void print_numbers(struct estimate *estimate, const char *const *numbers, size_t count, bool show_unknown)
{
    for (size_t i = 0; i < count; i++) {
        struct text to = text_of(numbers[i]);
        const struct deck_rate *rate = deck_match(estimate->deck, estimate->origin, to);
        if (rate != NULL || show_unknown)
            print_rate(estimate, to, rate);
    }
}

static void print_destinations(struct estimate *estimate, const char *destination)
{
    const struct deck *deck = estimate->deck;
    for (size_t n = 0; n < deck->count; n++) {
        size_t place = deck_nth(deck, n);
        const struct deck_rate *rate = &deck->rates[place];
        if (deck->rate_origins[place] == estimate->origin && text_contains(rate->destination, destination))
            print_rate(estimate, rate->prefix, rate);
    }
}

static int print_estimate(struct estimate *estimate, const struct estimate_options *options, enum table_format format)
{
    char currency[CURRENCY_TEXT_MAX], price_heading[24], cost_heading[24], amount[MONEY_TEXT_MAX];
    currency_format(estimate->pricing.to, currency);
    snprintf(price_heading, sizeof price_heading, "%s/MIN", currency);
    snprintf(cost_heading, sizeof cost_heading, "COST %s", currency);
    const struct table_column columns[] = {
        {"destination", "DESTINATION", COLUMN_NAME, NULL, 0},
        {"kind", "KIND", COLUMN_NAME, "", 1},
        {"to", "TO", COLUMN_WORD, NULL, 2},
        {"status", "STATUS", COLUMN_WORD, "charged", 0},
        {"price", price_heading, COLUMN_AMOUNT, NULL, 0},
        {"connect", "CONNECT", COLUMN_AMOUNT, "0", 0},
        {"first_s", "FIRST", COLUMN_NUMBER, "1", 0},
        {"step_s", "STEP", COLUMN_NUMBER, "1", 0},
        {"talk_ms", "TALK TIME", COLUMN_DURATION, NULL, 0},
        {"cost", cost_heading, COLUMN_AMOUNT, NULL, 0},
    };
    estimate->table = table_begin(format, stdout, columns, sizeof columns / sizeof columns[0]);
    if (options->to.count > 0)
        print_numbers(estimate, options->to.values, options->to.count, true);
    else if (options->destination != NULL)
        print_destinations(estimate, options->destination);
    else
        print_numbers(estimate, popular_numbers, sizeof popular_numbers / sizeof popular_numbers[0], false);
    int code = end_table(estimate->table);
    money_format(estimate->micros, amount);
    message_note("what %s %s buys from %s, %s", amount, currency, options->origin,
                 estimate->call_minutes > 0 ? "in calls of the given length" : "in one call");
    return estimate->is_priced ? code : EX_DATAERR;
}

static int estimate_deck(const struct estimate_options *options, const char *path, int64_t micros,
                         enum table_format format)
{
    struct deck deck;
    struct estimate estimate = {
        .deck = &deck, .micros = micros, .call_minutes = options->call_minutes, .is_priced = true};
    int code = deck_read(&deck, path, &options->deck);
    if (code != EX_OK)
        return code;
    code = pricing_open_origin(&estimate.pricing, &deck, options->origin, options->currency, options->fx,
                               &estimate.origin);
    if (code == EX_OK) {
        code = print_estimate(&estimate, options, format);
        pricing_close(&estimate.pricing);
    }
    deck_free(&deck);
    return code;
}

static bool check_options(const struct estimate_options *options, int64_t *micros)
{
    if (!money_parse(text_of(options->amount), micros) || *micros <= 0) {
        message_error("--amount: '%s' is not an amount above zero such as 25 or 12.50 (at most 6 decimals)",
                      options->amount);
        return false;
    }
    for (size_t i = 0; i < options->to.count; i++)
        if (!phone_is_prefix(text_of(options->to.values[i]))) {
            message_error("--to: '%s' is not a number: write + and its digits, such as +33612345678",
                          options->to.values[i]);
            return false;
        }
    if (options->to.count > 0 && options->destination != NULL)
        message_error("--to and --destination exclude each other: choose one");
    return options->to.count == 0 || options->destination == NULL;
}

int rates_estimate(int argc, char **argv)
{
    struct estimate_options options = {0};
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "amount", .kind = OPTION_TEXT, .target = &options.amount, .value = "AMOUNT", .required = true,
         .help = "the credits to spend, such as 25"},
        {.name = "from-origin", .kind = OPTION_TEXT, .target = &options.origin, .value = "NAME", .required = true,
         .help = "the origin of the number that calls, such as US"},
        {.name = "currency", .kind = OPTION_TEXT, .target = &options.currency, .value = "CUR",
         .help = "the amount's currency; else the origin's home currency"},
        {.name = "to", .kind = OPTION_LIST, .target = &options.to, .value = "NUMBER",
         .help = "a number to call, or how it begins; may be repeated;\nwithout it: popular destinations"},
        {.name = "destination", .kind = OPTION_TEXT, .target = &options.destination, .value = "TEXT",
         .help = "every prefix whose destination has TEXT in its name"},
        {.name = "call-minutes", .kind = OPTION_NUMBER, .target = &options.call_minutes, .value = "N", .least = 1,
         .most = 100000, .help = "talk in calls of N minutes, each with its connection\n"
                                 "charge and increments; else in one call"},
        FX_OPTION_SPEC(options.fx),
        DECK_OPTION_SPECS("deck-currency", options.deck),
        FORM_OPTION_SPECS(options.form),
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold rates estimate",
        .usage = "DECK.csv --amount AMOUNT --from-origin NAME\n[OPTIONS]",
        .about = "Says how long one can talk for an amount, by the arithmetic that charges calls.",
        .examples = "  callfold rates estimate deck.csv --amount 25 --from-origin US\n"
                    "  callfold rates estimate deck.csv --amount 25 --currency USD \\\n"
                    "      --from-origin US --to +33612345678 --call-minutes 5\n"
                    "  callfold rates estimate deck.csv --amount 20 --from-origin FR-mobile \\\n"
                    "      --fx fx.json --destination india",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
        .operands_least = 1,
        .operands_most = 1,
    };
    int exit_code;
    int64_t micros;
    enum table_format format;
    if (options_parse(&table, &argc, argv, &exit_code)) {
        bool is_sound =
            table_format_chosen(options.form.json, options.form.csv, &format) && check_options(&options, &micros);
        exit_code = is_sound ? estimate_deck(&options, argv[1], micros, format) : EX_USAGE;
    }
    free(options.deck.origins.values);
    free(options.to.values);
    return exit_code;
}
