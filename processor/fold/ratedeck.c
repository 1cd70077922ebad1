/* Rate decks: opened, filled, published all or nothing; which one is in force
 * for an origin, and the longest prefix that matches a number. */
#include "processor/fold/internal.h"

#include <stdlib.h>

#define RATE_KEY_HEAD 7 /* of a rate's key: what stands before the prefix's digits */
#define PREFIX_MAX    15

/* --- the decks in memory --- */

static struct deck_view *view_add(struct fold *fold, struct record *record)
{
    if (fold->deck_count == fold->deck_capacity) {
        fold->deck_capacity = fold->deck_capacity ? fold->deck_capacity * 2 : 4;
        fold->decks = must_alloc(realloc(fold->decks, fold->deck_capacity * sizeof *fold->decks));
    }
    struct deck_view *view = &fold->decks[fold->deck_count++];
    *view = (struct deck_view){.deck = record_body(record), .record = record};
    fold->supersede_at_ms = INT64_MIN;
    return view;
}

static void view_add_rate(struct deck_view *view, struct record *rate)
{
    if (view->rate_count == view->rate_capacity) {
        view->rate_capacity = view->rate_capacity ? view->rate_capacity * 2 : 64;
        view->rates = must_alloc(realloc(view->rates, view->rate_capacity * sizeof(struct record *)));
    }
    view->rates[view->rate_count++] = rate;
    view->lengths |= (uint16_t)(1 << (rate->key_len - RATE_KEY_HEAD));
}

static struct deck_view *view_find(struct fold *fold, struct text id)
{
    for (size_t i = 0; i < fold->deck_count; i++)
        if (text_equal(deck_id(fold->decks[i].deck), id))
            return &fold->decks[i];
    return NULL;
}

static void deck_drop(struct fold *fold, struct deck_view *view)
{
    for (size_t i = 0; i < view->rate_count; i++)
        state_remove(fold->state, view->rates[i]);
    state_remove(fold->state, view->record);
    free(view->rates);
    *view = fold->decks[--fold->deck_count];
    fold->supersede_at_ms = INT64_MIN;
}

void deck_restore(struct fold *fold, struct record *record)
{
    view_add(fold, record);
}

bool rate_restore(struct fold *fold, struct record *record)
{
    uint32_t deck_no = 0;
    struct text key = record_key(record);
    if (key.len < RATE_KEY_HEAD || key.len > RATE_KEY_HEAD + PREFIX_MAX)
        return false;
    for (int i = 1; i <= 4; i++)
        deck_no = deck_no << 8 | (unsigned char)key.at[i];
    for (size_t i = 0; i < fold->deck_count; i++) {
        if (fold->decks[i].deck->deck_no == deck_no) {
            view_add_rate(&fold->decks[i], record);
            return true;
        }
    }
    return false;
}

/* --- looking up --- */

const struct deck_view *deck_in_force(struct fold *fold, struct text origin, int64_t at_ms, uint16_t *index)
{
    const struct deck_view *best = NULL;
    for (size_t i = 0; i < fold->deck_count; i++) {
        const struct deck_record *deck = fold->decks[i].deck;
        uint16_t at;
        if ((!best || deck_is_later(deck, best->deck)) && deck_covers(deck, origin, at_ms, &at)) {
            best = &fold->decks[i];
            *index = at;
        }
    }
    return best;
}

static void rate_key(struct key *key, uint32_t deck_no, uint16_t origin, struct text digits)
{
    key_begin(key, RECORD_RATE);
    key_number(key, deck_no, 4);
    key_number(key, origin, 2);
    memcpy(key->bytes + key->len, digits.at, digits.len);
    key->len += digits.len;
}

const struct rate_record *rate_match(struct fold *fold, const struct deck_view *view, uint16_t origin,
                                     struct text digits, size_t *matched)
{
    struct key key;
    rate_key(&key, view->deck->deck_no, origin, digits);
    for (size_t n = digits.len < PREFIX_MAX ? digits.len : PREFIX_MAX; n > 0; n--) {
        key.len = RATE_KEY_HEAD + n;
        struct record *record = view->lengths >> n & 1 ? state_find(fold->state, &key) : NULL;
        if (record) {
            *matched = n;
            return record_body(record);
        }
    }
    return NULL;
}

/* --- ratedeck.opened --- */

static bool same_opening(const struct deck_record *deck, const struct event *event)
{
    if (deck->currency != event->data.deck_opened.currency ||
        deck->effective_at_ms != event->data.deck_opened.effective_at_ms ||
        deck->origin_count != event->data.deck_opened.origin_count)
        return false;
    for (uint32_t i = 0; i < deck->origin_count; i++) {
        const struct deck_origin *origin = &event->data.deck_opened.origins[i];
        if (!text_equal(deck_origin(deck, (uint16_t)i), origin->origin) ||
            memcmp(deck->origins[i].country, origin->country.at, sizeof deck->origins[i].country) != 0 ||
            deck->origins[i].currency != origin->currency)
            return false;
    }
    return true;
}

static enum verdict check_currency(struct fold *fold, const char *field, uint32_t currency)
{
    char code[CURRENCY_TEXT_MAX];
    currency_format(currency, code);
    return currency_known(currency) ? APPLIED
                                    : reject(fold, REJECT_CURRENCY_UNKNOWN, "%s: %s is not in ISO 4217", field, code);
}

static enum verdict check_opening(struct fold *fold, const struct event *event)
{
    if (check_currency(fold, "data.currency", event->data.deck_opened.currency) == REJECTED)
        return REJECTED;
    for (size_t i = 0; i < event->data.deck_opened.origin_count; i++)
        if (check_currency(fold, "data.origins.currency", event->data.deck_opened.origins[i].currency) == REJECTED)
            return REJECTED;
    return APPLIED;
}

static void deck_create(struct fold *fold, const struct event *event)
{
    size_t origins = event->data.deck_opened.origin_count;
    struct key key;
    key_begin(&key, RECORD_DECK);
    key_number(&key, fold->p->next_deck_no, 4);
    struct record *record =
        state_create(fold->state, &key, sizeof(struct deck_record) + origins * sizeof(struct origin_record));
    struct deck_record *deck = record_body(record);
    struct text id = event->data.deck_opened.deck_id;
    deck->effective_at_ms = event->data.deck_opened.effective_at_ms;
    deck->currency = event->data.deck_opened.currency;
    deck->deck_no = fold->p->next_deck_no++;
    deck->origin_count = (uint32_t)origins;
    deck->id_len = (uint8_t)id.len;
    memcpy(deck->id, id.at, id.len);
    for (size_t i = 0; i < origins; i++) {
        const struct deck_origin *from = &event->data.deck_opened.origins[i];
        struct origin_record *to = &deck->origins[i];
        to->name_len = (uint8_t)from->origin.len;
        to->currency = from->currency;
        memcpy(to->name, from->origin.at, from->origin.len);
        memcpy(to->country, from->country.at, sizeof to->country);
    }
    view_add(fold, record);
}

enum verdict ratedeck_opened(struct fold *fold, const struct event *event, struct record *account)
{
    (void)account;
    struct deck_view *view = view_find(fold, event->data.deck_opened.deck_id);
    if (view && same_opening(view->deck, event))
        return DUPLICATE;
    if (check_opening(fold, event) == REJECTED)
        return REJECTED;
    if (view && view->deck->publication != 0)
        return reject(fold, REJECT_ID_REUSED, "data.deck_id: deck %.*s was published with another opening",
                      TEXT_ARGS(event->data.deck_opened.deck_id));
    if (view)
        deck_drop(fold, view);
    deck_create(fold, event);
    return APPLIED;
}

/* --- ratedeck.rates --- */

static struct text rate_digits(const struct deck_rate *rate)
{
    return (struct text){rate->prefix.at + 1, rate->prefix.len - 1};
}

static struct record *rate_find(struct fold *fold, const struct deck_record *deck, const struct deck_rate *rate)
{
    uint16_t origin;
    if (!deck_origin_index(deck, rate->origin, &origin))
        return NULL;
    struct key key;
    rate_key(&key, deck->deck_no, origin, rate_digits(rate));
    return state_find(fold->state, &key);
}

static bool same_rate(const struct rate_record *held, const struct deck_rate *rate)
{
    return held->price_micros == rate->price_micros && held->connect_micros == rate->connect_micros &&
           held->first_s == rate->first_s && held->step_s == rate->step_s && held->status == rate->status &&
           held->domestic == rate->domestic && text_equal(rate_destination(held), rate->destination) &&
           text_equal(rate_kind(held), rate->kind);
}

static void rate_create(struct fold *fold, struct deck_view *view, const struct deck_rate *rate)
{
    uint16_t origin = 0;
    deck_origin_index(view->deck, rate->origin, &origin);
    struct key key;
    rate_key(&key, view->deck->deck_no, origin, rate_digits(rate));
    size_t strings = rate->destination.len + rate->kind.len;
    struct record *record = state_create(fold->state, &key, sizeof(struct rate_record) + strings);
    struct rate_record *body = record_body(record);
    body->price_micros = rate->price_micros;
    body->connect_micros = rate->connect_micros;
    body->first_s = rate->first_s;
    body->step_s = rate->step_s;
    body->status = (uint8_t)rate->status;
    body->domestic = rate->domestic;
    body->destination_len = (uint8_t)rate->destination.len;
    body->kind_len = (uint8_t)rate->kind.len;
    memcpy(body->strings, rate->destination.at, rate->destination.len);
    if (rate->kind.len > 0)
        memcpy(body->strings + rate->destination.len, rate->kind.at, rate->kind.len);
    view_add_rate(view, record);
    view->deck->rate_count++;
}

static enum verdict check_origins(struct fold *fold, const struct deck_record *deck, const struct event *event)
{
    uint16_t index;
    for (size_t i = 0; i < event->data.deck_rates.count; i++) {
        struct text origin = event->data.deck_rates.rates[i].origin;
        if (!deck_origin_index(deck, origin, &index))
            return reject(fold, REJECT_INVALID_FIELD, "data.rates[%zu].origin: %.*s is not an origin of deck %.*s", i,
                          TEXT_ARGS(origin), TEXT_ARGS(deck_id(deck)));
    }
    return APPLIED;
}

/* After publication nothing changes: the same rates again are absorbed. */
static enum verdict rates_again(struct fold *fold, const struct deck_view *view, const struct event *event)
{
    for (size_t i = 0; i < event->data.deck_rates.count; i++) {
        const struct deck_rate *rate = &event->data.deck_rates.rates[i];
        struct record *record = rate_find(fold, view->deck, rate);
        if (!record || !same_rate(record_body(record), rate))
            return reject(fold, REJECT_DECK_UNKNOWN,
                          "data.rates[%zu]: deck %.*s is published; %.*s %.*s cannot be added to it or changed", i,
                          TEXT_ARGS(deck_id(view->deck)), TEXT_ARGS(rate->origin), TEXT_ARGS(rate->prefix));
    }
    return DUPLICATE;
}

enum verdict ratedeck_rates(struct fold *fold, const struct event *event, struct record *account)
{
    (void)account;
    struct deck_view *view = view_find(fold, event->data.deck_rates.deck_id);
    if (!view)
        return reject(fold, REJECT_DECK_UNKNOWN, "data.deck_id: no deck %.*s is open; write ratedeck.opened first",
                      TEXT_ARGS(event->data.deck_rates.deck_id));
    if (view->deck->publication != 0)
        return rates_again(fold, view, event);
    if (check_origins(fold, view->deck, event) == REJECTED)
        return REJECTED;
    bool news = false;
    for (size_t i = 0; i < event->data.deck_rates.count; i++) {
        const struct deck_rate *rate = &event->data.deck_rates.rates[i];
        struct record *record = rate_find(fold, view->deck, rate);
        if (!record) {
            rate_create(fold, view, rate);
            news = true;
        } else if (!same_rate(record_body(record), rate)) {
            news |= !view->deck->spoilt;
            view->deck->spoilt = 1;
        }
    }
    state_changed(fold->state, view->record);
    return news ? APPLIED : DUPLICATE;
}

/* --- ratedeck.published --- */

struct raises {
    struct raised_rate *list; /* at most RAISED_MAX, in order of origin and prefix */
    size_t listed;
    int64_t count;
};

static bool is_charged(const struct rate_record *rate)
{
    return rate->status == RATE_OPEN && !rate->domestic;
}

static uint16_t rate_origin(struct text key)
{
    return (uint16_t)((unsigned char)key.at[5] << 8 | (unsigned char)key.at[6]);
}

/* By the origin's name, then the prefix; context is the deck. */
static int by_origin_and_prefix(const void *a, const void *b, void *context)
{
    struct text x = record_key(*(struct record *const *)a), y = record_key(*(struct record *const *)b);
    int order = text_compare(deck_origin(context, rate_origin(x)), deck_origin(context, rate_origin(y)));
    return order != 0 ? order : text_compare(x, y);
}

/* True when the deck in force at the new one's effective_at gave the prefix a
 * better rate; *old is that rate. */
static bool is_raised(struct fold *fold, const struct deck_record *deck, struct record *record,
                      const struct rate_record **old)
{
    const struct rate_record *rate = record_body(record);
    struct text key = record_key(record);
    struct text digits = {key.at + RATE_KEY_HEAD, key.len - RATE_KEY_HEAD};
    uint16_t origin = rate_origin(key), old_origin;
    if (!is_charged(rate))
        return false;
    const struct deck_view *before = deck_in_force(fold, deck_origin(deck, origin), deck->effective_at_ms, &old_origin);
    size_t matched;
    *old = before ? rate_match(fold, before, old_origin, digits, &matched) : NULL;
    if (!*old || (*old)->status == RATE_BLOCKED)
        return false;
    return !is_charged(*old) || before->deck->currency != deck->currency || rate->price_micros > (*old)->price_micros ||
           rate->connect_micros > (*old)->connect_micros;
}

static struct raises find_raises(struct fold *fold, struct deck_view *view)
{
    struct raises raises = {.list = arena_alloc(&fold->arena, RAISED_MAX * sizeof(struct raised_rate))};
    if (view->rate_count > 1)
        qsort_r(view->rates, view->rate_count, sizeof(struct record *), by_origin_and_prefix, view->deck);
    for (size_t i = 0; i < view->rate_count; i++) {
        const struct rate_record *old, *rate = record_body(view->rates[i]);
        if (!is_raised(fold, view->deck, view->rates[i], &old))
            continue;
        raises.count++;
        if (raises.listed == RAISED_MAX)
            continue;
        struct text key = record_key(view->rates[i]);
        raises.list[raises.listed++] = (struct raised_rate){
            .origin = deck_origin(view->deck, rate_origin(key)),
            .prefix = text_format(fold, "+%.*s", (int)(key.len - RATE_KEY_HEAD), key.at + RATE_KEY_HEAD),
            .destination = rate_destination(rate),
            .from_micros = is_charged(old) ? old->price_micros : 0,
            .to_micros = rate->price_micros,
        };
    }
    return raises;
}

enum verdict ratedeck_published(struct fold *fold, const struct event *event, struct record *account)
{
    (void)account;
    struct text id = event->data.deck_published.deck_id;
    struct deck_view *view = view_find(fold, id);
    if (!view)
        return reject(fold, REJECT_DECK_UNKNOWN,
                      "data.deck_id: no deck %.*s is open; write ratedeck.opened and "
                      "ratedeck.rates first",
                      TEXT_ARGS(id));
    struct deck_record *deck = view->deck;
    long long count = (long long)deck->rate_count, said = (long long)event->data.deck_published.rates;
    if (deck->publication != 0)
        return said == count
                   ? DUPLICATE
                   : reject(fold, REJECT_ID_REUSED, "data.rates: deck %.*s was published with %lld rates, not %lld",
                            TEXT_ARGS(id), count, said);
    if (deck->spoilt || said != count) {
        bool spoilt = deck->spoilt;
        deck_drop(fold, view);
        return spoilt ? reject(fold, REJECT_DECK_INCOMPLETE,
                               "deck %.*s was given two different rates for one origin "
                               "and prefix and is dropped; open it again",
                               TEXT_ARGS(id))
                      : reject(fold, REJECT_DECK_INCOMPLETE,
                               "data.rates: deck %.*s holds %lld rates, not %lld, and is "
                               "dropped; open it again",
                               TEXT_ARGS(id), count, said);
    }
    struct raises raises = find_raises(fold, view);
    int64_t given_ms = deck->effective_at_ms - event->time_ms, asked_ms = fold->policy->number[POLICY_NOTICE_MS];
    if (raises.count > 0 && given_ms < asked_ms) {
        deck_drop(fold, view);
        return reject(fold, REJECT_INSUFFICIENT_NOTICE,
                      "deck %.*s raises %lld rates with %lld ms of notice, and notice_ms asks for %lld; it is dropped",
                      TEXT_ARGS(id), (long long)raises.count, (long long)given_ms, (long long)asked_ms);
    }
    deck->publication = ++fold->p->next_publication;
    state_changed(fold->state, view->record);
    fold->supersede_at_ms = INT64_MIN;
    struct output *output = emit(fold, OUTPUT_RATEDECK_ACCEPTED, TEXT_NONE);
    output->data.deck_accepted.deck_id = deck_id(deck);
    output->data.deck_accepted.effective_at_ms = deck->effective_at_ms;
    output->data.deck_accepted.rates = deck->rate_count;
    output->data.deck_accepted.raised_count = raises.count;
    output->data.deck_accepted.raised_listed = raises.listed;
    output->data.deck_accepted.raised = raises.list;
    return APPLIED;
}

/* --- superseded decks --- */

/* The instant from which no origin of the deck can need it: an hour after the
 * last of its origins got a successor. */
static int64_t superseded_at(const struct fold *fold, const struct deck_record *deck)
{
    int64_t last_ms = INT64_MIN;
    for (uint32_t origin = 0; origin < deck->origin_count; origin++) {
        int64_t successor_ms = INT64_MAX;
        for (size_t i = 0; i < fold->deck_count; i++) {
            const struct deck_record *other = fold->decks[i].deck;
            uint16_t index;
            if (other->publication != 0 && deck_is_later(other, deck) && other->effective_at_ms < successor_ms &&
                deck_origin_index(other, deck_origin(deck, (uint16_t)origin), &index))
                successor_ms = other->effective_at_ms;
        }
        if (successor_ms > last_ms)
            last_ms = successor_ms;
    }
    return saturating_add(last_ms, SUPERSEDED_KEPT_MS);
}

void decks_supersede(struct fold *fold)
{
    for (size_t i = fold->deck_count; i-- > 0;) {
        if (fold->decks[i].deck->publication == 0)
            continue;
        int64_t at_ms = superseded_at(fold, fold->decks[i].deck);
        if (at_ms <= fold->p->time_ms) {
            deck_drop(fold, &fold->decks[i]);
            i = fold->deck_count;
        } else if (at_ms < fold->supersede_at_ms) {
            fold->supersede_at_ms = at_ms;
        }
    }
}
