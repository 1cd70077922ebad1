/* deck.h - a rate deck in memory, for the commands that show or publish one.
 *
 * The rates keep the order of their source; beside them stands an index by
 * origin and prefix, which answers what a number pays: the rate whose prefix
 * is the longest that the number begins with. All texts are borrowed from
 * `bytes` or from whoever filled the deck.
 */
#ifndef CALLFOLD_PROCESSOR_DECK_H
#define CALLFOLD_PROCESSOR_DECK_H

#include "events/event.h"

struct deck_place;

struct deck {
    uint32_t currency; /* packed, of every price; 0: not known yet */
    size_t origin_count;
    struct deck_origin *origins;
    size_t count, capacity;
    struct deck_rate *rates;
    uint32_t *rate_origins;   /* of each rate: its origin's place in origins */
    struct deck_place *index; /* count of them; see deck_make_index */
    char *bytes;              /* malloc'd; NULL when the texts are somebody else's */
    size_t repeated;          /* lines of the source that said again what an earlier one had */
};

void deck_add_origin(struct deck *deck, const struct deck_origin *origin);
/* origin is the place of rate->origin in deck->origins. */
void deck_add_rate(struct deck *deck, const struct deck_rate *rate, size_t origin);
void deck_free(struct deck *deck);

/* The origin's place in deck->origins; origin_count when there is none of that name. */
size_t deck_find_origin(const struct deck *deck, struct text name);

/* Makes the index of all the rates there are; until then deck_match must not
 * be asked. Rates of one origin and prefix stay in the order of their source. */
void deck_make_index(struct deck *deck);
/* The n-th rate by origin and prefix, as its place in deck->rates. */
size_t deck_nth(const struct deck *deck, size_t n);
/* The rate that prices number ('+' and digits; a prefix does as well) from the
 * origin: longest match. NULL when none matches. */
const struct deck_rate *deck_match(const struct deck *deck, size_t origin, struct text number);

#endif
