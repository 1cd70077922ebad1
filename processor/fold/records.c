#include "processor/fold/records.h"

/* What snapshots/FORMAT.md draws; a layout that changes raises FOLD_VERSION. */
_Static_assert(sizeof(struct partition_record) == 760, "FORMAT.md");
_Static_assert(sizeof(struct policy_record) == 160, "FORMAT.md");
_Static_assert(sizeof(struct fx_record) == 24, "FORMAT.md");
_Static_assert(sizeof(struct deck_record) == 104, "FORMAT.md");
_Static_assert(sizeof(struct rate_record) == 32, "FORMAT.md");
_Static_assert(sizeof(struct recharge_record) == 32, "FORMAT.md");
_Static_assert(sizeof(struct call_record) == 144, "FORMAT.md");
_Static_assert(sizeof(struct account_record) == 184, "FORMAT.md");
_Static_assert(sizeof(struct member_record) == 24, "FORMAT.md");
_Static_assert(sizeof(struct number_record) == 104, "FORMAT.md");
_Static_assert(sizeof(struct assignment_record) == 24, "FORMAT.md");
_Static_assert(sizeof(struct block_record) == 16, "FORMAT.md");
_Static_assert(sizeof(struct topup_record) == 56, "FORMAT.md");
_Static_assert(sizeof(struct closed_call_record) == 40, "FORMAT.md");
_Static_assert(sizeof(struct expiry_record) == 8, "FORMAT.md");
_Static_assert(sizeof(struct contents) == 16, "FORMAT.md");
_Static_assert(sizeof(struct expiry_queue) == 32, "FORMAT.md");
_Static_assert(sizeof(struct amount_record) == 16, "FORMAT.md");
_Static_assert(sizeof(struct origin_record) == 72, "FORMAT.md");

struct text call_string(const struct call_record *call, enum call_string which)
{
    const uint8_t lengths[CALL_STRING_COUNT] = {call->from_len,        call->to_len,     call->member_len,
                                                call->destination_len, call->prefix_len, call->deck_len};
    const char *at = call->strings;
    for (int i = 0; i < (int)which; i++)
        at += lengths[i];
    return (struct text){at, lengths[which]};
}

struct text rate_destination(const struct rate_record *rate)
{
    return (struct text){rate->strings, rate->destination_len};
}

struct text rate_kind(const struct rate_record *rate)
{
    return (struct text){rate->strings + rate->destination_len, rate->kind_len};
}

struct text record_key_part(struct text key, int n)
{
    const char *at = key.at + 1, *end = key.at + key.len;
    for (;; n--) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        if (!stop)
            stop = end;
        if (n == 0)
            return (struct text){at, (size_t)(stop - at)};
        at = stop < end ? stop + 1 : end;
    }
}
