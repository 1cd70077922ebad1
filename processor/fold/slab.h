/* slab.h - memory for records: many of few sizes, which come and go.
 *
 * Blocks are cut from large chunks and go back to a list of their size, so a
 * record costs no header and no search, and the chunks are aligned so that the
 * kernel can back them with huge pages: a million calls are looked up at random,
 * and translating their addresses would cost as much as fetching them. Chunks
 * are given back when all of them are. Blocks too large for a chunk are malloc's.
 */
#ifndef CALLFOLD_PROCESSOR_FOLD_SLAB_H
#define CALLFOLD_PROCESSOR_FOLD_SLAB_H

#include <stddef.h>

#define SLAB_GRAIN 16
#ifdef __SANITIZE_ADDRESS__
#define SLAB_LARGEST 0 /* the sanitizer watches each block */
#else
#define SLAB_LARGEST 4096
#endif

struct slab {
    void *free[SLAB_LARGEST / SLAB_GRAIN + 1]; /* by size in grains: blocks given back, linked */
    struct slab_chunk *chunks;
    struct slab_large *large; /* blocks of malloc's */
    char *at, *end;           /* of the newest chunk: what was never given out */
};

/* size bytes, all zeros, aligned to SLAB_GRAIN. Aborts when memory is out. */
void *slab_alloc(struct slab *slab, size_t size);
/* A block that slab_alloc gave for that size. */
void slab_free(struct slab *slab, void *block, size_t size);
/* Gives back all blocks at once. */
void slab_reset(struct slab *slab);

/* size bytes for one large table, all zeros, in huge pages where it fills one;
 * to be freed by free. */
void *table_alloc(size_t size);

#endif
