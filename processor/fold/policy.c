#include "processor/fold/internal.h"

#define X(symbol, word, preset, least, most) [POLICY_##symbol] = preset,
static const int64_t presets[POLICY_NUMBER_COUNT] = {POLICY_NUMBERS(X)};
#undef X

static struct policy_record *policy_new(struct fold *fold, size_t amounts)
{
    struct key key;
    key_begin(&key, RECORD_POLICY);
    return record_body(
        state_create(fold->state, &key, sizeof(struct policy_record) + amounts * sizeof(struct amount_record)));
}

void policy_create(struct fold *fold)
{
    struct policy_record *policy = policy_new(fold, 0);
    for (int i = 0; i < POLICY_NUMBER_COUNT; i++) {
        policy->number[i] = presets[i];
        policy->number_time_ms[i] = TIME_NEVER;
    }
    for (int i = 0; i < POLICY_MAP_COUNT; i++)
        policy->map_time_ms[i] = TIME_NEVER;
    policy->version = 1;
    fold->policy = policy;
}

static const struct amount_record *map_of(const struct policy_record *policy, int map)
{
    const struct amount_record *at = policy->maps;
    for (int i = 0; i < map; i++)
        at += policy->map_count[i];
    return at;
}

bool policy_amount(const struct fold *fold, enum policy_map map, uint32_t currency, int64_t *micros)
{
    const struct amount_record *amounts = map_of(fold->policy, (int)map);
    for (uint32_t i = 0; i < fold->policy->map_count[map]; i++) {
        if (amounts[i].currency == currency) {
            *micros = amounts[i].micros;
            return true;
        }
    }
    return false;
}

static enum verdict check_currencies(struct fold *fold, const struct event *event)
{
    for (int map = 0; map < POLICY_MAP_COUNT; map++) {
        for (size_t i = 0; event->data.policy.has_map[map] && i < event->data.policy.map_count[map]; i++) {
            uint32_t code = event->data.policy.map[map][i].currency;
            char text[CURRENCY_TEXT_MAX];
            currency_format(code, text);
            if (!currency_known(code))
                return reject(fold, REJECT_CURRENCY_UNKNOWN, "data.%s: %s is not in ISO 4217",
                              policy_map_name((enum policy_map)map), text);
        }
    }
    return APPLIED;
}

/* The horizon must outlast two lost ticks and the way of a cutoff to the
 * platform, or a platform that obeys could still overrun. */
static enum verdict check_horizon(struct fold *fold, const struct policy_record *next)
{
    int64_t least = 2 * next->number[POLICY_TICK_MS] + 10 * MS_PER_SECOND;
    if (next->number[POLICY_HORIZON_MS] >= least)
        return APPLIED;
    return reject(fold, REJECT_INVALID_FIELD, "data.horizon_ms: %lld is less than 2 tick_ms + 10000 = %lld",
                  (long long)next->number[POLICY_HORIZON_MS], (long long)least);
}

/* Which members of the event are news: not older than the last change, and at
 * the same time not what holds already. */
struct policy_news {
    bool number[POLICY_NUMBER_COUNT], map[POLICY_MAP_COUNT];
    bool any;
};

static bool same_map(const struct policy_record *policy, int map, const struct event *event)
{
    const struct amount_record *held = map_of(policy, map);
    if (policy->map_count[map] != event->data.policy.map_count[map])
        return false;
    for (uint32_t i = 0; i < policy->map_count[map]; i++)
        if (held[i].micros != event->data.policy.map[map][i].micros ||
            held[i].currency != event->data.policy.map[map][i].currency)
            return false;
    return true;
}

static struct policy_news news_of(const struct policy_record *policy, const struct event *event)
{
    struct policy_news news = {.any = false};
    for (int i = 0; i < POLICY_NUMBER_COUNT; i++) {
        news.number[i] =
            event->data.policy.has_number[i] &&
            (event->time_ms > policy->number_time_ms[i] ||
             (event->time_ms == policy->number_time_ms[i] && event->data.policy.number[i] != policy->number[i]));
        news.any |= news.number[i];
    }
    for (int i = 0; i < POLICY_MAP_COUNT; i++) {
        news.map[i] = event->data.policy.has_map[i] &&
                      (event->time_ms > policy->map_time_ms[i] ||
                       (event->time_ms == policy->map_time_ms[i] && !same_map(policy, i, event)));
        news.any |= news.map[i];
    }
    return news;
}

static void take_numbers(struct policy_record *next, const struct event *event, const struct policy_news *news)
{
    for (int i = 0; i < POLICY_NUMBER_COUNT; i++) {
        if (news->number[i]) {
            next->number[i] = event->data.policy.number[i];
            next->number_time_ms[i] = event->time_ms;
        }
    }
}

/* Writes the maps of the new policy: the event's where it brings news, else the old. */
static void take_maps(struct policy_record *next, const struct policy_record *old, const struct event *event,
                      const struct policy_news *news)
{
    struct amount_record *at = next->maps;
    for (int map = 0; map < POLICY_MAP_COUNT; map++) {
        if (!news->map[map]) {
            memcpy(at, map_of(old, map), old->map_count[map] * sizeof *at);
            at += old->map_count[map];
            continue;
        }
        next->map_count[map] = (uint32_t)event->data.policy.map_count[map];
        next->map_time_ms[map] = event->time_ms;
        for (uint32_t i = 0; i < next->map_count[map]; i++)
            *at++ = (struct amount_record){.micros = event->data.policy.map[map][i].micros,
                                           .currency = event->data.policy.map[map][i].currency};
    }
}

enum verdict policy_configured(struct fold *fold, const struct event *event, struct record *account)
{
    (void)account;
    const struct policy_record *old = fold->policy;
    struct policy_news news = news_of(old, event);
    if (!news.any)
        return DUPLICATE;
    struct policy_record numbers = {.zero = 0};
    memcpy(&numbers, old, sizeof numbers);
    take_numbers(&numbers, event, &news);
    if (check_currencies(fold, event) == REJECTED || check_horizon(fold, &numbers) == REJECTED)
        return REJECTED;
    size_t amounts = 0;
    for (int map = 0; map < POLICY_MAP_COUNT; map++)
        amounts += news.map[map] ? event->data.policy.map_count[map] : old->map_count[map];
    ledger_keep_final(fold);
    struct policy_record *next = policy_new(fold, amounts);
    memcpy(next, &numbers, sizeof numbers);
    take_maps(next, old, event, &news);
    next->version = old->version + 1;
    fold->policy = next;
    return APPLIED;
}
