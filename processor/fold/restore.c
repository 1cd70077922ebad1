/* Opening a stored state: the records that are always in memory come in, and
 * what is derived from them (lists, deadlines) is made again. */
#include "processor/fold/internal.h"

#include <stdlib.h>

static void restore_begin(struct fold *fold)
{
    /* What fold_new made for a new partition gives way to what is stored. */
    state_reset(fold->state);
    fold->partition_record = NULL;
    fold->p = NULL;
    fold->policy = NULL;
    fold->restored_capacity = 256;
    fold->restored = must_alloc(malloc(fold->restored_capacity * sizeof(struct record *)));
}

static void restore_partition(struct fold *fold, struct record *record)
{
    fold->partition_record = record;
    fold->p = record_body(record);
    input_restore(fold);
}

static void remember(struct fold *fold, struct record *record)
{
    if (fold->restored_count == fold->restored_capacity) {
        fold->restored_capacity *= 2;
        fold->restored = must_alloc(realloc(fold->restored, fold->restored_capacity * sizeof(struct record *)));
    }
    fold->restored[fold->restored_count++] = record;
}

static bool restore_recharge(struct fold *fold, struct record *record)
{
    struct record *account = account_find(fold, record_key_part(record_key(record), 0));
    if (!account)
        return false;
    recharge_restore(fold, record, account);
    return true;
}

bool fold_restore(struct fold *fold, struct text key, struct text body)
{
    if (!fold->restored)
        restore_begin(fold);
    struct record *record = state_restore(fold->state, key, body);
    enum record_kind kind = record_kind_of(record);
    if (!record_is_whole(kind, (struct text){record_body(record), record_body_len(record)}))
        return false;
    switch (kind) {
    case RECORD_PARTITION: restore_partition(fold, record); return true;
    case RECORD_POLICY: fold->policy = record_body(record); return true;
    case RECORD_FX: fx_remember(fold, record); return true;
    case RECORD_DECK: deck_restore(fold, record); return true;
    case RECORD_RATE: return rate_restore(fold, record);
    case RECORD_RECHARGE: return restore_recharge(fold, record);
    case RECORD_LIVE_CALL: remember(fold, record); return true;
    default: return false;
    }
}

static int by_start(const void *a, const void *b)
{
    int64_t x = call_of(*(struct record *const *)a)->start_offset;
    int64_t y = call_of(*(struct record *const *)b)->start_offset;
    return (x > y) - (x < y);
}

/* An account's list of calls is in order of their starts. */
static bool restore_calls(struct fold *fold)
{
    qsort(fold->restored, fold->restored_count, sizeof(struct record *), by_start);
    for (size_t i = 0; i < fold->restored_count; i++) {
        struct record *account = account_find(fold, record_key_part(record_key(fold->restored[i]), 0));
        if (!account)
            return false;
        call_enlist(fold, fold->restored[i], account);
    }
    return fold->p->live_calls == (int64_t)fold->restored_count;
}

static bool digest_parse(const char digest[DIGEST_HEX], uint64_t sum[2])
{
    for (int half = 0; half < 2; half++) {
        char digits[17] = {0};
        char *end;
        memcpy(digits, digest + 16 * half, 16);
        sum[1 - half] = strtoull(digits, &end, 16);
        if (end != digits + 16)
            return false;
    }
    return true;
}

bool fold_restored(struct fold *fold, const char digest[DIGEST_HEX])
{
    uint64_t sum[2];
    bool fits = fold->p && fold->policy && digest_parse(digest, sum) && restore_calls(fold);
    free(fold->restored);
    fold->restored = NULL;
    fold->restored_count = 0;
    if (fits)
        state_set_digest(fold->state, sum);
    return fits;
}
