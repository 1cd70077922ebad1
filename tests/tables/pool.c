#include "tests/tables/pool.h"

#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    max_align_t bytes[];
};

struct pool {
    struct block *blocks;
    json_t *values;
};

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory) {
        abort();
    }
    return memory;
}

struct pool *pool_new(void)
{
    struct pool *pool = allocate(sizeof *pool);
    pool->values = json_array();
    return pool;
}

void pool_free(struct pool *pool)
{
    while (pool->blocks) {
        struct block *next = pool->blocks->next;
        free(pool->blocks);
        pool->blocks = next;
    }
    json_decref(pool->values);
    free(pool);
}

void *pool_alloc(struct pool *pool, size_t size)
{
    struct block *block = allocate(sizeof *block + size);
    block->next = pool->blocks;
    pool->blocks = block;
    return block->bytes;
}

char *pool_string(struct pool *pool, const char *text, size_t len)
{
    char *copy = pool_alloc(pool, len + 1);
    memcpy(copy, text, len);
    return copy;
}

json_t *pool_json(struct pool *pool, json_t *value)
{
    json_array_append_new(pool->values, value);
    return value;
}

void *pool_grow(struct pool *pool, void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    *capacity = count < 4 ? 4 : 2 * count;
    char *grown = pool_alloc(pool, *capacity * size);
    if (count > 0) {
        memcpy(grown, items, count * size);
    }
    return grown;
}
