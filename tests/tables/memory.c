#include "tests/tables/memory.h"

#include <stdio.h>
#include <stdlib.h>

/* Where key is, or where it would go. */
static size_t find(const struct memory *memory, struct text key)
{
    size_t low = 0, high = memory->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (text_compare(memory->records[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct memory *memory, size_t at, struct text key)
{
    return at < memory->count && text_equal(memory->records[at].key, key);
}

static struct text copy(struct text t)
{
    char *bytes = malloc(t.len + 1);
    if (!bytes) {
        abort();
    }
    memcpy(bytes, t.at, t.len);
    return (struct text){bytes, t.len};
}

static void release(struct stored *record)
{
    free((void *)record->key.at);
    free((void *)record->body.at);
}

static void remove_at(struct memory *memory, size_t at)
{
    release(&memory->records[at]);
    memory->count--;
    memmove(&memory->records[at], &memory->records[at + 1], (memory->count - at) * sizeof *memory->records);
}

static void insert_at(struct memory *memory, size_t at, struct text key, struct text body)
{
    if (memory->count == memory->capacity) {
        memory->capacity = memory->capacity ? 2 * memory->capacity : 64;
        memory->records = realloc(memory->records, memory->capacity * sizeof *memory->records);
        if (!memory->records) {
            abort();
        }
    }
    memmove(&memory->records[at + 1], &memory->records[at], (memory->count - at) * sizeof *memory->records);
    memory->records[at] = (struct stored){copy(key), copy(body)};
    memory->count++;
}

static void store(void *context, struct text key, struct text body)
{
    struct memory *memory = context;
    size_t at = find(memory, key);
    if (is_at(memory, at, key)) {
        remove_at(memory, at);
    }
    if (text_present(body)) {
        insert_at(memory, at, key, body);
    }
}

bool memory_load(void *context, struct text key, struct text *body)
{
    const struct memory *memory = context;
    size_t at = find(memory, key);
    bool found = is_at(memory, at, key);
    if (found) {
        *body = memory->records[at].body;
    }
    return found;
}

static struct memory *duplicate(const struct memory *memory)
{
    struct memory *twin = calloc(1, sizeof *twin);
    if (!twin) {
        abort();
    }
    for (size_t i = 0; i < memory->count; i++) {
        insert_at(twin, i, memory->records[i].key, memory->records[i].body);
    }
    return twin;
}

void memory_checkpoint_take(struct memory *memory, struct fold *fold)
{
    memory->taken = duplicate(memory);
    fold_digest(fold, memory->taken->digest);
    fold_dirty(fold, store, memory->taken);
}

void memory_checkpoint_end(struct memory *memory, struct fold *fold)
{
    struct memory *taken = memory->taken;
    memory->taken = NULL;
    memory_clear(memory);
    *memory = *taken;
    free(taken);
    fold_clean(fold);
}

void memory_checkpoint(struct memory *memory, struct fold *fold)
{
    memory_checkpoint_take(memory, fold);
    memory_checkpoint_end(memory, fold);
}

struct fold *memory_open(struct memory *memory, uint32_t partition, uint32_t partition_count)
{
    struct fold_loader loader = {memory_load, memory};
    struct fold *fold = fold_new(partition, partition_count, &loader);
    bool good = true;
    if (memory->count == 0) {
        return fold;
    }
    for (const char *kind = RESIDENT_KINDS; *kind; kind++) {
        for (size_t i = find(memory, (struct text){kind, 1});
             good && i < memory->count && memory->records[i].key.at[0] == *kind; i++) {
            good = fold_restore(fold, memory->records[i].key, memory->records[i].body);
        }
    }
    if (good && fold_restored(fold, memory->digest)) {
        return fold;
    }
    fold_free(fold);
    return NULL;
}

void memory_digest(const struct memory *memory, char digest[DIGEST_HEX])
{
    unsigned __int128 sum = 0;
    for (size_t i = 0; i < memory->count; i++) {
        uint64_t hash[2];
        fold_record_hash(memory->records[i].key, memory->records[i].body, hash);
        sum += (unsigned __int128)hash[1] << 64 | hash[0];
    }
    char hex[DIGEST_HEX + 1];
    snprintf(hex, sizeof hex, "%016llx%016llx", (unsigned long long)(sum >> 64), (unsigned long long)sum);
    memcpy(digest, hex, DIGEST_HEX);
}

void memory_clear(struct memory *memory)
{
    for (size_t i = 0; i < memory->count; i++) {
        release(&memory->records[i]);
    }
    free(memory->records);
    if (memory->taken) {
        memory_clear(memory->taken);
        free(memory->taken);
    }
    *memory = (struct memory){0};
}
