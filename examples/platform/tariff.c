/* tariff.c - what the company decides for everybody: policy, fx, rate decks.
 *
 * The day begins under one deck. The next one, dearer in places, is published
 * in the morning for the afternoon, with the notice that policy asks for; a
 * dearer one without that notice and one with a rate missing are published too,
 * and must be dropped.
 */
#include "examples/platform/platform.h"

#define DECK_DAY       "deck-day"
#define DECK_AFTERNOON "deck-afternoon"
#define DECK_HASTY     "deck-hasty"
#define DECK_TORN      "deck-torn"
#define COMPANY        "/billing"
#define RATES_AN_EVENT 500
#define NOTICE_MS      (4 * MS_PER_HOUR)

#define CURRENCY(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))
#define EUR               CURRENCY('E', 'U', 'R')
#define GBP               CURRENCY('G', 'B', 'P')
#define USD               CURRENCY('U', 'S', 'D')

static void announce(struct platform *platform, const struct event *event)
{
    journal_event(&platform->journal, event, COMPANY);
}

static void open_policy(struct platform *platform)
{
    static const struct amount low[] = {{1500000, EUR}, {1500000, GBP}, {2000000, USD}};
    static const struct amount spend[] = {{80000000, EUR}, {80000000, GBP}, {80000000, USD}};
    struct event event = event_now(platform, EVENT_POLICY_CONFIGURED, NULL);
    __auto_type policy = &event.data.policy;
    policy->has_number[POLICY_NOTICE_MS] = policy->has_number[POLICY_MAX_CONCURRENT_CALLS] = true;
    policy->number[POLICY_NOTICE_MS] = NOTICE_MS;
    policy->number[POLICY_MAX_CONCURRENT_CALLS] = 12;
    policy->has_map[POLICY_LOW_CREDITS] = policy->has_map[POLICY_DAILY_SPEND] = true;
    policy->map_count[POLICY_LOW_CREDITS] = policy->map_count[POLICY_DAILY_SPEND] = 3;
    policy->map[POLICY_LOW_CREDITS] = low;
    policy->map[POLICY_DAILY_SPEND] = spend;
    announce(platform, &event);
}

static void say_fx(struct platform *platform, int64_t eur_nanos, int64_t gbp_nanos)
{
    const struct fx_rate rates[] = {{EUR, eur_nanos}, {GBP, gbp_nanos}};
    struct event event = event_now(platform, EVENT_FX_PUBLISHED, NULL);
    event.data.fx.base = USD;
    event.data.fx.effective_at_ms = platform->now_ms;
    event.data.fx.count = 2;
    event.data.fx.rates = rates;
    announce(platform, &event);
}

/* `count` rates under the head of `deck`; says at its end that they are `claimed`. */
static void say_deck(struct platform *platform, const char *deck_id, int64_t effective_at_ms, const struct deck *deck,
                     const struct deck_rate *rates, size_t count, size_t claimed)
{
    struct event event = event_now(platform, EVENT_RATEDECK_OPENED, NULL);
    event.data.deck_opened.deck_id = text_of(deck_id);
    event.data.deck_opened.currency = deck->currency;
    event.data.deck_opened.effective_at_ms = effective_at_ms;
    event.data.deck_opened.origin_count = deck->origin_count;
    event.data.deck_opened.origins = deck->origins;
    announce(platform, &event);
    for (size_t i = 0; i < count; i += RATES_AN_EVENT) {
        event = event_now(platform, EVENT_RATEDECK_RATES, NULL);
        event.data.deck_rates.deck_id = text_of(deck_id);
        event.data.deck_rates.count = count - i < RATES_AN_EVENT ? count - i : RATES_AN_EVENT;
        event.data.deck_rates.rates = rates + i;
        announce(platform, &event);
    }
    event = event_now(platform, EVENT_RATEDECK_PUBLISHED, NULL);
    event.data.deck_published.deck_id = text_of(deck_id);
    event.data.deck_published.rates = (int64_t)claimed;
    announce(platform, &event);
}

/* Some of the next deck's rates that are dearer than today's; how many. */
static size_t dearer_rates(const struct platform *platform, struct deck_rate *dearer, size_t most)
{
    const struct deck *today = &platform->book.deck, *next = &platform->next_deck;
    size_t count = 0;
    for (size_t i = 0; i < next->count && count < most; i++) {
        const struct deck_rate *rate = &next->rates[i];
        const struct deck_rate *old = deck_match(today, deck_find_origin(today, rate->origin), rate->prefix);
        if (old && old->status == RATE_OPEN && rate->price_micros > old->price_micros)
            dearer[count++] = *rate;
    }
    return count;
}

/* Agenda_acts: what is decided in the course of the day. */

static void afternoon_deck(struct platform *platform, size_t subject, uint64_t ticket)
{
    (void)subject, (void)ticket;
    const struct deck *next = &platform->next_deck;
    say_deck(platform, DECK_AFTERNOON, platform->now_ms + NOTICE_MS + 2 * MS_PER_HOUR, next, next->rates, next->count,
             next->count);
}

static void deck_without_notice(struct platform *platform, size_t subject, uint64_t ticket)
{
    (void)subject, (void)ticket;
    struct deck_rate dearer[RATES_AN_EVENT];
    size_t count = dearer_rates(platform, dearer, RATES_AN_EVENT);
    say_deck(platform, DECK_HASTY, platform->now_ms + NOTICE_MS / 8, &platform->next_deck, dearer, count, count);
}

static void deck_with_a_rate_missing(struct platform *platform, size_t subject, uint64_t ticket)
{
    (void)subject, (void)ticket;
    const struct deck *deck = &platform->book.deck;
    size_t count = deck->count < 3 ? deck->count : 3;
    say_deck(platform, DECK_TORN, platform->now_ms + MS_PER_DAY, deck, deck->rates, count, count + 1);
}

static void noon_fx(struct platform *platform, size_t subject, uint64_t ticket)
{
    (void)subject, (void)ticket;
    say_fx(platform, 923500000, 781250000);
}

/* Faster ticks let the company set less aside for each call. */
static void faster_ticks(struct platform *platform, size_t subject, uint64_t ticket)
{
    (void)subject, (void)ticket;
    struct event event = event_now(platform, EVENT_POLICY_CONFIGURED, NULL);
    __auto_type policy = &event.data.policy;
    policy->has_number[POLICY_TICK_MS] = policy->has_number[POLICY_HORIZON_MS] = true;
    policy->number[POLICY_TICK_MS] = platform->tick_ms = 5000;
    policy->number[POLICY_HORIZON_MS] = 26000;
    announce(platform, &event);
}

static void shorter_calls(struct platform *platform, size_t subject, uint64_t ticket)
{
    (void)subject, (void)ticket;
    struct event event = event_now(platform, EVENT_POLICY_CONFIGURED, NULL);
    event.data.policy.has_number[POLICY_MAX_CALL_MS] = true;
    event.data.policy.number[POLICY_MAX_CALL_MS] = 3 * MS_PER_HOUR;
    announce(platform, &event);
}

bool tariff_is_sound(struct text deck_id)
{
    return text_equal(deck_id, TEXT_LIT(DECK_DAY)) || text_equal(deck_id, TEXT_LIT(DECK_AFTERNOON));
}

void tariff_open(struct platform *platform)
{
    const struct deck *deck = &platform->book.deck;
    open_policy(platform);
    say_fx(platform, 920000000, 785000000);
    say_deck(platform, DECK_DAY, platform->now_ms, deck, deck->rates, deck->count, deck->count);
    do_later(platform, 8 * MS_PER_HOUR + 30 * MS_PER_MINUTE, afternoon_deck, 0);
    do_later(platform, 10 * MS_PER_HOUR, deck_without_notice, 0);
    do_later(platform, 10 * MS_PER_HOUR + 5 * MS_PER_MINUTE, deck_with_a_rate_missing, 0);
    do_later(platform, 12 * MS_PER_HOUR, noon_fx, 0);
    do_later(platform, 13 * MS_PER_HOUR, faster_ticks, 0);
    do_later(platform, 14 * MS_PER_HOUR + 30 * MS_PER_MINUTE, shorter_calls, 0);
}
