/* The policy, and exchange rates: both map currencies to decimals. */
#include <stdlib.h>

#include "events/currency.h"
#include "events/decode_internal.h"
#include "events/money.h"

/* A member's name as a currency; the error names the member. */
static bool key_currency(const struct fields *map, const char *key, uint32_t *out)
{
    return currency_parse(text_of(key), out) ||
           field_wrong(map, key, json_object_get(map->object, key),
                       "a currency of ISO 4217, three capital letters, as its name");
}

static int compare_rates(const void *left, const void *right)
{
    uint32_t a = ((const struct fx_rate *)left)->currency, b = ((const struct fx_rate *)right)->currency;

    return (a > b) - (a < b);
}

bool decode_fx(const struct fields *data, struct event *event)
{
    struct fields map;
    const char *key;
    json_t *value;

    if (!field_currency(data, "base", &event->data.fx.base) || !field_object(data, "rates", "data.rates", &map))
        return false;
    struct fx_rate *rates = decoder_array(data->decoder, 0, json_object_size(map.object), sizeof(*rates));
    size_t count = 0;
    json_object_foreach ((json_t *)map.object, key, value) {
        struct fx_rate *rate = &rates[count++];
        if (!key_currency(&map, key, &rate->currency) || !field_fx_rate(&map, key, &rate->nanos))
            return false;
        if (rate->currency == event->data.fx.base && rate->nanos != NANOS_PER_UNIT)
            return field_wrong(&map, key, value, "\"1\", for it is the base");
    }
    qsort(rates, count, sizeof(*rates), compare_rates);
    event->data.fx.count = count;
    event->data.fx.rates = rates;
    return field_instant(data, "effective_at", &event->data.fx.effective_at_ms);
}

static int compare_amounts(const void *left, const void *right)
{
    uint32_t a = ((const struct amount *)left)->currency, b = ((const struct amount *)right)->currency;

    return (a > b) - (a < b);
}

static bool decode_map(const struct fields *data, const char *name, const char *path, enum policy_map which,
                       struct event *event)
{
    struct fields map;
    const char *key;
    json_t *value;

    if (!field_object(data, name, path, &map))
        return false;
    struct amount *amounts = decoder_array(data->decoder, which, json_object_size(map.object), sizeof(*amounts));
    size_t count = 0;
    json_object_foreach ((json_t *)map.object, key, value) {
        struct amount *amount = &amounts[count++];
        if (!key_currency(&map, key, &amount->currency) || !field_price(&map, key, &amount->micros))
            return false;
    }
    qsort(amounts, count, sizeof(*amounts), compare_amounts);
    event->data.policy.has_map[which] = true;
    event->data.policy.map_count[which] = count;
    event->data.policy.map[which] = amounts;
    return true;
}

_Static_assert(POLICY_MAP_COUNT <= DECODER_ARRAYS, "each map of the policy needs an array of its own");

bool decode_policy(const struct fields *data, struct event *event)
{
#define X(symbol, name, preset, least, most) {name, least, most},
    static const struct {
        const char *name;
        int64_t least, most;
    } numbers[] = {POLICY_NUMBERS(X)};
#undef X
#define X(symbol, name) {name, "data." name},
    static const struct {
        const char *name, *path;
    } maps[] = {POLICY_MAPS(X)};
#undef X

    for (int i = 0; i < POLICY_NUMBER_COUNT; i++) {
        if (!field_given(data, numbers[i].name))
            continue;
        event->data.policy.has_number[i] = true;
        if (!field_integer(data, numbers[i].name, numbers[i].least, numbers[i].most, &event->data.policy.number[i]))
            return false;
    }
    for (int i = 0; i < POLICY_MAP_COUNT; i++)
        if (field_given(data, maps[i].name) && !decode_map(data, maps[i].name, maps[i].path, (enum policy_map)i, event))
            return false;
    return true;
}
