/* stock.h - what a store holds, counted from its records and not taken from
 * what anybody says of it.
 *
 * A full scan: the digest over all records, how many there are of each kind,
 * and what the partition's own record knows of its place in the log. It runs
 * in a process of its own (isolated.h), so that the caller can hash the file
 * meanwhile, and so that a file that is no store kills nobody.
 */
#ifndef CALLFOLD_SNAPSHOTS_STOCK_H
#define CALLFOLD_SNAPSHOTS_STOCK_H

#include <limits.h>
#include <sys/types.h>

#include "processor/fold/records.h"
#include "snapshots/store.h"

/* Kinds of records and what they are called: FORMAT.md, "Records". */
struct stock_kind {
    enum record_kind kind;
    const char *name;
};
#define STOCK_KINDS 15
extern const struct stock_kind stock_kinds[STOCK_KINDS];

struct stock {
    struct store_header header; /* what the store says of itself */
    char digest[DIGEST_HEX];    /* hex, by the scan */
    int64_t records[STOCK_KINDS];
    int64_t partition_time_ms;                   /* TIME_NEVER before the first event */
    char input[HASH_HEX], input_since[HASH_HEX]; /* hex: as of the last attestation; and of all records since */
    struct store_error error;                    /* why there is none of this */
};

/* The scan of the copy in directory path, begun and ended; between the two the
 * caller is free for other work. */
struct stocktaking {
    struct stock *stock;
    char path[PATH_MAX];
    pid_t child;
};
void stock_begin(struct stocktaking *taking, const char *path);
/* False, with *error: no store of this fold's version, or one whose header,
 * records and digest do not agree. */
bool stock_end(struct stocktaking *taking, struct stock *stock, struct store_error *error);

#endif
