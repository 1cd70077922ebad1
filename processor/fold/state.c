#include "processor/fold/state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL /* keys are short: a call would cost as much as the hash */
#include <xxhash.h>

#include "processor/fold/slab.h"

enum {
    RECORD_DIRTY = 1,    /* to be stored */
    RECORD_UNHASHED = 2, /* changed since it was last in the digest */
    RECORD_REMOVED = 4,
    RECORD_REPLACED = 8, /* no longer in the table; freed at the next checkpoint */
    RECORD_PINNED = 16,
    RECORD_USED = 32,    /* since the last eviction */
    RECORD_STORED = 64,  /* the store has something under its key */
    RECORD_STANDS = 128, /* the digest's sum holds what stands in it */
};

struct record_list {
    struct record **at;
    size_t count, capacity;
};

struct state {
    struct fold_loader loader;
    struct slab slab;
    uint64_t *slots;                      /* tag << 48 | pointer, 0 = empty; linear probing */
    size_t slot_mask, slots_taken, count; /* taken: by records, and by GONE */
    struct record_list dirty, unhashed;
    struct record_list removed; /* tombstones handed out: the store still has what they stand for */
    size_t settled;             /* of the unhashed: those that a settling has left there */
    uint64_t sum[2];
};

#define POINTER_BITS   48
#define POINTER_MASK   ((UINT64_C(1) << POINTER_BITS) - 1)
#define SLOTS_AT_START 1024
#define FETCHED_AHEAD  8 /* records, in loops over many */

void *must_alloc(void *memory)
{
    if (!memory) {
        fputs("callfold: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void key_make(struct key *key, enum record_kind kind, struct text a)
{
    key_begin(key, kind);
    key_part(key, a);
}

void key_make2(struct key *key, enum record_kind kind, struct text a, struct text b)
{
    key_begin(key, kind);
    key_part(key, a);
    key_part(key, b);
}

void key_make3(struct key *key, enum record_kind kind, struct text a, struct text b, struct text c)
{
    key_begin(key, kind);
    key_part(key, a);
    key_part(key, b);
    key_part(key, c);
}

struct key key_of(enum record_kind kind, struct text a)
{
    struct key key;
    key_make(&key, kind, a);
    return key;
}

struct key key_of2(enum record_kind kind, struct text a, struct text b)
{
    struct key key;
    key_make2(&key, kind, a, b);
    return key;
}

struct key key_of3(enum record_kind kind, struct text a, struct text b, struct text c)
{
    struct key key;
    key_make3(&key, kind, a, b, c);
    return key;
}

static bool is_resident(uint8_t kind)
{
    for (size_t i = 0; i < sizeof RESIDENT_KINDS - 1; i++)
        if (kind == (uint8_t)RESIDENT_KINDS[i])
            return true;
    return false;
}

void record_pin(struct record *record, bool pinned)
{
    record->flags = (uint8_t)(pinned ? record->flags | RECORD_PINNED : record->flags & ~RECORD_PINNED);
}

/* --- the digest --- */

/* A tick moves some of a live call, and is to cost the hash of no more. So what
 * stands from the call's start on is hashed apart: it enters the digest's sum
 * once, and leaves it with the call. Other records have no such part. */

static struct text moving_part(uint8_t kind, struct text body)
{
    bool is_longer = kind == RECORD_LIVE_CALL && body.len > CALL_MOVING;
    return is_longer ? (struct text){body.at, CALL_MOVING} : body;
}

static void hash_part(struct text part, uint64_t seed, uint64_t hash[2])
{
    XXH128_hash_t h = XXH3_128bits_withSeed(part.at, part.len, seed);
    hash[0] = h.low64;
    hash[1] = h.high64;
}

/* Zero where there is none. */
static void hash_standing(uint8_t kind, struct text body, uint64_t key_hash, uint64_t hash[2])
{
    size_t moving = moving_part(kind, body).len;
    hash[0] = hash[1] = 0;
    if (body.len > moving)
        hash_part((struct text){body.at + moving, body.len - moving}, ~key_hash, hash);
}

void fold_record_hash(struct text key, struct text body, uint64_t hash[2])
{
    uint8_t kind = (uint8_t)key.at[0];
    uint64_t key_hash = XXH3_64bits(key.at, key.len), standing[2];
    hash_part(moving_part(kind, body), key_hash, hash);
    hash_standing(kind, body, key_hash, standing);
    fold_digest_add(hash, standing);
}

void fold_digest_add(uint64_t sum[2], const uint64_t value[2])
{
    sum[0] += value[0];
    sum[1] += value[1] + (sum[0] < value[0]);
}

static void sum_subtract(uint64_t sum[2], const uint64_t value[2])
{
    uint64_t borrow = sum[0] < value[0];
    sum[0] -= value[0];
    sum[1] -= value[1] + borrow;
}

static struct text body_of(struct record *record)
{
    return (struct text){record_body(record), record->body_len};
}

/* The digest's sum holds nothing for the record any more. */
static void take_out(struct state *state, struct record *record)
{
    uint64_t standing[2];
    sum_subtract(state->sum, record->contribution);
    memset(record->contribution, 0, sizeof record->contribution);
    if (record->flags & RECORD_STANDS) {
        hash_standing(record->kind, body_of(record), record->hash, standing);
        sum_subtract(state->sum, standing);
    }
    record->flags &= (uint8_t)~RECORD_STANDS;
}

/* The digest's sum holds the record as it is now. */
static void put_in(struct state *state, struct record *record)
{
    uint64_t standing[2];
    sum_subtract(state->sum, record->contribution);
    hash_part(moving_part(record->kind, body_of(record)), record->hash, record->contribution);
    fold_digest_add(state->sum, record->contribution);
    if (!(record->flags & RECORD_STANDS)) {
        hash_standing(record->kind, body_of(record), record->hash, standing);
        fold_digest_add(state->sum, standing);
    }
    record->flags |= RECORD_STANDS;
}

/* --- the table --- */

static uint64_t slot_of(struct record *record)
{
    uint64_t pointer = (uint64_t)(uintptr_t)record;
    assert((pointer & ~POINTER_MASK) == 0);
    return pointer | (record->hash & ~POINTER_MASK);
}

static struct record *slot_record(uint64_t slot)
{
    return (struct record *)(uintptr_t)(slot & POINTER_MASK);
}

/* Stands where a record was, so that what probed past it is still found without
 * any of it being moved. It has no key that could be asked for. */
static const struct record gone;
#define GONE ((uint64_t)(uintptr_t)&gone)

static bool holds_record(uint64_t slot)
{
    return slot != 0 && slot != GONE;
}

static void table_place(struct state *state, struct record *record)
{
    size_t i = record->hash & state->slot_mask;
    while (state->slots[i] != 0)
        i = (i + 1) & state->slot_mask;
    state->slots[i] = slot_of(record);
}

static void table_resize(struct state *state, size_t slots)
{
    uint64_t *old = state->slots;
    size_t old_slots = old ? state->slot_mask + 1 : 0;
    state->slots = table_alloc(slots * sizeof *state->slots);
    state->slot_mask = slots - 1;
    for (size_t i = 0; i < old_slots; i++) {
        if (i + FETCHED_AHEAD < old_slots)
            __builtin_prefetch(slot_record(old[i + FETCHED_AHEAD]));
        if (holds_record(old[i]))
            table_place(state, slot_record(old[i]));
    }
    state->slots_taken = state->count;
    free(old);
}

static void table_insert(struct state *state, struct record *record)
{
    size_t slots = state->slot_mask + 1;
    if ((state->slots_taken + 1) * 4 > slots * 3)
        table_resize(state, state->count * 2 > slots ? slots * 2 : slots);
    table_place(state, record);
    state->slots_taken++;
    state->count++;
}

/* The slot that holds the key's record, or SIZE_MAX. */
static size_t table_slot(const struct state *state, uint64_t hash, const char *key, size_t key_len)
{
    for (size_t i = hash & state->slot_mask; state->slots[i] != 0; i = (i + 1) & state->slot_mask) {
        if (((state->slots[i] ^ hash) & ~POINTER_MASK) != 0)
            continue;
        struct record *record = slot_record(state->slots[i]);
        struct text held = record_key(record);
        if (record->hash == hash && held.len == key_len && same_id(held.at, key, key_len))
            return i;
    }
    return SIZE_MAX;
}

static void table_erase(struct state *state, const struct record *record)
{
    size_t mask = state->slot_mask, i = record->hash & mask;
    while (slot_record(state->slots[i]) != record)
        i = (i + 1) & mask;
    state->slots[i] = GONE;
    state->count--;
    if (state->slots[(i + 1) & mask] != 0)
        return;
    for (; state->slots[i] == GONE; i = (i - 1) & mask) {
        state->slots[i] = 0;
        state->slots_taken--;
    }
}

/* --- fetching ahead: memory that is far away, asked for before it is needed --- */

#define CACHE_LINE 64

uint64_t key_hash(const struct key *key)
{
    return XXH3_64bits(key->bytes, key->len);
}

void state_fetch_slot(const struct state *state, uint64_t hash)
{
    __builtin_prefetch(&state->slots[hash & state->slot_mask]);
}

void record_fetch(const struct record *record, int lines)
{
    for (int line = 0; line < lines; line++)
        __builtin_prefetch((const char *)record + line * CACHE_LINE, 1);
}

/* The first slot whose tag fits: a wrong one costs time, not truth. */
static struct record *tagged(const struct state *state, uint64_t hash)
{
    for (size_t i = hash & state->slot_mask; state->slots[i] != 0; i = (i + 1) & state->slot_mask)
        if (((state->slots[i] ^ hash) & ~POINTER_MASK) == 0)
            return slot_record(state->slots[i]);
    return NULL;
}

void state_fetch_record(const struct state *state, uint64_t hash, int lines)
{
    const struct record *record = tagged(state, hash);
    if (record)
        record_fetch(record, lines);
}

struct record *state_guess(const struct state *state, uint64_t hash)
{
    struct record *record = tagged(state, hash);
    return record && record->hash == hash ? record : NULL;
}

struct state *state_new(const struct fold_loader *loader)
{
    struct state *state = must_alloc(calloc(1, sizeof *state));
    if (loader)
        state->loader = *loader;
    table_resize(state, SLOTS_AT_START);
    return state;
}

static size_t record_size(uint8_t kind, size_t key_len, size_t body_len)
{
    return sizeof(struct record) + links_size(kind) + key_room(key_len) + body_len;
}

static void record_free(struct state *state, struct record *record)
{
    slab_free(&state->slab, record, record_size(record->kind, record->key_len, record->body_len));
}

void state_reset(struct state *state)
{
    slab_reset(&state->slab);
    free(state->slots);
    free(state->dirty.at);
    free(state->unhashed.at);
    free(state->removed.at);
    *state = (struct state){.loader = state->loader};
    table_resize(state, SLOTS_AT_START);
}

void state_free(struct state *state)
{
    if (!state)
        return;
    state_reset(state);
    free(state->slots);
    free(state);
}

static struct record *record_make(struct state *state, uint64_t hash, struct text key, size_t body_len)
{
    uint8_t kind = (uint8_t)key.at[0];
    struct record *record = slab_alloc(&state->slab, record_size(kind, key.len, body_len));
    record->hash = hash;
    record->kind = kind;
    record->flags = RECORD_USED;
    record->body_len = (uint32_t)body_len;
    record->key_len = (uint16_t)key.len;
    memcpy(record->rest + links_size(kind), key.at, key.len);
    return record;
}

/* A record that equals what the store holds enters the working set. */
static struct record *record_load(struct state *state, uint64_t hash, struct text key, struct text body)
{
    struct record *record = record_make(state, hash, key, body.len);
    if (body.len > 0)
        memcpy(record_body(record), body.at, body.len);
    hash_part(moving_part(record->kind, body), hash, record->contribution);
    record->flags |= RECORD_STORED | RECORD_STANDS;
    table_insert(state, record);
    return record;
}

struct record *state_find(struct state *state, const struct key *key)
{
    uint64_t hash = key_hash(key);
    size_t slot = table_slot(state, hash, key->bytes, key->len);
    if (slot != SIZE_MAX) {
        struct record *record = slot_record(state->slots[slot]);
        record->flags |= RECORD_USED;
        return record->flags & RECORD_REMOVED ? NULL : record;
    }
    struct text body;
    struct text name = {key->bytes, key->len};
    if (!state->loader.load || is_resident((uint8_t)key->bytes[0]) ||
        !state->loader.load(state->loader.context, name, &body))
        return NULL;
    return record_load(state, hash, name, body);
}

static bool key_is(struct text key, enum record_kind kind, struct text a, struct text b)
{
    return key.len == a.len + b.len + 2 && key.at[0] == (char)kind && same_id(key.at + 1, a.at, a.len) &&
           key.at[a.len + 1] == '\0' && same_id(key.at + a.len + 2, b.at, b.len);
}

struct record *state_find_hashed(struct state *state, uint64_t hash, enum record_kind kind, struct text a,
                                 struct text b)
{
    assert(is_resident((uint8_t)kind));
    for (size_t i = hash & state->slot_mask; state->slots[i] != 0; i = (i + 1) & state->slot_mask) {
        if (((state->slots[i] ^ hash) & ~POINTER_MASK) != 0)
            continue;
        struct record *record = slot_record(state->slots[i]);
        if (record->hash == hash && key_is(record_key(record), kind, a, b)) {
            record->flags |= RECORD_USED;
            return record->flags & RECORD_REMOVED ? NULL : record;
        }
    }
    return NULL;
}

struct record *state_restore(struct state *state, struct text key, struct text body)
{
    return record_load(state, XXH3_64bits(key.at, key.len), key, body);
}

static void list_push(struct record_list *list, struct record *record)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 256;
        list->at = must_alloc(realloc(list->at, list->capacity * sizeof(struct record *)));
    }
    list->at[list->count++] = record;
}

/* Not inlined, so that what finds the record noted already is short enough to be. */
static __attribute__((noinline)) void note_change(struct state *state, struct record *record)
{
    if (!(record->flags & RECORD_DIRTY))
        list_push(&state->dirty, record);
    if (!(record->flags & RECORD_UNHASHED))
        list_push(&state->unhashed, record);
    record->flags |= RECORD_DIRTY | RECORD_UNHASHED;
}

void state_changed(struct state *state, struct record *record)
{
    if ((~record->flags & (RECORD_DIRTY | RECORD_UNHASHED)) != 0)
        note_change(state, record);
}

void state_remove(struct state *state, struct record *record)
{
    state_changed(state, record);
    record->flags |= RECORD_REMOVED;
}

struct record *state_create(struct state *state, const struct key *key, size_t body_len)
{
    struct text name = {key->bytes, key->len};
    uint64_t hash = key_hash(key);
    struct record *record = record_make(state, hash, name, body_len);
    size_t slot = table_slot(state, hash, key->bytes, key->len);
    if (slot == SIZE_MAX) {
        table_insert(state, record);
    } else {
        struct record *old = slot_record(state->slots[slot]);
        state_changed(state, old); /* so that the lists own it until it is freed */
        old->flags |= RECORD_REPLACED;
        record->flags |= old->flags & RECORD_STORED;
        take_out(state, old);
        state->slots[slot] = slot_of(record);
    }
    state_changed(state, record);
    return record;
}

size_t state_count(const struct state *state)
{
    return state->count;
}

/* --- bringing it up to date --- */

static void bring_in(struct state *state, struct record *record)
{
    if (record->flags & RECORD_REMOVED)
        take_out(state, record);
    else if (!(record->flags & RECORD_REPLACED))
        put_in(state, record);
    record->flags &= (uint8_t)~RECORD_UNHASHED;
}

/* Records of one call change seldom and are many: fetching them again for an
 * attestation would take longer than hashing them whenever they change. */
static bool is_of_a_call(const struct record *record)
{
    return record->kind == RECORD_LIVE_CALL || record->kind == RECORD_CLOSED_CALL || record->kind == RECORD_EXPIRY;
}

void state_settle(struct state *state)
{
    struct record_list *list = &state->unhashed;
    size_t kept = state->settled;
    for (size_t i = kept; i < list->count; i++) {
        if (is_of_a_call(list->at[i]))
            bring_in(state, list->at[i]);
        else
            list->at[kept++] = list->at[i];
    }
    list->count = state->settled = kept;
}

void state_digest(struct state *state, uint64_t sum[2])
{
    for (size_t i = 0; i < state->unhashed.count; i++) {
        if (i + FETCHED_AHEAD < state->unhashed.count)
            record_fetch(state->unhashed.at[i + FETCHED_AHEAD], RECORD_LINES);
        bring_in(state, state->unhashed.at[i]);
    }
    state->unhashed.count = state->settled = 0;
    sum[0] = state->sum[0];
    sum[1] = state->sum[1];
}

void state_set_digest(struct state *state, const uint64_t sum[2])
{
    memcpy(state->sum, sum, sizeof state->sum);
}

/* --- checkpoints --- */

/* What was replaced since the last checkpoint is out of the table and, once
 * the digest is up to date, in no other list. */
static void drop_replaced(struct state *state)
{
    uint64_t sum[2];
    state_digest(state, sum);
    size_t kept = 0;
    for (size_t i = 0; i < state->dirty.count; i++) {
        struct record *record = state->dirty.at[i];
        if (record->flags & RECORD_REPLACED)
            record_free(state, record);
        else
            state->dirty.at[kept++] = record;
    }
    state->dirty.count = kept;
}

static void forget(struct state *state, struct record *record)
{
    table_erase(state, record);
    record_free(state, record);
}

/* A resident kind's record that came and went since the last checkpoint is nothing to the store. */
static bool is_to_store(const struct record *record)
{
    return !(record->flags & RECORD_REMOVED) || record->flags & RECORD_STORED || !is_resident(record->kind);
}

static void hand_out(struct state *state, struct record *record, fold_visit *visit, void *context)
{
    bool is_removed = (record->flags & RECORD_REMOVED) != 0;
    struct text body = {record_body(record), record->body_len};
    visit(context, record_key(record), is_removed ? TEXT_NONE : body);
    record->flags = (uint8_t)((record->flags & ~RECORD_DIRTY) | RECORD_STORED);
    if (is_removed)
        list_push(&state->removed, record);
}

/* A record, and later, if it may go, its slot. */
static void fetch_listed(const struct state *state, const struct record_list *list, size_t i)
{
    if (i + 2 * FETCHED_AHEAD < list->count)
        record_fetch(list->at[i + 2 * FETCHED_AHEAD], RECORD_LINES);
    if (i + FETCHED_AHEAD < list->count && list->at[i + FETCHED_AHEAD]->flags & RECORD_REMOVED)
        state_fetch_slot(state, list->at[i + FETCHED_AHEAD]->hash);
}

void state_dirty(struct state *state, fold_visit *visit, void *context)
{
    drop_replaced(state);
    for (size_t i = 0; i < state->dirty.count; i++) {
        struct record *record = state->dirty.at[i];
        fetch_listed(state, &state->dirty, i);
        if (is_to_store(record))
            hand_out(state, record, visit, context);
        else
            forget(state, record);
    }
    state->dirty.count = 0;
}

/* One that was replaced meanwhile is changed again, and the next checkpoint's. */
void state_clean(struct state *state)
{
    for (size_t i = 0; i < state->removed.count; i++) {
        fetch_listed(state, &state->removed, i);
        if (!(state->removed.at[i]->flags & RECORD_REPLACED))
            forget(state, state->removed.at[i]);
    }
    state->removed.count = 0;
}

static bool may_go(const struct record *record)
{
    return !is_resident(record->kind) && !(record->flags & (RECORD_PINNED | RECORD_DIRTY));
}

/* Forgets what may go and has none of the flags. The table is made anew, so
 * that no probing chain is mended a thousand times. */
static void sweep(struct state *state, uint8_t unless)
{
    size_t kept = 0;
    for (size_t i = 0; i <= state->slot_mask; i++) {
        if (!holds_record(state->slots[i]))
            continue;
        struct record *record = slot_record(state->slots[i]);
        if (may_go(record) && !(record->flags & unless)) {
            record_free(state, record);
            state->slots[i] = 0;
        } else {
            kept++;
        }
    }
    state->count = kept;
    size_t slots = SLOTS_AT_START;
    while (slots * 5 < kept * 10)
        slots *= 2;
    table_resize(state, slots);
}

void state_evict(struct state *state, size_t keep)
{
    size_t evictable = 0;
    if (state->count <= keep)
        return;
    for (size_t i = 0; i <= state->slot_mask; i++)
        if (holds_record(state->slots[i]))
            evictable += may_go(slot_record(state->slots[i]));
    if (evictable <= keep)
        return;
    uint64_t sum[2];
    state_digest(state, sum);
    size_t before = state->count;
    sweep(state, RECORD_USED);
    if (evictable - (before - state->count) > keep)
        sweep(state, 0);
    for (size_t i = 0; i <= state->slot_mask; i++)
        if (holds_record(state->slots[i]))
            slot_record(state->slots[i])->flags &= (uint8_t)~RECORD_USED;
}
