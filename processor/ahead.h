/* ahead.h - a batch of records, decoded some records ahead of the fold.
 *
 * The fold's time goes to memory that is far away. So a plain event is decoded
 * a dozen records before its turn, and the fold told of it in three steps
 * (fold_expect): when it comes to it, the call and the account are near.
 * Whatever is not plain is decoded when its turn comes.
 */
#ifndef CALLFOLD_PROCESSOR_AHEAD_H
#define CALLFOLD_PROCESSOR_AHEAD_H

#include "processor/log.h"

/* How many records ahead a plain event is read, and the fold told of it. */
enum { AHEAD_SLOT = 12, AHEAD_CALL = 5, AHEAD_ACCOUNT = 2 };
#define AHEAD_ROOM 16

/* A record read ahead. */
struct ahead_slot {
    bool is_scanned; /* a plain event; else it is decoded when its turn comes */
    struct event event;
    struct fold_hint hint;
};

/* Zero it to begin; decoder is borrowed. */
struct ahead {
    struct decoder *decoder;
    struct fold *folds[PARTITIONS_MAX]; /* by number, kept by the caller; NULL: nobody is told */
    const struct log_record *records;
    size_t count;
    struct ahead_slot slots[AHEAD_ROOM]; /* of record i: i modulo AHEAD_ROOM */
};

/* Begins a batch; the records are borrowed until its end. */
void ahead_begin(struct ahead *ahead, const struct log_record *records, size_t count);
/* Record i's turn; i is 0, 1, 2 ... in this order. *record is what fold_step
 * wants. The event, valid until the next call, or NULL with *error. */
struct event *ahead_take(struct ahead *ahead, size_t i, struct fold_record *record, struct decode_error *error);

#endif
