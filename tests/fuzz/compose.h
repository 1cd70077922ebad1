/* compose.h - bytes to a history: so that whatever a fuzzer does to its input,
 * calls start, tick and run out of credits.
 *
 * Every CHUNK bytes are one record. Byte 0 chooses what happens, byte 1 to whom, how late and what disturbs the fold after it, byte 2
 * how time goes on, the rest the particulars: ids, amounts, prices and
 * durations from small tables, so that they keep meeting. A history begins with
 * a deck, fx and two accounts that can call. Records may also be sent again,
 * or with a byte changed.
 *
 *     struct composer composer;
 *     compose_begin(&composer, data, size);
 *     while (compose_next(&composer, &record))
 *         ... fold it ... compose_hear(&composer, &outputs);
 *     compose_end(&composer);
 */
#ifndef CALLFOLD_TESTS_FUZZ_COMPOSE_H
#define CALLFOLD_TESTS_FUZZ_COMPOSE_H

#include "events/encode.h"
#include "events/phone.h"
#include "processor/fold/fold.h"

#define CHUNK         8
#define CALLS_MAX     64
#define ACCOUNTS_MAX  3
#define DECKS_MAX     4
#define RATES_A_EVENT 4

/* What the fold is to go through after a record. */
enum disturbance { DISTURB_NOT, DISTURB_STORE, DISTURB_EVICT, DISTURB_OPEN_AGAIN };

struct composed_call { /* an authorized one */
    size_t account;
    char id[ID_MAX + 1];
    int64_t duration_ms; /* last reported */
    int64_t limit_ms;    /* last heard of */
};

struct composer {
    const uint8_t *at, *end;
    size_t begun;  /* records of the beginning written */
    bool archived; /* records with keys and timestamps */
    enum disturbance disturbance;
    int64_t now_ms, offset;
    struct composed_call calls[CALLS_MAX];
    size_t call_count, started, topup_count;
    size_t account;                           /* whose turn it is */
    char recharges[ACCOUNTS_MAX][ID_MAX + 1]; /* the last one commanded */
    uint32_t deck_rates[DECKS_MAX];           /* a bit for each rate sent */
    struct buffer value;                      /* of the last record */
    struct text key;

    /* what the event being composed points to */
    char id[ID_MAX + 1], target[ID_MAX + 1];
    struct deck_origin origins[2];
    struct deck_rate rates[RATES_A_EVENT];
    struct fx_rate fx[2];
    struct amount map[1];
};

void compose_begin(struct composer *composer, const uint8_t *data, size_t size);
/* The next record, borrowed until the next call; false at the end. */
bool compose_next(struct composer *composer, struct fold_record *record);
/* What the last record caused: limits to be kept or passed, recharges to be answered. */
void compose_hear(struct composer *composer, const struct output_list *outputs);
void compose_end(struct composer *composer);

#endif
