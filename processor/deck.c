/* deck.c - see deck.h. */
#include "processor/deck.h"

#include <stdlib.h>

#define PREFIX_DIGITS 15

/* A place in the index. */
struct deck_place {
    uint64_t prefix; /* packed so that it sorts as its digits do */
    uint32_t origin, rate;
};

static void *grown(void *array, size_t count, size_t size)
{
    void *larger = realloc(array, count * size);
    if (larger == NULL)
        abort();
    return larger;
}

void deck_add_origin(struct deck *deck, const struct deck_origin *origin)
{
    deck->origins = grown(deck->origins, deck->origin_count + 1, sizeof *deck->origins);
    deck->origins[deck->origin_count++] = *origin;
}

void deck_add_rate(struct deck *deck, const struct deck_rate *rate, size_t origin)
{
    if (deck->count == deck->capacity) {
        deck->capacity = deck->capacity == 0 ? 1024 : deck->capacity * 2;
        deck->rates = grown(deck->rates, deck->capacity, sizeof *deck->rates);
        deck->rate_origins = grown(deck->rate_origins, deck->capacity, sizeof *deck->rate_origins);
    }
    deck->rates[deck->count] = *rate;
    deck->rate_origins[deck->count] = (uint32_t)origin;
    deck->count++;
}

void deck_free(struct deck *deck)
{
    free(deck->origins);
    free(deck->rates);
    free(deck->rate_origins);
    free(deck->index);
    free(deck->bytes);
    *deck = (struct deck){0};
}

size_t deck_find_origin(const struct deck *deck, struct text name)
{
    size_t i = 0;
    while (i < deck->origin_count && !text_equal(deck->origins[i].origin, name))
        i++;
    return i;
}

/* The first digits in base 11, 0 for "no digit", left aligned: sorts as text
 * does, a prefix before all that it is a prefix of. 11^15 < 2^52. */
static uint64_t pack_prefix(struct text prefix, size_t digits)
{
    uint64_t packed = 0;
    for (size_t i = 1; i <= PREFIX_DIGITS; i++)
        packed = packed * 11 + (i <= digits ? (uint64_t)(prefix.at[i] - '0') + 1 : 0);
    return packed;
}

static int compare_places(const void *left, const void *right)
{
    const struct deck_place *a = left, *b = right;
    if (a->origin != b->origin)
        return a->origin < b->origin ? -1 : 1;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return a->rate < b->rate ? -1 : a->rate > b->rate;
}

void deck_make_index(struct deck *deck)
{
    deck->index = grown(deck->index, deck->count + 1, sizeof *deck->index); /* never of no bytes */
    for (size_t i = 0; i < deck->count; i++) {
        struct text prefix = deck->rates[i].prefix;
        deck->index[i] = (struct deck_place){pack_prefix(prefix, prefix.len - 1), deck->rate_origins[i], (uint32_t)i};
    }
    qsort(deck->index, deck->count, sizeof *deck->index, compare_places);
}

size_t deck_nth(const struct deck *deck, size_t n)
{
    return deck->index[n].rate;
}

/* How many places of the index are not above (origin, prefix). */
static size_t places_up_to(const struct deck *deck, size_t origin, uint64_t prefix)
{
    struct deck_place wanted = {prefix, (uint32_t)origin, UINT32_MAX};
    size_t low = 0, high = deck->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_places(&deck->index[middle], &wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t common_length(struct text a, struct text b)
{
    size_t i = 0;
    while (i < a.len && i < b.len && a.at[i] == b.at[i])
        i++;
    return i;
}

/* Nothing longer than what the nearest prefix below has in common with the
 * number can match, so each round at least halves the question or ends it. */
const struct deck_rate *deck_match(const struct deck *deck, size_t origin, struct text number)
{
    size_t digits = number.len - 1 < PREFIX_DIGITS ? number.len - 1 : PREFIX_DIGITS;
    while (digits > 0) {
        size_t below = places_up_to(deck, origin, pack_prefix(number, digits));
        if (below == 0 || deck->index[below - 1].origin != origin)
            return NULL;
        const struct deck_rate *rate = &deck->rates[deck->index[below - 1].rate];
        size_t common = common_length(rate->prefix, number);
        if (common == rate->prefix.len)
            return rate;
        digits = common - 1;
    }
    return NULL;
}
