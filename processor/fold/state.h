/* state.h - the fold's working set: records by key, in memory.
 *
 * A hash table of records (records.h). What is not there is loaded through the
 * fold_loader, but for the resident kinds, of which all are there. Changed
 * records are remembered twice: for the digest, which is brought up to date after
 * a step or when it is asked for, and for the store, which takes them at a checkpoint.
 *
 * A removed record stays as a tombstone until the store has removed it too, which
 * state_clean says, so texts borrowed from it live as long as the outputs that
 * carry them.
 */
#ifndef CALLFOLD_PROCESSOR_FOLD_STATE_H
#define CALLFOLD_PROCESSOR_FOLD_STATE_H

#include <assert.h>

#include "processor/fold/fold.h"
#include "processor/fold/records.h"

/* What a record has in memory only. */
struct live_links {
    struct record *account, *previous, *next; /* the account's live calls, by start */
    size_t heap_index;                        /* deadline.c */
    size_t change;                            /* cutoff.c: one more than its place in the step's changes, or 0 */
    struct book_entry *entry;                 /* book.c: in its account's book, or NULL */
};
struct account_links {
    struct record *first, *last;
    struct book *book; /* book.c; NULL while no round wants one */
};
struct recharge_links {
    struct record *account;
    size_t heap_index;
};
union record_links {
    struct live_links live;
    struct account_links account;
    struct recharge_links recharge;
};

/* One allocation: this, the kind's links, the key, the body. The key is compared
 * at each look-up, so it stands next to the hash, where it is in the cache; it
 * takes whole words, so that the body is aligned. */
struct record {
    uint64_t hash;
    uint64_t contribution[2]; /* what the digest's sum holds for it now, but for what stands in it */
    uint32_t body_len;
    uint16_t key_len;
    uint8_t kind;
    uint8_t flags;
    char rest[];
};

static inline size_t links_size(uint8_t kind)
{
    return kind == RECORD_LIVE_CALL  ? sizeof(struct live_links)
           : kind == RECORD_ACCOUNT  ? sizeof(struct account_links)
           : kind == RECORD_RECHARGE ? sizeof(struct recharge_links)
                                     : 0;
}

static inline size_t key_room(size_t key_len)
{
    return (key_len + 7) & ~(size_t)7;
}

static inline enum record_kind record_kind_of(const struct record *record)
{
    return (enum record_kind)record->kind;
}

static inline union record_links *record_links(struct record *record)
{
    return (union record_links *)(void *)record->rest;
}

static inline struct text record_key(const struct record *record)
{
    return (struct text){record->rest + links_size(record->kind), record->key_len};
}

static inline void *record_body(struct record *record)
{
    return record->rest + links_size(record->kind) + key_room(record->key_len);
}

static inline size_t record_body_len(const struct record *record)
{
    return record->body_len;
}

/* A key under construction: kind byte, then parts. It is large, and little of it
 * is used: the fold makes it in place. */
struct key {
    size_t len;
    char bytes[RECORD_KEY_MAX];
};

/* Ids are short: calling memcpy or memcmp would take longer than what they do. */
static inline void copy_id(char *to, const char *from, size_t len)
{
    if (len >= 16) {
        for (size_t i = 0; i < len - 16; i += 16)
            memcpy(to + i, from + i, 16);
        memcpy(to + len - 16, from + len - 16, 16);
    } else if (len >= 8) {
        memcpy(to, from, 8);
        memcpy(to + len - 8, from + len - 8, 8);
    } else if (len >= 4) {
        memcpy(to, from, 4);
        memcpy(to + len - 4, from + len - 4, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            to[i] = from[i];
    }
}

static inline bool same_id(const char *a, const char *b, size_t len)
{
    uint64_t x, y, unlike = 0;
    if (len < 8)
        return memcmp(a, b, len) == 0;
    for (size_t i = 0; i < len - 8; i += 8) {
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        unlike |= x ^ y;
    }
    memcpy(&x, a + len - 8, 8);
    memcpy(&y, b + len - 8, 8);
    return (unlike | (x ^ y)) == 0;
}

static inline void key_begin(struct key *key, enum record_kind kind)
{
    key->bytes[0] = (char)kind;
    key->len = 1;
}

/* NUL before all but the first. */
static inline void key_part(struct key *key, struct text part)
{
    assert(key->len + 1 + part.len <= RECORD_KEY_MAX);
    if (key->len > 1)
        key->bytes[key->len++] = '\0';
    copy_id(key->bytes + key->len, part.at, part.len);
    key->len += part.len;
}

/* Big endian, no NUL. */
static inline void key_number(struct key *key, uint64_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        key->bytes[key->len++] = (char)(unsigned char)(value >> shift);
}

void key_make(struct key *key, enum record_kind kind, struct text a);
void key_make2(struct key *key, enum record_kind kind, struct text a, struct text b);
void key_make3(struct key *key, enum record_kind kind, struct text a, struct text b, struct text c);
/* The same, for who has no hurry. */
struct key key_of(enum record_kind kind, struct text a);
struct key key_of2(enum record_kind kind, struct text a, struct text b);
struct key key_of3(enum record_kind kind, struct text a, struct text b, struct text c);

struct state;

/* loader may be NULL. Never NULL; aborts when memory is out. */
struct state *state_new(const struct fold_loader *loader);
void state_free(struct state *state);
/* Forgets every record, changed or not. */
void state_reset(struct state *state);

/* NULL when there is no such record. */
struct record *state_find(struct state *state, const struct key *key);
/* The same for a resident kind and a key of two parts whose hash is known. */
struct record *state_find_hashed(struct state *state, uint64_t hash, enum record_kind kind, struct text a,
                                 struct text b);
/* A new record, its body all zeros, changed; what was under the key is replaced. */
struct record *state_create(struct state *state, const struct key *key, size_t body_len);
/* A record as the store holds it: not changed. */
struct record *state_restore(struct state *state, struct text key, struct text body);
void state_changed(struct state *state, struct record *record);
void state_remove(struct state *state, struct record *record);
/* At the end of a step, while what it changed is near: brings some of it into the digest. */
void state_settle(struct state *state);

/* Keeps a record in memory while another points at it. */
void record_pin(struct record *record, bool pinned);

/* For fold_expect: a key's hash, and what stands under it, without waiting. */
uint64_t key_hash(const struct key *key);
void state_fetch_slot(const struct state *state, uint64_t hash);
#define RECORD_LINES 5 /* of the cache: most of a record with its key */
#define TICK_LINES   4 /* what a tick needs of a call, or of an account */
void state_fetch_record(const struct state *state, uint64_t hash, int lines);
/* The record whose key has this hash, or NULL; its key is not compared. */
struct record *state_guess(const struct state *state, uint64_t hash);
void record_fetch(const struct record *record, int lines);

size_t state_count(const struct state *state);
void state_digest(struct state *state, uint64_t sum[2]);
/* The digest as of the stored state, before the resident kinds were restored. */
void state_set_digest(struct state *state, const uint64_t sum[2]);
/* fold_dirty, fold_clean, fold_evict. */
void state_dirty(struct state *state, fold_visit *visit, void *context);
void state_clean(struct state *state);
void state_evict(struct state *state, size_t keep);

void *must_alloc(void *memory); /* aborts on NULL */

#endif
