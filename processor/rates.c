/* rates.c - see rates.h. */
#include "processor/rates.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "events/currency.h"
#include "events/money.h"
#include "events/phone.h"
#include "terminal/message.h"

static int read_fx(struct pricing *pricing, const char *fx_path)
{
    int64_t numerator, denominator;
    int code = fx_read(&pricing->fx, fx_path);
    if (code != EX_OK || fx_ratio_of(pricing->fx, pricing->from, pricing->to, &numerator, &denominator))
        return code;
    pricing_close(pricing);
    char from[CURRENCY_TEXT_MAX], to[CURRENCY_TEXT_MAX];
    currency_format(pricing->from, from);
    currency_format(pricing->to, to);
    return message_fail(EX_DATAERR, "%s: no rate from %s to %s: add the one that is missing", fx_path, from, to);
}

int pricing_open(struct pricing *pricing, uint32_t deck_currency, const char *currency, uint32_t preset,
                 const char *whose, const char *fx_path)
{
    *pricing = (struct pricing){.from = deck_currency, .to = preset};
    if (currency != NULL && (!currency_parse(text_of(currency), &pricing->to) || !currency_known(pricing->to)))
        return message_fail(EX_USAGE, "--currency: '%s' is not a currency of ISO 4217, such as USD", currency);
    if (pricing->from == pricing->to)
        return EX_OK;
    if (fx_path != NULL)
        return read_fx(pricing, fx_path);
    char from[CURRENCY_TEXT_MAX], to[CURRENCY_TEXT_MAX];
    currency_format(pricing->from, from);
    currency_format(pricing->to, to);
    if (currency != NULL)
        return message_fail(EX_USAGE, "the deck is in %s: to see it in %s give --fx FILE with the exchange rate", from,
                            to);
    return message_fail(EX_USAGE,
                        "%s in %s and the deck is in %s: give --fx FILE with the exchange rate, or --currency %s",
                        whose, to, from, from);
}

static int refuse_origin(const struct deck *deck, const char *name)
{
    char names[256] = "";
    size_t len = 0;
    for (size_t i = 0; i < deck->origin_count && len < sizeof names; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%.*s", i == 0 ? "" : ", ",
                                TEXT_ARGS(deck->origins[i].origin));
    return message_fail(EX_USAGE, "--from-origin: the deck has no origin '%s'; it has %s", name, names);
}

int pricing_open_origin(struct pricing *pricing, const struct deck *deck, const char *origin_name, const char *currency,
                        const char *fx_path, size_t *origin)
{
    *origin = deck_find_origin(deck, text_of(origin_name));
    if (*origin == deck->origin_count)
        return refuse_origin(deck, origin_name);
    char whose[ID_MAX + 32];
    snprintf(whose, sizeof whose, "users of %s see prices", origin_name);
    return pricing_open(pricing, deck->currency, currency, deck->origins[*origin].currency, whose, fx_path);
}

void pricing_close(struct pricing *pricing)
{
    free(pricing->fx);
    pricing->fx = NULL;
}

bool pricing_tariff(const struct pricing *pricing, const struct deck_rate *rate, struct tariff *tariff)
{
    int64_t numerator, denominator;
    *tariff = (struct tariff){.first_ms = (int64_t)rate->first_s * 1000, .step_ms = (int64_t)rate->step_s * 1000};
    if (fx_ratio_of(pricing->fx, pricing->from, pricing->to, &numerator, &denominator) &&
        mul_div_half_up(rate->price_micros, numerator, denominator, &tariff->price_micros) &&
        mul_div_half_up(rate->connect_micros, numerator, denominator, &tariff->connect_micros))
        return true;
    message_error("the price of prefix %.*s does not fit once it is converted", TEXT_ARGS(rate->prefix));
    return false;
}

bool pricing_text(const struct pricing *pricing, const struct deck_rate *rate, char out[PRICE_TEXT_MAX])
{
    out[0] = '\0';
    if (rate == NULL)
        return true;
    if (rate_class_of(rate) != CLASS_CHARGED) {
        snprintf(out, PRICE_TEXT_MAX, "%s", rate_class_name(rate_class_of(rate)));
        return true;
    }
    struct tariff tariff;
    if (!pricing_tariff(pricing, rate, &tariff))
        return false;
    char price[MONEY_TEXT_MAX], connect[MONEY_TEXT_MAX];
    money_format(tariff.price_micros, price);
    money_format(tariff.connect_micros, connect);
    snprintf(out, PRICE_TEXT_MAX, "%s%s%s", price, tariff.connect_micros > 0 ? " +" : "",
             tariff.connect_micros > 0 ? connect : "");
    return true;
}

void increments_text(const struct deck_rate *rate, char out[INCREMENTS_TEXT_MAX])
{
    out[0] = '\0';
    if (rate != NULL && rate_class_of(rate) == CLASS_CHARGED)
        snprintf(out, INCREMENTS_TEXT_MAX, "%" PRIu32 "/%" PRIu32, rate->first_s, rate->step_s);
}

enum rate_class rate_class_of(const struct deck_rate *rate)
{
    if (rate->status == RATE_BLOCKED)
        return CLASS_BLOCKED;
    if (rate->domestic)
        return CLASS_DOMESTIC;
    return rate->status == RATE_FREE ? CLASS_FREE : CLASS_CHARGED;
}

const char *rate_class_name(enum rate_class class)
{
    static const char *const names[] = {"charged", "free", "domestic", "blocked"};
    return names[class];
}

const char *rate_class_colour(enum rate_class class)
{
    static const char *const colours[] = {NULL, "green", "green", "halfbright"};
    return colours[class];
}

static int compare_numbers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

int compare_terms(const struct deck_rate *a, const struct deck_rate *b)
{
    enum rate_class class = rate_class_of(a);
    int order = compare_numbers(class, rate_class_of(b));
    if (order != 0 || class != CLASS_CHARGED)
        return order;
    order = compare_numbers(a->price_micros, b->price_micros);
    if (order == 0)
        order = compare_numbers(a->connect_micros, b->connect_micros);
    if (order == 0)
        order = compare_numbers(a->first_s, b->first_s);
    return order != 0 ? order : compare_numbers(a->step_s, b->step_s);
}

bool text_contains(struct text text, const char *part)
{
    size_t len = part == NULL ? 0 : strlen(part);
    for (size_t i = 0; i + len <= text.len; i++)
        if (len == 0 || strncasecmp(text.at + i, part, len) == 0)
            return true;
    return len == 0;
}

bool text_begins(struct text text, struct text beginning)
{
    return text.len >= beginning.len && text_equal((struct text){text.at, beginning.len}, beginning);
}

void prefix_list_add(struct prefix_list *list, struct text prefix)
{
    if (list->count == 0)
        list->first = prefix;
    if (list->count == 1)
        list->second = prefix;
    list->count++;
}

const char *prefix_list_text(struct prefix_list *list)
{
    int len = snprintf(list->text, sizeof list->text, "%.*s", TEXT_ARGS(list->first));
    if (list->count == 2)
        snprintf(list->text + len, sizeof list->text - (size_t)len, " %.*s", TEXT_ARGS(list->second));
    if (list->count > 2)
        snprintf(list->text + len, sizeof list->text - (size_t)len, " and %zu more", list->count - 1);
    return list->text;
}

int end_table(struct table *table)
{
    return table_end(table) ? EX_OK : message_fail(EX_IOERR, "standard output could not be written");
}
