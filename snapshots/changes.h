/* changes.h - what a checkpoint is to store: copies of the changed records.
 *
 * They are taken while nothing is folded, which must be short; putting them in
 * key order and into the store takes much longer, and another thread can do it
 * while the fold goes on.
 */
#ifndef CALLFOLD_SNAPSHOTS_CHANGES_H
#define CALLFOLD_SNAPSHOTS_CHANGES_H

#include "events/encode.h"
#include "snapshots/store.h"

struct change;

/* Zero it to begin; changes_free when done. */
struct changes {
    struct buffer bytes; /* a key and a body each */
    struct change *items;
    size_t count, capacity;
};

/* Copies one; each key once. body absent = it is removed. Fits fold_visit. */
void changes_add(void *changes, struct text key, struct text body);
/* One transaction of the store (store_begin to store_commit): all of them and
 * the header. False with error->code EX_OK: as store_commit, the map was full. */
bool changes_store(struct changes *changes, struct store *store, const struct store_header *header, bool sync,
                   struct store_error *error);
void changes_free(struct changes *changes);

#endif
