/* feed.h - a fold that is fed events by hand.
 *
 * The benchmarks of the fold write their events as text and decode them before
 * the clock runs. A rejected event, or a broken invariant, ends the program:
 * what is measured is what was meant.
 */
#ifndef CALLFOLD_BENCH_FEED_H
#define CALLFOLD_BENCH_FEED_H

#include "events/decode.h"
#include "processor/fold/fold.h"

#define FEED_LINE_MAX 1024

/* One record and what it says. */
struct feed_event {
    char line[FEED_LINE_MAX];
    struct fold_record record;
    struct event event;
    struct fold_hint hint;
};

struct feed {
    struct decoder *decoder;
    struct fold *fold;
    int64_t offset;                  /* of the next event */
    long outputs[OUTPUT_TYPE_COUNT]; /* so far */
};

void feed_open(struct feed *feed);
void feed_close(struct feed *feed);

/* Makes an event of a type (without its prefix), an account (-1: a broadcast)
 * and the text of its data. Only the types of calls live longer than the next
 * one's making: they borrow from their own line alone. */
__attribute__((format(printf, 5, 6))) void feed_make(struct feed *feed, struct feed_event *event, const char *type,
                                                     long account, const char *data, ...);
/* Folds it. */
void feed_fold(struct feed *feed, const struct feed_event *event);
/* Makes it, folds it, and says how long the fold took, in ns of the CPU. */
__attribute__((format(printf, 4, 5))) double feed_say(struct feed *feed, const char *type, long account,
                                                      const char *data, ...);

/* A deck of one origin, US, and one rate: France (+33) at price USD a minute, by the second. */
void feed_deck(struct feed *feed, const char *price);
/* An account with credits in USD and one number that may call abroad, its owner assigned to it. */
void feed_account(struct feed *feed, long account, double credits);
/* The start of a call from that number to France; its id is call-00000017 for 17. */
void feed_make_start(struct feed *feed, struct feed_event *event, long account, long call);

#endif
