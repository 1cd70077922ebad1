/* pool.h - memory that is freed all at once, and arrays that grow in it.
 * Running out of memory ends the test run. */
#ifndef CALLFOLD_TESTS_TABLES_POOL_H
#define CALLFOLD_TESTS_TABLES_POOL_H

#include <jansson.h>
#include <stddef.h>

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *pool);
/* Zeroed bytes. */
void *pool_alloc(struct pool *pool, size_t size);
/* A copy of the len bytes at text with a NUL behind them. */
char *pool_string(struct pool *pool, const char *text, size_t len);
/* Keeps a value (its reference is stolen) as long as the pool; returns it. */
json_t *pool_json(struct pool *pool, json_t *value);

/* Room for one more item at the end of an array of `count` items of `size`
 * bytes; returns the array, which may have moved. */
void *pool_grow(struct pool *pool, void *items, size_t count, size_t *capacity, size_t size);

/* Appends a zeroed item to an array and yields its address. */
#define POOL_APPEND(pool, items, count, capacity) \
    ((items) = pool_grow((pool), (items), (count), &(capacity), sizeof *(items)), &(items)[(count)++])

#endif
