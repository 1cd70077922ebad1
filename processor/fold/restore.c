/* Opening a stored state: the records that are always in memory come in, and
 * what is derived from them (lists, deadlines) is made again. */
#include "processor/fold/internal.h"

#include <stdlib.h>

/* The live calls of one account, on their way in. */
struct restored {
    struct record *account;
    struct restored_call {
        int64_t start_offset;
        struct record *record;
    } * calls;
    size_t count, capacity;
    int64_t total; /* of all accounts */
};

static void restore_begin(struct fold *fold)
{
    /* What fold_new made for a new partition gives way to what is stored. */
    state_reset(fold->state);
    fold->partition_record = NULL;
    fold->p = NULL;
    fold->policy = NULL;
    fold->restored = must_alloc(calloc(1, sizeof *fold->restored));
}

static void restore_partition(struct fold *fold, struct record *record)
{
    fold->partition_record = record;
    fold->p = record_body(record);
    input_restore(fold);
}

static bool restore_recharge(struct fold *fold, struct record *record)
{
    struct record *account = account_find(fold, record_key_part(record_key(record), 0));
    if (!account)
        return false;
    recharge_restore(fold, record, account);
    return true;
}

/* --- live calls: they come account by account, as their keys are in order --- */

static int by_start(const void *a, const void *b)
{
    const struct restored_call *x = a, *y = b;
    return (x->start_offset > y->start_offset) - (x->start_offset < y->start_offset);
}

/* An account's list of calls is in order of their starts. */
static void enlist_calls(struct fold *fold)
{
    struct restored *restored = fold->restored;
    if (restored->count > 1)
        qsort(restored->calls, restored->count, sizeof restored->calls[0], by_start);
    for (size_t i = 0; i < restored->count; i++)
        call_enlist(fold, restored->calls[i].record, restored->account);
    restored->count = 0;
}

/* The account is looked up while its neighbours in the store are near. */
static bool begin_account(struct fold *fold, struct text id)
{
    if (fold->restored->account && text_equal(account_id(fold->restored->account), id))
        return true;
    enlist_calls(fold);
    fold->restored->account = account_find(fold, id);
    return fold->restored->account != NULL;
}

static bool restore_call(struct fold *fold, struct record *record)
{
    struct restored *restored = fold->restored;
    if (!begin_account(fold, record_key_part(record_key(record), 0)))
        return false;
    if (restored->count == restored->capacity) {
        restored->capacity = restored->capacity > 0 ? 2 * restored->capacity : 16;
        restored->calls = must_alloc(realloc(restored->calls, restored->capacity * sizeof restored->calls[0]));
    }
    restored->calls[restored->count++] = (struct restored_call){call_of(record)->start_offset, record};
    restored->total++;
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
    case RECORD_LIVE_CALL: return restore_call(fold, record);
    default: return false;
    }
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

/* False when there are not as many as the partition's record says. */
static bool end_calls(struct fold *fold)
{
    enlist_calls(fold);
    return fold->restored->total == fold->p->live_calls;
}

void restored_free(struct fold *fold)
{
    if (!fold->restored)
        return;
    free(fold->restored->calls);
    free(fold->restored);
    fold->restored = NULL;
}

bool fold_restored(struct fold *fold, const char digest[DIGEST_HEX])
{
    uint64_t sum[2];
    bool fits = fold->restored && fold->p && fold->policy && digest_parse(digest, sum) && end_calls(fold);
    restored_free(fold);
    if (fits)
        state_set_digest(fold->state, sum);
    return fits;
}
