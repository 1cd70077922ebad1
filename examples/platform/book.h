/* book.h - numbers to dial: the first rate deck, seen from a caller's chair.
 *
 * The deck is read from its CSV file by the reader that `callfold rates` uses.
 * For each origin its rates are sorted by what a caller is after; popular
 * countries are drawn far more often than the rest of the world.
 */
#ifndef CALLFOLD_EXAMPLES_BOOK_H
#define CALLFOLD_EXAMPLES_BOOK_H

#include "events/phone.h"
#include "examples/platform/random.h"
#include "processor/deck_csv.h"

enum book_want { WANT_INTERNATIONAL, WANT_DOMESTIC, WANT_FREE, WANT_BLOCKED, WANT_COUNT };

/* Rates of one kind with what weighs up to each of them, so that a draw is a binary search. */
struct book_page {
    const struct deck_rate **rates;
    uint64_t *weights; /* running sums */
    size_t count, capacity;
};

struct book {
    struct deck deck;
    struct book_page (*pages)[WANT_COUNT]; /* of each origin */
};

/* Exit code and messages are deck_read's. */
int book_read(struct book *book, const char *path);
void book_free(struct book *book);

/* A rate for callers of an origin; NULL when the deck has none of that kind. */
const struct deck_rate *book_draw(const struct book *book, struct random *random, const char *origin,
                                  enum book_want want);
/* A number that the rate is charged for: its prefix and digits drawn to a
 * usual length, kept clear of longer prefixes as far as a few tries can tell. */
void book_dial(const struct book *book, struct random *random, const struct deck_rate *rate,
               char number[PHONE_MAX + 1]);

#endif
