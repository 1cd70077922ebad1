/* Rate decks: their opening, their rates, their publication. */
#include <stdio.h>
#include <stdlib.h>

#include "events/decode_internal.h"

#define INCREMENT_MAX_S 86400
#define COUNT_MAX       9007199254740991LL /* 2^53-1: what JSON numbers carry exactly */

static bool decode_origin(const struct fields *origin, struct deck_origin *out)
{
    return field_id(origin, "origin", &out->origin) && field_country(origin, "country", &out->country) &&
           field_currency(origin, "currency", &out->currency);
}

static int compare_texts(const void *left, const void *right)
{
    return text_compare(*(const struct text *)left, *(const struct text *)right);
}

/* One origin with two home currencies would leave it open which one holds. */
static bool origins_differ(const struct fields *data, const struct deck_origin *origins, size_t count)
{
    struct text *names = decoder_array(data->decoder, 1, count, sizeof(*names));

    for (size_t i = 0; i < count; i++)
        names[i] = origins[i].origin;
    qsort(names, count, sizeof(*names), compare_texts);
    for (size_t i = 1; i < count; i++)
        if (text_equal(names[i - 1], names[i])) {
            data->error->reason = REJECT_INVALID_FIELD;
            snprintf(data->error->detail, DETAIL_MAX, "data.origins: \"%.*s\" twice, expected each origin once",
                     TEXT_ARGS(names[i]));
            return false;
        }
    return true;
}

bool decode_deck_opened(const struct fields *data, struct event *event)
{
    json_t *array;

    if (!field_id(data, "deck_id", &event->data.deck_opened.deck_id) ||
        !field_currency(data, "currency", &event->data.deck_opened.currency) ||
        !field_instant(data, "effective_at", &event->data.deck_opened.effective_at_ms) ||
        !field_array(data, "origins", &array))
        return false;

    size_t count = json_array_size(array);
    struct deck_origin *origins = decoder_array(data->decoder, 0, count, sizeof(*origins));
    for (size_t i = 0; i < count; i++) {
        struct fields origin;
        if (!field_element(data, array, "data.origins", i, &origin) || !decode_origin(&origin, &origins[i]))
            return false;
    }
    event->data.deck_opened.origin_count = count;
    event->data.deck_opened.origins = origins;
    return origins_differ(data, origins, count);
}

static bool decode_status(const struct fields *rate, enum rate_status *out)
{
#define X(symbol, word) word,
    static const char *const statuses[] = {RATE_STATUSES(X)};
#undef X
    int status;

    if (!field_word(rate, "status", statuses, RATE_STATUS_COUNT, &status))
        return false;
    *out = (enum rate_status)status;
    return true;
}

/* A number of seconds that may be left out: 1 then. */
static bool decode_increment(const struct fields *rate, const char *name, uint32_t *out)
{
    int64_t seconds = 1;

    if (field_given(rate, name) && !field_integer(rate, name, 1, INCREMENT_MAX_S, &seconds))
        return false;
    *out = (uint32_t)seconds;
    return true;
}

static bool decode_rate(const struct fields *rate, struct deck_rate *out)
{
    *out = (struct deck_rate){0};
    if (!field_id(rate, "origin", &out->origin) || !field_prefix(rate, "prefix", &out->prefix) ||
        !field_words(rate, "destination", &out->destination) || !decode_status(rate, &out->status))
        return false;
    if ((out->status == RATE_OPEN || field_given(rate, "price")) && !field_price(rate, "price", &out->price_micros))
        return false;
    if (field_given(rate, "connect") && !field_price(rate, "connect", &out->connect_micros))
        return false;
    return decode_increment(rate, "first_s", &out->first_s) && decode_increment(rate, "step_s", &out->step_s) &&
           (!field_given(rate, "kind") || field_words(rate, "kind", &out->kind)) &&
           (!field_given(rate, "domestic") || field_boolean(rate, "domestic", &out->domestic));
}

bool decode_deck_rates(const struct fields *data, struct event *event)
{
    json_t *array;

    if (!field_id(data, "deck_id", &event->data.deck_rates.deck_id) || !field_array(data, "rates", &array))
        return false;

    size_t count = json_array_size(array);
    struct deck_rate *rates = decoder_array(data->decoder, 0, count, sizeof(*rates));
    for (size_t i = 0; i < count; i++) {
        struct fields rate;
        if (!field_element(data, array, "data.rates", i, &rate) || !decode_rate(&rate, &rates[i]))
            return false;
    }
    event->data.deck_rates.count = count;
    event->data.deck_rates.rates = rates;
    return true;
}

bool decode_deck_published(const struct fields *data, struct event *event)
{
    return field_id(data, "deck_id", &event->data.deck_published.deck_id) &&
           field_integer(data, "rates", 0, COUNT_MAX, &event->data.deck_published.rates);
}
