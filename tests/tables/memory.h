/* memory.h - the fold's stored state, in memory: what a checkpoint would have
 * written, so that a table can be run again with a restart or an eviction
 * after every event. Records are kept in ascending key order. */
#ifndef CALLFOLD_TESTS_TABLES_MEMORY_H
#define CALLFOLD_TESTS_TABLES_MEMORY_H

#include "processor/fold/fold.h"

struct stored {
    struct text key, body; /* malloc'd */
};

/* Zero it to begin. */
struct memory {
    size_t count, capacity;
    struct stored *records;
    char digest[DIGEST_HEX]; /* as the fold gave it at the last checkpoint */
    struct memory *taken;    /* what it will be, between take and end; or NULL */
};

/* Fits struct fold_loader; context is the struct memory. */
bool memory_load(void *memory, struct text key, struct text *body);
/* A checkpoint: takes what is dirty in fold; which may go on before end, when it
 * is there to be loaded. A checkpoint is both in one. */
void memory_checkpoint_take(struct memory *memory, struct fold *fold);
void memory_checkpoint_end(struct memory *memory, struct fold *fold);
void memory_checkpoint(struct memory *memory, struct fold *fold);
/* A fold opened on what the last checkpoint left; NULL when it refuses that. */
struct fold *memory_open(struct memory *memory, uint32_t partition, uint32_t partition_count);
/* The digest of all records, as a full scan finds it; hex, no NUL. */
void memory_digest(const struct memory *memory, char digest[DIGEST_HEX]);
void memory_clear(struct memory *memory);

#endif
