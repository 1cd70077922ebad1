/* manifest.h - what a snapshot says of itself, as JSON.
 *
 * manifest.json stands beside the copied data.mdb and names everything that
 * can be held against something else: the file by size and SHA-256, the state
 * by its header, digest and counts of records, its place in the history by
 * offset, chain and input, which attestations carry too. All of it was read
 * off the copy, never off the store that was copied. Members: FORMAT.md.
 */
#ifndef CALLFOLD_SNAPSHOTS_MANIFEST_H
#define CALLFOLD_SNAPSHOTS_MANIFEST_H

#include "snapshots/stock.h"

#define MANIFEST_FORMAT 1

struct manifest {
    int64_t made_at_ms;    /* by the clock of the machine that made it */
    char home[HOME_SIZE];  /* whose offsets these are (store.h); "" for a meter on files */
    int64_t size;          /* of data.mdb, bytes */
    char sha256[HASH_HEX]; /* of data.mdb */
    struct stock stock;    /* without digest of its own: header.digest, which a scan has confirmed */
};

/* The text, with its last newline; malloc'd. */
char *manifest_encode(const struct manifest *manifest);
/* False, with *error (EX_DATAERR): it is no manifest of this format. name is
 * the file's, for messages. */
bool manifest_decode(struct text text, const char *name, struct manifest *manifest, struct store_error *error);

/* Is what was found (of the same snapshot) what the manifest says? False, with
 * *error naming the first member that differs and both sides. */
bool manifest_agrees(const struct manifest *manifest, const struct manifest *found, const char *name,
                     struct store_error *error);

#endif
