/* changes.c - see changes.h. */
#include "snapshots/changes.h"

#include <endian.h>
#include <stdlib.h>

#include "snapshots/fail_point.h"

#define REMOVED        UINT32_MAX /* in place of a body's length */
#define COUNT_AT_START 1024
#define FETCHED_AHEAD  8 /* items, in a loop over many */

struct change {
    uint64_t head[2]; /* the beginning of its key, big endian, zeros behind a short one: it decides nearly always */
    size_t at;        /* in bytes */
    uint32_t key_len, body_len;
};

static void make_room(struct changes *changes)
{
    if (changes->count < changes->capacity)
        return;
    changes->capacity = changes->capacity > 0 ? 2 * changes->capacity : COUNT_AT_START;
    changes->items = realloc(changes->items, changes->capacity * sizeof changes->items[0]);
    if (changes->items == NULL)
        abort();
}

void changes_add(void *opaque, struct text key, struct text body)
{
    struct changes *changes = opaque;
    bool is_removed = !text_present(body);
    make_room(changes);
    changes->items[changes->count++] = (struct change){.at = changes->bytes.len,
                                                       .key_len = (uint32_t)key.len,
                                                       .body_len = is_removed ? REMOVED : (uint32_t)body.len};
    buffer_append(&changes->bytes, key.at, key.len);
    if (!is_removed)
        buffer_append(&changes->bytes, body.at, body.len);
}

static struct text key_of_change(const struct changes *changes, const struct change *change)
{
    return (struct text){changes->bytes.at + change->at, change->key_len};
}

static struct text body_of_change(const struct changes *changes, const struct change *change)
{
    if (change->body_len == REMOVED)
        return TEXT_NONE;
    return (struct text){changes->bytes.at + change->at + change->key_len, change->body_len};
}

static void set_head(const struct changes *changes, struct change *change)
{
    struct text key = key_of_change(changes, change);
    memset(change->head, 0, sizeof change->head);
    memcpy(change->head, key.at, key.len < sizeof change->head ? key.len : sizeof change->head);
    change->head[0] = be64toh(change->head[0]);
    change->head[1] = be64toh(change->head[1]);
}

static int by_key(const void *a, const void *b, void *opaque)
{
    const struct changes *changes = opaque;
    const struct change *x = a, *y = b;
    for (int i = 0; i < 2; i++)
        if (x->head[i] != y->head[i])
            return x->head[i] < y->head[i] ? -1 : 1;
    return text_compare(key_of_change(changes, x), key_of_change(changes, y));
}

static void put_in_order(struct changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        set_head(changes, &changes->items[i]);
    qsort_r(changes->items, changes->count, sizeof changes->items[0], by_key, changes);
}

static void fetch(const struct changes *changes, size_t i)
{
    if (i < changes->count)
        __builtin_prefetch(changes->bytes.at + changes->items[i].at);
}

bool changes_store(struct changes *changes, struct store *store, const struct store_header *header, bool sync,
                   struct store_error *error)
{
    put_in_order(changes);
    if (!store_begin(store, error))
        return false;
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->items[i];
        fetch(changes, i + FETCHED_AHEAD);
        store_put(store, key_of_change(changes, change), body_of_change(changes, change));
    }
    FAIL_POINT("mid-checkpoint");
    return store_commit(store, header, sync, error);
}

void changes_free(struct changes *changes)
{
    buffer_free(&changes->bytes);
    free(changes->items);
    *changes = (struct changes){0};
}
