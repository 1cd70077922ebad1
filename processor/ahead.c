/* ahead.c - see ahead.h. */
#include "processor/ahead.h"

_Static_assert(AHEAD_SLOT < AHEAD_ROOM, "a slot is not needed twice at once");

static void look(struct ahead *ahead, size_t i)
{
    struct ahead_slot *slot = &ahead->slots[i % AHEAD_ROOM];
    const struct log_record *record = i < ahead->count ? &ahead->records[i] : NULL;
    slot->is_scanned = record && event_scan(ahead->decoder, record->record.value, &slot->event);
    slot->hint = (struct fold_hint){.count = 0};
    if (slot->is_scanned && ahead->folds[record->partition])
        fold_expect(ahead->folds[record->partition], &slot->event, &slot->hint);
}

typedef void tell_fold(const struct fold *fold, const struct fold_hint *hint);

static inline void tell(const struct ahead *ahead, size_t i, tell_fold *expect)
{
    if (i < ahead->count && ahead->folds[ahead->records[i].partition])
        expect(ahead->folds[ahead->records[i].partition], &ahead->slots[i % AHEAD_ROOM].hint);
}

void ahead_begin(struct ahead *ahead, const struct log_record *records, size_t count)
{
    ahead->records = records;
    ahead->count = count;
    for (size_t i = 0; i < AHEAD_SLOT; i++)
        look(ahead, i);
}

struct event *ahead_take(struct ahead *ahead, size_t i, struct fold_record *record, struct decode_error *error)
{
    struct ahead_slot *slot = &ahead->slots[i % AHEAD_ROOM];
    look(ahead, i + AHEAD_SLOT);
    tell(ahead, i + AHEAD_CALL, fold_expect_call);
    tell(ahead, i + AHEAD_ACCOUNT, fold_expect_account);
    *record = ahead->records[i].record;
    record->hint = &slot->hint;
    bool decoded = slot->is_scanned || event_decode_reference(ahead->decoder, record->value, &slot->event, error);
    return decoded ? &slot->event : NULL;
}
