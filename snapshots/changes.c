/* changes.c - see changes.h. */
#include "snapshots/changes.h"

#include <endian.h>
#include <stdlib.h>

#include "snapshots/fail_point.h"

#define REMOVED        UINT32_MAX /* in place of a body's length */
#define COUNT_AT_START 1024
#define FETCHED_AHEAD  8  /* items, in a loop over many */
#define FEW            24 /* are sorted by insertion */

struct change {
    uint64_t head[2]; /* the beginning of its key, as numbers that sort like it; zeros behind a short one */
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

/* By heads: byte by byte, in place. Keys are far from each other in memory, and
 * are compared only where heads are equal. */

#define HEAD_BYTES sizeof(((struct change *)0)->head)

static bool head_precedes(const struct change *a, const struct change *b)
{
    return a->head[0] != b->head[0] ? a->head[0] < b->head[0] : a->head[1] < b->head[1];
}

static void insert_each(struct change *at, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct change moving = at[i];
        size_t to = i;
        for (; to > 0 && head_precedes(&moving, &at[to - 1]); to--)
            at[to] = at[to - 1];
        at[to] = moving;
    }
}

static unsigned byte_of(const uint64_t head[2], size_t byte)
{
    return (unsigned)(head[byte / 8] >> (56 - byte % 8 * 8)) & 0xff;
}

/* The first byte of the heads, from a byte on, that is not the same in all. */
static size_t first_unlike(const struct change *at, size_t count, size_t byte)
{
    uint64_t unlike[2] = {0, 0};
    for (size_t i = 1; i < count; i++) {
        unlike[0] |= at[i].head[0] ^ at->head[0];
        unlike[1] |= at[i].head[1] ^ at->head[1];
    }
    while (byte < HEAD_BYTES && byte_of(unlike, byte) == 0)
        byte++;
    return byte;
}

/* Gathers those of one byte: next[b] is where the next of byte b goes, end[b]
 * where the last of them ends. */
static void gather(struct change *at, size_t byte, size_t next[256], const size_t end[256])
{
    for (unsigned b = 0; b < 256; b++) {
        while (next[b] < end[b]) {
            struct change moving = at[next[b]];
            unsigned home = byte_of(moving.head, byte);
            at[next[b]] = at[next[home]];
            at[next[home]++] = moving;
        }
    }
}

/* From a byte on; those before it are the same in all. */
static void order_by_head(struct change *at, size_t count, size_t byte)
{
    if (count <= FEW) {
        insert_each(at, count);
        return;
    }
    byte = first_unlike(at, count, byte);
    if (byte == HEAD_BYTES)
        return;
    size_t next[256], end[256] = {0}, total = 0;
    for (size_t i = 0; i < count; i++)
        end[byte_of(at[i].head, byte)]++;
    for (unsigned b = 0; b < 256; b++) {
        next[b] = total;
        end[b] = total += end[b];
    }
    gather(at, byte, next, end);
    for (size_t i = 0, stop; i < count; i = stop) {
        stop = end[byte_of(at[i].head, byte)];
        order_by_head(at + i, stop - i, byte + 1);
    }
}

static int by_key(const void *a, const void *b, void *changes)
{
    return text_compare(key_of_change(changes, a), key_of_change(changes, b));
}

/* How many from the i-th on have one head; they are then in order of their keys. */
static size_t order_by_key(struct changes *changes, size_t i)
{
    struct change *at = changes->items + i;
    size_t n = 1, most = changes->count - i;
    while (n < most && at[n].head[0] == at->head[0] && at[n].head[1] == at->head[1])
        n++;
    if (n > 1)
        qsort_r(at, n, sizeof *at, by_key, changes);
    return n;
}

static void put_in_order(struct changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        set_head(changes, &changes->items[i]);
    order_by_head(changes->items, changes->count, 0);
}

static void fetch(const struct changes *changes, size_t i)
{
    if (i < changes->count)
        __builtin_prefetch(changes->bytes.at + changes->items[i].at);
}

bool changes_store(struct changes *changes, struct store *store, const struct store_header *header, bool sync,
                   struct store_error *error)
{
    size_t in_order = 0;
    put_in_order(changes);
    if (!store_begin(store, error))
        return false;
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->items[i];
        fetch(changes, i + FETCHED_AHEAD);
        if (i == in_order)
            in_order += order_by_key(changes, i);
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
