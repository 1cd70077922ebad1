#include "processor/fold/slab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "processor/fold/state.h"

#define HUGE_PAGE   ((size_t)2 << 20)
#define CHUNK       (8 * HUGE_PAGE)    /* only what is used of it becomes memory */
#define FIRST_CHUNK ((size_t)64 << 10) /* a small state stays small */

struct slab_chunk {
    struct slab_chunk *next;
    _Alignas(SLAB_GRAIN) char bytes[];
};

struct slab_large {
    struct slab_large *previous, *next;
    _Alignas(SLAB_GRAIN) char bytes[];
};

static size_t grains(size_t size)
{
    return (size + SLAB_GRAIN - 1) / SLAB_GRAIN;
}

static void *huge_alloc(size_t size)
{
    void *memory = must_alloc(aligned_alloc(HUGE_PAGE, size));
    (void)madvise(memory, size, MADV_HUGEPAGE); /* refused: small pages do too */
    return memory;
}

void *table_alloc(size_t size)
{
    return size % HUGE_PAGE == 0 ? memset(huge_alloc(size), 0, size) : must_alloc(calloc(1, size));
}

static void add_chunk(struct slab *slab)
{
    size_t size = slab->chunks ? CHUNK : FIRST_CHUNK;
    struct slab_chunk *chunk = slab->chunks ? huge_alloc(size) : must_alloc(malloc(size));
    chunk->next = slab->chunks;
    slab->chunks = chunk;
    slab->at = chunk->bytes;
    slab->end = (char *)chunk + size;
}

static void *large_alloc(struct slab *slab, size_t size)
{
    struct slab_large *large = must_alloc(calloc(1, sizeof *large + size));
    large->next = slab->large;
    if (large->next)
        large->next->previous = large;
    slab->large = large;
    return large->bytes;
}

static void large_free(struct slab *slab, void *block)
{
    struct slab_large *large = (void *)((char *)block - offsetof(struct slab_large, bytes));
    if (large->next)
        large->next->previous = large->previous;
    if (large->previous)
        large->previous->next = large->next;
    else
        slab->large = large->next;
    free(large);
}

void *slab_alloc(struct slab *slab, size_t size)
{
    if (size > SLAB_LARGEST)
        return large_alloc(slab, size);
    size_t n = grains(size);
    void *block = slab->free[n];
    if (block) {
        memcpy(&slab->free[n], block, sizeof block);
    } else {
        if ((size_t)(slab->end - slab->at) < n * SLAB_GRAIN)
            add_chunk(slab);
        block = slab->at;
        slab->at += n * SLAB_GRAIN;
    }
    return memset(block, 0, size);
}

void slab_free(struct slab *slab, void *block, size_t size)
{
    if (size > SLAB_LARGEST) {
        large_free(slab, block);
        return;
    }
    memcpy(block, &slab->free[grains(size)], sizeof block);
    slab->free[grains(size)] = block;
}

void slab_reset(struct slab *slab)
{
    while (slab->large)
        large_free(slab, slab->large->bytes);
    while (slab->chunks) {
        struct slab_chunk *next = slab->chunks->next;
        free(slab->chunks);
        slab->chunks = next;
    }
    *slab = (struct slab){0};
}
